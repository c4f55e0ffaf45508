"""MemN2N on bAbI, many runs of one column of the paper's table (see babi_variants.py), beside that column.

    python -m numpymem.experiments.memn2n_babi [--variant pe-ls-rn] [--size 1k] [--tasks 1 19] [--seeds 10] [--jobs 2]
                                               [--set NAME=VALUE ...] [--name NAME]

Best of the runs by lowest TRAINING error, as in the paper, and mean +- sd of all; all 1,000 test questions of a task count.
A joint variant has no --tasks: one run answers all of them.
"""

import argparse
import dataclasses
from concurrent.futures import ProcessPoolExecutor

from threadpoolctl import threadpool_limits

from numpymem import catalog, runs
from numpymem.experiments import measure_babi, results
from numpymem.experiments.babi_variants import VARIANTS, settings
from numpymem.experiments.paper_babi import TABLES

ARTICLE = {19: 1.9}                              # the article's 98.1 % right


def one(job):
    """One task ("babi3" or "babi-joint"), one seed -> what measure_babi finds."""
    task, seed, chosen = job
    training = runs.new_run("memn2n", task, seed, settings=chosen)
    with threadpool_limits(1, "blas"):
        training.run(progress=False)
    return (measure_babi.joint if task == "babi-joint" else measure_babi.single)(training)


def start(task, chosen):
    """What the runs began with: model settings and recipe, as the catalog has them today, and what was chosen on top."""
    model_settings, recipe = catalog.settings_of("memn2n", task)
    model_settings, recipe, task_settings = catalog.apply_settings(chosen, "memn2n", task, model_settings, recipe)
    return {"settings": model_settings, "task_settings": task_settings, "recipe": dataclasses.asdict(recipe)}


def best(found):
    """The run with the lowest training error; the lower training loss decides a tie, as the test error must not."""
    return min(found, key=lambda r: (r["train"], r["train_bits"]))


def line(task, found, chosen, paper):
    """One task: ours beside the paper's. `found` has the test errors of all runs, `chosen` that of the best by training."""
    mean, sd = results.mean_sd(found)
    article = f", article {ARTICLE[task]}" if task in ARTICLE else ""
    return (f"task {task:>2}: best by training error {chosen:5.1f} %; mean {mean:5.1f} +- {sd:.1f}, n = {len(found)}; paper "
            f"{paper.of(task):5.1f}{article}")


def report(variant, size, found):
    """The lines of all tasks, and their mean if these are all twenty."""
    paper = TABLES[size][variant]
    if VARIANTS[variant].joint:
        chosen = best(found)["by_task"]
        tasks = {int(task): ([r["by_task"][task]["test"] for r in found], chosen[task]["test"]) for task in chosen}
    else:
        by_task = {task: [r for r in found if r["task"] == task] for task in sorted({r["task"] for r in found})}
        tasks = {task: ([r["test"] for r in mine], best(mine)["test"]) for task, mine in by_task.items()}
    lines = [line(task, errors, chosen, paper) for task, (errors, chosen) in tasks.items()]
    if len(tasks) == len(paper.errors):
        ours = sum(chosen for _, chosen in tasks.values()) / len(tasks)
        lines.append(f"mean of the twenty: {ours:.1f} %; paper {paper.mean}")
    return lines


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=VARIANTS, default="pe-ls-rn")
    parser.add_argument("--size", choices=tuple(TABLES), default="1k")
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 19])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="memn2n_babi", help="name of the result file")
    return parser.parse_args()


def command(options):
    """The command line that these options stand for."""
    words = f"python -m numpymem.experiments.memn2n_babi --variant {options.variant} --size {options.size}"
    if not VARIANTS[options.variant].joint:
        words += f" --tasks {' '.join(map(str, options.tasks))}"
    words += f" --seeds {options.seeds} --jobs {options.jobs}"
    return words + "".join(f" --set {setting}" for setting in options.settings) + f" --name {options.name}"


def main():
    options = parse()
    chosen = [*settings(options.variant, options.size), *options.settings]
    joint = VARIANTS[options.variant].joint
    tasks = ["babi-joint"] if joint else [f"babi{task}" for task in options.tasks]
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(pool.map(one, [(task, seed, chosen) for task in tasks for seed in range(options.seeds)]))
    print("\n".join(report(options.variant, options.size, found)))
    print(f"seconds a run: {sum(r['seconds'] for r in found) / len(found):.1f}")
    print(results.write(options.name, command(options), found, **start(tasks[0], chosen)).name)


if __name__ == "__main__":
    main()
