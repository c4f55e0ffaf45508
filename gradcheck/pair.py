"""The pair check: one backward against the true derivative of its own forward.

First along a few random directions for each argument, which costs two calls each and misses nothing but by chance in a
million; then, for an argument where that fails, entry by entry, to say which index is wrong and by how much.
"""

import inspect
import time
from typing import NamedTuple

import numpy as np

from gradcheck import oracle as oracles
from gradcheck.points import Declaration, check_shapes, draw, generator
from gradcheck.report import Result, Wrong
from numpymem import equation as registry
from numpymem.kernel import numpy_only

POINTS = 2
DIRECTIONS = 3


def check_equation(what, seed=0):
    """Check the pair that is in force for an equation (an Equation, an id or a name) -> Result."""
    item = registry.find(what)
    started = time.perf_counter()
    result = Result("equation", item.id, item.name, True, "right")
    try:
        with numpy_only():
            _check(item, generator(seed, item.id), result)
    except Declaration as trouble:
        result.passed, result.verdict = False, "broken"
        result.notes.append(str(trouble))
    if not result.passed:                      # finding it reads the source file: only when somebody has to go there
        result.address = item.address + (" (patched)" if item.is_patched else "")
    result.seconds = time.perf_counter() - started
    return result


def _check(item, rng, result):
    wanted = None
    for _ in range(POINTS):
        trial = Trial(item, rng)
        wanted = wanted or dict.fromkeys(trial.gradients, 0.0)
        for name in trial.gradients:
            if all(wrong.argument != name for wrong in result.wrong):
                outcome = compare(trial.question(name), rng, result)
                wanted[name] += outcome.size
                if outcome.wrong:
                    result.wrong.append(scan(trial.question(name), outcome.oracle))
    finish(result, wanted, [wrong.argument for wrong in result.wrong])


def finish(result, sizes, bad):
    """Write the verdict once all arguments are compared.

    sizes   argument -> how large its true gradient was
    bad     the arguments that are wrong
    """
    result.passed = not bad
    result.right = [f"d{name}" for name in sizes if name not in bad]
    if not sizes:
        result.verdict = "nothing to differentiate"
    elif bad:
        result.verdict = "wrong: " + ", ".join(f"d{name}" for name in bad)
    idle = [f"d{name}" for name, size in sizes.items() if size == 0 and name not in bad]
    if idle:
        result.notes.append(f"{', '.join(idle)} is zero at every point tried: that proves nothing")


class Trial:
    """One point: the forward has run there, and so has the backward, with a random gradient for each output."""

    def __init__(self, item, rng):
        self.item = item
        self.forward, self.backward = item.functions
        self.arguments, self.sizes = draw(item, rng)
        self.outputs = listed(attempt("forward", self.forward, self._copies(np.asarray)))
        self._check_forward()
        self.upstream = [rng.standard_normal(np.shape(out)) for out in self.outputs]
        self.gradients = self._run_backward()

    def _copies(self, kind):
        """The arguments as arrays of their own, so that nothing that a pair writes into them reaches the next call."""
        names = self.item.arguments
        return [kind(value).copy() if isinstance(value, np.ndarray) and not self.item.inputs[name].is_data else value
                for name, value in zip(names, self.arguments)]

    def _check_forward(self):
        declared = list(self.item.outputs.values())
        if len(declared) != len(self.outputs):
            raise Declaration(f"outputs: the docstring declares {len(declared)} ('returns ...' lines), "
                              f"the forward returned {len(self.outputs)}")
        check_shapes("output", declared, self.outputs, self.sizes)

    def _run_backward(self):
        """name of an input -> its gradient by hand."""
        names = self.item.differentiable
        if self.backward is None:
            if names:
                raise Declaration(f"there is no backward: expected {self.item.name}_backward, "
                                  f"with @{self.item.name}.backward above it")
            return {}
        self.wanted = backward_arguments(self.item)
        known = self.values()
        gradients = listed(attempt("backward", self.backward, [known[name] for name in self.wanted]))
        if len(gradients) != len(names):
            raise Declaration(f"gradients: expected {len(names)} ({', '.join('d' + n for n in names)}), "
                              f"the backward returned {len(gradients)}")
        for name, gradient in zip(names, gradients):
            expected = np.shape(self.arguments[self.item.arguments.index(name)])
            if np.shape(gradient) != expected:
                raise Declaration(f"shape of the gradient d{name}: expected {expected} as {name} has, "
                                  f"received {np.shape(gradient)}")
        return dict(zip(names, gradients))

    def values(self):
        """Everything that a backward may ask for by name."""
        outputs = list(self.item.outputs)
        return (dict(zip(self.item.arguments, self._copies(np.asarray))) | dict(zip(outputs, map(np.array, self.outputs)))
                | {f"d{name}": value.copy() for name, value in zip(outputs, self.upstream)})

    def question(self, name):
        """What `compare` needs to know about one argument."""
        used = [k for k, output in enumerate(self.item.outputs) if f"d{output}" in self.wanted]
        index = self.item.arguments.index(name)

        def line(direction):
            def outputs_at(t):
                arguments = self._copies(complex_array if isinstance(t, complex) else np.asarray)
                arguments[index] = arguments[index] + t * direction
                outputs = listed(self.forward(*arguments))
                return [np.asarray(outputs[k]) for k in used]
            return outputs_at

        return Question(name, np.asarray(self.gradients[name]), line, [self.upstream[k] for k in used])


