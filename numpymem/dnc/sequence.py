"""The DNC over all time steps: controller, heads, memory, and backpropagation through time. Registered pairs, wired.

    chi_t = [r_{t-1}, h_{t-1}]                                what the controller sees besides its input
    pre_t = x_t W_x + b + chi_t W_chi                         the first two terms for all steps at once, by the caller
    h_t   = LSTM(pre_t, c_{t-1})   or   tanh(pre_t)           as in the NTM
    raw_t = h_t W_xi + b_xi                                   the interface vector before squashing
    r_t, (w, u, p, L, M)_t = memory_step(raw_t, (w, u, p, L, M)_{t-1})        numpymem/dnc/step.py
"""

from typing import NamedTuple

import numpy as np

from numpymem import workspace
from numpymem.dnc.step import DNCSizes, STEP_NAMES, dims, memory_step, memory_step_backward
from numpymem.equation import equation, ticking
from numpymem.kernel import Kernel
from numpymem.ntm.sequence import controller_step, controller_step_backward, keep
from numpymem.ops.linear import flat, linear, linear_input_backward, linear_weight_backward
from numpymem.ops.outer import empty_slots_last, slots_last

NAMES = ("h", "c", "gates", "chi", "raw", *STEP_NAMES)        # of what `sequence` returns for every time step, in order
UNSAVED = ("r", "p")                                          # of these the backward of a step needs no value
EXAMPLE = DNCSizes(R=2, W=4)


class State(NamedTuple):
    """What one time step hands to the next."""
    h: np.ndarray               # (B, C)     controller output; (B, 0) for a feedforward controller
    c: np.ndarray               # (B, C)     LSTM cell; (B, 0) for a feedforward controller
    r: np.ndarray               # (B, R, W)  read vectors
    w_r: np.ndarray             # (B, R, N)  read weights
    w_w: np.ndarray             # (B, N)     write weights
    u: np.ndarray               # (B, N)     usage
    p: np.ndarray               # (B, N)     precedence
    L: np.ndarray               # (B, N, N)  links; (B, N, 2 K) if they are sparse
    M: np.ndarray               # (B, N, W)  memory


@equation("DNC-sequence", r"(h_t, r_t, w_t, u_t, p_t, L_t, M_t) = f(x_t, h_{t-1}, r_{t-1}, \ldots, M_{t-1}), \quad t = 1 \ldots T",
          source="Graves et al. 2016, Methods", step=True, fixed={"sizes": EXAMPLE},
          dims=dims(EXAMPLE) | {"C": 7, "U": EXAMPLE.R * EXAMPLE.W + 7, "G": 28})
def sequence(pre_x, W_chi, W_xi, b_xi, h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0, sizes):
    """All T steps of a batch, from its initial state. G is 4 C for an LSTM controller and C for a feedforward one.

    pre_x              (T, B, G)             x_t W_x + b
    W_chi              (U, G)                U = R W + C, or R W for a feedforward controller
    W_xi               (C, P)
    b_xi               (P)
    h0                 (B, C)                the State before the first step; h0 and c0 are (B, 0) for a feedforward controller
    c0                 (B, C)
    r0                 (B, R, W)
    w_r0               (B, R, N) [simplex]
    w_w0               (B, N) [simplex]
    u0                 (B, N) [0..1]
    p0                 (B, N) [simplex]
    L0                 (B, N, N) [simplex]
    M0                 (B, N, W)
    sizes              () [sizes]            DNCSizes
    returns h          (T, B, C)             controller outputs
    returns c          (T, B, C)             cells
    returns gates      (T, B, G)             LSTM gates, squashed; no columns for feedforward
    returns chi        (T, B, U)             [r_{t-1}, h_{t-1}]
    returns raw        (T, B, P)             interface vectors before squashing
    returns r          (T, B, R, W)          and all that memory_step returns, for each t
    returns w_r        (T, B, R, N)
    returns w_w        (T, B, N)
    returns u          (T, B, N)
    returns p          (T, B, N)
    returns L          (T, B, N, N)
    returns M          (T, B, N, W)
    returns k_r        (T, B, R, W)
    returns beta_r     (T, B, R, 1)
    returns k_w        (T, B, 1, W)
    returns beta_w     (T, B, 1, 1)
    returns e          (T, B, 1, W)
    returns v          (T, B, 1, W)
    returns f          (T, B, R, 1)
    returns g_a        (T, B, 1)
    returns g_w        (T, B, 1)
    returns pi         (T, B, R, 3)
    returns m_r        (T, B, A, W)
    returns m_w        (T, B, E, W)
    returns s_b        (T, B, D, 1)
    returns s_f        (T, B, D, 1)
    returns psi        (T, B, N)
    returns a          (T, B, N)
    returns K_w        (T, B, 1, N)
    returns c_w        (T, B, 1, N)
    returns K_r        (T, B, R, N)
    returns c_r        (T, B, R, N)
    returns w_b        (T, B, R, N)
    returns w_f        (T, B, R, N)
    returns w_b_sharp  (T, B, D, N)
    returns w_f_sharp  (T, B, D, N)
    returns c_last     (B, C)                the State after the last step, but for h and r, which stand in those of that step
    returns w_r_last   (B, R, N)
    returns w_w_last   (B, N)
    returns u_last     (B, N)
    returns p_last     (B, N)
    returns L_last     (B, N, N)
    returns M_last     (B, N, W)
    """
    T, B, _ = pre_x.shape
    h, c, r, state = h0, c0, r0, (w_r0, w_w0, u0, p0, L0, slots_last(M0))
    trace = None
    for t in ticking(range(T)):
        chi = np.concatenate([r.reshape(B, -1), h if c0.shape[1] else h0], axis=1)
        h, c, gates = controller_step(pre_x[t] + chi @ W_chi, c)
        raw = linear(h, W_xi, b_xi)
        r, *values = memory_step(raw, *state, sizes)
        state, values = values[:6], (h, c, gates, chi, raw, r, *values)
        trace = trace or room_for(T, values, np.result_type(pre_x, W_chi, W_xi, b_xi, h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0))
        for all_steps, value in zip(trace, values):
            all_steps[t] = value
    return *trace, np.copy(c), *state


