"""The pictures of chapters 05 and 06 show what they say."""

import numpy as np
import pytest

from numpymem import catalog
from numpymem.ntm.equations import read
from numpymem.teaching import engineering, gradients, trained


@pytest.fixture(scope="module")
def found():
    model, params, task = trained("ntm_copy")
    return gradients.credit(model, params, task.sample(np.random.default_rng(0), 2, length=4))


def test_each_answer_hangs_on_the_write_that_stored_it(found):
    assert found.first == 5 and found.of_writes.shape == (4, 9) and found.of_memory.shape == (4, 9, 128)
    assert found.of_writes.argmax(1).tolist() == [0, 1, 2, 3]
    assert not found.of_writes[0, found.first:].any()                      # what comes after an answer cannot matter to it


def test_the_gradient_of_a_write_is_the_true_one():
    """Push at the add vector of one step, by way of its bias: the sum over the steps of da must be what differences say."""
    task = catalog.make_task("copy", "sequence", max_length=3)
    model = catalog.make_model("ntm", task, N=5, W=3, controller_size=4, controller="feedforward", initial_weights="one-hot")
    params = model.init(np.random.default_rng(0), np.float64)
    batch = task.sample(np.random.default_rng(1), 1, length=2)
    shown = gradients.credit(model, params, batch)
    logits, trace = model.forward(params, batch.inputs.astype(float))
    d_logits, asked = np.zeros_like(logits), shown.first + 1
    d_logits[asked] = 2 * batch.targets[asked] - 1
    grads = model.backward(params, trace, d_logits)
    da = np.stack([trace["w"][t][:, 1:] @ shown.gradient[1, t][None] for t in range(len(trace["a"]))])         # (T, 1, 1, W)
    by_bias = (da * (1 - trace["a"] ** 2)).sum((0, 1, 2))                                             # a = tanh(raw)
    assert np.allclose(grads["b_heads"][-3:], by_bias, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("draw", [lambda found: gradients.one_answer(found, 2), gradients.all_answers,
                                  lambda found: gradients.memory_and_gradient(found, 2, 3)])
def test_pictures_name_their_axes(found, draw):
    axes = [each for each in draw(found).axes if each.get_label() and not each.get_label().startswith(("<", "scale"))]
    assert axes and all(each.get_xlabel() or each.get_ylabel() for each in axes)
    assert draw(found)._repr_png_().startswith(b"\x89PNG")


def test_the_complex_step_is_drawn_below_the_differences():
    figure = gradients.step_sizes(np.exp, np.exp, 0.5)
    forward, central, complex_step = (line.get_ydata() for line in figure.axes[0].lines)
    assert complex_step.min() < 1e-15 < central.min() < forward.min()
    assert complex_step[:40].max() < 1e-15                                 # h up to 1e-10: no step is too small


def test_attention_and_gradients_of_a_story():
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    figure = gradients.story_gradients(["mary went", "john left"], p, 0 * p, p)
    assert [each.get_title() for each in figure.axes][0].startswith("attention") and len(figure.axes) == 3


def test_measured_steps_are_those_of_the_result_file():
    figure = engineering.training_steps()
    assert [axes.get_title() for axes in figure.axes] == ["batch 1", "batch 16"]
    assert all(len(axes.patches) == 4 for axes in figure.axes)


def test_clocks_are_silent_where_a_notebook_is_built(monkeypatch, capsys):
    monkeypatch.setenv("NUMPYMEM_QUICK", "0")
    engineering.clock(nothing=lambda: pytest.fail("it ran"))
    assert "Run this cell yourself" in capsys.readouterr().out
    monkeypatch.delenv("NUMPYMEM_QUICK")
    engineering.clock(nothing=lambda: None)
    assert "times the fastest" in capsys.readouterr().out


def test_calls_and_seconds_of_what_runs():
    run = lambda: read(np.ones((1, 1, 2)), np.ones((1, 2, 3)))
    assert engineering.calls_of(run) == {("NTM-2", "forward"): 1}
    assert list(engineering.seconds_of(run)) == ["NTM-2"]
