"""The download of single files, against a real HTTP server on this machine."""

import hashlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from numpymem.data import babi, download

NAME = "en/good.txt"
CONTENT = b"1 Mary went to the office.\n2 Where is Mary? \toffice\t1\n"
FILES = {"/copy/en/good.txt": CONTENT, "/copy/en/damaged.txt": b"something else"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = FILES.get(self.path)
        self.send_response(200 if content else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args):
        """Keep the test output quiet."""


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """An empty cache, three known files, no proxy, network allowed, and by default a server that is down."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    known = {NAME: digest, "en/damaged.txt": digest, "en/missing.txt": digest}
    monkeypatch.setattr(download, "checksums", lambda: known)
    monkeypatch.setenv("NUMPYMEM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("NUMPYMEM_OFFLINE", raising=False)
    monkeypatch.setenv("NUMPYMEM_BABI_URL", closed_address())


def closed_address():
    """An address on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def use(server, monkeypatch):
    monkeypatch.setenv("NUMPYMEM_BABI_URL", address(server))


def address(server):
    return f"http://127.0.0.1:{server.server_port}/copy/"


def files_in_cache(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_good_file_is_downloaded_once(server, monkeypatch, tmp_path, capsys):
    use(server, monkeypatch)
    path = download.fetch(NAME)
    assert path.read_bytes() == CONTENT
    said = capsys.readouterr().err
    assert f"{address(server)}{NAME}" in said and str(path) in said
    assert download.fetch(NAME) == path
    assert server.asked == ["/copy/en/good.txt"]
    assert files_in_cache(tmp_path) == [path]


def test_a_damaged_file_is_deleted_and_named(server, monkeypatch, tmp_path):
    use(server, monkeypatch)
    with pytest.raises(download.DownloadError, match=r"damaged\.txt: wrong checksum"):
        download.fetch("en/damaged.txt")
    assert files_in_cache(tmp_path) == []


def test_a_file_damaged_in_the_cache_is_downloaded_again(server, monkeypatch):
    use(server, monkeypatch)
    path = download.fetch(NAME)
    path.write_bytes(CONTENT + b"3 One line too many.\n")
    assert download.fetch(NAME).read_bytes() == CONTENT


def test_a_missing_file_says_where_it_was_looked_for(server, monkeypatch, tmp_path):
    use(server, monkeypatch)
    with pytest.raises(download.DownloadError, match=rf"missing\.txt: not found.*{re.escape(address(server))}"):
        download.fetch("en/missing.txt")
    assert files_in_cache(tmp_path) == []


def test_the_second_address_is_asked_when_the_first_has_no_such_file(server, monkeypatch):
    first = f"http://127.0.0.1:{server.server_port}/nothing/"
    monkeypatch.setattr(download, "base_urls", lambda: (first, address(server)))
    assert download.fetch(NAME).read_bytes() == CONTENT
    assert server.asked == ["/nothing/en/good.txt", "/copy/en/good.txt"]


def test_a_server_that_is_down_is_tried_once(tmp_path):
    with pytest.raises(download.DownloadError, match="cannot download.*NUMPYMEM_DATA"):
        download.fetch(NAME)
    assert files_in_cache(tmp_path) == []


def test_offline_asks_nobody_but_uses_the_cache(server, monkeypatch):
    use(server, monkeypatch)
    path = download.fetch(NAME)
    monkeypatch.setenv("NUMPYMEM_OFFLINE", "1")
    assert download.fetch(NAME) == path
    path.unlink()
    with pytest.raises(download.DownloadError, match="NUMPYMEM_OFFLINE"):
        download.fetch(NAME)
    assert len(server.asked) == 1


def test_names_that_are_not_in_the_list_are_refused():
    for name in ("en/other.txt", "../en/good.txt", "/etc/hosts"):
        with pytest.raises(ValueError, match="relative_path"):
            download.fetch(name)


def test_an_address_that_is_no_web_address_is_refused(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_BABI_URL", "ftp://127.0.0.1/")
    with pytest.raises(ValueError, match="NUMPYMEM_BABI_URL"):
        download.fetch(NAME)


@pytest.fixture
def no_local_data(monkeypatch):
    monkeypatch.setattr(babi, "search_places", lambda folder=None: [])
    names = [name for size in ("1k", "10k") for task in (1, 3) for name in babi.file_names(task, size)]
    known = dict.fromkeys(names, hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(download, "checksums", lambda: known)
    monkeypatch.setattr(babi, "checksums", lambda: known)


def test_load_downloads_training_and_test_file(no_local_data, server, monkeypatch):
    use(server, monkeypatch)
    for name in babi.file_names(1, "1k"):
        monkeypatch.setitem(FILES, f"/copy/{name}", CONTENT)
    loaded = babi.load(1)
    assert loaded.train == loaded.test and len(loaded.train) == 1
    assert "downloaded (checksums verified)" in loaded.origin
    assert len(server.asked) == 2


def test_without_data_and_network_auto_generates_and_says_so(no_local_data):
    loaded = babi.load(1)
    assert loaded.origin.startswith("GENERATED bAbI-like data, task 1 (1,000 + 1,000 questions): no real data found")
    assert "not comparable" in loaded.origin


def test_without_data_and_network_the_error_says_what_to_do(no_local_data):
    with pytest.raises(FileNotFoundError, match=r"(?s)no real bAbI data for task 3, .*NUMPYMEM_DATA.* source=generated"):
        babi.load(3, source="real")


def test_checksums_of_79_files_are_listed():
    text = (babi.Path(download.__file__).with_name("babi_sha256.txt")).read_text(encoding="ascii")
    names = re.findall(r"^[0-9a-f]{64}  (\S+)$", text, flags=re.MULTILINE)
    expected = {name for size in ("1k", "10k") for task in babi.TASKS for name in babi.file_names(task, size)}
    assert set(names) == expected - {babi.MISSING} and len(names) == 79
