"""What a question and the header of its table have in common, as marks on their words.

    question   what is the  name  of the player for  the  school  / club team  auburn ?
    marks            .   .   .    .   .    3     .    .     5     5  5   5     .
    header     [col] player [col] no . [col] school / club team
    marks        4     4      .   .  .    6     6   6  6    6

    1            a word of the question that is also in the name of some column
    2            a word of a column's name that is also in the question
    3, 5, 7 ...  words of the question that are the whole name of a column: the first such name, the second, ...
    4, 6, 8 ...  that column: its [col] and all its words

A mark of the second kind goes with its neighbour of the first, so a model need not find out by itself which words are alike.
The first whole name is the column that the rule of `floors` would take; nothing here looks at the query.
"""

import numpy as np

LINKS = 6                                # whole names that are numbered; those after the sixth count as single words
N_MARKS = 3 + 2 * LINKS


class Links:
    """Whole names of columns in questions.

    asked     (N, Q) int8       which link a word of the question belongs to, 0: none
    columns   (N, 20) int8      which link a column of its table has
    """

    def __init__(self, task):
        self.asked = np.zeros(task._words.shape, dtype=np.int8)
        self.columns = np.zeros((len(task.questions), task.headers.columns.shape[1]), dtype=np.int8)
        for row, question in enumerate(task.questions):
            found = whole_names(question.words, task.names[question.table_id])[:LINKS]
            for link, (start, end, column) in enumerate(found, start=1):
                self.asked[row, start:end] = link
                self.columns[row, column] = link

    def marks(self, rows, told, column):
        """(B, Q') int32: marks of questions with their headers; told and column as `Headers.after` gives them."""
        asked = self.asked[rows, : told.shape[1]]
        asked = np.pad(asked, ((0, 0), (0, told.shape[1] - asked.shape[1]))).astype(np.int32)
        linked = np.where(column >= 0, self.columns[rows[:, None], np.maximum(column, 0)], 0).astype(np.int32)
        alike = (told[:, :, None] == told[:, None, :]) & (told > 0)[:, :, None]                # (B, Q', Q')
        is_column = (column >= 0)[:, None, :]
        in_header, in_question = (alike & is_column).any(axis=2), (alike & ~is_column).any(axis=2)
        marks = np.where(column >= 0, np.where(in_question, 2, 0), np.where(in_header, 1, 0))
        marks = np.where(asked > 0, 1 + 2 * asked, marks)
        return np.where(linked > 0, 2 + 2 * linked, marks).astype(np.int32)


def whole_names(words, names):
    """[(start, end, column), ...]: where the words have the whole name of a column, from left to right, none across another.

    Where several begin at a word the longest is taken; a column is named once, at its first place. Of two columns of one name the
    first is meant.
    """
    column_of = {}
    for column, name in enumerate(names):
        column_of.setdefault(name, column)
    longest = max(map(len, names))
    found, taken, start = [], set(), 0
    while start < len(words):
        end = next((end for end in range(min(len(words), start + longest), start, -1) if words[start:end] in column_of), None)
        if end is None:
            start += 1
            continue
        column = column_of[words[start:end]]
        if column not in taken:
            found.append((start, end, column))
            taken.add(column)
        start = end
    return found
