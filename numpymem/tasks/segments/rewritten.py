"""Rewritten keys: a stream of writes, key := value, one a segment; a later write of a key replaces the earlier one.

The direct test of erasing: a memory that only adds has old and new values of a key side by side. Five writes of three keys; k3 is
written twice, that is rewritten once:

    segments   k3 v7 | k0 v2 | k3 v1 | k9 v7 | k3 v4          an item is one write
    question   k3
    answer     v4                                             T = 1; v7 and v1 are stale
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks import forms
from numpymem.tasks.segments.common import STORY_FORMS, SegmentTask, as_batch, check_segments_form, numbered, said


class RewrittenKeys(SegmentTask):
    """Streams of min_writes to max_writes writes, uniform; one length for a whole batch.

    min_writes, max_writes  how many writes
    keys        different keys in a stream
    rewritten   how many of these keys are rewritten later, each at least once; the writes that are left over are dealt out at
                random among them, and all writes are shuffled
    asked       the share of the questions that ask for a rewritten key
    all_keys, values  how many different ones there are to draw from
    raises      ValueError for a wrong argument

    No write repeats the value that its key has already. Counted are answers, one a question. A guess is right once in `values`
    times.
    """

    name, forms, max_sentence_words = "rewritten-keys", STORY_FORMS, 2

    def __init__(self, form="segments", min_writes=6, max_writes=12, keys=4, rewritten=2, asked=0.5, all_keys=16, values=16):
        check_segments_form(self.name, form, several=True)
        check_at_least("keys", keys, 2)
        check_at_least("rewritten", rewritten, 1)
        if rewritten >= keys:
            raise ValueError(f"rewritten: expected fewer than the {keys} keys, received {rewritten}")
        if isinstance(asked, bool) or not isinstance(asked, (int, float)) or not 0 <= asked <= 1:
            raise ValueError(f"asked: expected a share from 0 to 1, received {asked!r}")
        check_at_least("min_writes", min_writes, keys + rewritten)
        check_at_least("max_writes", max_writes, min_writes)
        check_at_least("all_keys", all_keys, keys)
        check_at_least("values", values, 2)
        self.form = form
        self.take_words(numbered("k", all_keys) + numbered("v", values), numbered("v", values))
        self.writes, self.keys, self.rewritten, self.asked = (min_writes, max_writes), keys, rewritten, asked
        self.all_keys, self.n_items = all_keys, max_writes
        self.origin = (f"rewritten keys: {min_writes} to {max_writes} writes of {keys} keys of which {rewritten} are rewritten, "
                       "made on the spot")

    def sizes(self):
        """Every number of writes."""
        return [{"writes": n} for n in range(self.writes[0], self.writes[1] + 1)]

    def sample(self, rng, batch_size, writes=None, rewrites=None):
        """A Batch of `batch_size` streams.

        writes    how many writes all streams have (None: drawn from those that fit)
        rewrites  ask only for keys that are rewritten exactly so many times (None: draw whether for a rewritten one)
        raises    ValueError if no stream is like that
        """
        check_at_least("batch_size", batch_size, 1)
        writes = self.draw_writes(rng, rewrites) if writes is None else writes
        self.check_fits(writes, rewrites)
        streams = [self.stream(rng, self.counts(rng, writes, rewrites)) for _ in range(batch_size)]
        items, questions, answers = zip(*streams)
        return self.in_form(as_batch(np.array(items)[:, :, None], np.array(questions)[:, None], [answers]))

    def draw_writes(self, rng, rewrites):
        """A number of writes in which a key can be rewritten so many times."""
        fitting = [size["writes"] for size in self.sizes() if self.fits(size["writes"], rewrites)]
        if not fitting:
            raise ValueError(f"rewrites: expected a number that fits into {self.writes[0]} to {self.writes[1]} writes of "
                             f"{self.keys} keys, {self.rewritten} of them rewritten, received {rewrites!r}")
        return fitting[rng.integers(len(fitting))]

    def fits(self, writes, rewrites):
        """Whether a key can be rewritten so many times in so many writes (None: any number of times)."""
        spare = writes - self.keys - self.rewritten                      # rewrites beyond the first of each rewritten key
        if rewrites in (None, 0):
            return spare >= 0
        return 0 <= rewrites - 1 <= spare if self.rewritten > 1 else rewrites - 1 == spare

    def check_fits(self, writes, rewrites):
        """Refuse what `fits` denies, and what is no whole number."""
        check_at_least("writes", writes, self.keys + self.rewritten)
        if rewrites is not None:
            check_at_least("rewrites", rewrites, 0)
        if not self.fits(writes, rewrites):
            raise ValueError(f"rewrites: expected a number that fits into {writes} writes of {self.keys} keys, {self.rewritten} of "
                             f"them rewritten, received {rewrites}")

    def counts(self, rng, writes, rewrites):
        """How often each key is written, (keys,) int; the question will be about the first key."""
        about_rewritten = rng.random() < self.asked if rewrites is None else rewrites > 0
        counts = np.ones(self.keys, int)
        places = np.arange(self.rewritten) + (not about_rewritten)       # which keys are rewritten: with the first or without it
        counts[places] += 1
        spare = writes - counts.sum()
        if about_rewritten and rewrites is not None:
            counts[0] += rewrites - 1
            spare, places = spare - (rewrites - 1), places[1:]
        np.add.at(counts, rng.choice(places, spare) if spare else [], 1)
        return counts

    def stream(self, rng, counts):
        """(writes as rows of a key's and a value's word, the word of the key asked for, the class of its value)."""
        words = 1 + rng.permutation(self.all_keys)[:self.keys]
        stands, writes = {}, []
        for key in rng.permutation(np.repeat(words, counts)).tolist():
            value = int(rng.integers(self.n_outputs - (key in stands)))
            stands[key] = value + (key in stands and value >= stands[key])                # any value but the one it has
            writes.append((key, 1 + self.all_keys + stands[key]))
        return writes, words[0], stands[words[0]]

    def count_stale(self, outputs, batch):
        """Wrong answers that are an earlier value of the key asked for: one whole number."""
        answers, right = said(outputs, batch)[batch.mask > 0], batch.targets[batch.mask > 0]               # (B,)
        steps = forms.steps_seen(batch, self.form, len(self.vocabulary))
        words, asked = steps[..., :len(self.vocabulary)], steps[..., -1:]                  # (T, B, V), (T, B, 1)
        key, value = (words * asked).sum(0), np.arange(len(self.vocabulary)) == 1 + self.all_keys + answers[:, None]
        earlier = ((words * key).sum(-1) > 0) & ((words * value).sum(-1) > 0)              # (T, B): told as one write
        return int((earlier.any(0) & (answers != right)).sum())
