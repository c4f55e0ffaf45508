"""What the tasks in the segments form share: how a batch is put together, how an evaluation is spread, how answers are counted.

Each task's words have numbers from 1 (`vocabulary`; 0 is nil), its answers from 0 (`answers`). Those that tell one item a
segment and ask for one answer can also be had in the other forms (numpymem/tasks/forms.py).
"""

import numpy as np

from numpymem.initial import check_at_least, check_choice
from numpymem.tasks import forms
from numpymem.tasks.batches import Batch, Segments
from numpymem.tasks.bits import shares

EVALUATION_BATCH = 50
STORY_FORMS = ("segments", "story", "sequence", "stream")       # of tasks with one item a segment and one answer
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class SegmentTask:
    """A task in the segments form. Each has its own `name`, `n_items`, `origin` and `sample(rng, batch_size, **size)`.

    vocabulary   list of words, index = word number; vocabulary[0] is "" (nil)
    answers      list of the classes
    n_inputs     number of words; in the sequence form the width of a step
    n_channels   width of a step
    """

    loss, unit = "categorical", "error %"
    forms = ("segments",)
    n_marks, pointers = 0, False

    def take_words(self, words, answers):
        """Take in the words from number 1 on and the classes: lists of texts."""
        self.vocabulary, self.answers = ["", *words], list(answers)
        self.n_channels, self.n_outputs = forms.channels(len(self.vocabulary)), len(self.answers)
        self.n_inputs = self.n_channels if self.form == "sequence" else len(self.vocabulary)

    @property
    def longest_story(self):
        """Most sentences of a story: every item is one."""
        return self.n_items

    def in_form(self, batch):
        """A Batch in the segments form -> in the form of this task."""
        return batch if self.form == "segments" else forms.in_form(forms.as_story(batch), self.form, len(self.vocabulary))

    def sizes(self):
        """The sizes that a sample can have, each as a dict of arguments of `sample`."""
        return [{}]

    def evaluation(self, rng, count, **size):
        """Yield (Batch, questions in it), `count` questions spread evenly over the sizes, or all of one `size`."""
        check_at_least("count", count, 1)
        sizes = [size] if size else self.sizes()
        for each, share in zip(sizes, shares(count, len(sizes))):
            at_once = self.at_once(**each)
            for start in range(0, share, at_once):
                n = min(at_once, share - start)
                yield self.sample(rng, n, **each), n

    def at_once(self, **size):
        """How many stories of one size an evaluation has in a batch."""
        return EVALUATION_BATCH

    def count_wrong(self, outputs, batch):
        """Wrong answers among all answers asked for, step by step: two whole numbers.

        outputs  (T, B, n_outputs + Q); in the story form (B, n_outputs), in others (T, B, n_outputs): the largest is the answer
        """
        asked = batch.mask > 0
        return int((wrong_steps(outputs, batch) & asked).sum()), int(asked.sum())


def check_segments_form(name, form, several=False):
    """Refuse any form but "segments", or with `several` any but those that a story can have."""
    if several:
        check_choice("form", form, forms.FORMS)
    elif form != "segments":
        raise ValueError(f"form: expected 'segments', received {form!r}: {name} is told segment by segment")


def said(outputs, batch):
    """The largest output at each place: classes in the shape of the targets. Raises ValueError for outputs that do not fit them."""
    outputs = np.asarray(outputs)
    if outputs.ndim != batch.targets.ndim + 1 or outputs.shape[:-1] != batch.targets.shape:
        raise ValueError(f"outputs: expected shape {(*batch.targets.shape, 'n_outputs + Q')}, received {outputs.shape}")
    return outputs.argmax(-1)


def wrong_steps(outputs, batch):
    """Where the largest output is not the target, in the shape of the targets: bool."""
    return said(outputs, batch) != batch.targets


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
