"""The numbers behind the three pictures of a gradient (gradcheck/page/pictures.py).

V-curve    the error of forward and central differences for step sizes from 1e-1 to 1e-14, against the oracle: large steps see
           curvature, small ones see rounding. The gradient by hand has no step: its error is a level line.
Taylor     what is left of f(x + h d) - f(x) after h times the slope by hand is taken off. It shrinks like h^2 if the gradient
           is right, and only like h if a term of first order is left over.
entries    |by hand - true| for every entry of the array, or for some rows of a large one.
"""

import math
from typing import NamedTuple

import numpy as np

from gradcheck import oracle as oracles

STEPS = 10.0 ** -np.arange(1, 14.01, 0.5)
TAYLOR_STEPS = 10.0 ** -np.arange(1, 7.01, 0.5)
ENTRIES = 400                     # compare at most so many entries of an array


class Compared(NamedTuple):
    """Entries of one gradient beside the true ones, folded to two dimensions."""
    hand: np.ndarray              # (rows, columns)
    true: np.ndarray              # (rows, columns)
    rows: np.ndarray              # which rows and columns of the folded array those are
    columns: np.ndarray
    shape: tuple                  # of the array itself
    cut: int                      # so many leading axes make the rows

    @property
    def folded(self):
        return math.prod(self.shape[:self.cut]), math.prod(self.shape[self.cut:])

    @property
    def miss(self):
        """|by hand - true| relative to the largest true entry; not a number counts as infinitely far off."""
        size = np.abs(self.true).max(initial=0) or np.abs(self.hand[np.isfinite(self.hand)]).max(initial=0) or 1.0
        miss = np.abs(self.hand - self.true) / size
        return np.where(np.isfinite(miss), miss, np.inf)

    def index(self, i, j):
        """The index in the array itself of entry (i, j) of these."""
        flat = int(self.rows[i]) * self.folded[1] + int(self.columns[j])
        return tuple(int(k) for k in np.unravel_index(flat, self.shape))


class Evidence(NamedTuple):
    """About the gradient of one argument at one point. Errors are relative to the size of the gradient along a line."""
    argument: str
    letters: tuple                # of its declared shape
    oracle: str
    noise: float                  # of the oracle
    tolerance: float
    hand: float                   # error of the gradient by hand
    forward: list                 # error of forward differences at STEPS
    central: list                 # error of central differences at STEPS
    change: list                  # |f(x + h d) - f(x)| at TAYLOR_STEPS
    left: list                    # |f(x + h d) - f(x) - h * slope by hand| at TAYLOR_STEPS
    order: float | None           # slope of `left` in logarithms; None where only rounding is left, as for a linear function
    entries: Compared

    @property
    def is_right(self):
        return self.hand <= self.tolerance


def gather(trial, name, rng, entries=ENTRIES, worst=None):
    """All that the pictures show about one argument of a `trial.Trial` -> Evidence.

    entries    how many of the array's entries to compare at most; real differences are dear: a quarter of that
    worst      index of an entry that must be among them
    """
    question = trial.question(name)
    direction = rng.standard_normal(question.gradient.shape)
    slope = along(question, direction)
    line, weights, scale = question.line(direction), question.weights, slope.scale
    points = oracles.v_curve(line, weights, STEPS.tolist(), slope.true.value)
    rises = oracles.taylor(line, weights, 0.0, TAYLOR_STEPS.tolist())
    left = oracles.taylor(line, weights, slope.by_hand, TAYLOR_STEPS.tolist())
    # a large step may leave the domain of a logarithm
    order = oracles.taylor_slope(line, weights, slope.by_hand, [h for h, value in left if np.isfinite(value)])
    exact = slope.oracle.name == oracles.COMPLEX.name
    return Evidence(name, trial.item.inputs[name].shape, slope.oracle.name, slope.true.noise / scale, slope.allowed,
                    slope.error, [point.forward_error / scale for point in points],
                    [point.central_error / scale for point in points], [rise / scale for _, rise in rises],
                    [value / scale for _, value in left], order,
                    compare_entries(question, slope.oracle, entries if exact else entries // 4, worst))


class Slope(NamedTuple):
    """The slope along one line, as the oracle has it and by hand."""
    oracle: oracles.Oracle
    true: oracles.Derivative
    by_hand: float
    scale: float                  # of the terms in the sum, as in `compare.compare`

    @property
    def error(self):
        """Relative; not a number is as wrong as can be."""
        error = abs(self.by_hand - self.true.value) / self.scale
        return float(error) if np.isfinite(error) else math.inf

    @property
    def allowed(self):
        return self.oracle.allowed(self.scale, self.true.noise) / self.scale


def along(question, direction):
    """The Slope of a `compare.Question` in a direction."""
    line = question.line(direction)
    oracle = oracles.choose(line)
    true, parts = oracle.derivative(line, question.weights), question.gradient * direction
    scale = max(abs(true.value), float(np.linalg.norm(parts)))
    return Slope(oracle, true, float(parts.sum()), scale if 0 < scale < math.inf else 1.0)


def quick(trial, name, rng):
    """The Slope of one gradient along a random line."""
    question = trial.question(name)
    return along(question, rng.standard_normal(question.gradient.shape))


def compare_entries(question, oracle, entries=ENTRIES, worst=None):
    """The gradient by hand and the true one, entry by entry -> Compared."""
    shape = question.gradient.shape
    cut = fold(shape)
    height, width = math.prod(shape[:cut]), math.prod(shape[cut:])
    row, column = divmod(int(np.ravel_multi_index(worst, shape)), width) if worst and height * width else (0, 0)
    columns = spread(width, entries, column)
    rows = spread(height, max(entries // max(len(columns), 1), 1), row)
    true = np.zeros((len(rows), len(columns)))
    for i, j in np.ndindex(true.shape):
        unit = np.zeros((height, width))
        unit[rows[i], columns[j]] = 1
        true[i, j] = oracle.derivative(question.line(unit.reshape(shape)), question.weights).value
    hand = np.reshape(question.gradient, (height, width))[np.ix_(rows, columns)]
    return Compared(hand, true, rows, columns, shape, cut)


def fold(shape):
    """How many leading axes make the rows, so that the picture is about twice as wide as high."""
    def off(cut):
        return abs(math.log(max(math.prod(shape[cut:]), 1) / max(math.prod(shape[:cut]), 1)) - math.log(2))
    return min(range(len(shape) + 1), key=off)


def spread(total, most, wanted):
    """The numbers below total, or `most` of them, evenly spread, with `wanted` among them."""
    if total <= most:
        return np.arange(total)
    chosen = np.linspace(0, total - 1, most).round().astype(int)
    chosen[np.abs(chosen - wanted).argmin()] = wanted
    return chosen
