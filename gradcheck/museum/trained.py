"""What a bug does to training: the same small tasks, the same seeds, with it and without it.

    python -m gradcheck.museum --train [ID ...] [--seeds 3]

An NTM copies sequences of 1 to 5 vectors and is tested on these and on 10; a MemN2N answers generated bAbI questions (tasks 1
and 2) and is tested in batches, as it was trained, and one question at a time. All numbers are error percent on fresh data after
the same number of sequences. results.json keeps every run; `verdict` makes words of the numbers by the rule in RULE.
"""

import contextlib
import dataclasses
import functools
import json
import pathlib
import time

import numpy as np
from threadpoolctl import threadpool_limits

from gradcheck.museum.effects import our_check_misses, signed_check_misses
from gradcheck.museum.exhibit import EXHIBITS
from numpymem import catalog, numpy_only, recipes, runs
from numpymem.experiments.results import mean_sd
from numpymem.writing import write_text
from numpymem.training import Recipe, Training
from numpymem.training.loss import evaluate
from numpymem.training.nan_guard import NonFiniteError

RESULTS = pathlib.Path(__file__).parent / "results.json"
PARTS = 6                                        # points of a learning curve
EACH = 32                                        # sequences of each length in a test of copy
RULE = ("Over the seeds, m is a mean and s the larger of the two standard deviations, but at least 1 percent point. 'does not "
        "learn': with the bug the error of every seed is above half of what guessing gives; 'some seeds fail': of some. 'learns "
        "worse': m with the bug is more than 2 s above m without. 'learns more slowly': the mean over the learning curve is. "
        "'learns as well, but not ...': only the extra test (at length 10; one question at a time) is more than 2 s above. Else "
        "'learns as well'.")


@dataclasses.dataclass(frozen=True)
class Task:
    """A model, a task and a recipe. `chance` is what guessing gives, error percent; None: always the commonest answer."""
    model: str
    task: str
    model_settings: dict
    task_settings: dict
    recipe: dict
    chance: float | None = None


NTM = {"controller": "feedforward", "controller_size": 32, "N": 16, "W": 8, "initial_weights": "one-hot"}
SHORT = {"min_length": 1, "max_length": 5}
ADAM = {"sequences": 9_600, "batch": 16, "lr": 3e-3, "beta2": 0.99}
SGD = {"batch": 32, "optimizer": "sgd", "lr": 0.01, "clip": 40.0, "scale": "sum"}
TASKS = {
    "copy": Task("ntm", "copy", NTM, SHORT, ADAM, 50.0),
    "copy-alone": Task("ntm", "copy", NTM, SHORT, ADAM | {"sequences": 1_200, "batch": 1}, 50.0),
    "copy-two-heads": Task("ntm", "copy", NTM | {"write_heads": 2}, SHORT, ADAM, 50.0),
    "copy-random-memory": Task("ntm", "copy", NTM | {"initial_memory": "learned"}, SHORT, ADAM, 50.0),
    "copy-rmsprop": Task("ntm", "copy", NTM, SHORT, {"sequences": 9_600, "batch": 16, "lr": 2e-3, "optimizer": "rmsprop"}, 50.0),
    "babi1": Task("memn2n", "babi1", {"encoding": "released"}, {"source": "generated"}, SGD | {"sequences": 15 * recipes.EPOCH}),
    "babi2": Task("memn2n", "babi2", {"encoding": "released"}, {"source": "generated"}, SGD | {"sequences": 40 * recipes.EPOCH}),
}


@functools.cache
def made_task(name):
    """The task itself: generated once."""
    form = catalog.model_class(TASKS[name].model)[0].form
    return catalog.make_task(TASKS[name].task, form, **TASKS[name].task_settings)


def chance_of(name):
    """Error percent of guessing."""
    return TASKS[name].chance if TASKS[name].chance is not None else made_task(name).majority_error()


