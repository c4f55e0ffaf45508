"""What the equations mean. A wrong forward passes every gradient check: these tests are what catches it.

What holds of an equation whatever its form stands in gradcheck/meaning/ and is run from here; below is what needs the kernels,
float32 or gradients.
"""

import inspect
import itertools

import numpy as np
import pytest
from kernel_tools import needs_numba

import numpymem
from gradcheck import meaning
from gradcheck.meaning import check_meaning, one_hot
from gradcheck.meaning.ntm import raw_parameters
from gradcheck.museum import EXHIBITS
from numpymem import kernel
from numpymem.dmn import model as dmn
from numpymem.equation import REGISTRY
from numpymem.hybrid import Hybrid
from numpymem.lstm import LSTM, LSTMConfig
from numpymem.memn2n import model as memn2n
from numpymem.memn2n import reading
from numpymem.memory_transformer import MemoryTransformer, transformer
from numpymem.memory_transformer import model as memory_transformer
from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.sequence import NAMES, sequence, sequence_backward
from numpymem.ntm.step import HeadSizes
from numpymem.ops import losses
from numpymem.ops.cosine import cosine_similarity, cosine_similarity_backward
from numpymem.ops.embedding import embed, embed_backward

position_code, tell = transformer.position_code, MemoryTransformer.tell
latest, weights_table = reading.latest, memn2n.weights_table
DTYPES = (np.float64, np.float32)
FAR = 1e4                                       # squashed, it is the end of the range: sigmoid 1, softplus 1e4 (of -FAR: 0)


@pytest.fixture
def rng():
    return np.random.default_rng(20141020)


@pytest.fixture(params=["numpy", pytest.param("kernel", marks=needs_numba)])
def form(request, tmp_path, monkeypatch):
    """Run a test twice: as NumPy, and with the kernels in force (the package's fingerprints are left alone)."""
    if request.param == "numpy":
        with numpymem.numpy_only():
            yield
        return
    monkeypatch.setenv("NUMPYMEM_JIT", "1")
    monkeypatch.setattr(kernel, "FINGERPRINTS", tmp_path / "fingerprints.json")
    for name in ("ntm.sequence",):
        kernel.renew(kernel.KERNELS[name])
    assert sequence.kernel.why_not() is None
    yield
    with numpymem.numpy_only():                 # on leaving, every kernel looks at its fingerprints again
        pass


def a_model(controller="lstm", **settings):
    defaults = {"controller_size": 7, "N": 6, "W": 4, "read_heads": 2, "write_heads": 2}
    return NTM(NTMConfig(3, 2, controller=controller, **defaults | settings))


# ---- the tests of meaning ----------------------------------------------------------------------------------------------

def named(one):
    return one.id


@pytest.mark.parametrize("one", meaning.select(), ids=named)
def test_meaning(one):
    result = one.check()
    assert result.passed, str(result)


def listed(result):
    return list(result) if isinstance(result, tuple) else [result]


SPOIL = (lambda y: 1.01 * y, lambda y: y + 0.01, lambda y: np.roll(y, 1, axis=-1), lambda y: y[::-1],
         lambda y: y + 0.01 * y.mean(axis=0))


def spoilt(item, change):
    """The forward of an equation, all of whose outputs went through `change`."""
    def forward(*arguments):
        values = tuple(change(np.asarray(value)) for value in listed(item.original(*arguments)))
        return values if len(item.outputs) > 1 else values[0]
    forward.__signature__ = inspect.signature(item.original)
    return forward


def fails_when_spoilt(one):
    """Whether a meaning notices any of the spoilt forwards of the equations that it is about."""
    for item, change in itertools.product((REGISTRY[id] for id in one.equations if id in REGISTRY), SPOIL):
        with numpymem.patch(item, spoilt(item, change)):
            if not one.check().passed:
                return True
    return False


@pytest.mark.parametrize("one", meaning.select(), ids=named)
def test_every_meaning_can_fail(one, monkeypatch):
    monkeypatch.setattr(reading, "latest", lambda sentences, told, size: latest(sentences, told, size + 1))
    monkeypatch.setattr(memn2n, "weights_table", lambda encoding, *sizes: weights_table("bag", *sizes))
    monkeypatch.setattr(dmn, "weights_table", lambda encoding, *sizes: weights_table("bag", *sizes))
    monkeypatch.setattr(dmn, "xavier", lambda rng, rows, columns, blocks: rng.standard_normal((rows, columns)))
    monkeypatch.setattr(transformer, "position_code", lambda places, D, dtype: position_code(places, D, dtype) ** 2)
    monkeypatch.setattr(memory_transformer, "position_code", lambda places, D, dtype: np.zeros((places, D), dtype))
    monkeypatch.setattr(MemoryTransformer, "tell", lambda self, params, inputs, rng, forget: tell(self, params, inputs, rng))
    monkeypatch.setattr(Hybrid, "init", lambda self, rng: self.memn2n.init(rng) | self.ntm.init(rng))
    noticed = not one.check().passed
    monkeypatch.undo()
    assert noticed or any(one.id in exhibit.unmet for exhibit in EXHIBITS) or fails_when_spoilt(one)


