"""Compiled ahead: while this process compiles a model's forward loops, a second one compiles its backward loops, on the other core.

It takes one small training step in which the forward runs as NumPy, and leaves what it compiles in the cache folder; the first
backward here waits for it and loads it from there. If it fails, the loops are compiled here, as without it.

    python -m numpymem.ahead MODEL                what that process runs
"""

import os
import subprocess
import sys

import numpy as np

from numpymem import kernel, threads

MODELS = {"ntm": "copy", "dnc": "copy", "memn2n": "copy", "dmn": "copy", "memory_transformer": "rewritten-keys"}
                                                 # the first part of a kernel's name -> a task for the training step
PATIENCE = 120                                   # seconds; it takes some 10
_running = {}                                    # model -> its process, or None


def start(name, arguments):
    """Called before the first forward of the kernel `name`: start the second process if there is something for it to do."""
    model = name.partition(".")[0]
    if model in MODELS and model not in _running and threads.count() > 1 and has_float32(arguments):
        _running[model] = _start(model) if not kernel.cannot_keep() and not has_backward(model) else None


def has_float32(arguments):
    """Training is in float32; the loops for other numbers are compiled when they are needed."""
    return any(getattr(argument, "dtype", None) == np.float32 for argument in arguments)


def has_backward(model):
    """Whether a backward loop of this model is on disk: ntm_<hash of the path>/kernels.backward-<line>.py311.nbi."""
    return any(kernel.cache_folder().glob(f"{model}_*/kernels*.*backward*.nbi"))


def _start(model):
    path = os.pathsep.join([str(kernel.PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        return subprocess.Popen([sys.executable, "-m", "numpymem.ahead", model], env={**os.environ, "PYTHONPATH": path},
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def wait(name):
    """Called before the first backward of the kernel `name`."""
    process = _running.get(name.partition(".")[0])
    if process is not None:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def main(model):
    from numpymem import runs
    from numpymem.training.loss import loss_and_gradient
    _running[model] = None                       # not another one
    training = runs.new_run(model.replace("_", "-"), MODELS[model])
    rng = np.random.default_rng(0)
    batch = training.task.sample(rng, 2)
    with kernel.numpy_only():
        outputs, trace = training.model.forward(training.params, batch.inputs, rng=rng)
        _, d_outputs = loss_and_gradient(training.task.loss, outputs, batch)
    training.model.backward(training.params, trace, d_outputs)


if __name__ == "__main__":
    main(sys.argv[1])
