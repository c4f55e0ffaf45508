"""What `growth` and `startup` run: each model with a random batch, at any size. Chance decides all inputs: the same work, no data.

To add a model, write a function like `ntm_lstm` and put it in MODELS; its axes are in growth_axes.py.
"""

from typing import Any, NamedTuple

import numpy as np

from numpymem.lstm import LSTM, LSTMConfig
from numpymem.memn2n import MemN2N, MemN2NConfig
from numpymem.ntm import NTM, NTMConfig
from numpymem.tasks.batches import Batch, Stories
from numpymem.training.loss import loss_and_gradient

BITS = 8
WORDS = 6                       # words in a sentence


class Case(NamedTuple):
    """A model, its parameters and one batch; `loss` is "binary" or "categorical"."""
    model: Any
    params: dict
    batch: Batch
    loss: str


def step(case, **options):
    """One training step: forward (with `options`), loss, backward -> (gradients, trace)."""
    outputs, trace = case.model.forward(case.params, case.batch.inputs, **options)
    _, d_outputs = loss_and_gradient(case.loss, outputs, case.batch)
    return case.model.backward(case.params, trace, d_outputs), trace


def ntm(controller, T=41, batch=1, N=128, W=20, size=100):
    """An NTM on T random rows; the sizes are those of the copy task: 8 bits, one read head and one write head."""
    return sequence_case(NTM(NTMConfig(BITS + 1, BITS, controller, size, N, W)), T, batch)


def ntm_lstm(**sizes):
    return ntm("lstm", **sizes)


def ntm_feedforward(**sizes):
    return ntm("feedforward", **sizes)


def lstm(T=41, batch=1, size=256):
    """One layer of the baseline."""
    return sequence_case(LSTM(LSTMConfig(BITS + 1, BITS, size, 1)), T, batch)


def memn2n(sentences=50, words=100, d=20, batch=32):
    """Three hops over `sentences` sentences of six words, `words` words in the vocabulary."""
    rng = np.random.default_rng(0)
    model = MemN2N(MemN2NConfig(words, BITS, d, encoding="released", memory_size=sentences))
    stories = Stories(rng.integers(1, words, (batch, sentences, WORDS), dtype=np.int32),
                      rng.integers(1, words, (batch, WORDS), dtype=np.int32))
    return Case(model, model.init(rng), Batch(stories, rng.integers(0, BITS, batch), np.ones(batch, np.float32)), "categorical")


def sequence_case(model, T, batch):
    rng = np.random.default_rng(0)
    shape = (T, batch, BITS + 1)
    bits = rng.integers(0, 2, shape).astype(np.float32)
    return Case(model, model.init(rng), Batch(bits, bits[..., :BITS], np.ones((T, batch), np.float32)), "binary")


MODELS = {"ntm-lstm": ntm_lstm, "ntm-feedforward": ntm_feedforward, "memn2n": memn2n, "lstm": lstm}