class Outcome(NamedTuple):
    """Of comparing one gradient: `size` of the true one, relative `error`, whether that is too much, and who judged."""
    size: float
    error: float
    wrong: bool
    oracle: oracles.Oracle


class Question:
    """Is `gradient` the derivative of sum(weights * outputs)? `line(direction)` moves one argument (see oracle.py)."""

    def __init__(self, name, gradient, line, weights):
        self.name, self.gradient, self.line, self.weights = name, gradient, line, weights


def compare(question, rng, result, directions=DIRECTIONS, tolerance=None):
    """Compare along random directions -> Outcome; the result keeps the worst error."""
    shape, size, worst, wrong = question.gradient.shape, 0.0, 0.0, False
    oracle = oracles.choose(question.line(rng.standard_normal(shape)))
    if oracle.why and oracle.why not in result.notes:
        result.notes.append(oracle.why)
    for _ in range(directions):
        direction = rng.standard_normal(shape)
        true = oracle.derivative(question.line(direction), question.weights)
        parts = question.gradient * direction
        # the size of the sum's terms, not of the sum: a sum may cancel by chance, and then its relative error says nothing
        scale = max(abs(true.value), float(np.linalg.norm(parts)))
        allowed = (tolerance or oracle.tolerance) * scale + 10 * true.noise
        miss = abs(float(parts.sum()) - true.value)
        worst = max(worst, note_error(result, oracle, miss, scale, true.noise, allowed))
        size, wrong = size + abs(true.value), wrong or not miss <= allowed
    return Outcome(size, worst, wrong, oracle)


def note_error(result, oracle, miss, scale, noise, allowed):
    """Keep the worst relative error, with the tolerance that it was held to; returns this one."""
    error = 0.0 if miss == 0 else miss / scale if scale > 0 else np.inf
    error = error if np.isfinite(error) else np.inf         # not a number is as wrong as can be
    if oracle.name not in result.oracle:
        result.oracle = " and ".join(filter(None, [result.oracle, oracle.name]))
    if result.error is None or error > result.error:
        result.error, result.tolerance = float(error), float(allowed / scale) if 0 < scale < np.inf else None
    if 0 < scale < np.inf:
        result.noise = max(result.noise or 0.0, float(noise / scale))
    return float(error)


def scan(question, oracle, tolerance=None):
    """Compare entry by entry -> Wrong."""
    hand = question.gradient
    true, noise = true_gradient(question, oracle)
    allowed = (tolerance or oracle.tolerance) * max(np.abs(true).max(initial=0), 1e-300) + 10 * noise
    miss = finite(np.abs(hand - true))
    worst = np.unravel_index(int(np.argmax(miss)), hand.shape)
    bad = miss > allowed
    return Wrong(question.name, tuple(int(i) for i in worst), float(hand[worst]), float(true[worst]), int(bad.sum()),
                 int(hand.size), common_ratio(hand[bad], true[bad]))


def true_gradient(question, oracle):
    """The whole gradient as the oracle has it, entry by entry, and the noise of each entry."""
    shape = question.gradient.shape
    true, noise = np.zeros(shape), np.zeros(shape)
    for index in np.ndindex(shape):
        unit = np.zeros(shape)
        unit[index] = 1
        true[index], noise[index] = oracle.derivative(question.line(unit), question.weights)
    return true, noise


def finite(miss):
    """Not a number is as far off as can be."""
    return np.where(np.isfinite(miss), miss, np.inf)


def common_ratio(hand, true):
    """hand / true where it is one number everywhere, else None. That number often is the diagnosis: 2, -1, 1 / N, 0."""
    if not len(hand) or not np.isfinite(hand).all() or not (np.abs(true) > 0).all():
        return None
    ratios = hand / true
    ratio = float(np.median(ratios))
    return ratio if np.abs(ratios - ratio).max() <= 1e-4 * max(abs(ratio), 1) else None


def backward_arguments(item):
    """Names of the backward's arguments; a patch takes the same in the same order, whatever it calls them."""
    names = list(inspect.signature(item.original_backward or item.functions[1]).parameters)
    known = {*item.arguments, *item.outputs, *(f"d{name}" for name in item.outputs)}
    for name in names:
        if name not in known:
            raise Declaration(f"the backward asks for {name}: expected an input, an output or 'd' + an output, that is "
                              f"one of {', '.join(sorted(known))}")
    return names


def attempt(which, function, arguments):
    """Run a forward or a backward; if it raises, say so instead of showing a traceback of the checker."""
    try:
        return function(*arguments)
    except Exception as error:              # a reader's function may raise anything
        raise Declaration(f"the {which} raises {type(error).__name__} at the shapes that its docstring declares: "
                          f"{error}") from error


def listed(result):
    return list(result) if isinstance(result, tuple) else [result]


def complex_array(value):
    return np.asarray(value).astype(np.complex128)
