"""Broken and hostile input: a few hundred cases of `make fuzz`, its committed result, and what it found in archives and parsers."""

import gzip
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import numpy as np
import pytest
from fuzz import damage, hostile
from fuzz.readers import spec_content
from fuzz.table import table

from numpymem.data import archives, babi_format, metaqa_format

HERE = pathlib.Path(__file__).parent


# ---- the fuzzer ----------------------------------------------------------------------------------------------------------

def test_some_hundred_broken_inputs_end_well():
    """In a process of its own: its audit hook stays until the end of the process."""
    done = subprocess.run([sys.executable, "-W", "error::RuntimeWarning", str(HERE / "fuzz"), "--count", "400", "--seed", "1",
                           "--json"],
                          capture_output=True, text=True, cwd=HERE.parent, check=False)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["troubles"] == [] and done.returncode == 0
    assert told["inputs"] == told["accepted"] + told["refused"] > 350
    assert all(reader["refused"] for reader in told["readers"].values())
    assert all(reader["accepted"] for name, reader in told["readers"].items() if name != "MetaQA archives")


def test_where_nothing_has_been_imported_yet_is_no_trouble(tmp_path):
    """As in a new checkout: Python keeps what it compiles of a module, also of one that a reader is the first to import."""
    done = subprocess.run([sys.executable, str(HERE / "fuzz"), "--count", "400", "--seed", "1", "--only", "sweep specs", "--json"],
                          capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""})
    assert done.stdout, done.stderr
    assert json.loads(done.stdout)["troubles"] == []


def test_the_committed_result_is_whole():
    told = json.loads((HERE / "results/fuzz.json").read_text(encoding="utf-8"))
    assert told["inputs"] >= 10_000 and told["troubles"] == [] and told["command"].startswith("python tests/fuzz --count ")
    for key in ("inputs", "accepted", "refused"):
        assert told[key] == sum(reader[key] for reader in told["readers"].values())
        assert all(reader[key] == sum(kind[key] for kind in reader["kinds"].values()) for reader in told["readers"].values())
    assert told["inputs"] == told["accepted"] + told["refused"]
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    assert f"`make fuzz` tries it with {told['inputs']:,} broken and hostile inputs" in readme
    assert max(map(len, table(told).splitlines())) <= 80


GUARD = """
import os, pathlib, pickle, subprocess, sys, tempfile
sys.path[:0] = [{tests!r}, {root!r}]
from fuzz.guard import Guard
from fuzz.hostile import Evil
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "in").mkdir()
evil = pickle.dumps(Evil(folder / "in/unpickled"))
def does(what):
    with Guard(folder / "in") as seen:
        try:
            what()
        except Exception:
            pass
    return seen
good = [lambda: (folder / "in/x").write_text("x"), lambda: open(folder / "in/x").read(), lambda: __import__("colorsys"), lambda: 1]
bad = [lambda: (folder / "x").write_text("x"), lambda: (folder / "in/../y").mkdir(), lambda: pickle.loads(evil), lambda: eval("1"),
       lambda: exec("1"), lambda: compile("1", "x", "eval"), lambda: subprocess.run(["true"]), lambda: os.system("true"),
       lambda: os.symlink("/", folder / "z"), lambda: (folder / "x").unlink()]
print([bool(does(what)) for what in good], [bool(does(what)) for what in bad], (folder / "in/unpickled").exists())
"""


def test_the_guard_notices_what_it_is_there_for():
    code = GUARD.format(tests=str(HERE), root=str(HERE.parent))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{[False] * 4} {[True] * 10} True"          # the pickle does make its folder, if unpickled


@pytest.mark.parametrize("kind", [*damage.TEXT, *damage.JSON])
def test_every_kind_of_damage_does_something(kind):
    rng = np.random.default_rng(0)
    text, value = b"1 Mary went home.\n2 Where is Mary?\thome\t1\n" * 20, spec_content()
    how, content = (damage.TEXT[kind], text) if kind in damage.TEXT else (damage.JSON[kind], value)
    assert (kind == damage.NONE) == all(how(rng, content) == content for _ in range(5))


# ---- archives ------------------------------------------------------------------------------------------------------------

def archive(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE], ids=["member", "name", "header"])
def test_an_archive_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path, kind):
    header = tarfile.TarInfo("x/a.txt")
    header.size, header.type = 3 << 30, kind
    zeros = gzip.compress(bytes(70 << 20), compresslevel=1)         # not gigabytes, but enough to be refused
    path = archive(tmp_path / "bomb.tar.gz", gzip.compress(header.tobuf(tarfile.GNU_FORMAT)) + zeros)
    with pytest.raises(ValueError, match=r"bomb\.tar\.gz: expected .* at most 64,000,000 bytes, found (.*3,221,225,|a longer one)"):
        archives.read_archive(path, ["x/a.txt"])


