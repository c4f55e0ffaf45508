"""The memory bank between encoder and decoder: writing the items, and what a layer of the decoder reads. Four kinds (`memory`):

    "ntm"        an NTM's memory: each item is written with a write head, each place of the decoder reads with read heads
    "append"     nothing is ever written over: each of the N latest items is a key and a value of its own, read by softmax
                 (MemN2N, key-value)
    "attention"  no memory: every word of every segment can be attended to in the same way (the ceiling)
    "none"       no memory, and no segments: the decoder has the question alone (the floor)
"""

import numpy as np

from numpymem.memn2n.model import add
from numpymem.memory_transformer.equations import fuse, fuse_backward, hold, hold_backward
from numpymem.memory_transformer.layers import norm, norm_backward, product, rows, through
from numpymem.memory_transformer.scan import READS, WRITES, read_all, read_all_backward, write_all, write_all_backward
from numpymem.memory_transformer.transformer import attention, attention_backward
from numpymem.ntm.held import ZERO, held
from numpymem.ntm.step import HeadSizes, places
from numpymem.ops.linear import flat, linear, linear_backward


def write_sizes(config):
    return HeadSizes(R=0, Q=config.write_heads, W=config.W, S=config.shifts)


def read_sizes(config):
    return HeadSizes(R=config.read_heads, Q=0, W=config.W, S=config.shifts)


def held_of_items(config, written, dtype):
    """What the switches hold (ntm/held.py) for each item of a batch, and where there is none nothing is written: a = 0, e = 0.
    -> two of (I, B, P), see MT-hold"""
    sizes = write_sizes(config)
    kept, fixed = (np.tile(row, (*written.T.shape, 1)) for row in held(config, sizes, dtype))
    absent = written.T == 0                                                       # (I, B)
    kept[absent], fixed[absent] = 0, 0
    for place, *_ in places(sizes)[5:6]:                                          # e
        fixed[absent, place] = ZERO
    return kept, fixed


def start_weights(B, heads, N, dtype):
    """Every head begins at slot 0. (B, heads, N)"""
    w = np.zeros((B, heads, N), dtype)
    w[:, :, 0] = 1
    return w


# ---- writing ----------------------------------------------------------------------------------------------------------------

def write(config, params, h, written):
    """All items into the memory -> (M (B, N, W), trace). h (B, I, D) items, written (B, I)."""
    B, dtype = len(h), h.real.dtype
    kept, fixed = held_of_items(config, written, dtype)
    start = params["M_0"] if "M_0" in params else np.full((config.N, config.W), 1e-6, dtype)
    M0 = np.broadcast_to(start, (B, config.N, config.W))
    w0 = start_weights(B, config.write_heads, config.N, dtype)
    p = linear(flat(h.swapaxes(0, 1)), params["write_W"], params["write_b"])                       # (I B, P)
    raw = hold(p, flat(kept), flat(fixed)).reshape(kept.shape)
    values = write_all(raw, w0, M0, write_sizes(config))
    return values[-1][-1], {"h": h, "kept": kept, "raw": raw, "w0": w0, "M0": M0, **dict(zip(WRITES, values))}


def write_backward(dM, config, params, grads, trace):
    """-> dh"""
    # M = write_all(raw)[-1]
    dM_all = np.zeros_like(trace["M"])
    dM_all[-1] = dM
    draw, _, dM0 = write_all_backward(dM_all, *(trace[name] for name in WRITES), trace["raw"], trace["w0"], trace["M0"],
                                      write_sizes(config))
    if "M_0" in params:
        add(grads, "M_0", dM0.sum(0))
    # raw = hold(h W + b)
    dp = hold_backward(flat(draw), flat(trace["kept"]))
    h = trace["h"].swapaxes(0, 1)
    dh, grads["write_W"], grads["write_b"] = linear_backward(dp, flat(h), params["write_W"])
    return dh.reshape(h.shape).swapaxes(0, 1)


# ---- reading ----------------------------------------------------------------------------------------------------------------

