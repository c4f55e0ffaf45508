"""Products of a weighting and a vector, and the layout of the memory that they keep: slots of one column are neighbours."""

import numpy as np
import pytest

from numpymem.equation import watch
from numpymem.kernel import numpy_only
from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.equations import times_all, times_others
from numpymem.ops.outer import one_minus_outer, outer_sum

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


@pytest.mark.parametrize("heads", [1, 2])
def test_all_memories_and_their_gradients_lie_in_one_way(heads):
    """In all equations at all time steps: a pass over two memories that lie differently takes four times as long."""
    model, seen = NTM(NTMConfig(3, 3, controller_size=6, N=7, W=5, read_heads=heads, write_heads=heads)), set()

    def look(equation, phase, arguments, result):
        if equation.id != "NTM-sequence":
            for value in (*arguments, *result):
                if np.shape(value) == (2, 7, 5):
                    assert neighbours_in_memory(value), f"{equation.id} {phase}"
                    seen.add((equation.id, phase))
    with numpy_only(), watch(look):
        outputs, trace = model.forward(params := model.init(RNG), np.ones((3, 2, 3), np.float32))
        model.backward(params, trace, outputs)
    assert neighbours_in_memory(trace["M"])
    assert seen == {(f"NTM-{name}", phase) for name in (2, 3, 4, 6, "addressing", "step") for phase in ("forward", "backward")}
