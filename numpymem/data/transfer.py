"""One file over HTTP: whole and with the right checksum, or not at all.

It is received into a file of its own beside the place where it is wanted, and moved there once its checksum is right. Whatever
happens on the way (the line drops, the server stalls, sends too little, too much, or something else) the place stays as it was.
"""

import hashlib
import os
import threading
import time

CONNECT_SECONDS = 5     # offline must be noticed at once
READ_SECONDS = 15       # longest silence within an answer
SECONDS = 300           # longest time for a file
LARGEST = 64_000_000    # bytes; the largest file of ours has 5.3 MB
PIECE = 1 << 16
LEFT_OVER = 60          # seconds after which a file that nobody writes to any more was left by a process that was killed
TEXT_OF_A_STATUS = 60   # characters


class DownloadError(OSError):
    """A file could not be downloaded, or was not the right one; the message says why and what to do."""


def transfer(url, path, digest):
    """Download to path. True: done. False: the server has no such file (404). Otherwise DownloadError.

    digest   SHA-256 of the file, in hexadecimal
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        discard_left_over(path)
        with open(part, "wb") as file:
            found = receive(url, file)
        if found == digest:
            os.replace(part, path)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"{path}: cannot be written ({type(error).__name__}: {error}); set NUMPYMEM_CACHE to a folder of yours "
                            "with room in it") from error
    finally:
        discard(part)
    if found not in (None, digest):
        raise DownloadError(f"{url}: wrong checksum, expected SHA-256 {digest}, received {found}; the download was deleted. "
                            "The source has changed or the transfer was damaged: try again or use another copy "
                            "(NUMPYMEM_DATA, NUMPYMEM_BABI_URL)")
    return found is not None


def receive(url, file):
    """Write what a server answers -> its SHA-256, or None if it says 404. DownloadError unless the answer is whole."""
    import requests                               # here, because only a download needs it
    from urllib3.exceptions import HTTPError
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS),
                          headers={"Accept-Encoding": "identity"}) as answer:
            if answer.status_code == 404:
                return None
            if answer.status_code != 200:
                reason = (answer.reason or "")[:TEXT_OF_A_STATUS]
                raise DownloadError(f"{url}: the server refused: {answer.status_code} {reason}; try again "
                                    "later or use another copy (NUMPYMEM_DATA, NUMPYMEM_BABI_URL)")
            return copied(url, answer, file)
    except (requests.RequestException, HTTPError) as error:
        raise DownloadError(f"{url}: cannot download ({type(error).__name__}: {error}). Offline? Give the files by "
                            "NUMPYMEM_DATA, or set NUMPYMEM_OFFLINE=1 to skip the attempt") from error


def copied(url, answer, file):
    """Write the body of an answer, piece by piece as it comes -> its SHA-256."""
    read = getattr(answer.raw, "read1", answer.raw.read)         # read1 gives what is there; the older read waits for a whole piece
    told = answer.headers.get("Content-Length", "")
    size, hashed, started = 0, hashlib.sha256(), time.monotonic()
    while piece := read(PIECE):
        size += len(piece)
        if size > LARGEST:
            raise DownloadError(f"{url}: expected at most {LARGEST:,} bytes, the server sends more; the download was deleted")
        if time.monotonic() - started > SECONDS:
            raise DownloadError(f"{url}: not done after {SECONDS} s ({size:,} bytes); the download was deleted, try again later or "
                                "use another copy (NUMPYMEM_DATA, NUMPYMEM_BABI_URL)")
        hashed.update(piece)
        file.write(piece)
    if told.isdecimal() and size < int(told):
        raise DownloadError(f"{url}: the transfer stopped after {size:,} of {int(told):,} bytes; the download was deleted, "
                            "try again")
    return hashed.hexdigest()


def discard_left_over(path):
    """Delete what killed processes have left of this file."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        try:
            if time.time() - part.stat().st_mtime > LEFT_OVER:
                part.unlink()
        except OSError:                           # somebody else was quicker, or it is not ours to delete
            pass


def discard(part):
    """Delete a file that may not be there, or whose folder is none."""
    try:
        part.unlink(missing_ok=True)
    except OSError:
        pass
