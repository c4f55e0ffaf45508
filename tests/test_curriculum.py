"""Lessons: what is drawn, when one is passed, and that an interrupted curriculum goes on as if nothing had happened."""

import json

import numpy as np
import pytest

import numpymem
from numpymem import cli, runs
from numpymem.lstm import LSTM, LSTMConfig
from numpymem.tasks.graphs.traversal import Traversal
from numpymem.tasks.lessons import between
from numpymem.training import Recipe, RunFolder, Training
from numpymem.training.progress import short_status


@pytest.fixture(autouse=True)
def as_numpy():
    with numpymem.numpy_only():
        yield


LESSONS = [{"nodes": (3, 3), "out_degree": (1, 1), "path": (1, 1)}, {"nodes": (4, 4), "out_degree": (2, 2), "path": (1, 1)},
           {"nodes": (4, 4), "out_degree": (2, 2), "path": (2, 2)}]


def training_of(folder=None, lesson=1, **settings):
    task = Traversal(lessons=LESSONS, lesson=lesson)
    recipe = Recipe(**{"batch": 4, "eval_every": 8, "eval_count": 3} | settings)
    return Training(LSTM(LSTMConfig(task.n_inputs, task.n_outputs, size=5)), task, recipe, 7, folder)


def marks(monkeypatch, *wrong):
    """Let the evaluations find these errors in percent, one after the other, and then 100."""
    left = list(wrong)

    def evaluate(model, params, task, batches):
        list(batches)
        return {"bits_per_sequence": 1.0, "wrong_percent": left.pop(0) if left else 100.0, "sequences": 3}
    monkeypatch.setattr("numpymem.training.loop.evaluate", evaluate)


def told(training):
    return [(line["sequences"], line["lesson"], line["passed"]) for line in training.history]


def test_a_lesson_that_is_passed_makes_place_for_the_next_and_the_last_ends_the_training(monkeypatch):
    marks(monkeypatch, 50, 10, 10.1, 0, 30, 9)
    training = training_of(sequences=400)
    training.run(progress=False)
    assert told(training) == [(8, 1, False), (16, 1, True), (24, 2, False), (32, 2, True), (40, 3, False), (48, 3, True)]
    assert training.converged and training.done == training.converged_at == 48 and training.task.lesson == 3
    times = [line["seconds"] for line in training.history]                # to hundredths: the first may be 0.0
    assert times == sorted(times) and 0 <= times[-1] <= training.seconds + 0.005 and training.seconds > 0


def test_it_settles_after_the_last_lesson(monkeypatch):
    marks(monkeypatch, 0, 100, 0)
    training = training_of(lesson=3, settle=20)
    training.run(progress=False)
    assert training.converged_at == 8 and training.done == 28


def test_low_bits_alone_do_not_end_a_curriculum(monkeypatch):
    marks(monkeypatch)
    training = training_of(stop_below=1e9)
    training.run(40, progress=False)
    assert training.done == 40 and not training.converged


def test_an_evaluation_off_the_grid_passes_nothing(monkeypatch):
    marks(monkeypatch, 0)
    training = training_of()
    training.run(4, progress=False)
    assert told(training) == [(4, 1, False)] and training.task.lesson == 1


def test_training_draws_from_the_current_lesson_and_a_tenth_from_those_before():
    task, rng = Traversal(lesson=5), np.random.default_rng(0)
    drawn = np.array([task.draw_lesson(rng) for _ in range(20_000)])
    assert abs((drawn == 5).mean() - 0.9) < 5 * np.sqrt(0.09 / len(drawn))
    before = np.bincount(drawn[drawn < 5], minlength=5)[1:]
    assert abs(before / before.sum() - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / before.sum())
    assert {Traversal().draw_lesson(rng) for _ in range(100)} == {1}


def test_sample_and_evaluation_are_of_the_lesson():
    """Here a lesson shows in the number of steps: triples, query and answer."""
    task, rng = Traversal(lessons=LESSONS, lesson=2), np.random.default_rng(0)
    lengths = [len(task.sample(rng, 2).inputs) for _ in range(200)]
    assert set(lengths) == {3 + 2, 8 + 2} and lengths.count(5) < 60
    assert {len(batch.inputs) for batch, _ in task.evaluation(rng, 120)} == {8 + 2}
    assert {len(batch.inputs) for batch, _ in task.evaluation(rng, 120, lesson=3)} == {8 + 4}
    assert len(task.sample(rng, 2, lesson=1).inputs) == 5


