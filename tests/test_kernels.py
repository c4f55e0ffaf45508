"""Kernels: how exact their exp, log, tanh and sigmoid are, and when a kernel is in force."""

import importlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from kernel_tools import need_numba, needs_numba

import numpymem
from gradcheck.kernels import bounds
from numpymem import catalog, kernel
from numpymem.ntm.sequence import NAMES, sequence, sequence_backward
from numpymem.ntm.step import HeadSizes
from numpymem.ops.losses import categorical_cross_entropy

for module, *_ in catalog.MODELS.values():
    importlib.import_module(module)

EPS = np.finfo(np.float32).eps
RANGES = {                                                   # where the series must hold, and the points at which it does
    "exp": np.concatenate([np.linspace(-86.9, 87.9, 40_001), np.linspace(-1, 1, 40_001), np.geomspace(1e-30, 1, 1000)]),
    "log": np.concatenate([np.geomspace(1.2e-38, 3e38, 40_001), np.linspace(0.5, 2, 40_001), 1 + np.geomspace(1e-6, 1, 1000)]),
    "tanh": np.concatenate([np.linspace(-20, 20, 40_001), np.linspace(-0.3, 0.3, 40_001), np.geomspace(1e-30, 1, 1000)]),
    "sigmoid": np.concatenate([np.linspace(-16, 40, 40_001), np.linspace(-1, 1, 40_001)]),
}
LARGEST_ERROR = {"exp": 1.0, "log": 2.0, "tanh": 4.5}        # in units of eps, a little above the measured
EXACT = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


@pytest.fixture(scope="module")
def compiled():
    """name -> the function as a loop over an array calls it."""
    njit = need_numba().njit
    kernels_math = importlib.import_module("numpymem.ops.kernels_math")

    def over_an_array(name):
        function = getattr(kernels_math, name)

        @njit(error_model="numpy")
        def run(x):
            y = np.empty_like(x)
            for i in range(x.size):
                y[i] = function(x[i])
            return y
        return run
    return {name: over_an_array(name) for name in EXACT}


@pytest.fixture
def in_force(tmp_path, monkeypatch):
    """The NTM's kernel in force for today's equations, without touching the package's fingerprints."""
    need_numba()
    monkeypatch.setenv("NUMPYMEM_JIT", "1")
    monkeypatch.setattr(kernel, "FINGERPRINTS", tmp_path / "fingerprints.json")
    kernel.renew(sequence.kernel)
    assert sequence.kernel.why_not() is None
    yield sequence.kernel
    with numpymem.numpy_only():                              # on leaving, every kernel looks at its fingerprints again
        pass


# ---- exp, log, tanh, sigmoid -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", LARGEST_ERROR)
def test_error_in_float32(compiled, name):
    x = RANGES[name].astype(np.float32)
    exact = EXACT[name](x.astype(np.float64))
    error = np.abs(compiled[name](x) - exact) / (np.abs(exact) + np.finfo(np.float32).tiny) / EPS
    worst = error.argmax()
    assert error[worst] <= LARGEST_ERROR[name], f"{name}({x[worst]:.9g}) is off by {error[worst]:.2f} eps"


def test_error_of_sigmoid_in_float32(compiled):
    x = RANGES["sigmoid"].astype(np.float32)
    assert np.abs(compiled["sigmoid"](x) - EXACT["sigmoid"](x.astype(np.float64))).max() <= EPS        # of at most 1


def test_extremes_in_float32(compiled):
    x = np.array([-np.inf, -1e4, 1e4, np.inf], np.float32)
    y = compiled["exp"](x)
    assert np.isfinite(y).all() and y[:2].max() < 2e-38 and y[2:].min() > 1e38
    assert np.array_equal(compiled["tanh"](x), [-1, -1, 1, 1])
    assert np.array_equal(compiled["sigmoid"](x), [0, 0, 1, 1])
    assert np.array_equal(compiled["exp"](np.zeros(1, np.float32)), [1])
    assert np.array_equal(compiled["log"](np.ones(1, np.float32)), [0])
    assert np.array_equal(compiled["tanh"](np.zeros(1, np.float32)), [0])


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_not_a_number_stays_so(compiled, name, dtype):
    assert np.isnan(compiled[name](np.array([np.nan], dtype))).all()


