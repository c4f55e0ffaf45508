"""Kernel "ops.lstm": the LSTM cell as one loop instead of some thirty passes over small arrays."""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ops.kernels_math import sigmoid, tanh

loop = compile_loop()


@loop
def lstm_forward(gates, c_prev):
    B, C = c_prev.shape
    h, c, s = np.empty_like(c_prev), np.empty_like(c_prev), np.empty_like(gates)
    for b in range(B):
        for j in range(3 * C):
            s[b, j] = sigmoid(gates[b, j])
        for j in range(3 * C, 4 * C):
            s[b, j] = tanh(gates[b, j])
        for j in range(C):
            c[b, j] = s[b, C + j] * c_prev[b, j] + s[b, j] * s[b, 3 * C + j]
        for j in range(C):
            h[b, j] = s[b, 2 * C + j] * tanh(c[b, j])
    return h, c, s


@loop
def lstm_backward(dh, dc_later, c, s, c_prev):
    B, C = c_prev.shape
    one = c.dtype.type(1)
    dgates, dc_prev = np.empty_like(s), np.empty_like(c_prev)
    for b in range(B):
        for j in range(C):
            i, f, o, u = s[b, j], s[b, C + j], s[b, 2 * C + j], s[b, 3 * C + j]
            tanh_c = tanh(c[b, j])
            dc = dc_later[b, j] + dh[b, j] * o * (one - tanh_c * tanh_c)
            dgates[b, j] = dc * u * i * (one - i)
            dgates[b, C + j] = dc * c_prev[b, j] * f * (one - f)
            dgates[b, 2 * C + j] = dh[b, j] * tanh_c * o * (one - o)
            dgates[b, 3 * C + j] = dc * i * (one - u * u)
            dc_prev[b, j] = dc * f
    return dgates, dc_prev
