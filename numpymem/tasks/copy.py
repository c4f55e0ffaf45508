"""The copy task of Graves et al. 2014, section 4.1: read a sequence of random 8-bit vectors, then write it out again.

Three forms of the same task. Recurrent models get it as the paper has it: the vectors one a step, a delimiter on a channel of its
own, then blank steps in which the copy is asked for. MemN2N, which reads stories and answers questions, gets each vector as a
sentence of eight words ("bit 3 is 1") and is asked one question for each position: "what is at position 5?". The stream form has
both, the steps and the sentences, and no words are said when a vector is asked for.
"""

import numpy as np

from numpymem.initial import check_at_least, check_choice
from numpymem.tasks.batches import Batch, Stories, Streams
from numpymem.tasks.bits import BitTask, empty_batch

BITS = 8


class Copy(BitTask):
    """Copy `BITS`-bit vectors; lengths uniform in min_length..max_length, one length for a whole batch.

    form       "sequence", "story" or "stream"
    positions  longest sequence that a question can ask about (story form only): positions are words, and need an entry
    """

    name, forms = "copy", ("sequence", "story", "stream")

    def __init__(self, form="sequence", min_length=1, max_length=20, positions=120):
        check_choice("form", form, self.forms)
        check_at_least("min_length", min_length, 1)
        check_at_least("max_length", max_length, min_length)
        self.form, self.lengths, self.positions = form, (min_length, max_length), max(positions, max_length)
        self.n_outputs, self.n_channels, self.max_sentence_words = BITS, BITS + 1, BITS
        self.n_inputs = {"sequence": BITS + 1, "story": 1 + 2 * BITS + self.positions, "stream": 1 + 2 * BITS}[form]
        self.longest_story = self.positions
        self.origin = f"copy: random {BITS}-bit vectors, lengths {min_length} to {max_length}, made on the spot"

    def sample(self, rng, batch_size, length=None):
        """A Batch of `batch_size` sequences (sequence form) or questions (story form), all of one length."""
        length = int(rng.integers(self.lengths[0], self.lengths[1] + 1)) if length is None else length
        self._check_length(length)
        bits = rng.integers(0, 2, (length, batch_size, BITS))
        if self.form == "story":
            return as_stories(bits, rng.integers(0, length, batch_size))
        return as_sequence(bits) if self.form == "sequence" else as_streams(bits)

    def _check_length(self, length):
        check_at_least("length", length, 1)
        if self.form != "sequence" and length > self.positions:
            raise ValueError(f"length: expected at most positions = {self.positions}, received {length}")

    def sizes(self):
        """Every length."""
        return [{"length": length} for length in range(self.lengths[0], self.lengths[1] + 1)]

    def whole(self, rng, count, length):
        """A Batch of `count` whole sequences.

        In story form a sequence is asked about once for each of its positions, so that its bits are those of a whole copy.
        """
        if self.form != "story":
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


def as_streams(bits):
    """bits (L, B, 8) -> Batch of Streams: vector i is told at step i; the answers (L, B, 8) are due at the last L steps."""
    L, B, _ = bits.shape
    whole, told = as_sequence(bits), as_stories(bits, np.zeros(B, int))
    told_at = np.broadcast_to(np.arange(L), (B, L))
    inputs = Streams(whole.inputs, told.inputs.sentences, np.zeros((B, L, 1), np.int32), told_at, np.arange(L + 1, 2 * L + 1))
    return Batch(inputs, whole.targets[L + 1:], whole.mask[L + 1:])
