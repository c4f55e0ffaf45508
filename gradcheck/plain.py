"""For someone else's equation: check any forward and backward, with no registry and no docstring.

    def forward(x, W):
        return np.tanh(x @ W)

    def backward(dy, y, x, W):
        dpre = dy * (1 - y * y)
        return dpre @ W.T, x.T @ dpre

    print(gradcheck.check(forward, backward, {"x": x, "W": W}, outputs="y"))

The backward takes, by name, whatever it needs: inputs, outputs, and `d` + an output; it returns one gradient for each input that is
an array of floats, in the order of the forward's arguments. Without names in common (a framework's habit) it is called as
backward(upstream gradients, then all inputs).
"""

import inspect

import numpy as np

from gradcheck.pair import check_pair
from gradcheck.points import generator
from gradcheck.trial import listed, point_of
from numpymem.equation import Equation, Symbol

POINTS = 2                   # besides the one that is given: the same values, moved a little at random


def check(forward, backward, inputs, outputs=None, seed=0, stops=()):
    """Check a backward against its own forward, at the given inputs and near them -> Result.

    forward    a function of arrays; returns an array or a tuple of arrays
    backward   see the text at the top of this file
    inputs     the forward's arguments: a dict by name, or a list in order. Arrays of floats are differentiated; everything
               else (integers, settings) is handed on as it is
    outputs    names of the outputs, "y" or ("y", "s"), if the backward asks for outputs by name; default: out, or out1, out2 ...
    seed       of the upstream gradients and of the points nearby
    stops      names of inputs whose gradient is zero on purpose
    Raises TypeError for inputs that do not fit the forward.
    """
    values = _by_name(forward, inputs)
    item = _equation(forward, backward, values, outputs, stops)
    rng = generator(seed, item.id)
    return check_pair(item, rng, lambda: _points(item, list(values.values()), rng))


def _by_name(forward, inputs):
    for which, function in (("forward", forward),):
        if not callable(function):
            raise TypeError(f"{which}: expected a function, received {type(function).__name__}")
    names = list(inspect.signature(forward).parameters)
    if not isinstance(inputs, dict):
        inputs = dict(zip(names, inputs)) if len(list(inputs)) == len(names) else {f"{len(list(inputs))} values": None}
    if set(inputs) != set(names):
        raise TypeError(f"inputs: expected values for {', '.join(names)}, received {', '.join(map(str, inputs)) or 'none'}")
    return {name: np.asarray(inputs[name], np.float64) if _is_float(inputs[name]) else inputs[name] for name in names}


def _is_float(value):
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f") or (
        isinstance(value, list) and np.asarray(value).dtype.kind == "f")


def _equation(forward, backward, values, outputs, stops):
    """An Equation that is in no registry, with the shapes of the values."""
    results = listed(forward(*[np.copy(value) if isinstance(value, np.ndarray) else value for value in values.values()]))
    item = Equation(getattr(forward, "__name__", "forward"), "", "", forward, stops=stops)
    names = [outputs] if isinstance(outputs, str) else list(outputs or (
        ["out"] if len(results) == 1 else [f"out{k + 1}" for k in range(len(results))]))
    if len(names) != len(results):
        raise TypeError(f"outputs: expected {len(results)} names, as the forward returns as many, received {', '.join(names)}")
    item.inputs = {name: Symbol(name, tuple(map(str, np.shape(value))), "" if _is_float(value) else "data", "")
                   for name, value in values.items()}
    item.outputs = {name: Symbol(name, tuple(map(str, np.shape(value))), "", "") for name, value in zip(names, results)}
    item.original_backward = _named(backward, item)
    item.use_patches([])
    return item


def _named(backward, item):
    """The backward as it is if it asks by name; else one that is called with the upstream gradients and all inputs."""
    upstream = [f"d{name}" for name in item.outputs]
    known = {*upstream, *item.outputs, *item.arguments}
    if backward is None or set(inspect.signature(backward).parameters) <= known:
        return backward

    def by_position(*arguments):
        return backward(*arguments)
    by_position.__signature__ = inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                                                   for name in (*upstream, *item.arguments)])
    return by_position


def _points(item, values, rng):
    """The given point, as evidence, and others near it."""
    yield "given", point_of(values)
    for _ in range(POINTS):
        yield "random", point_of([value + 0.1 * (np.std(value) or 1.0) * rng.standard_normal(value.shape)
                                  if name in item.differentiable else value for name, value in zip(item.arguments, values)])
