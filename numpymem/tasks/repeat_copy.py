"""Repeat copy of Graves et al. 2014, section 4.2: read a sequence of random 8-bit vectors and a number, write the sequence out so
many times, and then an end marker.

The number comes one step after the last vector, on a channel of its own, normalised: minus the mean of the training range, over
its standard deviation, so that a number beyond the range is a larger one than any seen. There is no other delimiter. The end
marker has a channel of its own in the output; it is the only thing that shows whether the model has counted.

    v_1 ... v_L  number  . . . . . . . . .          T = L + 1 + L * repeats + 1 steps
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.bits import BitTask, check_sequence_form, empty_batch

BITS = 8


class RepeatCopy(BitTask):
    """Lengths uniform in min_length..max_length, repeats in min_repeats..max_repeats; one of each for a whole batch."""

    name = "repeat-copy"

    def __init__(self, form="sequence", min_length=1, max_length=10, min_repeats=1, max_repeats=10):
        check_sequence_form(self.name, form)
        check_at_least("min_length", min_length, 1)
        check_at_least("max_length", max_length, min_length)
        check_at_least("min_repeats", min_repeats, 1)
        check_at_least("max_repeats", max_repeats, min_repeats)
        if (max_repeats - min_repeats) % 2 == 0:
            raise ValueError("min_repeats, max_repeats: expected an even number of repeats to choose from (the middle of an odd "
                             f"number would be normalised to 0, a blank step), received {min_repeats} to {max_repeats}")
        self.form, self.lengths, self.repeats = form, (min_length, max_length), (min_repeats, max_repeats)
        self.n_inputs, self.n_outputs = BITS + 1, BITS + 1
        self.origin = (f"repeat-copy: random {BITS}-bit vectors, lengths {min_length} to {max_length}, {min_repeats} to "
                       f"{max_repeats} times, made on the spot")

    def sizes(self):
        """Every pair of a length and a number of repeats, in an order in which also the first few have some of each."""
        lengths, repeats = (range(low, high + 1) for low, high in (self.lengths, self.repeats))
        return [{"length": length, "repeats": repeats[(i + shift) % len(repeats)]}
                for shift in range(len(repeats)) for i, length in enumerate(lengths)]

    def sample(self, rng, batch_size, length=None, repeats=None):
        """A Batch of `batch_size` sequences of one length, to be repeated equally often (None: drawn)."""
        length = int(rng.integers(self.lengths[0], self.lengths[1] + 1)) if length is None else length
        repeats = int(rng.integers(self.repeats[0], self.repeats[1] + 1)) if repeats is None else repeats
        check_at_least("length", length, 1)
        check_at_least("repeats", repeats, 1)
        check_at_least("batch_size", batch_size, 1)
        return as_sequence(rng.integers(0, 2, (length, batch_size, BITS)), repeats, self.normalised(repeats))

    def normalised(self, repeats):
        """A number of repeats on the scale of the training range, which has mean 0 and variance 1."""
        trained = np.arange(self.repeats[0], self.repeats[1] + 1)
        return (repeats - trained.mean()) / trained.std()


def as_sequence(bits, repeats, number):
    """bits (L, B, 8), how often to repeat them, and the number that says so -> Batch."""
    L, B, _ = bits.shape
    batch = empty_batch(L + 1 + L * repeats + 1, B, BITS + 1, BITS + 1)
    batch.inputs[:L, :, :BITS] = bits
    batch.inputs[L, :, BITS] = number
    batch.targets[L + 1:-1, :, :BITS] = np.tile(bits, (repeats, 1, 1))
    batch.targets[-1, :, BITS] = 1
    batch.mask[L + 1:] = 1
    return batch
