"""The bAbI tasks as batches, in story form (MemN2N, DMN) or in sequence form (NTM, DNC, LSTM).

Words are lower-case; every answer is one class, also "apple,milk".  All questions are turned into word ids once, so that
a batch is one fancy index.
"""

import numpy as np

from numpymem.data import babi as data
from numpymem.tasks.batches import Batch, Stories

FORMS = ("story", "sequence")
PARTS = ("train", "valid", "test")
EVALUATION_BATCH = 100


class Babi:
    """One of the twenty tasks.

    number       1 to 20
    size         "1k" or "10k" training questions
    form         "story": inputs are `Stories`, targets (B,)
                 "sequence": words one by one, see `_sequence_batch`
    source, folder  where the data comes from, see `numpymem.data.babi.load`
    memory_size  only so many of the latest sentences of a story are kept (50 as in the MemN2N paper; in the released
                 data no supporting fact is older than 40)
    raises       ValueError for a wrong argument; FileNotFoundError if there is no such data

    Attributes
    name, form, origin          "babi1"; "story" or "sequence"; where the data comes from, in one line
    vocabulary                  list of words, index = word id; vocabulary[0] is "" (nil)
    answers                     sorted answer classes of training and test file, index = class
    n_inputs, n_outputs         len(vocabulary), len(answers)
    train_size                  training questions left after the last 10 % were held out for validation
    max_sentence_words          J
    questions                   list of `Question`: training, then validation, then test
    """

    loss = "categorical"
    unit = "error %"
    forms = FORMS

    def __init__(self, number=1, size="1k", form="story", source="auto", folder=None, memory_size=50):
        if form not in FORMS:
            raise ValueError(f"form: expected 'story' or 'sequence', received {form!r}")
        if not isinstance(memory_size, int) or memory_size < 1:
            raise ValueError(f"memory_size: expected an integer of at least 1, received {memory_size!r}")
        loaded = data.load(number, size, source, folder)
        train, valid = data.split_validation(loaded.train)
        self.name = f"babi{number}"
        self.form = form
        self.origin = loaded.origin
        self.memory_size = memory_size
        self.questions = train + valid + loaded.test
        self.train_size = len(train)
        self._starts = (0, len(train), len(loaded.train), len(self.questions))
        self._build_vocabulary()
        self._targets = np.array([self._class_id[q.answer] for q in self.questions], dtype=np.int32)    # (Q,)
        if form == "story":
            self._encode_stories()
        else:
            self._encode_sequences()

    def sample(self, rng, batch_size):
        """A batch of training questions drawn with replacement (as the released MemN2N code does)."""
        _check_batch_size(batch_size)
        return self._batch(rng.integers(self.train_size, size=batch_size))

    def dataset(self, which):
        """Indices into `questions` of the part "train", "valid" or "test", in file order."""
        if which not in PARTS:
            raise ValueError(f"which: expected one of {PARTS}, received {which!r}")
        part = PARTS.index(which)
        return list(range(self._starts[part], self._starts[part + 1]))

    def batches(self, which, batch_size):
        """Iterate over a part in file order; the last batch may be smaller, so that every question counts."""
        _check_batch_size(batch_size)
        indices = np.array(self.dataset(which))
        return (self._batch(indices[i : i + batch_size]) for i in range(0, len(indices), batch_size))

    def evaluation(self, rng, count, part="valid"):
        """Yield (Batch, questions in it) of a part, in file order: all of them, or the first `count`."""
        for batch in self.batches(part, EVALUATION_BATCH):
            if count is not None and count <= 0:
                return
            yield batch, len(batch.mask.T)
            count = None if count is None else count - len(batch.mask.T)

    def count_wrong(self, outputs, batch):
        """Count wrong answers; percent over many batches is 100 * sum(wrong) / sum(total).

        outputs  (B, n_outputs) in story form, (T, B, n_outputs) in sequence form: the largest is the answer
        returns  (wrong, total), two int
        raises   ValueError for outputs of another shape
        """
        expected = batch.targets.shape + (self.n_outputs,)
        outputs = np.asarray(outputs)
        if outputs.shape != expected:
            raise ValueError(f"outputs: expected shape {expected}, received {outputs.shape}")
        asked = batch.mask > 0
        wrong = (outputs.argmax(axis=-1) != batch.targets) & asked
        return int(wrong.sum()), int(asked.sum())

    def majority_error(self):
        """Test error in percent of always giving the most frequent training answer: the floor to beat."""
        most_frequent = np.bincount(self._targets[: self.train_size]).argmax()
        test = self._targets[self._starts[2] :]
        return 100.0 * float(np.mean(test != most_frequent))

    def _build_vocabulary(self):
        known = {word for q in self.questions for sentence in (*q.story, q.question) for word in sentence}
        self.vocabulary = ["", *sorted(known)]
        self.answers = sorted({q.answer for q in self.questions})
        self._word_id = {word: index for index, word in enumerate(self.vocabulary)}
        self._class_id = {answer: index for index, answer in enumerate(self.answers)}
        self.n_inputs, self.n_outputs = len(self.vocabulary), len(self.answers)
        self.max_sentence_words = max(len(s) for q in self.questions for s in (*q.story, q.question))

    def _encode_stories(self):
        """Fill _sentences (Q, I, J) and _queries (Q, J), int32."""
        longest = max(len(q.story) for q in self.questions)
        shape = (len(self.questions), min(longest, self.memory_size), self.max_sentence_words)
        self._sentences = np.zeros(shape, dtype=np.int32)
        self._queries = np.zeros((shape[0], shape[2]), dtype=np.int32)
        for row, question in enumerate(self.questions):
            for i, sentence in enumerate(question.story[-self.memory_size :]):
                self._sentences[row, i, : len(sentence)] = self._ids(sentence)
            self._queries[row, : len(question.question)] = self._ids(question.question)

    def _encode_sequences(self):
        """Fill _lengths (Q,) and _words (Q, L): words of story and question at the END of each row, nil before."""
        rows = []
        for question in self.questions:
            story = question.story[-self.memory_size :]
            rows.append([index for sentence in (*story, question.question) for index in self._ids(sentence)])
        self._lengths = np.array([len(row) for row in rows])
        self._words = np.zeros((len(rows), self._lengths.max()), dtype=np.int32)
        for row, ids in enumerate(rows):
            self._words[row, -len(ids) :] = ids

    def _ids(self, sentence):
        return [self._word_id[word] for word in sentence]

    def _batch(self, rows):
        return self._story_batch(rows) if self.form == "story" else self._sequence_batch(rows)

    def _story_batch(self, rows):
        inputs = Stories(self._sentences[rows], self._queries[rows])
        return Batch(inputs, self._targets[rows], np.ones(len(rows), dtype=np.float32))

    def _sequence_batch(self, rows):
        """The words of the story, then of the question, one a time step, then ONE all-zero step for the answer.

        inputs   (T, B, V) float32 one-hot.  T is the longest of this batch; a shorter row starts with blank (all-zero)
                 steps, so that the last step is the answer step of every row
        targets  (T, B) int32, the class at the last step, 0 before
        mask     (T, B) float32, 1.0 at the last step only
        """
        length = self._lengths[rows].max()
        words = self._words[rows, -length:].T                                # (T - 1, B)
        one_hot = np.eye(self.n_inputs, dtype=np.float32)
        one_hot[0] = 0.0                                                     # nil is a blank step
        inputs = np.zeros((length + 1, len(rows), self.n_inputs), dtype=np.float32)
        inputs[:-1] = one_hot[words]
        targets = np.zeros((length + 1, len(rows)), dtype=np.int32)
        targets[-1] = self._targets[rows]
        mask = np.zeros((length + 1, len(rows)), dtype=np.float32)
        mask[-1] = 1.0
        return Batch(inputs, targets, mask)


def _check_batch_size(batch_size):
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size: expected an integer of at least 1, received {batch_size!r}")
