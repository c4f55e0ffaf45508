"""The DNC's links in little memory (Graves et al. 2016, Methods, "Sparse link matrix"): at most K of them a slot.

Of the write weights and of the precedence only the K largest are kept, so that a write makes K K new links, and links below 1 / K
are dropped. As every row of the links sums to at most one, at most K are left in it. A row is kept as K values V and, for each, the
number of the slot that it comes from, counted from 1; 0 is an empty place. That is 2 N K numbers a step, where the dense links are
N N, and of the work all but the search for the K largest is N K too. The paper found K = 8 enough however large the memory.

What was chosen (the K largest, what is dropped) is a constant to the gradient: a link that was dropped passes none back.
`linked` and `along` are the dense links for K = 0; a sparse L (B, N, 2 K) is V and C side by side.
"""

import numpy as np

from numpymem.dnc.equations import (backward_weights, backward_weights_backward, forward_weights, forward_weights_backward, link,
                                    link_backward)
from numpymem.equation import equation
from numpymem.ops.complex_safe import real

PAPER = "Graves et al. 2016, Methods, sparse link matrix"
CLOSED = 1e-3        # weights that sum to less count as a closed gate: without this, a closed one would link as much as an open one


# ---- what is kept --------------------------------------------------------------------------------------------------------------

@equation("DNC-largest", r"\hat w(i) = \frac{w(i) \, [i \in \mathrm{top}_K w]}{10^{-3} + \sum_{j \in \mathrm{top}_K w} w(j)}",
          source=PAPER, fixed={"K": 3}, deviations="1e-3 in the denominator")
def largest(w, K):
    """The K largest of the weights, made to sum to one; the others are 0. Of equal ones the first are kept.

    w              (B, N) [0..1]  write weights, or precedence
    K              () [sizes]     how many
    returns w_hat  (B, N)         sums to at most one
    """
    kept = w * are_largest(w, K)
    return kept / (CLOSED + kept.sum(1, keepdims=True))


@largest.backward
def largest_backward(dw_hat, w_hat, w, K):
    chosen = are_largest(w, K)
    # w_hat = kept / (CLOSED + sum kept)
    dkept = (dw_hat - (dw_hat * w_hat).sum(1, keepdims=True)) / (CLOSED + (w * chosen).sum(1, keepdims=True))
    # kept = w chosen
    return dkept * chosen                                            # (B, N)


def are_largest(w, K):
    """1 for the K largest of each row, 0 for the others."""
    chosen = np.zeros(w.shape, real(w).dtype)
    np.put_along_axis(chosen, places_of_largest(w, K), 1, axis=1)
    return chosen


def places_of_largest(x, K):
    """Where the K largest of the last axis are, the largest first."""
    return np.argsort(-real(x), axis=-1, kind="stable")[..., :K]


# ---- the links -----------------------------------------------------------------------------------------------------------------

@equation("DNC-sparse-link", r"\hat L_t[i,j] = (1 - \hat w[i] - \hat w[j]) \, \hat L_{t-1}[i,j] + \hat w[i] \, \hat p_{t-1}[j]"
          r", \quad \hat L_t[i,j] = 0 \text{ if less than } 1/K", source=PAPER)
def sparse_link(V_prev, C_prev, w_hat, p_hat):
    """The links after a write, row by row: old ones fade, the K rows that were written to get K new ones each, the small go.

    V_prev     (B, N, K) [0..1]     links of each slot to those written before it
    C_prev     (B, N, K) [int < N]  which slots these are: their numbers, counted from 1; 0: none
    w_hat      (B, N) [0..1]        the K largest write weights
    p_hat      (B, N) [0..1]        the K largest of the precedence of the step before
    returns V  (B, N, K)
    returns C  (B, N, K)            whole numbers, as floats
    """
    old, rows, new, C, chosen, kept = candidates(V_prev, C_prev, w_hat, p_hat)[:6]
    V = np.copy(old)
    # rows = the K largest of the old links, with what is new between the same slots, and of the new links
    np.put_along_axis(V, rows[:, :, None], np.take_along_axis(new, chosen, axis=2), axis=1)
    return V * kept, C


