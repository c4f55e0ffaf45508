"""Kernels: compiled loops that stand in for a pair while, and only while, its equations are those they were made from.

A kernel names the equations it fuses. For each of them `fingerprints.json` holds a hash of the source, of the pair and of the
helpers, decorators, classes and constants it uses (numpymem/fingerprint.py), taken when the kernel was last proved equal to the
NumPy pair (`python -m gradcheck --renew`). If a hash differs today, or an equation is patched, the pair runs as NumPy, and one
line says so. There is no way to get a stale kernel: the edit always wins.

    NUMPYMEM_JIT=0      NumPy everywhere (as does a missing numba)
    NUMPYMEM_CACHE      folder for compiled code; default: the user's cache folder
"""

import functools
import hashlib
import importlib
import importlib.util
import json
import os
import pathlib
import re
import sys

from numpymem import equation as registry
from numpymem import kept_code, writing
from numpymem.fingerprint import fingerprint, reached_from

KERNELS = {}                                    # name -> Kernel
PACKAGE = pathlib.Path(__file__).parent
FINGERPRINTS = PACKAGE / "fingerprints.json"
_said = set()                                   # what has been said on stderr, so that it is said once


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
        self._seen, self._reason, self._pair, self._used = None, None, None, False
        KERNELS[name] = self
        of.kernel = self

    @functools.cached_property
    def fuses(self):
        """Ids, the innermost equations first, so that `why_not` names the one that was edited."""
        return reached_from(self.of)

    def forward_or(self, numpy_forward, arguments=()):
        if self.why_not():
            return numpy_forward
        if not self._used:
            self._used = True
            ahead().start(self.name, arguments)
        return self.pair()[0]

    def backward_or(self, numpy_backward):
        if self.why_not():
            return numpy_backward
        if self._used is True:
            self._used = "backward too"
            ahead().wait(self.name)
        return self.pair()[1]

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


def ahead():
    """numpymem/ahead.py, which itself needs this module."""
    return importlib.import_module("numpymem.ahead")


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
        look_again()

    def __exit__(self, *error):
        _switch.depth -= 1
        look_again()


def look_again():
    """Have every kernel look again whether it is in force, as after a change of NUMPYMEM_JIT within a process."""
    registry._version[0] += 1


def say(line):
    """One line on stderr, once in a process: results on stdout stay clean."""
    if line not in _said:
        _said.add(line)
        bars = getattr(sys.modules.get("tqdm"), "tqdm", None)          # a progress bar that is in the way makes room
        (bars.write if bars else print)(line, file=sys.stderr)
        sys.stderr.flush()


def announce_compilation(kernel, module):
    """Say so if nothing that the kernel's module compiles is on disk. numba writes ntm_<hash of the path>/kernels.<function>-*.nbi
    for ntm/kernels.py."""
    folder, file = module.split(".")[-2:]
    if not any(cache_folder().glob(f"{folder}_*/{file}.*.nbi")):
        say(f"compiling kernel {kernel}, once on this machine (up to some 20 s; NUMPYMEM_JIT=0 goes without) ...")


@functools.lru_cache(maxsize=1)
def has_numba():
    return importlib.util.find_spec("numba") is not None


# ---- fingerprints.json ----------------------------------------------------------------------------------------------

def read_fingerprints():
    return json.loads(FINGERPRINTS.read_text()) if FINGERPRINTS.exists() else {}


def renew(kernel):
    """Write today's fingerprints of one kernel. Only gradcheck calls this, after the equality test has passed."""
    known = {name: prints for name, prints in read_fingerprints().items() if name in KERNELS}
    known[kernel.name] = {id: fingerprint(registry.REGISTRY[id]) for id in kernel.fuses}
    writing.write_text(FINGERPRINTS, json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    registry._version[0] += 1


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
    return writing.cache() / f"kernels-{digest.hexdigest()[:12]}"


def cannot_keep():
    """None if compiled code can be kept on disk, else the reason in words."""
    folder = cache_folder()
    if writing.homeless(folder):
        return "no home directory is known"
    try:
        writing.make_folder(folder)
    except OSError as error:
        return str(error)
    return None if os.access(folder, os.W_OK) else f"{folder} is not writable"


def compile_loop(allocates=True, **options):
    """numba.njit for a kernel: cached in `cache_folder`, errors as NumPy has them, no GIL, no fast-math but fused
    multiply-add and sums in any order (loops over slots vectorise only so).

    allocates    False for a loop that makes no arrays: numba then leaves out the counts of who holds an array, which for small
                 arrays cost as much as the work (a sixth of an NTM step)
    """
    import numba

    def decorate(function):
        settings = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}, "_nrt": allocates} | options
        reason = cannot_keep()
        if not reason:
            before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(cache_folder())
            try:
                compiled = numba.njit(cache=True, **settings)(function)
            finally:
                numba.config.CACHE_DIR = before
            reason = kept_code.guard(compiled, cache_folder(), cannot_be_kept)
        if reason:
            cannot_be_kept(reason)
            compiled = numba.njit(**settings)(function)
        return compiled
    return decorate


def cannot_be_kept(reason):
    say(f"compiled code cannot be kept ({reason}), so every process compiles anew; set NUMPYMEM_CACHE to a writable folder")
