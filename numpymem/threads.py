"""How many threads kernels use, and the blocks of a batch that they share out.

A kernel works on blocks of sequences that depend on the batch alone, and each block is computed by itself: one thread or eight,
the numbers are the same to the last bit.

    NUMPYMEM_THREADS    default: as many as this process may use cores
"""

import concurrent.futures
import contextlib
import functools
import os

ROWS = 8                                # sequences in a block at most: what they work on stays in the second-level cache
_limit = [None]


def count():
    """How many threads kernels use. ValueError if NUMPYMEM_THREADS is not a whole number of at least 1."""
    if _limit[0] is None:
        _limit[0] = _from_environment()
    return _limit[0]


def _from_environment():
    text = os.environ.get("NUMPYMEM_THREADS", "")
    if not text:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"NUMPYMEM_THREADS: expected a whole number of at least 1, received {text!r}")
    return int(text)


@contextlib.contextmanager
def use(threads):
    """`with use(1):` one thread inside the block."""
    before = _limit[0]
    _limit[0] = threads
    try:
        yield
    finally:
        _limit[0] = before


def blocks(rows):
    """[(first, last)] of a batch: an even number of blocks if there is more than one row, so that two cores have as much to do."""
    number = min(rows, 2 * -(-rows // (2 * ROWS)))
    cuts = [rows * k // number for k in range(number + 1)]
    return list(zip(cuts, cuts[1:]))


def run(function, jobs, worth=True):
    """[function(*job) for each job], on all threads, or on one if it is not worth waking another (some 50 us). `function` must let
    go of the GIL, as kernels and matrix products do."""
    threads = min(count(), len(jobs)) if worth else 1
    if threads == 1:
        return [function(*job) for job in jobs]
    others = [_pool(threads - 1, os.getpid()).submit(_share, function, jobs[k::threads]) for k in range(1, threads)]
    results = [_share(function, jobs[::threads])] + [other.result() for other in others]
    return [results[k % threads][k // threads] for k in range(len(jobs))]


def _share(function, jobs):
    return [function(*job) for job in jobs]


@functools.lru_cache(maxsize=1)
def _pool(threads, process):
    """Kept for the next time; a forked process makes its own."""
    return concurrent.futures.ThreadPoolExecutor(threads, "numpymem")
