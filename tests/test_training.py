"""Training: the optimizers' formulas, the same numbers again, exact resume, and what happens when something goes wrong."""

import errno
import json
import pathlib

import numpy as np
import pytest

import numpymem
from numpymem.catalog import make_model
from numpymem.lstm import LSTM, LSTMConfig
from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.equations import interpolate
from numpymem.ops.lstm import lstm_cell
from numpymem.tasks.copy import Copy
from numpymem.training import Recipe, RunFolder, Training, checkpoint
from numpymem.training.nan_guard import NonFiniteError
from numpymem.training.optimizers import SGD, Adam, RMSProp, clip_by_matrix, clip_by_norm, clip_elementwise, gradient_norm

CONFIG = {"model": "ntm", "task": "copy", "seed": 0, "model_settings": {}, "task_settings": {}, "recipe": {}}


@pytest.fixture(autouse=True)
def as_numpy():
    """Nothing here is about kernels; as NumPy nothing needs compiling."""
    with numpymem.numpy_only():
        yield


def tiny_ntm(controller="lstm", **settings):
    return NTM(NTMConfig(9, 8, controller=controller, **{"controller_size": 6, "N": 8, "W": 4} | settings))


def ntm_training(folder=None, seed=3, optimizer="rmsprop", length=None, controller="lstm", **settings):
    recipe = Recipe(**{"batch": 2, "eval_every": 4, "eval_count": 3, "optimizer": optimizer} | settings)
    return Training(tiny_ntm(controller), Copy(min_length=length or 1, max_length=length or 2), recipe, seed, folder)


def memn2n_training(folder=None, seed=3):
    task = Copy(form="story", max_length=4, positions=4)
    model = make_model("memn2n", task, d=5, hops=2, memory_size=4, time_noise=0.5)
    recipe = Recipe(batch=4, optimizer="sgd", lr=0.05, scale="sum", clip=40.0, linear_start=24, halve_every=16, eval_every=8,
                    eval_count=2)
    return Training(model, task, recipe, seed, folder)


def new_folder(path):
    folder = RunFolder(path)
    folder.create(CONFIG)
    return folder


# ---- optimizers --------------------------------------------------------------------------------------------------------

GRADIENTS = (np.array([3.0, -0.5, 0.0]), np.array([-1.0, -0.5, 2.0]))
START = np.array([1.0, 2.0, 3.0])


def after_two_steps(optimizer, lr):
    params, state = {"p": START}, optimizer.init({"p": START})
    for gradient in GRADIENTS:
        params, state = optimizer.update(params, {"p": gradient}, state, lr)
    assert np.array_equal(START, [1, 2, 3])                                  # updates make new arrays
    return params["p"]


def test_sgd_goes_down_the_gradient():
    np.testing.assert_allclose(after_two_steps(SGD(), 0.1), [0.8, 2.1, 2.8], rtol=1e-15)


def test_adam_is_algorithm_1():
    p, m, v = START, 0, 0
    for t, g in enumerate(GRADIENTS, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        p = p - 0.1 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-30)
    np.testing.assert_allclose(after_two_steps(Adam(eps=1e-30), 0.1), p, rtol=1e-14)
    first = Adam().update({"p": START}, {"p": GRADIENTS[0]}, Adam().init({"p": START}), 0.1)[0]["p"]
    np.testing.assert_allclose(first, [0.9, 2.1, 3.0], rtol=0, atol=1e-7)                # the first step has length lr


def test_rmsprop_is_the_form_of_graves():
    p, n, m, delta = START, 0, 0, 0
    for g in GRADIENTS:
        n, m = 0.95 * n + 0.05 * g ** 2, 0.95 * m + 0.05 * g
        delta = 0.9 * delta - 0.1 * g / np.sqrt(n - m ** 2 + 1e-4)
        p = p + delta
    np.testing.assert_allclose(after_two_steps(RMSProp(), 0.1), p, rtol=1e-14)


