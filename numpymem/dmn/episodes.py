"""One pass over the facts: where to look (gates), what is found there (context), what is then known (memory)."""

import numpy as np

from numpymem.dmn.equations import (attend, attend_backward, episodic_gates, episodic_gates_backward, gates, gates_backward,
                                    remember, remember_backward)
from numpymem.dmn.scan import scan, scan_backward
from numpymem.memn2n.equations import respond, respond_backward
from numpymem.memn2n.model import add
from numpymem.ops.gru import gru_cell, gru_cell_backward
from numpymem.ops.linear import linear, linear_backward, linear_input_backward, linear_weight_backward


def context(attention, params, f, x, q, m, mask):
    """What a pass finds -> (c (B, D), gates g (B, I), what the backward needs).

    x    f W_c + b_c, the same for all passes; not used by soft attention
    m    memory of the pass before
    """
    Z, a = attend(f, q, m, params["W_1"], params["b_1"], params["W_2"], mask)
    g = episodic_gates(Z, params["b_2"], mask) if attention == "episodic" else gates(Z, mask)
    if attention == "soft":
        return respond(g, f), g, (a, None)
    results = scan(x, params["U_c"], np.zeros_like(q), g, mask)
    return results[0][:, -1], g, (a, results)


def context_backward(dc, attention, params, grads, f, g, kept, q, m, mask):
    """-> (df, dx, dq, dm, dg); adds to the gradients of the weights."""
    a, results = kept
    df, dx = 0, 0
    # c = respond(g, f), or the last state of the scan over x
    if attention == "soft":
        dg, df = respond_backward(dc, g, f)
    else:
        h, s, y = results
        dh = np.zeros_like(h)
        dh[:, -1] = dc
        dx, dU, _, dg = scan_backward(dh, h, s, y, params["U_c"], np.zeros_like(q), g, mask)
        add(grads, "U_c", dU)
    # g = gates(Z)
    if attention == "episodic":
        dZ, db_2 = episodic_gates_backward(dg, g, mask)
        add(grads, "b_2", db_2)
    else:
        dZ = gates_backward(dg, g, mask)
    # Z = attend(f, q, m)
    names = ("W_1", "b_1", "W_2")
    df_seen, dq, dm, *dweights = attend_backward(dZ, a, f, q, m, *(params[name] for name in names), mask)
    for name, dweight in zip(names, dweights):
        add(grads, name, dweight)
    return df + df_seen, dx, dq, dm, dg


def next_memory(params, t, m, c, q):
    """The memory after pass t -> (m (B, D), what the backward needs)."""
    if "U_m" not in params:
        return remember(m, c, q, params[f"W_m{t + 1}"], params[f"b_m{t + 1}"]), None
    y = m @ params["U_m"]
    m, s = gru_cell(linear(c, params["W_m"], params["b_m"]), y, m, np.ones((len(m), 1), m.real.dtype))
    return m, (s, y)


def next_memory_backward(dm, params, grads, t, m_next, kept, m, c, q):
    """-> (dm of the pass before, dc, dq); adds to the gradients of the weights."""
    if kept is None:
        # m_next = remember(m, c, q)
        dm, dc, dq, dW, db = remember_backward(dm, m_next, m, c, q, params[f"W_m{t + 1}"])
        grads[f"W_m{t + 1}"], grads[f"b_m{t + 1}"] = dW, db
        return dm, dc, dq
    s, y = kept
    # m_next = gru_cell(linear(c), m U, m)
    dx, dy, dm, _ = gru_cell_backward(dm, s, y, m, np.ones((len(m), 1), m.dtype))
    add(grads, "U_m", linear_weight_backward(dy, m)[0])
    # x = c W + b
    dc, dW, db = linear_backward(dx, c, params["W_m"])
    add(grads, "W_m", dW)
    add(grads, "b_m", db)
    return dm + linear_input_backward(dy, params["U_m"]), dc, 0
