"""One step of the DNC's memory for one sequence, compiled: what `memory_step` in numpymem/dnc/step.py does, and its backward.

The same names in the same order; read step.py to learn, this to see what a fast loop looks like. Memory is kept slot-last,
(W, slots), links as N rows of `slots`, which is N filled up to a multiple of LANES; what is beyond N stays zero. The
parts that the DNC shares with the NTM are the NTM's (numpymem/ntm/kernels_step.py, numpymem/ops/kernels_rows.py).
"""

from numpymem.kernel import compile_loop
from numpymem.ntm.kernels_step import cosine_backward, fade_and_add
from numpymem.ops.cosine import EPS as COSINE_EPS
from numpymem.ops.kernels_lanes import LANES, fill, load, store, total
from numpymem.ops.kernels_math import sigmoid
from numpymem.ops.kernels_rows import (add_outer, dot, inverse_norm, inverse_norms, sigmoid_of, softmax, softmax_backward, softplus,
                                       weighted_rows)

loop = compile_loop(allocates=False)
part = compile_loop(allocates=False, inline="always")        # called from one place: compiled there, and only there


# ---- forward --------------------------------------------------------------------------------------------------------------

@loop
def places(R, W):
    """Where beta_r, k_w, beta_w, e, v, f, g_a, g_w and pi begin in `raw`; k_r begins at 0."""
    at_beta_r = R * W
    at_k_w = at_beta_r + R
    at_beta_w = at_k_w + W
    at_e = at_beta_w + 1
    at_v = at_e + W
    at_f = at_v + W
    at_g_a = at_f + R
    return at_beta_r, at_k_w, at_beta_w, at_e, at_v, at_f, at_g_a, at_g_a + 1, at_g_a + 2


@part
def interface(raw, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi):
    (R, W), one = k_r.shape, raw.dtype.type(1)
    at_beta_r, at_k_w, at_beta_w, at_e, at_v, at_f, at_g_a, at_g_w, at_pi = places(R, W)
    for h in range(R):
        for i in range(W):
            k_r[h, i] = raw[h * W + i]
        beta_r[h, 0] = one + softplus(raw[at_beta_r + h])
        f[h, 0] = sigmoid(raw[at_f + h])
        softmax(raw[at_pi + 3 * h:at_pi + 3 * h + 3], pi[h])
    for i in range(W):
        k_w[0, i] = raw[at_k_w + i]
        v[0, i] = raw[at_v + i]
    sigmoid_of(raw[at_e:at_v], e[0])
    beta_w[0, 0] = one + softplus(raw[at_beta_w])
    g_a[0] = sigmoid(raw[at_g_a])
    g_w[0] = sigmoid(raw[at_g_w])


@loop
def sort_slots(u, phi):
    """Put the slots in phi in order, the emptiest first and of equally empty ones the first. By insertion: phi is the order of
    the step before, and usage changes little from step to step."""
    for j in range(1, phi.size):
        slot, place = phi[j], j
        for k in range(j - 1, -1, -1):
            other = phi[k]
            if u[other] < u[slot] or (u[other] == u[slot] and other < slot):
                break
            phi[k + 1], place = other, k
        phi[place] = slot


@part
def allocate(f, w_r_prev, w_w_prev, u_prev, psi, u, a, phi):
    """Retention, usage, allocation."""
    one = u.dtype.type(1)
    for n in range(0, u.size, LANES):
        psi_n = one - f[0, 0] * load(w_r_prev[0], n)
        for h in range(1, len(f)):
            psi_n *= one - f[h, 0] * load(w_r_prev[h], n)
        u_n, w_n = load(u_prev, n), load(w_w_prev, n)
        store(psi, n, psi_n)
        store(u, n, (u_n + w_n - u_n * w_n) * psi_n)
    sort_slots(u, phi)
    before = one
    for j in range(phi.size):
        slot = phi[j]
        a[slot] = (one - u[slot]) * before
        before *= u[slot]


@loop
def look_up(k, beta, M, M_scale, N, K, scores, c):
    """Content weights of one key."""
    k_scale = inverse_norm(k, k.dtype.type(COSINE_EPS))
    for n in range(0, K.size, LANES):
        K_n = k_scale * weighted_rows(k, M, n) * load(M_scale, n)
        store(K, n, K_n)
        store(scores, n, beta * K_n)
    softmax(scores[:N], c[:N])


