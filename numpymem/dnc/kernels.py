"""The DNC over all time steps as one compiled loop: kernel "dnc.sequence", a stand-in for the pair DNC-sequence.

It computes what numpymem/dnc/sequence.py computes, with the same names in the same order; the memory's own step is in
kernels_step.py, the controller is the NTM's (numpymem/ntm/kernels.py, where blocks and layouts are explained too). With masks or
sharpened links a DNC runs as NumPy.
"""

import numpy as np

from numpymem import threads
from numpymem.dnc import sequence as as_numpy
from numpymem.dnc.kernels_step import memory_step, memory_step_backward
from numpymem.kernel import compile_loop, say
from numpymem.ntm.kernels import controller, controller_backward, copy, rows_for, slot_last, weight_gradients, with_all_slots
from numpymem.ops.cosine import EPS as COSINE_EPS
from numpymem.ops.kernels_lanes import padded
from numpymem.ops.kernels_product import add_product, panels
from numpymem.ops.kernels_rows import inverse_norms
from numpymem.ops.linear import flat
from numpymem.workspace import empty

loop = compile_loop(allocates=False)
SLOTS = ("w_r", "w_w", "u", "p", "L", "M", "psi", "a", "K_w", "c_w", "K_r", "c_r", "w_b", "w_f")        # rows of slots


# ---- all steps of the sequences first ... last - 1 -------------------------------------------------------------------------

