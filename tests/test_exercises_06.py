"""The exercises of chapter 06: the solution passes, and wrong answers fail with a remark that helps."""

import numpy as np
from exercise_tools import fails, right_and_wrong
from kernel_tools import needs_numba

from gradcheck.exercises import chapter06 as six
from numpymem import commands
from numpymem.kernel import KERNELS
from numpymem.ntm.equations import shift

commands.import_equations()


def add_only(M_prev, w, e, a, M):
    M[:] = M_prev + np.outer(w, a)


def new_array(M_prev, w, e, a, M):
    M = M_prev * (1 - np.outer(w, e)) + np.outer(w, a)      # noqa: F841  the mistake


def in_place(M_prev, w, e, a, M):
    M_prev *= 1 - np.outer(w, e)
    M[:] = M_prev + np.outer(w, a)


def returns_it(M_prev, w, e, a, M):
    return M_prev * (1 - np.outer(w, e)) + np.outer(w, a)


def not_for_numba(M_prev, w, e, a, M):
    M[:] = returns_it(M_prev, w, e, a, M)                    # a plain function, which numba does not know


def twice_the_shift(w_g, s):
    return 2 * shift.original(w_g, s)


def rolled(w_g, s):
    S = s.shape[-1]
    return sum(s[..., [j]] * np.roll(w_g, j - S // 2, axis=-1) for j in range(S))


def one_sequence_at_a_time(w_g, s):
    return np.stack([rolled(w_b, s_b) for w_b, s_b in zip(w_g, s)])


RIGHT = [(six.layer, (six.two_memories,)), (six.order, (six.write_then_read_backward,)), (six.vectorised, (rolled,)),
         (six.vectorised, (shift.original,)), (six.one_pass, (six.write_in_one_pass,)),
         (six.standing_down, (["ntm.sequence", "memn2n.hops"],)), (six.standing_down, ("NTM.sequence ", "memn2n.hops"))]
WRONG = [(six.layer, (six.one_memory,), "erratum 3"), (six.layer, (six.over_the_batch,), "over the batch"),
         (six.layer, (six.without_question,), "what was asked stays"), (six.layer, (lambda u, m, c: c,), "Expected shape"),
         (six.order, (six.as_read_first,), "other order"), (six.order, (six.straight_to_the_old,), "back through add and erase"),
         (six.order, (six.without_reading,), "second is missing"),
         (six.vectorised, (six.shift_by_loops,), "lines of Python"), (six.vectorised, (one_sequence_at_a_time,), "lines of Python"),
         (six.vectorised, (six.shift_other_way,), "other way round"), (six.vectorised, (six.shift_off_the_edge,), "neighbours"),
         (six.vectorised, (twice_the_shift,), "2 times what they should be"),
         (six.one_pass, (add_only,), "nothing erased"), (six.one_pass, (new_array,), "fills"),
         (six.one_pass, (in_place,), "backward"),
         (six.one_pass, (returns_it,), "fill the array"),
         (six.standing_down, (["ntm.sequence"],), "1 more"), (six.standing_down, (["memn2n.encode", "ntm.sequence"],), "goes on"),
         (six.standing_down, (["sharpen"],), "No kernel")]


def test_every_exercise_is_here():
    assert {exercise.id for exercise, _ in RIGHT} == {exercise.id for exercise in six.ALL} == {f"6.{n}" for n in range(1, 6)}
    assert all(sum(exercise is each for each, *_ in WRONG) >= 2 for exercise, _ in RIGHT)


test_the_solution_passes, test_a_wrong_answer_fails_with_a_remark = right_and_wrong(RIGHT, WRONG)


@needs_numba
def test_a_loop_that_numba_cannot_compile_fails_with_a_remark(capsys):
    fails(six.one_pass, (not_for_numba,), "cannot compile", capsys)


def test_counted_lines_grow_with_loops_only():
    small, large = (six.weights_and_shifts(*sizes) for sizes in ((1, 1, 5), (2, 3, 7)))
    assert six.lines_run(rolled, *small) == six.lines_run(rolled, *large)
    assert six.lines_run(six.shift_by_loops, *large) > 2 * 3 * 7 * 3


def test_the_kernels_that_are_asked_about_exist():
    assert set(six.OF_THE_TWO) <= KERNELS.keys()
