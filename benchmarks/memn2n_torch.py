"""The same MemN2N as a PyTorch module, eager and compiled as a whole by torch.compile; gradients by autograd. Words are
looked up by `embedding`, or are one-hot and multiplied with the tables."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy, embedding, one_hot

from benchmarks import torch_step
from benchmarks.torch_step import LEFT_OUT  # noqa: F401  (said in the report)
from numpymem.memn2n.equations import LOWEST
from numpymem.memn2n.model import ENCODINGS

WORDS = ("embedding", "one-hot")


def contenders(work, all_forms=False):
    """Words by `embedding`; with all_forms also by products with one-hot words."""
    return [contender(work, form, words, threads) for words in (WORDS if all_forms else WORDS[:1])
            for form, threads in torch_step.ways(["eager"], ["torch.compile"], all_forms)]


def contender(work, form, words, threads):
    module = TorchMemN2N(work, words)
    if form != "eager":
        module.compile(dynamic=False, fullgraph=True)
    story = work.model.read(work.batch.inputs, np.float32)          # trimmed as ours is
    short = work.batch._replace(inputs=(story.sentences, story.query), targets=work.batch.targets.astype(int))
    return torch_step.contender(work._replace(batch=short), module, lambda logits, targets, mask: cross_entropy(logits, targets),
                                f"{form}, {words}", threads)


class TorchMemN2N(torch_step.OurParameters):

    def __init__(self, work, words):
        super().__init__(work)
        config = work.model.config
        self.tables, self.words = work.model.tables, words
        l = ENCODINGS[config.encoding](config.max_sentence_words, config.d)
        self.l = torch.from_numpy(l.astype(work.params["W"].dtype))

    def forward(self, inputs):
        """sentences (B, I, J), query (B, J) -> logits (B, Y)."""
        sentences, query = inputs
        told = sentences[:, :, 0] != 0                                               # (B, I)
        age = (told.sum(1, keepdim=True) - torch.arange(told.shape[1])).clamp(min=0)
        u = self.encoded(query[:, None], self.p[self.tables[0]])[:, 0]               # (B, d)
        memories = [self.encoded(sentences, self.p[name]) + self.rows(self.p[f"T_{name}"], age) for name in self.tables]
        for m, c in zip(memories[:-1], memories[1:]):
            scores = torch.bmm(m, u[:, :, None])[:, :, 0]
            p = torch.softmax(scores.masked_fill(~told, LOWEST), -1) * told
            u = u + torch.bmm(p[:, None], c)[:, 0]
        return u @ self.p["W"]

    def encoded(self, x, E):
        """x (B, I, J) -> (B, I, d)"""
        weights = self.l[(x != 0).sum(-1), :x.shape[-1]]                             # (B, I, J, d)
        return (weights * self.rows(E, x)).sum(-2)

    def rows(self, E, ids):
        """E[ids], where row 0, no word, is zero in the tables and gets no gradient."""
        if self.words == "embedding":
            return embedding(ids, E, padding_idx=0)
        return one_hot(ids.long(), len(E)).to(E.dtype)[..., 1:] @ E[1:]
