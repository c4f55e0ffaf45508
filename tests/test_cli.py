"""The commands as a user types them: what they print, what they leave, how they refuse."""

import json
import os

import pytest

from numpymem import cli, runs
from numpymem.data import babi, download
from numpymem.training import RunFolder

SMALL = ["--set", "N=8", "--set", "W=4", "--set", "controller_size=6", "--set", "max_length=3", "--set", "eval_every=8",
         "--set", "eval_count=6"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    monkeypatch.setenv("NUMPYMEM_OFFLINE", "1")


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_train_leaves_a_run_folder_and_eval_reads_it(tmp_path, capsys):
    assert run("train", "ntm", "copy", "--sequences", 16, "--batch", 4, "--run", "r", *SMALL) == 0
    assert "after 16 sequences" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "r").iterdir()} == {".lock", "config.json", "metrics.jsonl", "checkpoint.npz",
                                                                 "curves.png"}
    assert len((tmp_path / "r/metrics.jsonl").read_text().splitlines()) == 2
    assert run("eval", "r", "--length", 2, 5, "--count", 4, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [line["length"] for line in found["lengths"]] == [2, 5]
    assert all(0 <= line["wrong_bits_percent"] <= 100 and line["bits_per_sequence"] > 0 for line in found["lengths"])


def test_resume_goes_on_with_the_settings_of_the_run(tmp_path, capsys):
    run("train", "ntm", "copy", "--sequences", 8, "--batch", 4, "--run", "r", *SMALL)
    assert run("train", "ntm", "copy", "--sequences", 16, "--run", "r", "--resume") == 0
    run("train", "ntm", "copy", "--sequences", 16, "--batch", 4, "--run", "whole", *SMALL)
    capsys.readouterr()
    lines = [[json.loads(line) for line in (tmp_path / run_ / "metrics.jsonl").read_text().splitlines()] for run_ in ("r", "whole")]
    assert len(lines[0]) == 2
    for one, other in zip(*lines):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_controllers(controller, tmp_path):
    assert run("train", "ntm", "copy", "--controller", controller, "--sequences", 4, "--batch", 4, "--run", "r", *SMALL) == 0
    assert json.loads((tmp_path / "r/config.json").read_text())["model_settings"]["controller"] == controller


@pytest.mark.parametrize("model", ["memn2n", "lstm", "ntm"])
def test_every_model_takes_a_story_task_and_says_which_data(model, capsys):
    small = {"memn2n": ["--set", "linear_start=32"], "lstm": ["--set", "size=4"], "ntm": SMALL[:6]}[model]
    assert run("train", model, "qa", "--sequences", 64, "--batch", 32, "--run", "r", "--set", "source=generated", *small) == 0
    assert "GENERATED" in capsys.readouterr().err
    assert run("eval", "r", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["questions"] == 1000 and 0 <= found["error_percent"] <= 100


@pytest.mark.parametrize("arguments, expected", [
    (["train", "foo", "copy"], "ntm, dnc, memn2n, dmn, memory-transformer, hybrid, lstm"),
    (["train", "ntm", "foo"], "babi1"), (["train", "ntm"], "TASK"),
    (["train", "ntm", "copy", "--batch", "0"], "at least 1"), (["train", "ntm", "copy", "--set", "lr=x"], "lr"),
    (["train", "ntm", "copy", "--set", "nonsense=1"], "nonsense"), (["train", "ntm", "copy", "--seconds", "-1"], "above 0"),
    (["train", "ntm", "copy", "--set", "N=1"], "N: expected"), (["train", "ntm", "copy", "--run", "r", "--resume"], "run folder"),
    (["eval", "nowhere"], "config.json"), (["duel", "--quick", "--rows", "foo"], "paths"), (["explain", "NTM-99"], "NTM-9"),
    (["train", "memn2n", "copy", "--set", "time_noise=abc"], "time_noise: expected a number"),
    (["train", "memn2n", "copy", "--set", "init_scale=x"], "init_scale: expected"),
    (["train", "memn2n", "copy", "--set", "encoding=[1]"], "encoding: expected"),
    (["train", "memn2n", "qa", "--set", "folder=3"], "folder: expected a path"),
    (["train", "memn2n", "qa", "--set", "size=[1]"], "size=[1]: a value is of the wrong kind"),
    (["train", "memn2n", "copy", "--controller", "lstm"], "only ntm and dnc have one"),
    (["train", "ntm", "copy", "--set", "n_inputs=3"], "n_inputs"), (["train", "memn2n", "qa", "--set", "n_words=3"], "n_words"),
    (["train", "ntm", "copy", "--controller", "lstm", "--set", "controller=feedforward"], "--controller lstm"),
    (["duel", "--quick", "--full"], "not allowed"), (["nonsense"], "train"), ([], "VERB"),
])
def test_bad_arguments_exit_2_with_one_line(arguments, expected, capsys, tmp_path):
    try:
        code = run(*arguments)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code == 2 and said.out == ""
    assert len(said.err.strip().splitlines()) == 1 and expected in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_written_over(capsys):
    run("train", "ntm", "copy", "--sequences", 4, "--batch", 4, "--run", "r", *SMALL)
    capsys.readouterr()
    assert run("train", "ntm", "copy", "--sequences", 4, "--run", "r") == 2
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, expected", [
    (["ntm", "babi1"], "task copy, received babi1"), (["lstm", "copy"], "model ntm, received lstm"),
    (["ntm", "copy", "--seed", 1], "seed 0, received 1"), (["ntm", "copy", "--batch", 5], "batch 4, received 5"),
    (["ntm", "copy", "--controller", "feedforward"], "controller lstm, received feedforward"),
    (["ntm", "copy", "--set", "lr=0.5"], "lr 0.003, received 0.5"), (["ntm", "copy", "--set", "N=9"], "N 8, received 9"),
])
def test_resume_refuses_other_settings(arguments, expected, capsys):
    run("train", "ntm", "copy", "--sequences", 4, "--batch", 4, "--run", "r", *SMALL)
    capsys.readouterr()
    assert run("train", *arguments, "--run", "r", "--resume") == 2
    said = capsys.readouterr().err
    assert expected in said and len(said.splitlines()) == 1
    same = ["--seed", 0, "--batch", 4, "--controller", "lstm", "--set", "lr=3e-3", "--set", "min_length=1", *SMALL]
    assert run("train", "ntm", "copy", "--run", "r", "--resume", "--sequences", 4, *same) == 0


