"""The bAbI file format, finding the files, and the batches of the task."""

import io
import tarfile
from collections import Counter
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpymem.data import babi
from numpymem.data.babi_files import read_files
from numpymem.data.babi_format import TASKS, Question, parse
from numpymem.tasks.babi import Babi
from numpymem.tasks.batches import Batch, Stories

SMALL = (
    "1 Mary moved to the bathroom.\n2 Daniel took the milk there.\n3 Where is Mary? \tbathroom\t1\n"
    "4 John went to the hallway.\n5 What is John carrying?\tapple,milk\t4 2\n"
    "1 John went to the garden.\n2 Where is John? \tgarden\t1\n"
)


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_OFFLINE", "1")


# --- the format


def test_parse_reads_stories_questions_answers_and_supports():
    first, second, third = parse(SMALL, "small")
    mary, milk = ("mary", "moved", "to", "the", "bathroom"), ("daniel", "took", "the", "milk", "there")
    assert first == Question((mary, milk), ("where", "is", "mary"), "bathroom", (0,))
    # The question on line 3 counts as a line but is not part of the story: ID 4 is index 2.
    assert second.story[2] == ("john", "went", "to", "the", "hallway")
    assert second.answer == "apple,milk" and second.supports == (2, 1)
    assert third.story == (("john", "went", "to", "the", "garden"),)


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "  \n"),
    lambda text: text + "\n\n",
    lambda text: text.rstrip("\n"),
    lambda text: text.encode(),
    lambda text: b"\xef\xbb\xbf" + text.encode(),
])
def test_parse_tolerates_line_ends_blanks_and_bytes(change):
    assert parse(change(SMALL), "small") == parse(SMALL, "small")


@pytest.mark.parametrize(("text", "message"), [
    ("", "f: .*empty file"),
    ("1 Mary went home.\n", "f: .*no question"),
    ("Mary went home.\n", "f, line 1: expected an integer ID"),
    ("1 Mary went home.\nx2 Where is Mary?\thome\t1\n", "f, line 2: expected an integer ID"),
    ("2 Mary went home.\n", "f, line 1: expected the ID 1, found 2"),
    ("1 Mary went home.\n3 Where is Mary?\thome\t1\n", "f, line 2: expected the ID 2 .* found 3"),
    ("1 Mary went home.\n2 Where is Mary? home 1\n3 Where is Mary?\n", "f, line 3: .*no tab"),
    ("1 Mary went home.\n2 Where is Mary?\thome\n", "f, line 2: .*2 tabs.* found 1"),
    ("1 Mary went home.\n2 Where is Mary?\t\t1\n", "f, line 2: the answer is empty"),
    ("1 Mary went home.\n2 \thome\t1\n", "f, line 2: the question is empty"),
    ("1 Mary went home.\n2 Where is Mary?\thome\t\n", "f, line 2: .*at least one supporting ID"),
    ("1 Mary went home.\n2 Where is Mary?\thome\tone\n", "f, line 2: .*'one'"),
    ("1 Mary went home.\n2 Where is Mary?\thome\t7\n", "f, line 2: supporting ID 7 is not"),
    (SMALL + "3 Where is John?\tgarden\t2\n", "f, line 8: supporting ID 2 is not the ID of an earlier statement"),
    ("1 .\n", "f, line 1: expected a sentence"),
    ("1 Mary\x00 went home.\n", "f, line 1: not text"),
    (b"1 Mary went home.\n2 \xff\xfe\n", "f, line 2: not text"),
])
def test_parse_names_file_and_line(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text, "f")


def test_parse_wants_text():
    with pytest.raises(TypeError, match="f: expected text"):
        parse(None, "f")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="1234 ab?.,\t\n\r\x00é²", max_size=60))
def test_parse_returns_questions_or_a_value_error(text):
    try:
        questions = parse(text, "any")
    except ValueError as error:
        assert str(error).startswith("any")
    else:
        assert all(0 <= support < len(q.story) for q in questions for support in q.supports)


# --- finding the files


def write_tree(folder, names, text=SMALL):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="ascii")


