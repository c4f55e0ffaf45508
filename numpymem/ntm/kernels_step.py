"""One step of the NTM's memory for one sequence, compiled: what `memory_step` in numpymem/ntm/step.py does, and its backward.

The same names in the same order; read step.py to learn, this to see what a fast loop looks like. Memory is kept slot-last,
(W, slots), so that every inner loop runs over neighbours: `slots` is N filled up to a multiple of LANES, and what is beyond N
stays zero. Passes over the memory work on LANES slots at a time (numpymem/ops/lanes.py); loops with exp, log and tanh vectorise
as they stand (numpymem/ops/kernels_math.py).
"""

from numpymem.kernel import compile_loop
from numpymem.ntm.equations import EPS as SHARPEN_EPS
from numpymem.ops.cosine import EPS as COSINE_EPS
from numpymem.ops.kernels_lanes import LANES, fill, load, store, total
from numpymem.ops.kernels_math import log, sigmoid
from numpymem.ops.kernels_rows import (add_outer, dot, inverse_norm, inverse_norms, sigmoid_of, softmax, softmax_backward, softplus,
                                       tanh_of, weighted_rows)

loop = compile_loop(allocates=False)
part = compile_loop(allocates=False, inline="always")        # compiled where it is called, and only there


# ---- a circle of slots ---------------------------------------------------------------------------------------------------

@loop
def wrap_around(row, N, ends, out):
    """The N slots of `row` with the last `ends` of them put before and the first ones behind: a circle cut open."""
    for n in range(0, row.size, LANES):
        store(out, ends + n, load(row, n))
    for j in range(ends):
        out[j] = row[N - ends + j]
        out[ends + N + j] = row[j]


@loop
def weighted_windows(weights, circle, first, step, N, out):
    """out(n) = sum_j weights_j circle(n + first + j step): with first = S - 1 and step = -1 a circular convolution."""
    for n in range(0, out.size, LANES):
        found = weights[0] * load(circle, n + first)
        for j in range(1, weights.size):
            found += weights[j] * load(circle, n + first + j * step)
        store(out, n, found)
    for n in range(N, out.size):
        out[n] = circle.dtype.type(0)


# ---- the memory of one sequence at one step: memory_step ----------------------------------------------------------------

@loop
def places(H, Q, W, S):
    """Where beta, g, s, gamma, e and a begin in `raw`; k begins at 0."""
    at_beta = H * W
    at_s = at_beta + 2 * H
    at_gamma = at_s + H * S
    at_e = at_gamma + H
    return at_beta, at_beta + H, at_s, at_gamma, at_e, at_e + Q * W


@part
def head_parameters(raw, k, beta, g, s, gamma, e, a):
    (H, W), S, Q, one = k.shape, s.shape[1], len(e), raw.dtype.type(1)
    at_beta, at_g, at_s, at_gamma, at_e, at_a = places(H, Q, W, S)
    for h in range(H):
        tanh_of(raw[h * W:(h + 1) * W], k[h])
        beta[h, 0] = softplus(raw[at_beta + h])
        g[h, 0] = sigmoid(raw[at_g + h])
        softmax(raw[at_s + h * S:at_s + (h + 1) * S], s[h])
        gamma[h, 0] = one + softplus(raw[at_gamma + h])
    for q in range(Q):
        sigmoid_of(raw[at_e + q * W:at_e + (q + 1) * W], e[q])
        tanh_of(raw[at_a + q * W:at_a + (q + 1) * W], a[q])


@loop
def memory_step(raw, before, w_prev, R, N, r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, scratch):
    """From raw parameters, memory `before` (W, slots) and weights w_prev, fill all that is between r and w_s."""
    M_scale = scratch[0, :w.shape[1]]
    head_parameters(raw, k, beta, g, s, gamma, e, a)
    inverse_norms(before, raw.dtype.type(COSINE_EPS), M_scale)
    address(before, M_scale, w_prev, N, w, k, beta, g, s, gamma, K, w_c, w_g, w_s, scratch[1:])
    read(before, w[:R], r)
    write(before, w[R:], e, a, M)


