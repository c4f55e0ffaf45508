"""The Differentiable Neural Computer's equations, in the order of the paper's Methods (Graves, Wayne et al. 2016, Nature 538).

B batch, R read heads, N slots, W width of a slot; one write head. Memory M is (B, N, W). What the DNC took over from the NTM stays
where it is: the cosine (NTM-6) and content weights (NTM-5), erasing (NTM-3), adding (NTM-4), reading (NTM-2). New are the
two ways of finding a slot that need no key: allocation (which slot is free?) and the temporal link (which was written next?).
A weighting here sums to at most one: a gate may be closed.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.complex_safe import real
from numpymem.ops.cosine import EPS, squares
from numpymem.ops.outer import outer_sum

PAPER = "Graves et al. 2016, Methods"
CSORDAS = "Csordas and Schmidhuber 2019, arXiv 1904.10278"


# ---- dynamic memory allocation: which slot is free? ---------------------------------------------------------------------------

@equation("DNC-retention", r"\psi_t = \textstyle\prod_{i=1}^R \bigl(1 - f_t^i \, w_{t-1}^{r,i}\bigr)", source=PAPER)
def retention(f, w_r_prev):
    """How much of each slot is still wanted: a slot that a head has just read, with its free gate open, is not.

    f            (B, R, 1) [0..1]  free gates
    w_r_prev     (B, R, N) [0..1]  read weights of the step before
    returns psi  (B, N)            in [0, 1]
    """
    return (1 - f * w_r_prev).prod(axis=1)


@retention.backward
def retention_backward(dpsi, f, w_r_prev):
    kept = 1 - f * w_r_prev                                          # (B, R, N)
    # psi = prod_i kept_i: for each head the product of the others, without dividing, as a factor may be 0
    others = [np.delete(kept, i, axis=1).prod(axis=1) for i in range(kept.shape[1])]
    dkept = dpsi[:, None] * np.stack(others, axis=1)                 # (B, R, N)
    # kept = 1 - f w_r_prev
    df = -(dkept * w_r_prev).sum(-1, keepdims=True)                  # (B, R, 1)
    dw_r_prev = -dkept * f
    return df, dw_r_prev


@equation("DNC-usage", r"u_t = \bigl(u_{t-1} + w_{t-1}^w - u_{t-1} \circ w_{t-1}^w\bigr) \circ \psi_t", source=PAPER)
def usage(u_prev, w_w_prev, psi):
    """How much each slot is in use: more after a write, less after it was freed.

    u_prev     (B, N) [0..1]  usage of the step before
    w_w_prev   (B, N) [0..1]  write weights of the step before
    psi        (B, N) [0..1]  retention
    returns u  (B, N)         in [0, 1]
    """
    return (u_prev + w_w_prev - u_prev * w_w_prev) * psi


@usage.backward
def usage_backward(du, u_prev, w_w_prev, psi):
    # u = (u_prev + w_w_prev - u_prev w_w_prev) psi
    dwritten = du * psi                                              # (B, N)
    dpsi = du * (u_prev + w_w_prev - u_prev * w_w_prev)
    du_prev = dwritten * (1 - w_w_prev)
    dw_w_prev = dwritten * (1 - u_prev)
    return du_prev, dw_w_prev, dpsi


@equation("stop-gradient", r"\mathrm{stop}(x) = x, \quad \partial\,\mathrm{stop} / \partial x := 0", stops=("x",),
          deviations="the gradient is dropped on purpose")
def stop_gradient(x):
    """The value, without the way back.

    x          (B, N)  any shape
    returns y  (B, N)  the same numbers
    """
    return real(x).copy()                          # without an imaginary part the complex step sees no way back either


@stop_gradient.backward
def stop_gradient_backward(dy):
    return np.zeros_like(dy)


@equation("DNC-allocation", r"a_t[\phi_t[j]] = \bigl(1 - u_t[\phi_t[j]]\bigr) \textstyle\prod_{i=1}^{j-1} u_t[\phi_t[i]]",
          source=PAPER)
def allocation(u):
    """Where to write something new: the emptiest slot gets most, the next what is left; if all are in use, none gets any.

    The order phi (the free list) is a constant to the gradient, as in the paper. Where two usages v change places their slots
    exchange (1 - v) and (1 - v) v times the same product: a jumps there, by (1 - v)^2 times it, nothing only where both are full.

    u          (B, N) [0..1]  usage
    returns a  (B, N)         sums to at most one
    """
    phi = free_list(u)
    u_sorted = np.take_along_axis(u, phi, axis=1)                    # (B, N)
    a_sorted = (1 - u_sorted) * product_before(u_sorted)
    return np.take_along_axis(a_sorted, np.argsort(phi, axis=1), axis=1)


@allocation.backward
def allocation_backward(da, u):
    phi = free_list(u)
    u_sorted, da_sorted = (np.take_along_axis(x, phi, axis=1) for x in (u, da))
    before, du_sorted, later = product_before(u_sorted), np.empty_like(da), np.zeros_like(da[:, 0])
    # a_k = (1 - u_k) prod_{i<k} u_i. u_k is in its own slot's part and, as a factor, in those of all later slots: `later` is
    # what they lose with it, without the factors up to k; so nothing is divided by a usage that may be 0
    for k in reversed(range(u.shape[1])):
        du_sorted[:, k] = before[:, k] * (later - da_sorted[:, k])
        later = da_sorted[:, k] * (1 - u_sorted[:, k]) + u_sorted[:, k] * later
    return np.take_along_axis(du_sorted, np.argsort(phi, axis=1), axis=1)


def free_list(u):
    """phi: the slots, emptiest first; of equally empty ones (at the start all are) the first.  (B, N) -> (B, N) of int"""
    return np.argsort(real(u), axis=1, kind="stable")


def product_before(x):
    """prod_{i<k} x_i for each k of the last axis, which begins with 1."""
    ones = np.ones_like(x[:, :1])
    return np.cumprod(np.concatenate([ones, x[:, :-1]], axis=1), axis=1)


@equation("DNC-write-weights", r"w_t^w = g_t^w \bigl[ g_t^a a_t + (1 - g_t^a) \, c_t^w \bigr]", source=PAPER)
def write_weights(a, c_w, g_a, g_w):
    """Write to a free slot (g_a = 1), to one found by its content (g_a = 0), or not at all (g_w = 0).

    a            (B, N) [0..1]     allocation
    c_w          (B, N) [simplex]  content weights of the write key
    g_a          (B, 1) [0..1]     allocation gate
    g_w          (B, 1) [0..1]     write gate
    returns w_w  (B, N)            sums to at most one
    """
    return g_w * (g_a * a + (1 - g_a) * c_w)


@write_weights.backward
def write_weights_backward(dw_w, a, c_w, g_a, g_w):
    # w_w = g_w (g_a a + (1 - g_a) c_w)
    dmixed = g_w * dw_w                                              # (B, N)
    dg_w = (dw_w * (g_a * a + (1 - g_a) * c_w)).sum(-1, keepdims=True)       # (B, 1)
    da = g_a * dmixed
    dc_w = (1 - g_a) * dmixed
    dg_a = (dmixed * (a - c_w)).sum(-1, keepdims=True)               # (B, 1)
    return da, dc_w, dg_a, dg_w


# ---- temporal memory linkage: which slot was written after which? ---------------------------------------------------------------

@equation("DNC-link", r"L_t[i,j] = \bigl(1 - w_t^w[i] - w_t^w[j]\bigr) L_{t-1}[i,j] + w_t^w[i] \, p_{t-1}[j], \quad L_t[i,i] = 0",
          source=PAPER)
def link(L_prev, w_w, p_prev):
    """L[i, j]: how much slot i was written right after slot j. Writing to a slot again removes its old links.

    L_prev     (B, N, N) [0..1]  links of the step before
    w_w        (B, N) [0..1]     write weights
    p_prev     (B, N) [0..1]     precedence of the step before: which slot was written last
    returns L  (B, N, N)
    """
    row, column = w_w[:, :, None], w_w[:, None, :]                   # (B, N, 1), (B, 1, N)
    return off_diagonal((1 - row - column) * L_prev + row * p_prev[:, None, :])


@link.backward
def link_backward(dL, L_prev, w_w, p_prev):
    row, column = w_w[:, :, None], w_w[:, None, :]                   # (B, N, 1), (B, 1, N)
    # no slot follows itself
    dL = off_diagonal(dL)
    # L = (1 - row - column) L_prev + row p_prev
    dL_prev = (1 - row - column) * dL
    drow = (dL * (p_prev[:, None, :] - L_prev)).sum(2)               # (B, N)
    dcolumn = -(dL * L_prev).sum(1)
    dp_prev = (w_w[:, None, :] @ dL)[:, 0]
    return dL_prev, drow + dcolumn, dp_prev


def off_diagonal(L):
    """L with zeros on the diagonal."""
    return L * (1 - np.eye(L.shape[1], dtype=real(L).dtype))


@equation("DNC-precedence", r"p_t = \bigl(1 - \textstyle\sum_i w_t^w[i]\bigr) \, p_{t-1} + w_t^w", source=PAPER)
def precedence(p_prev, w_w):
    """Which slot was written last; a step that writes nothing leaves it as it is.

    p_prev     (B, N) [0..1]
    w_w        (B, N) [0..1]  write weights
    returns p  (B, N)         sums to at most one
    """
    return (1 - w_w.sum(-1, keepdims=True)) * p_prev + w_w


@precedence.backward
def precedence_backward(dp, p_prev, w_w):
    # p = (1 - sum w_w) p_prev + w_w
    dp_prev = (1 - w_w.sum(-1, keepdims=True)) * dp
    dw_w = dp - (dp * p_prev).sum(-1, keepdims=True)                 # (B, N)
    return dp_prev, dw_w


@equation("DNC-forward", r"f_t^i = L_t \, w_{t-1}^{r,i}", source=PAPER)
def forward_weights(L, w_r_prev):
    """The slots that were written after those that the head has just read.

    L            (B, N, N) [0..1]
    w_r_prev     (B, R, N) [0..1]  read weights of the step before
    returns w_f  (B, R, N)
    """
    return w_r_prev @ L.swapaxes(1, 2)


@forward_weights.backward
def forward_weights_backward(dw_f, L, w_r_prev):
    # w_f = w_r_prev L^T
    dL = dw_f.swapaxes(1, 2) @ w_r_prev                              # (B, N, N)
    dw_r_prev = dw_f @ L                                             # (B, R, N)
    return dL, dw_r_prev


@equation("DNC-backward", r"b_t^i = L_t^\top \, w_{t-1}^{r,i}", source=PAPER)
def backward_weights(L, w_r_prev):
    """The slots that were written before those that the head has just read.

    L            (B, N, N) [0..1]
    w_r_prev     (B, R, N) [0..1]  read weights of the step before
    returns w_b  (B, R, N)
    """
    return w_r_prev @ L


@backward_weights.backward
def backward_weights_backward(dw_b, L, w_r_prev):
    # w_b = w_r_prev L
    dL = w_r_prev.swapaxes(1, 2) @ dw_b                              # (B, N, N)
    dw_r_prev = dw_b @ L.swapaxes(1, 2)                              # (B, R, N)
    return dL, dw_r_prev


@equation("DNC-read-weights", r"w_t^{r,i} = \pi_t^i[1] \, b_t^i + \pi_t^i[2] \, c_t^{r,i} + \pi_t^i[3] \, f_t^i", source=PAPER)
def read_weights(w_b, c_r, w_f, pi):
    """Go back in the order of writing, look for the content, or go forwards: the read modes say how much of each.

    w_b          (B, R, N) [0..1]     backward weights
    c_r          (B, R, N) [simplex]  content weights of the read keys
    w_f          (B, R, N) [0..1]     forward weights
    pi           (B, R, 3) [simplex]  read modes: back, content, forward
    returns w_r  (B, R, N)            sums to at most one
    """
    return pi[..., 0:1] * w_b + pi[..., 1:2] * c_r + pi[..., 2:3] * w_f


@read_weights.backward
def read_weights_backward(dw_r, w_b, c_r, w_f, pi):
    # w_r = pi_1 w_b + pi_2 c_r + pi_3 w_f
    dpi = np.stack([(dw_r * way).sum(-1) for way in (w_b, c_r, w_f)], axis=-1)        # (B, R, 3)
    return pi[..., 0:1] * dw_r, pi[..., 1:2] * dw_r, pi[..., 2:3] * dw_r, dpi


# ---- two of the three improvements of Csordas and Schmidhuber 2019; the third, sharper links, is the NTM's (9) ---------------

@equation("DNC-masked-cosine", r"K = D(k \circ m, \, M \circ m)", source=CSORDAS,
          deviations="1e-8 in each root, as in NTM-6")
def masked_cosine(k, M, m):
    """How alike key and rows are in the columns that the mask asks for: a key need not know what it is looking for.

    k          (B, H, W)          keys
    M          (B, N, W)          memory
    m          (B, H, W) [0..1]   masks
    returns K  (B, H, N)          in [-1, 1]
    """
    dots = (k * m * m) @ M.swapaxes(1, 2)                            # (B, H, N)
    k_k, M_M = squares(k * m)[:, :, None], masked_squares(M, m)      # (B, H, 1), (B, H, N)
    return dots / np.sqrt(k_k * M_M)


@masked_cosine.backward
def masked_cosine_backward(dK, K, k, M, m):
    k_k, M_M = squares(k * m)[:, :, None], masked_squares(M, m)      # (B, H, 1), (B, H, N)
    # K = dots / sqrt(k_k M_M)
    ddots = dK / np.sqrt(k_k * M_M)                                  # (B, H, N)
    dk_k = -(dK * K).sum(2, keepdims=True) / (2 * k_k)               # (B, H, 1)
    dM_M = -(dK * K) / (2 * M_M)                                     # (B, H, N)
    # dots = (k m m) M^T,  k_k = sum (k m)^2,  M_M = (m m) (M M)^T
    dkmm = ddots @ M                                                 # (B, H, W)
    dk = (dkmm + 2 * dk_k * k) * m * m
    dm = 2 * m * (k * dkmm + dk_k * k * k + dM_M @ (M * M))
    dM = outer_sum(ddots, k * m * m) + 2 * M * outer_sum(dM_M, m * m)        # (B, N, W)
    return dk, dM, dm


def masked_squares(M, m):
    """sum_w (m_w M_w)^2 + EPS of every row under every mask: (B, H, N)."""
    return (m * m) @ (M * M).swapaxes(1, 2) + EPS


@equation("DNC-deallocation", r"M'_{t-1} = M_{t-1} \circ \psi_t \mathbf{1}^\top", source=CSORDAS)
def deallocate(M_prev, psi):
    """Wipe a slot when it is freed: in the DNC its content stays, and a look-up may still find it.

    M_prev           (B, N, W)
    psi              (B, N) [0..1]  retention
    returns M_kept   (B, N, W)
    """
    return M_prev * psi[..., None]


@deallocate.backward
def deallocate_backward(dM_kept, M_prev, psi):
    # M_kept = M_prev psi
    dM_prev = dM_kept * psi[..., None]
    dpsi = (dM_kept * M_prev).sum(-1)                                # (B, N)
    return dM_prev, dpsi
