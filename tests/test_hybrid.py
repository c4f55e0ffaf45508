"""The hybrid: both parents whole inside it, hand-written gradients, clear errors, and that it trains."""

import numpy as np
import pytest

import numpymem
from gradcheck.streams import streams
from numpymem import catalog
from numpymem.hybrid import Hybrid, HybridConfig
from numpymem.hybrid.equations import look_back, look_back_backward
from numpymem.memn2n import MemN2N
from numpymem.ntm import NTM
from numpymem.tasks.batches import Batch, Stories, Streams
from numpymem.training.loss import loss_and_gradient
from numpymem.training.optimizers import Adam

V, X, Y, B, I, T = 9, 3, 5, 4, 4, 7


def make(**settings):
    sizes = {"n_inputs": X, "n_words": V, "n_outputs": Y, "d": 6, "hops": 2, "memory_size": 8, "controller_size": 7, "N": 6, "W": 4}
    return Hybrid(HybridConfig(**sizes | settings))


@pytest.fixture
def rng():
    return np.random.default_rng(20141015)


@pytest.fixture
def inputs(rng):
    told = streams(rng, V, Q=2, B=B, I=I, T=T)
    return told._replace(steps=told.steps.astype(np.float32), asked_at=np.array([2, T - 1]))


def answers_and_gradients(model, params, inputs, d_outputs, rng=None):
    outputs, trace = model.forward(params, inputs, rng=rng)
    return outputs, model.backward(params, trace, d_outputs)


# ---- both parents ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [{}, {"encoding": "released", "tie_answer": True, "n_outputs": V, "nil_memories": True},
                                      {"temporal": False, "hops": 1}])