@loop
def forward(first, last, pre_x, W_chi, W_xi, b_xi, h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0, N, wipe, phi,
            h, c, gates, chi, raw, r, w_r, w_w, u, p, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, psi, a, K_w, c_w, K_r,
            c_r, w_b, w_f, pre_t, raw_t, M_scale, scratch):
    """W_chi and W_xi as `panels`. The arrays from h to w_f are filled; those from pre_t on are for this block alone."""
    T, _, R, W = r.shape
    n_reads, n_own, eps = R * W, h0.shape[1], M0.dtype.type(COSINE_EPS)
    for b in range(first, last):
        inverse_norms(M0[b], eps, M_scale[b - first])
    for t in range(T):
        h_prev, c_prev, r_prev, w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev = h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0
        if t > 0:
            c_prev, r_prev, w_r_prev, w_w_prev, u_prev, p_prev = c[t - 1], r[t - 1], w_r[t - 1], w_w[t - 1], u[t - 1], p[t - 1]
            L_prev, M_prev = L[t - 1], M[t - 1]
            if n_own > 0:
                h_prev = h[t - 1]
        for b in range(first, last):
            for j in range(n_reads):
                chi[t, b, j] = r_prev[b, j // W, j % W]
            copy(h_prev[b], chi[t, b, n_reads:])
            copy(pre_x[t, b], pre_t[b - first])
            copy(b_xi, raw_t[b - first])
        add_product(chi[t, first:last], W_chi, pre_t)
        for b in range(first, last):
            controller(pre_t[b - first], gates[t, b], h[t, b], c[t, b], c_prev[b])
        add_product(h[t, first:last], W_xi, raw_t)
        for b in range(first, last):
            copy(raw_t[b - first, :b_xi.size], raw[t, b])
            memory_step(raw[t, b], w_r_prev[b], w_w_prev[b], u_prev[b], p_prev[b], L_prev[b], M_prev[b], N, wipe, phi[b],
                        M_scale[b - first], r[t, b], w_r[t, b], w_w[t, b], u[t, b], p[t, b], L[t, b], M[t, b], k_r[t, b],
                        beta_r[t, b], k_w[t, b], beta_w[t, b], e[t, b], v[t, b], f[t, b], g_a[t, b], g_w[t, b], pi[t, b], psi[t,
                        b], a[t, b], K_w[t, b], c_w[t, b], K_r[t, b], c_r[t, b], w_b[t, b], w_f[t, b], scratch)


@loop
def backward(first, last, dh_out, dr_out, h, c, gates, raw, w_r, w_w, u, p, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi,
             psi, a, K_w, c_w, K_r, c_r, w_b, w_f, W_chiT, W_xiT, h0, c0, w_r0, w_w0, u0, p0, L0, M0, N, wipe, through_usage, phi,
             dpre, draw, dh0, dr, dc, dw_r, dw_w, du, dp, dL, dM, dw_r_prev, dh, dchi, tanh_c, rows, heads):
    """Fill dpre, draw and dh0. dr, zero, and dc, dw_r, ... dM, from after the last step, go out as the gradients of the start
    values, dw_r in dw_r_prev if T is odd; what comes after dw_r_prev is for this block alone."""
    T, C, n_reads, n_own, W = len(h), h.shape[2], dr.shape[1] * dr.shape[2], h0.shape[1], dr.shape[2]
    zero = raw[0, 0, 0] - raw[0, 0, 0]
    for t in range(T - 1, -1, -1):
        c_prev, w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev = c0, w_r0, w_w0, u0, p0, L0, M0
        if t > 0:
            c_prev, w_r_prev, w_w_prev, u_prev, p_prev = c[t - 1], w_r[t - 1], w_w[t - 1], u[t - 1], p[t - 1]
            L_prev, M_prev = L[t - 1], M[t - 1]
        for b in range(first, last):
            for j in range(n_reads):
                dr[b, j // W, j % W] += dr_out[t, b, j // W, j % W]
            memory_step_backward(dr[b], dw_r[b], dw_w[b], du[b], dp[b], dL[b], dM[b], w_r[t, b], w_w[t, b], u[t, b], L[t, b],
                                 M[t, b], k_r[t, b], beta_r[t, b], k_w[t, b], beta_w[t, b], e[t, b], v[t, b], f[t, b], g_a[t, b],
                                 g_w[t, b], pi[t, b], psi[t, b], a[t, b], K_w[t, b], c_w[t, b], K_r[t, b], c_r[t, b], w_b[t, b],
                                 w_f[t, b], raw[t, b], w_r_prev[b], w_w_prev[b], u_prev[b], p_prev[b], L_prev[b], M_prev[b], N,
                                 wipe, through_usage, phi[b], draw[t, b], dw_r_prev[b], rows, heads)
            for j in range(C):
                dh[b - first, j] = dh_out[t, b, j] + (dchi[b - first, n_reads + j] if n_own > 0 else zero)
        dw_r, dw_r_prev = dw_r_prev, dw_r
        add_product(draw[t, first:last], W_xiT, dh)
        for b in range(first, last):
            controller_backward(dh[b - first], dc[b], gates[t, b], h[t, b], c[t, b], c_prev[b], tanh_c, dpre[t, b])
            for j in range(dchi.shape[1]):
                dchi[b - first, j] = zero
        add_product(dpre[t, first:last], W_chiT, dchi)
        for b in range(first, last):
            for j in range(n_reads):
                dr[b, j // W, j % W] = dchi[b - first, j]
    for b in range(first, last):
        for j in range(n_own):
            dh0[b, j] = dchi[b - first, n_reads + j]


# ---- the pair as Python calls it: it makes the arrays, the loops fill them ------------------------------------------------

def sequence(*arguments):
    return pair_for(arguments[-1])[0](*arguments)


def sequence_backward(*arguments):
    return pair_for(arguments[-1])[1](*arguments)


def pair_for(sizes):
    """(forward, backward): the loops, or NumPy for what they do not know, which is masks, sharpened and sparse links."""
    if not (sizes.masking or sizes.sharpening or sizes.sparse_link):
        return all_steps, all_steps_backward
    say("the kernel dnc.sequence knows no masking, no sharpening and no sparse links: running that step as NumPy.")
    return as_numpy.sequence.functions


def switched_off(T, B, N, W, dtype):
    """What only masking and sharpening fill: name -> no heads."""
    widths = {"m_r": W, "m_w": W, "s_b": 1, "s_f": 1, "w_b_sharp": N, "w_f_sharp": N}
    return {name: np.empty((T, B, 0, width), dtype) for name, width in widths.items()}


def free_lists(B, N):
    """The slots in their own order, for each sequence: where sorting begins."""
    return np.tile(np.arange(N), (B, 1))


def all_steps(pre_x, W_chi, W_xi, b_xi, h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0, sizes):
    (T, B, G), (C, P), N, (R, W), dtype = pre_x.shape, W_xi.shape, u0.shape[1], sizes[:2], pre_x.dtype
    slots = padded(N)
    shapes = ((C,), c0.shape[1:], (G if c0.shape[1] else 0,), (len(W_chi),), (P,), (R, W), (R, slots), *3 * [(slots,)], (N, slots),
              (W, slots), (R, W), (R, 1), (1, W), (1, 1), (1, W), (1, W), (R, 1), (1,), (1,), (R, 3), *2 * [(slots,)],
              *2 * [(1, slots)], *4 * [(R, slots)])
    off = switched_off(T, B, N, W, dtype)
    trace = dict(zip((name for name in as_numpy.NAMES if name not in off), empty([(T, B, *shape) for shape in shapes], dtype)))
    if slots > N:
        for name in SLOTS:
            trace[name][..., N:] = 0
    W_chi, W_xi = panels(W_chi), panels(W_xi)
    given = [np.ascontiguousarray(x) for x in (pre_x, W_chi, W_xi, b_xi, h0, c0, r0, *map(with_all_slots, (w_r0, w_w0, u0, p0, L0)),
                                               slot_last(M0))]
    phi = free_lists(B, N)

    def block(first, last):
        own = np.zeros((last - first, slots), dtype), np.zeros(slots, dtype)
        forward(first, last, *given, N, sizes.deallocation, phi, *trace.values(), *rows_for(first, last, W_chi, W_xi), *own)

    threads.run(block, threads.blocks(B))
    found = off | {name: values[..., :N] if name in SLOTS else values for name, values in trace.items()}
    found["M"] = found["M"].swapaxes(-1, -2)
    last = [found[name][-1].copy() for name in ("c", "w_r", "w_w", "u", "p", "L")]
    return *(found[name] for name in as_numpy.NAMES), *last, trace["M"][-1, ..., :N].copy().swapaxes(-1, -2)


def all_steps_backward(dh, dr, dc_last, dw_r_last, dw_w_last, du_last, dp_last, dL_last, dM_last, h, c, gates, chi, raw, w_r, w_w,
                       u, p, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r, m_w, s_b, s_f, psi, a, K_w, c_w, K_r, c_r,
                       w_b, w_f, w_b_sharp, w_f_sharp, pre_x, W_chi, W_xi, b_xi, h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0, sizes):
    (T, B, _), R, N, dtype = pre_x.shape, sizes.R, u0.shape[1], pre_x.dtype
    slots, W_chiT, W_xiT = padded(N), panels(W_chi.T), panels(W_xi.T)
    over_slots = map(with_all_slots, (psi, a, K_w, c_w, K_r, c_r, w_b, w_f))
    given = [np.ascontiguousarray(x) for x in (dh, dr, h, c, gates, raw, *map(with_all_slots, (w_r, w_w, u, p, L)), slot_last(M),
                                               k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, *over_slots, W_chiT, W_xiT, h0, c0,
                                               *map(with_all_slots, (w_r0, w_w0, u0, p0, L0)), slot_last(M0))]
    dpre, draw = empty([pre_x.shape, raw.shape], dtype)
    dh0, dr0, dc0 = np.zeros(h0.shape, dtype), np.zeros(r0.shape, dtype), np.array(dc_last, order="C")
    dw_r, *d_state = (np.array(with_all_slots(x), order="C") for x in (dw_r_last, dw_w_last, du_last, dp_last, dL_last,
                                                                       dM_last.swapaxes(-1, -2)))
    dw_r_prev, phi = np.zeros_like(dw_r), free_lists(B, N)

    def block(first, last):
        own = np.zeros(c0.shape[1], dtype), np.zeros((6, slots), dtype), np.zeros((3, R, slots), dtype)
        backward(first, last, *given, N, sizes.deallocation, sizes.usage_gradient, phi, dpre, draw, dh0, dr0, dc0, dw_r, *d_state,
                 dw_r_prev, *rows_for(first, last, W_xiT, W_chiT), *own)

    threads.run(block, threads.blocks(B))
    dw_r0 = dw_r_prev if T % 2 else dw_r                              # they changed places at each step
    dw_w0, du0, dp0, dL0, dM0 = (d[..., :N] for d in d_state)
    weights = weight_gradients(flat(dpre), flat(draw), flat(chi), flat(h))
    return dpre, *weights, dh0, dc0, dr0, dw_r0[..., :N], dw_w0, du0, dp0, dL0, dM0.swapaxes(-1, -2)
