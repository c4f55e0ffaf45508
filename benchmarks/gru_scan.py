"""A GRU over T steps by itself, with the interface of a model: what takes most of a DMN's step."""

from dataclasses import dataclass

import numpy as np

from numpymem.dmn.scan import scan, scan_backward


@dataclass(frozen=True)
class GRUScanConfig:
    """B rows of T steps, states of `size` numbers; outputs are the states."""
    size: int
    n_outputs: int


class GRUScan:
    """Parameters are what is differentiated: x (B, T, 3 size), made by the caller, U and h0. Inputs: the mask (B, T)."""

    kernels = "dmn.scan"

    def __init__(self, config):
        self.config = config

    def init(self, rng, rows, steps, dtype=np.float32):
        C = self.config.size
        shapes = {"x": (rows, steps, 3 * C), "U": (C, 3 * C), "h0": (rows, C)}
        return {name: (rng.standard_normal(shape) / np.sqrt(shape[-1] if name == "U" else 1)).astype(dtype)
                for name, shape in shapes.items()}

    def forward(self, params, mask, rng=None):
        h, s, y = scan(params["x"], params["U"], params["h0"], np.ones_like(mask), mask)
        return h.swapaxes(0, 1), (h, s, y, mask)                         # (T, B, size), as the loss has it

    def backward(self, params, trace, d_outputs, dtrace=None):
        h, s, y, mask = trace
        dx, dU, dh0, _ = scan_backward(d_outputs.swapaxes(0, 1), h, s, y, params["U"], params["h0"], np.ones_like(mask), mask)
        return {"x": dx, "U": dU, "h0": dh0}
