"""Random batches in stream form, for the checks of the hybrid."""

import numpy as np

from gradcheck.models import stories
from numpymem.tasks.batches import Streams


def streams(rng, n_words, Q, B=3, I=3, J=3, T=4):
    """Random stories as `stories` has them, told in some of the T steps, with Q questions, the last of several without words. Two
    sentences are told in the same step; all questions but the last are asked at that step, too."""
    sentences, query = stories(rng, n_words, B, I, J)
    queries = rng.integers(1, n_words, (B, Q, J)).astype(np.int32)
    queries[:, 0], queries[:, Q - 1] = query, query if Q == 1 else 0
    told_at = rng.integers(0, T, (B, I))
    told_at[0, 1] = told_at[0, 0]
    return Streams(rng.standard_normal((T, B, 3)), sentences, queries, told_at, np.append(np.repeat(told_at[0, 0], Q - 1), T - 1))
