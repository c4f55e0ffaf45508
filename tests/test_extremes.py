"""Every equation and model at the ends of its domains, for many shapes and values: nothing is inf or nan, weights are weights.

The bounds are those of gradcheck/results/extremes.json (python -m gradcheck.extremes --save).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck import extremes, import_all
from gradcheck.extremes import DTYPES, extreme_point, not_finite, run
from gradcheck.models import CASES
from numpymem import REGISTRY, numpy_only

import_all()
BOUNDS = extremes.bounds()
SEEDS = st.integers(0, 2 ** 32 - 1)

# ---- what must hold of outputs, whatever goes in ------------------------------------------------------------------------------

SUM_TO_ONE, AT_MOST_ONE = "rows sum to one", "rows sum to at most one"
UNIT, SIGNED, FROM_0, FROM_1 = (0, 1), (-1, 1), (0, np.inf), (1, np.inf)
HEADS = {"k": SIGNED, "beta": FROM_0, "g": UNIT, "s": SUM_TO_ONE, "gamma": FROM_1, "e": UNIT, "a": SIGNED}
WEIGHTS = dict.fromkeys(("w", "w_c", "w_g", "w_s"), SUM_TO_ONE) | {"K": SIGNED}
FREE = {"beta_r": FROM_1, "beta_w": FROM_1, "e": UNIT, "f": UNIT, "g_a": UNIT, "g_w": UNIT, "pi": SUM_TO_ONE, "m_r": UNIT,
        "m_w": UNIT, "s_b": FROM_1, "s_f": FROM_1}
SLOTS = {"u": UNIT, "psi": UNIT, "a": AT_MOST_ONE, "w_w": AT_MOST_ONE, "c_w": SUM_TO_ONE, "c_r": SUM_TO_ONE, "K_w": SIGNED,
         "K_r": SIGNED, "p": AT_MOST_ONE, "w_b_sharp": SUM_TO_ONE, "w_f_sharp": SUM_TO_ONE}
RANGES = {
    "sigmoid": {"y": UNIT}, "tanh": {"y": SIGNED}, "relu": {"y": FROM_0}, "softplus": {"y": FROM_0}, "oneplus": {"y": FROM_1},
    "softmax": {"p": SUM_TO_ONE}, "binary-cross-entropy": {"loss": FROM_0}, "categorical-cross-entropy": {"loss": FROM_0},
    "LSTM": {"h": SIGNED, "s": SIGNED}, "NTM-6": {"K": SIGNED}, "NTM-5": {"w_c": SUM_TO_ONE}, "NTM-9": {"w": SUM_TO_ONE},
    "NTM-parameters": HEADS, "NTM-addressing": WEIGHTS, "NTM-step": HEADS | WEIGHTS, "NTM-sequence": HEADS | WEIGHTS,
    "MT-write": HEADS | WEIGHTS, "MT-read": {name: HEADS[name] for name in ("k", "beta", "g", "s", "gamma")} | WEIGHTS,
    "DNC-retention": {"psi": UNIT}, "DNC-usage": {"u": UNIT}, "DNC-allocation": {"a": AT_MOST_ONE},
    "DNC-masked-cosine": {"K": SIGNED}, "DNC-largest": {"w_hat": AT_MOST_ONE}, "DNC-interface": FREE, "DNC-step": FREE | SLOTS,
    "DNC-sequence": FREE | SLOTS, "MemN2N-1": {"p": AT_MOST_ONE}, "MemN2N-hop": {"p": AT_MOST_ONE},
    "MemN2N-hops": {"p": AT_MOST_ONE}, "Hybrid-hops": {"p": AT_MOST_ONE}, "DMN-gates": {"g": AT_MOST_ONE},
    "DMN-episodic-gates": {"g": UNIT}, "DMN-scores": {"a": SIGNED},
    "DMN-attention": {"a": SIGNED}, "DMN-memory": {"m": FROM_0}, "Transformer-1": {"p": AT_MOST_ONE},
    "Transformer-2": {"a": FROM_0}, "MT-fuse": {"o": UNIT},
}


def out_of_range(id, outputs):
    """What is not in its range but for rounding -> list of texts."""
    return [f"{name}: expected {wanted}, received {found}" for name, wanted in RANGES.get(id, {}).items()
            if (found := misses(outputs[name], wanted))]


def misses(value, wanted):
    """The worst number out of range, or None. Rows of n numbers are rounded n times."""
    if not value.size:
        return None
    slack = float(np.finfo(value.dtype).eps) * (8 + 2 * (value.shape[-1] if value.ndim else 1))
    low, high = (0, 1) if isinstance(wanted, str) else wanted
    if value.min() < low - slack or value.max() > high + slack:
        return value.min() if value.min() < low - slack else value.max()
    if isinstance(wanted, str):
        sums = value.sum(-1, dtype=np.float64)
        off = np.abs(sums - 1) if wanted == SUM_TO_ONE else sums - 1
        if off.max() > slack:
            return f"a row that sums to {sums.flat[off.argmax()]}"
    return None


# ---- equations --------------------------------------------------------------------------------------------------------------

def test_every_equation_has_a_bound():
    assert set(BOUNDS) == set(REGISTRY), "run python -m gradcheck.extremes --save"
    assert all(row["float32"] >= 1 and row["float64"] >= 20 for row in BOUNDS.values())
    assert set(RANGES) <= set(REGISTRY)
    assert all(set(ranges) <= set(REGISTRY[id].outputs) for id, ranges in RANGES.items())


@pytest.mark.parametrize("id", REGISTRY)
@settings(max_examples=10, derandomize=True, deadline=None, database=None)
@given(seed=SEEDS, name=st.sampled_from(list(DTYPES)), part=st.floats(0, 0.9))
def test_finite_and_in_range(id, seed, name, part):
    """At random shapes, with numbers up to a part (in decades) of the bound. At that 2,000 points were finite; nine tenths of
    it leave room for a rarer one at which something overflows sooner."""
    rng, item = np.random.default_rng(seed), REGISTRY[id]
    arguments = extreme_point(item, rng, 10 ** (part * BOUNDS[id][name]), DTYPES[name])
    found = run(item, arguments, rng)
    assert not_finite(found) == []
    assert out_of_range(id, found.outputs) == []
    assert all(np.asarray(value).dtype in (DTYPES[name], bool) for value in found.outputs.values())


def test_the_bound_is_where_it_overflows():
    """One power of ten higher something is no longer finite: the search does not stop too early."""
    for id, name in (("NTM-6", "float32"), ("linear", "float64"), ("softplus", "float32")):
        assert extremes.bound(REGISTRY[id], DTYPES[name]) == BOUNDS[id][name]


def test_what_is_out_of_range_is_noticed():
    w = np.full((2, 4), 0.25)
    assert misses(w, SUM_TO_ONE) is None and "sums to 1.04" in misses(1.04 * w, SUM_TO_ONE)
    assert misses(0.9 * w, AT_MOST_ONE) is None and misses(0.9 * w, SUM_TO_ONE) and misses(w - 0.3, AT_MOST_ONE) < 0
    assert misses(np.array([1.5]), UNIT) == 1.5 and misses(np.array([np.float32(1 + 1e-7)]), UNIT) is None


# ---- models -------------------------------------------------------------------------------------------------------------------

LARGEST_PARAMETER = {"float32": 1e3, "float64": 1e6}
TRACED = {"w": SUM_TO_ONE, "w_c": SUM_TO_ONE, "w_s": SUM_TO_ONE, "g": UNIT, "s": SUM_TO_ONE, "gamma": FROM_1, "beta": FROM_0}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.setting}")
@settings(max_examples=4, derandomize=True, deadline=None, database=None)
@given(seed=SEEDS, name=st.sampled_from(list(DTYPES)), part=st.floats(0, 1))
def test_models_are_finite(case, seed, name, part):
    """With parameters and inputs of any size up to a thousand, in float64 a million."""
    rng, dtype, size = np.random.default_rng(seed), DTYPES[name], LARGEST_PARAMETER[name] ** part
    model, inputs, how = case.make(rng)
    params = {key: extremes.numbers(value.shape, rng, size).astype(dtype) for key, value in model.init(rng).items()}
    if isinstance(inputs, np.ndarray):
        inputs = extremes.numbers(inputs.shape, rng, size).astype(dtype)
    with numpy_only(), np.errstate(all="ignore"):
        outputs, trace = model.forward(params, inputs, **how)
        grads = model.backward(params, trace, rng.standard_normal(outputs.shape).astype(dtype))
    assert np.isfinite(outputs).all() and [key for key, value in grads.items() if not np.isfinite(value).all()] == []
    if case.name == "ntm" and isinstance(trace.get("w_c"), np.ndarray):
        assert [key for key, wanted in TRACED.items() if misses(trace[key], wanted)] == []
