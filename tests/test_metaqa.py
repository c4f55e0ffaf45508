"""MetaQA: the files, the made-up films, and the task against a solver that walks along the facts that are told."""

import io
import tarfile
from functools import lru_cache

import numpy as np
import pytest

from numpymem.data import metaqa
from numpymem.data.babi import Place
from numpymem.data.knowledge_base import KnowledgeBase
from numpymem.data.metaqa_format import TOPIC, UNKNOWN, Question, parse_facts, parse_names, parse_questions, steps
from numpymem.data.metaqa_made import KINDS
from numpymem.tasks.segments.metaqa import MetaQA

# As the types of questions are meant: (what one has, the relation, what one asks for).
MEANING = {("movie", "director"): "directed_by", ("movie", "writer"): "written_by", ("movie", "actor"): "starred_actors",
           ("movie", "year"): "release_year", ("movie", "language"): "in_language", ("movie", "tags"): "has_tags",
           ("movie", "genre"): "has_genre", ("movie", "imdbvotes"): "has_imdb_votes", ("movie", "imdbrating"): "has_imdb_rating",
           ("director", "movie"): "directed_by", ("writer", "movie"): "written_by", ("actor", "movie"): "starred_actors",
           ("tag", "movie"): "has_tags"}


load = lru_cache(metaqa.load)                    # so that the tests read the data once


def sources():
    """"real" only where the real files are at hand."""
    try:
        load(1, "real")
    except FileNotFoundError:
        return ["generated"]
    return ["generated", "real"]


SOURCES = sources()
CASES = [(source, hops) for source in SOURCES for hops in (1, 2)]


