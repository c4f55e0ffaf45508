"""Dropout (Srivastava et al. 2014), with chance outside of the pair: what is kept is an input."""

from numpymem.equation import equation


@equation("dropout", r"y = x \circ k, \quad k_i \in \{0, 1 / (1 - p)\}", source="Srivastava et al. 2014")
def dropout(x, k):
    """Set some numbers to zero and make up for it in the others, so that the mean stays.

    x          (B, W)          any shape
    k          (B, W) [data]   0 to drop a number, 1 / (1 - p) to keep it
    returns y  (B, W)
    """
    return x * k


@dropout.backward
def dropout_backward(dy, k):
    # y = x k
    return dy * k


def kept(rng, shape, p, dtype):
    """What dropout keeps: 0 with probability p, else 1 / (1 - p)."""
    return ((rng.random(shape) >= p) / (1 - p)).astype(dtype)
