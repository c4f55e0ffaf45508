"""The mutation score's own parts, a fixed sample of mutants, and the committed results of the whole run and of the hunts."""

import json
from pathlib import Path

import numpy as np
import pytest

import gradcheck
from gradcheck import check_equation
from gradcheck.__main__ import main
from gradcheck.mutation import score
from gradcheck.mutation.exam import PairExam, exam_for
from gradcheck.mutation.mutant import mutants_of, planted
from gradcheck.mutation.targets import targets
from numpymem.equation import REGISTRY, equation
from numpymem.kernel import numpy_only

RESULTS = Path(gradcheck.__file__).parent / "results"


def target(name):
    return next(one for one in targets() if one.name == name)


def test_every_backward_is_a_target_with_ten_mutants_or_more():
    named = {one.function for one in targets()}
    assert all(item.original_backward in named for item in REGISTRY.values())
    assert {"Recurrent.backward", "MemN2N.backward", "LSTM._layer_backward", "through_time", "times_others"} <= {
        one.name for one in targets()}
    for one in targets():
        if one.holder is not None and hasattr(one.holder, "original_backward") and not one.holder.stops:
            assert len(mutants_of(one)) >= 10, one.name


def test_what_forwards_use_too_is_no_target():
    assert {"rotations", "weights_of", "split", "flat", "real"}.isdisjoint(one.name for one in targets())


def test_a_mutant_changes_one_place_and_keeps_all_other_lines():
    one = target("interpolate_backward")
    for mutant in mutants_of(one):
        original, changed = (text.splitlines() for text in (_module_text(one), mutant.text()))
        assert len(original) == len(changed)
        assert [k for k, (a, b) in enumerate(zip(original, changed)) if a != b] == [mutant.edit.line - 1]


def _module_text(one):
    import inspect
    import sys
    return inspect.getsource(sys.modules[one.function.__module__])


@pytest.mark.parametrize("name", ["sharpen_backward", "times_others", "Recurrent.backward", "linear_input_backward"])
def test_planting_leaves_nothing_behind(name):
    one = target(name)
    module = __import__(one.function.__module__, fromlist=["x"])
    holder, attribute = (one.holder, one.function.__name__) if isinstance(one.holder, type) else (module, one.function.__name__)
    before = getattr(holder, attribute)
    with planted(one, mutants_of(one)[0].function()):
        assert getattr(holder, attribute) is not before or one.holder.is_patched
    assert getattr(holder, attribute) is before and not any(item.is_patched for item in REGISTRY.values())


def test_the_operators_make_the_mistakes_that_people_make():
    made = {(mutant.edit.operator, mutant.after.split("#")[0].strip()) for mutant in mutants_of(target("interpolate_backward"))}
    assert ("forget_factor", "dw_c = dw_g") in made
    assert ("flip_sign", "dw_prev = (1 + g) * dw_g") in made
    assert ("mean_for_sum", "dg = (dw_g * (w_c - w_prev)).mean(-1, keepdims=True)") in made
    assert ("swap_results", "return dw_prev, dw_c, dg") in made
    through_time = {(mutant.edit.operator, mutant.after) for mutant in mutants_of(target("through_time"))}
    assert any(operator == "shift_index" and "M[t])" in after for operator, after in through_time)
    assert any(operator == "forwards_in_time" for operator, _ in through_time)


def test_an_equivalent_mutant_is_told_from_a_survivor():
    one = target("content_weights_backward")
    assert score.largest_difference(one, one.function, count=20) == 0.0
    mutant = next(m for m in mutants_of(one) if m.edit.operator == "flip_sign" or m.edit.operator == "forget_factor")
    assert score.largest_difference(one, mutant.function(), count=20) > 0.1


def test_a_fixed_sample_is_caught():
    outcomes = score.run(sample=30, progress=False, seed=3, jobs=1)
    assert len(outcomes) == 30 and [one for one in outcomes if one.fate == "survived"] == []


def test_the_whole_check_agrees_with_the_exam():
    """What the exam says is what a reader sees: a sample of pair mutants under check_equation as it stands."""
    rng, exams = np.random.default_rng(5), {}
    pool = [mutant for one in targets() if one.kind == "pair" and one.owner != "NTM-parameters" for mutant in mutants_of(one)]
    for k in rng.choice(len(pool), 25, replace=False):
        mutant = pool[k]
        exam = exam_for(mutant.target, exams)
        with numpy_only(), planted(mutant.target, mutant.function()):
            caught, result = exam.verdict().caught, check_equation(mutant.target.owner, seed=1, detail=False)
        assert caught == (not result.passed), mutant


def test_the_exam_passes_what_is_right():
    for id in ("NTM-9", "MemN2N-1", "LSTM"):
        for seed in range(5):
            assert not PairExam(id, seed).verdict().caught


def test_from_the_command_line(capsys):
    assert main(["--mutate", "MemN2N-4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["survived"] == 0 and told["mutants"] == told["caught"] + told["equivalent"] >= 10
    assert main(["--mutate", "MemN2N-4", "--sample", "5"]) == 0
    assert "5 mutants: 5 caught" in capsys.readouterr().out


def test_what_is_registered_elsewhere_is_no_target():
    """A reader's own equation in a notebook has no file, and a hunt must go on beside it."""
    mine = equation("mine-1", "y = 2 x", source="this test")(lambda x: 2 * x)
    mine.backward(lambda dy: 2 * dy)
    try:
        assert "mine-1" in REGISTRY and all(one.owner != "mine-1" for one in targets.__wrapped__())
    finally:
        REGISTRY.pop("mine-1")


# ---- committed results --------------------------------------------------------------------------------------------------------

def test_the_committed_score():
    told = json.loads((RESULTS / "mutation.json").read_text())
    assert told["mutants"] == told["caught"] + told["equivalent"] + told["survived"] == told["raised"] + told["silent"]
    assert told["survived"] == 0 and told["score_percent"] == 100 and told["equivalent_percent"] <= 3
    assert len(told["not_caught"]) == told["equivalent"]


@pytest.mark.parametrize(("name", "owners"), [
    ("mutation_sample", {"DNC-step", "dnc.sequence", "dmn", "memory-transformer", "hybrid"}),
    ("mutation_memory_transformer", {"MT-write", "Transformer-1", "memory-transformer", "memory_transformer.write"})])
def test_the_committed_samples(name, owners):
    """Of all models' equations, wirings and kernels; and all of the memory Transformer's. The whole run is of the parents."""
    told = json.loads((RESULTS / f"{name}.json").read_text())
    assert told["mutants"] == told["caught"] + told["equivalent"] + told["survived"] == told["raised"] + told["silent"]
    assert told["survived"] == 0 and told["equivalent_percent"] <= 3 and len(told["not_caught"]) == told["equivalent"]
    assert sum(each["mutants"] for each in told["by_owner"].values()) == told["mutants"]
    assert owners <= set(told["by_owner"])


def test_the_committed_hunts():
    """100 hunts, our first line on each, beside what other checkers say: python -m benchmarks.other_checkers."""
    told = json.loads((RESULTS.parents[1] / "benchmarks/results/other_checkers.json").read_text())
    hunts = [one for one in told["hunts"] if one["ours"]]
    assert [one["seed"] for one in hunts] == list(range(9000, 9100))
    assert sum(one["ours"]["right"] for one in hunts) >= 95
