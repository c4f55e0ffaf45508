"""Kernels at the ends of their domains and at many shapes: finite, equal to NumPy to rounding, the same bits on any number of
threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_tools import needs_numba
from test_extremes import BOUNDS, SEEDS, out_of_range

from gradcheck import import_all
from gradcheck.extremes import DTYPES, extreme_point, not_finite, run
from gradcheck.kernels import SHAPES, Case
from gradcheck.kernels.settings import EXAMPLES, Setting
from gradcheck.points import draw, generator
from gradcheck.report import Result
from numpymem import kernel, threads

import_all()
NAMES = tuple(kernel.KERNELS)

LARGEST_FOR_KERNELS = {"float32": 2, "float64": 4}                  # powers of ten; no more than the bound of the equation


@needs_numba
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5, derandomize=True, deadline=None, database=None)
@given(seed=SEEDS, dtype=st.sampled_from(list(DTYPES)), part=st.floats(0, 1))
def test_kernels_are_finite_and_in_range(name, seed, dtype, part):
    of, rng = kernel.KERNELS[name].of, np.random.default_rng(seed)
    largest = min(LARGEST_FOR_KERNELS[dtype], BOUNDS[of.id][dtype])
    arguments = extreme_point(of, rng, 10 ** (part * largest), DTYPES[dtype])
    found = run(of, arguments, rng, kernel.KERNELS[name].pair())
    assert not_finite(found) == [] and out_of_range(of.id, found.outputs) == []


@needs_numba
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4, derandomize=True, deadline=None, database=None)
@given(seed=SEEDS, dtype=st.sampled_from(list(DTYPES.values())), B=st.integers(1, 19), N=st.integers(5, 40), data=st.data())
def test_kernels_equal_numpy_to_rounding(name, seed, dtype, B, N, data):
    """To 1e-12 of the largest number in float64. In float32 to eps (16 + 2 n) of it, n the longest axis, and 4 times what the NumPy
    pair itself is off (gradcheck/kernels). At sizes that gradcheck's three shapes do not have."""
    of = kernel.KERNELS[name].of
    known = [Setting(of.fixed, of.dims), *(one for one in EXAMPLES.get(name, ()) if one.change is None)]
    setting = data.draw(st.sampled_from(known))
    if any(letter in setting.dims for letter in "BN"):             # settings with sizes of their own
        setting = setting._replace(dims=setting.dims | {letter: size for letter, size in (("B", B), ("N", N))
                                                        if letter in setting.dims})
    result = Result("kernel", name, name, True, "equal")
    Case(of, setting, (SHAPES[0][0] | {"B": B, "N": N}, False), dtype, np.random.default_rng(seed)).judge(
        kernel.KERNELS[name].pair(), result, twice=False)
    assert result.wrong == []


@needs_numba
@pytest.mark.parametrize("name", NAMES)
def test_kernels_give_the_same_bits_on_any_number_of_threads(name):
    """Both controllers of the NTM: tests/test_lanes_threads_workspace.py. Here at a batch of several blocks."""
    of = kernel.KERNELS[name].of
    point = draw(of, generator(1, name), SHAPES[0][0] | {"B": 37, "N": 21, "I": 23, "T": 6}, distinct=False)
    arguments = [value.astype(np.float32) if getattr(value, "dtype", None) == np.float64 else value for value in point.arguments]

    def on(number):
        with threads.use(number):
            found = run(of, arguments, np.random.default_rng(2), kernel.KERNELS[name].pair())
        return {**found.outputs, **found.gradients}
    alone = on(1)
    for number in (2, 3):
        for key, value in on(number).items():
            assert np.array_equal(value, alone[key]), f"d or output {key}, {number} threads"


# ---- what was found and mended --------------------------------------------------------------------------------------------------

@needs_numba
def test_scores_below_all_numbers_that_stand_for_nothing():
    """memn2n.hops divided 0 by 0 where every score of a story was below -1e30. (A link of the DNC: tests/test_dnc.py.)"""
    hops = kernel.KERNELS["memn2n.hops"]
    u, memories = np.full((1, 2), 1e16), np.full((1, 3, 2, 2), -1e16)
    way = hops.of.fixed["way"]._replace(hops=1)
    arguments = u, memories, np.zeros((0, 0)), np.ones((1, 3)), np.zeros((1, 1)), way
    for pair in (None, hops.pair()):
        found = run(hops.of, arguments, np.random.default_rng(0), pair)
        assert not_finite(found) == [] and not found.outputs["p"].any()
