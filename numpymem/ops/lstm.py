"""One LSTM cell (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.activations import sigmoid, sigmoid_backward, tanh, tanh_backward


@equation("LSTM", r"c_t = f_t \circ c_{t-1} + i_t \circ u_t, \quad h_t = o_t \circ \tanh c_t",
          source="Hochreiter and Schmidhuber 1997; Gers et al. 2000")
def lstm_cell(gates, c_prev):
    """Input, forget and output gate, candidate, new cell, new output. The affine map to `gates` is the caller's.

    gates      (B, 4C)  before squashing: input gate, forget gate, output gate, candidate, C columns each
    c_prev     (B, C)   the cell before
    returns h  (B, C)   what the cell shows
    returns c  (B, C)   what the cell keeps
    returns s  (B, 4C)  the four gates, squashed: i, f, o, u
    """
    C = c_prev.shape[-1]
    s = np.concatenate([sigmoid(gates[:, :3 * C]), tanh(gates[:, 3 * C:])], axis=1)
    i, f, o, u = s[:, :C], s[:, C:2 * C], s[:, 2 * C:3 * C], s[:, 3 * C:]
    c = f * c_prev + i * u
    h = o * tanh(c)
    return h, c, s


@lstm_cell.backward
def lstm_cell_backward(dh, dc, c, s, c_prev):
    C = c_prev.shape[-1]
    i, f, o, u = s[:, :C], s[:, C:2 * C], s[:, 2 * C:3 * C], s[:, 3 * C:]
    # h = o * tanh(c)
    tanh_c = tanh(c)
    do = dh * tanh_c
    dc = dc + tanh_backward(dh * o, tanh_c)          # c goes two ways: into h and into the next step
    # c = f * c_prev + i * u
    di, df, du, dc_prev = dc * u, dc * c_prev, dc * i, dc * f
    # s = [sigmoid of three gates, tanh of the candidate]
    difo = np.concatenate([di, df, do], axis=1)                      # (B, 3C)
    dgates = np.concatenate([sigmoid_backward(difo, s[:, :3 * C]), tanh_backward(du, u)], axis=1)      # (B, 4C)
    return dgates, dc_prev
