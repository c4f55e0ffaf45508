"""The kernel check: compiled loops against the NumPy pair that they stand in for.

At several shapes (usual, large, all ones) and settings, in float64 and float32, all outputs and all gradients; then, whether
what it computes for float32 it computes in float32 (gradcheck/kernels/types.py). The compiled functions are called directly,
whether or not the kernel is in force: a kernel that nobody has proved yet is checked the same way, and `--renew` proves it.
"""

import os
import time

import numpy as np

from gradcheck.kernels.settings import EXAMPLES, Setting
from gradcheck.kernels.types import float64_in
from gradcheck.pair import backward_arguments, finite, listed
from gradcheck.points import LARGE, SMALL, USUAL, Declaration, draw, generator
from gradcheck.report import Result, Wrong
from numpymem import kernel as kernels
from numpymem.kernel import numpy_only

# Sizes of the letters, and whether they must differ. A loop over four rows at a time shows in a batch of 9: two blocks, of four
# rows and of four and one; a row of the wrong length, only where it is the shorter one: once more sentences than numbers in a
# vector, once fewer.
SHAPES = ((USUAL, True), (LARGE | {"B": 9, "I": 24}, True), (SMALL, False))


def check_kernel(what, seed=0, examples=None, pair=None):
    """Check a Kernel (or its name) -> Result; `.equal` is None where it could not be run.

    examples    further settings to check: a list of (fixed, dims) like those of @equation, or of Setting; default: the
                kernel's in EXAMPLES. The equation's own setting is always checked.
    pair        (forward, backward) to check instead of the compiled ones
    """
    kernel = find_kernel(what)
    started = time.perf_counter()
    result = Result("kernel", kernel.name, kernel.of.name, True, "equal", address=kernel.of.address)
    why = cannot_run() if pair is None else None
    if why:
        result.verdict = f"not checked: {why}"
    else:
        settings = [Setting(kernel.of.fixed, kernel.of.dims), *(examples or EXAMPLES.get(kernel.name, ()))]
        rng = generator(seed, kernel.name)
        _check(kernel, (Case(kernel.of, Setting(*setting), shape, dtype, rng) for setting in settings for shape in SHAPES
                        for dtype in Setting(*setting).dtypes), result, pair)
    result.seconds = time.perf_counter() - started
    return result


def cannot_run():
    """Why no kernel can be checked here, or None. It is not an error: everything then runs as NumPy."""
    if os.environ.get("NUMPYMEM_JIT", "1") == "0":
        return "NUMPYMEM_JIT=0"
    return None if kernels.has_numba() else "numba is not installed"


def find_kernel(what):
    """The Kernel for a name ('ntm.sequence', case ignored), or itself."""
    if isinstance(what, kernels.Kernel):
        return what
    for known in kernels.KERNELS.values():
        if known.name.lower() == str(what).lower():
            return known
    raise KeyError(f"no kernel is called {what!r}; known: {', '.join(kernels.KERNELS) or 'none'}")


def _check(kernel, cases, result, pair):
    compiled = pair is None
    try:
        pair = kernel.pair() if compiled else pair
        for case in cases:
            case.judge(pair, result)
        result.passed = not result.wrong
    except Declaration as trouble:
        result.notes.append(str(trouble))
        result.passed = False
    except Exception as error:  # noqa: BLE001  compiled code may raise anything; the report names the kernel
        result.notes.append(f"the kernel raises {type(error).__name__}: {error}")
        result.passed = False
    wrong = {wrong.argument for wrong in result.wrong}
    result.right = [name for name in result.right if name not in wrong]
    result.equal = result.passed
    if compiled:
        _conclude(kernel, result)
    else:
        result.verdict = "equal" if result.equal else "not equal"
    if result.equal:
        _look_inside(pair, result)


