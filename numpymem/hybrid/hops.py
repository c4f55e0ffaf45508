"""Hops that are guided: before each the working memory says what to look for next.

A question like "from n2 along a, then c" names what to look up at every hop; MemN2N has to tell them apart in one sum of words. The
NTM, which heard the question, hands over one vector a hop. The hop itself is MemN2N's, one at a time.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.hybrid.equations import OWN
from numpymem.memn2n.hops import Way, all_hops, all_hops_backward, back_through_hops

ONE = Way(1)


@equation("Hybrid-hops", r"u^{k+1} = u^k + o^k + g^{k+1}, \quad k = 1 \ldots K, \quad g^{K+1} = 0", step=True,
          source=OWN + "; o^k is that of MemN2N-2, g^k a part of what the NTM puts out", dims={"n": 4, "L": 2, "D": 5})
def guided_hops(u1, guide, memories, mask, empty):
    """Look into the memories K = n - 1 times, each time for what was found before and what the guide says.

    u1          (B, D)            the question
    guide       (B, L, D)         g^2 ... g^K: L = K - 1 vectors
    memories    (B, I, n, D)      of each sentence: hop k takes in the k-th and puts out the one after
    mask        (B, I) [mask]     1 for a sentence, 0 for nil
    empty       (B, 1) [data]     empty slots that share in the softmax
    returns u   (n, B, D)         states: the question, and one after each hop
    returns o   (K, B, D)         what each hop found
    returns p   (K, B, I)         where
    """
    u, o, p = [u1], [], []
    for k in range(memories.shape[2] - 1):
        (_, u_next), found, where = all_hops(u[k], memories[:, :, k:k + 2], no_matrix(u1), mask, empty, ONE)
        u.append(u_next + guide[:, k] if k < guide.shape[1] else u_next)
        o, p = [*o, found[0]], [*p, where[0]]
    return np.stack(u), np.stack(o), np.stack(p)


@guided_hops.backward
def guided_hops_backward(du, u, p, guide, memories, mask):
    return back_through_guided_hops(du, u, p, guide, memories, mask)


def back_through_guided_hops(du, u, p, guide, memories, mask, dtrace=None):
    """-> (du1, dguide, dmemories). A dict `dtrace` is filled as that of MemN2N's hops."""
    dguide, dmemories, du_k = np.zeros_like(guide), np.zeros_like(memories), du[-1]
    states, steps = [du_k], []
    for k in reversed(range(len(p))):
        # u_next = u + o + guide
        if k < guide.shape[1]:
            dguide[:, k] = du_k
        # (u, u + o), o, p = all_hops(u, memories of this hop)
        past = np.stack([np.zeros_like(du_k), du_k]), u[k:k + 2], p[k:k + 1], memories[:, :, k:k + 2], no_matrix(u[0]), mask, ONE
        step = {}
        du_hop, dmemories_k, _ = all_hops_backward(*past) if dtrace is None else back_through_hops(*past, step)
        dmemories[:, :, k:k + 2] += dmemories_k
        # u went two ways: out, and into the hop
        du_k = du[k] + du_hop
        states, steps = [du_k, *states], [step, *steps]
    if dtrace is not None:
        dtrace.update({name: [step[name][0] for step in steps] for name in "mcop"}, u=states)
    return du_k, dguide, dmemories


def no_matrix(u):
    """H of MemN2N with adjacent tying: none."""
    return np.zeros((0, 0), u.dtype)
