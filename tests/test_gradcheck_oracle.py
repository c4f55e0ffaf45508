"""The ladder of oracles: the right rung for each forward, a derivative that is right to its noise, and nothing waved through."""

import math

import numpy as np
import pytest

from gradcheck import import_all, oracle
from gradcheck.oracle import CENTRAL, COMPLEX, FLOOR, RICHARDSON, STEPS, choose
from gradcheck.points import generator
from gradcheck.trial import Trial
from numpymem.equation import REGISTRY, find
from numpymem.kernel import numpy_only

import_all()
SEEDS = range(30)
REAL = ("Richardson", "central differences")
SIGN = REAL if int(np.__version__.partition(".")[0]) > 1 else ["complex step"]     # NumPy 1 takes the sign of the real part


def line_of(function, x, d):
    def line(t):
        outputs = function(x + t * d)
        return [np.asarray(out) for out in (outputs if isinstance(outputs, tuple) else (outputs,))]
    return line


class Case:
    """A forward at a random point away from its kinks, and its derivative along a random direction as a formula has it."""

    def __init__(self, function, derivative, seed, scale=1.0):
        rng = np.random.default_rng(seed)
        x, self.d = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
        self.x = scale * (x + 0.3 * np.sign(x))
        self.line = line_of(function, self.x, self.d)
        self.weights = [rng.standard_normal(out.shape) for out in self.line(0.0)]
        found = derivative(self.x, self.d)
        terms = [w * one for w, one in zip(self.weights, found if isinstance(found, tuple) else (found,), strict=True)]
        self.true = float(sum(term.sum() for term in terms))
        self.scale = float(np.sqrt(sum((term ** 2).sum() for term in terms)))
        self.elsewhere = line_of(function, self.x, rng.standard_normal((3, 4)))      # chosen along another direction
        self.oracle = choose(self.elsewhere)
        self.found = self.oracle.derivative(self.line, self.weights)
        self.allowed = self.oracle.allowed(self.scale, self.found.noise)

    def passes(self, factor):
        return abs(factor * self.true - self.found.value) <= self.allowed


# ---- forwards as readers write them: (function, its derivative, the oracles it may get) --------------------------------------

def erf(x):
    return np.array([math.erf(v) for v in x.ravel()]).reshape(x.shape)


def picked(d, index):
    return np.take_along_axis(d, index, -1)


def tanh_slope(x, d):
    return d / np.cosh(x) ** 2


FORWARDS = {
    "np.abs": (lambda x: np.abs(x) * x, lambda x, d: 2 * np.abs(x) * d, REAL),
    "np.linalg.norm": (lambda x: np.linalg.norm(x, axis=-1), lambda x, d: (x * d).sum(-1) / np.linalg.norm(x, axis=-1), REAL),
    "np.logaddexp": (lambda x: np.logaddexp(x, 0), lambda x, d: d / (1 + np.exp(-x)), REAL),
    "np.maximum": (lambda x: np.maximum(x, 0.1) * x, lambda x, d: d * np.where(x > 0.1, 2 * x, 0.1), ["complex step"]),
    "np.where": (lambda x: np.where(x > 0, x * x, x), lambda x, d: d * np.where(x > 0, 2 * x, 1), ["complex step"]),
    "np.sort": (np.sort, lambda x, d: picked(d, np.argsort(x)), ["complex step"]),
    "np.max": (lambda x: np.max(x, -1), lambda x, d: picked(d, np.argmax(x, -1)[:, None])[:, 0], ["complex step"]),
    "np.clip": (lambda x: np.clip(x, -1, 1) * x, lambda x, d: d * np.where(np.abs(x) < 1, 2 * x, np.sign(x)), ["complex step"]),
    "np.round": (lambda x: np.round(x) * x, lambda x, d: np.round(x) * d, ["complex step"]),
    "np.hypot": (lambda x: np.hypot(x, 1), lambda x, d: d * x / np.hypot(x, 1), REAL),
    "np.arctan2": (lambda x: np.arctan2(x, 2), lambda x, d: 2 * d / (x * x + 4), REAL),
    "x.astype(float)": (lambda x: np.tanh(x.astype(float)), tanh_slope, REAL),
    "np.real": (lambda x: np.tanh(np.real(x)), tanh_slope, REAL),
    "float(x)": (lambda x: np.array([float(v) ** 3 for v in x.ravel()]), lambda x, d: (3 * x * x * d).ravel(), REAL),
    "math.erf": (erf, lambda x, d: 2 / np.sqrt(np.pi) * np.exp(-x * x) * d, REAL),
    "np.sign": (lambda x: np.sign(x) * np.exp(x), lambda x, d: np.sign(x) * np.exp(x) * d, SIGN),
    "np.conj": (lambda x: np.conj(x) * np.sin(x), lambda x, d: (np.sin(x) + x * np.cos(x)) * d, REAL),
    "np.vdot": (lambda x: np.vdot(x, np.exp(x)), lambda x, d: (np.exp(x) * (1 + x) * d).sum(), REAL),
    "np.var": (lambda x: np.var(x, axis=1), lambda x, d: 2 * ((x - x.mean(1, keepdims=True)) * d).mean(1), REAL),
    "np.floor": (lambda x: np.exp(x - np.floor(x)), lambda x, d: np.exp(x - np.floor(x)) * d, REAL),
    "one output of two": (lambda x: (np.exp(x), np.hypot(x, 1)), lambda x, d: (np.exp(x) * d, x * d / np.hypot(x, 1)), REAL),
    "one output of two, silently": (lambda x: (1e3 * x, np.abs(x)), lambda x, d: (1e3 * d, np.sign(x) * d), REAL),
    "one small entry of many": (lambda x: np.concatenate([1e7 * x, np.abs(x[:1])]),
                                lambda x, d: np.concatenate([1e7 * d, (np.sign(x) * d)[:1]]), REAL),
    "exp": (np.exp, lambda x, d: np.exp(x) * d, ["complex step"]),
    "sqrt of a square": (lambda x: np.sqrt(x * x), lambda x, d: np.sign(x) * d, ["complex step"]),
}


