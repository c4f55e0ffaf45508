"""Comparing a gradient by hand with the truth: along random directions first, entry by entry where that fails.

How much they may differ is not a constant. It is what the oracle's own noise allows and, where large terms cancel, what is left
of either side when its numbers change in their last bits: at a saturated softmax a gradient may be nothing but rounding.
"""

from typing import NamedTuple

import numpy as np

from gradcheck import oracle as oracles
from gradcheck.hints import diagnose
from gradcheck.recording import Jitter
from gradcheck.report import Wrong

DIRECTIONS = 3
SAFETY = 50                  # rounding that was seen in three tries may be larger in others


class Question:
    """Is `gradient` the derivative of sum(weights * outputs)? `line(direction)` moves one argument (see oracle.py).

    line      line(direction, jitter=None) -> outputs_at(t)
    moves     () -> how far the gradient moves when what the backward is given changes in its last bits
    stopped   the gradient is zero on purpose
    """

    def __init__(self, name, gradient, line, weights, moves=lambda: 0.0, stopped=False):
        self.name, self.gradient, self.line, self.weights = name, gradient, line, weights
        self.moves, self.stopped = moves, stopped

    def rounding(self, oracle, direction, value, rng):
        """What rounding may have done to the two sides of a comparison, absolute."""
        truths = [oracle.derivative(self.line(direction, Jitter(rng)), self.weights).value for _ in range(3)]
        moved = max((abs(truth - value) for truth in truths if np.isfinite(truth)), default=0.0)
        return SAFETY * (moved + self.moves())


class Outcome(NamedTuple):
    """Of comparing one gradient: `size` of the true one, relative `error`, whether that is too much, and who judged."""
    size: float
    error: float
    wrong: bool
    oracle: oracles.Oracle


def compare(question, rng, result, directions=DIRECTIONS, tolerance=None, oracle=None):
    """Compare along random directions -> Outcome; the result keeps the worst error. The oracle is chosen, if none is given."""
    shape, size, worst, wrong = question.gradient.shape, 0.0, 0.0, False
    oracle = oracle or oracles.choose(question.line(rng.standard_normal(shape)))
    if oracle.why and oracle.why not in result.notes:
        result.notes.append(oracle.why)
    for _ in range(directions):
        direction = rng.standard_normal(shape)
        true = oracle.derivative(question.line(direction), question.weights)
        if not np.isfinite(true.value):
            continue                                   # the forward has no value around here: nobody can judge
        parts = question.gradient * direction
        # the size of the sum's terms, not of the sum: a sum may cancel by chance, and then its relative error says nothing
        scale = max(abs(true.value), float(np.linalg.norm(parts)))
        allowed = (tolerance or oracle.tolerance) * scale + 10 * true.noise
        miss = abs(float(parts.sum()) - true.value)
        if not miss <= allowed and np.isfinite(miss):
            allowed += question.rounding(oracle, direction, true.value, rng)
        if scale > 0 and miss <= allowed and allowed > 1e-3 * scale:
            continue                                   # both sides are rounding: this says nothing, nor is it an error
        worst = max(worst, note_error(result, oracle, miss, scale, true.noise, allowed))
        size, wrong = size + abs(true.value), wrong or not miss <= allowed
    return Outcome(size, worst, wrong, oracle)


def bends_sharply(question, rng, h=1e-7):
    """Whether the forward has another slope to the left than to the right, like a norm at 0: then there is no derivative here."""
    line = question.line(rng.standard_normal(question.gradient.shape))
    below, here, above = (line(t) for t in (-h, 0.0, h))
    for weight, a, b, c in zip(question.weights, below, here, above):
        left, right = weight * (b - a) / h, weight * (c - b) / h
        size = max(float(np.abs(left).max(initial=0)), float(np.abs(right).max(initial=0)))
        if np.abs(right - left).max(initial=0) > 1e-2 * size > 0:
            return True
    return False


def note_error(result, oracle, miss, scale, noise, allowed):
    """Keep the worst relative error, with the tolerance that it was held to; returns this one."""
    error = 0.0 if miss == 0 else miss / scale if scale > 0 else np.inf
    error = error if np.isfinite(error) else np.inf         # not a number is as wrong as can be
    if oracle.name not in result.oracle:
        result.oracle = " and ".join(filter(None, [result.oracle, oracle.name]))
    if result.error is None or error > result.error:
        result.error, result.tolerance = float(error), float(allowed / scale) if 0 < scale < np.inf else None
    if 0 < scale < np.inf:
        result.noise = max(result.noise or 0.0, float(noise / scale))
    return float(error)


def scan(question, oracle, tolerance=None, around=None, inputs=()):
    """Compare entry by entry -> Wrong, with hints if `around` says what the pair knew."""
    hand = question.gradient
    true, noise = true_gradient(question, oracle)
    allowed = (tolerance or oracle.tolerance) * max(np.abs(true).max(initial=0), 1e-300) + 10 * noise
    miss = finite(np.abs(hand - true))
    worst = np.unravel_index(int(np.argmax(miss)), hand.shape)
    bad = miss > allowed
    hints = diagnose(question.name, hand, true, noise, around, set(inputs)) if around is not None else []
    return Wrong(question.name, tuple(int(i) for i in worst), float(hand[worst]), float(true[worst]), int(bad.sum()),
                 int(hand.size), common_ratio(hand[bad], true[bad]), hints)


def unseen(question):
    """A Wrong whose entries nobody has looked at."""
    return Wrong(question.name, (), float("nan"), float("nan"), 0, int(np.size(question.gradient)))


def true_gradient(question, oracle):
    """The whole gradient as the oracle has it, entry by entry, and the noise of each entry."""
    shape = question.gradient.shape
    true, noise = np.zeros(shape), np.zeros(shape)
    for index in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[index] = 1
        true[index], noise[index] = oracle.derivative(question.line(unit), question.weights)
    return true, noise


def finite(miss):
    """Not a number is as far off as can be."""
    return np.where(np.isfinite(miss), miss, np.inf)


def common_ratio(hand, true):
    """hand / true where it is one number everywhere, else None. That number often is the diagnosis: 2, -1, 1 / N, 0."""
    if not len(hand) or not np.isfinite(hand).all() or not (np.abs(true) > 0).all():
        return None
    ratios = hand / true
    ratio = float(np.median(ratios))
    return ratio if np.abs(ratios - ratio).max() <= 1e-4 * max(abs(ratio), 1) else None
