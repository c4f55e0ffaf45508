"""The same NTM as an eager PyTorch module, as a sensible engineer would write it: batched, all heads in one array, the
input projection before the loop over time and the output projection after it; gradients by autograd."""

import contextlib

import torch
from torch.nn import Module, Parameter, ParameterDict
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from benchmarks.contender import Answer, Contender
from numpymem.ntm.equations import EPS as SHARPEN_EPS
from numpymem.ntm.model import CONSTANT_MEMORY
from numpymem.ops.cosine import EPS as COSINE_EPS

THREADS = (1, 2)


def contenders(work, all_forms=False):
    """One for each number of threads."""
    return [contender(work, threads) for threads in THREADS]


def contender(work, threads):
    module = TorchNTM(work.model, work.params)
    inputs, targets, mask = (torch.from_numpy(part) for part in work.batch)
    weight = mask[..., None].expand_as(targets)
    answers = weight.sum()

    def step():
        module.zero_grad(set_to_none=True)
        logits = module(inputs)
        loss = binary_cross_entropy_with_logits(logits, targets, weight, reduction="sum") / answers
        loss.backward()
        return loss, logits

    def answer(found):
        loss, logits = found
        grads = {name: p.grad.numpy().copy() for name, p in module.p.items()}
        return Answer(loss.item(), logits.detach().numpy(), grads)

    detail = f"eager, {threads} thread{'s' * (threads > 1)}"
    return Contender("torch", detail, step, answer, lambda: torch_threads(threads))


@contextlib.contextmanager
def torch_threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class TorchNTM(Module):
    """Parameters under our names, in `self.p`."""

    def __init__(self, model, params):
        super().__init__()
        self.config, self.sizes = model.config, model.sizes
        self.p = ParameterDict({name: Parameter(torch.from_numpy(value.copy())) for name, value in params.items()})

    def forward(self, inputs):
        """(T, B, X) -> logits (T, B, Y)."""
        p = self.p
        h, c, r, w, M = self.start(inputs.shape[1])
        W_u, W_heads, b_heads = p["W_u"], p["W_heads"], p["b_heads"]
        shown = []
        for pre_x in (inputs @ p["W_x"] + p["b"]).unbind(0):
            pre = torch.addmm(pre_x, torch.cat([r.flatten(1), h], 1), W_u)
            i, f, o = torch.sigmoid(pre[:, :3 * h.shape[1]]).chunk(3, 1)
            c = f * c + i * torch.tanh(pre[:, 3 * h.shape[1]:])
            h = o * torch.tanh(c)
            r, w, M = self.memory_step(torch.addmm(b_heads, h, W_heads), w, M)
            shown.append(torch.cat([h, r.flatten(1)], 1))
        return torch.stack(shown) @ p["W_y"] + p["b_y"]

    def start(self, B):
        """h, c, r, w, M before the first step."""
        p, config = self.p, self.config
        M0 = p["M0"] if "M0" in p else torch.full((config.N, config.W), CONSTANT_MEMORY, dtype=p["W_y"].dtype)
        values = p["h0"], p["c0"], torch.tanh(p["r0_raw"]), torch.softmax(p["w0_logits"], -1), M0
        return tuple(value.expand(B, *value.shape) for value in values)

    def memory_step(self, raw, w_prev, M):
        B, (R, Q, W, S), H = len(raw), self.sizes, self.sizes.H
        k, beta, g, s, gamma, e, a = raw.split([H * W, H, H, H * S, H, Q * W, Q * W], 1)
        k, s, beta, g, gamma = k.reshape(B, H, W), s.reshape(B, H, S), beta[..., None], g[..., None], gamma[..., None]
        w = self.address(k, beta, g, s, gamma, w_prev, M)
        r = w[:, :R] @ M
        erase, add = torch.sigmoid(e).reshape(B, Q, 1, W), torch.tanh(a).reshape(B, Q, W)
        w_write = w[:, R:]
        keep = 1 - w_write[..., None] * erase                            # (B, Q, N, W)
        keep = keep[:, 0] if Q == 1 else keep.prod(1)
        return r, w, torch.baddbmm(M * keep, w_write.transpose(1, 2), add)

    @staticmethod
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
