"""What a computation did, call by call: every registered forward and backward of one pass, in order, with who called whom.

A `Program` is anything that has a forward and a backward made of registered pairs: a model, or a step such as NTM-step. Two
things can be done with it: `record` a pass, and run the forward again while one value in its middle is pushed aside.
"""

import contextlib
import functools
import inspect
import sys
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from numpymem import equation as registry
from numpymem.equation import Equation, around, clock
from numpymem.kernel import numpy_only

_PLUMBING = {registry.__file__, __file__, functools.__file__, contextlib.__file__}


class Site(NamedTuple):
    """The line that made a call."""
    code: Any                # the code object of the function that the line is in
    line: int


@dataclass(eq=False)
class Call:
    """One evaluation of one half of a pair."""
    order: int               # by start, among the calls of its phase
    equation: Equation
    t: int | None            # time step or hop
    arguments: tuple
    parent: "Call | None"
    stack: tuple             # of Sites: the line that made the call, the line that called that function, and so on
    outputs: list = field(default_factory=list)
    children: list = field(default_factory=list)
    forward: "Call | None" = None            # of a backward call: the forward call that it undoes

    @property
    def named(self):
        """name -> value of a forward call's arguments and outputs."""
        return dict(zip(self.equation.arguments, self.arguments)) | dict(zip(self.equation.outputs, self.outputs))


class _Recorder:
    """A hook that writes down the calls of one phase."""

    def __init__(self, phase):
        self.phase, self.calls, self.open = phase, [], []

    def __call__(self, item, phase, run, args):
        if phase != self.phase:                      # a backward that recomputes a forward: not part of the chain
            return run(*args)
        parent = self.open[-1] if self.open else None
        call = Call(len(self.calls), item, clock[0], args, parent, _callers())
        self.calls.append(call)
        if parent is not None:
            parent.children.append(call)
        self.open.append(call)
        try:
            out = run(*args)
        finally:
            self.open.pop()
        call.outputs = list(out) if isinstance(out, tuple) else [out]
        return out


@contextlib.contextmanager
def recorded(phase):
    """The calls of one phase ("forward" or "backward") inside the block, as a list that fills."""
    recorder = _Recorder(phase)
    with around(recorder):
        yield recorder.calls


def _callers():
    frame = sys._getframe(2)
    while frame.f_code.co_filename in _PLUMBING:
        frame = frame.f_back
    sites = [Site(frame.f_code, frame.f_lineno)]
    while (frame := frame.f_back) is not None and "numpymem" in frame.f_code.co_filename and (
            frame.f_code.co_filename not in _PLUMBING):
        sites.append(Site(frame.f_code, frame.f_lineno))
    return tuple(sites)


class Push:
    """A hook that moves one value of one forward call aside: an argument, for that call alone, or an output, for all who use
    it. What an equation stops the gradient of, on purpose, stays at its value in the recorded run."""

    def __init__(self, recorded, order=None, argument=None, outputs=(), by=None):
        self.recorded, self.seen = recorded, -1
        self.order, self.argument, self.outputs, self.by = order, argument, outputs, by

    def __call__(self, item, phase, run, args):
        if phase != "forward":
            return run(*args)
        self.seen += 1
        here = self.seen == self.order
        args = [self.recorded[self.seen].arguments[k] if name in item.stops else value
                for k, (name, value) in enumerate(zip(item.arguments, args))]
        if here and self.argument is not None and item.arguments[self.argument] not in item.stops:
            args[self.argument] = args[self.argument] + self.by
        out = run(*args)
        if not here or not self.outputs:
            return out
        values = list(out) if isinstance(out, tuple) else [out]
        for k, by in zip(self.outputs, self.by):
            values[k] = values[k] + by
        return tuple(values) if isinstance(out, tuple) else values[0]


def _plainly(item, phase, run, args):
    return run(*args)


class Jitter:
    """A hook that changes the last bits of all that a backward is given: what comes out differently is rounding, no more."""

    def __init__(self, rng):
        self.rng = rng

    def __call__(self, item, phase, run, args):
        return run(*args) if phase != "backward" else run(*[self.jittered(value) for value in args])

    def jittered(self, value):
        """The array times 1 + or - one rounding error; anything else as it is."""
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            return value
        return value * (1 + np.finfo(value.dtype).eps * self.rng.choice([-1.0, 1.0], value.shape)).astype(value.dtype)


