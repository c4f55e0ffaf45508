"""Words as numbers, and how a word is spelt: rows of the table of vectors that are added up to its vector.

Tables of the test are new, and so are many of their words. What a word is made of helps: its character 3-grams, hashed into a
fixed number of buckets (as the subwords of Bojanowski et al. 2017, arXiv:1607.04606, but of length 3 only):

    drivers     row of "drivers" if training has it 5 times or more, else the row of all unknown words
              + rows of  <dr dri riv ive ver ers rs>

so that "driver" and "drivers" are near each other before anything is learned about either.
"""

import zlib

import numpy as np

NIL, UNKNOWN, FIRST = 0, 1, 2           # rows: no word; any word that training has not, or seldom; the first word's own
COLUMN = "[col]"                        # stands before the name of a column
NOTHING = "[nothing]"                   # told where there is nothing to tell
NOTHING_NUMBER = 1                      # of that word, in every vocabulary
NAMELESS = "[nameless]"                 # the name of a column that has none (78 of 102,000)
MARKERS = (NOTHING, COLUMN)             # words 1 and 2: always known, never spelt
BUCKETS = 4096
ROWS = 12                               # most rows a word: its own and 11 of its 3-grams, the first ones


class Vocabulary:
    """All words of a task.

    training   {word: how often training questions and headers have it}
    others     any other words that may come up
    trigrams   False: no 3-grams, only own rows
    least      a word has a row of its own if training has it so often

    Attributes
    number     {word: number}, from 1; 0 is nil
    words      list of words by number; words[0] is ""
    spelling   (V, F) int32, rows of each word, 0 = none; F = 12, or 1 without 3-grams
    n_rows     how many rows the table of vectors needs: nil, unknown, the words of their own, the buckets
    n_known    how many words have a row of their own
    """

    def __init__(self, training, others=(), trigrams=True, least=5):
        self.words = ["", *MARKERS, *sorted({*training, *others} - {*MARKERS})]
        self.number = {word: number for number, word in enumerate(self.words)}
        known = [*MARKERS, *(word for word in self.words[3:] if training.get(word, 0) >= least)]
        row_of = {word: row for row, word in enumerate(known, start=FIRST)}
        self.n_known, buckets = len(known), FIRST + len(known)
        self.n_rows = buckets + (BUCKETS if trigrams else 0)
        self.spelling = np.zeros((len(self.words), ROWS if trigrams else 1), dtype=np.int32)
        for number, word in enumerate(self.words[1:], start=1):
            rows = [row_of.get(word, UNKNOWN)]
            if trigrams and word not in MARKERS:
                rows += [buckets + bucket for bucket in trigram_buckets(word)[: ROWS - 1]]
            self.spelling[number, : len(rows)] = rows


def trigram_buckets(word):
    """Buckets of the different character 3-grams of <word>, in the word's order. CRC-32, so the same on every machine."""
    marked = f"<{word}>"
    buckets = (zlib.crc32(marked[i : i + 3].encode()) % BUCKETS for i in range(len(marked) - 2))
    return list(dict.fromkeys(buckets))
