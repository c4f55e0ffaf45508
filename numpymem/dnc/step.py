"""One time step of the DNC's memory, from the controller's raw numbers to the new memory: registered pairs, wired.

    raw --squash--> k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi
    psi = retention(f, w_r_prev);   u = usage(u_prev, w_w_prev, psi);   a = allocation(u)
    w_w = write_weights(a, c_w, g_a, g_w),       c_w by content in M_prev                     where to write
    M   = add(erase(M_prev, w_w, e), w_w, v)                                                  (3), (4) of the NTM
    L   = link(L_prev, w_w, p_prev);   p = precedence(p_prev, w_w)                            what was written after what
    w_r = read_weights(w_b, c_r, w_f, pi),       w_b, w_f along the links, c_r by content in M
    r   = read(w_r, M)                                                                        (2) of the NTM

Unlike the NTM it writes first and reads the new memory. Usage looks at the weights of the step before.
"""

import functools
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from numpymem.dnc.equations import (allocation, allocation_backward, deallocate, deallocate_backward, masked_cosine,
                                    masked_cosine_backward, precedence, precedence_backward, read_weights, read_weights_backward,
                                    retention, retention_backward, stop_gradient, stop_gradient_backward, usage, usage_backward,
                                    write_weights, write_weights_backward)
from numpymem.dnc.sparse_link import along, along_backward, linked, linked_backward
from numpymem.equation import equation
from numpymem.ntm.equations import (add, add_backward, content_weights, content_weights_backward, erase, erase_backward, read,
                                    read_backward, sharpen, sharpen_backward)
from numpymem.ops.activations import oneplus, oneplus_backward, sigmoid, sigmoid_backward
from numpymem.ops.complex_safe import real
from numpymem.ops.cosine import cosine_similarity, cosine_similarity_backward
from numpymem.ops.softmax import softmax, softmax_backward

LEAST_MASK = 0.1     # a mask is never quite closed (Csordas and Schmidhuber 2019, section 3.1)
STEP_NAMES = ("r", "w_r", "w_w", "u", "p", "L", "M", "k_r", "beta_r", "k_w", "beta_w", "e", "v", "f", "g_a", "g_w", "pi", "m_r",
              "m_w", "s_b", "s_f", "psi", "a", "K_w", "c_w", "K_r", "c_r", "w_b", "w_f", "w_b_sharp", "w_f_sharp")


class DNCSizes(NamedTuple):
    """R read heads, width W of a slot, and what is switched on.

    masking, deallocation, sharpening    the improvements of Csordas and Schmidhuber 2019
    usage_gradient                       False: none flows from the usage to the write weights (DeepMind's code; the paper does
                                         not say so)
    sparse_link      K: keep at most K links a slot, in (B, N, 2 K) instead of (B, N, N) (sparse_link.py); 0: all of them
    """
    R: int
    W: int
    masking: bool = False
    deallocation: bool = False
    sharpening: bool = False
    usage_gradient: bool = True
    sparse_link: int = 0

    @property
    def A(self):
        """Read heads with a mask: all or none."""
        return self.R * self.masking

    @property
    def D(self):
        """Read heads that sharpen their links: all or none."""
        return self.R * self.sharpening

    @property
    def parts(self):
        """Name -> its shape for one sequence, in the order of the interface vector (the paper's)."""
        R, W, A, D = self.R, self.W, self.A, self.D
        return {"k_r": (R, W), "beta_r": (R, 1), "k_w": (1, W), "beta_w": (1, 1), "e": (1, W), "v": (1, W), "f": (R, 1),
                "g_a": (1,), "g_w": (1,), "pi": (R, 3), "m_r": (A, W), "m_w": (int(self.masking), W), "s_b": (D, 1), "s_f": (D, 1)}

    @property
    def cuts(self):
        """Where each part ends in the interface vector; the last one is its length."""
        return list(accumulate(int(np.prod(shape)) for shape in self.parts.values()))

    @property
    def raw(self):
        """P, how many numbers the controller emits: R W + 3 W + 5 R + 3 without the improvements."""
        return self.cuts[-1]


def dims(sizes):
    """Sizes of letters in the shapes below, for the gradient check."""
    return {"P": sizes.raw, "R": sizes.R, "W": sizes.W, "A": sizes.A, "D": sizes.D, "E": int(sizes.masking)}


EXAMPLE = DNCSizes(R=2, W=4, masking=True, deallocation=True, sharpening=True)       # for the gradient check: all pairs in use