def _look_inside(pair, result):
    """Equal in its results is not enough: it must not compute in float64 what it is asked for in float32."""
    try:
        found = float64_in(pair)
    except Exception as error:  # noqa: BLE001  numba may raise anything; the rest of the table stays
        result.passed, result.verdict = False, f"{result.verdict}, but numba's types cannot be read"
        result.notes.append(f"type inference raises {type(error).__name__}: {error}")
        return
    if found:
        result.passed = result.equal = False
        result.verdict = "computes in float64"
        more = f" and in {len(found) - 3} more lines" if len(found) > 3 else ""
        result.notes = [f"computes in float64 what is asked for in float32: {'; '.join(map(str, found[:3]))}{more}"]


def _conclude(kernel, result):
    """The verdict, by whether the kernel is equal and whether it is in force."""
    reason = kernel.why_not()
    edited = reason is not None and kernel.name in kernels.read_fingerprints()
    if result.equal:
        result.verdict = "equal, in force" if reason is None else "equal, not in force"
        if reason:
            result.notes.append(f"{reason}. To put it in force: python -m gradcheck {kernel.name} --renew")
    elif edited:                           # the reader changed an equation: the kernel has stood down, nothing is wrong
        differs = ", ".join(wrong.argument for wrong in result.wrong)
        result.passed, result.verdict, result.wrong = True, "stands down", []
        result.notes.append(f"{reason}, and is no longer equal{' in ' + differs if differs else ''}. The step runs as "
                            "NumPy, which is right if its equations are.")
    else:
        result.verdict = "not equal" + (", IN FORCE" if reason is None else ", not in force")
        if reason:
            result.notes.append(reason)


class Case:
    """A random point at one setting, shape and dtype, and what NumPy makes of it. The reference is the NumPy pair in float64;
    in float32 the NumPy pair's own distance from it is what rounding costs there, and a kernel may be a few times as far."""

    def __init__(self, equation, setting, shape, dtype, rng):
        self.equation, self.dtype, self.slack = equation, dtype, setting.slack
        at = AtSetting(equation, setting)
        self.point, other = at.point(rng, shape), at.point(rng, shape)
        with numpy_only(), np.errstate(all="ignore"):
            self.exact = _Run(equation, equation.functions, self.point, np.float64, rng=rng)
            self.plain = _Run(equation, equation.functions, self.point, dtype, like=self.exact)
            self.other, self.of_other = other, _Run(equation, equation.functions, other, dtype, rng=rng)

    def run(self, pair):
        """What another pair makes of the point: a _Run."""
        with np.errstate(all="ignore"):
            return _Run(self.equation, pair, self.point, self.dtype, like=self.exact)

    def judge(self, pair, result, twice=True):
        """Compare another pair with the NumPy pair, and write what differs into `result`. `twice` calls it at another point, too,
        to see whether that spoils what it returned."""
        exact, plain = self.exact, self.plain
        fused = self.run(pair)
        if twice:
            kept = [np.array(value) for value in fused.results]
            with np.errstate(all="ignore"):
                _Run(self.equation, pair, self.other, self.dtype, like=self.of_other)
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, fused.results)):
                raise Declaration("a second call of the kernel changes what the first returned: it must return new arrays")
        if fused.changed:
            raise Declaration(f"the kernel changes its argument {fused.changed}")
        tolerance = self.slack * (1e-12 if self.dtype == np.float64 else _float32_tolerance(self.point.sizes))
        # what is zero but for rounding is compared with the largest number around
        floor = self.slack * float(np.finfo(self.dtype).eps) * max(float(np.abs(value).max(initial=0)) for value in exact.results)
        for name, a, b, c in zip(exact.names, exact.results, plain.results, fused.results):
            _compare(name, np.asarray(a), np.asarray(b), np.asarray(c), tolerance, floor, result, note=self.slack == 1)
        if len(fused.results) != len(exact.results):
            raise Declaration(f"expected {len(exact.results)} outputs and gradients as NumPy, received {len(fused.results)}")