class Program:
    """A forward and its backward.

    name       what to call it
    values     name -> array: what it is differentiated with respect to (a model's parameters, an equation's inputs)
    forward    forward(values) -> (list of outputs, whatever the backward needs)
    backward   backward(values, what it needs, upstream) -> gradients, a dict with the keys of `values`
    """

    def __init__(self, name, values, forward, backward):
        self.name, self.values, self.forward, self.backward = name, values, forward, backward

    def record(self, upstream, jitter=None):
        """Run both passes as NumPy -> Recording. `upstream(outputs)` gives the gradients of the outputs; with a Jitter, the
        backward pass is given its numbers in other last bits."""
        clock[0] = None
        with numpy_only(), recorded("forward") as ahead:
            outputs, kept = self.forward(self.values)
        weights = upstream(outputs)
        with numpy_only(), around(jitter or _plainly), recorded("backward") as back:
            gradients = self.backward(self.values, kept, [weight.copy() for weight in weights])
        match(back, ahead)
        return Recording(ahead, back, weights, gradients)

    def line(self, recording, direction, order=None, argument=None, outputs=(), value=None):
        """outputs_at(t) for an oracle: moved by t * direction is an argument or are outputs of forward call `order`, or a
        value of the program."""
        def outputs_at(t):
            kind = complex if isinstance(t, complex) else float
            values = {name: array.astype(kind) for name, array in self.values.items()}
            if value is not None:
                values[value] = values[value] + t * direction
            by = [t * d for d in direction] if outputs else t * direction
            clock[0] = None
            with numpy_only(), around(Push(recording.forward, order, argument, outputs, by)):
                return [np.asarray(out) for out in self.forward(values)[0]]
        return outputs_at


class Recording(NamedTuple):
    forward: list            # of Call
    backward: list           # of Call
    weights: list            # the gradients of the outputs that the backward started from
    gradients: dict          # what it returned


def match(backward_calls, forward_calls):
    """Find for each backward call the forward call that it undoes: of the same equation, at the same time step, inside the
    same call, with the same values; of several, the latest, as a backward pass runs backwards."""
    free = {}
    for call in forward_calls:
        free.setdefault(call.equation.id, []).append(call)
    for call in backward_calls:
        candidates = [candidate for candidate in free.get(call.equation.id, ()) if _fits(call, candidate)]
        if candidates:
            call.forward = max(candidates, key=lambda candidate, call=call: _likeness(call, candidate))
            free[call.equation.id].remove(call.forward)


def _fits(call, candidate):
    """Whether the gradients that a backward was given have the shapes of the outputs. A backward may use another pair on parts
    of what its forward used it on, as the LSTM cell does with its gates: no forward call belongs to those."""
    return all(np.shape(value) == np.shape(candidate.named[name]) for name, value in upstream(call).items())


def _likeness(call, candidate):
    parent = call.parent.forward if call.parent is not None else None
    return (call.t == candidate.t, parent is not None and candidate.parent is parent,
            sum(same(value, candidate.named[name]) for name, value in saved(call).items()), candidate.order)


def saved(call):
    """name -> value of what a backward call was given besides gradients: inputs and outputs of its forward."""
    names = backward_names(call.equation)
    known = {*call.equation.arguments, *call.equation.outputs}
    return {name: value for name, value in zip(names, call.arguments) if name in known}


def upstream(call):
    """name of an output -> the gradient that a backward call was given for it."""
    outputs = {f"d{name}": name for name in call.equation.outputs}
    return {outputs[name]: value for name, value in zip(backward_names(call.equation), call.arguments) if name in outputs}


@functools.cache
def _names_of(function):
    return tuple(inspect.signature(function).parameters)


def backward_names(item):
    """Names of a backward's arguments; a patch takes the same in the same order, whatever it calls them."""
    return _names_of(item.original_backward or item.functions[1])


def same(a, b):
    """Whether two values are equal, but for rounding."""
    if not isinstance(a, (np.ndarray, np.floating)) or not isinstance(b, (np.ndarray, np.floating)):
        return a is b or (np.shape(a) == np.shape(b) and bool(np.all(a == b)))
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)


def users(calls, array):
    """(call, index of the argument) of the forward calls that were handed this array, or a view of a part of it."""
    root = _owner(array)
    return [(call, k) for call in calls for k, value in enumerate(call.arguments)
            if isinstance(value, np.ndarray) and _owner(value) is root and np.may_share_memory(value, array)]


def _owner(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
