"""Points with a purpose: where a backward is asked, what a point cannot prove, and gradients that are stopped on purpose."""

import numpy as np
import pytest
from gradcheck_tools import planted, scale, scale_backward, toy_fixture  # noqa: F401  pytest finds fixtures by name

import numpymem
from gradcheck import check_equation, import_all
from gradcheck.chain import check_chain
from gradcheck.points import Point, generator
from gradcheck.purposes import captured, points, symmetric, unpatched
from gradcheck.recording import Program
from gradcheck.trial import Trial, point_of
from numpymem.equation import REGISTRY, find
from numpymem.kernel import numpy_only

import_all()


def values_at(id, purpose, name):
    item = find(id)
    point = dict(points(item, generator(0, id)))[purpose]
    return point.arguments[item.arguments.index(name)]


def test_the_extremes_are_there():
    assert {0.0} < set(values_at("NTM-5", "beta low", "beta").ravel()) and 50.0 in values_at("NTM-5", "beta high", "beta")
    assert 1.0 in values_at("NTM-9", "gamma low", "gamma") and 20.0 in values_at("NTM-9", "gamma high", "gamma")
    one_hot = values_at("NTM-9", "w_s high", "w_s").reshape(-1, values_at("NTM-9", "w_s high", "w_s").shape[-1])[::2]
    assert np.all(np.sort(one_hot, -1)[:, -1] == 1) and np.all(one_hot.sum(-1) == 1)
    assert np.all(values_at("NTM-6", "M low", "M").reshape(-1, 4)[::2] == 0)                 # zero memory
    assert {0.0, 1.0} <= {*values_at("NTM-7", "g low", "g").ravel(), *values_at("NTM-7", "g high", "g").ravel()}


def test_reset_and_trained_points_come_from_models():
    assert captured()["reset"].keys() >= {"NTM-9", "MemN2N-1", "LSTM", "NTM-step"} <= captured()["trained"].keys()
    M = captured()["reset"]["NTM-step"][1]
    assert np.ptp(M, axis=1).max() == 0                                                      # all rows alike
    assert np.ptp(captured()["trained"]["NTM-step"][1], axis=1).max() > 0


def test_capturing_does_not_depend_on_patches():
    with numpymem.patch("NTM-7", lambda w_c, w_prev, g: w_c), unpatched():
        assert not find("NTM-7").is_patched
    assert not find("NTM-7").is_patched


def test_what_proves_nothing_is_said():
    said = {point["purpose"]: point["said"] for point in check_equation("NTM-9").points}
    assert said["random"] == "right" and len(said) >= 7
    result = check_equation("NTM-6")
    assert next(point["said"] for point in result.points if point["purpose"] == "reset").startswith("for information: all alike")
    trial = Trial(find("NTM-2"), np.random.default_rng(0), point_of([np.full((2, 3, 4), 0.25), np.ones((2, 4, 5))]))
    assert symmetric(trial) == ["w", "M"]


def test_a_mistake_that_only_an_extreme_shows(toy):
    def backward(dy, x, a):
        return np.where(a == 0, 1.0, a) * dy, (dy * x).sum(-1, keepdims=True)
    result = check_equation(toy(scale, backward))
    assert [wrong.argument for wrong in result.wrong] == ["x"]
    assert {point["purpose"]: point["said"] for point in result.points}["a low"] == "wrong: dx"
    assert {point["purpose"]: point["said"] for point in result.points}["random"] == "right"


def test_a_zero_gradient_proves_nothing(toy):
    def backward(dy, x, a):
        return a * dy, (dy * x).sum(-1, keepdims=True)
    item = toy(scale, backward)
    item.inputs["x"] = item.inputs["x"]._replace(domain="0 .. 0")
    result = check_equation(item)
    assert "da is zero at every random point: that proves nothing" in result.notes


# ---- kinks --------------------------------------------------------------------------------------------------------------

def test_a_point_on_a_kink_is_moved_and_said_so():
    result = check_equation("relu")
    moved = {point["purpose"]: point["moved"] for point in result.points}
    assert "moved aside" in moved["x low"] and moved["random"] == "" and result.passed


def largest(x):
    """Of each row.

    x          (B, W)
    returns y  (B)
    """
    return x.max(-1)


def largest_backward(dy, y, x):
    return dy[:, None] * (x == y[:, None])


def test_a_tie_in_a_readers_own_maximum_is_moved(toy):
    for seed in range(20):
        result = check_equation(toy(largest, largest_backward), seed)
        assert result.passed, str(result)
        assert any("moved aside" in point["moved"] for point in result.points)


# ---- stop-gradients -------------------------------------------------------------------------------------------------------

def stopped_backward(dy, x, a):
    return a * dy, np.zeros_like(a)


def test_a_declared_stop_is_checked_to_be_zero_and_what_it_drops_is_shown(toy):
    result = check_equation(toy(scale, stopped_backward, stops=("a",)))
    assert result.passed and "da is stopped on purpose" in result.notes[0] and "norm" in result.notes[0]
    assert "da" in result.right


def test_a_stop_that_is_not_zero_and_one_that_is_not_declared(toy):
    wrong = check_equation(toy(scale, scale_backward, stops=("a",)))
    assert [one.argument for one in wrong.wrong] == ["a"] and wrong.wrong[0].true == 0
    assert not check_equation(toy(scale, stopped_backward, id="toy2")).passed


def test_a_stop_inside_a_step_and_a_chain(toy):
    inner = toy(scale, stopped_backward, id="toy-inner", stops=("a",))

    def outer(x, a):
        return inner(x, a) + a
    outer.__doc__ = scale.__doc__

    def outer_backward(dy, x, a):
        dx, da = inner.gradient(dy, x, a)
        return dx, da + dy.sum(-1, keepdims=True)
    assert check_equation(toy(outer, outer_backward, id="toy-outer", step=True)).passed
    rng = np.random.default_rng(0)
    program = Program("p", {"x": rng.standard_normal((2, 3)), "a": rng.standard_normal((2, 1))},
                      lambda v: ([outer(v["x"], v["a"])], None),
                      lambda v, _, up: dict(zip("xa", outer_backward(up[0], v["x"], v["a"]))))
    result = check_chain(program, rng)
    assert result.passed, str(result)


def test_an_unknown_stop_is_refused(toy):
    with pytest.raises(ValueError, match="stops.*expected.*x, a.*received b"):
        toy(scale, scale_backward, stops=("b",))


def test_points_at_given_values_need_no_sizes():
    with numpy_only():
        trial = Trial(REGISTRY["sigmoid"], np.random.default_rng(0), Point([np.zeros((2, 3, 4))], None))
    assert trial.gradients["x"].shape == (2, 3, 4)


def test_the_first_line_names_the_part_not_the_whole(capsys):
    from gradcheck.__main__ import main
    with planted("softmax", lambda g: [2 * g[0]]):
        assert main(["softmax", "NTM-5", "NTM-9"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("softmax (softmax): dz is wrong") and "2.000" in " ".join(out[:2])
    assert any(line.startswith("NTM-5") and "it is made of softmax" in line for line in out)
