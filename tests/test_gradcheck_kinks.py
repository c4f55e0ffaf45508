"""Decisions are written down, whoever takes them; crossings and ties are told, and only those that matter."""

import numpy as np
import pytest
from gradcheck_tools import toy_fixture  # noqa: F401  pytest finds fixtures by name

from gradcheck import import_all
from gradcheck.decisions import Recorded, recorded, written_down
from gradcheck.kinks import crossed, decisions, same, tied, without_crossing
from numpymem.equation import find
from numpymem.ops.complex_safe import magnitude, max_for_shift, positive_part, real

import_all()


def both(function, x):
    """The plain result, the recorded one, and what was written down."""
    with written_down() as log:
        result = function(recorded(x.copy()))
    return function(x.copy()), result, log


def moving(x, direction):
    return lambda t: [x + t * direction]


# ---- every way to decide: (function, x, direction, a t beyond the kink, how many entries change, kind) ---------------------

X = np.array([0.5, -0.3, 1.2, -2.0])
UP = np.ones(4)
SWAP = np.array([0, 0, -1.0, 0])               # entry 2 falls past entry 0 at t = 0.7
WAYS = {
    "greater": (lambda x: np.where(x > 0, x, 0), X, UP, 0.4, 1, "comparison (np.greater)"),
    "less_equal": (lambda x: np.where(x <= 0, x, 0), X, UP, 0.4, 1, "comparison (np.less_equal)"),
    "reversed": (lambda x: np.where(0 < x, x, 0), X, UP, 0.4, 1, "comparison"),
    "where.real": (positive_part, X, UP, 0.4, 1, "comparison (np.greater)"),
    "magnitude": (magnitude, X, UP, 0.4, 1, "comparison"),
    "np.real": (lambda x: x * (np.real(x) > 0), X, UP, 0.4, 1, "comparison"),
    "if": (lambda x: x if x.sum() > 0 else 2 * x, X, UP, 0.4, 1, "comparison"),
    "loop": (lambda x: [v if v > 0 else 0 * v for v in x], X, UP, 0.4, 1, "comparison"),
    "builtin max": (lambda x: max(x[0], x[2]), X, SWAP, 0.8, 1, "comparison"),
    "outer": (lambda x: np.greater.outer(x, x).sum() * x, X, SWAP, 0.8, 2, "comparison (np.greater)"),
    "maximum": (lambda x: np.maximum(x, 0), X, UP, 0.4, 1, "maximum (np.maximum)"),
    "maximum into": (lambda x: np.maximum(x, 0, out=x), X, UP, 0.4, 1, "maximum (np.maximum)"),
    "fmax": (lambda x: np.fmax(0.0, x), X, UP, 0.4, 1, "maximum (np.fmax)"),
    "minimum": (lambda x: np.minimum(x, x[::-1].copy()), X, SWAP, 1.6, 2, "minimum (np.minimum)"),
    "max": (lambda x: x.max(), X, SWAP, 0.8, 2, "maximum (np.max)"),
    "np.max": (lambda x: np.max(x.reshape(2, 2), axis=1), X, SWAP, 4.0, 2, "maximum (np.max)"),
    "amax, initial": (lambda x: np.amax(x, initial=1.0), X, SWAP, 0.3, 1, "maximum (np.max)"),
    "min": (lambda x: x.min(axis=0, keepdims=True), X, SWAP, 4.0, 2, "minimum (np.min)"),
    "nanmax": (np.nanmax, X, SWAP, 0.8, 2, "maximum (np.max)"),
    "ptp": (np.ptp, X, SWAP, 0.8, 2, "maximum (np.max)"),
    "running maximum": (np.maximum.accumulate, X, SWAP, 0.8, 1, "maximum (np.max)"),
    "norm inf": (lambda x: np.linalg.norm(x, np.inf), X, np.array([0, 0, 1.0, 0]), 0.9, 2, "norm (np.linalg.norm)"),
    "norm 1": (lambda x: np.linalg.norm(x, ord=1), X, UP, 0.4, 1, "norm (np.linalg.norm)"),
    "argmax": (lambda x: x[x.argmax()], X, SWAP, 0.8, 2, "maximum (np.argmax)"),
    "np.argmin": (lambda x: x[np.argmin(x, axis=-1)], X, SWAP, 4.0, 2, "minimum (np.argmin)"),
    "np.sort": (np.sort, X, SWAP, 0.8, 2, "order (np.sort)"),
    "sort in place": (lambda x: (x.sort(), x * x), X, SWAP, 0.8, 2, "order (np.sort)"),
    "argsort": (lambda x: x[np.argsort(-x, kind="stable")], X, SWAP, 0.8, 2, "order (np.sort)"),
    "argsort along axis 0": (lambda x: np.argsort(x.reshape(4, 1), axis=0) * x, X, SWAP, 0.8, 2, "order (np.sort)"),
    "partition": (lambda x: np.partition(x, 2), X, SWAP, 0.8, 2, "order (np.sort)"),
    "median": (np.median, X, SWAP, 0.8, 2, "order (np.sort)"),
    "unique": (np.unique, X, SWAP, 0.8, 2, "order (np.sort)"),
    "searchsorted": (lambda x: x * np.searchsorted([-1.0, 0, 1], x), X, UP, 0.4, 1, "place in a sorted list"),
    "interp": (lambda x: np.interp(x, [-3.0, 0, 3], [0.0, 1, 5]), X, UP, 0.4, 1, "place in a sorted list"),
    "abs": (np.abs, X, UP, 0.4, 1, "sign (np.absolute)"),
    "builtin abs": (abs, X, UP, 0.4, 1, "sign (np.absolute)"),
    "sign": (lambda x: x * np.sign(x), X, UP, 0.4, 1, "sign (np.sign)"),
    "heaviside": (lambda x: x * np.heaviside(x, 0), X, UP, 0.4, 1, "sign (np.heaviside)"),
    "copysign": (lambda x: np.copysign(3.0, x), X, UP, 0.4, 1, "sign (np.copysign)"),
    "np.clip": (lambda x: np.clip(x, -1, 1), X, UP, 0.6, 1, "limit (np.clip)"),
    "x.clip": (lambda x: x.clip(-1, 1), X, UP, 0.6, 1, "limit (np.clip)"),
    "clip below": (lambda x: x.clip(0, None), X, UP, 0.4, 1, "maximum (np.maximum)"),
    "floor": (lambda x: x - np.floor(x), X, UP, 0.6, 2, "rounding (np.floor)"),
    "round": (np.round, X - 0.05, UP, 0.1, 1, "rounding (np.rint)"),
    "round to tenths": (lambda x: x.round(1), X, UP / 10, 0.4, 0, "rounding (np.rint)"),
    "modulo": (lambda x: x % 1, X, UP, 0.6, 2, "rounding (np.remainder)"),
    "int": (lambda x: x * x.astype(int), X, UP, 0.6, 1, "rounding (np.trunc)"),
    "int()": (lambda x: int(x[0]) * x, X, UP, 0.6, 1, "rounding (np.trunc)"),
    "mask": (lambda x: x[x > 0].sum(), X, UP, 0.4, 1, "comparison"),
    "select": (lambda x: np.select([x > 0, x > -1], [x, x * x]), X, UP, 0.4, 1, "comparison"),
    "after other work": (lambda x: np.einsum("i,i->i", np.stack([x, x])[0].reshape(2, 2).T.ravel(), x) > 3.0, X, UP, 1.0, 1,
                         "comparison"),
    "after indexing": (lambda x: np.take_along_axis(np.concatenate([x, x]), np.array([1]), 0) > 0, X, UP, 0.4, 1, "comparison"),
    "after +=": (lambda x: plus_equals(x) > 0, X, UP, 0.4, 1, "comparison"),
    "after @": (lambda x: np.maximum(x @ np.ones((4, 2)), 0), X, UP, 0.4, 2, "maximum"),
}


