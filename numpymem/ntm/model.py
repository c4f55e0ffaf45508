"""The Neural Turing Machine: controller, heads, memory, and backpropagation through time by hand.

At each step t, for a batch of B sequences:

    pre_t = [x_t, r_{t-1}, h_{t-1}] W + b         the controller's affine map, x's part done for all steps at once
    h_t   = controller(pre_t)                     numpymem/ntm/controllers.py
    raw_t = h_t W_heads + b_heads                 head parameters before squashing
    r_t, w_t, M_t = memory_step(raw_t, M_{t-1}, w_{t-1})          numpymem/ntm/step.py
    y_t   = [h_t, r_t] W_y + b_y                  logits, for all steps at once
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpymem.initial import check_at_least, check_choice, check_sequence_inputs, scaled_normal
from numpymem.ntm.controllers import CONTROLLERS
from numpymem.ntm.step import HeadSizes, memory_step, memory_step_backward
from numpymem.ops.activations import tanh, tanh_backward
from numpymem.ops.linear import linear, linear_backward, linear_input_backward, linear_weight_backward
from numpymem.ops.softmax import softmax, softmax_backward

CONSTANT_MEMORY = 1e-6
STEP_NAMES = ("r", "w", "M", "k", "beta", "g", "s", "gamma", "e", "a", "K", "w_c", "w_g", "w_s")


@dataclass(frozen=True)
class NTMConfig:
    """Sizes and choices of an NTM; the defaults are those of the paper's copy task.

    n_inputs, n_outputs  width of an input and of an output row
    controller           "lstm" or "feedforward", with `controller_size` units
    N, W                 slots and width of the memory
    read_heads, write_heads, shifts    shifts is odd: 3 means -1, 0, +1
    initial_memory       "constant" (every number 1e-6) or "learned" (starts small and random)
    initial_weights      "learned" (a softmax of random logits), "one-hot" (slot 0) or "uniform"
    initial_read         "learned" or "zero"
    """
    n_inputs: int
    n_outputs: int
    controller: str = "lstm"
    controller_size: int = 100
    N: int = 128
    W: int = 20
    read_heads: int = 1
    write_heads: int = 1
    shifts: int = 3
    initial_memory: str = "constant"
    initial_weights: str = "learned"
    initial_read: str = "learned"

    def __post_init__(self):
        for name in ("n_inputs", "n_outputs", "controller_size", "W", "read_heads", "write_heads", "shifts"):
            check_at_least(name, getattr(self, name), 1)
        check_at_least("N", self.N, 2)
        if self.shifts % 2 == 0 or self.shifts > self.N:
            raise ValueError(f"shifts: expected an odd number of at most N = {self.N}, received {self.shifts}")
        check_choice("controller", self.controller, CONTROLLERS)
        check_choice("initial_memory", self.initial_memory, ("constant", "learned"))
        check_choice("initial_weights", self.initial_weights, ("learned", "one-hot", "uniform"))
        check_choice("initial_read", self.initial_read, ("learned", "zero"))
        if self.initial_memory == "constant" and self.initial_weights == "uniform":
            raise ValueError("initial_memory, initial_weights: expected one of them to differ between slots, received "
                             "'constant' and 'uniform'; all slots would then stay equal for ever")


class State(NamedTuple):
    """What one time step hands to the next."""
    controller: tuple           # (h, c) of the LSTM, () for feedforward
    r: np.ndarray               # (B, R, W)  read vectors
    w: np.ndarray               # (B, H, N)  weights of all heads
    M: np.ndarray               # (B, N, W)  memory


class NTM:
    """See the text at the top of this file. `params` is a dict of arrays; the model itself holds no numbers."""

    form = "sequence"
    config_class = NTMConfig

    def __init__(self, config):
        self.config = config
        self.sizes = HeadSizes(config.read_heads, config.write_heads, config.W, config.shifts)
        self.controller = CONTROLLERS[config.controller](config.controller_size)

    def init(self, rng, dtype=np.float32):
        """Fresh parameters, a dict name -> array."""
        c, sizes = self.config, self.sizes
        n_reads = sizes.R * c.W
        params = self.controller.init(rng, c.n_inputs, n_reads, dtype)
        params["W_heads"] = scaled_normal(rng, c.controller_size, (c.controller_size, sizes.raw), dtype)
        params["b_heads"] = np.zeros(sizes.raw, dtype)
        params["W_y"] = scaled_normal(rng, c.controller_size + n_reads, (c.controller_size + n_reads, c.n_outputs), dtype)
        params["b_y"] = np.zeros(c.n_outputs, dtype)
        if c.initial_memory == "learned":
            params["M0"] = scaled_normal(rng, c.W, (c.N, c.W), dtype)
        if c.initial_weights == "learned":
            params["w0_logits"] = scaled_normal(rng, 1, (sizes.H, c.N), dtype)
        if c.initial_read == "learned":
            params["r0_raw"] = np.zeros((sizes.R, c.W), dtype)
        return params

    # ---- start of an episode ----------------------------------------------------------------------------------------

    def initial_state(self, params, B):
        """The state before the first step, the same for all B sequences."""
        c, sizes, dtype = self.config, self.sizes, params["W_y"].dtype
        M0 = params["M0"] if "M0" in params else np.full((c.N, c.W), CONSTANT_MEMORY, dtype)
        r0 = tanh(params["r0_raw"]) if "r0_raw" in params else np.zeros((sizes.R, c.W), dtype)
        if "w0_logits" in params:
            w0 = softmax(params["w0_logits"])
        elif c.initial_weights == "uniform":
            w0 = np.full((sizes.H, c.N), 1 / c.N, dtype)
        else:
            w0 = np.zeros((sizes.H, c.N), dtype)
            w0[:, 0] = 1
        return State(self.controller.initial_state(params, B), *(repeat(x, B) for x in (r0, w0, M0)))

    def _initial_state_backward(self, params, state, dr, dw, dM):
        grads = {}
        # each start value was repeated for the whole batch: sum over it
        if "M0" in params:
            grads["M0"] = dM.sum(0)
        if "r0_raw" in params:
            grads["r0_raw"] = tanh_backward(dr.sum(0), state.r[0])
        if "w0_logits" in params:
            grads["w0_logits"] = softmax_backward(dw.sum(0), state.w[0])
        return grads

    # ---- forward ----------------------------------------------------------------------------------------------------

    def step(self, params, pre_x, state):
        """One time step. pre_x (B, P_c) is x_t W_x + b; returns the new State and this step's part of the trace."""
        u = self._feedback(state)                                                # (B, U)  [r_{t-1}, h_{t-1}]
        pre = pre_x + u @ params["W_u"]
        h, controller, record = self.controller.step(pre, state.controller)
        raw = linear(h, params["W_heads"], params["b_heads"])
        values = memory_step(raw, state.M, state.w, self.sizes)
        record.update(zip(STEP_NAMES, values), u=u, h=h, raw=raw)
        return State(controller, *values[:3]), record

    def _feedback(self, state):
        r = state.r.reshape(len(state.r), -1)
        own = self.controller.feedback(state.controller)
        return r if own is None else np.concatenate([r, own], axis=1)

    def forward(self, params, inputs, rng=None):
        """All T steps from the initial state.

        inputs   (T, B, n_inputs)
        returns  logits (T, B, n_outputs) and the trace: for each name a list of T arrays (B, ...), and 'initial'
        """
        check_sequence_inputs(inputs, self.config.n_inputs)
        T, B, X = inputs.shape
        state = self.initial_state(params, B)
        trace = {"inputs": inputs, "initial": state}
        pre_x = linear(inputs.reshape(T * B, X), params["W_x"], params["b"]).reshape(T, B, -1)
        for t in range(T):
            state, record = self.step(params, pre_x[t], state)
            for name, value in record.items():
                trace.setdefault(name, []).append(value)
        trace["hr"] = np.concatenate([np.stack(trace["h"]), np.stack(trace["r"]).reshape(T, B, -1)], axis=2)
        logits = linear(trace["hr"].reshape(T * B, -1), params["W_y"], params["b_y"])
        return logits.reshape(T, B, -1), trace

    # ---- backward ---------------------------------------------------------------------------------------------------

    def backward(self, params, trace, d_outputs, dtrace=None):
        """Backpropagation through time. A dict passed as `dtrace` is filled with the gradients of r, w, M, h, raw and pre.

        d_outputs  (T, B, n_outputs)  gradient of the logits
        returns    gradients, a dict with the keys and shapes of `params`
        """
        T, B, Y = d_outputs.shape
        C, rows = self.config.controller_size, T * B
        # logits = [h, r] W_y + b_y, for all steps at once
        dhr, dW_y, db_y = linear_backward(d_outputs.reshape(rows, Y), trace["hr"].reshape(rows, -1), params["W_y"])
        dhr = dhr.reshape(T, B, -1)
        draws, dpres = [None] * T, [None] * T
        later = self._zero_gradients(trace)
        for t in reversed(range(T)):
            later, draws[t], dpres[t] = self._step_backward(params, trace, t, dhr[t, :, :C], dhr[t, :, C:], later, dtrace)
        dh0, dr0, dw0, dM0, dstate0 = later
        # weights are shared by all steps: one matrix product over T * B rows each
        draw, dpre = np.concatenate(draws), np.concatenate(dpres)
        grads = {"W_y": dW_y, "b_y": db_y}
        grads["W_heads"], grads["b_heads"] = linear_weight_backward(draw, np.concatenate(trace["h"]))
        grads["W_u"], _ = linear_weight_backward(dpre, np.concatenate(trace["u"]))
        grads["W_x"], grads["b"] = linear_weight_backward(dpre, trace["inputs"].reshape(rows, -1))
        grads.update(self.controller.initial_state_backward(dh0, dstate0))
        grads.update(self._initial_state_backward(params, trace["initial"], dr0, dw0, dM0))
        return {name: grads[name] for name in params}

    def _zero_gradients(self, trace):
        """Nothing comes after the last step: gradients of h, r, w, M and of the controller's state."""
        start = trace["initial"]
        return (0, np.zeros_like(start.r), np.zeros_like(start.w), np.zeros_like(start.M),
                self.controller.zero_gradient(start.controller))

    def _step_backward(self, params, trace, t, dh_out, dr_out, later, dtrace):
        """Undo step t. `later` holds what the steps after t say about h_t, r_t, w_t, M_t and the controller's state."""
        dh_later, dr_later, dw, dM, dstate = later
        before = trace["initial"]
        M_prev, w_prev = (trace["M"][t - 1], trace["w"][t - 1]) if t else (before.M, before.w)
        # r_t goes two ways: to the output and into u_{t+1}
        dr = dr_out.reshape(dr_later.shape) + dr_later
        # r, w, M = memory_step(raw, M_prev, w_prev)
        draw, dM_prev, dw_prev = memory_step_backward(
            dr, dw, dM, *(trace[name][t] for name in STEP_NAMES if name not in ("r", "M")),
            trace["raw"][t], M_prev, w_prev, self.sizes)
        # h_t goes three ways: to the output, into u_{t+1}, and to the heads
        dh = dh_out + dh_later + linear_input_backward(draw, params["W_heads"])
        # h = controller(pre)
        dpre, dstate_prev = self.controller.step_backward(dh, dstate, trace, t)
        # pre = pre_x + u W_u,  u = [r_{t-1}, h_{t-1}]
        du = linear_input_backward(dpre, params["W_u"])
        n_reads = dr[0].size
        dr_prev, dh_prev = du[:, :n_reads].reshape(dr.shape), du[:, n_reads:]
        if dtrace is not None:
            keep_gradients(dtrace, r=dr, w=dw, M=dM, h=dh, raw=draw, pre=dpre)
        return (dh_prev if dh_prev.size else 0, dr_prev, dw_prev, dM_prev, dstate_prev), draw, dpre


def repeat(x, B):
    """The same array for every sequence of a batch.  (B, ...)"""
    return np.repeat(x[None], B, axis=0)


def keep_gradients(dtrace, **gradients):
    """Put each gradient before those of the later steps: BPTT runs backwards, the lists run forwards."""
    for name, value in gradients.items():
        dtrace.setdefault(name, []).insert(0, value)
