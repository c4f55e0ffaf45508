"""The work that is timed: a model, its parameters and one batch, as plain data that any library can take.

To add one, write a function like `ntm_copy`, with a module of references for each library, and put it in WORKS.
"""

from typing import Any, NamedTuple

import numpy as np

from numpymem.catalog import make_model, settings_of
from numpymem.ntm import NTM, NTMConfig
from numpymem.tasks.babi import Babi
from numpymem.tasks.copy import Copy

NUDGE = 0.1


class Work(NamedTuple):
    """One training step's worth of work. `references` are module names: each has `contenders(work)`."""
    name: str
    model: Any
    params: dict                # name -> array, as model.init makes it, every number nudged
    batch: Any                  # inputs, targets, mask
    loss: str                   # "binary" or "categorical"
    references: dict            # "jax" -> module name

    @property
    def batch_size(self):
        return self.batch.mask.shape[-1]

    @property
    def sizes(self):
        """Sizes for the report."""
        inputs = self.batch.inputs
        shapes = {"inputs": inputs.shape} if hasattr(inputs, "shape") else {k: v.shape for k, v in inputs._asdict().items()}
        return {"batch": self.batch_size, **shapes, "parameters": sum(p.size for p in self.params.values()),
                **vars(self.model.config)}


def ntm_copy(batch=16, length=20, dtype=np.float32, **config):
    """The reference work: copy 20 vectors (T = 41), 128 x 20 memory, LSTM of 100, one read and one write head."""
    rng = np.random.default_rng(0)
    task = Copy()
    model = NTM(NTMConfig(n_inputs=task.n_inputs, n_outputs=task.n_outputs, **config))
    data = task.sample(rng, batch, length)
    return Work(f"ntm-lstm copy batch {batch}", model, nudged(model.init(rng, dtype), rng),
                type(data)(*(part.astype(dtype) for part in data)), task.loss,
                {"jax": "benchmarks.ntm_jax", "torch": "benchmarks.ntm_torch"})


def memn2n_qa(batch=32):
    """MemN2N on question answering like bAbI task 1 (generated): 3 hops, d = 20. No references yet: kernels against NumPy."""
    rng = np.random.default_rng(0)
    task = Babi(1, source="generated")
    settings, _ = settings_of("memn2n", "qa")
    model = make_model("memn2n", task, **settings)
    return Work(f"memn2n qa batch {batch}", model, model.init(rng), task.sample(rng, batch), task.loss, {})


def nudged(params, rng):
    """Fresh parameters hold zeros, at which some mistakes do not show (tanh x is x): move every number a little."""
    def moved(value):
        return (value + NUDGE * rng.standard_normal(value.shape)).astype(value.dtype)
    return {name: moved(value) for name, value in params.items()}


WORKS = {"ntm-lstm": ntm_copy, "memn2n": memn2n_qa}         # name on the command line -> function of the batch size
