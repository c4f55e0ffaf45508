"""Compiled code on disk: what is damaged or for other types is compiled again, and what cannot be kept is used all the same."""

import errno
import os
import threading
import types

import numpy as np
import pytest
from kernel_tools import needs_numba

from numpymem import kept_code, kernel, writing

F32, F64 = "float32 types", "float64 types"


def code(*args):
    return types.SimpleNamespace(signature=types.SimpleNamespace(args=args))


class Cache:
    """As much of numba's as is guarded; it does what it is told to."""

    def __init__(self, path):
        self.cache_path, self.flushed, self.does = str(path), 0, None

    def load_overload(self, signature, context):
        return self.act()

    def save_overload(self, signature, data):
        self.act()

    def flush(self):
        self.flushed += 1

    def act(self):
        if isinstance(self.does, Exception):
            raise self.does
        return self.does


@pytest.fixture
def guarded(tmp_path):
    cache, said = Cache(tmp_path / "ntm_01"), []
    assert kept_code.guard(types.SimpleNamespace(_cache=cache), tmp_path, said.append) is None
    return cache, said


def test_only_code_for_the_types_that_were_asked_for_is_loaded(guarded):
    cache, _ = guarded
    for cache.does, expected in ((code(F32), True), (code(F64), False), (code(F32, F32), False), (None, False)):
        assert (cache.load_overload((F32,), None) is not None) == expected
    assert cache.flushed == 0


@pytest.mark.parametrize("error", [EOFError(), ValueError("pickle"), RuntimeError("bitcode"), OSError("disk")], ids=repr)
def test_a_damaged_file_is_taken_out_of_the_index(guarded, error):
    cache, _ = guarded
    cache.does = error
    assert cache.load_overload((F32,), None) is None and cache.flushed == 1


def test_where_there_is_no_room_code_is_used_all_the_same(guarded):
    cache, said = guarded
    cache.does = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    cache.save_overload((F32,), None)
    assert len(said) == 1 and "No space left" in said[0]


def test_one_process_at_a_time_writes(guarded, tmp_path, monkeypatch):
    cache, refused = guarded[0], []

    def ask():
        try:
            with writing.alone(tmp_path):
                pass
        except writing.InUse as error:
            refused.append(error)

    def act():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    monkeypatch.setattr(cache, "act", act)
    cache.save_overload((F32,), None)
    assert len(refused) == 1
    act()
    assert len(refused) == 1


def test_what_a_killed_process_left_half_written_is_cleared(guarded, tmp_path):
    cache, _ = guarded
    (tmp_path / "ntm_01").mkdir()
    for name in ("k.f-1.py311.nbi", "k.f-1.py311.1.nbc", "k.f-1.py311.1.nbc.tmp.0123456789abcdef", "k.f-1.py311.nbi.tmp.0123"):
        (tmp_path / "ntm_01" / name).touch()
    cache.save_overload((F32,), None)
    assert sorted(path.name for path in (tmp_path / "ntm_01").iterdir()) == ["k.f-1.py311.1.nbc", "k.f-1.py311.nbi"]


def test_a_place_that_numba_chose_itself_is_refused(tmp_path):
    """Where the folder is not writable numba takes __pycache__, in which nothing notices an edit of another file."""
    elsewhere = types.SimpleNamespace(_cache=Cache(tmp_path / "__pycache__"))
    assert "not writable" in kept_code.guard(elsewhere, tmp_path / "kernels", None)


def double(x):
    return x + x


@needs_numba
def test_numba_itself(tmp_path, monkeypatch):
    """A real function: kept, found, damaged, compiled again, found again."""
    monkeypatch.setattr(kernel, "cache_folder", lambda: tmp_path)
    x = np.ones(2, np.float32)

    def hits():
        made = kernel.compile_loop()(double)
        assert (made(x) == 2).all()
        return sum(made.stats.cache_hits.values())
    assert [hits(), hits()] == [0, 1]
    for ending in ("nbc", "nbi"):
        path, = tmp_path.glob(f"*/*.{ending}")
        path.write_bytes(path.read_bytes()[:20])
        assert [hits(), hits()] == [0, 1], ending


@needs_numba
def test_where_nothing_can_be_kept_the_code_is_compiled_and_a_line_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setattr(kernel, "cache_folder", lambda: tmp_path / "file/kernels")
    monkeypatch.setattr(kernel, "_said", set())
    for _ in range(2):
        assert kernel.compile_loop()(double)(1.5) == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "compiled code cannot be kept (" in said[0] and "set NUMPYMEM_CACHE" in said[0]