@lru_cache
def build(source, hops, facts=32):
    """A task to read from; the tests share them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metaqa, "load", lambda hops, source, _: load(hops, source))
        return MetaQA(hops=hops, facts=facts, source=source)


def told(task, batch, b):
    """The facts of row b and the question, in words."""
    facts = [[task.vocabulary[word] for word in item] for item in batch.inputs.segments[b, :, 0]]
    return facts, [task.vocabulary[word] for word in batch.inputs.question[b] if word]


def walk(facts, topic, kind):
    """Everything that a type of question leads to from the topic, along the facts told."""
    parts, found = kind.split("_to_"), {topic}
    for have, ask in zip(parts, parts[1:]):
        wanted = MEANING[have, ask]
        forth = {(subject, other) for subject, relation, other in facts if relation == wanted}
        ways = forth if have == "movie" else {(other, subject) for subject, other in forth}
        found = {there for here, there in ways if here in found}
    return found


@pytest.mark.parametrize(("source", "hops"), CASES)
def test_a_solver_finds_an_answer_to_every_question(source, hops):
    task, all_found = build(source, hops), []
    for part in ("valid", "test"):
        start = 0
        for batch, n in task.evaluation(np.random.default_rng(1), 75, part):
            for b, question in enumerate(getattr(task, part)[start:start + n]):
                facts, words = told(task, batch, b)
                assert len({tuple(fact) for fact in facts}) == 32
                assert [TOPIC if word in task.answers else word for word in words] == list(question.words)
                [topic] = [word for word in words if word in task.answers]
                right = {task.answers[number] for number in np.flatnonzero(batch.right[b])}
                found = walk(facts, topic, question.kind)
                assert task.answers[batch.targets[0, b]] in right and len(right) <= len(question.answers)
                assert right & found and right <= {end for fact in facts for end in fact[::2]}
                all_found.append((len(right) == len(question.answers), found - {topic} == right))
            start += n
    whole, exact = np.mean(all_found, axis=0)
    assert whole > {1: 0.98, 2: 0.85}[hops]                        # with two hops not all answers have room, or a path
    assert exact > {"generated": 0.99, "real": 0.9}[source]        # some films share a title: then more is found than is right


@pytest.mark.parametrize(("source", "hops"), CASES)
def test_the_form_of_a_batch(source, hops):
    task = build(source, hops)
    batch = task.sample(np.random.default_rng(2), 9)
    segments, question, prompt, marks, spelling = batch.inputs
    assert segments.shape == (9, 32, 1, 3) and segments.all() and question.shape[0] == 9 and question[:, -1].any()
    assert prompt.shape == (9, 1) and not prompt.any() and marks is None and spelling is None
    assert segments.dtype == question.dtype == prompt.dtype == batch.targets.dtype == np.int32 and batch.mask.dtype == np.float32
    assert batch.targets.shape == batch.mask.shape == (1, 9) and batch.mask.all() and batch.right.shape == (9, 64)
    assert batch.right[np.arange(9), batch.targets[0]].all()
    assert task.n_inputs == len(task.vocabulary) == len(set(task.vocabulary)) and task.n_outputs == 64 and task.n_items == 32
    assert task.name == {1: "metaqa", 2: "metaqa2"}[hops] and f"{hops}-hop questions" in task.origin
    assert "not the published protocol" in task.origin and ("GENERATED" in task.origin) == (source == "generated")


@pytest.mark.parametrize("source", SOURCES)
def test_names_are_drawn_anew_and_tell_nothing(source):
    task = build(source, 1)
    question = next(question for question in task.train if len(question.answers) == 3)
    batch = task.batch(np.random.default_rng(3), [question] * 1_000)
    for numbers in (batch.targets[0], batch.inputs.question[:, question.words.index(TOPIC)]):
        counts = np.bincount(numbers - numbers.min(), minlength=64)
        assert len(counts) == 64 and counts.max() < 1_000 / 64 + 6 * np.sqrt(1_000 / 64)
    assert (batch.right.sum(1) == 3).all()
    # Which of the three is the target is drawn: each the one of lowest number in a third of the cases.
    first = batch.right.argmax(1) == batch.targets[0]
    assert abs(first.mean() - 1 / 3) < 5 * np.sqrt(2 / 9 / 1_000)


def test_any_right_answer_counts():
    task = build("generated", 1)
    batch = task.sample(np.random.default_rng(4), 40)
    assert batch.right.sum(1).max() > 1
    outputs = np.zeros((1, 40, 64 + batch.inputs.question.shape[1]))
    outputs[0, np.arange(40), 63 - batch.right[:, ::-1].argmax(1)] = 1                      # the last of the right ones
    assert task.count_wrong(outputs, batch) == (0, 40)
    outputs[0, 0, (~batch.right[0]).argmax()] = outputs[0, 1, 64] = 2                       # a wrong class; a pointer
    assert task.count_wrong(outputs, batch) == (2, 40)
    with pytest.raises(ValueError, match="outputs: expected shape"):
        task.count_wrong(outputs[:, 1:], batch)


@pytest.mark.parametrize(("source", "hops"), CASES)
def test_the_parts_share_no_question(source, hops):
    task = build(source, hops)
    loaded = load(hops, source)
    assert len(task.train) + len(task.valid) + task.left_out[0] == len(loaded.train)
    assert len(task.test) + task.left_out[1] == len(loaded.test)
    assert len(task.valid) == round((len(task.train) + len(task.valid)) / 10)
    assert set(task.train) | set(task.valid) <= set(loaded.train) and set(task.test) <= set(loaded.test)
    kinds = [{question.kind for question in part[:400]} for part in (task.train, task.valid, task.test)]
    assert all(len(each) > 5 for each in kinds)                                             # not sorted by type any more
    drawn = task.sample(np.random.default_rng(5), 2)
    again = task.sample(np.random.default_rng(5), 2)
    assert np.array_equal(drawn.inputs.segments, again.inputs.segments) and np.array_equal(drawn.targets, again.targets)


def test_which_facts_are_told():
    """All on the right paths; then others of the topic; with two hops of its neighbours; then any."""
    task, rng = build("generated", 2, 24), np.random.default_rng(6)
    for question in task.test[:40]:
        kept = set(task.told(rng, question).tolist())
        paths = {fact for path in task.paths(question) for fact in path}
        near = set(task.base.about(question.topic).tolist())
        around = near.union(*(task.base.about(entity).tolist() for entity in task.base.neighbours(question.topic)))
        assert len(kept) == 24 and (paths <= kept or len(paths) > 24) and (near <= kept or len(paths | near) > 24)
        assert kept <= around if len(around) >= 24 else around <= kept


def test_a_word_that_training_has_not():
    task = build("generated", 1)
    question = task.test[0]._replace(words=("zounds", TOPIC))
    numbers = task.batch(np.random.default_rng(7), [question]).inputs.question[0]
    assert task.vocabulary[numbers[0]] == "<unknown>" and task.vocabulary[numbers[1]] in task.answers


# ---- files and formats ----------------------------------------------------------------------------------------------------

def test_a_knowledge_base_by_hand():
    base = KnowledgeBase(np.array([[0, 0, 1], [2, 0, 1], [0, 1, 3], [3, 1, 3]]), 5)
    assert [sorted(base.about(entity).tolist()) for entity in range(5)] == [[0, 2], [0, 1], [1], [2, 3], []]
    assert base.neighbours(0) == [1, 3] and base.neighbours(3) == [0] and base.neighbours(4) == []
    assert base.follow(1, 0, False) == [(0, 0), (1, 2)] and base.follow(1, 0, True) == [] and base.follow(3, 1, True) == [(3, 3)]
    assert base.paths(0, [(0, True), (0, False)]) == [((0, 0), 0), ((0, 1), 2)]


def test_the_types_of_questions():
    relations = ["directed_by", "has_tags"]
    assert steps("movie_to_director_to_movie", relations) == [(0, True), (0, False)]
    assert steps("tag_to_movie", relations) == [(1, False)]
    for kind in ("movie", "movie_to_movie", "director_to_actor", "movie_to_car"):
        with pytest.raises(ValueError, match=f"kind: .*'{kind}'"):
            steps(kind, relations)
    assert [len(KINDS[hops]) for hops in (1, 2)] == [13, 21]                                # as many as MetaQA has


def test_questions_are_read():
    text = "[The [x]], WHEN, was it\t1999|2000|3000\tmovie_to_year\nwho is [Nobody]\tNobody\tactor_to_movie\n"
    one, two = parse_questions(text.encode(), "q.tsv", {"The [x]": 4, "1999": 5, "2000": 7})
    assert one == Question((TOPIC, ",", "when", ",", "was", "it"), 4, (5, 7), "movie_to_year")
    assert two == Question(("who", "is", TOPIC), UNKNOWN, (), "actor_to_movie")
    assert parse_names("a\r\nÉ\n".encode(), "n") == ["a", "É"]
    assert parse_facts(b"0\t0\t1\n1\t0\t0\n", "f", 2, 1).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(("parse", "content", "message"), [
    (lambda text: parse_questions(text, "q.tsv", {}), b"who is [x]\ty\tz\nwho\ty\tz", "q.tsv, line 2: expected a question"),
    (lambda text: parse_questions(text, "q.tsv", {}), b"who is [x]\ty", "q.tsv, line 1"),
    (lambda text: parse_facts(text, "f", 2, 1), b"0 0 2", "f, line 1: expected numbers of 2 entities and 1 relations"),
    (lambda text: parse_facts(text, "f", 2, 1), b"0 0", "f, line 1: expected .*three whole numbers a line"),
    (lambda text: parse_names(text, "n"), b"a\n\nb\n", "n, line 2"),
    (lambda text: parse_names(text, "n"), b"\xff", "n, line 1: .*UTF-8"),
])
def test_damaged_files_are_named(parse, content, message):
    with pytest.raises(ValueError, match=message):
        parse(content)


FILES = {"entities.txt": "Brazil\nTerry Gilliam\n1985\n", "relations.txt": "directed_by\nrelease_year\n",
         "kb_ids.tsv": "0\t0\t1\n0\t1\t2\n", "1hop_dev.tsv": "who directed [Brazil]\tTerry Gilliam\tmovie_to_director\n",
         "1hop_test.tsv": "when was [Brazil] released\t1985\tmovie_to_year\n"}


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small archive of this form, with right checksums."""
    with tarfile.open(tmp_path / metaqa.ARCHIVE, "w:xz") as file:
        for name, text in reversed(FILES.items()):
            info = tarfile.TarInfo(f"metaqa/{name}")
            info.size = len(text)
            file.addfile(info, io.BytesIO(text.encode()))
    digests = {name: metaqa.hashlib.sha256(text.encode()).hexdigest() for name, text in FILES.items()}
    monkeypatch.setattr(metaqa, "SHA256", digests)
    return tmp_path / metaqa.ARCHIVE


