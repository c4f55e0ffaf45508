"""The Transformer's equations (Vaswani et al. 2017, arXiv 1706.03762), with the normalisation of Ba et al. 2016 before each part.

B batch, T places that ask, S places that are looked at, D width, A heads, F width inside the feed-forward layer. A word that is not
there (nil) is masked: no place attends to it.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.kernel import Kernel
from numpymem.memn2n.equations import LOWEST
from numpymem.ops.activations import relu, relu_backward
from numpymem.ops.linear import linear, linear_backward
from numpymem.ops.softmax import softmax, softmax_backward

EPS = 1e-5          # inside the root of the layer norm: a row of equal numbers has no spread


@equation("layer-norm", r"y = g \circ \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + b", source="Ba et al. 2016, eq. 4")
def layer_norm(x, g, b):
    """Bring each row to mean 0 and spread 1, then stretch and move each number of it in a learned way.

    x           (B, D)
    g           (D)      gain
    b           (D)      bias
    returns y   (B, D)
    returns x_n (B, D)   normalised
    returns s   (B, 1)   1 / spread
    """
    away = x - x.mean(-1, keepdims=True)
    s = 1 / np.sqrt((away * away).mean(-1, keepdims=True) + EPS)
    x_n = away * s
    return g * x_n + b, x_n, s


@layer_norm.backward
def layer_norm_backward(dy, x_n, s, g):
    # y = g x_n + b
    dx_n, dg, db = dy * g, (dy * x_n).sum(0), dy.sum(0)
    # x_n = away s,  s = 1 / sqrt(mean(away^2) + EPS): the part of dx_n along x_n changes only the spread
    daway = s * (dx_n - x_n * (dx_n * x_n).mean(-1, keepdims=True))              # (B, D)
    # away = x - mean(x)
    return daway - daway.mean(-1, keepdims=True), dg, db


@equation("Transformer-1", r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^T}{\sqrt{d_k}}\right) V",
          source="Vaswani et al. 2017, eq. 1, for all heads at once (section 3.2.2)", fixed={"heads": 2}, dims={"A": 2, "D": 6})
def attention(q, k, v, mask, heads):
    """What each place finds where it looks. Head a sees the a-th part of the columns of q, k and v.

    q            (B, T, D)           queries
    k            (B, S, D)           keys
    v            (B, S, D)           values
    mask         (B, T, S) [mask]    1 where a place may look; a place that may look nowhere finds the mean of all values
    heads        () [sizes]          how many heads; divides D
    returns y    (B, T, D)
    returns p    (B, A, T, S)        where each head looks: rows sum to one
    """
    Q, K, V = (by_head(x, heads) for x in (q, k, v))                             # (B, A, places, D / A)
    scores = Q @ K.swapaxes(-1, -2) * scale(K)                                   # (B, A, T, S)
    p = softmax(np.where(mask[:, None] > 0, scores, LOWEST))
    return side_by_side(p @ V), p


@attention.backward
def attention_backward(dy, p, q, k, v, mask, heads):
    Q, K, V, dY = (by_head(x, heads) for x in (q, k, v, dy))
    # y = p V
    dp, dV = dY @ V.swapaxes(-1, -2), p.swapaxes(-1, -2) @ dY
    # p = softmax(scores)
    dscores = softmax_backward(dp, p) * (mask[:, None] > 0) * scale(K)           # (B, A, T, S)
    # scores = Q K^T / sqrt(d_k)
    dQ, dK = dscores @ K, dscores.swapaxes(-1, -2) @ Q
    return side_by_side(dQ), side_by_side(dK), side_by_side(dV)


def by_head(x, heads):
    """(B, places, D) -> (B, heads, places, D / heads)"""
    B, places, D = x.shape
    return x.reshape(B, places, heads, D // heads).swapaxes(1, 2)


def side_by_side(x):
    """(B, heads, places, width) -> (B, places, heads width)"""
    B, heads, places, width = x.shape
    return x.swapaxes(1, 2).reshape(B, places, heads * width)


def scale(K):
    """1 / sqrt(d_k): without it scores grow with the width, and the softmax hardens."""
    return K.real.dtype.type(K.shape[-1] ** -0.5)


@equation("Transformer-2", r"\mathrm{FFN}(x) = \max(0, x W_1 + b_1) W_2 + b_2", source="Vaswani et al. 2017, eq. 2")
def feed_forward(x, W_1, b_1, W_2, b_2):
    """Two layers at each place by itself.

    x           (B, D)
    W_1         (D, F)
    b_1         (F)
    W_2         (F, D)
    b_2         (D)
    returns y   (B, D)
    returns a   (B, F)   what the first layer says
    """
    a = relu(linear(x, W_1, b_1))
    return linear(a, W_2, b_2), a


@feed_forward.backward
def feed_forward_backward(dy, a, x, W_1, W_2):
    # y = a W_2 + b_2
    da, dW_2, db_2 = linear_backward(dy, a, W_2)
    # a = relu(x W_1 + b_1)
    dx, dW_1, db_1 = linear_backward(relu_backward(da, a), x, W_1)
    return dx, dW_1, db_1, dW_2, db_2


def position_code(places, D, dtype):
    """Where a word stands: sines and cosines of ever longer waves (Vaswani et al. 2017, section 3.5). (places, D)"""
    waves = np.arange(places)[:, None] / 10_000 ** (np.arange(0, D, 2) / D)
    return np.stack([np.sin(waves), np.cos(waves)], axis=-1).reshape(places, -1)[:, :D].astype(dtype)


LOOPS = "numpymem.memory_transformer.kernels_transformer"
Kernel("memory_transformer.attention", of=attention, functions=f"{LOOPS}:attention:attention_backward")
Kernel("memory_transformer.layer_norm", of=layer_norm, functions=f"{LOOPS}:layer_norm:layer_norm_backward")
