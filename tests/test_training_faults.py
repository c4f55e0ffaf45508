"""Training that is stopped or split, or whose optimizer fails: nothing is lost, and the numbers stay the same."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_training import as_numpy, assert_same, everything, memn2n_training, new_folder, ntm_training  # noqa: E402, F401

from numpymem.training import RunFolder  # noqa: E402
from numpymem.training.nan_guard import NonFiniteError  # noqa: E402
from numpymem.training.optimizers import RMSProp  # noqa: E402
from numpymem.training.progress import WIDEST, Progress  # noqa: E402


def stop_at(monkeypatch, owner, name, number):
    """The call with this number of `owner.name` meets Ctrl-C."""
    calls, whole = [], getattr(owner, name)

    def stopped(*args, **options):
        calls.append(None)
        if len(calls) == number:
            raise KeyboardInterrupt
        return whole(*args, **options)
    monkeypatch.setattr(owner, name, stopped)


WHERE = {"forward": (lambda training: training.model, "forward", 4),
         "backward": (lambda training: training.model, "backward", 4),
         "update": (lambda training: training.optimizer, "update", 4),
         "evaluation": (lambda training: training.task, "evaluation", 1)}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("make, end", [(ntm_training, 16), (memn2n_training, 32)])
def test_ctrl_c_anywhere_leaves_an_exact_resume(tmp_path, monkeypatch, make, end, where):
    whole, first = make(new_folder(tmp_path / "whole")), make(new_folder(tmp_path / "parts"))
    whole.run(end, progress=False)
    owner, name, number = WHERE[where]
    stop_at(monkeypatch, owner(first), name, number)
    with pytest.raises(KeyboardInterrupt):
        first.run(end, progress=False)
    second = make(RunFolder(tmp_path / "parts"))
    second.resume()
    assert_same_on_the_grid(first, second)                                   # the one in memory, too
    for parts in (first, second):
        parts.folder = None
        parts.run(end, progress=False)
        assert_same_on_the_grid(whole, parts)


OF_A_PART = ("seconds", "train_loss", "gradient_norm", "gradient_norm_max")


def assert_same_on_the_grid(a, b):
    """Bitwise the same, and the same evaluations at the multiples of eval_every."""
    found = []
    for training in (a, b):
        lines = [{name: value for name, value in line.items() if name not in OF_A_PART} for line in training.history
                 if line["sequences"] % training.recipe.eval_every == 0]
        found.append(dict(everything(training)) | {"history": lines, "converged": (training.converged_at, training.evaluated)})
    assert [name for name in found[0] | found[1] if found[0].get(name) != found[1].get(name)] == []


@pytest.mark.parametrize("how", [{"sequences": 6}, {"seconds": 1e-9}, {"seconds": 0.02}], ids=str)
@pytest.mark.parametrize("stop_below", [0, 1e9])
def test_a_split_run_equals_the_whole_one(tmp_path, how, stop_below):
    settings = {"stop_below": stop_below, "settle": 6}
    whole, first = ntm_training(**settings), ntm_training(new_folder(tmp_path / "run"), **settings)
    whole.run(16, progress=False)
    first.run(**how, progress=False)
    second = ntm_training(RunFolder(tmp_path / "run"), **settings)
    second.resume()
    second.run(10, progress=False)
    second.run(16, progress=False)
    assert_same_on_the_grid(whole, second)
    assert whole.converged_at == (8 if stop_below else None)


def test_rmsprop_stays_finite_where_the_spread_rounds_below_zero():
    """Constant gradients: n and m^2 are equal but for rounding, which in float32 is more than eps."""
    for gradient in np.linspace(5, 10, 11, dtype=np.float32):
        params = {"p": np.zeros(3, np.float32)}
        state = RMSProp().init(params)
        for _ in range(2000):
            params, state = RMSProp().update(params, {"p": np.full(3, gradient)}, state, 1e-4)
        assert np.isfinite(params["p"]).all()


def test_an_update_that_is_not_finite_names_the_optimizer():
    training = ntm_training(optimizer="sgd", lr=1e39)
    before = dict(everything(training))
    with pytest.raises(NonFiniteError, match="the update by sgd, lr = 1e.39, made W_x.* not finite"), np.errstate(all="ignore"):
        training.step()
    assert dict(everything(training)) == before


@pytest.mark.parametrize("make, words", [(ntm_training, " bits, "), (memn2n_training, " bits a question, ")])
@pytest.mark.parametrize("seconds", [None, 3600])
def test_the_progress_line_says_the_loss_from_the_first_step_on(make, words, seconds, capsys):
    training = make()
    training.done = 107_520 - training.recipe.batch
    with Progress(training, 200_000, seconds) as bar:
        loss, _ = training.step()
        bar.bar.mininterval = 0
        bar.show(loss, 60.0)
        assert f"{loss / np.log(2):.3g}{words}" in bar.text()
        training.evaluate()
        bar.show(loss, 61.0)
        assert ", eval " in bar.text()
        assert bar.bar.n == (107_520 if seconds is None else 61)
    shown = capsys.readouterr().err.replace("\n", "\r").split("\r")
    assert max(map(len, shown)) <= WIDEST and any("107,520 seq" in line and line.strip().endswith("left") for line in shown)
