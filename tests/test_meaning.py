"""What the equations mean. A wrong forward passes every gradient check: these tests are what catches it."""

import itertools

import numpy as np
import pytest

import numpymem
from numpymem import kernel
from numpymem.lstm import LSTM, LSTMConfig
from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.equations import add, content_weights, erase, interpolate, read, sharpen, shift
from numpymem.ntm.sequence import NAMES, sequence, sequence_backward
from numpymem.ntm.step import HeadSizes, memory_step
from numpymem.ops import losses
from numpymem.ops.cosine import cosine_similarity, cosine_similarity_backward
from numpymem.ops.embedding import embed, embed_backward
from numpymem.ops.lstm import lstm_cell

DTYPES = (np.float64, np.float32)
FAR = 1e4                                       # squashed, it is the end of the range: sigmoid 1, softplus 1e4 (of -FAR: 0)


@pytest.fixture
def rng():
    return np.random.default_rng(20141020)


@pytest.fixture(params=["numpy", "kernel"])
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


def simplex(rng, *shape):
    p = rng.random(shape)
    return p / p.sum(-1, keepdims=True)


def one_hot(N, *slots):
    """Weights (1, H, N): head h is at slot slots[h]."""
    return np.eye(N)[None, list(slots)]


def raw_parameters(sizes, k=0.0, beta=0.0, g=0.0, s=0.0, gamma=0.0, e=0.0, a=0.0):
    """One raw vector (P,), each part filled with a number or an array."""
    raw = np.zeros(sizes.raw)
    for part, value in zip(np.split(raw, sizes.cuts[:-1]), (k, beta, g, s, gamma, e, a)):
        part[:] = np.ravel(value)
    return raw


# ---- addressing --------------------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("kernel_of_shift, by", [((0, 0, 1), 1), ((0, 1, 0), 0), ((1, 0, 0), -1)])
def test_shift_rotates_by_exactly_one_slot(rng, kernel_of_shift, by):
    N = 5
    s = np.array(kernel_of_shift, float)[None, None]
    for slot in range(N):
        assert np.array_equal(shift(one_hot(N, slot), s), one_hot(N, (slot + by) % N))
    w = simplex(rng, 2, 3, N)
    assert np.array_equal(shift(w, np.broadcast_to(s, (2, 3, 3))), np.roll(w, by, axis=-1))


def test_shift_by_two_with_five_shifts():
    assert np.array_equal(shift(one_hot(6, 5), np.array([[[0, 0, 0, 0, 1.0]]])), one_hot(6, 1))


def test_gate_chooses_between_before_and_content(rng):
    w_c, w_prev = simplex(rng, 2, 3, 5), simplex(rng, 2, 3, 5)
    assert np.array_equal(interpolate(w_c, w_prev, np.zeros((2, 3, 1))), w_prev)
    assert np.array_equal(interpolate(w_c, w_prev, np.ones((2, 3, 1))), w_c)


def test_gamma_one_leaves_and_a_large_gamma_picks_the_largest(rng):
    w = simplex(rng, 2, 3, 7)
    np.testing.assert_allclose(sharpen(w, np.ones((2, 3, 1))), w, rtol=0, atol=7e-8)             # N times the 1e-8 in the log
    sharp = sharpen(w, np.full((2, 3, 1), 1e6))
    assert np.array_equal(sharp, np.eye(7)[w.argmax(-1)])


def test_beta_zero_is_uniform_and_a_large_beta_picks_the_most_similar(rng):
    K = cosine_similarity(rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 7, 4)))
    np.testing.assert_allclose(content_weights(K, np.zeros((2, 3, 1))), 1 / 7, rtol=1e-15)
    assert np.array_equal(content_weights(K, np.full((2, 3, 1), 1e6)), np.eye(7)[K.argmax(-1)])


