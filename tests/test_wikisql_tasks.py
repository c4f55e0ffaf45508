"""The WikiSQL tasks: what is told and what is asked, read back word for word; spelling, marks, scores, floors."""

import zlib
from collections import Counter

import numpy as np
import pytest

from numpymem.data import sql, wikisql
from numpymem.data.wikisql_format import words
from numpymem.tasks.batches import Segments
from numpymem.tasks.wikisql import floors
from numpymem.tasks.wikisql.aggregate import WikiSQLAgg, WikiSQLNumber
from numpymem.tasks.wikisql.match import Names, whole_names
from numpymem.tasks.wikisql.query import SCORES, WikiSQLQuery, value_spans
from numpymem.tasks.wikisql.select import WikiSQLSelect
from numpymem.tasks.wikisql.spelling import BUCKETS, COLUMN, NOTHING, ROWS, UNKNOWN, Vocabulary, trigram_buckets

MAKERS = {
    "agg": WikiSQLAgg,
    "number": WikiSQLNumber,
    "number-shapes": lambda **settings: WikiSQLNumber(shapes=True, **settings),
    "agg-header": lambda **settings: WikiSQLAgg(header=True, **settings),
    "select": WikiSQLSelect,
    "flat": lambda **settings: WikiSQLSelect(streamed=False, **settings),
    "query": WikiSQLQuery,
}


@pytest.fixture(scope="module")
def tasks():
    return {name: make(source="generated") for name, make in MAKERS.items()}


def read(task, numbers):
    """Word numbers as words, without nil."""
    return tuple(task.vocabulary.words[number] for number in numbers if number)


def header_of(task, row):
    return [words(name) for name in task.tables[task.questions[row].table_id].header]


# --- what is told and asked


@pytest.mark.parametrize("name", MAKERS)
def test_batches_have_the_documented_shapes(tasks, name):
    task = tasks[name]
    batch = task.sample(np.random.default_rng(0), 12)
    inputs = batch.inputs
    (B, G, I, J), T, Q = inputs.segments.shape, len(batch.targets), inputs.question.shape[1]
    assert isinstance(inputs, Segments) and B == 12 and inputs.question.shape == (12, Q) and inputs.prompt.shape == (12, T)
    assert batch.targets.shape == batch.mask.shape == (T, 12) and batch.mask.dtype == np.float32
    integers = (inputs.segments, inputs.question, inputs.prompt, batch.targets, inputs.spelling)
    assert all(array.dtype == np.int32 for array in integers)
    assert G * I <= task.n_items and inputs.spelling.max() < task.n_inputs
    assert (batch.targets < task.n_outputs + (Q if task.pointers else 0)).all() and (inputs.prompt[:, 0] == 0).all()
    assert (inputs.question != 0).any(axis=0).all() and (inputs.segments.any(axis=(0, 1, 2)).all() or J == 1)      # trimmed
    assert (inputs.marks is None) == (task.n_marks == 0)
    if task.n_marks:
        assert inputs.marks.shape == (12, Q) and inputs.marks.dtype == np.int32
        assert 0 <= inputs.marks.min() and inputs.marks.max() <= task.n_marks
        assert not inputs.marks[inputs.question == 0].any()


@pytest.mark.parametrize(("name", "right"), [("agg", lambda query: query.agg), ("agg-header", lambda query: query.agg),
                                             ("number", lambda query: len(query.conds))])
def test_classes_of_questions(tasks, name, right):
    task = tasks[name]
    rows = task.rows("test", 50)
    batch = task.batch(rows)
    for b, row in enumerate(rows):
        question = task.questions[row]
        assert read(task, batch.inputs.question[b]) == question.words and batch.targets[0, b] == right(question.query)
        told = [read(task, item) for item in batch.inputs.segments[b, 0]]
        assert [told_name for told_name in told if told_name] == (header_of(task, row) if name == "agg-header" else [(NOTHING,)])
    assert batch.inputs.segments.shape[1] == 1


