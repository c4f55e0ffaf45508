"""A sweep: every run of a spec, on the cores of this machine or on a Dask cluster, each in a folder of its own.

What is done is what the folders say (sweep_run.py), so a sweep may be stopped or killed at any moment and goes on with --resume.
A run that fails leaves its error.txt and takes nobody along; nor does a worker process that is killed.
"""

import contextlib
import dataclasses
import itertools
import json
import pathlib
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, as_completed

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from numpymem import runs
from numpymem.experiments import executors, results, spec, summary
from numpymem.experiments.sweep_run import error_file, read_result, result_file, train_one
from numpymem.writing import LEFT, CannotWrite, clear_parts, make_folder, write_text
from numpymem.received import read_json, reading, shown
from numpymem.training import Training


BEGUN = {"spec": dict, "start": dict, "equations": str, "command": str, "versions": dict,
         "seconds": (int, float)}      # of sweep.json


def run_sweep(name, workers=None, address=None, resume=False, folder=None, save=False, command=""):
    """Train what is left to train, print the table, draw the figure, write the result file -> exit code: 1 if a run failed.

    name     a shipped spec or the path of one
    workers  processes on this machine, default one a core; or `address` of a Dask scheduler
    folder   default: runs/sweep-NAME
    save     put the result file of a shipped spec beside the others in the package
    raises   ValueError for a mistake in the spec, FileExistsError or ValueError for a folder with another sweep
    """
    asked = spec.read(name)
    if save and not asked.shipped:
        raise ValueError(f"--save: expected one of the shipped specs {', '.join(spec.names())}, received {str(name)!r}")
    folder = pathlib.Path(folder or f"runs/sweep-{asked.name}")
    if not resume:
        refuse_used(folder)
    if address:
        with executors.dask(address):             # if nobody answers, nothing is begun
            pass
    settings = {"spec": asked.content, "start": prepare(asked.content, warm=address is None),
                "equations": results.equations_today()}
    open_folder(folder, settings, command or f"python -m numpymem sweep {name}")
    jobs = [job | {"command": command} for job in spec.jobs(asked.content, folder)]
    open_pool = (lambda workers: executors.dask(address)) if address else executors.local
    failed = train_all(jobs, open_pool, workers or executors.cores(), folder, asked.name)
    return tell(asked, folder, jobs, failed, save)


# ---- before --------------------------------------------------------------------------------------------------------------

def prepare(content, warm=True):
    """Make every group's models and tasks once, so that mistakes show before anything is trained.

    returns  what each began with, as JSON-able values: {"NTM-LSTM copy": {"model_settings", "recipe", "data"}}
    warm     also train each group for one step here: what its kernels compile is kept on disk, and workers need not
    """
    start = {}
    for group in content["groups"]:
        for number, task in enumerate(spec.tasks_of(group)):
            try:
                training = runs.new_run(group["model"], task, spec.seeds_of(group)[0], group.get("set", []),
                                        controller=group.get("controller"))
            except (ValueError, OSError) as error:
                raise ValueError(f"group {shown(group['label'])}, task {shown(task)}: {error}") from error
            start[f"{group['label']} {task}"] = {
                "model": dataclasses.asdict(training.model.config), "recipe": dataclasses.asdict(training.recipe),
                "data": runs.content(training.task.origin)}
            if warm and number == 0:
                warm_up(training)
    return json.loads(json.dumps(start))


def warm_up(training):
    """One step in each phase of the recipe."""
    with threadpool_limits(1, "blas"):
        training.step()
        if training.recipe.linear_start:
            recipe = dataclasses.replace(training.recipe, linear_start=0)
            Training(training.model, training.task, recipe, training.seed).step()


def refuse_used(folder):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder}: expected a new folder, received one with things in it; add --resume to go on with the "
                              "sweep there, or name another folder with --run")


def open_folder(folder, settings, command):
    """Make the folder, or make sure that the very same sweep was begun there."""
    begun = folder / "sweep.json"
    if not begun.exists():
        refuse_used(folder)
        make_folder(folder)
        write_text(begun, json.dumps(settings | {"command": command, "versions": runs.versions(), "seconds": 0.0}, indent=1) + "\n")
        return
    clear_parts(folder, LEFT)                     # no lock here: two sweeps may well share the runs of one folder
    before = read_begun(begun)
    for what, words in (("spec", "the spec"), ("start", "what the runs start with (settings, recipes, data)"),
                        ("equations", "an equation")):
        if before[what] != settings[what]:
            raise ValueError(f"--resume {folder}: expected the sweep that was begun there, but {words} has changed since; begin "
                             "another one with --run, as runs of both must not be mixed")


def of_kind(kind):
    return {dict: "an object", str: "a text"}.get(kind, "a number")


def read_begun(path):
    """What sweep.json says."""
    found = read_json(path)
    with reading(path, "the state of a sweep"):
        for name, kind in BEGUN.items():
            if not isinstance(found[name], kind):
                raise ValueError(f"{name}: expected {of_kind(kind)}, received {shown(found[name])}")
    return found


# ---- training ------------------------------------------------------------------------------------------------------------

