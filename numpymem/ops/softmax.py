"""Softmax along the last axis."""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.complex_safe import max_for_shift


@equation("softmax", r"p_i = e^{z_i} / \textstyle\sum_j e^{z_j}")
def softmax(z):
    """Positive numbers that sum to one along the last axis.

    z          (B, N)  any real scores
    returns p  (B, N)
    """
    e = np.exp(z - max_for_shift(z))                 # the largest exponent is 0: no overflow
    return e / e.sum(-1, keepdims=True)


@softmax.backward
def softmax_backward(dp, p):
    # p = softmax(z): dp_i / dz_j = p_i (delta_ij - p_j)
    return p * (dp - (dp * p).sum(-1, keepdims=True))
