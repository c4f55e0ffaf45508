"""Hints about places: the right numbers are there, but transposed, rolled, shuffled or summed along the wrong axis.

Recognisers like those in hints.py, which asks them: each takes a Case and returns one line, or None.
"""

import itertools

import numpy as np

from gradcheck.hints.terms import agree, near, speaks


def transposed(case):
    for a, b in sorted(itertools.combinations(case.axes, 2), reverse=True):
        if case.shape[a] == case.shape[b] and case.is_hand(case.true.swapaxes(a, b)):
            return f"by hand is the true gradient with axes {a} and {b} transposed"


def rolled(case):
    for axis in case.axes:
        n = case.shape[axis]
        for k in likely_shifts(case, axis):
            if case.is_hand(np.roll(case.true, k, axis)):
                k = signed(k, n)
                return f"by hand is the true gradient rolled by {k} along axis {axis}: an offset or index is {off(k)}"
    for k in (1, -1):
        if case.is_hand(np.roll(case.true, k)):
            return f"by hand is the true gradient rolled by {k} over all its entries in a row: np.roll without an axis"
    for axis, k in itertools.product(case.axes, (1, -1, 2, -2)):
        if 2 * abs(k) < case.shape[axis] and shifted_by(case, axis, k):
            return (f"by hand is the true gradient shifted by {k} along axis {axis}, but for the border: an index is {off(k)}, "
                    "like t - 1 for t")


def off(k):
    return "one off" if abs(k) == 1 else f"{abs(k)} off"


def likely_shifts(case, axis):
    """Shifts that bring the largest true number to where it is by hand."""
    top = np.unravel_index(int(np.argmax(np.abs(case.true))), case.shape)
    line = case.hand[(*top[:axis], slice(None), *top[axis + 1:])]
    return [int(at - top[axis]) for at in np.flatnonzero(near(line, case.true[top], case.slack[top])) if at != top[axis]]


def signed(k, n):
    """A roll by k of n entries, as the shorter way round."""
    return (k + n // 2) % n - n // 2 if 2 * (k % n) != n else k % n


def shifted_by(case, axis, k):
    hand, true, slack = (np.moveaxis(array, axis, 0) for array in (case.hand, case.true, case.slack))
    hand, true, slack = (hand[k:], true[:-k], slack[:-k]) if k > 0 else (hand[:k], true[-k:], slack[-k:])
    return agree(hand[:1], true[:1], slack[:1]) and agree(hand, true, slack) and speaks(true, slack)


def reversed_along(case):
    for axis in case.axes:
        if case.is_hand(np.flip(case.true, axis)):
            return f"by hand is the true gradient reversed along axis {axis}"
    if case.is_hand(np.flip(case.true)):
        return "by hand is the true gradient reversed along all axes"


def reordered(case):
    if 2 <= len(case.axes) and len(case.shape) <= 4:
        for order in itertools.permutations(range(len(case.shape))):
            if case.is_hand(case.true.transpose(order).reshape(case.shape)):
                return f"by hand is the true gradient with its axes in the order {order}, then reshaped: a reshape for a transpose"


def permuted(case):
    for axis in case.axes:
        hand, true = (np.moveaxis(array, axis, 0).reshape(case.shape[axis], -1) for array in (case.hand, case.true))
        weights = np.cos(np.arange(hand.shape[1]) + 1.0)                   # some number for each row, to sort them by
        a, b = np.argsort(hand @ weights), np.argsort(true @ weights)
        if agree(hand[a], true[b], case.slack.max()):
            return f"by hand has the rows of true in another order along axis {axis}: indices are mixed up"
    if agree(np.sort(case.hand, None), np.sort(case.true, None), case.slack.max()):
        return "by hand has the numbers of true in another order: indices are mixed up"


def over_an_axis(case):
    for axis in case.axes:
        n = case.shape[axis]
        for word, scale in (("summed", 1), ("averaged", 1 / n)):
            total = scale * case.true.sum(axis, keepdims=True)
            if speaks(total, case.slack.max()) and case.is_hand(np.broadcast_to(total, case.shape)):
                return f"by hand is the true gradient {word} over axis {axis} and spread along it again"
            if agree(scale * case.hand.sum(axis, keepdims=True), case.true, n * case.slack):
                return f"true is by hand {word} over axis {axis}: that sum is missing"
        if agree(case.hand, case.hand.mean(axis, keepdims=True), 1e-12 * case.largest):
            return f"by hand is the same all along axis {axis}, true is not: summed over or spread along the wrong axis"