@sparse_link.backward
def sparse_link_backward(dV, V_prev, C_prev, w_hat, p_hat):
    K, columns = dV.shape[2], slots_of(C_prev)
    old, rows, new, _, chosen, kept, sources, same, fresh = candidates(V_prev, C_prev, w_hat, p_hat)
    # V = kept places of what each row had, or was given
    dold = dV * kept                                                 # (B, N, K)
    dnew = np.zeros_like(new)                                        # (B, K, 2K)
    np.put_along_axis(dnew, chosen, np.take_along_axis(dold, rows[:, :, None], axis=1), axis=2)
    np.put_along_axis(dold, rows[:, :, None], dnew[..., :K], axis=1)
    # new links join an old one between the same slots, or take a place of their own
    dmade = (dnew[..., :K, None] * same).sum(2) + dnew[..., K:] * fresh        # (B, K, K)
    # made = w_hat[rows] p_hat[sources]
    w_rows, p_sources = np.take_along_axis(w_hat, rows, axis=1), np.take_along_axis(p_hat, sources, axis=1)
    dw_hat, dp_hat = np.zeros_like(w_hat), np.zeros_like(p_hat)
    np.put_along_axis(dw_hat, rows, (dmade * p_sources[:, None]).sum(2), axis=1)
    np.put_along_axis(dp_hat, sources, (dmade * w_rows[:, :, None]).sum(1), axis=1)
    # old = (1 - w_hat[i] - w_hat[j]) V_prev
    dV_prev = (1 - w_hat[:, :, None] - gathered(w_hat[:, None], columns)[:, 0]) * dold
    dfaded = dold * V_prev                                           # (B, N, K)
    dw_hat = dw_hat - dfaded.sum(2) - scattered(dfaded[:, None], columns)[:, 0]
    return dV_prev, dw_hat, dp_hat


def candidates(V_prev, C_prev, w_hat, p_hat):
    """All that may become a link, and what does.

    returns old      (B, N, K)     links of before, faded
    returns rows     (B, K)        slots that were written to
    returns new      (B, K, 2K)    for these rows: what they had, with what joins it, and what is made of new links
    returns C        (B, N, K)     numbers of the slots that are linked to afterwards
    returns chosen   (B, K, K)     the places of `new` that the rows keep
    returns kept     (B, N, K)     1 for links of at least 1 / K
    returns sources  (B, K)        slots of the precedence
    returns same     (B, K, K, K)  1 where a row's old link (third axis) comes from the same slot as the new one (fourth axis)
    returns fresh    (B, K, K)     1 where a new link joins no old one, and is no link of a slot to itself
    """
    K, columns = V_prev.shape[2], slots_of(C_prev)
    old = (1 - w_hat[:, :, None] - gathered(w_hat[:, None], columns)[:, 0]) * V_prev
    rows, sources = places_of_largest(w_hat, K), places_of_largest(p_hat, K)
    row_columns = np.take_along_axis(columns, rows[:, :, None], axis=1)                            # (B, K, K)
    others = rows[:, :, None] != sources[:, None, :]
    same = (row_columns[..., None] == sources[:, None, None, :]) & others[:, :, None, :]
    made = np.take_along_axis(w_hat, rows, axis=1)[:, :, None] * np.take_along_axis(p_hat, sources, axis=1)[:, None, :]
    fresh = others & ~same.any(2)
    joined = np.take_along_axis(old, rows[:, :, None], axis=1) + (same * made[:, :, None, :]).sum(3)
    new = np.concatenate([joined, made * fresh], axis=2)
    chosen = places_of_largest(new, K)
    numbers = np.concatenate([row_columns, np.broadcast_to(sources[:, None, :], made.shape)], axis=2) + 1
    C = columns + 1
    np.put_along_axis(C, rows[:, :, None], np.take_along_axis(numbers, chosen, axis=2), axis=1)
    V = np.copy(old)
    np.put_along_axis(V, rows[:, :, None], np.take_along_axis(new, chosen, axis=2), axis=1)
    kept = real(V) >= real(V).dtype.type(1 / K)
    return old, rows, new, (C * kept).astype(real(V).dtype), chosen, kept, sources, same, fresh


def slots_of(C):
    """The slots that the numbers C stand for, as integers; -1 for an empty place."""
    return np.asarray(real(C)).astype(np.int64) - 1


def gathered(w, columns):
    """w (B, R, N) at the slots `columns` (B, N, K) -> (B, R, N, K)."""
    B, R, N = w.shape
    return np.take_along_axis(w, columns.reshape(B, 1, -1), axis=2).reshape(B, R, N, -1)


def scattered(values, columns):
    """The reverse: values (B, R, N, K) added up in the slots that they belong to -> (B, R, N)."""
    B, R, N, _ = values.shape
    first = N * np.arange(B * R).reshape(B, R, 1, 1)
    total = np.zeros(B * R * N, values.dtype)
    np.add.at(total, (first + columns[:, None] % N).ravel(), values.ravel())
    return total.reshape(B, R, N)


# ---- along the links -------------------------------------------------------------------------------------------------------------

