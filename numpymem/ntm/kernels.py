"""The NTM's memory step as one compiled loop over the batch: kernel "ntm.step", a stand-in for the pair NTM-step.

It computes what numpymem/ntm/step.py computes, with the same names in the same order. Read step.py to learn; read this to see
what a fast loop looks like. Three things make it fast: one sequence at a time, so that its memory stays in the first cache;
memory kept slot-last, (W, N), so that every inner loop runs over N neighbours; exp, log and tanh that vectorise
(numpymem/ops/kernels_math.py). Outside, M is (B, N, W) as everywhere: a transposed view, nothing is copied.
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


# ---- the step ----------------------------------------------------------------------------------------------------------

@loop
def forward(raw, M_prev, w_prev, R, Q, S):
    B, W, N = M_prev.shape
    H, dtype = R + Q, raw.dtype
    one, zero, eps, log_eps = dtype.type(1), dtype.type(0), dtype.type(COSINE_EPS), dtype.type(SHARPEN_EPS)
    r, w, M = np.empty((B, R, W), dtype), np.empty((B, H, N), dtype), np.empty((B, W, N), dtype)
    k, beta, g = np.empty((B, H, W), dtype), np.empty((B, H, 1), dtype), np.empty((B, H, 1), dtype)
    s, gamma = np.empty((B, H, S), dtype), np.empty((B, H, 1), dtype)
    e, a = np.empty((B, Q, W), dtype), np.empty((B, Q, W), dtype)
    K, w_c = np.empty((B, H, N), dtype), np.empty((B, H, N), dtype)
    w_g, w_s = np.empty((B, H, N), dtype), np.empty((B, H, N), dtype)
    M_scale, scores, circle = np.empty(N, dtype), np.empty(N, dtype), np.empty(N + S - 1, dtype)
    at_beta = H * W
    at_g, at_s = at_beta + H, at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    at_a = at_e + Q * W
    for b in range(B):
        before, p = M_prev[b], raw[b]
        inverse_norms(before, eps, M_scale)
        for h in range(H):
            # NTM-parameters
            for i in range(W):
                k[b, h, i] = tanh(p[h * W + i])
            beta[b, h, 0] = softplus(p[at_beta + h])
            g[b, h, 0] = sigmoid(p[at_g + h])
            softmax(p[at_s + h * S:at_s + (h + 1) * S], s[b, h])
            gamma[b, h, 0] = one + softplus(p[at_gamma + h])
            # (6), (5)
            weighted_rows(k[b, h], before, K[b, h])
            k_scale = inverse_norm(k[b, h], eps)
            for n in range(N):
                K[b, h, n] *= k_scale * M_scale[n]
                scores[n] = beta[b, h, 0] * K[b, h, n]
            softmax(scores, w_c[b, h])
            # (7)
            gate = g[b, h, 0]
            for n in range(N):
                w_g[b, h, n] = gate * w_c[b, h, n] + (one - gate) * w_prev[b, h, n]
            # (8)
            wrap_around(w_g[b, h], S // 2, circle)
            for n in range(N):
                w_s[b, h, n] = zero
            for j in range(S):
                turned = circle[S - 1 - j:S - 1 - j + N]
                for n in range(N):
                    w_s[b, h, n] += s[b, h, j] * turned[n]
            # (9)
            for n in range(N):
                scores[n] = gamma[b, h, 0] * log(w_s[b, h, n] + log_eps)
            softmax(scores, w[b, h])
        # (2)
        for h in range(R):
            for i in range(W):
                r[b, h, i] = dot(w[b, h], before[i])
        # (3), (4)
        for q in range(Q):
            for i in range(W):
                e[b, q, i] = sigmoid(p[at_e + q * W + i])
                a[b, q, i] = tanh(p[at_a + q * W + i])
        for i in range(W):
            for n in range(N):
                M[b, i, n] = before[i, n]
            for q in range(Q):
                for n in range(N):
                    M[b, i, n] *= one - w[b, R + q, n] * e[b, q, i]
            for q in range(Q):
                for n in range(N):
                    M[b, i, n] += w[b, R + q, n] * a[b, q, i]
    return r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s


@loop
def backward(dr, dw_later, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, M_prev, w_prev, R, Q, S):
    B, W, N = M_prev.shape
    H, dtype = R + Q, raw.dtype
    one, zero, eps, log_eps = dtype.type(1), dtype.type(0), dtype.type(COSINE_EPS), dtype.type(SHARPEN_EPS)
    draw, dM_prev, dw_prev = np.empty_like(raw), np.empty_like(M_prev), np.empty_like(w_prev)
    dw, dw_s, dw_g, dK = np.empty((H, N), dtype), np.empty(N, dtype), np.empty(N, dtype), np.empty((H, N), dtype)
    M_scale, row, along, others = np.empty(N, dtype), np.empty(N, dtype), np.empty(N, dtype), np.empty(N, dtype)
    circle = np.empty(N + S - 1, dtype)
    k_hat = np.empty((H, W), dtype)
    at_beta = H * W
    at_g, at_s = at_beta + H, at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    at_a = at_e + Q * W
    for b in range(B):
        before, p, dp = M_prev[b], raw[b], draw[b]
        dw[:] = dw_later[b]
        # (4), (3): M = M_prev prod_q (1 - w_q e_q) + sum_q w_q a_q
        for i in range(W):
            for n in range(N):
                dM_prev[b, i, n] = dM[b, i, n]
            for q in range(Q):
                for n in range(N):
                    dM_prev[b, i, n] *= one - w[b, R + q, n] * e[b, q, i]
            for q in range(Q):
                for n in range(N):
                    others[n] = dM[b, i, n] * before[i, n]
                for o in range(Q):
                    if o != q:
                        for n in range(N):
                            others[n] *= one - w[b, R + o, n] * e[b, o, i]
                de, da = zero, zero
                for n in range(N):
                    de -= others[n] * w[b, R + q, n]
                    da += dM[b, i, n] * w[b, R + q, n]
                    dw[R + q, n] += a[b, q, i] * dM[b, i, n] - e[b, q, i] * others[n]
                dp[at_e + q * W + i] = de * e[b, q, i] * (one - e[b, q, i])
                dp[at_a + q * W + i] = da * (one - a[b, q, i] * a[b, q, i])
        # (2): r = w M_prev
        for h in range(R):
            for i in range(W):
                dr_i = dr[b, h, i]
                for n in range(N):
                    dw[h, n] += dr_i * before[i, n]
                    dM_prev[b, i, n] += dr_i * w[b, h, n]
        for h in range(H):
            # (9): w = softmax(gamma log(w_s + eps))
            softmax_backward(dw[h], w[b, h], row)
            dgamma = zero
            for n in range(N):
                dgamma += row[n] * log(w_s[b, h, n] + log_eps)
                dw_s[n] = gamma[b, h, 0] * row[n] / (w_s[b, h, n] + log_eps)
            dp[at_gamma + h] = dgamma * sigmoid(p[at_gamma + h])
            # (8): w_s(n) = sum_offset s(offset) w_g(n - offset),  s = softmax(raw)
            wrap_around(w_g[b, h], S // 2, circle)
            ds = dp[at_s + h * S:at_s + (h + 1) * S]
            for j in range(S):
                ds[j] = dot(dw_s, circle[S - 1 - j:S - 1 - j + N])
            softmax_backward(ds, s[b, h], ds)
            wrap_around(dw_s, S // 2, circle)
            dw_g[:] = zero
            for j in range(S):
                turned = circle[j:j + N]
                for n in range(N):
                    dw_g[n] += s[b, h, j] * turned[n]
            # (7): w_g = g w_c + (1 - g) w_prev
            gate, dg = g[b, h, 0], zero
            for n in range(N):
                dg += dw_g[n] * (w_c[b, h, n] - w_prev[b, h, n])
                dw_prev[b, h, n] = (one - gate) * dw_g[n]
                dw_g[n] *= gate
            dp[at_g + h] = dg * gate * (one - gate)
            # (5): w_c = softmax(beta K)
            softmax_backward(dw_g, w_c[b, h], row)
            dbeta = dot(K[b, h], row)
            for n in range(N):
                dK[h, n] = beta[b, h, 0] * row[n]
            dp[at_beta + h] = dbeta * sigmoid(p[at_beta + h])
        # (6): K = k_hat M_hat^T;  dM_hat . M_hat = sum_h dK K, so `along` is had without another pass over the memory
        inverse_norms(before, eps, M_scale)
        along[:] = zero
        for h in range(H):
            k_scale, k_along = inverse_norm(k[b, h], eps), dot(dK[h], K[b, h])
            for n in range(N):
                along[n] += dK[h, n] * K[b, h, n]
                row[n] = dK[h, n] * M_scale[n]
            for i in range(W):
                k_hat[h, i] = k[b, h, i] * k_scale
                dk = k_scale * (dot(row, before[i]) - k_hat[h, i] * k_along)
                dp[h * W + i] = dk * (one - k[b, h, i] * k[b, h, i])
        for i in range(W):
            row[:] = zero
            for h in range(H):
                for n in range(N):
                    row[n] += dK[h, n] * k_hat[h, i]
            for n in range(N):
                dM_prev[b, i, n] += M_scale[n] * (row[n] - before[i, n] * M_scale[n] * along[n])
    return draw, dM_prev, dw_prev


# ---- the pair as Python calls it ---------------------------------------------------------------------------------------

def slot_last(M):
    """(B, N, W) -> (B, W, N), contiguous; free for a memory that came out of this kernel."""
    return np.ascontiguousarray(M.swapaxes(1, 2))


def step(raw, M_prev, w_prev, sizes):
    r, w, M, *rest = forward(raw, slot_last(M_prev), w_prev, sizes.R, sizes.Q, sizes.S)
    return r, w, M.swapaxes(1, 2), *rest


def step_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, M_prev, w_prev, sizes):
    draw, dM_prev, dw_prev = backward(np.ascontiguousarray(dr), dw, slot_last(dM), w, k, beta, g, s, gamma, e, a, K, w_c, w_g,
                                      w_s, raw, slot_last(M_prev), w_prev, sizes.R, sizes.Q, sizes.S)
    return draw, dM_prev.swapaxes(1, 2), dw_prev
