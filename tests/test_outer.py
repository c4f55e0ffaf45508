"""Products of a weighting and a vector, and the layout of the memory that they keep: slots of one column are neighbours."""

import numpy as np
import pytest

from numpymem.kernel import numpy_only
from numpymem.ntm.equations import times_all, times_others
from numpymem.ntm.step import HeadSizes, memory_step, memory_step_backward
from numpymem.ops.outer import one_minus_outer, outer_sum, slots_last

RNG = np.random.default_rng(0)
HEADS = pytest.mark.parametrize("H", [1, 2, 3])


def neighbours_in_memory(M):
    return M.swapaxes(-1, -2).flags.c_contiguous


@HEADS
@pytest.mark.parametrize("dtype", [np.float32, np.float64, complex])
def test_products_are_what_their_formulas_say(H, dtype):
    w, v = RNG.standard_normal((4, H, 5)).astype(dtype), RNG.standard_normal((4, H, 3)).astype(dtype)
    each = w[..., None] * v[..., None, :]
    for found, wanted in ((outer_sum(w, v), each.sum(1)), (one_minus_outer(w, v), 1 - each)):
        assert found.dtype == dtype and found.shape == wanted.shape and neighbours_in_memory(found)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=20 * np.finfo(dtype).eps)


@HEADS
def test_factors_of_heads(H):
    x, factors = RNG.standard_normal((4, 5, 3)), RNG.standard_normal((4, H, 5, 3))
    factors[0, 0, 0] = 0
    np.testing.assert_allclose(times_all(x, factors), x * factors.prod(1), rtol=1e-14)
    others = [x * np.delete(factors, head, axis=1).prod(1) for head in range(H)]
    np.testing.assert_allclose(times_others(x, factors), np.stack(others, axis=1), rtol=1e-14)


@pytest.mark.parametrize("R, Q", [(1, 1), (2, 3)])
def test_a_step_and_its_backward_keep_the_layout_of_the_memory(R, Q):
    """In the other layout each pass over the memory takes two to four times as long."""
    B, N, sizes = 2, 7, HeadSizes(R, Q, 4, 3)
    raw, w_prev = RNG.standard_normal((B, sizes.raw)), np.full((B, R + Q, N), 1 / N)
    M_prev = slots_last(RNG.standard_normal((B, N, 4)))
    with numpy_only():
        r, w, M, *rest = memory_step(raw, M_prev, w_prev, sizes)
        _, dM_prev, _ = memory_step_backward(r, w, M, w, *rest, raw, M_prev, w_prev, sizes)
    assert neighbours_in_memory(M) and neighbours_in_memory(dM_prev)
