"""The Neural Turing Machine as a model: parameters, initial state, forward, backward.

    pre_x = x W_x + b                             for all steps at once
    h, r, ... = sequence(pre_x, initial state)    controller, heads and memory, step by step: numpymem/ntm/sequence.py
    y     = [h, r] W_y + b_y                      logits, for all steps at once
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpymem.initial import check_at_least, check_choice, scaled_normal
from numpymem.ntm.held import check_switches, held, hold_heads, hold_heads_backward
from numpymem.ntm.sequence import NAMES, controller_step, sequence, through_time
from numpymem.ntm.step import HeadSizes, memory_step, split
from numpymem.ops.activations import tanh, tanh_backward
from numpymem.ops.linear import linear
from numpymem.ops.softmax import softmax, softmax_backward
from numpymem.recurrent import Recurrent

CONSTANT_MEMORY = 1e-6
CONTROLLERS = ("lstm", "feedforward")
SAVED = ("w", "k", "beta", "g", "s", "gamma", "e", "a", "K", "w_c", "w_g", "w_s")


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
    initial_heads        how the heads begin, which training may unlearn: "neutral" (biases 0) or "tape" (write heads step on by one
                         slot, read heads look up by content: a plan that questions about many facts take long to find)
    N_training           slots while training (forward with an rng), 0: N. With hardly more slots than needed the heads learn to
                         waste none and to keep still when they have nothing to do; no parameter depends on N
    addressing           "both"; "content": no gate, no shift, no sharpening; "location": no look-up by content     (held.py)
    erase                False: the memory is only added to                                                         (held.py)
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
    initial_heads: str = "neutral"
    N_training: int = 0
    addressing: str = "both"
    erase: bool = True

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
        check_choice("initial_heads", self.initial_heads, ("neutral", "tape"))
        check_at_least("N_training", self.N_training, 0)
        if self.N_training and (self.N_training < self.shifts or self.initial_memory != "constant"
                                or self.initial_weights == "learned"):
            raise ValueError(f"N_training: expected 0, or at least {self.shifts} with initial_memory 'constant' and "
                             f"initial_weights 'one-hot' (nothing learned may depend on N), received {self.N_training} with "
                             f"{self.initial_memory!r} and {self.initial_weights!r}")
        if self.initial_memory == "constant" and self.initial_weights == "uniform":
            raise ValueError("initial_memory, initial_weights: expected one of them to differ between slots, received "
                             "'constant' and 'uniform'; all slots would then stay equal for ever")
        check_switches(self)
        if self.addressing == "content" and self.initial_memory == "constant":
            raise ValueError("addressing, initial_memory: expected 'learned' memory where heads look by content alone, received "
                             "'content' and 'constant'; all slots would then stay equal for ever")


class State(NamedTuple):
    """What one time step hands to the next."""
    h: np.ndarray               # (B, C)     controller output; (B, 0) for a feedforward controller
    c: np.ndarray               # (B, C)     LSTM cell; (B, 0) for a feedforward controller
    r: np.ndarray               # (B, R, W)  read vectors
    w: np.ndarray               # (B, H, N)  weights of all heads
    M: np.ndarray               # (B, N, W)  memory


class NTM(Recurrent):
    """See the text at the top of this file. `params` is a dict of arrays; the model itself holds no numbers.

    forward(params, inputs) and backward(params, trace, d_outputs) are those of all recurrent models: numpymem/recurrent.py.
    """

    sequence, names, State = sequence, NAMES, State
    weights = ("W_u", "W_heads", "b_heads")

    def __init__(self, config):
        self.config = config
        self.sizes = HeadSizes(config.read_heads, config.write_heads, config.W, config.shifts)
        self.is_lstm = config.controller == "lstm"
        self.holds = config.addressing != "both" or not config.erase

    def init(self, rng, dtype=np.float32):
        """Fresh parameters, a dict name -> array."""
        c, sizes = self.config, self.sizes
        n_reads, C = sizes.R * c.W, c.controller_size
        n_own, G = (C, 4 * C) if self.is_lstm else (0, C)
        fan_in = c.n_inputs + n_reads + n_own
        params = {"W_x": scaled_normal(rng, fan_in, (c.n_inputs, G), dtype),
                  "W_u": scaled_normal(rng, fan_in, (n_reads + n_own, G), dtype), "b": np.zeros(G, dtype)}
        if self.is_lstm:
            params["b"][C:2 * C] = 1                 # forget gates start open
            params["h0"], params["c0"] = np.zeros(C, dtype), np.zeros(C, dtype)
        params["W_heads"] = scaled_normal(rng, c.controller_size, (c.controller_size, sizes.raw), dtype)
        params["b_heads"] = np.zeros(sizes.raw, dtype) if c.initial_heads == "neutral" else tape(sizes).astype(dtype)
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

    def initial_state(self, params, B, N=None):
        """The state before the first step, the same for all B sequences; N slots, by default the config's."""
        c, sizes, dtype = self.config, self.sizes, params["W_y"].dtype
        N = N or c.N
        none = np.zeros(0, dtype)
        M0 = params["M0"] if "M0" in params else np.full((N, c.W), CONSTANT_MEMORY, dtype)
        r0 = tanh(params["r0_raw"]) if "r0_raw" in params else np.zeros((sizes.R, c.W), dtype)
        if "w0_logits" in params:
            w0 = softmax(params["w0_logits"])
        elif c.initial_weights == "uniform":
            w0 = np.full((sizes.H, N), 1 / N, dtype)
        else:
            w0 = np.zeros((sizes.H, N), dtype)
            w0[:, 0] = 1
        h0, c0, r0, w0 = (repeat(x, B) for x in (params.get("h0", none), params.get("c0", none), r0, w0))
        return State(h0, c0, r0, w0, repeat(M0.T, B).swapaxes(1, 2))               # slots last, as the steps want it

    def initial_state_backward(self, params, initial, d_initial):
        """Gradients of what was learned of the initial State."""
        dh0, dc0, dr0, dw0, dM0 = d_initial
        grads = {}
        # each start value was repeated for the whole batch: sum over it
        if self.is_lstm:
            grads["h0"], grads["c0"] = dh0.sum(0), dc0.sum(0)
        if "M0" in params:
            grads["M0"] = dM0.sum(0)
        if "r0_raw" in params:
            grads["r0_raw"] = tanh_backward(dr0.sum(0), initial.r[0])
        if "w0_logits" in params:
            grads["w0_logits"] = softmax_backward(dw0.sum(0), initial.w[0])
        return grads

    # ---- one step ---------------------------------------------------------------------------------------------------

    def step(self, params, x, state):
        """One time step by itself: x (B, n_inputs), State -> logits (B, n_outputs), State."""
        B = len(x)
        u = np.concatenate([state.r.reshape(B, -1), state.h], axis=1)
        W_u, W_heads, b_heads = self.step_weights(params)
        h, c, _ = controller_step(linear(x, params["W_x"], params["b"]) + u @ W_u, state.c)
        r, w, M, *_ = memory_step(linear(h, W_heads, b_heads), state.M, state.w, self.sizes)
        logits = linear(np.concatenate([h, r.reshape(B, -1)], axis=1), params["W_y"], params["b_y"])
        return logits, State(h if self.is_lstm else state.h, c, r, w, M)

    # ---- what the config holds of the heads: numpymem/ntm/held.py ------------------------------------------------------------

    def step_weights(self, params):
        """W_u, W_heads and b_heads as the steps take them."""
        W_u, W_heads, b_heads = super().step_weights(params)
        if self.holds:
            W_heads, b_heads = hold_heads(W_heads, b_heads, *held(self.config, self.sizes, b_heads.real.dtype))
        return W_u, W_heads, b_heads

    def step_weights_backward(self, dweights):
        dW_u, dW_heads, db_heads = dweights
        if self.holds:
            kept, _ = held(self.config, self.sizes, db_heads.dtype)
            dW_heads, db_heads = hold_heads_backward(dW_heads, db_heads, kept)
        return dW_u, dW_heads, db_heads

    # ---- backward: numpymem/recurrent.py; with `dtrace` it goes this way ----------------------------------------------------

    def traced_backward(self, params, trace, dh, dr, d_last, dtrace):
        """As the backward of `sequence`, but with the gradients of h, r, w, M, raw and pre at every step put into `dtrace`."""
        first = (trace[name] for name in ("h", "c", "gates", "u", "raw"))
        saved = [trace[name] for name in SAVED]
        W_u, W_heads, _ = self.step_weights(params)
        return through_time(dh, dr, d_last, *first, trace["M"], saved, W_u, W_heads, *trace["initial"], self.sizes, dtrace)


def tape(sizes):
    """Biases of the head parameters, (P,): a tape that is written slot by slot and looked up by content."""
    bias = np.zeros((1, sizes.raw))
    _, beta, g, s, *_ = split(bias, sizes)                                     # (1, H, ...), views
    reads, writes, middle = slice(sizes.R), slice(sizes.R, None), sizes.S // 2
    beta[:, reads], g[:, reads], s[:, reads, middle] = 4, 2, 3                 # look up, stay there
    one_on = middle + (sizes.S > 1)
    beta[:, writes], g[:, writes], s[:, writes, one_on] = 1, -2, 3             # from where it was, one on
    return bias[0]


def repeat(x, B):
    """The same array for every sequence of a batch.  (B, ...)"""
    return np.repeat(x[None], B, axis=0)
