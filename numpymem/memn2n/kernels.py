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


@loop
def remember(x, l, E, age, T, m):
    """Fill m: m_i = sum_j l_j * E[x_ij] + T[age_i]"""
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            x_i, m_i, T_i = x[b, i], m[b, i], T[age[b, i]]
            for k in range(m_i.size):
                m_i[k] = T_i[k] if age[b, i] != 0 else m_i.dtype.type(0)
            l_n = l[words_in(x_i)]
            for j in range(x_i.size):
                if x_i[j] != 0:
                    add_product(m_i, l_n[j], E[x_i[j]])


@loop
def remember_backward(dm, x, l, age, dE, dT):
    """Add to dE and dT, which come in as zeros."""
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            x_i, dm_i, dT_i = x[b, i], dm[b, i], dT[age[b, i]]
            if age[b, i] != 0:
                for k in range(dm_i.size):
                    dT_i[k] += dm_i[k]
            l_n = l[words_in(x_i)]
            for j in range(x_i.size):
                if x_i[j] != 0:
                    add_product(dE[x_i[j]], l_n[j], dm_i)


def memory(x, l, E, age, T):
    x, l, E, age, T = map(np.ascontiguousarray, (x, l, E, age, T))
    m = np.empty((*x.shape[:2], E.shape[1]), E.dtype)
    remember(x, l, E, age, T, m)
    return m


def memory_backward(dm, x, l, E, age, T):
    dm, x, l, age = map(np.ascontiguousarray, (dm, x, l, age))
    dE, dT = np.zeros(E.shape, dm.dtype), np.zeros(T.shape, dm.dtype)
    remember_backward(dm, x, l, age, dE, dT)
    return dE, dT


def encode(x, l, E):
    return memory(x, l, E, *no_ages(x, E))


def encode_backward(dm, x, l, E):
    return memory_backward(dm, x, l, E, *no_ages(x, E))[0]


def no_ages(x, E):
    """Ages and a table for sentences without any: all 0."""
    return np.zeros(x.shape[:2], x.dtype), np.zeros((1, E.shape[1]), E.dtype)
