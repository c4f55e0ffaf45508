"""Other people's gradient checks, asked about a hand-written pair of ours: PyTorch's, JAX's and the one of cs231n's notes.

Each takes a `Function` and says whether it would let the backward pass, and what the reader is told. NumPy stays inside: for
PyTorch the pair is a torch.autograd.Function, for JAX a custom_vjp whose halves are pure_callbacks. Steps and tolerances are the
checkers' own. PyTorch and JAX are optional; `load` says in one line what is missing.
"""

import importlib
import importlib.util
from typing import NamedTuple

import numpy as np

from numpymem.equation import clock
from numpymem.kernel import numpy_only

FORWARDS = 1500              # a check that needs more of them is run in its quick form
STEP = 1e-5                  # cs231n: of its central differences
TINY = 1e-8                  # cs231n: the least that a difference is divided by
FAST, SLOW = "fast mode", "slow mode"          # PyTorch's names for its two forms
SAMPLE = 10                  # cs231n: entries of each argument in its quick form
THRESHOLDS = {"1e-2": 1e-2, "1e-4": 1e-4, "1e-7": 1e-7}          # cs231n: from "usually wrong" to "good"


class Answer(NamedTuple):
    """What a checker says. `error` is cs231n's largest relative error; the others say only yes or no."""
    caught: bool
    message: str
    mode: str
    error: float | None = None


class NotInstalled(ImportError):
    """A library that a check needs is not there; the text says which."""


class Function:
    """A Program as others want a pair: lists of float64 arrays go in and come out, in the order of its values. It runs as NumPy."""

    def __init__(self, program, is_model=False):
        self.program, self.is_model, self.names = program, is_model, list(program.values)
        self.values = [np.array(value, dtype=np.float64, order="C") for value in program.values.values()]
        self.size = sum(value.size for value in self.values)

    def forward(self, values):
        """-> (list of outputs, whatever the backward needs)."""
        with numpy_only(), np.errstate(all="ignore"):
            clock[0] = None
            outputs, kept = self.program.forward(dict(zip(self.names, values)))
        return [np.array(out, order="C") for out in outputs], kept

    def backward(self, values, kept, upstream):
        """-> list of gradients, one for each value."""
        with numpy_only(), np.errstate(all="ignore"):
            clock[0] = None
            gradients = self.program.backward(dict(zip(self.names, values)), kept, [np.array(one) for one in upstream])
        return [np.array(gradients[name], order="C") for name in self.names]


def missing():
    """library -> "not installed", of those that a check needs."""
    return {name: "not installed" for name in dict.fromkeys(LIBRARY.values()) if importlib.util.find_spec(name) is None}


def load(library):
    """Import a library, or raise NotInstalled."""
    if importlib.util.find_spec(library) is None:
        raise NotInstalled(f"{library} is not installed: its gradient check is left out (pip install {library})")
    return importlib.import_module(library)


# ---- torch.autograd.gradcheck --------------------------------------------------------------------------------------------

def torch_gradcheck(function):
    """The whole Jacobian against central differences, as it comes; in fast mode where that would take too long."""
    return torch_answer(function, fast=2 * function.size > FORWARDS)


def torch_fast(function):
    """`fast_mode=True`: one random direction for each argument and output."""
    return torch_answer(function, fast=True)


def torch_answer(function, fast):
    torch = load("torch")
    by_hand, complaint = torch_function(torch, function), importlib.import_module("torch.autograd.gradcheck").GradcheckError
    values = tuple(torch.tensor(value, requires_grad=True) for value in function.values)

    def check():
        if not fast:
            return torch.autograd.gradcheck(by_hand, values)
        # a failing fast mode computes the whole Jacobian for its message, which the slow mode says as well: not asked for
        if not torch.autograd.gradcheck(by_hand, values, fast_mode=True, raise_exception=False):
            raise complaint("(raise_exception=False: no message)")
        return True
    return answer(check, complaint, FAST if fast else SLOW)


def torch_function(torch, function):
    class ByHand(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *values):
            ctx.arrays = [value.detach().numpy().copy() for value in values]
            outputs, ctx.kept = function.forward(ctx.arrays)
            return tuple(torch.from_numpy(out) for out in outputs)

        @staticmethod
        def backward(ctx, *upstream):
            gradients = function.backward(ctx.arrays, ctx.kept, [one.detach().numpy() for one in upstream])
            return tuple(torch.from_numpy(gradient) for gradient in gradients)

    return ByHand.apply


# ---- jax.test_util.check_grads -------------------------------------------------------------------------------------------

