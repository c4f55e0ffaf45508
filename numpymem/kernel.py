"""Kernels: compiled loops that stand in for a pair while, and only while, its equations are those they were made from.

A kernel names the equations it fuses. For each of them `fingerprints.json` holds a hash of the source, of the pair and
of the helpers and constants it uses, taken when the kernel was last proved equal to the NumPy pair
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

from numpymem import equation as registry

KERNELS = {}                                    # name -> Kernel
PACKAGE = pathlib.Path(__file__).parent
FINGERPRINTS = PACKAGE / "fingerprints.json"
_said = set()                                   # what has been said on stderr, so that it is said once


class Kernel:
    """A compiled stand-in for the pair `of`.

    name       'ntm.heads'
    of         the Equation whose pair it replaces
    fuses      ids of all equations whose mathematics is written again inside it: `of` and every registered equation
               that its source reaches, found by reading the source, so that none can be forgotten
    functions  'module:forward:backward', the compiled functions; the module imports numba, so it is imported at first use
    gain       how many times faster than NumPy, as `benchmarks/` measured it (text, shown when it stands down)
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
            announce_compilation()
            module, forward, backward = self.functions.split(":")
            module = importlib.import_module(module)
            self._pair = getattr(module, forward), getattr(module, backward)
        return self._pair

    def why_not(self):
        """None while the kernel is in force, else the reason in words. Cheap: looks again only after a change."""
        if self._seen != registry.version():
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


def announce_compilation():
    if not any(cache_folder().rglob("*.nbi")):
        say("compiling the kernels, once on this machine (about 20 s in all; NUMPYMEM_JIT=0 goes without) ...")


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
    """Hash of the source of a pair and of everything of this package that it uses: helpers, constants, other pairs."""
    seen, parts = set(), []
    for function in (item.original, item.original_backward):
        if function is not None:
            _collect(function, seen, parts)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _collect(function, seen, parts):
    if function in seen:
        return
    seen.add(function)
    parts.append(plain_source(function))
    for name, value in _used(function):
        value = getattr(value, "original", value)                     # Equation -> its forward
        if isinstance(value, registry.Gradient):
            value = value.equation.original_backward
        if isinstance(value, types.FunctionType) and _is_ours(value):
            _collect(value, seen, parts)
        elif isinstance(value, (int, float, str, tuple)):
            parts.append(f"{name}={value!r}")


def reached_from(item, found=None):
    """Ids of the registered equations that a pair's source reaches, innermost first, its own last."""
    found = [] if found is None else found
    todo, seen = [f for f in (item.original, item.original_backward) if f is not None], set()
    while todo:
        function = todo.pop()
        seen.add(function)
        for _, value in _used(function):
            value = value.equation if isinstance(value, registry.Gradient) else value
            if isinstance(value, registry.Equation):
                if value.id not in found and value is not item:
                    reached_from(value, found)
            elif isinstance(value, types.FunctionType) and _is_ours(value) and value not in seen:
                todo.append(value)
    if item.id not in found:
        found.append(item.id)
    return found


def _is_ours(function):
    return (function.__module__ or "").startswith("numpymem")


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


def plain_source(function):
    """The function's tokens without decorators, comments, docstring and layout: an edit of those is no edit of the
    equation."""
    lines = inspect.getsource(function).splitlines(keepends=True)
    while not lines[0].lstrip().startswith("def "):
        lines.pop(0)
    words, statement_start = [], True
    for token in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            words.append({tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}[token.type])
            statement_start = True
            continue
        if not (token.type == tokenize.STRING and statement_start):   # a string as a statement is the docstring
            words.append(token.string)
        statement_start = False
    return " ".join(words)


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
