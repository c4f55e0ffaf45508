"""One step of the NTM's memory for one sequence, compiled: what `memory_step` in numpymem/ntm/step.py does, and its backward.

The same names in the same order; read step.py to learn, this to see what a fast loop looks like. Memory is kept slot-last, (W, N),
so that every inner loop runs over N neighbours, and exp, log and tanh vectorise (numpymem/ops/kernels_math.py).
"""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ntm.equations import EPS as SHARPEN_EPS
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
def memory_step_backward(dr, dw, dM, w, p, K, w_c, w_g, w_s, raw, before, w_prev, R, S, dp, dM_prev, dw_prev, dK, scratch):
    """Fill dp (the gradient of raw), dM_prev and dw_prev. dw, from the step after, is added to in place."""
    W, N = before.shape
    H = w.shape[0]
    Q = H - R
    number = raw.dtype.type
    zero, one, eps, log_eps = number(0), number(1), number(COSINE_EPS), number(SHARPEN_EPS)
    M_scale, row, along, others = scratch[0, :N], scratch[1, :N], scratch[2, :N], scratch[3, :N]
    dw_s, dw_g, circle = scratch[4, :N], scratch[5, :N], scratch[6, :N + S - 1]
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