def jax_check_grads(function):
    """One random direction, tolerance 1e-5, float64."""
    jax = load("jax")
    check_grads = importlib.import_module("jax.test_util").check_grads
    if hasattr(jax.config, "jax_cpu_enable_async_dispatch"):
        jax.config.update("jax_cpu_enable_async_dispatch", False)      # a callback that waits for its own thread hangs
    with in_float64(jax):
        by_hand = jax_function(jax, function)
        found = answer(lambda: check_grads(by_hand, function.values, order=1, modes=["rev"]), AssertionError, "order 1, rev")
    jax.clear_caches()
    return found


def in_float64(jax):
    return jax.enable_x64(True) if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental").enable_x64()


def jax_function(jax, function):
    outputs = shapes(jax, function.forward(function.values)[0])

    def ahead(*values):
        return tuple(function.forward(arrays(values))[0])

    def back(values, upstream):
        values = arrays(values)
        _, kept = function.forward(values)               # JAX hands over arrays only, so what was kept is made again
        return tuple(function.backward(values, kept, arrays(upstream)))

    @jax.custom_vjp
    def by_hand(*values):
        return jax.pure_callback(ahead, outputs, *values)

    by_hand.defvjp(lambda *values: (by_hand(*values), values),
                   lambda values, upstream: jax.pure_callback(back, shapes(jax, function.values), values, upstream))
    return by_hand


def shapes(jax, values):
    return tuple(jax.ShapeDtypeStruct(value.shape, value.dtype) for value in values)


def arrays(values):
    return [np.array(value) for value in values]


def answer(check, complaint, mode):
    """Run a check that raises `complaint` where a gradient is wrong. What a pair itself raises is no pass, either."""
    try:
        check()
    except complaint as error:
        return Answer(True, str(error).strip(), mode)
    except Exception as error:  # noqa: BLE001  a broken backward may raise anything
        return Answer(True, f"raises {type(error).__name__}: {error}", mode)
    return Answer(False, "", mode)


# ---- cs231n --------------------------------------------------------------------------------------------------------------

def cs231n(function):
    """The policy of cs231n's notes: entry by entry, the relative error |a - b| / max(1e-8, |a| + |b|) of a central difference of
    sum(outputs * upstream), and a reader who looks at the largest. `caught` is at 1e-2, above which the notes say "usually wrong";
    at 1e-7 they say "good"."""
    rng = np.random.default_rng(231)
    outputs, kept = function.forward(function.values)
    upstream = [rng.standard_normal(out.shape) for out in outputs]
    gradients = function.backward(function.values, kept, upstream)
    sparse = 2 * function.size > FORWARDS or function.is_model
    errors = {}
    for k, (name, gradient) in enumerate(zip(function.names, gradients)):
        entries = picked(function.values[k].size, rng, sparse)
        numeric = np.array([slope(function, upstream, k, entry) for entry in entries])
        errors[name] = relative_error(gradient.reshape(-1)[entries], numeric)
    largest = max(errors.values())
    message = "\n".join(f"d{name}: largest relative error {errors[name]:.1e}"
                        for name in sorted(errors, key=errors.get, reverse=True) if not errors[name] <= min(THRESHOLDS.values()))
    return Answer(not largest <= THRESHOLDS["1e-2"], message, f"{SAMPLE} entries an argument" if sparse else "all entries", largest)


def picked(size, rng, sparse):
    """Numbers of the entries to look at."""
    return rng.choice(size, SAMPLE, replace=False) if sparse and size > SAMPLE else np.arange(size)


def slope(function, upstream, k, entry):
    """The central difference for one entry of argument k."""
    totals = []
    for by in (STEP, -STEP):
        values = [value.copy() for value in function.values]
        values[k].reshape(-1)[entry] += by
        totals.append(sum(float(np.sum(out * one)) for out, one in zip(function.forward(values)[0], upstream)))
    return (totals[0] - totals[1]) / (2 * STEP)


def relative_error(by_hand, numeric):
    """The largest of all entries; not a number counts as infinite."""
    errors = np.abs(by_hand - numeric) / np.maximum(TINY, np.abs(by_hand) + np.abs(numeric))
    return float(np.where(np.isfinite(errors), errors, np.inf).max(initial=0.0))


CHECKS = {"torch": torch_gradcheck, "torch fast": torch_fast, "jax": jax_check_grads, "cs231n": cs231n}
LIBRARY = {"torch": "torch", "torch fast": "torch", "jax": "jax"}
