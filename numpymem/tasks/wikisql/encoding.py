"""Questions and headers as arrays of word numbers, written once, so that a batch is a few fancy indices.

N questions, A tables, C different column names; Q, J, H words of the longest question, name, header.
"""

import numpy as np

from numpymem.tasks.wikisql.spelling import COLUMN, NAMELESS

MAX_COLUMNS = 20        # of the questions about complete tables all but 22 (0.04 %) are about tables that have no more
NAME_WORDS = 8          # of a column's name are read; 0.3 % of the names have more


def ragged(rows, number):
    """Lists of words -> (words (N, longest) int32 padded with 0, lengths (N,))."""
    lengths = np.array([len(row) for row in rows])
    words = np.zeros((len(rows), max(lengths, default=1)), dtype=np.int32)
    words[np.arange(words.shape[1]) < lengths[:, None]] = np.fromiter((number[word] for row in rows for word in row), np.int32)
    return words, lengths


class Headers:
    """The headers of the tables that a task asks about.

    names        (C, J) int32     words of each different column name; name 0 is none
    name_words   (C,)             how many words that is
    columns      (A, 20) int32    names of each table's columns, in the table's order
    n_columns    (A,)
    longest      (A,)             words of the longest name
    flat         (A, H) int32     all names in a row, each after the word [col]
    flat_column  (A, H) int32     which column a word of `flat` belongs to
    flat_words   (A,)             how many words that is
    marker       (A, 20) int32    place of each column's [col] in `flat`
    """

    def __init__(self, headers, number):
        """headers: one list of names a table, each name a tuple of words; number: {word: number}."""
        different = [(), *dict.fromkeys(name for header in headers for name in header)]
        self.names, self.name_words = ragged(different, number)
        name_number = {name: index for index, name in enumerate(different)}
        self.columns, self.n_columns = ragged(headers, name_number)
        self.longest = self.name_words[self.columns].max(axis=1)
        self.flat, self.flat_words = ragged([[word for name in header for word in (COLUMN, *name)] for header in headers], number)
        is_marker = self.flat == number[COLUMN]
        self.flat_column = np.maximum(np.cumsum(is_marker, axis=1, dtype=np.int32) - 1, 0)
        self.marker = np.zeros_like(self.columns)
        table, place = np.nonzero(is_marker)
        self.marker[table, self.flat_column[table, place]] = place

    def as_segments(self, tables):
        """(B, G, 1, J): each column of these tables a segment of one item, trimmed."""
        names = self.columns[tables, : self.n_columns[tables].max()]                        # (B, G)
        return self.names[names, : self.longest[tables].max()][:, :, None, :]

    def as_items(self, tables):
        """(B, 1, I, J): all columns of a table in one segment, each an item."""
        return self.as_segments(tables).transpose(0, 2, 1, 3)

    def after(self, words, lengths, tables):
        """Questions, each followed by the header of its table.

        words, lengths  (B, Q), (B,)
        returns         (words (B, Q') int32, column (B, Q') int32: of which column a word is, -1 for a question's)
        """
        width = int((lengths + self.flat_words[tables]).max())
        told = np.zeros((len(tables), width), dtype=np.int32)
        told[:, : min(width, words.shape[1])] = words[:, :width]
        column = np.full_like(told, -1)
        inside = np.arange(self.flat_words[tables].max()) < self.flat_words[tables][:, None]          # (B, H)
        row, place = np.nonzero(inside)
        told[row, lengths[row] + place] = self.flat[tables[row], place]
        column[row, lengths[row] + place] = self.flat_column[tables[row], place]
        return told, column


def name_of(words):
    """The words of a column's name that are read."""
    return words[:NAME_WORDS] or (NAMELESS,)
