"""What every exercise of a chapter must do, whichever chapter it is in."""

import pytest


def right_and_wrong(right, wrong):
    """Two tests for a chapter's file: each answer of `right` passes, and each of `wrong` gets the remark that is meant for it.

    right    [(exercise, answers)]
    wrong    [(exercise, answers, remark)]
    """
    def a_test(names, rows):
        return pytest.mark.parametrize(names, rows, ids=lambda one: getattr(one, "id", ""))

    @a_test("exercise, answers", right)
    def the_solution_passes(exercise, answers, capsys):
        passes(exercise, answers, capsys)

    @a_test("exercise, answers, remark", wrong)
    def a_wrong_answer_fails_with_a_remark(exercise, answers, remark, capsys):
        fails(exercise, answers, remark, capsys)
    return the_solution_passes, a_wrong_answer_fails_with_a_remark


def passes(exercise, answers, capsys):
    """Assert that the answers are right, and that it is said."""
    assert exercise.grade(*answers)
    assert f"{exercise.id} Right." in capsys.readouterr().out


def fails(exercise, answers, remark, capsys):
    """Assert that the answers are wrong, and that the remark is made."""
    assert not exercise.grade(*answers)
    said = " ".join(capsys.readouterr().out.split())
    assert "Not yet." in said and remark in said, said
