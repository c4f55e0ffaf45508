"""The memory network: hand-written gradients against the complex step, loops against NumPy, and what the equations mean."""

import contextlib
import inspect
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from kernel_tools import need_numba

import numpymem
from numpymem import kernel
from numpymem.memn2n import MemN2N, MemN2NConfig
from numpymem.memn2n.equations import bag_weights, encode_sentences, match, position_weights, released_weights, remember
from numpymem.memn2n.hops import Way, all_hops
from numpymem.memn2n.reading import Memories, ages

V, Y, D, I, J, B = 9, 5, 6, 5, 4, 3
KERNELS = ("memn2n.encode", "memn2n.memories", "memn2n.hops")


def make(**settings):
    defaults = {"n_words": V, "n_outputs": Y, "d": D, "memory_size": 7, "init_scale": 0.6}
    return MemN2N(MemN2NConfig(**defaults | settings))


def tell(rng, B=B, I=I, J=J):
    """Random stories of every length from 1 to I, sentences of every length from 1 to J."""
    sentences, query = rng.integers(1, V, (B, I, J)), rng.integers(1, V, (B, J))
    told = np.append(I, rng.integers(1, I + 1, B - 1))
    sentences[np.arange(J) >= rng.integers(1, J + 1, (B, I, 1))] = 0
    sentences[np.arange(I) >= told[:, None]] = 0
    query[:, -1] = 0
    return SimpleNamespace(sentences=sentences.astype(np.int32), query=query.astype(np.int32))


def answers(model, params, sentences, query, **how):
    return model.forward(params, SimpleNamespace(sentences=sentences, query=query), **how)[0]


def one_story(*sentences, query=(1, 2)):
    width = max(map(len, sentences))
    rows = [list(sentence) + [0] * (width - len(sentence)) for sentence in sentences]
    return np.array([rows]), np.array([query])


@pytest.fixture
def rng():
    return np.random.default_rng(20151123)


@pytest.fixture
def numpy_form():
    with numpymem.numpy_only():
        yield


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """Kernels in force for today's equations, without touching the fingerprints of the package."""
    need_numba()
    monkeypatch.setattr(kernel, "FINGERPRINTS", tmp_path / "fingerprints.json")
    monkeypatch.setenv("NUMPYMEM_JIT", "1")
    for name in KERNELS:
        kernel.renew(kernel.KERNELS[name])
    yield
    numpymem.equation._version[0] += 1                # look again, at the package's own fingerprints


# ---- gradients ------------------------------------------------------------------------------------------------------

SWITCHES = {"encoding": ("position", "bag"), "temporal": (True, False), "nil_memories": (False, True), "relu": (False, True)}


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("tying", ["adjacent", "layer-wise", "adjacent, answer too"])
def test_gradients_of_all_parameters(rng, numpy_form, tying, linear, hops):
    story = tell(rng)
    how = {"tying": "adjacent", "tie_answer": True, "n_outputs": V} if "too" in tying else {"tying": tying}
    for values in itertools.product(*SWITCHES.values()):
        model = make(hops=hops, **how, **dict(zip(SWITCHES, values)))
        params = model.init(rng, np.float64)
        logits, trace = model.forward(params, story, linear=linear)
        d_logits = rng.standard_normal(logits.shape)
        grads = model.backward(params, trace, d_logits)
        assert grads.keys() == params.keys()
        for name, value in params.items():
            direction = rng.standard_normal(value.shape)
            moved, _ = model.forward(params | {name: value + 1e-30j * direction}, story, linear=linear)
            true = (moved.imag / 1e-30 * d_logits).sum()
            assert (grads[name] * direction).sum() == pytest.approx(true, rel=1e-10, abs=1e-12), (name, values)


