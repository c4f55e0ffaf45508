"""Elementwise pairs. All are analytic or decide on the real part, and none overflows for large |x|."""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.complex_safe import magnitude, positive_part, real


@equation("sigmoid", r"\sigma(x) = 1 / (1 + e^{-x}) = \tfrac12 + \tfrac12\tanh\tfrac{x}{2}")
def sigmoid(x):
    """Squash to (0, 1).

    x          (B, W)  any shape
    returns y  (B, W)
    """
    return 0.5 * np.tanh(0.5 * x) + 0.5             # one tanh: no overflow, no branch


@sigmoid.backward
def sigmoid_backward(dy, y):
    # y = sigmoid(x),  y' = y (1 - y)
    return dy * y * (1 - y)


@equation("tanh", r"y = \tanh x")
def tanh(x):
    """Squash to (-1, 1).

    x          (B, W)  any shape
    returns y  (B, W)
    """
    return np.tanh(x)


@tanh.backward
def tanh_backward(dy, y):
    # y = tanh(x),  y' = 1 - y^2
    return dy * (1 - y * y)


@equation("relu", r"y = \max(x, 0)")
def relu(x):
    """Keep what is positive.

    x          (B, W)  any shape
    returns y  (B, W)
    """
    return positive_part(x)


@relu.backward
def relu_backward(dy, y):
    # y = x where x > 0, else 0
    return dy * (real(y) > 0)


@equation("softplus", r"\mathrm{softplus}(x) = \log(1 + e^x)")
def softplus(x):
    """A smooth max(x, 0), always positive.

    x          (B, W)  any shape
    returns y  (B, W)
    """
    return positive_part(x) + np.log1p(np.exp(-magnitude(x)))       # e^x itself would overflow


@softplus.backward
def softplus_backward(dy, x):
    # y = log(1 + e^x),  y' = sigmoid(x)
    return dy * sigmoid(x)


@equation("oneplus", r"\mathrm{oneplus}(x) = 1 + \log(1 + e^x)", source="Graves et al. 2016, Methods")
def oneplus(x):
    """A smooth way to at least one: for exponents and strengths.

    x          (B, W)  any shape
    returns y  (B, W)
    """
    return 1 + softplus(x)


@oneplus.backward
def oneplus_backward(dy, x):
    # y = 1 + softplus(x)
    return softplus_backward(dy, x)
