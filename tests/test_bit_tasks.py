"""The four other tasks of the NTM paper. Each has a solver here, in plain Python, that sees the inputs alone: it makes no error."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpymem.tasks import ngrams, priority_sort, recall, repeat_copy
from numpymem.tasks.ngrams import NGrams, bits_of, draw, optimal
from numpymem.tasks.priority_sort import PrioritySort
from numpymem.tasks.recall import Recall
from numpymem.tasks.repeat_copy import RepeatCopy

TASKS = (RepeatCopy, Recall, NGrams, PrioritySort)
SEEDS = st.integers(0, 2 ** 32 - 1)


@pytest.fixture
def rng():
    return np.random.default_rng(20141020)


def solve_repeat_copy(rows, task):
    """Rows of one input -> the answer, row by row; the number is the only entry of its channel."""
    step = next(t for t, row in enumerate(rows) if row[8] != 0)
    low, high = task.repeats
    n = high - low + 1
    repeats = round(rows[step][8] * math.sqrt((n * n - 1) / 12) + (low + high) / 2)
    return [[*row[:8], 0] for row in rows[:step]] * repeats + [[0] * 8 + [1]]


def solve_recall(rows, task):
    """Cut at the delimiters, look the query up."""
    parts = []
    for row in rows:
        if row[6] or row[7]:
            parts.append((bool(row[7]), []))
        else:
            parts[-1][1].append(list(row[:6]))
    items = [vectors for asked, vectors in parts if not asked]
    query = next(vectors for asked, vectors in parts if asked)
    return items[items.index(query) + 1]


def solve_sort(rows, task):
    """Python's own sort by the priority channel, of what came before the delimiter."""
    end = next(t for t, row in enumerate(rows) if row[9])
    return [row[:8] for row in sorted(rows[:end], key=lambda row: -row[8])[:task.highest]]


def answered(solve, task, batch):
    """Logits (T, B, Y) of a solver: its answers at the last steps of each sequence, and no opinion before."""
    outputs = np.zeros_like(batch.targets)
    for b in range(outputs.shape[1]):
        answer = solve(batch.inputs[:, b].tolist(), task)
        assert len(answer) == batch.mask[:, b].sum()
        outputs[-len(answer):, b] = 2 * np.array(answer) - 1
    return outputs


@given(seed=SEEDS, low=st.integers(1, 4), more=st.integers(0, 3), repeats=st.integers(1, 4), pairs=st.integers(1, 3))
def test_a_solver_that_counts_repeats_copies_without_error(seed, low, more, repeats, pairs):
    task = RepeatCopy(min_length=low, max_length=low + more, min_repeats=repeats, max_repeats=repeats + 2 * pairs - 1)
    batch = task.sample(np.random.default_rng(seed), 3)
    wrong, asked = task.count_wrong(answered(solve_repeat_copy, task, batch), batch)
    assert wrong == 0 and asked == 9 * batch.mask.sum() > 0


@given(seed=SEEDS, items=st.integers(2, 9))
def test_a_solver_that_looks_up_recalls_without_error(seed, items):
    bits = np.random.default_rng(seed).integers(0, 2, (items, 3, 2, 6))
    bits[:, 0] = (np.arange(items)[:, None, None] >> np.arange(6)) & 1            # numbered: no two items are equal
    query = np.array([0, items - 2])
    batch = recall.as_sequence(bits, query)
    assert Recall().count_wrong(answered(solve_recall, None, batch), batch) == (0, 2 * 18)


@given(seed=SEEDS, vectors=st.integers(1, 12), dropped=st.integers(0, 5))
def test_a_solver_that_sorts_sorts_without_error(seed, vectors, dropped):
    task = PrioritySort(vectors=vectors, highest=max(1, vectors - dropped))
    batch = task.sample(np.random.default_rng(seed), 2)
    assert task.count_wrong(answered(solve_sort, task, batch), batch) == (0, 2 * 8 * task.highest)


