"""Compiled loops for the memory network: words into memories, gather and scatter-add. kernels_hops.py has the hops.

NumPy gathers a row of D numbers for each word of a batch into an array (B, I, J, D), only to sum most of it away; the loops
here never make that array. Nothing here checks that word numbers are in range: reading.py does.

How much faster than NumPy they are is measured by benchmarks/.
"""

import numpy as np

from numpymem.kernel import compile_loop

loop = compile_loop(allocates=False)
part = compile_loop(allocates=False, inline="always")        # a call a sentence would cost as much as the sentence


@part
def words_in(x_i):
    length = 0
    for j in range(x_i.size):
        length += x_i[j] != 0
    return length


@part
def add_product(y, w, x):
    """y += w x, number by number"""
    for k in range(y.size):
        y[k] += w[k] * x[k]


# ---- one table: kernel "memn2n.encode" --------------------------------------------------------------------------------------

@part
def add_words(m_i, x_i, l, E):
    l_n = l[words_in(x_i)]
    for j in range(x_i.size):
        if x_i[j] != 0:
            add_product(m_i, l_n[j], E[x_i[j]])


@part
def add_words_backward(dm_i, x_i, l, dE):
    # m_i = sum_j l_j * E[x_ij]
    l_n = l[words_in(x_i)]
    for j in range(x_i.size):
        if x_i[j] != 0:
            add_product(dE[x_i[j]], l_n[j], dm_i)


@loop
def add_sentences(x, l, E, m):
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            add_words(m[b, i], x[b, i], l, E)


@loop
def add_sentences_backward(dm, x, l, dE):
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            add_words_backward(dm[b, i], x[b, i], l, dE)


def encode(x, l, E):
    x, l, E = map(np.ascontiguousarray, (x, l, E))
    m = np.zeros((*x.shape[:2], E.shape[1]), E.dtype)
    add_sentences(x, l, E, m)
    return m


def encode_backward(dm, x, l, E):
    dm, x, l = map(np.ascontiguousarray, (dm, x, l))
    dE = np.zeros(E.shape, dm.dtype)
    add_sentences_backward(dm, x, l, dE)
    return dE


# ---- n tables side by side are one wide table, with the same weights for each: kernel "memn2n.memories" ------------------------

@loop
def repeat(l, wide):
    """wide = l, n times side by side, as far as there are words."""
    for length in range(wide.shape[0]):
        for j in range(wide.shape[1]):
            row, out = l[length, j], wide[length, j]
            for start in range(0, out.size, row.size):
                for k in range(row.size):
                    out[start + k] = row[k]


@loop
def remember(x, l, E, age, T, wide, m):
    """Fill m; `wide` is for use in here."""
    repeat(l, wide)
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            m_i, T_i = m[b, i], T[age[b, i]]
            for k in range(m_i.size):
                m_i[k] = m_i.dtype.type(0)
            if age[b, i] != 0:
                for k in range(m_i.size):
                    m_i[k] = T_i[k]
            add_words(m_i, x[b, i], wide, E)


@loop
def remember_backward(dm, x, l, age, wide, dE, dT):
    """Add to dE and dT, which come in as zeros."""
    repeat(l, wide)
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            dm_i, dT_i = dm[b, i], dT[age[b, i]]
            # m_i = m_words_i + T[age_i]
            if age[b, i] != 0:
                for k in range(dm_i.size):
                    dT_i[k] += dm_i[k]
            add_words_backward(dm_i, x[b, i], wide, dE)


def memories(x, l, E, age, T):
    x, l, E, age, T = map(np.ascontiguousarray, (x, l, E, age, T))
    m = np.empty((*x.shape[:2], *E.shape[1:]), E.dtype)
    remember(x, l, flat(E), age, flat(T), room(x, E), m.reshape(*x.shape[:2], E.shape[1] * E.shape[2]))
    return m


def memories_backward(dm, x, l, E, age, T):
    dm, x, l, age = map(np.ascontiguousarray, (dm, x, l, age))
    dE, dT = np.zeros(E.shape, dm.dtype), np.zeros(T.shape, dm.dtype)
    remember_backward(dm.reshape(*x.shape[:2], E.shape[1] * E.shape[2]), x, l, age, room(x, dE), flat(dE), flat(dT))
    return dE, dT


def flat(E):
    return E.reshape(E.shape[0], E.shape[1] * E.shape[2])


def room(x, E):
    """For position weights of all tables, (J + 1, J, n D)."""
    return np.empty((x.shape[2] + 1, x.shape[2], E.shape[1] * E.shape[2]), E.dtype)
