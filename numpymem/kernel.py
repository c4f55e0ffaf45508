"""Kernels: compiled loops that stand in for a pair while, and only while, its equations are those they were made from.

A kernel names the equations it fuses. For each of them `fingerprints.json` holds a hash of the source, of the pair and
of the helpers, decorators, classes and constants it uses, taken when the kernel was last proved equal to the NumPy pair
(`python -m gradcheck --renew`). If a hash differs today, or an equation is patched, the pair runs as NumPy, and one line
says so. There is no way to get a stale kernel: the edit always wins.

    NUMPYMEM_JIT=0      NumPy everywhere (as does a missing numba)
    NUMPYMEM_CACHE      folder for compiled code; default: the user's cache folder
"""

import functools
import hashlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import pathlib
import re
import sys
import tokenize
import types

import numpy as np

from numpymem import equation as registry

KERNELS = {}                                    # name -> Kernel
PACKAGE = pathlib.Path(__file__).parent
FINGERPRINTS = PACKAGE / "fingerprints.json"
_said = set()                                   # what has been said on stderr, so that it is said once
_sources = {}                                   # id of a code object or class -> (itself, its statements)


class Kernel:
    """A compiled stand-in for the pair `of`.

    name       'ntm.sequence'
    of         the Equation whose pair it replaces
    fuses      ids of all equations whose mathematics is written again inside it: `of` and every registered equation
               that its source reaches, found by reading the source, so that none can be forgotten
    functions  'module:forward:backward', the compiled functions; the module imports numba, so it is imported at first use
    gain       how much faster a training step is with the kernels of its model than as NumPy, from benchmarks/results/step.json
    """

    def __init__(self, name, of, functions, gain=""):
        self.name, self.of, self.gain, self.functions = name, of, gain, functions
        self._seen, self._reason, self._pair = None, None, None
        KERNELS[name] = self
        of.kernel = self

    @functools.cached_property
    def fuses(self):
        """Ids, the innermost equations first, so that `why_not` names the one that was edited."""
        return reached_from(self.of)

    def forward_or(self, numpy_forward):
        return numpy_forward if self.why_not() else self.pair()[0]

    def backward_or(self, numpy_backward):
        return numpy_backward if self.why_not() else self.pair()[1]

    def pair(self):
        if self._pair is None:
            module, forward, backward = self.functions.split(":")
            announce_compilation(self.name, module)
            module = importlib.import_module(module)
            self._pair = getattr(module, forward), getattr(module, backward)
        return self._pair

    def why_not(self):
        """None while the kernel is in force, else the reason in words. Cheap: looks again only after a change."""
        if self._seen != registry.version():
            self.__dict__.pop("fuses", None)                          # an edit may have brought in another equation
            self._seen, self._reason = registry.version(), self._look()
            if self._reason and self._reason.startswith(tuple(self.fuses)):
                say(f"{self._reason}: running that step as NumPy"
                    + (f" (about {self.gain} slower)." if self.gain else "."))
        return self._reason

    def _look(self):
        if not _switch.on():
            return "NUMPYMEM_JIT=0"
        if not has_numba():
            return "numba is not installed"
        known = read_fingerprints().get(self.name, {})
        for id in self.fuses:
            item = registry.REGISTRY[id]
            if item.is_patched:
                return f"{id} ({item.name}) is patched; the kernel {self.name} fuses the original"
            if known.get(id) != fingerprint(item):
                return f"{id} ({item.name}) differs from the one the kernel {self.name} fuses"
        return None


class _Switch:
    """NUMPYMEM_JIT, and `numpy_only()` for a block of code (the checks compare both forms in one process)."""
    depth = 0

    def on(self):
        return self.depth == 0 and os.environ.get("NUMPYMEM_JIT", "1") != "0"


_switch = _Switch()


class numpy_only:
    """`with numpy_only():` runs every pair as NumPy inside the block."""

    def __enter__(self):
        _switch.depth += 1
        registry._version[0] += 1

    def __exit__(self, *error):
        _switch.depth -= 1
        registry._version[0] += 1


def say(line):
    """One line on stderr, once in a process: results on stdout stay clean."""
    if line not in _said:
        _said.add(line)
        print(line, file=sys.stderr, flush=True)


def announce_compilation(kernel, module):
    """Say so if nothing that the kernel's module compiles is on disk. numba writes ntm_<hash of the path>/kernels.<function>-*.nbi
    for ntm/kernels.py."""
    folder, file = module.split(".")[-2:]
    if not any(cache_folder().glob(f"{folder}_*/{file}.*.nbi")):
        say(f"compiling kernel {kernel}, once on this machine (up to some 20 s; NUMPYMEM_JIT=0 goes without) ...")


@functools.lru_cache(maxsize=1)
def has_numba():
    return importlib.util.find_spec("numba") is not None


# ---- fingerprints ---------------------------------------------------------------------------------------------------

def read_fingerprints():
    return json.loads(FINGERPRINTS.read_text()) if FINGERPRINTS.exists() else {}


def renew(kernel):
    """Write today's fingerprints of one kernel. Only gradcheck calls this, after the equality test has passed."""
    known = {name: prints for name, prints in read_fingerprints().items() if name in KERNELS}
    known[kernel.name] = {id: fingerprint(registry.REGISTRY[id]) for id in kernel.fuses}
    FINGERPRINTS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    registry._version[0] += 1


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
    if value.__globals__.get("__name__") in (registry.__name__, __name__):
        return text, []                                               # `ticking`: its clock changes while a model runs
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


# ---- compiled code on disk ------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=1)
def cache_folder():
    """<cache>/kernels-<hash of all kernel files and the constants beside them>: numba itself notices an edit only in a
    function's own file, so the folder's name changes with any of them."""
    digest = hashlib.sha256(sys.version.encode())
    kernel_files = sorted(PACKAGE.rglob("kernels*.py"))
    for path in kernel_files:
        digest.update(path.read_bytes())
    for folder in sorted({path.parent for path in kernel_files}):     # constants that kernels import are compiled in
        for path in sorted(folder.glob("*.py")):
            digest.update("\n".join(re.findall(r"^[A-Z][A-Z0-9_]* *=.*$", path.read_text(), re.MULTILINE)).encode())
    base = os.environ.get("NUMPYMEM_CACHE") or _user_cache()
    return pathlib.Path(base) / f"kernels-{digest.hexdigest()[:12]}"


def _user_cache():
    import pooch
    return pooch.os_cache("numpymem")


def compile_loop(**options):
    """numba.njit for a kernel: cached in `cache_folder`, errors as NumPy has them, no GIL, no fast-math but fused
    multiply-add and sums in any order (loops over slots vectorise only so)."""
    import numba

    def decorate(function):
        settings = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}} | options
        before = numba.config.CACHE_DIR
        try:
            folder = cache_folder()
            folder.mkdir(parents=True, exist_ok=True)
            numba.config.CACHE_DIR = str(folder)
            return numba.njit(cache=True, **settings)(function)
        except (OSError, RuntimeError) as error:                      # a read-only home: compile, but keep nothing
            say(f"compiled code cannot be kept ({error}); set NUMPYMEM_CACHE to a writable folder")
            return numba.njit(**settings)(function)
        finally:
            numba.config.CACHE_DIR = before
    return decorate