def test_shapes_are_marks_of_the_question(tasks):
    with pytest.raises(ValueError, match="shapes: expected True or False, received 1"):
        WikiSQLNumber(shapes=1, source="generated")
    task = tasks["number-shapes"]
    rows = task.rows("valid", 30)
    marks = task.batch(rows).inputs.marks
    for b, row in enumerate(rows):
        shapes = task.questions[row].shapes
        assert len(shapes) == len(task.questions[row].words)
        assert [".aAX0"[mark - 1] for mark in marks[b] if mark] == list(shapes) and not marks[b, len(shapes):].any()


def test_streamed_columns_are_told_one_by_one_and_the_question_says_nothing_of_them(tasks):
    task = tasks["select"]
    rows = task.rows("test")
    batch = task.batch(rows)
    assert batch.inputs.marks is None and task.n_outputs == task.n_items == 20
    for b, row in enumerate(rows):
        assert read(task, batch.inputs.question[b]) == task.questions[row].words
        told = [read(task, segment[0]) for segment in batch.inputs.segments[b]]
        assert [name for name in told if name] == header_of(task, row)
        assert batch.targets[0, b] == task.questions[row].query.sel


def test_flat_columns_follow_the_question_and_the_answer_points_at_one(tasks):
    task = tasks["flat"]
    rows = task.rows("test")
    batch = task.batch(rows)
    assert (batch.inputs.segments == np.ones((1, 1, 1))).all() and task.pointers and task.n_marks == 14
    for b, row in enumerate(rows):
        question, header = task.questions[row], header_of(task, row)
        told = read(task, batch.inputs.question[b])
        assert told == question.words + tuple(word for name in header for word in (COLUMN, *name))
        place, name = batch.targets[0, b] - task.n_outputs, header[question.query.sel]
        assert told[place : place + 1 + len(name)] == (COLUMN, *name) and told[:place].count(COLUMN) == question.query.sel


def test_official_parts_and_folds_share_no_table(tasks):
    for name, parts in (("agg", ("train", "valid", "dev", "test")), ("select", ("train", "valid", "test"))):
        task = tasks[name]
        assert tuple(task.parts) == parts
        ids = [{task.questions[row].table_id for row in rows} for rows in task.parts.values()]
        assert len(set().union(*ids)) == sum(map(len, ids)) and min(map(len, ids)) > 10
    data = wikisql.load("generated")
    agg = tasks["agg"]
    assert [len(agg.parts[part]) for part in ("dev", "test")] == [len(data.dev), len(data.test)]
    assert len(agg.parts["train"]) + len(agg.parts["valid"]) == len(data.train) and sum(agg.dropped.values()) == 0
    assert "GENERATED" in agg.origin and "official parts" in agg.origin and "split by table" in tasks["select"].origin


def test_wide_tables_and_unsaid_values_are_left_out_and_counted(monkeypatch):
    data = wikisql.load("generated")
    wide = {id: len(table.header) > 7 for id, table in data.tables.items()}
    monkeypatch.setattr("numpymem.tasks.wikisql.task.MAX_COLUMNS", 7)
    task = WikiSQLSelect(source="generated")
    left_out = [sum(wide[question.table_id] for question in part) for part in data.folds()]
    assert list(task.dropped.values()) == left_out and min(left_out) > 0 and f"{sum(left_out)} left out" in task.origin
    assert task.headers.n_columns.max() == 7
    monkeypatch.setattr("numpymem.tasks.wikisql.query.value_spans", lambda asked, conds: [None] * (len(conds) == 2))
    query = WikiSQLQuery.__new__(WikiSQLQuery)
    query._spans = {}
    kept = [query._keep(question, data.tables) for question in data.train if not wide[question.table_id]]
    assert kept == [len(question.query.conds) != 2 for question in data.train if not wide[question.table_id]]


# --- drawing