def cases(name):
    function, derivative, _ = FORWARDS[name]
    return [Case(function, derivative, seed) for seed in SEEDS]


@pytest.mark.parametrize("name", FORWARDS)
def test_each_forward_gets_an_oracle_that_is_right_to_its_noise(name):
    for case in cases(name):
        if name == "np.floor" and near_an_integer(case):
            continue
        assert case.oracle.name in FORWARDS[name][2]
        assert case.passes(1.0)
        assert not case.passes(1 + 1e-4) and not case.passes(1 - 1e-4)
        assert case.allowed <= 1e-7 * case.scale
        assert bool(case.oracle.why) == (case.oracle.name != "complex step")


def near_an_integer(case):
    return (np.abs(case.x - np.round(case.x)) < 1e-3).any()


def test_the_reason_says_whether_it_failed_or_lied():
    def why(name):
        return cases(name)[0].oracle.why
    assert why("np.hypot") == "the forward does not take complex numbers (TypeError)"
    assert why("x.astype(float)") == "the forward does not take complex numbers (ComplexWarning)"
    assert why("np.abs") == "the complex step disagrees with real differences: np.abs, np.conj or a norm?"


def test_right_by_luck_along_one_direction_only():
    """Along the first the unsafe part does not move at all, so that the complex step is right there; the second shows it."""
    def forward(x):
        return x[0] ** 2 + np.abs(x[1])
    x, e = np.array([0.7, 0.4]), np.eye(2)
    assert choose(line_of(forward, x, e[0])).name == "complex step"
    assert choose(line_of(forward, x, e[1])).name in REAL
    assert choose(line_of(forward, x, np.array([1.0, -0.5]))).name in REAL


def test_right_at_one_point_only():
    def guarded(x):
        return np.where(np.real(x) > 0, x, np.abs(x))
    x = np.array([0.5, 1.5, 0.3])
    assert choose(line_of(guarded, x, np.ones(3))).name == "complex step"
    assert choose(line_of(guarded, x - 1, np.ones(3))).name in REAL
    # np.abs itself drops the imaginary part of positive numbers, too
    assert choose(line_of(np.abs, x, np.ones(3))).name in REAL


# ---- forwards that compute coarsely inside -----------------------------------------------------------------------------------

def in_float32(function, back=float):
    return lambda x: function(x.astype(np.float32)).astype(back)


def in_complex64(x):
    return np.tanh(x.astype(np.complex64 if np.iscomplexobj(x) else np.float32))


W = np.linspace(-1, 2, 20).reshape(4, 5)
COARSE = {
    "matmul": (in_float32(lambda x: x @ W.astype(np.float32)), lambda x, d: d @ W, 1.0),
    "scaled": (in_float32(lambda x: np.float32(3.3) * x), lambda x, d: 3.3 * d, 1.0),
    "square": (in_float32(lambda x: x * x), lambda x, d: 2 * x * d, 1.0),
    "tanh": (in_float32(np.tanh), tanh_slope, 1.0),
    "tanh, float32 out": (in_float32(np.tanh, np.float32), tanh_slope, 1.0),
    "complex64": (in_complex64, tanh_slope, 1.0),
    "sine": (in_float32(lambda x: np.sin(3 * x)), lambda x, d: 3 * np.cos(3 * x) * d, 1.0),
    "small numbers": (in_float32(lambda x: np.float32(3.3) * x), lambda x, d: 3.3 * d, 1e-3),    # but not at large steps
    "large numbers": (in_float32(lambda x: np.tanh(x / 1000)), lambda x, d: tanh_slope(x / 1000, d / 1000), 1000.0),
    "float64 after": (lambda x: x.astype(np.float32).astype(float) @ W, lambda x, d: d @ W, 1.0),
}