@part
def link(L_prev, w_w, p_prev, L):
    """L[i, j] = (1 - w_i - w_j) L_prev[i, j] + w_i p_prev[j], with zeros on the diagonal."""
    one, zero = w_w.dtype.type(1), w_w.dtype.type(0)
    for i in range(len(L)):
        w_i = w_w[i]
        for n in range(0, w_w.size, LANES):
            store(L[i], n, (one - w_i - load(w_w, n)) * load(L_prev[i], n) + w_i * load(p_prev, n))
        L[i, i] = zero


@loop
def memory_step(raw, w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev, N, wipe, phi, M_scale,
                r, w_r, w_w, u, p, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, psi, a, K_w, c_w, K_r, c_r, w_b, w_f,
                scratch):
    """Fill all that is between r and w_f. phi and M_scale (1 / norms of the slots) go on from step to step."""
    (R, slots), number = w_r.shape, raw.dtype.type
    one, eps, total_written = number(1), number(COSINE_EPS), number(0)
    interface(raw, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi)
    allocate(f, w_r_prev, w_w_prev, u_prev, psi, u, a, phi)
    # write
    look_up(k_w[0], beta_w[0, 0], M_prev, M_scale, N, K_w[0], scratch, c_w[0])
    g, share = g_w[0], g_a[0]
    for n in range(0, slots, LANES):
        w_n = g * (share * load(a, n) + (one - share) * load(c_w[0], n))
        store(w_w, n, w_n)
        total_written += total(w_n)
    if wipe:
        for i in range(len(M)):
            for n in range(0, slots, LANES):
                store(M[i], n, load(M_prev[i], n) * load(psi, n))
        fade_and_add(M, w_w, e[0], v[0], M)
    else:
        fade_and_add(M_prev, w_w, e[0], v[0], M)
    # link
    link(L_prev, w_w, p_prev, L)
    for n in range(0, slots, LANES):
        store(p, n, (one - total_written) * load(p_prev, n) + load(w_w, n))
    # read
    inverse_norms(M, eps, M_scale)
    for h in range(R):
        for i in range(N):
            w_f[h, i] = dot(w_r_prev[h], L[i])
        look_up(k_r[h], beta_r[h, 0], M, M_scale, N, K_r[h], scratch, c_r[h])
        back, content, forward = pi[h, 0], pi[h, 1], pi[h, 2]
        for n in range(0, slots, LANES):
            w_b_n = weighted_rows(w_r_prev[h, :N], L, n)
            store(w_b[h], n, w_b_n)
            store(w_r[h], n, back * w_b_n + content * load(c_r[h], n) + forward * load(w_f[h], n))
        for i in range(len(M)):
            r[h, i] = dot(w_r[h], M[i])


# ---- backward -------------------------------------------------------------------------------------------------------------

@loop
def look_up_backward(dc, c, K, beta, N, dK, row):
    """c = softmax(beta K): fill dK -> dbeta."""
    softmax_backward(dc[:N], c[:N], row[:N])
    for n in range(0, K.size, LANES):
        store(dK, n, beta * load(row, n))
    return dot(K, row)


@part
def read_backward(dr, dw_r, dM, w_r, M, w_b, c_r, w_f, pi, dpi, dw_b, dc_r, dw_f):
    """r = w_r M,  w_r = pi_1 w_b + pi_2 c_r + pi_3 w_f: add to dw_r and dM, fill dpi (of the raw numbers), dw_b, dc_r, dw_f."""
    for h in range(len(dr)):
        for n in range(0, dw_r.shape[1], LANES):
            dw_n = load(dw_r[h], n) + weighted_rows(dr[h], M, n)
            store(dw_r[h], n, dw_n)
            store(dw_b[h], n, pi[h, 0] * dw_n)
            store(dc_r[h], n, pi[h, 1] * dw_n)
            store(dw_f[h], n, pi[h, 2] * dw_n)
        add_outer(dr[h], w_r[h], dM)
        dpi_h = dpi[3 * h:3 * h + 3]
        dpi_h[0], dpi_h[1], dpi_h[2] = dot(dw_r[h], w_b[h]), dot(dw_r[h], c_r[h]), dot(dw_r[h], w_f[h])
        softmax_backward(dpi_h, pi[h], dpi_h)


