"""Dynamic N-grams of Graves et al. 2014, section 4.4: predict the next bit of a random 6-gram, 200 bits long.

Each sequence has a table of its own: for each of the 32 ways in which five bits can be set, the probability that the next bit is
a 1, drawn from Beta(1/2, 1/2). The first five bits are fair coins. A model sees one bit a step and predicts the one after it; the
first step is blank. Nobody can do better on average than the estimator of Krichevsky and Trofimov (`optimal`), which counts what
followed each context so far: about 133 bits a sequence, the five fair ones counted.
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.bits import BitTask, check_sequence_form, empty_batch

CONTEXT = 5                                       # bits that the next one depends on: a 6-gram


class NGrams(BitTask):
    """Sequences of `length` bits, each from a table of its own."""

    name = "ngrams"

    def __init__(self, form="sequence", length=200):
        check_sequence_form(self.name, form)
        check_at_least("length", length, CONTEXT + 1)
        self.form, self.length = form, length
        self.n_inputs = self.n_outputs = 1
        self.origin = f"ngrams: random {CONTEXT + 1}-gram sources, {length} bits from each, made on the spot"

    def sample(self, rng, batch_size):
        """A Batch of `batch_size` sequences."""
        check_at_least("batch_size", batch_size, 1)
        return as_sequence(draw(rng, rng.beta(0.5, 0.5, (batch_size, 2 ** CONTEXT)), self.length))


def draw(rng, tables, length):
    """Bits (T, B) from tables (B, 32): the probability of a 1 after each context."""
    each = np.arange(len(tables))
    bits = rng.integers(0, 2, (length, len(tables)))
    for t in range(CONTEXT, length):
        bits[t] = rng.random(len(tables)) < tables[each, contexts(bits, t)]
    return bits


def contexts(bits, t):
    """The five bits before step t as one number each: (B,), the oldest bit counts 16."""
    return 2 ** np.arange(CONTEXT)[::-1] @ bits[t - CONTEXT:t]


def as_sequence(bits):
    """bits (T, B) -> Batch: at every step the bit before comes in, and this one is asked for."""
    batch = empty_batch(*bits.shape, 1, 1)
    batch.inputs[1:, :, 0] = bits[:-1]
    batch.targets[..., 0] = bits
    batch.mask[:] = 1
    return batch


def optimal(bits):
    """The probability of a 1 at each step by the best estimator there is: (N1 + 1/2) / (N0 + N1 + 1).

    bits     (T, B)  N1 and N0: how often a 1 and a 0 have followed the context of this step so far
    returns  (T, B)  1/2 for the five fair bits (Graves et al. 2014, section 4.4; Krichevsky and Trofimov 1981)
    """
    bits = np.asarray(bits).astype(int)
    T, B = bits.shape
    each, probability = np.arange(B), np.full((T, B), 0.5)
    counts = np.zeros((B, 2 ** CONTEXT, 2))
    for t in range(CONTEXT, T):
        context = contexts(bits, t)
        N0, N1 = counts[each, context].T
        probability[t] = (N1 + 0.5) / (N0 + N1 + 1)
        counts[each, context, bits[t]] += 1
    return probability


def bits_of(probability, bits):
    """What a prediction costs: probability of a 1 (T, B), bits (T, B) -> bits a sequence (B,)."""
    return -np.log2(np.where(np.asarray(bits) > 0.5, probability, 1 - probability)).sum(0)