def plus_equals(x):
    total = np.zeros(4)
    total += x
    return total


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_decide_is_written_down(way):
    function, x, direction, beyond, entries, kind = WAYS[way]
    for t in (1e-3, -1e-3):
        assert crossed(function, moving(x, direction), [t]) is None
    if not entries:
        assert crossed(function, moving(x, direction), [beyond]) is None
        assert any(kind in found for found, _ in decisions(function, [x]))
        return
    found = crossed(function, moving(x, direction), [1e-3, beyond])
    assert f"of a {kind}" in found.replace("an order", "a order")
    assert found.startswith(f"{entries} entr") and found.endswith(f"within {beyond:.0e}")


@pytest.mark.parametrize("way", WAYS)
def test_recording_changes_no_number(way):
    function, x = WAYS[way][:2]
    plain, result, log = both(function, x)
    for ours, theirs in zip(flat(result), flat(plain), strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()
    assert log


def flat(value):
    return [np.asarray(part) for part in value] if isinstance(value, (tuple, list)) else [np.asarray(value)]


@pytest.mark.parametrize("function", [np.exp, lambda x: x @ x, np.linalg.norm, lambda x: x / x.sum(), np.var, np.cumsum, str,
                                      lambda x: np.allclose(x, x + 1e-9), lambda x: f"{x[0]:.3f}", lambda x: max_for_shift(x),
                                      lambda x: np.exp(x - max_for_shift(x))],
                         ids="exp @ norm / var cumsum str allclose format max_for_shift softmax".split())
def test_what_is_no_decision_is_none(function):
    log = decisions(function, [X])
    assert all("norm" in kind for kind, _ in log)
    assert crossed(function, moving(X, UP), [0.4]) is None


def test_the_sentence_names_the_decision_most_entries_of_which_change():
    def function(x):
        return np.maximum(x, 0) + np.abs(x - 0.6)[:1]
    assert crossed(function, moving(np.array([0.5, -1e-7, -2e-7]), np.array([1.0, 1, 1])), [1e-6, 1.0]) == \
        "2 entries of a maximum (np.maximum) change sides within 1e-06"
    assert crossed(function, moving(np.array([0.5, -1e-7, -1]), np.array([1.0, 1, 1])), [-1e-6]) is None
    assert crossed(function, moving(np.array([0.5, -1e-7, -1]), np.array([1.0, 1, 1])), [-1e-6, 1e-6]) == \
        "1 entry of a maximum (np.maximum) changes sides within 1e-06"


def test_another_way_through_the_forward():
    def function(x):
        return np.abs(x) if x.sum() > 0 else x
    assert crossed(function, moving(X, UP), [0.5]) == "the forward takes another way (2 decisions after 1) within 5e-01"
    assert "another way" in crossed(sorted, moving(X, SWAP), [0.8])          # Python compares as often as it has to


def test_equality_has_no_sides_but_ties():
    def guarded(x):
        return x / np.where(x == 0, 1, x)
    assert crossed(guarded, moving(X, UP), [0.4]) is None
    assert tied(guarded, [np.array([0.0, 1])]) == "1 entry of a comparison (np.equal) sits exactly on the kink, " \
                                                  "where there is no derivative"


def test_same():
    at = [decisions(np.sort, [x]) for x in (X, X + 1, X[::-1].copy())]
    assert same(at[0], at[1]) and not same(at[0], at[2]) and not same(at[0], []) and same([], [])
    assert not same(decisions(np.abs, [X]), decisions(np.sign, [X]))
    assert not same(decisions(np.abs, [np.zeros(2)]), decisions(np.abs, [np.ones(2)]))


def test_runs_inside_runs_keep_their_own_lists():
    def function(x):
        assert len(decisions(np.abs, [np.ones(2)])) == 1
        return np.maximum(x, 0)
    assert [kind for kind, _ in decisions(function, [X])] == ["a maximum (np.maximum)"]
    with pytest.raises(ZeroDivisionError):
        decisions(lambda x: 1 // 0, [X])
    np.maximum(recorded(X), 0)                              # nobody listens, nothing breaks
    assert isinstance(real(recorded(X)), Recorded) and type(max_for_shift(recorded(X))) is np.ndarray


def test_arguments_are_copied_and_others_passed_on():
    seen = []

    def function(x, number, settings, table):
        seen.extend([type(x), type(number), settings, type(table["a"]), type(table["n"])])
        x += 1
        return x
    x, settings, table = X.copy(), object(), {"a": np.ones(2), "n": np.arange(2)}
    decisions(function, [x, np.arange(3), settings, table])
    assert seen == [Recorded, np.ndarray, settings, Recorded, np.ndarray]
    np.testing.assert_array_equal(x, X)


def test_a_number_taken_from_an_array_is_a_number():
    def function(x):
        total = first = x.sum()
        total += 1
        value = x[1]
        value *= 2
        return np.array([float(first), float(total), float(value), x[1].item()])
    plain, result, _ = both(function, X)
    np.testing.assert_array_equal(plain, result)


# ---- steps that stay on one piece ------------------------------------------------------------------------------------------

def test_without_crossing_leaves_out_the_steps_that_cross_on_either_side():
    steps = tuple(2.0 ** -k for k in range(4, 18))
    at = moving(np.array([2.0 ** -9 * 1.5, -1.0]), np.array([1.0, 1.0]))
    assert without_crossing(positive_part, at, steps) == tuple(2.0 ** -k for k in range(9, 18))
    assert without_crossing(np.exp, at, steps) == steps
    assert without_crossing(positive_part, moving(np.array([1e-7]), np.ones(1)), steps) == ()


def test_without_crossing_knows_that_a_larger_step_may_cross_twice():
    def bump(x):
        return np.maximum((x - 0.02) * (x - 0.04), 0)      # changes sides at 0.02, and back at 0.04
    steps = (0.05, 0.03, 0.01)
    assert crossed(bump, moving(np.zeros(1), np.ones(1)), [0.05]) is None
    assert without_crossing(bump, moving(np.zeros(1), np.ones(1)), steps) == (0.01,)


# ---- ties ------------------------------------------------------------------------------------------------------------------

TIES = {
    "relu": (positive_part, np.array([0.0, 1, 0]), "2 entries of a comparison (np.greater) sit"),
    "abs": (np.abs, np.array([0.0, 1]), "1 entry of a sign (np.absolute) sits"),
    "maximum": (lambda x: np.maximum(x[:2], x[2:]), np.array([1.0, 2, 1, 3]), "1 entry of a maximum (np.maximum) sits"),
    "max": (lambda x: x.max(-1), np.array([[1.0, 1, 0], [3, 2, 2]]), "2 entries of a maximum (np.max) sit"),
    "max, initial": (lambda x: np.max(x, initial=1.0), np.array([1.0, 0]), "1 entry of a maximum (np.max) sits"),
    "sort": (lambda x: np.cumprod(np.sort(x)), np.array([0.3, 0.2, 0.3, 0.3]), "3 entries of an order (np.sort) sit"),
    "argmax": (lambda x: x[np.argmax(x)] ** 2, np.array([0.3, 0.3]), "2 entries of a maximum (np.argmax) sit"),
    "clip": (lambda x: np.clip(x, 0, 1), np.array([0.5, 1.0]), "1 entry of a limit (np.clip) sits"),
    "round": (np.round, np.array([0.5, 1.0]), "1 entry of a rounding (np.rint) sits"),
    "floor": (np.floor, np.array([0.0, 0.5]), "1 entry of a rounding (np.floor) sits"),
    "norm": (np.linalg.norm, np.zeros(3), "1 entry of a norm (np.linalg.norm) sits"),
    "edge of a root": (np.sqrt, np.array([0.0, 1]), "1 entry of a root (np.sqrt) sits"),
    "root": (lambda x: np.sqrt((x * x).sum()), np.zeros(3), "1 entry of a root (np.sqrt) sits"),
}


@pytest.mark.parametrize("tie", TIES)
def test_ties(tie):
    function, x, says = TIES[tie]
    assert tied(function, [x]) == f"{says} exactly on the kink, where there is no derivative"
    aside = np.random.default_rng(0).standard_normal(x.shape)
    assert tied(function, [x + 0.01 * np.abs(aside)]) is None


def test_a_tie_that_does_not_bend_is_none():
    """softplus is written with two maxima, and smooth at 0; the sum does not ask for the order; trunc has no step at 0."""
    assert tied(find("softplus").original, [np.zeros((2, 3))]) is None
    assert tied(lambda x: np.sort(x).sum(), [np.ones(3)]) is None
    assert tied(np.trunc, [np.zeros(3)]) is None
    assert tied(lambda x: np.maximum(x, 0) ** 2, [np.zeros(3)]) is None


def test_a_tie_that_stays_one_wherever_the_arguments_go_is_none():
    padding = np.array([1.0, 0, 1])
    assert tied(lambda x: positive_part(padding * x), [np.ones(3)]) is None
    assert tied(lambda x: positive_part(padding * x), [np.zeros(3)]).startswith("2 entries")


def test_what_does_not_move_does_not_tie():
    def masked(x, mask):
        return np.where(mask > 0, x, 0)
    mask = np.array([1.0, 0])
    assert tied(masked, [np.ones(2), mask], moved=[0]) is None
    assert tied(masked, [np.ones(2), mask]).startswith("1 entry")
    assert tied(lambda mask, x: np.maximum(x, 0) * mask, [mask, np.array([0.0, 1])], moved=[1]).startswith("1 entry")
    assert decisions(masked, [np.ones(2), mask], moved=[0]) == []


def test_what_is_a_tie_is_not_a_crossing():
    assert crossed(positive_part, moving(np.zeros(2), np.ones(2)), [0.1]) is None
    assert crossed(positive_part, moving(np.array([0.0, -1e-3]), np.ones(2)), [0.1]).startswith("1 entry")
