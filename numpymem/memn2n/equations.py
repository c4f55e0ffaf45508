"""The end-to-end memory network's equations, in the order of the paper (Sukhbaatar et al. 2015, arXiv 1503.08895).

B batch, I sentences, J words of a sentence, V words known, D width, Y answers. A sentence of nil words (word 0) is padding;
`mask` is 1 where a sentence is real. The paper's m_i and c_i come from the same pair with different tables, so the table is
called E here: A for m_i, C for c_i, B for the query.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.kernel import Kernel
from numpymem.ops.embedding import embed, embed_backward
from numpymem.ops.softmax import softmax, softmax_backward

LOWEST = -1e30      # the score of what must get weight 0: finite, so that a story without sentences gives 0 and not NaN


def position_weights(J, D):
    """Position encoding (section 4.1), l_kj = (1 - j/J) - (k/D)(1 - 2j/J) with j, k counted from 1.

    Returns a table (J + 1, J, D): row n holds the weights of a sentence of n words, 0 behind its last word. J in the
    formula is the sentence's own length n, so that a sentence has the same code whatever it is padded to.
    """
    table = np.zeros((J + 1, J, D))
    k = np.arange(1, D + 1) / D                                      # (D)
    for n in range(1, J + 1):
        j = np.arange(1, n + 1)[:, None] / n                         # (n, 1)
        table[n, :n] = (1 - j) - k * (1 - 2 * j)
    return table


def released_weights(J, D):
    """Position encoding as the authors' released code has it: 1 + 4 (j - (L+1)/2) (k - (D+1)/2) / (L D) with L = J + 1.

    With J = L that is twice the paper's formula, but for half a step of the indices, so sentences come out twice as long. L is the
    same for all sentences, long or short: the longest sentence of the data has J words, and the code counts the time, too, as a
    word. `train memn2n babiN` uses these weights; a MemN2NConfig by itself has the paper's.
    """
    L = J + 1
    j, k = np.arange(1, L)[:, None] - (L + 1) / 2, np.arange(1, D + 1) - (D + 1) / 2              # (J, 1), (D)
    weights = 1 + 4 * j * k / (L * D)                                                             # (J, D)
    return weights * bag_weights(J, D)


def bag_weights(J, D):
    """Bag of words: weight 1 for each word of the sentence, in a table like that of `position_weights`."""
    n, j = np.arange(J + 1)[:, None], np.arange(J)
    return np.repeat((j < n)[:, :, None].astype(float), D, axis=2)   # (J + 1, J, D)


@equation("MemN2N-encode", r"m_i = \textstyle\sum_j l_j \circ E_{x_{ij}}", source="Sukhbaatar et al. 2015, section 4.1",
          deviations="training on bAbI uses the position weights of the released code, about twice the paper's formula and with"
                     " one J for all sentences: released_weights",
          fixed={"l": position_weights(5, 4)}, dims={"J": 5, "D": 4})
def encode_sentences(x, l, E):
    """One vector a sentence: the sum of its words' rows, weighted by their position. A nil word adds nothing.

    x          (B, I, J) [int < V]    word numbers, nil words at the end of each sentence
    l          (L, K, D) [data]       position weights: row n for a sentence of n words; K >= J, L = K + 1
    E          (V, D)                 one row a word
    returns m  (B, I, D)
    """
    words = embed(x, E)                                              # (B, I, J, D)
    weights = weights_of(x, l)                                       # (B, I, J, D)
    return np.einsum("bijd,bijd->bid", weights, words)


@encode_sentences.backward
def encode_sentences_backward(dm, x, l, E):
    # m_i = sum_j weights_ij * words_ij
    dwords = weights_of(x, l) * dm[:, :, None]                       # (B, I, J, D)
    # words = embed(x, E)
    return embed_backward(dwords, x, E)                              # (V, D)


def weights_of(x, l):
    """The position weights of every word, by the number of words in its sentence.  (B, I, J, D)"""
    length = (x != 0).sum(-1)                                        # (B, I)
    return l[length, :x.shape[-1]]


@equation("MemN2N-time", r"m_i \leftarrow m_i + T(i)", source="Sukhbaatar et al. 2015, section 4.1, temporal encoding")
def add_time(m_words, age, T):
    """Add to each sentence a vector for its age: 1 is the latest sentence, 2 the one before; 0 (nil) adds nothing.

    m_words    (B, I, D)           encoded sentences
    age        (B, I) [int < N]    how long ago each sentence was said
    T          (N, D)              one row an age
    returns m  (B, I, D)
    """
    return m_words + embed(age, T)


@add_time.backward
def add_time_backward(dm, age, T):
    # m = m_words + embed(age, T)
    return dm.copy(), embed_backward(dm, age, T)


@equation("MemN2N-memory", r"m_i = \textstyle\sum_j l_j \circ E_{x_{ij}} + T(i)", step=True,
          source="Sukhbaatar et al. 2015, section 4.1", fixed={"l": position_weights(5, 4)}, dims={"J": 5, "D": 4})
def memorize(x, l, E, age, T):
    """The memory that one pair of tables makes of a story: words, then time.

    x          (B, I, J) [int < V]    word numbers
    l          (L, K, D) [data]       position weights
    E          (V, D)                 one row a word
    age        (B, I) [int < N]       1 for the latest sentence, 0 for nil
    T          (N, D)                 one row an age
    returns m  (B, I, D)
    """
    return add_time(encode_sentences(x, l, E), age, T)


@memorize.backward
def memorize_backward(dm, x, l, E, age, T):
    # m = add_time(m_words, age, T)
    dm_words, dT = add_time_backward(dm, age, T)
    # m_words = encode_sentences(x, l, E)
    return encode_sentences_backward(dm_words, x, l, E), dT


@equation("MemN2N-memories", r"m^t_i = \textstyle\sum_j l_j \circ E^t_{x_{ij}} + T^t(i), \quad t = 1 \ldots n", step=True,
          source="Sukhbaatar et al. 2015, section 2.2", fixed={"l": position_weights(5, 4)}, dims={"J": 5, "D": 4})
def remember(x, l, E, age, T):
    """All memories that a network makes of a story, each with a pair of tables of its own. Tables and memories stand side by side.

    x          (B, I, J) [int < V]    word numbers
    l          (L, K, D) [data]       position weights
    E          (V, n, D)              n rows a word
    age        (B, I) [int < N]       1 for the latest sentence, 0 for nil
    T          (N, n, D)              n rows an age
    returns m  (B, I, n, D)
    """
    return np.stack([memorize(x, l, E[:, t], age, T[:, t]) for t in range(E.shape[1])], axis=2)


@remember.backward
def remember_backward(dm, x, l, E, age, T):
    # m_t = memorize(x, l, E_t, age, T_t)
    each = [memorize_backward(dm[:, :, t], x, l, E[:, t], age, T[:, t]) for t in range(E.shape[1])]
    dE, dT = zip(*each)
    return np.stack(dE, axis=1), np.stack(dT, axis=1)


@equation("MemN2N-1", r"p_i = \mathrm{softmax}(u^{\mathsf T} m_i)", source="Sukhbaatar et al. 2015, eq. 1",
          deviations="nil sentences get weight 0; `empty` > 0 is the released code, whose empty slots count in the softmax")
def match(u, m, mask, empty):
    """How much each sentence matters to the question.

    u          (B, D)            state: the question, and what was found so far
    m          (B, I, D)         memory, input side
    mask       (B, I) [mask]     1 for a sentence, 0 for nil
    empty      (B, 1) [data]     how many empty slots (score 0, value 0) share in the softmax; 0 for none
    returns p  (B, I)            weights; over real sentences and empty slots they sum to one
    """
    scores = (m @ u[:, :, None])[:, :, 0]                                                # (B, I)
    scores = np.where(mask > 0, scores, LOWEST)
    of_empty = np.where(empty > 0, np.log(np.where(empty > 0, empty, 1)), LOWEST)        # n e^0 = e^(log n): one column
    p = softmax(np.concatenate([scores, of_empty.astype(scores.dtype)], axis=1))         # (B, I + 1)
    return p[:, :-1] * mask


@match.backward
def match_backward(dp, p, u, m):
    # p = softmax(scores): nil and empty slots pass nothing on, their p or dp is 0
    dscores = softmax_backward(dp, p)                                # (B, I)
    # scores = m u
    du = (dscores[:, None] @ m)[:, 0]                                # (B, D)
    dm = dscores[:, :, None] * u[:, None]                            # (B, I, D)
    return du, dm


@equation("MemN2N-linear-start", r"p_i = u^{\mathsf T} m_i", source="Sukhbaatar et al. 2015, section 4.1, linear start")
def match_linearly(u, m, mask):
    """(1) without its softmax: how training starts, so that no weight is near 0 before anything is learned.

    u          (B, D)           state
    m          (B, I, D)        memory, input side
    mask       (B, I) [mask]    1 for a sentence, 0 for nil
    returns p  (B, I)           any real numbers
    """
    return (m @ u[:, :, None])[:, :, 0] * mask


@match_linearly.backward
def match_linearly_backward(dp, u, m, mask):
    # p = scores * mask
    dscores = dp * mask                                              # (B, I)
    # scores = m u
    du = (dscores[:, None] @ m)[:, 0]                                # (B, D)
    dm = dscores[:, :, None] * u[:, None]                            # (B, I, D)
    return du, dm


@equation("MemN2N-2", r"o = \textstyle\sum_i p_i c_i", source="Sukhbaatar et al. 2015, eq. 2")
def respond(p, c):
    """What the memory answers: its output side, weighted.

    p          (B, I)       weights from (1)
    c          (B, I, D)    memory, output side
    returns o  (B, D)
    """
    return (p[:, None] @ c)[:, 0]


@respond.backward
def respond_backward(do, p, c):
    # o = p c
    dp = (c @ do[:, :, None])[:, :, 0]                               # (B, I)
    dc = p[:, :, None] * do[:, None]                                 # (B, I, D)
    return dp, dc


@equation("MemN2N-3", r"\hat a = \mathrm{softmax}(W (o + u))", source="Sukhbaatar et al. 2015, eq. 3",
          deviations="the softmax is left to the loss, and W is stored transposed")
def answer(u, W):
    """Scores of all answers from the last state, which is o + u by (4).

    u               (B, D)    state after the last hop
    W               (D, Y)    one column an answer
    returns logits  (B, Y)
    """
    return u @ W


@answer.backward
def answer_backward(dlogits, u, W):
    # logits = u W
    return dlogits @ W.T, u.T @ dlogits


@equation("MemN2N-4", r"u^{k+1} = u^k + o^k", source="Sukhbaatar et al. 2015, eq. 4")
def next_state(u, o):
    """The state of the next hop.

    u               (B, D)    state u^k
    o               (B, D)    what hop k found
    returns u_next  (B, D)    state u^{k+1}
    """
    return u + o


@next_state.backward
def next_state_backward(du_next):
    # u_next = u + o
    return du_next.copy(), du_next.copy()


@equation("MemN2N-layer-wise", r"u^{k+1} = H u^k + o^k", source="Sukhbaatar et al. 2015, section 2.2",
          deviations="H is stored transposed")
def next_state_layerwise(u, o, H):
    """The state of the next hop where all hops share their tables, as the steps of a recurrent network do.

    u               (B, D)    state u^k
    o               (B, D)    what hop k found
    H               (D, D)    the same for all hops
    returns u_next  (B, D)    state u^{k+1}
    """
    return u @ H + o


@next_state_layerwise.backward
def next_state_layerwise_backward(du_next, u, H):
    # u_next = u H + o
    return du_next @ H.T, du_next.copy(), u.T @ du_next


@equation("MemN2N-hop", r"(u, m, c) \mapsto (o, p)", source="Sukhbaatar et al. 2015, figure 1", step=True,
          fixed={"linear": False})
def hop(u, m, c, mask, empty, linear):
    """Look into the memory once: where (1), and what is there (2).

    u          (B, D)           state
    m          (B, I, D)        memory, input side
    c          (B, I, D)        memory, output side
    mask       (B, I) [mask]    1 for a sentence, 0 for nil
    empty      (B, 1) [data]    empty slots that share in the softmax
    linear     () [sizes]       True during linear start: no softmax
    returns o  (B, D)           what was found
    returns p  (B, I)           where
    """
    p = match_linearly(u, m, mask) if linear else match(u, m, mask, empty)
    return respond(p, c), p


@hop.backward
def hop_backward(do, dp, p, u, m, c, mask, linear):
    # o = respond(p, c); p may have a gradient of its own
    dp_from_o, dc = respond_backward(do, p, c)
    # p = match(u, m, mask, empty)
    dp = dp + dp_from_o                                              # (B, I)
    du, dm = match_linearly_backward(dp, u, m, mask) if linear else match_backward(dp, p, u, m)
    return du, dm, dc


LOOPS = "numpymem.memn2n.kernels"
Kernel("memn2n.encode", of=encode_sentences, functions=f"{LOOPS}:encode:encode_backward", gain="9x")
Kernel("memn2n.memories", of=remember, functions=f"{LOOPS}:memories:memories_backward", gain="9x")
