"""The NTM over all time steps as one compiled loop: kernel "ntm.sequence", a stand-in for the pair NTM-sequence.

It computes what numpymem/ntm/sequence.py and step.py compute, with the same names in the same order. Read those to learn; read
this to see what a fast loop looks like. Three things make it fast: no call into Python between two time steps; memory kept
slot-last, (W, N), so that every inner loop runs over N neighbours; exp, log and tanh that vectorise
(numpymem/ops/kernels_math.py). Outside, M is (T, B, N, W) as everywhere: a transposed view, nothing is copied.
"""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ntm.equations import EPS as SHARPEN_EPS
from numpymem.ntm.sequence import weight_gradients
from numpymem.ops.cosine import EPS as COSINE_EPS
from numpymem.ops.kernels_math import exp, log, sigmoid, tanh

loop = compile_loop()


# ---- parts, each for one head of one sequence: rows of N slots ---------------------------------------------------------

@loop
def softmax(z, p):
    top, total = z[0], z[0] - z[0]
    for n in range(z.size):
        top = max(top, z[n])
    for n in range(z.size):
        p[n] = exp(z[n] - top)
        total += p[n]
    scale = p.dtype.type(1) / total
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
def inverse_norms(vectors, eps, out):
    """1 / sqrt(v.v + eps) for the columns of a (W, N) array."""
    W, N = vectors.shape
    for n in range(N):
        out[n] = eps
    for i in range(W):
        for n in range(N):
            out[n] += vectors[i, n] * vectors[i, n]
    for n in range(N):
        out[n] = out.dtype.type(1) / np.sqrt(out[n])


@loop
def inverse_norm(vector, eps):
    total = eps
    for i in range(vector.size):
        total += vector[i] * vector[i]
    return vector.dtype.type(1) / np.sqrt(total)


@loop
def weighted_rows(weights, rows, out):
    """out = sum_i weights_i rows_i: what a vector of W numbers makes of a (W, N) memory."""
    for n in range(out.size):
        out[n] = out.dtype.type(0)
    for i in range(weights.size):
        for n in range(out.size):
            out[n] += weights[i] * rows[i, n]


@loop
def dot(x, y):
    total = x[0] - x[0]
    for n in range(x.size):
        total += x[n] * y[n]
    return total


@loop
def wrap_around(row, ends, out):
    """`row` with its last `ends` numbers put before it and its first ones behind: a circle cut open."""
    N = row.size
    for n in range(N):
        out[ends + n] = row[n]
    for j in range(ends):
        out[j] = row[N - ends + j]
        out[ends + N + j] = row[j]


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


# ---- the memory of one sequence at one step: memory_step ----------------------------------------------------------------

