"""The verdicts on section 3: rules on made-up results, so that every word is said once; the committed results; the figures."""

import json

import numpy as np
import pytest

from numpymem.experiments import results
from numpymem.experiments.claims import section3, section3_compared, section3_measure, section3_told
from numpymem.experiments.claims.section3_supports import contributions, share, told_shares
from numpymem.ntm import NTM, NTMConfig
from numpymem.plotting import section3 as figures

SEEDS = 3
NOISE = (0.0, 0.4, -0.3)


def about(value):
    return [max(value + noise, 0.0) for noise in NOISE]


def sweep(name, groups):
    """A result file: groups {(label, model, task): (parameters, {figure: mean or {at: mean}}, more)}"""
    runs = [{"group": label, "model": model, "task": task, "seed": seed, "parameters": parameters, "goal_bits": None,
             "converged_at": None, "gradients": [[10, 0.1, 1.0], [20, 0.2, 3.0]],
             "figures": {figure: {at: about(each)[seed] for at, each in value.items()} if isinstance(value, dict)
                         else about(value)[seed] for figure, value in made.items()}, **more}
            for (label, model, task), (parameters, made, more) in groups.items() for seed in range(SEEDS)]
    labels = list(dict.fromkeys(label for label, _, _ in groups))
    return {"name": name, "spec": {"groups": [{"label": label} for label in labels]}, "runs": runs}


def access(changes=20.0, asked=0.0):
    story = {"sentences": ["mary moved to the garden", "john left"], "question": "where is mary", "answer": "garden",
             "supports": [0], "write": np.eye(5)[[0, 1, 2, 3, 3, 3]].tolist(),
             "read": np.eye(5)[[0, 0, 0, 1, 0, 0]].tolist(), "steps": 6,
             "attention": [[0.9, 0.1]] * 3}
    ntm = {"told": about(changes), "asked": about(5), "answering": about(1), "write_peak": [0.9] * 3, "wrong_percent": about(1)}
    return {"NTM": ntm, "MemN2N": {"asked": asked}, "story": story, "n": 200, "seeds": [0, 1, 2]}


def addressing(content=30.0, location=40.0, no_time=50.0):
    groups = {}
    for name, task, at, errors in (("copy", "copy", "10", (0, content, 0)), ("recall", "segment-recall", "5", (0, 0, location))):
        for kind, error in zip(("", ", content only", ", location only"), errors):
            groups[f"NTM {name}{kind}", "ntm", task] = (10, {"wrong_percent": {at: error}}, {})
    for kind, error in (("", 1), (", no time", no_time)):
        groups[f"MemN2N rewritten{kind}", "memn2n", "rewritten-keys"] = (10, {"wrong_percent": {"1": error}}, {})
        groups[f"MemN2N bAbI{kind}", "memn2n", "babi1"] = (10, {"test_error_percent": error}, {})
    return sweep("sec3_addressing", groups)


def update(no_erase=30.0, no_time=50.0):
    errors = {"NTM": 2, "NTM no erase": no_erase, "MemN2N": 1, "MemN2N no time": no_time}
    return sweep("duel_update", {(label, label[:3], "rewritten-keys"): (10, {"wrong_percent": {"0": 1, "3": error}}, {})
                                 for label, error in errors.items()})


def time(lstm=40.0, everywhere=False, twice=0.0):
    order = {task: {label: {"wrong_percent": about(1), "moved_wrong_percent": about(20), "moved_percent": about(3),
                            "largest_logit_change": [1e-15] * 3} for label in ("NTM", "MemN2N", "MemN2N, no time")}
             for task in ("rewritten-keys", "segment-recall")}
    reset = {"copy, LSTM": {"nothing": about(0), "h, c": about(lstm), "M": about(50)},
             "rewritten-keys, feedforward": {"nothing": about(0), "M": about(50)} | ({"h, c": about(lstm)} if everywhere else {})}
    return {"order": order, "reset": reset, "memn2n_asked_twice": twice, "seeds": [0, 1, 2], "n": 500}


def parameters(ntm=(40.0, 1.0), memn2n=(1.0, 0.0), other=(40.0, 1.0)):
    groups = {}
    for task, figure, mem in (("segment-recall", "wrong_percent", memn2n), ("babi1", "test_error_percent", other)):
        for model, errors, sizes in (("ntm", ntm, (500, 5000)), ("memn2n", mem, (400, 4500))):
            for size, error in zip(sizes, errors):
                made = {figure: {"5": error}} if task == "segment-recall" else {figure: error}
                groups[f"{model} {task} {size}", model, task] = (size, made, {})
    return sweep("sec3_parameters", groups)


