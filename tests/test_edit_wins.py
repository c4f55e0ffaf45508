"""The edit always wins: a kernel never computes with an equation, a constant or a helper that is no longer in the files.

Every case is a fresh process that imports a private copy of the package, with a private cache of compiled code that was
filled before the edit. The copy is edited in place and put back, because numba's cache goes by the path of a file.
"""

import contextlib
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from kernel_tools import needs_numba

import numpymem

pytestmark = needs_numba                          # without it no kernel is ever in force
EQUATIONS, ACTIVATIONS, STEP, MEMN2N = "ntm/equations.py", "ops/activations.py", "ntm/step.py", "memn2n/equations.py"

PROBE = '''
import hashlib, json, sys
import numpy as np
import numpymem
from numpymem import kernel
from numpymem.ntm import NTM, NTMConfig
from numpymem.tasks.copy import Copy
from numpymem.training import Recipe, Training

STEP = kernel.KERNELS["ntm.sequence"]

def trained():
    """Two training steps of a tiny NTM: the losses and a hash of all that came out."""
    model = NTM(NTMConfig(9, 8, controller="feedforward", controller_size=6, N=8, W=4, write_heads=2))
    training = Training(model, Copy(min_length=2, max_length=2), Recipe(batch=2, lr=0.01))
    losses = [training.step()[0] for _ in range(2)]
    params = b"".join(value.tobytes() for value in training.params.values())
    return {"losses": losses, "params": hashlib.sha256(params).hexdigest(), "why_not": STEP.why_not()}

def gate_in_a_kernel():
    """The interpolation gate that the kernel made of a raw number: a sigmoid, inlined from another file."""
    model = NTM(NTMConfig(9, 8, controller="feedforward", controller_size=6, N=8, W=4, write_heads=2))
    _, trace = model.forward(model.init(np.random.default_rng(0)), np.ones((1, 1, 9), np.float32))
    at = model.sizes.cuts[1]
    return {"raw": float(trace["raw"][0, 0, at]), "gate": float(trace["g"][0, 0, 0, 0]), "why_not": STEP.why_not()}

def encoded():
    """What a memory network makes of a story of two sentences."""
    from numpymem.memn2n.equations import encode_sentences
    E = np.arange(12, dtype=np.float32).reshape(4, 3)
    m = encode_sentences(np.array([[[1, 2], [3, 0]]]), np.ones((3, 2, 3), np.float32), E)
    return {"numbers": m.ravel().tolist(), "stand_down": standing_down()}

def found():
    """What it finds in a memory of two sentences."""
    from numpymem.memn2n.hops import Way, all_hops
    m, one = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3), np.ones((1, 3), np.float32)
    _, o, _ = all_hops(one, m, np.zeros((0, 0), np.float32), one[:, :2], np.zeros((1, 1), np.float32), Way(1, linear=True))
    return {"numbers": o.ravel().tolist(), "stand_down": standing_down()}

def standing_down():
    return sorted(name for name, one in kernel.KERNELS.items() if one.why_not())

def patched_and_back():
    def interpolate(w_c, w_prev, g):
        return np.float32(0.5) * w_c + np.float32(0.5) * w_prev
    with numpymem.numpy_only(), numpymem.patch("NTM-7", interpolate):
        as_numpy = trained()
    before = trained()
    patch = numpymem.patch("NTM-7", interpolate)
    during = trained()
    patch.undo()
    after_undo = trained()
    with numpymem.patch("NTM-7", interpolate):
        inside = trained()
    return {"as_numpy": as_numpy, "before": before, "during": during, "after_undo": after_undo, "inside": inside,
            "after_with": trained()}

def renewed():
    import numpymem.memn2n
    for one in kernel.KERNELS.values():
        kernel.renew(one)

def weights_of_a_renewed_kernel():
    """First weights of an NTM whose shifted weights have zeros, where EPS of (9) shows; with the kernel, and as NumPy."""
    fingerprints = kernel.FINGERPRINTS.read_text()
    renewed()
    config = NTMConfig(9, 8, controller="feedforward", controller_size=6, N=8, W=4, initial_weights="one-hot")
    model, inputs = NTM(config), np.ones((1, 1, 9), np.float32)
    params = model.init(np.random.default_rng(0)) | {"b_heads": np.full(NTM(config).sizes.raw, -4, np.float32)}
    fused, reason = model.forward(params, inputs)[1]["w"], STEP.why_not()
    with numpymem.numpy_only():
        plain = model.forward(params, inputs)[1]["w"]
    kernel.FINGERPRINTS.write_text(fingerprints)
    return {"fused": fused.ravel().tolist(), "plain": plain.ravel().tolist(), "why_not": reason}

found = globals()[sys.argv[1]]() or {}
found["compiled"] = "numba" in sys.modules
print(json.dumps(found))
'''


