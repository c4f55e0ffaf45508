"""What the tests of sweeps share: a small spec, sweeps in processes of their own, and what of their results must be equal."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

SMALL = ["N=8", "W=4", "controller_size=6", "N_training=0", "max_length=3", "batch=4", "sequences=1600", "eval_every=80",
         "eval_count=10"]
SPEC = {"title": "small models", "source": "none", "about": "for tests", "groups": [
    {"label": "NTM", "model": "ntm", "task": "copy", "controller": "feedforward", "seeds": 2, "set": SMALL},
    {"label": "Mem N2N", "model": "memn2n", "task": ["babi1", "babi15"], "seeds": [3],
     "set": ["source=generated", "sequences=640", "eval_every=320"]}]}
FOLDERS = ["ntm-copy-0", "ntm-copy-1", "mem-n2n-babi1-3", "mem-n2n-babi15-3"]
ROOT = pathlib.Path(__file__).parent.parent
PATIENCE = 120                                    # seconds until a test that waits for something gives up


def write_spec(folder, content=SPEC):
    """The spec as a file -> its path."""
    path = folder / "small.json"
    path.write_text(json.dumps(content))
    return path


def hear_ctrl_c():
    """Where tests run in the background of a shell, Ctrl-C is not heard, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(folder, *options):
    """`python -m numpymem sweep small.json ...` in a process group of its own, so that it may get a Ctrl-C."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMPYMEM_JIT": "0", "NUMPYMEM_OFFLINE": "1"}
    return subprocess.Popen([sys.executable, "-m", "numpymem", "sweep", "small.json", *map(str, options)], cwd=folder, text=True,
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                            preexec_fn=hear_ctrl_c)


def wait_for(found):
    """What `found` returns, once that is true."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        value = found()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE} s in vain for {found}")


def under_way(folder):
    """Some run that has a checkpoint and no result yet, or None."""
    return next((path.parent for path in pathlib.Path(folder).glob("*/checkpoint.npz")
                 if not (path.parent / "result.json").exists()), None)


def worker_of(run):
    """The id of the process that works on a run."""
    return int((run / ".lock").read_text().split()[-1])


def figures(folder):
    """All of a sweep's results that must not depend on how it was run: everything but seconds."""
    found = json.loads((folder / "results.json").read_text())["runs"]
    return [{name: value for name, value in run.items() if not name.startswith("seconds")} for run in found]

