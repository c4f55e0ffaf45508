"""Shipped checkpoints: each still reproduces what it states; and how they are made."""

import json
import os
from unittest import mock

import numpy as np
import pytest

from numpymem import cli, runs
from numpymem.data import babi
from numpymem.experiments import checkpoints
from numpymem.experiments.summary import flat

SMALL = ["N=8", "W=4", "controller_size=6", "max_length=3", "eval_every=8", "eval_count=6"]


def usable():
    """The checkpoints whose data is at hand without the network."""
    with mock.patch.dict(os.environ, NUMPYMEM_OFFLINE="1"):
        try:
            babi.load(1, source="real")
        except (FileNotFoundError, ValueError):
            return [name for name in checkpoints.names() if not checkpoints.facts_of(name)["task"].startswith("babi")]
    return checkpoints.names()


def test_there_are_some_for_every_model_with_a_memory():
    assert {"ntm", "memn2n"} <= {checkpoints.facts_of(name)["model"] for name in checkpoints.names()} and usable()


@pytest.mark.parametrize("name", usable())
def test_a_shipped_checkpoint_reproduces_its_stated_error(name):
    """Another machine rounds otherwise: a bit or two of 100 sequences may fall on the other side, a loss in its third digit."""
    stated = checkpoints.load(name)[3]["figures"]
    measured = flat(checkpoints.measured(name))
    assert measured and measured.keys() == flat(stated).keys()
    for what, now in measured.items():
        noise = {"abs": 0.02} if "percent" in what else {"rel": 0.02, "abs": 1e-3}
        assert now == pytest.approx(flat(stated)[what], **noise), what


@pytest.mark.parametrize("name", usable())
def test_a_shipped_checkpoint_is_small_and_says_what_it_is(name):
    model, params, task, facts = checkpoints.load(name)
    assert (checkpoints.FOLDER / f"{name}.npz").stat().st_size < checkpoints.LARGEST
    assert all(value.dtype == np.float32 for value in params.values())
    assert {key: value.shape for key, value in params.items()} == {
        key: value.shape for key, value in model.init(np.random.default_rng(0)).items()}
    assert {"command", "seed", "sequences", "figures", "evaluated", "versions", "data"} <= set(facts)
    assert facts["command"].startswith("python -m numpymem")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path / "shipped")
    training = runs.new_run("ntm", "copy", 0, SMALL, "r")
    return training


def test_ship_writes_what_load_reads(elsewhere, tmp_path, capsys):
    elsewhere.run(16, progress=False)
    assert cli.main(["ship", "r", "small_copy"]) == 0 and "small_copy.npz" in capsys.readouterr().out
    model, params, task, facts = checkpoints.load("small_copy")
    batch = task.sample(np.random.default_rng(0), 2)
    assert np.array_equal(model.forward(params, batch.inputs)[0], elsewhere.model.forward(elsewhere.params, batch.inputs)[0])
    assert facts["sequences"] == 16 and checkpoints.measured("small_copy") == facts["figures"]
    assert not (set(np.load(tmp_path / "shipped/small_copy.npz").files) - set(params) - {"facts"})


@pytest.mark.parametrize("trained, name, largest, expected", [
    (16, "Bad Name", 1 << 20, "NAME: expected small letters"), (0, "fine", 1 << 20, "expected a trained run"),
    (16, "fine", 1000, "less than 1,000 bytes")])
def test_what_cannot_be_shipped_is_refused(trained, name, largest, expected, elsewhere, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(checkpoints, "LARGEST", largest)
    if trained:
        elsewhere.run(trained, progress=False)
    assert cli.main(["ship", "r", name]) == 2 and expected in capsys.readouterr().err
    assert not (tmp_path / "shipped").exists()


def test_load_refuses_unknown_names_and_other_data(elsewhere, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected one of .none is there., received 'x'"):
        checkpoints.load("x")
    elsewhere.run(16, progress=False)
    checkpoints.ship("r", "small")
    path = tmp_path / "shipped/small.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data": "something else"}))
    with pytest.raises(ValueError, match="expected the data it was trained on .something else."):
        checkpoints.load("small")
