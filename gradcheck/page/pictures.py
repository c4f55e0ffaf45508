"""Three small pictures of one gradient, drawn from its Evidence (gradcheck/page/evidence.py) as SVG to put inside a page.

They have no background, and their colours are the page's CSS variables, so that they follow its light and dark.
"""

import functools
import io
import math
import re

import matplotlib
import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from gradcheck.page.evidence import STEPS, TAYLOR_STEPS
from numpymem.plotting.parts import COLOURS, INK, PALE, READ, SOFT, STYLE, WRITE, picture

FLOOR, TOP = 1e-18, 30.0                        # of the errors; an error of 0 is drawn on the floor
SIZE = (3.5, 2.3)                               # inches
FORWARD, CENTRAL = COLOURS["DMN"], COLOURS["DNC"]
HEAT = ("#e3eef6", "#bdd6e9", "#fbdcbd", "#fbb878", "#ee8a3c", "#c9510c", "#7d2c00")       # two calm ones, then alarm
VARIABLES = {INK: "ink", SOFT: "soft", STYLE["axes.edgecolor"]: "line", PALE: "pale", READ: "right", WRITE: "wrong",
             FORWARD: "forward", CENTRAL: "central"} | {colour: f"heat{level}" for level, colour in enumerate(HEAT)}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def drawn(function):
    """Of a function that returns (figure, description), make one that returns SVG. `key` makes the ids in it unique."""
    @functools.wraps(function)
    def draw(evidence, key, *args, **kwargs):
        key = f"{key}-{function.__name__}"
        with matplotlib.rc_context(STYLE | {"svg.fonttype": "none", "svg.hashsalt": key, "xtick.major.size": 0,
                                            "ytick.major.size": 0, "axes.labelsize": 8.5}):
            figure, words = function(evidence, *args, **kwargs)
            written = io.StringIO()
            figure.savefig(written, format="svg", transparent=True,
                           metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
        return for_page(written.getvalue(), key, words)
    return draw


@drawn
def v_curve(evidence):
    """SVG: error over the step size."""
    figure, axes = _axes()
    by_hand = READ if evidence.is_right else WRITE
    lines = [("forward", evidence.forward, FORWARD, 1.3), ("central", evidence.central, CENTRAL, 1.3),
             ("by hand", [evidence.hand] * len(STEPS), by_hand, 2.4)]
    for _, errors, colour, width in lines:
        axes.plot(STEPS, _visible(errors), color=colour, lw=width, clip_on=False, zorder=2 + (width > 2))
    _scales(axes, (10 ** -14.2, 10 ** -0.8), range(-13, 0, 4))
    axes.fill_between(axes.get_xlim(), FLOOR, max(evidence.noise, FLOOR), color=PALE, lw=0, zorder=1)
    axes.set(xlabel="step h", ylabel="relative error")
    _name_lines(axes, [(words, _last(errors), colour) for words, errors, colour, _ in lines])
    return figure, "Error of forward and central differences over the step size; the gradient by hand as a level line"


@drawn
def taylor(evidence):
    """SVG: how f changes over the step size, and what is left after the first-order term."""
    figure, axes = _axes()
    by_hand, words = READ if evidence.is_right else WRITE, left_over(evidence)
    axes.plot(TAYLOR_STEPS, _visible(evidence.left), color=by_hand, lw=2.4, clip_on=False)
    axes.plot(TAYLOR_STEPS, _visible(evidence.change), color=SOFT, lw=1.2, ls=(0, (4, 2)), clip_on=False)
    _scales(axes, (10 ** -7.1, 10 ** -0.9), range(-7, 0, 2))
    axes.set(xlabel="step h", ylabel="size, relative")
    _name_lines(axes, [("f(x + h) − f(x)", _last(evidence.change), SOFT), (words, _last(evidence.left), by_hand)])
    return figure, f"Change of f over the step size, and what is left after the first-order term: {words}"


def left_over(evidence):
    return "rounding" if evidence.order is None else f"slope {evidence.order:.2f}"


@drawn
def heat_map(evidence, mark=None):
    """SVG: |by hand - true| over the entries; the one with the index `mark` is framed."""
    compared, limits = evidence.entries, heat_limits(evidence.tolerance)
    miss, (rows, columns) = compared.miss, compared.miss.shape
    figure, axes = _axes(left=0.35, right=0.15, bottom=0.72)
    level = np.digitize(miss, limits, right=True)
    for number, colour in enumerate(HEAT):
        cells = [_square(i, j) for i, j in np.argwhere(level == number)]
        if cells:
            axes.add_patch(PathPatch(Path.make_compound_path(*cells), facecolor=colour, lw=0))
    for i, j in np.ndindex(miss.shape) if mark is not None else ():
        if compared.index(i, j) == tuple(mark):
            axes.add_patch(Rectangle((j, i), 1, 1, fill=False, edgecolor=INK, lw=1.5, clip_on=False))
    axes.set(xlim=(0, max(columns, 1)), ylim=(max(rows, 1), 0), xticks=[], yticks=[])
    axes.set_aspect("equal" if columns < 6 * rows and rows < 6 * columns else "auto")
    axes.spines[:].set_visible(False)
    axes.set_xlabel(_axis_name(evidence.letters[compared.cut:], compared.shape[compared.cut:], columns), labelpad=3)
    axes.set_ylabel(_axis_name(evidence.letters[:compared.cut], compared.shape[:compared.cut], rows), labelpad=4)
    _heat_scale(figure, limits)
    return figure, f"|by hand - true| for {rows * columns} entries of d{evidence.argument}"


def heat_limits(tolerance):
    """Borders of the colours: rounding, what the check allows, and then four shades of wrong."""
    allowed = 10.0 ** math.ceil(math.log10(tolerance) - 0.1)
    return np.maximum.accumulate([allowed / 100, allowed, 1e-7, 1e-4, 1e-2, 0.3]).tolist()


def power(value):
    """1e-12 as 10⁻¹²; a number that is no power of ten in two digits."""
    exponent = math.log10(value)
    if abs(exponent - round(exponent)) < 1e-6:
        return "1" if round(exponent) == 0 else "10" + str(round(exponent)).translate(RAISED)
    return f"{value:.1g}"


def _heat_scale(figure, limits):
    """Small fields of all colours at the bottom, with the borders between them."""
    width, height = SIZE
    axes = figure.add_axes([0.35 / width, 0.28 / height, 1 - 0.5 / width, 0.1 / height])
    for level, colour in enumerate(HEAT):
        axes.add_patch(Rectangle((level + 0.02, 0), 0.96, 1, facecolor=colour, lw=0))
    for level, limit in enumerate(limits):
        axes.text(level + 1, -0.6, power(limit), ha="center", va="top", fontsize=7, color=SOFT)
    axes.set(xlim=(0, len(HEAT)), ylim=(0, 1))
    axes.axis("off")


def _square(i, j, gap=0.04):
    low, high = gap, 1 - gap
    return Path([(j + low, i + low), (j + high, i + low), (j + high, i + high), (j + low, i + high), (j + low, i + low)],
                closed=True)


def _axis_name(letters, sizes, drawn):
    """'B × H = 2 × 6' for the axes that have more than one entry; '3 of C = 13' if only 3 are drawn."""
    shown = [(letter, str(size)) for letter, size in zip(letters, sizes) if size > 1]
    some = "" if drawn == math.prod(sizes) else f"{drawn} of "
    return some + " = ".join(" × ".join(parts) for parts in zip(*shown))


def _axes(left=0.52, right=0.98, top=0.08, bottom=0.4):
    """A figure with one pair of axes in it; margins in inches."""
    figure, (width, height) = picture(*SIZE), SIZE
    return figure, figure.add_axes([left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height])


def _visible(values):
    """Values that a logarithmic axis can show; where a step leaves the domain of f there is none: a gap."""
    return np.clip(np.asarray(values, float), FLOOR, TOP)


def _last(values):
    """The value at the largest step that has one: there stands the line's name."""
    return next((value for value in _visible(values) if np.isfinite(value)), TOP)


def _scales(axes, limits, exponents):
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=(FLOOR, TOP))
    for axis, at in ((axes.xaxis, exponents), (axes.yaxis, range(-16, 1, 4))):
        axis.set_ticks([10.0 ** exponent for exponent in at], [power(10.0 ** exponent) for exponent in at])
        axis.set_ticks([], minor=True)
    axes.grid(axis="y", lw=0.6, color=STYLE["axes.edgecolor"], alpha=0.4)


