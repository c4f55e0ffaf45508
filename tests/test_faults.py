"""The study of faults on purpose (tests/faults): its committed results, a few kills of it here, and that it would notice."""

import json
import os
import pathlib
import shlex
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
pytest.importorskip("fcntl")                      # the study is for systems that fork and lock
from faults import __main__ as study  # noqa: E402
from faults import downloads, found, runs, surroundings  # noqa: E402

import numpymem  # noqa: E402

PARTS = json.loads(study.RESULT.read_text())["parts"]
CASES = PARTS["surroundings"]["found"]                # of those that are no kills
WORKS = list(runs.WORKS)
REMAINING = {}                                    # failures that are known: "part, work: words" -> why


# ---- the committed results ----------------------------------------------------------------------------------------------------

def test_the_committed_study_is_whole():
    assert set(PARTS) == set(study.NAMES)
    kills = {name: sum(one["kills"] for one in PARTS[name]["found"]) for name in study.KILLS}
    assert all(kills[name] >= study.KILLS[name] for name in kills) and sum(kills.values()) >= 100
    assert [one["case"] for one in CASES] == list(surroundings.CASES)
    assert [one["work"] for one in PARTS["training"]["found"]] == WORKS
    for part in PARTS.values():
        assert part["command"].startswith("python -m tests.faults") and part["seconds"] > 0
        assert study.read(shlex.split(part["command"])[3:]).seed == part["seed"]


def test_what_is_left_of_failures_is_named():
    assert set(study.failures(PARTS)) == set(REMAINING)


def test_at_most_the_work_since_the_last_checkpoint_is_lost():
    counted = [one for name in ("training", "checkpoint") for one in PARTS[name]["found"]]
    assert counted and all(0 <= one["lost"] <= one["allowed"] for one in counted)
    assert max(one["lost"] / one["allowed"] for one in counted) > 0.5                     # some kill came at a bad moment
    assert sum(one["inside"] for one in PARTS["checkpoint"]["found"]) >= study.KILLS["checkpoint"] // 2


def test_every_case_says_something_short_and_clear():
    for one in CASES:
        assert one["how"] and not one["how"].startswith("not to be had")
        assert one["said"] or one["case"] in ("three processes compile", "two sweeps in one folder")
        assert all("\n" not in line and "Traceback" not in line and "Errno" not in line.partition("(")[0] for line in one["said"])


def test_nothing_in_the_results_is_of_one_machine():
    text = study.RESULT.read_text()
    assert not [path for path in ("/tmp", "/root", "/work", "/home/", os.sep + "Users") if path in text]
    assert study.text(json.loads(text)) == text


def test_the_table_fits_80_columns():
    table = study.table(PARTS)
    assert max(map(len, table.splitlines())) <= 80
    assert f"{sum(one['kills'] for name in study.KILLS for one in PARTS[name]['found']):>6}" in table and "0 failures" in table


# ---- a few kills here -------------------------------------------------------------------------------------------------------

SHORT = {"short": ("ntm", "copy", (*runs.SMALL, "eval_every=16", "sequences=96"))}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(runs, "WORKS", SHORT)
    with numpymem.numpy_only():
        yield


@pytest.mark.parametrize("moment", [runs.random_moment, runs.moment_of_a_write])
def test_killed_runs_go_on_with_the_same_numbers(tmp_path, moment):
    one = runs.killed_runs("short", 3, np.random.default_rng(0), tmp_path, lambda found: None, moment)
    assert one.kills == 3 and one.failures == {} and one.lost <= one.allowed == 16


def test_a_killed_download_is_whole_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "SECONDS", 0.05)
    one, = downloads.kill_downloads(3, np.random.default_rng(0), tmp_path, lambda found: None)
    assert one.kills == 3 and one.failures == {}


# ---- would it notice? -------------------------------------------------------------------------------------------------------

@pytest.fixture
def run(tmp_path):
    runs.begin("short", tmp_path / "r").run(32, progress=False)
    return tmp_path / "r"


@pytest.mark.parametrize("name", ["checkpoint.npz", "config.json"])
def test_half_a_file_is_noticed(run, name):
    assert runs.damage(run) == ([], 0)
    (run / name).write_bytes((run / name).read_bytes()[:-9])
    (wrong,), _ = runs.damage(run)
    assert name in wrong


def test_files_under_other_names_are_noticed(run):
    (run / ".checkpoint.npz.12.part").touch()
    (run / "checkpoint.npz~").touch()
    assert runs.damage(run) == (["a file checkpoint.npz~"], 1)


def test_lost_work_and_other_numbers_are_noticed(run):
    one = found.Found("short")
    runs.look(one, run, 48, every=16)
    runs.compare(one, run, runs.told(run))
    assert one.failures == {} and one.lost == 16
    runs.look(one, run, 49, every=16)
    lines, arrays, facts = runs.told(run)
    runs.compare(one, run, ([line | {"train_loss": 0} for line in lines], arrays, facts))
    runs.compare(one, run, (lines, arrays | {"params/W_x": b""}, facts))
    assert one.failures == {"17 sequences lost": 1, "other numbers than the uninterrupted run": 2} and one.lost == 17


def test_a_command_that_says_too_much_or_the_wrong_thing_is_noticed(tmp_path, monkeypatch):
    def ends(code, err):
        monkeypatch.setattr(surroundings, "finish", lambda process: (code, "", err))
        monkeypatch.setattr(surroundings, "start", lambda *args, **settings: None)
        return surroundings.meet(lambda folder, said: surroundings.command(folder, "train", code=2, words=("full",), said=said),
                                 tmp_path / str(len(list(tmp_path.iterdir()))))
    right = ends(2, "5 %\rpython -m numpymem train: the disk is full\n")
    assert right["failures"] == [] and right["said"] == ["python -m numpymem train: the disk is full"]
    for code, err in ((0, ""), (2, "Traceback\npython -m numpymem train: full"), (2, "full"), (2, "python -m numpymem train: ?"),
                      (2, "python -m numpymem train: full\npython -m numpymem train: full")):
        assert len(ends(code, err)["failures"]) == 1, err
