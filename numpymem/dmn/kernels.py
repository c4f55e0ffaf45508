"""A GRU over all steps as one compiled loop: kernel "dmn.scan", a stand-in for the pair GRU-scan.

The batch is cut into blocks of rows (numpymem/threads.py shares them out). Rows of like length are in one block, so that a block of
short stories is soon done: where no row of a block has a real step nothing is multiplied. The state of a block stays in the
processor's first cache from step to step.
"""

import numpy as np

from numpymem import threads
from numpymem.kernel import compile_loop
from numpymem.ops.kernels_math import sigmoid, tanh
from numpymem.ops.kernels_product import add_product, panels
from numpymem.workspace import empty

loop = compile_loop(allocates=False)
ROWS = 16                                # rows of a block at most: four times four, as the product takes them


# ---- one step of one row: loops with few arrays each, as in numpymem/ntm/kernels.py ----------------------------------------

@loop
def cell(x, y, g, s, h):
    """Fill s, and turn h from the state before into the state. s has two or three blocks of h.size columns."""
    C, gates = h.size, s.size - h.size
    r, candidate, y_last = s[gates - C:gates], s[gates:], y[gates:]
    for j in range(gates):
        s[j] = sigmoid(x[j] + y[j])
    for j in range(C):
        candidate[j] = tanh(x[gates + j] + r[j] * y_last[j])
    if gates == C:
        for j in range(C):
            h[j] += g * (candidate[j] - h[j])
    else:
        for j in range(C):
            h[j] += g * s[j] * (candidate[j] - h[j])


@loop
def cell_backward(dh, s, y, h_prev, g, dx, dy):
    """Fill dx and dy, turn dh into that of h_prev as far as it does not go through y -> dg"""
    one, C, gates, dg = s.dtype.type(1), h_prev.size, s.size - h_prev.size, g - g
    r, candidate, y_last, dx_last = s[gates - C:gates], s[gates:], y[gates:], dx[gates:]
    # h = h_prev + g u (candidate - h_prev); u is 1 in the attention GRU
    if gates == C:
        for j in range(C):
            dg += dh[j] * (candidate[j] - h_prev[j])
        for j in range(C):
            dx_last[j] = g * dh[j]
    else:
        for j in range(C):
            dx[j] = dh[j] * (candidate[j] - h_prev[j])
        for j in range(C):
            dg += s[j] * dx[j]
        for j in range(C):
            dx[j] *= g * s[j] * (one - s[j])
        for j in range(C):
            dx_last[j] = g * s[j] * dh[j]
    for j in range(C):
        dh[j] -= dx_last[j]
    # candidate = tanh(x + r y)
    for j in range(C):
        dx_last[j] *= one - candidate[j] * candidate[j]
    for j in range(C):
        dx[gates - C + j] = dx_last[j] * y_last[j] * r[j] * (one - r[j])
    for j in range(gates):
        dy[j] = dx[j]
    for j in range(C):
        dy[gates + j] = dx_last[j] * r[j]
    return dg


# ---- all steps of a block of rows -------------------------------------------------------------------------------------------

@loop
def copy(x, y):
    for j in range(y.size):
        y[j] = x[j]


@loop
def set_zero(x):
    for j in range(x.size):
        x[j] = 0


@loop
def some_real(rows, mask, t):
    """Whether any of these rows has a real step t."""
    for k in range(rows.size):
        if mask[rows[k], t] > 0:
            return True
    return False


@loop
def forward(rows, x, U, h0, g, mask, h, s, y, h_now, y_now):
    """Fill h, s and y of these rows. U as `panels`; h_now and y_now are for this block alone."""
    for k in range(rows.size):
        copy(h0[rows[k]], h_now[k])
    for t in range(x.shape[1]):
        if some_real(rows, mask, t):
            for k in range(rows.size):
                set_zero(y_now[k])
            add_product(h_now, U, y_now)
        for k in range(rows.size):
            b = rows[k]
            if mask[b, t] > 0:
                copy(y_now[k], y[b, t])
                cell(x[b, t], y[b, t], g[b, t], s[b, t], h_now[k])
            else:
                set_zero(s[b, t])
                set_zero(y[b, t])
            copy(h_now[k], h[b, t])


@loop
def backward(rows, dh, h, s, y, UT, h0, g, mask, at, dx, dh0, dg, dy, h_prev, dh_now, dy_now):
    """Fill dx, dh0 and dg of these rows, and, one row a real step (its number is in `at`), dy and h_prev: the gradient of U is made
    of them. UT as `panels`; dh_now and dy_now are for this block alone, dh_now comes as zeros."""
    for t in range(h.shape[1] - 1, -1, -1):
        some = some_real(rows, mask, t)
        for k in range(rows.size):
            b = rows[k]
            for j in range(h.shape[2]):
                dh_now[k, j] += dh[b, t, j]
            if mask[b, t] > 0:
                n = at[b, t]
                copy(h[b, t - 1] if t > 0 else h0[b], h_prev[n])
                dg[b, t] = cell_backward(dh_now[k, :h.shape[2]], s[b, t], y[b, t], h_prev[n], g[b, t], dx[b, t], dy[n])
                copy(dy[n], dy_now[k])
            else:
                set_zero(dx[b, t])
                set_zero(dy_now[k])
                dg[b, t] = 0
        if some:
            add_product(dy_now, UT, dh_now)
    for k in range(rows.size):
        copy(dh_now[k], dh0[rows[k]])


# ---- the pair ---------------------------------------------------------------------------------------------------------------

def blocks(mask):
    """The rows of each block, the longest first: [(rows,), ...]"""
    order = np.argsort(-(mask > 0).sum(axis=1), kind="stable")
    return [(order[first:first + ROWS],) for first in range(0, len(order), ROWS)]


def scan(x, U, h0, g, mask):
    (B, T, G), C, dtype = x.shape, h0.shape[1], x.dtype
    h, s, y = empty([(B, T, C), (B, T, G), (B, T, G)], dtype)
    given = [np.ascontiguousarray(array) for array in (x, panels(U), h0, g, mask)]

    def block(rows):
        y_now = np.zeros((rows.size, given[1].shape[0] * given[1].shape[2]), dtype)
        forward(rows, *given, h, s, y, np.zeros((rows.size, C), dtype), y_now)

    threads.run(block, blocks(mask))
    return h, s, y


def scan_backward(dh, h, s, y, U, h0, g, mask):
    (B, T, G), C, dtype = s.shape, h0.shape[1], s.dtype
    given = [np.ascontiguousarray(array) for array in (dh, h, s, y, panels(U.T), h0, g, mask)]
    at = np.cumsum(mask > 0).reshape(B, T) - 1
    real = int(at[-1, -1]) + 1
    dx, dh0, dg, dy, h_prev = empty([(B, T, G), (B, C), (B, T), (real, G), (real, C)], dtype)

    def block(rows):
        dh_now = np.zeros((rows.size, given[4].shape[0] * given[4].shape[2]), dtype)
        backward(rows, *given, at, dx, dh0, dg, dy, h_prev, dh_now, np.zeros((rows.size, G), dtype))

    threads.run(block, blocks(mask))
    return dx, h_prev.T @ dy, dh0, dg
