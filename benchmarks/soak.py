"""python -m benchmarks.soak: train an NTM on a million sequences and watch the gradient's norm, by four recipes. See README.md.

Any loss, gradient or parameter that is not finite stops a run (numpymem/training/nan_guard.py) and is part of its result.
"""

import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks import machine, soak_plot, studies
from numpymem import threads
from numpymem.ntm import NTM, NTMConfig
from numpymem.tasks.copy import Copy
from numpymem.training import Recipe, RunFolder, Training
from numpymem.training.nan_guard import NonFiniteError

RESULT, FIGURE = studies.RESULTS / "soak.json", studies.RESULTS / "soak.png"
FOLDER = studies.ROOT / "runs" / "soak"
SEQUENCES, OTHERS = 1_000_000, 200_000             # of the first recipe, and at least of each of the others
EVERY, QUANTILES = 10_000, (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)          # of the norms of so many sequences
LENGTHS, SIZES = (1, 10), {"controller_size": 64, "N": 32, "W": 10}
RECIPES = {                                        # what each run is about: its recipe; batches of 16
    "clipped": {"optimizer": "adam", "lr": 1e-3, "clip": 10.0},
    "not clipped": {"optimizer": "adam", "lr": 1e-3, "clip": 0.0},
    "the paper's": {"optimizer": "rmsprop", "lr": 1e-4, "clip": 10.0, "clip_by": "element", "scale": "sum"},
    "too fast": {"optimizer": "adam", "lr": 1e-2, "clip": 0.0},
}


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    made = studies.parser("soak", "Train an NTM on a million sequences of the copy task, and on 200,000 by each of three other "
                          "recipes, and record the quantiles of the gradient's norm (before any clipping) of every 10,000. A run "
                          "that was stopped goes on where it stood.", "20,000 sequences each, from scratch: a look",
                          "soak.json and soak.png")
    made.add_argument("--seed", type=int, default=0, help="of all runs; default 0")
    options, code = studies.parse(made, arguments)
    if options is None:
        return code
    wanted = {name: 2 * EVERY if options.quick else OTHERS if number else SEQUENCES for number, name in enumerate(RECIPES)}
    result = {"command": " ".join(["python -m benchmarks.soak", *arguments]), "machine": machine.facts(), "seed": options.seed,
              "sequences": wanted, "every": EVERY, "quantiles": QUANTILES, "lengths": LENGTHS, "sizes": SIZES,
              "runs": [soak(name, wanted[name], options.seed, None if options.quick else FOLDER) for name in RECIPES]}
    if options.save:
        from numpymem import plotting
        studies.write(RESULT, result)
        plotting.save(soak_plot.picture_of(result), FIGURE)
    studies.show(options, result, text)
    return 0


def soak(name, sequences, seed=0, folder=None):
    """One run, or the rest of it -> {"name", "recipe", "done", "stopped": why, or None, "cpu_seconds", "lines"}.

    folder  where runs keep their checkpoints, so that they can go on; None: nothing is kept
    """
    training = training_of(name, seed, folder)
    stopped, lines = None, training.history
    with tqdm(total=sequences, initial=training.done, ncols=79, desc=name) as bar, threads.use(1), threadpool_limits(1, "blas"):
        while training.done < sequences and stopped is None:
            before = training.done
            try:
                keep(training, line_of(training))
            except NonFiniteError as error:
                stopped = str(error)
            bar.update(training.done - before)
    return {"name": name, "recipe": RECIPES[name], "done": training.done, "stopped": stopped,
            "cpu_seconds": round(sum(line["cpu_seconds"] for line in lines)), "lines": lines}


def training_of(name, seed, folder):
    """A Training by that recipe: a new one, or as the last checkpoint in its folder left it."""
    task = Copy(min_length=LENGTHS[0], max_length=LENGTHS[1])
    model = NTM(NTMConfig(task.n_inputs, task.n_outputs, **SIZES))
    training = Training(model, task, Recipe(batch=16, **RECIPES[name]), seed)
    if folder is not None:
        training.folder = RunFolder(folder / f"{name.replace(' ', '-').replace(chr(39), '')}-{seed}")
        training.folder.path.mkdir(parents=True, exist_ok=True)
        if training.folder.checkpoint.exists():
            training.resume()
    return training


def line_of(training):
    """Train on the next EVERY sequences -> {"sequences", "loss": mean bits of a sequence, "norms": quantiles, "clipped": steps,
    "largest_parameter", "cpu_seconds"}."""
    started, until, losses, norms = time.process_time(), training.done + EVERY, [], []
    while training.done < until:
        loss, norm = training.step()
        losses.append(loss)
        norms.append(norm)
    largest = max(float(np.abs(value).max()) for value in training.params.values())
    return {"sequences": training.done, "loss": short(np.mean(losses) / np.log(2)),
            "norms": [short(norm) for norm in np.quantile(norms, QUANTILES)], "clipped": clipped(training.recipe, norms),
            "largest_parameter": short(largest), "cpu_seconds": short(time.process_time() - started)}


def clipped(recipe, norms):
    """Of how many steps the gradient was longer than the limit; None where it is cut by element."""
    if recipe.clip and recipe.clip_by != "norm":
        return None
    return int(sum(norm > recipe.clip for norm in norms)) if recipe.clip else 0


def short(number):
    return float(f"{number:.4g}")


def keep(training, line):
    """Write the line and then the checkpoint: a line without its checkpoint is dropped by `resume`, and computed again."""
    training.history.append(line)
    if training.folder is not None:
        training.folder.log(line)
        training.save()


# ---- what it says -------------------------------------------------------------------------------------------------------

def text(result):
    """The report, in 80 columns."""
    lowest, highest = result["lengths"]
    sizes = ", ".join(f"{name} {value}" for name, value in result["sizes"].items())
    lines = [studies.head(result["machine"], f"an NTM ({sizes}) on copy, lengths {lowest} to {highest}, batches of 16, seed "
                          f"{result['seed']}; norms before clipping"),
             "", f"{'recipe':<13}{'sequences':>10}{'CPU s':>7}{'bits at end':>13}{'norm: median':>14}{'99 %':>9}{'largest':>9}"]
    for run in result["runs"]:
        norms = np.array([line["norms"] for line in run["lines"]]).reshape(-1, len(result["quantiles"]))
        told = [f"{run['name']:<13}{run['done']:>10,}{run['cpu_seconds']:>7}"]
        if len(norms):
            told.append(f"{run['lines'][-1]['loss']:>13.3g}{np.median(norms[:, 3]):>14.2g}{np.median(norms[:, 5]):>9.2g}"
                        f"{norms[:, -1].max():>9.2g}")
        lines.append("".join(told))
        if run["stopped"]:
            lines.append(studies.fill(f"  stopped: {run['stopped']}", "  "))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
