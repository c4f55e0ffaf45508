"""The same NTM as a PyTorch module, as a sensible engineer would write it: batched, all heads in one array, the input
projection before the loop over time and the output projection after it; gradients by autograd. Eager, and with the time step
compiled by torch.compile; the loop over time stays Python."""

import torch
from torch.nn.functional import softplus

from benchmarks import torch_step
from benchmarks.torch_step import LEFT_OUT as NO_COMPILER
from numpymem.ntm.equations import EPS as SHARPEN_EPS
from numpymem.ntm.model import CONSTANT_MEMORY
from numpymem.ops.cosine import EPS as COSINE_EPS

WHOLE = "torch.compile of all time steps as one graph: not compiled within 4 minutes, left out"
LEFT_OUT = [*NO_COMPILER, WHOLE]


def contenders(work, all_forms=False):
    """Eager and compiled."""
    return [torch_step.contender(work, TorchNTM(work, form != "eager"), torch_step.binary_loss, form, threads)
            for form, threads in torch_step.ways(["eager"], ["torch.compile of a time step"], all_forms)]


class TorchNTM(torch_step.OurParameters):

    def __init__(self, work, compiled=False):
        super().__init__(work)
        self.config, self.sizes = work.model.config, work.model.sizes
        self.time_step = torch_step.compiled(time_step) if compiled else time_step

    def forward(self, inputs):
        """(T, B, X) -> logits (T, B, Y)."""
        p = self.p
        state = self.start(inputs.shape[1])
        weights = p["W_u"], p["W_heads"], p["b_heads"]
        shown = []
        for pre_x in (inputs @ p["W_x"] + p["b"]).unbind(0):
            hr, state = self.time_step(self.sizes, weights, pre_x, *state)
            shown.append(hr)
        return torch.stack(shown) @ p["W_y"] + p["b_y"]

    def start(self, B):
        """h, c, r, w, M before the first step; a feedforward controller has no h and c."""
        p, config = self.p, self.config
        none = torch.zeros(0, dtype=p["W_y"].dtype)
        h, c = (p["h0"], p["c0"]) if "h0" in p else (none, none)
        M0 = p["M0"] if "M0" in p else torch.full((config.N, config.W), CONSTANT_MEMORY, dtype=p["W_y"].dtype)
        values = h, c, torch.tanh(p["r0_raw"]), torch.softmax(p["w0_logits"], -1), M0
        return tuple(value.expand(B, *value.shape) for value in values)


def time_step(sizes, weights, pre_x, h_prev, c, r, w, M):
    """-> what is shown at this step (B, C + R W), and the state after it"""
    W_u, W_heads, b_heads = weights
    pre = torch.addmm(pre_x, torch.cat([r.flatten(1), h_prev], 1), W_u)
    if c.shape[1]:
        C = c.shape[1]
        i, f, o = torch.sigmoid(pre[:, :3 * C]).chunk(3, 1)
        c = f * c + i * torch.tanh(pre[:, 3 * C:])
        h = h_later = o * torch.tanh(c)
    else:
        h, h_later = torch.tanh(pre), h_prev
    r, w, M = memory_step(sizes, torch.addmm(b_heads, h, W_heads), w, M)
    return torch.cat([h, r.flatten(1)], 1), (h_later, c, r, w, M)


def memory_step(sizes, raw, w_prev, M):
    B, (R, Q, W, S), H = len(raw), sizes, sizes.H
    k, beta, g, s, gamma, e, a = raw.split([H * W, H, H, H * S, H, Q * W, Q * W], 1)
    k, s, beta, g, gamma = k.reshape(B, H, W), s.reshape(B, H, S), beta[..., None], g[..., None], gamma[..., None]
    w = address(k, beta, g, s, gamma, w_prev, M)
    r = w[:, :R] @ M
    erase, add = torch.sigmoid(e).reshape(B, Q, 1, W), torch.tanh(a).reshape(B, Q, W)
    w_write = w[:, R:]
    keep = 1 - w_write[..., None] * erase                            # (B, Q, N, W)
    keep = keep[:, 0] if Q == 1 else keep.prod(1)
    return r, w, torch.baddbmm(M * keep, w_write.transpose(1, 2), add)


def address(k, beta, g, s, gamma, w_prev, M):
    """Equations (5) to (9)."""
    k, g, s = torch.tanh(k), torch.sigmoid(g), torch.softmax(s, -1)
    k_hat = k * torch.rsqrt((k * k).sum(-1, keepdim=True) + COSINE_EPS)
    M_hat = M * torch.rsqrt((M * M).sum(-1, keepdim=True) + COSINE_EPS)
    w_c = torch.softmax(softplus(beta) * (k_hat @ M_hat.transpose(1, 2)), -1)
    w_g = torch.lerp(w_prev, w_c, g)
    ends = s.shape[-1] // 2
    w_s = sum(s[..., j, None] * w_g.roll(j - ends, -1) for j in range(s.shape[-1]))
    return torch.softmax((1 + softplus(gamma)) * torch.log(w_s + SHARPEN_EPS), -1)