@pytest.mark.parametrize("name", COARSE)
def test_float32_inside_raises_no_alarm_and_hides_no_error_of_one_percent(name):
    function, derivative, scale = COARSE[name]
    caught = 0
    for seed in range(60):
        case = Case(function, derivative, seed, scale)
        assert case.oracle.name in REAL
        assert case.passes(1.0), f"seed {seed}: a false alarm, {case.found} but {case.true}"
        assert "float32 inside?" in case.oracle.why
        cancels = abs(case.true) < 0.2 * case.scale                    # terms cancel: one per cent of nearly nothing
        assert cancels or not case.passes(1.01) and not case.passes(0.99), f"seed {seed}"
        caught += not cancels
    assert caught > 40


@pytest.mark.parametrize("name, rung", [("matmul", "central differences"), ("square", "central differences"),
                                        ("sine", "Richardson")])
def test_the_less_noisy_rung_is_taken(name, rung):
    """Central differences of what does not bend; extrapolated ones of what does, even in float32."""
    function, derivative, scale = COARSE[name]
    names = [Case(function, derivative, seed, scale).oracle.name for seed in SEEDS]
    assert names.count(rung) > 0.9 * len(names)
    for seed in SEEDS:
        case = Case(function, derivative, seed, scale)
        weights = [np.random.default_rng(0).standard_normal(case.weights[0].shape)]
        known = oracle.differences(case.elsewhere, weights, **case.oracle.derivative.keywords)
        rich, plain = oracle.best_extrapolated(known), oracle.best_central(known)
        assert (rich.noise <= plain.noise) == (case.oracle.name == "Richardson")


def test_large_numbers_in_float32_see_nothing_at_small_steps():
    """At x = 30,000 the steps from 1e-3 down move nothing at all; they would agree on a slope of 0."""
    line = line_of(in_float32(lambda x: x), np.array([30000.3]), np.ones(1))
    for oracle_ in (CENTRAL, RICHARDSON):
        known = oracle_.derivative(line, [np.ones(1)])
        assert abs(known.value - 1) <= oracle_.allowed(1, known.noise)
    chosen = choose(line)
    known = chosen.derivative(line, [np.ones(1)])
    assert known.value == pytest.approx(1, abs=1e-3) and known.noise < 1e-3


def test_only_once_differentiable():
    """hypot(x, 0) x = |x| x has no second derivative at 0, and |x|^1.5 bends without limit."""
    at_zero = line_of(lambda x: np.hypot(x, 0) * x + x, np.zeros(3), np.array([1.0, -0.5, 2]))
    chosen = choose(at_zero)
    known = chosen.derivative(at_zero, [np.ones(3)])
    assert chosen.name in REAL and abs(known.value - 2.5) <= chosen.allowed(2.5, known.noise) < 1e-3
    for seed in SEEDS:
        x = 0.01 * np.random.default_rng(seed).standard_normal(4)
        line = line_of(lambda x: np.abs(x) ** 1.5, x, np.ones(4))
        true = float((1.5 * np.sqrt(np.abs(x)) * np.sign(x)).sum())
        chosen = choose(line)
        known = chosen.derivative(line, [np.ones(4)])
        assert abs(known.value - true) <= chosen.allowed(abs(true), known.noise) < 0.05


# ---- sharp turns, edges, rounding ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sharpness", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("safe", [True, False])
def test_a_sharp_turn_is_not_taken_for_rounding(sharpness, safe):
    def squash(x):
        return 0.5 * np.tanh(0.5 * sharpness * (x if safe else np.real(x))) + 0.5
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        x, d = rng.standard_normal((2, 3)) / [[sharpness], [1]]
        line, y = line_of(squash, x, d), squash(x)
        chosen = choose(line)
        known = chosen.derivative(line, [np.ones(3)])
        true = float((sharpness * y * (1 - y) * d).sum())
        scale = float(np.linalg.norm(sharpness * y * (1 - y) * d))
        assert (chosen.name == "complex step") == safe
        assert abs(known.value - true) <= chosen.allowed(scale, known.noise) <= 1e-7 * scale


