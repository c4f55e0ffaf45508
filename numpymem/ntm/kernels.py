"""The NTM over all time steps as one compiled loop: kernel "ntm.sequence", a stand-in for the pair NTM-sequence.

It computes what numpymem/ntm/sequence.py computes, with the same names in the same order, without a call into Python between two
time steps; the memory's own step is in kernels_step.py. Outside, M is (T, B, N, W) as everywhere: a transposed view of the
slot-last memory in here, nothing is copied.
"""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ntm.kernels_step import memory_step, memory_step_backward
from numpymem.ntm.sequence import weight_gradients
from numpymem.ops.kernels_math import sigmoid, tanh

loop = compile_loop()


@loop
def rows_times_matrix(x, A, y):
    """y += x A, two rows at a time and four rows of A at a time, so that each number loaded is used several times."""
    rows, inner = x.shape
    columns = A.shape[1]
    for b in range(0, rows - 1, 2):
        y0, y1 = y[b], y[b + 1]
        for i in range(0, inner - 3, 4):
            a0, a1, a2, a3 = A[i], A[i + 1], A[i + 2], A[i + 3]
            p0, p1, p2, p3 = x[b, i], x[b, i + 1], x[b, i + 2], x[b, i + 3]
            q0, q1, q2, q3 = x[b + 1, i], x[b + 1, i + 1], x[b + 1, i + 2], x[b + 1, i + 3]
            for j in range(columns):
                y0[j] += p0 * a0[j] + p1 * a1[j] + p2 * a2[j] + p3 * a3[j]
                y1[j] += q0 * a0[j] + q1 * a1[j] + q2 * a2[j] + q3 * a3[j]
        for i in range(inner - inner % 4, inner):
            for j in range(columns):
                y0[j] += x[b, i] * A[i, j]
                y1[j] += x[b + 1, i] * A[i, j]
    if rows % 2:
        b = rows - 1
        y0 = y[b]
        for i in range(0, inner - 3, 4):
            a0, a1, a2, a3 = A[i], A[i + 1], A[i + 2], A[i + 3]
            p0, p1, p2, p3 = x[b, i], x[b, i + 1], x[b, i + 2], x[b, i + 3]
            for j in range(columns):
                y0[j] += p0 * a0[j] + p1 * a1[j] + p2 * a2[j] + p3 * a3[j]
        for i in range(inner - inner % 4, inner):
            for j in range(columns):
                y0[j] += x[b, i] * A[i, j]


# ---- the controller of one sequence at one step -------------------------------------------------------------------------

@loop
def controller(gates, h, c, c_prev):
    """LSTM: squash `gates` in place, fill c and h. Feedforward (no cell): h = tanh(gates)."""
    C = c.size
    if C == 0:
        for j in range(h.size):
            h[j] = tanh(gates[j])
        return
    for j in range(3 * C):
        gates[j] = sigmoid(gates[j])
    for j in range(3 * C, 4 * C):
        gates[j] = tanh(gates[j])
    for j in range(C):
        c[j] = gates[C + j] * c_prev[j] + gates[j] * gates[3 * C + j]
    for j in range(C):
        h[j] = gates[2 * C + j] * tanh(c[j])


@loop
def controller_backward(dh, dc, gates, h, c, c_prev, dpre):
    """Fill dpre; turn dc (the gradient of c from the step after) into that of c_prev, in place."""
    one = h.dtype.type(1)
    C = c.size
    if C == 0:
        for j in range(h.size):
            dpre[j] = dh[j] * (one - h[j] * h[j])
        return
    for j in range(C):
        i, f, o, u = gates[j], gates[C + j], gates[2 * C + j], gates[3 * C + j]
        tanh_c = tanh(c[j])
        dc_j = dc[j] + dh[j] * o * (one - tanh_c * tanh_c)
        dpre[j] = dc_j * u * i * (one - i)
        dpre[C + j] = dc_j * c_prev[j] * f * (one - f)
        dpre[2 * C + j] = dh[j] * tanh_c * o * (one - o)
        dpre[3 * C + j] = dc_j * i * (one - u * u)
        dc[j] = dc_j * f


# ---- all steps of all sequences -----------------------------------------------------------------------------------------

