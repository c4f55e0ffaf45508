"""Associative recall of Graves et al. 2014, section 4.3: read a list of items, then one of them again; answer the next one.

An item is three random 6-bit vectors. A step with a 1 on a channel of its own comes before each item; a step with a 1 on
another channel comes before and after the query. Then there are three blank steps in which the item is asked for that came after
the queried one in the list:

    | item 1 | item 2 | ... | item n ? query ? . . .                 T = 4 n + 8 steps
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.bits import BitTask, check_sequence_form, empty_batch

BITS, VECTORS = 6, 3
ITEM, QUERY = BITS, BITS + 1                      # the channels of the two delimiters


class Recall(BitTask):
    """Lists of min_items to max_items items, uniform; one length for a whole batch. The last item is never the query.

    Two items of a list are equal once in some 2^18 pairs; the query may then have two answers, of which one counts.
    """

    name = "recall"

    def __init__(self, form="sequence", min_items=2, max_items=6):
        check_sequence_form(self.name, form)
        check_at_least("min_items", min_items, 2)
        check_at_least("max_items", max_items, min_items)
        self.form, self.items = form, (min_items, max_items)
        self.n_inputs, self.n_outputs = BITS + 2, BITS
        self.origin = (f"recall: lists of {min_items} to {max_items} items of {VECTORS} random {BITS}-bit vectors, made on the "
                       "spot")

    def sizes(self):
        """Every length of list."""
        return [{"items": n} for n in range(self.items[0], self.items[1] + 1)]

    def sample(self, rng, batch_size, items=None):
        """A Batch of `batch_size` lists, all of `items` items (None: drawn)."""
        items = int(rng.integers(self.items[0], self.items[1] + 1)) if items is None else items
        check_at_least("items", items, 2)
        check_at_least("batch_size", batch_size, 1)
        bits = rng.integers(0, 2, (items, VECTORS, batch_size, BITS))
        return as_sequence(bits, rng.integers(0, items - 1, batch_size))


def as_sequence(bits, query):
    """bits (n, 3, B, 6), and for each list the number of the item that is asked about, query (B,) in 0..n-2 -> Batch."""
    n, L, B, _ = bits.shape
    batch = empty_batch((n + 2) * (L + 1), B, BITS + 2, BITS)
    lists = batch.inputs.reshape(n + 2, L + 1, B, BITS + 2)                     # a view: a delimiter and L vectors each
    lists[:n, 0, :, ITEM] = 1
    lists[:n, 1:, :, :BITS] = bits
    each = np.arange(B)
    lists[n, 0, :, QUERY] = 1
    lists[n, 1:, :, :BITS] = bits[query, :, each].swapaxes(0, 1)                # (L, B, 6)
    lists[n + 1, 0, :, QUERY] = 1
    batch.targets[-L:] = bits[query + 1, :, each].swapaxes(0, 1)
    batch.mask[-L:] = 1
    return batch