@equation("DNC-interface", r"\beta = \mathrm{oneplus}\,\hat\beta,\; e = \sigma(\hat e),\; f = \sigma(\hat f),\; g = \sigma(\hat g)"
          r",\; \pi = \mathrm{softmax}\,\hat\pi,\; k = \hat k,\; v = \hat v",
          source="Graves et al. 2016, Methods; m, s: Csordas and Schmidhuber 2019", fixed={"sizes": EXAMPLE}, dims=dims(EXAMPLE))
def interface(raw, sizes):
    """Squash the controller's raw numbers into the ranges that the equations ask for. Keys and the write vector stay as they are.

    raw             (B, P)         for all heads, in the order of the results
    sizes           () [sizes]     DNCSizes
    returns k_r     (B, R, W)      read keys
    returns beta_r  (B, R, 1)      read strengths, >= 1
    returns k_w     (B, 1, W)      write key
    returns beta_w  (B, 1, 1)      write strength, >= 1
    returns e       (B, 1, W)      erase vector, in (0, 1)
    returns v       (B, 1, W)      write vector
    returns f       (B, R, 1)      free gates, in (0, 1)
    returns g_a     (B, 1)         allocation gate, in (0, 1)
    returns g_w     (B, 1)         write gate, in (0, 1)
    returns pi      (B, R, 3)      read modes, sum to one
    returns m_r     (B, A, W)      read masks, in (0.1, 1); A = R with masking, else 0
    returns m_w     (B, E, W)      write mask; E = 1 with masking, else 0
    returns s_b     (B, D, 1)      how much to sharpen what lies back, >= 1; D = R with sharpening, else 0
    returns s_f     (B, D, 1)      and what lies ahead
    """
    k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r, m_w, s_b, s_f = split(raw, sizes)
    return (k_r.copy(), oneplus(beta_r), k_w.copy(), oneplus(beta_w), sigmoid(e), v.copy(), sigmoid(f), sigmoid(g_a), sigmoid(g_w),
            softmax(pi), mask(m_r), mask(m_w), oneplus(s_b), oneplus(s_f))


@interface.backward
def interface_backward(dk_r, dbeta_r, dk_w, dbeta_w, de, dv, df, dg_a, dg_w, dpi, dm_r, dm_w, ds_b, ds_f, e, f, g_a, g_w, pi, m_r,
                       m_w, raw, sizes):
    _, raw_beta_r, _, raw_beta_w, *_, raw_s_b, raw_s_f = split(raw, sizes)
    pieces = [dk_r, oneplus_backward(dbeta_r, raw_beta_r), dk_w, oneplus_backward(dbeta_w, raw_beta_w), sigmoid_backward(de, e), dv,
              sigmoid_backward(df, f), sigmoid_backward(dg_a, g_a), sigmoid_backward(dg_w, g_w), softmax_backward(dpi, pi),
              mask_backward(dm_r, m_r), mask_backward(dm_w, m_w), oneplus_backward(ds_b, raw_s_b), oneplus_backward(ds_f, raw_s_f)]
    return np.concatenate([piece.reshape(len(raw), -1) for piece in pieces], axis=1)         # (B, P)


def mask(raw):
    return LEAST_MASK + (1 - LEAST_MASK) * sigmoid(raw)


def mask_backward(dm, m):
    # m = LEAST_MASK + (1 - LEAST_MASK) open
    opened = (m - LEAST_MASK) / (1 - LEAST_MASK)
    return sigmoid_backward((1 - LEAST_MASK) * dm, opened)


def not_below_zero(w):
    """Written weights sum to at most one only but for rounding: 1 - w[i] - w[j] in a link, and with it a weight along the links,
    may be some 1e-7 below 0 in float32. There 0, as sharpening takes a logarithm."""
    return np.where(real(w) < 0, w.dtype.type(0), w)


def not_below_zero_backward(dw, w):
    return np.where(real(w) < 0, dw.dtype.type(0), dw)


def split(raw, sizes):
    """Views of the interface vector, one for each part, shaped (B, ...)."""
    return [raw[:, columns].reshape(len(raw), *shape) for columns, shape in places(sizes)]


@functools.cache
def places(sizes):
    """(columns of the interface vector, shape for one sequence) for each part."""
    return [(slice(*ends), shape) for *ends, shape in zip((0, *sizes.cuts), sizes.cuts, sizes.parts.values())]


def similarity(k, M, m):
    """By the NTM's cosine, or with masks (if there are any) by the masked one."""
    return masked_cosine(k, M, m) if m.shape[1] else cosine_similarity(k, M)


