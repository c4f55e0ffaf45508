"""Compiled loops for the memory network: words into memories (gather, scatter-add), and one look into the memory (a hop).

NumPy gathers a row of D numbers for each word of a batch into an array (B, I, J, D), only to sum most of it away; the loops
here never make that array. Arrays are C-contiguous. Nothing here checks that word numbers are in range: model.py does.

How much faster than NumPy they are is measured by benchmarks/.
"""

import numpy as np

from numpymem.kernel import compile_loop

loop = compile_loop()
part = compile_loop(inline="always")        # a call a sentence would cost as much as the sentence


# ---- one sentence: kernels "memn2n.encode" and "memn2n.memory" ----------------------------------------------------------

@part
def words_in(x, b, i):
    length = 0
    for j in range(x.shape[2]):
        length += x[b, i, j] != 0
    return length


@part
def add_words(m, b, i, x, l, E):
    n = words_in(x, b, i)
    for j in range(x.shape[2]):
        word = x[b, i, j]
        if word != 0:
            for k in range(E.shape[1]):
                m[b, i, k] += l[n, j, k] * E[word, k]


@part
def add_words_backward(dm, b, i, x, l, dE):
    # m_i = sum_j l_j * E[x_ij]
    n = words_in(x, b, i)
    for j in range(x.shape[2]):
        word = x[b, i, j]
        if word != 0:
            for k in range(dE.shape[1]):
                dE[word, k] += l[n, j, k] * dm[b, i, k]


# ---- all sentences ------------------------------------------------------------------------------------------------------

@loop
def encode(x, l, E):
    B, I, _ = x.shape
    m = np.zeros((B, I, E.shape[1]), E.dtype)
    for b in range(B):
        for i in range(I):
            add_words(m, b, i, x, l, E)
    return m


@loop
def encode_backward(dm, x, l, E):
    dE = np.zeros(E.shape, dm.dtype)
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            add_words_backward(dm, b, i, x, l, dE)
    return dE


@loop
def memory(x, l, E, age, T):
    B, I, _ = x.shape
    D = E.shape[1]
    m = np.zeros((B, I, D), E.dtype)
    for b in range(B):
        for i in range(I):
            if age[b, i] != 0:
                for k in range(D):
                    m[b, i, k] = T[age[b, i], k]
            add_words(m, b, i, x, l, E)
    return m


@loop
def memory_backward(dm, x, l, E, age, T):
    dE, dT = np.zeros(E.shape, dm.dtype), np.zeros(T.shape, dm.dtype)
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            # m_i = m_words_i + T[age_i]
            if age[b, i] != 0:
                for k in range(E.shape[1]):
                    dT[age[b, i], k] += dm[b, i, k]
            add_words_backward(dm, b, i, x, l, dE)
    return dE, dT


# ---- one look into the memory: kernel "memn2n.hop" ----------------------------------------------------------------------

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
        total = p.dtype.type(empty * np.exp(-top))
    for i in range(p.size):
        if mask[i] > 0:
            p[i] = np.exp(p[i] - top)
            total += p[i]
    for i in range(p.size):
        if mask[i] > 0:
            p[i] /= total


@loop
def hop(u, m, c, mask, empty, linear):
    B, I, D = m.shape
    o, p = np.zeros((B, D), u.dtype), np.zeros((B, I), u.dtype)
    for b in range(B):
        for i in range(I):
            if mask[b, i] > 0:
                score = u.dtype.type(0)
                for k in range(D):
                    score += m[b, i, k] * u[b, k]
                p[b, i] = score
        if not linear:
            softmax_with_empty(p[b], mask[b], empty[b, 0])
        for i in range(I):
            if mask[b, i] > 0:
                p[b, i] *= mask[b, i]
                for k in range(D):
                    o[b, k] += p[b, i] * c[b, i, k]
    return o, p


@loop
def hop_backward(do, dp, p, u, m, c, mask, linear):
    B, I, D = m.shape
    du, dm, dc = np.zeros((B, D), u.dtype), np.zeros((B, I, D), u.dtype), np.zeros((B, I, D), u.dtype)
    dp_all = np.zeros(I, u.dtype)
    for b in range(B):
        # o = sum_i p_i c_i; p may have a gradient of its own
        inner = u.dtype.type(0)
        for i in range(I):
            if mask[b, i] > 0:
                total = dp[b, i]
                for k in range(D):
                    total += do[b, k] * c[b, i, k]
                    dc[b, i, k] = p[b, i] * do[b, k]
                dp_all[i] = total
                inner += total * p[b, i]
        for i in range(I):
            if mask[b, i] > 0:
                # p = softmax(scores), or scores * mask
                dscore = dp_all[i] * mask[b, i] if linear else p[b, i] * (dp_all[i] - inner)
                # score_i = u . m_i
                for k in range(D):
                    du[b, k] += dscore * m[b, i, k]
                    dm[b, i, k] = dscore * u[b, k]
    return du, dm, dc
