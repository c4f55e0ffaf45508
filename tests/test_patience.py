"""Early stopping and the L2 penalty: which parameters are kept, exact resume, and what is added to a gradient."""

import dataclasses

import numpy as np
import pytest

import numpymem
from numpymem import runs
from numpymem.catalog import make_model
from numpymem.tasks.copy import Copy
from numpymem.training import Recipe, RunFolder, Training, checkpoint
from numpymem.training.optimizers import with_l2

CONFIG = {"model": "dmn", "task": "copy", "seed": 0, "model_settings": {}, "task_settings": {}, "recipe": {}}
SCORES = [5.0, 3.0, 4.0, 2.0, 2.0, 6.0, 7.0, 1.0]             # bits of the evaluations: the fourth is not bettered for three


@pytest.fixture(autouse=True)
def as_numpy():
    with numpymem.numpy_only():
        yield


def training(folder=None, scores=SCORES, **recipe):
    """A small DMN whose evaluations have these scores, whatever it learns."""
    task = Copy(form="story", max_length=3, positions=3)
    model = make_model("dmn", task, d=3, passes=1)
    made = Training(model, task, Recipe(**{"batch": 2, "eval_every": 4, "eval_count": 2, "patience": 3} | recipe), 5, folder)
    judge = made.patience.judge

    def judged(line, params):
        line["bits_per_sequence"] = scores[line["sequences"] // 4 - 1]
        judge(line, params)
    made.patience.judge = judged
    return made


def new_folder(path):
    folder = RunFolder(path)
    folder.create(CONFIG)
    return folder


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_it_stops_and_keeps_the_best(tmp_path):
    one, plain = training(new_folder(tmp_path / "one")), training(patience=0)
    one.run(1000, progress=False)
    assert one.done == 28 and one.patience.best["sequences"] == 16                       # 4: best, then 2.0, 6.0, 7.0
    plain.run(16, progress=False)
    assert same(one.params, plain.params)
    assert same(checkpoint.load(one.folder.checkpoint)[0]["params"], plain.params)
    assert "latest" in checkpoint.load(one.folder.checkpoint)[0]


@pytest.mark.parametrize("half", [4, 10, 16, 22, 28])
def test_a_run_in_parts_is_the_same_as_one(tmp_path, half):
    whole, first = training(new_folder(tmp_path / "whole")), training(new_folder(tmp_path / "parts"))
    whole.run(1000, progress=False)
    first.run(half, progress=False)
    second = training(RunFolder(tmp_path / "parts"))
    second.resume()
    second.run(1000, progress=False)
    assert (second.done, second.patience.best["sequences"], second.patience.waited) == (28, 16, 3)
    assert same(whole.params, second.params) and same(whole.patience.latest({}), second.patience.latest({}))
    for a, b in zip(checkpoint.flatten(whole.state), checkpoint.flatten(second.state)):
        assert a[0] == b[0] and np.array_equal(a[1], b[1])


def test_the_same_training_run_twice_goes_on_from_its_latest_parameters():
    whole, parts = training(), training()
    whole.run(24, progress=False)
    for until in (18, 20, 24):
        parts.run(until, progress=False)
    assert same(whole.params, parts.params) and same(whole.patience.latest({}), parts.patience.latest({}))


def test_a_score_that_is_not_a_number_is_never_the_best():
    one = training(scores=[5.0, np.nan, 4.0, np.nan, np.nan, np.nan, 1.0])
    one.run(1000, progress=False)
    assert one.done == 24 and one.patience.best["sequences"] == 12


def test_without_patience_nothing_is_remembered(tmp_path):
    one = training(new_folder(tmp_path / "run"), patience=0)
    one.run(32, progress=False)
    arrays, facts = checkpoint.load(one.folder.checkpoint)
    assert one.done == 32 and one.patience.best is None and "latest" not in arrays and "best" not in facts
    assert same(arrays["params"], one.params)


# ---- the penalty ------------------------------------------------------------------------------------------------------------

def test_the_penalty_pulls_matrices_and_nothing_else():
    one = training()
    params = {name: np.ones_like(value) for name, value in one.params.items()}
    grads = with_l2({name: np.zeros_like(value) for name, value in params.items()}, params, one.model.penalised, 0.25)
    for name, value in grads.items():
        assert np.all(value == (0 if name == "E" or name.startswith("b_") else 0.25)) and value.dtype == np.float32, name


def test_the_penalty_is_part_of_a_step():
    """With plain SGD a step with the penalty differs from one without by lr l2 W."""
    steps = []
    for l2 in (0.0, 0.1):
        one = training(optimizer="sgd", lr=0.5, l2=l2, clip=0)
        before = one.params
        one.step()
        steps.append(one.params)
    for name in before:
        penalty = 0.5 * 0.1 * before[name] if name in one.model.penalised else 0
        np.testing.assert_allclose(steps[0][name] - steps[1][name], penalty, rtol=0, atol=1e-6, err_msg=name)


def test_a_model_that_does_not_say_what_to_penalise_is_refused():
    with pytest.raises(ValueError, match="l2: expected 0 for a MemN2N"):
        runs.new_run("memn2n", "copy", 0, ["l2=0.001"])
    with pytest.raises(ValueError, match="patience: expected a whole number of at least 0"):
        dataclasses.replace(Recipe(), patience=-1)