def test_what_is_read_in_pieces_is_counted(monkeypatch):
    """As the tarfile of Python 3.14 reads names. What is passed over does not count, nor what is read after that."""
    monkeypatch.setattr(archives, "MAX_BYTES", 3_000)
    monkeypatch.setattr(archives, "CHUNK", 1_000)
    unpacked = archives.Unpacked(io.BytesIO(bytes(20_000)))
    for start in (0, 9_000):
        unpacked.seek(start)
        assert [len(unpacked.read(1_000)) for _ in range(4)] == [1_000] * 4
    with pytest.raises(archives.TooLarge, match="at most 3,000 bytes, found a longer one"):
        unpacked.read(1_000)


def test_the_members_of_an_archive_are_counted(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.tar", hostile.tar({f"{number}": b"x" * 600 for number in range(30)}))
    monkeypatch.setattr(archives, "MAX_MEMBERS", 20)
    with pytest.raises(ValueError, match="a.tar: expected at most 20 members"):
        archives.read_archive(path, ["missing"])
    monkeypatch.setattr(archives, "MAX_MEMBERS", 40)
    assert archives.read_archive(path, ["missing"]) is None
    monkeypatch.setattr(archives, "MAX_TOTAL", 8_000)
    with pytest.raises(ValueError, match="a.tar: expected at most 8,000 bytes in all"):
        archives.read_archive(path, ["missing"])


def test_a_header_that_points_backwards_ends(tmp_path):
    data = bytearray(hostile.tar({"a": b"x" * 600, "b": b"y"}))
    data[124:136] = b"\xff" * 10 + b"\xf0\x00"                              # the size: -4096
    data[148:156] = b"%06o\0 " % sum(data[:148] + b" " * 8 + data[156:512])
    with pytest.raises(ValueError, match="a.tar: expected"):
        archives.read_archive(archive(tmp_path / "a.tar", bytes(data)), ["b"])


@pytest.mark.parametrize("packing", hostile.PACK)
def test_every_packing_is_read_and_names_outside_are_only_names(tmp_path, packing, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = hostile.PACK[packing](hostile.tar({"../../../x/a.txt": b"a", "/x/b.txt": b"b"}))
    assert archives.read_archive(archive(tmp_path / "some.bin", data), ["x/b.txt", "x/a.txt"]) == {"x/b.txt": b"b", "x/a.txt": b"a"}
    assert [path.name for path in tmp_path.iterdir()] == ["some.bin"]


def test_no_archive_at_all_is_one_line(tmp_path):
    with pytest.raises(ValueError) as caught:
        archives.read_archive(archive(tmp_path / "a.tar.gz", b"no archive"), ["x"])
    assert str(caught.value).isprintable()


# ---- parsers -------------------------------------------------------------------------------------------------------------

def test_a_mistake_in_a_file_of_facts_is_found_by_its_line():
    for content, line in ((b"0\t0\t1\n0\t0\n", 2), (b"0\t0\t9\n", 1), (b"0\t0\t1\n0\t0\t-1\n", 2), (b"1\t0\t" + b"9" * 40, 1),
                          ("0\t0\t\u0661\u0661".encode(), 1)):
        with pytest.raises(ValueError, match=f"kb, line {line}: expected numbers of 2 entities and 1 relations"):
            metaqa_format.parse_facts(content, "kb", 2, 1)


def test_a_mark_at_the_start_of_a_file_is_left_out():
    assert metaqa_format.parse_names(b"\xef\xbb\xbfa\r\nb\r\n", "n") == ["a", "b"]


def test_an_id_of_many_digits_is_no_id():
    for line in (b"9" * 5000 + b" Mary went home.", b"1 Mary went home.\n2 Where is Mary?\thome\t" + b"1" * 5000):
        with pytest.raises(ValueError, match="q, line .: expected"):
            babi_format.parse(line, "q")


def test_a_very_long_line_is_not_said_whole():
    for parse in (lambda text: metaqa_format.parse_questions(text, "q", {}), lambda text: babi_format.parse(text, "q")):
        with pytest.raises(ValueError) as caught:
            parse(b"1 who?\ta\t" + b"x" * 100_000)
        assert len(str(caught.value)) < 300
