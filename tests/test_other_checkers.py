"""Planted bugs under other people's gradient checks. Where PyTorch or JAX is missing, it is tested that their checks say so."""

import importlib.util
import json

import numpy as np
import pytest

from benchmarks import other_checkers as command
from benchmarks import planted_bugs, policies
from benchmarks.planted_bugs import Place
from benchmarks.policies import CHECKS, LIBRARY, THRESHOLDS, Function, NotInstalled
from gradcheck.mutation.hunt import Hunt
from gradcheck.mutation.mutant import mutants_of
from gradcheck.mutation.targets import targets
from gradcheck.recording import Program
from numpymem.ops.activations import sigmoid

QUIET = {"equation": False, "argument": False, "index": False, "step": False}


def tiny(dx=1.0, dy=1.0, is_model=False, rows=4):
    """Two arguments, two outputs; the gradients by hand are dx and dy times the right ones."""
    rng = np.random.default_rng(0)
    values = {"x": 1 + rng.random((rows, 3)), "y": 1 + rng.random(3)}

    def forward(values):
        return [np.tanh(values["x"]) * values["y"], (values["x"] ** 2).sum(0)], None

    def backward(values, kept, upstream):
        x, (first, second) = values["x"], upstream
        return {"x": dx * (first * values["y"] * (1 - np.tanh(x) ** 2) + 2 * x * second), "y": dy * (first * np.tanh(x)).sum(0)}

    return Function(Program("tiny", values, forward, backward), is_model)


# ---- the checkers ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("wrong, argument", [({"dx": 2.0}, 0), ({"dy": 2.0}, 1)])
def test_a_right_backward_passes_and_a_doubled_one_does_not(name, wrong, argument):
    library = LIBRARY.get(name)
    if library and importlib.util.find_spec(library) is None:
        with pytest.raises(NotInstalled, match=rf"^{library} is not installed: its gradient check is left out"):
            CHECKS[name](tiny())
        assert policies.missing()[library] == "not installed"
        return
    right, doubled = CHECKS[name](tiny()), CHECKS[name](tiny(**wrong))
    assert not right.caught and right.message == ""
    assert doubled.caught
    expected = {"torch": f"with respect to input {argument},", "torch fast": f"with respect to input {argument},",
                "jax": "Not equal to tolerance", "cs231n": f"d{'xy'[argument]}: largest relative error 3.3e-01"}[name]
    assert expected in doubled.message and not doubled.message.startswith("raises")


@pytest.mark.parametrize("name", LIBRARY)
def test_a_missing_library_is_said_in_one_line(name, monkeypatch):
    monkeypatch.setattr(policies.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=rf"^{LIBRARY[name]} is not installed: .* \(pip install {LIBRARY[name]}\)$"):
        CHECKS[name](tiny())
    assert policies.missing() == {"torch": "not installed", "jax": "not installed"}


def test_what_a_backward_raises_is_no_pass():
    def broken():
        raise IndexError("index 3 is out of bounds")
    assert policies.answer(broken, AssertionError, "") == (True, "raises IndexError: index 3 is out of bounds", "", None)


@pytest.mark.parametrize("factor, caught", [(1.0, []), (1 + 1e-5, ["1e-7"]), (1 + 4e-3, ["1e-4", "1e-7"]), (2.0, list(THRESHOLDS))])
def test_cs231n_is_asked_at_three_thresholds(factor, caught):
    said = planted_bugs.ask("cs231n", Place("tiny", "", tiny(dy=factor)))
    assert [threshold for threshold, yes in said["caught"].items() if yes] == caught
    assert said["error"] == pytest.approx(abs(factor - 1) / (factor + 1), abs=2e-9)


def test_cs231n_looks_at_all_entries_of_a_pair_and_at_ten_of_each_argument_of_a_model():
    rng = np.random.default_rng(0)
    assert list(policies.picked(50, rng, sparse=False)) == list(range(50))
    assert len(set(policies.picked(50, rng, sparse=True))) == 10
    assert list(policies.picked(4, rng, sparse=True)) == [0, 1, 2, 3]
    modes = [policies.cs231n(function).mode for function in (tiny(), tiny(is_model=True), tiny(rows=600))]
    assert modes == ["all entries", "10 entries an argument", "10 entries an argument"]


def test_not_a_number_is_an_infinite_error():
    assert policies.relative_error(np.array([1.0, np.nan]), np.array([1.0, 1.0])) == np.inf
    assert planted_bugs.ask("cs231n", Place("tiny", "", tiny(dx=np.nan)))["error"] is None


# ---- the bugs --------------------------------------------------------------------------------------------------------------

