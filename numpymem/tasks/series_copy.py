"""A series of copies in one episode (Graves et al. 2016, Nature, Extended Data Fig. 1): what was copied may be forgotten.

Each copy is one of the copy task: random 6-bit vectors, a delimiter on a channel of its own, blank steps in which the copy is asked
for. The next begins at once. Ten copies of five vectors are fifty vectors, of which never more than five are needed: a memory of
ten slots is enough for a model that frees slots and uses them again.

    v_1 ... v_L delimiter . . . | v_1 ... v_L delimiter . . . | ...          T = the sum of 2 L + 1 over the copies
"""

from numpymem.initial import check_at_least
from numpymem.tasks.bits import BitTask, check_sequence_form, empty_batch

BITS = 6


class SeriesCopy(BitTask):
    """A random number of copies, each of a random length, both uniform; the same for a whole batch.

    An evaluation that names no size has max_copies copies of max_length vectors: the paper's 10 of 5, unless set otherwise.
    """

    name = "series-copy"

    def __init__(self, form="sequence", min_copies=1, max_copies=10, min_length=1, max_length=5):
        check_sequence_form(self.name, form)
        check_at_least("min_copies", min_copies, 1)
        check_at_least("max_copies", max_copies, min_copies)
        check_at_least("min_length", min_length, 1)
        check_at_least("max_length", max_length, min_length)
        self.form, self.copies, self.lengths = form, (min_copies, max_copies), (min_length, max_length)
        self.n_inputs, self.n_outputs = BITS + 1, BITS
        self.origin = (f"series-copy: {min_copies} to {max_copies} copies of {min_length} to {max_length} random {BITS}-bit "
                       "vectors, one after the other, made on the spot")

    def sizes(self):
        """The longest series only."""
        return [{"copies": self.copies[1], "length": self.lengths[1]}]

    def sample(self, rng, batch_size, copies=None, length=None):
        """A Batch of `batch_size` series of `copies` copies, each of `length` vectors (None: drawn, each copy its own)."""
        copies = int(rng.integers(self.copies[0], self.copies[1] + 1)) if copies is None else copies
        check_at_least("copies", copies, 1)
        lengths = rng.integers(self.lengths[0], self.lengths[1] + 1, copies).tolist() if length is None else [length] * copies
        check_at_least("length", lengths[0], 1)
        check_at_least("batch_size", batch_size, 1)
        return as_sequence([rng.integers(0, 2, (L, batch_size, BITS)) for L in lengths])


def as_sequence(series):
    """The bits (L, B, 6) of each copy, L its own -> Batch."""
    B = series[0].shape[1]
    batch = empty_batch(sum(2 * len(bits) + 1 for bits in series), B, BITS + 1, BITS)
    start = 0
    for bits in series:
        L = len(bits)
        batch.inputs[start:start + L, :, :BITS] = bits
        batch.inputs[start + L, :, BITS] = 1
        end = start + 2 * L + 1
        batch.targets[start + L + 1:end] = bits
        batch.mask[start + L + 1:end] = 1
        start = end
    return batch
