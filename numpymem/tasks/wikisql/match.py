"""What a question and the header of its table have in common, as marks on their words.

    question   what is the  name  of the player for  the  school  / club team  auburn ?
    marks            .   .   .    .   .    3     .    .     5     5  5   5     .
    header     [col] player [col] no . [col] school / club team
    marks        4     4      .   .  .    6     6   6  6    6

    1            a word of the question that is also in the name of some column
    2            a word of a column's name that is also in the question
    3, 5, 7 ...  words of the question that are the whole name of a column: the first such name, the second, ...
    4, 6, 8 ...  that column: its [col] and all its words

    15, 17 ...   with cells (see `cells`): words of the question that are a cell of the table: the first such place, the second, ...
    16, 18 ...   that cell, told after the name of its column

Words are compared without a plural ending ("clubs" is "club"), whole names without punctuation, and a name that ends in brackets
also without them ("height (m)"). A mark of the second kind goes with its neighbour of the first, so a model need not find out by
itself which words are alike. The first whole name is the column that the rule of `floors` would take.
Nothing here looks at the query.
"""

import functools

import numpy as np

from numpymem.tasks.wikisql.cells import CELL
from numpymem.tasks.wikisql.spelling import COLUMN

LINKS = 6                                # whole names that are numbered; those after the sixth count as single words
N_MARKS = 2 + 2 * LINKS                  # the largest mark; 0 is none
N_MARKS_CELLS = N_MARKS + 2 * LINKS      # the same with cells


@functools.lru_cache(maxsize=100_000)
def stem(word):
    """A word without a plural ending; "" for punctuation."""
    if not word[:1].isalnum():
        return ""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


class Links:
    """Whole names of columns in questions.

    stems     (V,)              number of the stem of each word of the vocabulary, 0 for punctuation
    asked     (N, Q) int8       which link a word of the question belongs to, 0: none
    columns   (N, 20) int8      which link a column of its table has
    said, cells                 as `asked` and `columns`, of cells that are said; None without cells
    """

    def __init__(self, task):
        found = list(map(stem, task.vocabulary.words))
        number = {each: index for index, each in enumerate(dict.fromkeys(["", *found]))}
        self.stems = np.array([number[each] for each in found])
        names_of = {id: Names(names) for id, names in task.names.items()}
        self.asked = np.zeros(task._words.shape, dtype=np.int8)
        self.columns = np.zeros((len(task.questions), task.headers.columns.shape[1]), dtype=np.int8)
        for row, question in enumerate(task.questions):
            found = whole_names(question.words, names_of[question.table_id])[:LINKS]
            for link, (start, end, column) in enumerate(found, start=1):
                self.asked[row, start:end] = link
                self.columns[row, column] = link
        self.said = self.cells = None
        if task._cells is not None:
            self.cell_marker, self.column_marker = task.vocabulary.number[CELL], task.vocabulary.number[COLUMN]
            self.said, self.cells = np.zeros_like(self.asked), np.zeros_like(self.columns)
            for row, found in enumerate(task._cells):
                spans = sorted(set(found.values()))[:LINKS]
                for link, span in enumerate(spans, start=1):
                    self.said[row, slice(*span)] = link
                for column, span in found.items():
                    self.cells[row, column] = spans.index(span) + 1 if span in spans else 0

    def marks(self, rows, told, column):
        """(B, Q') int32: marks of questions with their headers; told and column as `Headers.after` gives them."""
        asked = self.asked[rows, : told.shape[1]]
        asked = np.pad(asked, ((0, 0), (0, told.shape[1] - asked.shape[1]))).astype(np.int32)
        linked = np.where(column >= 0, self.columns[rows[:, None], np.maximum(column, 0)], 0).astype(np.int32)
        stems = self.stems[told]
        alike = (stems[:, :, None] == stems[:, None, :]) & (stems > 0)[:, :, None]             # (B, Q', Q')
        is_column = (column >= 0)[:, None, :]
        in_header, in_question = (alike & is_column).any(axis=2), (alike & ~is_column).any(axis=2)
        marks = np.where(column >= 0, np.where(in_question, 2, 0), np.where(in_header, 1, 0))
        marks = np.where(asked > 0, 1 + 2 * asked, marks)
        marks = np.where(linked > 0, 2 + 2 * linked, marks)
        return (marks if self.said is None else self.mark_cells(marks, rows, told, column)).astype(np.int32)

    def mark_cells(self, marks, rows, told, column):
        """The marks with those of cells, in place of what else is said of these words."""
        said = self.said[rows, : told.shape[1]]
        said = np.pad(said, ((0, 0), (0, told.shape[1] - said.shape[1]))).astype(np.int32)
        marks = np.where(said > 0, N_MARKS - 1 + 2 * said, marks)
        starts = np.where((told == self.column_marker) | (told == self.cell_marker), np.arange(told.shape[1]), 0)
        latest = np.take_along_axis(told, np.maximum.accumulate(starts, axis=1), axis=1)  # the marker before a word
        cell = np.where(column >= 0, self.cells[rows[:, None], np.maximum(column, 0)], 0).astype(np.int32)
        return np.where((latest == self.cell_marker) & (cell > 0), N_MARKS + 2 * cell, marks)


class Names:
    """The names of a table's columns as `whole_names` looks for them.

    column   {stems of a name: its column}; of two columns of one name the first
    starts   first stems of all names
    longest  stems of the longest name

    A name that ends in brackets counts without them, too, where no other column has that name.
    """

    def __init__(self, names):
        """names: the words of each column's name."""
        self.column = {}
        for shorten in (lambda name: name, without_brackets):
            for column, name in enumerate(names):
                form = tuple(filter(None, map(stem, shorten(name))))
                if form:
                    self.column.setdefault(form, column)
        self.starts = {form[0] for form in self.column}
        self.longest = max(map(len, self.column), default=0)


def without_brackets(name):
    """("height", "(", "m", ")") -> ("height",); any other name as it is."""
    return name[: name.index("(", 1)] if name[-1] == ")" and "(" in name[1:] else name


def whole_names(words, names):
    """[(start, end, column), ...]: where a question has the whole name of a column, from left to right, none across another.

    words    words of the question
    names    `Names` of its table

    Where several names begin at a word the longest is taken; a column is named once, at its first place.
    """
    stems = [(place, found) for place, found in enumerate(map(stem, words)) if found]
    found, taken, start = [], set(), 0
    while start < len(stems):
        length = _name_at(stems, start, names) if stems[start][1] in names.starts else 0
        if length:
            end = start + length
            column = names.column[tuple(each for _, each in stems[start:end])]
            if column not in taken:
                found.append((stems[start][0], stems[end - 1][0] + 1, column))
                taken.add(column)
        start += length or 1
    return found


def _name_at(stems, start, names):
    """How many stems the longest name has that begins here; 0: none does."""
    form = tuple(each for _, each in stems[start : start + names.longest])
    return next((length for length in range(len(form), 0, -1) if form[:length] in names.column), 0)
