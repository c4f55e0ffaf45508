"""Matrix products inside compiled loops: a few rows times a matrix that stays the same for all time steps.

The matrix is cut into panels of 2 LANES columns, each contiguous (`panels`), so that a panel streams once through the first-level
cache while four rows at a time are multiplied with it, their sums in registers.
"""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ops.kernels_lanes import LANES, load, store

loop = compile_loop(allocates=False)


def panels(A):
    """(inner, columns) -> (panels, inner, 2 LANES), the last panel filled up with zeros."""
    (inner, columns), width = A.shape, 2 * LANES
    out, whole = np.empty((-(-columns // width), inner, width), A.dtype), columns // width
    out[:whole] = A[:, :whole * width].reshape(inner, whole, width).swapaxes(0, 1)
    if whole < len(out):
        out[whole] = 0
        out[whole, :, :columns - whole * width] = A[:, whole * width:]
    return out


@loop
def add_product(x, A, y):
    """y += x A, for x (rows, inner), A (panels, inner, 2 LANES) and y (rows, 2 LANES panels)."""
    rows, inner = x.shape
    for panel in range(A.shape[0]):
        A_panel, left, right = A[panel], 2 * LANES * panel, 2 * LANES * panel + LANES
        for b in range(0, rows - 3, 4):
            x0, x1, x2, x3 = x[b], x[b + 1], x[b + 2], x[b + 3]
            y0, y1, y2, y3 = y[b], y[b + 1], y[b + 2], y[b + 3]
            l0, l1, l2, l3 = load(y0, left), load(y1, left), load(y2, left), load(y3, left)
            r0, r1, r2, r3 = load(y0, right), load(y1, right), load(y2, right), load(y3, right)
            for i in range(inner):
                a, b_ = load(A_panel[i], 0), load(A_panel[i], LANES)
                l0 += x0[i] * a
                r0 += x0[i] * b_
                l1 += x1[i] * a
                r1 += x1[i] * b_
                l2 += x2[i] * a
                r2 += x2[i] * b_
                l3 += x3[i] * a
                r3 += x3[i] * b_
            store(y0, left, l0)
            store(y1, left, l1)
            store(y2, left, l2)
            store(y3, left, l3)
            store(y0, right, r0)
            store(y1, right, r1)
            store(y2, right, r2)
            store(y3, right, r3)
        for b in range(rows - rows % 4, rows):
            x0, y0 = x[b], y[b]
            l0, r0 = load(y0, left), load(y0, right)
            for i in range(inner):
                l0 += x0[i] * load(A_panel[i], 0)
                r0 += x0[i] * load(A_panel[i], LANES)
            store(y0, left, l0)
            store(y0, right, r0)
