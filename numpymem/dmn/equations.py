"""The equations of DMN+, in the order of the paper (Xiong, Merity and Socher 2016, arXiv 1603.01417); GRUs are in ops/gru.py.

B batch, I sentences, D width, H width inside the attention, Y answers. `mask` is 1 where a sentence is real. Sentences are encoded
by MemN2N-encode: f_i = sum_j l_j o w_ij, with the position weights of the MemN2N paper, which DMN+ took over. Soft attention is
MemN2N-2, c = sum_i g_i f_i.
"""

import numpy as np

from numpymem.dmn.scan import padded
from numpymem.equation import equation
from numpymem.kernel import Kernel
from numpymem.memn2n.equations import LOWEST
from numpymem.ops.activations import relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
from numpymem.ops.complex_safe import magnitude, real
from numpymem.ops.linear import linear, linear_backward
from numpymem.ops.softmax import softmax, softmax_backward


@equation("DMN-fusion", r"f_i = \overrightarrow{f_i} + \overleftarrow{f_i}", source="Xiong et al. 2016, section 3.1, input fusion")
def fuse(ahead, back, mask):
    """A fact knows what was said before it and after it: the states of two GRUs, one in each direction, added.

    ahead      (B, I, D)         states of the GRU that reads from the first sentence to the last
    back       (B, I, D)         states of the one that reads from the last to the first
    mask       (B, I) [mask]     1 for a sentence, 0 for nil
    returns f  (B, I, D)         facts; zero for nil sentences
    """
    return (ahead + back) * mask[:, :, None]


@fuse.backward
def fuse_backward(df, mask):
    # f = (ahead + back) * mask
    dahead = df * mask[:, :, None]
    return dahead, dahead.copy()


@equation("DMN-interactions", r"z_i^t = [f_i \circ q;\ f_i \circ m^{t-1};\ |f_i - q|;\ |f_i - m^{t-1}|]",
          source="Xiong et al. 2016, section 3.3")
def interactions(f, q, m):
    """How alike a fact is to the question and to the memory, number by number: where to look is decided on these.

    Here B counts the facts of all stories.

    f          (B, D)     a fact
    q          (B, D)     its story's question
    m          (B, D)     its story's memory, of the pass before
    returns z  (B, 4D)
    """
    return np.concatenate([f * q, f * m, magnitude(f - q), magnitude(f - m)], axis=1)


@interactions.backward
def interactions_backward(dz, f, q, m):
    D = f.shape[1]
    dfq, dfm, dq_far, dm_far = (dz[:, k * D:(k + 1) * D] for k in range(4))              # (B, D)
    # |f - q|, |f - m|: + where the difference is positive, else -
    dq_far = np.where(real(f - q) > 0, dq_far, -dq_far)
    dm_far = np.where(real(f - m) > 0, dm_far, -dm_far)
    # f q, f m
    return dfq * q + dfm * m + dq_far + dm_far, dfq * f - dq_far, dfm * f - dm_far


@equation("DMN-scores", r"Z_i^t = W^{(2)} \tanh(W^{(1)} z_i^t + b^{(1)})", source="Xiong et al. 2016, section 3.3",
          deviations="b^(2) is left out: the same for all facts, it drops out of the softmax")
def score(z, W_1, b_1, W_2):
    """How much each fact matters, as any real number: two layers over the interactions. Here, too, B counts the facts.

    z          (B, F)     interactions
    W_1        (F, H)
    b_1        (H)
    W_2        (H, 1)
    returns Z  (B)        scores
    returns a  (B, H)     what the first layer says
    """
    a = tanh(linear(z, W_1, b_1))
    return (a @ W_2)[:, 0], a


@score.backward
def score_backward(dZ, a, z, W_1, W_2):
    # Z = a W_2
    da, dW_2 = dZ[:, None] * W_2[:, 0], a.T @ dZ[:, None]
    # a = tanh(z W_1 + b_1)
    return *linear_backward(tanh_backward(da, a), z, W_1), dW_2


@equation("DMN-attention", r"Z_i^t = W^{(2)} \tanh(W^{(1)} z_i^t + b^{(1)})", source="Xiong et al. 2016, section 3.3", step=True,
          dims={"D": 5, "F": 20})
