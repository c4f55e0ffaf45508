"""Arrays that write down each decision they take part in.

`Recorded` is an array of real numbers that computes what it always computes, and notes on the way which side each comparison
fell on, who won each maximum, in which order each sort left its entries. It stays recorded through ufuncs, NumPy's functions,
views, indexing and registered equations.

What leaves NumPy, or is copied into an array that somebody else made, is lost from sight: np.asarray(x), np.array(x), float(x),
x.tolist(), y = np.zeros(n); y[:] = x. The oracles (oracle.py) then still notice when their differences do not agree.
"""

import contextlib

import numpy as np

_logs = []                                     # of the runs in progress, the innermost last


# ---- what a decision looks like --------------------------------------------------------------------------------------
# An array of whole numbers, one for each entry that was decided on. 0 is always a tie.

def side(a, b):
    """1 where a > b, -1 where a < b, 0 where they are equal."""
    return np.greater(a, b).astype(np.int8) - np.less(a, b).astype(np.int8)


def different(a, b):
    """1 where a and b differ: for a test on equality it is all the same on which side."""
    return np.not_equal(a, b).astype(np.int8)


def winners(pick, x, axis=0, where=True, initial=None, **_):
    """Of a maximum or minimum along axes: 1 for the winner, -1 for the others, 0 for winners that share the first place."""
    given = {} if initial is None else {"initial": initial}
    best = pick.reduce(x, axis=axis, where=where, keepdims=True, **given)
    won = (x == best) & where
    places = won.sum(axis=axis, keepdims=True) + (best == initial if given else 0)
    return np.where(won, np.where(places > 1, 0, 1), -1)


def records(x, axis=0, **_):
    """Of a running maximum: the side that each entry is on of the best before it."""
    def of(pick):
        along = np.moveaxis(x, axis, 0)
        return side(along[1:], pick.accumulate(along, axis=0)[:-1])
    return of


def order(x, axis=-1):
    """Of a sort: which entry comes where, counted from 1; 0 for entries that are equal."""
    if axis is None:
        x, axis = x.ravel(), -1
    x = np.moveaxis(x, axis, -1)
    places = np.argsort(x, axis=-1, kind="stable")
    equal = np.diff(np.take_along_axis(x, places, -1), axis=-1) == 0
    none = np.zeros((*x.shape[:-1], 1), bool)
    tied_entries = np.concatenate([none, equal], -1) | np.concatenate([equal, none], -1)
    return np.where(tied_entries[..., :x.shape[-1]], 0, places + 1)


def whole_part(whole, is_tie):
    """Of a rounding: the whole number, made odd so that it is never 0."""
    return np.where(is_tie, 0, 2 * whole + 1)


# ---- ufuncs ----------------------------------------------------------------------------------------------------------