def test_gradients_of_the_trace(rng, numpy_form):
    """dtrace["u"] against a change of the query's code alone: words that no sentence has."""
    model = make(hops=2, n_words=V + J)
    story = tell(rng)
    story.query[:] = np.arange(V, V + J)
    params = model.init(rng, np.float64)
    logits, trace = model.forward(params, story)
    dtrace = {}
    d_logits = rng.standard_normal(logits.shape)
    grads = model.backward(params, trace, d_logits, dtrace)
    for name in "umcpo":
        assert [d.shape for d in dtrace[name]] == [x.shape for x in trace[name]], name
    l = position_weights(J, D)[J]                                    # (J, D)
    np.testing.assert_allclose(grads["A1"][V:], l * dtrace["u"][0].sum(0), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_have_the_type_of_the_parameters_and_nil_rows_get_none(rng, dtype):
    for tying in ("adjacent", "layer-wise"):
        model = make(tying=tying)
        params = model.init(rng, dtype)
        logits, trace = model.forward(params, tell(rng), rng)
        grads = model.backward(params, trace, np.ones(logits.shape))
        assert logits.dtype == dtype
        for name, grad in grads.items():
            assert grad.dtype == dtype and grad.shape == params[name].shape, name
            if name not in ("H", "W"):
                assert not params[name][0].any() and not grad[0].any(), name


# ---- the loops compute what NumPy computes --------------------------------------------------------------------------

def points(rng, dtype):
    """Arguments of each pair that has a kernel: (equation, arguments, names of the outputs)."""
    story = tell(rng, B=4)
    mask = (story.sentences[:, :, 0] != 0).astype(dtype)

    def real(*shape):
        return rng.standard_normal(shape).astype(dtype)

    l = position_weights(J + 2, D).astype(dtype)
    age = ages(mask.sum(1).astype(int), I)
    yield encode_sentences, (story.sentences, l, real(V, D)), ["m"]
    yield remember, (story.sentences, l, real(V, 3, D), age, real(I + 1, 3, D)), ["m"]
    names, no_H = ["u", "o", "p"], np.zeros((0, 0), dtype)
    for relu, linear, empty in itertools.product((False, True), (False, True), (0, 3)):
        slots, way = np.full((4, 1), empty, dtype), Way(3, relu, linear)
        yield all_hops, (real(4, D), real(4, I, 4, D), no_H, mask, slots, way), names
        yield all_hops, (real(4, D), real(4, I, 2, D), real(D, D), mask, slots, way), names
    big = 200 * real(4, D)                                            # scores that overflow exp without care
    yield all_hops, (big, real(4, I, 2, D), no_H, 0 * mask, np.zeros((4, 1), dtype), Way(1)), names
    yield all_hops, (big, real(4, I, 2, D), no_H, mask, np.ones((4, 1), dtype), Way(1)), names


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernels_equal_numpy(rng, compiled, dtype):
    near = {"rtol": 2e-5, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
    for equation, arguments, names in points(rng, dtype):
        forward, backward = equation.kernel.pair()
        with numpymem.numpy_only():
            outputs = as_tuple(equation(*arguments))
            d_outputs = [rng.standard_normal(out.shape).astype(dtype) for out in outputs]
            known = dict(zip(equation.arguments, arguments)) | dict(zip(names, outputs))
            known |= {f"d{name}": d for name, d in zip(names, d_outputs)}
            wanted = inspect.signature(equation.original_backward).parameters
            back = [known[name] for name in wanted]
            grads = as_tuple(equation.gradient(*back))
        for ours, theirs in zip(as_tuple(forward(*arguments)) + as_tuple(backward(*back)), outputs + grads, strict=True):
            assert ours.dtype == theirs.dtype == dtype
            np.testing.assert_allclose(ours, theirs, **near, err_msg=equation.id)


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("tying", ["adjacent", "layer-wise"])
def test_the_model_is_the_same_with_and_without_kernels(rng, compiled, tying):
    assert not kernel.KERNELS["memn2n.hops"].why_not()
    for temporal, linear in itertools.product((True, False), repeat=2):
        model, story = make(tying=tying, temporal=temporal, nil_memories=True), tell(rng)
        params = model.init(rng, np.float64)
        fast, trace = model.forward(params, story, np.random.default_rng(1), linear)
        fast_grads = model.backward(params, trace, np.cos(fast))
        with numpymem.numpy_only():
            slow, trace = model.forward(params, story, np.random.default_rng(1), linear)
            slow_grads = model.backward(params, trace, np.cos(slow))
        np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-13)
        for name, grad in slow_grads.items():
            np.testing.assert_allclose(fast_grads[name], grad, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stories_read_by_loops_are_those_read_by_numpy(rng, compiled, dtype):
    told = tell(rng, B=6)
    for settings in ({}, {"memory_size": 3}, {"temporal": False}, {"nil_memories": True}, {"memory_size": 3, "nil_memories": True}):
        for cut in (slice(None), slice(1, 2), slice(0, 0)):
            story = SimpleNamespace(sentences=told.sentences[cut], query=told.query[cut])
            model = make(**settings)
            by_loops = model.read(story, dtype)
            with numpymem.numpy_only():
                by_numpy = model.read(story, dtype)
            for name, ours, theirs in zip(Memories._fields, by_loops, by_numpy):
                np.testing.assert_array_equal(ours, theirs, err_msg=name)
                assert ours.dtype == theirs.dtype and ours.flags.c_contiguous, name


# ---- what it means --------------------------------------------------------------------------------------------------

def test_position_weights_are_the_papers_formula():
    table = position_weights(6, 4)
    for n, j, k in itertools.product(range(1, 7), range(1, 7), range(1, 5)):
        wanted = (1 - j / n) - (k / 4) * (1 - 2 * j / n) if j <= n else 0
        assert table[n, j - 1, k - 1] == pytest.approx(wanted)
    assert not table[0].any()
    assert bag_weights(3, 2)[:, :, 0].tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_released_weights_are_twice_the_papers_up_to_half_a_step():
    ours, paper = released_weights(39, 50)[39], 2 * position_weights(40, 50)[40, :39]                # the time is word 40
    assert np.abs(ours - paper).max() < 2 / 40 + 2 / 50
    np.testing.assert_allclose(ours[1:] + ours[:0:-1], 2)            # words 2 to 39: as heavy as a bag of words


def test_released_weights_are_the_same_for_short_sentences():
    table = released_weights(3, 2)
    assert np.array_equal(table[2, :2], table[3, :2]) and not table[2, 2:].any() and not table[0].any()


def test_padding_changes_nothing(rng):
    for tying, nil_memories in itertools.product(("adjacent", "layer-wise"), (False, True)):
        model, story = make(tying=tying, nil_memories=nil_memories), tell(rng)
        params = model.init(rng, np.float64)
        more = np.pad(story.sentences, ((0, 0), (0, 4), (0, 3)))
        plain = answers(model, params, story.sentences, story.query)
        np.testing.assert_array_equal(plain, answers(model, params, more, np.pad(story.query, ((0, 0), (0, 5)))))
        for b in range(B):                                            # nor do the other stories of the batch
            alone = answers(model, params, more[b:b + 1], story.query[b:b + 1])
            np.testing.assert_allclose(alone[0], plain[b], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("temporal", [True, False])
def test_the_order_of_sentences_matters_exactly_with_temporal_encoding(rng, temporal):
    model = make(temporal=temporal)
    params = model.init(rng, np.float64)
    sentences, query = one_story((3, 4), (5, 6, 7), (8,))
    same = np.allclose(answers(model, params, sentences, query), answers(model, params, sentences[:, ::-1], query))
    assert same != temporal


@pytest.mark.parametrize("encoding", ["position", "bag"])
def test_the_order_of_words_matters_exactly_with_position_encoding(rng, encoding):
    model = make(encoding=encoding)
    params = model.init(rng, np.float64)
    sentences, query = one_story((3, 4, 5), (6, 7, 8))
    same = np.allclose(answers(model, params, sentences, query), answers(model, params, sentences[:, :, ::-1], query))
    assert same == (encoding == "bag")


def test_only_the_latest_sentences_are_kept(rng):
    model = make(memory_size=2)
    params = model.init(rng, np.float64)
    sentences, query = one_story((3,), (4, 5), (6,), (7, 8))
    np.testing.assert_allclose(answers(model, params, sentences, query), answers(model, params, sentences[:, 2:], query))
    both = np.concatenate([sentences, np.where(np.arange(4)[:, None] < 1, sentences, 0)])
    _, trace = model.forward(params, SimpleNamespace(sentences=both, query=np.repeat(query, 2, 0)))
    assert trace["sentences"][:, :, 0].tolist() == [[6, 7], [3, 0]] and trace["age"].tolist() == [[2, 1], [1, 0]]


def test_weights_sum_to_one_over_real_sentences(rng):
    model, story = make(), tell(rng)
    _, trace = model.forward(model.init(rng, np.float64), story)
    for p in trace["p"]:
        np.testing.assert_allclose(p.sum(1), 1)
        assert (p > 0).tolist() == (trace["mask"] > 0).tolist()


def test_empty_slots_take_their_share_as_scores_of_zero(rng, numpy_form):
    u, m, empty = rng.standard_normal((1, D)), rng.standard_normal((1, 2, D)), np.array([[3.0]])
    e = np.exp((m @ u[0])[0])
    np.testing.assert_allclose(match(u, m, np.ones((1, 2)), empty)[0], e / (e.sum() + 3))
    model, story = make(memory_size=7, nil_memories=True), tell(rng)
    _, trace = model.forward(model.init(rng, np.float64), story)
    np.testing.assert_array_equal(trace["empty"][:, 0], 7 - trace["mask"].sum(1))
    assert all((p.sum(1) < 1).all() for p in trace["p"])


def test_a_story_without_sentences_is_answered_from_the_question(rng):
    model = make(hops=2)
    params = model.init(rng, np.float64)
    logits, trace = model.forward(params, SimpleNamespace(sentences=np.zeros((1, 3, J), int), query=np.array([[1, 2]])))
    np.testing.assert_allclose(logits, trace["u"][0] @ params["W"])
    assert all(np.isfinite(g).all() for g in model.backward(params, trace, np.ones(logits.shape)).values())


# ---- errors ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong", [{"hops": 0}, {"hops": 7}, {"encoding": "words"}, {"tying": "tied"}, {"d": 1.5},
                                   {"time_noise": -1}, {"relu": 1}, {"tie_answer": True}, {"n_words": 1}])
def test_a_wrong_setting_is_named(wrong):
    with pytest.raises(ValueError, match=r"(n_outputs|" + "|".join(wrong) + r"): expected .* received"):
        make(**wrong)


@pytest.mark.parametrize("form", ["loops", "numpy"])
@pytest.mark.parametrize("name, words, says", [
    ("sentences", np.full((1, 2, 3), V), f"word numbers from 0 to {V - 1}, received '0 to {V}'"),
    ("sentences", [[[0, 1]]], "nil words only after the last word of a sentence, received 'one before it'"),
    ("sentences", [[[0], [1]]], "nil sentences only after the last one of a story, received 'one before it'"),
    ("sentences", np.ones((2, 3)), r"shape \(B, I, J\), received \(2, 3\)"),
    ("query", np.full((1, 3), -1), f"word numbers from 0 to {V - 1}, received '-1 to 0'"),
    ("query", np.ones((2, 3)), "1 rows, one a story, received 2"),
    ("query", np.ones((1, 33)), "sentences of at most max_sentence_words = 32 words, received 33"),
])
def test_wrong_words_are_named_by_both_forms_alike(rng, compiled, form, name, words, says):
    story = {"sentences": np.ones((1, 2, 3), np.int32), "query": np.ones((1, 3), np.int32)} | {name: np.asarray(words, np.int32)}
    with contextlib.nullcontext() if form == "loops" else numpymem.numpy_only():
        with pytest.raises(ValueError, match=f"^{name}: expected {says}$"):
            make().read(SimpleNamespace(**story), np.float32)


@pytest.mark.parametrize("name, words", [
    ("sentences", np.full((1, 2, 3), V)), ("sentences", np.array([[[0, 1]]])), ("sentences", np.array([[[0], [1]]])),
    ("sentences", np.ones((2, 3), int)), ("sentences", np.ones((1, 2, 3))), ("query", np.full((1, 3), -1)),
    ("query", np.ones((2, 3), int)), ("query", np.ones((1, 33), int))])
def test_wrong_words_are_named(rng, name, words):
    story = {"sentences": np.ones((1, 2, 3), int), "query": np.ones((1, 3), int)} | {name: words}
    model = make()
    with pytest.raises(ValueError, match=rf"{name}: expected .* received"):
        model.forward(model.init(rng), SimpleNamespace(**story))