@equation("DNC-sparse-forward", r"f_t^i = \hat L_t \, w_{t-1}^{r,i}", source=PAPER)
def sparse_forward(V, C, w_r_prev):
    """The slots that were written after those that the head has just read.

    V            (B, N, K) [0..1]     links
    C            (B, N, K) [int < N]  numbers of the slots that they come from
    w_r_prev     (B, R, N) [0..1]     read weights of the step before
    returns w_f  (B, R, N)
    """
    return (V[:, None] * gathered(w_r_prev, slots_of(C))).sum(3)


@sparse_forward.backward
def sparse_forward_backward(dw_f, V, C, w_r_prev):
    # w_f[i] = sum_k V[i, k] w_r_prev[column of i, k]
    columns = slots_of(C)
    dV = (dw_f[..., None] * gathered(w_r_prev, columns)).sum(1)      # (B, N, K)
    dw_r_prev = scattered(dw_f[..., None] * V[:, None], columns)     # (B, R, N)
    return dV, dw_r_prev


@equation("DNC-sparse-backward", r"b_t^i = \hat L_t^\top \, w_{t-1}^{r,i}", source=PAPER)
def sparse_backward(V, C, w_r_prev):
    """The slots that were written before those that the head has just read.

    V            (B, N, K) [0..1]     links
    C            (B, N, K) [int < N]  numbers of the slots that they come from
    w_r_prev     (B, R, N) [0..1]     read weights of the step before
    returns w_b  (B, R, N)
    """
    return scattered(V[:, None] * w_r_prev[..., None], slots_of(C))


@sparse_backward.backward
def sparse_backward_backward(dw_b, V, C, w_r_prev):
    # w_b[column of i, k] += V[i, k] w_r_prev[i]
    back = gathered(dw_b, slots_of(C))                               # (B, R, N, K)
    dV = (w_r_prev[..., None] * back).sum(1)                         # (B, N, K)
    dw_r_prev = (V[:, None] * back).sum(3)                           # (B, R, N)
    return dV, dw_r_prev


# ---- dense or sparse, for the step ---------------------------------------------------------------------------------------------

def linked(L_prev, w_w, p_prev, K):
    """The links after a write: dense (B, N, N) for K = 0, else sparse (B, N, 2 K)."""
    if not K:
        return link(L_prev, w_w, p_prev)
    return np.concatenate(sparse_link(L_prev[..., :K], L_prev[..., K:], largest(w_w, K), largest(p_prev, K)), axis=2)


def linked_backward(dL, L_prev, w_w, p_prev, K):
    """-> dL_prev, dw_w, dp_prev. The slots' numbers, the second half of a sparse L, have no gradient."""
    if not K:
        return link_backward(dL, L_prev, w_w, p_prev)
    w_hat, p_hat = largest(w_w, K), largest(p_prev, K)
    # V, C = sparse_link(V_prev, C_prev, w_hat, p_hat)
    dV_prev, dw_hat, dp_hat = sparse_link_backward(dL[..., :K], L_prev[..., :K], L_prev[..., K:], w_hat, p_hat)
    # w_hat, p_hat = largest(w_w, K), largest(p_prev, K)
    return half(dV_prev), largest_backward(dw_hat, w_hat, w_w, K), largest_backward(dp_hat, p_hat, p_prev, K)


def along(L, w_r_prev, K):
    """Backward and forward weights (B, R, N), along dense or sparse links."""
    if not K:
        return backward_weights(L, w_r_prev), forward_weights(L, w_r_prev)
    return sparse_backward(L[..., :K], L[..., K:], w_r_prev), sparse_forward(L[..., :K], L[..., K:], w_r_prev)


def along_backward(dw_b, dw_f, L, w_r_prev, K):
    """-> dL, dw_r_prev, which both ways add up."""
    if not K:
        pairs = backward_weights_backward(dw_b, L, w_r_prev), forward_weights_backward(dw_f, L, w_r_prev)
    else:
        V, C = L[..., :K], L[..., K:]
        pairs = sparse_backward_backward(dw_b, V, C, w_r_prev), sparse_forward_backward(dw_f, V, C, w_r_prev)
    (dL_back, dw_r_back), (dL_forward, dw_r_forward) = pairs
    return half(dL_back + dL_forward) if K else dL_back + dL_forward, dw_r_back + dw_r_forward


def half(dV):
    """The gradient of a sparse L, from that of its values."""
    return np.concatenate([dV, np.zeros_like(dV)], axis=2)


def dense(L):
    """Any L as (..., N, N): sparse ones, whose rows are shorter, are spread out."""
    N, K = L.shape[-2], L.shape[-1] // 2
    if L.shape[-1] == N:
        return L
    spread = np.zeros((*L.shape[:-1], N + 1), L.dtype)
    np.put_along_axis(spread, slots_of(L[..., K:]) + 1, L[..., :K], axis=-1)
    return spread[..., 1:]
