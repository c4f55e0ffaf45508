"""Where an NTM and a MemN2N become one model: three joins. All else are the equations of the two parents, in their own files.

The architecture is a proposal of ours; there is no paper that has it. T time steps, B batch, I sentences, Q questions about one
story, n memories of a sentence, D width. What the NTM puts out at step t is z_t; each join takes a part of it.
"""

import numpy as np

from numpymem.equation import equation

OWN = "numpymem's own proposal"


@equation("Hybrid-then", r"x_k = z_{t_k}", source=OWN)
def look_back(z, when):
    """What the working memory put out at some steps, for each story its own.

    z          (T, B, D)            at every step
    when       (B, K) [int < T]     K steps
    returns x  (B, K, D)
    """
    return z[when, np.arange(len(when))[:, None]]


@look_back.backward
def look_back_backward(dx, z, when):
    # x_k = z[when_k]: a step that was looked back to several times collects all gradients, number by number as in embed_backward
    T, B = z.shape[:2]
    D = z[0, 0].size
    rows = when * B + np.arange(B)[:, None]                          # (B, K) of z as T * B rows
    dz = np.zeros(T * B * D, dx.dtype)
    np.add.at(dz, (rows[..., None] * D + np.arange(D)).ravel(), dx.ravel())
    return dz.reshape(z.shape)


@equation("Hybrid-facts", r"m_i \leftarrow m_i + z_{\tau(i)}",
          source=OWN + "; m_i of MemN2N-memories, z_t of the NTM's output layer")
def keep_together(m, z, told_at, mask):
    """Keep each sentence together with what the working memory knew when it was told.

    m              (B, I, n, D)          the sentence's memories
    z              (T, B, n, D)          a part of what the working memory put out, at every step
    told_at        (B, I) [int < T]      the step at which each sentence was told
    mask           (B, I) [mask]         1 for a sentence, 0 for nil, which gets nothing
    returns facts  (B, I, n, D)
    """
    return m + mask[:, :, None, None] * look_back(z, told_at)


@keep_together.backward
def keep_together_backward(dfacts, z, told_at, mask):
    # facts = m + mask then
    dthen = mask[:, :, None, None] * dfacts                          # (B, I, n, D)
    # then = look_back(z, told_at)
    return dfacts.copy(), look_back_backward(dthen, z, told_at)


@equation("Hybrid-both", r"y_q = x_q + z_{t_q}", source=OWN + "; x_q is u^1 of MemN2N or its answer (MemN2N-3)")
def say_both(x, z, asked_at):
    """The question, put by both memories; and the answer, given by both: at the step at which it is due.

    x          (B, Q, D)          what the fact memory says: the questions' codes, or the scores of the answers
    z          (T, B, D)          a part of what the working memory put out, at every step
    asked_at   (B, Q) [int < T]   the step at which each answer is due
    returns y  (B, Q, D)
    """
    return x + look_back(z, asked_at)


@say_both.backward
def say_both_backward(dy, z, asked_at):
    # y = x + look_back(z, asked_at)
    return dy.copy(), look_back_backward(dy, z, asked_at)
