"""The Differentiable Neural Computer as a model, and that its tests of meaning (gradcheck/meaning/dnc.py, dnc_step.py) notice the
mistakes that one can make in its equations. The gradients are for gradcheck."""

import numpy as np
import pytest

import numpymem
from gradcheck.meaning import select
from numpymem.dnc import DNC, DNCConfig, equations, sparse_link
from numpymem.dnc.model import SWITCHES
from numpymem.dnc.sequence import NAMES, State
from numpymem.dnc.step import STEP_NAMES, DNCSizes, interface, memory_step, memory_step_backward
from numpymem.equation import REGISTRY

IMPROVED = {"masking": True, "deallocation": True, "sharpening": True}


def a_model(**settings):
    return DNC(DNCConfig(3, 2, **{"controller_size": 7, "N": 6, "W": 4, "read_heads": 2} | settings))


@pytest.fixture
def rng():
    return np.random.default_rng(20161012)


# ---- mistakes, one equation at a time --------------------------------------------------------------------------------------------

off_diagonal, product_before = equations.off_diagonal, equations.product_before


def allocation_by(phi_of, free=lambda u: 1 - u):
    """DNC-allocation with another free list, or another idea of what is free."""
    def allocation(u):
        phi = phi_of(u)
        u_sorted = np.take_along_axis(u, phi, axis=1)
        return np.take_along_axis(free(u_sorted) * product_before(u_sorted), np.argsort(phi, axis=1), axis=1)
    return allocation


def allocation_unsorted_back(u):
    """Scattered with the free list itself, not with its inverse."""
    phi = np.argsort(u, axis=1, kind="stable")
    u_sorted = np.take_along_axis(u, phi, axis=1)
    return np.take_along_axis((1 - u_sorted) * product_before(u_sorted), phi, axis=1)


def last_of_the_equal(u):
    return u.shape[1] - 1 - np.argsort(u[:, ::-1], axis=1, kind="stable")


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def interface_with(name, change):
    """DNC-interface of which one part is changed: change(part, raw vector, sizes)."""
    at = list(interface.outputs).index(name)

    def spoilt(raw, sizes):
        values = list(interface.original(raw, sizes))
        values[at] = change(values[at], raw, sizes)
        return tuple(values)
    return spoilt


def part_of(raw, sizes, name):
    ends = dict(zip(sizes.parts, zip((0, *sizes.cuts), sizes.cuts)))
    return raw[:, slice(*ends[name])].reshape(len(raw), *sizes.parts[name])


def step_with(change):
    """DNC-step of which the arguments are changed: change(w_r_prev, w_w_prev, u_prev, p_prev, L_prev, M_prev)."""
    def spoilt(raw, w_r, w_w, u, p, L, M, sizes):
        return memory_step.original(raw, *change(w_r, w_w, u, p, L, M), sizes)
    return spoilt


def link_of_new_precedence(L_prev, w_w, p_prev):
    p = (1 - w_w.sum(-1, keepdims=True)) * p_prev + w_w
    return equations.link.original(L_prev, w_w, p)


def with_limit(limit):
    """DNC-sparse-link that drops links below another limit than 1 / K."""
    def spoilt(V_prev, C_prev, w_hat, p_hat):
        old, rows, new, C, chosen, *_ = sparse_link.candidates(V_prev, C_prev, w_hat, p_hat)
        V = old.copy()
        np.put_along_axis(V, rows[:, :, None], np.take_along_axis(new, chosen, axis=2), axis=1)
        return V * (V >= limit), C
    return spoilt


def outer(x, y):
    return x[:, :, None] * y[:, None, :]


