"""Writing all items and reading at all places as compiled loops: kernels "memory_transformer.write" and "memory_transformer.read",
stand-ins for the pairs MT-write and MT-read.

What a head does is the NTM's (numpymem/ntm/kernels_step.py; layouts and blocks: numpymem/ntm/kernels.py). There is no controller
between two steps, so each sequence goes through all of them by itself. While it is read, a memory stays as it is: the lengths of
its rows are computed once.
"""

import numpy as np

from numpymem import threads
from numpymem.kernel import compile_loop
from numpymem.ntm.kernels import slot_last, with_all_slots
from numpymem.ntm.kernels_step import (address, head_parameters, heads_backward, memory_step, memory_step_backward, read,
                                       read_backward)
from numpymem.ops.cosine import EPS
from numpymem.ops.kernels_lanes import padded
from numpymem.ops.kernels_rows import inverse_norms
from numpymem.workspace import empty

loop = compile_loop(allocates=False)


# ---- all steps of the sequences first ... last - 1 -------------------------------------------------------------------------

@loop
def write_items(first, last, raw, w0, M0, N, k, beta, g, s, gamma, e, a, w, K, w_c, w_g, w_s, M, none, scratch):
    """Fill k to M. `none` (0, W) is what no read head reads; scratch is for this block alone."""
    for b in range(first, last):
        for t in range(len(raw)):
            w_prev, before = w0[b], M0[b]
            if t > 0:
                w_prev, before = w[t - 1, b], M[t - 1, b]
            memory_step(raw[t, b], before, w_prev, 0, N, none, w[t, b], M[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b],
                        e[t, b], a[t, b], K[t, b], w_c[t, b], w_g[t, b], w_s[t, b], scratch)


@loop
def write_items_backward(first, last, dM_out, k, beta, g, s, gamma, e, a, w, K, w_c, w_g, w_s, M, raw, w0, M0, N, none,
                         draw, dw, dM, dK, scratch):
    """Fill draw. dw (2, B, H, slots) and dM (2, B, W, slots) come as zeros: step t takes what comes from the step after out of
    [t % 2] and leaves its own for the step before in [1 - t % 2]; what is left in [1] belongs to the start."""
    for b in range(first, last):
        for t in range(len(raw) - 1, -1, -1):
            w_prev, before, dM_now = w0[b], M0[b], dM[t % 2, b]
            if t > 0:
                w_prev, before = w[t - 1, b], M[t - 1, b]
            for i in range(len(before)):
                add(dM_out[t, b, i], dM_now[i])
            memory_step_backward(none, dw[t % 2, b], dM_now, w[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b], e[t, b],
                                 a[t, b], K[t, b], w_c[t, b], w_g[t, b], w_s[t, b], raw[t, b], before, w_prev, N,
                                 draw[t, b], dM[1 - t % 2, b], dw[1 - t % 2, b], dK, scratch)


@loop
def add(x, y):
    """y += x"""
    for n in range(x.size):
        y[n] += x[n]


@loop
def read_places(first, last, raw, w0, M, N, r, k, beta, g, s, gamma, w, K, w_c, w_g, w_s, none, scratch):
    """Fill r to w_s. `none` (0, W) is what no write head erases and adds; scratch is for this block alone."""
    M_scale = scratch[2, :w.shape[3]]
    for b in range(first, last):
        inverse_norms(M[b], raw.dtype.type(EPS), M_scale)
        for t in range(len(raw)):
            w_prev = w0[b]
            if t > 0:
                w_prev = w[t - 1, b]
            head_parameters(raw[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b], none, none)
            address(M[b], M_scale, w_prev, N, w[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b], K[t, b], w_c[t, b],
                    w_g[t, b], w_s[t, b], scratch)
            read(M[b], w[t, b], r[t, b])


@loop
def read_places_backward(first, last, dr, k, beta, g, s, gamma, w, K, w_c, w_g, w_s, raw, w0, M, N, draw, dw, dM, dK, scratch):
    """Fill draw; dw (2, B, H, slots) as in `write_items_backward`; add to dM, which comes as zeros."""
    for b in range(first, last):
        for t in range(len(raw) - 1, -1, -1):
            w_prev, dw_now = w0[b], dw[t % 2, b]
            if t > 0:
                w_prev = w[t - 1, b]
            read_backward(dr[t, b], M[b], w[t, b], dw_now, dM[b])
            heads_backward(dw_now, w[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b], K[t, b], w_c[t, b], w_g[t, b],
                           w_s[t, b], raw[t, b], M[b], w_prev, N, 0, draw[t, b], dM[b], dw[1 - t % 2, b], dK, scratch)


