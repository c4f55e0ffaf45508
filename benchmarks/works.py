"""The work that is timed: a model, its parameters and one batch, as plain data that any library can take.

To add one, write a function like `ntm_copy`, with a module of references for each library, and put it in WORKS.
"""

import functools
import importlib.util
from typing import Any, NamedTuple

import numpy as np

from benchmarks.gru_scan import GRUScan, GRUScanConfig
from benchmarks.link_model import LinkConfig, Links
from numpymem.catalog import make_model, make_task, settings_of
from numpymem.commands import offline
from numpymem.dnc import DNC, DNCConfig
from numpymem.lstm import LSTM, LSTMConfig
from numpymem.ntm import NTM, NTMConfig
from numpymem.tasks.babi import Babi
from numpymem.tasks.batches import Batch
from numpymem.tasks.copy import Copy

LIBRARIES = ("jax", "torch")
NUDGE = 0.1


class Work(NamedTuple):
    """One training step's worth of work. `references` are module names: each has `contenders(work)`."""
    name: str
    model: Any
    params: dict                # name -> array, as model.init makes it, every number nudged
    batch: Any                  # inputs, targets, mask
    loss: str                   # "binary" or "categorical"
    references: dict            # "jax" -> module name
    data: str = ""              # where the batch comes from, in one line
    recipe: Any = None          # how it is trained, if the time of an epoch is of interest
    epoch: int = 0              # questions in it

    @property
    def batch_size(self):
        return self.batch.mask.shape[-1]

    @property
    def sizes(self):
        """Sizes for the report."""
        inputs = self.batch.inputs
        shapes = {"inputs": inputs.shape} if hasattr(inputs, "shape") else {
            k: v.shape for k, v in inputs._asdict().items() if v is not None}
        return {"data": self.data, "batch": self.batch_size, **shapes, "parameters": sum(p.size for p in self.params.values()),
                **vars(self.model.config)}


def ntm_copy(batch=16, length=20, dtype=np.float32, controller="lstm", **config):
    """The reference work: copy 20 vectors (T = 41), 128 x 20 memory, controller of 100, one read and one write head."""
    return copy(f"ntm-{controller}", NTM, NTMConfig, batch, length, dtype, {"controller": controller, **config}, "ntm")


def lstm_copy(batch=16, length=20, dtype=np.float32, **config):
    """The baseline on the same task: three layers of 256."""
    return copy("lstm", LSTM, LSTMConfig, batch, length, dtype, config, "lstm")


def dnc_copy(batch=16, length=20, dtype=np.float32, name="dnc", **config):
    """The DNC on the same task: 64 slots of 20, LSTM of 100, one read head; `dnc-4`: 4 read heads and slots of 32."""
    return copy(name, DNC, DNCConfig, batch, length, dtype, {"N": 64, **config}, "dnc")


def dnc_link(batch=16, T=41, dtype=np.float32, N=64, read_heads=4):
    """Only the DNC's links (link_model.py): T writes, and the weights along the links of 4 read heads after each."""
    rng = np.random.default_rng(0)
    params = {"w_w": rng.dirichlet(np.full(N, 0.1), (T, batch)), "w_r": rng.dirichlet(np.full(N, 0.1), (T, batch, read_heads))}
    targets = rng.integers(0, 2, (T, batch, 2 * read_heads * N)).astype(dtype)
    return Work(f"dnc-link batch {batch}", Links(LinkConfig(N, read_heads, T)),
                {key: (0.9 * value).astype(dtype) for key, value in params.items()},
                Batch(np.zeros((T, batch, 0), dtype), targets, np.ones((T, batch), dtype)), "binary", modules("link"),
                f"{T} random writes")


def copy(name, make, make_config, batch, length, dtype, config, references):
    rng = np.random.default_rng(0)
    task = Copy()
    model = make(make_config(n_inputs=task.n_inputs, n_outputs=task.n_outputs, **config))
    data = task.sample(rng, batch, length)
    return Work(f"{name} copy batch {batch}", model, nudged(model.init(rng, dtype), rng),
                type(data)(*(part.astype(dtype) for part in data)), task.loss, modules(references), f"copy of {length} vectors")


