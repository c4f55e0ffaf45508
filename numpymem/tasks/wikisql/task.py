"""What the WikiSQL tasks share: the parts, the vocabulary, drawing questions of about one length, counting what is wrong."""

from collections import Counter

import numpy as np

from numpymem.data import wikisql
from numpymem.data.wikisql_format import words
from numpymem.initial import check_at_least
from numpymem.tasks.batches import Batch, Segments
from numpymem.tasks.wikisql.cells import CELL, cells_of, said_cells, with_cells
from numpymem.tasks.wikisql.encoding import MAX_COLUMNS, Headers, name_of, ragged
from numpymem.tasks.wikisql.match import N_MARKS, N_MARKS_CELLS, Links
from numpymem.tasks.wikisql.spelling import NOTHING_NUMBER, Vocabulary

EVALUATION_BATCH = 100
POOL = 16               # a batch is one of 16 slices of 16 times as many questions, drawn at random and sorted by length
VALID_FOLDS = 20        # of the official training part, one in 20 tables is held out


class WikiSQLTask:
    """Base of the tasks. A subclass says in `_keep` what it can use of a question and in `batch` what is told and asked.

    Attributes
    parts          {"train": ..., "valid": ..., "dev" or nothing, "test": ...}: numbers of the questions of each part
    questions      list of `Question`
    vocabulary     `spelling.Vocabulary`
    tables         {id: Table} where the task reads headers, else None
    headers        `encoding.Headers` where the task reads headers, else None
    dropped        {part: how many questions were left out, because the task cannot put them}
    origin         where the data comes from, in one line
    """

    form, forms = "segments", ("segments",)
    loss = "categorical"
    unit = "error %"
    n_marks, n_items, pointers = 0, 1, False

    def _load(self, form, source, folder, trigrams, official, cells=False):
        """Read the data and write all words as numbers."""
        check_segments_form(self.name, form)
        check_switch("trigrams", trigrams)
        check_switch("cells", cells)
        data = wikisql.load(source, folder)
        parts = official_parts(data) if official else dict(zip(("train", "valid", "test"), data.folds()))
        kept = {name: [question for question in part if self._keep(question, data.tables if not official else None)]
                for name, part in parts.items()}
        self.dropped = {name: len(part) - len(kept[name]) for name, part in parts.items()}
        self.questions = [question for part in kept.values() for question in part]
        ends = np.cumsum([0, *map(len, kept.values())])
        self.parts = {name: np.arange(start, end) for name, start, end in zip(kept, ends, ends[1:])}
        counts = ", ".join(f"{name} {len(rows):,}" for name, rows in self.parts.items())
        split = "official parts, valid: 5 % of the training tables" if official else "complete tables, split by table"
        left_out = f"; {sum(self.dropped.values())} left out" if any(self.dropped.values()) else ""
        self.origin = f"{self.name}: {data.origin}; {split} ({counts}{left_out})"
        self.tables = None if official else data.tables
        self._encode(self.tables, trigrams, cells)

    def _keep(self, question, tables):
        return tables is None or len(tables[question.table_id].header) <= MAX_COLUMNS

    def _encode(self, tables, trigrams, cells):
        """Number words and tables.

        _words (N, Q) int32, _lengths (N,)   the questions
        _table (N,)                          number of the table of each, in the order of `table_ids`; with cells, which are told as
                                             part of the header, each question has a header of its own
        _cells                               with cells a list: for each question {column: (start, end)} of `said_cells`; else None
        """
        asked = {question.table_id for question in self.questions}
        names = {} if tables is None else {id: [name_of(words(name)) for name in tables[id].header] for id in sorted(asked)}
        training = [self.questions[row] for row in self.parts["train"]]
        counted = Counter(word for question in training for word in question.words)
        for id in {question.table_id for question in training} & set(names):
            counted.update(word for name in names[id] for word in name)
        others = {word for question in self.questions for word in question.words}
        others |= {word for header in names.values() for name in header for word in name}
        if cells:
            counted[CELL] = len(training)
        self.vocabulary = Vocabulary(counted, others, trigrams)
        self.n_inputs = self.vocabulary.n_rows
        self._words, self._lengths = ragged([question.words for question in self.questions], self.vocabulary.number)
        self.names, self.headers, self._cells = names, None, None
        if cells:
            columns = {id: cells_of(tables[id]) for id in asked}
            self._cells = [said_cells(question.words, columns[question.table_id]) for question in self.questions]
            told = [with_cells(names[question.table_id], question.words, found)
                    for question, found in zip(self.questions, self._cells)]
            self._table = np.arange(len(told))
            self.headers = Headers(told, self.vocabulary.number)
        elif names:
            self.table_ids = list(names)
            number = {id: index for index, id in enumerate(names)}
            self._table = np.array([number[question.table_id] for question in self.questions])
            self.headers = Headers(list(names.values()), self.vocabulary.number)

    # ---- drawing ----------------------------------------------------------------------------------------------------------

    def sample(self, rng, batch_size):
        """A batch of training questions of about one length, drawn with replacement, each as likely as any other.

        16 times as many are drawn, sorted by `_length`, and one of the 16 slices is taken: what is of one length needs no
        padding, and the lengths take turns.
        """
        check_at_least("batch_size", batch_size, 1)
        drawn = rng.choice(self.parts["train"], POOL * batch_size)
        order = np.argsort(self._length[drawn], kind="stable")
        start = int(rng.integers(POOL)) * batch_size
        return self.batch(drawn[order[start : start + batch_size]])

    def rows(self, part="valid", count=None):
        """Numbers of the questions of a part, or of `count` of them, the same every time; sorted by length.

        Raises ValueError for a part that there is not.
        """
        if part not in self.parts:
            raise ValueError(f"part: expected one of {tuple(self.parts)}, received {part!r}")
        found = self.parts[part]
        if count is not None and count < len(found):
            found = np.random.default_rng(1709).permutation(found)[:max(0, count)]      # files are sorted by table: no slice
        return found[np.argsort(self._length[found], kind="stable")]

    def evaluation(self, rng, count, part="valid"):
        """Yield (Batch, questions in it) of a part, or of `count` questions of it, the same every time. `rng` is not used."""
        found = self.rows(part, count)
        for start in range(0, len(found), EVALUATION_BATCH):
            chosen = found[start : start + EVALUATION_BATCH]
            yield self.batch(chosen), len(chosen)

    def count_wrong(self, outputs, batch):
        """Count questions with a wrong answer: one is wrong if any step that is asked is.

        outputs  (T, B, n_outputs + Q), without pointers also (T, B, n_outputs): the largest is the answer of a step. Each step was
                 given the right answers before it; if all are right then, what is said step by step from one's own answers is
                 the same, so the count of right questions is that of greedy decoding
        returns  (wrong, asked), two int
        raises   ValueError for outputs of another shape
        """
        outputs = np.asarray(outputs)
        widths = {self.n_outputs + batch.inputs.question.shape[1]} | (set() if self.pointers else {self.n_outputs})
        if outputs.shape[:-1] != batch.targets.shape or outputs.shape[-1] not in widths:
            expected = " or ".join(str((*batch.targets.shape, width)) for width in sorted(widths))
            raise ValueError(f"outputs: expected shape {expected}, received {outputs.shape}")
        wrong = ((outputs.argmax(axis=-1) != batch.targets) & (batch.mask > 0)).any(axis=0)
        return int(wrong.sum()), int((batch.mask > 0).any(axis=0).sum())

    # ---- parts of batches -------------------------------------------------------------------------------------------------

    def _question(self, rows):
        """(words (B, Q), lengths (B,)) of these questions, trimmed."""
        lengths = self._lengths[rows]
        return self._words[rows, : lengths.max()], lengths

    def _link(self, match):
        """Find what questions and headers have in common, if it is to be marked."""
        self._links = Links(self) if match else None
        self.n_marks = (N_MARKS if self._cells is None else N_MARKS_CELLS) if match else 0

    def _with_header(self, rows):
        """(words (B, Q), marks (B, Q) or None) of these questions, each with its header after it."""
        words, lengths = self._question(rows)
        told, column = self.headers.after(words, lengths, self._table[rows])
        return told, self._links.marks(rows, told, column) if self._links else None

    def _one_answer(self, rows, segments, question, target, marks=None):
        """A Batch in which one step is asked; target (B,)."""
        prompt = np.zeros((len(rows), 1), dtype=np.int32)
        inputs = Segments(segments, question, prompt, marks, self.vocabulary.spelling)
        return Batch(inputs, target[None].astype(np.int32), np.ones((1, len(rows)), dtype=np.float32))


def official_parts(data):
    """The official parts; of the training part, the tables of fold 0 of 20 are held out for validation."""
    parts = {"train": [], "valid": [], "dev": data.dev, "test": data.test}
    held = {id: wikisql.fold(id, VALID_FOLDS) == 0 for id in {question.table_id for question in data.train}}
    for question in data.train:
        parts["valid" if held[question.table_id] else "train"].append(question)
    return parts


def nothing_told(rows):
    """(B, 1, 1, 1): one segment of one item, the word [nothing], so that a memory has something to write, but nothing to know."""
    return np.full((len(rows), 1, 1, 1), NOTHING_NUMBER, dtype=np.int32)


def check_segments_form(name, form):
    if form != "segments":
        raise ValueError(f"form: expected 'segments', the only form of {name}, received {form!r}")


def check_switch(name, value):
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected True or False, received {value!r}")