MISTAKES = {                                     # what went wrong: equation -> its forward with the mistake
    "retention of one head only": ("DNC-retention", lambda f, w: 1 - (f * w)[:, 0]),
    "retention of the sum of heads": ("DNC-retention", lambda f, w: 1 - (f * w).sum(1)),
    "free gates turned round": ("DNC-retention", lambda f, w: (1 - (1 - f) * w).prod(1)),
    "usage that a write adds to": ("DNC-usage", lambda u, w, psi: (u + w) * psi),
    "usage before is forgotten": ("DNC-usage", lambda u, w, psi: w * psi),
    "freed before the write counts": ("DNC-usage", lambda u, w, psi: u * psi + w - u * psi * w),
    "free list sorted the other way": ("DNC-allocation", allocation_by(lambda u: np.argsort(-u, axis=1, kind="stable"))),
    "unstable ties": ("DNC-allocation", allocation_by(lambda u: np.argsort(u, axis=1, kind="quicksort"))),
    "the last of equal slots first": ("DNC-allocation", allocation_by(last_of_the_equal)),
    "allocation not put back in order": ("DNC-allocation", allocation_unsorted_back),
    "the product includes the slot itself": ("DNC-allocation", lambda u: equations.allocation.original(u) * u),
    "allocation that always sums to one": ("DNC-allocation", lambda u: (a := equations.allocation.original(u)) / a.sum(1)[:, None]),
    "no sorting": ("DNC-allocation", lambda u: (1 - u) * product_before(u)),
    "usage squeezed to 1e-6": ("DNC-allocation", lambda u: equations.allocation.original(1e-6 + (1 - 1e-6) * u)),
    "allocation gate turned round": ("DNC-write-weights", lambda a, c_w, g_a, g_w: g_w * (g_a * c_w + (1 - g_a) * a)),
    "write gate for the allocation only": ("DNC-write-weights", lambda a, c_w, g_a, g_w: g_w * g_a * a + (1 - g_a) * c_w),
    "links transposed": ("DNC-link", lambda L, w, p: off_diagonal((1 - w[:, :, None] - w[:, None, :]) * L + outer(p, w))),
    "links to themselves": ("DNC-link", lambda L, w, p: (1 - w[:, :, None] - w[:, None, :]) * L + outer(w, p)),
    "links from p_t": ("DNC-link", link_of_new_precedence),
    "old links only out of the slot removed": ("DNC-link", lambda L, w, p: off_diagonal((1 - w[:, None, :]) * L + outer(w, p))),
    "old links only into the slot removed": ("DNC-link", lambda L, w, p: off_diagonal((1 - w[:, :, None]) * L + outer(w, p))),
    "old links removed one after the other": ("DNC-link", lambda L, w, p: off_diagonal(
        (1 - w[:, :, None]) * (1 - w[:, None, :]) * L + outer(w, p))),
    "old links kept": ("DNC-link", lambda L, w, p: off_diagonal(L + outer(w, p))),
    "precedence without its past": ("DNC-precedence", lambda p, w: w),
    "precedence that fades slot by slot": ("DNC-precedence", lambda p, w: (1 - w) * p + w),
    "forwards is backwards": ("DNC-forward", lambda L, w_r: w_r @ L),
    "backwards is forwards": ("DNC-backward", lambda L, w_r: w_r @ L.swapaxes(1, 2)),
    "modes forward, content, back": ("DNC-read-weights", lambda b, c, f, pi: equations.read_weights.original(f, c, b, pi)),
    "modes content, back, forward": ("DNC-read-weights", lambda b, c, f, pi: equations.read_weights.original(c, b, f, pi)),
    "modes of the first head for all": ("DNC-read-weights", lambda b, c, f, pi: equations.read_weights.original(
        b, c, f, np.broadcast_to(pi[:, :1], pi.shape))),
    "only the key masked": ("DNC-masked-cosine", lambda k, M, m: equations.masked_cosine.original(k * m, M, np.ones_like(m))),
    "mask counted once": ("DNC-masked-cosine", lambda k, M, m: equations.masked_cosine.original(k, M, np.sqrt(m))),
    "wiped for good when read": ("DNC-deallocation", lambda M, psi: M * (psi[..., None] > 0.999)),
    "what is kept is wiped": ("DNC-deallocation", lambda M, psi: M * (1 - psi[..., None])),
    "softmax over heads": ("DNC-interface", interface_with("pi", lambda pi, raw, sizes: softmax(part_of(raw, sizes, "pi"), 1))),
    "no softmax of the modes": ("DNC-interface", interface_with("pi", lambda pi, raw, sizes: 1 / (1 + np.exp(
        -np.clip(part_of(raw, sizes, "pi"), -50, 50))))),
    "strengths from 0": ("DNC-interface", interface_with("beta_r", lambda beta, raw, sizes: beta - 1)),
    "write strength from 0": ("DNC-interface", interface_with("beta_w", lambda beta, raw, sizes: beta - 1)),
    "write vector squashed": ("DNC-interface", interface_with("v", lambda v, raw, sizes: np.tanh(v))),
    "keys squashed": ("DNC-interface", interface_with("k_r", lambda k, raw, sizes: np.tanh(k))),
    "erase vector not squashed": ("DNC-interface", interface_with("e", lambda e, raw, sizes: part_of(raw, sizes, "e"))),
    "gates in the wrong order": ("DNC-interface", interface_with("g_a", lambda g, raw, sizes: 1 / (1 + np.exp(
        -np.clip(part_of(raw, sizes, "g_w"), -50, 50))))),
    "the largest not made to sum to one": ("DNC-largest", lambda w, K: w * sparse_link.are_largest(w, K)),
    "the smallest kept": ("DNC-largest", lambda w, K: sparse_link.largest.original(1 - w, K)),
    "one too many kept": ("DNC-largest", lambda w, K: sparse_link.largest.original(w, K + 1)),
    "sparse links never dropped": ("DNC-sparse-link", with_limit(0.0)),
    "sparse links dropped too soon": ("DNC-sparse-link", with_limit(0.5)),
    "sparse links that do not fade": ("DNC-sparse-link", lambda V, C, w, p: sparse_link.sparse_link.original(
        V / np.maximum(1 - w[:, :, None] - sparse_link.gathered(w[:, None], sparse_link.slots_of(C))[:, 0], 1e-9), C, w, p)),
    "sparse links the other way": ("DNC-sparse-link", lambda V, C, w, p: sparse_link.sparse_link.original(V, C, p, w)),
    "sparse forwards by the slot itself": ("DNC-sparse-forward", lambda V, C, w: (V.sum(2)[:, None] * w)),
    "sparse forwards is backwards": ("DNC-sparse-forward", lambda V, C, w: sparse_link.sparse_backward.original(V, C, w)),
    "sparse backwards is forwards": ("DNC-sparse-backward", lambda V, C, w: sparse_link.sparse_forward.original(V, C, w)),
    "numbers counted from 0": ("DNC-sparse-backward", lambda V, C, w: sparse_link.sparse_backward.original(V, C + 1, w)),
    "usage never kept by the step": ("DNC-step", step_with(lambda w_r, w_w, u, p, L, M: (w_r, w_w, 0 * u, p, L, M))),
    "writes never counted": ("DNC-step", step_with(lambda w_r, w_w, u, p, L, M: (w_r, 0 * w_w, u, p, L, M))),
    "readings of the step before lost": ("DNC-step", step_with(lambda w_r, w_w, u, p, L, M: (0 * w_r, w_w, u, p, L, M))),
    "precedence lost": ("DNC-step", step_with(lambda w_r, w_w, u, p, L, M: (w_r, w_w, u, 0 * p, L, M))),
    "batch mixed up": ("DNC-step", step_with(lambda w_r, w_w, u, p, L, M: (w_r, w_w, u, p, L, 0.9 * M + 0.1 * M.mean(0)))),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_meaning_notices(mistake):
    id, forward = MISTAKES[mistake]
    with numpymem.patch(id, forward):
        results = [one.check() for one in select(id)]
    assert not all(result.passed for result in results)
    raised = [result.said for result in results if "raises" in result.said]
    assert not raised                            # it is the numbers that are wrong: the mistake is a forward that runs


def test_every_equation_of_the_dnc_has_a_mistake_planted():
    of_dnc = {id for id in REGISTRY if id.startswith("DNC-")}
    assert of_dnc - {id for id, _ in MISTAKES.values()} == {"DNC-sequence"}


# ---- the model -------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [{}, {"controller": "feedforward"}, IMPROVED], ids=["lstm", "feedforward", "improved"])
def test_shapes_and_the_initial_state(rng, settings):
    model = a_model(**settings)
    params = model.init(rng)
    C, B, P, heads = (7 if model.is_lstm else 0), 5, model.sizes.raw, (2 if settings == IMPROVED else 0)
    assert P == 2 * 4 + 3 * 4 + 5 * 2 + 3 + heads * (4 + 2) + (4 if heads else 0)
    assert {name: value.shape for name, value in params.items()} == {
        "W_x": (3, 4 * C or 7), "W_chi": (8 + C, 4 * C or 7), "b": (4 * C or 7,), "W_xi": (7, P), "b_xi": (P,),
        "W_y": (7 + 8, 2), "b_y": (2,)}
    state = model.initial_state(params, B)
    assert [value.shape for value in state] == [(B, C), (B, C), (B, 2, 4), (B, 2, 6), (B, 6), (B, 6), (B, 6), (B, 6, 6), (B, 6, 4)]
    assert not any(value.any() for value in state)
    logits, trace = model.forward(params, rng.standard_normal((9, B, 3)).astype(np.float32))
    assert logits.shape == (9, B, 2) and all(trace[name].shape[:2] == (9, B) for name in NAMES)
    assert trace["L"].shape == (9, B, 6, 6) and trace["w_f"].shape == (9, B, 2, 6) and trace["w_f_sharp"].shape == (9, B, heads, 6)
    grads = model.backward(params, trace, logits)
    assert {name: grad.shape for name, grad in grads.items()} == {name: value.shape for name, value in params.items()}


@pytest.mark.parametrize("settings", [{}, {"controller": "feedforward"}, IMPROVED], ids=["lstm", "feedforward", "improved"])
def test_step_by_step_is_the_whole_sequence(rng, settings):
    model = a_model(**settings)
    params, inputs = model.init(rng, np.float64), rng.standard_normal((7, 2, 3))
    whole, trace = model.forward(params, inputs)
    state = model.initial_state(params, 2)
    for t in range(7):
        logits, state = model.step(params, inputs[t], state)
        np.testing.assert_allclose(logits, whole[t], rtol=0, atol=1e-13)
    for name, mine, last in zip(State._fields, state, trace["last"]):
        np.testing.assert_allclose(mine, last, rtol=0, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("settings", [{}, {"controller": "feedforward"}, IMPROVED | {"usage_gradient": False}],
                         ids=["lstm", "feedforward", "improved"])
@pytest.mark.parametrize("every", [1, 3, 100])
def test_in_parts_it_gives_the_same(rng, settings, every):
    model = a_model(**settings)
    params, inputs, d = model.init(rng, np.float64), rng.standard_normal((8, 2, 3)), rng.standard_normal((8, 2, 2))
    whole, trace = model.forward(params, inputs)
    again, parts = model.forward(params, inputs, checkpoint_every=every)
    np.testing.assert_allclose(again, whole, rtol=0, atol=1e-13)
    grads, in_parts = model.backward(params, trace, d), model.backward(params, parts, d)
    for name in params:
        np.testing.assert_allclose(in_parts[name], grads[name], rtol=1e-10, atol=1e-12 * abs(grads[name]).max(), err_msg=name)


@pytest.mark.parametrize("settings", [{}, {"controller": "feedforward"}, IMPROVED], ids=["lstm", "feedforward", "improved"])
def test_float32_stays_float32(rng, settings):
    model = a_model(**settings)
    params = model.init(rng)
    logits, trace = model.forward(params, rng.standard_normal((4, 2, 3)).astype(np.float32))
    dtrace = {}
    grads = model.backward(params, trace, logits, dtrace)
    found = {"logits": logits, **{name: trace[name] for name in NAMES}, **grads, **dict(zip(State._fields, trace["last"]))}
    assert {name for name, value in found.items() if value.dtype != np.float32} == set()
    assert {value.dtype for values in dtrace.values() for value in values} == {np.dtype(np.float32)}


def test_a_link_that_rounding_made_negative_is_no_nan_when_sharpened(rng):
    """One of 3000 random steps was: float32 weights may sum to 1 + 1e-7, and 1e-8 is all that log(w + 1e-8) can bear."""
    sizes, N = DNCSizes(R=1, W=4, sharpening=True), 5
    raw, M = rng.standard_normal((1, sizes.raw)).astype(np.float32), rng.standard_normal((1, N, 4)).astype(np.float32)
    w, none, L = np.eye(1, N, dtype=np.float32), np.zeros((1, N), np.float32), np.zeros((1, N, N), np.float32)
    L[0, 1, 0] = L[0, 0, 2] = -2 ** -23
    arguments = raw, w[:, None], none, none, none, L, M, sizes
    out = dict(zip(STEP_NAMES, memory_step(*arguments)))
    assert out["w_f"].min() < -1e-8 and out["w_f_sharp"].min() >= 0
    like = [np.ones_like(out[name]) for name in STEP_NAMES[:7]]
    grads = memory_step_backward(*like, *(out[name] for name in STEP_NAMES if name not in ("r", "p")), *arguments)
    assert all(np.isfinite(value).all() for value in (*out.values(), *grads))


def test_fewer_slots_in_training_than_later(rng):
    small, large = a_model(N=6), a_model(N=9, N_training=6)
    params, inputs = small.init(rng, np.float64), rng.standard_normal((4, 2, 3))
    trained, trace = large.forward(params, inputs, rng=rng)
    assert trace["M"].shape[2] == 6 and large.forward(params, inputs)[1]["M"].shape[2] == 9
    np.testing.assert_array_equal(trained, small.forward(params, inputs)[0])


def test_without_the_usage_gradient_only_the_gradients_change(rng):
    exact, stopped = a_model(), a_model(usage_gradient=False)
    params, inputs = exact.init(rng, np.float64), rng.standard_normal((8, 2, 3))
    (a, trace_a), (b, trace_b) = exact.forward(params, inputs), stopped.forward(params, inputs)
    np.testing.assert_array_equal(a, b)
    assert abs(exact.backward(params, trace_a, a)["W_xi"] - stopped.backward(params, trace_b, b)["W_xi"]).max() > 1e-6


@pytest.mark.parametrize("settings, said", [
    ({"N": 1}, "N: expected a whole number of at least 2, received 1"), ({"W": 0}, "W: expected"),
    ({"read_heads": 0}, "read_heads: expected"), ({"controller_size": 2.5}, "controller_size: expected .* received 2.5"),
    ({"controller": "gru"}, "controller: expected one of lstm, feedforward, received 'gru'"),
    ({"N_training": -1}, "N_training: expected"),
    *[({name: 1}, f"{name}: expected true or false, received 1") for name in SWITCHES]])
def test_bad_settings_are_named(settings, said):
    with pytest.raises(ValueError, match=said):
        a_model(**settings)


def test_bad_inputs_are_named(rng):
    model = a_model()
    params = model.init(rng)
    with pytest.raises(ValueError, match=r"inputs: expected an array \(T, B, 3\) with T >= 1, received shape \(4, 2, 5\)"):
        model.forward(params, np.zeros((4, 2, 5)))
    with pytest.raises(ValueError, match="checkpoint_every: expected"):
        model.forward(params, np.zeros((4, 2, 3)), checkpoint_every=-1)
