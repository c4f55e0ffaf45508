"""Of every exercise of every chapter: each mistake that its judge foresees is wrong, and gets its own remark, not another's."""

import importlib
import inspect
import pathlib

import pytest

import gradcheck.exercises as package
from gradcheck.exercises import Exercise, Mistake

MODULES = [importlib.import_module(f"gradcheck.exercises.{path.stem}")
           for path in sorted(pathlib.Path(package.__file__).parent.glob("chapter*.py"))]
EXERCISES = {one.id: one for module in MODULES for one in vars(module).values() if isinstance(one, Exercise)}


def judges_of(judge):
    """A judge, or those that all_of put together."""
    seen = inspect.getclosurevars(judge).nonlocals
    return [each for one in seen["judges"] for each in judges_of(one)] if "judges" in seen else [judge]


FORESEEN = [(f"{id}-{judge_number}-{number}", judge, one) for id, exercise in EXERCISES.items()
            for judge_number, judge in enumerate(judges_of(exercise.judge), 1)
            for number, one in enumerate(inspect.getclosurevars(judge).nonlocals.get("mistakes", ()), 1)]
CHOICES = [(f"{id}-{choice}", judge, choice, remark) for id, exercise in EXERCISES.items() for judge in judges_of(exercise.judge)
           for choice, remark in inspect.getclosurevars(judge).nonlocals.get("remarks", {}).items()]


def test_there_are_many():
    assert len(EXERCISES) >= 23 and len(FORESEEN) >= 50 and all(isinstance(one, Mistake) for *_, one in FORESEEN)


@pytest.mark.parametrize("judge, mistake", [each[1:] for each in FORESEEN], ids=[each[0] for each in FORESEEN])
def test_a_foreseen_mistake_gets_its_own_remark(judge, mistake):
    assert judge(mistake.made).startswith(mistake.remark)


@pytest.mark.parametrize("judge, choice, remark", [each[1:] for each in CHOICES], ids=[each[0] for each in CHOICES])
def test_a_wrong_choice_gets_its_own_remark(judge, choice, remark):
    assert judge(choice) == judge(choice.upper()) == remark != ""
