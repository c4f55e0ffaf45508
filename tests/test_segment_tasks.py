"""The made-up tasks in the segments form, each against a solver that reads the words: a plain dict that replays the stream."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpymem.tasks.batches import Batch, Segments
from numpymem.tasks.segments.common import as_batch, one_a_segment
from numpymem.tasks.segments.copy import SegmentedCopy
from numpymem.tasks.segments.facts import MadeFacts
from numpymem.tasks.segments.recall import SegmentRecall
from numpymem.tasks.segments.rewritten import RewrittenKeys
from numpymem.tasks.segments.traversal import SegmentTraversal

TASKS = {
    "copy": (SegmentedCopy, {}), "short copy": (SegmentedCopy, {"min_segments": 1, "length": 2, "symbols": 3}),
    "recall": (SegmentRecall, {}), "rewritten": (RewrittenKeys, {}), "traversal": (SegmentTraversal, {}),
    "last node": (SegmentTraversal, {"last": True}), "facts": (MadeFacts, {}), "two hops": (MadeFacts, {"hops": 2}),
    "64 facts": (MadeFacts, {"facts": 64, "hops": 2}),
}
SEEDS = st.integers(0, 2 ** 32 - 1)


def make(name):
    kind, arguments = TASKS[name]
    return kind(**arguments)


def words(task, numbers):
    """Numbers -> words, nil left out."""
    return [task.vocabulary[number] for number in numbers if number]


def told(task, batch, b):
    """The items of row b, in order, each a list of words."""
    items = batch.inputs.segments[b].reshape(-1, batch.inputs.segments.shape[-1]).tolist()
    return [words(task, item) for item in items if any(item)]


def solved(task, items, question):
    """What a reader of the words answers at each step."""
    if task.name == "segmented-copy":
        assert question == ["recall"]
        return [symbol for [symbol] in items]
    stands = {}
    for *place, value in items:                                        # a later write replaces an earlier one
        stands[tuple(place)] = value
    here, *way = question
    if not way:
        return [stands[(here,)]]
    said = []
    for relation in way:
        here = stands[here, relation]
        said.append(here)
    return said[-1:] if task.name == "made-facts" or task.last else said


@pytest.mark.parametrize("name", TASKS)
@settings(max_examples=8)
@given(seed=SEEDS)
def test_a_solver_makes_no_error(name, seed):
    task = make(name)
    batch = task.sample(np.random.default_rng(seed), 5)
    for b in range(5):
        answer = solved(task, told(task, batch, b), words(task, batch.inputs.question[b]))
        assert [task.answers[number] for number in batch.targets[:, b]] == answer


@pytest.mark.parametrize("name", TASKS)
def test_the_form_of_a_batch(name):
    task = make(name)
    batch = task.sample(np.random.default_rng(0), 7)
    T, (segments, question, prompt, marks, spelling) = len(batch.targets), batch.inputs
    assert isinstance(batch, Batch) and isinstance(batch.inputs, Segments) and marks is None and spelling is None
    assert all(array.dtype == np.int32 for array in (segments, question, prompt, batch.targets)) and batch.mask.dtype == np.float32
    assert segments.ndim == 4 and len(segments) == len(question) == 7 and prompt.shape == (7, T)
    assert batch.targets.shape == batch.mask.shape == (T, 7) and batch.mask.all() and question.all()
    assert not prompt[:, 0].any() and (prompt[:, 1:].T == 1 + batch.targets[:-1]).all()
    assert task.n_inputs == len(task.vocabulary) == len(set(task.vocabulary)) and task.vocabulary[0] == ""
    assert task.n_outputs == len(task.answers) and 0 <= batch.targets.min() and batch.targets.max() < task.n_outputs
    assert segments.max() < task.n_inputs and segments.shape[1] * segments.shape[2] <= task.n_items
    assert (task.form, task.loss, task.unit) == ("segments", "categorical", "error %") and "segments" in task.forms
    assert task.n_marks == 0 and task.pointers is False and task.origin.endswith("made on the spot")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_repeats_with_its_seed(name):
    one, same, other = (make(name).sample(np.random.default_rng(seed), 4) for seed in (3, 3, 4))
    for array in ("segments", "question", "prompt"):
        assert np.array_equal(getattr(one.inputs, array), getattr(same.inputs, array))
    assert np.array_equal(one.targets, same.targets) and not np.array_equal(one.inputs.segments, other.inputs.segments)
    batches = list(make(name).evaluation(np.random.default_rng(0), 130))
    assert sum(n for _, n in batches) == 130 and all(batch.targets.shape[1] == n <= 50 for batch, n in batches)


@pytest.mark.parametrize(("name", "chance"), [("copy", 1 / 8), ("recall", 1 / 16), ("rewritten", 1 / 16), ("facts", 1 / 127),
                                              ("two hops", 1 / 127), ("traversal", 1 / 7)])
def test_who_sees_only_the_question_can_but_guess(name, chance):
    """No class is much likelier than chance, also beside the first word of the question (of a walk: the first step)."""
    task, rng = make(name), np.random.default_rng(1)
    n = 2_000
    batch = task.sample(rng, n, **{"traversal": {"steps": 1}}.get(name, {}))
    first = batch.targets[0]
    shift = (first - batch.inputs.question[:, 0]) % task.n_outputs
    for guess in (first, shift):
        most = Counter(guess.tolist()).most_common(1)[0][1]
        assert most < n * chance + 5 * np.sqrt(n * chance)
    assert name not in ("facts", "two hops", "traversal") or (first + 1 != batch.inputs.question[:, 0]).all()


def test_answers_are_counted():
    task = SegmentedCopy()
    batch = task.sample(np.random.default_rng(2), 3)
    outputs = np.zeros((18, 3, 9))                                      # 8 classes, and a pointer at the one word of the question
    np.put_along_axis(outputs, batch.targets[..., None], 1, axis=2)
    assert task.count_wrong(outputs, batch) == (0, 54)
    outputs[[0, 17], [1, 2], 8] = 2
    assert task.count_wrong(outputs, batch) == (2, 54)
    assert task.count_wrong(outputs, batch._replace(mask=batch.mask * (np.arange(18) < 17)[:, None])) == (1, 51)
    with pytest.raises(ValueError, match=r"outputs: expected shape \(18, 3, 'n_outputs \+ Q'\), received \(17, 3, 9\)"):
        task.count_wrong(outputs[1:], batch)


def test_a_walk_is_right_only_as_a_whole():
    task = SegmentTraversal()
    batch = task.sample(np.random.default_rng(3), 4, steps=3)
    outputs = np.eye(task.n_outputs)[batch.targets]
    assert task.count_wrong(outputs, batch) == (0, 4)
    outputs[[0, 1], 2] = outputs[[0, 1], 2, ::-1]
    assert task.count_wrong(outputs, batch) == (1, 4)


def test_sizes_to_test_on():
    rng = np.random.default_rng(4)
    assert SegmentedCopy().sample(rng, 2, segments=9).inputs.segments.shape == (2, 9, 6, 1)
    assert SegmentedCopy(min_segments=1).sizes() == [{"segments": 1}, {"segments": 2}, {"segments": 3}]
    assert SegmentRecall().sample(rng, 2, pairs=16).inputs.segments.shape == (2, 16, 1, 2)
    assert SegmentTraversal().sample(rng, 2, steps=9).targets.shape == (9, 2)
    assert {batch.inputs.segments.shape[1] for batch, _ in SegmentRecall().evaluation(rng, 20)} == {4, 5, 6, 7, 8}
    assert {batch.inputs.segments.shape[1] for batch, _ in SegmentRecall().evaluation(rng, 60, pairs=5)} == {5}


# ---- rewritten keys -------------------------------------------------------------------------------------------------------

@settings(max_examples=25)
@given(seed=SEEDS, keys=st.integers(2, 6), rewritten=st.integers(1, 5), more=st.integers(0, 6))
def test_streams_have_the_keys_and_rewrites_wanted(seed, keys, rewritten, more):
    rewritten = min(rewritten, keys - 1)
    task = RewrittenKeys(keys=keys, rewritten=rewritten, min_writes=keys + rewritten, max_writes=keys + rewritten + more)
    batch = task.sample(np.random.default_rng(seed), 3, writes=keys + rewritten + more)
    for b in range(3):
        stream = told(task, batch, b)
        counts = Counter(key for key, _ in stream)
        assert len(counts) == keys and sum(n > 1 for n in counts.values()) == rewritten
        assert len(stream) == keys + rewritten + more
        for key in counts:
            values = [value for name, value in stream if name == key]
            assert all(one != other for one, other in zip(values, values[1:]))


@pytest.mark.parametrize("rewrites", range(8))
def test_questions_about_keys_rewritten_so_often(rewrites):
    task = RewrittenKeys()
    for batch, n in task.evaluation(np.random.default_rng(5), 30, rewrites=rewrites):
        for b in range(n):
            [key] = words(task, batch.inputs.question[b])
            assert [name for name, _ in told(task, batch, b)].count(key) == 1 + rewrites


def test_half_of_the_questions_ask_for_a_rewritten_key():
    rng = np.random.default_rng(6)
    for asked in (0, 0.5, 1):
        batch = RewrittenKeys(asked=asked).sample(rng, 500)
        again = ((batch.inputs.segments[:, :, 0, 0] == batch.inputs.question).sum(1) > 1).mean()
        assert abs(again - asked) <= 5 * np.sqrt(asked * (1 - asked) / 500)


def test_stale_answers_are_counted():
    task = RewrittenKeys()
    k3, k5, v0, v4, v7 = (task.vocabulary.index(word) for word in ("k3", "k5", "v0", "v4", "v7"))
    stream = [[(k3, v7)], [(k5, v0)], [(k3, v4)], [(k3, v7)]]
    batch = as_batch([stream] * 4, [[k3]] * 4, [[7] * 4])
    said = np.zeros((1, 4, 17))
    said[0, np.arange(4), [7, 4, 0, 16]] = 1                            # right; stale; another key's value; a pointer
    assert task.count_wrong(said, batch) == (3, 4) and task.count_stale(said, batch) == 1


# ---- graphs and facts -----------------------------------------------------------------------------------------------------

def test_graphs_have_the_sizes_wanted_and_names_are_drawn_anew():
    task, rng = SegmentTraversal(), np.random.default_rng(7)
    sizes, seen = set(), set()
    for _ in range(25):
        batch = task.sample(rng, 10)
        for b in range(10):
            triples = told(task, batch, b)
            assert len({(node, kind) for node, kind, _ in triples}) == len(triples)
            nodes = {node for source, _, destination in triples for node in (source, destination)}
            sizes.add((len(nodes), len(triples)))
            seen |= nodes if len(nodes) == 6 else set()
    assert seen == set(task.answers) and {nodes for nodes, _ in sizes} == {6, 7, 8}
    assert {edges for _, edges in sizes} == set(range(10, 17))


@pytest.mark.parametrize("facts", [6, 16, 256])
def test_neither_subject_nor_relation_alone_tells_the_fact(facts):
    batch = MadeFacts(facts=facts, hops=2).sample(np.random.default_rng(8), 20)
    subject, relation, other = np.moveaxis(batch.inputs.segments[:, :, 0], 2, 0)
    for b in range(20):
        assert len({*zip(subject[b], relation[b])}) == facts and (subject[b] != other[b]).all()
        assert len({*subject[b], *other[b]}) <= facts // 2
    assert (subject == batch.inputs.question[:, :1]).sum(1).mean() > 1.5


def test_very_many_facts_are_evaluated_a_few_stories_at_a_time():
    few = MadeFacts("stream")
    assert [n for _, n in few.evaluation(np.random.default_rng(0), 60, facts=256)] == [50, 10]
    assert MadeFacts("stream", entities=2048).at_once(facts=4096) == 5                    # of 50 the steps were 3 GB



def test_shorter_stories_end_with_nil():
    segments = one_a_segment([[(1, 2)], [(3, 4), (5, 6)]])
    assert segments.tolist() == [[[[1, 2]], [[0, 0]]], [[[3, 4]], [[5, 6]]]]


# ---- wrong arguments ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("kind", "arguments", "message"), [
    (SegmentedCopy, {"form": "story"}, "form: expected 'segments', received 'story'"),
    (SegmentedCopy, {"symbols": 27}, "symbols: expected at most 26, received 27"),
    (SegmentedCopy, {"min_segments": 4}, "max_segments: .* at least 4, received 3"),
    (SegmentRecall, {"keys": 7}, "keys: .* at least 8, received 7"),
    (RewrittenKeys, {"rewritten": 4}, "rewritten: expected fewer than the 4 keys, received 4"),
    (RewrittenKeys, {"min_writes": 5}, "min_writes: .* at least 6, received 5"),
    (RewrittenKeys, {"asked": 1.5}, "asked: .*1.5"), (RewrittenKeys, {"asked": True}, "asked: .*True"),
    (SegmentTraversal, {"nodes": 6}, "nodes: expected a pair .* received 6"),
    (SegmentTraversal, {"edges": (30, 40)}, "edges: .*6 to 8 nodes"), (SegmentTraversal, {"last": 1}, "last: .*received 1"),
    (MadeFacts, {"facts": 17}, "facts: expected an even number of at most 256"), (MadeFacts, {"facts": 258}, "facts: .*258"),
    (MadeFacts, {"hops": 3}, "hops: expected 1 or 2, received 3"),
])
def test_wrong_arguments_are_named(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


@pytest.mark.parametrize(("kind", "size", "message"), [
    (SegmentedCopy, {"segments": 0}, "segments: .*received 0"), (SegmentRecall, {"pairs": 17}, "pairs: expected at most 16"),
    (RewrittenKeys, {"writes": 5}, "writes: .*received 5"), (RewrittenKeys, {"rewrites": 8}, "rewrites: .*received 8"),
    (RewrittenKeys, {"writes": 6, "rewrites": 2}, "rewrites: .*fits into 6 writes.*received 2"),
    (RewrittenKeys, {"rewrites": -1}, "rewrites: .*received -1"), (SegmentTraversal, {"steps": 0}, "steps: .*received 0"),
])
def test_wrong_sizes_are_named(kind, size, message):
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match=message):
        kind().sample(rng, 2, **size)
    with pytest.raises(ValueError, match="batch_size: .*received 0"):
        kind().sample(rng, 0)
    with pytest.raises(ValueError, match="count: .*received 0"):
        next(kind().evaluation(rng, 0))
