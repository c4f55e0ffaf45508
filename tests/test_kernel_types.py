"""Float32 in, float32 computed: what numba computes in float64 inside a kernel is found, with its line and its name."""

import importlib.util
import textwrap

import numpy as np
import pytest
from gradcheck_tools import fake_kernel_fixture, toy_fixture  # noqa: F401  fixtures
from kernel_tools import needs_numba

from gradcheck import check_kernel, import_all, kernels
from gradcheck.kernels import types as kernel_types
from gradcheck.kernels import SHAPES, Case, Setting
from numpymem.kernel import KERNELS

import_all()
pytestmark = needs_numba                          # the types are those that numba finds

HEAD = """
import numpy as np
from numba import njit
from numba.extending import overload

TINY = 1e-30


"""
BACKWARD = """

@njit
def backward(dy, x, a):
    da = np.zeros_like(a)
    for b in range(x.shape[0]):
        for n in range(x.shape[1]):
            da[b, 0] += dy[b, n] * x[b, n]
    return a * dy, da
"""
FORWARD = """
@njit
def forward(x, a):
    y = np.empty_like(x)
    number = x.dtype.type
    for b in range(x.shape[0]):
        for n in range(x.shape[1]):
            {line}
    return y
"""


@pytest.fixture
def module(tmp_path):
    """Write a module and import it."""
    def make(text, name="toy_kernels"):
        path = tmp_path / f"{name}.py"
        path.write_text(HEAD + textwrap.dedent(text) + BACKWARD)
        spec = importlib.util.spec_from_file_location(name, path)
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made
    return make


def looked_into(made):
    """What is found in a module's pair after a call with float32."""
    x, a = np.ones((2, 3), np.float32), np.ones((2, 1), np.float32)
    made.backward(made.forward(x, a), x, a)
    return kernel_types.float64_in((made.forward, made.backward))


def test_a_kernel_with_a_whole_number_in_it_fails(fake_kernel, module):
    made = module(FORWARD.format(line="y[b, n] = -((1 - a[b, 0]) - 1) * x[b, n]"))
    result = check_kernel(fake_kernel(made.forward, made.backward))
    assert not result.passed and not result.equal and result.verdict == "computes in float64"
    (note,) = result.notes
    assert "line 16 of toy_kernels.py, forward: y[b, n] = -((1 - a[b, 0]) - 1) * x[b, n] is float64" in note
    assert not result.wrong, "from outside there is nothing to see"


def test_the_same_with_numbers_of_the_arrays_own_type_passes(fake_kernel, module):
    made = module(FORWARD.format(line="y[b, n] = -((number(1) - a[b, 0]) - number(1)) * x[b, n]"))
    result = check_kernel(fake_kernel(made.forward, made.backward))
    assert result.passed and result.equal, str(result)


@pytest.mark.parametrize("line, found", [
    ("half = x[b, n] / 2; y[b, n] = half", "half"),
    ("y[b, n] = 2.0 * x[b, n]", "y[b, n] = 2.0 * x[b, n]"),
    ("y[b, n] = max(x[b, n], 0)", "y[b, n] = max(x[b, n], 0)"),
    ("y[b, n] = x[b, n] + np.sqrt(n)", "y[b, n] = x[b, n] + np.sqrt(n)"),
    ("y[b, n] = number(TINY * x[b, n])", "y[b, n] = number(TINY * x[b, n])"),
    ("row = np.zeros(3); y[b, n] = row[n]", "row"),
])
def test_what_is_reported(module, line, found):
    names = [one.name for one in looked_into(module(FORWARD.format(line=line)))]
    assert found in names


@pytest.mark.parametrize("line", [
    "y[b, n] = number(TINY) * x[b, n]",
    "y[b, n] = 0.5",
    "y[b, n] = x[b, n] if x[b, n] > 0.5 else number(0)",
    "unused = TINY; y[b, n] = x[b, n]",
    "y[b, n] = x[b, n] * number(2.5) + number(n)",
])
def test_what_is_harmless(module, line):
    assert looked_into(module(FORWARD.format(line=line))) == []


