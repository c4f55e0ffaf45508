"""The gated recurrent unit (Cho et al. 2014), and the attention GRU that DMN+ makes of it.

As in the papers of the DMN, the reset gate weighs the product U h: h~ = tanh(W x + r o U h + b). So one product with all of U
serves a step, and the products W x of all steps can be made at once; both are the caller's. As in the paper of DMN+, u = 1 takes
the new state and u = 0 keeps the old one; Kumar et al. 2015 write z for 1 - u.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.activations import sigmoid, sigmoid_backward, tanh, tanh_backward


@equation("GRU", r"h_t = g_t u_t \circ \tilde h_t + (1 - g_t u_t) \circ h_{t-1}, \quad"
                 r" \tilde h_t = \tanh(W x_t + r_t \circ U h_{t-1} + b)",
          source="Cho et al. 2014; Xiong et al. 2016, section 3.1; with g Kumar et al. 2015, section 2.3")
def gru_cell(x, y, h_prev, g):
    """One step; `g` says how much of it counts.

    1 is a plain GRU, 0 keeps the old state, as for padding. The original DMN puts the gate of a fact there:
    g GRU(c, h) + (1 - g) h.

    x          (B, 3C)   W x_t + b: update gate, reset gate, candidate, C columns each
    y          (B, 3C)   U h_{t-1}, alike
    h_prev     (B, C)    the state before
    g          (B, 1)    how much the step counts
    returns h  (B, C)    the state
    returns s  (B, 3C)   the gates u and r and the candidate, squashed
    """
    C = h_prev.shape[-1]
    gates = sigmoid(x[:, :2 * C] + y[:, :2 * C])
    u, r = gates[:, :C], gates[:, C:]
    candidate = tanh(x[:, 2 * C:] + r * y[:, 2 * C:])
    h = h_prev + g * u * (candidate - h_prev)
    return h, np.concatenate([gates, candidate], axis=1)


@gru_cell.backward
def gru_cell_backward(dh, s, y, h_prev, g):
    C = h_prev.shape[-1]
    u, r, candidate = s[:, :C], s[:, C:2 * C], s[:, 2 * C:]
    # h = h_prev + g u (candidate - h_prev)
    dstep = dh * (candidate - h_prev)                                # (B, C) of g u
    du, dg = g * dstep, (u * dstep).sum(1, keepdims=True)
    dcandidate = g * u * dh
    dh_prev = dh - dcandidate
    # candidate = tanh(x + r y), the last columns
    dx_last = tanh_backward(dcandidate, candidate)
    dr, dy_last = dx_last * y[:, 2 * C:], dx_last * r
    # u, r = sigmoid(x + y), the other columns
    dgates = sigmoid_backward(np.concatenate([du, dr], axis=1), s[:, :2 * C])            # (B, 2C)
    return np.concatenate([dgates, dx_last], axis=1), np.concatenate([dgates, dy_last], axis=1), dh_prev, dg


@equation("GRU-attention", r"h_i = g_i \tilde h_i + (1 - g_i) h_{i-1}, \quad \tilde h_i = \tanh(W f_i + r_i \circ U h_{i-1} + b)",
          source="Xiong et al. 2016, section 3.3, attention based GRU")
def attention_gru_cell(x, y, h_prev, g):
    """One step of the attention GRU: the gate of a fact, one number, in place of the update gate. The reset gate is kept.

    x          (B, 2C)   W f_i + b: reset gate, candidate, C columns each
    y          (B, 2C)   U h_{i-1}, alike
    h_prev     (B, C)    the state before
    g          (B, 1)    the gate of the fact
    returns h  (B, C)    the state
    returns s  (B, 2C)   the gate r and the candidate, squashed
    """
    C = h_prev.shape[-1]
    r = sigmoid(x[:, :C] + y[:, :C])
    candidate = tanh(x[:, C:] + r * y[:, C:])
    h = h_prev + g * (candidate - h_prev)
    return h, np.concatenate([r, candidate], axis=1)


@attention_gru_cell.backward
def attention_gru_cell_backward(dh, s, y, h_prev, g):
    C = h_prev.shape[-1]
    r, candidate = s[:, :C], s[:, C:]
    # h = h_prev + g (candidate - h_prev)
    dg = (dh * (candidate - h_prev)).sum(1, keepdims=True)           # (B, 1)
    dcandidate = g * dh
    dh_prev = dh - dcandidate
    # candidate = tanh(x + r y), the last columns
    dx_last = tanh_backward(dcandidate, candidate)
    dr, dy_last = dx_last * y[:, C:], dx_last * r
    # r = sigmoid(x + y), the other columns
    dr = sigmoid_backward(dr, r)
    return np.concatenate([dr, dx_last], axis=1), np.concatenate([dr, dy_last], axis=1), dh_prev, dg
