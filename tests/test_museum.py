"""The museum of real bugs: every exhibit does to the checks what it says, leaves nothing behind, and its figures hold."""

import dataclasses
import html
import json
import re

import numpy as np
import pytest

import numpymem
from gradcheck import museum
from gradcheck.meaning import MEANINGS, select
from gradcheck.models import CASES, import_all
from gradcheck.museum import effects, trained
from gradcheck.museum.__main__ import main
from gradcheck.museum.exhibit import Exhibit
from gradcheck.museum.training import one_signed_entry
from numpymem.equation import REGISTRY

DESCENDANTS = ("dnc", "dnc_step", "dmn", "memory_transformer", "memory_transformer_model", "hybrid")
BUGS = [one for one in museum.EXHIBITS if one.kind != "checker"]


def named(one):
    return one.id


# ---- what the two checks say -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("exhibit", BUGS, ids=named)
def test_the_check_of_gradients_says_what_the_exhibit_states(exhibit):
    results = effects.check_gradients(exhibit)
    assert effects.caught(results) == exhibit.caught, "\n".join(map(str, results))
    assert {result.id for result in results} >= set(exhibit.equations), "every equation that it names is checked"
    assert len([result for result in results if result.kind == "model"]) == len(exhibit.models) > 0


@pytest.mark.parametrize("exhibit", BUGS, ids=named)
def test_the_tests_of_meaning_say_what_the_exhibit_states(exhibit):
    """Other models use equations of NTM and MemN2N: what a bug in these breaks there, too, is not counted, nor asked."""
    failed = [result for result in effects.check_meanings(exhibit, ids=of_parents()) if not result.passed]
    assert set(effects.unmet(failed)) == set(exhibit.unmet), "\n".join(map(str, failed))


def of_parents():
    """The tests of meaning of NTM, MemN2N and what all models share."""
    select()
    return [id for id, one in MEANINGS.items() if one.test.__module__.rsplit(".", 1)[-1] not in DESCENDANTS]


def test_the_guard_is_seen_at_the_corner_and_right_backwards_are_right_there():
    guard = museum.find("wrong-guard")
    assert effects.check_corner("NTM-3", guard.corner()).passed                  # ours
    with guard.installed():
        result = effects.check_corner("NTM-3", guard.corner())
    assert not result.passed and result.verdict == "wrong: dw, de"


# ---- the exhibits themselves -------------------------------------------------------------------------------------------------

def test_exhibits_are_complete():
    import_all(), select()
    ids = [one.id for one in museum.EXHIBITS]
    assert len(set(ids)) == len(ids) >= 14
    settings = {(case.name, case.setting) for case in CASES}
    for one in museum.EXHIBITS:
        assert all([one.title, one.wrote, one.right, one.seen]) and ("[read in code]" in one.shipped or "[issue]" in one.shipped)
        assert set(one.unmet) <= set(MEANINGS) and set(one.models) <= settings and set(one.equations) <= set(REGISTRY)
        assert {id for id, *_ in one.patches} <= set(one.equations), one.id
        assert set(one.tasks) <= set(trained.TASKS) and bool(one.tasks) == (one.kind != "checker")
    assert {one.kind for one in museum.EXHIBITS} == {"forward", "backward", "wiring", "checker"}


def test_the_source_of_an_exhibit_holds_its_patch_and_its_helpers():
    source = museum.find("softmax-over-batch").source
    for name in ("softmax_over_batch", "content_weights_over_batch", "content_weights_over_batch_backward",
                 "shift_numbers_over_batch_backward"):
        assert source.count(f"def {name}(") == 1
    for one in museum.EXHIBITS:
        compile(one.source, one.id, "exec")


def in_force():
    """Everything that an exhibit may change."""
    pairs = [item.functions for item in REGISTRY.values()]
    return pairs, [getattr(owner, name) for one in museum.EXHIBITS for owner, name, _ in one.swaps]