def test_cosine_knows_directions_not_lengths(rng):
    k, M = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5, 4))
    expected = np.einsum("bhw,bnw->bhn", k / np.linalg.norm(k, axis=-1, keepdims=True),
                         M / np.linalg.norm(M, axis=-1, keepdims=True))
    for longer, wider in ((1, 1), (100, 1), (1, 30), (0.1, 10)):
        np.testing.assert_allclose(cosine_similarity(longer * k, wider * M), expected, rtol=0, atol=2e-6)  # 1e-8 in the root
    np.testing.assert_allclose(cosine_similarity(100 * k[:, :1], 7e3 * k[:, :1]), 1, rtol=0, atol=1e-11)
    np.testing.assert_allclose(cosine_similarity(100 * k[:, :1], -7e3 * k[:, :1]), -1, rtol=0, atol=1e-11)
    assert np.array_equal(cosine_similarity(k, 0 * M), np.zeros((2, 3, 5)))


def test_cosine_has_finite_gradients_at_zero(rng):
    k, M, dK = rng.standard_normal((2, 3, 4)), np.zeros((2, 5, 4)), np.ones((2, 3, 5))
    for arguments in ((k, M), (0 * k, M), (0 * k, M + 1)):
        for gradient in cosine_similarity_backward(dK, cosine_similarity(*arguments), *arguments):
            assert np.isfinite(gradient).all()


# ---- reading and writing -----------------------------------------------------------------------------------------------

def test_what_is_written_at_a_slot_is_read_there(rng):
    M, a, w = rng.standard_normal((1, 5, 4)), rng.standard_normal((1, 1, 4)), one_hot(5, 2)
    written = add(erase(M, w, np.ones((1, 1, 4))), w, a)
    assert np.array_equal(read(w, written), a)
    others = np.arange(5) != 2
    assert np.array_equal(written[:, others], M[:, others])
    assert np.array_equal(read(w, add(M, w, a)), M[:, 2:3] + a)                  # without erasing, it is added


def test_reading_mixes_rows_by_their_weights():
    M = np.array([[[1.0, 0], [0, 2], [4, 4]]])
    assert np.array_equal(read(np.array([[[0.5, 0.25, 0.25]]]), M), [[[1.5, 1.5]]])


def test_erases_multiply_and_adds_sum_whatever_the_order_of_heads(rng):
    M, w, e, a = rng.standard_normal((2, 5, 4)), simplex(rng, 2, 3, 5), rng.random((2, 3, 4)), rng.standard_normal((2, 3, 4))
    one_by_one, added = M, M
    for h in range(3):
        one_by_one = erase(one_by_one, w[:, h:h + 1], e[:, h:h + 1])
        added = add(added, w[:, h:h + 1], a[:, h:h + 1])
    np.testing.assert_allclose(erase(M, w, e), one_by_one, rtol=1e-14)
    np.testing.assert_allclose(add(M, w, a), added, rtol=0, atol=1e-14)
    for order in itertools.permutations(range(3)):
        order = list(order)
        np.testing.assert_allclose(erase(M, w[:, order], e[:, order]), erase(M, w, e), rtol=1e-14)
        np.testing.assert_allclose(add(M, w[:, order], a[:, order]), add(M, w, a), rtol=0, atol=1e-14)


def test_a_step_reads_before_it_writes(rng):
    sizes, N, slot = HeadSizes(R=1, Q=1, W=4, S=3), 5, 3
    M, wanted = rng.standard_normal((1, N, 4)), rng.uniform(-0.9, 0.9, 4)
    stay = {"g": -FAR, "s": [-FAR, FAR, -FAR] * 2, "gamma": -FAR}                # both heads keep their weights
    raw = raw_parameters(sizes, **stay, e=FAR, a=np.arctanh(wanted))[None]
    w0 = one_hot(N, slot, slot)
    r1, w1, M1, *_ = memory_step(raw, M, w0, sizes)
    r2, *_ = memory_step(raw, M1, w1, sizes)
    np.testing.assert_allclose(w1, w0, rtol=0, atol=N * 1e-8)
    np.testing.assert_allclose(r1[0, 0], M[0, slot], rtol=0, atol=1e-6)
    np.testing.assert_allclose(r2[0, 0], wanted, rtol=0, atol=1e-6)