def test_an_archive_is_found(archive, monkeypatch):
    for folder in (archive, archive.parent):
        loaded = metaqa.load(folder=folder)
        assert loaded.entities == ["Brazil", "Terry Gilliam", "1985"] and loaded.facts.tolist() == [[0, 0, 1], [0, 1, 2]]
        assert loaded.train == [Question(("who", "directed", TOPIC), 0, (1,), "movie_to_director")]
        assert loaded.test[0].answers == (2,) and loaded.origin.endswith("(checksums verified), from the folder given")
    monkeypatch.setenv("NUMPYMEM_DATA", str(archive.parent))
    assert metaqa.load(source="real").origin.endswith("from NUMPYMEM_DATA")
    assert list(archive.parent.iterdir()) == [archive]                                      # nothing is unpacked


def test_a_wrong_checksum_is_an_error(archive, monkeypatch):
    monkeypatch.setitem(metaqa.SHA256, "kb_ids.tsv", "0" * 64)
    with pytest.raises(ValueError, match="kb_ids.tsv: wrong checksum, expected SHA-256 000"):
        metaqa.load(folder=archive)


def test_a_folder_without_the_archive_is_an_error_also_for_auto(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="folder: expected metaqa.tar.xz in .*found none"):
        metaqa.load(folder=tmp_path)
    monkeypatch.setattr(metaqa, "search_places", lambda: [Place("a place", tmp_path)])
    with pytest.raises(FileNotFoundError, match="NUMPYMEM_DATA=DIR.*source=generated"):
        metaqa.load(source="real")
    assert metaqa.load().origin.startswith("GENERATED MetaQA-like data, 1-hop questions: no real data found")