class AtSetting:
    """An equation with other settings than its own: what `draw` reads of one."""

    def __init__(self, equation, setting):
        self.arguments, self.inputs, self.fixed, self.dims = equation.arguments, equation.inputs, setting.fixed, setting.dims
        self.change = setting.change

    def point(self, rng, shape):
        """A random Point at these settings."""
        found = draw(self, rng, *shape)
        return self.change(found) if self.change else found


def _float32_tolerance(sizes):
    """A sum of n terms in another order differs by about eps * sqrt(n), and by eps * n at worst; there are several sums."""
    return float(np.finfo(np.float32).eps) * (16 + 2 * max(sizes.values(), default=1))


def _compare(name, exact, plain, fused, tolerance, floor, result, note=True):
    if fused.shape != plain.shape or fused.dtype != plain.dtype:
        raise Declaration(f"{name}: expected {plain.shape} {plain.dtype} as NumPy, received {fused.shape} {fused.dtype}")
    if not exact.size:
        return
    size = float(np.abs(exact).max())
    miss = finite(np.abs(fused.astype(np.float64) - exact))
    own = np.abs(plain.astype(np.float64) - exact).max()
    allowed = tolerance * size + 4 * own + 16 * floor
    error = float(miss.max() / max(size, floor)) if miss.max() > 0 else 0.0
    if note and plain.dtype == np.float64 and (result.error is None or error > result.error):
        result.error, result.tolerance = error, tolerance
    if miss.max() <= allowed:
        result.right = [*dict.fromkeys([*result.right, name])]
        return
    result.error, result.tolerance = max(error, result.error or 0.0), float(allowed / max(size, floor)) if floor else tolerance
    if all(wrong.argument != name for wrong in result.wrong):
        worst = np.unravel_index(int(np.argmax(miss)), miss.shape)
        result.wrong.append(Wrong(name, tuple(map(int, worst)), float(fused[worst]), float(exact[worst]),
                                  int((miss > allowed).sum()), int(miss.size)))


class _Run:
    """Forward and backward of a pair at a point, in a dtype. `like` hands over its outputs and upstream gradients, so
    that the backward is judged alone."""

    def __init__(self, equation, pair, point, dtype, rng=None, like=None):
        forward, backward = pair
        inputs = dict(zip(equation.arguments, [_cast(value, dtype) for value in point.arguments]))
        before = {name: np.copy(value) for name, value in inputs.items() if isinstance(value, np.ndarray)}
        if like:
            _spoil_memory(like.outputs, dtype)
        outputs = listed(forward(*inputs.values()))
        self.outputs = [np.asarray(out) for out in (like.outputs if like else outputs)]
        self.upstream = like.upstream if like else [rng.standard_normal(out.shape) for out in self.outputs]
        known = (inputs | {name: _cast(out, dtype) for name, out in zip(equation.outputs, self.outputs)}
                 | {f"d{name}": _cast(up, dtype) for name, up in zip(equation.outputs, self.upstream)})
        arguments = [known[name] for name in backward_arguments(equation)] if backward else []
        if like:
            _spoil_memory([inputs[name] for name in equation.differentiable], dtype)
        gradients = listed(backward(*arguments)) if backward else []
        self.results = [*outputs, *gradients]
        self.names = [*equation.outputs, *(f"d{name}" for name in equation.differentiable)]
        self.changed = next((name for name, value in before.items() if not np.array_equal(value, inputs[name])), "")


def _spoil_memory(arrays, dtype):
    """Memory is used again: an array that a pair asks for would often come with the right numbers already in it, left there by
    the run before. Fill and give back some of the same sizes, so that a number that is never written shows."""
    spoiled = [np.full(array.shape, np.nan, dtype) for array in arrays for _ in range(3)]
    del spoiled


def _cast(value, dtype):
    """Floats to the dtype, contiguous; integers and settings as they are."""
    if not isinstance(value, (np.ndarray, np.floating)):
        return value
    return np.array(value, dtype=dtype if np.asarray(value).dtype.kind == "f" else None, order="C")
