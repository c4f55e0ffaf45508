"""The pair check catches what it is made to catch, names it, and keeps quiet about what is right."""

import numpy as np
import pytest
from gradcheck_tools import adapted, planted, toy_fixture  # noqa: F401  pytest finds fixtures by name

import numpymem
from gradcheck import check_equation, import_all
from gradcheck.points import choose_sizes, sample, size_of
from numpymem.equation import REGISTRY, find

import_all()


# ---- pairs: errors are caught, and named ---------------------------------------------------------------------------

@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("id, position, argument", [("NTM-9", 1, "gamma"), ("NTM-6", 0, "k"), ("NTM-3", 2, "e"),
                                                    ("linear", 1, "W"), ("LSTM", 1, "c_prev"), ("NTM-step", 1, "M_prev")])
def test_a_small_error_in_one_entry(id, position, argument, sign):
    def change(gradients):
        gradients[position].flat[3] += sign * 1e-6
    with planted(id, change):
        result = check_equation(id)
    [wrong] = result.wrong
    assert not result.passed
    assert wrong.argument == argument and wrong.wrong_entries == 1
    assert np.ravel_multi_index(wrong.index, np.shape(np.empty(shape_of(id, argument)))) == 3
    assert (wrong.hand - wrong.true) * sign == pytest.approx(1e-6, rel=1e-3)
    assert f"d{argument}" not in result.right


def shape_of(id, argument):
    item = find(id)
    sizes = choose_sizes(item)
    return tuple(size_of(token, sizes) for token in item.inputs[argument].shape)


def test_factor_two():
    with planted("NTM-9", lambda g: [g[0], 2 * g[1]]):
        result = check_equation("ntm-9")
    assert result.wrong[0].argument == "gamma" and result.wrong[0].ratio == pytest.approx(2)
    assert result.right == ["dw_s"]
    text = str(result)
    assert "wrong: dgamma" in text and "dw_s is right" in text and "by hand / true is 2.000 at all 12 entries" in text
    assert "numpymem/ntm/equations.py:" in text and "complex step" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("factor", [0.0, -1.0, 1 + 1e-9, np.nan, np.inf])
def test_factors(factor):
    with np.errstate(invalid="ignore"), planted("softmax", lambda g: [factor * g[0]]):
        assert not check_equation("softmax").passed


def test_swapped_arguments_in_the_formula():
    def interpolate_backward(dw_g, w_c, w_prev, g):
        return (1 - g) * dw_g, g * dw_g, (dw_g * (w_c - w_prev)).sum(-1, keepdims=True)
    with numpymem.patch("NTM-7", None, interpolate_backward):
        result = check_equation("NTM-7")
    assert [wrong.argument for wrong in result.wrong] == ["w_c", "w_prev"] and result.right == ["dg"]


def test_swapped_gradients():
    with planted("NTM-2", lambda g: g[::-1]):
        result = check_equation("NTM-2")
    assert not result.passed and result.verdict == "broken"
    assert "shape of the gradient dw" in str(result)


def test_a_gradient_too_few():
    with planted("NTM-4", lambda g: g[:2]):
        assert "expected 3 (dM_erased, dw, da), the backward returned 2" in " ".join(str(check_equation("NTM-4")).split())


def test_wrong_wiring_of_a_step():
    """A fan-out forgotten where pairs meet: every equation is right, the step is not."""
    from numpymem.ntm.equations import read_backward
    step = find("NTM-step")
    backward = step.original_backward

    def forgets_the_read(*args):
        dr, M_prev, w = args[0], args[-3], args[3]
        draw, dM_prev, dw_prev = backward(*args)
        return draw, dM_prev - read_backward(dr, w[:, :2], M_prev)[1], dw_prev
    with numpymem.patch(step, None, adapted(forgets_the_read, backward)):
        result = check_equation(step)
        assert check_equation("NTM-2").passed
    assert [wrong.argument for wrong in result.wrong] == ["M_prev"]


def test_an_edited_forward_is_the_new_truth():
    def shifted(z):
        return numpymem.find("softmax").original(2 * z)
    with numpymem.patch("softmax", shifted):
        result = check_equation("softmax")
    assert result.wrong[0].ratio == pytest.approx(0.5)
    assert "(patched)" in str(result)


def test_silent_on_what_is_right():
    for seed in range(20):
        for item in list(REGISTRY.values())[seed % 2::2]:        # each equation at ten of them, two points each
            if item.is_step and seed >= 2:                       # made of the others, and slow
                continue
            result = check_equation(item, seed)
            assert result.passed and (not result.notes or item.stops), f"seed {seed}\n{result}"      # what is stopped is said
            assert item.stops or result.error < 1e-13


# ---- pairs: forwards that are not complex-safe ---------------------------------------------------------------------

def length(x):
    """Of each row.

    x          (B, W)
    returns y  (B)
    """
    return np.linalg.norm(x, axis=-1)


def length_backward(dy, y, x):
    return (dy / y)[:, None] * x


def distance(x):
    """From zero.

    x          (B, W)
    returns y  (B, W)
    """
    return np.abs(x) * x


def distance_backward(dy, x):
    return 2 * np.abs(x) * dy


def logarithm(x):
    """Of a sum of exponentials; logaddexp does not take complex numbers.

    x          (B, W)
    returns y  (B)
    """
    return np.logaddexp.reduce(x, axis=-1)


