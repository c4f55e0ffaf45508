"""Compiled loops for the memory network: words into memories (gather, scatter-add), and one look into the memory (a hop).

NumPy gathers a row of D numbers for each word of a batch into an array (B, I, J, D), only to sum most of it away; the loops
here never make that array. Arrays are C-contiguous. Nothing here checks that word numbers are in range: model.py does.

How much faster than NumPy they are is measured by benchmarks/.
"""

import numpy as np

from numpymem.kernel import compile_loop

loop = compile_loop(allocates=False)
part = compile_loop(allocates=False, inline="always")        # a call a sentence would cost as much as the sentence


# ---- one sentence: kernels "memn2n.encode" and "memn2n.memory" ----------------------------------------------------------

@part
def words_in(x, b, i):
    length = 0
    for j in range(x.shape[2]):
        length += x[b, i, j] != 0
    return length


@part
def add_words(m_i, b, i, x, l, E):
    n = words_in(x, b, i)
    for j in range(x.shape[2]):
        if x[b, i, j] != 0:
            l_j, word = l[n, j], E[x[b, i, j]]
            for k in range(m_i.size):
                m_i[k] += l_j[k] * word[k]


@part
def add_words_backward(dm_i, b, i, x, l, dE):
    # m_i = sum_j l_j * E[x_ij]
    n = words_in(x, b, i)
    for j in range(x.shape[2]):
        if x[b, i, j] != 0:
            l_j, dword = l[n, j], dE[x[b, i, j]]
            for k in range(dm_i.size):
                dword[k] += l_j[k] * dm_i[k]


# ---- all sentences ------------------------------------------------------------------------------------------------------

@loop
def add_sentences(m, x, l, E):
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            add_words(m[b, i], b, i, x, l, E)


@loop
def add_sentences_backward(dm, x, l, dE):
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            add_words_backward(dm[b, i], b, i, x, l, dE)


@loop
def add_ages(m, age, T):
    for b in range(age.shape[0]):
        for i in range(age.shape[1]):
            if age[b, i] != 0:
                m_i, T_i = m[b, i], T[age[b, i]]
                for k in range(m_i.size):
                    m_i[k] += T_i[k]


@loop
def add_ages_backward(dm, age, dT):
    # m_i = m_words_i + T[age_i]
    for b in range(age.shape[0]):
        for i in range(age.shape[1]):
            if age[b, i] != 0:
                dm_i, dT_i = dm[b, i], dT[age[b, i]]
                for k in range(dm_i.size):
                    dT_i[k] += dm_i[k]


def encode(x, l, E):
    m = np.zeros((*x.shape[:2], E.shape[1]), E.dtype)
    add_sentences(m, x, l, E)
    return m


def encode_backward(dm, x, l, E):
    dE = np.zeros(E.shape, dm.dtype)
    add_sentences_backward(dm, x, l, dE)
    return dE


def memory(x, l, E, age, T):
    m = encode(x, l, E)
    add_ages(m, age, T)
    return m


def memory_backward(dm, x, l, E, age, T):
    dT = np.zeros(T.shape, dm.dtype)
    add_ages_backward(dm, age, dT)
    return encode_backward(dm, x, l, E), dT


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
def look(u, m, c, mask, empty, linear, o, p):
    """Fill p; o comes in as zeros."""
    for b in range(m.shape[0]):
        u_b, o_b, p_b = u[b], o[b], p[b]
        for i in range(m.shape[1]):
            p_b[i] = inner_product(m[b, i], u_b) if mask[b, i] > 0 else u.dtype.type(0)
        if not linear:
            softmax_with_empty(p_b, mask[b], empty[b, 0])
        for i in range(m.shape[1]):
            if mask[b, i] > 0:
                p_b[i] *= mask[b, i]
                c_i, p_i = c[b, i], p_b[i]
                for k in range(o_b.size):
                    o_b[k] += p_i * c_i[k]


@part
def inner_product(x, y):
    total = x[0] - x[0]
    for k in range(x.size):
        total += x[k] * y[k]
    return total


@loop
def look_backward(do, dp, p, u, m, c, mask, linear, du, dm, dc, dp_all):
    """Fill du, dm, dc, which come in as zeros; dp_all is for use in here."""
    for b in range(m.shape[0]):
        u_b, du_b, do_b, inner = u[b], du[b], do[b], u.dtype.type(0)
        # o = sum_i p_i c_i; p may have a gradient of its own
        for i in range(m.shape[1]):
            if mask[b, i] > 0:
                p_i, dc_i = p[b, i], dc[b, i]
                dp_all[i] = dp[b, i] + inner_product(do_b, c[b, i])
                inner += dp_all[i] * p_i
                for k in range(dc_i.size):
                    dc_i[k] = p_i * do_b[k]
        for i in range(m.shape[1]):
            if mask[b, i] > 0:
                # p = softmax(scores), or scores * mask
                dscore = dp_all[i] * mask[b, i] if linear else p[b, i] * (dp_all[i] - inner)
                # score_i = u . m_i
                m_i, dm_i = m[b, i], dm[b, i]
                for k in range(m_i.size):
                    du_b[k] += dscore * m_i[k]
                for k in range(m_i.size):
                    dm_i[k] = dscore * u_b[k]


def hop(u, m, c, mask, empty, linear):
    o, p = np.zeros(u.shape, u.dtype), np.empty(mask.shape, u.dtype)
    look(u, m, c, mask, empty, linear, o, p)
    return o, p


def hop_backward(do, dp, p, u, m, c, mask, linear):
    du, dm, dc = np.zeros(u.shape, u.dtype), np.zeros(m.shape, u.dtype), np.zeros(c.shape, u.dtype)
    look_backward(do, dp, p, u, m, c, mask, linear, du, dm, dc, np.empty(m.shape[1], u.dtype))
    return du, dm, dc