def _name_lines(axes, names, apart=0.105):
    """The lines' names at the right, at the height of their last point but not on one another."""
    span = math.log(TOP / FLOOR)
    heights = sorted((math.log(value / FLOOR) / span, words, colour) for words, value, colour in names)
    below = -1.0
    for place, (height, words, colour) in enumerate(heights):
        room_above = 1 - apart * (len(heights) - 1 - place)
        below = min(max(height, below + apart), room_above)
        axes.text(1.03, below, words, color=colour, fontsize=8.5, va="center", transform=axes.transAxes)


def for_page(svg, key, words):
    """What matplotlib writes, made fit to stand in a page beside others: no header, no style for the whole page, ids of its
    own, the page's font and colours, and numbers with two decimals."""
    body = svg[svg.index(">", svg.index("<svg")) + 1:]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    used = set(re.findall(r"(?:href=\"|url\()#([\w.-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{key}-{found[1]}"' if found[1] in used else "", body)
    body = re.sub(r"(href=\"|url\()#", rf"\1#{key}-", body)
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)              # older matplotlib
    body = re.sub(r"font-family: [^;\"]*; ?| transform=\"rotate\(-0 [^\"]*\"", "", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour.lower(), f"var(--{variable})")
    body = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), body)
    body = re.sub(r"\s*\n\s*", " ", body)
    width, height = (72 * inches for inches in SIZE)
    return (f'<svg class="picture" viewBox="0 0 {width:.0f} {height:.1f}" role="img" aria-label="{words}" '
            f'stroke-linejoin="round">{body}')