def test_what_is_said_of_an_equation_is_found_by_its_id_and_by_its_own():
    assert [result.id for result in check_meaning("NTM-9")] == ["gamma-sharpens", "weightings-are-distributions",
                                                                "samples-are-treated-alone"]
    assert [result.id for result in check_meaning(["gate-chooses", "NTM-9"])][0] == "gate-chooses"
    with pytest.raises(KeyError, match="nothing is said of 'NTM-99'; known: .*gate-chooses"):
        check_meaning("NTM-99")


def test_a_meaning_that_does_not_hold_says_what_was_expected_and_received():
    with numpymem.patch("NTM-7", lambda w_c, w_prev, g: w_c * (1 - g) + g * w_prev):
        result, *_ = check_meaning("gate-chooses")
    assert not result.passed and "w_g with gate 0 at [" in result.said and "expected" in result.said and "received" in result.said
    assert "Gate 0 keeps" in str(result) and max(map(len, str(result).splitlines())) <= 80


def test_an_equation_that_raises_or_is_no_number_does_not_mean_what_it_should():
    with numpymem.patch("NTM-7", lambda w_c, w_prev, g: w_c @ w_prev):
        assert "raises ValueError" in check_meaning("gate-chooses")[0].said
    with numpymem.patch("NTM-7", lambda w_c, w_prev, g: np.nan * w_c):
        assert "received nan" in check_meaning("gate-chooses")[0].said


# ---- whole sequences, both forms and types -----------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_every_weighting_is_a_distribution(rng, form, controller, dtype):
    model = a_model(controller)
    params = {name: 3 * value for name, value in model.init(rng, dtype).items()}
    _, trace = model.forward(params, rng.standard_normal((9, 3, 3)).astype(dtype))
    for name in ("w_c", "w_g", "w_s", "w", "s"):
        weights = np.asarray(trace[name])
        assert weights.min() >= 0
        np.testing.assert_allclose(weights.sum(-1), 1, rtol=0, atol=8 * np.finfo(dtype).eps, err_msg=name)


def test_cosine_has_finite_gradients_at_zero(rng):
    k, M, dK = rng.standard_normal((2, 3, 4)), np.zeros((2, 5, 4)), np.ones((2, 3, 5))
    for arguments in ((k, M), (0 * k, M), (0 * k, M + 1)):
        for gradient in cosine_similarity_backward(dK, cosine_similarity(*arguments), *arguments):
            assert np.isfinite(gradient).all()


# ---- safe at the ends of all ranges ------------------------------------------------------------------------------------

def a_sequence(rng, dtype, raw, sizes, M0, w0, B=2, T=2, C=3):
    """Arguments of `sequence` with a feedforward controller, whose head parameters are `raw` whatever it does."""
    numbers = (rng.standard_normal((T, B, C)), rng.standard_normal((sizes.R * sizes.W, C)), np.zeros((C, sizes.raw)), raw,
               np.zeros((B, 0)), np.zeros((B, 0)), np.zeros((B, sizes.R, sizes.W)), w0, M0)
    return (*(number.astype(dtype) for number in numbers), sizes)


def run_back(rng, out, arguments):
    """`sequence_backward` from random gradients of h and r; nothing comes after the last step."""
    named = dict(zip(NAMES, out))
    dh, dr = (rng.standard_normal(named[name].shape).astype(named[name].dtype) for name in ("h", "r"))
    saved = [named[name] for name in NAMES if name != "r"]
    return sequence_backward(dh, dr, *map(np.zeros_like, out[len(NAMES):]), *saved, *arguments)


@pytest.mark.parametrize("dtype", DTYPES)
def test_finite_at_the_ends_of_all_ranges(rng, form, dtype):
    sizes, B, N = HeadSizes(R=1, Q=2, W=4, S=3), 2, 6
    memories = np.zeros((B, N, 4)), rng.standard_normal((B, N, 4))
    weights = np.eye(N)[None, :3].repeat(B, 0), np.full((B, 3, N), 1 / N)
    for M0, w0, beta, gamma, g in itertools.product(memories, weights, (-FAR, FAR), (-FAR, 999.0), (-FAR, 0.0, FAR)):
        raw = raw_parameters(sizes, k=rng.standard_normal(12), beta=beta, g=g, gamma=gamma, e=FAR, a=1.0)
        arguments = a_sequence(rng, dtype, raw, sizes, M0, w0)
        out = sequence(*arguments)
        named = dict(zip(NAMES, out))
        assert np.all(named["beta"] == max(beta, 0)) and np.all(named["gamma"] == 1 + max(gamma, 0))
        for value in (*out, *run_back(rng, out, arguments)):
            assert value.dtype == dtype and np.isfinite(value).all()


