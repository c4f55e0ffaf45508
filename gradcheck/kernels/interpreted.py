"""The kernels' source run as plain Python: what a change of it does is known in milliseconds, where compiling takes 20 seconds.

The loops are written in the part of Python that numba compiles, so Python can run them too: slowly, on tiny arrays, and with
bounds checked. New arrays come filled with not-a-number here, so what reads a number that nobody wrote shows it.
"""

import ast
import functools
import importlib.util
import pathlib
import types
from typing import NamedTuple

import numpy as np

from numpymem import threads, workspace
from numpymem.ops import lanes

LOOPS = "compile_loop"           # a module that imports it from numpymem.kernel is run here; every other is imported as it is


class Source(NamedTuple):
    """A module of loops, ready to run without numba."""
    lines: list              # of its text, as bytes
    code: types.CodeType
    functions: dict          # name -> ast.FunctionDef
    imports: tuple           # (module of loops, name, name here)


def interpreted(module, changed=None):
    """The namespace of a module of loops as plain Python: interpreted("numpymem.ntm.kernels")["sequence"](...).

    changed    {(module, function): text}, the source of functions to put in place of those of the same name, also in the
               modules of loops that this one imports
    """
    changed, source = changed or {}, read(module)
    namespace = {"__name__": module, "max": larger}
    exec(source.code, namespace)  # noqa: S102
    namespace |= {name: stand_ins()[id(value)] for name, value in namespace.items() if id(value) in stand_ins()}
    inner = {one: interpreted(one, changed) for one in dict.fromkeys(one for one, _, _ in source.imports)}
    namespace |= {here: inner[one][name] for one, name, here in source.imports}
    if "LANES" in namespace:
        namespace["LANES"] = two_lanes()["LANES"]                    # a number has no name of its own
    for (where, name), text in changed.items():
        if where == module:
            exec(compile(text, f"<{name}, changed>", "exec"), namespace)  # noqa: S102
    return namespace


def interpreted_pair(kernel, changed=None):
    """(forward, backward) of a Kernel as plain Python."""
    module, forward, backward = kernel.functions.split(":")
    namespace = interpreted(module, changed)
    return namespace[forward], namespace[backward]


@functools.cache
def read(module):
    """The Source of a module of loops."""
    path = pathlib.Path(importlib.util.find_spec(module).origin)
    text, body, imports = path.read_text(), [], []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and _is_of_loops(node.module):
            imports += [(node.module, one.name, one.asname or one.name) for one in node.names]
        elif isinstance(node, ast.FunctionDef):
            node.decorator_list = []
            body.append(node)
        elif isinstance(node, ast.ImportFrom) or LOOPS not in ast.unparse(node):
            body.append(node)
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    code = compile(ast.Module(body, []), str(path), "exec")
    return Source(text.encode().splitlines(keepends=True), code, functions, tuple(imports))


@functools.cache
def _is_of_loops(module):
    spec = importlib.util.find_spec(module)
    if spec is None or not str(spec.origin).endswith(".py"):
        return False
    return any(isinstance(node, ast.ImportFrom) and node.module == "numpymem.kernel" and LOOPS in [one.name for one in node.names]
               for node in ast.parse(pathlib.Path(spec.origin).read_text()).body)


@functools.lru_cache(maxsize=1)
def stand_ins():
    """id of what a module of loops imports -> what it gets here: NumPy and workspace whose new arrays are full of not-a-number, two
    lanes instead of sixteen, so that tiny arrays have several blocks and a remainder, and no threads."""
    ours, narrow = types.SimpleNamespace(**vars(np)), two_lanes()
    ours.empty = lambda shape, dtype=float, **options: _spoiled(np.empty(shape, dtype, **options))
    ours.empty_like = lambda like, dtype=None, **options: _spoiled(np.empty_like(like, dtype, **options))
    serial = types.SimpleNamespace(blocks=threads.blocks, run=lambda function, jobs, **_: [function(*job) for job in jobs])
    return {id(np): ours, id(threads): serial,
            id(workspace.empty): lambda shapes, dtype: [ours.empty(shape, dtype) for shape in shapes],
            **{id(value): narrow[name] for name, value in vars(lanes).items() if name in narrow and name.islower()}}


def two_lanes():
    """The names of numpymem/ops/lanes.py, with LANES = 2."""
    namespace = {"__name__": lanes.__name__, "max": larger}
    exec(compile(pathlib.Path(lanes.__file__).read_text(), lanes.__file__, "exec"), namespace)  # noqa: S102
    namespace["LANES"] = 2
    return {name: value for name, value in namespace.items() if not name.startswith("__")}


def _spoiled(array):
    if array.dtype.kind in "fO":
        array.fill(np.nan)
    return array


# ---- a thousand points at once ----------------------------------------------------------------------------------------------

class Points(np.ndarray):
    """One number of an array at many points at once: a loop over arrays of these runs once for all of them.

    Never changed in place: `y = x[0]` and then `y += 1` must leave x[0] alone, as it does with a number.
    """
    __iadd__, __isub__ = np.ndarray.__add__, np.ndarray.__sub__
    __imul__, __itruediv__ = np.ndarray.__mul__, np.ndarray.__truediv__

    def __bool__(self):
        """Which way a branch goes, if it is the same at all points."""
        first = np.asarray(self).astype(bool)
        if first.any() and not first.all():
            raise Parting(first)
        return bool(first.all())


class Parting(Exception):
    """A loop branches on a number, and not all points go the same way: `first` is True for those that go into the branch."""

    def __init__(self, first):
        super().__init__("the points go different ways")
        self.first = first


def larger(a, *others):
    """max, of numbers and of Points."""
    for b in others:
        a = np.maximum(a, b) if isinstance(a, Points) or isinstance(b, Points) else max(a, b)
    return a


def at_points(arrays):
    """The same array at several points -> one array of that shape whose entries are Points."""
    together = np.stack(arrays, axis=-1)
    out = np.empty(together.shape[:-1], object)
    for index in np.ndindex(out.shape):
        out[index] = together[index].view(Points)
    return out


def numbers(array):
    """An array of Points -> its numbers, with one more axis for the points; an array of plain numbers as it is."""
    if np.asarray(array).dtype != object or not np.size(array):
        return np.asarray(array, np.float64)
    entries = np.broadcast_arrays(*(np.asarray(entry, np.float64) for entry in array.flat))   # a plain number is one for all points
    return np.stack(entries).reshape(*array.shape, -1)