def test_set_controller_is_the_same_as_controller():
    trainings = [runs.new_run("ntm", "copy", **how) for how in ({"controller": "feedforward"},
                                                                {"settings": ["controller=feedforward"]})]
    assert trainings[0].recipe == trainings[1].recipe != runs.new_run("ntm", "copy").recipe
    assert [training.model.config.controller for training in trainings] == ["feedforward"] * 2


def test_a_run_refuses_other_data(tmp_path, capsys):
    run("train", "memn2n", "qa", "--sequences", 32, "--run", "r", "--set", "source=generated", "--set", "eval_count=20")
    path = tmp_path / "r/config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"data": config["data"].replace("as asked for", "no real data found")}))
    runs.open_run("r")                                                       # the same stories, for another reason
    path.write_text(json.dumps(config | {"data": "real bAbI v1.2 en, task 1 (1,000 + 1,000 questions), from shared/data"}))
    with pytest.raises(ValueError, match=r"real bAbI v1.2 en.*GENERATED.*NUMPYMEM_DATA"):
        runs.open_run("r")
    capsys.readouterr()
    assert run("eval", "r") == 2 and len(capsys.readouterr().err.splitlines()) == 1


def test_released_data_is_the_same_wherever_it_lies():
    one, other = (f"real bAbI v1.2 en, task 1 (1,000 + 1,000 questions), {where}" for where in ("from NUMPYMEM_DATA", "downloaded"))
    runs.check_data(None, one, other)
    with pytest.raises(ValueError, match="DIFFER"):
        runs.check_data(RunFolder("r"), one, "bAbI-format files that DIFFER from release v1.2, en, task 1 (9 + 9 questions)")


def test_no_data_is_one_line_of_advice(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("NUMPYMEM_DATA", raising=False)
    monkeypatch.setattr(babi, "search_places", lambda folder: [])
    monkeypatch.setenv("NUMPYMEM_CACHE", str(tmp_path / "cache"))
    assert run("train", "memn2n", "babi3", "--set", "source=real") == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "NUMPYMEM_DATA" in said and "--set folder=DIR" in said
    assert not (tmp_path / "runs").exists()


def test_doctor_does_not_download(monkeypatch, capsys):
    monkeypatch.delenv("NUMPYMEM_OFFLINE")
    monkeypatch.setattr(babi, "search_places", lambda folder: [])
    monkeypatch.setattr(babi, "fetch", lambda name: pytest.fail("downloads") if not download.offline() else download.fetch(name))
    assert run("doctor") == 0 and "NUMPYMEM_OFFLINE" not in os.environ


def test_list_explain_doctor(capsys):
    assert run("list") == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("ntm", "memn2n", "lstm", "copy", "recall", "babi1 ... babi20", "memn2n takes copy"))
    assert run("explain", "sharpen") == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("NTM-9", "def sharpen(", "def sharpen_backward(", "ntm/equations.py",
                                     "python -m gradcheck"))
    assert run("doctor") == 0
    said = capsys.readouterr().out
    assert "ntm.sequence: NUMPYMEM_JIT=0" in said and "data" in said
