"""The memory Transformer: answering step by step, what has no gradient, inputs that are refused."""

import numpy as np
import pytest

from gradcheck.models import random_parameters, told
from numpymem.memory_transformer import MemoryTransformer, MemoryTransformerConfig
from numpymem.memory_transformer.decoding import generate, start, step

SIZES = {"n_words": 9, "n_outputs": 4, "d": 6, "heads": 2, "ff": 5, "N": 5, "W": 4}
KINDS = [{"memory": "ntm", "read_heads": 2, "write_heads": 2, "pointers": True},
         {"memory": "append", "read_heads": 2, "pointers": True}, {"memory": "attention", "pointers": True},
         {"memory": "none"}, {"strict": True}, {"strict": True, "memory": "append"},
         {"addressing": "location", "decoder_layers": 3, "encoder_layers": 0}]


@pytest.fixture
def rng():
    return np.random.default_rng(1706)


def make(rng, T=5, **settings):
    """A model of two layers at random parameters, and a batch of T steps."""
    model = MemoryTransformer(MemoryTransformerConfig(**(SIZES | {"encoder_layers": 2, "decoder_layers": 2} | settings)))
    return model, random_parameters(model, rng), told(rng, model.config, T=T)


# ---- step by step -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_step_by_step_is_the_parallel_forward(rng, kind):
    model, params, inputs = make(rng, **kind)
    logits, _ = model.forward(params, inputs)
    state, found = start(model, params, inputs), []
    for t in range(5):
        each, state = step(model, params, state, inputs.prompt[:, t])
        found.append(each)
    assert np.abs(np.stack(found) - logits).max() < 1e-12 and np.ptp(logits, axis=0).max() > 0.01


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_generated_is_the_best_after_what_was_generated(rng, kind):
    model, params, inputs = make(rng, **kind)
    said = generate(model, params, inputs, 5)
    prompt = np.concatenate([np.zeros((1, 2), np.int32), said[:-1] + 1]).T
    assert np.array_equal(model.forward(params, inputs._replace(prompt=prompt))[0].argmax(-1), said)


def test_only_what_is_allowed_is_generated(rng):
    model, params, inputs = make(rng, pointers=True)
    free = generate(model, params, inputs, 3)
    seen = []

    def allowed(said):
        seen.append(said.copy())
        may = np.ones((2, 4 + 3), bool)
        may[[0, 1], free[len(said)]] = False
        return may

    said = generate(model, params, inputs, 3, allowed)
    assert (said[0] != free[0]).all() and (said != free).all()
    assert [len(each) for each in seen] == [0, 1, 2] and np.array_equal(seen[2], said[:2])


def test_a_forgotten_memory_is_forgotten_when_generating(rng):
    model, params, inputs = make(rng, T=1)
    other = inputs._replace(segments=inputs.segments[::-1])
    first, second = (start(model, params, each, forget=True) for each in (inputs, other))
    assert not first.trace["M"].any()
    assert np.array_equal(*(step(model, params, state, [0, 0])[0] for state in (first, second)))


# ---- gradients --------------------------------------------------------------------------------------------------------------

def test_what_is_padding_has_no_gradient(rng):
    model, params, inputs = make(rng, T=2, pointers=True)
    more = inputs._replace(segments=np.pad(inputs.segments, ((0, 0), (0, 1), (0, 1), (0, 2))))
    logits, trace = model.forward(params, inputs)
    logits_more, trace_more = model.forward(params, more)
    weights = rng.standard_normal(logits.shape)
    grads, grads_more = model.backward(params, trace, weights), model.backward(params, trace_more, weights)
    assert np.abs(logits_more - logits).max() < 1e-12
    assert all(np.allclose(grads_more[name], grads[name], rtol=0, atol=1e-11) for name in params)
    assert not grads["E"][0].any() and not grads["O"][0].any()


def test_a_forgotten_memory_has_no_gradient(rng):
    model, params, inputs = make(rng, T=2)
    logits, trace = model.forward(params, inputs, forget=True)
    grads = model.backward(params, trace, np.ones_like(logits))
    assert not grads["M_0"].any() and not grads["write_W"].any() and grads["d1_ff_W_1"].any()


# ---- inputs -----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("changed, expected", [
    ({"segments": np.full((2, 1, 1, 1), 9)}, "segments: expected numbers from 0 to 8"),
    ({"segments": np.ones((2, 3, 1))}, "whole numbers with 4 axes"),
    ({"prompt": np.full((2, 1), 5)}, "prompt: expected numbers from 0 to 4"),
    ({"question": np.ones((3, 3), int)}, "expected 2 rows"),
    ({"question": np.zeros((2, 3), int)}, "at least one word")])
def test_wrong_inputs_are_refused(rng, changed, expected):
    model, params, inputs = make(rng)
    with pytest.raises(ValueError, match=expected):
        model.forward(params, inputs._replace(**changed))
