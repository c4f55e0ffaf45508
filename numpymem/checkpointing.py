"""Long sequences in little memory: keep the state before every k-th step, and compute the steps between again in backward.

A trace holds the whole memory at every step: 10 MiB for 32 steps of 16 sequences, 330 MiB for 1,000. In parts of k steps it holds
T / k states and the trace of the last part, which backward needs first; then, one after the other, those of the parts before. Each
step but the last k is computed twice forward, and once backward.
(Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174, with parts of equal length.)
"""

import numpy as np


def parts(T, every):
    """[slice(0, every), slice(every, 2 every), ...]: all T steps."""
    return [slice(first, min(first + every, T)) for first in range(0, T, every)]


def forward_in_parts(model, params, inputs, initial, every):
    """-> logits (T, B, n_outputs), and a trace of `inputs`, `initial`, `checkpoint_every`, `states`, one before each part, and
    `last_part`, the trace of the last."""
    states, logits, trace = [], [], {"last": initial}
    for part in parts(len(inputs), every):
        states.append(trace["last"])
        del trace                                # its room is for the next part
        outputs, trace = model.run(params, inputs[part], states[-1])
        logits.append(outputs)
    return np.concatenate(logits), {"inputs": inputs, "initial": initial, "checkpoint_every": every, "states": states,
                                    "last_part": trace}


def backward_in_parts(model, params, trace, d_outputs, dtrace=None):
    """-> gradients of the parameters, summed over the parts, and of the state before the first step."""
    grads, d_state, again = {}, None, trace["last_part"]
    for part, state in reversed(list(zip(parts(len(trace["inputs"]), trace["checkpoint_every"]), trace["states"]))):
        if again is None:
            _, again = model.run(params, trace["inputs"][part], state)
        found, d_state = model.run_backward(params, again, d_outputs[part], d_state, dtrace)
        grads = {name: grads[name] + value if grads else value for name, value in found.items()}
        again = None                             # its room is for the next part
    return grads, d_state
