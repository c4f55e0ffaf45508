"""What a Transformer needs to write to an NTM's memory and to read it; addressing, reading, erasing and adding are the NTM's own.

The architecture is a proposal of ours after an article's sketch; there is no paper that has it. B batch, T time steps, I items of
J words each, D width, N slots, W width of a slot, P raw numbers for a head, Q words of the question.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.memn2n.equations import LOWEST
from numpymem.ops.activations import sigmoid, sigmoid_backward
from numpymem.ops.linear import linear, linear_backward

OWN = "numpymem; no paper"


@equation("MT-items", r"h_i = \sum_j m_{ij} x_{ij} \big/ \textstyle\sum_j m_{ij}", source=OWN)
def items(x, mask):
    """What is written in one step: the mean of an item's words.

    x           (B, I, J, D)         words, encoded
    mask        (B, I, J) [mask]     1 for a word, 0 for nil
    returns h   (B, I, D)            items; zero for one without words
    """
    return (x * share(mask)).sum(2)


@items.backward
def items_backward(dh, mask):
    # h = sum_j x_j share_j
    return dh[:, :, None] * share(mask)


def share(mask):
    """What each word contributes to its item: (B, I, J, 1)"""
    return (mask / np.maximum(mask.sum(-1, keepdims=True), 1))[..., None]


@equation("MT-hold", r"\hat p = \kappa \circ p + \phi", source=OWN)
def hold(p, kept, fixed):
    """Hold some of a head's raw numbers at fixed values.

    All that the ablations do stands here, and what keeps an item that is not there from being written: far out, a gate is 1 or 0
    and its gradient 0, to the last bit.

    p            (B, P)             raw numbers
    kept         (B, P) [data]      1 to leave a number as it is, 0 to hold it
    fixed        (B, P) [data]      what is held; 0 where it is not
    returns raw  (B, P)
    """
    return p * kept + fixed


@hold.backward
def hold_backward(draw, kept):
    # raw = p kept + fixed
    return draw * kept


@equation("MT-fuse", r"y = z + \sigma(z W_g + b_g) \circ (r W_r)", source=OWN
          + "; the gate is that of Wu et al. 2022 (arXiv 2203.08913) in purpose, not in form")
def fuse(z, r, W_g, b_g, W_r):
    """Take in what was read, as much of each number as the place wants.

    z           (B, D)
    r           (B, V)   what was read, all heads side by side
    W_g         (D, D)
    b_g         (D)
    W_r         (V, D)
    returns y   (B, D)
    returns o   (B, D)   how far the gate is open
    """
    o = sigmoid(linear(z, W_g, b_g))
    return z + o * (r @ W_r), o


@fuse.backward
def fuse_backward(dy, o, z, r, W_g, W_r):
    # y = z + o (r W_r)
    do, dread = dy * (r @ W_r), dy * o
    dr, dW_r = dread @ W_r.T, r.T @ dread
    # o = sigmoid(z W_g + b_g)
    dz, dW_g, db_g = linear_backward(sigmoid_backward(do, o), z, W_g)
    return dy + dz, dr, dW_g, db_g, dW_r


@equation("MT-neighbours", r"y_p = x_p + x_{p-1} W_l + x_{p+1} W_r", source=OWN
          + "; words with those beside them, as a convolution of width 3 takes them: Collobert et al. 2011, section 3.3.2")
def neighbours(x, W_l, W_r):
    """Each word with the one before it and the one after it.

    To attention the next word is a word like any other, and where exactly one stands it learns late; here a word knows from the
    start what it begins, goes on or ends.

    x           (B, Q, D)   words of the question, zero where there is none
    W_l         (D, D)      for the word to the left
    W_r         (D, D)      for the one to the right
    returns y   (B, Q, D)
    """
    return x + times(moved(x, 1), W_l) + times(moved(x, -1), W_r)


@neighbours.backward
def neighbours_backward(dy, x, W_l, W_r):
    # y = x + left W_l + right W_r
    D = x.shape[-1]
    dW_l, dW_r = (moved(x, by).reshape(-1, D).T @ dy.reshape(-1, D) for by in (1, -1))
    # left and right are x, moved
    return dy + moved(times(dy, W_l.T), -1) + moved(times(dy, W_r.T), 1), dW_l, dW_r


def moved(x, by):
    """Each place of x (B, Q, D) has what the one before it had (by = 1), or the one after it (-1); at the end zero."""
    y = np.zeros_like(x)
    here, there = (slice(1, None), slice(None, -1))[::by]
    y[:, here] = x[:, there]
    return y


def times(x, W):
    """x W as one product of all places."""
    return (x.reshape(-1, x.shape[-1]) @ W).reshape(*x.shape[:-1], -1)


@equation("MT-pointer", r"s_p = \langle z W_p, x_p \rangle / \sqrt{d}", source=OWN
          + "; pointing at words of the input: Vinyals et al. 2015, eq. 3, in another form")
def pointer(z, x, W_p, mask):
    """How much each word of the question is meant.

    z           (B, T, D)           decoder
    x           (B, Q, D)           words of the question, encoded
    W_p         (D, D)
    mask        (B, Q) [mask]       1 for a word, 0 for nil
    returns s   (B, T, Q)           scores; very low for nil
    """
    scores = (z @ W_p) @ x.swapaxes(-1, -2) * x.real.dtype.type(x.shape[-1] ** -0.5)
    return np.where(mask[:, None] > 0, scores, LOWEST)


@pointer.backward
def pointer_backward(ds, z, x, W_p, mask):
    # s = <z W_p, x> / sqrt d where there is a word
    ds = np.where(mask[:, None] > 0, ds, 0).astype(ds.dtype) * x.dtype.type(x.shape[-1] ** -0.5)         # (B, T, Q)
    dasked = ds @ x                                                                                       # (B, T, D)
    dx = ds.swapaxes(-1, -2) @ (z @ W_p)
    return dasked @ W_p.T, dx, (z.swapaxes(-1, -2) @ dasked).sum(0)
