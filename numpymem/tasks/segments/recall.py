"""Recall over segments: read pairs of a key and a value, one a segment, then say the value of one key.

Three pairs:

    segments   k3 v7 | k0 v2 | k9 v7          an item is one pair
    question   k0
    answer     v2                             T = 1
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.segments.common import STORY_FORMS, SegmentTask, as_batch, check_segments_form, numbered


class SegmentRecall(SegmentTask):
    """Lists of min_pairs to max_pairs pairs, uniform; one length for a whole batch. No key comes twice; values may.

    keys, values  how many different ones there are
    raises        ValueError for a wrong argument

    Counted are answers, one a question. A guess is right once in `values` times.
    """

    name, forms, max_sentence_words = "segment-recall", STORY_FORMS, 2

    def __init__(self, form="segments", min_pairs=4, max_pairs=8, keys=16, values=16):
        check_segments_form(self.name, form, several=True)
        check_at_least("min_pairs", min_pairs, 1)
        check_at_least("max_pairs", max_pairs, min_pairs)
        check_at_least("keys", keys, max_pairs)
        check_at_least("values", values, 2)
        self.form = form
        self.take_words(numbered("k", keys) + numbered("v", values), numbered("v", values))
        self.pairs, self.keys, self.n_items = (min_pairs, max_pairs), keys, max_pairs
        self.origin = (f"segment recall: {min_pairs} to {max_pairs} pairs of one of {keys} keys and one of {values} values, made "
                       "on the spot")

    def sizes(self):
        """Every number of pairs."""
        return [{"pairs": n} for n in range(self.pairs[0], self.pairs[1] + 1)]

    def sample(self, rng, batch_size, pairs=None):
        """A Batch of `batch_size` lists, all of `pairs` pairs (None: drawn; more than max_pairs: to test on)."""
        pairs = int(rng.integers(self.pairs[0], self.pairs[1] + 1)) if pairs is None else pairs
        check_at_least("pairs", pairs, 1)
        if pairs > self.keys:
            raise ValueError(f"pairs: expected at most {self.keys}, as many as there are keys, received {pairs}")
        check_at_least("batch_size", batch_size, 1)
        keys = rng.random((batch_size, self.keys)).argsort(1)[:, :pairs]                  # (B, G): no two of a row are equal
        values = rng.integers(0, self.n_outputs, (batch_size, pairs))
        each, asked = np.arange(batch_size), rng.integers(0, pairs, batch_size)
        items = np.stack([1 + keys, 1 + self.keys + values], axis=-1)[:, :, None]         # (B, G, 1, 2)
        return self.in_form(as_batch(items, 1 + keys[each, asked, None], values[each, asked][None]))