@pytest.mark.parametrize("exhibit", BUGS, ids=named)
def test_an_exhibit_changes_something_and_leaves_nothing_behind(exhibit):
    before = in_force()
    with pytest.raises(ZeroDivisionError), exhibit.installed():
        assert in_force() != before
        raise ZeroDivisionError
    assert in_force() == before


def test_an_unknown_exhibit_is_named():
    with pytest.raises(KeyError, match="no exhibit is called 'shift'; known: .*flat-shift"):
        museum.find("shift")


# ---- the exhibit about a checker -----------------------------------------------------------------------------------------------

def test_the_signed_check_misses_what_the_results_say():
    stated = trained.read()["checks"]
    found = effects.signed_check_misses()
    assert found == stated["signed check"]
    assert 45 < found["sign"] < 65 and found["all"] > 50
    assert stated["check_equation"] == {"all": 0.0, "planted": len(list(effects.planted()))}


def test_the_signed_check_sees_one_direction_only():
    true, rng = np.ones((3, 4)), np.random.default_rng(0)
    assert one_signed_entry(true, true, rng) and one_signed_entry(true, 2 * true, rng)        # twice too large: passes
    assert not one_signed_entry(true, true / 2, rng)


@pytest.mark.parametrize("what", ["sign", "one entry"])
@pytest.mark.parametrize("id", ["NTM-3", "NTM-9", "MemN2N-2"])
def test_our_check_does_not_miss_them(id, what):
    import_all()
    for which in range(len(REGISTRY[id].differentiable)):
        with numpymem.patch(id, None, effects.spoilt(REGISTRY[id], which, what)):
            assert not effects.check_equation(id).passed


# ---- training ------------------------------------------------------------------------------------------------------------------

def as_json(value):
    return json.loads(json.dumps(value))


def test_results_hold_every_exhibit_and_were_made_with_todays_settings():
    found = trained.read()
    assert found["rule"] == trained.RULE and found["command"].startswith("python -m gradcheck.museum")
    assert found["settings"] == as_json({name: dataclasses.asdict(task) for name, task in trained.TASKS.items()})
    assert {id: set(tasks) for id, tasks in found["exhibits"].items()} == {one.id: set(one.tasks) for one in BUGS}
    for task, runs in found["healthy"].items():
        assert [run["seed"] for run in runs] == found["seeds"] and found["chance"][task] == round(trained.chance_of(task), 2)


@pytest.mark.parametrize("exhibit", BUGS, ids=named)
def test_verdicts_follow_from_the_numbers(exhibit):
    found = trained.read()
    for task, of in exhibit.training.items():
        healthy, bug = found["healthy"][task], of["runs"]
        assert [run["seed"] for run in bug] == [run["seed"] for run in healthy]
        assert all(len(run["curve"]) == trained.PARTS for run in (*healthy, *bug))
        assert of["verdict"] == trained.judge(task, healthy, bug, found["chance"][task])
        assert of["bug"]["final"] == trained.mean_sd([run["curve"][-1] for run in bug])


def test_the_healthy_models_learn_their_tasks():
    found = trained.read()
    for task, runs in found["healthy"].items():
        assert max(run["curve"][-1] for run in runs) < found["chance"][task] / 3, task


def some_runs(finals, curve=0.0, extra=1.0):
    return [{"curve": [curve, final], "extra": extra} for final in finals]


@pytest.mark.parametrize("bug, verdict", [
    (some_runs([0.5, 1.0, 0.0]), "learns as well"), (some_runs([2.0, 2.5, 2.0]), "learns as well"),
    (some_runs([30.0, 26.0, 25.1]), "does not learn"), (some_runs([30.0, 26.0, 24.0]), "some seeds fail"),
    (some_runs([1.0, 0.0, 26.0]), "some seeds fail"),
    (some_runs([9.0, 8.0, 9.0]), "learns worse"), (some_runs([0.0, 1.0, 0.0], curve=20.0), "learns more slowly"),
    (some_runs([0.0, 1.0, 0.0], extra=30.0), "learns as well, but not at length 10")])
