"""A GRU over all steps of a row of inputs: words of a question, sentences of a story. Registered pairs, wired.

    x_t = W (input t) + b                                     for all steps at once
    h_t = GRU(x_t, U h_{t-1}, h_{t-1}, g_t)                   three blocks of columns: update gate, reset gate, candidate
    h_t = attention GRU(x_t, U h_{t-1}, h_{t-1}, g_t)         two: g_t takes the place of the update gate

Stories are padded to the longest of their batch: most of what a batch holds may be padding. `mask` says what is real; products are
made of that only, and padding keeps the state as it is.
"""

import numpy as np

from numpymem.equation import equation, ticking
from numpymem.kernel import Kernel
from numpymem.ops.gru import attention_gru_cell, attention_gru_cell_backward, gru_cell, gru_cell_backward
from numpymem.ops.linear import linear, linear_backward, linear_input_backward, linear_weight_backward


def padded(rows, mask):
    """What belongs to the real steps, one row each, back at their places in a batch; zero elsewhere. (N, ...) -> (B, T, ...)"""
    whole = np.zeros((*mask.shape, *rows.shape[1:]), rows.dtype)
    whole[mask > 0] = rows
    return whole


@equation("DMN-inputs", r"x_t = W f_t + b", source="Xiong et al. 2016, section 3.1", deviations="W is stored transposed")
def inputs(f, W, b, mask):
    """What a GRU is given at each step, for all steps at once.

    f          (B, T, D)         words or sentences
    W          (D, G)
    b          (G)
    mask       (B, T) [mask]     1 for a real step, 0 for padding
    returns x  (B, T, G)         zero for padding
    """
    return padded(linear(f[mask > 0], W, b), mask)


@inputs.backward
def inputs_backward(dx, f, W, mask):
    # x = f W + b, of real steps
    df, dW, db = linear_backward(dx[mask > 0], f[mask > 0], W)
    return padded(df, mask), dW, db


@equation("GRU-scan", r"h_t = \mathrm{GRU}(x_t, h_{t-1}), \quad t = 1 \ldots T", source="Xiong et al. 2016, sections 3.1 and 3.3",
          step=True, dims={"C": 5, "G": 15})
def scan(x, U, h0, g, mask):
    """All T steps of a batch. G is 3 C for a GRU and 2 C for the attention GRU.

    x          (B, T, G)         W x_t + b
    U          (C, G)
    h0         (B, C)            state before the first step
    g          (B, T)            how much each step counts: 1, or the gate of a fact
    mask       (B, T) [mask]     1 for a real step, 0 for padding
    returns h  (B, T, C)         states; padding keeps the one before
    returns s  (B, T, G)         gates and candidates, squashed; zero for padding
    returns y  (B, T, G)         U h_{t-1}; zero for padding
    """
    h, steps = h0, []
    cell = gru_cell if U.shape[1] == 3 * U.shape[0] else attention_gru_cell
    for t in ticking(range(x.shape[1])):
        real = mask[:, t, None]
        y = h @ U * real
        h_new, s = cell(x[:, t], y, h, g[:, t, None])
        h = np.where(real > 0, h_new, h)
        steps.append((h, s * real, y))
    return tuple(np.stack(values, axis=1) for values in zip(*steps))


@scan.backward
def scan_backward(dh, h, s, y, U, h0, g, mask):
    cell_backward = gru_cell_backward if U.shape[1] == 3 * U.shape[0] else attention_gru_cell_backward
    dx, dy, dg = np.empty_like(s), np.empty_like(s), np.empty_like(g)
    U, dh_later = np.asfortranarray(U), np.zeros_like(h0)            # products with U.T are faster so
    for t in ticking(reversed(range(h.shape[1]))):
        h_prev, real = h[:, t - 1] if t else h0, mask[:, t, None]
        # h_t goes two ways: out, and on to step t + 1
        dh_t = dh[:, t] + dh_later
        # h_t = h_new where the step is real, else h_prev
        dh_new, dh_kept = dh_t * real, dh_t * (1 - real)
        # h_new = cell(x_t, y_t, h_prev, g_t)
        dx[:, t], dy[:, t], dh_prev, dg[:, t, None] = cell_backward(dh_new, s[:, t], y[:, t], h_prev, g[:, t, None])
        # y_t = h_prev U
        dh_later = dh_kept + dh_prev + linear_input_backward(dy[:, t], U)
    return dx, weight_gradient(dy, h, h0), dh_later, dg


def weight_gradient(dy, h, h0):
    """Of U, which all steps share: one matrix product over B * T rows."""
    B, T, G = dy.shape
    h_prev = np.concatenate([h0[:, None], h[:, :-1]], axis=1)        # (B, T, C)
    return linear_weight_backward(dy.reshape(B * T, G), h_prev.reshape(B * T, -1))[0]


Kernel("dmn.scan", of=scan, functions="numpymem.dmn.kernels:scan:scan_backward", gain="1.8x to 3.4x")
