"""The affine map."""

from numpymem.equation import equation


@equation("linear", r"y = x W + b")
def linear(x, W, b):
    """One affine map for a batch of rows.

    x          (B, X)
    W          (X, Y)
    b          (Y)
    returns y  (B, Y)
    """
    return x @ W + b


@linear.backward
def linear_backward(dy, x, W):
    # y = x W + b
    return linear_input_backward(dy, W), *linear_weight_backward(dy, x)


# A recurrent model needs dx at once, step by step, but dW and db only at the end: for all its time steps as one matrix
# product. So the two halves of the backward have names of their own, and BPTT calls them.

def linear_input_backward(dy, W):
    return dy @ W.T                                  # dx (B, X)


def linear_weight_backward(dy, x):
    return x.T @ dy, dy.sum(0)                       # dW (X, Y) and db (Y): all rows share W and b


def flat(x):
    """All time steps of all sequences as rows: (T, B, ...) -> (T * B, rest)."""
    return x.reshape(x.shape[0] * x.shape[1], -1)
