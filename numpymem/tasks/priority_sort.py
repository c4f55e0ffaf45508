"""Priority sort of Graves et al. 2014, section 4.5: read 20 random vectors, each with a priority; write out the 16 of highest
priority in that order.

The vectors have 8 bits (to guess 16 of them costs 128 bits, near which the paper's learning curves begin), the priority is a number
from U(-1, 1) on a channel of its own. How the answer is asked for the paper does not say; here a delimiter does it, as in copy.
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.bits import BitTask, check_sequence_form, empty_batch

BITS = 8
PRIORITY, DELIMITER = BITS, BITS + 1              # channels


class PrioritySort(BitTask):
    """`vectors` come in, the `highest` of highest priority are asked for, highest first."""

    name = "sort"

    def __init__(self, form="sequence", vectors=20, highest=16):
        check_sequence_form(self.name, form)
        check_at_least("highest", highest, 1)
        check_at_least("vectors", vectors, highest)
        self.form, self.vectors, self.highest = form, vectors, highest
        self.n_inputs, self.n_outputs = BITS + 2, BITS
        self.origin = f"sort: {vectors} random {BITS}-bit vectors with priorities, the {highest} highest wanted, made on the spot"

    def sample(self, rng, batch_size):
        """A Batch of `batch_size` sequences."""
        check_at_least("batch_size", batch_size, 1)
        bits = rng.integers(0, 2, (self.vectors, batch_size, BITS))
        return as_sequence(bits, rng.uniform(-1, 1, (self.vectors, batch_size)), self.highest)


def as_sequence(bits, priority, highest):
    """bits (L, B, 8), priority (L, B) -> Batch with T = L + 1 + highest: vectors, delimiter, blank steps to answer in."""
    L, B, _ = bits.shape
    batch = empty_batch(L + 1 + highest, B, BITS + 2, BITS)
    batch.inputs[:L, :, :BITS] = bits
    batch.inputs[:L, :, PRIORITY] = priority
    batch.inputs[L, :, DELIMITER] = 1
    order = np.argsort(-batch.inputs[:L, :, PRIORITY], axis=0, kind="stable")[:highest]         # as the model sees them
    batch.targets[L + 1:] = np.take_along_axis(bits, order[..., None], axis=0)
    batch.mask[L + 1:] = 1
    return batch