def test_a_batch_holds_questions_of_about_one_length_and_each_is_as_likely(tasks):
    task = tasks["agg"]
    rng, lengths, drawn = np.random.default_rng(1), [], Counter()
    task_batch = task.batch
    task.batch = lambda rows: rows
    for _ in range(800):
        rows = task.sample(rng, 20)
        lengths.append(np.ptp(task._lengths[rows]))
        drawn.update(rows.tolist())
    task.batch = task_batch
    train = task.parts["train"]
    assert np.median(lengths) <= 2 and np.ptp(task._lengths[train]) > 20
    assert set(drawn) <= set(train.tolist())
    short = task._lengths[train] <= np.median(task._lengths[train])
    share = sum(drawn[row] for row in train[short].tolist()) / 16_000
    assert abs(share - short.mean()) < 0.1        # whole batches are short or long: 800 draws, sd 0.018


def test_an_evaluation_has_every_question_of_a_part_once(tasks):
    task = tasks["select"]
    seen = [header for batch, n in task.evaluation(None, None, "test") for header in zip(batch.targets[0], range(n))]
    assert len(seen) == len(task.parts["test"])
    assert sorted(task.rows("test")) == task.parts["test"].tolist()
    some = task.rows("test", 30)
    assert len(set(some)) == 30 and (some == task.rows("test", 30)).all() and set(some) <= set(task.parts["test"].tolist())
    assert (np.diff(task._length[some]) >= 0).all()
    assert sum(n for _, n in task.evaluation(np.random.default_rng(0), 30)) == 30
    with pytest.raises(ValueError, match="part: expected one of .*received 'dev'"):
        task.rows("dev")


@pytest.mark.parametrize("name", MAKERS)
def test_right_answers_are_counted_right_and_one_wrong_step_makes_a_question_wrong(tasks, name):
    task = tasks[name]
    batch = task.batch(task.rows("test", 9))
    outputs = np.eye(task.n_outputs + batch.inputs.question.shape[1])[batch.targets]
    assert task.count_wrong(outputs, batch) == (0, 9)
    outputs[0, 3] = np.roll(outputs[0, 3], 1)
    outputs[-1, 5] = np.roll(outputs[-1, 5], 1)           # the last step: not asked of a short query
    assert task.count_wrong(outputs, batch) == (1 + int(batch.mask[-1, 5] > 0), 9)
    with pytest.raises(ValueError, match=r"outputs: expected shape .*received \(2, 2, 2\)"):
        task.count_wrong(np.zeros((2, 2, 2)), batch)
    if not task.pointers:
        assert task.count_wrong(np.eye(task.n_outputs)[batch.targets], batch) == (0, 9)


@pytest.mark.parametrize(("settings", "message"), [
    ({"form": "story"}, "form: expected 'segments'"), ({"streamed": 1}, "streamed: expected True or False, received 1"),
    ({"match": None}, "match: expected"), ({"trigrams": "no"}, "trigrams: expected"), ({"source": "x"}, "source: expected"),
])
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        WikiSQLSelect(**{"source": "generated"} | settings)


# --- spelling


def test_words_are_spelt_by_their_own_row_and_hashed_trigrams():
    vocabulary = Vocabulary(Counter({"cat": 5, "rare": 4}), ["new", "internationalisation"])
    assert vocabulary.words == ["", NOTHING, COLUMN, "cat", "internationalisation", "new", "rare"]
    assert (vocabulary.n_known, vocabulary.n_rows) == (3, 2 + 3 + BUCKETS)
    rows = {word: row[row > 0].tolist() for word, row in zip(vocabulary.words, vocabulary.spelling)}
    assert rows[""] == [] and rows[NOTHING] == [2] and rows[COLUMN] == [3]
    assert rows["cat"] == [4, *(5 + zlib.crc32(each) % 4096 for each in (b"<ca", b"cat", b"at>"))]
    assert rows["new"][0] == rows["rare"][0] == UNKNOWN and len(rows["new"]) == 4
    assert len(rows["internationalisation"]) == ROWS and vocabulary.spelling.shape == (7, ROWS)
    assert trigram_buckets("cat") == [3148, 936, 2396]                   # the same on every machine
    assert len(trigram_buckets("aaaaaa")) == 3                            # <aa aaa aa>
    plain = Vocabulary(Counter({"cat": 5, "rare": 4}), ["new"], trigrams=False)
    assert plain.n_rows == 5 and plain.spelling.tolist() == [[0], [2], [3], [4], [UNKNOWN], [UNKNOWN]]