def training(name="sec3_training", ntm=(True, True), memn2n=(True, False)):
    """Which of the two learn, with clipping and without."""
    groups = {}
    if name == "sec3_training_recall":
        for kind, learns in zip(("", ", no clipping", ", neutral heads"), (*ntm, False)):
            groups[f"NTM recall{kind}", "ntm", "segment-recall"] = (10, {}, {"goal_bits": 0.05, "converged_at": learns or None})
        for kind in ("", ", no clipping"):
            groups[f"MemN2N recall{kind}", "memn2n", "segment-recall"] = (10, {}, {"goal_bits": 0.05, "converged_at": 20})
        return sweep(name, groups)
    for kind, ntm_learns, memn2n_learns in zip(("", ", no clipping"), ntm, memn2n):
        groups[f"NTM copy{kind}", "ntm", "copy"] = (10, {}, {"goal_bits": 0.05, "converged_at": 20 if ntm_learns else None})
        more = {} if memn2n_learns else {"diverged": "after 64 sequences", "gradients": [], "figures": {}}
        groups[f"MemN2N bAbI{kind}", "memn2n", "babi1"] = (10, {"test_error_percent": 1}, more)
    return sweep(name, groups)


def supports(ntm=60.0, memn2n=95.0, other=95.0):
    def of(found):
        return {"found": about(found), "best_look": about(found - 5), "chance": [20.0] * 3, "wrong_percent": about(1)}
    both = {"segment-recall": {"NTM": of(ntm), "MemN2N": of(memn2n)}, "babi1": {"NTM": of(ntm), "MemN2N": of(other)}}
    babi = {str(n): {"found": 90, "best_look": 80, "chance": 20, "wrong_percent": n, "n": 1000} for n in range(1, 21)}
    return {"babi": babi, "both": both, "n": 500, "seeds": [0, 1, 2]}


FILES = {"access": "sec3_access", "addressing": "sec3_addressing", "update": "duel_update", "time": "sec3_time",
         "parameters": "sec3_parameters", "training": "sec3_training",
         "interpretability": "sec3_supports"}
MADE = {"access": access, "addressing": addressing, "update": update, "time": time, "parameters": parameters, "training": training,
        "interpretability": supports}
CASES = [
    ("access", {}, "agrees"), ("access", {"asked": 0.1}, "depends"), ("access", {"changes": 0.1, "asked": 0.1}, "differs"),
    ("addressing", {"no_time": 1.0}, "agrees"), ("addressing", {}, "depends"),
    ("addressing", {"content": 0.5, "location": 0.5}, "differs"),
    ("update", {}, "agrees"), ("update", {"no_erase": 2.0}, "depends"), ("update", {"no_erase": 2.0, "no_time": 1.5}, "differs"),
    ("time", {"everywhere": True}, "agrees"), ("time", {}, "depends"), ("time", {"lstm": 0.0, "twice": 1e-3}, "differs"),
    ("parameters", {"other": (1.0, 0.0)}, "agrees"), ("parameters", {"ntm": (1.0, 0.0), "memn2n": (40.0, 1.0)}, "differs"),
    ("parameters", {"ntm": (40.0, 1.0), "other": (40.0, 30.0)}, "depends"),
    ("parameters", {"ntm": (40.0, 30.0), "memn2n": (40.0, 30.0), "other": (40.0, 30.0)}, "untestable"),
    ("training", {}, "differs"), ("training", {"ntm": (False, False), "memn2n": (True, True)}, "agrees"),
    ("training", {"ntm": (True, False), "memn2n": (True, True)}, "depends"),
    ("interpretability", {}, "differs"), ("interpretability", {"ntm": 99.0, "memn2n": 80.0, "other": 80.0}, "agrees"),
    ("interpretability", {"ntm": 90.0, "memn2n": 80.0}, "depends"),
]


@pytest.fixture
def made_up(monkeypatch):
    """A function that puts a made-up result file in the place of the committed ones."""
    def put(title, **changes):
        def read(name):
            assert name.startswith(FILES[title])
            return MADE[title](name, **changes) if title == "training" else MADE[title](**changes)
        monkeypatch.setattr(results, "read", read)
    return put


