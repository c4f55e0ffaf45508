"""Large arrays lent again: a training step fills some 10 MB of trace, and fresh memory from the system costs as much time as
filling it, as each of its pages is first zeroed.

`empty` cuts arrays from a buffer that is kept here. A buffer is lent again only when no array of it is alive any more, so whoever
holds a trace keeps it, and two traces never share memory.
"""

import itertools
import math
import sys
import threading

import numpy as np

ALIGNMENT = 64                                   # bytes: one cache line
_buffers, _lock = [], threading.Lock()


def empty(shapes, dtype):
    """Arrays of these shapes, C-contiguous, filled with anything, as np.empty's are."""
    dtype = np.dtype(dtype)
    if dtype.hasobject:                          # gradcheck runs kernels on arrays of objects
        return [np.empty(shape, dtype) for shape in shapes]
    step = max(ALIGNMENT // dtype.itemsize, 1)
    sizes = [math.prod(shape) for shape in shapes]
    ends = list(itertools.accumulate(-(-size // step) * step for size in sizes))
    numbers = _lend((ends[-1] + step) * dtype.itemsize).view(dtype)
    first = -numbers.__array_interface__["data"][0] % ALIGNMENT // dtype.itemsize
    return [numbers[first + start:first + start + size].reshape(shape) for start, size, shape in zip([0, *ends], sizes, shapes)]


def release():
    """Give the buffers back to the system, when all arrays of them are gone."""
    with _lock:
        _buffers.clear()


def _lend(size):
    """A buffer of at least so many bytes that nobody uses: the smallest there is, or a new one in place of those too small."""
    with _lock:
        free = [k for k in range(len(_buffers)) if sys.getrefcount(_buffers[k]) == 2]      # this list, and getrefcount's argument
        fitting = [k for k in free if _buffers[k].size >= size]
        if not fitting:
            _buffers[:] = [buffer for k, buffer in enumerate(_buffers) if k not in free]
            _buffers.append(np.empty(-(-size // ALIGNMENT) * ALIGNMENT, np.uint8))
            return _buffers[-1]
        return _buffers[min(fitting, key=lambda k: _buffers[k].size)]
