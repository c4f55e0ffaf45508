"""The registry while a process runs: reloads and notebook cells update an equation in place, patches go in any order, and
fingerprints follow everything that an equation's code uses."""

import functools
import importlib
import sys

import numpy as np
import pytest

from numpymem import equation as registry
from numpymem import kernel
from numpymem.equation import equation, patch, unpatch_all
from numpymem.fingerprint import describe
from numpymem.ops.activations import tanh

MODULE = '''
import functools
import numpy as np
from numpymem.equation import equation

TABLE = {{"a": [1.0, {constant}]}}
ARRAY = np.array([{constant}])

def squared(function):
    @functools.wraps(function)
    def run(*args):
        return function(*args) ** {power}
    return run

@functools.lru_cache
def helper(n):
    return n + {helper}

class Sizes:
    @property
    def cut(self):
        return {cut}

@equation("test-reload", "y", source={source!r},
          fixed={{"sizes": Sizes()}})
{decorator}
def scale({x}, sizes):
    """{words}

    {x}          (B, N)
    sizes      () [sizes]
    returns y  (B, N)
    """
    return helper({factor}) * {x} * TABLE["a"][0] * ARRAY    # {comment}

@scale.backward
def scale_backward(dy, sizes):
    return {factor} * dy
'''
USUAL = {"constant": 1.0, "power": 2, "helper": 0, "cut": 3, "source": "a paper", "decorator": "", "x": "x", "words": "Scale.",
         "factor": 2, "comment": "a product"}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """-> write(factor=3, ...): the module with some of its text changed, imported or reloaded."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(**changes):
        (tmp_path / "reloaded.py").write_text(MODULE.format(**USUAL | changes))
        importlib.invalidate_caches()
        return importlib.reload(sys.modules["reloaded"]) if "reloaded" in sys.modules else importlib.import_module("reloaded")
    yield write
    sys.modules.pop("reloaded", None)
    registry.REGISTRY.pop("test-reload", None)


@pytest.fixture
def double():
    """A pair of its own: y = 2 x."""
    @equation("test-double", "y = 2 x")
    def double(x):
        """Twice.

        x          (B, N)
        returns y  (B, N)
        """
        return 2 * x

    @double.backward
    def double_backward(dy):
        return 2 * dy
    yield double
    registry.REGISTRY.pop("test-double", None)


# ---- reload ------------------------------------------------------------------------------------------------------------

def test_a_reload_updates_the_equation_that_others_imported(module):
    first = module()
    scale, scale_backward = first.scale, first.scale_backward         # as `from reloaded import scale, scale_backward`
    scale.kernel = stands_down = StandsDown()
    patch(scale, lambda x, sizes: 100 * x)
    second = module(factor=5, x="z", source="another paper")
    assert second.scale is scale is registry.REGISTRY["test-reload"]
    assert scale(1.0, None) == 5 and scale_backward(1.0, None) == 5 and second.scale_backward(1.0, None) == 5
    assert scale.arguments == ["z", "sizes"] and list(scale.inputs) == ["z", "sizes"] and scale.source == "another paper"
    assert scale.kernel is stands_down and not scale.is_patched
    assert not scale.patches


class StandsDown:
    forward_or = backward_or = staticmethod(lambda numpy, arguments=(): numpy)


def test_a_cell_with_only_the_forward_keeps_the_backward(double):
    def again(x):
        return 3 * x
    again.__qualname__ = double.original.__qualname__                 # as a cell of a notebook has it, run a second time
    assert equation("test-double", "y = 3 x")(again) is double
    assert double(1) == 3 and double.gradient(1) == 2


def test_another_function_with_the_same_id_is_an_error(double):
    with pytest.raises(ValueError, match="test-double"):
        @equation("test-double", "y = x")
        def other(x):
            return x


# ---- patches -----------------------------------------------------------------------------------------------------------

def test_patches_are_undone_in_any_order(double):
    one, two = patch(double, lambda x: 10 * x), patch(double, lambda x: 20 * x)
    assert double(1) == 20
    one.undo()
    assert double(1) == 20
    two.undo()
    assert double(1) == 2 and not double.is_patched


def test_the_same_patch_twice_is_two_patches(double):
    def ten(x):
        return 10 * x
    first = patch(double, ten)
    second = patch(double, ten)
    second.undo()
    second.undo()
    assert double(1) == 10 and double.is_patched
    first.undo()
    assert double(1) == 2


def test_patches_of_the_two_halves_meet(double):
    with patch(double, None, lambda dy: 7 * dy):
        forward = patch(double, lambda x: 10 * x)
        assert (double(1), double.gradient(1)) == (10, 7)
    assert (double(1), double.gradient(1)) == (10, 2)
    with forward:                                                     # it is in force already: leaving takes it away
        assert double(1) == 10
    assert double(1) == 2


def test_unpatch_all(double):
    kept = [patch(double, lambda x: 10 * x), patch(double, lambda x: 20 * x), patch(tanh, lambda x: x)]
    unpatch_all()
    assert double(1) == 2 and not any(item.is_patched for item in registry.REGISTRY.values())
    for one in kept:
        one.undo()
    assert double(1) == 2


# ---- fingerprints ------------------------------------------------------------------------------------------------------

def fingerprint_of(module, **changes):
    return kernel.fingerprint(module(**changes).scale)


@pytest.mark.parametrize("changes", [{"factor": 3}, {"constant": 2.0}, {"helper": 1}, {"cut": 4}, {"decorator": "@squared"}],
                         ids=lambda changes: "".join(changes))
def test_an_edit_changes_the_fingerprint(module, changes):
    before = fingerprint_of(module)
    assert fingerprint_of(module, **changes) != before
    assert fingerprint_of(module) == before


def test_an_edit_of_a_decorator_changes_the_fingerprint(module):
    before = fingerprint_of(module, decorator="@squared")
    assert fingerprint_of(module, decorator="@squared", power=3) != before


@pytest.mark.parametrize("changes", [{"words": "In other words."}, {"comment": "of two"}, {"source": "another"}, {"power": 3}],
                         ids=["docstring", "comment", "equation's own line", "decorator not in use"])
def test_an_edit_of_words_keeps_the_fingerprint(module, changes):
    before = fingerprint_of(module)
    assert fingerprint_of(module, **changes) == before


@pytest.mark.parametrize("one, other", [
    (np.float32(1), np.float64(1)), ([1, 2], [2, 1]), ({"a": 1}, {"a": 2}), ({"a": [1]}, {"a": [2]}),
    (np.arange(3), np.arange(3.0)),
    (functools.partial(max, 1), functools.partial(max, 2)), (np.tanh, np.sin), (1, True), ((1,), [1]),
], ids=str)
def test_constants_of_any_kind_count(one, other):
    assert everything(one) != everything(other)
    assert everything(one) == everything(one)


def everything(value):
    text, used = describe("name", value, {"numpymem"})
    return text, [(name, everything(inner)) for name, inner in used]


# ---- what is said while compiling --------------------------------------------------------------------------------------

def test_each_kernel_says_that_it_is_compiled(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(kernel, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(kernel, "_said", set())
    (tmp_path / "memn2n_0123").mkdir()
    (tmp_path / "memn2n_0123" / "kernels_hops.look-119.py311.nbi").touch()
    kernel.announce_compilation("memn2n.hops", "numpymem.memn2n.kernels_hops")
    assert capsys.readouterr().err == ""
    for _ in range(2):
        kernel.announce_compilation("ntm.sequence", "numpymem.ntm.kernels")
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("compiling kernel ntm.sequence, once on this machine")


def test_a_cache_that_is_not_there_is_no_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(kernel, "cache_folder", lambda: tmp_path / "nowhere")
    monkeypatch.setattr(kernel, "_said", set())
    kernel.announce_compilation("ntm.sequence", "numpymem.ntm.kernels")
    assert "ntm.sequence" in capsys.readouterr().err
