"""The bAbI tasks as batches, in story form (MemN2N, DMN) or in sequence form (NTM, DNC, LSTM).

Words are lower-case; every answer is one class, also "apple,milk".  Every different sentence is turned into word ids once, and
a story is a row of sentence numbers, so that a batch is two fancy indices, and is only as long as its longest story.
"""

import numpy as np

from numpymem.data import babi as data
from numpymem.initial import check_choice
from numpymem.tasks import forms
from numpymem.tasks.batches import Batch, Stories

BY = ("word", "sentence")
PARTS = ("train", "valid", "test")
EVALUATION_BATCH = 100


class Babi:
    """One of the twenty tasks.

    number       1 to 20
    size         "1k" or "10k" training questions
    form         "story": inputs are `Stories`, targets (B,)
                 "sequence": words one by one, see `_sequence_batch`; or sentence by sentence, as in numpymem/tasks/forms.py
                 "stream", "segments": as in numpymem/tasks/forms.py
    by           sequence form: "word" (as in the DNC's paper) or "sentence"
    source, folder  where the data comes from, see `numpymem.data.babi.load`
    memory_size  only so many of the latest sentences of a story are kept (50 as in the MemN2N paper; in the released
                 data no supporting fact is older than 40)
    whole_vocabulary  True: any word may be the answer, as in the MemN2N paper, where W is a table of words; answers that are
                 no words of a story ("apple,milk") join the vocabulary.  False: only answers that occur
    raises       ValueError for a wrong argument; FileNotFoundError if there is no such data

    Attributes
    name, form, origin          "babi1"; "story" or "sequence"; where the data comes from, in one line
    numbers                     the task's number, in a tuple (`BabiJoint` has twenty)
    vocabulary                  list of words, index = word id; vocabulary[0] is "" (nil)
    answers                     sorted answer classes of training and test file, index = class; or the vocabulary
    n_inputs, n_outputs         len(vocabulary), len(answers); sentence by sentence n_inputs is the width of a step
    n_channels                  width of a step
    train_size                  training questions left after the last 10 % were held out for validation
    longest_story               sentences of the longest story in the training file, at most memory_size
    max_sentence_words          J
    questions                   list of `Question`: training, then validation, then test
    """

    loss = "categorical"
    unit = "error %"
    forms = forms.FORMS
    n_marks, pointers = 0, False

    def __init__(self, number=1, size="1k", form="story", source="auto", folder=None, memory_size=50, whole_vocabulary=False,
                 by="word"):
        _check(form, memory_size, whole_vocabulary, by)
        loaded = data.load(number, size, source, folder)
        self.name, self.origin, self.numbers = f"babi{number}", loaded.origin, (number,)
        self.form, self.memory_size, self.whole_vocabulary, self.by = form, memory_size, whole_vocabulary, by
        train, valid = data.split_validation(loaded.train)
        self._hold(*([(number, question) for question in part] for part in (train, valid, loaded.test)))

    def _hold(self, *parts):
        """Take in the training, validation and test questions, each a list of (task number, Question)."""
        self._starts = np.cumsum([0, *map(len, parts)])
        self._number, self.questions = map(list, zip(*(pair for part in parts for pair in part), strict=True))
        self.train_size = len(parts[0])
        self.longest_story = min(self.memory_size, max(len(q.story) for part in parts[:2] for _, q in part))
        self._encode()

    def sample(self, rng, batch_size):
        """A batch of training questions drawn with replacement (as the released MemN2N code does)."""
        _check_batch_size(batch_size)
        return self._batch(rng.integers(self.train_size, size=batch_size))

    def dataset(self, which, number=None):
        """Indices into `questions` of the part "train", "valid" or "test", in file order; of one task only, if named."""
        if which not in PARTS:
            raise ValueError(f"which: expected one of {PARTS}, received {which!r}")
        if number is not None and number not in self.numbers:
            raise ValueError(f"number: expected one of {self.numbers}, received {number!r}")
        part = PARTS.index(which)
        indices = range(self._starts[part], self._starts[part + 1])
        return [index for index in indices if number in (None, self._number[index])]

    def batches(self, which, batch_size, number=None):
        """Iterate over a part in file order; the last batch may be smaller, so that every question counts."""
        _check_batch_size(batch_size)
        indices = np.array(self.dataset(which, number))
        return (self._batch(indices[i : i + batch_size]) for i in range(0, len(indices), batch_size))

    def evaluation(self, rng, count, part="valid", number=None):
        """Yield (Batch, questions in it) of a part, in file order: all of them, or the first `count`; of one task, if named."""
        for batch in self.batches(part, EVALUATION_BATCH, number):
            if count is not None and count <= 0:
                return
            yield batch, len(batch.mask.T)
            count = None if count is None else count - len(batch.mask.T)

    def count_wrong(self, outputs, batch):
        """Count wrong answers; percent over many batches is 100 * sum(wrong) / sum(total).

        outputs  (B, n_outputs) in story form, (T, B, n_outputs) in sequence form, (1, B, n_outputs) in the others: the largest is
                 the answer
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

    # ---- words and sentences as numbers -----------------------------------------------------------------------------------

    def _encode(self):
        """Number words, answers and sentences, then write every question as numbers.

        _words (S, J) int32    words of each different sentence; sentence 0 is nil
        _stories (Q, I) int32  sentences of each story, the latest I = memory_size at most, then nil
        _told (Q)              how many sentences that is
        _queries (Q) int32     the question, a sentence too
        _targets (Q) int32     class of the answer
        """
        different = {sentence for q in self.questions for sentence in (*q.story, q.question)}
        self._build_vocabulary({word for sentence in different for word in sentence})
        self.max_sentence_words = max(map(len, different))
        number = {(): 0} | {sentence: index for index, sentence in enumerate(sorted(different), start=1)}
        self._words = np.zeros((len(number), self.max_sentence_words), dtype=np.int32)
        for sentence, index in number.items():
            self._words[index, : len(sentence)] = [self._word_id[word] for word in sentence]
        kept = [q.story[-self.memory_size :] for q in self.questions]
        self._told = np.array([len(story) for story in kept])
        self._stories = np.zeros((len(kept), self._told.max()), dtype=np.int32)
        for row, story in enumerate(kept):
            self._stories[row, : len(story)] = [number[sentence] for sentence in story]
        self._queries = np.array([number[q.question] for q in self.questions], dtype=np.int32)
        self._targets = np.array([self._class_id[q.answer] for q in self.questions], dtype=np.int32)

    def _build_vocabulary(self, told):
        answers = {q.answer for q in self.questions}
        self.vocabulary = ["", *sorted(told | answers if self.whole_vocabulary else told)]
        self.answers = self.vocabulary if self.whole_vocabulary else sorted(answers)
        self._word_id = {word: index for index, word in enumerate(self.vocabulary)}
        self._class_id = {answer: index for index, answer in enumerate(self.answers)}
        self.n_channels, self.n_outputs = forms.channels(len(self.vocabulary)), len(self.answers)
        self.n_inputs = self.n_channels if (self.form, self.by) == ("sequence", "sentence") else len(self.vocabulary)

    @property
    def n_items(self):
        """Most sentences of a story, as the segments form calls it."""
        return self.longest_story

    def _batch(self, rows):
        if (self.form, self.by) == ("sequence", "word"):
            return self._sequence_batch(rows)
        return forms.in_form(self._story_batch(rows), self.form, len(self.vocabulary))

    def _story_batch(self, rows):
        stories = self._stories[rows, : self._told[rows].max()]                                  # (B, I)
        inputs = Stories(self._words[stories], self._words[self._queries[rows]])
        return Batch(inputs, self._targets[rows], np.ones(len(rows), dtype=np.float32))

    def _sequence_batch(self, rows):
        """The words of the story, then of the question, one a time step, then ONE all-zero step for the answer.

        inputs   (T, B, V) float32 one-hot.  T is the longest of this batch; a shorter row starts with blank (all-zero)
                 steps, so that the last step is the answer step of every row
        targets  (T, B) int32, the class at the last step, 0 before
        mask     (T, B) float32, 1.0 at the last step only
        """
        told = [self._told_words(row) for row in rows]
        length = max(map(len, told)) + 1
        words = np.zeros((length, len(rows)), dtype=np.int32)
        for b, ids in enumerate(told):
            words[length - 1 - len(ids) : -1, b] = ids
        one_hot = np.eye(self.n_inputs, dtype=np.float32)
        one_hot[0] = 0.0                                                     # nil is a blank step
        targets = np.zeros((length, len(rows)), dtype=np.int32)
        targets[-1] = self._targets[rows]
        mask = np.zeros((length, len(rows)), dtype=np.float32)
        mask[-1] = 1.0
        return Batch(one_hot[words], targets, mask)

    def _told_words(self, row):
        """All words of a story and its question, in order: a row of word ids without nil."""
        words = self._words[[*self._stories[row, : self._told[row]], self._queries[row]]]
        return words[words != 0]


def _check(form, memory_size, whole_vocabulary, by):
    check_choice("form", form, forms.FORMS)
    check_choice("by", by, BY)
    if not isinstance(memory_size, int) or memory_size < 1:
        raise ValueError(f"memory_size: expected an integer of at least 1, received {memory_size!r}")
    if not isinstance(whole_vocabulary, bool):
        raise ValueError(f"whole_vocabulary: expected True or False, received {whole_vocabulary!r}")


def _check_batch_size(batch_size):
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size: expected an integer of at least 1, received {batch_size!r}")