def test_what_a_kernel_calls_is_looked_into(module):
    found = looked_into(module("""
        @njit
        def called(x):
            return 1 - x


        @njit(inline="always")
        def inlined(x):
            return 2 * x


        def overloaded(x):
            return x


        @overload(overloaded)
        def _overloaded(x):
            def chosen(x):
                tripled = 3 * x
                return tripled
            return chosen

        """ + FORWARD.format(line="y[b, n] = number(called(x[b, n])) + number(inlined(x[b, n])) + number(overloaded(x[b, n]))")
        .replace("\n", "\n        ")))
    assert {(one.function, one.name) for one in found} >= {
        ("called", "return 1 - x"), ("forward", "return 2 * x"), ("chosen", "tripled")}


@pytest.mark.parametrize("name", KERNELS)
def test_the_kernels_compute_in_float32(name, monkeypatch):
    kernel = KERNELS[name]
    rng = np.random.default_rng(0)
    Case(kernel.of, Setting(kernel.of.fixed, kernel.of.dims), SHAPES[0], np.float32, rng).run(kernel.pair())
    seen, infer = [], kernel_types._infer
    monkeypatch.setattr(kernel_types, "_infer", lambda function, *rest: seen.append(function.__name__) or infer(function, *rest))
    monkeypatch.setattr(kernel_types, "_kept_in", lambda roots: None)
    assert [str(one) for one in kernel_types.float64_in(kernel.pair())] == []
    wanted = {"memn2n.encode": {"add_sentences", "add_sentences_backward"},
              "memn2n.memories": {"remember", "remember_backward", "repeat"},
              "memn2n.hops": {"look", "look_back", "softmax_with_empty", "exp_float32"},
              "loss.categorical": {"cost", "cost_backward", "exp_float32", "log_float32"},
              "dnc.sequence": {"forward", "backward", "memory_step", "sort_slots", "look_up_backward", "exp_float32"},
              "dmn.scan": {"add_product", "exp_float32"},
              "dmn.attention": {"look", "rate", "rate_back", "look_back", "exp_float32"},
              "memory_transformer.write": {"write_items", "write_items_backward", "memory_step", "add", "exp_float32"},
              "memory_transformer.read": {"read_places", "read_places_backward", "inverse_norms", "softmax", "exp_float32"},
              "memory_transformer.attention": {"attend", "attend_back", "softmax_of_seen", "weighted_sum", "exp_float32"},
              "memory_transformer.layer_norm": {"normalise", "normalise_back"},
              "ntm.sequence": {"forward", "backward", "memory_step", "softmax", "dot", "exp_float32", "log_float32"}}
    assert wanted[name] <= set(seen)


def test_the_answer_is_kept(monkeypatch, tmp_path):
    kernel = KERNELS["memn2n.encode"]
    Case(kernel.of, Setting(kernel.of.fixed, kernel.of.dims), SHAPES[0], np.float32, np.random.default_rng(0)).run(kernel.pair())
    monkeypatch.setattr(kernel_types.kernels, "cache_folder", lambda: tmp_path)
    assert kernel_types.float64_in(kernel.pair()) == []
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(kernel_types, "_infer", None)
    assert kernel_types.float64_in(kernel.pair()) == []
    file.write_text('[["f", "kernels.py", 3, "x", "float64"]]')
    assert [str(one) for one in kernel_types.float64_in(kernel.pair())] == ["line 3 of kernels.py, f: x is float64"]
    file.write_text("half of a fi")
    monkeypatch.undo()
    monkeypatch.setattr(kernel_types.kernels, "cache_folder", lambda: tmp_path)
    assert kernel_types.float64_in(kernel.pair()) == [] and file.read_text() == "[]"


def test_types_that_cannot_be_read_are_a_failure(fake_kernel, monkeypatch):
    def broken(pair):
        raise AttributeError("numba has no typemap")
    monkeypatch.setattr(kernels, "float64_in", broken)
    result = check_kernel(fake_kernel())
    assert not result.passed and result.equal and "raises AttributeError: numba has no typemap" in " ".join(str(result).split())