@loop
def forward(W_u, W_heads, b_heads, h0, c0, r0, w0, M0, S, h, c, gates, u, raw, p, r, w, M, K, w_c, w_g, w_s, scratch):
    """`gates` comes in as pre_x; all arrays from h on are filled."""
    T, B = gates.shape[0], gates.shape[1]
    R, W = r0.shape[1], r0.shape[2]
    n_reads, n_own = R * W, h0.shape[1]
    for t in range(T):
        h_prev, c_prev, r_prev, w_prev, M_prev = h0, c0, r0, w0, M0
        if t > 0:
            c_prev, r_prev, w_prev, M_prev = c[t - 1], r[t - 1], w[t - 1], M[t - 1]
            if n_own > 0:
                h_prev = h[t - 1]
        u_t, raw_t = u[t], raw[t]
        for b in range(B):
            for j in range(n_reads):
                u_t[b, j] = r_prev[b, j // W, j % W]
            for j in range(n_own):
                u_t[b, n_reads + j] = h_prev[b, j]
        rows_times_matrix(u_t, W_u, gates[t])
        for b in range(B):
            controller(gates[t, b], h[t, b], c[t, b], c_prev[b])
            for j in range(b_heads.size):
                raw_t[b, j] = b_heads[j]
        rows_times_matrix(h[t], W_heads, raw_t)
        for b in range(B):
            memory_step(raw_t[b], M_prev[b], w_prev[b], R, S, p[t, b], r[t, b], w[t, b], M[t, b], K[t, b], w_c[t, b],
                        w_g[t, b], w_s[t, b], scratch)


@loop
def backward(dh_out, dr_out, h, c, gates, raw, p, w, M, K, w_c, w_g, w_s, W_uT, W_headsT, h0, c0, w0, M0, S,
             dpre, draw, dh, dr, dc, dw, dM, dw_prev, dM_prev, du, dK, scratch):
    """Fill dpre and draw. dh, dr, dc, dw, dM come in as zeros and go out as the gradients of the start values."""
    T, B, C = h.shape
    R, W = dr.shape[1], dr.shape[2]
    n_reads, n_own = R * W, h0.shape[1]
    zero = raw[0, 0, 0] - raw[0, 0, 0]
    for t in range(T - 1, -1, -1):
        c_prev, w_prev, M_prev = c0, w0, M0
        if t > 0:
            c_prev, w_prev, M_prev = c[t - 1], w[t - 1], M[t - 1]
        for b in range(B):
            for j in range(n_reads):
                dr[b, j // W, j % W] += dr_out[t, b, j // W, j % W]
            for j in range(C):
                dh[b, j] += dh_out[t, b, j]
            memory_step_backward(dr[b], dw[b], dM[b], w[t, b], p[t, b], K[t, b], w_c[t, b], w_g[t, b], w_s[t, b], raw[t, b],
                                 M_prev[b], w_prev[b], R, S, draw[t, b], dM_prev[b], dw_prev[b], dK, scratch)
        dw, dw_prev, dM, dM_prev = dw_prev, dw, dM_prev, dM
        rows_times_matrix(draw[t], W_headsT, dh)
        for b in range(B):
            controller_backward(dh[b], dc[b], gates[t, b], h[t, b], c[t, b], c_prev[b], dpre[t, b])
            for j in range(du.shape[1]):
                du[b, j] = zero
        rows_times_matrix(dpre[t], W_uT, du)
        for b in range(B):
            for j in range(n_reads):
                dr[b, j // W, j % W] = du[b, j]
            for j in range(C):
                dh[b, j] = du[b, n_reads + j] if n_own > 0 else zero
    return dw, dM


# ---- the pair as Python calls it: it makes the arrays, the loops fill them ------------------------------------------------

def slot_last(M):
    """(..., N, W) -> (..., W, N), contiguous; free for a memory that came out of this kernel."""
    return np.ascontiguousarray(M.swapaxes(-1, -2))


def sequence(pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    (T, B, _), (C, P), (H, N), (R, Q, W, S) = pre_x.shape, W_heads.shape, w0.shape[1:], sizes
    h, c, u, raw, p, r, M, w, K, w_c, w_g, w_s = (
        np.empty((T, B, *shape), pre_x.dtype)
        for shape in ((C,), c0.shape[1:], (len(W_u),), (P,), (P,), (R, W), (W, N), *5 * [(H, N)]))
    gates, scratch = pre_x.copy(order="C"), np.empty((3, N + S), pre_x.dtype)
    arrays = (np.ascontiguousarray(x) for x in (W_u, W_heads, b_heads, h0, c0, r0, w0, slot_last(M0)))
    forward(*arrays, S, h, c, gates, u, raw, p, r, w, M, K, w_c, w_g, w_s, scratch)
    gates = gates if c0.shape[1] else gates[..., :0]
    k, beta, g, s, gamma, e, a = np.split(p, sizes.cuts[:-1], axis=2)
    heads, writers = (T, B, H, -1), (T, B, Q, W)
    return (h, c, gates, u, raw, r, w, M.swapaxes(-1, -2), k.reshape(heads), beta.reshape(heads), g.reshape(heads),
            s.reshape(heads), gamma.reshape(heads), e.reshape(writers), a.reshape(writers), K, w_c, w_g, w_s)


def sequence_backward(dh, dr, h, c, gates, u, raw, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s,
                      pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    (T, B, _), N, dtype = pre_x.shape, w0.shape[-1], pre_x.dtype
    p = np.concatenate([x.reshape(T, B, -1) for x in (k, beta, g, s, gamma, e, a)], axis=2)
    saved = (np.ascontiguousarray(x) for x in (dh, dr, h, c, gates, raw, p, w, slot_last(M), K, w_c, w_g, w_s, W_u.T, W_heads.T,
                                               h0, c0, w0, slot_last(M0)))
    dpre, draw = np.empty(pre_x.shape, dtype), np.empty(raw.shape, dtype)
    dM, dM_prev = np.zeros((2, B, sizes.W, N), dtype)
    dh0, dr0, dc0, dw = (np.zeros(shape, dtype) for shape in (h[0].shape, r0.shape, c0.shape, w0.shape))
    dw0, dM0 = backward(*saved, sizes.S, dpre, draw, dh0, dr0, dc0, dw, dM, np.empty_like(dw), dM_prev,
                        np.empty((B, len(W_u)), dtype), np.empty((sizes.H, N), dtype), np.empty((7, N + sizes.S), dtype))
    dh0 = dh0 if c0.shape[1] else np.zeros_like(h0)
    return dpre, *weight_gradients(dpre, draw, u, h), dh0, dc0, dr0, dw0, dM0.swapaxes(-1, -2)
