"""The exercises of chapters 00, 01 and 02: a right answer passes, wrong ones get a remark that helps, blanks stop nothing."""

import numpy as np
import pytest

from gradcheck.exercises import (Exercise, Mistake, chapter00, chapter01, chapter02, one_of, right_backward, same_forward,
                                 same_numbers)
from numpymem.ntm.equations import interpolate, shift
from numpymem.ops.softmax import softmax, softmax_backward

BY_HAND = ([1 / 2, 1 / 4, 1 / 4], [1 / 4, 1 / 8, 5 / 8], [5 / 8, 1 / 4, 1 / 8], [5 / 6, 2 / 15, 1 / 30])


def wrong(number, answer):
    """The right answers by hand, but for one."""
    return [answer if i == number else right for i, right in enumerate(BY_HAND)]


def repaired(dw, w, w_s, gamma):
    dlogits = softmax_backward(dw, w)
    return gamma * dlogits, (dlogits * w_s).sum(-1, keepdims=True)


def not_summed(dw, w, w_s, gamma):
    dlogits = softmax_backward(dw, w)
    return gamma * dlogits, dlogits * w_s


def shifted(w_c, w_prev, g, s):
    return shift(interpolate(w_c, w_prev, g), s)


def written(M, w, e, a):
    column = w.swapaxes(1, 2)
    return M * (1 - column * e) + column * a


def written_in_place(M, w, e, a):
    M *= 1 - w.swapaxes(1, 2) * e
    M += w.swapaxes(1, 2) * a
    return M


def hopped(u, m, c):
    p = softmax((m @ u[:, :, None])[:, :, 0])
    return u + (p[:, None] @ c)[:, 0]


def slots(w):
    return w[:, 0, -1].argmax(-1)


RIGHT = [(chapter00.find_it, ["ntm-8"]), (chapter00.repair, [repaired]),
         (chapter01.count_them, [68]), (chapter01.find_slots, [slots]),
         (chapter02.by_hand, BY_HAND), (chapter02.gate, [shifted]), (chapter02.write, [written]), (chapter02.hop, [hopped])]
WRONG = [
    (chapter00.find_it, ["NTM-5"], "looks for slots that resemble a key"),
    (chapter00.find_it, ["sharpen"], "NTM-5 to NTM-9"),
    (chapter00.repair, [chapter00.old_backward], "backward of the old forward"),
    (chapter00.repair, [chapter00.without_gamma], "Which factor does dw_s still need"),
    (chapter00.repair, [not_summed], "gamma"),
    (chapter00.repair, ["my_backward"], "your function itself"),
    (chapter01.count_them, [48], "write heads also"),
    (chapter01.count_them, [108], "Only write heads"),
    (chapter01.count_them, [40], "Count again"),
    (chapter01.find_slots, [lambda w: w[:, 0, 0].argmax(-1)], "read head"),
    (chapter01.find_slots, [lambda w: w[:, 0, -1].max(-1)], "largest weight"),
    (chapter01.find_slots, [lambda w: w[:, 0].argmax(-1)], "both heads"),
    (chapter01.find_slots, [[1, 2, 3]], "your function itself"),
    (chapter02.by_hand, wrong(0, [2, 1, 1]), "Divide them by their sum"),
    (chapter02.by_hand, wrong(2, [1 / 8, 5 / 8, 1 / 4]), "moved the weights back"),
    (chapter02.by_hand, wrong(3, [0.9, 0.05, 0.05]), "Answer 4: 3 of 3 numbers wrong"),
    (chapter02.gate, [lambda w_c, w_prev, g, s: shift(w_prev, s)], "content weights w_c are never used"),
    (chapter02.gate, [lambda w_c, w_prev, g, s: shift(interpolate(w_prev, w_c, g), s)], "wrong way round"),
    (chapter02.write, [chapter02.add_then_erase], "add first"),
    (chapter02.write, [written_in_place], "changes its argument number 1"),
    (chapter02.write, [lambda M, w, e, a: M * (1 - w * e)], "stopped with ValueError"),
    (chapter02.hop, [chapter02.values_are_keys], "where c is meant"),
    (chapter02.hop, [chapter02.forgets_question], "question must not be forgotten"),
    (chapter02.hop, [chapter02.over_the_batch], "runs over the batch"),
]
ALL = [value for module in (chapter00, chapter01, chapter02) for value in vars(module).values() if isinstance(value, Exercise)]


@pytest.mark.parametrize("exercise, answers", RIGHT, ids=lambda value: getattr(value, "id", ""))
def test_the_right_answer_passes(exercise, answers, capsys):
    assert exercise.grade(*answers)
    assert "Right." in capsys.readouterr().out


@pytest.mark.parametrize("exercise, answers, said", WRONG, ids=lambda value: getattr(value, "id", ""))
def test_a_wrong_answer_gets_a_remark_that_helps(exercise, answers, said, capsys):
    assert not exercise.grade(*answers)
    assert said in " ".join(capsys.readouterr().out.split())


def test_every_exercise_has_a_right_answer_and_at_least_two_wrong_ones():
    assert len(ALL) == len({exercise.id for exercise in ALL}) == 8
    for exercise in ALL:
        assert sum(one is exercise for one, _ in RIGHT) == 1 and sum(one is exercise for one, *_ in WRONG) >= 2, exercise


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_a_blank_says_so_and_hints_come_one_by_one(exercise, capsys):
    def blank(*values):
        """Still to be written."""

    for nothing in ((), (...,), (blank,), (None,)):
        assert not exercise.grade(*nothing)
        assert "Nothing here yet" in capsys.readouterr().out
    exercise.given = 0
    for number in (1, 2, 3, 3):
        exercise.hint()
        assert f"Hint {number} of 3" in capsys.readouterr().out
    assert exercise.title in exercise._repr_markdown_()


# ---- the judges ---------------------------------------------------------------------------------------------------------

def test_numbers_say_shape_place_and_common_factor():
    judge = same_numbers([1.0, 2.0, 4.0], [Mistake([4, 2, 1], "the other way round")])
    assert judge([1.0, 2.001, 4.0]) == ""
    assert "shape (3,), received (2,)" in judge([1, 2])
    assert judge([4, 2, 1]) == "the other way round"
    assert "farthest off at [2]: 5" in judge([1, 2, 5])
    assert "All of yours are 2 times" in judge([2, 4, 8])
    assert judge([np.nan, 2, 4]) != ""


def test_a_forward_is_tried_at_every_point():
    judge = same_forward(np.abs, [(np.array([1.0]),), (np.array([-2.0]),)])
    assert judge(np.abs) == "" and "of 1 numbers wrong" in judge(lambda x: x)
    assert "returns nothing" in judge(lambda x: print(end=""))


def test_a_backward_is_held_against_the_forward():
    judge = right_backward(lambda x: np.tanh(x), {"x": np.array([0.1, 0.5])}, "y",
                           [Mistake(lambda dy, y: dy * (1 - y), "square it")])
    assert judge(lambda dy, y: dy * (1 - y * y)) == ""
    assert judge(lambda dy, y: dy * (1 - y)).startswith("square it")
    assert judge(lambda dy, y: 3 * dy * (1 - y * y)).startswith("gradcheck says:")


def test_choices_and_declarations():
    judge = one_of(("a", "B"), {"c": "no"}, "not at all")
    assert [judge(choice) for choice in ("A", "b", " c", "d")] == ["", "", "no", "not at all"]
    with pytest.raises(ValueError, match="exercise 9.9: expected three hints, received 1"):
        Exercise("9.9", "", "", ("one",), judge)
