"""All bAbI tasks in one, the paper's columns as settings, and how a training on bAbI is measured."""

import json
from collections import Counter

import numpy as np
import pytest

import numpymem
from numpymem import catalog, runs
from numpymem.experiments import babi_variants, measure_babi, paper_babi, paper_dmn, paper_dnc
from numpymem.experiments.measure import evaluate_run
from numpymem.tasks.babi import Babi
from numpymem.tasks.babi_joint import BabiJoint, joint_origin, ranges
from numpymem.tasks.batches import Stories
from numpymem.training.loss import evaluate

NUMBERS = (1, 6, 19)                              # of the tasks that can be made up: one with yes and no, one with two-word answers


@pytest.fixture(scope="module")
def task():
    return BabiJoint(source="generated", numbers=NUMBERS)


def text_of(task, row, batch):
    """A row of a batch as words: (story, question, answer)."""
    def words(ids):
        return tuple(task.vocabulary[index] for index in ids if index)

    story = tuple(words(ids) for ids in batch.inputs.sentences[row] if ids.any())
    return story, words(batch.inputs.query[row]), task.answers[batch.targets[row]]


def test_batches_are_the_questions_of_the_single_tasks_word_for_word(task):
    for number in NUMBERS:
        alone = Babi(number, source="generated")
        expected = [(q.story, q.question, q.answer) for q in (alone.questions[i] for i in alone.dataset("test"))]
        found = [text_of(task, row, batch) for batch in task.batches("test", 100, number) for row in range(len(batch.targets))]
        assert found == expected


def test_training_draws_from_all_tasks_alike_and_validation_is_a_random_tenth(task):
    assert (task.train_size, len(task.dataset("valid")), len(task.dataset("test"))) == (2_700, 300, 3_000)
    task_of = {q.question: number for number, q in zip(task._number, task.questions)}
    drawn = Counter()
    batch = task.sample(np.random.default_rng(0), 3_000)
    for row in range(3_000):
        drawn[task_of[text_of(task, row, batch)[1]]] += 1
    assert set(drawn) == set(NUMBERS) and min(drawn.values()) > 900              # of 3,000; sd 26
    held = {number: len(task.dataset("valid", number)) for number in NUMBERS}
    assert sum(held.values()) == 300 and min(held.values()) > 60 and len(set(held.values())) > 1
    together = [(q.story, q.question) for q in (task.questions[i] for i in task.dataset("train") + task.dataset("valid"))]
    alone = [(q.story, q.question) for number in NUMBERS for q in Babi(number, source="generated").questions[:1_000]]
    assert Counter(together) == Counter(alone) and together != alone


def test_one_vocabulary_and_one_set_of_answers(task):
    single = [Babi(number, source="generated") for number in NUMBERS]
    assert set(task.vocabulary) == set().union(*(each.vocabulary for each in single))
    assert task.answers == sorted(set().union(*(each.answers for each in single)))
    whole = BabiJoint(source="generated", numbers=NUMBERS, whole_vocabulary=True)
    assert whole.answers == whole.vocabulary and whole.n_outputs == whole.n_inputs
    assert set(task.answers) <= set(whole.vocabulary) and "s,w" in whole.vocabulary
    batch = next(whole.batches("test", 1_000, 19))
    assert [whole.vocabulary[index] for index in batch.targets] == [whole.questions[i].answer for i in whole.dataset("test", 19)]


def test_a_batch_is_as_long_as_its_longest_story(task):
    told = [len(q.story) for q in task.questions]
    for batch in task.batches("train", 7):
        real = batch.inputs.sentences.any(axis=-1)
        assert real[:, 0].all() and real[:, -1].any() and real.sum(1).max() == real.shape[1]
    assert task.longest_story == max(told[: 3_000])


def test_the_sequence_form_holds_the_same_questions(task):
    sequence = BabiJoint(form="sequence", source="generated", numbers=NUMBERS)
    rows = [0, 5, 2_999]
    stories, steps = task._batch(np.array(rows)), sequence._batch(np.array(rows))
    for b in range(len(rows)):
        story, question, _ = text_of(task, b, stories)
        words = [sequence.vocabulary[step.argmax()] for step in steps.inputs[:, b] if step.any()]
        assert words == [word for sentence in (*story, question) for word in sentence]
        assert steps.inputs[-2, b].any() and not steps.inputs[-1, b].any()
    assert np.array_equal(steps.targets[-1], stories.targets)


@pytest.mark.parametrize("numbers", [(), (1, 1), (0, 1), (1, 21), 1, "all", ("1",)])
def test_wrong_numbers_are_named(numbers):
    with pytest.raises(ValueError, match="numbers: expected .*received"):
        BabiJoint(source="generated", numbers=numbers)


def test_a_task_that_is_not_there_is_named(task):
    with pytest.raises(ValueError, match="number: expected one of .*received 2"):
        task.dataset("test", 2)


def test_the_origin_names_a_part_of_a_task_apart():
    from numpymem.data.babi import BabiData
    whole = {n: BabiData([0] * 10_000, [0] * 1_000, f"real bAbI v1.2 en-10k, task {n} (10,000 + 1,000 questions), from here")
             for n in (1, 2, 4)}
    part = BabiData([0] * 1_925, [0] * 1_000, "real bAbI v1.2 en-10k, task 3 (1,925 + 1,000 questions), from here; PARTIAL")
    without = joint_origin(whole)
    assert without == "real bAbI v1.2 en-10k, tasks 1-2, 4 (30,000 + 3,000 questions), from here"
    assert joint_origin(whole | {3: part}) == f"{without} AND {part.origin}"
    assert ranges((3, 1, 2, 7)) == "1-3, 7"


