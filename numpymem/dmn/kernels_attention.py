"""The scores of all facts of a batch: kernel "dmn.attention", a stand-in for the pair DMN-attention.

Interactions are made in one pass over the facts and taken apart in one, four numbers for each number of a fact; between the two
passes the products with W_1 are NumPy's, of real sentences only, half of them on each of two threads.
"""

import numpy as np

from numpymem import threads
from numpymem.kernel import compile_loop
from numpymem.ops.kernels_math import tanh
from numpymem.workspace import empty

loop = compile_loop(allocates=False)


@loop
def look(first, last, f, q, m, mask, at, z):
    """Fill the row of z, one a real sentence (its number is in `at`), of the stories first ... last - 1."""
    D = q.shape[1]
    for b in range(first, last):
        q_b, m_b = q[b], m[b]
        for i in range(mask.shape[1]):
            if mask[b, i] > 0:
                f_i, z_i = f[b, i], z[at[b, i]]
                for j in range(D):
                    z_i[j] = f_i[j] * q_b[j]
                for j in range(D):
                    z_i[D + j] = f_i[j] * m_b[j]
                for j in range(D):
                    z_i[2 * D + j] = max(f_i[j] - q_b[j], q_b[j] - f_i[j])
                for j in range(D):
                    z_i[3 * D + j] = max(f_i[j] - m_b[j], m_b[j] - f_i[j])


@loop
def rate(first, last, layer, b_1, W_2, mask, at, Z, a):
    """Fill Z and a of the stories first ... last - 1, from the first layer's sums before the bias, one row a real sentence."""
    for b in range(first, last):
        for i in range(mask.shape[1]):
            Z[b, i], a_i = 0, a[b, i]
            if mask[b, i] > 0:
                sums, score = layer[at[b, i]], Z[b, i]
                for j in range(b_1.size):
                    a_i[j] = tanh(sums[j] + b_1[j])
                for j in range(b_1.size):
                    score += a_i[j] * W_2[j, 0]
                Z[b, i] = score
            else:
                for j in range(b_1.size):
                    a_i[j] = 0


@loop
def rate_back(first, last, dZ, a, W_2, mask, at, dlayer):
    """Fill the row of dlayer, one a real sentence."""
    one = a.dtype.type(1)
    for b in range(first, last):
        for i in range(mask.shape[1]):
            if mask[b, i] > 0:
                a_i, dlayer_i, dscore = a[b, i], dlayer[at[b, i]], dZ[b, i]
                for j in range(a_i.size):
                    dlayer_i[j] = dscore * W_2[j, 0] * (one - a_i[j] * a_i[j])


@loop
def look_back(first, last, dz, f, q, m, mask, at, df, dq, dm):
    """Fill df, and dq and dm, which come as zeros, of the stories first ... last - 1."""
    D = q.shape[1]
    for b in range(first, last):
        q_b, m_b, dq_b, dm_b = q[b], m[b], dq[b], dm[b]
        for i in range(mask.shape[1]):
            f_i, df_i = f[b, i], df[b, i]
            if mask[b, i] > 0:
                dz_i = dz[at[b, i]]
                part_back(dz_i[:D], dz_i[2 * D:3 * D], f_i, q_b, dq_b)
                part_back(dz_i[D:2 * D], dz_i[3 * D:], f_i, m_b, dm_b)
                for j in range(D):
                    df_i[j] = dz_i[j] * q_b[j] + dz_i[2 * D + j]
                for j in range(D):
                    df_i[j] += dz_i[D + j] * m_b[j] + dz_i[3 * D + j]
            else:
                for j in range(D):
                    df_i[j] = 0


@loop
def part_back(dproduct, dfar, f, q, dq):
    """Turn dfar, the gradient of |f - q|, into that of f - q; add to dq what comes from that and from f q."""
    for j in range(q.size):
        dfar[j] *= np.sign(f[j] - q[j])
    for j in range(q.size):
        dq[j] += dproduct[j] * f[j] - dfar[j]


# ---- the pair ---------------------------------------------------------------------------------------------------------------

def numbered(mask):
    """(the number of each real sentence, counted through the batch; how many there are)"""
    at = np.cumsum(mask > 0).reshape(mask.shape) - 1
    return at, int(at[-1, -1]) + 1


def product(x, A, out):
    """out = x A, the upper half of the rows on one thread, the lower on another."""
    half = len(x) // 2
    threads.run(np.matmul, [(x[:half], A, out[:half]), (x[half:], A, out[half:])], worth=len(x) > 200)


def attend(f, q, m, W_1, b_1, W_2, mask):
    f, q, m, b_1, W_2, mask = map(np.ascontiguousarray, (f, q, m, b_1, W_2, mask))
    (at, real), (B, I, D), H = numbered(mask), f.shape, W_1.shape[1]
    z, layer, Z, a = empty([(real, 4 * D), (real, H), (B, I), (B, I, H)], f.dtype)
    threads.run(lambda first, last: look(first, last, f, q, m, mask, at, z), threads.blocks(B))
    product(z, W_1, layer)
    threads.run(lambda first, last: rate(first, last, layer, b_1, W_2, mask, at, Z, a), threads.blocks(B))
    return Z, a


def attend_backward(dZ, a, f, q, m, W_1, b_1, W_2, mask):
    dZ, a, f, q, m, W_2, mask = map(np.ascontiguousarray, (dZ, a, f, q, m, W_2, mask))
    (at, real), (B, I, D), H = numbered(mask), f.shape, W_1.shape[1]
    z, dz, dlayer, df, dW_1 = empty([(real, 4 * D), (real, 4 * D), (real, H), (B, I, D), (4 * D, H)], f.dtype)
    dq, dm, blocks = np.zeros(q.shape, q.dtype), np.zeros(m.shape, m.dtype), threads.blocks(B)

    def block(first, last):
        look(first, last, f, q, m, mask, at, z)
        rate_back(first, last, dZ, a, W_2, mask, at, dlayer)

    threads.run(block, blocks)
    product(dlayer, W_1.T, dz)
    product(z.T, dlayer, dW_1)
    threads.run(lambda first, last: look_back(first, last, dz, f, q, m, mask, at, df, dq, dm), blocks)
    dW_2 = a.reshape(B * I, H).T @ dZ.reshape(B * I, 1)              # of nil sentences a is 0
    return df, dq, dm, dW_1, dlayer.sum(axis=0), dW_2
