"""Hints keep quiet about what nobody can explain, and take whatever arrays come."""

import numpy as np
import pytest
from hint_tools import ask, at_a_point, check, put
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.hints import diagnose

QUIET = ["softmax", "LSTM", "embed", "binary-cross-entropy", "NTM-3", "NTM-7", "MemN2N-1"]


@pytest.mark.parametrize("id", QUIET)
def test_no_false_explanation(id):
    """A gradient of nothing but noise has no explanation; nor has the true one with noise on top, or times noise."""
    for seed in range(100):
        rng = np.random.default_rng([seed, 3])
        for name, (true, _) in at_a_point(id, seed % 5)[1].items():
            noise = rng.standard_normal(true.shape) * 10.0 ** rng.integers(-3, 4)
            hand = (noise, noise + true, noise * true)[seed % 3]
            assert ask(id, name, lambda v, hand=hand: hand, seed % 5) == [], f"seed {seed}, d{name}"


def test_noise_in_some_entries_gets_no_more_than_their_place():
    for seed in range(100):
        rng = np.random.default_rng([seed, 4])
        found = ask("NTM-9", "w_s", put(np.s_[:, seed % 6], lambda v, x, rng=rng: rng.standard_normal(x.shape)), seed % 5)
        check(found, f"only the entries with index {seed % 6} along axis 1 are wrong; the rest is right")


@pytest.mark.parametrize("id", QUIET)
def test_nothing_is_said_about_a_right_gradient(id):
    for name in at_a_point(id)[1]:
        assert ask(id, name, lambda v: v.true) == []


def test_a_term_within_the_noise_is_not_seen():
    """What the oracle itself is not sure of can neither be wrong nor explain anything."""
    rng = np.random.default_rng(0)
    true, x = rng.standard_normal((4, 5)), rng.standard_normal((4, 5))
    assert diagnose("y", true + 1e-9 * x, true, 1e-8, {"x": x}, {"x"}) == []
    check(diagnose("y", true + x, true, 1e-8, {"x": x}, {"x"}), "by hand - true = x at all entries")
    assert diagnose("y", true + x, true, 1e-2, {"x": x}, {"x"}) == []           # four entries do not stand out clearly


def test_zeros_and_ones_do_not_explain_by_chance():
    """The sign of an array with one number a row marks some rows: so does every mistake that is in some rows only."""
    rng = np.random.default_rng(0)
    true, x = rng.standard_normal((2, 6)), np.array([[1.0], [-1.0]])
    check(diagnose("y", true * (x > 0), true, 0, {"x": x}, {"x"}), "only the entries with index 1 along axis 0 are wrong",
          "there by hand is zero at all 6 entries")


# ---- small arrays, odd arrays --------------------------------------------------------------------------------------

@pytest.mark.parametrize("hand, expected", [
    (4.0, "by hand / true is 2.000 at the only entry: one factor 2 too many"), (-2.0, "by hand / true is -1.000"),
    (0.0, "by hand is zero at the only entry"), (np.nan, "by hand is nan at the only entry"), (2 / 7, "by hand / true is 0.143"),
    (2 + 1e-7, "by hand is off by 5e-08 of the largest")])
def test_one_number(hand, expected):
    check(diagnose("x", np.array(hand), np.array(2.0), 1e-15, {"m": np.arange(7.0)}, set()), expected)


def test_one_number_fits_everything_so_nothing_more_is_said():
    around = {"x": np.array(1.7), "dy": np.array(0.3), "true dz": np.array(5.0), "m": np.arange(3.0)}
    for hand in (5.0, 2.3, 0.3 + 1.7, 3.0, 1.23):                  # dz, true + dy, dy + x, true + 1, anything
        assert diagnose("x", np.array(hand), np.array(2.0), 1e-15, around, {"x"}) == []


def test_a_number_by_which_all_is_multiplied():
    found = diagnose("x", np.arange(6.0) * 1.7, np.arange(6.0), 1e-15, {"beta": np.array(1.7)}, {"beta"})
    check(found, "by hand / true is 1.700 at all 6 entries: a factor beta too many")


numbers = st.one_of(st.floats(-10, 10), st.sampled_from([0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e300, 1e-300]))


@st.composite
def cases(draw):
    """hand, true, noise and some arrays around of all kinds and shapes, some of them related."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
    size = int(np.prod(shape))
    pool = [np.array(draw(st.lists(numbers, min_size=size, max_size=size))).reshape(shape) for _ in range(3)]
    hand, true, other = pool
    related = draw(st.sampled_from([lambda: hand, lambda: true, lambda: true * other, lambda: true + other, lambda: true[::-1]
                                    if shape else true, lambda: 0 * true, lambda: np.where(other > 0, true, hand)]))
    around = {"x": other, "dy": pool[draw(st.integers(0, 2))], "ids": np.arange(3), "sizes": (2, 3), "flag": True, "y": np.ones(5),
              "b": np.array(draw(numbers)), "empty": np.zeros((0, 3)), "true dx": true}
    with np.errstate(all="ignore"):
        return related(), true, draw(st.sampled_from([0.0, 1e-15, 1e-3])), around


@settings(max_examples=200, deadline=None)
@given(cases())
def test_it_takes_whatever_comes(case):
    hand, true, noise, around = case
    before = [np.copy(hand), np.copy(true)]
    with np.errstate(all="raise"):
        found = diagnose("x", hand, true, noise, around, {"x", "ids"})
    assert len(found) <= 3 and all(isinstance(line, str) and line for line in found)
    assert np.array_equal(before[0], hand, equal_nan=True) and np.array_equal(before[1], true, equal_nan=True)
    if np.isfinite(true).all() and np.isnan(hand).any():
        assert found[0].startswith("by hand is nan")


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e6, 1e6).filter(lambda c: abs(c) > 1e-4 and abs(c - 1) > 1e-4), st.integers(0, 3), st.integers(0, 1000))
def test_a_constant_ratio_is_always_seen(c, ndim, seed):
    true = np.random.default_rng(seed).standard_normal((2, 3, 4)[:ndim])
    found = diagnose("x", c * true, true, 1e-15, {"q": np.ones((2, 3, 4))}, {"q"})
    if true.size > 1:
        number = f"{c:.3f}" if 1e-2 <= abs(c) < 1e4 else f"{c:.3g}"
        check(found, f"by hand / true is {number} at all {true.size} entries: ")
    else:
        assert len(found) <= 1


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"hand: expected the shape of true, \(3,\), received \(2,\)"):
        diagnose("x", np.zeros(2), np.zeros(3), 0, {}, set())


def test_true_is_not_finite():
    check(diagnose("x", np.zeros(4), np.array([1, np.nan, 2, 3]), 0, {}, set()), "true is not finite")


def test_no_entries():
    assert diagnose("x", np.zeros((0, 3)), np.zeros((0, 3)), 0, {}, set()) == []