def train(name, seed, exhibit=None):
    """One run -> a JSON-able dict. A run that meets nan ends there, with the error of guessing."""
    started, setting, task = time.process_time(), TASKS[name], made_task(name)
    recipe = Recipe(**setting.recipe, eval_every=10 ** 9, eval_count=1)      # tested here, in batches as it was trained
    bug = exhibit.installed() if exhibit else contextlib.nullcontext()
    form = numpy_only() if exhibit and exhibit.patches else contextlib.nullcontext()
    with bug, form, threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        training = Training(catalog.make_model(setting.model, task, **setting.model_settings), task, recipe, seed)
        curve, stopped = [], ""
        for part in range(1, PARTS + 1):
            try:
                training.run(recipe.sequences * part // PARTS, progress=False)
            except NonFiniteError as problem:
                stopped = str(problem).split("; ")[0]
                break
            curve.append(test(training, recipe.batch))
        extra = test(training, recipe.batch, extra=True) if not stopped else np.nan
    chance = chance_of(name)
    curve = [value if np.isfinite(value) else chance for value in curve]
    return {"seed": seed, "curve": [round(value, 2) for value in curve + [chance] * (PARTS - len(curve))],
            "extra": round(extra if np.isfinite(extra) else chance, 2), "stopped": stopped,
            "cpu_seconds": round(time.process_time() - started, 1)}


def test(training, batch, extra=False):
    """Error percent on fresh data in batches of `batch`; `extra`: at length 10, or one question at a time."""
    with np.errstate(all="ignore"):
        return evaluate(training.model, training.params, training.task, fresh(training.task, batch, extra))["wrong_percent"]


def fresh(task, batch, extra):
    """(Batch, sequences in it) pairs, the same for every run."""
    if task.name == "copy":
        rng = np.random.default_rng(10 + extra)
        lengths = (10,) if extra else range(task.lengths[0], task.lengths[1] + 1)
        return [(task.sample(rng, batch, length), batch) for length in lengths for _ in range(EACH // batch)]
    return [(one, len(one.mask)) for one in task.batches("test", 1 if extra else batch)]


# ---- words from numbers ----------------------------------------------------------------------------------------------------

def summary(runs_of):
    """Of several runs: name -> (mean, standard deviation) of the final error, the mean over the curve and the extra test."""
    return {"final": mean_sd([run["curve"][-1] for run in runs_of]), "curve": mean_sd([np.mean(run["curve"]) for run in runs_of]),
            "extra": mean_sd([run["extra"] for run in runs_of])}


def verdict(healthy, bug, chance, extra="the extra test"):
    """What to say of the runs with a bug beside those without, by RULE.

    healthy, bug   lists of what `train` returns
    chance         error percent of guessing
    """
    before, after = summary(healthy), summary(bug)

    def above(which):
        spread = max(before[which][1], after[which][1], 1.0)
        return after[which][0] - before[which][0] > 2 * spread

    failed = [run["curve"][-1] > chance / 2 for run in bug]
    if any(failed):
        return "does not learn" if all(failed) else "some seeds fail"
    if above("final"):
        return "learns worse"
    if above("curve"):
        return "learns more slowly"
    return f"learns as well, but not {extra}" if above("extra") else "learns as well"


def judge(task, healthy, bug, chance):
    """`verdict` with the extra test of a task called by its name."""
    return verdict(healthy, bug, chance, extra_name(task))


def extra_name(task):
    """What a task's extra test is."""
    return "at length 10" if task.startswith("copy") else "one by one"


# ---- results.json -----------------------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=1)
def _read(path, when):
    return json.loads(path.read_text())


def read():
    """The dict that `retrain` wrote. Raises FileNotFoundError if it never ran."""
    return _read(RESULTS, RESULTS.stat().st_mtime_ns)


def read_training(id):
    """Of one exhibit: task -> {"verdict", "healthy" and "bug": (mean, sd) by measure, "chance", "runs"}; {} without training."""
    if not RESULTS.exists():
        return {}
    found = read()
    return {task: {"verdict": of["verdict"], "healthy": summary(found["healthy"][task]), "bug": summary(of["runs"]),
                   "chance": found["chance"][task], "runs": of["runs"]}
            for task, of in found["exhibits"].get(id, {}).items()}


def retrain(chosen, seeds, say=print):
    """Train with every chosen bug, and without, and write results.json.

    chosen   exhibits; of those that are not chosen, and of the healthy runs then, results.json keeps what it has
    raises   ValueError if not all are chosen and results.json was made with other seeds or settings
    """
    settings = json.loads(json.dumps({name: dataclasses.asdict(task) for name, task in TASKS.items()}))
    found = {"command": f"python -m gradcheck.museum --train --seeds {seeds}", "versions": runs.versions(),
             "seeds": list(range(seeds)), "rule": RULE, "settings": settings, "healthy": {}, "chance": {}, "exhibits": {}}
    if len(chosen) < len(EXHIBITS) and RESULTS.exists():
        before = read()
        for key in ("seeds", "settings"):
            if before[key] != found[key]:
                raise ValueError(f"--train of some exhibits: expected the {key} of results.json, {before[key]}, received "
                                 f"{found[key]}; train all of them")
        found |= {key: before[key] for key in ("healthy", "chance", "exhibits", "checks") if key in before}
    for exhibit in chosen:
        for task in exhibit.tasks:
            train_pair(found, exhibit, task, say)
        if exhibit.kind == "checker":
            found["checks"] = {"signed check": signed_check_misses(), "check_equation": our_check_misses()}
            say(f"percent of planted errors that pass: {found['checks']}")
    write_text(RESULTS, json.dumps(found, separators=(",", ":")).replace('},"', '},\n"') + "\n")


def train_pair(found, exhibit, task, say):
    """Train one task with a bug, and without if that is not yet done, and put both into `found`."""
    if task not in found["healthy"]:
        found["healthy"][task] = [train(task, seed) for seed in found["seeds"]]
        found["chance"][task] = round(chance_of(task), 2)
        say(line("(healthy)", task, found["healthy"][task]))
    bug = [train(task, seed, exhibit) for seed in found["seeds"]]
    words = judge(task, found["healthy"][task], bug, found["chance"][task])
    found["exhibits"].setdefault(exhibit.id, {})[task] = {"verdict": words, "runs": bug}
    say(f"{line(exhibit.id, task, bug)}  {words}")


def line(id, task, runs_of):
    """One line for the terminal."""
    text = {name: f"{mean:5.1f} +- {sd:4.1f}" for name, (mean, sd) in summary(runs_of).items()}
    return f"{id:<25} {task:<18} {text['final']}  extra {text['extra']}"
