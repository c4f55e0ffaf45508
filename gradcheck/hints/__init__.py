"""What mistake does a wrong gradient look like? Its error, read as a diagnosis.

    diagnose("gamma", hand, true, noise, around, inputs)
    -> ["by hand / true is 2.000 at all 6 entries: one factor 2 too many"]

A recogniser is a small function that takes a Case and returns one line, or None. They are asked in order, simple mistakes first:
numbers (here), places (places.py), factors and terms (factors.py, with the search of terms.py).
Each line is something that holds at *every* entry, so it is true even where the advice after its colon does not fit. Where
nothing holds everywhere, `some_entries` says which entries are wrong and asks again about those alone.
"""

import functools
import itertools
import math

import numpy as np

from gradcheck.hints.factors import coupling, factor, missing_term, other_axis, other_product, row_ratio
from gradcheck.hints.places import over_an_axis, permuted, reordered, reversed_along, rolled, transposed
from gradcheck.hints.terms import (ENOUGH, RELATIVE, Terms, agree, beside, block_of, constant, described, free_bits, is_block,
                                  kind_of, near, speaks)

MOST = 3                          # lines
NEARLY = 1e-5                     # relative: what is as near as that is no mistake in a formula, but in its precision


def diagnose(name, hand, true, noise, around, inputs):
    """Explain one wrong gradient -> list of at most three lines, the best explanation first; empty if nothing fits.

    name     the argument that was differentiated, like "gamma"
    hand     its gradient by hand, any shape; may hold nan and inf
    true     the oracle's, same shape
    noise    what `true` may be off by, absolute: an array of that shape or a number
    around   name -> array of all that the pair knows at this point: inputs, outputs, "d" + an output for its upstream gradient,
             "true d" + an argument for the true gradients of the others. What is not a numeric array is left out
    inputs   those of these names that are inputs of the forward

    Raises ValueError if `hand` and `true` have different shapes.
    """
    if np.shape(hand) != np.shape(true):
        raise ValueError(f"hand: expected the shape of true, {np.shape(true)}, received {np.shape(hand)}")
    arrays = {key: np.asarray(value, dtype=float) for key, value in around.items() if key != f"true d{name}"
              and isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub" and value.size}
    with np.errstate(all="ignore"):
        case = Case(np.asarray(np.real(hand), dtype=float), np.asarray(true, dtype=float), noise, arrays, set(inputs))
        if not case.wrong.any():
            return []
        return (explain(case) or some_entries(case, of_block=True) or explain_loosely(case) or some_entries(case))[:MOST]


class Case:
    """One wrong gradient and what is known around it. All arrays have one shape, except those in `around`."""

    def __init__(self, hand, true, noise, around, inputs, shapes=None):
        self.hand, self.true, self.around, self.inputs = hand, true, around, inputs
        self.shapes = shapes or {name: array.shape for name, array in around.items()}        # of whole arrays, see `part`
        self.shape, self.size = true.shape, true.size
        self.largest = float(np.abs(true).max(initial=0))
        self.noise = np.broadcast_to(np.asarray(noise, dtype=float), self.shape)
        self.slack = 10 * self.noise + 1e-12 * self.largest          # what two equal numbers may differ by
        self.residual = hand - true
        self.wrong = ~(np.abs(self.residual) <= self.slack)          # nan is wrong

    @functools.cached_property
    def known(self):
        return beside(self.around, self.inputs, self.shape)

    @functools.cached_property
    def factors(self):
        """Known arrays that a factor may be made of."""
        return [one for one in self.known if one.kind != "true" and not constant(one.view)]

    @functools.cached_property
    def terms(self):
        return Terms(self.around, self.inputs, self.known, self.wrong)

    @property
    def axes(self):
        """Axes along which something can vary."""
        return [axis for axis, size in enumerate(self.shape) if size > 1]

    def is_hand(self, candidate):
        """Whether the gradient by hand is this array, to the last entry."""
        at = self.worst                                              # most candidates differ there: no need to look further
        return bool(near(self.hand[at], candidate[at], self.slack[at])) and agree(self.hand, candidate, self.slack)

    @functools.cached_property
    def worst(self):
        return np.unravel_index(int(np.abs(self.residual).argmax()), self.shape)

    def part(self, index):
        """The same question about some of the entries: `index` is one of np.ix_ or a mask."""
        around = {one.label: one.view[index] for one in self.known}
        rest = {name: array for name, array in self.around.items() if name not in around}
        inputs = {one.label for one in self.known if one.kind == "input"} | self.inputs
        return Case(self.hand[index], self.true[index], self.noise[index], around | rest, inputs, self.shapes)


def explain(case):
    """What holds at all entries of a case -> list of lines."""
    numbers = (true_not_finite, not_finite, never_written, true_is_zero, nearly_right, ratio, nearly_zero, one_number)
    if line := first(numbers, case):
        return [line]
    if not (speaks(case.hand, case.slack) and speaks(case.true, case.slack)):
        return []                                             # a few numbers fit anything
    line = returned(case)
    rest = (factor,) if line else (itself, offset, transposed, rolled, reversed_along, reordered, over_an_axis, factor,
                                   missing_term, permuted)
    return [line for line in (line, first(rest, case)) if line]


def explain_loosely(case):
    """What leaves a number free for each row, and so says less; not where it is simpler to say that some rows are wrong."""
    if not (speaks(case.hand, case.slack) and speaks(case.true, case.slack)):
        return []
    line = first((row_ratio, coupling, other_axis, other_product), case)
    return [line] if line else []


def first(recognisers, case):
    return next(filter(None, (recognise(case) for recognise in recognisers)), None)


def entries(count):
    return "the only entry" if count == 1 else f"all {count} entries"


# ---- all entries at once: numbers -----------------------------------------------------------------------------------

def true_not_finite(case):
    if not math.isfinite(case.largest):
        return "true is not finite: the forward itself has no derivative here"


def not_finite(case):
    bad = ~np.isfinite(case.hand)
    if bad.any():
        kinds = " and ".join(text for text, found in (("nan", np.isnan(case.hand)), ("inf", np.isinf(case.hand))) if found.any())
        count = entries(case.size) if bad.all() else f"{bad.sum()} of {case.size} entries"
        return f"by hand is {kinds} at {count}{exactly_where(case, bad)}: a division by 0, a log of 0 or an overflow"


def never_written(case):
    if not case.hand.any():
        return f"by hand is zero at {entries(case.size)}: never written, or multiplied by zero"
    if np.abs(case.hand).max() <= 1e-12 * case.largest:
        return f"by hand is zero but for rounding at {entries(case.size)}: the terms of its sum cancel, so one is missing"


def true_is_zero(case):
    if not (np.abs(case.true) > 10 * case.noise + 1e-13 * np.abs(case.hand).max()).any():
        return f"true is zero at {entries(case.size)}, by hand is not: at this point nothing depends on it"


def nearly_right(case):
    error = float(np.abs(case.residual).max()) / case.largest
    if error <= NEARLY:
        where = f" ({described(case.wrong)} only)" if is_block(case.wrong) else ""
        return f"by hand is off by {error:.0e} of the largest{where}: float32 on the way, or an epsilon or a constant that differs"


def ratio(case):
    """hand = c * true. One entry alone, or one that is not zero, proves nothing unless c is a number with a meaning."""
    big = np.abs(case.true) > 1e3 * case.slack
    if not big.any():
        return None
    c = float(np.median(case.hand[big] / case.true[big]))
    if not agree(case.hand, c * case.true, (1 + abs(c)) * case.slack):
        return None
    reasons = meaning(case, c)
    if not reasons and big.sum() == 1:
        return None
    number = f"{c:.3f}" if 1e-2 <= abs(c) < 1e4 else f"{c:.3g}"
    return f"by hand / true is {number} at {entries(case.size)}: {reasons or 'one and the same factor is wrong everywhere'}"


def meaning(case, c):
    """What a constant ratio says, or ''."""
    size, said = abs(c), ["the sign is wrong"] if c < 0 else []
    many, number = size > 1, max(size, 1 / size)
    whole = round(number) if abs(number - round(number)) <= RELATIVE * number else None
    found = []
    if whole and 2 <= whole <= 10:
        found.append(f"one factor {whole} too many" if many else f"a factor {whole} is missing")
    if whole and whole > 1 and (where := size_of(case, whole)):
        found.append(("a sum where a mean belongs" if many else "a mean where a sum belongs") + f" ({where})")
        found = found[::-1] if whole > 3 else found           # 2 and 3 are more often a factor than a size
    for name, array in case.around.items():
        if array.size == 1 and abs(number - 1) > RELATIVE:
            value = abs(array.item())
            found += [f"a factor {name} {text}" for one, text in ((value, "too many"), (1 / value if value else 0, "is missing"))
                      if abs(one - size) <= RELATIVE * size]
    square = round(min(number, 1e6) ** 2)
    if not found and abs(number * number - square) <= RELATIVE * square and size_of(case, square):
        found.append(f"one factor sqrt({square}) {'too many' if many else 'is missing'} ({size_of(case, square)})")
    return " and ".join(said + [", or ".join(found)] * bool(found))


def size_of(case, number):
    """Where a number is a size, a product of sizes, or how many ones a mask has; ''."""
    names = sorted(case.shapes, key=lambda name: kind_of(name, case.shapes, case.inputs) != "upstream")
    for count in (1, 2, 3):
        for name in names:
            shape = case.shapes[name]
            for axes in itertools.combinations(range(len(shape)), count):
                if math.prod(shape[axis] for axis in axes) == number and all(shape[axis] > 1 for axis in axes):
                    return (f"axis {axes[0]} of {name} has size {number}" if count == 1 else
                            f"axes {' and '.join(map(str, axes))} of {name} have {number} entries")
    ones = (name for name, array in case.around.items() if array.sum() == number and np.isin(array, (0, 1)).all())
    return next((f"{name} has {number} ones" for name in ones), "")


def nearly_zero(case):
    if np.abs(case.hand).max() <= NEARLY * case.largest:
        share = np.abs(case.hand).max() / case.largest
        return f"by hand is nearly zero, at most {share:.0e} of the largest true number: a factor is far too small"


def one_number(case):
    if case.size >= ENOUGH and constant(case.hand):
        return f"by hand is the same number, {case.hand.flat[0]:.4g}, at {entries(case.size)}"


def itself(case):
    if case.is_hand(np.abs(case.true)):
        return "by hand is the absolute value of true: the sign is wrong where true is negative"
    if case.is_hand(case.true ** 2):
        return "by hand is the square of true: multiplied by itself"


def returned(case):
    says = {"upstream": "the upstream gradient {}: returned as it came", "input": "the input {}: the wrong array is returned",
            "output": "the output {}: the wrong array is returned",
            "true": "the true gradient of {}: two gradients are swapped, or share one array"}
    for one in case.known:
        for sign, text in ((1, ""), (-1, "minus ")):
            if case.is_hand(sign * one.view):
                return f"by hand is {text}{says[one.kind].format(one.label.removeprefix('true d'))}"


def offset(case):
    if agree(case.residual, case.residual.mean(), case.slack):
        return f"by hand - true is {case.residual.mean():.4g} at {entries(case.size)}: a constant was added"


# ---- some entries only ----------------------------------------------------------------------------------------------

def some_entries(case, of_block=False):
    """Which entries are wrong, where the rest is right, and what is wrong with those alone -> list of lines.

    of_block   only if the wrong ones are all of some rows, columns or a box
    """
    right = ~case.wrong & (np.abs(case.true) > 1e3 * case.slack)          # zeros on both sides prove nothing
    block = block_of(case.wrong)
    slab = (case.wrong | ~right)[np.ix_(*block)].all() and described(case.wrong)
    if case.size < ENOUGH or not right.any() or (of_block and not slab):
        return []
    if slab:
        says = f"only {slab} {'is' if case.wrong.sum() == 1 else 'are'} wrong; the rest is right"
        parts = [np.ix_(*block), case.wrong]
    else:
        listed = "" if case.wrong.sum() > 3 else " (" + ", ".join(str(list(map(int, at))) for at in np.argwhere(case.wrong)) + ")"
        says = f"{case.wrong.sum()} of {case.size} entries are wrong{listed}{exactly_where(case, case.wrong)}; the rest is right"
        parts = [case.wrong]
    named = named_twice(case)
    inner = next(filter(None, (explain(part) or explain_loosely(part) for part in map(case.part, parts))), [])
    return [says, *([named] if named else []), *(f"there {line}" for line in inner)]


def exactly_where(case, wrong):
    """', exactly where x is 0' if some array around marks the wrong entries, else the box around them, or ''."""
    pattern = free_bits(wrong) >= 8 and not is_block(wrong) and not is_block(~wrong)       # few entries have a sign by chance
    for one in case.factors:
        number = not np.isin(one.view, (0, 1)).all()
        for says, holds, clear in (("0", one.view == 0, pattern or number), ("negative", one.view < 0, pattern),
                                   ("positive", one.view > 0, pattern)):
            if clear and (holds == wrong).all():
                return f", exactly where {one.label} is {says}"
    return f", namely {described(wrong)}" if is_block(wrong) else ""


def named_twice(case):
    """In a table: the rows that an array of numbers names more than once are wrong, those named once are right."""
    for axis, (name, ids) in itertools.product(case.axes, case.around.items()):
        n = case.shape[axis]
        if name in case.inputs and ids.size > 1 and (ids == ids.astype(int)).all() and 0 <= ids.min() and ids.max() < n:
            count = np.bincount(ids.astype(int).ravel(), minlength=n)
            other = tuple(a for a in range(len(case.shape)) if a != axis)
            wrong, there = case.wrong.any(other), (np.abs(case.true) > case.slack).any(other)
            if (wrong == (there & (count > 1))).all() and (there & (count == 1)).any():
                return f"they are the indices that {name} names more than once: = or += keeps one of them, np.add.at adds all up"
    return None
