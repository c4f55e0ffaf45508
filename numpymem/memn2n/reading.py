"""From a batch of stories as tasks give it to what the equations take: word numbers checked, padding cut, sentences with ages.

Most of it is asked of every word of every batch, so there are compiled loops for it (kernels_reading.py). They run when the kernel
of MemN2N-memories is in force; otherwise NumPy does the same.
"""

import functools
from typing import NamedTuple

import numpy as np

from numpymem.memn2n.equations import remember


class Memories(NamedTuple):
    """A batch of stories as the equations take it: only as many sentences and words as the longest one has."""
    sentences: np.ndarray     # (B, I, J) int32
    query: np.ndarray         # (B, J) int32
    age: np.ndarray           # (B, I) int32: 1 for the latest sentence, 0 for nil
    mask: np.ndarray          # (B, I) 1 for a sentence, 0 for nil
    empty: np.ndarray         # (B, 1) empty slots that share in the softmax


class Survey(NamedTuple):
    """What there is to know about the words (B, I, J) of stories."""
    told: np.ndarray          # (B) how many sentences of a story are not nil
    low: int                  # lowest and highest word number
    high: int
    longest: int              # words of the longest sentence
    most: int                 # sentences of the longest story
    sentences_in_order: bool  # whether in each sentence nil words come last
    stories_in_order: bool    # whether in each story nil sentences come last


def read(config, inputs, dtype, rng=None):
    """Check and trim a batch of stories, and give each sentence its age -> Memories."""
    sentences, found = word_numbers(config, "sentences", inputs.sentences, 3)
    query, _ = word_numbers(config, "query", inputs.query, 2)
    if len(query) != len(sentences):
        raise wrong("query", f"{len(sentences)} rows, one a story", len(query))
    if not found.stories_in_order:
        raise wrong("sentences", "nil sentences only after the last one of a story", "one before it")
    sentences, number = sentences[:, :found.most], found.told
    if found.most > config.memory_size:
        sentences, number = latest(sentences, number, config.memory_size)
    I = sentences.shape[1]
    age, mask = ages_and_mask(number, I, dtype)
    if not config.temporal:
        age = np.zeros_like(age)
    elif rng is not None and config.time_noise:
        age = noisy_ages(rng, number, I, config.time_noise, config.memory_size)
    empty = np.zeros((len(number), 1), dtype)
    if config.nil_memories:
        empty[:, 0] = config.memory_size - number
    return Memories(np.ascontiguousarray(sentences), query, age, mask, empty)


def word_numbers(config, name, words, axes):
    """`inputs.<name>`, checked (compiled loops look up rows without asking) -> (int32, nil words at the end cut; Survey)."""
    words = np.asarray(words)
    if words.ndim != axes or words.shape[-1] == 0:
        raise wrong(name, "shape " + ("(B, I, J)" if axes == 3 else "(B, J)"), words.shape)
    if words.dtype.kind not in "iu":
        raise wrong(name, "integers, the numbers of words", words.dtype)
    found = survey(words if axes == 3 else words[:, None])
    if found.low < 0 or found.high >= config.n_words:
        raise wrong(name, f"word numbers from 0 to {config.n_words - 1}", f"{found.low} to {found.high}")
    if not found.sentences_in_order:
        raise wrong(name, "nil words only after the last word of a sentence", "one before it")
    if found.longest > config.max_sentence_words:
        raise wrong(name, f"sentences of at most max_sentence_words = {config.max_sentence_words} words", found.longest)
    return np.ascontiguousarray(words[..., :max(found.longest, 1)], dtype=np.int32), found


def wrong(name, expected, received):
    return ValueError(f"{name}: expected {expected}, received {received!r}")


# ---- as loops, or as NumPy ------------------------------------------------------------------------------------------------

def loops():
    """The compiled loops, or None."""
    return None if remember.kernel.why_not() else _compiled()


@functools.cache
def _compiled():
    remember.kernel.pair()                                           # which says so if there is much to compile
    from numpymem.memn2n import kernels_reading
    return kernels_reading


def survey(words):
    """words (B, I, J) -> Survey"""
    if words.dtype == np.int32 and loops():
        told = np.empty(len(words), np.int64)
        return Survey(told, *loops().survey(np.ascontiguousarray(words), told))
    known, longest = words != 0, words.shape[-1]
    while longest and not known[..., longest - 1].any():             # words come first: few turns
        longest -= 1
    real = known[..., 0]                                             # (B, I)
    told = real.sum(1)
    return Survey(told, words.min(initial=0), words.max(initial=0), longest, told.max(initial=0), in_order(known), in_order(real))


def in_order(real):
    """Whether along the last axis nothing real comes after nil."""
    return not (real[..., 1:] > real[..., :-1]).any()


def ages_and_mask(number, I, dtype):
    """Of stories of `number` sentences each: ages (B, I), int32, and mask (B, I)."""
    if not loops():
        return ages(number, I), (np.arange(I) < number[:, None]).astype(dtype)
    age, mask = np.empty((len(number), I), np.int32), np.empty((len(number), I), dtype)
    loops().count_back(number, age, mask)
    return age, mask


def ages(number, I):
    """n, n - 1, ..., 1 for the n sentences of a story, oldest first, then 0.  (B, I) int32"""
    return np.maximum(number[:, None] - np.arange(I), 0).astype(np.int32)


# ---- as NumPy only --------------------------------------------------------------------------------------------------------

def latest(sentences, told, size):
    """The `size` latest sentences of each story -> (sentences (B, I, J), how many of them are real (B))."""
    number = np.minimum(told, size)
    at = (told - number)[:, None] + np.arange(size)
    sentences = sentences[np.arange(len(told))[:, None], np.minimum(at, sentences.shape[1] - 1)]
    sentences[np.arange(size) >= number[:, None]] = 0
    return sentences, number


def noisy_ages(rng, number, I, noise, size):
    """Random noise RN: instead of n ... 1, a random choice of n out of n + b ... 1, still in order.  (B, I) int32

    b is uniform in 0 ... ceil(noise n), both ends included. Ages beyond `size` become `size`, as in the released code.
    """
    extra = (rng.random(len(number)) * (np.ceil(noise * number) + 1)).astype(int)        # (B)
    total = number + extra                                                               # (B)
    place = np.arange(total.max(initial=0))                                              # place 0 has age n + b
    order = (rng.random((len(number), place.size)) + (place >= total[:, None])).argsort(1)   # no such place: last
    chosen = np.zeros(order.shape, bool)
    chosen[np.arange(len(number))[:, None], order] = place < number[:, None]
    story, at = chosen.nonzero()                                     # story by story, oldest first, as many as sentences
    age = np.zeros((len(number), I), np.int32)
    age[np.arange(I) < number[:, None]] = np.minimum(total[story] - at, size)
    return age
