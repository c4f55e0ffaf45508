"""Points with a purpose: where a backward is checked besides random points, and what a point cannot prove.

random     pairwise different sizes, values well inside the domains: this is where mistakes show
extremes   one argument at the end of its domain (every other row of it), the others random: beta 0 and 50, gamma 1 and 20,
           gates 0 and 1, one-hot and uniform weights, memory zero and large; and all that are bounded at once (w e = 1)
reset      what the equation receives at the first step of an untrained model
trained    what it receives at the last step of a model that has learned a little

At the reset state most mistakes hide: memory rows are alike and weights uniform, so that sums agree by symmetry. It is
checked for information, never as the only evidence.
"""

import contextlib
import re

import numpy as np

from gradcheck.points import Point, draw
from gradcheck.recording import recorded
from gradcheck.trial import point_of
from numpymem.equation import REGISTRY
from numpymem.kernel import numpy_only

RANDOM = 2                   # points of that kind
HIGH = {"": 20.0, ">= 1": 20.0, ">= 0": 50.0, "> 0": 50.0, "0..1": 1.0}
LOW = {"": 0.0, ">= 1": 1.0, ">= 0": 0.0, "> 0": 1e-3, "0..1": 0.0}
UPDATES = 20                 # of "trained"


def points(item, rng):
    """Yield (purpose, Point) for an equation. Raises points.Declaration if its docstring does not say how."""
    for _ in range(RANDOM):
        yield "random", draw(item, rng)
    names = item.differentiable
    over_time = any("T" in item.inputs[name].shape for name in names)        # there large numbers explode from step to step
    for end, extremes in (("low", LOW), ("high", HIGH))[:1 if over_time and item.is_step else 2]:
        bounded = [name for name in names if item.inputs[name].domain]
        groups = [[name] for name in names] + ([bounded] if len(bounded) > 1 else [])
        for moved in [names] if item.is_step else groups:
            point = draw(item, rng)
            arguments = [half(extreme(item.inputs[name], value, extremes), value) if name in moved else value
                         for name, value in zip(item.arguments, point.arguments)]
            yield f"{moved[0] if len(moved) == 1 else 'all'} {end}", Point(arguments, point.sizes)
    for purpose, seen in captured().items():
        if item.id in seen:
            yield purpose, point_of(seen[item.id])


def extreme(symbol, value, extremes):
    """The values of one argument at the end of its domain; those of a domain without ends stay as they are."""
    if symbol.domain == "simplex":
        return _one_hot(value) if extremes is HIGH else np.full_like(value, 1 / value.shape[-1])
    domain = re.sub(r"\s+", " ", symbol.domain.replace(">=", ">= ").replace("> ", "> ")).strip()
    if domain not in extremes:
        return value
    return value * HIGH[""] if domain == "" and extremes is HIGH else np.full_like(value, extremes[domain])


def half(extreme_value, value):
    """Every other row at the extreme and the rest as it was, so that the point is not symmetric."""
    if value.ndim == 0 or value.shape[0] == 1:
        return extreme_value
    rows = np.arange(value.size // value.shape[-1]).reshape(*value.shape[:-1], 1) % 2 == 0
    return np.where(rows if value.ndim > 1 else np.arange(value.size) % 2 == 0, extreme_value, value)


def _one_hot(value):
    return (value == value.max(-1, keepdims=True)).astype(value.dtype)


def symmetric(trial):
    """The arguments that are the same all along one of their axes: mistakes in the order of that axis do not show."""
    return [name for name in trial.item.differentiable
            if _is_constant_along_an_axis(np.asarray(trial.arguments[trial.item.arguments.index(name)]))]


def _is_constant_along_an_axis(value):
    return value.size > 1 and any(size > 1 and np.ptp(value, axis=axis).max() == 0 for axis, size in enumerate(value.shape))


# ---- what equations receive inside a model -------------------------------------------------------------------------------

_captured = {}


def captured():
    """purpose -> id of an equation -> the arguments that it received inside a model (a recurrent one, if it is in any)."""
    if not _captured:
        with unpatched():
            _captured.update(_capture())
    return _captured


def _capture():
    from gradcheck.models import examples
    found = {"reset": {}, "trained": {}}
    for model, params, inputs in examples():
        for purpose in found:
            try:
                calls = forward_calls(model, train(model, params, inputs) if purpose == "trained" else params, inputs)
            except Exception:  # noqa: BLE001, PERF203  an equation whose file was edited raises: it is reported where it is checked
                continue
            for call in calls if purpose == "trained" else reversed(calls):          # the last, the first
                if all(_is_finite(value) for value in call.arguments):
                    found[purpose][call.equation.id] = [np.copy(value) if isinstance(value, np.ndarray) else value
                                                        for value in call.arguments]
    return found


@contextlib.contextmanager
def unpatched():
    """Without patches, for a block: where points are taken from does not depend on what is tried out."""
    kept = {item: item.patches for item in REGISTRY.values() if item.patches}
    for item in kept:
        item.use_patches([])
    try:
        yield
    finally:
        for item, patches in kept.items():
            item.use_patches(patches)


def forward_calls(model, params, inputs):
    with numpy_only(), recorded("forward") as calls:
        model.forward(params, inputs)
    return calls


def train(model, params, inputs):
    """A few steps of Adam towards random bits, in float64: enough to leave the start, whatever is learned."""
    from numpymem.training.optimizers import Adam
    rng, adam = np.random.default_rng(0), Adam()
    params, state = dict(params), adam.init(params)
    targets = None
    with numpy_only():
        for _ in range(UPDATES):
            outputs, trace = model.forward(params, inputs)
            targets = rng.integers(0, 2, outputs.shape) if targets is None else targets
            grads = model.backward(params, trace, 1 / (1 + np.exp(-outputs)) - targets)
            params, state = adam.update(params, grads, state, 0.01)
    return params


def _is_finite(value):
    return not isinstance(value, np.ndarray) or value.dtype.kind != "f" or bool(np.isfinite(value).all())