def recall(config, params, name, z, memory, w0=None):
    """z (B, T, D), and at each place what it reads, through a gate -> (B, T, D), trace.

    memory   "ntm": M (B, N, W);  else: (items or words (B, I, D), mask (B, T, I))
    w0       where the read heads were before (None: at slot 0)
    """
    z_n, kept = norm(params, name, z)
    find = find_in_memory if config.memory == "ntm" else find_in_items
    r, trace = find(config, params, name, z_n, memory, w0)                                         # (B, T, heads W)
    y, o = fuse(rows(z), rows(r), *(params[f"{name}_{which}"] for which in ("W_g", "b_g", "W_r")))
    return y.reshape(z.shape), trace | {"z": z, "z_n": z_n, "norm": kept, "read": r, "o": o}


def recall_backward(dy, config, params, grads, name, trace, memory):
    """-> (dz, gradient of M or of the items)"""
    # y = fuse(z, r)
    dz, dr, *dweights = fuse_backward(rows(dy), trace["o"], rows(trace["z"]), rows(trace["read"]), params[f"{name}_W_g"],
                                      params[f"{name}_W_r"])
    for which, dweight in zip(("W_g", "b_g", "W_r"), dweights):
        add(grads, f"{name}_{which}", dweight)
    # r = find(z_n, memory)
    back = find_in_memory_backward if config.memory == "ntm" else find_in_items_backward
    dz_n, dmemory = back(dr.reshape(trace["read"].shape), config, params, grads, name, trace, memory)
    # z_n = norm(z)
    return dz.reshape(dy.shape) + norm_backward(dz_n, params, grads, name, trace["norm"]), dmemory


def find_in_memory(config, params, name, z_n, M, w0):
    B, T, _ = z_n.shape
    sizes = read_sizes(config)
    kept, fixed = (np.broadcast_to(row, (T * B, sizes.raw)) for row in held(config, sizes, z_n.real.dtype))
    w0 = start_weights(B, config.read_heads, config.N, z_n.real.dtype) if w0 is None else w0
    p = linear(flat(z_n.swapaxes(0, 1)), params[f"{name}_W"], params[f"{name}_bias"])              # (T B, P)
    raw = hold(p, kept, fixed).reshape(T, B, -1)
    values = read_all(raw, w0, M, sizes)
    return flat(values[0]).reshape(T, B, -1).swapaxes(0, 1), {"raw": raw, "w0": w0, "kept": kept, **dict(zip(READS, values))}


def find_in_memory_backward(dr, config, params, grads, name, trace, M):
    sizes, (T, B, H, W) = read_sizes(config), trace["r"].shape
    # r = read_all(raw, M)
    dr = dr.swapaxes(0, 1).reshape(T, B, H, W)
    draw, _, dM = read_all_backward(dr, *(trace[each] for each in READS[1:]), trace["raw"], trace["w0"], M, sizes)
    # raw = hold(z_n W + b)
    z_n = trace["z_n"].swapaxes(0, 1)
    dz_n, dW, db = linear_backward(hold_backward(flat(draw), trace["kept"]), flat(z_n), params[f"{name}_W"])
    add(grads, f"{name}_W", dW)
    add(grads, f"{name}_bias", db)
    return dz_n.reshape(z_n.shape).swapaxes(0, 1), dM


def find_in_items(config, params, name, z_n, memory, w0):
    h, mask = memory
    q, k, v = (product(x, params[f"{name}_{which}"]) for x, which in ((z_n, "W_q"), (h, "W_k"), (h, "W_v")))
    r, p = attention(q, k, v, mask, config.read_heads)
    return r, {"q": q, "k": k, "v": v, "p": p}


def find_in_items_backward(dr, config, params, grads, name, trace, memory):
    h, mask = memory
    # r = attention(q, k, v)
    dq, dk, dv = attention_backward(dr, trace["p"], trace["q"], trace["k"], trace["v"], mask, config.read_heads)
    # q = z_n W_q,  k = h W_k,  v = h W_v
    dz_n = through(dq, params, grads, f"{name}_W_q", trace["z_n"])
    return dz_n, through(dk, params, grads, f"{name}_W_k", h) + through(dv, params, grads, f"{name}_W_v", h)
