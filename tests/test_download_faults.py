"""Downloads that go wrong, against a real HTTP server on this machine: each leaves the cache as it was, and one clear line."""

import hashlib
import os
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from numpymem.data import download, transfer

NAME = "en/good.txt"
CONTENT = b"1 Mary went to the office.\n2 Where is Mary? \toffice\t1\n" * 3000          # more than one piece
HALF = len(CONTENT) // 2


class Handler(BaseHTTPRequestHandler):
    """Answers as `server.way` says."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked += 1
        WAYS[self.server.way](self)
        self.close_connection = True

    def begin(self, length, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *args):
        """Keep the test output quiet."""


def whole(handler):
    handler.begin(len(CONTENT))
    handler.wfile.write(CONTENT)


def in_chunks(handler):
    handler.begin(None, Transfer_Encoding="chunked")
    for at in range(0, len(CONTENT), 10_000):
        piece = CONTENT[at:at + 10_000]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")


def chunks_that_end_early(handler):
    handler.begin(None, Transfer_Encoding="chunked")
    handler.wfile.write(b"%x\r\n%s\r\n" % (HALF, CONTENT[:HALF]))


def no_length(handler):
    handler.begin(None)
    handler.wfile.write(CONTENT[:HALF])


def truncated(handler):
    handler.begin(len(CONTENT))
    handler.wfile.write(CONTENT[:HALF])


def dropped(handler):
    """The line is reset in the middle of the answer."""
    handler.begin(len(CONTENT))
    handler.wfile.write(CONTENT[:HALF])
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def dropped_at_once(handler):
    handler.connection.close()


def stalls_at_once(handler):
    handler.server.stopped.wait(10)


def stalls(handler):
    handler.begin(len(CONTENT))
    handler.wfile.write(CONTENT[:HALF])
    handler.wfile.flush()
    handler.server.stopped.wait(10)


def drips(handler):
    """A byte now and then: never silent for long, never done."""
    handler.begin(len(CONTENT))
    try:
        for at in range(400):
            handler.wfile.write(CONTENT[at:at + 1])
            handler.wfile.flush()
            if handler.server.stopped.wait(0.05):
                return
    except OSError:                               # nobody listens any more
        pass


def corrupted(handler):
    handler.begin(len(CONTENT))
    handler.wfile.write(CONTENT[:HALF] + b"\x00" + CONTENT[HALF + 1:])


def never_ends(handler):
    handler.begin(None)
    try:
        while not handler.server.stopped.is_set():
            handler.wfile.write(bytes(1 << 16))
    except OSError:
        pass


def too_long(handler):
    handler.begin(len(CONTENT) + 4)
    handler.wfile.write(CONTENT + b"more")


def no_http(handler):
    handler.wfile.write(b"hello\r\n\r\n")


def answers(status):
    def answer(handler):
        handler.begin(5, status)
        handler.wfile.write(b"sorry")
    return answer


def elsewhere(handler):
    """A redirection to itself, for ever."""
    handler.begin(0, 302, Location=handler.path)


WAYS = {function.__name__: function for function in (whole, in_chunks, chunks_that_end_early, no_length, truncated, dropped,
        dropped_at_once, stalls_at_once, stalls, drips, corrupted, never_ends, too_long, no_http, elsewhere)} | {
    str(status): answers(status) for status in (404, 403, 500, 503, 206)}
FAILS = {
    "chunks_that_end_early": "cannot download", "no_length": "wrong checksum",
    "truncated": f"{HALF:,} of {len(CONTENT):,} bytes|cannot",
    "dropped": "cannot download", "dropped_at_once": "cannot download", "stalls_at_once": "cannot download.*timed out",
    "stalls": "cannot download.*timed out", "drips": "not done after 0.5 s", "corrupted": "wrong checksum",
    "never_ends": "at most 1,000,000 bytes", "too_long": "wrong checksum", "no_http": "cannot download",
    "elsewhere": "cannot download",
    "404": "not found", "403": "the server refused: 403 Forbidden", "500": "the server refused: 500 Internal Server Error",
    "503": "the server refused: 503", "206": "the server refused: 206",
}


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.way, server.asked, server.stopped = "whole", 0, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path, server):
    """An empty cache, one known file, little patience."""
    monkeypatch.setattr(download, "checksums", lambda: {NAME: hashlib.sha256(CONTENT).hexdigest()})
    for name, value in {"READ_SECONDS": 0.3, "SECONDS": 0.5, "LARGEST": 1_000_000}.items():
        monkeypatch.setattr(transfer, name, value)
    monkeypatch.setenv("NUMPYMEM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("NUMPYMEM_OFFLINE", raising=False)
    monkeypatch.setenv("NUMPYMEM_BABI_URL", f"http://127.0.0.1:{server.server_port}/")


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("way", ["whole", "in_chunks"])
def test_a_good_answer_is_kept(server, way, tmp_path):
    server.way = way
    path = download.fetch(NAME)
    assert path.read_bytes() == CONTENT and files_in(tmp_path) == [path]


@pytest.mark.parametrize("way", FAILS)
def test_a_bad_answer_is_one_line_and_leaves_nothing(server, way, tmp_path):
    server.way = way
    started = time.monotonic()
    with pytest.raises(download.DownloadError, match=FAILS[way]) as caught:
        download.fetch(NAME)
    said = str(caught.value)
    assert "good.txt" in said and len(said.splitlines()) == 1
    assert way == "404" or "NUMPYMEM_DATA" in said or "try again" in said or "deleted" in said
    assert files_in(tmp_path) == [] and time.monotonic() - started < 8
    server.way = "whole"                          # and then all is well again
    assert download.fetch(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("way", ["corrupted", "dropped", "500"])
def test_a_damaged_file_in_the_cache_is_never_used(server, way, tmp_path):
    path = tmp_path / "cache/babi-v1.2" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1])
    server.way = way
    with pytest.raises(download.DownloadError):
        download.fetch(NAME)
    assert server.asked and files_in(tmp_path) == []


def test_what_a_killed_process_left_is_deleted_and_what_another_writes_is_not(tmp_path):
    folder = tmp_path / "cache/babi-v1.2/en"
    folder.mkdir(parents=True)
    old, new, other = (folder / f".{name}.part" for name in ("good.txt.1-1", "good.txt.2-1", "better.txt.1-1"))
    for part in (old, new, other):
        part.write_bytes(CONTENT[:100])
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    path = download.fetch(NAME)
    assert sorted(files_in(tmp_path)) == sorted([path, new, other]) and path.read_bytes() == CONTENT


def test_many_at_once_get_the_same_file(server, tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(download.fetch(NAME).read_bytes())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 6 and len(files_in(tmp_path)) == 1


@pytest.mark.parametrize("blocked", ["cache", "cache/babi-v1.2", "cache/babi-v1.2/en"])
def test_a_cache_that_cannot_be_written_says_so(blocked, tmp_path):
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_text("a file in the way")
    with pytest.raises(download.DownloadError, match="good.txt: cannot be written .*NUMPYMEM_CACHE"):
        download.fetch(NAME)


def test_a_full_disk_says_so(monkeypatch, tmp_path):
    def full(url, file):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(transfer, "receive", full)
    with pytest.raises(download.DownloadError, match="cannot be written .*No space left on device.*NUMPYMEM_CACHE"):
        download.fetch(NAME)
    assert files_in(tmp_path) == []


def test_an_unknown_host_is_one_line(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_BABI_URL", "http://no-such-host.invalid/")
    with pytest.raises(download.DownloadError, match="cannot download.*Offline.*NUMPYMEM_DATA") as caught:
        download.fetch(NAME)
    assert len(str(caught.value).splitlines()) == 1
