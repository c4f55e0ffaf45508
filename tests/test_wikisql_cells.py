"""Cells of a table that a question says: which are found, where they are told, and how they are marked."""

import numpy as np
import pytest

from numpymem.data.wikisql_format import Table, words
from numpymem.tasks.wikisql.cells import CELL, cells_of, said_cells
from numpymem.tasks.wikisql.match import N_MARKS
from numpymem.tasks.wikisql.query import WikiSQLQuery
from numpymem.tasks.wikisql.select import WikiSQLSelect
from numpymem.tasks.wikisql.spelling import COLUMN

TABLE = Table("t", "train", True, ("name", "team", "points", "note"),
              [("ann lee", "lee", "12", "-"), ("bo", "new york", "3", "a b c d e f g h i"), ("cy", "york", "12", "3")])


@pytest.fixture(scope="module")
def tasks():
    return {"cells": WikiSQLQuery(source="generated", cells=True), "plain": WikiSQLQuery(source="generated")}


def read(task, row):
    """Words and marks of a question with its header."""
    inputs = task.batch(np.array([row])).inputs
    return [task.vocabulary.words[number] for number in inputs.question[0]], inputs.marks[0].tolist()


def test_cells_are_known_by_their_words():
    columns = cells_of(TABLE)
    assert columns[("new", "york")] == {1} and columns[("12",)] == {2} and columns[("3",)] == {2, 3}
    assert ("-",) not in columns and max(map(len, columns)) == 2                  # no punctuation, none of nine words


@pytest.mark.parametrize("asked, found", [
    ("points of ann lee ?", {0: (2, 4)}),                                         # "lee", team, is inside a longer one
    ("lee or ann lee", {0: (2, 4), 1: (0, 1)}),
    ("new york , not york", {1: (0, 2)}),                                         # of a column the longest
    ("who has 3 or 12", {2: (2, 3), 3: (2, 3)}),                                  # of those of one length the first
    ("who ?", {}),
])
def test_the_longest_cell_of_each_column_is_found(asked, found):
    assert said_cells(words(asked), cells_of(TABLE)) == found


def test_said_cells_are_told_after_the_names_and_nothing_else_changes(tasks):
    with_cells, plain = tasks["cells"], tasks["plain"]
    several = 0
    for row in with_cells.rows("train", 200):
        question = with_cells.questions[row]
        found = said_cells(question.words, cells_of(with_cells.tables[question.table_id]))
        several += len(found) > 1
        told, _ = read(with_cells, row)
        expected, column = [], -1
        for word in [*read(plain, row)[0], COLUMN]:                               # each [col] ends the name before it
            if word == COLUMN:
                expected += [CELL, *question.words[slice(*found[column])]] if column in found else []
                column += 1
            expected.append(word)
        assert told == expected[:-1]
        targets = with_cells.batch(np.array([row])).targets[:, 0]
        assert with_cells.read_query(targets, row) == plain.read_query(plain.batch(np.array([row])).targets[:, 0], row)
    assert several > 10


def test_a_cell_and_where_it_is_said_have_marks_that_go_together(tasks):
    task = tasks["cells"]
    for row in task.rows("train", 200):
        told, marks = read(task, row)
        question = task.questions[row].words
        found = task._cells[row]
        spans = sorted(set(found.values()))
        starts = [place for place, word in enumerate(told) if word == COLUMN] + [len(told)]
        said = {place: 1 + spans.index(span) for span in spans for place in range(*span)}
        for place, mark in enumerate(marks[:len(question)]):
            assert mark == N_MARKS - 1 + 2 * said[place] if place in said else mark < N_MARKS
        for column, (start, end) in enumerate(zip(starts, starts[1:])):
            name = told[start:end].index(CELL) if column in found else end - start
            cell = N_MARKS + 2 * (1 + spans.index(found[column])) if column in found else None
            assert max(marks[start:start + name]) <= N_MARKS
            assert marks[start + name:end] == [cell] * (end - start - name)


def test_columns_one_by_one_have_no_cells():
    with pytest.raises(ValueError, match="cells: expected False with streamed columns"):
        WikiSQLSelect(source="generated", cells=True)
    with pytest.raises(ValueError, match="cells: expected True or False, received 'yes'"):
        WikiSQLQuery(source="generated", cells="yes")
    assert WikiSQLSelect(source="generated", streamed=False, cells=True).n_marks == 26
