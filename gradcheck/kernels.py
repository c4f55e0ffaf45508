"""The kernel check: compiled loops against the NumPy pair that they stand in for.

At several shapes (usual, large, all ones), in float64 and float32, all outputs and all gradients. The compiled functions
are called directly, whether or not the kernel is in force: a kernel that nobody has proved yet is checked the same way,
and `--renew` proves it.
"""

import os
import time

import numpy as np

from gradcheck.pair import backward_arguments, finite, listed
from gradcheck.points import LARGE, SMALL, USUAL, Declaration, draw, generator
from gradcheck.report import Result, Wrong
from numpymem import kernel as kernels
from numpymem.kernel import numpy_only
from numpymem.ntm.step import HeadSizes

SHAPES = ((USUAL, True), (LARGE, True), (SMALL, False))          # sizes of the letters, and whether they must differ


def dims_of(sizes, C, feedforward=False):
    """The letters of NTM-sequence that HeadSizes and the controller decide."""
    letters = {"P": sizes.raw, "H": sizes.H, "R": sizes.R, "Q": sizes.Q, "W": sizes.W, "S": sizes.S, "C": C}
    return letters | ({"U": sizes.R * sizes.W, "G": C} if feedforward else {"U": sizes.R * sizes.W + C, "G": 4 * C})


def without_state(point):
    """A feedforward controller has no h0 and no c0: cut theirs to no columns. (In the docstring's letters they have C.)"""
    arguments = [value[:, :0] if at in (4, 5) else value for at, value in enumerate(point.arguments)]
    return point._replace(arguments=arguments)


FEW, MANY = HeadSizes(R=1, Q=1, W=3, S=1), HeadSizes(R=3, Q=2, W=4, S=5)
EXAMPLES = {                       # kernel -> its other branches: (fixed, dims) like those of @equation, and a change of the point
    "ntm.sequence": [({"sizes": FEW}, dims_of(FEW, 5)), ({"sizes": MANY}, dims_of(MANY, 6)),
                     ({"sizes": FEW}, dims_of(FEW, 5, feedforward=True), without_state),
                     ({"sizes": MANY}, dims_of(MANY, 6, feedforward=True), without_state)],
    "memn2n.hop": [({"linear": True}, {})],
}


def check_kernel(what, seed=0, examples=None):
    """Check a Kernel (or its name) -> Result; `.equal` is None where it could not be run.

    examples    further settings to check: a list of (fixed, dims) like those of @equation; default: the kernel's
                in EXAMPLES. The equation's own setting is always checked.
    """
    kernel = what if isinstance(what, kernels.Kernel) else _find(what)
    started = time.perf_counter()
    result = Result("kernel", kernel.name, kernel.of.name, True, "equal", address=kernel.of.address)
    why = cannot_run()
    if why:
        result.verdict = f"not checked: {why}"
    else:
        settings = [(kernel.of.fixed, kernel.of.dims), *(examples or EXAMPLES.get(kernel.name, ()))]
        _check(kernel, settings, generator(seed, kernel.name), result)
    result.seconds = time.perf_counter() - started
    return result


def cannot_run():
    """Why no kernel can be checked here, or None. It is not an error: everything then runs as NumPy."""
    if os.environ.get("NUMPYMEM_JIT", "1") == "0":
        return "NUMPYMEM_JIT=0"
    return None if kernels.has_numba() else "numba is not installed"


def _find(name):
    for known in kernels.KERNELS.values():
        if known.name.lower() == str(name).lower():
            return known
    raise KeyError(f"no kernel is called {name!r}; known: {', '.join(kernels.KERNELS) or 'none'}")


def _check(kernel, settings, rng, result):
    try:
        pair = kernel.pair()
        for setting in settings:
            for preferred, distinct in SHAPES:
                for dtype in (np.float64, np.float32):
                    _compare_at(kernel.of, pair, _Setting(kernel.of, *setting), (preferred, distinct), dtype, rng, result)
    except Declaration as trouble:
        result.notes.append(str(trouble))
        result.passed = False
    except Exception as error:  # noqa: BLE001  compiled code may raise anything; the report names the kernel
        result.notes.append(f"the kernel raises {type(error).__name__}: {error}")
        result.passed = False
    wrong = {wrong.argument for wrong in result.wrong}
    result.right = [name for name in result.right if name not in wrong]
    result.equal = result.passed = result.passed and not wrong
    _conclude(kernel, result)


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


