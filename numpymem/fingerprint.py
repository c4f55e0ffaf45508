"""Fingerprints: a hash of the source of a pair and of everything that it uses, so that an edit of either is noticed.

numpymem/kernel.py keeps the fingerprints of what each kernel fuses in fingerprints.json and compares them with today's;
numpymem/experiments/duel.py names its rows by them. Comments, docstrings and layout do not count.
"""

import functools
import hashlib
import inspect
import io
import tokenize
import types

import numpy as np

from numpymem import equation as registry

CLOCKWORK = (registry.__name__, "numpymem.kernel", "numpymem.workspace", __name__)     # their globals change while a model runs
_sources = {}                                   # id of a code object or class -> (itself, its statements)


def fingerprint(item):
    """Hash of the source of a pair and of everything of this package that it uses: helpers, decorators, classes, constants,
    other pairs. Settings (`fixed`) count by their type: the layout that HeadSizes.cuts describes is built into a kernel."""
    homes, texts, seen = homes_of(item), set(), {}
    todo = roots_of(item) + [("fixed", type(value)) for value in item.fixed.values()]
    while todo:
        name, value = todo.pop()
        text, used = describe(name, value, homes)
        texts.add(f"{name} = {text}")
        if id(value) not in seen:
            seen[id(value)] = value                                   # kept, so that its id stays its own
            todo += used
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16]


def reached_from(item, found=None):
    """Ids of the registered equations that a pair's source reaches, innermost first, its own last."""
    found = [] if found is None else found
    homes, todo, seen = homes_of(item), roots_of(item), {}
    while todo:
        name, value = todo.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        of = value.equation if isinstance(value, registry.Gradient) else value
        if not isinstance(of, registry.Equation):
            todo += reversed(describe(name, value, homes)[1])
        elif of.id not in found and of is not item:
            reached_from(of, found)
    if item.id not in found:
        found.append(item.id)
    return found


def roots_of(item):
    pair = {"forward": item.original, "backward": item.original_backward}
    return [(name, function) for name, function in pair.items() if function is not None]


def homes_of(item):
    """Packages whose code is read: this one, and the reader's own module or notebook if the equation is from there."""
    return {"numpymem", _package(item.original), _package(inspect.unwrap(item.original))}


def _package(value):
    """The package that a function or class was written in: functools.wraps copies __module__, so not that of a wrapper."""
    module = value.__globals__.get("__name__") if isinstance(value, types.FunctionType) else getattr(value, "__module__", "")
    return str(module).partition(".")[0]


def describe(name, value, homes):
    """One value that an equation uses -> (text for the hash, [(name, value)] of what it uses in turn)."""
    if isinstance(value, registry.Equation):
        return value.id, [(value.name, value.original)]
    if isinstance(value, registry.Gradient):
        return f"backward of {value.equation.id}", [(value.__name__, value.equation.original_backward)]
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}", []
    if isinstance(value, dict):
        return f"dict {list(value)!r}", [(f"{name}[{key!r}]", one) for key, one in value.items()]
    if isinstance(value, list | tuple):
        return (f"{type(value).__name__} of {len(value)}",
                [(f"{name}[{i}]", one) for i, one in enumerate(value)] + _of_type(value, homes))
    if isinstance(value, set | frozenset):
        return repr(sorted(map(repr, value))), []
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value), []
    if isinstance(value, (types.FunctionType, type)) and _package(value) in homes:
        return _describe_code(value, homes)
    inner = _function_in(value)                                       # lru_cache, partial; all else is not ours
    return (getattr(value, "__name__", type(value).__name__),
            [(name, inner)] * (isinstance(inner, types.FunctionType) and _package(inner) in homes)
            + [(f"{name}.{at}", getattr(value, at)) for at in ("args", "keywords") if isinstance(value, functools.partial)]
            + _of_type(value, homes))


def _function_in(value):
    """The function inside lru_cache, partial, property, classmethod and the like; else the value itself."""
    if isinstance(value, types.FunctionType | type):
        return value
    found = (getattr(value, attribute, None) for attribute in ("__wrapped__", "func", "fget", "__func__"))
    return next((one for one in found if one is not None), value)


def _of_type(value, homes):
    return [("type", type(value))] if _package(type(value)) in homes and not isinstance(value, type) else []


def _describe_code(value, homes):
    """A function or class of ours: its source, and the names in it."""
    if isinstance(value, type):
        members = [_function_in(one) for one in vars(value).values()]      # without those that NamedTuple adds
        return plain_source(value), [(value.__name__, one) for one in (*value.__bases__, *members)
                                     if isinstance(one, (types.FunctionType, type)) and _package(one) in homes]
    text = plain_source(value.__code__)
    if value.__globals__.get("__name__") in CLOCKWORK:
        return text, []                                               # `ticking` and its clock
    used = [*_used(value), *_decorators(value)]
    cells = zip(value.__code__.co_freevars, value.__closure__ or ())
    used += [(name, cell.cell_contents) for name, cell in cells if cell != types.CellType()]
    defaults = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    used += [(f"{value.__name__} default", one) for one in defaults]
    return text, used + [("wrapped", one) for one in [getattr(value, "__wrapped__", None)] if one is not None]


def _used(function):
    """(name, value) of the globals a function's code names, also as attributes of this package's modules."""
    names, todo = [], [function.__code__]
    while todo:
        code = todo.pop()
        names += code.co_names
        todo += [item for item in code.co_consts if isinstance(item, types.CodeType)]
    modules = [function.__globals__[name] for name in names if isinstance(function.__globals__.get(name),
                                                                          types.ModuleType)]
    ours = [module for module in modules if module.__name__.startswith("numpymem")]
    for name in dict.fromkeys(names):
        if name in function.__globals__:
            yield name, function.__globals__[name]
        for module in ours:
            if hasattr(module, name):
                yield name, getattr(module, name)


def _decorators(function):
    """(name, value) of the globals that the decorators above a function name; not `equation` and `x.backward`."""
    for line in _statements(function.__code__):
        if line[0] != "@":
            break
        yield from ((word, function.__globals__[word]) for word in line if word in function.__globals__)


def plain_source(code):
    """The source of a code object or class without comments, docstring, layout and the decorators that only register: an edit
    of those is no edit of the equation."""
    return " ".join(word for line in _statements(code) for word in line)


def _statements(code):
    """Lists of words, one a statement; the decorators above come first. Read once: equations share many helpers."""
    if id(code) not in _sources:
        _sources[id(code)] = code, list(_read_statements(code))       # the code is kept, so that its id stays its own
    return _sources[id(code)][1]


def _read_statements(code):
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError):                                      # made by `exec`: its bytecode has to do
        yield [repr((getattr(code, "co_code", code), getattr(code, "co_names", ()), getattr(code, "co_consts", ())))]
        return
    line = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            line.append("{" if token.type == tokenize.INDENT else "}")
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            if set(line) - {"{", "}"} or token.type == tokenize.ENDMARKER:
                if not _only_registers(line):
                    yield [*line, ";"]
                line = []
        elif token.type != tokenize.STRING or set(line) - {"{", "}"}:  # a string as a statement is the docstring
            line.append(token.string)


def _only_registers(line):
    """Is this @equation(...) or @name.backward?"""
    called = "".join(line).lstrip("{}").partition("(")[0]
    return called.startswith("@") and called.split(".")[-1].lstrip("@") in ("equation", "backward")
