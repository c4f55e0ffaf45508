"""kill -9 of whole commands, from the start of Python on: of `train`, and of kernels being compiled."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from . import forks, places
from .found import Found
from .runs import WORKS, damage, saved, told

ROOT = pathlib.Path(__file__).parents[2]
STEP = """
import json, sys
import numpy as np
from numpymem import runs
training = runs.new_run("memn2n", "copy", settings=["d=8"])
print(json.dumps([training.step()[0].hex() for _ in range(3)]))
"""


def environment(**more):
    return os.environ | {"PYTHONPATH": str(ROOT), "NUMPYMEM_OFFLINE": "1", **{name: str(value) for name, value in more.items()}}


def start(arguments, cwd, plain=False, **more):
    """Python with these arguments, in a process group of its own; `plain`: as a user for whom modes hold."""
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=cwd, env=environment(**more), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True,
                            preexec_fn=places.as_plain_user if plain else None)


def finish(process):
    """-> (exit code, stdout, stderr)"""
    out, err = process.communicate(timeout=4 * forks.PATIENCE)
    return process.returncode, out, err


def killed(process, seconds):
    """kill -9 of a process and its children after so many seconds -> whether it came in time."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=seconds)
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


# ---- train ------------------------------------------------------------------------------------------------------------------

def kill_commands(kills, rng, folder, tell):
    """`python -m numpymem train`, killed at random moments, and gone on with as a user would -> [Found]."""
    work = next(iter(WORKS))
    found = Found(f"python -m numpymem train: {work}")
    begun = time.perf_counter()
    code, _, err = finish(train(work, folder / "whole"))
    seconds = time.perf_counter() - begun
    if code:
        raise AssertionError(err)
    whole = told(folder / "whole")
    while found.kills < kills:
        run = folder / f"run{found.runs}"
        found.runs += 1
        for _ in range(3):
            before = saved(run)
            if not killed(train(work, run), rng.uniform(0, seconds)):
                break
            found.kills += 1
            wrong, parts = damage(run, more=("curves.png",))
            found.parts += parts
            found.fail(*wrong, *(["a run went back"] if saved(run) < before else []))
            tell(found)
        code, _, err = finish(train(work, run))
        if code:
            found.fail(err.splitlines()[-1].replace(str(folder), "FOLDER"))
        elif told(run) != whole:
            found.fail("other numbers than the uninterrupted run")
        left = [path.name for path in run.iterdir() if path.name.endswith(".part")]
        found.left += len(left)
        found.fail(*(f"{name} is left" for name in left))
    return [found]


def train(work, run):
    """The command that a user would type: with --resume if there is something to go on with."""
    model, task, settings = WORKS[work]
    new = ["--seed", 1, *(word for pair in settings for word in ("--set", pair))]
    how = ["--resume"] if (run / "config.json").exists() else new
    return start(["-m", "numpymem", "train", model, task, "--run", run, *how], run.parent, NUMPYMEM_JIT=0)


# ---- compile ----------------------------------------------------------------------------------------------------------------

def kill_compiling(kills, rng, folder, tell):
    """Three training steps of a MemN2N with an empty cache, killed at random moments while its kernels are compiled, here and in
    the second process of ahead.py; then again with the cache as it is -> [Found]."""
    found = Found("the kernels of a MemN2N compiled")
    found.allowed = "what had not been compiled to its end"
    begun = time.perf_counter()
    code, expected, err = finish(start(["-c", STEP], folder, NUMPYMEM_CACHE=folder / "whole", NUMPYMEM_JIT=1, NUMPYMEM_THREADS=2))
    seconds = time.perf_counter() - begun
    if code:
        raise AssertionError(err)
    while found.kills < kills:
        settings = {"NUMPYMEM_CACHE": folder / f"c{found.runs}", "NUMPYMEM_JIT": 1, "NUMPYMEM_THREADS": 2}
        found.runs += 1
        for _ in range(4):
            if not killed(start(["-c", STEP], folder, **settings), rng.uniform(0.1, 0.8) * seconds):
                break
            found.kills += 1
            found.parts += len([*settings["NUMPYMEM_CACHE"].rglob("*.tmp.*")])
            tell(found)
        for _ in range(2):                        # the second time all comes from the cache
            code, out, err = finish(start(["-c", STEP], folder, **settings))
            if code or json.loads(out) != json.loads(expected):
                found.fail("other numbers" if not code else err.splitlines()[-1])
        found.left += len([*settings["NUMPYMEM_CACHE"].rglob("*.tmp.*")])
    return [found]