@part
def link_backward(dL, dw_b, dw_f, w_r_prev, L, L_prev, w_w, p_prev, N, dw_w, dw_r_prev, dp):
    """w_b = w_r_prev L, w_f = w_r_prev L^T, L = link(L_prev, w_w, p_prev): dL becomes that of L_prev; fill dw_r_prev, add to dw_w
    and dp."""
    R, slots = dw_b.shape
    one, zero = w_w.dtype.type(1), w_w.dtype.type(0)
    for h in range(R):
        for n in range(0, slots, LANES):
            store(dw_r_prev[h], n, weighted_rows(dw_f[h, :N], L, n))
        for i in range(N):
            dw_r_prev[h, i] += dot(dw_b[h], L[i])
    for i in range(N):
        w_i, drow, dL_i = w_w[i], fill(zero), dL[i]
        for n in range(0, slots, LANES):
            dL_n = load(dL_i, n)
            for h in range(R):
                dL_n += dw_f[h, i] * load(w_r_prev[h], n) + w_r_prev[h, i] * load(dw_b[h], n)
            store(dL_i, n, dL_n)
        dL_i[i] = zero
        for n in range(0, slots, LANES):
            dL_n, L_n = load(dL_i, n), load(L_prev[i], n)
            along = dL_n * L_n
            drow += dL_n * load(p_prev, n) - along
            store(dw_w, n, load(dw_w, n) - along)
            store(dp, n, load(dp, n) + w_i * dL_n)
            store(dL_i, n, (one - w_i - load(w_w, n)) * dL_n)
        dw_w[i] += total(drow)


@part
def precedence_backward(dp, p_prev, w_w, dw_w):
    """p = (1 - sum w_w) p_prev + w_w: dp becomes that of p_prev, add to dw_w."""
    one, zero = dp.dtype.type(1), dp.dtype.type(0)
    written, inner = fill(zero), dot(dp, p_prev)
    for n in range(0, dp.size, LANES):
        written += load(w_w, n)
        store(dw_w, n, load(dw_w, n) + load(dp, n) - fill(inner))
    keep = one - total(written)
    for n in range(0, dp.size, LANES):
        store(dp, n, keep * load(dp, n))


@part
def write_backward(dM, M_prev, psi, wipe, w_w, e, v, de, dv, dw_w, dpsi):
    """M = M_kept (1 - w e) + w v,  M_kept = M_prev psi if the DNC wipes: dM becomes that of M_prev; fill de (of the raw numbers)
    and dv, add to dw_w and dpsi."""
    one, zero = e.dtype.type(1), e.dtype.type(0)
    for i in range(e.size):
        de_i, dv_i, e_i, v_i, dM_i = fill(zero), fill(zero), e[i], v[i], dM[i]
        for n in range(0, w_w.size, LANES):
            dM_n, w_n, before = load(dM_i, n), load(w_w, n), load(M_prev[i], n)
            kept = before * load(psi, n) if wipe else before
            others = dM_n * kept
            de_i -= others * w_n
            dv_i += dM_n * w_n
            store(dw_w, n, load(dw_w, n) + v_i * dM_n - e_i * others)
            dkept = dM_n * (one - e_i * w_n)
            if wipe:
                store(dpsi, n, load(dpsi, n) + dkept * before)
                dkept *= load(psi, n)
            store(dM_i, n, dkept)
        de[i] = total(de_i) * e_i * (one - e_i)
        dv[i] = total(dv_i)


@part
def allocation_backward(da, u, phi, du, before):
    """Add to du; phi, from the step after, is put in this step's order. `before` is for use in here."""
    one, later = u.dtype.type(1), u.dtype.type(0)
    sort_slots(u, phi)
    product = one
    for j in range(phi.size):
        before[j] = product
        product *= u[phi[j]]
    for j in range(phi.size - 1, -1, -1):
        slot = phi[j]
        du[slot] += before[j] * (later - da[slot])
        later = da[slot] * (one - u[slot]) + u[slot] * later


