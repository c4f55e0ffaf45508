"""When an equation was edited: look at it once, before anything is trained with it, and say its name where it does not fit.

A forward that raises, returns another shape or writes into its inputs would else show far from where it is, or not at all: NumPy
broadcasts (B, 1) where (B, N) was meant, and a changed input changes what the backward works with. Whether the gradient is right is
another question: python -m gradcheck.
"""

import functools
import inspect

import numpy as np

from numpymem import kernel
from numpymem.equation import REGISTRY, around
from numpymem.received import one_line
from numpymem.fingerprint import fingerprint


class EquationError(ValueError):
    """An equation does not fit where it is used; the message names it."""
    exit_code = 1                                 # of a command: it was understood


def edited():
    """Ids of the equations that are patched now, or whose source is not the one that the kernels fuse."""
    return {id for id, item in REGISTRY.items() if item.is_patched} | edited_in_files()


@functools.lru_cache(maxsize=1)
def edited_in_files():
    """Once in a process: files are read once, too."""
    known = {}
    for prints in kernel.read_fingerprints().values():
        known |= prints
    return {id for id, item in REGISTRY.items() if id in known and known[id] != fingerprint(item)}


def check(run, ids=None):
    """Call `run` as NumPy and look at the equations with these ids (None: at all), forward and backward.

    raises  EquationError for the first that raises, returns another number of results or other shapes than its docstring declares,
            or writes into what it is given. What is raised elsewhere passes through
    """
    with kernel.numpy_only(), around(Look(ids)), np.errstate(all="ignore"):
        run()


class Look:
    """A hook for `around`."""

    def __init__(self, ids):
        self.ids = ids

    def __call__(self, item, phase, run, arguments):
        watched = self.ids is None or item.id in self.ids
        before = [np.array(value) if isinstance(value, np.ndarray) else None for value in arguments] if watched else ()
        try:
            result = run(*arguments)
        except EquationError:
            raise
        except Exception as error:                # an edited equation may raise anything
            raise wrong(item, phase, f"raises {type(error).__name__}: {one_line(error)}") from error
        if watched:
            names = names_of(item, phase)
            look_at_inputs(item, phase, names, before, arguments)
            look_at_result(item, phase, dict(zip(names, arguments)), result)
        return result


def names_of(item, phase):
    """Names of the arguments of a forward or a backward."""
    return item.arguments if phase == "forward" else list(inspect.signature(item.original_backward).parameters)


def look_at_inputs(item, phase, names, before, arguments):
    for name, old, new in zip(names, before, arguments):
        if old is not None and not np.array_equal(old, new, equal_nan=old.dtype.kind in "fc"):
            raise wrong(item, phase, f"writes into its argument {name}: expected that inputs stay as they are; work on a copy")


def look_at_result(item, phase, given, result):
    results = result if isinstance(result, tuple) else (result,)
    names = list(item.outputs) if phase == "forward" else [f"d{name}" for name in item.differentiable]
    if len(results) != len(names):
        raise wrong(item, phase, f"expected {len(names)} results ({', '.join(names)}), received {len(results)}")
    expected = declared_shapes(item, given) if phase == "forward" else {f"d{name}": shape_of(value) for name,
                                                                        value in given.items()}
    for name, value in zip(names, results):
        if value is not None and expected.get(name) is not None and shape_of(value) != expected[name]:
            raise wrong(item, phase, f"shape of {name}: expected {expected[name]}, received {shape_of(value)}")


def declared_shapes(item, given):
    """{name of an output: its shape}, as far as the docstring and the inputs say it for certain."""
    letters = {}
    for name, value in given.items():
        symbol, shape = item.inputs.get(name), shape_of(value)
        if symbol is None or shape is None:
            continue
        if len(symbol.shape) != len(shape):       # sigmoid says (B, W) and takes any
            return {}
        for letter, size in zip(symbol.shape, shape):
            if letter.isalpha() and letters.setdefault(letter, size) != size:
                return {}
    sizes = {name: [letters.get(part, int(part) if part.isdigit() else None) for part in symbol.shape]
             for name, symbol in item.outputs.items()}
    return {name: tuple(shape) for name, shape in sizes.items() if None not in shape}


def shape_of(value):
    """The shape of an array or a number; None for a setting, a tuple or nothing."""
    return np.shape(value) if isinstance(value, (np.ndarray, np.generic, float)) else None


def wrong(item, phase, what):
    """The error that names an equation."""
    return EquationError(f"{item.id} ({item.name}), {phase}: {what}; {item.address}{' (patched)' if item.is_patched else ''}")
