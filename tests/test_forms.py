"""The forms of a task: each model is told the same story and asked the same question."""

import numpy as np
import pytest

from numpymem.catalog import make_model, make_task, model_class
from numpymem.tasks import forms
from numpymem.tasks.batches import Batch, Segments, Stories, Streams

TASKS = {"segment-recall": {}, "rewritten-keys": {}, "segment-traversal": {"last": True},
         "made-facts": {"facts": 8, "entities": 16},
         "metaqa": {"source": "generated"}, "babi2": {"source": "generated", "by": "sentence"}}


def small_story():
    """Two stories, of two sentences and of one; the second sentence of the first has one word less."""
    sentences = np.array([[[1, 2, 3], [3, 4, 0]], [[2, 2, 1], [0, 0, 0]]], np.int32)
    return Batch(Stories(sentences, np.array([[4, 0, 0], [1, 3, 0]], np.int32)), np.array([1, 0], np.int32), np.ones(2, np.float32))


def test_steps_hold_words_and_places():
    steps, told_at = forms.steps_of(small_story().inputs, 5)
    assert steps.shape == (3 + forms.PAUSES, 2, 11) and told_at.tolist() == [[0, 1], [1, 0]]
    assert steps[0, 0].tolist() == pytest.approx([0, 1, 1, 1, 0, 0, 1 / 3, 2 / 3, 1, 0, 0])
    assert steps[1, 0].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0.5, 1, 0]
    assert not steps[0, 1].any()                                     # the shorter story starts later
    assert steps[1, 1].tolist() == pytest.approx([0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0])
    assert steps[2, :, -1].tolist() == [1, 1] and steps[2, 0, 4] == 1 and not steps[3:].any()


def test_the_order_of_words_is_told():
    turned = Stories(small_story().inputs.sentences[:, :, ::-1], small_story().inputs.query)
    one, other = (forms.steps_of(stories, 5)[0][1, 1] for stories in (small_story().inputs, turned))
    assert np.array_equal(one[:5], other[:5]) and not np.array_equal(one[5:10], other[5:10])


def test_each_form_asks_once_and_at_the_end():
    story = small_story()
    sequence, stream, segments = (forms.in_form(story, form, 5) for form in ("sequence", "stream", "segments"))
    assert sequence.mask.sum() == 2 and sequence.mask[-1].all() and sequence.targets[-1].tolist() == [1, 0]
    assert isinstance(stream.inputs, Streams) and np.array_equal(stream.inputs.steps, sequence.inputs)
    assert stream.inputs.queries.shape == (2, 1, 3) and stream.inputs.asked_at.tolist() == [len(sequence.inputs) - 1]
    assert stream.targets.tolist() == segments.targets.tolist() == [[1, 0]]
    assert isinstance(segments.inputs, Segments) and segments.inputs.segments.shape == (2, 2, 1, 3)
    back = forms.as_story(segments)
    assert all(np.array_equal(*pair) for pair in zip(back.inputs, story.inputs)) and back.targets.tolist() == [1, 0]


@pytest.mark.parametrize("name", TASKS)
def test_all_forms_of_a_task_tell_the_same(name):
    """The same generator gives the same story in every form; the steps can be told from any of them."""
    made = {form: make_task(name, form, **TASKS[name]) for form in forms.FORMS}
    batches = {form: task.sample(np.random.default_rng(1), 5) for form, task in made.items()}
    words = len(made["story"].vocabulary)
    seen = [forms.steps_seen(batches[form], form, words) for form in forms.FORMS]
    assert all(np.array_equal(seen[0], other) for other in seen[1:])
    answers = [batch.targets[batch.mask > 0] for batch in batches.values()]
    assert all(np.array_equal(answers[0], other) for other in answers[1:])
    assert made["sequence"].n_inputs == batches["sequence"].inputs.shape[2] == made["stream"].n_channels
    assert made["story"].n_inputs == made["stream"].n_inputs == words


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("model", ["ntm", "memn2n", "memory-transformer"])
def test_wrong_answers_are_counted_alike(name, model):
    """A model of any form scores as often right as its likeliest answers are."""
    form = model_class(model)[0].form
    task = make_task(name, form, **TASKS[name])
    batch = task.sample(np.random.default_rng(2), 6)
    right = np.zeros((*batch.targets.shape, task.n_outputs))
    np.put_along_axis(right, batch.targets[..., None], 1, axis=-1)
    assert task.count_wrong(right, batch) == (0, 6)
    wrong = np.roll(right, 1, axis=-1)
    assert task.count_wrong(wrong, batch)[0] > 0 and task.count_wrong(wrong, batch)[1] == 6
    made = make_model(model, task)
    outputs, _ = made.forward(made.init(np.random.default_rng(0)), batch.inputs)
    assert outputs.shape == right.shape


@pytest.mark.parametrize("form", forms.FORMS)
def test_stale_answers_are_found_in_every_form(form):
    """Old values of the key asked for count, values of other keys do not."""
    task = make_task("rewritten-keys", form, max_writes=8)
    batch = task.sample(np.random.default_rng(3), 40, writes=8, rewrites=1)
    told = make_task("rewritten-keys", "story", max_writes=8).sample(np.random.default_rng(3), 40, writes=8, rewrites=1)
    keys, values = told.inputs.sentences[..., 0], told.inputs.sentences[..., 1] - 1 - task.all_keys
    mine = keys == told.inputs.query[:, :1]
    old = values[np.arange(40), mine.argmax(1)]                      # of two writes the first
    outputs = np.zeros((*batch.targets.shape, task.n_outputs))
    outputs[batch.mask > 0] = np.eye(task.n_outputs)[old]
    assert task.count_stale(outputs, batch) == (old != told.targets).sum() == 40
    outputs[batch.mask > 0] = np.eye(task.n_outputs)[told.targets]
    assert task.count_stale(outputs, batch) == 0


def test_more_facts_than_it_was_made_for():
    task = make_task("made-facts", "story", facts=8, entities=32)
    assert task.sample(np.random.default_rng(0), 2, facts=32).inputs.sentences.shape == (2, 32, 3)
    with pytest.raises(ValueError, match="facts: expected an even number of at most 64.* received 66"):
        task.sample(np.random.default_rng(0), 2, facts=66)


def test_copy_as_a_stream():
    batch = make_task("copy", "stream").sample(np.random.default_rng(0), 3, length=4)
    inputs = batch.inputs
    assert inputs.steps.shape == (9, 3, 9) and inputs.sentences.shape == (3, 4, 8) and batch.targets.shape == (4, 3, 8)
    assert inputs.asked_at.tolist() == [5, 6, 7, 8] and not inputs.queries.any() and batch.mask.all()
    told = inputs.steps[inputs.told_at[0], 0, :8]
    assert np.array_equal(told, batch.targets[:, 0]) and np.array_equal((inputs.sentences[0] - 1) % 2, told)
