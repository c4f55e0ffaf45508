"""Children of this process: forked, so that nothing need be imported again, and killed with a real kill -9."""

import contextlib
import mmap
import os
import signal
import sys
import time
import traceback

import numpy as np

PATIENCE = 120                                    # seconds after which a child that should have ended hangs
DONE, PHASE, WRITES, BEGUN = range(4)             # a child's notes: sequences done, 1 while it writes, writes begun, 1 if it trains


def notes():
    """Whole numbers that a child writes and its parent reads, also after its death."""
    return np.frombuffer(mmap.mmap(-1, 4096), np.int64)


def fork(work, quiet=True):
    """Run work() in a child -> its id. Its exit code is 0, or 1 if work() raised something; then the traceback is on stderr."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if quiet:
            sys.stdout = sys.stderr = open(os.devnull, "w")
        work()
        code = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def end_of(pid):
    """Wait for a child -> its exit code, or minus the signal that killed it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    kill(pid)
    os.waitpid(pid, 0)
    raise AssertionError(f"a child did not end within {PATIENCE} s")


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(note, at, value, pid, pause=0.0):
    """Wait until a note has reached a value, or the child has ended. A pause would be longer than a write takes."""
    until = time.perf_counter() + PATIENCE
    while note[at] < value and not ended(pid) and time.perf_counter() < until:
        if pause:
            time.sleep(pause)


def ended(pid):
    """Whether a child has ended, without having waited for it."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def kill_after(pid, seconds):
    """kill -9 after so many seconds -> True, or False if the child had ended by itself; then it must have ended well."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        time.sleep(min(0.001, max(until - time.perf_counter(), 0)))
    return was_killed(pid)


def was_killed(pid):
    """kill -9 now -> whether that was what ended the child."""
    kill(pid)
    code = end_of(pid)
    if code not in (0, -signal.SIGKILL):
        raise AssertionError(f"a child ended with {code}")
    return code != 0


def run(work, quiet=True):
    """Run work() in a child to its end. Raises AssertionError if it failed."""
    code = end_of(fork(work, quiet))
    if code:
        raise AssertionError(f"a child ended with {code}")


def fork_and_wait(work):
    """Run work(ready) in a child, until it calls ready() -> its id."""
    heard, tell = os.pipe()
    pid = fork(lambda: work(lambda: os.write(tell, b"x")))
    os.close(tell)
    with open(heard, "rb", buffering=0) as pipe:
        if not pipe.read(1):
            raise AssertionError(f"a child ended with {end_of(pid)} before it was ready")
    return pid


def die_at(owner, name, after=False):
    """The next call of `owner.name` ends this process as kill -9 does, before or after what the call does."""
    whole = getattr(owner, name)

    def killed(*args, **options):
        if after:
            whole(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, killed)
