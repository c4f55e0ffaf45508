"""The baseline: stacked LSTM layers with the interface of the memory networks. Every claim about a memory needs one.

    pre_t = x_t W_x + b + h_{t-1} W_u,   h_t, c_t = lstm_cell(pre_t, c_{t-1})        each layer, over all time steps
    y_t   = h_t W_y + b_y                                                            logits, from the last layer
"""

from dataclasses import dataclass

import numpy as np

from numpymem.equation import ticking
from numpymem.initial import check_at_least, check_sequence_inputs, scaled_normal
from numpymem.ops.linear import linear, linear_backward, linear_input_backward, linear_weight_backward
from numpymem.ops.lstm import lstm_cell, lstm_cell_backward


@dataclass(frozen=True)
class LSTMConfig:
    """n_inputs, n_outputs: widths of a row; `layers` layers of `size` cells (the NTM paper: 3 layers of 256 for copy)."""
    n_inputs: int
    n_outputs: int
    size: int = 256
    layers: int = 3

    def __post_init__(self):
        for name in ("n_inputs", "n_outputs", "size", "layers"):
            check_at_least(name, getattr(self, name), 1)
        check_at_least("layers", self.layers, 1, most=1_000)


class LSTM:
    """See the text at the top of this file. Parameters of layer l are W_x<l>, W_u<l>, b<l>, h0_<l>, c0_<l>."""

    form = "sequence"

    def __init__(self, config):
        self.config = config

    def init(self, rng, dtype=np.float32):
        """Fresh parameters, a dict name -> array."""
        c, params, width = self.config, {}, self.config.n_inputs
        for layer in range(c.layers):
            fan_in = width + c.size
            params[f"W_x{layer}"] = scaled_normal(rng, fan_in, (width, 4 * c.size), dtype)
            params[f"W_u{layer}"] = scaled_normal(rng, fan_in, (c.size, 4 * c.size), dtype)
            params[f"b{layer}"] = np.zeros(4 * c.size, dtype)
            params[f"b{layer}"][c.size:2 * c.size] = 1                   # forget gates start open
            params[f"h0_{layer}"] = np.zeros(c.size, dtype)
            params[f"c0_{layer}"] = np.zeros(c.size, dtype)
            width = c.size
        params["W_y"] = scaled_normal(rng, c.size, (c.size, c.n_outputs), dtype)
        params["b_y"] = np.zeros(c.n_outputs, dtype)
        return params

    def forward(self, params, inputs, rng=None):
        """inputs (T, B, n_inputs) -> logits (T, B, n_outputs) and the trace: x, h, c, gates as lists over the layers."""
        check_sequence_inputs(inputs, self.config.n_inputs)
        T, B, _ = inputs.shape
        trace, x = {"x": [], "h": [], "c": [], "gates": []}, inputs
        for layer in range(self.config.layers):
            h, c, gates = self._layer(params, layer, x)
            for name, value in zip(("x", "h", "c", "gates"), (x, h, c, gates)):
                trace[name].append(value)
            x = h[1:]
        logits = linear(x.reshape(T * B, -1), params["W_y"], params["b_y"])
        return logits.reshape(T, B, -1), trace

    def _layer(self, params, layer, x):
        """x (T, B, X) -> h and c (T + 1, B, C), the start values first, and gates (T, B, 4C)."""
        T, B, X = x.shape
        W_u = params[f"W_u{layer}"]
        pre_x = linear(x.reshape(T * B, X), params[f"W_x{layer}"], params[f"b{layer}"]).reshape(T, B, -1)
        h, c = [np.tile(params[f"h0_{layer}"], (B, 1))], [np.tile(params[f"c0_{layer}"], (B, 1))]
        gates = []
        for t in ticking(range(T)):
            h_t, c_t, s_t = lstm_cell(pre_x[t] + h[t] @ W_u, c[t])
            h.append(h_t)
            c.append(c_t)
            gates.append(s_t)
        return np.stack(h), np.stack(c), np.stack(gates)

    def backward(self, params, trace, d_outputs, dtrace=None):
        """d_outputs (T, B, n_outputs) -> gradients with the keys of `params`; a dict `dtrace` gets those of h and pre."""
        T, B, Y = d_outputs.shape
        h_last = trace["h"][-1][1:]
        dh, dW_y, db_y = linear_backward(d_outputs.reshape(T * B, Y), h_last.reshape(T * B, -1), params["W_y"])
        grads = {"W_y": dW_y, "b_y": db_y}
        for layer in reversed(range(self.config.layers)):
            dh = self._layer_backward(params, trace, layer, dh.reshape(T, B, -1), grads, dtrace)
        return {name: grads[name] for name in params}

    def _layer_backward(self, params, trace, layer, dh_out, grads, dtrace):
        """Fill `grads` for one layer and return the gradient of its input (T * B, X)."""
        T, B, C = dh_out.shape
        h, c, gates, x = (trace[name][layer] for name in ("h", "c", "gates", "x"))
        W_u = np.asfortranarray(params[f"W_u{layer}"])           # products with W_u.T are faster so
        dh_later, dc = 0, np.zeros_like(c[0])
        dh, dpre = [None] * T, [None] * T
        for t in ticking(reversed(range(T))):
            dh[t] = dh_out[t] + dh_later                     # h_t goes two ways: up, and on to t + 1
            dpre[t], dc = lstm_cell_backward(dh[t], dc, c[t + 1], gates[t], c[t])
            dh_later = linear_input_backward(dpre[t], W_u)
        if dtrace is not None:
            dtrace.setdefault("h", []).insert(0, np.stack(dh))
            dtrace.setdefault("pre", []).insert(0, np.stack(dpre))
        dpre = np.concatenate(dpre)                          # (T * B, 4C)
        grads[f"W_u{layer}"], _ = linear_weight_backward(dpre, h[:-1].reshape(T * B, C))
        dx, grads[f"W_x{layer}"], grads[f"b{layer}"] = linear_backward(dpre, x.reshape(T * B, -1), params[f"W_x{layer}"])
        grads[f"h0_{layer}"], grads[f"c0_{layer}"] = dh_later.sum(0), dc.sum(0)
        return dx