@pytest.mark.parametrize("name", EXACT)
def test_float64_is_the_c_library(compiled, name):
    x = RANGES[name][::40]
    with np.errstate(over="ignore"):
        y, exact = compiled[name](x), EXACT[name](x)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, exact, rtol=4 * np.finfo(float).eps, atol=2 * np.finfo(float).eps if name == "sigmoid" else 0)


def test_float32_stays_float32(compiled):
    for name in EXACT:
        assert compiled[name](np.ones(2, np.float32)).dtype == np.float32


# ---- which kernels are in force ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", kernel.KERNELS)
def test_fingerprints_are_those_of_the_equations(name):
    known = json.loads((kernel.PACKAGE / "fingerprints.json").read_text()).get(name, {})
    today = {id: kernel.fingerprint(numpymem.find(id)) for id in kernel.KERNELS[name].fuses}
    out_of_date = sorted(id for id in today | known if today.get(id) != known.get(id))
    assert not out_of_date, (f"{name} runs as NumPy: {', '.join(out_of_date)} changed since the kernel was last proved equal. "
                             f"If the change is meant, change the kernel too and run: python -m gradcheck --renew")


def test_no_fingerprints_of_kernels_that_are_gone():
    assert set(json.loads((kernel.PACKAGE / "fingerprints.json").read_text())) == set(kernel.KERNELS)


def test_the_ntm_kernel_fuses_all_equations_of_the_paper():
    assert {f"NTM-{number}" for number in range(2, 10)} < set(sequence.kernel.fuses)
    assert {"softmax", "sigmoid", "NTM-step", "NTM-sequence", "LSTM"} < set(sequence.kernel.fuses)
    assert sequence.kernel.fuses[-1] == "NTM-sequence"       # innermost first


SHORT_RUN = '''
import sys
import numpy as np
from numpymem import kernel
from numpymem.catalog import make_model, make_task
task = make_task("copy", "sequence")
model = make_model("ntm", task, controller_size=5, N=8, W=4)
params = model.init(np.random.default_rng(0))
outputs, trace = model.forward(params, task.sample(np.random.default_rng(1), 2, length=2).inputs)
model.backward(params, trace, outputs)
print("numba" in sys.modules, {one.why_not() for one in kernel.KERNELS.values()})
'''


def run_short(**settings):
    root = str(kernel.PACKAGE.parent)
    return subprocess.run([sys.executable, "-c", SHORT_RUN], env=os.environ | {"PYTHONPATH": root} | settings, check=True,
                          capture_output=True, text=True)


def test_jit_0_is_numpy_and_never_imports_numba():
    done = run_short(NUMPYMEM_JIT="0")
    assert done.stdout.split("\n")[0] == "False {'NUMPYMEM_JIT=0'}" and done.stderr == ""


def test_without_numba_the_same():
    hidden = SHORT_RUN.replace("import sys\n", "import sys, importlib.util as u\nreal = u.find_spec\n"
                               "u.find_spec = lambda name, *rest: None if name == 'numba' else real(name, *rest)\n", 1)
    done = subprocess.run([sys.executable, "-c", hidden], check=True, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(kernel.PACKAGE.parent), "NUMPYMEM_JIT": "1"})
    assert done.stdout.split("\n")[0] == "False {'numba is not installed'}"


# ---- what a kernel computes --------------------------------------------------------------------------------------------

def arguments_of_a_sequence(rng, dtype=np.float32, T=3, B=2, C=5, N=6):
    sizes = HeadSizes(R=1, Q=2, W=4, S=3)
    shapes = ((T, B, 4 * C), (sizes.W + C, 4 * C), (C, sizes.raw), (sizes.raw,), (B, C), (B, C), (B, 1, sizes.W))
    w0 = rng.random((B, sizes.H, N)).astype(dtype)
    return [*(rng.standard_normal(shape).astype(dtype) for shape in shapes), w0 / w0.sum(-1, keepdims=True),
            rng.standard_normal((B, N, sizes.W)).astype(dtype), sizes]