@part
def usage_backward(du, dpsi, u_prev, w_w_prev, psi, f, w_r_prev, through_usage, dw_w, dw_r_prev, df):
    """u = usage(u_prev, w_w_prev, psi), psi = retention(f, w_r_prev): du becomes that of u_prev, dw_w that of w_w_prev; add to
    dw_r_prev, fill df (of the raw numbers)."""
    one, zero = du.dtype.type(1), du.dtype.type(0)
    for n in range(0, du.size, LANES):
        u_n, w_n, du_n = load(u_prev, n), load(w_w_prev, n), load(du, n)
        store(dpsi, n, load(dpsi, n) + du_n * (u_n + w_n - u_n * w_n))
        dwritten = du_n * load(psi, n)
        store(du, n, dwritten * (one - w_n))
        store(dw_w, n, dwritten * (one - u_n) if through_usage else fill(zero))
    for h in range(len(f)):
        df_h = fill(zero)
        for n in range(0, du.size, LANES):
            dkept = load(dpsi, n)
            for o in range(len(f)):
                if o != h:
                    dkept *= one - f[o, 0] * load(w_r_prev[o], n)
            df_h -= dkept * load(w_r_prev[h], n)
            store(dw_r_prev[h], n, load(dw_r_prev[h], n) - f[h, 0] * dkept)
        df[h] = total(df_h) * f[h, 0] * (one - f[h, 0])


@loop
def memory_step_backward(dr, dw_r, dw_w, du, dp, dL, dM, w_r, w_w, u, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, psi,
                         a, K_w, c_w, K_r, c_r, w_b, w_f, raw, w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev, N, wipe,
                         through_usage, phi, draw, dw_r_prev, rows, heads):
    """Fill draw and dw_r_prev; the gradients from the step after, dw_w, du, dp, dL and dM, become those of the step before.
    rows and heads are for use in here."""
    (R, slots), one, zero = w_r.shape, raw.dtype.type(1), raw.dtype.type(0)
    at_beta_r, at_k_w, at_beta_w, at_e, at_v, at_f, at_g_a, at_g_w, at_pi = places(R, len(M))
    dpsi, da, dc_w, row, M_scale, along = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    dw_b, dc_r, dw_f = heads[0], heads[1], heads[2]
    for n in range(0, slots, LANES):
        store(dpsi, n, fill(zero))
    # r = read(w_r, M),  w_r = read_weights(w_b, c_r, w_f, pi)
    read_backward(dr, dw_r, dM, w_r, M, w_b, c_r, w_f, pi, draw[at_pi:], dw_b, dc_r, dw_f)
    # c_r = content_weights(cosine_similarity(k_r, M), beta_r)
    for h in range(R):
        draw[at_beta_r + h] = look_up_backward(dc_r[h], c_r[h], K_r[h], beta_r[h, 0], N, dc_r[h], row) * sigmoid(raw[at_beta_r + h])
    cosine_backward(dc_r, K_r, k_r, M, draw[:at_beta_r], dM, M_scale, along)
    # w_b, w_f along the links,  L = link(L_prev, w_w, p_prev),  p = precedence(p_prev, w_w)
    precedence_backward(dp, p_prev, w_w, dw_w)
    link_backward(dL, dw_b, dw_f, w_r_prev, L, L_prev, w_w, p_prev, N, dw_w, dw_r_prev, dp)
    # M = add(erase(M_kept, w_w, e), w_w, v)
    write_backward(dM, M_prev, psi, wipe, w_w, e[0], v[0], draw[at_e:at_v], draw[at_v:at_f], dw_w, dpsi)
    # w_w = write_weights(a, c_w, g_a, g_w)
    g, share, dg, dshare = g_w[0], g_a[0], fill(zero), fill(zero)
    for n in range(0, slots, LANES):
        dw_n, a_n, c_n = load(dw_w, n), load(a, n), load(c_w[0], n)
        dg += dw_n * (share * a_n + (one - share) * c_n)
        dshare += dw_n * (a_n - c_n)
        store(da, n, g * share * dw_n)
        store(dc_w, n, g * (one - share) * dw_n)
    draw[at_g_w] = total(dg) * g * (one - g)
    draw[at_g_a] = g * total(dshare) * share * (one - share)
    # c_w = content_weights(cosine_similarity(k_w, M_prev), beta_w)
    draw[at_beta_w] = look_up_backward(dc_w, c_w[0], K_w[0], beta_w[0, 0], N, dc_w, row) * sigmoid(raw[at_beta_w])
    cosine_backward(rows[2:3], K_w, k_w, M_prev, draw[at_k_w:at_beta_w], dM, M_scale, along)
    # a = allocation(u),  u = usage(u_prev, w_w_prev, psi),  psi = retention(f, w_r_prev)
    allocation_backward(da, u, phi, du, along)
    usage_backward(du, dpsi, u_prev, w_w_prev, psi, f, w_r_prev, through_usage, dw_w, dw_r_prev, draw[at_f:at_g_a])