def attend(f, q, m, W_1, b_1, W_2, mask):
    """The scores of all facts of a batch of stories. Only those of real sentences are computed.

    f          (B, I, D)         facts
    q          (B, D)            question
    m          (B, D)            memory of the pass before
    W_1        (F, H)            F = 4 D
    b_1        (H)
    W_2        (H, 1)
    mask       (B, I) [mask]     1 for a sentence, 0 for nil
    returns Z  (B, I)            scores; zero for nil sentences
    returns a  (B, I, H)         what the first layer says; zero for nil sentences
    """
    story, place = np.nonzero(mask)                                  # of each real sentence
    Z, a = score(interactions(f[story, place], q[story], m[story]), W_1, b_1, W_2)
    return padded(Z, mask), padded(a, mask)


@attend.backward
def attend_backward(dZ, a, f, q, m, W_1, b_1, W_2, mask):
    story, place = np.nonzero(mask)
    facts = f[story, place], q[story], m[story]
    # Z, a = score(interactions(f, q, m))
    dz, *dweights = score_backward(dZ[story, place], a[story, place], interactions(*facts), W_1, W_2)
    df, dq, dm = (padded(part, mask) for part in interactions_backward(dz, *facts))
    # all facts of a story share its q and m
    return df, dq.sum(1), dm.sum(1), *dweights


@equation("DMN-gates", r"g_i^t = \mathrm{softmax}(Z_i^t)", source="Xiong et al. 2016, section 3.3")
def gates(Z, mask):
    """The gates of the facts, which together are one. Nil sentences have none.

    Z          (B, I)            scores
    mask       (B, I) [mask]     1 for a sentence, 0 for nil
    returns g  (B, I)            gates
    """
    return softmax(np.where(mask > 0, Z, LOWEST)) * mask


@gates.backward
def gates_backward(dg, g, mask):
    # g = softmax(Z) * mask
    return softmax_backward(dg * mask, g)


@equation("DMN-episodic-gates", r"g_i^t = \sigma(Z_i^t + b^{(2)})", source="Kumar et al. 2015, section 2.3",
          deviations="the scores come from the interactions of DMN+, not from the nine of the first paper")
def episodic_gates(Z, b_2, mask):
    """The gates of the first DMN: each by itself between 0 and 1, so that several facts can count in full, or none.

    Z          (B, I)            scores
    b_2        (1)
    mask       (B, I) [mask]     1 for a sentence, 0 for nil
    returns g  (B, I)            gates
    """
    return sigmoid(Z + b_2) * mask


@episodic_gates.backward
def episodic_gates_backward(dg, g, mask):
    # g = sigmoid(Z + b_2) * mask
    dZ = sigmoid_backward(dg * mask, g)
    return dZ, dZ.sum().reshape(1)


@equation("DMN-memory", r"m^t = \mathrm{ReLU}(W^t [m^{t-1};\ c^t;\ q] + b)", source="Xiong et al. 2016, section 3.3",
          deviations="W^t is stored transposed, and b, too, is its pass's own")
def remember(m_prev, c, q, W, b):
    """The memory after a pass, from the one before, what the pass found, and the question. Each pass has weights of its own.

    m_prev     (B, D)     memory of the pass before
    c          (B, D)     context: what this pass found
    q          (B, D)     question
    W          (3D, D)
    b          (D)
    returns m  (B, D)     memory
    """
    return relu(linear(np.concatenate([m_prev, c, q], axis=1), W, b))


@remember.backward
def remember_backward(dm, m, m_prev, c, q, W):
    D = q.shape[1]
    # m = relu(x W + b),  x = [m_prev, c, q]
    dx, dW, db = linear_backward(relu_backward(dm, m), np.concatenate([m_prev, c, q], axis=1), W)
    return dx[:, :D], dx[:, D:2 * D], dx[:, 2 * D:], dW, db


@equation("DMN-answer", r"\hat a = \mathrm{softmax}(W_a [m^T;\ q] + b_a)", source="Xiong et al. 2016, section 2, answer module",
          deviations="the softmax is left to the loss, and W is stored transposed. The first DMN's GRU for answers of many words is"
                     " left out: in bAbI an answer is one class")
def answer(m, q, W, b):
    """Scores of all answers, from the last memory and the question.

    m               (B, D)     memory after the last pass
    q               (B, D)     question
    W               (2D, Y)
    b               (Y)
    returns logits  (B, Y)
    """
    return linear(np.concatenate([m, q], axis=1), W, b)


@answer.backward
def answer_backward(dlogits, m, q, W):
    # logits = [m, q] W + b
    dx, dW, db = linear_backward(dlogits, np.concatenate([m, q], axis=1), W)
    return dx[:, :m.shape[1]], dx[:, m.shape[1]:], dW, db


Kernel("dmn.attention", of=attend, functions="numpymem.dmn.kernels_attention:attend:attend_backward", gain="1.8x to 3.4x")