def similarity_backward(dK, K, k, M, m):
    if m.shape[1]:
        return masked_cosine_backward(dK, K, k, M, m)
    return *cosine_similarity_backward(dK, K, k, M), np.zeros_like(m)


@equation("DNC-step", r"(\xi_t, w_{t-1}, u_{t-1}, p_{t-1}, L_{t-1}, M_{t-1}) \mapsto (r_t, w_t, u_t, p_t, L_t, M_t)", source=
          "Graves et al. 2016, figure 1 and Methods", step=True, fixed={"sizes": EXAMPLE}, dims=dims(EXAMPLE))
def memory_step(raw, w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev, sizes):
    """Free, allocate, write, link, read the new memory.

    raw                (B, P)             interface vector xi_t from the controller, before squashing
    w_r_prev           (B, R, N) [simplex]   read weights w_{t-1}
    w_w_prev           (B, N) [simplex]      write weights w_{t-1}
    u_prev             (B, N) [0..1]      usage
    p_prev             (B, N) [simplex]      precedence
    L_prev             (B, N, N) [simplex]   links; (B, N, 2 K) if they are sparse
    M_prev             (B, N, W)          memory M_{t-1}
    sizes              () [sizes]         DNCSizes
    returns r          (B, R, W)          read vectors
    returns w_r        (B, R, N)          read weights
    returns w_w        (B, N)             write weights
    returns u          (B, N)             usage
    returns p          (B, N)             precedence
    returns L          (B, N, N)          links
    returns M          (B, N, W)          memory M_t
    returns k_r        (B, R, W)          and all that was computed on the way, for the trace and the backward
    returns beta_r     (B, R, 1)
    returns k_w        (B, 1, W)
    returns beta_w     (B, 1, 1)
    returns e          (B, 1, W)
    returns v          (B, 1, W)
    returns f          (B, R, 1)
    returns g_a        (B, 1)
    returns g_w        (B, 1)
    returns pi         (B, R, 3)
    returns m_r        (B, A, W)
    returns m_w        (B, E, W)
    returns s_b        (B, D, 1)
    returns s_f        (B, D, 1)
    returns psi        (B, N)
    returns a          (B, N)
    returns K_w        (B, 1, N)
    returns c_w        (B, 1, N)
    returns K_r        (B, R, N)
    returns c_r        (B, R, N)
    returns w_b        (B, R, N)          along the links, before they are sharpened
    returns w_f        (B, R, N)
    returns w_b_sharp  (B, D, N)          and after; none without sharpening
    returns w_f_sharp  (B, D, N)
    """
    k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r, m_w, s_b, s_f = interface(raw, sizes)
    # free and allocate
    psi = retention(f, w_r_prev)
    u = usage(u_prev, w_w_prev if sizes.usage_gradient else stop_gradient(w_w_prev), psi)
    a = allocation(u)
    # write
    K_w = similarity(k_w, M_prev, m_w)
    c_w = content_weights(K_w, beta_w)
    w_w = write_weights(a, c_w[:, 0], g_a, g_w)
    M_kept = deallocate(M_prev, psi) if sizes.deallocation else M_prev
    M = add(erase(M_kept, w_w[:, None], e), w_w[:, None], v)
    # link
    L = linked(L_prev, w_w, p_prev, sizes.sparse_link)
    p = precedence(p_prev, w_w)
    # read
    w_b, w_f = along(L, w_r_prev, sizes.sparse_link)
    if sizes.sharpening:
        w_b_sharp, w_f_sharp = sharpen(not_below_zero(w_b), s_b), sharpen(not_below_zero(w_f), s_f)
    else:
        w_b_sharp, w_f_sharp = w_b[:, :0], w_f[:, :0]
    K_r = similarity(k_r, M, m_r)
    c_r = content_weights(K_r, beta_r)
    w_r = read_weights(*(w_b_sharp, c_r, w_f_sharp) if sizes.sharpening else (w_b, c_r, w_f), pi)
    r = read(w_r, M)
    return (r, w_r, w_w, u, p, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r, m_w, s_b, s_f, psi, a, K_w, c_w, K_r,
            c_r, w_b, w_f, w_b_sharp, w_f_sharp)


