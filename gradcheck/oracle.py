"""Where true derivatives come from.

All questions are asked along a line: `line(t)` is the list of outputs of a forward at x + t * direction, for a real or an
imaginary t. Two oracles answer:

complex step   imag(line(ih)) / h. Nothing is subtracted, so h can be 1e-30 and the answer is exact to rounding. It needs a
               forward of analytic arithmetic that decides on real parts (numpymem/ops/complex_safe.py).
Richardson     central differences at shrinking steps, extrapolated, where the step is chosen by how well neighbours agree.
               It takes any forward, and is good to some 1e-11.

A forward with np.abs, np.linalg.norm or a comparison of complex numbers gives a wrong complex step without a word. So
`choose` trusts the complex step only where it agrees with a plain real difference.
"""

import itertools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning

EPS = np.finfo(np.float64).eps
STEP = 1e-30                                   # of the complex step: its error is of order STEP ** 2, that is, none
AGREE = 1e-5                                   # complex step and real difference: a forward that is not safe is far off


class Derivative(NamedTuple):
    value: float
    noise: float                               # what rounding (and extrapolation) may have added, absolute


class Oracle(NamedTuple):
    """`derivative(line, weights)`: of sum(weights * outputs) along a line, at 0. `tolerance` is relative."""
    name: str
    derivative: Callable
    tolerance: float
    why: str = ""


def complex_slopes(line):
    """Derivative of each output along the line. Raises where the forward drops the imaginary part with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ComplexWarning)
        return [np.imag(out) / STEP for out in line(1j * STEP)]


def complex_step(line, weights):
    terms = [weight * slope for weight, slope in zip(weights, complex_slopes(line))]
    total, size = sum(term.sum() for term in terms), sum(np.abs(term).sum() for term in terms)
    return Derivative(float(total), float(8 * EPS * size))


def richardson(line, weights, steps=tuple(2.0 ** -k for k in range(4, 18))):
    """Central differences D(h) for h = 1/16, 1/32, ..., each two extrapolated to (4 D(h/2) - D(h)) / 3.

    Large steps see curvature (or cross a kink), small ones see rounding: the answer is taken where three neighbours
    differ least, and what they differ by is its noise.
    """
    def total(t):
        return sum(float((weight * out).sum()) for weight, out in zip(weights, line(t)))

    central = [(total(h) - total(-h)) / (2 * h) for h in steps]
    better = [(4 * fine - coarse) / 3 for coarse, fine in itertools.pairwise(central)]
    spread = [max(better[i - 1:i + 2]) - min(better[i - 1:i + 2]) for i in range(1, len(better) - 1)]
    best = int(np.argmin(spread))
    size = sum(float(np.abs(weight * out).sum()) for weight, out in zip(weights, line(0.0)))
    rounding = EPS * size / steps[best + 2]    # three neighbours may agree by luck: never claim less than rounding
    return Derivative(better[best + 1], float(spread[best] + rounding))


COMPLEX = Oracle("complex step", complex_step, 1e-12)
RICHARDSON = Oracle("Richardson", richardson, 1e-9)


def choose(line):
    """The complex step where it can be trusted on this line, else Richardson with the reason in `why`."""
    try:
        slopes = complex_slopes(line)
    except Exception as error:  # noqa: BLE001  whatever it is: the forward ran on real numbers and does not on complex
        return RICHARDSON._replace(why=f"the forward does not take complex numbers ({type(error).__name__})")
    if agrees_with_differences(line, slopes):
        return COMPLEX
    return RICHARDSON._replace(why="the complex step disagrees with real differences: np.abs, np.maximum or a norm?")


def agrees_with_differences(line, slopes):
    """Whether some real step confirms the slopes. One is enough: a larger step may cross a kink (ReLU, max)."""
    return any(_agrees_at(line, slopes, h) for h in (1e-4, 1e-5, 1e-6, 1e-7))


def _agrees_at(line, slopes, h):
    for slope, above, below in zip(slopes, line(h), line(-h)):
        real = (above - below) / (2 * h)
        if np.shape(real) != np.shape(slope) or not np.isfinite(slope).all():
            return False
        rounding = 10 * EPS * np.abs(above).max(initial=0) / h
        size = max(np.abs(real).max(initial=0), np.abs(slope).max(initial=0))
        if not np.abs(real - slope).max(initial=0) <= AGREE * size + rounding:
            return False
    return True