def logarithm_backward(dy, y, x):
    return dy[:, None] * np.exp(x - y[:, None])


def buffered(x):
    """Writes into an array of real numbers, which drops the imaginary part.

    x          (B, W)
    returns y  (B, W)
    """
    y = np.zeros(x.shape, x.real.dtype)
    y[:] = x * x
    return y


def buffered_backward(dy, x):
    return 2 * x * dy


UNSAFE = [(length, length_backward), (distance, distance_backward), (logarithm, logarithm_backward),
          (buffered, buffered_backward)]


@pytest.mark.parametrize("forward, backward", UNSAFE, ids=lambda f: f.__name__)
def test_not_complex_safe_is_noticed_and_judged_by_real_differences(toy, forward, backward):
    item = toy(forward, backward)
    for seed in range(20):
        result = check_equation(item, seed)
        assert result.passed, str(result)
    assert result.oracle in ("Richardson", "central differences")
    assert "complex" in " ".join(result.notes)
    with numpymem.patch(item, None, adapted(lambda *args: (1 + 1e-5) * backward(*args), backward)):
        result = check_equation(item)
    assert [wrong.argument for wrong in result.wrong] == ["x"]


def test_a_kink_nearby_does_not_shake_the_complex_step():
    for seed in range(200):
        assert check_equation("relu", seed).oracle == "complex step"


# ---- pairs: docstrings ---------------------------------------------------------------------------------------------

def test_wrong_output_shape_in_the_docstring(toy):
    def double(x):
        """Twice.

        x          (B, N)
        returns y  (N, B)
        """
        return 2 * x
    result = check_equation(toy(double, lambda dy: 2 * dy))
    assert not result.passed
    assert "shape of the output y: the docstring declares (N, B) = (5, 2), received (2, 5)" in " ".join(str(result).split())


def test_wrong_input_shape_in_the_docstring(toy):
    def product(x, W):
        """A matrix product.

        x          (B, X)
        W          (Y, X)
        returns y  (B, Y)
        """
        return x @ W
    text = str(check_equation(toy(product, lambda dy, x, W: (dy @ W.T, x.T @ dy))))
    assert "broken" in text and "the forward raises ValueError" in text


@pytest.mark.parametrize("doc, says", [
    ("x  (B, N)", "the docstring declares 0"),
    ("y  (B, N)\nreturns z  (B, N)", "does not declare the argument x"),
    ("x  (B, N) [odd]\nreturns y  (B, N)", "x has the domain [odd]"),
    ("x  () [sizes]\nreturns y  (B, N)", "expected fixed={'x': ...}"),
])
def test_docstrings_that_cannot_be_checked(toy, doc, says):
    def double(x):
        return 2 * x
    double.__doc__ = doc
    result = check_equation(toy(double, lambda dy: 2 * dy))
    assert not result.passed and says in " ".join(str(result).split())


def test_a_missing_backward_and_an_unknown_argument(toy):
    def double(x):
        """Twice.

        x          (B, N)
        returns y  (B, N)
        """
        return 2 * x
    assert "there is no backward" in str(check_equation(toy(double)))
    result = check_equation(toy(double, lambda dy, dz: 2 * dy))
    assert "the backward asks for dz" in str(result)


def test_a_gradient_that_is_always_zero_proves_nothing(toy):
    def total(z):
        """A sum that is one whatever z is.

        z          (B, N)
        returns y  (B)
        """
        return (0 * z).sum(-1)
    result = check_equation(toy(total, lambda dy, z: 0 * z))
    assert result.passed and "proves nothing" in str(result)


def test_scalars(toy):
    def power(x, p):
        """Of a number.

        x          (B)
        p          ()
        returns y  (B)
        """
        return p * x * p
    item = toy(power, lambda dy, x, p: (p * p * dy, (p + p) * (x * dy).sum()))       # 2 * p is float64 in NumPy 1
    assert check_equation(item).passed
    with numpymem.patch(item, None, lambda dy, x, p: (p * p * dy, np.asarray(p * (x * dy).sum()))):
        assert [(wrong.argument, wrong.index) for wrong in check_equation(item).wrong] == [("p", ())]


# ---- points --------------------------------------------------------------------------------------------------------

def test_sizes():
    assert [size_of(token, {"C": 13, "J": 7}) for token in ("C", "4C", "J+1", "1", "C*J", "2J - 1")] == [13, 52, 8, 1, 91, 13]
    for item in REGISTRY.values():
        free = [size for letter, size in choose_sizes(item).items() if letter not in item.dims]
        assert len(set(free)) == len(free)


def test_domains():
    rng = np.random.default_rng(0)
    draw = {domain: sample(domain, (50, 4), {"V": 3}, rng) for domain in
            ("simplex", ">= 1", "> 0", "0..1", "-1..1", "int < V", "mask", "data")}
    np.testing.assert_allclose(draw["simplex"].sum(-1), 1)
    assert draw[">= 1"].min() > 1 and draw["> 0"].min() > 0
    assert draw["0..1"].min() > 0 and draw["0..1"].max() < 1 and -1 < draw["-1..1"].min() < -0.5
    assert set(np.unique(draw["int < V"])) == {0, 1, 2}
    assert draw["mask"].sum(-1).min() >= 1 and set(np.unique(draw["mask"])) == set(np.unique(draw["data"])) == {0, 1}
