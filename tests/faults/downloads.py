"""kill -9 of a download, from a real HTTP server on this machine that takes its time."""

import contextlib
import hashlib
import os
import signal
import socket
import time

from numpymem.data import download

from . import forks
from .found import Found

NAME, PIECES = "en/qa1.txt", 40
PIECE = bytes(range(256)) * 20
CONTENT = PIECE * PIECES
SECONDS = 0.2                                     # that the server takes for the file


def serve(listener):
    """Answer every request with the file, in pieces."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        peer, _ = listener.accept()
        if os.fork():
            peer.close()
            continue
        try:
            peer.recv(65536)
            peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\nConnection: close\r\n\r\n".encode())
            for _ in range(PIECES):
                peer.sendall(PIECE)
                time.sleep(SECONDS / PIECES)
        except OSError:
            pass                                  # whom we served was killed
        finally:
            os._exit(0)


@contextlib.contextmanager
def served():
    """A server in a process of its own -> the environment in which downloads come from it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = forks.fork(lambda: serve(listener))
        try:
            yield {"NUMPYMEM_BABI_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/", "NO_PROXY": "127.0.0.1",
                   "no_proxy": "127.0.0.1"}
        finally:
            forks.was_killed(server)


def kill_downloads(kills, rng, folder, tell):
    """Downloads that are killed at random moments, and asked for again -> [Found]."""
    found = Found("a file of 200 KiB")
    found.allowed = "the file in question"
    with served() as settings:
        while found.kills < kills:
            killed_download(found, kills, rng, folder / f"d{found.runs}", settings)
            tell(found)
    return [found]


def killed_download(found, kills, rng, cache, settings):
    """One cache: killed up to five times, then left in peace."""
    found.runs += 1

    def fetch():
        os.environ |= settings | {"NUMPYMEM_CACHE": str(cache)}
        os.environ.pop("NUMPYMEM_OFFLINE", None)
        download.checksums = lambda: {NAME: hashlib.sha256(CONTENT).hexdigest()}
        if download.fetch(NAME).read_bytes() != CONTENT:
            raise AssertionError("another content")
    for _ in range(5):
        if found.kills >= kills or not forks.kill_after(forks.fork(fetch), rng.uniform(0, 1.5 * SECONDS)):
            break
        found.kills += 1
        parts = others(cache)
        found.inside += bool(parts)
        found.parts += len(parts)
        path = cache / "babi-v1.2" / NAME
        if path.exists() and path.read_bytes() != CONTENT:
            found.fail("half a file under its own name")
    try:
        forks.run(fetch)
    except AssertionError as error:
        found.fail(f"after a kill the download fails: {error}")
    found.left += len(others(cache))


def others(cache):
    """Files of the cache under other names."""
    return [path for path in cache.rglob("*") if path.is_file() and path.name != "qa1.txt"]