def test_what_the_tasks_ask_in_the_papers_sizes(rng):
    batch = Recall().sample(rng, 4, items=6)
    assert task_shapes(batch) == ((32, 4, 8), (32, 4, 6), 3)
    assert Recall().count_wrong(answered(solve_recall, None, batch), batch) == (0, 72)
    assert task_shapes(RepeatCopy().sample(rng, 2, length=10, repeats=10)) == ((112, 2, 9), (112, 2, 9), 101)
    assert task_shapes(NGrams().sample(rng, 5)) == ((200, 5, 1), (200, 5, 1), 200)
    assert task_shapes(PrioritySort().sample(rng, 3)) == ((37, 3, 10), (37, 3, 8), 16)


def task_shapes(batch):
    assert all(part.dtype == np.float32 for part in batch) and batch.mask.shape == batch.inputs.shape[:2]
    assert not batch.inputs[:, :, :-1][batch.mask > 0].any() or batch.mask.all()   # no inputs while it answers
    return batch.inputs.shape, batch.targets.shape, int(batch.mask[:, 0].sum())


def test_repeat_copy_by_hand():
    a, b = [1, 0, 0, 0, 0, 0, 0, 1], [0, 1, 1, 0, 0, 0, 0, 0]
    inputs, targets, mask = repeat_copy.as_sequence(np.array([a, b])[:, None], 2, 0.5)
    assert inputs[:, 0].tolist() == [[*a, 0], [*b, 0], [0] * 8 + [0.5], *[[0] * 9] * 5]
    assert targets[3:, 0].tolist() == [[*a, 0], [*b, 0], [*a, 0], [*b, 0], [0] * 8 + [1]]
    assert mask[:, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]


def test_the_number_of_repeats_has_mean_0_and_variance_1_over_the_training_range_and_goes_on_beyond_it():
    task = RepeatCopy()
    trained = np.array([task.normalised(repeats) for repeats in range(1, 11)])
    assert abs(trained.mean()) < 1e-12 and trained.var() == pytest.approx(1)
    assert task.normalised(20) - task.normalised(10) == pytest.approx(task.normalised(10) - task.normalised(0))
    assert all(task.normalised(repeats) != 0 for repeats in range(1, 31))         # 0 would be a blank step


def test_repeat_copy_evaluates_lengths_and_repeats_evenly(rng):
    task = RepeatCopy(max_length=3, max_repeats=4)
    pairs = {(size["length"], size["repeats"]) for size in task.sizes()}
    assert pairs == {(length, repeats) for length in (1, 2, 3) for repeats in (1, 2, 3, 4)} and len(task.sizes()) == 12
    sizes = RepeatCopy().sizes()[:10]                                             # of a small evaluation
    assert {size["length"] for size in sizes} == {size["repeats"] for size in sizes} == set(range(1, 11))
    assert [n for _, n in task.evaluation(rng, 26)] == [3, 3, *10 * [2]]
    assert [n for _, n in task.evaluation(rng, 60, length=5, repeats=6)] == [50, 10]


def test_recall_by_hand():
    bits = np.zeros((3, 3, 1, 6), int)
    bits[0, 0, 0, 0] = bits[1, 1, 0, 1] = bits[2, 2, 0, 2] = 1                    # item i has one 1, in vector i and bit i
    inputs, targets, mask = recall.as_sequence(bits, np.array([1]))
    ones = [tuple(one) for one in np.argwhere(inputs[:, 0])]
    assert ones == [(0, 6), (1, 0), (4, 6), (6, 1), (8, 6), (11, 2), (12, 7), (14, 1), (16, 7)]
    assert inputs.shape[0] == 4 * 3 + 8 and mask[:, 0].tolist() == [0] * 17 + [1] * 3
    assert [tuple(one) for one in np.argwhere(targets[:, 0])] == [(19, 2)]        # item 2 comes after item 1


