"""Products of a weighting and a vector, w v^T, and how a memory lies in the computer's memory.

A memory is (B, N, W) to everybody, but in the computer all slots of one column are neighbours (it is a view of a (B, W, N)
array): NumPy's inner loops then run over N slots instead of W columns, and a pass over the memory takes half the time. Results
keep the layout of what they were computed from, so it is enough to start with it and to make new memories here.
"""

import numpy as np


def slots_last(M):
    """The same memory, (..., N, W), copied so that the slots of one column are neighbours."""
    return np.ascontiguousarray(M.swapaxes(-1, -2)).swapaxes(-1, -2)


def empty_slots_last(M, dtype, shape):
    """np.empty_like for memories (..., N, W)."""
    *several, N, W = shape
    return np.empty_like(M, dtype, shape=(*several, W, N)).swapaxes(-1, -2)


# Both products below are left to BLAS, which takes a third of the time of w[..., None] * v[..., None, :]. NumPy asks BLAS only
# for sums of at least two products.

def outer_sum(w, v):
    """sum_h w_h v_h^T over all heads: (B, H, N) and (B, H, W) -> (B, N, W)."""
    if w.shape[1] == 1:
        w, v = with_empty_head(w), with_empty_head(v)
    return (v.swapaxes(-1, -2) @ w).swapaxes(-1, -2)


def with_empty_head(x):
    """One head and one of zeros: (B, 1, any) -> (B, 2, any)."""
    two = np.zeros((len(x), 2, x.shape[2]), x.dtype)
    two[:, :1] = x
    return two


def one_minus_outer(w, v):
    """1 - w_h v_h^T of each head, the product of [1, w_h] and [1, -v_h]^T: (B, H, N) and (B, H, W) -> (B, H, N, W)."""
    one_w, one_v = np.ones((*w.shape[:2], 2, w.shape[2]), w.dtype), np.ones((*v.shape, 2), v.dtype)
    one_w[:, :, 1], one_v[..., 1] = w, -v
    return (one_v @ one_w).swapaxes(-1, -2)
