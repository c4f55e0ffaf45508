"""Two of the parts of a query that the question alone decides: which aggregation, and how many conditions.

    question   how many schools did player number 3 play at ?
    told       [nothing], in one item
    answer     3 = COUNT (wikisql-agg), or 1 condition (wikisql-number)
"""

import numpy as np

from numpymem.data.wikisql_format import AGGREGATIONS
from numpymem.tasks.wikisql.task import WikiSQLTask, check_switch, nothing_told

MAX_CONDITIONS = 4
SHAPES = ".aAX0"        # of words, see `numpymem.data.wikisql_format.word_shapes`; the marks 1 to 5


class QuestionClass(WikiSQLTask):
    """Base of the two: the answer is a class, `count_wrong` counts questions.

    header     False: the official parts, and nothing is told, so the memory has nothing to hold.
               True: the questions about complete tables, split by table; the columns of the table are the items of one segment.
               (The official dev and test parts have incomplete tables only, and of those just the columns that questions use:
               their number nearly says how many conditions there are, so they are not told.)
    shapes     mark how each word of the question is written (small, Capital, CAPITALS, digits)
    trigrams   whether words are spelt (see `spelling`)
    source, folder  where the data comes from, see `numpymem.data.wikisql.load`

    Parts: "train", "valid", "dev", "test"; with header=True "train", "valid", "test".
    """

    def __init__(self, form="segments", header=False, shapes=False, trigrams=True, source="auto", folder=None):
        check_switch("header", header)
        check_switch("shapes", shapes)
        self.header, self.n_marks = header, len(SHAPES) * shapes
        self._load(form, source, folder, trigrams, official=not header)
        self.classes = np.array([self._class_of(question.query) for question in self.questions], dtype=np.int32)
        self._length = self._lengths
        self._shapes = self._shape_marks() if shapes else None
        if header:
            self.n_items = int(self.headers.n_columns.max())

    def batch(self, rows):
        """The Batch of these questions."""
        words, _ = self._question(rows)
        told = self.headers.as_items(self._table[rows]) if self.header else nothing_told(rows)
        marks = None if self._shapes is None else self._shapes[rows, : words.shape[1]]
        return self._one_answer(rows, told, words, self.classes[rows], marks)

    def _shape_marks(self):
        """(N, Q) int32: 1 + the number of each word's shape in SHAPES, 0 after the last word."""
        marks = np.zeros_like(self._words)
        for row, question in enumerate(self.questions):
            marks[row, : len(question.shapes)] = [1 + SHAPES.index(shape) for shape in question.shapes]
        return marks


class WikiSQLAgg(QuestionClass):
    """Which aggregation a question asks for: none, MAX, MIN, COUNT, SUM, AVG. Settings: see `QuestionClass`."""

    name, n_outputs = "wikisql-agg", len(AGGREGATIONS)

    @staticmethod
    def _class_of(query):
        return query.agg


class WikiSQLNumber(QuestionClass):
    """How many conditions a question has, 0 to 4. Settings: see `QuestionClass`."""

    name, n_outputs = "wikisql-number", MAX_CONDITIONS + 1

    def _keep(self, question, tables):
        return len(question.query.conds) <= MAX_CONDITIONS and super()._keep(question, tables)

    @staticmethod
    def _class_of(query):
        return len(query.conds)
