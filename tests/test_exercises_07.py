"""The exercises of chapter 07: the solution passes, and wrong answers fail with a remark that helps."""

import numpy as np
from exercise_tools import right_and_wrong

from gradcheck.exercises import chapter07 as seven
from numpymem.dnc.equations import allocation, allocation_backward, link, precedence, retention, usage
from numpymem.memory_transformer.transformer import layer_norm

FREE = ([1, 1, 0.2], [0.75, 0, 0.2], [0.04, 0.8, 0.12])


def but(number, answer):
    """The right answers to the first exercise, but for one."""
    return tuple(answer if i == number else right for i, right in enumerate(FREE))


def twice(du, u_prev, w_w_prev, psi):
    return tuple(2 * gradient for gradient in usage.original_backward(du, u_prev, w_w_prev, psi))


def one_fact_short(facts, g):
    return seven.read_in_order(facts[:, :-1], g[:, :-1])


RIGHT = [(seven.free_slot, FREE), (seven.sorted_out, ([0.4, -0.2], [0, -1])), (seven.used, (usage.original_backward,)),
         (seven.links, (seven.SECOND_LAP, 1)), (seven.links, (np.array(seven.SECOND_LAP), "1")),
         (seven.episode, (seven.read_in_order,)), (seven.normed, (seven.normalise_backward,)),
         (seven.which, ("yes", "no", "unfair"))]
WRONG = [(seven.free_slot, but(0, [0, 0, 0.8]), "psi is what is kept"),
         (seven.free_slot, but(0, [1, 1, 0]), "a fifth of it is kept"),
         (seven.free_slot, but(1, [1, 0, 0.2]), "cannot be filled again"),
         (seven.free_slot, but(1, [0.75, 0, 1]), "Multiply by psi"),
         (seven.free_slot, but(2, [0.5, 0.8, 0.6]), "what that one leaves"),
         (seven.free_slot, but(2, [0.5, 0.4, 0.06]), "Emptiest first: 1, 2, 0"),
         (seven.free_slot, but(2, [0.02, 0.16, 0.048]), "slot's own usage"),
         (seven.sorted_out, ([0, -1], [0, -1]), "slot 0 is emptier"), (seven.sorted_out, ([0.4, -0.2], [0.8, -0.6]), "other order"),
         (seven.sorted_out, ([0.4, 0.2], [0, -1]), "mind the sign"),
         (seven.used, (seven.usage_without_overlap,), "left out the product"),
         (seven.used, (seven.usage_without_psi,), "through that"),
         (seven.used, (seven.usage_crossed,), "changed places"), (seven.used, (twice,), "2.000"),
         (seven.links, (np.transpose(seven.SECOND_LAP), 1), "Rows and columns"),
         (seven.links, ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], 1), "old links"), (seven.links, (seven.SECOND_LAP, 0), "after slot 1"),
         (seven.episode, (seven.soft,), "weighted sum"), (seven.episode, (seven.backwards,), "follows the story"),
         (seven.episode, (seven.gate_turned_round,), "wrong way round"), (seven.episode, (seven.forgets,), "last fact alone"),
         (seven.episode, (one_fact_short,), "numbers wrong"),
         (seven.normed, (seven.all_constant,), "took mean and spread for constants"),
         (seven.normed, (seven.spread_constant,), "The spread"),
         (seven.normed, (seven.mean_constant,), "mean of its gradient"),
         (seven.which, ("no", "no", "unfair"), "All three seeds"), (seven.which, ("yes", "yes", "unfair"), "sign is sure"),
         (seven.which, ("yes", "no", "yes"), "twice the parameters"), (seven.which, ("yes", "no"), "Expected 3 answers")]


def test_every_exercise_is_here():
    assert [exercise.id for exercise in seven.ALL] == [f"7.{n}" for n in range(1, 8)]
    assert {exercise.id for exercise, _ in RIGHT} == {exercise.id for exercise in seven.ALL}
    assert all(sum(exercise is each for each, *_ in WRONG) >= 2 for exercise in seven.ALL)


test_the_solution_passes, test_a_wrong_answer_fails_with_a_remark = right_and_wrong(RIGHT, WRONG)


def test_the_numbers_by_hand_are_those_of_the_equations():
    psi = retention(np.ones((1, 1, 1)), np.array([[[0, 0, 0.8]]]))
    u = usage(np.array([[0.5, 0, 1]]), np.array([[0.5, 0, 0]]), psi)
    assert np.allclose(psi, FREE[0]) and np.allclose(u, FREE[1]) and np.allclose(allocation(np.array([[0.5, 0.2, 0.4]])), FREE[2])
    L, p = np.zeros((1, 3, 3)), np.zeros((1, 3))
    for slot in (0, 2, 1, 0):
        L, p = link(L, np.eye(3)[None, slot], p), precedence(p, np.eye(3)[None, slot])
    assert np.array_equal(L[0], seven.SECOND_LAP)
    for u, du in (([0.2, 0.6], [0.4, -0.2]), ([0.6, 0.2], [0, -1])):
        assert np.allclose(allocation_backward(np.array([[0.0, 1.0]]), np.array([u])), du)


def test_the_layer_norm_of_the_exercise_is_the_library_s_without_gain_and_bias():
    x = np.random.default_rng(0).standard_normal((3, 5))
    assert np.allclose(seven.normalise(x), layer_norm(x, np.ones(5), np.zeros(5))[0])
