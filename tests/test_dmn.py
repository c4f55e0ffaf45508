"""The dynamic memory networks: settings, padding in float32, dropout, gradients of words and masks, what a training does."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

import numpymem
from gradcheck.chain import check_chain
from gradcheck.models import check_model, program, random_parameters
from numpymem import catalog, runs
from numpymem.dmn import DMN, DMNConfig
from numpymem.memn2n.equations import position_weights

SWITCHES = list(itertools.product(("gru", "soft", "episodic"), (True, False), ("relu", "gru")))
V, Y, D = 9, 5, 4


def make(attention="gru", fusion=True, update="relu", **settings):
    return DMN(DMNConfig(**{"n_words": V, "n_outputs": Y, "d": D, "passes": 2, "max_sentence_words": 6} | settings,
                         attention=attention, fusion=fusion, update=update))


def tell(rng, B=3, I=4, J=3):
    """Stories of I, 1 and 2 sentences."""
    sentences, query = rng.integers(1, V, (B, I, J)), rng.integers(1, V, (B, J))
    sentences[:, 1::2, -1] = query[0, -1] = 0
    sentences[np.arange(I) >= np.array([[I], [1], [2]])] = 0
    return SimpleNamespace(sentences=sentences, query=query)


@pytest.fixture
def rng():
    return np.random.default_rng(1603)


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_gradients_of_all_parameters_with_every_combination_of_switches(rng, switches):
    model, story = make(*switches), tell(rng)
    result = check_model(model, random_parameters(model, rng), story)
    assert result.passed, str(result)


def test_chain_of_one_with_one_pass_and_a_single_sentence(rng):
    model = make(passes=1)
    story = SimpleNamespace(sentences=rng.integers(1, V, (2, 1, 3)), query=rng.integers(1, V, (2, 1)))
    assert check_chain(program(model, random_parameters(model, rng), story), rng).passed


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_padding_has_no_gradient_and_changes_nothing_in_float32(rng, switches):
    model, story = make(*switches), tell(rng)
    params = model.init(rng)
    more = SimpleNamespace(sentences=np.pad(story.sentences, ((0, 0), (0, 3), (0, 2))), query=np.pad(story.query, ((0, 0), (0, 2))))
    gradients = []
    for given in (story, more):
        logits, trace = model.forward(params, given)
        gradients.append((logits, model.backward(params, trace, np.ones_like(logits))))
    assert np.array_equal(gradients[0][0], gradients[1][0])
    for name, value in gradients[0][1].items():
        assert np.array_equal(value, gradients[1][1][name]) and value.dtype == np.float32, name
    assert not gradients[0][1]["E"][0].any() and gradients[0][1]["E"][1:].any()


def test_a_batch_without_sentences_is_answered_from_the_question(rng):
    model = make()
    params = model.init(rng, np.float64)
    empty = SimpleNamespace(sentences=np.zeros((2, 3, 2), int), query=np.array([[1, 2], [3, 0]]))
    logits, trace = model.forward(params, empty)
    assert not np.array_equal(logits[0], logits[1]) and not np.any(trace["g"]) and not np.any(trace["c"])
    assert all(np.isfinite(value).all() for value in model.backward(params, trace, np.ones_like(logits)).values())


def test_the_trace_names_every_intermediate(rng):
    model, story = make(passes=3), tell(rng)
    logits, trace = model.forward(model.init(rng), story)
    shapes = {"e": (3, 4, D), "f": (3, 4, D), "q": (3, D), "g": (3, 3, 4), "c": (3, 3, D), "m": (4, 3, D)}
    assert {name: np.shape(trace[name]) for name in shapes} == shapes
    assert np.array_equal(trace["m"][0], trace["q"]) and trace["logits"] is logits
    assert np.allclose(np.sum(trace["g"], axis=2), 1) and np.array_equal(trace["g"][0][1], [1, 0, 0, 0])


def test_sentences_are_encoded_by_the_papers_formula(rng):
    model, params = make(), None
    params = model.init(rng, np.float64)
    told = SimpleNamespace(sentences=np.array([[[3, 5, 7, 0]]]), query=np.array([[1]]))
    e = model.forward(params, told)[1]["e"][0, 0]
    wanted = [sum(((1 - j / 3) - (k / D) * (1 - 2 * j / 3)) * params["E"][word, k - 1] for j, word in enumerate((3, 5, 7), 1))
              for k in range(1, D + 1)]
    np.testing.assert_allclose(e, wanted, rtol=1e-13)
    np.testing.assert_allclose(e, (position_weights(3, D)[3] * params["E"][[3, 5, 7]]).sum(0), rtol=1e-13)


def test_dropout_only_in_training_and_the_same_in_both_passes(rng):
    model, story = make(dropout=0.5), tell(rng)
    params = model.init(rng)
    plain = [model.forward(params, story)[0] for _ in range(2)]
    noisy = [model.forward(params, story, rng=np.random.default_rng(seed))[0] for seed in (1, 1, 2)]
    assert np.array_equal(*plain) and np.array_equal(*noisy[:2]) and not np.array_equal(*noisy[1:])
    assert np.array_equal(make(dropout=0.0).forward(params, story, rng=rng)[0], plain[0])


@pytest.mark.parametrize("setting, message", [
    ({"attention": "hard"}, "attention: expected one of gru, episodic, soft, received 'hard'"), ({"update": 3}, "update: expected"),
    ({"passes": 0}, "passes: expected a whole number of at least 1"), ({"fusion": 1}, "fusion: expected True or False"),
    ({"dropout": 1.0}, "dropout: expected a number from 0 to below 1, received 1.0"), ({"d": 0}, "d: expected")])
def test_settings_are_checked(setting, message):
    with pytest.raises(ValueError, match=message):
        DMNConfig(n_words=V, n_outputs=Y, **setting)


@pytest.mark.parametrize("sentences, query, message", [
    (np.full((1, 2, 3), V), np.ones((1, 2), int), "sentences: expected word numbers from 0 to 8"),
    (np.ones((1, 2, 3), int), np.ones((2, 2), int), "query: expected 1 rows"),
    (np.ones((2, 3), int), np.ones((2, 2), int), "sentences: expected shape"),
    (np.array([[[0, 0], [1, 2]]]), np.ones((1, 2), int), "nil sentences only after the last one")])
def test_stories_are_checked(rng, sentences, query, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        model.forward(model.init(rng), SimpleNamespace(sentences=sentences, query=query))


# ---- in the catalog ---------------------------------------------------------------------------------------------------------

def test_no_sentence_is_left_out():
    training = runs.new_run("dmn", "babi3", 0, ["source=generated", "d=4"])
    longest = max(len(question.story) for question in training.task.questions)
    assert longest > 50 and training.task._stories.shape[1] == longest
    assert catalog.settings_of("dmn", "babi3")[1].patience == 20


def test_it_learns_who_is_where():
    """A sixth of an epoch each time the same questions: a network with a mistake in its passes stays at the majority answer."""
    training = runs.new_run("dmn", "qa", 0, ["source=generated", "d=24", "batch=50", "lr=0.004"])
    with numpymem.numpy_only():
        losses = [training.step()[0] for _ in range(120)]
    assert np.mean(losses[:10]) > 1.5 and np.mean(losses[-10:]) < 0.9
