"""From a batch of Streams as tasks give it to what the equations take: checked, padding cut, sentences with ages."""

from typing import NamedTuple

import numpy as np

from numpymem.initial import check_sequence_inputs
from numpymem.memn2n import reading
from numpymem.memn2n.reading import word_numbers, wrong
from numpymem.tasks.batches import Stories


class Told(NamedTuple):
    """What was told and asked, for the fact memory: only as many sentences and words as the longest story has."""
    sentences: np.ndarray     # (B, I, J) int32
    queries: np.ndarray       # (B, Q, J) int32
    age: np.ndarray           # (B, I) int32: 1 for the latest sentence, 0 for nil
    mask: np.ndarray          # (B, I) 1 for a sentence, 0 for nil
    empty: np.ndarray         # (B, 1) empty slots that share in the softmax
    told_at: np.ndarray       # (B, I) int


def read_story(config, inputs, dtype, rng=None):
    """Check and trim the sentences and questions of a batch of Streams -> Told."""
    queries, _ = word_numbers(config, "queries", inputs.queries, 3)
    told_at, shape = whole_numbers("told_at", inputs.told_at), np.shape(inputs.sentences)
    if told_at.shape != shape[:2]:
        raise wrong("told_at", f"shape {shape[:2]}, a step for each sentence", told_at.shape)
    if shape[1] > config.memory_size:
        longest = (np.asarray(inputs.sentences) != 0).any(2).sum(1).max()
        if longest > config.memory_size:
            raise wrong("sentences", f"stories of at most memory_size = {config.memory_size} sentences", int(longest))
    story = reading.read(config, Stories(inputs.sentences, queries[:, 0]), dtype, rng)
    I = story.sentences.shape[1]
    return Told(story.sentences, queries, story.age, story.mask, story.empty, np.where(story.mask > 0, told_at[:, :I], 0))


def read_steps(config, inputs):
    """Check the steps of a batch of Streams, and that all that is told or asked has a step."""
    check_sequence_inputs(inputs.steps, config.n_inputs)
    T, B, _ = inputs.steps.shape
    for name in ("told_at", "asked_at"):
        at = whole_numbers(name, getattr(inputs, name))
        if at.size and not 0 <= at.min() <= at.max() < T:
            raise wrong(name, f"steps from 0 to {T - 1}", f"{at.min()} to {at.max()}")
    if len(inputs.sentences) != B:
        raise wrong("steps", f"{len(inputs.sentences)} columns, one a story", B)


def read_questions(inputs):
    """The step at which each answer is due, for every story.  (B, Q)"""
    asked_at, shape = whole_numbers("asked_at", inputs.asked_at), np.shape(inputs.queries)
    if asked_at.shape != shape[1:2] or not asked_at.size:
        raise wrong("asked_at", f"shape {shape[1:2]}, a step for each question, and at least one question", asked_at.shape)
    return np.broadcast_to(asked_at, shape[:2])


def whole_numbers(name, values):
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        raise wrong(name, "integers, the numbers of steps", values.dtype)
    return values