@pytest.fixture
def hunt():
    """A factor too many in sigmoid's backward."""
    target = next(target for target in targets() if target.owner == "sigmoid")
    mutant = next(mutant for mutant in mutants_of(target) if mutant.after.startswith("return 2 * ("))
    with Hunt(mutant) as hunt:
        yield hunt


def sigmoid_slope():
    return sigmoid.gradient(np.ones(1), np.full(1, 0.5))[0]


def test_a_bug_is_looked_at_where_it_shows_and_is_then_away(hunt):
    assert sigmoid_slope() == 0.5
    place, changes = planted_bugs.place_of(hunt)
    assert (place.owner, place.setting, changes) == ("sigmoid", "random point 0", {"x": pytest.approx(1.0)})
    assert sigmoid_slope() == 0.25
    assert not policies.cs231n(place.function).caught
    hunt.plant()
    assert policies.cs231n(place.function).caught


def test_a_bug_that_shows_nowhere_is_looked_at_all_the_same(hunt, monkeypatch):
    monkeypatch.setattr(planted_bugs, "SHOWS", 1.5)
    place, changes = planted_bugs.place_of(hunt)
    assert (place.setting, changes) == ("random point 0", {})


def test_a_record_has_the_bug_and_what_all_say_of_it(hunt, monkeypatch):
    monkeypatch.setattr(planted_bugs, "bug_hunt", lambda seed: hunt)
    monkeypatch.setattr(planted_bugs, "ours", lambda hunt, place: {"right": sigmoid_slope() == 0.5})
    record = planted_bugs.examine(7, ["cs231n"])
    assert (record["seed"], record["owner"], record["kind"], record["shows"]) == (7, "sigmoid", "pair", True)
    assert record["ours"]["right"], "the bug must be in force while we look for it"
    assert record["cs231n"]["caught"]["1e-2"] and record["cs231n"]["names"] == QUIET | {"argument": True}
    assert sigmoid_slope() == 0.25
    assert not any(planted_bugs.examine_unbroken("sigmoid", record["setting"], ["cs231n"])["cs231n"]["caught"].values())


def test_a_bug_goes_even_if_a_checker_falls_over(hunt, monkeypatch):
    monkeypatch.setattr(planted_bugs, "bug_hunt", lambda seed: hunt)
    with pytest.raises(KeyError):
        planted_bugs.examine(7, ["no such checker"])
    assert sigmoid_slope() == 0.25


def test_a_model_is_checked_in_its_cases():
    found = list(planted_bugs.places("lstm"))
    assert [place.setting for place in found] == ["2 layers"] and found[0].function.is_model
    gradients = planted_bugs.gradients(found[0].function)
    assert [gradient.shape for gradient in gradients] == [value.shape for value in found[0].function.values]


def test_distance_is_relative_and_sees_what_cannot_be_compared():
    right = np.array([1.0, -4.0])
    assert planted_bugs.distance(right, np.array([1.0, -3.0])) == 0.25
    assert planted_bugs.distance(right, right) == 0
    assert planted_bugs.distance(np.zeros(2), right) == np.inf
    assert planted_bugs.distance(right, np.zeros(3)) == np.inf
    assert planted_bugs.distance(right, np.array([1.0, np.nan])) == np.inf


@pytest.mark.parametrize("message, names", [
    ("", []),
    ("Jacobian mismatch for output 0 with respect to input 1,\nnumerical:tensor([[0.1, 0.2]])", ["argument"]),
    ("Not equal to tolerance rtol=1e-05, atol=1e-05\nVJP cotangent projection\n ACTUAL: array(8.6)", []),
    ("dy: largest relative error 3.3e-01", ["argument"]),
    ("NTM-9 (sharpen): dgamma is wrong\n        gamma[1, 0, 0]     by hand 0.31   true 0.15", ["equation", "argument", "index"]),
    ("ntm (lstm): right up to dr into NTM-2 (read) at step 4, wrong from dw_prev at step 3", ["equation", "argument", "step"]),
])
def test_what_a_message_names(message, names):
    place = Place("ntm", "", tiny())
    assert [what for what, yes in planted_bugs.named(message, place).items() if yes] == names


def test_only_the_first_lines_of_a_message_are_kept():
    assert planted_bugs.first_lines("\nfirst   \n\nsecond\n" + "x" * 300) == "first\nsecond"
    assert planted_bugs.first_lines("x" * 1000) == "x" * planted_bugs.LENGTH


# ---- the command -----------------------------------------------------------------------------------------------------------

