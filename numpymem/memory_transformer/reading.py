"""From a batch in the segments form to what the model takes: numbers checked, segments that are there as rows, items in order."""

from typing import NamedTuple

import numpy as np


class Told(NamedTuple):
    """A batch as the model takes it. R rows, one for each segment that is there; L words of a row."""
    words: np.ndarray         # (V, F) int: for each different word its rows in the table of vectors; word 0 is nil
    rows: np.ndarray          # (R, L) int: words of the rows, as numbers of `words`
    question: np.ndarray      # (B, Q) int, likewise
    marks: np.ndarray         # (B, Q) int, or None
    prompt: np.ndarray        # (B, T) int
    spell: tuple              # (I, J): how the L words of a row are items of words
    row_story: np.ndarray     # (R) int: to which story each row belongs
    segment: np.ndarray       # (R) int: which segment of it it is, from 0
    story: np.ndarray         # (items) int: to which story each item belongs; items in the order of rows
    number: np.ndarray        # (items) int: the how-manieth of its story it is, from 0
    place: np.ndarray         # (items) int: where it stands among the R * I items of the rows

    @property
    def written(self):
        """(B, most items of a story): 1 for an item, 0 for none."""
        there = np.zeros((len(self.question), int(self.number.max(initial=-1)) + 1), np.float32)
        there[self.story, self.number] = 1
        return there


def read(config, inputs):
    """Check a batch -> Told. Raises ValueError for word numbers or shapes that do not fit."""
    segments, question, prompt = (np.asarray(x) for x in (inputs.segments, inputs.question, inputs.prompt))
    check(config, inputs, segments, question, prompt)
    B, G, I, J = segments.shape
    different, numbers = np.unique(np.concatenate([[0], segments.ravel(), question.ravel()]), return_inverse=True)
    spelling = different[:, None] if inputs.spelling is None else np.asarray(inputs.spelling)[different]
    segments, question = numbers[1:1 + segments.size].reshape(segments.shape), numbers[1 + segments.size:].reshape(question.shape)
    there = (segments != 0).any((2, 3)) | (np.arange(G) == 0)          # a story without segments keeps one that is nil
    story, segment = np.nonzero(there)
    rows = segments[there]                                            # (R, I, J)
    item = (rows != 0).any(2)                                         # (R, I)
    belongs = np.broadcast_to(story[:, None], item.shape)[item]
    number = np.arange(len(belongs)) - np.searchsorted(belongs, belongs)
    marks = None if config.n_marks == 0 else np.asarray(inputs.marks)
    return Told(spelling, rows.reshape(len(rows), I * J), question, marks, prompt, (I, J),
                story, segment, belongs, number, np.flatnonzero(item))


def check(config, inputs, segments, question, prompt):
    for name, value, axes in (("segments", segments, 4), ("question", question, 2), ("prompt", prompt, 2)):
        if value.ndim != axes or not np.issubdtype(value.dtype, np.integer):
            raise ValueError(f"{name}: expected whole numbers with {axes} axes, received {value.dtype} of shape {value.shape}")
        if len(value) != len(segments):
            raise ValueError(f"{name}: expected {len(segments)} rows, one a story, received {len(value)}")
    if not (question != 0).any(1).all():
        raise ValueError("question: expected at least one word in each, received one without")
    words = config.n_words if inputs.spelling is None else len(inputs.spelling)
    for name, value, most in (("segments", segments, words), ("question", question, words),
                              ("prompt", prompt, 1 + config.n_outputs + config.pointers * question.shape[1])):
        if value.size and not 0 <= value.min() <= value.max() < most:
            raise ValueError(f"{name}: expected numbers from 0 to {most - 1}, received {value.min()} to {value.max()}")
    if inputs.spelling is not None and np.max(inputs.spelling) >= config.n_words:
        raise ValueError(f"spelling: expected numbers below {config.n_words}, received {np.max(inputs.spelling)}")
    if config.n_marks and (inputs.marks is None or np.shape(inputs.marks) != question.shape):
        raise ValueError(f"marks: expected shape {question.shape}, received {np.shape(inputs.marks)}")