@memory_step.backward
def memory_step_backward(dr, dw_r, dw_w, du, dp, dL, dM, w_r, w_w, u, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r,
                         m_w, s_b, s_f, psi, a, K_w, c_w, K_r, c_r, w_b, w_f, w_b_sharp, w_f_sharp,
                         raw, w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev, sizes):
    # r = read(w_r, M)
    dw_r_read, dM_read = read_backward(dr, w_r, M)
    # w_r goes two ways: to the next step (dw_r) and to reading
    dw_r = dw_r + dw_r_read                                                            # (B, R, N)
    # w_r = read_weights(w_b, c_r, w_f, pi), with links sharpened or not
    if sizes.sharpening:
        dw_b_sharp, dc_r, dw_f_sharp, dpi = read_weights_backward(dw_r, w_b_sharp, c_r, w_f_sharp, pi)
        dw_b, ds_b = sharpen_backward(dw_b_sharp, w_b_sharp, not_below_zero(w_b), s_b)
        dw_f, ds_f = sharpen_backward(dw_f_sharp, w_f_sharp, not_below_zero(w_f), s_f)
        dw_b, dw_f = not_below_zero_backward(dw_b, w_b), not_below_zero_backward(dw_f, w_f)
    else:
        dw_b, dc_r, dw_f, dpi = read_weights_backward(dw_r, w_b, c_r, w_f, pi)
        ds_b, ds_f = s_b, s_f                                                          # none: (B, 0, 1)
    # c_r = content_weights(similarity(k_r, M, m_r), beta_r)
    dK_r, dbeta_r = content_weights_backward(dc_r, c_r, K_r, beta_r)
    dk_r, dM_content, dm_r = similarity_backward(dK_r, K_r, k_r, M, m_r)
    # w_b, w_f = backward_weights(L, w_r_prev), forward_weights(L, w_r_prev)
    dL_along, dw_r_prev_along = along_backward(dw_b, dw_f, L, w_r_prev, sizes.sparse_link)
    # p = precedence(p_prev, w_w)
    dp_prev, dw_w_precedence = precedence_backward(dp, p_prev, w_w)
    # L goes three ways: to the next step (dL), back and forwards;  L = link(L_prev, w_w, p_prev)
    dL_prev, dw_w_link, dp_prev_link = linked_backward(dL + dL_along, L_prev, w_w, p_prev, sizes.sparse_link)
    # M goes three ways: to the next step (dM), it was compared with, and read;  M = add(erase(M_kept, w_w, e), w_w, v)
    dM_erased, dw_w_add, dv = add_backward(dM + dM_content + dM_read, w_w[:, None], v)
    M_kept = deallocate(M_prev, psi) if sizes.deallocation else M_prev
    dM_kept, dw_w_erase, de = erase_backward(dM_erased, M_kept, w_w[:, None], e)
    # M_kept = deallocate(M_prev, psi)
    dM_prev, dpsi_memory = deallocate_backward(dM_kept, M_prev, psi) if sizes.deallocation else (dM_kept, 0)
    # w_w goes five ways: to the next step (dw_w), to erasing, adding, links and precedence
    dw_w = dw_w + dw_w_erase[:, 0] + dw_w_add[:, 0] + dw_w_link + dw_w_precedence      # (B, N)
    # w_w = write_weights(a, c_w, g_a, g_w)
    da, dc_w, dg_a, dg_w = write_weights_backward(dw_w, a, c_w[:, 0], g_a, g_w)
    # c_w = content_weights(similarity(k_w, M_prev, m_w), beta_w)
    dK_w, dbeta_w = content_weights_backward(dc_w[:, None], c_w, K_w, beta_w)
    dk_w, dM_prev_content, dm_w = similarity_backward(dK_w, K_w, k_w, M_prev, m_w)
    # u goes two ways: to the next step (du) and to allocation;  u = usage(u_prev, w_w_prev, psi)
    du_prev, dw_w_prev, dpsi = usage_backward(du + allocation_backward(da, u), u_prev, w_w_prev, psi)
    if not sizes.usage_gradient:
        dw_w_prev = stop_gradient_backward(dw_w_prev)
    # psi = retention(f, w_r_prev)
    df, dw_r_prev_free = retention_backward(dpsi + dpsi_memory, f, w_r_prev)
    # k_r, beta_r, ... = interface(raw)
    draw = interface_backward(dk_r, dbeta_r, dk_w, dbeta_w, de, dv, df, dg_a, dg_w, dpi, dm_r, dm_w, ds_b, ds_f, e, f, g_a, g_w, pi,
                              m_r, m_w, raw, sizes)
    # w_r_prev went three ways: back, forwards, and to what is free; M_prev two: it was compared with, and written over
    return (draw, dw_r_prev_along + dw_r_prev_free, dw_w_prev, du_prev, dp_prev + dp_prev_link, dL_prev,
            dM_prev + dM_prev_content)
