"""kill -9 of a sweep in processes of its own: of the sweep, of one of its workers, or of all of them at once."""

import contextlib
import os
import signal
import subprocess
import time

from sweep_tools import FOLDERS, figures, start, worker_of, write_spec

from . import forks
from .found import Found  # noqa: E402
from .runs import damage, saved  # noqa: E402

VICTIMS = ("the sweep", "a worker", "all its processes")


def kill_sweeps(kills, rng, folder, tell):
    """Sweeps of four runs, killed at random moments and gone on with until their end -> [Found], one for each victim."""
    started = time.perf_counter()
    whole = undisturbed(folder)
    seconds = time.perf_counter() - started
    every = [Found(f"killed: {victim}") for victim in VICTIMS]
    number = 0
    while sum(found.kills for found in every) < kills:
        place = folder / f"s{number}"
        place.mkdir()
        write_spec(place)
        for found in every:
            found.runs += 1
        for attempt in range(4):                  # the fourth is left in peace
            victim = rng.choice(len(VICTIMS)) if attempt < 3 else None
            found = every[victim or 0]
            with begun(place, attempt > 0) as sweep:
                if victim is None or not kill_some(sweep, VICTIMS[victim], place, rng.uniform(0, 0.6 * seconds), found):
                    break
            tell(found)
        compare(found, sweep, place, whole)
        number += 1
    return every


def undisturbed(folder):
    """The figures of a sweep to which nothing happens."""
    place = folder / "whole"
    place.mkdir()
    write_spec(place)
    with begun(place, False) as sweep:
        if sweep.wait(forks.PATIENCE) != 0:
            raise AssertionError(sweep.stderr.read())
    return figures(place / "runs/sweep-small")


@contextlib.contextmanager
def begun(place, again):
    """A sweep in a process group of its own, until it has ended. Workers whose sweep was killed must notice by themselves."""
    sweep = start(place, "--jobs", 2, *(["--resume"] if again and (place / "runs/sweep-small/sweep.json").exists() else []))
    try:
        yield sweep
        sweep.wait(2 * forks.PATIENCE)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(sweep.pid, signal.SIGKILL)
        raise


def kill_some(sweep, victim, place, seconds, found):
    """kill -9 after so many seconds -> whether it came in time. What was finished and what was saved must still be there."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        sweep.wait(seconds)
        return False
    before = state(place)
    if victim == "a worker":
        workers = [worker_of(run) for run in runs_of(place) if (run / ".lock").exists() and not (run / "result.json").exists()]
        if not workers:
            victim = "the sweep"
        else:
            forks.kill(workers[0])
    if victim == "the sweep":
        sweep.kill()
    elif victim == "all its processes":
        os.killpg(sweep.pid, signal.SIGKILL)
    found.kills += 1
    look(found, place, before)
    return True


def runs_of(place):
    return [place / "runs/sweep-small" / name for name in FOLDERS if (place / "runs/sweep-small" / name).exists()]


def state(place):
    """Of each run: sequences saved, and whether it is finished."""
    return {run: (saved(run), (run / "result.json").exists()) for run in runs_of(place)}


def look(found, place, before):
    """After a kill: no file is half there, and no run has gone back behind what it had saved."""
    for run, (done, finished) in before.items():
        wrong, parts = damage(run, more=("result.json",))
        found.parts += parts
        found.fail(*wrong)
        if saved(run) < done or (finished and not (run / "result.json").exists()):
            found.fail("a run went back")


def compare(found, sweep, place, whole):
    """After the end: the figures of the undisturbed sweep."""
    if sweep.returncode != 0:
        found.fail(f"exit {sweep.returncode}: {sweep.stderr.read().splitlines()[-1:]}")
    elif figures(place / "runs/sweep-small") != whole:
        found.fail("other figures than the undisturbed sweep")
    left = [path.name for run in runs_of(place) for path in run.iterdir() if path.name.endswith(".part")]
    found.left += len(left)
    found.fail(*(f"{name} is left" for name in left))
