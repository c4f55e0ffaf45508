"""The batch types that every task yields.

B batch, T time steps, X input width, Y output width, I sentences of the longest story, J words of the longest sentence; in the
segments form G segments of I items of J words each, Q words of the question, V words, F rows of a word's spelling; in the stream
form Q questions. Forms of the same task tell the same: numpymem/tasks/forms.py.
"""

from typing import NamedTuple

import numpy as np


class Stories(NamedTuple):
    """Input of the story form: word ids, 0 = nil (no word)."""

    sentences: np.ndarray     # (B, I, J) int32; oldest sentence first; padded at the END with nil rows and words
    query: np.ndarray         # (B, J) int32


class Segments(NamedTuple):
    """Input of the segments form: what is told, segment by segment, then what is asked. Word numbers, 0 = nil (no word).

    A segment is what a model may attend to at once; an item is what it writes into its memory in one step. Nil words, items and
    segments stand at the end. The question is the segment that the model has before it when it answers.
    """

    segments: np.ndarray      # (B, G, I, J) int32
    question: np.ndarray      # (B, Q) int32
    prompt: np.ndarray        # (B, T) int32; what the decoder is given at each step: 0 first, then 1 + the right answer before
    marks: np.ndarray = None      # (B, Q) int32, 0 = none: what a task says of each word of the question, beside the word
    spelling: np.ndarray = None   # (V, F) int32, 0 = none: rows of the table of vectors that are added up to a word's vector;
    #                               None: word v has row v and no other


class Streams(NamedTuple):
    """Input of the stream form, for models that live through a story step by step and may also look back at its sentences."""

    steps: np.ndarray         # (T, B, X) float32; as in the sequence form
    sentences: np.ndarray     # (B, I, J) int32; as in the story form
    queries: np.ndarray       # (B, Q, J) int32; Q questions about one story; all nil where nothing is said when an answer is asked
    told_at: np.ndarray       # (B, I) int; the step at which each sentence is told (0 for nil sentences)
    asked_at: np.ndarray      # (Q,) int; the step at which each answer is due


class Batch(NamedTuple):
    """What `task.sample` returns.

    inputs   sequence form: float32 (T, B, X);  story form: Stories;  segments form: Segments;  stream form: Streams
    targets  sequence form: float32 bits (T, B, Y) or int classes (T, B), or int digits (T, B, G)
             story form: int classes (B,) or bits (B, Y)
             stream form: int classes (Q, B) or bits (Q, B, Y)
             segments form: int (T, B), a class below n_outputs, or n_outputs + the place of a word of the question
    mask     float32, 1.0 where an answer is asked, 0.0 elsewhere: (T, B), (B,) or (Q, B)
    """

    inputs: object
    targets: np.ndarray
    mask: np.ndarray
