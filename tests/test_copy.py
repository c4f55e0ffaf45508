"""The copy task: what it asks, in both forms, and how it counts."""

import numpy as np
import pytest

from numpymem.tasks.copy import Copy, as_sequence, as_stories


@pytest.fixture
def rng():
    return np.random.default_rng(20141020)


def test_copy_as_a_sequence(rng):
    bits = rng.integers(0, 2, (3, 2, 8))
    inputs, targets, mask = as_sequence(bits)
    assert inputs.shape == (7, 2, 9) and targets.shape == (7, 2, 8) and inputs.dtype == np.float32
    assert np.array_equal(inputs[:3, :, :8], bits) and not inputs[3:, :, :8].any()
    assert np.array_equal(inputs[:, 0, 8], [0, 0, 0, 1, 0, 0, 0])                # the delimiter, on a channel of its own
    assert np.array_equal(targets[4:], bits) and not targets[:4].any()
    assert np.array_equal(mask[:, 1], [0, 0, 0, 0, 1, 1, 1])


def test_copy_as_stories_says_the_same_bits(rng):
    bits, position = rng.integers(0, 2, (5, 4, 8)), np.array([0, 4, 2, 2])
    (sentences, query), targets, mask = as_stories(bits, position)
    words = sentences - 1
    assert np.array_equal(words // 2, np.broadcast_to(np.arange(8), (4, 5, 8)))  # word j speaks of bit j
    assert np.array_equal((words % 2).transpose(1, 0, 2), bits)
    assert np.array_equal(query[:, 0] - 17, position) and np.array_equal(mask, np.ones(4))
    assert np.array_equal(targets, [bits[0, 0], bits[4, 1], bits[2, 2], bits[2, 3]])
    assert query.max() < Copy(form="story").n_inputs


@pytest.mark.parametrize("form", ["sequence", "story"])
def test_copy_counts_wrong_bits_where_they_are_asked_for(rng, form):
    task = Copy(form=form, min_length=2, max_length=4)
    for batch, sequences in task.evaluation(rng, 7):
        perfect = 2 * batch.targets - 1
        asked = int(batch.mask.sum()) * 8
        assert task.count_wrong(perfect, batch) == (0, asked)
        assert task.count_wrong(-perfect, batch) == (asked, asked)
        perfect[..., 3] *= -1
        assert task.count_wrong(perfect, batch) == (asked // 8, asked)
        assert asked % sequences == 0 and asked // sequences // 8 in (2, 3, 4)   # all bits of whole copies


def test_copy_evaluates_each_length_equally_often(rng):
    task = Copy(min_length=1, max_length=3)
    counted = [((batch.inputs.shape[0] - 1) // 2, n) for batch, n in task.evaluation(rng, 8)]
    assert counted == [(1, 3), (2, 3), (3, 2)]
    assert sum(n for _, n in Copy().evaluation(rng, 120, length=2)) == 120


@pytest.mark.parametrize("form", ["sequence", "story"])
def test_copy_repeats_with_its_seed_and_differs_with_another(form):
    def draw(seed):
        batch = Copy(form=form, min_length=6, max_length=6).sample(np.random.default_rng(seed), 4)
        return batch.inputs if form == "sequence" else batch.inputs.sentences
    assert np.array_equal(draw(3), draw(3)) and not np.array_equal(draw(3), draw(4))


def test_copy_draws_all_lengths_and_no_others(rng):
    lengths = {(Copy(min_length=2, max_length=5).sample(rng, 1).inputs.shape[0] - 1) // 2 for _ in range(200)}
    assert lengths == {2, 3, 4, 5}


@pytest.mark.parametrize("call, message", [
    (lambda: Copy(form="song"), "form: expected one of sequence, story"),
    (lambda: Copy(min_length=0), "min_length: expected a whole number of at least 1"),
    (lambda: Copy(min_length=5, max_length=4), "max_length: expected a whole number of at least 5"),
    (lambda: Copy(max_length=2.5), "max_length: expected a whole number"),
    (lambda: Copy(form="story", positions=30).sample(np.random.default_rng(0), 2, length=31), "length: .* at most .* 30.* 31"),
    (lambda: list(Copy(form="story", positions=30).evaluation(np.random.default_rng(0), 2, length=31)), "length: .* 30.* 31"),
    (lambda: Copy().sample(np.random.default_rng(0), 2, length=0), "length: expected .* at least 1"),
    (lambda: list(Copy().evaluation(np.random.default_rng(0), 0)), "count: expected a whole number of at least 1"),
])
def test_wrong_arguments_of_copy_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
