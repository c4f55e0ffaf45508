"""The batch types that every task yields.

B batch, T time steps, X input width, Y output width, I sentences of the longest story, J words of the longest sentence.
"""

from typing import NamedTuple

import numpy as np


class Stories(NamedTuple):
    """Input of the story form: word ids, 0 = nil (no word)."""

    sentences: np.ndarray     # (B, I, J) int32; oldest sentence first; padded at the END with nil rows and words
    query: np.ndarray         # (B, J) int32


class Batch(NamedTuple):
    """What `task.sample` returns.

    inputs   sequence form: float32 (T, B, X);  story form: Stories
    targets  sequence form: float32 bits (T, B, Y) or int classes (T, B), or int digits (T, B, G)
             story form: int classes (B,) or bits (B, Y)
    mask     float32, 1.0 where an answer is asked, 0.0 elsewhere: (T, B) or (B,)
    """

    inputs: object
    targets: np.ndarray
    mask: np.ndarray
