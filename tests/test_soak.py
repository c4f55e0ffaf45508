"""The soak (benchmarks/soak.py): it goes on where it stood, tells of a run that stops, and what it found is committed."""

import json

import numpy as np
import pytest

from benchmarks import soak, soak_plot, studies
from numpymem import numpy_only
from numpymem.training import Training
from numpymem.training.nan_guard import NonFiniteError


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(soak, "EVERY", 32)
    monkeypatch.setattr(soak, "SIZES", {"controller_size": 4, "N": 5, "W": 3})
    monkeypatch.setattr(soak, "LENGTHS", (1, 2))
    with numpy_only():
        yield


def timeless(lines):
    return [{name: value for name, value in line.items() if name != "cpu_seconds"} for line in lines]


def test_a_run_in_parts_is_the_run_in_one_go(tmp_path):
    whole = soak.soak("clipped", 96)
    first = soak.soak("clipped", 32, folder=tmp_path)
    rest = soak.soak("clipped", 96, folder=tmp_path)
    assert [first["done"], rest["done"], whole["done"]] == [32, 96, 96] and whole["stopped"] is None
    assert timeless(rest["lines"]) == timeless(whole["lines"])
    assert [line["sequences"] for line in whole["lines"]] == [32, 64, 96]
    assert all(list(line["norms"]) == sorted(line["norms"]) and line["norms"][0] > 0 for line in whole["lines"])


def test_a_number_that_is_not_finite_stops_a_run_and_is_told(monkeypatch):
    step, steps = Training.step, []

    def breaks(self):
        steps.append(1)
        if len(steps) > 3:
            raise NonFiniteError("first in NTM-9")
        return step(self)
    monkeypatch.setattr(Training, "step", breaks)
    found = soak.soak("too fast", 96)
    assert found["stopped"] == "first in NTM-9" and found["done"] == 48 and len(found["lines"]) == 1


def committed():
    return json.loads(soak.RESULT.read_text())


def test_a_million_sequences_without_a_number_that_is_not_finite():
    result = committed()
    runs = {run["name"]: run for run in result["runs"]}
    assert list(runs) == list(soak.RECIPES) and runs["clipped"]["done"] == 1_000_000
    for name, run in runs.items():
        assert run["recipe"] == soak.RECIPES[name] and run["stopped"] is None and run["done"] >= result["sequences"][name]
        assert [line["sequences"] for line in run["lines"]] == list(range(10_000, run["done"] + 1, 10_000))
        assert np.isfinite([[*line["norms"], line["loss"], line["largest_parameter"]] for line in run["lines"]]).all()
    assert "--save" in result["command"] and result["seed"] == 0


def test_the_report_fits_and_the_figure_is_drawn():
    result = committed()
    assert max(map(len, soak.text(result).splitlines())) <= studies.WIDTH
    assert len(soak_plot.picture_of(result).axes) == 2 * len(result["runs"])
    assert soak.main(["--seed", "x"]) == 2
