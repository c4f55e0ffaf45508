"""The NTM over all time steps: controller, heads, memory, and backpropagation through time. Registered pairs, wired.

    u_t   = [r_{t-1}, h_{t-1}]                                what the controller sees besides its input
    pre_t = x_t W_x + b + u_t W_u                             the first two terms for all steps at once, by the caller
    h_t   = LSTM(pre_t, c_{t-1})   or   tanh(pre_t)           the two controllers of the paper
    raw_t = h_t W_heads + b_heads                             head parameters before squashing
    r_t, w_t, M_t = memory_step(raw_t, M_{t-1}, w_{t-1})      numpymem/ntm/step.py

A feedforward controller has no state of its own: its h0 and c0 have no columns, and u_t is r_{t-1} alone.
"""

import numpy as np

from numpymem import workspace
from numpymem.equation import equation, ticking
from numpymem.kernel import Kernel
from numpymem.ntm.step import EXAMPLE, EXAMPLE_DIMS, memory_step, memory_step_backward
from numpymem.ops.activations import tanh, tanh_backward
from numpymem.ops.linear import flat, linear, linear_input_backward, linear_weight_backward
from numpymem.ops.lstm import lstm_cell, lstm_cell_backward
from numpymem.ops.outer import empty_slots_last, slots_last

STEP_NAMES = ("r", "w", "M", "k", "beta", "g", "s", "gamma", "e", "a", "K", "w_c", "w_g", "w_s")
NAMES = ("h", "c", "gates", "u", "raw", *STEP_NAMES)          # of what `sequence` returns for every time step, in order
LAST = ("c_last", "w_last", "M_last")                         # and then, for whoever goes on from there


def controller_step(pre, c_prev):
    """LSTM cell or tanh layer, told apart by whether there is a cell state -> (h, c, gates)."""
    if c_prev.shape[1]:
        return lstm_cell(pre, c_prev)
    h = tanh(pre)
    return h, c_prev, pre[:, :0]


def controller_step_backward(dh, dc, h, c, gates, c_prev):
    """-> (dpre, dc_prev)"""
    if c_prev.shape[1]:
        return lstm_cell_backward(dh, dc, c, gates, c_prev)
    return tanh_backward(dh, h), dc


@equation("NTM-sequence", r"(h_t, r_t, w_t, M_t) = f(x_t, h_{t-1}, r_{t-1}, w_{t-1}, M_{t-1}), \quad t = 1 \ldots T",
          source="Graves et al. 2014, section 3", step=True, fixed={"sizes": EXAMPLE},
          dims=EXAMPLE_DIMS | {"C": 7, "U": EXAMPLE.R * EXAMPLE.W + 7, "G": 28})