def everything(training):
    params = {name: value.tobytes() for name, value in training.params.items()}
    lines = [{name: value for name, value in line.items() if name != "seconds"} for line in training.history]
    return params, training.generators(), training.done, training.converged_at, training.task.lesson, lines


def test_a_resume_in_the_middle_of_a_curriculum_is_the_uninterrupted_run(tmp_path, monkeypatch):
    wrong = [100, 0, 100, 0, 100, 100]
    marks(monkeypatch, *wrong)
    whole = training_of()
    whole.run(48, progress=False)
    assert whole.task.lesson == 3
    folder = RunFolder(tmp_path / "run")
    folder.create({"model": "lstm", "task": "traversal", "seed": 7, "model_settings": {}, "task_settings": {}, "recipe": {}})
    marks(monkeypatch, *wrong)
    first = training_of(folder)
    first.run(24, progress=False)
    assert first.task.lesson == 2
    second = training_of(RunFolder(tmp_path / "run"))
    second.resume()
    assert second.task.lesson == 2
    second.run(48, progress=False)
    assert everything(second) == everything(whole)
    assert [line["lesson"] for line in second.folder.read_log()] == [1, 1, 2, 2, 3, 3]


def test_patience_begins_anew_with_each_lesson(monkeypatch):
    """The bits of an easier lesson are no measure: 20 in lesson 2 are better than 1 in lesson 1."""
    marks = iter([(100, 1.0), (0, 2.0), (100, 20.0), (100, 30.0), (100, 25.0), (100, 10.0)])

    def evaluate(*found):
        wrong, bits = next(marks)
        return {"bits_per_sequence": bits, "wrong_percent": wrong, "sequences": 3}
    monkeypatch.setattr("numpymem.training.loop.evaluate", evaluate)
    training = training_of(patience=2)
    training.run(progress=False)
    assert training.done == 40 and training.patience.best["sequences"] == 24 and training.task.lesson == 2


def test_where_it_stands_is_shown(monkeypatch):
    marks(monkeypatch, 5, 60)
    training = training_of()
    training.run(16, progress=False)
    assert training.status() == "60 % error in lesson 2 of 3" and short_status(training) == "60 % error, lesson 2/3"


def test_a_curriculum_by_the_command_line(tmp_path, capsys):
    folder = str(tmp_path / "run")
    lessons = json.dumps(LESSONS[:2])
    settings = [f"lessons={lessons}", "size=4", "batch=4", "eval_every=8", "eval_count=2", "passing=50"]
    settings = [word for setting in settings for word in ("--set", setting)]
    assert cli.main(["train", "lstm", "traversal", "--sequences", "16", "--run", folder, *settings]) == 0
    assert "in lesson 1 of 2" in capsys.readouterr().out
    assert runs.open_run(folder).task.lessons == [{name: list(pair) for name, pair in each.items()} for each in LESSONS[:2]]
    assert cli.main(["train", "lstm", "traversal", "--sequences", "24", "--run", folder, "--resume"]) == 0
    assert cli.main(["eval", folder, "--count", "2"]) == 0
    assert "Underground, all   7" in capsys.readouterr().out


def test_lessons_between_the_first_and_the_last():
    first, last = {"nodes": (3, 10), "path": (1, 1)}, {"nodes": (10, 40), "path": (1, 20)}
    assert between(first, last, 3) == [first, {"nodes": (6, 25), "path": (1, 10)}, last]


@pytest.mark.parametrize("settings, message", [
    ({"lessons": "hard"}, "lessons: expected one of small, paper, received 'hard'"), ({"lessons": []}, r"lessons: .* \[\]"),
    ({"lessons": [{"nodes": (3, 4)}]}, "lessons: expected one of small, paper or a list of dicts with nodes, out_degree, path"),
    ({"lessons": [LESSONS[0] | {"nodes": 3}]}, "lessons: nodes: expected a pair .* received 3"),
    ({"lessons": [LESSONS[0] | {"path": (2, 1)}]}, "lessons: path: .* at least 2, received 1"),
    ({"lesson": 10}, "lesson: expected at most 9, received 10"), ({"lesson": 0}, "lesson: .* at least 1, received 0"),
    ({"passing": 0}, "passing: .* received 0"), ({"passing": 101}, "passing: .* received 101"),
    ({"passing": "all"}, "passing: .* received 'all'")])
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Traversal(**settings)
