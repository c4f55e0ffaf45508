"""What section 3's measures are made of: stories in another order, states set back, facts that are found, changes of memories."""

import json

import numpy as np
import pytest

from numpymem import catalog
from numpymem.experiments import results
from numpymem.experiments.claims import section3_access as access
from numpymem.experiments.claims import section3_measure
from numpymem.experiments.claims import section3_models as models
from numpymem.experiments.claims import section3_supports as supports
from numpymem.experiments.claims import section3_time as time
from numpymem.experiments.claims.section3_models import Trained
from numpymem.tasks.batches import Batch, Stories
from test_checkpoints import usable


def untrained(model, task, **settings):
    """A Trained that has learned nothing."""
    sizes = dict(each.split("=") for each in models.TASKS[task][0])
    sizes = {name: catalog.read_value(value) for name, value in sizes.items()}
    made = catalog.make_task(task, "sequence" if model == "ntm" else "story", **sizes)
    if model == "ntm":
        settings = {"controller": "lstm", "controller_size": 6, "N": 8, "W": 5, "initial_weights": "one-hot"} | settings
    model = catalog.make_model(model, made, **settings)
    return Trained(model, model.init(np.random.default_rng(0)), made)


def told(*sentences, asked):
    """A Batch of one story of keys and values by word numbers."""
    return Batch(Stories(np.array([sentences], np.int32), np.array([[asked, 0]], np.int32)), np.array([0]), np.ones(1, np.float32))


def test_the_latest_sentence_with_a_key():
    batch = told((1, 9), (2, 10), (1, 11), (3, 9), (0, 0), asked=1)
    assert models.latest_with_key(batch).tolist() == [2] and models.sentences_of(batch).tolist() == [4]


@pytest.mark.parametrize("task", ["rewritten-keys", "segment-recall"])
def test_answers_go_by_the_new_order(task):
    batch = models.stories(task, 200)
    moved = models.shuffled(batch, np.random.default_rng(1))
    each = np.arange(200)
    for one in (batch, moved):                                         # the class of the value that was told last with the key
        last = one.inputs.sentences[each, models.latest_with_key(one), 1]
        assert [models.story_task(task).answers[target] for target in one.targets] == [
            models.story_task(task).vocabulary[word] for word in last]
    before, after = (np.sort(one.inputs.sentences[:, :, 0] * 100 + one.inputs.sentences[:, :, 1], axis=1) for one in (batch, moved))
    assert (before == after).all() and (batch.inputs.sentences != moved.inputs.sentences).any()
    assert (batch.targets == moved.targets).all() == (task == "segment-recall")


def test_without_ages_order_does_not_count_and_with_ages_it_does(monkeypatch):
    monkeypatch.setattr(time, "COUNT", 50)
    for temporal in (True, False):
        made = untrained("memn2n", "rewritten-keys", temporal=temporal)
        monkeypatch.setattr(time, "trained", lambda *_, made=made: made)
        found = time.order_of("memn2n", (), "rewritten-keys", 0)
        assert (found["largest_logit_change"] > 1e-9) == temporal
        assert time.asked_twice(made, "rewritten-keys") == 0


def test_states_are_set_back_part_by_part():
    found, batch = untrained("ntm", "segment-recall"), models.stories("segment-recall", 20)
    inputs, kept = models.steps(batch, "segment-recall"), []

    def keep(logits):
        kept.append(logits[-1])
        return len(kept)
    errors = time.resets(found, inputs, batch.inputs.sentences.shape[1], keep)
    assert list(errors) == ["nothing", "h, c", "r", "w", "M"] and list(errors.values()) == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(kept[0], found.model.forward(found.params, inputs)[0][-1], atol=1e-6)
    assert all(np.abs(each - kept[0]).max() > 1e-6 for each in kept[1:])
    feedforward = untrained("ntm", "segment-recall", controller="feedforward")
    assert list(time.resets(feedforward, inputs, 5, lambda logits: 0)) == ["nothing", "r", "w", "M"]


def test_what_is_read_is_followed_back_to_its_sentence():
    """Sentences of shorter stories come after blank steps; their shares stand in the order of the story."""
    found = untrained("ntm", "segment-recall")
    short = models.story_task("segment-recall").sample(np.random.default_rng(0), 3, pairs=3)
    long = models.stories("segment-recall", 3)
    sentences = np.concatenate([np.pad(short.inputs.sentences, ((0, 0), (0, 2), (0, 0))), long.inputs.sentences])
    both = Batch(Stories(sentences, np.concatenate([short.inputs.query, long.inputs.query])),
                 np.concatenate([short.targets, long.targets]), np.ones(6, np.float32))
    sizes = supports.provenance(models.answers(found, both, "segment-recall")[1], both)
    assert sizes.shape == (4, 6, 5) and (sizes[:, :3, :3] > 0).all() and not sizes[:, :3, 3:].any() and (sizes[:, 3:] > 0).all()


@pytest.mark.parametrize("name", [name for name in usable() if name == "memn2n_babi1"])
def test_a_shipped_model_finds_the_facts_of_task_1(name):
    found = supports.of_shipped(name)
    assert found["n"] == 1000 and found["found"] > 95 > 30 > found["chance"]


def test_a_question_does_not_change_what_a_memn2n_remembers():
    batch = models.stories("segment-recall", 20)
    assert access.asked_otherwise(untrained("memn2n", "segment-recall"), batch) == 0


def test_measures_are_kept_with_their_command(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(time, "measure", lambda: {"n": 3, "seeds": [0], "value": 1 / 3})
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    assert section3_measure.main(["measure", "time", "--save"]) == 0
    found = json.loads((tmp_path / "sec3_time.json").read_text())
    assert found["command"] == f"{section3_measure.COMMAND} time --save" and found["value"] == 0.33333
    assert "numpy" in found["versions"]
    assert "results: sec3_time" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        section3_measure.main(["measure", "nothing"])