def test_recall_asks_about_every_item_but_the_last(rng):
    batch = Recall().sample(rng, 300, items=4)
    found = [[batch.inputs[4 * i + 1:4 * i + 4, b].tolist() for i in range(4)].index(batch.inputs[17:20, b].tolist())
             for b in range(300)]
    assert set(found) == {0, 1, 2}
    assert {(len(Recall().sample(rng, 1).inputs) - 8) // 4 for _ in range(200)} == {2, 3, 4, 5, 6}


def test_sort_by_hand():
    bits = np.eye(4, 8, dtype=int)[:, None]
    inputs, targets, mask = priority_sort.as_sequence(bits, np.array([[0.1], [-0.9], [0.8], [0.3]]), 3)
    assert targets[5:, 0].tolist() == bits[[2, 3, 0], 0].tolist() and not targets[:5].any()
    assert inputs[:4, 0, 8] == pytest.approx([0.1, -0.9, 0.8, 0.3]) and inputs[:, 0, 9].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert mask[:, 0].tolist() == [0] * 5 + [1] * 3


def test_sort_has_priorities_from_minus_1_to_1(rng):
    priority = PrioritySort().sample(rng, 500).inputs[:20, :, 8]
    assert -1 <= priority.min() < -0.99 and 0.99 < priority.max() <= 1
    assert abs(priority.mean()) < 5 * math.sqrt(1 / 3 / priority.size)


# ---- N-grams --------------------------------------------------------------------------------------------------------------

def test_ngrams_ask_for_the_bit_after_the_one_that_comes_in():
    bits = np.array([[1], [0], [1], [1], [1], [0], [1]])
    inputs, targets, mask = ngrams.as_sequence(bits)
    assert inputs.ravel().tolist() == [0, 1, 0, 1, 1, 1, 0] and targets.ravel().tolist() == bits.ravel().tolist() and mask.all()


def test_the_optimal_estimator_by_hand():
    bits = [1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]                                # after 11111: 1, 1, 0, and then asked again
    found = optimal(np.array(bits + [1])[:, None])[:, 0]
    assert found[:5].tolist() == [0.5] * 5
    assert found[5:8].tolist() == [1 / 2, 1.5 / 2, 2.5 / 3]
    assert found[8:13].tolist() == [0.5] * 5 and found[13] == 2.5 / 4             # five contexts never seen, then 11111
    assert bits_of(np.array([[0.25], [0.25]]), np.array([[1], [0]])) == pytest.approx(2 - math.log2(0.75))


@given(seed=SEEDS, length=st.integers(6, 40))
def test_the_optimal_estimator_is_the_one_that_counts(seed, length):
    bits = np.random.default_rng(seed).integers(0, 2, (length, 2))
    found = optimal(bits)
    for b in range(2):
        text = "".join(map(str, bits[:, b]))
        for t in range(5, length):
            after = [text[i] for i in range(5, t) if text[i - 5:i] == text[t - 5:t]]
            assert found[t, b] == (after.count("1") + 0.5) / (len(after) + 1)


def test_the_optimal_estimator_reaches_its_known_cost():
    """132.98 bits a sequence (20,000 sequences, ours): here 3,000, within four standard errors."""
    bits = NGrams().sample(np.random.default_rng(5), 3000).targets[..., 0]
    cost = bits_of(optimal(bits), bits)
    error = cost.std() / math.sqrt(len(cost))
    assert error < 0.7 and abs(cost.mean() - 132.98) < 4 * error


def test_bits_follow_their_table(rng):
    tables = np.full((400, 32), 0.5)
    tables[:, 0b10110] = 1.0                                                      # oldest bit first
    tables[:, 0b01101] = 0.0
    bits = draw(rng, tables, 60)
    after = {key: [bits[t, b] for b in range(400) for t in range(5, 60) if bits[t - 5:t, b].tolist() == [*map(int, key)]]
             for key in ("10110", "01101", "11100")}
    assert set(after["10110"]) == {1} and set(after["01101"]) == {0} and set(after["11100"]) == {0, 1}
    assert abs(bits[:5].mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)                 # the first five are fair


def test_tables_come_from_beta_a_half_a_half(rng, monkeypatch):
    """Of Beta(1/2, 1/2) a share of 2 asin(sqrt(x)) / pi is below x: of 200 x 32 probabilities, those below 0.1 and 0.5."""
    seen = []
    monkeypatch.setattr(ngrams, "draw", lambda rng, tables, length: seen.append(tables) or np.zeros((length, len(tables)), int))
    NGrams().sample(rng, 200)
    assert seen[0].shape == (200, 32)
    for x in (0.1, 0.5):
        share = 2 / math.pi * math.asin(math.sqrt(x))
        assert abs((seen[0] < x).mean() - share) < 5 * math.sqrt(share * (1 - share) / seen[0].size)


# ---- all four -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("task", [kind() for kind in TASKS], ids=lambda task: task.name)
def test_each_task_repeats_with_its_seed_and_counts_wrong_bits_where_they_are_asked_for(task):
    one, same, other = (task.sample(np.random.default_rng(seed), 2) for seed in (3, 3, 4))
    assert all(np.array_equal(*pair) for pair in zip(one, same))
    assert one.inputs.shape != other.inputs.shape or not np.array_equal(one.inputs, other.inputs)
    for batch, n in task.evaluation(np.random.default_rng(0), 7):
        perfect, asked = 2 * batch.targets - 1, int(batch.mask.sum()) * task.n_outputs
        assert batch.inputs.shape[1:] == (n, task.n_inputs) and batch.targets.shape[2] == task.n_outputs
        assert task.count_wrong(perfect, batch) == (0, asked) and task.count_wrong(-perfect, batch) == (asked, asked)
        perfect[batch.mask == 0] *= -1
        assert task.count_wrong(perfect, batch) == (0, asked)
    assert sum(n for _, n in task.evaluation(np.random.default_rng(0), 120)) == 120


@pytest.mark.parametrize("kind", TASKS)
def test_none_of_them_is_a_story(kind):
    with pytest.raises(ValueError, match=f"form: expected 'sequence', received 'story': {kind.name} is not told"):
        kind(form="story")


@pytest.mark.parametrize("call, message", [
    (lambda rng: RepeatCopy(min_length=0), "min_length: .* at least 1, received 0"),
    (lambda rng: RepeatCopy(max_repeats=0), "max_repeats: .* at least 1, received 0"),
    (lambda rng: RepeatCopy(max_repeats=9), "min_repeats, max_repeats: expected an even number .* received 1 to 9"),
    (lambda rng: RepeatCopy().sample(rng, 1, repeats=0), "repeats: .* at least 1, received 0"),
    (lambda rng: RepeatCopy().sample(rng, 1, length=1.5), "length: .* received 1.5"),
    (lambda rng: Recall(min_items=1), "min_items: .* at least 2, received 1"),
    (lambda rng: Recall(min_items=5, max_items=4), "max_items: .* at least 5, received 4"),
    (lambda rng: Recall().sample(rng, 1, items=1), "items: .* at least 2, received 1"),
    (lambda rng: Recall().sample(rng, 0), "batch_size: .* at least 1, received 0"),
    (lambda rng: NGrams(length=5), "length: .* at least 6, received 5"),
    (lambda rng: PrioritySort(highest=21), "vectors: .* at least 21, received 20"),
    (lambda rng: PrioritySort(highest=0), "highest: .* at least 1, received 0"),
    (lambda rng: list(NGrams().evaluation(rng, 0)), "count: .* at least 1, received 0"),
])
def test_wrong_arguments_are_named(call, message, rng):
    with pytest.raises(ValueError, match=message):
        call(rng)
