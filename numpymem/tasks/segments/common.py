"""What the tasks in the segments form share: how a batch is put together, how an evaluation is spread, how answers are counted.

Each task's words have numbers from 1 (`vocabulary`; 0 is nil), its answers from 0 (`answers`).
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.batches import Batch, Segments
from numpymem.tasks.bits import shares

EVALUATION_BATCH = 50
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class SegmentTask:
    """A task in the segments form. Each has its own `name`, `n_items`, `origin` and `sample(rng, batch_size, **size)`.

    vocabulary   list of words, index = word number; vocabulary[0] is "" (nil)
    answers      list of the classes
    """

    loss, unit = "categorical", "error %"
    forms = ("segments",)
    n_marks, pointers = 0, False

    def take_words(self, words, answers):
        """Take in the words from number 1 on and the classes: lists of texts."""
        self.vocabulary, self.answers = ["", *words], list(answers)
        self.n_inputs, self.n_outputs = len(self.vocabulary), len(self.answers)

    def sizes(self):
        """The sizes that a sample can have, each as a dict of arguments of `sample`."""
        return [{}]

    def evaluation(self, rng, count, **size):
        """Yield (Batch, questions in it), `count` questions spread evenly over the sizes, or all of one `size`."""
        check_at_least("count", count, 1)
        sizes = [size] if size else self.sizes()
        for each, share in zip(sizes, shares(count, len(sizes))):
            for start in range(0, share, EVALUATION_BATCH):
                n = min(EVALUATION_BATCH, share - start)
                yield self.sample(rng, n, **each), n

    def count_wrong(self, outputs, batch):
        """Wrong answers among all answers asked for, step by step: two whole numbers.

        outputs  (T, B, n_outputs + Q): the largest is the answer
        """
        asked = batch.mask > 0
        return int((wrong_steps(outputs, batch) & asked).sum()), int(asked.sum())


def check_segments_form(name, form):
    """Refuse any form but "segments"."""
    if form != "segments":
        raise ValueError(f"form: expected 'segments', received {form!r}: {name} is told segment by segment")


def wrong_steps(outputs, batch):
    """Where the largest output is not the target: (T, B) bool. Raises ValueError for outputs that do not fit the targets."""
    outputs = np.asarray(outputs)
    if outputs.ndim != 3 or outputs.shape[:2] != batch.targets.shape:
        raise ValueError(f"outputs: expected shape {(*batch.targets.shape, 'n_outputs + Q')}, received {outputs.shape}")
    return outputs.argmax(-1) != batch.targets


def numbered(letter, count):
    """["k0", "k1", ...]: `count` words that begin with a letter."""
    return [f"{letter}{number}" for number in range(count)]


def as_batch(segments, question, targets):
    """Word numbers segments (B, G, I, J) and question (B, Q), classes targets (T, B) -> Batch; every step is asked for."""
    targets = np.asarray(targets, np.int32)
    prompt = np.zeros(targets.T.shape, np.int32)
    prompt[:, 1:] = 1 + targets[:-1].T
    inputs = Segments(np.asarray(segments, np.int32), np.asarray(question, np.int32), prompt)
    return Batch(inputs, targets, np.ones(targets.shape, np.float32))


def one_a_segment(stories):
    """B lists of items of J words each, perhaps not equally many -> segments (B, most, 1, J), the shorter ones end with nil."""
    longest = max(map(len, stories))
    segments = np.zeros((len(stories), longest, 1, len(stories[0][0])), np.int32)
    for story, items in zip(segments, stories):
        story[:len(items), 0] = items
    return segments
