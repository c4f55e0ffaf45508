"""The NTM over all time steps as one compiled loop: kernel "ntm.sequence", a stand-in for the pair NTM-sequence.

It computes what numpymem/ntm/sequence.py computes, with the same names in the same order, without a call into Python between two
time steps; the memory's own step is in kernels_step.py. The batch is cut into blocks of a few sequences that know nothing of each
other (numpymem/threads.py): each goes through all its time steps by itself, two of them at a time on two cores.

Inside, memory is slot-last and its slots are filled up to a multiple of LANES. Outside, M is (T, B, N, W) as everywhere: a
transposed view, nothing is copied.
"""

import numpy as np

from numpymem import threads
from numpymem.kernel import compile_loop
from numpymem.ntm.kernels_step import memory_step, memory_step_backward
from numpymem.ops.kernels_lanes import padded
from numpymem.ops.kernels_math import tanh
from numpymem.ops.kernels_product import add_product, panels
from numpymem.ops.kernels_rows import sigmoid_of, tanh_of
from numpymem.ops.linear import flat
from numpymem.workspace import empty

loop = compile_loop(allocates=False)


# ---- the controller of one sequence at one step -------------------------------------------------------------------------

@loop
def controller(pre, gates, h, c, c_prev):
    """LSTM: squash `pre` into gates, fill c and h. Feedforward (no cell): h = tanh(pre)."""
    C = c.size
    if C == 0:
        tanh_of(pre[:h.size], h)
        return
    sigmoid_of(pre[:3 * C], gates[:3 * C])
    tanh_of(pre[3 * C:4 * C], gates[3 * C:])
    i, f, o, u = gates[:C], gates[C:2 * C], gates[2 * C:3 * C], gates[3 * C:]
    for j in range(C):
        c[j] = f[j] * c_prev[j] + i[j] * u[j]
    for j in range(C):
        h[j] = o[j] * tanh(c[j])


# Loops with few arrays each, though more of them: in one that writes to five arrays numba cannot rule out that they overlap.

@loop
def controller_backward(dh, dc, gates, h, c, c_prev, tanh_c, dpre):
    """Fill dpre; turn dc (the gradient of c from the step after) into that of c_prev, in place. tanh_c is for use in here."""
    one = h.dtype.type(1)
    C = c.size
    if C == 0:
        for j in range(h.size):
            dpre[j] = dh[j] * (one - h[j] * h[j])
        return
    i, f, o, u = gates[:C], gates[C:2 * C], gates[2 * C:3 * C], gates[3 * C:]
    di, df, do, du = dpre[:C], dpre[C:2 * C], dpre[2 * C:3 * C], dpre[3 * C:]
    # h = o tanh(c)
    tanh_of(c, tanh_c)
    for j in range(C):
        do[j] = dh[j] * tanh_c[j] * o[j] * (one - o[j])
    for j in range(C):
        dc[j] += dh[j] * o[j] * (one - tanh_c[j] * tanh_c[j])
    # c = f c_prev + i u
    for j in range(C):
        di[j] = dc[j] * u[j] * i[j] * (one - i[j])
    for j in range(C):
        du[j] = dc[j] * i[j] * (one - u[j] * u[j])
    for j in range(C):
        df[j] = dc[j] * c_prev[j] * f[j] * (one - f[j])
    for j in range(C):
        dc[j] *= f[j]


# ---- all steps of the sequences first ... last - 1 -------------------------------------------------------------------------

