"""The same memory Transformer in eager PyTorch; gradients by autograd. As in memory_transformer_jax.py, how a batch becomes rows
and items, and what is held of raw numbers, is worked out before and not timed; the step of the memory is that of ntm_torch.py."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy, layer_norm, scaled_dot_product_attention

from benchmarks import torch_step
from benchmarks.ntm_torch import memory_step
from numpymem.memory_transformer.memory import held_of_items, read_sizes, start_weights, write_sizes
from numpymem.memory_transformer.reading import read
from numpymem.memory_transformer.transformer import EPS, position_code

LEFT_OUT = []


def contenders(work, all_forms=False):
    """On one thread and on all cores."""
    config = work.model.config
    told = read(config, work.batch.inputs)
    data = tuple(np.ascontiguousarray(part).astype(np.int64) for part in (told.words, told.rows, told.question, told.prompt,
                                                                           told.story, told.number, told.place))
    short = work._replace(batch=work.batch._replace(inputs=(*data, told.written, *held_of_items(config, told.written, np.float32)),
                                                    targets=work.batch.targets.astype(np.int64)))
    return [torch_step.contender(short, TorchMemoryTransformer(work, told.spell), categorical_loss, form, threads)
            for form, threads in torch_step.ways(["eager"], [], all_forms)]


def categorical_loss(logits, targets, mask):
    """Mean over the answers asked for."""
    each = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (each * mask.flatten()).sum() / mask.sum()


class TorchMemoryTransformer(torch_step.OurParameters):
    """Without marks, pointers and dropout; memory "ntm"."""

    def __init__(self, work, spell):
        super().__init__(work)
        self.config, self.spell, self.root = work.model.config, spell, work.model.config.d ** 0.5

    def forward(self, inputs):
        """-> logits (T, B, Y)"""
        words, rows, question, prompt, story, number, place, written, kept, fixed = inputs
        p, config = self.p, self.config
        vectors = without_nil(p["E"])[words].sum(1) * self.root
        x_q = self.encode(vectors[question], question != 0)
        x = self.encode(vectors[rows], rows != 0)
        M = self.memory(self.items(x, rows != 0, story, number, place, written), kept, fixed)
        z = coded(without_nil(p["O"])[prompt] * self.root)
        ahead = torch.ones(z.shape[1], z.shape[1], dtype=torch.bool).tril()
        for layer in range(1, config.decoder_layers + 1):
            z = self.look(f"d{layer}_self", z, None, ahead)
            z = self.look(f"d{layer}_cross", z, x_q, (question != 0)[:, None, None])
            z = self.recall(f"d{layer}_read", z, M)
            z = self.feed(f"d{layer}_ff", z)
        return (self.norm("d", z) @ p["O"][1:].t() + p["O_b"]).transpose(0, 1)

    def encode(self, x, seen):
        x = coded(x)
        for layer in range(1, self.config.encoder_layers + 1):
            x = self.feed(f"e{layer}_ff", self.look(f"e{layer}_self", x, None, seen[:, None, None]))
        return self.norm("e", x)

    def norm(self, name, x):
        return layer_norm(x, x.shape[-1:], self.p[f"{name}_g"], self.p[f"{name}_b"], EPS)

    def look(self, name, x, seen, mask):
        x_n = self.norm(name, x)
        seen = x_n if seen is None else seen
        q, k, v = ((y @ self.p[f"{name}_{which}"]).unflatten(2, (self.config.heads, -1)).transpose(1, 2)
                   for y, which in ((x_n, "W_q"), (seen, "W_k"), (seen, "W_v")))
        found = scaled_dot_product_attention(q, k, v, mask)
        return x + found.transpose(1, 2).flatten(2) @ self.p[f"{name}_W_o"]

    def feed(self, name, x):
        p = self.p
        a = torch.relu(self.norm(name, x) @ p[f"{name}_W_1"] + p[f"{name}_b_1"])
        return x + a @ p[f"{name}_W_2"] + p[f"{name}_b_2"]

    def items(self, x, real, story, number, place, written):
        x, real = x.reshape(-1, self.spell[1], x.shape[-1]), real.reshape(-1, self.spell[1]).to(x.dtype)
        mean = (x * (real / real.sum(1, keepdim=True).clamp(min=1))[..., None]).sum(1)
        h = torch.zeros(*written.shape, x.shape[-1]).index_put((story, number), mean[place])
        return coded(h) * written[..., None]

    def memory(self, h, kept, fixed):
        c = self.config
        raw = (h.transpose(0, 1) @ self.p["write_W"] + self.p["write_b"]) * kept + fixed
        M = (self.p["M_0"] if "M_0" in self.p else torch.full((c.N, c.W), 1e-6)).expand(len(h), -1, -1)
        w = torch.from_numpy(start_weights(len(h), c.write_heads, c.N, np.float32))
        for step in raw.unbind(0):
            _, w, M = memory_step(write_sizes(c), step, w, M)
        return M

    def recall(self, name, z, M):
        p, c, found = self.p, self.config, []
        w = torch.from_numpy(start_weights(len(z), c.read_heads, c.N, np.float32))
        for step in (self.norm(name, z) @ p[f"{name}_W"] + p[f"{name}_bias"]).unbind(1):
            r, w, _ = memory_step(read_sizes(c), step, w, M)
            found.append(r.flatten(1))
        return z + torch.sigmoid(z @ p[f"{name}_W_g"] + p[f"{name}_b_g"]) * (torch.stack(found, 1) @ p[f"{name}_W_r"])


def without_nil(E):
    return torch.cat([torch.zeros_like(E[:1]), E[1:]])


def coded(x):
    return x + torch.from_numpy(position_code(x.shape[1], x.shape[2], np.float32))
