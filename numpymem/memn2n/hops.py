"""All hops of the memory network, from the question's code to the last state. Registered pairs, wired.

    o^k, p^k = hop(u^k, m^k, c^k)                  (1), (2)
    u^{k+1}  = u^k + o^k   or   H u^k + o^k        (4), then max(u, 0) if wanted

A story's memories stand side by side, n of them for each sentence. Which of them are m^k and c^k is the way of tying.
"""

from typing import NamedTuple

import numpy as np

from numpymem.equation import equation, ticking
from numpymem.kernel import Kernel
from numpymem.memn2n.equations import (hop, hop_backward, next_state, next_state_backward, next_state_layerwise,
                                       next_state_layerwise_backward, respond_backward)
from numpymem.ops.activations import relu, relu_backward


class Way(NamedTuple):
    """What is chosen and not learned: `hops`, how many; `relu`, whether u passes through max(u, 0) after each; `linear`, True
    during linear start: no softmax."""
    hops: int
    relu: bool = False
    linear: bool = False


def places(k, layerwise):
    """Which of the memories are m and c of hop k: with layer-wise tying the same for all hops; with adjacent tying what hop k puts
    out, hop k + 1 takes in."""
    return (0, 1) if layerwise else (k, k + 1)


def update(u, o, H, way):
    """The state after a hop that found o."""
    u_next = next_state_layerwise(u, o, H) if H.size else next_state(u, o)
    return relu(u_next) if way.relu else u_next


def update_backward(du_next, u_next, u, H, way):
    """-> (du, do, dH)"""
    if way.relu:
        du_next = relu_backward(du_next, u_next)
    return next_state_layerwise_backward(du_next, u, H) if H.size else (*next_state_backward(du_next), np.zeros_like(H))


@equation("MemN2N-hops", r"u^1 \mapsto (u^k, o^k, p^k), \quad k = 1 \ldots K", source="Sukhbaatar et al. 2015, section 2.2",
          step=True, fixed={"way": Way(hops=3)}, dims={"n": 2, "D": 5, "G": 5})
def all_hops(u1, memories, H, mask, empty, way):
    """Look into the memories again and again, each time with what was found before.

    u1          (B, D)            the question
    memories    (B, I, n, D)      of each sentence n vectors: K + 1 with adjacent tying, 2 (m and c of all hops) with layer-wise
    H           (G, G)            layer-wise: G = D; adjacent: no rows, no columns, u goes on as it is
    mask        (B, I) [mask]     1 for a sentence, 0 for nil
    empty       (B, 1) [data]     empty slots that share in the softmax
    way         () [sizes]        Way: how many hops, and what kind
    returns u   (K + 1, B, D)     states: the question, and one after each hop
    returns o   (K, B, D)         what each hop found
    returns p   (K, B, I)         where
    """
    u, o, p = [u1], [], []
    for k in ticking(range(way.hops)):
        m, c = (memories[:, :, place] for place in places(k, H.size > 0))
        found, where = hop(u[k], m, c, mask, empty, way.linear)
        u, o, p = u + [update(u[k], found, H, way)], o + [found], p + [where]
    return np.stack(u), np.stack(o), np.stack(p)


@all_hops.backward
def all_hops_backward(du, u, p, memories, H, mask, way):
    return back_through_hops(du, u, p, memories, H, mask, way)


def back_through_hops(du, u, p, memories, H, mask, way, dtrace=None):
    """-> (du1, dmemories, dH). A dict `dtrace` is filled with the gradients of m, c, o, p at each hop, and of all states u."""
    dmemories, dH, du_k, steps = np.zeros_like(memories), np.zeros_like(H), du[-1], []
    for k in ticking(reversed(range(way.hops))):
        at_m, at_c = places(k, H.size > 0)
        m, c = memories[:, :, at_m], memories[:, :, at_c]
        # u_next = update(u, o, H)
        du_next, (du_past, do, dH_k) = du_k, update_backward(du_k, u[k + 1], u[k], H, way)
        # o, p = hop(u, m, c)
        du_hop, dm, dc = hop_backward(do, np.zeros_like(p[k]), p[k], u[k], m, c, mask, way.linear)
        # hops share memories and H
        dmemories[:, :, at_m] += dm
        dmemories[:, :, at_c] += dc
        dH += dH_k
        # u went three ways: out, past the hop and into it
        du_k = du[k] + du_past + du_hop
        if dtrace is not None:
            steps.insert(0, {"m": dm, "c": dc, "o": do, "u": du_next, "p": respond_backward(do, p[k], c)[0]})
    if dtrace is not None:
        dtrace.update({name: [step[name] for step in steps] for name in "mcop"}, u=[du_k] + [step["u"] for step in steps])
    return du_k, dmemories, dH


Kernel("memn2n.hops", of=all_hops, functions="numpymem.memn2n.kernels_hops:hops:hops_backward", gain="9x")
