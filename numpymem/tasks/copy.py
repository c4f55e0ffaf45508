"""The copy task of Graves et al. 2014, section 4.1: read a sequence of random 8-bit vectors, then write it out again.

Two forms of the same task. Recurrent models get it as the paper has it: the vectors one a step, a delimiter on a channel of its
own, then blank steps in which the copy is asked for. MemN2N, which reads stories and answers questions, gets each vector as a
sentence of eight words ("bit 3 is 1") and is asked one question for each position: "what is at position 5?".
"""

import numpy as np

from numpymem.initial import check_at_least, check_choice
from numpymem.tasks.batches import Batch, Stories
from numpymem.tasks.bits import BitTask, empty_batch

BITS = 8


class Copy(BitTask):
    """Copy `BITS`-bit vectors; lengths uniform in min_length..max_length, one length for a whole batch.

    form       "sequence" or "story"
    positions  longest sequence that a question can ask about (story form only): positions are words, and need an entry
    """

    name, forms = "copy", ("sequence", "story")

    def __init__(self, form="sequence", min_length=1, max_length=20, positions=120):
        check_choice("form", form, self.forms)
        check_at_least("min_length", min_length, 1)
        check_at_least("max_length", max_length, min_length)
        self.form, self.lengths, self.positions = form, (min_length, max_length), max(positions, max_length)
        self.n_outputs = BITS
        self.n_inputs = BITS + 1 if form == "sequence" else 1 + 2 * BITS + self.positions
        self.max_sentence_words = BITS
        self.origin = f"copy: random {BITS}-bit vectors, lengths {min_length} to {max_length}, made on the spot"

    def sample(self, rng, batch_size, length=None):
        """A Batch of `batch_size` sequences (sequence form) or questions (story form), all of one length."""
        length = int(rng.integers(self.lengths[0], self.lengths[1] + 1)) if length is None else length
        self._check_length(length)
        bits = rng.integers(0, 2, (length, batch_size, BITS))
        if self.form == "sequence":
            return as_sequence(bits)
        return as_stories(bits, rng.integers(0, length, batch_size))

    def _check_length(self, length):
        check_at_least("length", length, 1)
        if self.form == "story" and length > self.positions:
            raise ValueError(f"length: expected at most positions = {self.positions}, received {length}")

    def sizes(self):
        """Every length."""
        return [{"length": length} for length in range(self.lengths[0], self.lengths[1] + 1)]

    def whole(self, rng, count, length):
        """A Batch of `count` whole sequences.

        In story form a sequence is asked about once for each of its positions, so that its bits are those of a whole copy.
        """
        if self.form == "sequence":
            return self.sample(rng, count, length)
        self._check_length(length)
        bits = np.repeat(rng.integers(0, 2, (length, count, BITS)), length, axis=1)             # (L, count * L, 8)
        return as_stories(bits, np.tile(np.arange(length), count))


def as_sequence(bits):
    """bits (L, B, 8) -> Batch with T = 2 L + 1: the vectors, the delimiter, L blank steps that ask for the copy."""
    L, B, _ = bits.shape
    batch = empty_batch(2 * L + 1, B, BITS + 1, BITS)
    batch.inputs[:L, :, :BITS] = bits
    batch.inputs[L, :, BITS] = 1
    batch.targets[L + 1:] = bits
    batch.mask[L + 1:] = 1
    return batch


def as_stories(bits, position):
    """bits (L, B, 8) and the position (B,) that each story is asked about -> Batch of stories of L sentences.

    Words: 0 nil; 1 + 2 j + b says that bit j is b; 17 + p asks for position p.
    """
    B = bits.shape[1]
    sentences = (1 + 2 * np.arange(BITS) + bits).transpose(1, 0, 2).astype(np.int32)               # (B, L, 8)
    query = (1 + 2 * BITS + position)[:, None].astype(np.int32)                                    # (B, 1)
    targets = bits[position, np.arange(B)].astype(np.float32)                                      # (B, 8)
    return Batch(Stories(sentences, query), targets, np.ones(B, np.float32))
