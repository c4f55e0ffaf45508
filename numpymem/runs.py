"""A run: model + task + recipe + seed in a folder. Made here from names and settings, found again here from its folder."""

import dataclasses
import platform

import numpy as np

from numpymem import __version__, catalog
from numpymem.training import Recipe, RunFolder, Training, checkpoint


def new_run(model, task, seed=0, settings=(), folder=None, controller=None, batch=None, command=""):
    """A Training ready to run, with its folder written if one is named.

    settings  NAME=VALUE texts, see catalog.apply_settings
    raises    ValueError for a bad name or value, FileExistsError if the folder holds a run
    """
    cls, _ = catalog.model_class(model)
    task = catalog.ALIASES.get(task, task)
    model_settings, recipe = catalog.settings_of(model, task, controller)
    model_settings, recipe, task_settings = catalog.apply_settings(settings, model, task, model_settings, recipe, controller)
    if batch is not None:
        recipe = dataclasses.replace(recipe, batch=batch)
    made_task = catalog.make_task(task, cls.form, **task_settings)
    made = catalog.make_model(model, made_task, **model_settings)
    run_folder = None
    if folder is not None:
        run_folder = RunFolder(folder)
        run_folder.create({"model": model, "task": task, "seed": seed, "model_settings": model_settings,
                           "task_settings": task_settings, "recipe": dataclasses.asdict(recipe), "data": made_task.origin,
                           "command": command, "versions": versions()})
    return Training(made, made_task, recipe, seed, run_folder)


def open_run(folder):
    """The Training of a run folder, as its last checkpoint left it. Raises FileNotFoundError or ValueError."""
    run_folder = RunFolder(folder)
    config = run_folder.read_config()
    cls, _ = catalog.model_class(config["model"])
    task = catalog.make_task(config["task"], cls.form, **config["task_settings"])
    model = catalog.make_model(config["model"], task, **config["model_settings"])
    training = Training(model, task, Recipe(**config["recipe"]), config["seed"], run_folder)
    if run_folder.checkpoint.exists():
        training.resume()
    return training


def load_params(folder):
    """Parameters of a run folder's checkpoint, a dict name -> array."""
    return checkpoint.load(RunFolder(folder).checkpoint)[0]["params"]


def count_parameters(params):
    """How many numbers are learned."""
    return int(sum(np.size(value) for value in params.values()))


def versions():
    """What a figure may depend on besides the code."""
    from importlib.metadata import PackageNotFoundError, version
    found = {"numpymem": __version__, "python": platform.python_version(), "numpy": np.__version__}
    try:
        found["numba"] = version("numba")
    except PackageNotFoundError:
        found["numba"] = None
    return found