@loop
def forward(first, last, pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, N,
            h, c, gates, u, raw, r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, pre_t, raw_t, scratch):
    """W_u and W_heads as `panels`. The arrays from h to w_s are filled; pre_t, raw_t and scratch are for this block alone."""
    T, _, R, W = r.shape
    n_reads, n_own = R * W, h0.shape[1]
    for t in range(T):
        h_prev, c_prev, r_prev, w_prev, M_prev = h0, c0, r0, w0, M0
        if t > 0:
            c_prev, r_prev, w_prev, M_prev = c[t - 1], r[t - 1], w[t - 1], M[t - 1]
            if n_own > 0:
                h_prev = h[t - 1]
        for b in range(first, last):
            for j in range(n_reads):
                u[t, b, j] = r_prev[b, j // W, j % W]
            copy(h_prev[b], u[t, b, n_reads:])
            copy(pre_x[t, b], pre_t[b - first])
            copy(b_heads, raw_t[b - first])
        add_product(u[t, first:last], W_u, pre_t)
        for b in range(first, last):
            controller(pre_t[b - first], gates[t, b], h[t, b], c[t, b], c_prev[b])
        add_product(h[t, first:last], W_heads, raw_t)
        for b in range(first, last):
            copy(raw_t[b - first, :b_heads.size], raw[t, b])
            memory_step(raw[t, b], M_prev[b], w_prev[b], R, N, r[t, b], w[t, b], M[t, b], k[t, b], beta[t, b], g[t, b], s[t, b],
                        gamma[t, b], e[t, b], a[t, b], K[t, b], w_c[t, b], w_g[t, b], w_s[t, b], scratch)


@loop
def copy(x, y):
    for j in range(x.size):
        y[j] = x[j]


@loop
def backward(first, last, dh_out, dr_out, h, c, gates, raw, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s,
             W_uT, W_headsT, h0, c0, w0, M0, N, dpre, draw, dh0, dr, dc, dw, dM, dw_prev, dM_prev, dh, du, tanh_c, dK, scratch):
    """Fill dpre, draw and dh0. dr, zero, and dc, dw, dM, from after the last step, go out as the gradients of the start values;
    dh, du, tanh_c, dK and scratch are for this block alone."""
    T, C, n_reads, n_own, W = len(h), h.shape[2], dr.shape[1] * dr.shape[2], h0.shape[1], dr.shape[2]
    zero = raw[0, 0, 0] - raw[0, 0, 0]
    for t in range(T - 1, -1, -1):
        c_prev, w_prev, M_prev = c0, w0, M0
        if t > 0:
            c_prev, w_prev, M_prev = c[t - 1], w[t - 1], M[t - 1]
        for b in range(first, last):
            for j in range(n_reads):
                dr[b, j // W, j % W] += dr_out[t, b, j // W, j % W]
            memory_step_backward(dr[b], dw[b], dM[b], w[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b], e[t, b], a[t, b],
                                 K[t, b], w_c[t, b], w_g[t, b], w_s[t, b], raw[t, b], M_prev[b], w_prev[b], N,
                                 draw[t, b], dM_prev[b], dw_prev[b], dK, scratch)
            for j in range(C):
                dh[b - first, j] = dh_out[t, b, j] + (du[b - first, n_reads + j] if n_own > 0 else zero)
        dw, dw_prev, dM, dM_prev = dw_prev, dw, dM_prev, dM
        add_product(draw[t, first:last], W_headsT, dh)
        for b in range(first, last):
            controller_backward(dh[b - first], dc[b], gates[t, b], h[t, b], c[t, b], c_prev[b], tanh_c, dpre[t, b])
            for j in range(du.shape[1]):
                du[b - first, j] = zero
        add_product(dpre[t, first:last], W_uT, du)
        for b in range(first, last):
            for j in range(n_reads):
                dr[b, j // W, j % W] = du[b - first, j]
    for b in range(first, last):
        for j in range(n_own):
            dh0[b, j] = du[b - first, n_reads + j]


# ---- the pair as Python calls it: it makes the arrays, the loops fill them ------------------------------------------------

def slot_last(M):
    """(..., N, W) -> (..., W, slots), contiguous; free for a memory that came out of this kernel."""
    return with_all_slots(M.swapaxes(-1, -2))


def with_all_slots(x):
    """(..., N) -> (..., slots), zero beyond N, contiguous; free if N is a multiple of LANES."""
    N = x.shape[-1]
    if padded(N) == N:
        return np.ascontiguousarray(x)
    wide = np.zeros((*x.shape[:-1], padded(N)), x.dtype)
    wide[..., :N] = x
    return wide


def rows_for(first, last, *matrices):
    """For each matrix, rows for a block's products with it (`add_product`)."""
    return [np.zeros((last - first, A.shape[0] * A.shape[2]), A.dtype) for A in matrices]


def sequence(pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    (T, B, G), (C, P), (H, N), (R, Q, W, S) = pre_x.shape, W_heads.shape, w0.shape[1:], sizes
    slots, dtype = padded(N), pre_x.dtype
    shapes = ((C,), c0.shape[1:], (G if c0.shape[1] else 0,), (len(W_u),), (P,), (R, W), (H, slots), (W, slots), (H, W), (H, 1),
              (H, 1), (H, S), (H, 1), (Q, W), (Q, W), *4 * [(H, slots)])
    trace = empty([(T, B, *shape) for shape in shapes], dtype)
    h, c, gates, u, raw, r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s = trace
    if slots > N:
        w[..., N:] = 0
    W_u, W_heads = panels(W_u), panels(W_heads)
    given = [np.ascontiguousarray(x) for x in (pre_x, W_u, W_heads, b_heads, h0, c0, r0, with_all_slots(w0), slot_last(M0))]

    def block(first, last):
        forward(first, last, *given, N, *trace, *rows_for(first, last, W_u, W_heads), np.zeros((3, slots + S), dtype))

    threads.run(block, threads.blocks(B))
    w, M = w[..., :N], M[..., :N]
    return (h, c, gates, u, raw, r, w, M.swapaxes(-1, -2), k, beta, g, s, gamma, e, a, K[..., :N], w_c[..., :N], w_g[..., :N],
            w_s[..., :N], c[-1].copy(), w[-1].copy(), M[-1].copy().swapaxes(-1, -2))


def sequence_backward(dh, dr, dc_last, dw_last, dM_last, h, c, gates, u, raw, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s,
                      pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    (T, B, _), (_, H, N), slots, dtype = pre_x.shape, w0.shape, padded(w0.shape[-1]), pre_x.dtype
    W_uT, W_headsT = panels(W_u.T), panels(W_heads.T)
    weights = [with_all_slots(x) for x in (K, w_c, w_g, w_s)]
    given = [np.ascontiguousarray(x) for x in (dh, dr, h, c, gates, raw, with_all_slots(w), slot_last(M), k, beta, g, s, gamma,
                                               e, a, *weights, W_uT, W_headsT, h0, c0, with_all_slots(w0), slot_last(M0))]
    dpre, draw = empty([pre_x.shape, raw.shape], dtype)
    dh0, dr0 = np.zeros(h0.shape, dtype), np.zeros(r0.shape, dtype)
    dc0, dw, dM = (np.array(x, order="C") for x in (dc_last, with_all_slots(dw_last), slot_last(dM_last)))
    dw_prev, dM_prev = np.zeros_like(dw), np.zeros_like(dM)

    def block(first, last):
        scratch = np.zeros(c0.shape[1], dtype), np.zeros((H, slots), dtype), np.zeros((4, slots + sizes.S), dtype)
        backward(first, last, *given, N, dpre, draw, dh0, dr0, dc0, dw, dM, dw_prev, dM_prev,
                 *rows_for(first, last, W_headsT, W_uT), *scratch)

    threads.run(block, threads.blocks(B))
    dw0, dM0 = (dw_prev, dM_prev) if T % 2 else (dw, dM)              # they changed places at each step
    dW_u, dW_heads, db_heads = weight_gradients(flat(dpre), flat(draw), flat(u), flat(h))
    return (dpre, dW_u, dW_heads, db_heads, dh0, dc0, dr0, dw0[..., :N], dM0[..., :N].swapaxes(-1, -2))


def weight_gradients(dpre, draw, u, h):
    """u^T dpre, half of its columns on each of two threads; h^T draw and the sum of draw."""
    u, h = np.ascontiguousarray(u), np.ascontiguousarray(h)           # old NumPys round products of strided arrays in another order
    dW_u, half = np.empty((u.shape[1], dpre.shape[1]), dpre.dtype), dpre.shape[1] // 2
    dW_heads, db_heads = np.empty((h.shape[1], draw.shape[1]), draw.dtype), np.empty(draw.shape[1], draw.dtype)
    threads.run(np.matmul, [(u.T, dpre[:, :half], dW_u[:, :half]), (u.T, dpre[:, half:], dW_u[:, half:]), (h.T, draw, dW_heads),
                            (np.ones(len(draw), draw.dtype), draw, db_heads)], worth=len(u) > 200)
    return dW_u, dW_heads, db_heads
