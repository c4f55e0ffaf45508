"""A GRU over all steps of a row of inputs: words of a question, sentences of a story. Registered pairs, wired.

    x_t = W (input t) + b                                     for all steps at once, by the caller
    h_t = GRU(x_t, U h_{t-1}, h_{t-1}, g_t)                   three blocks of columns: update gate, reset gate, candidate
    h_t = attention GRU(x_t, U h_{t-1}, h_{t-1}, g_t)         two: g_t takes the place of the update gate
"""

import numpy as np

from numpymem.equation import equation, ticking
from numpymem.ops.gru import attention_gru_cell, attention_gru_cell_backward, gru_cell, gru_cell_backward
from numpymem.ops.linear import linear_input_backward, linear_weight_backward


@equation("GRU-scan", r"h_t = \mathrm{GRU}(x_t, h_{t-1}), \quad t = 1 \ldots T", source="Xiong et al. 2016, sections 3.1 and 3.3",
          step=True, dims={"C": 5, "G": 15})
def scan(x, U, h0, g):
    """All T steps of a batch. G is 3 C for a GRU and 2 C for the attention GRU.

    x          (B, T, G)    W x_t + b
    U          (C, G)
    h0         (B, C)       state before the first step
    g          (B, T)       how much each step counts: 1 or 0 (padding), or the gate of a fact
    returns h  (B, T, C)    states
    returns s  (B, T, G)    gates and candidates, squashed
    returns y  (B, T, G)    U h_{t-1}
    """
    h, steps = h0, []
    cell = gru_cell if U.shape[1] == 3 * U.shape[0] else attention_gru_cell
    for t in ticking(range(x.shape[1])):
        y = h @ U
        h, s = cell(x[:, t], y, h, g[:, t, None])
        steps.append((h, s, y))
    return tuple(np.stack(values, axis=1) for values in zip(*steps))


@scan.backward
def scan_backward(dh, h, s, y, U, h0, g):
    cell_backward = gru_cell_backward if U.shape[1] == 3 * U.shape[0] else attention_gru_cell_backward
    dx, dy, dg = np.empty_like(s), np.empty_like(s), np.empty_like(g)
    U, dh_later = np.asfortranarray(U), np.zeros_like(h0)            # products with U.T are faster so
    for t in ticking(reversed(range(h.shape[1]))):
        h_prev = h[:, t - 1] if t else h0
        # h_t goes two ways: out, and on to step t + 1
        dh_t = dh[:, t] + dh_later
        # h_t = cell(x_t, y_t, h_prev, g_t)
        dx[:, t], dy[:, t], dh_prev, dg[:, t, None] = cell_backward(dh_t, s[:, t], y[:, t], h_prev, g[:, t, None])
        # y_t = h_prev U
        dh_later = dh_prev + linear_input_backward(dy[:, t], U)
    return dx, weight_gradient(dy, h, h0), dh_later, dg


def weight_gradient(dy, h, h0):
    """Of U, which all steps share: one matrix product over B * T rows."""
    B, T, G = dy.shape
    h_prev = np.concatenate([h0[:, None], h[:, :-1]], axis=1)        # (B, T, C)
    return linear_weight_backward(dy.reshape(B * T, G), h_prev.reshape(B * T, -1))[0]