@pytest.mark.parametrize(("arguments", "message"), [
    ({"hops": 3}, "hops: expected 1 or 2, received 3"), ({"hops": True}, "hops: .*True"), ({"source": "web"}, "source: .*'web'"),
    ({"folder": 3}, "folder: .*3"), ({"facts": 1, "hops": 2, "source": "generated"}, "facts: .*at least 2, received 1"),
    ({"facts": 9_999, "source": "generated"}, "facts: expected at most half of the"),
    ({"form": "tale", "source": "generated"}, "form: .*'tale'"),
])
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MetaQA(**arguments)


def test_wrong_arguments_of_the_methods_are_named():
    task = build("generated", 1)
    with pytest.raises(ValueError, match="part: .*'dev'"):
        next(task.evaluation(None, 3, "dev"))
    with pytest.raises(ValueError, match="batch_size: .*received 0"):
        task.sample(np.random.default_rng(0), 0)
    assert [n for _, n in task.evaluation(None, None)] == [50] * 8


def test_the_real_files_are_as_published():
    for hops, dev, test in [(1, 9_992, 9_947), (2, 14_872, 14_872)] * ("real" in SOURCES):
        loaded = load(hops, "real")
        assert (len(loaded.train), len(loaded.test)) == (dev, test) and loaded.facts.shape == (129_659, 3)
        assert len(loaded.entities) == 42_873 and len(loaded.relations) == 9
        assert {question.kind for question in loaded.train} == set(KINDS[hops])