@loop
def memory_step(p, before, w_prev, S, r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s):
    """From raw parameters p, memory `before` (W, N) and weights w_prev, fill all the rest."""
    (W, N), H, R, Q, dtype = before.shape, w.shape[0], r.shape[0], e.shape[0], p.dtype
    one, zero, eps, log_eps = dtype.type(1), dtype.type(0), dtype.type(COSINE_EPS), dtype.type(SHARPEN_EPS)
    M_scale, scores, circle = np.empty(N, dtype), np.empty(N, dtype), np.empty(N + S - 1, dtype)
    at_beta = H * W
    at_g, at_s = at_beta + H, at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    at_a = at_e + Q * W
    inverse_norms(before, eps, M_scale)
    for h in range(H):
        # NTM-parameters
        for i in range(W):
            k[h, i] = tanh(p[h * W + i])
        beta[h, 0] = softplus(p[at_beta + h])
        g[h, 0] = sigmoid(p[at_g + h])
        softmax(p[at_s + h * S:at_s + (h + 1) * S], s[h])
        gamma[h, 0] = one + softplus(p[at_gamma + h])
        # (6), (5)
        weighted_rows(k[h], before, K[h])
        k_scale = inverse_norm(k[h], eps)
        for n in range(N):
            K[h, n] *= k_scale * M_scale[n]
            scores[n] = beta[h, 0] * K[h, n]
        softmax(scores, w_c[h])
        # (7)
        gate = g[h, 0]
        for n in range(N):
            w_g[h, n] = gate * w_c[h, n] + (one - gate) * w_prev[h, n]
        # (8)
        wrap_around(w_g[h], S // 2, circle)
        for n in range(N):
            w_s[h, n] = zero
        for j in range(S):
            turned = circle[S - 1 - j:S - 1 - j + N]
            for n in range(N):
                w_s[h, n] += s[h, j] * turned[n]
        # (9)
        for n in range(N):
            scores[n] = gamma[h, 0] * log(w_s[h, n] + log_eps)
        softmax(scores, w[h])
    # (2)
    for h in range(R):
        for i in range(W):
            r[h, i] = dot(w[h], before[i])
    # (3), (4)
    for q in range(Q):
        for i in range(W):
            e[q, i] = sigmoid(p[at_e + q * W + i])
            a[q, i] = tanh(p[at_a + q * W + i])
    for i in range(W):
        for n in range(N):
            M[i, n] = before[i, n]
        for q in range(Q):
            for n in range(N):
                M[i, n] *= one - w[R + q, n] * e[q, i]
        for q in range(Q):
            for n in range(N):
                M[i, n] += w[R + q, n] * a[q, i]


@loop
def memory_step_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, p, before, w_prev, S,
                         dp, dM_prev, dw_prev):
    """Fill dp, dM_prev and dw_prev. dw, the gradient of w from the step after, is added to in place."""
    (W, N), H, R, Q, dtype = before.shape, w.shape[0], dr.shape[0], e.shape[0], p.dtype
    one, zero, eps, log_eps = dtype.type(1), dtype.type(0), dtype.type(COSINE_EPS), dtype.type(SHARPEN_EPS)
    dw_s, dw_g, dK, k_hat = np.empty(N, dtype), np.empty(N, dtype), np.empty((H, N), dtype), np.empty((H, W), dtype)
    M_scale, row, along, others = np.empty(N, dtype), np.empty(N, dtype), np.empty(N, dtype), np.empty(N, dtype)
    circle = np.empty(N + S - 1, dtype)
    at_beta = H * W
    at_g, at_s = at_beta + H, at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    at_a = at_e + Q * W
    # (4), (3): M = M_prev prod_q (1 - w_q e_q) + sum_q w_q a_q
    for i in range(W):
        for n in range(N):
            dM_prev[i, n] = dM[i, n]
        for q in range(Q):
            for n in range(N):
                dM_prev[i, n] *= one - w[R + q, n] * e[q, i]
        for q in range(Q):
            for n in range(N):
                others[n] = dM[i, n] * before[i, n]
            for o in range(Q):
                if o != q:
                    for n in range(N):
                        others[n] *= one - w[R + o, n] * e[o, i]
            de, da = zero, zero
            for n in range(N):
                de -= others[n] * w[R + q, n]
                da += dM[i, n] * w[R + q, n]
                dw[R + q, n] += a[q, i] * dM[i, n] - e[q, i] * others[n]
            dp[at_e + q * W + i] = de * e[q, i] * (one - e[q, i])
            dp[at_a + q * W + i] = da * (one - a[q, i] * a[q, i])
    # (2): r = w M_prev
    for h in range(R):
        for i in range(W):
            dr_i = dr[h, i]
            for n in range(N):
                dw[h, n] += dr_i * before[i, n]
                dM_prev[i, n] += dr_i * w[h, n]
    for h in range(H):
        # (9): w = softmax(gamma log(w_s + eps))
        softmax_backward(dw[h], w[h], row)
        dgamma = zero
        for n in range(N):
            dgamma += row[n] * log(w_s[h, n] + log_eps)
            dw_s[n] = gamma[h, 0] * row[n] / (w_s[h, n] + log_eps)
        dp[at_gamma + h] = dgamma * sigmoid(p[at_gamma + h])
        # (8): w_s(n) = sum_offset s(offset) w_g(n - offset),  s = softmax(raw)
        wrap_around(w_g[h], S // 2, circle)
        ds = dp[at_s + h * S:at_s + (h + 1) * S]
        for j in range(S):
            ds[j] = dot(dw_s, circle[S - 1 - j:S - 1 - j + N])
        softmax_backward(ds, s[h], ds)
        wrap_around(dw_s, S // 2, circle)
        dw_g[:] = zero
        for j in range(S):
            turned = circle[j:j + N]
            for n in range(N):
                dw_g[n] += s[h, j] * turned[n]
        # (7): w_g = g w_c + (1 - g) w_prev
        gate, dg = g[h, 0], zero
        for n in range(N):
            dg += dw_g[n] * (w_c[h, n] - w_prev[h, n])
            dw_prev[h, n] = (one - gate) * dw_g[n]
            dw_g[n] *= gate
        dp[at_g + h] = dg * gate * (one - gate)
        # (5): w_c = softmax(beta K)
        softmax_backward(dw_g, w_c[h], row)
        dbeta = dot(K[h], row)
        for n in range(N):
            dK[h, n] = beta[h, 0] * row[n]
        dp[at_beta + h] = dbeta * sigmoid(p[at_beta + h])
    # (6): K = k_hat M_hat^T;  dM_hat . M_hat = sum_h dK K, so `along` is had without another pass over the memory
    inverse_norms(before, eps, M_scale)
    along[:] = zero
    for h in range(H):
        k_scale, k_along = inverse_norm(k[h], eps), dot(dK[h], K[h])
        for n in range(N):
            along[n] += dK[h, n] * K[h, n]
            row[n] = dK[h, n] * M_scale[n]
        for i in range(W):
            k_hat[h, i] = k[h, i] * k_scale
            dk = k_scale * (dot(row, before[i]) - k_hat[h, i] * k_along)
            dp[h * W + i] = dk * (one - k[h, i] * k[h, i])
    for i in range(W):
        row[:] = zero
        for h in range(H):
            for n in range(N):
                row[n] += dK[h, n] * k_hat[h, i]
        for n in range(N):
            dM_prev[i, n] += M_scale[n] * (row[n] - before[i, n] * M_scale[n] * along[n])


# ---- all steps of all sequences -----------------------------------------------------------------------------------------

@loop
def forward(pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, R, Q, S):
    T, B, G = pre_x.shape
    (W, N), C, P, dtype = M0.shape[1:], W_heads.shape[0], W_heads.shape[1], pre_x.dtype
    H, n_reads = R + Q, R * W
    h, c, gates = np.empty((T, B, C), dtype), np.empty((T, B, c0.shape[1]), dtype), pre_x.copy()
    u, raw = np.empty((T, B, W_u.shape[0]), dtype), np.empty((T, B, P), dtype)
    r, w, M = np.empty((T, B, R, W), dtype), np.empty((T, B, H, N), dtype), np.empty((T, B, W, N), dtype)
    k, beta, g = np.empty((T, B, H, W), dtype), np.empty((T, B, H, 1), dtype), np.empty((T, B, H, 1), dtype)
    s, gamma = np.empty((T, B, H, S), dtype), np.empty((T, B, H, 1), dtype)
    e, a = np.empty((T, B, Q, W), dtype), np.empty((T, B, Q, W), dtype)
    K, w_c = np.empty((T, B, H, N), dtype), np.empty((T, B, H, N), dtype)
    w_g, w_s = np.empty((T, B, H, N), dtype), np.empty((T, B, H, N), dtype)
    for t in range(T):
        h_prev, c_prev, r_prev, w_prev, M_prev = h0, c0, r0, w0, M0
        if t > 0:
            c_prev, r_prev, w_prev, M_prev = c[t - 1], r[t - 1], w[t - 1], M[t - 1]
            if h0.shape[1] > 0:
                h_prev = h[t - 1]
        for b in range(B):
            for j in range(n_reads):
                u[t, b, j] = r_prev[b, j // W, j % W]
            for j in range(h0.shape[1]):
                u[t, b, n_reads + j] = h_prev[b, j]
        rows_times_matrix(u[t], W_u, gates[t])
        for b in range(B):
            controller(gates[t, b], h[t, b], c[t, b], c_prev[b])
            raw[t, b] = b_heads
        rows_times_matrix(h[t], W_heads, raw[t])
        for b in range(B):
            memory_step(raw[t, b], M_prev[b], w_prev[b], S, r[t, b], w[t, b], M[t, b], k[t, b], beta[t, b], g[t, b], s[t, b],
                        gamma[t, b], e[t, b], a[t, b], K[t, b], w_c[t, b], w_g[t, b], w_s[t, b])
    return h, c, gates, u, raw, r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s


@loop
def backward(dh_out, dr_out, h, c, gates, raw, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, W_uT, W_headsT,
             h0, c0, r0, w0, M0, S):
    T, B, C = h.shape
    R, W = r0.shape[1:]
    n_reads = R * W
    dpre, draw = np.empty((T, B, W_uT.shape[0]), h.dtype), np.empty_like(raw)
    dh, dr, dc, dw, dM = np.zeros_like(h[0]), np.zeros_like(r0), np.zeros_like(c0), np.zeros_like(w0), np.zeros_like(M0)
    dw_prev, dM_prev, du = np.empty_like(w0), np.empty_like(M0), np.empty((B, W_uT.shape[1]), h.dtype)
    for t in range(T - 1, -1, -1):
        c_prev, w_prev, M_prev = c0, w0, M0
        if t > 0:
            c_prev, w_prev, M_prev = c[t - 1], w[t - 1], M[t - 1]
        dr += dr_out[t]
        dh += dh_out[t]
        for b in range(B):
            memory_step_backward(dr[b], dw[b], dM[b], w[t, b], k[t, b], beta[t, b], g[t, b], s[t, b], gamma[t, b], e[t, b],
                                 a[t, b], K[t, b], w_c[t, b], w_g[t, b], w_s[t, b], raw[t, b], M_prev[b], w_prev[b], S,
                                 draw[t, b], dM_prev[b], dw_prev[b])
        dw, dw_prev, dM, dM_prev = dw_prev, dw, dM_prev, dM
        rows_times_matrix(draw[t], W_headsT, dh)
        for b in range(B):
            controller_backward(dh[b], dc[b], gates[t, b], h[t, b], c[t, b], c_prev[b], dpre[t, b])
        du[:] = h.dtype.type(0)
        rows_times_matrix(dpre[t], W_uT, du)
        dh[:] = h.dtype.type(0)
        for b in range(B):
            for j in range(n_reads):
                dr[b, j // W, j % W] = du[b, j]
            for j in range(h0.shape[1]):
                dh[b, j] = du[b, n_reads + j]
    return dpre, draw, dh, dc, dr, dw, dM


# ---- the pair as Python calls it ---------------------------------------------------------------------------------------

def slot_last(M):
    """(..., N, W) -> (..., W, N), contiguous; free for a memory that came out of this kernel."""
    return np.ascontiguousarray(M.swapaxes(-1, -2))


def sequence(pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    arrays = (np.ascontiguousarray(x) for x in (pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0))
    h, c, gates, u, raw, r, w, M, *rest = forward(*arrays, slot_last(M0), sizes.R, sizes.Q, sizes.S)
    gates = gates if c0.shape[1] else gates[..., :0]
    return h, c, gates, u, raw, r, w, M.swapaxes(-1, -2), *rest


def sequence_backward(dh, dr, h, c, gates, u, raw, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s,
                      pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    arrays = (np.ascontiguousarray(x) for x in (dh, dr, h, c, gates, raw, w))
    saved = (np.ascontiguousarray(x) for x in (k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, W_u.T, W_heads.T, h0, c0, r0, w0))
    dpre, draw, dh0, dc0, dr0, dw0, dM0 = backward(*arrays, slot_last(M), *saved, slot_last(M0), sizes.S)
    if not c0.shape[1]:
        dh0 = np.zeros_like(h0)
    return dpre, *weight_gradients(dpre, draw, u, h), dh0, dc0, dr0, dw0, dM0.swapaxes(-1, -2)