def test_without_a_working_memory_it_is_a_memn2n(rng, inputs, settings):
    """To the last bit, with time noise, and gradients too: those of its questions, added up."""
    model = make(working_memory=False, time_noise=0.5, **settings)
    parent = MemN2N(model.config.of_memn2n())
    params = model.init(rng)
    fresh = parent.init(np.random.default_rng(20141015))
    assert params.keys() == fresh.keys() == parent.shapes.keys()
    d_outputs = rng.standard_normal((2, B, model.config.n_outputs)).astype(np.float32)
    outputs, grads = answers_and_gradients(model, params, inputs, d_outputs, np.random.default_rng(3))
    sums = dict.fromkeys(params, 0)
    for q in range(2):
        one = Stories(inputs.sentences, inputs.queries[:, q])
        alone, grads_q = answers_and_gradients(parent, params, one, d_outputs[q], np.random.default_rng(3))
        np.testing.assert_array_equal(outputs[q], alone)
        sums = {name: sums[name] + grads_q[name] for name in sums}
    for name, value in sums.items():
        np.testing.assert_allclose(grads[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("settings", [{}, {"controller": "feedforward", "read_heads": 2, "N_training": 4}])
def test_without_facts_it_is_an_ntm(rng, inputs, settings):
    model = make(fact_memory=False, **settings)
    parent = NTM(model.config.of_ntm())
    params = model.init(rng)
    assert params.keys() == parent.init(rng).keys() and parent.config.n_outputs == Y
    d_outputs = np.zeros((T, B, Y), np.float32)
    d_outputs[inputs.asked_at] = rng.standard_normal((2, B, Y))
    outputs, grads = answers_and_gradients(model, params, inputs, d_outputs[inputs.asked_at], rng)
    spoken, wanted = answers_and_gradients(parent, params, inputs.steps, d_outputs, rng)
    np.testing.assert_array_equal(outputs, spoken[inputs.asked_at])
    for name, value in wanted.items():
        np.testing.assert_array_equal(grads[name], value, err_msg=name)


@pytest.mark.parametrize("dtype, settings", [(np.float32, {}), (np.float64, {"context": False}),
                                             (np.float32, {"facts_dropout": 0.3, "working_dropout": 0.3})])
def test_gradients_have_the_names_and_the_type_of_the_parameters(rng, inputs, dtype, settings):
    model = make(**settings)
    params = model.init(rng, dtype)
    parents = model.memn2n.shapes.keys() | model.ntm.init(rng).keys()
    outputs, grads = answers_and_gradients(model, params, inputs, np.ones((2, B, Y)), rng)
    assert list(grads) == list(params) and params.keys() == parents and outputs.dtype == dtype
    for name, grad in grads.items():
        assert grad.dtype == dtype and grad.shape == params[name].shape and grad.any(), name


def test_steps_looked_back_to_more_than_once_collect_their_gradients(rng):
    z, when = rng.standard_normal((5, 2, 3)), np.array([[1, 1, 4], [0, 1, 0]])
    dx = rng.standard_normal((2, 3, 3))
    dz = look_back_backward(dx, z, when)
    np.testing.assert_array_equal(dz[1], [dx[0, 0] + dx[0, 1], dx[1, 1]])
    np.testing.assert_array_equal(dz[0], [np.zeros(3), dx[1, 0] + dx[1, 2]])
    assert look_back(z, when).shape == (2, 3, 3) and not dz[[2, 3]].any()


def test_a_side_lost_is_lost_for_training_alone(rng, inputs):
    """As many stories do without each side as is set, none without both; without rng none does."""
    model = make(facts_dropout=0.3, working_dropout=0.1)
    working, facts = model.sides_kept(rng, 10_000, np.float32)
    assert abs(working.mean() - 0.9) < 0.02 and abs(facts.mean() - 0.7) < 0.02
    assert np.maximum(working[0], facts).min() == 1, "no story without both"
    assert model.sides_kept(None, 5, np.float32) == [] == make(facts_dropout=0.4, fact_memory=False).sides_kept(rng, 5, np.float32)


# ---- errors ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings, message", [
    ({"fact_memory": False, "working_memory": False}, "fact_memory, working_memory: expected at least one of them True"),
    ({"context": 1}, "context: expected True or False, received 1"), ({"fact_memory": "no"}, "fact_memory: .* received 'no'"),
    ({"facts_dropout": 1.5}, "facts_dropout: expected a number from 0 to 1, received 1.5"),
    ({"facts_dropout": 0.6, "working_dropout": 0.5}, "facts_dropout, working_dropout: .* received 0.6 and 0.5"),
    ({"working_dropout": True}, "working_dropout: .* received True"), ({"hops": 7}, "hops: .* received 7"),
    ({"n_inputs": 0}, "n_inputs: .* at least 1, received 0"), ({"N": 1}, "N: .* at least 2, received 1"),
    ({"tie_answer": True}, "n_outputs: expected n_words = 9 with tie_answer, received 5")])
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.parametrize("change, message", [
    (lambda x: {"sentences": np.repeat(x.sentences[:, :1], 9, 1), "told_at": np.zeros((B, 9), int)},
     "sentences: expected stories of at most memory_size = 8 sentences, received 9"),
    (lambda x: {"sentences": x.sentences + V}, "sentences: expected word numbers from 0 to 8"),
    (lambda x: {"queries": x.queries[0]}, r"asked_at: expected shape \(3,\), .* received \(2,\)"),
    (lambda x: {"queries": x.queries - 1}, "queries: expected word numbers from 0"),
    (lambda x: {"asked_at": np.array([1, T])}, "asked_at: expected steps from 0 to 6, received '1 to 7'"),
    (lambda x: {"asked_at": np.array([1.0, 2.0])}, "asked_at: expected integers"),
    (lambda x: {"asked_at": np.array([], int), "queries": x.queries[:, :0]}, "asked_at: .* at least one question"),
    (lambda x: {"told_at": x.told_at - 9}, "told_at: expected steps from 0 to 6"),
    (lambda x: {"told_at": x.told_at[:, 1:]}, r"told_at: expected shape \(4, 4\), a step for each sentence, received \(4, 3\)"),
    (lambda x: {"steps": x.steps[:, :2]}, "steps: expected 4 columns, one a story, received 2"),
    (lambda x: {"steps": x.steps[..., :2]}, r"inputs: expected an array \(T, B, 3\)")])
