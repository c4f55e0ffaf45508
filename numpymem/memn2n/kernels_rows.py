"""Sums over rows of any length inside compiled loops: as many LANES as there are, then the rest, number by number."""

from numpymem.kernel import compile_loop
from numpymem.ops.kernels_lanes import LANES, fill, load, store, total

part = compile_loop(allocates=False, inline="always")        # rows are short: a call would cost as much as the sum


@part
def dot(x, y):
    whole, zero = x.size - x.size % LANES, x.dtype.type(0)
    sums, rest = fill(zero), zero
    for k in range(0, whole, LANES):
        sums += load(x, k) * load(y, k)
    for k in range(whole, x.size):
        rest += x[k] * y[k]
    return total(sums) + rest


@part
def add_scaled(y, a, x):
    """y += a x"""
    whole = y.size - y.size % LANES
    for k in range(0, whole, LANES):
        store(y, k, load(y, k) + a * load(x, k))
    for k in range(whole, y.size):
        y[k] += a * x[k]


@part
def add_product(y, w, x):
    """y += w x, number by number"""
    whole = y.size - y.size % LANES
    for k in range(0, whole, LANES):
        store(y, k, load(y, k) + load(w, k) * load(x, k))
    for k in range(whole, y.size):
        y[k] += w[k] * x[k]
