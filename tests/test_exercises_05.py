"""The exercises of chapter 05: the solution passes, and wrong answers fail with a remark that helps."""

import functools
import types

import numpy as np
import pytest
from exercise_tools import right_and_wrong

import gradcheck
from gradcheck.exercises import chapter05, chapter05_bugs
from gradcheck.exercises.base import is_blank
from numpymem.ntm.equations import interpolate
from numpymem.ops.cosine import cosine_similarity, squares
from numpymem.ops.softmax import softmax


def complex_slope(f, x):
    return f(x + 1e-20j).imag / 1e-20


def central_slope(f, x):
    return (f(x + 1e-6) - f(x - 1e-6)) / 2e-6


def real_part(f, x):
    return f(x + 1e-20j).real


def square_backward(dw, w, w_s):
    return 2 * w_s * (dw - (dw * w).sum(-1, keepdims=True)) / (w_s * w_s).sum(-1, keepdims=True)


def gate_unsummed(dw_g, w_c, w_prev, g):
    return g * dw_g, (1 - g) * dw_g, dw_g * (w_c - w_prev)


def half(backward):
    """The same backward with its last gradient halved: a mistake that nobody foresaw."""
    def spoilt(*arguments):
        *others, last = backward(*arguments)
        return *others, last / 2
    return functools.wraps(backward)(spoilt)


one, two = chapter05, chapter05_bugs
RIGHT = [(one.written, (one.write_once,)), (one.slope, (complex_slope,)), (one.gate, (interpolate.original_backward,)),
         (one.soft, (softmax.original_backward,)), (one.squared, (square_backward,)), (two.planted, ("dM_M",)),
         (two.roads, (two.step_backward,)), (two.hop, (two.hop_backward,)), (two.symptoms, ("ntm-9", "NTM-step", "NTM-8"))]
WRONG = [(one.written, (one.write_entry_by_entry,), "entry by entry"), (one.written, (one.write_transposed,), "changed places"),
         (one.written, (one.write_then_erase,), "(3) comes before (4)"),
         (one.written, (lambda M, w, e, a: M * (1 - w.T @ e),), "numbers wrong"),
         (one.slope, (central_slope,), "two nearly equal numbers"), (one.slope, (real_part,), "real part"),
         (one.slope, (lambda f, x: f(x + 1e-20j) / 1e-20,), "complex number"), (one.slope, (lambda f, x: 1.0,), "imaginary"),
         (one.gate, (one.gate_backward_swapped,), "changed places"), (one.gate, (one.gate_backward_half,), "twice"),
         (one.gate, (gate_unsummed,), "expected (2, 3, 1) as g has"), (one.gate, (half(interpolate.original_backward),), "dg"),
         (one.soft, (one.softmax_backward_diagonal,), "diagonal"), (one.soft, (one.softmax_backward_outside,), "factor p_j"),
         (one.soft, (one.softmax_backward_over_batch,), "batch"),
         (one.squared, (one.square_backward_top_only,), "numerator only"), (one.squared, (one.square_backward_no_two,), "2 w_s"),
         (one.squared, (one.square_backward_as_softmax,), "power rule"),
         (two.planted, ("dM",), "One line further up".lower()), (two.planted, ("ddots",), "dk would be wrong"),
         (two.planted, ("line 3",), "name on the left"), (two.planted, (lambda: 1,), "name on the left"),
         (two.roads, (two.without_read,), "also read"), (two.roads, (two.without_erase_road,), "used twice"),
         (two.roads, (two.as_if_nothing_was_erased,), "felt"), (two.roads, (half(two.step_backward),), "a[0, 0"),
         (two.hop, (two.hop_without_residual,), "directly"), (two.hop, (two.hop_past_only,), "where to look"),
         (two.hop, (two.hop_without_softmax,), "softmax_backward"),
         (two.symptoms, ("NTM-step", "NTM-step", "NTM-8"), "Answer 1"), (two.symptoms, ("NTM-9", "NTM-3", "NTM-8"), "Answer 2"),
         (two.symptoms, ("NTM-9", "NTM-step", "NTM-9"), "divides by the sum"), (two.symptoms, ("NTM-9",), "Expected 3")]


def test_every_exercise_is_here():
    tried = {exercise.id for exercise, *_ in RIGHT} | {two.hunted.id}
    assert tried == {exercise.id for exercise in (*one.ALL, *two.ALL)} == {f"5.{n}" for n in range(1, 11)}
    assert all(sum(exercise is each for each, *_ in WRONG) >= 2 for exercise, _ in RIGHT)


test_the_solution_passes, test_a_wrong_answer_fails_with_a_remark = right_and_wrong(RIGHT, WRONG)


@pytest.mark.parametrize("exercise, answers", RIGHT, ids=lambda one: getattr(one, "id", ""))
def test_blanks_are_no_answers(exercise, answers, capsys):
    assert is_blank(None) and not exercise.grade(*[None for _ in answers])
    assert "Nothing here yet" in capsys.readouterr().out


def test_the_planted_bug_passes_with_one_head_and_not_with_two():
    rng, verdicts = np.random.default_rng(0), []
    for H in (1, 2):
        inputs = {"k": rng.standard_normal((2, H, 4)), "M": rng.standard_normal((2, 5, 4))}
        verdicts.append(gradcheck.check(cosine_similarity.original, two.broken_cosine_backward, inputs, "K"))
    assert verdicts[0].passed and [wrong.argument for wrong in verdicts[1].wrong] == ["M"]
    assert squares(np.ones((1, 1, 4)))[0, 0] == pytest.approx(4)


def test_a_hunt_is_graded_by_where_its_bug_is(capsys):
    hunt = types.SimpleNamespace(answer="NTM-7")                       # tests/test_mutation.py has real ones, which take longer
    assert two.hunted.grade(hunt, "ntm-7")
    assert not two.hunted.grade(hunt, "NTM-8") and not two.hunted.grade(hunt, "shift")
    assert "first line" in capsys.readouterr().out