# ---- the pairs as Python calls them: they make the arrays, the loops fill them ---------------------------------------------

def trace_of(raw, w0, sizes, slots, *others):
    """Empty arrays over all steps: of `others` (each a shape), then k, beta, g, s, gamma, e, a, w, K, w_c, w_g and w_s."""
    (T, B, _), H, (_, Q, W, S) = raw.shape, w0.shape[1], sizes
    shapes = *others, (H, W), (H, 1), (H, 1), (H, S), (H, 1), (Q, W), (Q, W), *5 * [(H, slots)]
    return empty([(T, B, *shape) for shape in shapes], raw.dtype)


def write_all(raw, w0, M0, sizes):
    (B, N, W), slots, dtype = M0.shape, padded(M0.shape[1]), raw.dtype
    M, *heads = trace_of(raw, w0, sizes, slots, (W, slots))
    if slots > N:
        heads[7][..., N:] = 0                                         # w
    given = [np.ascontiguousarray(x) for x in (raw, with_all_slots(w0), slot_last(M0))]

    def block(first, last):
        write_items(first, last, *given, N, *heads, M, np.zeros((0, W), dtype), np.zeros((3, slots + sizes.S), dtype))

    threads.run(block, threads.blocks(B))
    return *heads[:7], *(x[..., :N] for x in heads[7:]), M[..., :N].swapaxes(-1, -2)


def write_all_backward(dM, k, beta, g, s, gamma, e, a, w, K, w_c, w_g, w_s, M, raw, w0, M0, sizes):
    (B, H, N), W, slots, dtype = w0.shape, sizes.W, padded(w0.shape[-1]), raw.dtype
    weights = [with_all_slots(x) for x in (w, K, w_c, w_g, w_s)]
    given = [np.ascontiguousarray(x) for x in (slot_last(dM), k, beta, g, s, gamma, e, a, *weights, slot_last(M), raw,
                                               with_all_slots(w0), slot_last(M0))]
    (draw,) = empty([raw.shape], dtype)
    dw_two, dM_two = np.zeros((2, B, H, slots), dtype), np.zeros((2, B, W, slots), dtype)

    def block(first, last):
        write_items_backward(first, last, *given, N, np.zeros((0, W), dtype), draw, dw_two, dM_two, np.zeros((H, slots), dtype),
                             np.zeros((4, slots + sizes.S), dtype))

    threads.run(block, threads.blocks(B))
    return draw, dw_two[1, ..., :N], dM_two[1, ..., :N].swapaxes(-1, -2)


def read_all(raw, w0, M, sizes):
    (B, H, N), W, slots, dtype = w0.shape, sizes.W, padded(w0.shape[-1]), raw.dtype
    r, *heads = trace_of(raw, w0, sizes, slots, (H, W))
    del heads[5:7]                                                    # e and a, which no read head has
    if slots > N:
        heads[5][..., N:] = 0                                         # w
    given = [np.ascontiguousarray(x) for x in (raw, with_all_slots(w0), slot_last(M))]

    def block(first, last):
        read_places(first, last, *given, N, r, *heads, np.zeros((0, W), dtype), np.zeros((3, slots + sizes.S), dtype))

    threads.run(block, threads.blocks(B))
    return r, *heads[:5], *(x[..., :N] for x in heads[5:])


def read_all_backward(dr, k, beta, g, s, gamma, w, K, w_c, w_g, w_s, raw, w0, M, sizes):
    (B, H, N), W, slots, dtype = w0.shape, sizes.W, padded(w0.shape[-1]), raw.dtype
    weights = [with_all_slots(x) for x in (w, K, w_c, w_g, w_s)]
    given = [np.ascontiguousarray(x) for x in (dr, k, beta, g, s, gamma, *weights, raw, with_all_slots(w0), slot_last(M))]
    (draw,) = empty([raw.shape], dtype)
    dw_two, dM = np.zeros((2, B, H, slots), dtype), np.zeros((B, W, slots), dtype)

    def block(first, last):
        read_places_backward(first, last, *given, N, draw, dw_two, dM, np.zeros((H, slots), dtype),
                             np.zeros((4, slots + sizes.S), dtype))

    threads.run(block, threads.blocks(B))
    return draw, dw_two[1, ..., :N], dM[..., :N].swapaxes(-1, -2)
