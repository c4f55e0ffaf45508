"""Where true derivatives come from: a ladder of three oracles, each rung taking more and knowing less.

All questions are asked along a line: `line(t)` is the list of outputs of a forward at x + t * direction, for a real or an
imaginary t, and the answer is the derivative of sum(weights * outputs) at t = 0, with its noise.

complex step         imag(line(ih)) / h. Nothing is subtracted, so h can be 1e-30 and the answer is exact to rounding. It
                     needs a forward of analytic arithmetic that decides on real parts (numpymem/ops/complex_safe.py).
Richardson           central differences at shrinking steps, extrapolated. It takes any smooth forward: some 1e-11.
central differences  the same without extrapolation, which triples noise: for a forward that is rounded coarsely inside
                     (float32), or hardly bends.

Unsafe forwards do not say so: with np.abs, np.linalg.norm or np.conj the complex step is wrong without a word. So `choose`
trusts it only where each entry of each output agrees with a plain real difference, and of the other two takes the one
with less noise on this line.

Noise is measured, never assumed. Central differences D(h) at two neighbouring steps differ by what the coarser one is off
(curvature) or by rounding / h. Rounding itself does not depend on h, so that h * |D(2h) - D(h)|, at its worst over this
step and all smaller ones, bounds both. What is allowed to a gradient by hand follows from that: see `Oracle.allowed`.
"""

import functools
import itertools
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning

EPS = np.finfo(np.float64).eps
STEP = 1e-30                                   # of the complex step: its error is of order STEP ** 2, that is, none
STEPS = tuple(2.0 ** -k for k in range(4, 18))
USABLE = 6                                     # steps: with fewer the noise is a guess
AGREE = 1e-5                                   # complex step and real difference: a forward that is not safe is far off
FINER = tuple(2.0 ** -k for k in range(18, 41))          # for a forward that turns within less than the smallest of STEPS
LARGER = tuple(2.0 ** k for k in range(6, -4, -1))       # for a forward whose rounding drowns all smaller ones
TIMES_NOISE = 10                               # a gradient that misses by more than this many times the noise is wrong
FLOOR = 1e-12                                  # relative: a backward in float64 is rounded, too
COARSE = 1e-9                                  # relative rounding of values that float64 does not explain
NEARBY, SMALLEST = 2.0 ** -20, 2.0 ** -40      # how far apart slopes are taken to see their rounding


class Derivative(NamedTuple):
    value: float
    noise: float                               # what rounding and curvature may have added, absolute


class Oracle(NamedTuple):
    """`derivative(line, weights)`: of sum(weights * outputs) along a line, at 0. `tolerance` is relative."""
    name: str
    derivative: Callable
    tolerance: float
    why: str = ""

    def allowed(self, scale, noise):
        """How far a gradient by hand may be off: some times the measured noise, but at least the rounding of its own dtype.

        scale   size of the terms that were summed;  noise   of the derivative it is compared with, absolute
        """
        return max(self.tolerance * scale, TIMES_NOISE * noise)


# ---- the complex step -----------------------------------------------------------------------------------------------

