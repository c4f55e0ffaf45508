"""The verbs of the command line. Results go to stdout, progress and remarks to stderr."""

import contextlib
import importlib
import inspect
import json
import os
import pathlib
import shlex
import shutil
import sys
import textwrap
import time

from numpymem import catalog, kernel, recipes, runs, threads, writing
from numpymem.equation import REGISTRY, find

EQUATION_PACKAGES = ("numpymem.ops", "numpymem.ntm", "numpymem.dnc", "numpymem.lstm", "numpymem.memn2n",
                     "numpymem.dmn", "numpymem.memory_transformer", "numpymem.hybrid")


def train(options):
    """Train a new run, or one that was begun before."""
    folder = pathlib.Path(options.run or f"runs/{options.model}-{options.task}-{options.seed or 0}")
    if options.checkpoint_every:
        options.settings.append(f"checkpoint_every={options.checkpoint_every}")
    if options.resume:
        runs.check_same(folder, options.model, options.task, options.seed, options.settings, options.controller, options.batch)
        with writing.alone(folder):                # also while it is read: nobody is to go on with it meanwhile
            return train_on(runs.open_run(folder), options)
    return train_on(runs.new_run(options.model, options.task, options.seed or 0, options.settings, folder, options.controller,
                                 options.batch, command=command_line()), options)


def train_on(training, options):
    """Train, save, draw the curve, say how it went."""
    print(f"{options.model} on {training.task.origin}; {runs.count_parameters(training.params):,} parameters, seed "
          f"{training.seed}", file=sys.stderr)
    try:
        training.run(options.sequences, options.seconds)
    finally:
        draw_curves(training)
    print(summary(training))
    return 0


def summary(training):
    """Two lines on how a training ended."""
    how = "converged" if training.converged else "stopped"
    line = f"{how} after {training.done:,} sequences, {training.seconds:.0f} s"
    if training.history:
        line += f": {training.status()}"
    return line + (f"\nrun folder: {training.folder.path}" if training.folder else "")


def draw_curves(training):
    """curves.png, from what has been logged so far. Without it a run is as good: then one line says what is missing."""
    if training.folder is not None and training.history:
        from numpymem import plotting
        title = f"{type(training.model).__name__} on {training.task.name}, seed {training.seed}"
        try:
            plotting.save(plotting.curves(training.history, title, training.task.unit), training.folder.curves)
        except writing.CannotWrite as error:
            print(f"no curve: {error}", file=sys.stderr)


def eval(options):
    """Evaluate a run's checkpoint on fresh data."""
    from numpymem.experiments.measure import evaluate_run
    training = runs.open_run(options.run)
    if not training.folder.checkpoint.exists():
        raise FileNotFoundError(f"{options.run}: expected a checkpoint.npz, found none; train first")
    found = evaluate_run(training, options.length, options.count, options.seed)
    if options.json:
        print(json.dumps(found))
    elif "lengths" in found:
        print(f"{'length':>8}{'bits / sequence':>18}{'wrong bits, %':>16}")
        for line in found["lengths"]:
            print(f"{line['length']:>8}{line['bits_per_sequence']:>18.4f}{line['wrong_bits_percent']:>16.3f}")
    elif "lines" in found:
        from numpymem.experiments.measure_ntm import table
        print(table(found["lines"]))
    else:
        print(f"{found['task']}: {found['error_percent']:.1f} % error on {found['questions']} test questions "
              f"(always the most frequent answer: {found['majority_error_percent']:.1f} %)\n{found['data']}")
        for number, error in found.get("by_task", {}).items():
            print(f"  task {number:>2}{error:>8.1f} %")


def duel(options):
    """Hand over to numpymem/experiments/duel.py."""
    from numpymem.experiments.duel import run_duel
    return run_duel(options, command_line())


def sweep(options):
    """Hand over to numpymem/experiments/sweep.py."""
    from numpymem.experiments.sweep import list_specs, run_sweep
    if options.spec is None:
        return list_specs()
    return run_sweep(options.spec, options.jobs, options.dask, options.resume, options.run, options.save, command_line())


def report(options):
    """Hand over to numpymem/experiments/report.py."""
    from numpymem.experiments.report import list_results, run_report
    return run_report(options.name, options.out) if options.name else list_results()


def ship(options):
    """Hand over to numpymem/experiments/checkpoints.py."""
    from numpymem.experiments.checkpoints import ship
    print(ship(options.run, options.name))


