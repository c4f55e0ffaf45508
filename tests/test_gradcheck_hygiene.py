"""Hygiene: each bad habit is found, in the forward and in the backward; and no equation of ours has one."""

import numpy as np
import pytest
from gradcheck_tools import scale, scale_backward, toy_fixture  # noqa: F401  pytest finds fixtures by name

from gradcheck import check_equation, import_all
from gradcheck.hygiene import hygiene, linear_arguments
from gradcheck.points import generator
from gradcheck.trial import Trial
from numpymem.equation import REGISTRY
from numpymem.kernel import numpy_only

import_all()
memory = []


def doc(function):
    function.__doc__ = scale.__doc__
    return function


@doc
def writes_into_its_input(x, a):
    x *= a
    return x + 0


@doc
def returns_a_view(x, a):
    return x[:] if a.max() > 9 else (a * x if a.size == 0 else np.multiply(a, x, out=x))


@doc
def counts_its_calls(x, a):
    memory.append(1)
    return a * x * len(memory)


@doc
def in_float64(x, a):
    return a * x * np.ones(1)


def backward_writes(dy, x, a):
    da = (dy * x).sum(-1, keepdims=True)
    dy *= a
    return dy + 0, da


def backward_returns_upstream(dy, x, a):
    return dy if a.shape[0] == 0 else np.multiply(a, dy, out=dy), (dy * x).sum(-1, keepdims=True)


def backward_view_of_input(dy, x, a):
    return a * dy, a


def backward_shares(dy, x, a):
    both = np.concatenate([a * dy, (dy * x).sum(-1, keepdims=True)], axis=1)
    return both[:, :-1], both[:, -2:-1]


def backward_not_linear(dy, x, a):
    return a * dy, (dy * dy * x).sum(-1, keepdims=True)


def backward_float64(dy, x, a):
    return a * dy * np.ones(1), (dy * x).sum(-1, keepdims=True)


def backward_not_transposed(dy, x, a):
    return a * dy, 2 * (dy * x).sum(-1, keepdims=True)


@pytest.mark.parametrize("forward, backward, says", [
    (writes_into_its_input, scale_backward, "the forward changes its argument x"),
    (returns_a_view, scale_backward, "the forward returns y in the memory of x"),
    (counts_its_calls, scale_backward, "the forward gives another result when it is called twice"),
    (in_float64, scale_backward, "the forward given float32 returns y in float64"),
    (scale, backward_writes, "the backward changes its argument dy"),
    (scale, backward_returns_upstream, "the backward returns dx in the memory of dy"),
    (scale, backward_view_of_input, "the backward returns da in the memory of a"),
    (scale, backward_shares, "the backward returns da in the memory of dx"),
    (scale, backward_not_linear, "da is not linear in the gradients"),
    (scale, backward_float64, "the backward given float32 returns dx in float64"),
    (scale, backward_not_transposed, "the forward is linear in a, but da is not its transpose"),
], ids=lambda value: getattr(value, "__name__", None))
def test_each_bad_habit_is_named(toy, forward, backward, says):
    result = check_equation(toy(forward, backward))
    assert not result.passed and says in " ".join(result.notes)


def test_a_clean_pair_has_none(toy):
    with numpy_only():
        trial = Trial(toy(scale, scale_backward), np.random.default_rng(0))
        assert hygiene(trial) == [] and linear_arguments(trial) == ["x", "a"]


@pytest.mark.parametrize("id, linear", [("NTM-2", ["w", "M"]), ("NTM-3", ["M_prev"]), ("NTM-7", ["w_c", "w_prev", "g"]),
                                        ("NTM-8", ["w_g", "s"]), ("NTM-9", []), ("embed", ["E"]), ("linear", ["x", "W", "b"])])
def test_linear_arguments_are_found(id, linear):
    item = REGISTRY[id]
    with numpy_only():
        assert linear_arguments(Trial(item, generator(0, id))) == linear
