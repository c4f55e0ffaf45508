"""Attention and layer norm as compiled loops: kernels "memory_transformer.attention" and "memory_transformer.layer_norm".

As NumPy they go over arrays of scores a dozen times; here the scores of one place stay in the first-level cache until they are used
up. Half of the batch runs on one thread, half on another.
"""

import numpy as np

from numpymem import threads
from numpymem.kernel import compile_loop
from numpymem.memn2n.equations import LOWEST
from numpymem.memory_transformer.transformer import EPS
from numpymem.ntm.kernels import copy
from numpymem.ops.kernels_lanes import LANES, padded, store
from numpymem.ops.kernels_math import exp
from numpymem.ops.kernels_rows import add_outer, softmax_backward, top_of, weighted_rows
from numpymem.workspace import empty

loop = compile_loop(allocates=False)


WORTH = 1e6              # multiplications for which a second thread is woken: they take some twice as long as waking it


def in_halves(function, rows, work):
    """function(first, last) for two halves of so many rows, which are so many multiplications in all."""
    return threads.run(function, [(0, rows // 2), (rows // 2, rows)], worth=work > WORTH)


# ---- attention: one head of one sequence after the other ---------------------------------------------------------------------

@loop
def part_of(x, first, d, out):
    """Fill the first d numbers of each row of `out` with x[:, first:first + d]."""
    for t in range(len(x)):
        for i in range(d):
            out[t, i] = x[t, first + i]


@loop
def part_turned(x, first, d, out):
    """The same, turned: row i of `out` is column first + i of x."""
    for t in range(len(x)):
        for i in range(d):
            out[i, t] = x[t, first + i]


@loop
def weighted_sum(weights, vectors, found, out):
    """out = sum_s weights_s vectors_s; `found`, which has room for whole LANES, is for use in here."""
    for n in range(0, found.size, LANES):
        store(found, n, weighted_rows(weights, vectors, n))
    for i in range(out.size):
        out[i] = found[i]


@loop
def attend(first, last, q, k, v, mask, y, p, turned, values, scores, found):
    """Fill y and p. For use in here: turned (d, slots), values (S, width), scores (slots) and found (width), where `slots` and
    `width` are S and d filled up to a multiple of LANES."""
    (A, T, S), number = p.shape[1:], q.dtype.type
    d = q.shape[2] // A
    scale = number(1) / np.sqrt(number(d))
    for b in range(first, last):
        for a in range(A):
            part_turned(k[b], a * d, d, turned)
            part_of(v[b], a * d, d, values)
            for t in range(T):
                for n in range(0, scores.size, LANES):
                    store(scores, n, scale * weighted_rows(q[b, t, a * d:a * d + d], turned, n))
                softmax_of_seen(scores[:S], mask[b, t], p[b, a, t])
                weighted_sum(p[b, a, t], values, found, y[b, t, a * d:a * d + d])


@loop
def softmax_of_seen(scores, mask, p):
    """p is zero where there is nothing to see; if there is nothing at all, it is the same everywhere, as in NumPy. (The compiled
    exp of LOWEST is not zero but 1e-38, and with parts of such numbers a processor is slow.)"""
    zero, one = p.dtype.type(0), p.dtype.type(1)
    for s in range(p.size):
        if mask[s] <= 0:
            scores[s] = LOWEST
    top, sum_ = top_of(scores), zero
    for s in range(p.size):
        p[s] = exp(scores[s] - top) if mask[s] > 0 else zero
        sum_ += p[s]
    if sum_ > 0:
        scale = one / sum_
        for s in range(p.size):
            p[s] *= scale
    else:
        for s in range(p.size):
            p[s] = one / p.dtype.type(p.size)


@loop
def attend_back(first, last, dy, p, q, k, v, mask, dq, dk, dv, turned, keys, dkeys, dvalues, dscores, found):
    """Fill dq, dk and dv. For use in here: turned, dscores and found as in `attend`; keys, dkeys and dvalues as its values."""
    (A, T, S), number = p.shape[1:], q.dtype.type
    d = q.shape[2] // A
    scale = number(1) / np.sqrt(number(d))
    for b in range(first, last):
        for a in range(A):
            part_turned(v[b], a * d, d, turned)
            part_of(k[b], a * d, d, keys)
            set_zero(dkeys)
            set_zero(dvalues)
            for t in range(T):
                p_t, q_t, dy_t = p[b, a, t], q[b, t, a * d:a * d + d], dy[b, t, a * d:a * d + d]
                # y = p V
                for n in range(0, dscores.size, LANES):
                    store(dscores, n, weighted_rows(dy_t, turned, n))
                copy(dy_t, found)
                add_outer(p_t, found, dvalues)
                # p = softmax(scores)
                softmax_backward(dscores[:S], p_t, dscores[:S])
                for s in range(S):
                    dscores[s] = scale * dscores[s] if mask[b, t, s] > 0 else number(0)
                # scores = q K^T / sqrt(d)
                copy(q_t, found)
                add_outer(dscores[:S], found, dkeys)
                weighted_sum(dscores[:S], keys, found, dq[b, t, a * d:a * d + d])
            put_part(dkeys, a * d, d, dk[b])
            put_part(dvalues, a * d, d, dv[b])


@loop
def put_part(x, first, d, out):
    """out[:, first:first + d] = the first d numbers of each row of x"""
    for t in range(len(out)):
        for i in range(d):
            out[t, first + i] = x[t, i]


@loop
def set_zero(x):
    for t in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[t, i] = 0


def room(S, d, dtype, rows):
    """Zeros for use in a block: (d, slots), `rows` times (S, width), (slots) and (width)."""
    slots, width = padded(S), padded(d)
    return [np.zeros(shape, dtype) for shape in ((d, slots), *rows * [(S, width)], (slots,), (width,))]


def attention(q, k, v, mask, heads):
    q, k, v, mask = map(np.ascontiguousarray, (q, k, v, mask))
    (B, T, D), S, dtype = q.shape, k.shape[1], q.dtype
    y, p = empty([(B, T, D), (B, heads, T, S)], dtype)
    in_halves(lambda first, last: attend(first, last, q, k, v, mask, y, p, *room(S, D // heads, dtype, 1)), B,
              2 * B * T * S * D)
    return y, p


def attention_backward(dy, p, q, k, v, mask, heads):
    dy, p, q, k, v, mask = map(np.ascontiguousarray, (dy, p, q, k, v, mask))
    (B, S, D), T, dtype = k.shape, q.shape[1], k.dtype
    dq, dk, dv = empty([q.shape, k.shape, v.shape], dtype)

    def block(first, last):
        attend_back(first, last, dy, p, q, k, v, mask, dq, dk, dv, *room(S, D // heads, dtype, 3))

    in_halves(block, B, 5 * B * T * S * D)
    return dq, dk, dv


# ---- layer norm: one row after the other -------------------------------------------------------------------------------------

@loop
def normalise(first, last, x, g, b, y, x_n, s):
    number = x.dtype.type
    one, share = number(1), number(1) / number(g.size)
    for row in range(first, last):
        x_row, y_row, n_row, mean, spread = x[row], y[row], x_n[row], number(0), number(0)
        for i in range(g.size):
            mean += x_row[i]
        mean *= share
        for i in range(g.size):
            n_row[i] = x_row[i] - mean
            spread += n_row[i] * n_row[i]
        s_row = one / np.sqrt(spread * share + number(EPS))
        s[row, 0] = s_row
        for i in range(g.size):
            n_row[i] *= s_row
            y_row[i] = g[i] * n_row[i] + b[i]


@loop
def normalise_back(first, last, dy, x_n, s, g, dx, dg, db):
    """Fill dx; add to dg and db, which come as zeros."""
    number = g.dtype.type
    share = number(1) / number(g.size)
    for row in range(first, last):
        dy_row, n_row, dx_row, mean, along = dy[row], x_n[row], dx[row], number(0), number(0)
        # y = g x_n + b
        for i in range(g.size):
            dg[i] += dy_row[i] * n_row[i]
        for i in range(g.size):
            db[i] += dy_row[i]
        for i in range(g.size):
            dx_row[i] = dy_row[i] * g[i]
            mean += dx_row[i]
            along += dx_row[i] * n_row[i]
        # x_n = (x - mean(x)) s, whose rows sum to zero
        mean *= share
        along *= share
        for i in range(g.size):
            dx_row[i] = s[row, 0] * (dx_row[i] - n_row[i] * along - mean)


def layer_norm(x, g, b):
    x, g, b = map(np.ascontiguousarray, (x, g, b))
    y, x_n, s = empty([x.shape, x.shape, (len(x), 1)], x.dtype)
    in_halves(lambda first, last: normalise(first, last, x, g, b, y, x_n, s), len(x), 4 * x.size)
    return y, x_n, s


def layer_norm_backward(dy, x_n, s, g):
    dy, x_n, s, g = map(np.ascontiguousarray, (dy, x_n, s, g))
    (dx,) = empty([dy.shape], dy.dtype)
    dg, db = np.zeros((2, *g.shape), g.dtype), np.zeros((2, *g.shape), g.dtype)

    def block(first, last):
        half = int(first > 0)
        normalise_back(first, last, dy, x_n, s, g, dx, dg[half], db[half])

    in_halves(block, len(dy), 6 * dy.size)
    return dx, dg.sum(0), db.sum(0)