# ---- padding -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [{}, {"nil_memories": True}, {"tying": "layer-wise", "tie_answer": False}])
def test_padding_changes_no_answer(settings):
    """A question is answered alike alone, in a batch with longer stories, and with more nil sentences and words."""
    task = BabiJoint(source="generated", numbers=NUMBERS, whole_vocabulary=True)
    model = catalog.make_model("memn2n", task, **({"d": 6, "tie_answer": True} | settings))
    rng = np.random.default_rng(1)
    params = {name: rng.standard_normal(value.shape) * (np.arange(len(value)) > 0)[:, None]
              for name, value in model.init(rng, np.float64).items()}
    batch = task.sample(np.random.default_rng(0), 24)
    with numpymem.numpy_only():
        sentences, query = batch.inputs
        together, _ = model.forward(params, batch.inputs)
        padded, _ = model.forward(params, Stories(np.pad(sentences, ((0, 0), (0, 3), (0, 0))), np.pad(query, ((0, 0), (0, 2)))))
        alone = [model.forward(params, Stories(sentences[b:b + 1], query[b:b + 1]))[0][0] for b in range(24)]
    assert len({int(row.any(-1).sum()) for row in sentences}) > 1
    np.testing.assert_allclose(padded, together, rtol=1e-12)
    np.testing.assert_allclose(alone, together, rtol=1e-9, atol=1e-9)


# ---- measuring -----------------------------------------------------------------------------------------------------------

def tiny_run(name, *settings):
    settings = ["source=generated", "sequences=320", "linear_start=0", "eval_every=320", "eval_count=100", "d=4", *settings]
    training = runs.new_run("memn2n", name, 3, settings)
    with numpymem.numpy_only():
        training.run(progress=False)
    return training


def test_the_errors_of_the_tasks_add_up_to_those_of_all():
    training = tiny_run("babi-joint", f"numbers={list(NUMBERS)}")
    with numpymem.numpy_only():
        found = measure_babi.joint(training)
        overall = {part: evaluate(training.model, training.params, training.task, training.task.evaluation(None, None, part))
                   for part in ("train", "valid", "test")}
        shown = evaluate_run(training)
    for part in ("train", "valid"):
        assert found[f"{part}_error_percent"] == pytest.approx(overall[part]["wrong_percent"])
    assert found["train_bits"] == pytest.approx(overall["train"]["bits_per_sequence"])
    assert found["questions"] == overall["test"]["sequences"] == 3_000
    assert shown["by_task"] == found["test_error_percent"] and len(set(shown["by_task"].values())) > 1
    assert shown["error_percent"] == pytest.approx(overall["test"]["wrong_percent"])
    assert shown["error_percent"] == pytest.approx(sum(shown["by_task"].values()) / 3)
    assert json.loads(json.dumps(found)) == found


def test_a_single_task_is_measured_on_all_its_questions():
    training = tiny_run("babi6")
    with numpymem.numpy_only():
        found = measure_babi.single(training)
        parts = measure_babi.errors(training, 6)
    assert parts["questions"] == {"train": 900, "valid": 100, "test": 1_000} and found["questions"] == 1_000
    assert 0 < found["test_error_percent"] == parts["test"] < 100 and json.loads(json.dumps(found)) == found


# ---- the paper's columns -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", ["1k", "10k"])
def test_the_papers_columns_have_the_printed_means(size):
    for name, column in paper_babi.TABLES[size].items():
        assert len(column.errors) == 20 and abs(np.mean(column.errors) - column.mean) < 0.051, name
        failed = sum(error > paper_babi.FAILED_ABOVE for error in column.errors)
        assert failed == column.failed - (name == "joint-2-hops" and size == "1k"), name
    assert set(babi_variants.VARIANTS) < set(paper_babi.TABLES[size])


@pytest.mark.parametrize("paper", [paper_dmn, paper_dnc])
def test_the_other_papers_columns_have_the_printed_means(paper):
    for name, column in paper.TABLE_10K.items():
        assert len(column.errors) == 20 and abs(np.mean(column.errors) - column.mean) < 0.051, name


@pytest.mark.parametrize("name", babi_variants.VARIANTS)
def test_every_variant_makes_the_model_that_its_name_says(name):
    variant = babi_variants.VARIANTS[name]
    kind = ["babi-joint", "source=generated", f"numbers={list(NUMBERS)}"] if variant.joint else ["babi19", "source=generated"]
    training = runs.new_run("memn2n", kind[0], 0, [*babi_variants.settings(name), *kind[1:]])
    config, recipe, first = training.model.config, training.recipe, training.recipe.phase(0)
    assert (config.encoding == "bag") == (name == "bow") and config.nil_memories
    assert ("linear" in first[1]) == variant.linear_start == (name not in ("bow", "pe"))
    assert (config.time_noise > 0) == name.endswith("rn")
    assert config.hops == {"joint-1-hop": 1, "joint-2-hops": 2}.get(name, 3) and config.d == (50 if variant.joint else 20)
    assert ("H" in training.params, "W" in training.params) == (name == "joint-layer-wise",) * 2
    epoch = 17_984 if variant.joint else 896
    assert recipe.halve_every == (15 if variant.joint else 25) * epoch
    assert recipe.sequences - recipe.linear_start == (60 if variant.joint else 100) * epoch


def test_ten_times_the_questions_are_ten_times_the_epoch():
    settings = dict(pair.split("=") for pair in babi_variants.settings("pe-ls-rn", "10k"))
    assert settings["size"] == "10k" and int(settings["sequences"]) == 120 * 281 * 32
    with pytest.raises(ValueError, match="variant: expected one of bow.* received 'lstm'"):
        babi_variants.settings("lstm")
    with pytest.raises(ValueError, match="size: .* received '100k'"):
        babi_variants.settings("bow", "100k")