def test_rmsprop_subtracts_the_square_of_the_mean():
    """A gradient that never changes has no spread: only eps is left in the root, and momentum makes ten steps of one."""
    params = {"p": np.zeros(1)}
    state = RMSProp().init(params)
    for _ in range(1000):
        params, state = RMSProp().update(params, {"p": np.full(1, 2.0)}, state, 1e-3)
    np.testing.assert_allclose(state["delta"]["p"], -10 * 1e-3 * 2 / np.sqrt(1e-4), rtol=1e-6)


@pytest.mark.parametrize("optimizer", [SGD(), Adam(), RMSProp()])
def test_optimizers_keep_float32(optimizer):
    params, state = {"p": START.astype(np.float32)}, optimizer.init({"p": START.astype(np.float32)})
    params, state = optimizer.update(params, {"p": GRADIENTS[0].astype(np.float32)}, state, 1e-3)
    assert params["p"].dtype == np.float32
    assert all(value.dtype == np.float32 for _, value in checkpoint.flatten(state) if value.ndim)


def test_clipping():
    grads = {"a": np.array([3.0, 0]), "b": np.array([[-4.0]])}
    assert gradient_norm(grads) == 5
    clipped = clip_by_norm(grads, 1.0)
    np.testing.assert_allclose(clipped["a"], [0.6, 0], rtol=1e-15)
    np.testing.assert_allclose(clipped["b"], [[-0.8]], rtol=1e-15)
    assert clip_by_norm(grads, 5.0) is grads
    by_matrix = clip_by_matrix({"W": np.diag([3.0, 4.0]), "v": np.array([3.0, 4.0, 0.0]), "small": np.diag([1.0, 1.5])}, 2.0)
    np.testing.assert_allclose(by_matrix["W"], np.diag([1.5, 2.0]), rtol=1e-15)                # by its largest singular value
    np.testing.assert_allclose(by_matrix["v"], [1.2, 1.6, 0.0], rtol=1e-15)                     # of a vector that is its length
    np.testing.assert_allclose(by_matrix["small"], np.diag([1.0, 1.5]), rtol=1e-15)
    clipped = clip_elementwise(grads, 3.5)
    assert np.array_equal(clipped["a"], [3, 0]) and np.array_equal(clipped["b"], [[-3.5]])


# ---- the same numbers again --------------------------------------------------------------------------------------------

def everything(training):
    """All that a training consists of, as (name, comparable value) pairs; not the seconds it took."""
    for kind, tree in (("params", training.params), ("optimizer", training.state)):
        for name, value in checkpoint.flatten(tree, kind + "/"):
            yield name, (value.dtype, value.shape, value.tobytes())
    yield "rngs", {name: rng.bit_generator.state for name, rng in training.rngs.items()}
    yield "counts", (training.done, training.good_evaluations)
    yield "history", [{name: value for name, value in line.items() if name != "seconds"} for line in training.history]


def assert_same(a, b):
    a, b = dict(everything(a)), dict(everything(b))
    assert [name for name in a | b if a.get(name) != b.get(name)] == []


def test_same_seed_same_numbers_other_seed_others():
    trainings = [ntm_training(seed=seed) for seed in (3, 3, 4)]
    for training in trainings:
        training.run(8, progress=False)
    assert_same(*trainings[:2])
    assert trainings[0].history[-1]["train_loss"] != trainings[2].history[-1]["train_loss"]
    assert [line["sequences"] for line in trainings[0].history] == [4, 8]


@pytest.mark.parametrize("make, half", [(ntm_training, 8), (lambda folder: ntm_training(folder, optimizer="adam"), 8),
                                        (lambda folder=None: ntm_training(folder, double_every=4, largest_batch=4), 8),
                                        (memn2n_training, 16), (memn2n_training, 32)],
                         ids=["ntm-rmsprop", "ntm-adam", "ntm with a growing batch", "memn2n in its linear start",
                              "memn2n after it"])
def test_resume_goes_on_with_the_same_numbers(tmp_path, make, half):
    whole, first = make(new_folder(tmp_path / "whole")), make(new_folder(tmp_path / "parts"))
    whole.run(2 * half, progress=False)
    first.run(half, progress=False)
    second = make(RunFolder(tmp_path / "parts"))
    second.resume()
    assert second.done == half
    second.run(2 * half, progress=False)
    assert_same(whole, second)
    assert [line["sequences"] for line in second.folder.read_log()] == [line["sequences"] for line in whole.folder.read_log()]


