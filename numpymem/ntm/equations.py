"""The Neural Turing Machine's equations, in the order of the paper (Graves, Wayne, Danihelka 2014, arXiv 1410.5401).

B batch, H heads (the read heads first, then the write heads), N slots, W width of a slot, S shifts. Memory M is (B, N, W):
slot i is the row M[:, i]. Equation (6), the cosine similarity, is shared with the DNC: numpymem/ops/cosine.py. Equation (1),
sum_i w(i) = 1 with w(i) >= 0, is what every weighting satisfies: tests/test_meaning.py.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.outer import one_minus_outer, outer_sum
from numpymem.ops.softmax import softmax, softmax_backward

EPS = 1e-8          # inside the logarithm of (9): log 0 has no value


@equation("NTM-2", r"r_t = \textstyle\sum_i w_t(i) \, M_t(i)", source="Graves et al. 2014, eq. 2")
def read(w, M):
    """The weighted sum of the memory's rows, one for each read head.

    w          (B, H, N)  weights of the read heads
    M          (B, N, W)  memory
    returns r  (B, H, W)  read vectors
    """
    return w @ M


@read.backward
def read_backward(dr, w, M):
    # r = w M
    dw = dr @ M.swapaxes(-1, -2)                                     # (B, H, N)
    dM = outer_sum(w, dr)                                            # (B, N, W)  over the heads
    return dw, dM


@equation("NTM-3", r"\tilde M_t(i) = M_{t-1}(i) \, [1 - w_t(i) \, e_t]", source="Graves et al. 2014, eq. 3")
def erase(M_prev, w, e):
    """Fade each row where it is attended to and the erase vector says so; several heads multiply.

    M_prev             (B, N, W)           memory before
    w                  (B, H, N) [0..1]    weights of the write heads
    e                  (B, H, W) [0..1]    erase vectors
    returns M_erased   (B, N, W)
    """
    keep = one_minus_outer(w, e)                                     # (B, H, N, W)  1 - w e^T
    return times_all(M_prev, keep)


@erase.backward
def erase_backward(dM_erased, M_prev, w, e):
    keep = one_minus_outer(w, e)                                     # (B, H, N, W)  1 - w e^T
    # M_erased = M_prev * prod_h keep_h
    dM_prev = times_all(dM_erased, keep)                             # (B, N, W)
    dkeep = times_others(dM_erased * M_prev, keep)                   # (B, H, N, W)
    # keep = 1 - w e^T
    dw = -(dkeep @ e[..., None])[..., 0]                             # (B, H, N)
    de = -(w[..., None, :] @ dkeep)[..., 0, :]                       # (B, H, W)
    return dM_prev, dw, de


def times_all(x, factors):
    """x times the factors of all heads: (B, N, W) and (B, H, N, W) -> (B, N, W)."""
    for head in range(factors.shape[1]):
        x = x * factors[:, head]
    return x


def times_others(x, factors):
    """For each head x times the factors of all other heads, without dividing: a factor may be 0.  (B, H, N, W)"""
    heads = range(factors.shape[1])
    if len(heads) == 1:
        return x[:, None]
    return np.stack([times_all(x, factors[:, [other for other in heads if other != head]]) for head in heads], axis=1)


@equation("NTM-4", r"M_t(i) = \tilde M_t(i) + w_t(i) \, a_t", source="Graves et al. 2014, eq. 4")
def add(M_erased, w, a):
    """Add to each row what is to be written, as far as it is attended to; several heads sum.

    M_erased   (B, N, W)
    w          (B, H, N)  weights of the write heads
    a          (B, H, W)  add vectors
    returns M  (B, N, W)  memory after
    """
    return M_erased + outer_sum(w, a)


@add.backward
def add_backward(dM, w, a):
    # M = M_erased + sum_h w_h a_h^T
    dw = a @ dM.swapaxes(-1, -2)                                     # (B, H, N)
    da = w @ dM                                                      # (B, H, W)
    return np.copy(dM), dw, da                                       # np.copy keeps the layout, dM.copy() does not


@equation("NTM-5", r"w_t^c(i) = \frac{\exp(\beta_t K[k_t, M_t(i)])}{\sum_j \exp(\beta_t K[k_t, M_t(j)])}",
          source="Graves et al. 2014, eq. 5")
def content_weights(K, beta):
    """Where the memory looks like the key: the larger beta, the sharper.

    K            (B, H, N)          similarity of key and rows, from (6)
    beta         (B, H, 1) [>= 0]   key strength
    returns w_c  (B, H, N)
    """
    return softmax(beta * K)


@content_weights.backward
def content_weights_backward(dw_c, w_c, K, beta):
    # w_c = softmax(beta K)
    dscores = softmax_backward(dw_c, w_c)                            # (B, H, N)
    dK = beta * dscores
    dbeta = (K * dscores).sum(-1, keepdims=True)                     # (B, H, 1)
    return dK, dbeta


@equation("NTM-7", r"w_t^g = g_t w_t^c + (1 - g_t) w_{t-1}", source="Graves et al. 2014, eq. 7")
def interpolate(w_c, w_prev, g):
    """Choose between the content weighting (g = 1) and where the head was before (g = 0).

    w_c          (B, H, N)
    w_prev       (B, H, N)          weights of the step before
    g            (B, H, 1) [0..1]   interpolation gate
    returns w_g  (B, H, N)
    """
    return g * w_c + (1 - g) * w_prev


@interpolate.backward
def interpolate_backward(dw_g, w_c, w_prev, g):
    # w_g = g w_c + (1 - g) w_prev
    dw_c = g * dw_g
    dw_prev = (1 - g) * dw_g
    dg = (dw_g * (w_c - w_prev)).sum(-1, keepdims=True)              # (B, H, 1)
    return dw_c, dw_prev, dg


@equation("NTM-8", r"\tilde w_t(i) = \textstyle\sum_{j=0}^{N-1} w_t^g(j) \, s_t(i - j \bmod N)",
          source="Graves et al. 2014, eq. 8")
def shift(w_g, s):
    """Rotate the weights: s = (s(-1), s(0), s(+1)); s(+1) = 1 moves what was at slot j to slot j + 1.

    w_g          (B, H, N)
    s            (B, H, S)  shift weights for the offsets -(S-1)/2 ... (S-1)/2
    returns w_s  (B, H, N)
    """
    return np.einsum("bhs,bhsn->bhn", s, rotations(w_g, s.shape[-1]))


@shift.backward
def shift_backward(dw_s, w_g, s):
    S = s.shape[-1]
    # w_s(i) = sum_offset s(offset) w_g(i - offset)
    dw_g = np.einsum("bhs,bhsn->bhn", s[..., ::-1], rotations(dw_s, S))          # (B, H, N)  of dw_s(i + offset)
    ds = np.einsum("bhn,bhsn->bhs", dw_s, rotations(w_g, S))                     # (B, H, S)
    return dw_g, ds


def rotations(x, S):
    """x(i - offset mod N) for the offsets -(S-1)/2 ... (S-1)/2: (B, H, N) -> (B, H, S, N)."""
    offsets = range(-(S // 2), S - S // 2)
    ends_and_starts = [part for offset in offsets for part in (x[..., -offset:], x[..., :-offset])]
    return np.concatenate(ends_and_starts, axis=-1).reshape(*x.shape[:-1], S, -1)


@equation("NTM-9", r"w_t(i) = \tilde w_t(i)^{\gamma_t} \big/ \textstyle\sum_j \tilde w_t(j)^{\gamma_t}",
          source="Graves et al. 2014, eq. 9", deviations="log(w + 1e-8): a slot of weight 0 stays at 1e-8")
def sharpen(w_s, gamma):
    """Sharpen a weighting: the larger gamma, the nearer to one-hot.

    w_s        (B, H, N) [simplex]  weights after the shift
    gamma      (B, H, 1) [>= 1]     exponent
    returns w  (B, H, N)            weights, sum to one
    """
    logits = gamma * np.log(w_s + EPS)               # in logarithms: w ** gamma underflows
    return softmax(logits)


@sharpen.backward
def sharpen_backward(dw, w, w_s, gamma):
    # w = softmax(logits)
    dlogits = softmax_backward(dw, w)                                # (B, H, N)
    # logits = gamma * log(w_s + EPS)
    dw_s = gamma * dlogits / (w_s + EPS)                             # (B, H, N)
    dgamma = (dlogits * np.log(w_s + EPS)).sum(-1, keepdims=True)    # (B, H, 1)
    return dw_s, dgamma
