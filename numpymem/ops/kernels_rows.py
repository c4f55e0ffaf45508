"""Rows of numbers inside compiled loops: what the memories of the NTM and the DNC and the attention of a Transformer do with them.

A row over slots is as long as a multiple of LANES, and LANES slots at a time are worked on (numpymem/ops/lanes.py); rows of any
length go number by number, in loops that vectorise as they stand (numpymem/ops/kernels_math.py).
"""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ops.kernels_lanes import LANES, fill, largest, load, maximum, store, total
from numpymem.ops.kernels_math import exp, sigmoid, tanh

loop = compile_loop(allocates=False)


@loop
def top_of(z):
    """The largest number of a row of any length."""
    top, whole = z[0], z.size - z.size % LANES
    if whole > 0:
        tops = load(z, 0)
        for n in range(LANES, whole, LANES):
            tops = maximum(tops, load(z, n))
        top = largest(tops)
    for n in range(whole, z.size):
        top = max(top, z[n])
    return top


@loop
def softmax(z, p):
    top, sum_ = top_of(z), z[0] - z[0]
    for n in range(z.size):
        p[n] = exp(z[n] - top)
        sum_ += p[n]
    scale = p.dtype.type(1) / sum_
    for n in range(z.size):
        p[n] *= scale


@loop
def softmax_backward(dp, p, dz):
    inner = p[0] - p[0]
    for n in range(p.size):
        inner += dp[n] * p[n]
    for n in range(p.size):
        dz[n] = p[n] * (dp[n] - inner)


@loop
def softplus(x):
    zero = x - x
    return max(x, zero) + np.log1p(np.exp(-abs(x)))


@loop
def tanh_of(x, y):
    for i in range(x.size):
        y[i] = tanh(x[i])


@loop
def sigmoid_of(x, y):
    for i in range(x.size):
        y[i] = sigmoid(x[i])


@loop
def inverse_norms(vectors, eps, out):
    """1 / sqrt(v.v + eps) for the columns of a (W, slots) array."""
    for n in range(0, out.size, LANES):
        squares = fill(eps)
        for i in range(vectors.shape[0]):
            v = load(vectors[i], n)
            squares += v * v
        store(out, n, squares)
    for n in range(out.size):
        out[n] = out.dtype.type(1) / np.sqrt(out[n])


@loop
def inverse_norm(vector, eps):
    squares = eps
    for i in range(vector.size):
        squares += vector[i] * vector[i]
    return vector.dtype.type(1) / np.sqrt(squares)


@loop
def weighted_rows(weights, rows, n):
    """sum_i weights_i rows_i, at LANES slots from n on."""
    found = weights[0] * load(rows[0], n)
    for i in range(1, weights.size):
        found += weights[i] * load(rows[i], n)
    return found


@loop
def dot(x, y):
    products = load(x, 0) * load(y, 0)
    for n in range(LANES, x.size, LANES):
        products += load(x, n) * load(y, n)
    return total(products)


@loop
def add_outer(x, y, M):
    """M(i, n) += x(i) y(n)"""
    for n in range(0, y.size, LANES):
        y_n = load(y, n)
        for i in range(x.size):
            store(M[i], n, load(M[i], n) + x[i] * y_n)