@part
def address(before, M_scale, w_prev, N, w, k, beta, g, s, gamma, K, w_c, w_g, w_s, scratch):
    """(5) to (9) of all heads; M_scale is 1 / length of each column of `before`."""
    (H, slots), number = w.shape, w.dtype.type
    one, eps, log_eps = number(1), number(COSINE_EPS), number(SHARPEN_EPS)
    scores, circle = scratch[0, :slots], scratch[1]
    for h in range(H):
        w_c_h, w_g_h, w_s_h, beta_h, g_h, gamma_h = w_c[h], w_g[h], w_s[h], beta[h, 0], g[h, 0], gamma[h, 0]
        # (6), (5)
        k_scale = inverse_norm(k[h], eps)
        for n in range(0, slots, LANES):
            K_n = k_scale * weighted_rows(k[h], before, n) * load(M_scale, n)
            store(K[h], n, K_n)
            store(scores, n, beta_h * K_n)
        softmax(scores[:N], w_c_h[:N])
        # (7)
        for n in range(0, slots, LANES):
            store(w_g_h, n, g_h * load(w_c_h, n) + (one - g_h) * load(w_prev[h], n))
        # (8)
        wrap_around(w_g_h, N, s.shape[1] // 2, circle)
        weighted_windows(s[h], circle, s.shape[1] - 1, -1, N, w_s_h)
        # (9)
        for n in range(N):
            scores[n] = gamma_h * log(w_s_h[n] + log_eps)
        softmax(scores[:N], w[h, :N])


@part
def read(before, w, r):
    """(2)"""
    for h in range(len(r)):
        for i in range(len(before)):
            r[h, i] = dot(w[h], before[i])


@part
def write(before, w, e, a, M):
    """(3), (4): M = before prod_q (1 - w_q e_q) + sum_q w_q a_q"""
    last = len(w) - 1
    for q in range(last):
        fade(before if q == 0 else M, w[q], e[q], M)
    fade_and_add(before if last == 0 else M, w[last], e[last], a[last], M)
    for q in range(last):
        add_outer(a[q], w[q], M)


@loop
def fade(before, w, e, M):
    """M = before (1 - w e)"""
    one = e.dtype.type(1)
    for n in range(0, w.size, LANES):
        w_n = load(w, n)
        for i in range(e.size):
            store(M[i], n, load(before[i], n) * (one - e[i] * w_n))


@part
def fade_and_add(before, w, e, a, M):
    """M = before (1 - w e) + w a: with one write head, all of the write in one pass."""
    one = e.dtype.type(1)
    for n in range(0, w.size, LANES):
        w_n = load(w, n)
        for i in range(e.size):
            store(M[i], n, load(before[i], n) * (one - e[i] * w_n) + a[i] * w_n)


# ---- backward -----------------------------------------------------------------------------------------------------------

@part
def write_backward(dM, before, w, e, a, de, da, dw, dM_prev):
    """(4), (3): fill de, da (of the raw numbers) and dM_prev, add to dw."""
    (Q, W), slots = e.shape, w.shape[1]
    one, zero = e.dtype.type(1), e.dtype.type(0)
    # M = M_prev prod_q (1 - w_q e_q) + sum_q w_q a_q
    fade(dM, w[0], e[0], dM_prev)
    for q in range(1, Q):
        fade(dM_prev, w[q], e[q], dM_prev)
    for q in range(Q):
        for i in range(W):
            de_i, da_i, e_i, a_i = fill(zero), fill(zero), e[q, i], a[q, i]
            for n in range(0, slots, LANES):
                dM_n, w_n = load(dM[i], n), load(w[q], n)
                others = dM_n * load(before[i], n)
                for o in range(q):
                    others *= one - e[o, i] * load(w[o], n)
                for o in range(q + 1, Q):
                    others *= one - e[o, i] * load(w[o], n)
                de_i -= others * w_n
                da_i += dM_n * w_n
                store(dw[q], n, load(dw[q], n) + a_i * dM_n - e_i * others)
            de[q * W + i] = total(de_i) * e_i * (one - e_i)
            da[q * W + i] = total(da_i) * (one - a_i * a_i)


@part
def address_backward(dw, w, w_s, w_g, w_c, w_prev, K, beta, g, s, gamma, raw_beta, raw_gamma, N, ds, dw_prev, dK, scratch):
    """(9) to (5) for one head: fill ds (of the raw numbers), dw_prev and dK -> dbeta, dg, dgamma, also of the raw numbers."""
    slots, S, number = w.size, s.size, w.dtype.type
    one, zero, log_eps = number(1), number(0), number(SHARPEN_EPS)
    row, dw_s, dw_g, circle = scratch[0, :slots], scratch[1, :slots], scratch[2, :slots], scratch[3]
    # (9): w = softmax(gamma log(w_s + eps))
    softmax_backward(dw[:N], w[:N], row[:N])
    dgamma = zero
    for n in range(N):
        dgamma += row[n] * log(w_s[n] + log_eps)
        dw_s[n] = gamma * row[n] / (w_s[n] + log_eps)
    # (8): w_s(n) = sum_offset s(offset) w_g(n - offset),  s = softmax(raw)
    wrap_around(w_g, N, S // 2, circle)
    for j in range(S):
        ds_j = fill(zero)
        for n in range(0, slots, LANES):
            ds_j += load(dw_s, n) * load(circle, n + S - 1 - j)
        ds[j] = total(ds_j)
    softmax_backward(ds, s, ds)
    wrap_around(dw_s, N, S // 2, circle)
    weighted_windows(s, circle, 0, 1, N, dw_g)
    # (7): w_g = g w_c + (1 - g) w_prev
    dg = fill(zero)
    for n in range(0, slots, LANES):
        dw_g_n = load(dw_g, n)
        dg += dw_g_n * (load(w_c, n) - load(w_prev, n))
        store(dw_prev, n, (one - g) * dw_g_n)
        store(dw_g, n, g * dw_g_n)
    # (5): w_c = softmax(beta K)
    softmax_backward(dw_g[:N], w_c[:N], row[:N])
    for n in range(0, slots, LANES):
        store(dK, n, beta * load(row, n))
    return dot(K, row) * sigmoid(raw_beta), total(dg) * g * (one - g), dgamma * sigmoid(raw_gamma)


@part
def cosine_backward(dK, K, k, before, dk, dM_prev, M_scale, along):
    """(6): fill dk, add to dM_prev; dK is used up. K = k_hat M_hat^T"""
    (H, W), slots = k.shape, K.shape[1]
    eps = k.dtype.type(COSINE_EPS)
    inverse_norms(before, eps, M_scale)
    # dM_hat . M_hat = sum_h dK K, without another pass over the memory
    for n in range(0, slots, LANES):
        along_n = load(dK[0], n) * load(K[0], n)
        for h in range(1, H):
            along_n += load(dK[h], n) * load(K[h], n)
        store(along, n, along_n * load(M_scale, n) * load(M_scale, n))
    for h in range(H):
        k_scale, k_along, dK_h = inverse_norm(k[h], eps), dot(dK[h], K[h]), dK[h]
        for n in range(0, slots, LANES):
            store(dK_h, n, k_scale * load(dK_h, n) * load(M_scale, n))
        for i in range(W):
            dk[h * W + i] = dot(dK_h, before[i]) - k_scale * k_scale * k[h, i] * k_along
        add_outer(k[h], dK_h, dM_prev)
    for n in range(0, slots, LANES):
        along_n = load(along, n)
        for i in range(W):
            store(dM_prev[i], n, load(dM_prev[i], n) - load(before[i], n) * along_n)


@part
def read_backward(dr, before, w, dw, dM):
    """(2): r = w M. Add to dw and dM."""
    for h in range(len(dr)):
        for n in range(0, w.shape[1], LANES):
            store(dw[h], n, load(dw[h], n) + weighted_rows(dr[h], before, n))
        add_outer(dr[h], w[h], dM)


@part
def heads_backward(dw, w, k, beta, g, s, gamma, K, w_c, w_g, w_s, raw, before, w_prev, N, Q, draw, dM_prev, dw_prev, dK, scratch):
    """(9) to (5) of all heads: fill dw_prev and, of the raw numbers, those of k to gamma; add to dM_prev."""
    (H, W), S, slots, one = k.shape, s.shape[1], w.shape[1], w.dtype.type(1)
    at_beta, at_g, at_s, at_gamma, _, _ = places(H, Q, W, S)
    for h in range(H):
        draw[at_beta + h], draw[at_g + h], draw[at_gamma + h] = address_backward(
            dw[h], w[h], w_s[h], w_g[h], w_c[h], w_prev[h], K[h], beta[h, 0], g[h, 0], s[h], gamma[h, 0], raw[at_beta + h],
            raw[at_gamma + h], N, draw[at_s + h * S:at_s + (h + 1) * S], dw_prev[h], dK[h], scratch)
    cosine_backward(dK, K, k, before, draw[:at_beta], dM_prev, scratch[0, :slots], scratch[1, :slots])
    for h in range(H):
        for i in range(W):
            draw[h * W + i] *= one - k[h, i] * k[h, i]


@loop
def memory_step_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, before, w_prev, N,
                         draw, dM_prev, dw_prev, dK, scratch):
    """Fill draw, dM_prev and dw_prev. dw, from the step after, is added to in place."""
    (H, W), Q = k.shape, len(e)
    R = H - Q
    _, _, _, _, at_e, at_a = places(H, Q, W, s.shape[1])
    write_backward(dM, before, w[R:], e, a, draw[at_e:at_a], draw[at_a:], dw[R:], dM_prev)
    read_backward(dr, before, w[:R], dw, dM_prev)
    heads_backward(dw, w, k, beta, g, s, gamma, K, w_c, w_g, w_s, raw, before, w_prev, N, Q, draw, dM_prev, dw_prev, dK, scratch)
