"""How trained models are measured on the NTM tasks, with models made by hand whose results are known."""

import json
import math

import numpy as np
import pytest

from numpymem import cli, runs
from numpymem.experiments.measure import evaluate_run
from numpymem.experiments.measure_ntm import ngrams_bits, recall_items, repeat_copy_sizes, sort_bits, table
from numpymem.tasks.ngrams import NGrams, optimal
from numpymem.tasks.priority_sort import PrioritySort
from numpymem.tasks.recall import Recall
from numpymem.tasks.repeat_copy import RepeatCopy


class ByHand:
    """A model without parameters: logits = answer(inputs)."""

    def __init__(self, answer):
        self.answer = answer

    def forward(self, params, inputs):
        return self.answer(inputs).astype(np.float32), {}


def copies(inputs, after):
    """Logits (T, B, 9) that repeat what came before the number, with the end marker from step `after` repeats on."""
    L = int(np.flatnonzero(inputs[:, 0, 8])[0])
    answer = np.full(inputs.shape, -9.0)
    for t in range(L + 1, len(inputs)):
        answer[t, :, :8] = 18 * inputs[(t - L - 1) % L, :, :8] - 9
    answer[L + 1 + L * after:, :, 8] = 9
    return answer


def test_repeat_copy_tells_bits_and_end_marker_apart():
    lines = repeat_copy_sizes(ByHand(lambda inputs: copies(inputs, 3)), {}, RepeatCopy(), ((4, 3), (4, 5)), 60)
    assert [(line["length"], line["repeats"], line["sequences"]) for line in lines] == [(4, 3, 60), (4, 5, 60)]
    right, early = lines
    assert right["end_marker_right_percent"] == 100 and early["end_marker_right_percent"] == 0
    # the last step asks for 8 zeros beside the marker: this model goes on copying there, and is wrong at each 1
    assert 0 < right["wrong_bits_percent"] < 100 * 8 / (9 * 13)
    assert early["wrong_bits_percent"] > 100 * 8 / (9 * 21)


def test_an_end_marker_that_is_missing_is_wrong():
    [line] = repeat_copy_sizes(ByHand(lambda inputs: copies(inputs, 99)), {}, RepeatCopy(), ((2, 2),), 10)
    assert line["end_marker_right_percent"] == 0


def look_up(inputs):
    """The right answer of recall, as logits."""
    n = (len(inputs) - 8) // 4
    answer = np.zeros((*inputs.shape[:2], 6))
    for b in range(inputs.shape[1]):
        vectors = [inputs[4 * i + 1:4 * i + 4, b, :6] for i in range(n + 1)]
        found = next(i for i in range(n - 1) if np.array_equal(vectors[i], vectors[n]))
        answer[-3:, b] = 40 * vectors[found + 1] - 20
    return answer


def test_recall_is_measured_at_each_number_of_items():
    right, nothing = (recall_items(ByHand(answer), {}, Recall(), (6, 20), 30)
                      for answer in (look_up, lambda inputs: np.zeros((*inputs.shape[:2], 6))))
    assert [(line["items"], line["sequences"], line["wrong_bits_percent"]) for line in right] == [(6, 30, 0), (20, 30, 0)]
    assert all(line["bits_per_sequence"] < 1e-6 for line in right)
    assert all(line["bits_per_sequence"] == pytest.approx(18) and 40 < line["wrong_bits_percent"] < 60 for line in nothing)


def test_ngrams_stand_beside_the_optimum_on_the_same_sequences():
    def best(inputs):
        bits = inputs[1:, :, 0].astype(int)                                       # the last bit never comes in, nor is it needed
        p = optimal(np.concatenate([bits, bits[:1]]))
        return np.log(p / (1 - p))[..., None]
    [line] = ngrams_bits(ByHand(best), {}, NGrams(), 70, seed=1)
    assert line["above_optimal_bits"] == pytest.approx(0, abs=1e-4) and line["above_optimal_standard_error"] < 1e-4
    assert line["bits_per_sequence"] == pytest.approx(line["optimal_bits_per_sequence"]) and line["sequences"] == 70
    [coin] = ngrams_bits(ByHand(np.zeros_like), {}, NGrams(), 70, seed=1)
    assert coin["bits_per_sequence"] == pytest.approx(200) and coin["standard_error"] == pytest.approx(0, abs=1e-6)
    assert coin["optimal_bits_per_sequence"] == line["optimal_bits_per_sequence"]
    assert coin["above_optimal_standard_error"] == pytest.approx(line["standard_error"], rel=1e-3)


def test_sort_counts_bits():
    [line] = sort_bits(ByHand(lambda inputs: np.zeros((*inputs.shape[:2], 8))), {}, PrioritySort(), 20)
    assert line["bits_per_sequence"] == pytest.approx(128) and line["sequences"] == 20


@pytest.mark.parametrize("measure, task", [(recall_items, Recall()), (sort_bits, PrioritySort()), (ngrams_bits, NGrams())])
def test_a_seed_draws_the_same_sequences_again(measure, task):
    model = ByHand(lambda inputs: inputs[..., :task.n_outputs] - 0.3)
    one, same, other = (measure(model, {}, task, count=5, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_a_table_has_a_title_and_a_value_for_each_column():
    text = table([{"items": 6, "bits_per_sequence": 0.25, "wrong_bits_percent": 0, "sequences": 1000}])
    assert [line.split() for line in text.splitlines()] == [["items", "bits", "/", "sequence", "wrong", "bits,", "%", "sequences"],
                                                            ["6", "0.2500", "0.000", "1000"]]
    assert len({len(line) for line in text.splitlines()}) == 1


SMALL = {"ntm": ["N=8", "W=4", "controller_size=6"], "lstm": ["size=6", "layers=1"]}


@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize("task, keys", [
    ("repeat-copy", {"length", "repeats", "end_marker_right_percent"}), ("recall", {"items", "wrong_bits_percent"}),
    ("ngrams", {"standard_error", "above_optimal_bits"}), ("sort", {"wrong_bits_percent"})])
def test_every_task_can_be_trained_and_evaluated_from_the_command_line(model, task, keys, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    small = [word for setting in (*SMALL[model], "eval_count=2") for word in ("--set", setting)]
    assert cli.main(["train", model, task, "--sequences", "2", "--batch", "2", "--run", "r", *small]) == 0
    capsys.readouterr()
    assert cli.main(["eval", "r", "--count", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["task"] == task and keys < found["lines"][0].keys()
    assert all(math.isfinite(value) for line in found["lines"] for value in line.values())
    assert cli.main(["eval", "r", "--count", "1"]) == 0 and "bits / sequence" in capsys.readouterr().out
    with pytest.raises(ValueError, match=f"--length: expected a run of copy, received one of {task}"):
        evaluate_run(runs.open_run("r"), lengths=[3])
