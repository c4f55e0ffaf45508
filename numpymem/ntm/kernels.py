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


@loop
def weighted_windows(weights, circle, backwards, out):
    """out(n) = sum_j weights_j circle(n + j), or circle(n + S - 1 - j) if backwards: a circular convolution, or its reverse."""
    S, N = weights.size, out.size
    for n in range(N):
        out[n] = weights[0] - weights[0]
    for j in range(S):
        start, weight = (S - 1 - j if backwards else j), weights[j]
        window = circle[start:start + N]
        for n in range(N):
            out[n] += weight * window[n]


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
#
# `p` holds the squashed head parameters in the layout of `raw`: k, beta, g, s, gamma of all heads, then e, a of the write heads.

@loop
def memory_step(raw, before, w_prev, R, S, p, r, w, M, K, w_c, w_g, w_s, scratch):
    """From raw parameters, memory `before` (W, N) and weights w_prev, fill p, r, w, M and the weights on the way."""
    W, N = before.shape
    H = w.shape[0]
    Q = H - R
    number = raw.dtype.type
    one, eps, log_eps = number(1), number(COSINE_EPS), number(SHARPEN_EPS)
    M_scale, scores, circle = scratch[0, :N], scratch[1, :N], scratch[2, :N + S - 1]
    at_beta = H * W
    at_g, at_s = at_beta + H, at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    at_a = at_e + Q * W
    inverse_norms(before, eps, M_scale)
    for i in range(at_beta):
        p[i] = tanh(raw[i])
    for h in range(H):
        p[at_beta + h] = softplus(raw[at_beta + h])
        p[at_g + h] = sigmoid(raw[at_g + h])
        softmax(raw[at_s + h * S:at_s + (h + 1) * S], p[at_s + h * S:at_s + (h + 1) * S])
        p[at_gamma + h] = one + softplus(raw[at_gamma + h])
    for i in range(at_e, at_a):
        p[i] = sigmoid(raw[i])
    for i in range(at_a, p.size):
        p[i] = tanh(raw[i])
    for h in range(H):
        k, beta, gate = p[h * W:(h + 1) * W], p[at_beta + h], p[at_g + h]
        s, gamma = p[at_s + h * S:at_s + (h + 1) * S], p[at_gamma + h]
        K_h, w_c_h, w_g_h, w_s_h, w_h, w_prev_h = K[h], w_c[h], w_g[h], w_s[h], w[h], w_prev[h]
        # (6), (5)
        weighted_rows(k, before, K_h)
        k_scale = inverse_norm(k, eps)
        for n in range(N):
            K_h[n] *= k_scale * M_scale[n]
            scores[n] = beta * K_h[n]
        softmax(scores, w_c_h)
        # (7)
        for n in range(N):
            w_g_h[n] = gate * w_c_h[n] + (one - gate) * w_prev_h[n]
        # (8)
        wrap_around(w_g_h, S // 2, circle)
        weighted_windows(s, circle, True, w_s_h)
        # (9)
        for n in range(N):
            scores[n] = gamma * log(w_s_h[n] + log_eps)
        softmax(scores, w_h)
    # (2)
    for h in range(R):
        for i in range(W):
            r[h, i] = dot(w[h], before[i])
    # (3), (4)
    for i in range(W):
        before_i, M_i = before[i], M[i]
        for n in range(N):
            M_i[n] = before_i[n]
        for q in range(Q):
            e, w_q = p[at_e + q * W + i], w[R + q]
            for n in range(N):
                M_i[n] *= one - w_q[n] * e
        for q in range(Q):
            a, w_q = p[at_a + q * W + i], w[R + q]
            for n in range(N):
                M_i[n] += w_q[n] * a


@loop
def memory_step_backward(dr, dw, dM, w, p, K, w_c, w_g, w_s, raw, before, w_prev, R, S, dp, dM_prev, dw_prev, scratch):
    """Fill dp (the gradient of raw), dM_prev and dw_prev. dw, from the step after, is added to in place."""
    W, N = before.shape
    H = w.shape[0]
    Q = H - R
    number = raw.dtype.type
    zero, one, eps, log_eps = number(0), number(1), number(COSINE_EPS), number(SHARPEN_EPS)
    M_scale, row, along, others = scratch[0, :N], scratch[1, :N], scratch[2, :N], scratch[3, :N]
    dw_s, dw_g, circle, dK = scratch[4, :N], scratch[5, :N], scratch[6, :N + S - 1], scratch[7:, :N]
    at_beta = H * W
    at_g, at_s = at_beta + H, at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    at_a = at_e + Q * W
    # (4), (3): M = M_prev prod_q (1 - w_q e_q) + sum_q w_q a_q
    for i in range(W):
        before_i, dM_i, dM_prev_i = before[i], dM[i], dM_prev[i]
        for n in range(N):
            dM_prev_i[n] = dM_i[n]
        for q in range(Q):
            e, w_q = p[at_e + q * W + i], w[R + q]
            for n in range(N):
                dM_prev_i[n] *= one - w_q[n] * e
        for q in range(Q):
            for n in range(N):
                others[n] = dM_i[n] * before_i[n]
            for o in range(Q):
                if o != q:
                    e, w_q = p[at_e + o * W + i], w[R + o]
                    for n in range(N):
                        others[n] *= one - w_q[n] * e
            e, a, w_q, dw_q, de, da = p[at_e + q * W + i], p[at_a + q * W + i], w[R + q], dw[R + q], zero, zero
            for n in range(N):
                de -= others[n] * w_q[n]
                da += dM_i[n] * w_q[n]
                dw_q[n] += a * dM_i[n] - e * others[n]
            dp[at_e + q * W + i] = de * e * (one - e)
            dp[at_a + q * W + i] = da * (one - a * a)
    # (2): r = w M_prev
    for h in range(R):
        w_h, dw_h = w[h], dw[h]
        for i in range(W):
            dr_i, before_i, dM_prev_i = dr[h, i], before[i], dM_prev[i]
            for n in range(N):
                dw_h[n] += dr_i * before_i[n]
                dM_prev_i[n] += dr_i * w_h[n]
    for h in range(H):
        beta, gate, gamma = p[at_beta + h], p[at_g + h], p[at_gamma + h]
        s, ds = p[at_s + h * S:at_s + (h + 1) * S], dp[at_s + h * S:at_s + (h + 1) * S]
        w_s_h, w_g_h, w_c_h, w_prev_h, K_h, dK_h = w_s[h], w_g[h], w_c[h], w_prev[h], K[h], dK[h]
        # (9): w = softmax(gamma log(w_s + eps))
        softmax_backward(dw[h], w[h], row)
        dgamma = zero
        for n in range(N):
            dgamma += row[n] * log(w_s_h[n] + log_eps)
            dw_s[n] = gamma * row[n] / (w_s_h[n] + log_eps)
        dp[at_gamma + h] = dgamma * sigmoid(raw[at_gamma + h])
        # (8): w_s(n) = sum_offset s(offset) w_g(n - offset),  s = softmax(raw)
        wrap_around(w_g_h, S // 2, circle)
        for j in range(S):
            ds[j] = dot(dw_s, circle[S - 1 - j:S - 1 - j + N])
        softmax_backward(ds, s, ds)
        wrap_around(dw_s, S // 2, circle)
        weighted_windows(s, circle, False, dw_g)
        # (7): w_g = g w_c + (1 - g) w_prev
        dg, dw_prev_h = zero, dw_prev[h]
        for n in range(N):
            dg += dw_g[n] * (w_c_h[n] - w_prev_h[n])
            dw_prev_h[n] = (one - gate) * dw_g[n]
            dw_g[n] *= gate
        dp[at_g + h] = dg * gate * (one - gate)
        # (5): w_c = softmax(beta K)
        softmax_backward(dw_g, w_c_h, row)
        dp[at_beta + h] = dot(K_h, row) * sigmoid(raw[at_beta + h])
        for n in range(N):
            dK_h[n] = beta * row[n]
    # (6): K = k_hat M_hat^T.  dM_hat . M_hat = sum_h dK K, so `along` is had without another pass over the memory
    inverse_norms(before, eps, M_scale)
    for n in range(N):
        along[n] = zero
    for h in range(H):
        k, K_h, dK_h = p[h * W:(h + 1) * W], K[h], dK[h]
        k_scale, k_along = inverse_norm(k, eps), dot(dK_h, K_h)
        for n in range(N):
            along[n] += dK_h[n] * K_h[n]
            dK_h[n] *= M_scale[n]
        for i in range(W):
            k_hat = k[i] * k_scale
            dp[h * W + i] = k_scale * (dot(dK_h, before[i]) - k_hat * k_along) * (one - k[i] * k[i])
        for n in range(N):
            dK_h[n] *= k_scale
    for n in range(N):
        along[n] *= M_scale[n] * M_scale[n]
    for i in range(W):
        before_i, dM_prev_i = before[i], dM_prev[i]
        for h in range(H):
            dK_h, k_i = dK[h], p[h * W + i]
            for n in range(N):
                dM_prev_i[n] += dK_h[n] * k_i
        for n in range(N):
            dM_prev_i[n] -= before_i[n] * along[n]


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
             dpre, draw, dh, dr, dc, dw, dM, dw_prev, dM_prev, du, scratch):
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
                                 M_prev[b], w_prev[b], R, S, draw[t, b], dM_prev[b], dw_prev[b], scratch)
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
                        np.empty((B, len(W_u)), dtype), np.empty((7 + sizes.H, N + sizes.S), dtype))
    dh0 = dh0 if c0.shape[1] else np.zeros_like(h0)
    return dpre, *weight_gradients(dpre, draw, u, h), dh0, dc0, dr0, dw0, dM0.swapaxes(-1, -2)