class _Setting:
    """An equation with other settings than its own: what `draw` reads of one."""

    def __init__(self, equation, fixed, dims, change=None):
        self.arguments, self.inputs, self.fixed, self.dims = equation.arguments, equation.inputs, fixed, dims
        self.change = change

    def point(self, rng, shape):
        """A random Point at these settings."""
        found = draw(self, rng, *shape)
        return self.change(found) if self.change else found


def _compare_at(equation, pair, setting, shape, dtype, rng, result):
    """One shape, one dtype. The reference is the NumPy pair in float64; in float32 the NumPy pair's own distance from it
    is what rounding costs there, and a kernel may be a few times as far."""
    point, other = setting.point(rng, shape), setting.point(rng, shape)
    with numpy_only():
        exact = _Run(equation, equation.functions, point, np.float64, rng=rng)
        plain = _Run(equation, equation.functions, point, dtype, like=exact)
    with np.errstate(all="ignore"):
        fused = _Run(equation, pair, point, dtype, like=exact)
        kept = [np.array(value) for value in fused.results]
        _Run(equation, pair, other, dtype, like=_Run(equation, pair, other, dtype, rng=rng))
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, fused.results)):
        raise Declaration("a second call of the kernel changes what the first returned: it must return new arrays")
    if fused.changed:
        raise Declaration(f"the kernel changes its argument {fused.changed}")
    tolerance = 1e-12 if dtype == np.float64 else _float32_tolerance(point.sizes)
    # what is zero but for rounding is compared with the largest number around
    floor = float(np.finfo(dtype).eps) * max(float(np.abs(value).max(initial=0)) for value in exact.results)
    for name, a, b, c in zip(exact.names, exact.results, plain.results, fused.results):
        _compare(name, np.asarray(a), np.asarray(b), np.asarray(c), tolerance, floor, result)
    if len(fused.results) != len(exact.results):
        raise Declaration(f"expected {len(exact.results)} outputs and gradients as NumPy, received {len(fused.results)}")


def _float32_tolerance(sizes):
    """A sum of n terms in another order differs by about eps * sqrt(n), and by eps * n at worst; there are several sums."""
    return float(np.finfo(np.float32).eps) * (16 + 2 * max(sizes.values(), default=1))


def _compare(name, exact, plain, fused, tolerance, floor, result):
    if fused.shape != plain.shape or fused.dtype != plain.dtype:
        raise Declaration(f"{name}: expected {plain.shape} {plain.dtype} as NumPy, received {fused.shape} {fused.dtype}")
    if not exact.size:
        return
    size = float(np.abs(exact).max())
    miss = finite(np.abs(fused.astype(np.float64) - exact))
    own = np.abs(plain.astype(np.float64) - exact).max()
    allowed = tolerance * size + 4 * own + 16 * floor
    error = float(miss.max() / max(size, floor)) if miss.max() > 0 else 0.0
    if plain.dtype == np.float64 and (result.error is None or error > result.error):
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
        outputs = listed(forward(*inputs.values()))
        self.outputs = [np.asarray(out) for out in (like.outputs if like else outputs)]
        self.upstream = like.upstream if like else [rng.standard_normal(out.shape) for out in self.outputs]
        known = (inputs | {name: _cast(out, dtype) for name, out in zip(equation.outputs, self.outputs)}
                 | {f"d{name}": _cast(up, dtype) for name, up in zip(equation.outputs, self.upstream)})
        gradients = listed(backward(*[known[name] for name in backward_arguments(equation)])) if backward else []
        self.results = [*outputs, *gradients]
        self.names = [*equation.outputs, *(f"d{name}" for name in equation.differentiable)]
        self.changed = next((name for name, value in before.items() if not np.array_equal(value, inputs[name])), "")


def _cast(value, dtype):
    """Floats to the dtype, contiguous; integers and settings as they are."""
    if not isinstance(value, (np.ndarray, np.floating)):
        return value
    return np.array(value, dtype=dtype if np.asarray(value).dtype.kind == "f" else None, order="C")
