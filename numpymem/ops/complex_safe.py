"""Helpers that keep a forward analytic, so that the complex step (gradcheck) can differentiate it.

The complex step evaluates a forward at x + ih and reads the derivative off the imaginary part. That works as long as the
forward uses analytic arithmetic (+, *, exp, log, tanh, sqrt) and takes its *decisions* on the real part only. NumPy's own
`abs`, `maximum`, `max` and `linalg.norm` decide or mix on complex numbers: use these instead.
"""

import numpy as np


def real(x):
    """The real part: what a decision (a comparison, a sort, a maximum) looks at."""
    return x.real


def max_for_shift(x, axis=-1):
    """max(x) along an axis, real, kept as an axis: subtracted for safety, never differentiated."""
    return np.asarray(x.real).max(axis=axis, keepdims=True)      # a plain array: who wins is no decision (gradcheck/kinks.py)


def positive_part(x):
    """max(x, 0), decided on the real part."""
    return np.where(x.real > 0, x, x.dtype.type(0))


def magnitude(x):
    """|x| for real x, analytic on either side of 0, which it counts as negative, as `positive_part` does."""
    return np.where(x.real > 0, x, -x)