def test_only_training_words_have_rows_of_their_own(tasks):
    task = tasks["select"]
    counted = Counter(word for row in task.parts["train"] for word in task.questions[row].words)
    for id in {task.questions[row].table_id for row in task.parts["train"]}:
        counted.update(word for name in task.tables[id].header for word in words(name))
    own = {word for word, row in zip(task.vocabulary.words, task.vocabulary.spelling) if row[0] > UNKNOWN}
    assert own == {word for word, count in counted.items() if count >= 5} | {NOTHING, COLUMN}
    test = {word for row in task.parts["test"] for word in task.questions[row].words}
    assert len(test - own) > 50 and test <= set(task.vocabulary.words)


# --- marks


def names(*header):
    return Names([words(name) for name in header])


def test_whole_names_are_found_longest_first_without_plurals_punctuation_and_brackets():
    header = names("points", "points against", "school / club team", "no", "height (m)", "cities", "pass")
    assert whole_names(words("points against and points of no team"), header) == [(0, 2, 1), (3, 4, 0), (5, 6, 3)]
    assert whole_names(words("which school/club teams has no. 4?"), header) == [(1, 5, 2), (6, 7, 3)]
    assert whole_names(words("what heights, in the city of pas"), header) == [(1, 2, 4), (5, 6, 5)]
    assert whole_names(words("the height (m) and the height"), header) == [(1, 4, 4)]
    assert whole_names(words("height"), names("height (m)", "height")) == [(0, 1, 1)]
    assert whole_names(words("year"), names("year", "year")) == [(0, 1, 0)]
    assert whole_names(words("no - -"), names("-", "(a)")) == []


def test_marks_say_what_question_and_header_share(tasks):
    task = tasks["flat"]
    for row in task.rows("train", 300):
        batch = task.batch(np.array([row]))
        told, marks, question = read(task, batch.inputs.question[0]), batch.inputs.marks[0], task.questions[row]
        n = len(question.words)
        found = whole_names(question.words, Names(header_of(task, row)))
        starts = [place for place, word in enumerate(told) if word == COLUMN] + [len(told)]
        expected = np.zeros(len(told), dtype=int)
        asked, header = ({word.rstrip("s") for word in part if word.isalnum()} for part in (told[:n], told[n:]))
        for place, word in enumerate(told):
            expected[place] = (1 if place < n else 2) if word.rstrip("s") in asked & header else 0
        for link, (start, end, column) in enumerate(found[:6]):
            expected[start:end] = 3 + 2 * link
            expected[starts[column] : starts[column + 1]] = 4 + 2 * link
        assert marks.tolist() == expected.tolist(), told


def test_without_match_there_are_no_marks():
    for make in (WikiSQLQuery, lambda **settings: WikiSQLSelect(streamed=False, **settings)):
        task = make(source="generated", match=False)
        assert task.n_marks == 0 and task.sample(np.random.default_rng(0), 3).inputs.marks is None


# --- whole queries


def test_steps_read_back_as_the_query(tasks):
    task = tasks["query"]
    for part in task.parts:
        rows = task.rows(part)
        batch = task.batch(rows)
        right = np.where(batch.mask > 0, batch.targets, 0)
        assert (batch.inputs.prompt.T[1:] == np.where(batch.mask[1:] > 0, right[:-1] + 1, 0)).all()
        assert all(sql.same_query(task.read_query(said, row), task.questions[row].query) for said, row in zip(right.T, rows))
        counts = task.score(right, rows)
        assert counts.pop("answered") == counts.pop("execution, answered") > 0.97 * len(rows)
        assert set(counts.values()) == {len(rows)} and set(counts) == {"asked", *SCORES} - {"execution, answered"}


