"""Which column a question asks for.

Streamed, each column is told in a segment of its own, and the question comes last: only the memory can know
which column had which name.

    segment 1  player           segment 2  no           segment 3  nationality        segment 4  position
    question   which country is alexis ajinça from ?
    answer     2 (columns are counted from 0)

Otherwise all is before the model at once, and the answer points at the [col] of a column:

    question   which country is alexis ajinça from ? [col] player [col] no [col] nationality [col] position
    answer     n_outputs + 12 ---------------------------------------------^
"""

import numpy as np

from numpymem.tasks.wikisql.encoding import MAX_COLUMNS
from numpymem.tasks.wikisql.task import WikiSQLTask, check_switch, nothing_told


class WikiSQLSelect(WikiSQLTask):
    """The selected column, of a table's 20 at most; questions about complete tables, split by table.

    streamed   True: one column a segment, in the table's order; the answer is the number of the column
               False: question and columns in one; the answer is a pointer. `n_outputs` is then 1, a class that is never right
    match      mark what question and header have in common (see `match`); only if not streamed: a mark on the question of what
               is in the header would tell a model without memory
    cells      tell after a column's name which of its cells the question says (see `cells`); only if not streamed
    trigrams   whether words are spelt (see `spelling`)
    source, folder  where the data comes from, see `numpymem.data.wikisql.load`

    Parts: "train", "valid" (fold 8), "test" (fold 9).
    """

    def __init__(self, form="segments", streamed=True, match=True, cells=False, trigrams=True, source="auto", folder=None):
        check_switch("streamed", streamed)
        if streamed and cells:
            raise ValueError("cells: expected False with streamed columns, which are told before the question; received True")
        check_switch("match", match)
        self.streamed, self.pointers = streamed, not streamed
        self.name = "wikisql-select" if streamed else "wikisql-select-flat"
        self.n_outputs, self.n_items = (MAX_COLUMNS, MAX_COLUMNS) if streamed else (1, 1)
        self._load(form, source, folder, trigrams, official=False, cells=cells)
        self.classes = np.array([question.query.sel for question in self.questions])
        self._link(match and not streamed)
        if streamed:                              # the columns cost more than the question
            self._length = self.headers.n_columns[self._table] * 100 + self.headers.longest[self._table]
        else:
            self._length = self._lengths + self.headers.flat_words[self._table]

    def batch(self, rows):
        """The Batch of these questions."""
        words, lengths = self._question(rows)
        tables = self._table[rows]
        if self.streamed:
            return self._one_answer(rows, self.headers.as_segments(tables), words, self.classes[rows])
        told, marks = self._with_header(rows)
        target = self.n_outputs + lengths + self.headers.marker[tables, self.classes[rows]]
        return self._one_answer(rows, nothing_told(rows), told, target, marks)
