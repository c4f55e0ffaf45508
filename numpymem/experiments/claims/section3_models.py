"""The models that section 3's measures look into: shipped ones, and small ones that are trained on the way, seconds each.

Both models are told the same stories: MemN2N as they are, the NTM a sentence a time step (numpymem/tasks/forms.py).
"""

import functools
from typing import NamedTuple

import numpy as np

from numpymem import catalog, runs
from numpymem.experiments import checkpoints
from numpymem.tasks import forms
from numpymem.tasks.batches import Batch, Stories

SEEDS = (0, 1, 2)
BUDGET = ("sequences=40000", "batch=16", "lr=0.003", "beta2=0.98", "warm_up=0", "halve_every=0", "clip=1.0", "stop_below=0.05",
          "settle=1600", "eval_every=2000", "eval_count=300")
NTM = ("controller=feedforward", "W=16", "controller_size=50", "read_heads=1", "initial_weights=one-hot", "initial_heads=tape")
MEMN2N = ("d=20", "hops=3", "encoding=released", "temporal=true")
TASKS = {                                         # task -> its settings, and how many slots the NTM has
    "segment-recall": (("keys=8", "values=8", "min_pairs=2", "max_pairs=5"), 8),
    "rewritten-keys": (("all_keys=8", "values=8", "keys=3", "rewritten=1", "min_writes=4", "max_writes=6"), 8),
    "babi1": ((), 16),
}
COPY = ("controller=lstm", "controller_size=50", "max_length=10", "N=16", "W=10", "initial_weights=one-hot", "sequences=12000",
        "batch=4", "lr=0.005", "beta2=0.98", "eval_every=1000", "eval_count=100", "stop_below=0.5", "settle=0")


class Trained(NamedTuple):
    """A model that has learned, and the task in the form that it reads."""
    model: object
    params: dict
    task: object


@functools.cache
def trained(model, task, seed, more=()):
    """A Trained, made now: `more` settings beside those of NTM, TASKS and BUDGET."""
    if task == "copy":
        settings = COPY
    else:
        own, slots = TASKS[task]
        reads = ("by=sentence",) if model == "ntm" and task.startswith("babi") else ()
        settings = (*own, *reads, *((*NTM, f"N={slots}") if model == "ntm" else MEMN2N), *BUDGET)
    training = runs.new_run(model, task, seed, [*settings, *more])
    training.run(progress=False)
    return Trained(training.model, training.params, training.task)


def shipped(name):
    """A Trained out of the checkpoints that came along."""
    return Trained(*checkpoints.load(name)[:3])


# ---- stories ------------------------------------------------------------------------------------------------------------------

@functools.cache
def story_task(name):
    """The task of TASKS in story form."""
    task, _ = catalog.task_class(name)
    settings = dict(each.split("=") for each in TASKS[name][0])
    return catalog.make_task(name, "story", **{key: catalog.read_value(value) for key, value in settings.items()})


def stories(name, count, seed=0):
    """A Batch of `count` stories that were not trained on: bAbI's first test questions, or fresh ones of the largest size."""
    task = story_task(name)
    if name.startswith("babi"):
        return next(task.batches("test", count))
    return task.sample(np.random.default_rng([1_000_003, seed]), count, **task.sizes()[-1])


def answers(found, batch, name):
    """Logits (B, n_outputs) of a Trained on a Batch of stories, whichever form it reads, and the trace."""
    if found.model.form == "story":
        return found.model.forward(found.params, batch.inputs)
    logits, trace = found.model.forward(found.params, steps(batch, name))
    return logits[-1], trace


def steps(batch, name):
    """Stories as time steps (T, B, X): the sentences, at I the question, then the pauses."""
    return forms.as_sequence(batch, len(story_task(name).vocabulary)).inputs


def wrong_percent(logits, targets):
    return 100 * float((logits.argmax(-1) != targets).mean())


def sentences_of(batch):
    """How many sentences each story has, (B,)"""
    return (batch.inputs.sentences[:, :, 0] != 0).sum(1)


def latest_with_key(batch):
    """Which sentence of each story begins with the word asked for, the latest if there are several: (B,)"""
    told, key = batch.inputs.sentences[:, :, 0], batch.inputs.query[:, :1]
    return told.shape[1] - 1 - (told == key)[:, ::-1].argmax(1)


def shuffled(batch, rng):
    """The same stories of keys and values with their sentences in another order; the answers go by the new order, in which the
    latest value of a key counts."""
    number, sentences = sentences_of(batch), batch.inputs.sentences
    order = rng.random(sentences.shape[:2])
    order[np.arange(sentences.shape[1]) >= number[:, None]] = 2                          # nil sentences stay at the end
    moved = np.take_along_axis(sentences, order.argsort(1)[:, :, None], axis=1)
    made = Batch(Stories(moved, batch.inputs.query), batch.targets, batch.mask)
    each = np.arange(len(moved))
    was, now = sentences[each, latest_with_key(batch), 1], moved[each, latest_with_key(made), 1]
    return made._replace(targets=batch.targets + now - was)                              # words of values stand in their order


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
