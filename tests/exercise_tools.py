"""What every exercise of a chapter must do, whichever chapter it is in."""


def passes(exercise, answers, capsys):
    """Assert that the answers are right, and that it is said."""
    assert exercise.grade(*answers)
    assert f"{exercise.id} Right." in capsys.readouterr().out


def fails(exercise, answers, remark, capsys):
    """Assert that the answers are wrong, and that the remark is made."""
    assert not exercise.grade(*answers)
    said = " ".join(capsys.readouterr().out.split())
    assert "Not yet." in said and remark in said, said
