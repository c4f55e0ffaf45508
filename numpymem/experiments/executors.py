"""Where the runs of a sweep are trained: on the cores of this machine, or on a Dask cluster. Both have the interface of
`concurrent.futures`, so the rest of the sweep does not know which it is.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

PATIENCE = "10s"                                  # how long a Dask scheduler may take to answer


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def local(workers):
    """A pool of processes. Ctrl-C drops what waits and ends what runs: checkpoints are whole at any moment."""
    before = set(multiprocessing.active_children())
    # spawn: a fork would copy this process's threads in whatever state they are, and a second pool may be needed (see sweep.py)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=live_with_the_sweep)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown()


def live_with_the_sweep():
    """A worker process dies with the sweep that it belongs to, also if that was killed, and quietly on Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sweep = multiprocessing.parent_process().sentinel

    def watch():
        multiprocessing.connection.wait([sweep])
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def dask(address):
    """The executor of a Dask cluster. Workers need numpymem, the data, and the disk with the run folders.

    raises  ValueError if dask.distributed is missing, if nobody answers, or if a worker would train two runs at once
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError(f"--dask: needs dask.distributed ({error}); install it with: pip install 'numpymem[cluster]'") from error
    advice = (f"start one with `dask scheduler`, and workers with `dask worker {address} --nworkers 2 --nthreads 1`")
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"--dask: expected the address of a Dask scheduler such as tcp://127.0.0.1:8786, received {address!r}, "
                         f"where none answers ({error}); {advice}") from error
    with client:
        crowded = [name for name, number in client.nthreads().items() if number != 1]
        if crowded:
            raise ValueError(f"--dask {address}: expected workers of one thread each (a run uses one core), received others at "
                             f"{', '.join(crowded)}; start them with `dask worker {address} --nworkers 2 --nthreads 1`")
        pool = client.get_executor(pure=False)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False)                 # what runs goes on until its end, and is found when the sweep goes on
            raise
