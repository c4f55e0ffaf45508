"""Products of a weighting and a vector, w v^T, and how a memory lies in the computer's memory.

A memory is (B, N, W) to everybody, but in the computer all slots of one column are neighbours (it is a view of a (B, W, N)
array): NumPy's inner loops then run over N slots instead of W columns, and a pass over the memory takes half the time. Results
keep the layout of what they were computed from, so it is enough to start with it and to make new memories here.
"""

import numpy as np


def slots_last(M):
    """The same memory, (..., N, W), copied so that the slots of one column are neighbours."""
    return np.ascontiguousarray(M.swapaxes(-1, -2)).swapaxes(-1, -2)


def empty_slots_last(*shape, dtype):
    """Room for memories (..., N, W)."""
    *several, N, W = shape
    return np.empty((*several, W, N), dtype).swapaxes(-1, -2)


def outer(w, v):
    """w_h v_h^T of each head: (B, H, N) and (B, H, W) -> (B, H, N, W)."""
    return (v[..., None] * w[..., None, :]).swapaxes(-1, -2)


def outer_sum(w, v):
    """sum_h w_h v_h^T over all heads: (B, H, N) and (B, H, W) -> (B, N, W)."""
    if w.shape[1] == 1:                              # of one column and one row a matrix product takes five times as long
        return outer(w, v)[:, 0]
    return (v.swapaxes(-1, -2) @ w).swapaxes(-1, -2)
