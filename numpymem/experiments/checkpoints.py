"""Small trained models that come with numpymem: parameters in float32, and a JSON that says what they are and how good.

    model, params, task, facts = load("ntm_copy")

`python -m numpymem ship RUN NAME` makes one from a run folder.
"""

import json
import pathlib
import re

import numpy as np

from numpymem import catalog, runs
from numpymem.experiments import measure
from numpymem.experiments.sweep_run import rounded, whole
from numpymem.writing import write_text
from numpymem.training import RunFolder, checkpoint

FOLDER = pathlib.Path(__file__).parent.parent / "checkpoints"
LARGEST = 1 << 20                                 # bytes of a checkpoint that is shipped
EVALUATED = "numpymem.experiments.measure.final: fresh sequences from a fixed seed, or all test questions"


def names():
    """The checkpoints that are there."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def facts_of(name):
    """What is said of a checkpoint. Raises FileNotFoundError for an unknown name."""
    if name not in names():
        raise FileNotFoundError(f"checkpoint: expected one of {', '.join(names()) or '(none is there)'}, received {name!r}")
    return json.loads((FOLDER / f"{name}.json").read_text())


def load(name):
    """-> (model, params, task, facts): ready for model.forward(params, task.sample(rng, 1).inputs).

    facts    command, seed, sequences trained on, settings, figures (as measured when it was shipped) and how they are measured
    raises   FileNotFoundError for an unknown name, or if the task's data is not there; ValueError if it is other data
    """
    facts = facts_of(name)
    cls, _ = catalog.model_class(facts["model"])
    task = catalog.make_task(facts["task"], cls.form, **facts["task_settings"])
    if whole(runs.content(task.origin)) != facts["data"]:
        raise ValueError(f"checkpoint {name}: expected the data it was trained on [{facts['data']}], received [{task.origin}]")
    model = catalog.make_model(facts["model"], task, **facts["model_settings"])
    return model, checkpoint.load(FOLDER / f"{name}.npz")[0], task, facts


def measured(name):
    """The figures of a shipped checkpoint, measured anew."""
    model, params, task, _ = load(name)
    return rounded(measure.final(Measured(model, params, task)))


class Measured:
    """As much of a Training as measuring needs."""

    def __init__(self, model, params, task):
        self.model, self.params, self.task = model, params, task


def ship(folder, name):
    """Write the parameters and facts of a trained run to the package -> path of the .npz.

    raises   ValueError for a name that is no file name, a folder without a trained run, or parameters of 1 MiB and more
    """
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError(f"NAME: expected small letters, digits and _, received {name!r}")
    training, config = runs.open_run(folder), RunFolder(folder).read_config()
    if not training.done:
        raise ValueError(f"{folder}: expected a trained run, received one without a checkpoint")
    params = {key: np.asarray(value, np.float32) for key, value in training.params.items()}
    size = sum(value.nbytes for value in params.values())
    if size >= LARGEST:
        raise ValueError(f"{folder}: expected parameters of less than {LARGEST:,} bytes, received {size:,}: train a smaller model")
    facts = {name: config[name] for name in ("model", "task", "seed", "model_settings", "task_settings", "recipe", "command",
                                             "versions")}
    facts |= {"data": whole(runs.content(training.task.origin)), "sequences": training.done, "seconds": round(training.seconds, 1),
              "figures": rounded(measure.final(Measured(training.model, params, training.task))), "evaluated": EVALUATED}
    FOLDER.mkdir(exist_ok=True)
    checkpoint.save(FOLDER / f"{name}.npz", params, {})
    write_text(FOLDER / f"{name}.json", json.dumps(facts, indent=1) + "\n")
    return FOLDER / f"{name}.npz"