def test_a_wrong_input_is_named(rng, inputs, change, message):
    model = make()
    params = model.init(rng)
    with pytest.raises(ValueError, match=message):
        model.forward(params, inputs._replace(**change(inputs)))


def test_a_story_padded_beyond_the_memory_is_as_long_as_its_sentences(rng, inputs):
    model = make(memory_size=I)
    params = model.init(rng)
    padded = inputs._replace(sentences=np.pad(inputs.sentences, ((0, 0), (0, 3), (0, 0))),
                             told_at=np.pad(inputs.told_at, ((0, 0), (0, 3))))
    np.testing.assert_array_equal(model.forward(params, padded)[0], model.forward(params, inputs)[0])


# ---- kernels, and training -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, length", [("copy", 3), ("rewritten-keys", None), ("babi1", None)])
def test_a_task_told_as_a_stream_with_kernels_and_without(rng, name, length):
    """Made for the task by the catalog; outputs and gradients are the same both ways, to rounding."""
    settings = {"source": "generated"} if name.startswith("babi") else {}
    task = catalog.make_task(name, "stream", **settings)
    model = catalog.make_model("hybrid", task, d=5, controller_size=6, N=8, W=4)
    params, batch = model.init(rng, np.float64), task.sample(rng, 3, **({"length": length} if length else {}))
    assert model.config.n_inputs == batch.inputs.steps.shape[-1] and model.config.memory_size == task.longest_story
    outputs, trace = model.forward(params, batch.inputs)
    loss, d_outputs = loss_and_gradient(task.loss, outputs, batch)
    grads = model.backward(params, trace, d_outputs)
    with numpymem.numpy_only():
        same, trace = model.forward(params, batch.inputs)
        np.testing.assert_allclose(outputs, same, rtol=1e-10, atol=1e-12)
        for key, value in model.backward(params, trace, d_outputs).items():
            np.testing.assert_allclose(grads[key], value, rtol=1e-8, atol=1e-11, err_msg=key)


def neighbours(rng, count):
    """Four words, told one by one, each once; asked for one of them the answer is the word that was told after it. -> Batch"""
    words, asked, story = rng.permuted(np.tile(np.arange(4), (count, 1)), axis=1), rng.integers(0, 3, count), np.arange(count)
    steps, word = np.zeros((5, count, 8), np.float32), words[story, asked]
    for i in range(4):
        steps[i, story, words[:, i]] = 1
    steps[4, story, 4 + word] = 1
    told_at, queries = np.tile(np.arange(4), (count, 1)), 5 + word[:, None, None]
    return Batch(Streams(steps, 1 + words[:, :, None], queries, told_at, np.array([4])), words[story, asked + 1][None],
                 np.ones((1, count), np.float32))


@pytest.mark.parametrize("context, low, high", [(True, 0, 0.2), (False, 0.3, 1)])
def test_it_learns_what_needs_both(context, low, high):
    """Without times, and if the NTM may not answer by itself: a word must be kept together with the one before it."""
    config = HybridConfig(8, 9, 4, d=12, hops=1, memory_size=4, temporal=False, controller_size=12, N=4, W=4, context=context)
    model, adam, rng = Hybrid(config), Adam(beta2=0.98), np.random.default_rng(1)
    params = model.init(rng)
    params["W_y"][:, -4:] = 0
    state = adam.init(params)
    for _ in range(150):
        batch = neighbours(rng, 32)
        outputs, trace = model.forward(params, batch.inputs)
        grads = model.backward(params, trace, loss_and_gradient("categorical", outputs, batch)[1])
        grads["W_y"][:, -4:] = 0
        params, state = adam.update(params, grads, state, 0.01)
    test = neighbours(rng, 200)
    assert low <= (model.forward(params, test.inputs)[0].argmax(-1) != test.targets).mean() < high
