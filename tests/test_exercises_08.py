"""The exercises of chapter 08: the solution passes, and wrong answers fail with a remark that helps."""

import types

import numpy as np
from exercise_tools import right_and_wrong

from gradcheck.exercises import chapter08 as eight
from numpymem.experiments.claims.intervals import T_95
from numpymem.hybrid.equations import look_back, look_back_backward


def interval(ours, theirs):
    d = ours - theirs
    half = T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


def look_back_added(dx, z, when):
    dz = np.zeros_like(z)
    dz[when, np.arange(len(when))[:, None]] += dx                       # an index that comes twice is added to once
    return dz


def not_summed(dy, x, z, h):
    g = eight.sigmoid(h)
    return dy.copy(), g * dy, dy * z * g * (1 - g)


def look_back_twice(dx, z, when):
    return 2 * look_back_backward(dx, z, when)


RIGHT = [(eight.interval, (interval,)), (eight.interval, (eight.paired_interval,)),
         (eight.verdict, ("agrees", "Differs", "depends ")), (eight.looked_back, (look_back.original_backward,)),
         (eight.own, (eight.say_gated, eight.say_gated_backward)),
         (eight.hunted, (types.SimpleNamespace(answer="DNC-link"), "dnc-link"))]
WRONG = [(eight.interval, (eight.unpaired,), "seed by seed first"), (eight.interval, (eight.with_n,), "ddof=1"),
         (eight.interval, (eight.of_the_normal,), "very many seeds"), (eight.interval, (eight.of_one_seed,), "divide by sqrt(n)"),
         (eight.interval, (eight.turned_round,), "other way round"), (eight.interval, (eight.one_off,), "n - 1 degrees"),
         (eight.interval, (lambda ours, theirs: ours.mean() - theirs.mean(),), "Expected shape (3,)"),
         (eight.verdict, ("depends", "differs", "depends"), "not more than 2 points"),
         (eight.verdict, ("agrees", "agrees", "depends"), "begins below zero"),
         (eight.verdict, ("agrees", "differs", "agrees"), "2.6 points behind"),
         (eight.looked_back, (eight.overwritten,), "three gradients"), (eight.looked_back, (look_back_added,), "np.add.at does"),
         (eight.looked_back, (eight.everywhere,), "Only the steps"), (eight.looked_back, (look_back_twice,), "2.000"),
         (eight.own, (eight.gate_both, eight.say_gated_backward), "Answer 1: The gate stands before z alone"),
         (eight.own, (eight.gate_other, eight.say_gated_backward), "a choice between the two"),
         (eight.own, (eight.gate_open, eight.say_gated_backward), "between 0 and 1"),
         (eight.own, (eight.say_gated, eight.no_slope), "g (1 - g), is missing"),
         (eight.own, (eight.say_gated, not_summed), "as h has"), (eight.own, (eight.say_gated, eight.forgot_gate), "g dy"),
         (eight.own, (eight.say_gated,), "Expected 2 answers"),
         (eight.hunted, (types.SimpleNamespace(answer="DNC-link"), "DNC-usage"), "as it should be"),
         (eight.hunted, (types.SimpleNamespace(answer="hybrid"), "Hybrid-facts"), "first line")]


def test_every_exercise_is_here():
    assert [exercise.id for exercise in eight.ALL] == [f"8.{n}" for n in range(1, 6)]
    assert {exercise.id for exercise, _ in RIGHT} == {exercise.id for exercise in eight.ALL}
    assert all(sum(exercise is each for each, *_ in WRONG) >= 2 for exercise in eight.ALL)


test_the_solution_passes, test_a_wrong_answer_fails_with_a_remark = right_and_wrong(RIGHT, WRONG)