class Copy:
    """A private copy of the package, to be edited, and processes that run it."""

    def __init__(self, folder):
        self.folder, self.package = folder, folder / "numpymem"
        shutil.copytree(pathlib.Path(numpymem.__file__).parent, self.package, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "probe.py").write_text(PROBE)

    def run(self, what, jit=True):
        """The probe's answer in a new process; "said" is what it wrote on stderr, line by line."""
        settings = {"PYTHONPATH": str(self.folder), "NUMPYMEM_CACHE": str(self.folder / "cache"),
                    "PYTHONDONTWRITEBYTECODE": "1", "NUMPYMEM_JIT": "1" if jit else "0"}
        done = subprocess.run([sys.executable, str(self.folder / "probe.py"), what], env=os.environ | settings,
                              cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) | {"said": done.stderr.splitlines()}

    @contextlib.contextmanager
    def edited(self, file, old, new):
        """`old` is `new` in one file of the copy, for a block."""
        path = self.package / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file}: expected {old!r} once, found it {text.count(old)} times"
        path.write_text(text.replace(old, new))
        try:
            yield
        finally:
            path.write_text(text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The copy, its fingerprints those of its files, and its kernels compiled."""
    copy = Copy(tmp_path_factory.mktemp("edit_wins"))
    copy.run("renewed")
    copy.run("trained")
    return copy


@pytest.fixture(scope="module")
def unedited(copy):
    return copy.run("trained")


def numbers(found):
    return found["losses"], found["params"]


def test_unedited_the_kernel_is_in_force(copy, unedited):
    assert unedited["why_not"] is None and unedited["compiled"]
    assert unedited["said"] == []
    assert not copy.run("trained", jit=False)["compiled"]


@pytest.mark.parametrize("file, old, new, names", [
    (EQUATIONS, "return g * w_c +", "return 0.5 * g * w_c +", "NTM-7 (interpolate)"),
    (EQUATIONS, "dw_c = g * dw_g", "dw_c = 0.5 * g * dw_g", "NTM-7 (interpolate)"),
    (EQUATIONS, "EPS = 1e-8", "EPS = 1e-2", "NTM-9 (sharpen)"),
    (EQUATIONS, "x = x * factors[:, head]", "x = 0.5 * x * factors[:, head]", "NTM-3 (erase)"),
    (ACTIVATIONS, "return 0.5 * np.tanh(0.5 * x) + 0.5", "return 0.4 * np.tanh(0.5 * x) + 0.5", "sigmoid (sigmoid)"),
    (STEP, "    M_erased = erase(M_prev, w[:, R:], e)\n    M =", "    M_erased = M_prev\n    M =", "NTM-step (memory_step)"),
    (STEP, "H, H, H * S, H,", "H, H, H * (S + 2), H,", "NTM-parameters (head_parameters)"),
], ids=["forward", "backward", "constant", "helper", "shared pair", "wiring of the step", "layout in HeadSizes"])
def test_an_edit_is_used_by_the_next_process(copy, unedited, file, old, new, names):
    with copy.edited(file, old, new):
        edited, plain = copy.run("trained"), copy.run("trained", jit=False)
    assert numbers(edited) == numbers(plain)
    assert edited["params"] != unedited["params"]
    assert not edited["compiled"]                                    # it starts at once
    [line] = edited["said"]
    assert line.startswith(f"{names} differs from the one the kernel ntm.sequence fuses: running that step as NumPy")


def test_a_decorator_is_an_edit(copy, unedited):
    """`functools.wraps` makes the decorated function look like the one in the file; so does an edit of the decorator."""
    define = ("import functools\n\nimport numpy as np\n\n\ndef squared(function):\n    @functools.wraps(function)\n"
              "    def run(*args):\n        return function(*args) ** 2\n    return run\n")
    with (copy.edited(EQUATIONS, "\nimport numpy as np\n", f"\n{define}"),
          copy.edited(EQUATIONS, "def interpolate(", "@squared\ndef interpolate(")):
        edited, plain = copy.run("trained"), copy.run("trained", jit=False)
    assert numbers(edited) == numbers(plain) and edited["params"] != unedited["params"]
    [line] = edited["said"]
    assert line.startswith("NTM-7 (interpolate) differs from the one the kernel ntm.sequence fuses")


@pytest.mark.parametrize("what, old, new, names, kernels", [
    ("found", "return (p[:, None] @ c)[:, 0]", "return 2 * (p[:, None] @ c)[:, 0]", "MemN2N-2 (respond)", ["memn2n.hops"]),
    ("encoded", "return l[length, :x.shape[-1]]", "return 2 * l[length, :x.shape[-1]]", "MemN2N-encode (encode_sentences)",
     ["memn2n.encode", "memn2n.memories"]),
], ids=["forward", "helper"])
def test_an_edit_of_the_memory_network_is_used_by_the_next_process(copy, what, old, new, names, kernels):
    plain = copy.run(what, jit=False)
    with copy.edited(MEMN2N, old, new):
        edited = copy.run(what)
    assert edited["numbers"] == [2 * x for x in plain["numbers"]] and not edited["compiled"]
    assert edited["stand_down"] == kernels
    assert edited["said"][0].startswith(f"{names} differs from the one the kernel {kernels[0]} fuses: running that step as NumPy")


def test_reverting_the_edit_brings_the_kernel_back(copy, unedited):
    with copy.edited(EQUATIONS, "return g * w_c +", "return 0.5 * g * w_c +"):
        assert copy.run("trained")["why_not"] is not None
    assert copy.run("trained") == unedited


@pytest.mark.parametrize("old, new", [
    ('"""Choose between the content weighting', '"""In other words: choose between the content weighting'),
    ("# w_g = g w_c + (1 - g) w_prev", "# undoes the line above"),
    ("    return g * w_c +", "\n    return g*w_c  +"),
], ids=["docstring", "comment", "layout"])
def test_an_edit_of_words_keeps_the_kernel(copy, unedited, old, new):
    with copy.edited(EQUATIONS, old, new):
        assert copy.run("trained") == unedited


def test_patch_wins_at_once_and_undo_brings_the_kernel_back(copy, unedited):
    found = copy.run("patched_and_back")
    for patched in (found["during"], found["inside"]):
        assert numbers(patched) == numbers(found["as_numpy"])
        assert patched["why_not"] == "NTM-7 (interpolate) is patched; the kernel ntm.sequence fuses the original"
    for original in (found["before"], found["after_undo"], found["after_with"]):
        assert numbers(original) == numbers(unedited) and original["why_not"] is None
    assert found["during"]["params"] != found["before"]["params"]
    [line] = found["said"]
    assert line.startswith("NTM-7 (interpolate) is patched") and "NumPy" in line


def test_a_helper_that_a_kernel_inlines_from_another_file_is_not_served_stale(copy):
    before = copy.run("gate_in_a_kernel")
    with copy.edited("ops/kernels_math.py", "(1, 2, 0.5, 0.25))", "(1, 2, 0.25, 0.25))"):       # HALF
        edited = copy.run("gate_in_a_kernel")
    assert before["why_not"] is None and edited["why_not"] is None
    assert before["gate"] == pytest.approx(1 / (1 + math.exp(-before["raw"])), abs=1e-6)
    assert edited["gate"] == pytest.approx(0.5 / (1 + math.exp(-edited["raw"] / 2)), abs=1e-6)
    assert copy.run("gate_in_a_kernel") == before


def test_a_constant_that_a_kernel_inlines_from_another_file_is_not_served_stale(copy):
    """Also where the fingerprints were renewed after the edit: the compiled code on disk has the old constant in it."""
    with copy.edited(EQUATIONS, "EPS = 1e-8", "EPS = 1e-1"):
        found = copy.run("weights_of_a_renewed_kernel")
    assert found["why_not"] is None and found["compiled"]
    assert found["fused"] == pytest.approx(found["plain"], abs=1e-5)
