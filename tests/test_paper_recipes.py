"""The NTM paper's own recipes by name: what they stand for, that they can be changed, and how they refuse."""

import pytest

from numpymem import cli, runs
from numpymem.training import RunFolder

TASKS = ("copy", "repeat-copy", "recall", "ngrams", "sort")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model, controller", [("ntm", None), ("ntm", "feedforward"), ("lstm", None)])
def test_the_papers_recipe_is_what_the_paper_says(model, controller, task):
    training = runs.new_run(model, task, settings=["recipe=paper"], controller=controller)
    recipe = training.recipe
    assert (recipe.optimizer, recipe.batch, recipe.clip, recipe.clip_by) == ("rmsprop", 1, 10, "element")
    assert {recipe.batch_at(done) for done in (0, 999_999)} == {1}
    assert (training.optimizer.momentum, recipe.lr in (1e-4, 3e-5), recipe.sequences) == (0.9, True, 1_000_000)
    if model == "ntm":
        config = training.model.config
        assert (config.N, config.W, config.controller) == (128, 20, controller or "lstm")
        assert config.read_heads == config.write_heads and not config.N_training and config.initial_heads == "neutral"
        assert {"M0", "w0_logits", "r0_raw"} < training.params.keys()                       # start values are learned
    else:
        assert training.model.config.layers == 3


def test_sizes_and_learning_rates_of_the_papers_tables():
    def found(model, task, controller=None):
        training = runs.new_run(model, task, settings=["recipe=paper"], controller=controller)
        config = training.model.config
        return (config.size if model == "lstm" else (config.read_heads, config.controller_size)), training.recipe.lr
    assert found("ntm", "recall", "feedforward") == ((4, 256), 1e-4) and found("ntm", "recall") == ((1, 100), 1e-4)
    assert found("ntm", "sort", "feedforward") == ((8, 512), 3e-5) and found("ntm", "ngrams") == ((1, 100), 3e-5)
    assert [found("lstm", task) for task in TASKS] == [(256, 3e-5), (512, 3e-5), (256, 1e-4), (128, 1e-4), (128, 3e-5)]


def test_what_else_is_set_wins_over_the_papers_recipe():
    for settings in (["recipe=paper", "N=16", "lr=0.5"], ["N=16", "lr=0.5", "recipe=paper"]):
        training = runs.new_run("ntm", "recall", settings=settings, batch=3)
        assert (training.model.config.N, training.recipe.lr, training.recipe.batch) == (16, 0.5, 3)
        assert training.recipe.optimizer == "rmsprop"


def test_the_small_recipe_is_small_and_can_be_changed():
    training = runs.new_run("ntm", "copy", settings=["recipe=small", "lr=0.5"])
    assert (training.model.config.N, training.recipe.batch, training.recipe.sequences, training.recipe.lr) == (16, 1, 4000, 0.5)
    assert training.task.lengths == (1, 6)


def test_a_run_with_the_papers_recipe_is_gone_on_with(tmp_path):
    small = ["N=8", "W=4", "controller_size=6", "eval_count=2"]
    training = runs.new_run("ntm", "recall", 1, ["recipe=paper", *small], tmp_path / "r", "feedforward")
    runs.check_same(training.folder.path, "ntm", "recall", 1, ["recipe=paper", *small])
    assert RunFolder(tmp_path / "r").read_config()["recipe"]["optimizer"] == "rmsprop"
    with pytest.raises(ValueError, match="this run began with eval_count 2, received 1000"):
        runs.check_same(training.folder.path, "ntm", "recall", 1, ["recipe=paper"])
    runs.new_run("ntm", "recall", 1, small, tmp_path / "ours")
    with pytest.raises(ValueError, match="this run began with optimizer adam, received rmsprop"):
        runs.check_same(tmp_path / "ours", "ntm", "recall", 1, ["recipe=paper", *small])


@pytest.mark.parametrize("arguments, expected", [
    (["ntm", "recall", "--set", "recipe=best"], "--set recipe: expected 'paper' or 'small' (or nothing, for ours)"),
    (["memn2n", "copy", "--set", "recipe=paper"], "expected ntm or lstm on one of copy, repeat-copy"),
    (["ntm", "recall", "--set", "recipe=small"], "expected ntm on copy, received ntm on recall"),
    (["ntm", "babi1", "--set", "recipe=paper"], "received ntm on babi1"),
    (["ntm", "copy", "--set", "recipe=paper", "--set", "controller=gru"], "expected one of feedforward, lstm, received 'gru'")])
def test_there_is_no_other_recipe(arguments, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", *arguments]) == 2
    assert expected in capsys.readouterr().err and not list(tmp_path.iterdir())
