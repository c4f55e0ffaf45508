"""Sliders that move a figure, and the figure as it stands at the start for those who only read."""

import base64

import ipywidgets
from IPython.display import display


def sliders(draw, **controls):
    """Show a figure with a slider for each of its numbers; where nothing runs, the figure at the starting values is what stays.

    draw      a function that takes the numbers by name and returns a figure of numpymem.plotting
    controls  name=(lowest, highest, start) or (lowest, highest, start, step); whole numbers make a slider of whole numbers
    raises    ValueError for a control that is no such tuple
    """
    widget = with_sliders(draw, controls)
    words = "sliders: " + ", ".join(f"{name} from {low} to {high}" for name, (low, high, *_) in controls.items())
    # One output in two forms: a running notebook takes the widget, and what only shows outputs takes the picture.
    display(widget._repr_mimebundle_() | {"image/png": base64.b64encode(widget.children[-1].value).decode(), "text/plain": words},
            raw=True)


def with_sliders(draw, controls):
    """The widget: a box of the sliders and, last, the picture that follows them."""
    knobs = {name: _slider(name, control) for name, control in controls.items()}
    picture = ipywidgets.Image(format="png", value=_drawn(draw, knobs))

    def redraw(_):
        picture.value = _drawn(draw, knobs)
    for knob in knobs.values():
        knob.observe(redraw, "value")
    return ipywidgets.VBox([*knobs.values(), picture])


def _drawn(draw, knobs):
    return draw(**{name: knob.value for name, knob in knobs.items()})._repr_png_()


def _slider(name, control):
    if not (isinstance(control, tuple) and len(control) in (3, 4) and control[0] <= control[2] <= control[1]):
        raise ValueError(f"{name}: expected (lowest, highest, start) or (lowest, highest, start, step), received {control!r}")
    low, high, start, *step = control
    whole = all(isinstance(number, int) for number in control)
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    step = step[0] if step else 1 if whole else (high - low) / 100
    return kind(value=start, min=low, max=high, step=step, description=name, layout=ipywidgets.Layout(width="60%"))
