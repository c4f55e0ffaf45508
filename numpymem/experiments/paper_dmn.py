"""What Xiong et al. 2016 print: test errors on bAbI's twenty tasks (10,000 questions each) in percent, to be set beside ours.

Source: arXiv 1603.01417, the table of its text question answering results. The figures are taken from our notes of the paper; what
could be checked of them, and is in the tests: the means printed below the columns are those of the columns. On tasks that it calls
unstable the paper takes the best of ten runs by validation. It has no figures for 1,000 questions.

"odmn" is the first DMN (GRU over words, no fusion, gates of its own), trained without the supporting facts; "dmn2" adds position
encoding and the fusion layer, "dmn3" the attention GRU, "dmn+" the untied ReLU memory updates.
"""

from typing import NamedTuple


class Column(NamedTuple):
    """One column: errors of tasks 1 to 20, and the mean as it is printed below it."""
    errors: tuple
    mean: float


TABLE_10K = {
    "odmn": Column(
        (0.0, 36.0, 42.2, 0.0, 0.1, 35.7, 8.0, 1.6, 3.3, 0.6, 0.0, 0.0, 0.0, 3.6, 0.0, 55.1, 39.6, 9.3, 0.0, 1.9), mean=11.8),
    "dmn2": Column(
        (0.0, 0.1, 19.0, 0.0, 0.5, 0.0, 2.5, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.0, 45.7, 5.9, 3.3, 0.0, 0.0), mean=3.9),
    "dmn3": Column(
        (0.0, 0.7, 9.2, 0.0, 0.8, 0.6, 1.6, 0.2, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 47.9, 5.0, 0.1, 0.0, 0.0), mean=3.3),
    "dmn+": Column(
        (0.0, 0.3, 1.1, 0.0, 0.5, 0.0, 2.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.0, 45.3, 4.2, 2.1, 0.0, 0.0), mean=2.8),
}
