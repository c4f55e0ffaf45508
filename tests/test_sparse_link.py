"""The DNC's sparse links: what is kept, that rows and dense matrix are the same numbers, and what it saves."""

import numpy as np
import pytest

from gradcheck.models import check_model, random_parameters
from numpymem.dnc import DNC, DNCConfig
from numpymem.dnc.equations import precedence
from numpymem.dnc.sparse_link import CLOSED, along, are_largest, dense, largest, linked


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def a_model(**settings):
    return DNC(DNCConfig(3, 2, **{"controller_size": 7, "N": 12, "W": 4, "read_heads": 2, "sparse_link": 3} | settings))


def writes(rng, T, B, N):
    """T write weightings (B, N), some of them of one slot, some spread, some hardly any."""
    for t in range(T):
        yield rng.dirichlet(np.full(N, (0.05, 1.0)[t % 2]), B) * rng.random((B, 1)) ** (t % 3)


def as_the_paper_says(L, w, p, K):
    """One update of dense links (N, N) of one sequence, in loops."""
    N, (w, p) = len(w), (x * (np.argsort(np.argsort(-x, kind="stable"), kind="stable") < K) for x in (w, p))
    w, p = w / (CLOSED + w.sum()), p / (CLOSED + p.sum())
    new = np.zeros((N, N))
    for i in range(N):
        for j in range(N):
            value = (1 - w[i] - w[j]) * L[i, j] + w[i] * p[j]
            new[i, j] = value if i != j and value >= 1 / K else 0
    return new


@pytest.mark.parametrize("K", [2, 4, 8])
def test_the_same_links_as_the_papers_dense_ones(rng, K):
    B, N, R = 2, 20, 3
    L, expected, p, seen = np.zeros((B, N, 2 * K)), np.zeros((B, N, N)), np.zeros((B, N)), 0
    for w in writes(rng, 60, B, N):
        L, expected = linked(L, w, p, K), np.stack([as_the_paper_says(*each, K) for each in zip(expected, w, p)])
        p = precedence(p, w)
        np.testing.assert_allclose(dense(L), expected, rtol=0, atol=1e-13)
        w_r = rng.dirichlet(np.ones(N), (B, R))
        for sparse, of_dense in zip(along(L, w_r, K), along(expected, w_r, 0)):
            np.testing.assert_allclose(sparse, of_dense, rtol=0, atol=1e-13)
        assert ((L[..., :K] > 0) == (L[..., K:] > 0)).all() and L[..., K:].max() <= N
        seen = max(seen, int((L[..., :K] > 0).sum()))
    assert seen > B                                                  # some links there were


def test_whole_writes_make_the_links_that_dense_ones_have():
    sparse, full, p = np.zeros((1, 9, 8)), np.zeros((1, 9, 9)), np.zeros((1, 9))
    for slot in (2, 0, 3, 7, 0, 5):
        w = np.eye(9)[None, slot]
        sparse, full, p = linked(sparse, w, p, 4), linked(full, w, p, 0), precedence(p, w)
        np.testing.assert_allclose(dense(sparse), full, rtol=0, atol=3 * CLOSED)
    assert (full > 0).sum() == 3


def test_the_largest_are_kept_and_sum_to_one(rng):
    w = np.array([[0.1, 0.3, 0.0, 0.2, 0.3], [0.0, 0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(are_largest(w, 2), [[0, 1, 0, 0, 1], [1, 1, 0, 0, 0]])
    np.testing.assert_allclose(largest(w, 2), [[0, 0.5, 0, 0, 0.5], [0, 0, 0, 0, 0]], atol=2 * CLOSED)
    assert largest(1e-3 * CLOSED * w, 2).sum() < 1e-3                # a closed gate stays closed


@pytest.mark.parametrize("settings", [{}, {"controller": "feedforward", "sharpening": True}], ids=["lstm", "feedforward, sharp"])
def test_the_gradients_of_a_model_whose_links_hold_something(settings):
    """Against the complex step; what is chosen stays chosen."""
    rng = np.random.default_rng(4)
    model = a_model(**settings)
    params = random_parameters(model, rng)
    inputs = rng.standard_normal((6, 2, 3))
    links = model.forward(params, inputs)[1]["L"][..., :3]
    assert (links > 0).sum() > 10
    result = check_model(model, params, inputs)
    assert result.passed, str(result)


def test_in_parts_and_step_by_step(rng):
    model = a_model()
    params, inputs, d = model.init(rng, np.float64), rng.standard_normal((7, 2, 3)), rng.standard_normal((7, 2, 2))
    whole, trace = model.forward(params, inputs)
    again, parts = model.forward(params, inputs, checkpoint_every=3)
    np.testing.assert_allclose(again, whole, rtol=0, atol=1e-13)
    grads, in_parts = model.backward(params, trace, d), model.backward(params, parts, d)
    for name in params:
        np.testing.assert_allclose(in_parts[name], grads[name], rtol=1e-10, atol=1e-12 * abs(grads[name]).max(), err_msg=name)
    state = model.initial_state(params, 2)
    for t in range(7):
        logits, state = model.step(params, inputs[t], state)
        np.testing.assert_allclose(logits, whole[t], rtol=0, atol=1e-13)


def test_a_state_grows_with_the_slots_and_not_with_their_square(rng):
    for N in (32, 64):
        model = a_model(N=N, sparse_link=8)
        _, trace = model.forward(model.init(rng), np.zeros((3, 2, 3), np.float32))
        assert trace["L"].shape == (3, 2, N, 16) and trace["L"].dtype == np.float32 == trace["last"].L.dtype


def test_too_many_links_are_refused():
    for settings in ({"sparse_link": 6}, {"N": 40, "N_training": 12, "sparse_link": 6}, {"sparse_link": 1}):
        with pytest.raises(ValueError, match="sparse_link: expected 0, or from 2 links to less than half of the 12 slots, "):
            a_model(**settings)
    with pytest.raises(ValueError, match="sparse_link: expected a whole number of at least 0, received -1"):
        a_model(sparse_link=-1)