def sequence(pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    """All T steps of a batch, from its initial state. G is 4 C for an LSTM controller and C for a feedforward one.

    pre_x          (T, B, G)             x_t W_x + b
    W_u            (U, G)                U = R W + C, or R W for a feedforward controller
    W_heads        (C, P)
    b_heads        (P)
    h0             (B, C)                what the controller showed before the first step; (B, 0) for feedforward
    c0             (B, C)                its cell; (B, 0) for feedforward
    r0             (B, R, W)             read vectors before the first step
    w0             (B, H, N) [simplex]   weights before the first step
    M0             (B, N, W)             memory before the first step
    sizes          () [sizes]            HeadSizes
    returns h      (T, B, C)             controller outputs
    returns c      (T, B, C)             cells
    returns gates  (T, B, G)             LSTM gates, squashed; no columns for feedforward
    returns u      (T, B, U)             [r_{t-1}, h_{t-1}]
    returns raw    (T, B, P)             raw head parameters
    returns r      (T, B, R, W)          and all that memory_step returns, for each t
    returns w      (T, B, H, N)
    returns M      (T, B, N, W)
    returns k      (T, B, H, W)
    returns beta   (T, B, H, 1)
    returns g      (T, B, H, 1)
    returns s      (T, B, H, S)
    returns gamma  (T, B, H, 1)
    returns e      (T, B, Q, W)
    returns a      (T, B, Q, W)
    returns K      (T, B, H, N)
    returns w_c    (T, B, H, N)
    returns w_g    (T, B, H, N)
    returns w_s    (T, B, H, N)
    returns c_last (B, C)                c, w and M after the last step: with h and r of that step, where a rest would start
    returns w_last (B, H, N)
    returns M_last (B, N, W)
    """
    T, B, _ = pre_x.shape
    h, c, r, w, M = h0, c0, r0, w0, slots_last(M0)
    trace = None
    for t in ticking(range(T)):
        u = np.concatenate([r.reshape(B, -1), h if c0.shape[1] else h0], axis=1)
        h, c, gates = controller_step(pre_x[t] + u @ W_u, c)
        raw = linear(h, W_heads, b_heads)
        r, w, M, *others = memory_step(raw, M, w, sizes)
        values = (h, c, gates, u, raw, r, w, M, *others)
        trace = trace or room_for(T, values, np.result_type(pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0))
        for all_steps, value in zip(trace, values):
            all_steps[t] = value
    return *trace, np.copy(c), w, M


@sequence.backward
def sequence_backward(dh, dr, dc_last, dw_last, dM_last, h, c, gates, u, raw, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s,
                      pre_x, W_u, W_heads, b_heads, h0, c0, r0, w0, M0, sizes):
    saved = (w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s)
    return through_time(dh, dr, (dc_last, dw_last, dM_last), h, c, gates, u, raw, M, saved, W_u, W_heads, h0, c0, r0, w0, M0, sizes)


def room_for(T, values, dtype):
    """An empty array for all T time steps of each value of NAMES; of plain arrays out of the workspace, slots last."""
    if all(type(value) is np.ndarray and value.dtype == dtype for value in values):
        shapes = [(T, *(np.swapaxes(value, 1, 2) if name == "M" else value).shape) for name, value in zip(NAMES, values)]
        return tuple(room.swapaxes(2, 3) if name == "M" else room for name, room in zip(NAMES, workspace.empty(shapes, dtype)))
    return tuple((empty_slots_last if name == "M" else np.empty_like)(value, np.result_type(value, dtype), shape=(T, *value.shape))
                 for name, value in zip(NAMES, values))


def through_time(dh, dr, d_last, h, c, gates, u, raw, M, saved, W_u, W_heads, h0, c0, r0, w0, M0, sizes, dtrace=None):
    """Backpropagation through time. A dict `dtrace` is filled with the gradients of h, r, w, M, raw and pre at every step.

    d_last    gradients of c, w and M after the last step; those of h and r are in dh[-1] and dr[-1]
    """
    T = len(h)
    n_reads = r0[0].size
    W_heads, W_u = np.asfortranarray(W_heads), np.asfortranarray(W_u)                  # products with W.T are faster so
# what comes after the last step, if anything
    dc_later, dw_later, dM_later = d_last
    M0, dM_later = slots_last(M0), slots_last(dM_later)                                # and so all gradients of M
    dh_later, dr_later = 0, np.zeros_like(r0)
    dpre, draw = [None] * T, [None] * T
    for t in ticking(reversed(range(T))):
        c_prev, w_prev, M_prev = (c[t - 1], saved[0][t - 1], M[t - 1]) if t else (c0, w0, M0)
        # r_t goes two ways: to the output and into u_{t+1}
        dr_t = dr[t] + dr_later
        # r, w, M, ... = memory_step(raw, M_prev, w_prev)
        draw[t], dM_prev, dw_prev = memory_step_backward(dr_t, dw_later, dM_later, *(value[t] for value in saved), raw[t],
                                                         M_prev, w_prev, sizes)
        # h_t goes three ways: to the output, into u_{t+1}, and to the heads
        dh_t = dh[t] + dh_later + linear_input_backward(draw[t], W_heads)
        # h, c = controller_step(pre, c_prev)
        dpre[t], dc_prev = controller_step_backward(dh_t, dc_later, h[t], c[t], gates[t], c_prev)
        if dtrace is not None:
            keep(dtrace, h=dh_t, r=dr_t, w=dw_later, M=dM_later, raw=draw[t], pre=dpre[t])
        # pre = pre_x + u W_u,  u = [r_{t-1}, h_{t-1}]
        du = linear_input_backward(dpre[t], W_u)
        dr_later, dh_later = du[:, :n_reads].reshape(r0.shape), du[:, n_reads:] if c0.shape[1] else 0
        dc_later, dw_later, dM_later = dc_prev, dw_prev, dM_prev
    dh0 = dh_later if c0.shape[1] else np.zeros_like(h0)
    dpre, draw = np.stack(dpre), np.stack(draw)
    return dpre, *weight_gradients(dpre, draw, u, h), dh0, dc_later, dr_later, dw_later, dM_later


def weight_gradients(dpre, draw, u, h):
    """All steps share the weights: one matrix product over T * B rows each -> (dW_u, dW_heads, db_heads)."""
    dW_u, _ = linear_weight_backward(flat(dpre), flat(u))
    return dW_u, *linear_weight_backward(flat(draw), flat(h))


def keep(dtrace, **gradients):
    """Put each gradient before those of the later steps: BPTT runs backwards, the lists run forwards."""
    for name, value in gradients.items():
        dtrace.setdefault(name, []).insert(0, value)


Kernel("ntm.sequence", of=sequence, functions="numpymem.ntm.kernels:sequence:sequence_backward",
       gain="6x to 16x")
