"""MemN2N on bAbI 1k, many runs: 3 hops, position encoding, linear start, random noise (PE + LS + RN), the paper's recipe.

    python -m numpymem.experiments.memn2n_babi [--tasks 1 19] [--seeds 10] [--jobs 2] [--set NAME=VALUE ...] [--name NAME]

Best of the runs by lowest TRAINING error, as in the paper, and mean +- sd of all; all 1,000 test questions count.
"""

import argparse
import dataclasses
from concurrent.futures import ProcessPoolExecutor

from threadpoolctl import threadpool_limits

from numpymem import catalog, runs
from numpymem.experiments import results
from numpymem.training.loss import evaluate

PAPER = {1: 0.0, 19: 82.8}                       # Sukhbaatar et al. 2015, table 1, 3 hops PE LS RN, test error in %
ARTICLE = {19: 1.9}                              # the article's 98.1 % right


def one(job):
    """One task, one seed -> errors in percent on the training, validation and test questions."""
    task, seed, settings = job
    training = runs.new_run("memn2n", f"babi{task}", seed, settings=settings)
    with threadpool_limits(1, "blas"):
        training.run(progress=False)
        parts = {part: evaluate(training.model, training.params, training.task, training.task.evaluation(None, None, part))
                 for part in ("train", "valid", "test")}
    return {"task": task, "seed": seed, "seconds": round(training.seconds, 1), "data": training.task.origin,
            "questions": parts["test"]["sequences"], **{part: found["wrong_percent"] for part, found in parts.items()},
            "train_bits": parts["train"]["bits_per_sequence"]}


def start(settings):
    """What the runs began with: model settings and recipe, as the catalog has them today, and what --set changed."""
    model_settings, recipe = catalog.settings_of("memn2n", "babi1")
    model_settings, recipe, _ = catalog.apply_settings(settings, "memn2n", "babi1", model_settings, recipe)
    return {"settings": model_settings, "recipe": dataclasses.asdict(recipe)}


def best(found):
    """The run with the lowest training error; the lower training loss decides a tie, as the test error must not."""
    return min(found, key=lambda r: (r["train"], r["train_bits"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 19])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="memn2n_babi", help="name of the result file")
    options = parser.parse_args()
    jobs = [(task, seed, options.settings) for task in options.tasks for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(pool.map(one, jobs))
    for task in options.tasks:
        mine = [r for r in found if r["task"] == task]
        chosen, (mean, sd) = best(mine), results.mean_sd(r["test"] for r in mine)
        print(f"task {task}: test error of the best by training error {chosen['test']:.1f} % (seed {chosen['seed']}); mean "
              f"{mean:.1f} +- {sd:.1f}, n = {len(mine)}; all: {' '.join(format(r['test'], '.1f') for r in mine)}; "
              f"paper {PAPER.get(task, 'not noted')}, article {ARTICLE.get(task, 'none')}; {mine[0]['seconds']} s a run")
    extra = "".join(f" --set {setting}" for setting in options.settings)
    extra += f" --name {options.name}" if options.name != "memn2n_babi" else ""
    tasks = " ".join(map(str, options.tasks))
    print(results.write(options.name, f"python -m numpymem.experiments.memn2n_babi --tasks {tasks} --seeds {options.seeds} "
                        f"--jobs {options.jobs}{extra}", found, **start(options.settings)).name)


if __name__ == "__main__":
    main()