def complex_slopes(line, t=0.0):
    """Derivative of each output along the line. Raises where the forward drops the imaginary part with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ComplexWarning)
        return [np.imag(out) / STEP for out in line(complex(t, STEP))]


def complex_step(line, weights, precision=8 * EPS):
    """precision   relative rounding of the slopes; `choose` measures whether it is worse than usual"""
    terms = [weight * slope for weight, slope in zip(weights, complex_slopes(line))]
    total, size = sum(term.sum() for term in terms), sum(np.abs(term).sum() for term in terms)
    return Derivative(float(total), float(precision * size))


def slope_precision(line):
    """Relative rounding of the complex step's slopes: what seven of them, close together, do not share with a cubic.

    A sharp turn looks like rounding, too, but falls at once with the fourth power of the distance; rounding does not. And a
    kink nearby lies on one side only: the better side counts.
    """
    distance = NEARBY
    precision = last = _precision_at(line, distance)
    while precision > 8 * EPS and distance > SMALLEST:
        distance /= 4
        closer = _precision_at(line, distance)
        precision = closer if 0 < closer < last / 32 else precision
        last = closer
    return precision


def _precision_at(line, distance):
    return min(_roughness([complex_slopes(line, side * k * distance) for k in range(7)]) for side in (1, -1))


def _roughness(slopes):
    """Size of the fourth differences over that of the slopes, summed over all entries."""
    fourth = [np.diff(np.stack(values), 4, axis=0) for values in zip(*slopes)]
    noise = sum(float(np.sqrt((one ** 2).mean(0) / 70).sum()) for one in fourth)          # 1 + 16 + 36 + 16 + 1 = 70
    size = sum(float(np.abs(values[0]).sum()) for values in zip(*slopes))
    return noise / size if size else 0.0


# ---- real differences -----------------------------------------------------------------------------------------------

class Differences(NamedTuple):
    """Central differences at shrinking steps, and how large the terms in the sum are that they are differences of."""
    steps: tuple
    values: tuple
    sizes: tuple


def differences(line, weights, steps=STEPS):
    """The central differences (f(h) - f(-h)) / 2h of f = sum(weights * outputs), for each step.

    Without the smallest steps if nothing at all moves there and something does at larger ones: they are below what the
    forward resolves (float32 at x = 1000), and agree on 0.
    """
    steps = tuple(sorted(steps, reverse=True))
    if len(steps) < USABLE:
        raise ValueError(f"steps: expected at least {USABLE}, to see how they scatter, received {len(steps)}")
    values, sizes = zip(*(_difference(line, weights, h) for h in steps))
    seen = max((k for k, value in enumerate(values) if value), default=len(steps) - 1) + 1
    return Differences(steps[:seen], values[:seen], sizes[:seen])


def _difference(line, weights, h):
    """One central difference and the size of its terms. A large step may leave the domain of a logarithm: not a number."""
    try:
        with np.errstate(all="ignore"):
            (above, size), (below, _) = _total(line(h), weights), _total(line(-h), weights)
    except Exception:  # noqa: BLE001  as math.log does there
        return np.nan, np.nan
    return (above - below) / (2 * h), size


def _total(outputs, weights):
    terms = [np.asarray(weight * out) for weight, out in zip(weights, outputs)]
    return sum(float(term.sum()) for term in terms), sum(float(np.abs(term).sum()) for term in terms)


def central(line, weights, steps=STEPS):
    """The central difference at the step where rounding and curvature together do least."""
    return best_central(differences(line, weights, steps))


def richardson(line, weights, steps=STEPS):
    """Each two neighbours extrapolated to step 0, (4 D(h/2) - D(h)) / 3, at the steps where that scatters least."""
    return best_extrapolated(differences(line, weights, steps))


def best_central(known):
    return _least_noisy(*known)


def best_extrapolated(known):
    h, values = np.array(known.steps), np.array(known.values)
    with np.errstate(invalid="ignore"):        # the error of a central difference goes with the square of the step
        better = values[1:] + np.diff(values) / ((h[:-1] / h[1:]) ** 2 - 1)
    return _least_noisy(known.steps[1:], better, known.sizes[:-1])


def _least_noisy(steps, values, sizes):
    """The value whose neighbours, and all at smaller steps, say that it is the best; at least three must have a say.

    Rounding grows with what is rounded, which at a large step may be larger. Neighbours may also agree by luck: never
    claim less than the rounding of float64.
    """
    if len(values) < 4:
        return Derivative(np.nan, np.inf)
    scatter, sizes = disagreement(steps, values), np.array(sizes)
    worst = np.maximum.accumulate(scatter[::-1])[::-1][:-2]
    growth = np.maximum(sizes[:-3] / sizes[-1], 1) if sizes[-1] > 0 else 1.0
    noise = (worst * growth + EPS * sizes[:-3]) / np.array(steps[1:-2])
    noise = np.where(np.isfinite(noise), noise, np.inf)
    best = int(np.argmin(noise))
    return Derivative(float(values[best + 1]), float(noise[best]))


def disagreement(steps, values):
    """h * |D(2h) - D(h)| for each two neighbours: where rounding rules, the rounding of f, at whatever step."""
    with np.errstate(invalid="ignore"):
        return np.array(steps[1:]) * np.abs(np.diff(values))


def rounding_of_values(known):
    """How coarsely f itself is rounded, absolute, as its differences at the smallest steps show it."""
    return float(disagreement(known.steps, known.values)[-4:].max(initial=0) + EPS * known.sizes[-1])


# ---- the choice -----------------------------------------------------------------------------------------------------

COMPLEX = Oracle("complex step", complex_step, FLOOR)
RICHARDSON = Oracle("Richardson", richardson, FLOOR)
CENTRAL = Oracle("central differences", central, FLOOR)


def choose(line, steps=STEPS):
    """The complex step where it can be trusted on this line, else real differences with the reason in `why`.

    steps   for real differences; fewer than STEPS where a larger one would cross a kink (kinks.without_crossing)
    """
    try:
        slopes = complex_slopes(line)
    except Exception as error:  # noqa: BLE001  whatever it is: the forward ran on real numbers and does not on complex
        return choose_differences(line, f"the forward does not take complex numbers ({type(error).__name__})", steps)
    if not agrees_with_differences(line, slopes):
        return choose_differences(line, "the complex step disagrees with real differences: np.abs, np.conj or a norm?", steps)
    floor = max(FLOOR, rounding_of_dtype(line(0.0)))
    precision = max(8 * EPS, slope_precision(line))
    if precision <= 8 * EPS:
        return COMPLEX._replace(tolerance=floor)
    return COMPLEX._replace(derivative=functools.partial(complex_step, precision=precision), tolerance=floor)


def choose_differences(line, why, steps=STEPS):
    """Richardson or central differences, whichever is less noisy on this line for a random weighting of the outputs."""
    outputs, rng = line(0.0), np.random.default_rng(0)
    weights = [rng.standard_normal(np.shape(out)) for out in outputs]
    known = differences(line, weights, steps)
    if _coarse(known):                         # rounding, or is it sharper than the smallest step?
        finer = differences(line, weights, (*steps, *FINER))
        if _least_noise(finer) < _least_noise(known):
            known, steps = finer, (*steps, *FINER)
    if _coarse(known):
        why += f"; its values are rounded to {rounding_of_values(known) / known.sizes[-1]:.0e}: float32 inside?"
        if max(steps) == STEPS[0]:             # else the caller has left out the larger steps: they cross a kink
            known, steps = differences(line, weights, (*LARGER, *steps)), (*LARGER, *steps)
    oracle = RICHARDSON if best_extrapolated(known).noise <= best_central(known).noise else CENTRAL
    if steps != STEPS:
        oracle = oracle._replace(derivative=functools.partial(oracle.derivative, steps=steps))
    return oracle._replace(why=why, tolerance=max(FLOOR, rounding_of_dtype(outputs)))


def _coarse(known):
    return rounding_of_values(known) > COARSE * known.sizes[-1]


def _least_noise(known):
    return min(best_central(known).noise, best_extrapolated(known).noise)


def rounding_of_dtype(outputs):
    """What a backward's own rounding may come to where outputs are of a coarser dtype than float64; relative."""
    kinds = [np.asarray(out).dtype for out in outputs]
    return max((16 * float(np.finfo(kind).eps) for kind in kinds if kind.kind in "fc"), default=0.0)