def list(options):
    """Models, tasks, and the start settings of each pair."""
    print("models")
    for name, (*_, line) in catalog.MODELS.items():
        print(f"  {name:<20}{line}")
    print("tasks")
    for kind in catalog.kinds():
        line = catalog.TASKS[kind][3] if kind in catalog.TASKS else "bAbI question answering, twenty tasks (aliases: " \
            + ", ".join(f"{alias} = {name}" for alias, name in catalog.ALIASES.items()) + ")"
        print(f"  {kind:<21}{line}")
    for model in catalog.MODELS:
        taken = [kind for kind in catalog.kinds() if catalog.takes(model, kind.split()[0])]
        wide = shutil.get_terminal_size().columns
        print(textwrap.fill(f"{model} takes {', '.join(taken)}; `train {model} TASK` starts with:", wide, break_on_hyphens=False))
        for kind in taken:
            print(start_line(model, kind))
            if (f"{model}-feedforward", kind) in recipes.RECIPES:
                print(start_line(model, kind, "feedforward"))


def start_line(model, kind, controller=None):
    """What the training of a pair starts with, in one line."""
    settings, recipe = catalog.settings_of(model, kind.split()[0], controller)
    name = "  --controller feedforward" if controller else kind
    extra = " ".join(f"{setting}={value}" for setting, value in settings.items())
    pair = (f"{model}-{controller}" if controller else model, "babi" if kind.startswith("babi") else kind)
    return (f"  {name:<27}{recipe.optimizer} lr={recipe.lr:g} batch={recipe.batch} sequences={recipe.sequences:,} {extra}   "
            f"{recipes.BUDGETS.get(pair, '')}").rstrip()


def explain(options):
    """One equation on the screen: formula, symbols, forward, backward, address, check."""
    import_equations()
    try:
        equation = find(options.id)
    except KeyError:
        raise ValueError(f"ID: expected one of {', '.join(REGISTRY)}, received {options.id!r}") from None
    print(f"{equation.id}  {equation.name}    {equation.source}")
    print(f"{equation.address}\n\n    {equation.latex}\n")
    if equation.deviations:
        print(f"deviation: {equation.deviations}\n")
    for function in equation.functions:
        print(inspect.getsource(function))
    fused = [name for name, item in kernel.KERNELS.items() if equation.id in item.fuses]
    for name in fused:
        print(f"kernel {name}: {kernel.KERNELS[name].why_not() or 'in force'}")
    print(f"check it:   python -m gradcheck {equation.id}\nreplace it: numpymem.patch({equation.id!r}, forward, backward)")


def bench(options):
    """Hand over to benchmarks/, which lies beside numpymem in a checkout and is not installed with it."""
    beside = kernel.PACKAGE.parent / "benchmarks"
    try:
        command = importlib.import_module("benchmarks.__main__")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("benchmarks"):
            raise
        command = None
    if command is None or pathlib.Path(command.__file__).parent != beside:
        raise FileNotFoundError("the benchmarks are part of the project's checkout, not of the installed package: "
                                "run this in the folder of a checkout")
    return command.main(options.arguments, "python -m numpymem bench")


def doctor(options):
    """What the results and the speed here depend on."""
    import_equations()
    kernel.look_again()
    from threadpoolctl import threadpool_info

    from numpymem.data import babi
    print("versions   " + ", ".join(f"{name} {version or 'not installed'}" for name, version in runs.versions().items()))
    blas = [f"{item['internal_api']} {item.get('version')}, {item['num_threads']} threads" for item in threadpool_info()
            if item["user_api"] == "blas"]
    print(f"cores      {os.cpu_count()}; kernels use {threads.count()} threads (NUMPYMEM_THREADS); BLAS: "
          f"{', '.join(blas) or 'none found'} (training uses one)")
    print(f"equations  {len(REGISTRY)} registered")
    for name, item in kernel.KERNELS.items():
        print(f"kernel     {name}: {item.why_not() or 'in force'}")
    compiled = len([*kernel.cache_folder().rglob('*.nbi')]) if kernel.cache_folder().exists() else 0
    print(f"compiled   {compiled} functions kept in {kernel.cache_folder()}")
    if kernel.cannot_keep():
        print(f"           more cannot be kept: {kernel.cannot_keep()}; set NUMPYMEM_CACHE to a writable folder")
    started = time.perf_counter()
    try:
        with offline():
            print(f"data       {babi.load(1).origin}")
    except (OSError, ValueError) as error:
        print(f"data       {error}")
    print(f"           (looked for in {time.perf_counter() - started:.1f} s; set NUMPYMEM_DATA to a folder of yours)")


@contextlib.contextmanager
def offline():
    """Look, but do not download."""
    before = os.environ.get("NUMPYMEM_OFFLINE")
    os.environ["NUMPYMEM_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["NUMPYMEM_OFFLINE"]
        else:
            os.environ["NUMPYMEM_OFFLINE"] = before


def import_equations():
    """Fill the registry."""
    for name in EQUATION_PACKAGES:
        importlib.import_module(name)


def command_line():
    """The command as it was typed, for config.json."""
    return "python -m numpymem " + " ".join(shlex.quote(word) for word in sys.argv[1:])
