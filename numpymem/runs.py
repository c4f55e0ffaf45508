"""A run: model + task + recipe + seed in a folder. Made here from names and settings, found again here from its folder."""

import contextlib
import dataclasses
import platform
import re

import numpy as np

from numpymem import __version__, catalog, paper_recipes
from numpymem.received import WRONG_KIND, one_line, reading, shown
from numpymem.training import Recipe, RunFolder, Training, checkpoint
from numpymem.training.resuming import check_count


DERIVED = ("n_inputs", "n_outputs", "n_words")     # sizes that the task decides


def new_run(model, task, seed=0, settings=(), folder=None, controller=None, batch=None, command=""):
    """A Training ready to run, with its folder written if one is named.

    settings  NAME=VALUE texts, see catalog.apply_settings; recipe=paper stands for many, see paper_recipes.py
    raises    ValueError for a bad name or value, FileExistsError if the folder holds a run; then nothing is written
    """
    cls, config = catalog.model_class(model)
    task = catalog.ALIASES.get(task, task)
    catalog.check_pair(model, task)
    check_settings(settings)
    controller = chosen_controller(model, config, settings, controller)
    settings = paper_recipes.expand(settings, model, task, controller)
    model_settings, recipe = catalog.settings_of(model, task, controller)
    model_settings, recipe, task_settings = catalog.apply_settings(settings, model, task, model_settings, recipe, controller)
    if batch is not None:
        recipe = dataclasses.replace(recipe, batch=batch)
    with wrong_kind_as_value_error(settings):
        made_task = catalog.make_task(task, cls.form, **task_settings)
        made = catalog.make_model(model, made_task, **model_settings)
        training = Training(made, made_task, recipe, seed)
    if folder is not None:
        training.folder = RunFolder(folder)
        training.folder.create({"model": model, "task": task, "seed": seed, "model_settings": model_settings,
                                "task_settings": task_settings, "recipe": dataclasses.asdict(recipe),
                                "data": made_task.origin, "command": command, "versions": versions()})
    return training


def check_settings(settings):
    """Refuse the sizes that follow from the task."""
    for pair in settings:
        name = pair.partition("=")[0]
        if name in DERIVED:
            raise ValueError(f"--set: expected a setting that can be chosen, received {shown(name)}, which follows from the task")


def chosen_controller(model, config, settings, controller):
    """The controller by --controller or by --set controller=..., or None."""
    if controller is not None and "controller" not in config.__dataclass_fields__:
        raise ValueError(f"--controller: only ntm and dnc have one, received MODEL {model}")
    named = [pair.partition("=")[2] for pair in settings if pair.startswith("controller=")]
    if controller is not None and named and named[-1] != controller:
        raise ValueError(f"--controller {controller}: expected the same in --set, received controller={named[-1]}")
    return named[-1] if controller is None and named else controller


@contextlib.contextmanager
def wrong_kind_as_value_error(settings):
    """A setting of the wrong kind or size (a list, a number for a word, terabytes) may show as a TypeError deep inside."""
    try:
        yield
    except ValueError as error:
        if str(error) == one_line(error, most=600):
            raise
        raise ValueError(one_line(error, most=600)) from error
    except WRONG_KIND as error:
        if not settings:
            raise
        raise ValueError(f"--set {one_line(' '.join(settings))}: a value is of the wrong kind ({one_line(error)})") from error


def open_run(folder):
    """The Training of a run folder, as its last checkpoint left it. Raises FileNotFoundError or ValueError."""
    run_folder = RunFolder(folder)
    config = run_folder.read_config()
    with reading(run_folder.config, "the config of a run"):
        cls, _ = catalog.model_class(config["model"])
        catalog.check_pair(config["model"], config["task"])
        check_count("seed", config["seed"])
        task = catalog.make_task(config["task"], cls.form, **config["task_settings"])
    check_data(run_folder, config.get("data"), task.origin)
    with reading(run_folder.config, "the config of a run"):
        model = catalog.make_model(config["model"], task, **config["model_settings"])
        try:
            recipe = Recipe(**config["recipe"])
        except TypeError as error:
            raise ValueError(f"{run_folder.config}: recipe: expected the settings of this version of numpymem "
                             f"({one_line(error)})") from error
        training = Training(model, task, recipe, config["seed"], run_folder)
    if run_folder.checkpoint.exists():
        training.resume()
    else:
        run_folder.read_log(up_to=-1)            # killed before the first checkpoint: the run starts again, and so does its log
    return training


def check_data(run_folder, before, now):
    """Raise ValueError if a run would meet other data than it was trained on."""
    if not (before is None or isinstance(before, str)):
        raise ValueError(f"{run_folder.config}: data: expected a text, received {shown(before)}")
    if before is None or content(before) == content(now):
        return
    if before.startswith("GENERATED"):
        advice = f'set "source": "generated" in the task_settings of {run_folder.config}'
    else:
        advice = "set NUMPYMEM_DATA to the folder or archive with the files it was trained on"
    raise ValueError(f"{run_folder.path}: this run was trained on [{one_line(before)}], but now there is [{now}]; {advice}, "
                     "or train a new run")


def content(origin):
    """An origin without the place: released files are the same wherever they lie, generated ones whoever asked."""
    if origin.startswith("real bAbI"):
        return origin.split("), ")[0]
    if origin.startswith("GENERATED bAbI"):
        return origin.split("): ")[0]
    return re.sub(r"(GENERATED [^:]+): [^;]+", r"\1", re.sub(r"(real .+\)),? from [^;:]+", r"\1", origin))


def check_same(folder, model, task, seed=None, settings=(), controller=None, batch=None):
    """Raise ValueError if the run in `folder` began with something else than what is asked for now (None: not asked)."""
    config = RunFolder(folder).read_config()
    asked = {"model": model, "task": catalog.ALIASES.get(task, task), "seed": seed, "batch": batch, "controller": controller}
    asked = {name: value for name, value in asked.items() if value is not None}
    settings = paper_recipes.expand(settings, model, asked["task"], config["model_settings"].get("controller"))
    asked |= {name: catalog.read_value(text) for name, _, text in (pair.partition("=") for pair in settings)}
    began = began_with(config)
    for name, value in asked.items():
        if began.get(name) != value:
            raise ValueError(f"--resume {folder}: this run began with {name} {began.get(name, '(none)')}, received {value}; "
                             "leave it out, or begin another run")


def began_with(config):
    """Every setting of a run by name, also those that were left at their defaults."""
    _, model_config = catalog.model_class(config["model"])
    began = catalog.task_arguments(config["task"]) | config["task_settings"]
    began |= {field.name: field.default for field in dataclasses.fields(model_config)} | config["model_settings"]
    return began | config["recipe"] | {name: config[name] for name in ("model", "task", "seed")}


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
