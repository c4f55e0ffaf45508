"""From a batch of stories as tasks give it to what the equations take: word numbers checked, padding cut. All sentences stay."""

from typing import NamedTuple

import numpy as np

from numpymem.memn2n.reading import word_numbers, wrong


class Story(NamedTuple):
    """A batch of stories, only as many sentences and words as the longest one has."""
    sentences: np.ndarray     # (B, I, J) int32
    query: np.ndarray         # (B, J) int32
    mask: np.ndarray          # (B, I) 1 for a sentence, 0 for nil


def read(config, inputs, dtype):
    """Check and trim a batch of stories -> Story. A batch without any sentence keeps one that is nil."""
    sentences, found = word_numbers(config, "sentences", inputs.sentences, 3)
    query, _ = word_numbers(config, "query", inputs.query, 2)
    if len(query) != len(sentences):
        raise wrong("query", f"{len(sentences)} rows, one a story", len(query))
    if not found.stories_in_order:
        raise wrong("sentences", "nil sentences only after the last one of a story", "one before it")
    I = max(int(found.most), 1)
    mask = (np.arange(I) < found.told[:, None]).astype(dtype)
    return Story(np.ascontiguousarray(sentences[:, :I]), query, mask)
