"""gradcheck.check: any forward and backward, as functions that know nothing of numpymem."""

import numpy as np
import pytest

import gradcheck

rng = np.random.default_rng(0)
INPUTS = {"x": rng.standard_normal((4, 3)), "W": rng.standard_normal((3, 2))}


def forward(x, W):
    return np.tanh(x @ W)


def backward(dy, y, x, W):
    dpre = dy * (1 - y * y)
    return dpre @ W.T, x.T @ dpre


def test_right_by_name_and_by_position():
    result = gradcheck.check(forward, backward, INPUTS, outputs="y")
    assert result.passed and result.oracle == "complex step" and result.error < 1e-14
    assert gradcheck.check(forward, lambda up, x, W: backward(up, forward(x, W), x, W), list(INPUTS.values())).passed


def test_wrong_is_explained():
    result = gradcheck.check(forward, lambda dy, y, x, W: (backward(dy, y, x, W)[0], 2 * backward(dy, y, x, W)[1]), INPUTS, "y")
    assert [wrong.argument for wrong in result.wrong] == ["W"] and "factor 2" in result.wrong[0].hints[0]
    assert "dW" in str(result) and "by hand / true is 2.000" in str(result)


def test_several_outputs_integers_and_settings():
    def gather(E, ids, scale):
        return scale * E[ids], E.sum()

    def gather_backward(drows, dtotal, E, ids, scale):
        dE = np.full(E.shape, dtotal)
        np.add.at(dE, ids, scale * drows)
        return dE
    inputs = {"E": rng.standard_normal((5, 2)), "ids": np.array([1, 1, 4]), "scale": 3}
    assert gradcheck.check(gather, gather_backward, inputs, outputs=("rows", "total")).passed

    def forgets_repeats(drows, dtotal, E, ids, scale):
        dE = np.full(E.shape, dtotal)
        dE[ids] += scale * drows
        return dE
    assert not gradcheck.check(gather, forgets_repeats, inputs, outputs=("rows", "total")).passed


def test_a_forward_that_takes_no_complex_numbers():
    result = gradcheck.check(lambda x: np.linalg.norm(x, axis=-1), lambda dout, out, x: x * (dout / out)[:, None],
                             {"x": rng.standard_normal((4, 3))})
    assert result.passed and result.oracle in ("Richardson", "central differences") and result.noise < 1e-9


def test_a_stop():
    assert gradcheck.check(lambda x, a: x * a, lambda dout, x, a: (dout * a, 0 * a),
                           {"x": np.ones(3) * 2.5, "a": np.arange(3.0) + 1}, stops=("a",)).passed


@pytest.mark.parametrize("inputs, says", [({"x": np.ones(3)}, "expected values for x, W, received x"),
                                          ([np.ones(3)], "expected values for x, W, received 1 values")])
def test_inputs_that_do_not_fit(inputs, says):
    with pytest.raises(TypeError, match=says):
        gradcheck.check(forward, backward, inputs)


def test_too_many_names_for_outputs_and_no_function():
    with pytest.raises(TypeError, match="outputs: expected 1 names.*received y, z"):
        gradcheck.check(forward, backward, INPUTS, outputs=("y", "z"))
    with pytest.raises(TypeError, match="forward: expected a function, received int"):
        gradcheck.check(3, backward, INPUTS)


def test_wrong_shapes_and_numbers_of_gradients_are_named():
    assert "expected 2 (dx, dW), the backward returned 1" in str(gradcheck.check(forward, lambda dy, y, x, W: dy, INPUTS, "y"))
    assert "shape of the gradient dx" in str(gradcheck.check(forward, lambda dy, y, x, W: (x[:2], W), INPUTS, "y"))


def test_the_example_in_its_documentation_runs():
    text = gradcheck.plain.__doc__
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    exec(code, {"np": np, "gradcheck": gradcheck, **INPUTS})
