"""Disks that are full, folders that nobody may write to, and a user who may not do everything."""

import contextlib
import ctypes
import os
import subprocess

OVERRIDE, SEARCH, OWNER = 1, 2, 3                 # capabilities of root: to write where the modes forbid it
DROP = 24                                         # PR_CAPBSET_DROP


class Unavailable(Exception):
    """This system does not let us make such a place."""


@contextlib.contextmanager
def mounted(folder, *options):
    """A mount at `folder` -> a function that mounts it anew with other options."""
    folder.mkdir(exist_ok=True)

    def mount(*options):
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"mount: {done.stderr.strip()}")
    try:
        mount(*options)
    except OSError as error:
        raise Unavailable(f"mount: {error}") from error
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    """A disk of its own with so much room -> a function that gives it another size."""
    with mounted(folder, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs") as mount:
        yield lambda kilobytes: mount("-o", f"remount,size={kilobytes}k")


@contextlib.contextmanager
def read_only(folder, of):
    """The folder `of`, seen at `folder`, where nobody can write: also root."""
    with mounted(folder, "--bind", str(of)) as mount:
        mount("-o", "remount,ro,bind")
        yield


def as_plain_user():
    """In a child before it becomes another program: modes hold for root, too."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (OVERRIDE, SEARCH, OWNER) if os.geteuid() == 0 else ():
        if libc.prctl(DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