def test_an_interrupted_training_goes_on_with_the_same_parameters(tmp_path, monkeypatch):
    whole, first = ntm_training(), ntm_training(new_folder(tmp_path / "run"))
    whole.run(16, progress=False)
    step = first.step

    def step_or_stop():
        if first.done == 6:                                                  # between two evaluations
            raise KeyboardInterrupt
        return step()
    monkeypatch.setattr(first, "step", step_or_stop)
    with pytest.raises(KeyboardInterrupt):
        first.run(16, progress=False)
    second = ntm_training(RunFolder(tmp_path / "run"))
    second.resume()
    assert second.done == 6
    second.run(16, progress=False)
    assert dict(everything(whole))["rngs"] == dict(everything(second))["rngs"]
    assert all(np.array_equal(whole.params[name], second.params[name]) for name in whole.params)
    evaluations = [[(line["sequences"], line["bits_per_sequence"]) for line in one.history] for one in (whole, second)]
    assert evaluations[0] == evaluations[1]


def test_training_stops_after_two_good_evaluations():
    training = ntm_training(stop_below=1e9)
    training.run(400, progress=False)
    assert training.done == 8 and training.converged


# ---- files -------------------------------------------------------------------------------------------------------------

def test_a_checkpoint_is_numbers_and_text_only(tmp_path):
    training = ntm_training(new_folder(tmp_path / "run"), optimizer="adam")
    training.run(2, progress=False)
    with np.load(training.folder.checkpoint, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert np.array_equal(arrays["params/W_y"], training.params["W_y"]) and arrays["optimizer/t"] == 1
    assert json.loads(str(arrays["facts"]))["done"] == 2


def damage(path, kind):
    whole = path.read_bytes()
    if kind == "foreign npz":
        np.savez(path, x=np.ones(3))
    elif kind == "npy":
        with open(path, "wb") as file:
            np.save(file, np.ones(3))
    else:
        path.write_bytes({"truncated": whole[:len(whole) // 2], "empty": b"", "text": b"not a checkpoint\n",
                          "one byte changed": whole[:300] + bytes([whole[300] ^ 255]) + whole[301:]}[kind])


@pytest.mark.parametrize("kind", ["truncated", "empty", "text", "foreign npz", "npy", "one byte changed"])
def test_a_damaged_checkpoint_is_named(tmp_path, kind):
    training = ntm_training(new_folder(tmp_path / "run"))
    training.save()
    damage(training.folder.checkpoint, kind)
    with pytest.raises(ValueError, match="checkpoint.npz: expected a checkpoint"):
        training.resume()


def test_a_checkpoint_of_another_model_names_the_parameter(tmp_path):
    training = ntm_training(new_folder(tmp_path / "run"))
    training.save()
    other = Training(tiny_ntm(N=8, W=5), training.task, training.recipe, 3, training.folder)
    with pytest.raises(ValueError, match=r"checkpoint.npz: parameter W_u: expected shape \(11, 24\), received \(10, 24\)"):
        other.resume()


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    training = ntm_training(new_folder(tmp_path / "run"))
    training.save()
    before = training.folder.checkpoint.read_bytes()

    def half_a_file(path, content):
        with open(path, "wb") as file:
            file.write(content[:len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")
    training.step()
    monkeypatch.setattr(pathlib.Path, "write_bytes", half_a_file)
    with pytest.raises(OSError, match="checkpoint.npz: cannot be written: No space left on device; make room there and try again"):
        training.save()
    assert training.folder.checkpoint.read_bytes() == before
    assert sorted(path.name for path in training.folder.path.iterdir()) == [".lock", "checkpoint.npz", "config.json"]


def test_a_folder_holds_one_run(tmp_path):
    folder = new_folder(tmp_path / "run")
    assert folder.read_config() == CONFIG
    with pytest.raises(FileExistsError, match="run: expected a folder without a run.*--resume"):
        RunFolder(tmp_path / "run").create(CONFIG)


@pytest.mark.parametrize("text, message", [("{", "config.json: expected JSON"), ("{}", "config.json: expected an entry 'model'"),
                                           ("[]", "config.json: expected an entry 'model'")])
def test_a_broken_config_is_named(tmp_path, text, message):
    folder = new_folder(tmp_path / "run")
    folder.config.write_text(text)
    with pytest.raises(ValueError, match=message):
        folder.read_config()
    with pytest.raises(FileNotFoundError, match="elsewhere: expected a run folder"):
        RunFolder(tmp_path / "elsewhere").read_config()


def test_half_a_line_in_the_log_is_ignored(tmp_path):
    folder = new_folder(tmp_path / "run")
    folder.log({"sequences": 4})
    folder.log({"sequences": 8})
    with open(folder.metrics, "a") as file:
        file.write('{"sequen')
    assert folder.read_log() == [{"sequences": 4}, {"sequences": 8}]
    assert folder.read_log(up_to=4) == [{"sequences": 4}]
    folder.log({"sequences": 9})                                             # after a resume the half line is gone
    assert folder.read_log() == [{"sequences": 4}, {"sequences": 9}]


# ---- not a number ------------------------------------------------------------------------------------------------------

T = 5                                                                        # copy of length 2: 2, delimiter, 2


def nan_at_call(function, number):
    """`function`, but of each T calls the one with this number returns nan."""
    calls = []

    def broken(*args):
        calls.append(None)
        out = function(*args)
        if (len(calls) - 1) % T != number:
            return out
        return tuple(value * np.nan for value in out) if isinstance(out, tuple) else out * np.nan
    broken.__wrapped__ = function                                            # patch looks at the number of arguments
    return broken


@pytest.mark.parametrize("make", [ntm_training, lambda **how: ntm_training(controller="feedforward", **how)],
                         ids=["lstm", "feedforward"])
@pytest.mark.parametrize("way, step", [("forward", 3), ("backward", 2), ("forward", 0), ("backward", 0), ("backward", T - 1)])
def test_nan_is_traced_to_its_equation_and_time_step(make, way, step):
    check_guard(make(length=2), interpolate, way, step, rf"NTM-7 \(interpolate\), {way}, step {step}\b")


@pytest.mark.parametrize("way, step", [("forward", 3), ("backward", 2), ("backward", 0)])
def test_nan_in_the_controller_is_traced_too(way, step):
    check_guard(ntm_training(length=2), lstm_cell, way, step, rf"LSTM \(lstm_cell\), {way}, step {step}\b")


@pytest.mark.parametrize("way, step", [("forward", 3), ("backward", 2)])
def test_nan_in_the_baseline_is_traced_too(way, step):
    training = Training(LSTM(LSTMConfig(9, 8, 5, 1)), Copy(min_length=2, max_length=2), Recipe(batch=2))
    check_guard(training, lstm_cell, way, step, rf"LSTM \(lstm_cell\), {way}, step {step}\b")


def check_guard(training, equation, way, step, message):
    training.step()
    before, done = {name: value.copy() for name, value in training.params.items()}, training.done
    old = equation.original if way == "forward" else equation.original_backward
    broken = nan_at_call(old, step if way == "forward" else T - 1 - step)
    with numpymem.patch(equation, **{way: broken}), np.errstate(invalid="ignore"), pytest.raises(NonFiniteError, match=message):
        training.step()
    assert training.done == done
    assert all(np.array_equal(before[name], value) for name, value in training.params.items())
    training.step()                                                          # and it can go on
    assert training.done == done + 2


# ---- it learns ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", [tiny_ntm("lstm", controller_size=12), tiny_ntm("feedforward", controller_size=12),
                                   LSTM(LSTMConfig(9, 8, 16, 2))], ids=["ntm-lstm", "ntm-feedforward", "lstm"])
def test_one_batch_is_learned_by_heart(model, monkeypatch):
    task = Copy(min_length=2, max_length=2)
    batch = task.sample(np.random.default_rng(1), 3)
    monkeypatch.setattr(task, "sample", lambda *args: batch)
    training = Training(model, task, Recipe(batch=3, lr=0.01))      # at twice that a step near the end may jump out again
    losses = [training.step()[0] for _ in range(300)]
    assert losses[-1] < losses[0] / 20
    assert task.count_wrong(model.forward(training.params, batch.inputs)[0], batch) == (0, 48)
