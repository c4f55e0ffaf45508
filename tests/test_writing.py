"""Files are whole at any moment, also when a process is killed or the disk is full; and a folder is worked in by one at a time."""

import errno
import os
import pathlib
import signal
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from faults import forks  # noqa: E402

from numpymem import writing  # noqa: E402

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@forking
@pytest.mark.parametrize("owner, name, after, left", [
    (pathlib.Path, "write_text", False, "old"), (pathlib.Path, "write_text", True, "old"), (os, "fsync", False, "old"),
    (os, "replace", False, "old"), (os, "replace", True, "new")])
def test_killed_at_any_step_of_a_write(tmp_path, owner, name, after, left):
    path = tmp_path / "a.txt"
    writing.write_text(path, "old")

    def write():
        forks.die_at(owner, name, after)
        writing.write_text(path, "new")
    assert forks.end_of(forks.fork(write)) == -signal.SIGKILL
    assert path.read_text() == left
    with writing.alone(tmp_path):                  # whoever works there next clears up
        assert sorted(found.name for found in tmp_path.iterdir()) == [".lock", "a.txt"]


def test_only_parts_are_cleared(tmp_path):
    names = [".lock", ".hidden", "part", ".a.part", "a.1.part", ".a.txt.x.part"]
    for name in [*names, ".checkpoint.npz.123.part"]:
        (tmp_path / name).touch()
    with writing.alone(tmp_path):
        assert sorted(found.name for found in tmp_path.iterdir()) == sorted(names)


def test_where_others_may_be_at_work_only_old_parts_are_cleared(tmp_path):
    for name, age in ((".a.1.part", 30), (".b.2.part", 90), ("c", 90)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    writing.clear_parts(tmp_path, writing.LEFT)
    assert sorted(found.name for found in tmp_path.iterdir()) == [".a.1.part", "c"]


@pytest.mark.parametrize("number, words", [
    (errno.ENOSPC, "No space left on device; make room there and try again"), (errno.EFBIG, "make room"),
    (errno.EROFS, "Read-only file system; name a place that you may write to"), (errno.EIO, "Input/output error$")])
def test_an_error_names_the_file_and_says_what_to_do(tmp_path, number, words):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(writing.CannotWrite, match=f"a.txt: cannot be written: .*{words}"):
        with writing.whole(tmp_path / "a.txt") as part:
            part.write_text("half")
            raise OSError(number, os.strerror(number), "elsewhere")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(writing.CannotWrite, match="file/r: cannot be written: Not a directory"):
        writing.make_folder(tmp_path / "file/r")


# ---- one at a time ----------------------------------------------------------------------------------------------------------

@forking
def test_a_second_process_is_refused_and_the_lock_of_a_killed_one_is_not_in_the_way(tmp_path):
    def work(ready):
        with writing.alone(tmp_path):
            ready()
            signal.pause()
    other = forks.fork_and_wait(work)
    with pytest.raises(writing.InUse, match=rf"another process \({other}\) is writing there; wait until"), writing.alone(tmp_path):
        pass
    assert forks.was_killed(other)
    with writing.alone(tmp_path), writing.alone(tmp_path):                       # its own thread may ask again
        assert (tmp_path / ".lock").read_text().split() == [str(other), str(os.getpid())]


def test_another_thread_is_another_one(tmp_path):
    found = []

    def work():
        try:
            with writing.alone(tmp_path):
                pass
        except writing.InUse as error:
            found.append(error)
    thread = threading.Thread(target=work)
    with writing.alone(tmp_path):
        thread.start()
        thread.join()
    assert len(found) == 1
    work()
    assert len(found) == 1


def test_a_disk_without_locks_lets_everybody_in(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(*args):
        raise OSError(errno.ENOLCK, "No locks available")
    monkeypatch.setattr(fcntl, "flock", none)
    with writing.alone(tmp_path):
        pass


# ---- no home --------------------------------------------------------------------------------------------------------------

def old_pooch(name):
    return pathlib.Path("~/.cache", name)


def new_pooch(name):
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("os_cache", [old_pooch, new_pooch])
def test_without_a_home_no_folder_named_tilde_is_made(tmp_path, monkeypatch, os_cache):
    from numpymem import ahead, kernel
    from numpymem.data import download
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMPYMEM_CACHE", raising=False)
    monkeypatch.delenv("NUMPYMEM_OFFLINE", raising=False)
    monkeypatch.setattr(os.path, "expanduser", str)                          # as where nothing says whose process this is
    monkeypatch.setattr("pooch.os_cache", os_cache)
    kernel.cache_folder.cache_clear()
    try:
        assert writing.homeless(writing.cache()) and kernel.cannot_keep() == "no home directory is known"
        assert not ahead.has_backward("ntm")
        with pytest.raises(download.DownloadError, match="no home directory is known; set NUMPYMEM_CACHE"):
            download.fetch("en/qa1_single-supporting-fact_train.txt")
        assert list(tmp_path.iterdir()) == []
    finally:
        monkeypatch.undo()
        kernel.cache_folder.cache_clear()


def test_the_cache_is_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NUMPYMEM_CACHE", "~/kept")
    assert writing.cache() == tmp_path / "kept" and not writing.homeless("kept/~")
