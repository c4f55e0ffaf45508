"""One point of the pair check: the forward has run there, so has the backward, and questions can be asked of both."""

import inspect

import numpy as np

from gradcheck.compare import Question
from gradcheck.points import Declaration, Point, check_shapes, draw, shape_of
from gradcheck.recording import Jitter, Push, recorded
from numpymem.equation import around


class Trial:
    """An equation at a point, with a random gradient for each output. Raises Declaration where its parts do not fit together.

    point   a Point; default: random values at the shapes and in the domains that the docstring declares. Without `sizes` the
            shapes of the outputs are not held to the docstring: sigmoid says (B, W) and takes any
    """

    def __init__(self, item, rng, point=None):
        self.item, self.rng = item, rng
        self.forward, self.backward = item.functions
        self.arguments, self.sizes = point or draw(item, rng)
        with recorded("forward") as calls:
            outputs = attempt("forward", self.forward, self.copies())
        self.calls = calls if any(call.equation.stops for call in calls) else None
        self.outputs = listed(outputs)
        self._check_forward()
        self.upstream = [rng.standard_normal(np.shape(out)) for out in self.outputs]
        self.gradients = self._run_backward()

    def copies(self, kind=np.asarray):
        """The arguments as arrays of their own, so that nothing that a pair writes into them reaches the next call."""
        names = self.item.arguments
        return [kind(value).copy() if isinstance(value, np.ndarray) and not self.item.inputs[name].is_data else value
                for name, value in zip(names, self.arguments)]

    def _check_forward(self):
        declared = list(self.item.outputs.values())
        if len(declared) != len(self.outputs):
            raise Declaration(f"outputs: the docstring declares {len(declared)} ('returns ...' lines), "
                              f"the forward returned {len(self.outputs)}")
        if self.sizes is not None:
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
        gradients = listed(attempt("backward", self.backward, list(self.given().values())))
        if len(gradients) != len(names):
            raise Declaration(f"gradients: expected {len(names)} ({', '.join('d' + n for n in names)}), "
                              f"the backward returned {len(gradients)}")
        for name, gradient in zip(names, gradients):
            expected = np.shape(self.arguments[self.item.arguments.index(name)])
            if shape_of(gradient) != expected:
                raise Declaration(f"shape of the gradient d{name}: expected {expected} as {name} has, "
                                  f"received {shape_of(gradient)}")
        return dict(zip(names, gradients))

    def values(self):
        """Everything that a backward may ask for by name, as copies."""
        outputs = list(self.item.outputs)
        return (dict(zip(self.item.arguments, self.copies())) | dict(zip(outputs, map(np.array, self.outputs)))
                | {f"d{name}": value.copy() for name, value in zip(outputs, self.upstream)})

    def given(self, **others):
        """What the backward is called with, by name; `others` take the place of some of it."""
        known = self.values() | others
        return {name: known[name] for name in self.wanted}

    def question(self, name):
        """What `compare` needs to know about one argument."""
        used = [k for k, output in enumerate(self.item.outputs) if f"d{output}" in self.wanted]
        index = self.item.arguments.index(name)

        def line(direction, jitter=None):
            def outputs_at(t):
                arguments = self.copies(complex_array if isinstance(t, complex) else np.asarray)
                if jitter is not None:
                    arguments = [jitter.jittered(value) for value in arguments]
                arguments[index] = arguments[index] + t * direction
                outputs = listed(self.run(arguments))
                return [np.asarray(outputs[k]) for k in used]
            return outputs_at

        return Question(name, np.asarray(self.gradients[name]), line, [self.upstream[k] for k in used],
                        lambda: self._moves(name), stopped=name in self.item.stops)

    def run(self, arguments):
        """The forward; what is stopped on purpose inside it stays at its value in this trial."""
        if self.calls is None:
            return self.forward(*arguments)
        with around(Push(self.calls)):
            return self.forward(*arguments)

    def _moves(self, name):
        """How far a gradient moves when all that the backward is given changes in its last bits."""
        jitter, position = Jitter(self.rng), self.item.differentiable.index(name)
        moved = 0.0
        for _ in range(3):
            with around(jitter):
                again = listed(self.backward(*[jitter.jittered(value) for value in self.given().values()]))
            moved = max(moved, float(np.linalg.norm(again[position] - self.gradients[name])))
        return moved


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


def point_of(arguments):
    """A Point at given values, whatever sizes they have."""
    return Point(list(arguments), None)


def listed(result):
    return list(result) if isinstance(result, tuple) else [result]


def complex_array(value):
    return np.asarray(value).astype(np.complex128)
