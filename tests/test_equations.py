"""What every registered equation has to keep to: the gradient is right, and both halves of a pair are pure functions."""

import numpy as np
import pytest

from gradcheck import check_equation, import_all
from gradcheck.pair import backward_arguments, listed
from gradcheck.points import LARGE, draw, generator
from numpymem import REGISTRY, numpy_only

import_all()
EQUATIONS = list(REGISTRY.values())
everywhere = pytest.mark.parametrize("item", EQUATIONS, ids=[item.id for item in EQUATIONS])
differentiated = pytest.mark.parametrize("item", [item for item in EQUATIONS if item.original_backward],
                                         ids=[item.id for item in EQUATIONS if item.original_backward])


def cast(value, dtype):
    value = np.copy(value) if isinstance(value, (np.ndarray, np.generic)) else value
    return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


class Call:
    """Forward and backward of an equation at a random point, as NumPy, with what went in and what came out."""

    def __init__(self, item, dtype=np.float64, seed=0):
        rng = generator(seed, item.id)
        self.inputs = dict(zip(item.arguments, [cast(value, dtype) for value in draw(item, rng).arguments]))
        forward, backward = item.functions
        with numpy_only():
            self.outputs = dict(zip(item.outputs, listed(forward(*self.inputs.values()))))
            upstream = {f"d{name}": cast(np.asarray(rng.standard_normal(np.shape(out))), dtype)
                        for name, out in self.outputs.items()}
            known = self.inputs | self.outputs | upstream
            self.given = {name: known[name] for name in backward_arguments(item)} if backward else {}
            self.before = {name: np.copy(value) for name, value in known.items() if isinstance(value, np.ndarray)}
            gradients = listed(backward(*self.given.values())) if backward else []
            self.gradients = dict(zip([f"d{name}" for name in item.differentiable], gradients))
        self.known = known


def arrays(values):
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


@everywhere
def test_gradient_is_right(item):
    result = check_equation(item)
    assert result.passed, f"\n{result}"


@everywhere
def test_documented(item):
    assert item.latex
    assert set(item.arguments) <= set(item.inputs), "an argument is not declared in the docstring"
    assert item.outputs, "the docstring has no 'returns' line"
    assert (item.original.__doc__ or "").strip().splitlines()[0].endswith(".")


@everywhere
def test_float32_in_float32_out(item):
    call = Call(item, np.float32)
    for name, value in (call.outputs | call.gradients).items():
        if np.asarray(value).dtype.kind == "f":
            assert np.asarray(value).dtype == np.float32, name


@everywhere
def test_inputs_are_not_modified(item):
    call = Call(item)
    for name, value in call.before.items():
        assert np.array_equal(value, call.known[name], equal_nan=True), name


@everywhere
def test_outputs_share_no_memory_with_inputs(item):
    call = Call(item)
    for out_name, out in arrays(call.outputs).items():
        for name, value in arrays(call.inputs).items():
            assert not np.shares_memory(out, value), f"{out_name} is a view of {name}"


@differentiated
def test_gradients_share_no_memory_with_what_was_given_or_with_one_another(item):
    call = Call(item)
    seen = arrays(call.given)
    for out_name, out in arrays(call.gradients).items():
        for name, value in seen.items():
            assert not np.shares_memory(out, value), f"{out_name} is a view of {name}"
        seen[out_name] = out


@everywhere
def test_twice_the_same(item):
    first, second = Call(item), Call(item)
    for a, b in zip(listed_values(first), listed_values(second)):
        assert np.array_equal(a, b, equal_nan=True)


def listed_values(call):
    return [*call.outputs.values(), *call.gradients.values()]


@differentiated
def test_linear_in_the_upstream_gradient(item):
    """A gradient is linear in what comes from above: twice the upstream, twice the gradient, to the last bit."""
    call = Call(item)
    doubled = [2 * value if name[0] == "d" and name[1:] in item.outputs else value for name, value in call.given.items()]
    with numpy_only():
        gradients = listed(item.functions[1](*doubled))
    for once, twice in zip(call.gradients.values(), gradients):
        np.testing.assert_array_equal(2 * np.asarray(once), twice)


def test_sizes_of_the_points_differ():
    """Letters of one equation get pairwise different sizes wherever the equation leaves them free."""
    for item in EQUATIONS:
        sizes = draw(item, generator(0, item.id)).sizes
        free = [size for letter, size in sizes.items() if letter not in item.dims]
        assert len(set(free)) == len(free), item.id
        assert not set(free) & set(item.dims.values()), item.id
        draw(item, generator(0, item.id), LARGE)