def write_archive(path, members, mode="w:xz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


# Small files that can be told apart: one question to train on, three to test on.
TRAIN, TEST = b"1 John went to the garden.\n2 Where is John? \tgarden\t1\n", SMALL.encode()
NAMES = babi.file_names(1, "1k")


@pytest.mark.parametrize("layout", ["{}", "tasks_1-20_v1-2/{}", "flat", "a.tar.gz", "babi-en.tar.xz", "inside"])
def test_every_layout_is_found(layout, tmp_path):
    where = tmp_path
    # The archives hold the test file first, as the real ones do.
    members = [(f"tasks_1-20_v1-2/{name}", content) for name, content in zip(NAMES[::-1], (TEST, TRAIN), strict=True)]
    if "tar" in layout:
        where = tmp_path / layout
        write_archive(where, members, "w:gz" if layout.endswith("gz") else "w:xz")
    elif layout == "inside":
        write_archive(tmp_path / "babi-en.tar.xz", members)
    else:
        for name, content in zip(NAMES, (TRAIN, TEST), strict=True):
            path = name.split("/")[1] if layout == "flat" else layout.format(name)
            write_tree(tmp_path, [path], content.decode())
    loaded = babi.load(1, source="real", folder=where)
    assert (len(loaded.train), len(loaded.test)) == (1, 3)
    assert "DIFFER from release v1.2" in loaded.origin and "from the folder given" in loaded.origin
    assert str(tmp_path) not in loaded.origin


def test_an_archive_is_never_unpacked(tmp_path):
    inside = tmp_path / "deep" / "folder"
    inside.mkdir(parents=True)
    write_archive(inside / "a.tar.gz", [(f"../../{name}", TEST) for name in NAMES], "w:gz")
    before = sorted(tmp_path.rglob("*"))
    babi.load(1, source="real", folder=inside / "a.tar.gz")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name in NAMES:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/hosts"
            archive.addfile(link)
    assert read_files(tmp_path / "a.tar.gz", NAMES, "1k") is None


def test_a_damaged_archive_is_named(tmp_path):
    for content in (b"not an archive", b"\xfd7zXZ\x00\x00\x04damaged", b"\x1f\x8b\x08\x00damaged, too"):
        (tmp_path / "a.tar.gz").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.tar\.gz: expected a \.tar\.gz or \.tar\.xz archive"):
            babi.load(1, folder=tmp_path / "a.tar.gz")


def test_a_folder_without_the_files_is_an_error_also_for_auto(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder: expected en/qa1_"):
        babi.load(1, folder=tmp_path)
    with pytest.raises(FileNotFoundError, match="folder: .*does not exist"):
        babi.load(1, folder=tmp_path / "nowhere")


def test_the_environment_variable_is_searched(tmp_path, monkeypatch):
    write_tree(tmp_path, NAMES)
    monkeypatch.setenv("NUMPYMEM_DATA", str(tmp_path))
    assert babi.load(1).origin.endswith("from NUMPYMEM_DATA")
    monkeypatch.setenv("NUMPYMEM_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="NUMPYMEM_DATA: .*does not exist"):
        babi.load(1)


def test_one_size_is_not_taken_for_the_other(tmp_path):
    write_tree(tmp_path, [name.split("/")[1] for name in NAMES])
    with pytest.raises(ValueError, match="size: 10k asked for, but .* has 3 questions"):
        babi.load(1, size="10k", folder=tmp_path)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"task": 21}, "task: .*received 21"), ({"task": 1, "size": "5k"}, "size: .*'5k'"),
    ({"task": 1, "source": "web"}, "source: .*'web'"),
])
def test_wrong_arguments_of_load_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        babi.load(**arguments)


def test_split_validation_holds_out_the_last_tenth():
    train, valid = babi.split_validation(list(range(1000)))
    assert (train, valid) == (list(range(900)), list(range(900, 1000)))
    for questions, fraction in (([], 0.1), ([1], 0.5), ([1, 2], 0.0), ([1, 2], 1.0)):
        with pytest.raises(ValueError, match="fraction"):
            babi.split_validation(questions, fraction)


# --- the task


