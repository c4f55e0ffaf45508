"""--checkpoint-every: only every k-th state is kept, the steps between are computed again, and the gradients are the same."""

import numpy as np
import pytest

import numpymem
from gradcheck.models import check_model, random_parameters
from numpymem import workspace
from numpymem.catalog import make_model, make_task
from numpymem.cli import main
from numpymem.checkpointing import parts
from numpymem.training import Recipe, Training


@pytest.fixture(scope="module")
def task():
    return make_task("copy", "sequence")


def a_model(task, controller="lstm", dtype=np.float64, **settings):
    model = make_model("ntm", task, controller=controller, controller_size=9, N=11, W=5, initial_memory="learned",
                       **({"initial_weights": "learned"} | settings))
    return model, model.init(np.random.default_rng(0), dtype)


def bytes_of(trace):
    """All numbers that a trace keeps; views count once."""
    owners = {}

    def visit(value):
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            owners[id(value)] = value.nbytes
        elif isinstance(value, (tuple, list, dict)):
            for one in value.values() if isinstance(value, dict) else value:
                visit(one)
    visit(trace)
    return sum(owners.values())


def test_parts_are_all_steps_once():
    assert parts(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)] and parts(6, 3) == [slice(0, 3), slice(3, 6)]
    assert parts(2, 5) == [slice(0, 2)]


@pytest.mark.parametrize("form", ["kernels", "NumPy"])
@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
@pytest.mark.parametrize("every", [1, 3, 4, 100])
def test_the_same_outputs_and_gradients(task, controller, every, form):
    model, params = a_model(task, controller)
    data = task.sample(np.random.default_rng(1), 3, length=5)                # 11 steps
    weights = np.random.default_rng(2).standard_normal(data.targets.shape)

    def step(**how):
        outputs, trace = model.forward(params, data.inputs, **how)
        return outputs, model.backward(params, trace, weights)
    if form == "kernels":
        (plain, grads), (again, grads_again) = step(), step(checkpoint_every=every)
    else:
        with numpymem.numpy_only():
            (plain, grads), (again, grads_again) = step(), step(checkpoint_every=every)
    np.testing.assert_allclose(again, plain, rtol=1e-12, atol=1e-13)
    for name in params:
        np.testing.assert_allclose(grads_again[name], grads[name], rtol=1e-10, atol=1e-12 * abs(grads[name]).max(), err_msg=name)


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_the_gradients_are_those_of_the_forward(task, controller):
    """Against the complex step of the whole model in parts, as gradcheck does it for every model."""
    model, _ = a_model(task, controller)
    rng = np.random.default_rng(3)
    result = check_model(model, random_parameters(model, rng), rng.standard_normal((5, 2, task.n_inputs)), checkpoint_every=2)
    assert result.passed, str(result)


def test_dtrace_covers_all_steps(task):
    model, params = a_model(task)
    data = task.sample(np.random.default_rng(1), 2, length=4)
    kept = {}
    for every in (0, 2):
        outputs, trace = model.forward(params, data.inputs, checkpoint_every=every)
        kept[every] = dtrace = {}
        model.backward(params, trace, np.ones_like(outputs), dtrace)
    assert kept[0].keys() == kept[2].keys()
    for name, steps in kept[0].items():
        assert len(steps) == len(data.inputs)
        np.testing.assert_allclose(np.stack(kept[2][name]), np.stack(steps), rtol=1e-9, atol=1e-12, err_msg=name)


def test_the_trace_is_small(task):
    model, params = a_model(task, dtype=np.float32)
    inputs = np.zeros((200, 4, task.n_inputs), np.float32)
    workspace.release()                                              # no large array that another test left is lent
    _, whole = model.forward(params, inputs)
    _, parted = model.forward(params, inputs, checkpoint_every=20)
    assert bytes_of(parted) < bytes_of(whole) / 4                # a tenth is the last part, and a seventh the states


def test_a_training_with_it_learns_the_same(task):
    losses = {}
    for every in (0, 6):
        model, _ = a_model(task)
        training = Training(model, task, Recipe(sequences=12, batch=2, checkpoint_every=every), seed=5)
        losses[every] = [training.step()[0] for _ in range(6)]
    np.testing.assert_allclose(losses[6], losses[0], rtol=1e-3)


def test_bad_values_are_refused(task, tmp_path, capsys):
    model, params = a_model(task)
    with pytest.raises(ValueError, match="checkpoint_every"):
        model.forward(params, np.zeros((3, 1, task.n_inputs)), checkpoint_every=-1)
    assert main(["train", "lstm", "copy", "--checkpoint-every", "5", "--run", str(tmp_path / "run")]) == 2
    assert "checkpoint_every: expected 0 for a LSTM" in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_the_command(task, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", "ntm", "copy", "--sequences", "4", "--batch", "2", "--checkpoint-every", "8", "--run", str(run), "--set",
                 "N=16", "--set", "eval_count=2", "--set", "controller_size=8"]) == 0
    assert '"checkpoint_every": 8' in (run / "config.json").read_text()
    assert main(["train", "ntm", "copy", "--sequences", "8", "--resume", "--run", str(run)]) == 0
    assert "after 8 sequences" in capsys.readouterr().out