COMPARISONS = (np.greater, np.greater_equal, np.less, np.less_equal)
EQUALITIES = (np.equal, np.not_equal)
PICKS = {np.maximum: "maximum", np.fmax: "maximum", np.minimum: "minimum", np.fmin: "minimum"}
SIGNS = {np.absolute: 0, np.fabs: 0, np.sign: 0, np.signbit: 0, np.heaviside: 0, np.copysign: 1}     # whose sign counts
ROOTS = (np.sqrt, np.cbrt, np.hypot)           # have no derivative where they are 0
LOGICAL = (np.logical_and, np.logical_or, np.logical_xor, np.logical_not)
ROUNDINGS = {np.floor: lambda x: (np.floor(x), x == np.floor(x)), np.ceil: lambda x: (np.ceil(x), x == np.ceil(x)),
             np.trunc: lambda x: (np.trunc(x), (x == np.trunc(x)) & (x != 0)), np.modf: lambda x: ROUNDINGS[np.trunc](x),
             np.rint: lambda x: (np.rint(x), np.abs(x - np.rint(x)) == 0.5),
             np.floor_divide: lambda a, b: (a // b, a % b == 0), np.remainder: lambda a, b: (a // b, a % b == 0),
             np.divmod: lambda a, b: (a // b, a % b == 0),
             np.fmod: lambda a, b: (np.trunc(a / b), (np.fmod(a, b) == 0) & (a != 0))}


def note_ufunc(ufunc, method, inputs, settings):
    """Write down what a ufunc is about to decide on these plain arrays."""
    if method == "outer":                      # every a with every b
        inputs = [np.asarray(inputs[0])[(..., *[None] * np.ndim(inputs[1]))], inputs[1]]
    elif method in ("reduce", "accumulate") and ufunc in PICKS:
        found = winners(ufunc, *inputs, **settings) if method == "reduce" else records(*inputs, **settings)(ufunc)
        return note(f"a {PICKS[ufunc]} (np.{PICKS[ufunc][:3]})", found)
    elif method != "__call__":
        return None
    name = f"(np.{ufunc.__name__})"
    if ufunc in COMPARISONS:
        return note(f"a comparison {name}", side(*inputs[:2]))
    if ufunc in EQUALITIES:
        return note(f"a comparison {name}", different(*inputs[:2]))
    if ufunc in PICKS:
        return note(f"a {PICKS[ufunc]} {name}", side(*inputs[:2]))
    if ufunc in SIGNS:
        return note(f"a sign {name}", np.sign(inputs[SIGNS[ufunc]]))
    if ufunc.__name__ == "clip":               # np.clip is a function around it
        return note(f"a limit {name}", np.stack(np.broadcast_arrays(side(inputs[0], inputs[1]), side(inputs[0], inputs[2]))))
    if ufunc in ROUNDINGS:
        return note(f"a rounding {name}", whole_part(*ROUNDINGS[ufunc](*inputs[:ufunc.nin])))
    if ufunc in ROOTS:
        return note(f"a root {name}", different(ufunc(*inputs[:ufunc.nin]), 0))
    if ufunc in LOGICAL:
        return [note(f"a truth value {name}", different(x, 0)) for x in inputs if np.asarray(x).dtype.kind == "f"]
    return None


@contextlib.contextmanager
def written_down():
    """`with written_down() as log:` collects (kind, array of sides) of all decisions inside the block."""
    _logs.append(log := [])
    try:
        yield log
    finally:
        _logs.pop()


def note(kind, array):
    if _logs:
        _logs[-1].append((kind, np.asarray(array)))


# ---- functions that are not ufuncs -----------------------------------------------------------------------------------

def _note_order(x, *_, axis=-1, **__):
    note("an order (np.sort)", order(np.asarray(x), axis))


def _note_largest(pick):
    def note_it(x, axis=None, **_):
        note(f"a {PICKS[pick]} (np.arg{PICKS[pick][:3]})", winners(pick, np.asarray(x), axis))
    return note_it


def _note_place(a, v, **_):
    note("a place in a sorted list (np.searchsorted)", side(np.asarray(v)[..., None], np.ravel(a)))


def _note_truth(x, *_, **__):
    note("a truth value (np.nonzero)", different(x, 0))


def _note_norm(x, ord=None, axis=None, **_):
    if ord in (None, 2, "fro"):                # smooth but at a zero vector
        return note("a norm (np.linalg.norm)", different(np.linalg.norm(x, ord, axis), 0))
    note("a norm (np.linalg.norm)", np.sign(x))
    if np.isinf(ord):
        note("a norm (np.linalg.norm)", winners(np.maximum if ord > 0 else np.minimum, np.abs(x), axis))
    return None


def _note_sort(x, axis=-1, *_, **__):
    _note_order(x, axis=axis)


def _note_partition(x, kth, axis=-1, *_, **__):
    _note_order(x, axis=axis)


FUNCTIONS = {np.sort: _note_sort, np.argsort: _note_sort, np.partition: _note_partition, np.argpartition: _note_partition,
             np.unique: lambda x, *_, axis=None, **__: _note_order(x, axis=axis),
             np.argmax: _note_largest(np.maximum), np.argmin: _note_largest(np.minimum),
             np.nanargmax: _note_largest(np.fmax), np.nanargmin: _note_largest(np.fmin),
             np.searchsorted: lambda a, v, *_, **__: _note_place(a, v),
             np.digitize: lambda x, bins, *_, **__: _note_place(bins, x),
             np.interp: lambda x, xp, *_, **__: _note_place(xp, x),
             np.nonzero: _note_truth, np.flatnonzero: _note_truth, np.argwhere: _note_truth, np.count_nonzero: _note_truth,
             np.linalg.norm: _note_norm}
SILENT = (np.isclose, np.allclose, np.array_equal, np.array_equiv,       # tests of a result, and printing it
          np.array_repr, np.array_str, np.array2string)


# ---- arrays that write down ------------------------------------------------------------------------------------------

class Recorded(np.ndarray):
    """An array of real numbers that computes as always and writes down each decision."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **settings):
        inputs, settings = [plain(x) for x in inputs], {key: plain(value) for key, value in settings.items()}
        note_ufunc(ufunc, method, inputs, settings)
        if out is not None and not isinstance(out[0], _Number):          # a number is replaced by +=, never changed
            settings["out"] = plain(out)
        return recorded(getattr(ufunc, method)(*inputs, **settings))

    def __array_function__(self, function, types, args, kwargs):
        if function not in FUNCTIONS and function not in SILENT:
            return recorded(super().__array_function__(function, types, args, kwargs))
        args, kwargs = plain(args), plain(kwargs)
        if function in FUNCTIONS:
            FUNCTIONS[function](*args, **kwargs)
        return recorded(function(*args, **kwargs))

    def __getitem__(self, index):
        return recorded(super().__getitem__(index))

    def astype(self, dtype, *args, **kwargs):
        x, kind = plain(self), np.dtype(dtype).kind
        if kind in "iu":
            note_ufunc(np.trunc, "__call__", [x], {})
        elif kind == "b":
            _note_truth(x)
        return recorded(x.astype(dtype, *args, **kwargs))

    def __bool__(self):
        _note_truth(plain(self))
        return bool(plain(self))

    def __int__(self):
        return int(self.astype(np.int64))

    def __round__(self, digits=None):
        return np.round(self, digits or 0) if digits is not None else int(np.round(self))

    def argmax(self, *args, **kwargs):
        return np.argmax(self, *args, **kwargs)

    def argmin(self, *args, **kwargs):
        return np.argmin(self, *args, **kwargs)

    def argsort(self, *args, **kwargs):
        return np.argsort(self, *args, **kwargs)

    def argpartition(self, *args, **kwargs):
        return np.argpartition(self, *args, **kwargs)

    def searchsorted(self, *args, **kwargs):
        return np.searchsorted(self, *args, **kwargs)

    def nonzero(self):
        return np.nonzero(self)

    def sort(self, axis=-1, *args, **kwargs):
        _note_order(plain(self), axis=axis)
        plain(self).sort(axis, *args, **kwargs)

    def partition(self, kth, axis=-1, *args, **kwargs):
        _note_order(plain(self), axis=axis)
        plain(self).partition(kth, axis, *args, **kwargs)


class _Number(Recorded):
    """What NumPy would have returned as a single number: like one it does not change under +=."""


def plain(value):
    """The same numbers, not recorded; also inside lists, tuples and dicts."""
    return each(value, lambda x: x.view(np.ndarray) if isinstance(x, Recorded) else x)


def recorded(value):
    """Arrays of real numbers recorded, everything else (indices, truth values) plain."""
    return each(value, _one)


def _one(value):
    if isinstance(value, np.floating):
        return np.asarray(value).view(_Number)
    if isinstance(value, np.ndarray) and (value.dtype.kind == "f") != isinstance(value, Recorded):
        return value.view(np.ndarray if isinstance(value, Recorded) else Recorded)
    return value


def each(value, change):
    if isinstance(value, dict):
        return {key: each(one, change) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(each(one, change) for one in value))
    if type(value) in (list, tuple):
        return type(value)(each(one, change) for one in value)
    return change(value)
