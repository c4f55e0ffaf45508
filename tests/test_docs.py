"""The README's map and the committed results say what the code says."""

import dataclasses
import json
import pathlib
import re
import statistics

import pytest

from numpymem import catalog, commands
from numpymem.equation import find
from numpymem.experiments import results
from numpymem.training import Recipe

ROOT = pathlib.Path(__file__).parent.parent
commands.import_equations()
ROW = r"^\| ((?:NTM|MemN2N|LSTM)[^|]*) \| [^|]+ \| (`[^|]+) \| (`python -m gradcheck[^|]+) \|$"
MAP = re.findall(ROW, (ROOT / "README.md").read_text(), re.MULTILINE)


def test_the_map_is_there():
    assert len(MAP) == 11


@pytest.mark.parametrize("ids, functions, check", MAP)
def test_map_names_the_functions_of_the_equations_and_their_files(ids, functions, check):
    ids, places = ids.split(", "), re.findall(r"`([^`]+)`", functions)
    files = [place for place in places if place.endswith(".py")]
    names = [place for place in places if not place.endswith(".py")]
    assert [find(id).name for id in ids] == names
    assert {find(id).address.rsplit(":", 1)[0] for id in ids} == set(files)
    assert check == f"`python -m gradcheck {' '.join(ids)}`"


def started(found):
    """What a result's runs began with. A setting that came after them had its default then."""
    return {"settings": found["settings"], "recipe": dataclasses.asdict(Recipe(**found["recipe"]))}


def starts(model, task, controller=None, **changed):
    """What a run begins with today."""
    settings, recipe = catalog.settings_of(model, task, controller)
    return {"settings": settings | changed, "recipe": dataclasses.asdict(recipe)}


def best(found):
    """The run with the lowest training error; the lower training loss decides a tie."""
    return min(found, key=lambda run: (run["train"], run["train_bits"]))


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_copy_results_are_whole_and_of_this_recipe(controller):
    found = results.read(f"ntm_copy_{controller}")
    assert started(found) == starts("ntm", "copy", controller)
    assert f"--controller {controller}" in found["command"] and [run["seed"] for run in found["runs"]] == list(range(10))
    for run in found["runs"]:
        assert run["sequences"] <= run["sequences_in_all"] and set(run["wrong_bits_percent"]) == {"20", "50", "80", "120"}
        assert all(0 <= value <= 100 for value in run["wrong_bits_percent"].values())
    assert statistics.median(run["sequences"] for run in found["runs"]) <= 25_000


@pytest.mark.parametrize("name", ["memn2n_babi", "memn2n_babi_formula"])
def test_babi_results_are_whole(name):
    found = results.read(name)
    changed = {"encoding": "position"} if name.endswith("formula") else {}
    assert started(found) == starts("memn2n", "babi1", **changed)
    for task in (1, 19):
        runs = [run for run in found["runs"] if run["task"] == task]
        assert [run["seed"] for run in runs] == list(range(10))
        assert all(run["questions"] == 1000 and run["data"].startswith("real") for run in runs)


def test_duel_result_has_every_row_for_both_models():
    found = json.loads((results.FOLDER / "duel_quick.json").read_text())
    assert [row["row"] for row in found["rows"]] == ["copy", "path-finding", "qa"]
    assert all({"ntm", "memn2n"} <= set(column["models"]) for row in found["rows"] for column in row["columns"])


def test_the_readme_quotes_the_results():
    """Each figure in the README's table of results is the one in the result file."""
    text = (ROOT / "README.md").read_text()
    for controller in ("lstm", "feedforward"):
        runs = results.read(f"ntm_copy_{controller}")["runs"]
        assert f"{statistics.median(run['sequences'] for run in runs):,.0f}" in text
        assert f"{sum(run['wrong_bits_percent']['120'] < 1 for run in runs)} of 10" in text
    for name in ("memn2n_babi", "memn2n_babi_formula"):
        for task in (1, 19):
            chosen = best([run for run in results.read(name)["runs"] if run["task"] == task])
            assert f"{chosen['test']:.1f} %" in text
