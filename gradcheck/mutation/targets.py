"""What can be broken: the backward of every pair, the wiring of every step and every model, and the helpers that only they use.

Nothing is listed by hand: backwards come from the registry, models from the cases of gradcheck/models.py, helpers from the names
that a backward uses. A helper that a forward uses, too, is left out: breaking it breaks both alike. So is what somebody has
registered in a notebook: there is no file to read it from.
"""

import ast
import functools
import inspect
import sys
import types
from typing import NamedTuple

from gradcheck.models import CASES, equations, import_all
from gradcheck.points import generator
from numpymem.equation import REGISTRY


PLUMBING = ("numpymem.equation", "numpymem.kernel", "numpymem.ops.complex_safe")


class Target(NamedTuple):
    """One function that works backwards."""
    kind: str                # "pair": inside one equation; "wiring": of a step or a model
    owner: str               # id of an equation, or name of a model
    function: types.FunctionType
    holder: object           # an Equation, a model's class, or None for a plain function

    @property
    def name(self):
        return self.function.__qualname__


@functools.cache
def targets():
    """All targets, equations first."""
    import_all()
    found = {}
    shared = _used_by_forwards()
    for item in equations():
        if item.original_backward is not None and has_a_file(item):
            kind = "wiring" if item.is_step else "pair"
            _add(found, Target(kind, item.id, item.original_backward, item))
            for helper in helpers(item.original_backward):
                if helper not in shared:
                    _add(found, Target(kind, item.id, helper, None))
    for name, model in models().items():
        for method in _methods(model, "backward"):
            if method not in _methods(model, "forward"):
                _add(found, Target("wiring", name, method, _defined_in(model, method)))
                for helper in helpers(method):
                    if helper not in shared:
                        _add(found, Target("wiring", name, helper, None))
    return tuple(found.values())


def has_a_file(item):
    """Whether an equation stands in numpymem, not in a notebook."""
    return item.original.__module__.startswith("numpymem.")


def _add(found, target):
    found.setdefault(target.function, target)


@functools.cache
def models():
    """name of a case's model -> its class."""
    return {case.name: type(case.make(generator(0, case.name))[0]) for case in CASES}


def helpers(function):
    """The plain functions of numpymem that a function calls by name, and those that they call."""
    found, queue = {}, [function]
    while queue:
        known = queue.pop()
        for name in _names(known):
            other = known.__globals__.get(name)
            if isinstance(other, types.FunctionType) and other.__module__.startswith("numpymem.") and other not in found \
                    and not other.__module__.startswith(PLUMBING):
                found[other] = None
                queue.append(other)
    return list(found)


def _used_by_forwards():
    forwards = [item.original for item in REGISTRY.values() if has_a_file(item)]
    forwards += [method for model in models().values() for method in _methods(model, "forward")]
    return {helper for forward in forwards for helper in (forward, *helpers(forward))}


def _defined_in(model, method):
    """The class of the model, or of those that it extends, in which a method stands."""
    return next(each for each in model.__mro__ if vars(each).get(method.__name__) is method)


def _methods(model, start):
    """The methods of a class that one of them calls, through `self.`, itself included."""
    found, queue = [], [start]
    while queue:
        method = inspect.getattr_static(model, queue.pop(), None)          # also of the class that it extends
        if isinstance(method, types.FunctionType) and method not in found:
            found.append(method)
            queue += [node.attr for node in ast.walk(tree(method)) if isinstance(node, ast.Attribute)
                      and isinstance(node.value, ast.Name) and node.value.id == "self"]
    return found


def _names(function):
    """In a fixed order: a set's would change from one Python to the next, and with it what a seed means."""
    return dict.fromkeys(node.id for node in ast.walk(tree(function)) if isinstance(node, ast.Name))


@functools.cache
def module_text(name):
    return inspect.getsource(sys.modules[name])


@functools.cache
def module_tree(name):
    return ast.parse(module_text(name))


def tree(function):
    """The ast.FunctionDef of a function, with the line numbers of its file."""
    first = function.__code__.co_firstlineno
    for node in ast.walk(module_tree(function.__module__)):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__ and first in (
                node.lineno, *(decorator.lineno for decorator in node.decorator_list)):
            return node
    raise LookupError(f"the source of {function.__qualname__} is not at line {first} of {function.__module__}")

