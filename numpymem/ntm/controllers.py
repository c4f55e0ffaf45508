"""The NTM's two controllers: an LSTM, or one feedforward layer. Both turn `pre`, an affine map of [x, r, own state], into h."""

import numpy as np

from numpymem.initial import scaled_normal
from numpymem.ops.activations import tanh, tanh_backward
from numpymem.ops.lstm import lstm_cell, lstm_cell_backward


class LSTMController:
    """h_t = LSTM([x_t, r_{t-1}, h_{t-1}]). State: (h, c). The start values h0, c0 are learned (the paper's bias values)."""

    def __init__(self, size):
        self.size, self.pre_size, self.feedback_size = size, 4 * size, size

    def init(self, rng, n_inputs, n_reads, dtype):
        fan_in = n_inputs + n_reads + self.size
        params = {"W_x": scaled_normal(rng, fan_in, (n_inputs, self.pre_size), dtype),
                  "W_u": scaled_normal(rng, fan_in, (n_reads + self.size, self.pre_size), dtype),
                  "b": np.zeros(self.pre_size, dtype),
                  "h0": np.zeros(self.size, dtype), "c0": np.zeros(self.size, dtype)}
        params["b"][self.size:2 * self.size] = 1     # forget gates start open
        return params

    def initial_state(self, params, B):
        return tuple(np.tile(params[name], (B, 1)) for name in ("h0", "c0"))

    def feedback(self, state):
        return state[0]                              # h_{t-1} enters the next affine map

    def step(self, pre, state):
        h, c, gates = lstm_cell(pre, state[1])
        return h, (h, c), {"c": c, "gates": gates}

    def zero_gradient(self, state):
        return np.zeros_like(state[1])

    def step_backward(self, dh, dstate, trace, t):
        c_prev = trace["c"][t - 1] if t else trace["initial"].controller[1]
        return lstm_cell_backward(dh, dstate, trace["c"][t], trace["gates"][t], c_prev)

    def initial_state_backward(self, dfeedback, dstate):
        return {"h0": dfeedback.sum(0), "c0": dstate.sum(0)}


class FeedforwardController:
    """h_t = tanh([x_t, r_{t-1}] W + b). It has no state of its own: all memory is the memory."""

    def __init__(self, size):
        self.size, self.pre_size, self.feedback_size = size, size, 0

    def init(self, rng, n_inputs, n_reads, dtype):
        fan_in = n_inputs + n_reads
        return {"W_x": scaled_normal(rng, fan_in, (n_inputs, self.size), dtype),
                "W_u": scaled_normal(rng, fan_in, (n_reads, self.size), dtype),
                "b": np.zeros(self.size, dtype)}

    def initial_state(self, params, B):
        return ()

    def feedback(self, state):
        return None

    def step(self, pre, state):
        return tanh(pre), (), {}

    def zero_gradient(self, state):
        return None

    def step_backward(self, dh, dstate, trace, t):
        return tanh_backward(dh, trace["h"][t]), None

    def initial_state_backward(self, dfeedback, dstate):
        return {}


CONTROLLERS = {"lstm": LSTMController, "feedforward": FeedforwardController}
