"""Record every NumPy operation of a step and time each kind by itself, at the same shapes and at the smallest.

`Recorded` is an ndarray that notes each operation it takes part in and returns Recorded arrays again, so that a step whose
parameters and inputs are Recorded is noted as a whole. What leaves no mark: views (slices, reshape, swapaxes) and the few
operations between plain arrays.
"""

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

TRANSCENDENTAL = ("exp", "log", "log1p", "expm1", "tanh", "power", "sin", "cos")
COPIES = ("concatenate", "stack", "copy", "split", "repeat", "zeros_like", "ones_like", "empty_like", "tile")


@dataclass
class Operation:
    """All NumPy calls of one kind on the same shapes."""
    name: str                   # "exp", "matmul", "add.reduce", "concatenate", ...
    shapes: tuple               # of all arrays that went in and came out
    numbers: int                # that came out of one call
    run: Any                    # does it again
    smallest: Any               # does it on arrays with one number an axis: nothing but what a call costs
    count: int = 0

    def is_product(self):
        """A matrix product with weights; products with a batch of memories have three axes."""
        return self.name == "matmul" and all(len(shape) == 2 for shape in self.shapes)

    def flop(self):
        (rows, inner), (_, columns) = self.shapes[:2]
        return 2 * self.count * rows * inner * columns

    def is_transcendental(self):
        return self.name in TRANSCENDENTAL

    def touches(self, N, W):
        """Whether an array with all the numbers of the memories goes in or comes out."""
        return any(shape[-2:] in ((N, W), (W, N)) for shape in self.shapes)


class Log(dict):
    """(name, shapes) -> Operation"""

    def add(self, name, function, args, kwargs, out):
        arrays = [*arrays_of(args), *arrays_of(kwargs), *arrays_of(out)]
        key = name, tuple(array.shape for array in arrays)
        if key not in self:
            small = each_array(args, one_each), each_array(kwargs, one_each)
            self[key] = Operation(*key, sum(array.size for array in arrays_of(out)), lambda: function(*args, **kwargs),
                                  lambda: function(*small[0], **small[1]))
        self[key].count += 1


_log = [None]                   # where operations go while `recording`


@contextlib.contextmanager
def recording():
    """Collect the operations of Recorded arrays in the Log that this gives."""
    before, _log[0] = _log[0], Log()
    try:
        yield _log[0]
    finally:
        _log[0] = before


class Recorded(np.ndarray):
    """An array that notes what is done with it."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return note(name, getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return note(function.__name__, function, args, kwargs)

    def __getitem__(self, index):
        at = index if isinstance(index, tuple) else (index,)
        if not any(isinstance(each, (np.ndarray, list)) for each in at):
            return super().__getitem__(index)                         # a view
        return note("take", lambda x, *at: x[at], (self, *at), {})

    def copy(self, order="C"):
        return note("copy", np.array, (self,), {"order": order, "copy": True})


def note(name, function, args, kwargs):
    """Do it with plain arrays, log it, and return Recorded arrays."""
    args, kwargs = each_array(args, plain), each_array(kwargs, plain)
    out = function(*args, **kwargs)
    if _log[0] is not None:
        _log[0].add(name, function, args, kwargs, out)
    return each_array(out, recorded)


# ---- timing what was recorded -------------------------------------------------------------------------------------------

def milliseconds_of(operations, seconds=1e-3):
    """-> (ms of what they compute, ms of what the calls cost): each kind timed by itself, its numbers in the cache, times how
    often it came; a call's own cost is what it takes on the smallest arrays."""
    work = calls = 0.0
    with np.errstate(all="ignore"):               # what is done in place grows when it is done over and over
        for operation in operations:
            call = fastest(operation.smallest, seconds)
            work += operation.count * max(fastest(operation.run, seconds) - call, 0)
            calls += operation.count * call
    return 1e3 * work, 1e3 * calls


def fastest(run, seconds, rounds=5, clock=time.process_time):
    """Seconds of a call, in the fastest of some rounds that share `seconds`."""
    start = clock()
    run()
    run()
    once = (clock() - start) / 2
    number = max(1, int(seconds / rounds / max(once, 1e-7)))
    taken = []
    for _ in range(rounds):
        start = clock()
        for _ in range(number):
            run()
        taken.append((clock() - start) / number)
    return min(taken)


# ---- arrays within arguments --------------------------------------------------------------------------------------------

def plain(array):
    return array.view(np.ndarray) if isinstance(array, Recorded) else array


def recorded(array):
    return array.view(Recorded)


def one_each(array):
    """One number an axis; slot and word numbers become 0, so that they still point at something."""
    small = array[(slice(0, 1),) * array.ndim].copy()
    return small * 0 if array.dtype.kind in "iu" else small


def each_array(value, change):
    """Nested tuples, lists and dicts with every array changed."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)(each_array(one, change) for one in value)
    if isinstance(value, dict):
        return {name: each_array(one, change) for name, one in value.items()}
    return value


def arrays_of(value):
    if isinstance(value, np.ndarray):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [array for one in values for array in arrays_of(one)]