def test_constant_memory_with_uniform_weights_is_refused():
    with pytest.raises(ValueError, match="initial_memory, initial_weights.*'constant' and 'uniform'"):
        a_model(initial_memory="constant", initial_weights="uniform")


def test_constant_memory_with_uniform_weights_would_stay_symmetric(rng):
    sizes, N = HeadSizes(R=1, Q=1, W=4, S=3), 5
    raw = raw_parameters(sizes, *(rng.standard_normal(size) for size in np.diff([0, *sizes.cuts])))
    M0, even = np.full((2, N, 4), 1e-6), np.full((2, 2, N), 1 / N)
    out = sequence(*(arguments := a_sequence(rng, np.float64, raw, sizes, M0, even, T=4)))
    named, dM0 = dict(zip(NAMES, out)), run_back(rng, out, arguments)[-1]
    np.testing.assert_allclose(named["w"], 1 / N, rtol=1e-12)
    np.testing.assert_allclose(named["M"], named["M"][..., :1, :].repeat(N, 2), rtol=1e-12)
    np.testing.assert_allclose(dM0, dM0[:, :1].repeat(N, 1), rtol=0, atol=1e-9 * abs(dM0).max())
    broken = dict(zip(NAMES, sequence(*a_sequence(rng, np.float64, raw, sizes, M0, one_hot(N, 0, 0).repeat(2, 0), T=4))))
    assert np.ptp(broken["M"][-1], axis=1).min() > 1e-3


# ---- models ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("make", [lambda: a_model("lstm"), lambda: a_model("feedforward"), lambda: LSTM(LSTMConfig(3, 2, 5, 2))],
                         ids=["ntm-lstm", "ntm-feedforward", "lstm"])
def test_sequences_of_a_batch_do_not_see_each_other(rng, form, make):
    model = make()
    params = model.init(rng, np.float64)
    inputs = rng.standard_normal((6, 3, 3))
    together, _ = model.forward(params, inputs)
    alone = np.concatenate([model.forward(params, inputs[:, b:b + 1])[0] for b in range(3)], axis=1)
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-13)


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_step_by_step_is_the_whole_sequence(rng, form, controller):
    model = a_model(controller)
    params, inputs = model.init(rng, np.float64), rng.standard_normal((5, 2, 3))
    whole, _ = model.forward(params, inputs)
    state = model.initial_state(params, 2)
    for t in range(5):
        logits, state = model.step(params, inputs[t], state)
        np.testing.assert_allclose(logits, whole[t], rtol=0, atol=1e-13)


# ---- losses, embedding -------------------------------------------------------------------------------------------------

def test_the_mask_hides(rng):
    z, mask = rng.standard_normal((4, 3, 5)), np.ones((4, 3))
    mask[1, 2] = 0
    changed = z.copy()
    changed[1, 2] = 50 * rng.standard_normal(5)
    for loss, backward, targets in (
            (losses.binary_cross_entropy, losses.binary_cross_entropy_backward, rng.integers(0, 2, (4, 3, 5)).astype(float)),
            (losses.categorical_cross_entropy, losses.categorical_cross_entropy_backward, rng.integers(0, 5, (4, 3)))):
        assert loss(z, targets, mask) == loss(changed, targets, mask)
        dz = backward(1.0, z, targets, mask)
        assert not dz[1, 2].any() and np.count_nonzero(dz) == dz.size - 5


def test_no_word_is_the_zero_vector_and_gets_no_gradient(rng):
    E, ids = rng.standard_normal((6, 3)), np.array([[2, 0, 2], [5, 1, 0]])
    y = embed(ids, E)
    assert not y[ids == 0].any() and np.array_equal(y[ids > 0], E[ids[ids > 0]])
    dy = rng.standard_normal(y.shape)
    dE = embed_backward(dy, ids, E)
    assert not dE[0].any() and np.array_equal(dE[2], dy[0, 0] + dy[0, 2]) and not dE[3:5].any()


def test_fewer_slots_in_training_than_later():
    """N_training changes the memory of a forward with an rng, and nothing else: parameters fit both."""
    settings = {"n_inputs": 3, "n_outputs": 2, "controller_size": 5, "W": 4, "initial_weights": "one-hot"}
    small, large = NTM(NTMConfig(N=6, **settings)), NTM(NTMConfig(N=9, N_training=6, **settings))
    params, inputs = small.init(np.random.default_rng(0)), np.random.default_rng(1).standard_normal((4, 2, 3)).astype(np.float32)
    trained, trace = large.forward(params, inputs, rng=np.random.default_rng(2))
    assert trace["M"].shape[2] == 6 and large.forward(params, inputs)[1]["M"].shape[2] == 9
    np.testing.assert_array_equal(trained, small.forward(params, inputs)[0])
    assert {k: v.shape for k, v in large.backward(params, trace, trained).items()} == {k: v.shape for k, v in params.items()}
    with pytest.raises(ValueError, match="N_training"):
        NTMConfig(n_inputs=3, n_outputs=2, N_training=6)