def transposed(x):
    """The same numbers, laid out in memory the other way round."""
    return np.asfortranarray(x) if isinstance(x, np.ndarray) else x


def strided(x):
    """The same numbers, each followed in memory by one that is of no concern."""
    return np.repeat(x, 2, axis=-1)[..., ::2] if type(x) is np.ndarray else x


def backward_of(out, arguments, change=lambda x: x):
    named = dict(zip(NAMES, out))
    saved = (named[name] for name in NAMES if name != "r")
    given = [named["h"] ** 2, named["r"] ** 2, *(x * x for x in out[len(NAMES):]), *saved, *arguments]
    return sequence_backward(*map(change, given))


@pytest.mark.parametrize("layout", [transposed, strided])
def test_the_layout_of_the_inputs_changes_nothing(in_force, layout):
    arguments = arguments_of_a_sequence(np.random.default_rng(5))
    plain, turned = sequence(*arguments), sequence(*map(layout, arguments))
    for name, a, b in zip(NAMES, plain, turned):
        assert np.array_equal(a, b), name
    for a, b in zip(backward_of(plain, arguments), backward_of(plain, arguments, layout)):
        assert np.array_equal(a, b)


def test_inputs_are_left_as_they_were(in_force):
    arguments = arguments_of_a_sequence(np.random.default_rng(5))
    before = [np.copy(x) for x in arguments]
    out = sequence(*arguments)
    kept = [np.copy(x) for x in out]
    backward_of(out, arguments)
    for a, b in zip((*before, *kept), (*arguments, *out)):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("position", [0, 2, 3, 6, 7, 8], ids=["pre_x", "W_heads", "b_heads", "r0", "w0", "M0"])
def test_what_is_not_finite_shows_in_the_outputs_as_with_numpy(in_force, position):
    arguments = arguments_of_a_sequence(np.random.default_rng(5))
    broken = arguments[position] = arguments[position].copy()
    for place in np.linspace(0, broken.size - 1, 7).astype(int):
        kept, broken.flat[place] = broken.flat[place], np.nan
        fused = dict(zip(NAMES, sequence(*arguments)))
        with numpymem.numpy_only(), np.errstate(invalid="ignore"):
            plain = dict(zip(NAMES, sequence(*arguments)))
        for name in ("h", "r", "w", "M"):
            assert np.array_equal(np.isnan(fused[name]), np.isnan(plain[name])), f"{name}, with nan at place {place}"
        broken.flat[place] = kept


@needs_numba
@pytest.mark.parametrize("target", [3, -4])
def test_a_target_that_is_no_class_is_an_error(target):
    forward, _ = categorical_cross_entropy.kernel.pair()
    with pytest.raises(IndexError, match=rf"targets: expected classes from 0 to 2, received {min(target, 0)} to {max(target, 0)}"):
        forward(np.zeros((2, 3)), np.array([0, target]), np.ones(2))


# ---- bounds ------------------------------------------------------------------------------------------------------------

def test_no_kernel_reads_or_writes_beside_its_arrays():
    """To compile all loops with bounds checked takes a minute: the result is committed, and holds for the files it names."""
    found = json.loads(bounds.RESULT.read_text())
    assert found["kernels"] == sorted(kernel.KERNELS)
    assert found["files"] == bounds.files_of_loops(), "run python -m gradcheck.kernels.bounds --save"


def test_bounds_are_told_apart(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bounds, "RESULT", tmp_path / "bounds.json")
    monkeypatch.setattr(bounds, "check", lambda: {"one": "right", "two": "IndexError"})
    assert bounds.main(["--save"]) == 1 and not bounds.RESULT.exists() and "two" in capsys.readouterr().out
    monkeypatch.setattr(bounds, "check", lambda: {"one": "right"})
    assert bounds.main(["--save"]) == 0 and json.loads(bounds.RESULT.read_text())["kernels"] == ["one"]
