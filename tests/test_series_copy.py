"""The series of copies. Its solver here, in plain Python, sees the inputs alone and keeps no more than one copy at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpymem.tasks.series_copy import SeriesCopy, as_sequence


def solved(rows):
    """Rows of one input -> (what to answer at each step or None, the most vectors ever kept)."""
    kept, answers, most, reading = [], [], 0, True
    for row in rows:
        if reading and row[6]:
            reading, answer = False, None
        elif reading:
            kept.append(row[:6])
            most, answer = max(most, len(kept)), None
        else:
            answer = kept.pop(0)
            reading = not kept
        answers.append(answer)
    return answers, most


@given(seed=st.integers(0, 2 ** 32 - 1), low=st.integers(1, 3), more=st.integers(0, 4), copies=st.integers(1, 6))
def test_a_solver_that_forgets_each_copy_makes_no_error(seed, low, more, copies):
    task = SeriesCopy(max_copies=copies, min_length=low, max_length=low + more)
    batch = task.sample(np.random.default_rng(seed), 2)
    for b in range(2):
        answers, most = solved(batch.inputs[:, b].tolist())
        assert [answer is not None for answer in answers] == (batch.mask[:, b] > 0).tolist() and most <= low + more
        assert [answer for answer in answers if answer] == batch.targets[batch.mask[:, b] > 0, b].tolist()
    assert not batch.targets[batch.mask == 0].any() and not batch.inputs[batch.mask > 0].any()


def test_by_hand():
    a, b, c = [1, 0, 0, 0, 0, 1], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]
    inputs, targets, mask = as_sequence([np.array([a, b])[:, None], np.array([c])[:, None]])
    blank, delimiter = [0] * 7, [0] * 6 + [1]
    assert inputs[:, 0].tolist() == [[*a, 0], [*b, 0], delimiter, blank, blank, [*c, 0], delimiter, blank]
    assert targets[:, 0].tolist() == [[0] * 6] * 3 + [a, b] + [[0] * 6] * 2 + [c]
    assert mask[:, 0].tolist() == [0, 0, 0, 1, 1, 0, 0, 1]


def test_the_papers_size_is_the_evaluation_and_training_draws_both_numbers():
    task, rng = SeriesCopy(), np.random.default_rng(0)
    [(batch, n)] = task.evaluation(rng, 7)
    assert batch.inputs.shape == (10 * 11, 7, 7) and n == 7 and (batch.mask.sum(0) == 50).all()
    assert task.sample(rng, 2, copies=20, length=3).inputs.shape == (20 * 7, 2, 7)
    seen = set()
    for _ in range(300):
        ends = np.flatnonzero(task.sample(rng, 1).inputs[:, 0, 6])
        starts = [0]
        for end in ends:                                                          # L vectors, a delimiter, L blank steps
            starts.append(2 * int(end) - starts[-1] + 1)
        seen.add((len(ends), tuple((later - first - 1) // 2 for first, later in zip(starts, starts[1:]))))
    assert {copies for copies, _ in seen} == set(range(1, 11))
    assert {length for _, lengths in seen for length in lengths} == {1, 2, 3, 4, 5}
    assert any(len(set(lengths)) > 1 for _, lengths in seen)                      # lengths differ within an episode


def test_it_repeats_with_its_seed():
    one, same, other = (SeriesCopy().sample(np.random.default_rng(seed), 2, 2, 4).inputs for seed in (3, 3, 4))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize("call, message", [
    (lambda rng: SeriesCopy(form="story"), "form: expected 'sequence', received 'story': series-copy is not told"),
    (lambda rng: SeriesCopy(min_copies=0), "min_copies: .* at least 1, received 0"),
    (lambda rng: SeriesCopy(min_length=6), "max_length: .* at least 6, received 5"),
    (lambda rng: SeriesCopy().sample(rng, 1, copies=0), "copies: .* at least 1, received 0"),
    (lambda rng: SeriesCopy().sample(rng, 1, length=0), "length: .* at least 1, received 0"),
    (lambda rng: SeriesCopy().sample(rng, 0), "batch_size: .* at least 1, received 0")])
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
