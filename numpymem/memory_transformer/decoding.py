"""Answering step by step: what the model said itself is what it is given next, as no teacher is there (greedy decoding).

What lies before the decoder is computed once. Of the decoder's own places `step` keeps what later ones need, so that each place is
computed once, too: to rounding the same as all places side by side.
"""

from typing import NamedTuple

import numpy as np


class State(NamedTuple):
    """An answer so far."""
    trace: dict               # of MemoryTransformer.tell: question, items and memory
    past: list | None         # for each layer of the decoder {"seen": normalised inputs of its self-attention (B, places, d),
    #                           "w": weights of its read heads at the last place (B, heads, N), or None}; None: no place yet


def start(model, params, inputs, forget=False):
    """The state before the first answer. inputs: Segments, of which the prompt is not looked at; forget: see model.forward."""
    return State(model.tell(params, inputs, forget=forget), None)


def step(model, params, state, prompt):
    """One place of the decoder.

    prompt   (B,) what was answered at the place before: 0 at the first place, then 1 + answer (class, or n_outputs + place)
    returns  logits (B, n_outputs), with pointers (B, n_outputs + Q); the next state
    """
    z, layers = model.decode(params, state.trace, np.asarray(prompt)[:, None], state.past)
    logits, *_ = model.score(params, state.trace, z)
    past = [{"seen": made["self"]["seen"], "w": made["read"]["w"][-1] if model.config.memory == "ntm" else None} for made in layers]
    return logits[0], State(state.trace, past)


def generate(model, params, inputs, steps, allowed=None, forget=False):
    """The likeliest answer at each place, each given those before.

    inputs   Segments, of which the prompt is not looked at
    steps    T, how many places
    allowed  None, or a function (t, B) answers so far -> (B, n_outputs + Q) bool: what may come next, at least one of each row
    forget   True: the memory is wiped before it is read
    returns  (T, B) int32: classes, or n_outputs + places
    """
    state = start(model, params, inputs, forget)
    said = np.zeros((0, len(inputs.question)), np.int32)
    for t in range(steps):
        logits, state = step(model, params, state, said[-1] + 1 if t else np.zeros(len(inputs.question), np.int32))
        if allowed is not None:
            logits = np.where(allowed(said), logits, -np.inf)
        said = np.concatenate([said, logits.argmax(1)[None].astype(np.int32)])
    return said