def pretend(seed, checkers):
    """A record as `examine` makes it: cs231n catches even seeds, at 1e-2 only those that 4 divides."""
    error = 0.5 if seed % 4 == 0 else 1e-3 if seed % 2 == 0 else 1e-9
    said = {"message": "dx: wrong" if error > 1e-7 else "", "names": QUIET | {"argument": error > 1e-7}, "seconds": 1.0}
    own = said | {"caught": True, "message": "sigmoid (sigmoid): dx is wrong", "right": seed != 1, "expected": "sigmoid"}
    other = said | {"caught": {text: error > limit for text, limit in THRESHOLDS.items()}, "error": error, "mode": "all entries"}
    return {"seed": seed, "owner": "sigmoid", "kind": "pair", "function": "sigmoid_backward", "operator": "flip_sign",
            "before": "return dy", "after": "return -dy", "setting": "random point 0", "shows": True, "change": 2.0,
            **{name: other for name in checkers}, "ours": own}


@pytest.fixture
def pretended(monkeypatch, tmp_path):
    """The command with records out of thin air, without libraries, writing to a folder of its own."""
    monkeypatch.setattr(policies.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(command, "examine", pretend)
    monkeypatch.setattr(command, "examine_unbroken", lambda owner, setting, checkers:
                        {"owner": owner, "setting": setting, "cs231n": pretend(2, checkers)["cs231n"]})
    monkeypatch.setattr(command, "ours_unbroken", lambda: "")
    monkeypatch.setattr(command, "RESULT", tmp_path / "results" / "other_checkers.json")


def test_the_summary_counts(pretended, capsys):
    assert command.main(["--seeds", "0:8", "--json", "--save"]) == 0
    result = json.loads(capsys.readouterr().out)
    check(result)
    assert result == json.loads(command.RESULT.read_text())
    assert result["missing"] == {"torch": "not installed", "jax": "not installed"}
    rows = {row["checker"]: row for row in result["summary"]}
    assert list(rows) == ["ours", "cs231n 1e-2", "cs231n 1e-4", "cs231n 1e-7"]
    assert [row["caught"] for row in rows.values()] == [8, 2, 4, 4] and rows["ours"]["right"] == 7
    assert [row["false_alarms"] for row in rows.values()] == [0, 0, 1, 1]
    assert rows["cs231n 1e-2"]["names_argument"] == 2 and rows["cs231n 1e-2"]["seconds"] == 8


def test_the_report_fits_into_eighty_columns_and_says_what_is_missing_and_missed(pretended, capsys):
    assert command.main(["--seeds", "0:8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert {"torch: not installed, left out", "jax: not installed, left out"} <= set(lines)
    assert any(line.startswith("cs231n, error > 1e-4     4 of 8 ") for line in lines)
    assert any(line.startswith("cs231n 1e-4 missed 4: 1 (sigmoid, sigmoid_backward: flip_sign)") for line in lines)
    assert lines[-2:] == ["cs231n:", "    dx: wrong"]


def test_several_processes_give_the_same_in_the_same_order():
    assert command.spread(divmod, [(7, 2), (9, 4), (5, 5)], 2, "") == [(3, 1), (2, 1), (1, 0)]


@pytest.mark.parametrize("arguments", [["--seeds", "5"], ["--seeds", "9:3"], ["--jobs", "0"], ["nonsense"]])
def test_bad_arguments_exit_2_with_one_line(arguments, capsys):
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and arguments[-1] in said


def test_committed_results_are_consistent():
    result = json.loads(command.RESULT.read_text())
    assert result["hunts"] and not result["missing"]
    check(result)


def check(result):
    """Every number of the summary follows from the records, and every record from what was measured."""
    hunts, unbroken = result["hunts"], result["unbroken"]
    assert result["summary"] == command.summary(result)
    assert len({hunt["seed"] for hunt in hunts}) == len(hunts)
    assert {(hunt["owner"], hunt["setting"]) for hunt in hunts} == {(one["owner"], one["setting"]) for one in unbroken}
    for one in [*hunts, *unbroken]:
        for name in [name for name in CHECKS if name in one]:
            caught, error = one[name]["caught"], one[name].get("error")
            if name == "cs231n":
                assert caught == {text: error is None or error > limit for text, limit in THRESHOLDS.items()}
            yes = caught["1e-7"] if name == "cs231n" else caught
            assert yes == bool(one[name]["message"]) and one[name]["seconds"] >= 0
    for hunt in hunts:
        assert hunt["before"] != hunt["after"] and hunt["shows"] == (hunt["change"] != 0)
        assert hunt["ours"]["caught"] or not hunt["ours"]["right"]
    assert command.report(result)
