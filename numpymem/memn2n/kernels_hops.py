"""Compiled loops for all hops of a story: kernel "memn2n.hops". One story after the other, so that its memories stay in the
processor's cache from the first hop to the last, and back.
"""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ops.kernels_math import exp

loop = compile_loop(allocates=False)
part = compile_loop(allocates=False, inline="always")        # rows are short: a call would cost as much as the sum


@part
def dot(x, y):
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j] * y[j]
    return total


@part
def add_scaled(y, a, x):
    """y += a x"""
    for j in range(y.size):
        y[j] += a * x[j]


@loop
def softmax_with_empty(p, mask, empty):
    """Scores -> weights, in place, for one story; `empty` slots of score 0 share."""
    zero = p.dtype.type(0)
    top = zero if empty > 0 else p.dtype.type(-1e30)
    for i in range(p.size):
        if mask[i] > 0:
            top = max(top, p[i])
    total = zero
    if empty > 0:
        total = empty * exp(-top)
    for i in range(p.size):
        if mask[i] > 0:
            p[i] = exp(p[i] - top)
            total += p[i]
    for i in range(p.size):
        if mask[i] > 0 and total > zero:         # all scores may be below -1e30: then no weights, as with NumPy
            p[i] /= total


@loop
def look(u, memories, H, mask, empty, relu, linear, o, p):
    """Fill o, p and all states u but the first."""
    zero = u.dtype.type(0)
    for b in range(memories.shape[0]):
        mask_b = mask[b]
        for k in range(o.shape[0]):
            u_k, u_next, o_k, p_k = u[k, b], u[k + 1, b], o[k, b], p[k, b]
            at_m = 0 if H.size > 0 else k
            for i in range(p_k.size):
                p_k[i] = dot(memories[b, i, at_m], u_k) if mask_b[i] > 0 else zero
            if not linear:
                softmax_with_empty(p_k, mask_b, empty[b, 0])
            for j in range(o_k.size):
                o_k[j] = zero
            for i in range(p_k.size):
                if mask_b[i] > 0:
                    add_scaled(o_k, p_k[i], memories[b, i, at_m + 1])
            go_on(u_next, u_k, o_k, H, relu)


@part
def go_on(u_next, u, o, H, relu):
    """u_next = u + o, or u H + o; then max(u_next, 0) if wanted."""
    for j in range(u.size):
        u_next[j] = o[j] if H.size > 0 else u[j] + o[j]
    for i in range(H.shape[0]):
        add_scaled(u_next, u[i], H[i])
    if relu:
        for j in range(u.size):
            u_next[j] = max(u_next[j], u.dtype.type(0))


@loop
def look_back(du, u, p, memories, H, mask, relu, linear, du1, dmemories, dH, do, dp):
    """Fill du1 and add to dmemories and dH, which come in as zeros; do and dp are for use in here."""
    for b in range(memories.shape[0]):
        mask_b, du_b = mask[b], du1[b]
        for j in range(du_b.size):
            du_b[j] = du[p.shape[0], b, j]
        for k in range(p.shape[0] - 1, -1, -1):
            u_k, p_k, inner = u[k, b], p[k, b], u.dtype.type(0)
            at_m = 0 if H.size > 0 else k
            # u_next = u + o, or u H + o
            go_back(du_b, do, u[k + 1, b], u_k, H, dH, relu)
            # o = sum_i p_i c_i
            for i in range(p_k.size):
                if mask_b[i] > 0:
                    dp[i] = dot(do, memories[b, i, at_m + 1])
                    inner += dp[i] * p_k[i]
                    add_scaled(dmemories[b, i, at_m + 1], p_k[i], do)
            for i in range(p_k.size):
                if mask_b[i] > 0:
                    # p = softmax(scores), or the scores
                    dscore = dp[i] if linear else p_k[i] * (dp[i] - inner)
                    # score_i = u . m_i
                    add_scaled(du_b, dscore, memories[b, i, at_m])
                    add_scaled(dmemories[b, i, at_m], dscore, u_k)
            for j in range(du_b.size):
                du_b[j] += du[k, b, j]


@part
def go_back(du, do, u_next, u, H, dH, relu):
    """du comes in as that of u_next and goes out as that of u, as far as it went past the hop."""
    for j in range(du.size):
        do[j] = du[j] * np.sign(u_next[j]) if relu else du[j]         # u_next is max(u, 0): its sign is 1 or 0
    for i in range(du.size):
        du[i] = dot(do, H[i]) if H.size > 0 else do[i]
    for i in range(H.shape[0]):
        add_scaled(dH[i], u[i], do)


def hops(u1, memories, H, mask, empty, way):
    memories, H, mask, empty = map(np.ascontiguousarray, (memories, H, mask, empty))
    K, (B, D) = way.hops, u1.shape
    u, o, p = np.empty((K + 1, B, D), u1.dtype), np.empty((K, B, D), u1.dtype), np.empty((K, *mask.shape), u1.dtype)
    u[0] = u1
    look(u, memories, H, mask, empty, way.relu, way.linear, o, p)
    return u, o, p


def hops_backward(du, u, p, memories, H, mask, way):
    du, u, p, memories, H, mask = map(np.ascontiguousarray, (du, u, p, memories, H, mask))
    du1, do, dp = np.empty(u.shape[1:], u.dtype), np.empty(u.shape[2], u.dtype), np.empty(p.shape[2], u.dtype)
    dmemories, dH = np.zeros(memories.shape, u.dtype), np.zeros(H.shape, u.dtype)
    look_back(du, u, p, memories, H, mask, way.relu, way.linear, du1, dmemories, dH, do, dp)
    return du1, dmemories, dH