def memn2n_qa(batch=32, source="auto"):
    """MemN2N on bAbI task 1: 3 hops, d = 20, the authors' position weights. Real questions if they are found on this machine,
    else generated ones; nothing is downloaded."""
    rng = np.random.default_rng(0)
    with offline():
        task = Babi(1, source=source)
    settings, recipe = settings_of("memn2n", "qa")
    settings |= {"tie_answer": False, "nil_memories": False}                 # as the JAX and the PyTorch form have it
    model = make_model("memn2n", task, **settings)
    return Work(f"memn2n qa batch {batch}", model, model.init(rng), task.sample(rng, batch), task.loss, modules("memn2n"),
                task.origin, recipe, task.train_size)


def dmn_qa(batch=100, source="auto", task=1, **config):
    """DMN+ on a bAbI task: the paper's sizes, without dropout."""
    rng = np.random.default_rng(0)
    with offline():
        task = Babi(task, source=source, memory_size=1000)
    model = make_model("dmn", task, **config)
    return Work(f"dmn {'qa' if task.numbers == (1,) else task.name} batch {batch}", model, nudged(model.init(rng), rng),
                task.sample(rng, batch), task.loss, {"jax": "benchmarks.dmn_jax"}, task.origin)


def segments(name, task, batch=64, task_settings=None, **config):
    """The memory Transformer, full form, on a task of the segments form. Nothing is downloaded."""
    rng = np.random.default_rng(0)
    with offline():
        task = make_task(task, "segments", **(task_settings or {}))
    model = make_model("memory-transformer", task, **config)
    return Work(f"{name} batch {batch}", model, nudged(model.init(rng), rng), task.sample(rng, batch), task.loss,
                modules("memory_transformer"), task.origin)


def gru_scan(batch=100, steps=20, size=80):
    """A GRU over 20 steps by itself, as in the DMN: the input's products are made before."""
    rng = np.random.default_rng(0)
    model = GRUScan(GRUScanConfig(size, size))
    targets = rng.integers(0, 2, (steps, batch, size)).astype(np.float32)
    return Work(f"gru-scan batch {batch}", model, model.init(rng, batch, steps),
                Batch(np.ones((batch, steps), np.float32), targets, np.ones((steps, batch), np.float32)), "binary",
                {"jax": "benchmarks.gru_scan_jax"}, f"random inputs, {steps} steps")


def modules(name):
    """Those that there are: not every work is written in every library."""
    return {library: f"benchmarks.{name}_{library}" for library in LIBRARIES
            if importlib.util.find_spec(f"benchmarks.{name}_{library}")}


def nudged(params, rng):
    """Fresh parameters hold zeros, at which some mistakes do not show (tanh x is x): move every number a little."""
    def moved(value):
        return (value + NUDGE * rng.standard_normal(value.shape)).astype(value.dtype)
    return {name: moved(value) for name, value in params.items()}


WORKS = {                                                   # name on the command line -> function of the batch size
    "ntm-lstm": ntm_copy, "ntm-feedforward": functools.partial(ntm_copy, controller="feedforward"),
    "memn2n": memn2n_qa, "lstm": lstm_copy, "dmn": dmn_qa, "dmn-long": functools.partial(dmn_qa, task=3), "gru-scan": gru_scan,
    "dnc": dnc_copy, "dnc-4": functools.partial(dnc_copy, name="dnc-4", read_heads=4, W=32), "dnc-link": dnc_link,
    "mt-keys": functools.partial(segments, "mt-keys", "rewritten-keys"),
    "mt-wikisql": functools.partial(segments, "mt-wikisql", "wikisql-select"),
}
BATCHES = {"memn2n": (32,), "dmn": (100,), "dmn-long": (100,), "gru-scan": (100,), "mt-keys": (64,),
           "mt-wikisql": (64,)}                             # sizes to time; of all others (1, 16)


def batches_of(name):
    """The batch sizes at which a work is timed if nothing else is asked for."""
    return BATCHES.get(name, (1, 16))
