"""Small models for the chapters: trained on the spot in about a minute, or taken from those that come along."""

import os

from numpymem import catalog, runs
from numpymem.experiments import checkpoints
from numpymem.plotting import curves
from numpymem.training import checkpoint


def is_quick():
    """Whether NUMPYMEM_QUICK=1 asks for short trainings, as the tests do: then they run, but learn nothing."""
    return os.environ.get("NUMPYMEM_QUICK", "0") not in ("", "0")


def budget(full, quick):
    """How many sequences to train on: `full`, or `quick` where NUMPYMEM_QUICK=1."""
    return quick if is_quick() else full


def train(model, task, sequences, *settings, seed=0):
    """Train a model without a run folder and without a progress bar -> the Training, with model, task, params and history.

    model, task   names of `python -m numpymem list`
    settings      texts NAME=VALUE, as after --set
    """
    training = runs.new_run(model, task, seed, (f"eval_every={max(sequences // 20, 20)}", *settings))
    training.run(sequences, progress=False)
    return training


def learning_curve(training, title):
    """The curves of a training -> Picture; without the seconds, which are others on every machine."""
    figure = curves(training.history, title, training.task.unit)
    figure.texts[1].set_text(f"after {training.done:,} sequences: {training.status()}")
    return figure


def trained(name):
    """A model that comes along: -> (model, params, task). Stories are made ones, so that nothing has to be downloaded.

    name     one of numpymem.experiments.checkpoints.names()
    raises   FileNotFoundError for an unknown name
    """
    facts = checkpoints.facts_of(name)
    made = {"source": "generated"} if facts["task"].startswith("babi") else {}
    task = catalog.make_task(facts["task"], catalog.model_class(facts["model"])[0].form, **facts["task_settings"], **made)
    model = catalog.make_model(facts["model"], task, **facts["model_settings"])
    return model, checkpoint.load(checkpoints.FOLDER / f"{name}.npz")[0], task
