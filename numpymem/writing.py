"""Files: written whole or not at all, in folders that one process at a time writes to; and one clear line where that fails.

A file is written under another name beside its place, `.NAME.PID.part`, and then put there in one stroke. So a process may be
killed at any moment: what lies under the name is the old file or the new one. A part that was left behind is deleted by whoever is
next to work alone in the folder.
"""

import contextlib
import errno
import os
import pathlib
import re
import threading
import time

LEFT = 60                                         # seconds after which a part of a small file was left behind for certain
LOCK = ".lock"                                    # in a folder that is worked in: a line with the id of each process so far
PART = re.compile(r"\..+\.\d+\.part")
NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC, errno.EFBIG}
NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_held = {}                                        # folder -> the (process, thread) that works there alone


class CannotWrite(OSError):
    """A file could not be written; the message names it and says what to do."""


class InUse(OSError):
    """Another process works in the folder; the message names both."""


def cache():
    """The folder for downloads and compiled code: NUMPYMEM_CACHE, or the user's cache folder of this system. Where no home
    directory is known the path begins with ~, see `homeless`: it must not be made, or a folder of that name would lie about."""
    named = os.environ.get("NUMPYMEM_CACHE")
    if not named:
        import pooch
        try:
            named = pooch.os_cache("numpymem")
        except RuntimeError:                      # of newer versions, where no home directory is known
            named = "~/.cache/numpymem"
    return pathlib.Path(os.path.expanduser(named))


def homeless(path):
    """Whether a path waits in vain for a home directory."""
    return pathlib.Path(path).parts[:1] == ("~",)


# ---- writing --------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def whole(path):
    """`with whole(path) as part:` write the file `part`; at the end it takes the place of `path`. If anything fails, `path` stays
    as it was, and an OSError becomes a CannotWrite."""
    path = pathlib.Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with clear(path):
            yield part
            with open(part, "rb+") as file:       # on the disk before it counts: also where the power goes
                os.fsync(file.fileno())
            os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(path, text):
    """Write a small file whole or not at all."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def clear(path):
    """Have an OSError inside the block say which file could not be written, why, and what to do."""
    try:
        yield
    except (CannotWrite, InUse):
        raise
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}{advice(error)}") from error


def advice(error):
    """What to do about an OSError, as the end of a sentence."""
    if error.errno in NO_ROOM:
        return "; make room there and try again"
    if error.errno in NOT_ALLOWED:
        return "; name a place that you may write to"
    return ""


def make_folder(path):
    """The folder, made with its parents if it is not there."""
    with clear(path):
        pathlib.Path(path).mkdir(parents=True, exist_ok=True)


# ---- one process at a time --------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def alone(folder, wait=False):
    """`with alone(folder):` nobody else who asks so works in the folder meanwhile. The system lets go of the lock when its holder
    dies. Within its block a thread may ask again.

    wait     until the other one has ended; otherwise InUse is raised
    raises   CannotWrite if nobody could write there
    """
    key, me = os.path.realpath(folder), (os.getpid(), threading.get_ident())
    if _held.get(key) == me:
        yield
        return
    with clear(folder):
        file = open(pathlib.Path(folder) / LOCK, "ab+", buffering=0)
    with file:
        lock(file, folder, wait)
        _held[key] = me
        try:
            with contextlib.suppress(OSError):    # a full disk: the work itself will say so
                file.write(f"{os.getpid()}\n".encode())                # whom to look for
            clear_parts(folder)
            yield
        finally:
            _held.pop(key, None)
            unlock(file)


def lock(file, folder, wait):
    """Where the system or the disk knows no locks, as on Windows and some network disks, everybody may go on."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        who = file.read().decode(errors="replace").split()
        raise InUse(f"{folder}: another process{f' ({who[-1]})' if who else ''} is writing there; wait until it has ended, or name "
                    "another folder") from None
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


def unlock(file):
    """Also for children that were forked meanwhile: closing would let go only once they had ended."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl
        fcntl.flock(file, fcntl.LOCK_UN)


def clear_parts(folder, older=0):
    """Delete the parts that killed processes have left: all, where nobody else works in the folder, or those of so many seconds."""
    for path in pathlib.Path(folder).iterdir():
        if PART.fullmatch(path.name):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime >= older:
                    path.unlink()
