"""What a gradient may be made of: the arrays that a pair knows at a point, laid beside a gradient, and products of two.

`hints` asks two things of this file. Which arrays fit a gradient's shape (`beside`)? And is a given array, entry by entry,
a product of two known ones, perhaps summed over an axis (`Terms.search`)? Searching is quick because a candidate is first
looked at in a few entries only; one that agrees there is then computed in full and must agree everywhere.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np

RELATIVE = 1e-6              # forwards put 1e-8 inside logarithms and roots: a factor 1 / w is then right to this, no better
ENOUGH = 4                   # so many entries that are not zero must speak for an explanation
PROBES = 6
LONGEST_SUM = 2000           # longer ones are not searched: it would take too long
CONSTANTS = (1, -1, 2, -2, 0.5, -0.5)
SIMPLE = {                   # text -> function, of an array that may be a factor
    "{}": lambda x: x, "(1 - {})": lambda x: 1 - x, "{}**2": lambda x: x * x, "(1 - {}**2)": lambda x: 1 - x * x,
    "{0} (1 - {0})": lambda x: x * (1 - x), "({} > 0)": lambda x: (x > 0) * 1.0,
}
FUNCTIONS = SIMPLE | {"exp({})": np.exp, "log({})": np.log, "tanh({})": np.tanh,
                      "sigmoid({})": lambda x: 0.5 * np.tanh(0.5 * x) + 0.5}


class Known(NamedTuple):
    """An array that the pair knows. `kind` is upstream, input, output or true (the true gradient of another argument)."""
    label: str
    kind: str
    view: np.ndarray         # as large as the gradient


class Placed(NamedTuple):
    """An array with each of its axes either laid on an axis of the gradient or summed over (None)."""
    label: str
    array: np.ndarray        # without its axes of size 1
    axes: tuple
    summed: tuple            # the sizes of those that are summed over


def near(a, b, slack):
    """Where two arrays are equal: to RELATIVE, or to `slack`, the noise that they have anyway."""
    allowed = RELATIVE * np.maximum(np.abs(a), np.abs(b)) + slack
    return (np.abs(a - b) <= allowed) & np.isfinite(a) & np.isfinite(b)


def agree(a, b, slack):
    """Whether two arrays are equal at all entries."""
    return bool(near(a, b, slack).all())


def speaks(values, slack, enough=ENOUGH):
    """Whether enough entries stand out from the noise to prove something."""
    return np.count_nonzero(np.abs(values) > 1e3 * slack) >= enough


def constant(array):
    return not np.ptp(array) > RELATIVE * np.abs(array).max(initial=0)


def block_of(mask):
    """For each axis the indices at which something is marked."""
    return [np.flatnonzero(mask.any(tuple(a for a in range(mask.ndim) if a != axis))) for axis in range(mask.ndim)]


def is_block(mask):
    """Whether a mask marks some rows, columns or a box, and nothing else."""
    return not mask.all() and mask.any() and bool(mask[np.ix_(*block_of(mask))].all())


def described(mask):
    """The box around what is marked, in words: 'index 0 along axis 1'; '' if that is everything."""
    if mask.sum() == 1 and mask.size > 1:
        return f"the entry {[int(at[0]) for at in block_of(mask)]}"
    parts = [f"{indices(found)} along axis {axis}" for axis, found in enumerate(block_of(mask)) if len(found) < mask.shape[axis]]
    return "the entries with " + " and ".join(parts) if parts else ""


def indices(found):
    """'index 3', 'indices 13 to 25', 'indices 0, 2 and 5' or '7 indices'"""
    found = found.tolist()
    if len(found) == 1:
        return f"index {found[0]}"
    if found[-1] - found[0] == len(found) - 1:
        return f"indices {found[0]} to {found[-1]}"
    return f"indices {', '.join(map(str, found[:-1]))} and {found[-1]}" if len(found) <= 6 else f"{len(found)} indices"


def by_chance(values):
    """Zeros and ones fit too easily: they must form a pattern of 8 or more that is not just some rows."""
    pattern = values != 0
    if pattern.all() or not np.isin(values, (0, 1)).all():
        return False
    return is_block(pattern) or is_block(~pattern) or free_bits(pattern) < 8


def free_bits(pattern):
    """How many independent entries a pattern of yes and no has: an axis along which it is constant does not count."""
    for axis in range(pattern.ndim):
        first = pattern.take([0], axis)
        pattern = first if (pattern == first).all() else pattern
    return pattern.size


def kind_of(name, around, inputs):
    """upstream, input, output or true. See Known."""
    if name.startswith("true d"):
        return "true"
    if name in inputs:
        return "input"
    return "upstream" if name[:1] == "d" and name[1:] in around else "output"


def beside(around, inputs, shape):
    """The arrays that can be laid beside a gradient of this shape -> list of Known, upstream gradients first."""
    found = []
    for name, array in around.items():
        for label, piece in [(name, array), *pieces(name, array, shape)]:
            view = fit(piece, shape)
            if view is not None:
                found.append(Known(label, kind_of(name, around, inputs), view))
    scalars = [name for name, array in around.items() if array.size == 1 and kind_of(name, around, inputs) == "upstream"]
    found += [Known(f"{scalar} * {one.label}", one.kind, around[scalar].item() * one.view) for scalar in scalars for one in found
              if one.label != scalar and one.kind in ("input", "output")]           # the gradients of a loss have a factor dloss
    return sorted(found, key=lambda known: ("upstream", "true", "input", "output").index(known.kind))


def fit(array, shape):
    """The array broadcast to a shape: as NumPy does, or by equal sizes as in mask[..., None] or u[:, None], or reshaped; else
    None."""
    if array.ndim != len(shape) and array.shape[:1] == shape[:1] and array.size == math.prod(shape):
        return array.reshape(shape)
    for candidate in (array.shape, spread(array.shape, shape)):
        if len(candidate) <= len(shape) and all(n in (1, m) for n, m in zip(candidate[::-1], shape[::-1])):
            return np.broadcast_to(array.reshape(candidate), shape)
    return None


def spread(small, large):
    """The shape (2, 9) beside (2, 3, 9) is (2, 1, 9): its sizes where the large shape has them in the same order."""
    left = [n for n in small if n > 1]
    laid = tuple(left.pop(0) if left and left[0] == n else 1 for n in large)
    return laid if not left else small


def pieces(name, array, shape):
    """The parts of an array that holds several side by side in its last axis, like the four gates of an LSTM."""
    width = shape[-1] if shape else 0
    count, rest = divmod(array.shape[-1], width) if array.ndim == len(shape) and width > 1 else (0, 0)
    if 2 <= count <= 8 and not rest:
        for start in range(0, count * width, width):
            yield f"{name}[..., {start}:{start + width}]", array[..., start:start + width]


class Terms:
    """All products of two known arrays that have a gradient's shape, with or without a sum.

    around, inputs   see `hints.diagnose`
    known            what `beside` found for this shape
    where            mask of the entries to look at first
    """

    def __init__(self, around, inputs, known, where):
        self.shape, self.known = where.shape, known
        flat = np.flatnonzero(where)
        self.at = np.unravel_index(flat[np.linspace(0, len(flat) - 1, PROBES).astype(int)], self.shape)
        self.views = np.array([one.view[self.at] for one in known]).reshape(len(known), PROBES)
        self.sums = {}                                     # sizes that are summed over -> list of Placed, and (P, k, m)
        for name, array in around.items():
            if array.size > 1 and kind_of(name, around, inputs) != "true":
                for placed in placements(name, array, self.shape):
                    self.sums.setdefault(placed.summed, []).append(placed)
        self.sums = {sizes: (placed, np.stack([gather(one, self.at) for one in placed], axis=1))
                     for sizes, placed in self.sums.items()}

    def search(self, target, slack, enough=ENOUGH):
        """(c, label) such that target = c * label at all entries, the simplest first; None if there is none."""
        if not speaks(target, slack, enough):
            return None
        wanted = target[self.at], slack[self.at]
        for c, label, parts in itertools.chain(self._elementwise(wanted), self._sums(wanted), self._functions(wanted)):
            value = contract(parts, self.shape) if isinstance(parts[0], Placed) else math.prod(parts)
            if agree(c * value, target, slack):
                return c, label
        return None

    def _elementwise(self, wanted):
        """x, and x * y. A true gradient of another argument counts as x only: no backward multiplies by it."""
        for c, (i,) in hits(self.views, wanted):
            yield c, self.known[i].label, [self.known[i].view]
        for c, (i, j) in hits(self.views[:, None] * self.views, wanted):
            a, b = self.known[i], self.known[j]
            if i <= j and "true" not in (a.kind, b.kind):
                yield c, f"{a.label} * {b.label}", [a.view, b.view]

    def _functions(self, wanted):
        """x * f(y)"""
        for text, function in list(FUNCTIONS.items())[1:]:
            for c, (i, j) in hits(self.views[:, None] * function(self.views), wanted):
                a, b = self.known[i], self.known[j]
                if "true" not in (a.kind, b.kind):
                    yield c, f"{a.label} * {text.format(b.label)}", [a.view, function(b.view)]

    def _sums(self, wanted):
        """The sum of x, and of x * y, over one or two axes."""
        for sizes, (placed, rows) in self.sums.items():
            n = math.prod(sizes)
            constants = (*CONSTANTS, 1 - 1 / n, 1 / n - 1)              # the last two: a mean for the sum, or the reverse
            over = "over the ax" + ("is of size " if len(sizes) == 1 else "es of sizes ") + " and ".join(map(str, sizes))
            for c, (i,) in hits(rows.sum(-1).T, wanted, constants):
                yield c, f"sum({placed[i].label}) {over}", [placed[i]]
            for c, (i, j) in hits((rows @ rows.swapaxes(1, 2)).transpose(1, 2, 0), wanted, constants):
                if i <= j:
                    yield c, f"sum({placed[i].label} * {placed[j].label}) {over}", [placed[i], placed[j]]


def hits(candidates, wanted, constants=CONSTANTS):
    """(constant, index) where target = constant * candidate (..., P) in all probes; `wanted` is the target and its slack."""
    target, slack = wanted
    first = int(np.abs(target).argmax())                    # nearly all candidates differ there already
    if target[first] == 0:
        return
    for which, *index in np.argwhere(near(np.multiply.outer(constants, candidates[..., first]), target[first], slack[first])):
        if near(constants[which] * candidates[tuple(index)], target, slack).all():
            yield constants[which], tuple(index)


def placements(name, array, shape):
    """All ways to lay the axes of an array on axes of the same size, at least one of them being summed over."""
    array = array.squeeze()
    options = [[axis for axis, size in enumerate(shape) if size == n] + [None] for n in array.shape]
    for axes in itertools.product(*options):
        laid = [axis for axis in axes if axis is not None]
        one = Placed(name, array, axes, tuple(n for n, axis in zip(array.shape, axes) if axis is None))
        twice = len(set(laid)) < len(laid)
        # an axis that the gradient has as well is rarely summed over: not two of them
        short = len(one.summed) <= 2 and sum(n in shape for n in one.summed) <= 1 and math.prod(one.summed) <= LONGEST_SUM
        if one.summed and short and not twice:
            yield one


def gather(placed, index):
    """(P, m) for each probe all numbers that are summed there"""
    laid = [at for at, axis in enumerate(placed.axes) if axis is not None]
    summed = [at for at, axis in enumerate(placed.axes) if axis is None]
    rows = placed.array.transpose(laid + summed)[tuple(index[placed.axes[at]] for at in laid)]
    return rows.reshape(PROBES, -1) if laid else np.broadcast_to(rows.ravel(), (PROBES, rows.size))


def contract(placed, shape):
    """The sum of the product of one or two placed arrays, as large as the gradient."""
    operands, laid = [], set()
    for one in placed:
        sums = itertools.count(len(shape))
        axes = [next(sums) if axis is None else axis for axis in one.axes]
        operands += [one.array, axes]
        laid |= {axis for axis in one.axes if axis is not None}
    value = np.einsum(*operands, sorted(laid))
    return np.broadcast_to(value.reshape([n if axis in laid else 1 for axis, n in enumerate(shape)]), shape)
