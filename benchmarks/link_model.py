"""The DNC's temporal links alone, as a model that can be timed: T writes, and after each the weights along the links.

The `parameters` are the weightings of all steps, so that their gradients are what backward gives: w_w (T, B, N), w_r (T, B, R, N).
"""

from dataclasses import dataclass

import numpy as np

from numpymem.dnc.equations import (backward_weights, backward_weights_backward, forward_weights, forward_weights_backward, link,
                                    link_backward, precedence, precedence_backward)


@dataclass(frozen=True)
class LinkConfig:
    """Slots, read heads, time steps."""
    N: int = 64
    read_heads: int = 4
    T: int = 41


class Links:
    """forward: outputs (T, B, 2 R N), backward weights before forward weights."""

    def __init__(self, config):
        self.config = config

    def forward(self, params, inputs):
        w_w, w_r = params["w_w"], params["w_r"]
        (T, B, N), R = w_w.shape, self.config.read_heads
        L, p = np.zeros((B, N, N), w_w.dtype), np.zeros((B, N), w_w.dtype)
        states, outputs = [], np.empty((T, B, 2 * R, N), w_w.dtype)
        for t in range(T):
            states.append((L, p))
            L, p = link(L, w_w[t], p), precedence(p, w_w[t])
            outputs[t, :, :R], outputs[t, :, R:] = backward_weights(L, w_r[t]), forward_weights(L, w_r[t])
        return outputs.reshape(T, B, -1), {"states": [*states, (L, p)]}

    def backward(self, params, trace, d_outputs):
        w_w, w_r, states = params["w_w"], params["w_r"], trace["states"]
        T, R = len(w_w), self.config.read_heads
        d_outputs = d_outputs.reshape(*w_r.shape[:2], 2 * R, -1)
        dw_w, dw_r = np.empty_like(w_w), np.empty_like(w_r)
        dL, dp = (np.zeros_like(last) for last in states[-1])
        for t in reversed(range(T)):
            (L_prev, p_prev), (L, _) = states[t], states[t + 1]
            # w_b, w_f = backward_weights(L, w_r), forward_weights(L, w_r)
            dL_back, dw_r_back = backward_weights_backward(d_outputs[t, :, :R], L, w_r[t])
            dL_forward, dw_r_forward = forward_weights_backward(d_outputs[t, :, R:], L, w_r[t])
            dw_r[t] = dw_r_back + dw_r_forward
            # p = precedence(p_prev, w_w);  L goes three ways, L = link(L_prev, w_w, p_prev)
            dp_prev, dw_w_precedence = precedence_backward(dp, p_prev, w_w[t])
            dL, dw_w_link, dp_link = link_backward(dL + dL_back + dL_forward, L_prev, w_w[t], p_prev)
            dw_w[t], dp = dw_w_precedence + dw_w_link, dp_prev + dp_link
        return {"w_w": dw_w, "w_r": dw_r}