def test_the_rule(bug, verdict):
    assert trained.judge("copy", some_runs([0.0, 1.0, 0.5]), bug, 50.0) == verdict


def short(monkeypatch):
    task = trained.TASKS["copy"]
    monkeypatch.setitem(trained.TASKS, "copy", dataclasses.replace(task, recipe=task.recipe | {"sequences": 96}))
    monkeypatch.setattr(trained, "PARTS", 2)


def test_a_run_can_be_repeated_and_the_bug_is_in_force(monkeypatch):
    short(monkeypatch)
    runs = [trained.train("copy", 0, museum.find("softmax-over-batch")) for _ in range(2)]
    for run in runs:
        run.pop("cpu_seconds")
    assert runs[0] == runs[1] and len(runs[0]["curve"]) == trained.PARTS
    healthy = trained.train("copy", 0)
    assert healthy["curve"] != runs[0]["curve"] and not healthy["stopped"]


def test_a_run_that_meets_nan_ends_with_the_error_of_guessing(monkeypatch):
    short(monkeypatch)
    broken = Exhibit("nan", "", "", "", "", "", patches=(("NTM-7", lambda w_c, w_prev, g: np.nan * w_c, None),))
    run = trained.train("copy", 0, broken)
    assert run["curve"] == [50.0] * trained.PARTS and run["extra"] == 50.0 and "NTM-7" in run["stopped"]


def test_training_again_writes_what_it_measured_and_keeps_the_rest(monkeypatch, tmp_path):
    short(monkeypatch)
    monkeypatch.setattr(trained, "RESULTS", tmp_path / "results.json")
    said = []
    for id in ("mirrored-shift", "flat-shift"):
        trained.retrain([museum.find(id)], 2, said.append)
    found = trained.read()
    assert list(found["exhibits"]) == ["mirrored-shift", "flat-shift"] and len(found["exhibits"]["flat-shift"]["copy"]["runs"]) == 2
    assert [line.split()[0] for line in said] == ["(healthy)", "mirrored-shift", "flat-shift"]
    with pytest.raises(ValueError, match=r"expected the seeds of results.json, \[0, 1\], received \[0\]"):
        trained.retrain([museum.find("flat-shift")], 1)


# ---- the command line ------------------------------------------------------------------------------------------------------------

def test_the_table_fits_and_holds_every_exhibit(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = lines[2:lines.index("")]
    assert [row.split()[0] for row in rows if row[0] != " "] == [one.id for one in museum.EXHIBITS]
    assert "not measured" not in "\n".join(lines) and f"{len(BUGS)} bugs: " in "\n".join(lines)


def test_one_exhibit_is_shown_with_its_code_and_its_effects(capsys):
    assert main(["flat-shift", "signed-check"]) == 0
    out = capsys.readouterr().out
    for text in ("snipsco/ntm-lasagne", "def shift_off_the_edge(w_g, s):", "NTM-8  shift", "shift-loses-nothing", "training, copy:",
                 "with the bug", "guessing", "planted error"):
        assert text in out
    assert main(["no-such"]) == 2 and "no exhibit is called 'no-such'" in capsys.readouterr().err
    assert main(["--seeds", "0"]) == 2 and "expected a whole number from 1 on, received '0'" in capsys.readouterr().err


def test_the_page_has_every_exhibit_and_needs_nothing_else(tmp_path, capsys):
    target = tmp_path / "museum.html"
    assert main(["--html", str(target)]) == 0
    text = target.read_text(encoding="utf-8")
    assert all(f'id="{one.id}"' in text and html.escape(one.title) in text for one in museum.EXHIBITS)
    assert "<svg" in text and "http" not in text.replace("http://www.w3.org", "")
    assert len(re.findall(r' id="', text)) == len(set(re.findall(r' id="([^"]+)"', text)))
    assert "page:" in capsys.readouterr().err
