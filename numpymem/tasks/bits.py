"""What the tasks with bits as answers share: how wrong bits are counted, and how an evaluation is spread over the sizes."""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.batches import Batch

EVALUATION_BATCH = 50


class BitTask:
    """A task whose answers are bits. Each has its own `name`, `n_outputs` and `sample(rng, batch_size, **size)`."""

    loss, unit = "binary", "bits per sequence"
    forms = ("sequence",)

    def sizes(self):
        """The sizes that a sequence can have, each as a dict of arguments of `sample`."""
        return [{}]

    def evaluation(self, rng, count, **size):
        """Yield (Batch, whole sequences in it), `count` sequences spread evenly over the sizes, or all of one `size`."""
        check_at_least("count", count, 1)
        sizes = [size] if size else self.sizes()
        for each, share in zip(sizes, shares(count, len(sizes))):
            while share > 0:
                n = min(share, EVALUATION_BATCH)
                share -= n
                yield self.whole(rng, n, **each), n

    def whole(self, rng, count, **size):
        """A Batch of `count` whole sequences: here what `sample` gives."""
        return self.sample(rng, count, **size)

    def count_wrong(self, outputs, batch):
        """Bits on the wrong side of 0, and bits asked for: two whole numbers."""
        wrong = (outputs > 0) != (batch.targets > 0.5)
        asked = batch.mask[..., None] > 0
        return int((wrong & asked).sum()), int(batch.mask.sum()) * self.n_outputs


def shares(count, parts):
    """`count` things dealt out to `parts` as evenly as can be."""
    return [count // parts + (part < count % parts) for part in range(parts)]


def empty_batch(T, B, X, Y):
    """A Batch of T steps in which nothing comes in and nothing is asked, to be filled."""
    return Batch(np.zeros((T, B, X), np.float32), np.zeros((T, B, Y), np.float32), np.zeros((T, B), np.float32))


def check_sequence_form(name, form):
    """Refuse any form but "sequence"."""
    if form != "sequence":
        raise ValueError(f"form: expected 'sequence', received {form!r}: {name} is not told as stories and questions")