def test_rounding_that_a_forward_amplifies_loosens_the_complex_step_just_so():
    """Solving ill-conditioned equations: the rounding of the slopes is measured, not assumed."""
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(2))
    A, b, dA = (left * 10.0 ** np.array([0, 0, -1, -2, -3, -4.0])) @ right, rng.standard_normal(6), rng.standard_normal((6, 6))

    def solve(A):
        return np.linalg.solve(A, b.astype(A.dtype))
    chosen, weights = choose(line_of(solve, A, dA)), [rng.standard_normal(6)]
    known = chosen.derivative(line_of(solve, A, dA), weights)
    true = -float(weights[0] @ np.linalg.solve(A, dA @ np.linalg.solve(A, b)))
    assert chosen.name == "complex step"
    assert abs(known.value - true) <= chosen.allowed(abs(true), known.noise)
    assert FLOOR * abs(true) < chosen.allowed(abs(true), known.noise) < 1e-4 * abs(true)


def test_a_kink_nearby_does_not_look_like_rounding():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.standard_normal(5), [2e-6 * rng.random() + 1e-7]])
        line = line_of(find("relu").original, x, np.append(rng.standard_normal(5), -1))
        chosen = choose(line)
        assert chosen.name == "complex step" and chosen.derivative is COMPLEX.derivative
        known = chosen.derivative(line, [np.ones(6)])
        assert known.noise < 1e-13


def test_a_step_out_of_the_domain_is_not_used():
    def logarithm(x):
        return np.array([math.log(v) for v in x])          # raises below 0
    x, d = np.array([1e-3, 0.5]), np.array([1.0, 2])
    chosen = choose(line_of(logarithm, x, d))
    known = chosen.derivative(line_of(logarithm, x, d), [np.ones(2)])
    assert chosen.name in REAL and known.value == pytest.approx(1004, rel=1e-7)
    with np.errstate(invalid="raise", divide="raise"):
        quiet = choose(line_of(lambda x: np.log(np.real(x)), x, d))
    assert quiet.name in REAL


def test_no_value_anywhere_is_no_derivative():
    line = line_of(lambda x: np.sqrt(-1 - np.abs(x)), np.ones(2), np.ones(2))
    with np.errstate(invalid="ignore"):
        chosen = choose(line)
        known = chosen.derivative(line, [np.ones(2)])
    assert chosen.name in REAL and math.isnan(known.value) and known.noise == np.inf


def test_too_few_steps():
    line = line_of(np.exp, np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="steps: expected at least 6, to see how they scatter, received 3"):
        RICHARDSON.derivative(line, [np.ones(2)], steps=STEPS[:3])


@pytest.mark.parametrize("kind, accuracy", [(np.float64, 1e-9), (np.float32, 1e-2)])
def test_fewer_steps_where_a_kink_is_near(kind, accuracy):
    """With only those that do not cross it the derivative is right; `choose` binds them to the oracle, and adds no larger ones."""
    x, d = np.array([0.003, 1.0]), np.array([1.0, 0.3])
    line = line_of(lambda x: np.hypot(np.maximum(x, 0).astype(kind), 1).astype(float), x, d)
    steps = tuple(h for h in STEPS if h < 0.003)
    chosen = choose(line, steps)
    known = chosen.derivative(line, [np.ones(2)])
    true = float((x / np.hypot(x, 1) * d).sum())
    assert abs(known.value - true) <= chosen.allowed(true, known.noise) < accuracy
    seen = []
    chosen.derivative(lambda t: seen.append(abs(t)) or line(t), [np.ones(2)])
    assert max(seen) <= 0.003


def test_real_differences_know_their_noise():
    """Held against the complex step over all registered equations: never off by more than twice what they claim."""
    worst = {"Richardson": [], "central differences": []}
    with numpy_only():
        for item in (item for item in REGISTRY.values() if not item.stops):          # their complex step is zero on purpose
            for seed in range(1 if item.is_step else 6):
                rng = generator(seed, item.id)
                trial = Trial(item, rng)
                for question in map(trial.question, trial.gradients):
                    line = question.line(rng.standard_normal(question.gradient.shape))
                    true = oracle.complex_step(line, question.weights).value
                    known = oracle.differences(line, question.weights)
                    for name, found in zip(worst, (oracle.best_extrapolated(known), oracle.best_central(known))):
                        worst[name].append(abs(found.value - true) / max(found.noise, 1e-300))
    assert all(len(ratios) > 250 and max(ratios) < 2 for ratios in worst.values())


def test_what_is_allowed_follows_from_the_noise():
    assert RICHARDSON.allowed(scale=2.0, noise=1e-6) == pytest.approx(1e-5)
    assert RICHARDSON.allowed(scale=2.0, noise=0.0) == pytest.approx(2e-12)
    in_32 = Case(*COARSE["tanh, float32 out"][:2], seed=0).oracle
    assert in_32.tolerance == pytest.approx(16 * np.finfo(np.float32).eps)
