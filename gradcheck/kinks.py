"""Kinks and ties: where a forward has no derivative to check.

A maximum, a ReLU, a sort or a comparison joins smooth pieces. Within one piece the derivative exists and differences find it. A
difference whose two ends lie on different pieces is no derivative, however small its step. And exactly where two pieces meet
(a tie) there is no derivative at all: the backward picks one side, the oracle another, and a check there proves nothing.

So the forward is run on arrays that write down every decision they take part in (decisions.py), at x and around it:

    decisions(function, arguments)                         what was decided, in order
    crossed(function, arguments_at, ts)                    does any decision change between x and x + t d?
    without_crossing(function, arguments_at, steps)        the steps that are small enough
    tied(function, arguments)                              does a decision sit exactly on its kink, and does that matter?
"""

import numpy as np

from gradcheck.decisions import each, recorded, written_down
from numpymem.kernel import numpy_only

NUDGE = 1e-6                                   # how far from a tie to look whether it matters
ROUNDING = 1e-13                               # of outputs, relative: a smaller bend is none


def decisions(function, arguments, moved=None):
    """Run function(*arguments) and list what it decided -> [(kind, array of sides, 0 for a tie)].

    moved   positions of the arguments that are differentiated; default: all. Decisions on the others alone do not count: a
            mask is compared with 0, too, but stays as it is. Integers and settings are passed on untouched
    """
    with written_down() as log:
        _run(function, _changed(arguments, moved, recorded))
    return log


def same(a, b):
    """Whether two runs decided alike, ties included."""
    return len(a) == len(b) and all(kind == other and np.array_equal(x, y) for (kind, x), (other, y) in zip(a, b))


def crossed(function, arguments_at, ts, moved=None):
    """Which decision changes sides between x and x + t d for one of `ts`, in words, or None.

    arguments_at   t -> the arguments at x + t d. What is a tie at x has no side to change: see `tied`
    """
    here = decisions(function, arguments_at(0.0), moved)
    for t in ts:
        found = _difference(here, decisions(function, arguments_at(t), moved))
        if found:
            return f"{found} within {abs(t):.0e}"
    return None


def without_crossing(function, arguments_at, steps, moved=None):
    """Those of the steps on which no decision changes on either side of x, nor on a smaller step."""
    here, smooth = decisions(function, arguments_at(0.0), moved), []
    for h in sorted(steps):
        if any(_difference(here, decisions(function, arguments_at(t), moved)) for t in (h, -h)):
            break
        smooth.append(h)
    return tuple(h for h in steps if h in smooth)


def tied(function, arguments, moved=None):
    """Which decisions sit exactly on their kink, in words, or None.

    Ties that do not matter are left out: those that stay ties when all arguments are nudged (padding that is 0 everywhere), and
    all if the outputs do not bend there: softplus(x) is written with two maxima, and smooth at 0.
    """
    here = decisions(function, arguments, moved)
    if not any((sides == 0).any() for _, sides in here):
        return None
    rng = np.random.default_rng(0)
    directions = []
    _changed(arguments, moved, lambda x: directions.append(rng.standard_normal(x.shape)))

    def nudged(t):
        each_direction = iter(directions)
        return _changed(arguments, moved, lambda x: x + t * next(each_direction))
    there, counts = decisions(function, nudged(NUDGE), moved), {}
    alike = [(kind, x.shape) for kind, x in here] == [(kind, y.shape) for kind, y in there]
    for k, (kind, sides) in enumerate(here):
        stays = there[k][1] == 0 if alike else False
        counts[kind] = counts.get(kind, 0) + int(((sides == 0) & ~np.asarray(stays)).sum())
    found = _most(counts, "sits", "sit")
    if found is None or not _bends(lambda t: _arrays(_run(function, nudged(t)))):
        return None
    return f"{found} exactly on the kink, where there is no derivative"


def _difference(a, b):
    """What the second run decided differently from the first, in words, or None."""
    if [(kind, x.shape) for kind, x in a] != [(kind, y.shape) for kind, y in b]:
        return f"the forward takes another way ({len(b)} decisions after {len(a)})"
    counts = {}
    for (kind, x), (_, y) in zip(a, b):
        counts[kind] = counts.get(kind, 0) + int(((x != y) & (x != 0)).sum())
    return _most(counts, "changes sides", "change sides")


def _most(counts, does, do):
    """The kind that counts most, in words: '2 entries of a maximum (np.maximum) change sides'."""
    kind = max(counts, key=counts.get, default=None)
    if kind is None or not counts[kind]:
        return None
    return f"1 entry of {kind} {does}" if counts[kind] == 1 else f"{counts[kind]} entries of {kind} {do}"


def _bends(outputs_at):
    """Whether an output has another slope on the other side, or no value. A bend falls with the step, a curve with its square."""
    here = outputs_at(0.0)
    near, far = ([np.abs(high + low - 2 * middle) for high, low, middle in zip(outputs_at(h), outputs_at(-h), here)]
                 for h in (NUDGE, 10 * NUDGE))
    return any((((close > distant / 30) & (close > ROUNDING * np.abs(middle).max(initial=0)))
                | (np.isfinite(middle) & ~np.isfinite(close))).any()
               for close, distant, middle in zip(near, far, here))


def _run(function, arguments):
    with numpy_only(), np.errstate(all="ignore"):
        return function(*arguments)


def _changed(arguments, moved, change):
    """The arguments with `change` made to a copy of each array of real numbers in those that are moved."""
    def of(value):
        is_real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return change(value.copy("K")) if is_real else value
    return [each(value, of) if moved is None or k in moved else value for k, value in enumerate(arguments)]


def _arrays(value):
    """All arrays of real numbers in nested lists, tuples and dicts, and numbers among them."""
    found = []
    each(value, lambda x: found.append(np.asarray(x)) if np.asarray(x).dtype.kind == "f" else None)
    return found