def test_heads_step_forward_when_their_shift_says_so(rng):
    sizes, N = HeadSizes(R=1, Q=1, W=2, S=3), 4
    raw = raw_parameters(sizes, g=-FAR, s=[-FAR, -FAR, FAR, FAR, -FAR, -FAR], gamma=999.0)[None]
    w = one_hot(N, 3, 0)
    for step in (1, 2, 3):                                                       # the read head forward, the write head back
        _, w, *_ = memory_step(raw, rng.standard_normal((1, N, 2)), w, sizes)
        np.testing.assert_allclose(w, one_hot(N, (3 + step) % N, -step % N), rtol=0, atol=1e-12)


# ---- safe at the ends of all ranges ------------------------------------------------------------------------------------

def a_sequence(rng, dtype, raw, sizes, M0, w0, B=2, T=2, C=3):
    """Arguments of `sequence` with a feedforward controller, whose head parameters are `raw` whatever it does."""
    numbers = (rng.standard_normal((T, B, C)), rng.standard_normal((sizes.R * sizes.W, C)), np.zeros((C, sizes.raw)), raw,
               np.zeros((B, 0)), np.zeros((B, 0)), np.zeros((B, sizes.R, sizes.W)), w0, M0)
    return (*(number.astype(dtype) for number in numbers), sizes)


def run_back(rng, out, arguments):
    """`sequence_backward` from random gradients of h and r."""
    named = dict(zip(NAMES, out))
    dh, dr = (rng.standard_normal(named[name].shape).astype(named[name].dtype) for name in ("h", "r"))
    saved = [named[name] for name in NAMES if name != "r"]
    return sequence_backward(dh, dr, *saved, *arguments)


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


def test_lstm_keeps_its_cell_with_forget_gate_one_and_input_gate_zero(rng):
    c_prev, C = rng.standard_normal((3, 4)), 4
    gates = np.concatenate([np.full((3, C), -FAR), np.full((3, C), FAR), np.full((3, C), FAR), rng.standard_normal((3, C))], axis=1)
    h, c, _ = lstm_cell(gates, c_prev)
    assert np.array_equal(c, c_prev)
    np.testing.assert_allclose(h, np.tanh(c_prev), rtol=1e-15)
    gates[:, :2 * C] *= -1                                                       # the other way: forget all, take the candidate
    np.testing.assert_allclose(lstm_cell(gates, c_prev)[1], np.tanh(gates[:, 3 * C:]), rtol=1e-15)


# ---- losses, embedding -------------------------------------------------------------------------------------------------

def test_losses_are_minus_log_probabilities(rng):
    z, mask = 3 * rng.standard_normal((4, 3, 5)), rng.integers(0, 2, (4, 3)).astype(float)
    bits, classes = rng.integers(0, 2, (4, 3, 5)).astype(float), rng.integers(0, 5, (4, 3))
    p = 1 / (1 + np.exp(-z))
    of_bits = np.log(np.where(bits == 1, p, 1 - p)).sum(-1)
    of_class = np.log(np.take_along_axis(np.exp(z) / np.exp(z).sum(-1, keepdims=True), classes[..., None], -1))[..., 0]
    assert losses.binary_cross_entropy(z, bits, mask) == pytest.approx(-(mask * of_bits).sum(), rel=1e-13)
    assert losses.categorical_cross_entropy(z, classes, mask) == pytest.approx(-(mask * of_class).sum(), rel=1e-13)


def test_losses_of_certain_answers_do_not_overflow():
    ones = np.ones((1, 1))
    assert losses.binary_cross_entropy(np.array([[[1e4, -1e4]]]), np.array([[[1.0, 0]]]), ones) == 0
    assert losses.binary_cross_entropy(np.array([[[1e4, -1e4]]]), np.array([[[0.0, 1]]]), ones) == 2e4
    assert losses.categorical_cross_entropy(np.array([[[1e4, -1e4]]]), np.array([[1]]), ones) == 2e4


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
