"""Recipes, and the catalog that puts models, tasks and settings together."""

import numpy as np
import pytest

from numpymem.catalog import MODELS, apply_settings, check_pair, kinds, make_model, make_task, model_class, settings_of, takes
from numpymem.training import Recipe


@pytest.mark.parametrize("wrong", [
    {"optimizer": "adagrad"}, {"clip_by": "value"}, {"scale": "max"}, {"batch": 0}, {"sequences": 0}, {"eval_every": 0},
    {"eval_count": -1}, {"lr": -1e-3}, {"lr": float("nan")}, {"clip": -1.0}, {"halve_every": -1},
    {"double_every": -1}, {"largest_batch": 0}, {"batch": 2.5}, {"lr": "fast"}])
def test_a_wrong_value_in_a_recipe_is_named(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(ValueError, match=f"^{name}: expected .* received {value!r}"):
        Recipe(**wrong)


def test_the_learning_rate_follows_the_recipe():
    recipe = Recipe(lr=0.08, linear_start=100, linear_lr=0.005, halve_every=10)
    assert recipe.phase(99) == (0.005, {"linear": True})
    assert [recipe.phase(100 + done) for done in (0, 9, 10, 25)] == [(0.08, {}), (0.08, {}), (0.04, {}), (0.02, {})]


def test_the_batch_doubles():
    recipe = Recipe(batch=2, double_every=10, largest_batch=9)
    assert [recipe.batch_at(done) for done in (0, 9, 10, 20, 30, 500)] == [2, 2, 4, 8, 9, 9]
    assert Recipe(batch=32, double_every=10, largest_batch=16).batch_at(500) == 32 and Recipe(batch=3).batch_at(500) == 3


def test_settings_go_where_they_belong():
    model_settings, recipe, task_settings = apply_settings(
        ["lr=0.5", "batch=7", "N=32", "max_length=9", "initial_weights=learned"], "ntm", "copy", {"W": 5}, Recipe(), "feedforward")
    assert model_settings == {"W": 5, "N": 32, "initial_weights": "learned", "controller": "feedforward"}
    assert (recipe.lr, recipe.batch) == (0.5, 7) and task_settings == {"max_length": 9}
    assert apply_settings(["max_items=9", "min_items=3"], "ntm", "recall", {}, Recipe())[2] == {"max_items": 9, "min_items": 3}
    assert apply_settings(["source=generated"], "lstm", "babi7", {}, Recipe())[2] == {"by": "sentence", "source": "generated"}
    assert apply_settings(["temporal=False"], "memn2n", "babi1", {}, Recipe())[0] == {"temporal": False}


@pytest.mark.parametrize("pair, message", [
    ("lr", "--set: expected NAME=VALUE, received 'lr'"), ("rate=1", "--set: expected one of .*lr.* received 'rate'"),
    ("batch=many", "--set batch: .* received 'many'"), ("batch=2.5", "--set batch: .* received 2.5"),
    ("lr=fast", "--set lr: .* received 'fast'"), ("lr=true", "--set lr: .* received True"), ("lr=-1", "lr: .* received -1"),
    ("form=story", "--set: expected one of .*max_length.* received 'form'"),
    ("optimizer=3", "--set optimizer: .* received 3"), ("clip_by=x", "clip_by: .* received 'x'"),
    ("batch=Infinity", "--set batch: .* received inf"), ("batch=NaN", "--set batch: .* received nan")])
def test_a_wrong_setting_is_named(pair, message):
    with pytest.raises(ValueError, match=message):
        apply_settings([pair], "ntm", "copy", {}, Recipe())


@pytest.mark.parametrize("call, message", [
    (lambda: model_class("ntn"), "MODEL: expected one of ntm.* received 'ntn'"),
    (lambda: make_task("walk", "sequence"), "TASK: expected one of copy, repeat-copy, .* received 'walk'"),
    (lambda: check_pair("memn2n", "recall"), "MODEL: expected one of ntm, dnc, lstm for recall, received memn2n"),
    (lambda: make_model("ntm", make_task("copy", "sequence"), N=1), "N: .* at least 2, received 1"),
    (lambda: make_model("ntm", make_task("copy", "sequence"), shifts=4), "shifts: expected an odd number .* received 4"),
    (lambda: make_model("ntm", make_task("copy", "sequence"), controller="gru"), "controller: .* received 'gru'"),
    (lambda: make_model("ntm", make_task("copy", "sequence"), controller=[1]), r"controller: .* received \[1\]")])
def test_a_wrong_name_or_size_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name, kind", [(name, kind) for name in MODELS for kind in kinds()
                                        if not kind.startswith("babi") and takes(name, kind)])
def test_every_pair_starts_with_settings_that_fit(name, kind):
    for controller in (None, "feedforward") if name == "ntm" else (None,):
        settings, recipe = settings_of(name, kind, controller)
        task = make_task(kind, model_class(name)[0].form)
        params = make_model(name, task, **settings).init(np.random.default_rng(0))
        assert recipe != Recipe() and recipe.sequences > recipe.batch
        assert all(value.dtype == np.float32 for value in params.values())