def agrees_with_differences(line, slopes):
    """Whether real steps confirm the slope of every entry. One step is enough: a larger one may cross a kink (ReLU, max)."""
    doubted = [np.ones(np.shape(slope), bool) for slope in slopes]
    for h in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9):
        above, below = line(h), line(-h)
        if any(np.shape(out) != np.shape(slope) for out, slope in zip(above, slopes)):
            return False
        doubted = [doubt & ~_agree(slope, up, down, h) for doubt, slope, up, down in zip(doubted, slopes, above, below)]
        if not any(doubt.any() for doubt in doubted):
            return True
    return False


def _agree(slope, above, below, h):
    """Entry by entry: one small entry that is wrong must not hide behind large ones that are right.

    At small steps rounding excuses nothing: they are for sharp turns, where the slope is far above it.
    """
    rounding = 10 * EPS * np.abs(above).max(initial=0) / h
    with np.errstate(invalid="ignore"):
        real = (np.asarray(above, np.float64) - below) / (2 * h)
        size = np.maximum(np.abs(real), np.abs(slope))
        return (np.abs(real - slope) <= AGREE * size + rounding) & ((h >= 1e-6) | (rounding <= 1e-2 * size))


# ---- curves for a report --------------------------------------------------------------------------------------------

class VPoint(NamedTuple):
    """At one step: the central difference, and how far it and the forward difference are from the truth."""
    h: float
    central: float
    central_error: float
    forward_error: float


CURVE_STEPS = tuple(2.0 ** -k for k in range(1, 41))
TAYLOR_STEPS = tuple(2.0 ** -k for k in range(3, 25))


def v_curve(line, weights, steps=CURVE_STEPS, reference=None):
    """Why a step size has to be chosen at all -> [VPoint], and why the complex step is better: it has none.

    Over the step, in logarithms, errors fall with slope 1 (forward) or 2 (central) as long as curvature rules, and rise
    again where rounding does: a V. `reference` is the true slope; without one the best oracle for this line is asked.
    """
    if reference is None:
        reference = choose(line).derivative(line, weights).value
    here, points = _total(line(0.0), weights)[0], []
    with np.errstate(all="ignore"):
        for h in steps:
            above, below = _total(line(h), weights)[0], _total(line(-h), weights)[0]
            middle = (above - below) / (2 * h)
            points.append(VPoint(h, middle, abs(middle - reference), abs((above - here) / h - reference)))
    return points


def taylor(line, weights, slope, steps=TAYLOR_STEPS):
    """Taylor's test of a slope by hand -> [(h, remainder)], remainder = |f(h) - f(0) - h slope|."""
    here = _total(line(0.0), weights)[0]
    with np.errstate(all="ignore"):
        return [(h, abs(_total(line(h), weights)[0] - here - h * slope)) for h in steps]


def taylor_slope(line, weights, slope, steps=TAYLOR_STEPS):
    """The order with which the remainder falls: 2 (or more) for a right slope, 1 for a wrong one.

    Fitted to the smallest five steps above the rounding floor: a slope that is wrong by little shows only there. None where
    fewer than three are above it: the remainder is all rounding, as for a linear forward with a right slope.
    """
    floor = 100 * rounding_of_values(differences(line, weights, (*STEPS, *FINER[:6])))
    points = itertools.takewhile(lambda point: point[1] > floor, sorted(taylor(line, weights, slope, steps), reverse=True))
    usable = [point for point in points if np.isfinite(point[1])][-5:]
    if len(usable) < 3:
        return None
    h, remainder = np.log(np.array(usable)).T
    return float(np.polyfit(h, remainder, 1)[0])
