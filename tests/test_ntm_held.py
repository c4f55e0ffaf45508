"""Ablations of an NTM: what is held is held exactly, learns nothing, and leaves everything else as it is."""

import dataclasses

import numpy as np
import pytest

from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.held import HEAD, held
from numpymem.ntm.step import places

FULL = NTMConfig(3, 2, controller_size=6, N=7, W=4, read_heads=2, write_heads=2, initial_memory="learned")
SWITCHES = ({"addressing": "content"}, {"addressing": "location"}, {"erase": False}, {"addressing": "content", "erase": False})
SMALLEST = 1e-37                                  # the float32 kernel's exp goes no lower
WANTED = {"content": {"g": 1.0, "s": (0, 1, 0), "gamma": 1.0}, "location": {"g": 0.0}}


def run(dtype=np.float32, **switches):
    rng, model = np.random.default_rng(3), NTM(dataclasses.replace(FULL, **switches))
    params, inputs = model.init(rng, dtype), rng.standard_normal((5, 3, 3)).astype(dtype)
    outputs, trace = model.forward(params, inputs)
    return model, params, inputs, outputs, trace


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_held_is_exact_at_every_step_and_learns_nothing(switches, dtype):
    model, params, _, outputs, trace = run(dtype, **switches)
    wanted = WANTED.get(switches.get("addressing"), {}) | ({"e": 0.0} if "erase" in switches else {})
    for name, value in wanted.items():
        assert np.abs(trace[name] - np.array(value, dtype)).max() < SMALLEST, name
    grads = model.backward(params, trace, np.ones_like(outputs))
    kept, _ = held(model.config, model.sizes, dtype)
    assert 0 < kept.sum() < len(kept)
    assert not grads["W_heads"][:, kept == 0].any() and not grads["b_heads"][kept == 0].any()
    for name, (place, *_) in zip(HEAD, places(model.sizes)):
        assert kept[place].all() != (name in wanted)
        free = name not in wanted and not (name in ("k", "beta") and switches.get("addressing") == "location")
        assert grads["W_heads"][:, place].any() == free


@pytest.mark.parametrize("switches", SWITCHES)
def test_step_by_step_is_the_same_as_all_at_once(switches):
    model, params, inputs, outputs, trace = run(np.float64, **switches)
    state = model.initial_state(params, 3)
    for t, x in enumerate(inputs):
        logits, state = model.step(params, x, state)
        np.testing.assert_allclose(logits, outputs[t], atol=1e-12)
    np.testing.assert_allclose(state.M, trace["M"][-1], atol=1e-12)


def test_without_switches_the_steps_get_the_parameters_themselves():
    model, params, *_ = run()
    assert [id(value) for value in model.step_weights(params)] == [id(params[name]) for name in model.weights]


@pytest.mark.parametrize("changes, message", [
    ({"addressing": "both ways"}, "addressing: expected one of both, content, location, received 'both ways'"),
    ({"erase": 0}, "erase: expected True or False, received 0"),
    ({"addressing": "content", "initial_memory": "constant"}, "addressing, initial_memory: expected 'learned' memory")])
def test_wrong_switches_are_told(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(FULL, **changes)
