"""The parts of a Transformer layer, each with its residual: normalise, do something, add it to what was there (pre-norm).

A part's parameters begin with its name: `e1_self` looks at its own segment in the first layer of the encoder, `d1_cross` at the
question in the first layer of the decoder, `d1_ff` is that layer's feed-forward part.

    g, b  of the layer norm          W_q W_k W_v W_o     of the attention         W_1 b_1 W_2 b_2     of the feed-forward
"""

import numpy as np

from numpymem.memn2n.model import add
from numpymem.memory_transformer.transformer import (attention, attention_backward, feed_forward, feed_forward_backward, layer_norm,
                                                     layer_norm_backward)
from numpymem.ops.dropout import dropout, dropout_backward

FEED = ("W_1", "b_1", "W_2", "b_2")


def rows(x):
    """All places of all sequences as rows: (B, T, D) -> (B T, D)."""
    return x.reshape(-1, x.shape[-1])


def product(x, W):
    """x W at all places, as one product: NumPy's own of a (B, T, D) array makes one for each sequence, several times slower."""
    return (rows(x) @ W).reshape(*x.shape[:-1], -1)


# ---- layer norm -------------------------------------------------------------------------------------------------------------

def norm(params, name, x):
    """-> (x normalised, what the backward needs)"""
    y, x_n, s = layer_norm(rows(x), params[f"{name}_g"], params[f"{name}_b"])
    return y.reshape(x.shape), (x_n, s)


def norm_backward(dy, params, grads, name, kept):
    dx, dg, db = layer_norm_backward(rows(dy), *kept, params[f"{name}_g"])
    add(grads, f"{name}_g", dg)
    add(grads, f"{name}_b", db)
    return dx.reshape(dy.shape)


# ---- attention --------------------------------------------------------------------------------------------------------------

def look(params, name, x, seen, mask, heads, drop, past=None):
    """x + what its places find in `seen` -> (B, T, D), trace.

    seen   (B, S, D), or None: x itself, normalised, after what it was before (`past`: (B, places before, D), or None)
    mask   (B, T, S)
    drop   what dropout keeps of what is found, or None
    """
    W_q, W_k, W_v, W_o = (params[f"{name}_{which}"] for which in ("W_q", "W_k", "W_v", "W_o"))
    x_n, kept = norm(params, name, x)
    own = seen is None
    if own:
        seen = x_n if past is None else np.concatenate([past, x_n], axis=1)
    q, k, v = product(x_n, W_q), product(seen, W_k), product(seen, W_v)
    found, p = attention(q, k, v, mask, heads)
    y = product(found, W_o)
    trace = {"norm": kept, "x_n": x_n, "seen": seen, "own": own, "q": q, "k": k, "v": v, "mask": mask, "p": p, "found": found,
             "drop": drop}
    return x + (y if drop is None else dropout(y, drop)), trace


def look_backward(dy, params, grads, name, trace, heads):
    """-> (dx, dseen); dseen is None where x looked at itself"""
    # out = x + dropout(found W_o)
    dfound_o = dy if trace["drop"] is None else dropout_backward(dy, trace["drop"])
    dfound = through(dfound_o, params, grads, f"{name}_W_o", trace["found"])
    # found, p = attention(q, k, v)
    dq, dk, dv = attention_backward(dfound, trace["p"], trace["q"], trace["k"], trace["v"], trace["mask"], heads)
    # q = x_n W_q,  k = seen W_k,  v = seen W_v
    dx_n = through(dq, params, grads, f"{name}_W_q", trace["x_n"])
    dseen = through(dk, params, grads, f"{name}_W_k", trace["seen"]) + through(dv, params, grads, f"{name}_W_v", trace["seen"])
    if trace["own"]:
        dx_n, dseen = dx_n + dseen, None
    # x_n = norm(x)
    return dy + norm_backward(dx_n, params, grads, name, trace["norm"]), dseen


def through(dy, params, grads, name, x):
    """Of y = x W: add to the gradient of W -> dx."""
    add(grads, name, rows(x).T @ rows(dy))
    return product(dy, params[name].T)


# ---- feed-forward -----------------------------------------------------------------------------------------------------------

def feed(params, name, x, drop):
    """x + two layers at each place -> (B, T, D), trace."""
    x_n, kept = norm(params, name, x)
    y, a = feed_forward(rows(x_n), *(params[f"{name}_{which}"] for which in FEED))
    y = y.reshape(x.shape)
    return x + (y if drop is None else dropout(y, drop)), {"norm": kept, "x_n": x_n, "a": a, "drop": drop}


def feed_backward(dy, params, grads, name, trace):
    # out = x + dropout(y)
    dfed = dy if trace["drop"] is None else dropout_backward(dy, trace["drop"])
    # y = feed_forward(x_n)
    W_1, W_2 = params[f"{name}_W_1"], params[f"{name}_W_2"]
    dx_n, *dweights = feed_forward_backward(rows(dfed), trace["a"], rows(trace["x_n"]), W_1, W_2)
    for which, dweight in zip(FEED, dweights):
        add(grads, f"{name}_{which}", dweight)
    # x_n = norm(x)
    return dy + norm_backward(dx_n.reshape(dy.shape), params, grads, name, trace["norm"])
