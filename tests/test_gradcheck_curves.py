"""Curves for a report: the V of errors over step sizes, and Taylor's test of a slope."""

import numpy as np
import pytest

from gradcheck import oracle


def line_of(function, x, d):
    return lambda t: [function(x + t * d)]


def question(function, derivative, seed):
    """A line, weights, and the true slope."""
    x, d, weights = np.random.default_rng(seed).standard_normal((3, 5))
    return line_of(function, x, d), [weights], float((weights * derivative(x) * d).sum())


def test_the_v_curve():
    line, weights = line_of(np.exp, np.full(3, np.log(0.7)), np.array([1.0, 2, -1])), [np.ones(3)]
    curve = oracle.v_curve(line, weights)
    error = {point.h: point for point in curve}
    assert [point.h for point in curve] == [2.0 ** -k for k in range(1, 41)]
    assert error[2.0 ** -10].central == pytest.approx(1.4, abs=1e-4)
    assert error[2.0 ** -6].central_error / error[2.0 ** -7].central_error == pytest.approx(4, rel=0.01)
    assert error[2.0 ** -6].forward_error / error[2.0 ** -7].forward_error == pytest.approx(2, rel=0.05)
    best = {kind: min(curve, key=lambda point: getattr(point, kind)).h for kind in ("central_error", "forward_error")}
    assert 1e-7 < best["central_error"] < 1e-3 and best["forward_error"] < best["central_error"]
    assert curve[-1].central_error > 1e-6                               # and up again
    shifted = oracle.v_curve(line, weights, steps=(0.5, 0.25), reference=3.0)
    assert len(shifted) == 2 and shifted[1].central_error == pytest.approx(3 - shifted[1].central)


@pytest.mark.parametrize("seed", range(20))
def test_taylor_tells_a_right_slope_from_a_wrong_one(seed):
    line, weights, true = question(np.exp, np.exp, seed)
    assert oracle.taylor_slope(line, weights, true) == pytest.approx(2, abs=0.1)
    for wrong in (1.001 * true + 1e-3, 2 * true + 1, -true - 1):
        assert oracle.taylor_slope(line, weights, wrong) == pytest.approx(1, abs=0.1)
    points = oracle.taylor(line, weights, true, steps=(0.1, 0.05))
    assert [h for h, _ in points] == [0.1, 0.05] and points[0][1] > points[1][1] > 0


def test_taylor_of_a_slope_that_is_wrong_by_little():
    """At large steps the curve covers it: the order is read at the small ones."""
    line, weights, true = question(np.exp, np.exp, 0)
    remainders = oracle.taylor(line, weights, true * (1 + 1e-5))
    first = np.log2(remainders[0][1] / remainders[1][1])
    assert first == pytest.approx(2, abs=0.2)
    assert oracle.taylor_slope(line, weights, true * (1 + 1e-5)) == pytest.approx(1, abs=0.1)


def test_taylor_of_what_does_not_bend():
    line, weights, true = question(lambda x: 2 * x, lambda x: 2 + 0 * x, 0)
    assert oracle.taylor_slope(line, weights, true) is None
    assert oracle.taylor_slope(line, weights, true + 0.01) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_taylor_in_float32(seed):
    line, weights, true = question(lambda x: (x.astype(np.float32) ** 2).astype(float), lambda x: 2 * x, seed)
    assert oracle.taylor_slope(line, weights, true + 1) == pytest.approx(1, abs=0.4)
    right = oracle.taylor_slope(line, weights, true)
    assert right is None or right == pytest.approx(2, abs=0.3)
