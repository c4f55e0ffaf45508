"""Segmented copy: read symbols segment by segment, then say all of them again, in order.

After the copy task of Graves et al. 2014 (section 4.1), cut into segments as Bulatov et al. 2022 do (arXiv:2207.06881). Two
segments of three symbols:

    segments   c a f | b b h           an item is one symbol
    question   recall
    prompt     .  c  a  f  b  b        what was right the step before
    answer     c  a  f  b  b  h        T = 6
"""

from numpymem.initial import check_at_least
from numpymem.tasks.segments.common import LETTERS, SegmentTask, as_batch, check_segments_form


class SegmentedCopy(SegmentTask):
    """min_segments to max_segments segments, uniform, of `length` symbols each; one number of segments for a whole batch.

    symbols  how many different ones there are, at most 26
    raises   ValueError for a wrong argument

    Counted are symbols, each after the right ones before it. A guess is right once in `symbols` times.
    """

    name = "segmented-copy"

    def __init__(self, form="segments", min_segments=3, max_segments=3, length=6, symbols=8):
        check_segments_form(self.name, form)
        check_at_least("min_segments", min_segments, 1)
        check_at_least("max_segments", max_segments, min_segments)
        check_at_least("length", length, 1)
        check_at_least("symbols", symbols, 2)
        if symbols > len(LETTERS):
            raise ValueError(f"symbols: expected at most {len(LETTERS)}, received {symbols}")
        self.form = form
        self.take_words([*LETTERS[:symbols], "recall"], LETTERS[:symbols])
        self.segments, self.length, self.n_items = (min_segments, max_segments), length, max_segments * length
        self.origin = (f"segmented copy: {min_segments} to {max_segments} segments of {length} random symbols of {symbols}, made "
                       "on the spot")

    def sizes(self):
        """Every number of segments."""
        return [{"segments": n} for n in range(self.segments[0], self.segments[1] + 1)]

    def sample(self, rng, batch_size, segments=None):
        """A Batch of `batch_size` lists, all of `segments` segments (None: drawn; more than max_segments: to test on)."""
        segments = int(rng.integers(self.segments[0], self.segments[1] + 1)) if segments is None else segments
        check_at_least("segments", segments, 1)
        check_at_least("batch_size", batch_size, 1)
        symbols = rng.integers(0, self.n_outputs, (batch_size, segments, self.length, 1))
        recall = [[self.vocabulary.index("recall")]] * batch_size
        return as_batch(1 + symbols, recall, symbols.reshape(batch_size, -1).T)
