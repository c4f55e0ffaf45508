"""Time and memory of one training step, and the slope of either over a size."""

import contextlib
import gc
import time
import tracemalloc

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.growth_cases import step
from numpymem import workspace
from numpymem.kernel import KERNELS, numpy_only

MIB = 2 ** 20


def one_thread():
    """BLAS on one thread, as in our training loop."""
    return threadpool_limits(1, "blas")


@contextlib.contextmanager
def one_thread_numpy():
    with threadpool_limits(1, "blas"), numpy_only():
        yield


FORMS = {"kernels": one_thread, "numpy": one_thread_numpy}


def forms_of(model):
    """The forms in which a model runs here: "kernels" only if it has some and all of them are in force."""
    folder = type(model).__module__.split(".")[1] + "."
    reasons = [kernel.why_not() for name, kernel in KERNELS.items() if name.startswith((folder, "ops."))]
    own = any(name.startswith(folder) for name in KERNELS)
    return ["kernels", "numpy"] if own and not any(reasons) else ["numpy"]


# ---- time ---------------------------------------------------------------------------------------------------------------

def seconds_of_steps(case, form, seconds, clock=time.perf_counter, **options):
    """Seconds of each training step, at least one, until `seconds` have passed; a step before them does not count, unless it
    takes that long by itself."""
    with FORMS[form]():
        start = clock()
        step(case, **options)
        taken = [clock() - start]
        if taken[0] < seconds:
            taken = []
        while sum(taken) < seconds:
            before = clock()
            step(case, **options)
            taken.append(clock() - before)
    return taken


# ---- memory -------------------------------------------------------------------------------------------------------------

def weigh(case, form, **options):
    """One training step -> {"trace_mib", "peak_mib"}: what its trace keeps, and the most that was allocated at one time, with
    parameters and batch.

    The peak counts what reports to tracemalloc: Python's objects and every NumPy array, those that our kernels fill too, as
    Python code makes them. What a compiled loop would allocate by itself is not seen, nor what was made before
    `tracemalloc.start()`: start it before `case` is made, in a fresh process (growth_memory.py), so that no workspace is left
    over from before.
    """
    gc.collect()
    workspace.release()
    tracemalloc.reset_peak()
    with FORMS[form]():
        _, trace = step(case, **options)
    peak = tracemalloc.get_traced_memory()[1]
    return {"trace_mib": round(trace_bytes(trace) / MIB, 3), "peak_mib": round(peak / MIB, 3)}


def trace_bytes(trace):
    """Bytes that a trace keeps alive: all its arrays, each underlying block once however many views there are of it."""
    blocks = {}
    for array in arrays_in(trace):
        while isinstance(array.base, np.ndarray):
            array = array.base
        blocks[id(array)] = array.nbytes
    return sum(blocks.values())


def arrays_in(value):
    """Every array in nested dicts, lists and tuples."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [array for each in value for array in arrays_in(each)]


def measure_call(make, form, seconds=1.0, **options):
    """One row about `model.forward(params, inputs, **options)` and its backward: ms a step, MiB of the trace, MiB at the peak.

    make     makes the Case; called here, so that its arrays are counted
    options  go to forward: this is how a way of running that trades time for memory is measured
    """
    tracemalloc.start()
    try:
        case = make()
        memory = weigh(case, form, **options)
    finally:
        tracemalloc.stop()
    taken = seconds_of_steps(case, form, seconds, **options)
    return {"form": form, "options": options, "ms": round(1e3 * float(np.median(taken)), 2), **memory}


# ---- slope --------------------------------------------------------------------------------------------------------------

def upper_half(values):
    """The values from the geometric middle of the range on: where the growing term outweighs what is fixed."""
    middle = np.sqrt(values[0] * values[-1])
    return [value for value in values if value >= middle]


def slope(values, measured):
    """The power p in measured = c * values ** p: the least-squares line through the logarithms, over the upper half."""
    count = len(upper_half(values))
    return float(np.polyfit(np.log(values[-count:]), np.log(measured[-count:]), 1)[0])
