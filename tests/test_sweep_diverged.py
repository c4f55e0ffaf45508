"""Runs whose loss is no longer finite: they fail a sweep, or end there and are counted."""

import json

import pytest

from numpymem.experiments import spec, sweep_run
from sweep_tools import SMALL

GROUP = {"label": "NTM", "model": "ntm", "task": "copy", "controller": "feedforward", "seeds": 1,
         "set": [*SMALL, "optimizer=sgd", "lr=1e39", "clip=0", "sequences=80"]}
CONTENT = {"title": "t", "source": "s", "about": "a", "groups": [GROUP]}


@pytest.mark.parametrize("counted", [True, False])
def test_a_run_that_diverges(tmp_path, counted):
    content = CONTENT | ({"diverged": "counted"} if counted else {})
    spec.check(content)
    (job,) = spec.jobs(content, tmp_path)
    error = sweep_run.train_one(job)
    if counted:
        found = json.loads(sweep_run.result_file(job["folder"]).read_text())
        assert error == "" and "sequences" in found["diverged"]
        assert found["figures"] == {} and found["converged_at"] is None and found["sequences"] < 80
    else:
        assert error.startswith("NonFiniteError") and not sweep_run.result_file(job["folder"]).exists()


def test_gradients_are_kept_with_each_run(tmp_path):
    (job,) = spec.jobs(CONTENT | {"groups": [GROUP | {"set": [*SMALL, "sequences=320"]}]}, tmp_path)
    assert sweep_run.train_one(job) == ""
    found = json.loads(sweep_run.result_file(job["folder"]).read_text())
    assert [point[0] for point in found["gradients"]] == [80, 160, 240, 320] and "diverged" not in found
    assert all(0 < median <= largest for _, median, largest in found["gradients"])


def test_only_counted_is_known():
    with pytest.raises(ValueError, match="diverged: expected 'counted', received 'ignored'"):
        spec.check(CONTENT | {"diverged": "ignored"})