def train_all(jobs, open_pool, workers, folder, name):
    """Train all jobs that have no result yet -> {folder: error in one line} of those that failed.

    A process that is killed takes its whole pool with it. What had begun there is then tried once more, each run in a pool of its
    own, so that the one to blame is alone; the rest goes on in a new pool. A Dask cluster does the like by itself.
    """
    waiting, failed = [job for job in jobs if not result_file(job["folder"]).exists()], {}
    with tqdm(total=len(jobs), initial=len(jobs) - len(waiting), desc=name, unit=" run", smoothing=0, dynamic_ncols=True) as bar, \
            ticking(bar):
        note = Note(folder, bar)
        while waiting:
            lost = train_in([open_pool(workers)], waiting, failed, note)
            suspects = [job for job in lost if (pathlib.Path(job["folder"]) / "config.json").exists()]
            if len(lost) == len(waiting) and not suspects:
                raise OSError("the worker processes died before they could begin a run; is there memory enough?")
            for at in range(0, len(suspects), workers):
                some = suspects[at:at + workers]
                for job in train_in([open_pool(1) for _ in some], some, failed, note):
                    fail(job, "its process was killed twice, the second time with no other run beside it", failed, note)
            waiting = [job for job in lost if job not in suspects]
    return failed


@contextlib.contextmanager
def ticking(bar):
    """On a terminal: draw the bar anew every second, so that its clock goes on while the first runs are trained."""
    stop = threading.Event()

    def tick():
        while not stop.wait(1.0):
            bar.refresh()
    if sys.stderr.isatty():
        threading.Thread(target=tick, daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def train_in(pools, jobs, failed, note):
    """Train jobs in one pool, or each in one of several -> those that were lost because a process was killed."""
    lost = []
    with contextlib.ExitStack() as stack:
        pools = itertools.cycle([stack.enter_context(pool) for pool in pools])
        futures = {next(pools).submit(train_one, job): job for job in jobs}
        for future in as_completed(futures):
            job = futures[future]
            try:
                error = future.result()
            except BrokenExecutor:
                lost.append(job)
            except CancelledError:
                fail(job, "the Dask scheduler has gone; what was done until the last checkpoint is kept", failed, note, keep=False)
            except CannotWrite:                                       # a full disk: --resume goes on once there is room
                raise
            except Exception as problem:                              # not the run's: the cluster's, or on the way to it
                fail(job, f"{type(problem).__name__}: {problem}", failed, note)
            else:
                if not error and not result_file(job["folder"]).exists():
                    error = "no result.json has arrived: its worker has no disk in common with the sweep"
                fail(job, error, failed, note, keep=False) if error else note(job)
    return lost


def fail(job, error, failed, note, keep=True):
    """Note that a run failed; `keep` the error in its folder, unless the run has done that."""
    folder = pathlib.Path(job["folder"])
    if keep:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(error_file(folder), error + "\n")
    failed[job["folder"]] = error.splitlines()[0]
    note(job, f"FAILED: {failed[job['folder']]}")


class Note:
    """After each run: a line, the bar, and the seconds that the sweep has taken so far, all its sessions together."""

    def __init__(self, folder, bar):
        self.path, self.bar, self.last = folder / "sweep.json", bar, time.perf_counter()

    def __call__(self, job, words=""):
        now = time.perf_counter()
        facts = read_begun(self.path)
        facts["seconds"], self.last = round(facts["seconds"] + now - self.last, 1), now
        write_text(self.path, json.dumps(facts, indent=1) + "\n")
        if not words:
            found = read_result(result_file(job["folder"]))
            learned = f", learned after {found['converged_at']:,}" if found["converged_at"] else ""
            words = f"{found['sequences']:,} sequences, {found['seconds']:.0f} s{learned}"
        self.bar.write(f"{job['group']}, {job['task']}, seed {job['seed']}: {words}", file=sys.stderr)
        self.bar.update()


# ---- after ---------------------------------------------------------------------------------------------------------------

def tell(asked, folder, jobs, failed, save):
    """Table, figure and result file of what is there; failures last, where they are seen."""
    found = collect(asked, folder, jobs)
    if found["runs"]:
        print(f"{asked.content['title']}\n\n{summary.told(found)}\n")
        from numpymem.experiments.report import draw
        print(f"figure: {draw(found, folder / 'sweep.png')}")
        print(f"results: {results.write_sweep(folder / 'results.json', found)}")
    if save and not failed:
        print(f"results: {results.write_sweep(results.FOLDER / f'{asked.name}.json', found)}")
    for path, error in failed.items():
        print(f"FAILED {pathlib.Path(path).name}: {error}  (see {error_file(path)})", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(jobs)} runs failed{'; nothing saved' if save else ''}; --resume tries them again",
              file=sys.stderr)
    return 1 if failed else 0


def collect(asked, folder, jobs):
    """The result file's content, of all runs that are finished."""
    began = read_begun(folder / "sweep.json")
    done = [read_result(result_file(job["folder"])) for job in jobs if result_file(job["folder"]).exists()]
    return {"name": asked.name, "command": began["command"], "versions": began["versions"],
            "seconds": began["seconds"], "spec": asked.content, "start": shared(began["start"]), "table": summary.rows(done),
            "runs": done}


def shared(start):
    """What runs began with, those that began with the same in one entry: {"NTM-LSTM copy; ...": settings}."""
    by_text = itertools.groupby(sorted(start, key=lambda name: json.dumps(start[name])), key=lambda name: json.dumps(start[name]))
    return {"; ".join(sorted(names)): json.loads(text) for text, names in by_text}


def list_specs():
    """`sweep` without a spec."""
    for name in spec.names():
        asked = spec.read(name)
        print(f"{name:<18}{asked.content['title']}\n{'':<18}{spec.describe(asked.content)}")
    print("\npython -m numpymem sweep NAME     (or the path of a spec of your own)\n"
          "python -m numpymem report NAME    shows the committed results")
    return 0
