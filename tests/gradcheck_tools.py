"""What the tests of gradcheck share: planting errors, equations that live for one test, kernels of plain Python."""

import numpy as np
import pytest

import numpymem
from numpymem import kernel as kernel_module
from numpymem.equation import REGISTRY, equation, find
from numpymem.kernel import KERNELS, Kernel


def planted(id, change):
    """`patch` with a backward whose list of gradients went through `change`."""
    backward = find(id).original_backward

    def wrong(*args):
        gradients = backward(*args)
        gradients = [np.array(g) for g in (gradients if isinstance(gradients, tuple) else (gradients,))]
        changed = tuple(change(gradients) or gradients)
        return changed if len(changed) > 1 else changed[0]
    return numpymem.patch(id, None, adapted(wrong, backward))


def adapted(function, like):
    """patch looks at the number of arguments: give a *args function the signature of the original."""
    function.__wrapped__ = like
    return function


@pytest.fixture(name="toy")
def toy_fixture():
    """Register equations for one test: toy(forward, backward) -> Equation."""
    made = []

    def register(forward, backward=None, id="toy", **settings):
        item = equation(id, "y = f(x)", **settings)(forward)
        if backward:
            item.backward(backward)
        made.append(id)
        return item
    yield register
    for id in made:
        REGISTRY.pop(id, None)


def scale(x, a):
    """A scaled row.

    x          (B, N)
    a          (B, 1)
    returns y  (B, N)
    """
    return a * x


def scale_backward(dy, x, a):
    return a * dy, (dy * x).sum(-1, keepdims=True)


@pytest.fixture(name="fake_kernel")
def fake_kernel_fixture(toy, monkeypatch, tmp_path):
    """make(forward, backward) -> a Kernel of plain Python functions, with fingerprints of its own."""
    monkeypatch.setattr(kernel_module, "FINGERPRINTS", tmp_path / "fingerprints.json")
    monkeypatch.setattr(kernel_module, "has_numba", lambda: True)
    monkeypatch.delenv("NUMPYMEM_JIT", raising=False)
    item = toy(scale, scale_backward)
    item.id = "toy"

    def make(forward=scale, backward=scale_backward):
        kernel = Kernel("toy.kernel", item, "nowhere:forward:backward")
        kernel._pair = (forward, backward)
        return kernel
    yield make
    KERNELS.pop("toy.kernel", None)