@pytest.mark.parametrize("title, changes, word", CASES)
def test_words_go_by_the_figures(made_up, title, changes, word):
    made_up(title, **changes)
    judge = {claim.title: claim.judge for claim in section3.CLAIMS}[title]
    verdict = judge()
    assert verdict.word == word and verdict.ours and verdict.because and verdict.commands and verdict.short
    assert len(verdict.short) < 200 and "nan" not in verdict.ours


@pytest.mark.parametrize("title", FILES)
def test_figures_draw(made_up, title, tmp_path):
    made_up(title)
    judge = {claim.title: claim.judge for claim in section3.CLAIMS}[title]
    ((name, draw),) = judge().figures
    figure = draw()
    figure.savefig(tmp_path / "figure.png")
    assert name in figures.TITLES.values() and name in [text.get_text() for text in figure.texts]
    assert any(axes.has_data() for axes in figure.axes)


def test_missing_results_say_how_to_make_them(monkeypatch):
    def nothing(name):
        raise FileNotFoundError(name)
    monkeypatch.setattr(results, "read", nothing)
    for claim in section3.CLAIMS:
        with pytest.raises(FileNotFoundError, match=r"no results yet; python -m numpymem.* --save makes them"):
            claim.judge()


def test_claims_are_in_order():
    assert [claim.id for claim in section3.CLAIMS] == [f"C{number}" for number in range(1, 8)]
    assert {claim.section for claim in section3.CLAIMS} == {"3"}


def test_a_difference_counts_if_it_is_sure_and_large():
    assert section3_told.better({0: 1, 1: 2, 2: 1}, {0: 9, 1: 11, 2: 10})
    assert not section3_told.better({0: 1, 1: 2, 2: 1}, {0: 2, 1: 3, 2: 2.1})                  # sure, but less than two points
    assert not section3_told.better({0: 1, 1: 2, 2: 1}, {0: 30, 1: 2, 2: 9})                   # large, but not sure


def test_what_is_read_is_the_sum_of_what_was_written():
    """The contributions of all steps to a read vector add up to it, but for what is left of the initial memory (1e-6)."""
    rng = np.random.default_rng(0)
    model = NTM(NTMConfig(3, 2, controller_size=6, N=7, W=4, read_heads=2, write_heads=3))
    params = {name: 3 * value for name, value in model.init(rng, np.float64).items()}
    trace = model.forward(params, rng.standard_normal((6, 2, 3)))[1]
    found = contributions(trace)
    assert found.shape == (6, 2, 2, 6, 4) and np.abs(found[-1]).max() > 0.01
    np.testing.assert_allclose(found.sum(3), trace["r"], atol=2e-6)
    assert not any(found[t, :, :, t:].any() for t in range(6))                                # nothing is read before it is written


def test_shares_of_facts():
    score = np.array([0.1, 0.5, 0.3, 0.1])
    assert share(score, [1]) == 1 and share(score, [0]) == 0 and share(score, [1, 3]) == 0.5
    looks = [np.array([[0.9, 0.1, 0.0], [0.0, 0.1, 0.9]])]
    assert told_shares(looks, [[0, 2]], [3]) == {"found": 100.0, "best_look": 50.0, "chance": pytest.approx(200 / 3)}


@pytest.mark.parametrize("name", [*section3_measure.MEASURES])
def test_committed_measures_say_what_made_them(name):
    path = results.FOLDER / f"sec3_{name}.json"
    found = json.loads(path.read_text())
    assert found["command"] == f"{section3_measure.COMMAND} {name} --save" and found["versions"]["numpy"]
    assert found["seeds"] == [0, 1, 2]
    assert path.stat().st_size < 100_000 and "/work" not in path.read_text() and "/tmp" not in path.read_text()


@pytest.mark.parametrize("name", ["sec3_addressing", "sec3_parameters", "sec3_training",
                                  "sec3_training_recall"])
def test_committed_sweeps_are_whole(name):
    found = results.read(name)
    assert (results.FOLDER / f"{name}.json").stat().st_size < 100_000
    assert len(found["runs"]) == sum(group["seeds"] * (len(group["task"]) if isinstance(group["task"], list) else 1)
                                     for group in found["spec"]["groups"])


def test_ten_seeds_of_each_in_training():
    for name in section3_compared.PAIRS:
        assert all(group["seeds"] >= 10 for group in results.read(name)["spec"]["groups"])