@sequence.backward
def sequence_backward(dh, dr, dc_last, dw_r_last, dw_w_last, du_last, dp_last, dL_last, dM_last, h, c, gates, chi, raw, w_r, w_w,
                      u, p, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r, m_w, s_b, s_f, psi, a, K_w, c_w, K_r, c_r,
                      w_b, w_f, w_b_sharp, w_f_sharp, pre_x, W_chi, W_xi, b_xi, h0, c0, r0, w_r0, w_w0, u0, p0, L0, M0, sizes):
    saved = (w_r, w_w, u, L, M, k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi, m_r, m_w, s_b, s_f, psi, a, K_w, c_w, K_r, c_r,
             w_b, w_f, w_b_sharp, w_f_sharp)
    d_last = dc_last, dw_r_last, dw_w_last, du_last, dp_last, dL_last, dM_last
    before = w_r0, w_w0, u0, p0, L0, M0
    return through_time(dh, dr, d_last, h, c, gates, chi, raw, p, saved, W_chi, W_xi, h0, c0, r0, before, sizes)


def room_for(T, values, dtype):
    """An empty array for all T time steps of each value of NAMES; of plain arrays out of the workspace, memory slots last."""
    if all(type(value) is np.ndarray and value.dtype == dtype for value in values):
        shapes = [(T, *(np.swapaxes(value, 1, 2) if name == "M" else value).shape) for name, value in zip(NAMES, values)]
        return tuple(room.swapaxes(2, 3) if name == "M" else room for name, room in zip(NAMES, workspace.empty(shapes, dtype)))
    return tuple((empty_slots_last if name == "M" else np.empty_like)(value, np.result_type(value, dtype), shape=(T, *value.shape))
                 for name, value in zip(NAMES, values))


def through_time(dh, dr, d_last, h, c, gates, chi, raw, p, saved, W_chi, W_xi, h0, c0, r0, before, sizes, dtrace=None):
    """Backpropagation through time. A dict `dtrace` is filled with the gradients of h, r, w_r, w_w, u, L, M, raw and pre.

    d_last    gradients of c, w_r, w_w, u, p, L and M after the last step; those of h and r are in dh[-1] and dr[-1]
    saved     of every step what `memory_step_backward` needs, but for raw
    before    w_r, w_w, u, p, L and M before the first step
    """
    T, n_reads = len(h), r0[0].size
    W_xi, W_chi = np.asfortranarray(W_xi), np.asfortranarray(W_chi)                    # products with W.T are faster so
    w_r, w_w, u, L, M = saved[:5]
    # what comes after the last step, if anything
    dc_later, *d_later = d_last
    before, d_later[-1] = (*before[:-1], slots_last(before[-1])), slots_last(d_later[-1])              # so all gradients of M
    dh_later, dr_later = 0, np.zeros_like(r0)
    dpre, draw = [None] * T, [None] * T
    for t in ticking(reversed(range(T))):
        previous = (w_r[t - 1], w_w[t - 1], u[t - 1], p[t - 1], L[t - 1], M[t - 1]) if t else before
        # r_t goes two ways: to the output and into chi_{t+1}
        dr_t = dr[t] + dr_later
        # r, w_r, w_w, u, p, L, M, ... = memory_step(raw, previous)
        draw[t], *d_previous = memory_step_backward(dr_t, *d_later, *(value[t] for value in saved), raw[t], *previous, sizes)
        # h_t goes three ways: to the output, into chi_{t+1}, and to the heads
        dh_t = dh[t] + dh_later + linear_input_backward(draw[t], W_xi)
        # h, c = controller_step(pre, c_prev)
        dpre[t], dc_later = controller_step_backward(dh_t, dc_later, h[t], c[t], gates[t], c[t - 1] if t else c0)
        if dtrace is not None:
            dw_r, dw_w, du, _, dL, dM = d_later
            keep(dtrace, h=dh_t, r=dr_t, w_r=dw_r, w_w=dw_w, u=du, L=dL, M=dM, raw=draw[t], pre=dpre[t])
        # pre = pre_x + chi W_chi,  chi = [r_{t-1}, h_{t-1}]
        dchi = linear_input_backward(dpre[t], W_chi)
        dr_later, dh_later = dchi[:, :n_reads].reshape(r0.shape), dchi[:, n_reads:] if c0.shape[1] else 0
        d_later = d_previous
    dh0 = dh_later if c0.shape[1] else np.zeros_like(h0)
    dpre, draw = np.stack(dpre), np.stack(draw)
    return dpre, *weight_gradients(dpre, draw, chi, h), dh0, dc_later, dr_later, *d_later


def weight_gradients(dpre, draw, chi, h):
    """All steps share the weights: one matrix product over T * B rows each -> (dW_chi, dW_xi, db_xi)."""
    dW_chi, _ = linear_weight_backward(flat(dpre), flat(chi))
    return dW_chi, *linear_weight_backward(flat(draw), flat(h))


Kernel("dnc.sequence", of=sequence, functions="numpymem.dnc.kernels:sequence:sequence_backward",
       gain="5x to 11x")