def test_what_is_no_query_is_none(tasks):
    task = tasks["query"]
    row = next(row for row in task.parts["test"] if len(task.questions[row].query.conds) == 1)
    right = task.batch(np.array([row])).targets[:, 0].tolist()
    assert task.read_query([*right, 0, 99], row) == task.read_query(right, row) is not None
    first_word, first_marker = task.n_outputs, task.n_outputs + len(task.questions[row].words)
    for step, wrong in ((0, 6), (0, 20), (1, 3), (1, first_word), (2, 5), (2, 11), (2, 8), (3, first_word), (4, 10),
                        (4, first_word), (5, first_marker), (5, right[6] + 1), (6, first_marker), (6, 13)):
        assert task.read_query([*right[:step], wrong, *right[step + 1 :]], row) is None, (step, wrong)
    assert task.read_query(right[:-1], row) is None and task.read_query([], row) is None
    assert set(task.score(np.full((7, 1), 13), [row]).items()) >= {("asked", 1), ("queries", 0), ("agg", 0), ("execution", 0)}


def test_scores_fall_only_where_something_is_wrong(tasks):
    task = tasks["query"]
    row = next(row for row in task.parts["train"] if len(task.questions[row].query.conds) == 2)
    right = task.batch(np.array([row])).targets

    def lost(step, change):
        said = right.copy()
        said[step] = change(said[step])
        counts = task.score(said, [row])
        return {what for what in SCORES[:-2] if not counts[what]}

    assert lost(0, lambda agg: (agg + 1) % 6) == {"agg", "logical form"}
    other = next(task.n_outputs + place for place in task._markers(row) if task.n_outputs + place != right[1])
    assert lost(1, lambda _: other) == {"sel", "logical form"}
    assert lost(2, lambda number: number - 1) == {"number", "columns", "operators", "values", "logical form"}
    assert lost(4, lambda operator: 11 + (operator - 10) % 3) == {"operators", "logical form"}
    assert lost(slice(5, 7), lambda _: [[task.n_outputs]] * 2) == {"values", "logical form"}
    swapped = np.concatenate([right[:3], right[7:], right[3:7]])
    assert task.score(swapped, [row])["logical form"] == 1                    # in any order


def test_allowed_steps_have_the_right_ones_and_end_in_queries(tasks):
    task, rng = tasks["query"], np.random.default_rng(3)
    rows = task.rows("test", 40)
    batch = task.batch(rows)
    for t in range(len(batch.targets)):
        allowed = task.allowed(rows, batch.targets[:t])
        assert allowed.shape == (40, task.n_outputs + batch.inputs.question.shape[1])
        assert allowed[np.arange(40), batch.targets[t]][batch.mask[t] > 0].all()
        assert (allowed.sum(axis=1) < 20).mean() > 0.5
    said = np.zeros((0, 40), dtype=int)
    for _ in range(19):
        drawn = [rng.choice(np.flatnonzero(each)) for each in task.allowed(rows, said)]
        said = np.concatenate([said, [drawn]])
    assert task.score(said, rows)["queries"] == 40


def test_values_are_placed_longest_first_and_not_on_one_another():
    asked = words("more than 1 goal on june 1, 2010 and 1 point")
    spans = value_spans(asked, [(0, 0, "1"), (1, 0, "June 1, 2010"), (2, 0, "1"), (3, 0, "two"), (4, 0, "")])
    assert spans == [(2, 2), (5, 8), (10, 10), None, None]
    assert value_spans(words("only 1"), [(0, 0, "1"), (1, 0, "1")]) == [(1, 1), (1, 1)]      # said once, meant twice


# --- floors


def test_floors_are_what_their_names_say(tasks):
    agg, select = tasks["agg"], tasks["select"]
    tests = [agg.questions[row].query.agg for row in agg.parts["test"]]
    assert floors.majority(agg) == pytest.approx(100 * tests.count(0) / len(tests))
    queries = [select.questions[row].query for row in select.parts["test"]]
    assert floors.first_column(select) == pytest.approx(100 * sum(query.sel == 0 for query in queries) / len(queries))
    assert floors.first_column(select) < 35 and 60 < floors.named_column(select) < 90


def test_a_linear_model_beats_the_majority(tasks):
    task = tasks["number"]
    W = floors.linear_weights(task, seed=0, epochs=4, rate=0.1)
    assert not W[0].any() and floors.linear(task, W, "test") > floors.majority(task, "test") + 10