def real_tasks():
    """Tasks of which real files are at hand here (and the network is not asked)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPYMEM_OFFLINE", "1")
        try:
            babi.load(1, source="real")
        except FileNotFoundError:
            return []
    return sorted(TASKS)


CASES = [(task, "generated") for task in TASKS] + [(task, "real") for task in real_tasks()]


@lru_cache
def build(number, source, form="story"):
    """A task to read from; building one takes some tenths of a second, so the tests share them."""
    return Babi(number, source=source, form=form)


def decoded(task, ids):
    """Words of a row of ids, nil left out."""
    return tuple(task.vocabulary[index] for index in ids if index)


@pytest.mark.parametrize(("number", "source"), CASES)
def test_story_batches_hold_every_test_question_word_for_word(number, source):
    task = build(number, source)
    assert task.train_size == 900 and task.n_inputs == len(task.vocabulary) and task.vocabulary[0] == ""
    seen = 0
    for batch in task.batches("test", 300):
        size = len(batch.targets)
        assert batch.inputs.sentences.dtype == batch.inputs.query.dtype == batch.targets.dtype == np.int32
        assert batch.mask.dtype == np.float32 and batch.mask.shape == (size,) and batch.mask.all()
        assert batch.inputs.sentences.shape[2] == batch.inputs.query.shape[1] == task.max_sentence_words
        assert batch.inputs.sentences.shape[1] <= 50
        for row in range(0, size, 37):
            question = task.questions[task.dataset("test")[seen + row]]
            rows = [decoded(task, ids) for ids in batch.inputs.sentences[row]]
            kept = question.story[-50:]
            assert tuple(rows[: len(kept)]) == kept and not any(rows[len(kept) :])
            assert decoded(task, batch.inputs.query[row]) == question.question
            assert task.answers[batch.targets[row]] == question.answer
        seen += size
    assert seen == 1000


def test_sequence_batches_end_with_the_question_and_one_blank_answer_step():
    task = build(6, "generated", "sequence")
    batch = next(task.batches("valid", 32))
    steps, rows, width = batch.inputs.shape
    assert (rows, width) == (32, task.n_inputs) and batch.inputs.dtype == np.float32
    assert batch.targets.shape == batch.mask.shape == (steps, 32)
    assert not batch.inputs[-1].any() and batch.mask[-1].all() and not batch.mask[:-1].any()
    for row, index in enumerate(task.dataset("valid")[:32]):
        question = task.questions[index]
        words = [word for sentence in (*question.story, question.question) for word in sentence]
        blank = steps - 1 - len(words)
        assert not batch.inputs[:blank, row].any()
        assert decoded(task, batch.inputs[blank:-1, row].argmax(-1)) == tuple(words)
        assert batch.inputs[blank:-1, row].sum() == len(words)
        assert task.answers[batch.targets[-1, row]] == question.answer
    assert (batch.inputs[0].any(axis=-1)).any(), "the longest row of a batch has no blank start"


@pytest.mark.parametrize("form", ["story", "sequence"])
def test_errors_are_counted_over_all_questions(form):
    task = build(19, "generated", form)
    counts = np.zeros(2, dtype=int)
    for batch in task.batches("test", 64):
        outputs = np.eye(task.n_outputs)[batch.targets]
        assert task.count_wrong(outputs, batch)[0] == 0
        counts += task.count_wrong(np.roll(outputs, 1, axis=-1), batch)
    assert tuple(counts) == (1000, 1000)
    with pytest.raises(ValueError, match="outputs: expected shape"):
        task.count_wrong(outputs[..., :-1], batch)


@pytest.mark.parametrize("form", ["story", "sequence"])
def test_samples_repeat_with_the_generator_and_come_from_training_only(form):
    task = build(1, "generated", form)
    one, two = (task.sample(np.random.default_rng(5), 16) for _ in range(2))
    assert isinstance(one, Batch) and isinstance(one.inputs, Stories) == (form == "story")
    assert all(np.array_equal(a, b) for a, b in zip(one.inputs, two.inputs, strict=True))
    assert np.array_equal(one.targets, two.targets)
    assert task.dataset("train") == list(range(900)) and task.dataset("valid") == list(range(900, 1000))


def test_every_training_question_is_sampled_and_no_other():
    task = Babi(15, source="generated")
    task._targets = np.arange(len(task.questions))          # answers that name the question
    drawn = task.sample(np.random.default_rng(0), 20_000).targets
    assert sorted(set(drawn)) == task.dataset("train")


def test_only_the_latest_sentences_are_kept():
    task = Babi(2, source="generated", memory_size=3)
    batch = next(task.batches("test", 1000))
    assert batch.inputs.sentences.shape[1] == 3
    for row, index in enumerate(task.dataset("test")):
        story = task.questions[index].story[-3:]
        assert tuple(decoded(task, ids) for ids in batch.inputs.sentences[row] if ids.any()) == story


@pytest.mark.parametrize(("number", "source"), CASES)
def test_majority_error_counts_the_commonest_training_answer(number, source):
    task = build(number, source)
    answers = [q.answer for q in task.questions]
    counts = Counter(answers[:900])
    # Where two answers are equally frequent either will do.
    ties = [answer for answer in counts if counts[answer] == max(counts.values())]
    errors = [sum(answer != tie for answer in answers[1000:]) / 10 for tie in ties]
    assert any(task.majority_error() == pytest.approx(error) for error in errors)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"form": "tree"}, "form: .*'tree'"), ({"memory_size": 0}, "memory_size: .*0"), ({"number": 0}, "task: .*0"),
])
def test_wrong_arguments_of_the_task_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Babi(**arguments)


def test_wrong_arguments_of_the_methods_are_named():
    task = build(1, "generated")
    with pytest.raises(ValueError, match="which: .*'dev'"):
        task.dataset("dev")
    for size in (0, -1, 2.5):
        with pytest.raises(ValueError, match="batch_size"):
            task.sample(np.random.default_rng(0), size)
        with pytest.raises(ValueError, match="batch_size"):
            task.batches("test", size)


def test_the_real_files_are_recognised_and_in_the_right_order():
    for task in real_tasks()[:1]:
        loaded = babi.load(task, source="real")
        assert loaded.origin.startswith("real bAbI v1.2 en, task 1 (1,000 + 1,000 questions), from ")
        assert loaded.train[0].story[0] == ("mary", "moved", "to", "the", "bathroom")
        assert loaded.test[0].story[0] == ("john", "travelled", "to", "the", "hallway")
