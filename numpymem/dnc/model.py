"""The Differentiable Neural Computer as a model: parameters, initial state, forward, backward.

    pre_x = x W_x + b                             for all steps at once
    h, r, ... = sequence(pre_x, initial state)    controller, heads and memory, step by step: numpymem/dnc/sequence.py
    y     = [h, r] W_y + b_y                      logits, for all steps at once
"""

from dataclasses import dataclass

import numpy as np

from numpymem.dnc.sequence import NAMES, UNSAVED, State, sequence, through_time
from numpymem.dnc.step import STEP_NAMES, DNCSizes, memory_step
from numpymem.initial import check_at_least, check_choice, scaled_normal
from numpymem.ntm.sequence import controller_step
from numpymem.ops.linear import linear
from numpymem.recurrent import Recurrent

CONTROLLERS = ("lstm", "feedforward")
SWITCHES = ("masking", "deallocation", "sharpening", "usage_gradient")


@dataclass(frozen=True)
class DNCConfig:
    """Sizes and choices of a DNC.

    n_inputs, n_outputs  width of an input and of an output row
    controller           "lstm" or "feedforward", with `controller_size` units
    N, W                 slots and width of the memory
    read_heads           there is one write head
    masking, deallocation, sharpening    the improvements of Csordas and Schmidhuber 2019: False is the paper's DNC
    usage_gradient       whether usage passes a gradient on to the write weights: True; DeepMind's own code stops it
    sparse_link          keep only so many links a slot (the paper: 8, in memory that grows with N instead of N N); 0: all
    N_training           slots while training (forward with an rng), 0: N; no parameter depends on N
    """
    n_inputs: int
    n_outputs: int
    controller: str = "lstm"
    controller_size: int = 100
    N: int = 32
    W: int = 20
    read_heads: int = 1
    masking: bool = False
    deallocation: bool = False
    sharpening: bool = False
    usage_gradient: bool = True
    sparse_link: int = 0
    N_training: int = 0

    def __post_init__(self):
        for name in ("n_inputs", "n_outputs", "controller_size", "W", "read_heads"):
            check_at_least(name, getattr(self, name), 1)
        check_at_least("N", self.N, 2)
        check_at_least("N_training", self.N_training, 0)
        check_at_least("sparse_link", self.sparse_link, 0)
        fewest = min(self.N, self.N_training or self.N)
        if self.sparse_link == 1 or 2 * self.sparse_link >= fewest:
            raise ValueError(f"sparse_link: expected 0, or from 2 links to less than half of the {fewest} slots, as a link is two "
                             f"numbers; received {self.sparse_link}")
        check_choice("controller", self.controller, CONTROLLERS)
        for name in SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: expected true or false, received {getattr(self, name)!r}")


class DNC(Recurrent):
    """See the text at the top of this file. `params` is a dict of arrays; the model itself holds no numbers.

    forward(params, inputs) and backward(params, trace, d_outputs) are those of all recurrent models: numpymem/recurrent.py.
    """

    sequence, names, State = sequence, NAMES, State
    weights = ("W_chi", "W_xi", "b_xi")

    def __init__(self, config):
        self.config = config
        self.sizes = DNCSizes(config.read_heads, config.W, *(getattr(config, name) for name in (*SWITCHES, "sparse_link")))
        self.is_lstm = config.controller == "lstm"

    def init(self, rng, dtype=np.float32):
        """Fresh parameters, a dict name -> array."""
        c, sizes = self.config, self.sizes
        n_reads, C = sizes.R * c.W, c.controller_size
        n_own, G = (C, 4 * C) if self.is_lstm else (0, C)
        fan_in = c.n_inputs + n_reads + n_own
        params = {"W_x": scaled_normal(rng, fan_in, (c.n_inputs, G), dtype),
                  "W_chi": scaled_normal(rng, fan_in, (n_reads + n_own, G), dtype), "b": np.zeros(G, dtype),
                  "W_xi": scaled_normal(rng, C, (C, sizes.raw), dtype), "b_xi": np.zeros(sizes.raw, dtype),
                  "W_y": scaled_normal(rng, C + n_reads, (C + n_reads, c.n_outputs), dtype), "b_y": np.zeros(c.n_outputs, dtype)}
        if self.is_lstm:
            params["b"][C:2 * C] = 1                 # forget gates start open
        return params

    # ---- start of an episode ----------------------------------------------------------------------------------------

    def initial_state(self, params, B, N=None):
        """The State before the first step: nothing written, nothing read, all zeros (as in the paper); N slots or the config's.

        All slots are then alike; the free list, which names equally empty slots in their order, tells them apart."""
        (R, W), N, C = self.sizes[:2], N or self.config.N, self.config.controller_size if self.is_lstm else 0
        shapes = ((C,), (C,), (R, W), (R, N), (N,), (N,), (N,), (N, 2 * self.config.sparse_link or N), (W, N))
        zeros = [np.zeros((B, *shape), params["W_y"].dtype) for shape in shapes]
        return State(*zeros[:-1], zeros[-1].swapaxes(1, 2))                        # slots last, as the steps want it

    # ---- one step ---------------------------------------------------------------------------------------------------

    def step(self, params, x, state):
        """One time step by itself: x (B, n_inputs), State -> logits (B, n_outputs), State."""
        B = len(x)
        chi = np.concatenate([state.r.reshape(B, -1), state.h], axis=1)
        h, c, _ = controller_step(linear(x, params["W_x"], params["b"]) + chi @ params["W_chi"], state.c)
        r, *memory = memory_step(linear(h, params["W_xi"], params["b_xi"]), *state[3:], self.sizes)
        logits = linear(np.concatenate([h, r.reshape(B, -1)], axis=1), params["W_y"], params["b_y"])
        return logits, State(h if self.is_lstm else state.h, c, r, *memory[:6])

    # ---- backward: numpymem/recurrent.py; with `dtrace` it goes this way ----------------------------------------------------

    def traced_backward(self, params, trace, dh, dr, d_last, dtrace):
        """As the backward of `sequence`, but with the gradients of h, r, w_r, w_w, u, L, M, raw and pre at every step put into
        `dtrace`."""
        first, initial = [trace[name] for name in NAMES[:5]], trace["initial"]
        saved = [trace[name] for name in STEP_NAMES if name not in UNSAVED]
        return through_time(dh, dr, d_last, *first, trace["p"], saved, params["W_chi"], params["W_xi"], *initial[:3], initial[3:],
                            self.sizes, dtrace)
