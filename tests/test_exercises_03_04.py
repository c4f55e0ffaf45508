"""The exercises of chapters 03 and 04: the solution passes, and wrong answers fail with a remark that helps."""

import numpy as np
import pytest
from exercise_tools import right_and_wrong

import numpymem
from gradcheck.exercises import chapter03 as three
from gradcheck.exercises import chapter04 as four
from numpymem.teaching import trained

GUESSES = (100 / 12, 100 / 16, 100 / 7)


def guesses(number, answer):
    """The right answers of 4.1, but for one."""
    return tuple(answer if i == number else right for i, right in enumerate(GUESSES))


def clipped_in_place(grads, largest):
    clipped = three.clip_together(grads, largest)
    for name, g in clipped.items():
        grads[name][...] = g


def changes_weights(w_write, e, a, w_read):
    w_write *= 1
    return three.traced(w_write, e, a, w_read) * 2


def key_and_order(same_key, age):
    return np.where(same_key > 0, 100 - 8 * age, -500)


RIGHT = [(three.ages, ("babi15",)), (three.ages, (15,)), (three.in_place, (three.share_in_place,)),
         (three.heads, (three.cost_of_heads,)), (three.clip, (three.clip_together,)), (three.follow, (three.traced,)),
         (four.guess, GUESSES), (four.guess, (8.3, 6.25, 14.3)), (four.questions, (four.as_questions,)),
         (four.ahead, (four.is_ahead,)),
         (four.latest, (four.latest_scores,)), (four.latest, (key_and_order,))]
WRONG = [(three.ages, ("babi4",), "leans on them"), (three.ages, (12,), "last move"), (three.ages, ("task 14",), "part of the day"),
         (three.ages, ("babi3",), "Expected one of"),
         (three.in_place, (three.against_the_first,), "first write of the key"),
         (three.in_place, (three.of_all_writes,), "rewrite nothing"),
         (three.in_place, (three.slot_was_used,), "by this key"),
         (three.in_place, (lambda slots, keys: 0.1,), "1 of 1 numbers wrong"),
         (three.heads, (lambda C, R, Q, W, S: C * ((R + Q) * (W + 3 + S) + 2 * Q * W),), "biases are missing"),
         (three.heads, (lambda C, R, Q, W, S: (C + 1) * (R + Q) * (3 * W + 3 + S),), "Only write heads"),
         (three.heads, (lambda C, R, Q, W, S: (R + Q) * (W + 3 + S) + 2 * Q * W,), "all units"),
         (three.clip, (three.clip_each,), "each array by itself"), (three.clip, (three.cut_numbers,), "single numbers"),
         (three.clip, (three.always_scaled,), "short ones longer"), (three.clip, (three.sum_of_norms,), "root of the sum"),
         (three.clip, (clipped_in_place,), "Expected a dict"),
         (three.follow, (three.never_erased,), "later writes erase"), (three.follow, (three.erases_itself,), "erase first"),
         (three.follow, (three.only_overlap,), "what is left there"),
         (three.follow, (changes_weights,), "2 times what they should be"),
         (four.guess, guesses(0, 6.25), "lead"), (four.guess, guesses(1, 3.125), "keys are not"),
         (four.guess, guesses(2, 12.5), "Nearly"),
         (four.guess, guesses(2, 100 / 128), "8 entities"), (four.guess, GUESSES[:2], "Expected 3 answers"),
         (four.questions, (four.from_nil,), "count from 1"), (four.questions, (four.bits_alone,), "which one"),
         (four.questions, (four.asks_for_the_next,), "from 0"),
         (four.questions, (lambda bits, position: (bits, position),), "sentences: expected shape"),
         (four.questions, (lambda bits, position: bits,), "expected two arrays"),
         (four.ahead, (four.mean_only,), "How sure"), (four.ahead, (four.without_two_points,), "less than two points"),
         (four.ahead, (four.spread_not_error,), "root of n"), (four.ahead, (four.not_paired,), "subtract seed by seed"),
         (four.ahead, (lambda ours, theirs: True,), "yours says True"),
         (four.ahead, (lambda ours, theirs: print(end=""),), "nothing"),
         (four.latest, (four.key_alone,), "the latest of them"), (four.latest, (four.age_alone,), "whatever its key"),
         (four.latest, (four.oldest_first,), "oldest"), (four.latest, (four.too_soft,), "larger scores"),
         (four.latest, (four.key_too_weak,), "count more"), (four.latest, (lambda same_key, age: same_key[0],), "Expected scores")]
ALL = (*three.ALL, *four.ALL)


def test_every_exercise_is_here():
    expected = {f"3.{n}" for n in range(1, 6)} | {f"4.{n}" for n in range(1, 5)}
    assert {exercise.id for exercise, _ in RIGHT} == {exercise.id for exercise in ALL} == expected
    assert all(sum(exercise is each for each, *_ in WRONG) >= 2 for exercise in ALL)


test_the_solution_passes, test_a_wrong_answer_fails_with_a_remark = right_and_wrong(RIGHT, WRONG)


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.id)
def test_a_blank_says_so_and_there_are_three_hints(exercise, capsys):
    def blank(*values):
        ...
    assert not exercise.grade(blank) and "Nothing here yet" in capsys.readouterr().out
    assert len({*exercise.hints}) == 3 and all(exercise.hints)


def test_only_task_15_loses_nothing_without_ages():
    """What 3.1 asks for is so."""
    lost = {}
    for number in (4, 12, 14, 15):
        model, params, task = trained(f"memn2n_babi{number}")
        batch = next(task.batches("test", 200))
        wrong = []
        for forward in (numpymem.find("MemN2N-time").original, lambda m_words, age, T: m_words.copy()):
            with numpymem.numpy_only(), numpymem.patch("MemN2N-time", forward):
                wrong.append(task.count_wrong(model.forward(params, batch.inputs)[0], batch)[0])
        lost[number] = wrong[1] - wrong[0]
    assert lost[15] == 0 and min(lost[number] for number in (4, 12, 14)) > 5


def test_the_rule_of_4_4_is_the_verdicts():
    from numpymem.experiments.claims.intervals import paired
    from numpymem.experiments.claims.section4 import is_ahead
    for _, ours, theirs in four.CASES:
        assert four.is_ahead(np.array(ours), np.array(theirs)) == is_ahead(paired(dict(enumerate(ours)), dict(enumerate(theirs))))
