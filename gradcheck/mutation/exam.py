"""The questions that a broken backward must fail: the pair check and the model check, with the truth worked out once.

A mutant changes a backward only, so the forward's true derivatives along fixed directions serve for all mutants of a target. What
passes is decided as gradcheck/compare.py decides it, at the same kinds of points. `tests/test_mutation.py` holds a sample of
mutants against the whole check, as a reader would run it.
"""

from typing import NamedTuple

import numpy as np

from gradcheck import oracle as oracles
from gradcheck.dtraces import dtrace_problems
from gradcheck.models import CASES, TOLERANCE, random_parameters
from gradcheck.mutation.targets import models
from gradcheck.points import generator, shape_of
from gradcheck.purposes import points
from gradcheck.trial import Trial, listed
from numpymem.equation import REGISTRY, find
from numpymem.kernel import numpy_only

DIRECTIONS = 2


class Verdict(NamedTuple):
    """caught; how: "raises", "shape", "not finite", "changes its input", or the name of the gradient that is wrong."""
    caught: bool
    how: str = ""


class PairExam:
    """Asks the backward of an equation, at its points with a purpose."""

    def __init__(self, id, seed=0):
        self.item, self.questions = find(id), []
        rng = generator(seed, id)
        with numpy_only():
            for purpose, point in points(self.item, rng):
                if purpose == "random" or not self.item.is_step:
                    self.questions.append(self._question(Trial(self.item, rng, point), purpose, rng))

    def _question(self, trial, purpose, rng):
        truths = {}
        for name in trial.gradients:
            question = trial.question(name)
            for _ in range(DIRECTIONS):
                direction = rng.standard_normal(question.gradient.shape)
                truths.setdefault(name, []).append((direction, oracles.COMPLEX.derivative(question.line(direction),
                                                                                          question.weights)))
        return trial, truths, 1e-12 if purpose == "random" else 1e-7

    def verdict(self):
        """Of the backward that is in force now."""
        with numpy_only(), np.errstate(all="ignore"):
            for trial, truths, tolerance in self.questions:
                found = self._ask(trial, truths, tolerance)
                if found.caught:
                    return found
        return Verdict(False)

    def _ask(self, trial, truths, tolerance):
        given = trial.given()
        try:
            gradients = listed(self.item.functions[1](*given.values()))
        except Exception as error:  # noqa: BLE001  a broken function may raise anything
            return Verdict(True, f"raises {type(error).__name__}")
        fresh = trial.given()
        for name, value in given.items():
            if isinstance(value, np.ndarray) and not np.array_equal(value, fresh[name]):
                return Verdict(True, f"changes its input {name}")
        if len(gradients) != len(trial.gradients):
            return Verdict(True, "shape")
        return judge(dict(zip(trial.gradients, gradients)), trial.gradients, truths, tolerance)


def judge(gradients, right, truths, tolerance):
    """Compare gradients along the directions whose truth is known -> Verdict. `right` is for shapes and rounding."""
    for name, known in truths.items():
        gradient = gradients[name]
        if shape_of(gradient) != np.shape(right[name]):
            return Verdict(True, "shape")
        if not np.isfinite(gradient).all():
            return Verdict(True, "not finite")
        for direction, true in known:
            parts, own = gradient * direction, right[name] * direction
            scale = max(abs(true.value), float(np.linalg.norm(parts)))
            floor = 50 * abs(float(own.sum()) - true.value)           # what the right gradient misses by is rounding
            if abs(float(parts.sum()) - true.value) > tolerance * scale + 10 * true.noise + floor:
                return Verdict(True, f"d{name}")
    return Verdict(False)


class ModelExam:
    """Asks the backward of a model, in all cases of it."""

    def __init__(self, name, seed=0):
        self.questions = []
        for case in CASES:
            if case.name == name:
                self.questions.append(self._question(case, generator(seed, case.name + case.setting)))

    def _question(self, case, rng):
        model, inputs, options = case.make(rng)
        params = random_parameters(model, rng)
        with numpy_only():
            outputs, trace = model.forward(params, inputs, **options)
            weights = rng.standard_normal(outputs.shape)
            right = model.backward(params, trace, weights.copy())
            truths = {name: [_truth(model, params, name, inputs, options, weights, rng)] for name in params}
        return model, params, trace, weights, right, truths

    def verdict(self):
        """Of the backward that is in force now."""
        with numpy_only(), np.errstate(all="ignore"):
            for model, params, trace, weights, right, truths in self.questions:
                try:
                    gradients = model.backward(params, trace, weights.copy())
                    problems = dtrace_problems(model, params, trace, weights)
                except Exception as error:  # noqa: BLE001
                    return Verdict(True, f"raises {type(error).__name__}")
                if set(gradients) != set(right):
                    return Verdict(True, "shape")
                found = judge(gradients, right, truths, TOLERANCE)
                if found.caught:
                    return found
                if problems:
                    return Verdict(True, f"dtrace: {problems[0]}")
        return Verdict(False)


def _truth(model, params, name, inputs, options, weights, rng):
    direction = rng.standard_normal(params[name].shape)

    def outputs_at(t):
        moved = {key: value.astype(complex) for key, value in params.items()}
        moved[name] = moved[name] + t * direction
        return [model.forward(moved, inputs, **options)[0]]
    return direction, oracles.complex_step(outputs_at, [weights])


class Exams:
    """Several exams, one after the other: a step must pass its own and that of every model that is made of it, which takes
    branches that the step's example does not (a feedforward controller, linear start, `dtrace`)."""

    def __init__(self, exams):
        self.exams = exams

    def verdict(self):
        """Of the first exam that is failed."""
        return next((found for found in (exam.verdict() for exam in self.exams) if found.caught), Verdict(False))


def own_exam(owner, cache):
    """The exam of an equation or a model; made once."""
    if owner not in cache:
        cache[owner] = PairExam(owner) if owner in REGISTRY else ModelExam(owner)
    return cache[owner]


def exam_for(target, cache):
    """The exam that a target's mutants must fail."""
    own = own_exam(target.owner, cache)
    if target.owner not in REGISTRY or not REGISTRY[target.owner].is_step:
        return own
    users = [name for name in models() if target.owner.lower().startswith(f"{name}-")]
    return Exams([own, *(own_exam(name, cache) for name in users)])
