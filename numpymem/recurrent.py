"""What the NTM and the DNC share as models: a controller and a memory, forward and backward over all time steps.

    pre_x = x W_x + b                             for all steps at once
    h, r, ... = sequence(pre_x, initial state)    controller, heads and memory, step by step: the model's own, in its sequence.py
    y     = [h, r] W_y + b_y                      logits, for all steps at once
"""

import numpy as np

from numpymem.initial import check_at_least, check_sequence_inputs
from numpymem.checkpointing import backward_in_parts, forward_in_parts
from numpymem.ops.linear import flat, linear, linear_backward, linear_weight_backward


class Recurrent:
    """What a model says of itself:

    sequence   the pair of all its time steps: sequence(pre_x, *weights, *initial State, sizes)
    names      of what that returns for every time step, first h, c, gates, the controller's other input, raw, r; then come c and
               all of the State behind r, after the last step
    weights    names of the parameters that it takes after pre_x
    State      what one time step hands to the next: h, c, r, and the memory's own

    and it has `config`, `sizes`, `is_lstm`, initial_state(params, B, N) and traced_backward(...), which runs as NumPy.
    """

    form = "sequence"

    def forward(self, params, inputs, rng=None, checkpoint_every=0):
        """All T steps from the initial state.

        inputs            (T, B, n_inputs)
        rng               given in training: then the memory has N_training slots, if the config says so
        checkpoint_every  keep only the state before every so many steps, and compute the others again in `backward`: less
                          memory, more time, the same gradients to rounding; 0: keep all (checkpointing.py)
        returns  logits (T, B, n_outputs) and the trace: each of `names` -> an array (T, B, ...), and 'initial' and 'last', the
                 State before the first step and after the last one
        """
        check_sequence_inputs(inputs, self.config.n_inputs)
        check_at_least("checkpoint_every", checkpoint_every, 0)
        initial = self.initial_state(params, inputs.shape[1], self.config.N_training if rng is not None else None)
        if checkpoint_every:
            return forward_in_parts(self, params, inputs, initial, checkpoint_every)
        return self.run(params, inputs, initial)

    def run(self, params, inputs, initial):
        """All T steps of `inputs` from any State -> logits and the trace, as `forward`."""
        T, B, _ = inputs.shape
        pre_x = linear(flat(inputs), params["W_x"], params["b"]).reshape(T, B, -1)
        found = self.sequence(pre_x, *self.step_weights(params), *initial, self.sizes)
        trace = dict(zip(self.names, found), inputs=inputs, initial=initial, pre_x=pre_x)
        c, *rest = found[len(self.names):]
        h = trace["h"][-1].copy() if self.is_lstm else initial.h
        trace["last"] = self.State(h, c, trace["r"][-1].copy(), *rest)
        trace["hr"] = np.concatenate([flat(trace["h"]), flat(trace["r"])], axis=1)              # (T * B, C + R W)
        logits = linear(trace["hr"], params["W_y"], params["b_y"])
        return logits.reshape(T, B, -1), trace

    def backward(self, params, trace, d_outputs, dtrace=None):
        """The gradients of all parameters, a dict with the keys and shapes of `params`.

        d_outputs  (T, B, n_outputs)  gradient of the logits
        dtrace     a dict to be filled with the gradients of h, r, raw, pre and the memory's own at every step (runs as NumPy)
        """
        if "states" in trace:
            grads, d_initial = backward_in_parts(self, params, trace, d_outputs, dtrace)
        else:
            grads, d_initial = self.run_backward(params, trace, d_outputs, dtrace=dtrace)
        grads |= self.initial_state_backward(params, trace["initial"], d_initial)
        return {name: grads[name] for name in params}

    def run_backward(self, params, trace, d_outputs, d_last=None, dtrace=None):
        """-> gradients of the parameters that all steps share, and of the State before the first step.

        d_last     gradients of the State after the last step, if anything came after it
        """
        C, shape_r = self.config.controller_size, trace["r"].shape
        d_last = d_last or self.State(*(np.zeros_like(value) for value in trace["last"]))
        # logits = [h, r] W_y + b_y
        dhr, dW_y, db_y = linear_backward(flat(d_outputs), trace["hr"], params["W_y"])
        dh, dr = np.ascontiguousarray(dhr[:, :C]).reshape(trace["h"].shape), np.ascontiguousarray(dhr[:, C:]).reshape(shape_r)
        # last = h, c, r, ... of the last step
        if self.is_lstm:
            dh[-1] += d_last.h
        dr[-1] += d_last.r
        # h, r, ... = sequence(pre_x, weights, initial state)
        dpre_x, *found = self._sequence_backward(params, trace, dh, dr, (d_last.c, *d_last[3:]), dtrace)
        # pre_x = x W_x + b
        dW_x, db = linear_weight_backward(flat(dpre_x), flat(trace["inputs"]))
        count = len(self.weights)
        dweights = self.step_weights_backward(found[:count])
        grads = {"W_x": dW_x, "b": db, **dict(zip(self.weights, dweights)), "W_y": dW_y, "b_y": db_y}
        return grads, self.State(*found[count:])

    def _sequence_backward(self, params, trace, dh, dr, d_last, dtrace):
        if dtrace is not None:
            return self.traced_backward(params, trace, dh, dr, d_last, dtrace)
        saved = (trace[name] for name in self.names if name != "r")
        return self.sequence.gradient(dh, dr, *d_last, *saved, trace["pre_x"], *self.step_weights(params), *trace["initial"],
                                      self.sizes)

    def step_weights(self, params):
        """What `sequence` takes after pre_x: the parameters `weights`, unless a model holds some of them."""
        return [params[name] for name in self.weights]

    def step_weights_backward(self, dweights):
        """Their gradients, from those of what `sequence` was given."""
        return dweights

    def initial_state_backward(self, params, initial, d_initial):
        """Gradients of what was learned of the initial State: nothing, unless a model says otherwise."""
        return {}
