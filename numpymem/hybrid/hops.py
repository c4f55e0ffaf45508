"""Hops that are guided: before each the working memory says what to look for next.

A question like "from n2 along a, then c" names what to look up at every hop; MemN2N has to tell them apart in one sum of words. The
NTM, which heard the question, hands over one vector a hop. The hop itself is MemN2N's, one at a time.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.hybrid.equations import OWN
from numpymem.memn2n.hops import Way, all_hops, all_hops_backward, back_through_hops


@equation("Hybrid-hops", r"u^{k+1} = f(u^k + g^k), \quad k = 1 \ldots K, \quad g^1 = 0", step=True,
          source=OWN + "; f is one hop of MemN2N-hops, g^k a part of what the NTM puts out", fixed={"way": Way(hops=3)},
          dims={"n": 2, "L": 2, "D": 5, "G": 5})
def guided_hops(u1, guide, memories, H, mask, empty, way):
    """Look into the memories K times, each time for what was found before and what the guide says.

    u1          (B, D)            the question
    guide       (B, L, D)         g^2 ... g^K: L = K - 1 vectors
    memories    (B, I, n, D)      of each sentence n vectors: K + 1 with adjacent tying, 2 (m and c of all hops) with layer-wise
    H           (G, G)            layer-wise: G = D; adjacent: no rows, no columns
    mask        (B, I) [mask]     1 for a sentence, 0 for nil
    empty       (B, 1) [data]     empty slots that share in the softmax
    way         () [sizes]        Way: how many hops, and what kind
    returns u   (K + 1, B, D)     states: the question, and one after each hop
    returns o   (K, B, D)         what each hop found
    returns p   (K, B, I)         where
    """
    u, o, p = [u1], [], []
    for k in range(way.hops):
        (_, u_next), found, where = all_hops(asked(u, guide, k), memories[:, :, of_hop(k, H)], H, mask, empty, way._replace(hops=1))
        u, o, p = [*u, u_next], [*o, found[0]], [*p, where[0]]
    return np.stack(u), np.stack(o), np.stack(p)


@guided_hops.backward
def guided_hops_backward(du, u, p, guide, memories, H, mask, way):
    return back_through_guided_hops(du, u, p, guide, memories, H, mask, way)


def back_through_guided_hops(du, u, p, guide, memories, H, mask, way, dtrace=None):
    """-> (du1, dguide, dmemories, dH). A dict `dtrace` is filled as that of MemN2N's hops."""
    dguide, dmemories, dH, du_k = np.zeros_like(guide), np.zeros_like(memories), np.zeros_like(H), du[-1]
    states, steps = [du_k], []
    for k in reversed(range(way.hops)):
        # (asked, u_next), o, p = all_hops(asked, memories of this hop)
        d_states, passed, pair = np.stack([np.zeros_like(du_k), du_k]), np.stack([asked(u, guide, k), u[k + 1]]), of_hop(k, H)
        past = d_states, passed, p[k:k + 1], memories[:, :, pair], H, mask, way._replace(hops=1)
        step = {}
        dasked, dmemories_k, dH_k = all_hops_backward(*past) if dtrace is None else back_through_hops(*past, step)
        dmemories[:, :, pair] += dmemories_k
        dH += dH_k
        # asked = u + guide
        if k:
            dguide[:, k - 1] = dasked
        du_k = du[k] + dasked
        states, steps = [du_k, *states], [step, *steps]
    if dtrace is not None:
        dtrace.update({name: [step[name][0] for step in steps] for name in "mcop"}, u=states)
    return du_k, dguide, dmemories, dH


def asked(u, guide, k):
    """What hop k, counted from 0, looks for."""
    return u[k] + guide[:, k - 1] if k else u[0]


def of_hop(k, H):
    """Which memories are m and c of hop k: with layer-wise tying the same for all hops."""
    return slice(0, 2) if H.size else slice(k, k + 2)
