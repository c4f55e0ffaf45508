"""WikiSQL: the file format, finding the files, made-up data, executing queries. The tasks are in test_wikisql_tasks.py."""

import hashlib
import io
import json
import tarfile
from collections import Counter

import pytest

from numpymem.data import sql, wikisql, wikisql_made
from numpymem.data.wikisql_format import Query, Table, parse_questions, parse_tables, word_shapes, words

QUESTION = {"table_id": "1-1", "question": "Who scored 1,040 points in 1998-99?",
            "sql": {"sel": 0, "agg": 0, "conds": [[1, 0, "1,040"]]}}
TABLE = {"id": "1-1", "split": "train", "complete": True, "title": 'the "rows": of it', "header": ["player", "points", "season"],
         "rows": [["ann", "1040", "1998 - 99"], ["bob", "900", "1999 - 00"]]}
PARTIAL = {"id": "2-2", "split": "dev", "complete": False, "header": ["team", "city"], "orig_idx": [0, 3]}


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


FILES = {
    "train.jsonl": lines(QUESTION, {**QUESTION, "table_id": "2-2"}),
    "dev.jsonl": lines({"table_id": "2-2", "question": "Which city?", "sql": {"sel": 1, "agg": 0, "conds": []}}),
    "test.jsonl": lines({"table_id": "2-2", "question": "Which team?", "sql": {"sel": 0, "agg": 0, "conds": []}}),
    "tables.jsonl": lines(TABLE, PARTIAL),
}


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No real files are found unless the test says where; nothing is remembered from another test."""
    monkeypatch.setattr(wikisql, "search_places", lambda: [])
    wikisql._read.cache_clear()


def put_files(folder, change=()):
    folder.mkdir(exist_ok=True)
    for name, content in (FILES | dict(change)).items():
        (folder / name).write_bytes(content)
    return folder


def put_archive(path, change=()):
    with tarfile.open(path, "w:xz") as archive:
        for name, content in {"official/dev.jsonl": b"not this one", **FILES, **dict(change)}.items():
            member = tarfile.TarInfo(f"wikisql/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


# --- the format


@pytest.mark.parametrize(("text", "shapes"), [("Who is from South Australia in the NBA?", "AaaAAaaX."), ("", ""),
                                             ("X 1,040 a2 2a É ß", "A0a0Aa"), ("_ - İ", "..a.")])
def test_shapes_say_how_each_word_is_written(text, shapes):
    assert word_shapes(text) == shapes and len(shapes) == len(words(text))


def test_words_keep_numbers_whole_and_cells_and_questions_alike():
    assert words("Who scored 1,040 points in 1998-99?") == ("who", "scored", "1,040", "points", "in", "1998", "-", "99", "?")
    assert words("1998 - 99") == words("1998-99") and words("2.02m, 3rd") == ("2.02", "m", ",", "3rd")
    assert words("  ") == () and words("Škoda_x") == ("škoda", "_", "x")


def test_questions_and_tables_are_read_as_they_are_written():
    question, _ = parse_questions(FILES["train.jsonl"] + b"\n\n", "train.jsonl")
    assert question == ("1-1", words(QUESTION["question"]), Query(0, 0, ((1, 0, "1,040"),)), word_shapes(QUESTION["question"]))
    tables = parse_tables(FILES["tables.jsonl"], "tables.jsonl")
    assert tables["1-1"].header == ("player", "points", "season") and tables["1-1"].complete and tables["1-1"].split == "train"
    assert tables["1-1"].rows == (("ann", "1040", "1998 - 99"), ("bob", "900", "1999 - 00"))
    assert tables["2-2"].rows == () and not tables["2-2"].complete


def test_a_value_that_is_a_number_and_rows_in_another_place_are_read_too():
    sql_of = {"sel": 0, "agg": 3, "conds": [[1, 1, 12.5]]}
    (question,) = parse_questions(lines({**QUESTION, "sql": sql_of}), "f")
    assert question.query == Query(0, 3, ((1, 1, "12.5"),))
    order = {key: TABLE[key] for key in ("id", "rows", "complete", "header", "split")}
    assert parse_tables(lines(order), "f")["1-1"].rows == parse_tables(lines(TABLE), "f")["1-1"].rows
    dense = json.dumps(TABLE, separators=(",", ":")).encode()
    assert parse_tables(dense, "f")["1-1"].rows[1] == ("bob", "900", "1999 - 00")


@pytest.mark.parametrize(("bad", "message"), [
    (b"{", "f, line 2: expected one JSON object"),
    (b"[1]", "f, line 2: expected a JSON object, found"),
    (b"\xff", "f, line 2: expected one JSON object"),
    (lines({**QUESTION, "table_id": 3}), "f, line 2: expected 'table_id' to be a str, found 3"),
    (lines({"table_id": "x", "question": "a?"}), "f, line 2: expected 'sql' to be a dict, found 'none'"),
    (lines({**QUESTION, "question": " "}), "f, line 2: the question is empty"),
    (lines({**QUESTION, "sql": {"sel": 0, "agg": 6, "conds": []}}), "f, line 2: expected sel >= 0, agg from 0 to 5"),
    (lines({**QUESTION, "sql": {"sel": True, "agg": 0, "conds": []}}), "f, line 2: expected sel >= 0"),
    (lines({**QUESTION, "sql": {"sel": 0, "agg": 0, "conds": [[0, 3, "x"]]}}), r"f, line 2: expected a condition .*\[0, 3, 'x'\]"),
    (lines({**QUESTION, "sql": {"sel": 0, "agg": 0, "conds": [[-1, 0, "x"]]}}), "f, line 2: expected a condition"),
])
def test_a_bad_question_is_named_by_file_and_line(bad, message):
    with pytest.raises(ValueError, match=message):
        parse_questions(lines(QUESTION) + bad, "f")


@pytest.mark.parametrize(("change", "message"), [
    ({"header": []}, "f, line 1: expected 'header' to list column names"),
    ({"header": ["a", 2, "c"]}, "f, line 1: expected 'header'"),
    ({"complete": 1}, "f, line 1: expected 'complete' to be a bool, found 1"),
    ({"rows": [["1", "2"]]}, "f, line 1: expected 'rows' to list rows of 3 cells"),
    ({"rows": 5}, "f, line 1: expected 'rows' to list rows"),
])
def test_a_bad_table_is_named_by_file_and_line(change, message):
    with pytest.raises(ValueError, match=message):
        assert parse_tables(lines({**TABLE, **change}), "f")["1-1"].rows
    with pytest.raises(ValueError, match="f, line 1: expected 'rows' in a complete table"):
        parse_tables(lines({key: TABLE[key] for key in ("id", "split", "complete", "header")}), "f")
    with pytest.raises(ValueError, match="f: expected WikiSQL tables.*empty file"):
        parse_tables(b"\n", "f")


# --- finding the files


def test_files_are_found_in_a_folder_a_subfolder_and_an_archive(tmp_path):
    put_files(tmp_path / "plain")
    put_files(tmp_path / "wikisql")
    (tmp_path / "other").mkdir()
    put_archive(tmp_path / "other" / "wikisql.tar.xz")
    for place in (tmp_path / "plain", tmp_path, tmp_path / "other", tmp_path / "other" / "wikisql.tar.xz"):
        data = wikisql.load("real", folder=place)
        assert data.origin == "WikiSQL-format files that DIFFER from those we know, from the folder given"
        assert [len(part) for part in (data.train, data.dev, data.test, data.tables)] == [2, 1, 1, 2]
        assert data.dev[0].words == ("which", "city", "?")
        assert wikisql.load("real", folder=place) is data                            # read once


def test_known_files_are_known_by_their_checksums(tmp_path, monkeypatch):
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setitem(wikisql.are_known.__globals__, "SHA256", digests)
    assert wikisql.load(folder=put_files(tmp_path / "same")).origin == "real WikiSQL (checksums verified) from the folder given"
    changed = put_files(tmp_path / "changed", {"dev.jsonl": FILES["dev.jsonl"].replace(b"city", b"town")})
    assert "DIFFER" in wikisql.load(folder=changed).origin


def test_what_is_missing_or_damaged_is_said(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="folder: .* does not exist"):
        wikisql.load(folder=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="folder: expected wikisql.tar.xz, or train.jsonl, .*found none"):
        wikisql.load(folder=tmp_path)
    with pytest.raises(ValueError, match="source: expected one of"):
        wikisql.load("internet")
    with pytest.raises(ValueError, match="folder: expected a path, received 3"):
        wikisql.load(folder=3)
    with pytest.raises(FileNotFoundError, match="NUMPYMEM_DATA=DIR.*--set source=generated.*Looked in here"):
        monkeypatch.setattr(wikisql, "search_places", lambda: [wikisql_place("here", tmp_path)])
        wikisql.load("real")
    assert wikisql.load("auto").origin.startswith("GENERATED WikiSQL-like data: no real data found; results are not comparable")
    (tmp_path / "wikisql.tar.xz").write_bytes(put_archive(tmp_path / "good.tar.xz").read_bytes()[:200])
    with pytest.raises(ValueError, match="wikisql.tar.xz: expected a .tar.gz or .tar.xz archive"):
        wikisql.load(folder=tmp_path)


def wikisql_place(label, path):
    from numpymem.data.babi import Place
    return Place(label, path)


def test_folds_take_complete_tables_only_and_no_table_is_in_two(tmp_path):
    (train, valid, test) = wikisql.load(folder=put_files(tmp_path)).folds()
    assert [question.table_id for question in train + valid + test] == ["1-1"]          # 2-2 is not complete
    data = wikisql.load("generated")
    parts = data.folds()
    ids = [{question.table_id for question in part} for part in parts]
    assert sum(map(len, parts)) == len(data.train) and not (ids[0] & ids[1] or ids[0] & ids[2] or ids[1] & ids[2])
    for which, found in zip(({0, 1, 2, 3, 4, 5, 6, 7}, {8}, {9}), ids):
        assert {int(hashlib.sha1(id.encode()).hexdigest(), 16) % 10 for id in found} == which


def test_a_query_with_a_column_that_the_table_has_not_is_refused(tmp_path):
    wrong = {**QUESTION, "sql": {"sel": 0, "agg": 0, "conds": [[3, 0, "x"]]}}
    with pytest.raises(ValueError, match="train.jsonl: expected columns below 3 for table 1-1, found 3"):
        wikisql.load(folder=put_files(tmp_path, {"train.jsonl": lines(wrong)})).folds()


# --- made-up data


def test_made_up_data_has_the_shares_that_it_says():
    data = wikisql.load("generated")
    queries = [question.query for question in data.train]
    n = len(queries)
    assert 1500 < n < 3500 and len(data.dev) > 150 and len(data.test) > 200
    assert 0.68 < Counter(query.agg for query in queries)[0] / n < 0.84                 # 0.72, and what has no number to aggregate
    conditions = Counter(len(query.conds) for query in queries)
    assert set(conditions) == {0, 1, 2, 3, 4} and 0.64 < conditions[1] / n < 0.74
    assert Counter(cond[1] for query in queries for cond in query.conds).keys() == {0, 1, 2}
    splits = Counter((table.split, table.complete) for table in data.tables.values())
    assert splits == {("train", True): 500, ("dev", False): 60, ("test", False): 80}


def test_made_up_queries_have_answers_and_say_their_values():
    data = wikisql.load("generated")
    answers = [sql.execute(question.query, data.tables[question.table_id]) for question in data.train]
    assert sum(map(bool, answers)) > 0.99 * len(answers)
    counted = [answer for question, answer in zip(data.train, answers) if question.query.agg == 3]
    has = sum(sql.has_answer(question.query, data.tables[question.table_id]) for question in data.train)
    assert has == sum(map(bool, answers)) - counted.count([0]) and counted.count([0]) > 0
    for question in data.train:
        said = " ".join(question.words)
        assert all(" ".join(words(value)) in said for _, _, value in question.query.conds)


def test_made_up_data_is_the_same_every_time_and_another_with_another_seed():
    small = {"train": 5, "dev": 1, "test": 1}
    assert wikisql_made.generate(0, small) == wikisql_made.generate(0, small) != wikisql_made.generate(1, small)


# --- executing queries

CARS = Table("c", "train", True, ["car", "year", "price", "speed"], [
    ["Ford T", "1908", "$850", "45 mph (72 km/h)"],
    ["Mini", "1959", "1,040", "- 9"],
    ["mini", "1969 - 70", "n/a", "80.5"],
    ["2CV", "1948", "1040.0", "40"],
])


@pytest.mark.parametrize(("sel", "agg", "conds", "answer"), [
    (1, 0, (), ["1908", "1959", "1969 - 70", "1948"]),
    (1, 0, ((0, 0, "MINI"),), ["1959", "1969 - 70"]),
    (0, 0, ((1, 0, "1969–70"),), ["mini"]),
    (0, 0, ((2, 0, "1040"),), ["Mini", "2CV"]),
    (0, 0, ((2, 0, "850"),), ["Ford T"]),
    (0, 0, ((3, 0, "−9"),), ["Mini"]),
    (0, 0, ((3, 0, "9"),), []),                        # minus nine is not nine
    (0, 0, ((1, 1, "1948"),), ["Mini", "mini"]),       # larger, not equal
    (0, 0, ((3, 2, "45"),), ["Mini", "2CV"]),
    (0, 0, ((2, 1, "0"),), ["Ford T", "Mini", "2CV"]),    # n/a is no number
    (0, 0, ((2, 1, "much"),), []),
    (0, 0, ((0, 0, "mini"), (1, 2, "1960")), ["Mini"]),
    (2, 1, (), [1040.0]),
    (3, 2, (), [-9.0]),
    (0, 3, ((0, 0, "mini"),), [2]),
    (0, 3, ((0, 0, "audi"),), [0]),
    (2, 4, (), [2930.0]),
    (3, 5, (), [(45 - 9 + 80.5 + 40) / 4]),
    (2, 5, ((1, 1, "1960"),), []),
    (0, 1, ((1, 0, "1908"),), []),
])
def test_queries_are_executed(sel, agg, conds, answer):
    assert sql.execute(Query(sel, agg, conds), CARS) == answer


@pytest.mark.parametrize(("text", "number"), [
    ("1,040", 1040), ("1,04", 1), ("12 (3)", 12), ("- 9", -9), ("−9.5", -9.5), ("+ 7", 7), ("$ 1,663,868", 1663868),
    (". 667", 0.667), ("2 - 1", 2), ("mi - 26", 26), ("of 0 . 5", 0), ("none", None), ("", None), ("-", None),
])
def test_the_first_number_of_a_text(text, number):
    assert sql.first_number(text) == number


def test_values_queries_and_answers_are_compared():
    assert sql.same_value("CH-47D Chinook", "ch - 47d chinook") and sql.same_value("5.0", "5") and not sql.same_value("5.0", "50")
    assert not sql.same_value("-", "") and not sql.same_value("-", "+") and sql.same_value("–", "-")
    a = Query(1, 0, ((0, 0, "x"), (2, 1, "1,000")))
    assert sql.same_query(a, Query(1, 0, ((2, 1, "1000"), (0, 0, "X"))))
    for other in (Query(0, 0, a.conds), Query(1, 1, a.conds), Query(1, 0, a.conds[:1]), Query(1, 0, (a.conds[0], a.conds[0])),
                  Query(1, 0, ((0, 1, "x"), a.conds[1])),
                  Query(1, 0, ((1, 0, "x"), a.conds[1])), Query(1, 0, ((0, 0, "y"), a.conds[1]))):
        assert not sql.same_query(a, other)
    assert sql.same_answer(["b", "A"], ["a", "b"]) and sql.same_answer([0.1 + 0.2], [0.3]) and sql.same_answer([], [])
    assert not sql.same_answer(["a", "a"], ["a", "b"]) and not sql.same_answer([1], [2]) and not sql.same_answer(["a"], ["a", "a"])


def test_only_complete_tables_can_be_asked():
    with pytest.raises(ValueError, match="table: expected a complete one, the rows of d are not known"):
        sql.execute(Query(0, 0, ()), Table("d", "dev", False, ["a"]))
