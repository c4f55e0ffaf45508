"""The bug hunt: one bug is planted by its seed, and what gradcheck says of it is graded."""

import pytest

import gradcheck
from gradcheck.mutation import hunt as hunts
from gradcheck.mutation.grade import grade
from numpymem.equation import REGISTRY

WIRING = 8                  # a seed of bug_hunt whose bug is between two nodes


def test_a_hunt_in_a_pair(capsys):
    with gradcheck.bug_hunt(12, kind="pair") as hunt:
        assert hunt.report().splitlines()[0].startswith(f"{hunt.answer} ")
        assert not hunt.guess("nowhere") and hunt.guess(hunt.answer)
    assert gradcheck.check_equation(hunt.answer).passed
    assert hunt.mutant.before in hunt.reveal()
    assert "now repaired" in capsys.readouterr().out


def test_a_hunt_in_the_wiring_names_nodes_and_step():
    hunt = gradcheck.bug_hunt(WIRING, kind="wiring")
    assert "wrong from" in hunt.find().line and grade(hunt).right
    assert hunts._open == []                                   # grading takes the bug away


def test_one_hunt_at_a_time_and_the_same_seed_the_same_bug():
    first, second = gradcheck.bug_hunt(1, kind="pair"), gradcheck.bug_hunt(2, kind="pair")
    assert hunts._open == [second]
    again = gradcheck.bug_hunt(1, kind="pair")
    assert str(again.mutant) == str(first.mutant) and again.mutant.target.kind == "pair"
    again.undo()
    assert not any(item.is_patched for item in REGISTRY.values())
    with pytest.raises(ValueError, match="kind: expected 'pair', 'wiring' or None, received 'forward'"):
        gradcheck.bug_hunt(1, kind="forward")


def test_a_hunt_among_some():
    with gradcheck.bug_hunt(4, kind="pair", among=("DNC", "Hybrid")) as hunt:
        assert hunt.answer == "DNC-allocation" and hunt.report().startswith("DNC-allocation (allocation): du is wrong")
    with gradcheck.bug_hunt(2, kind="pair", among="hybrid") as hunt:
        assert hunt.answer.startswith("Hybrid-")
    with pytest.raises(ValueError, match=r"among: expected starts .* pair to break, received \('nothing',\)"):
        gradcheck.bug_hunt(1, kind="pair", among="nothing")
