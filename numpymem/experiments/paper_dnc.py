"""What Graves et al. 2016 print for bAbI: test errors in percent, the mean of 20 networks each, to be set beside ours.

Source: Nature 538, Extended Data Table 1: trained on the 10,000 questions of all tasks together, word by word; a question counts
as wrong if any word of its answer is. The figures are taken from our notes of the paper; what could be checked of them, and is in
the tests: the mean printed below each column is that of the column. The columns of the best networks are left out: our notes of
them have gaps.
"""

from numpymem.experiments.paper_dmn import Column

TABLE_10K = {
    "nature-lstm": Column(
        (28.4, 56.0, 51.3, 0.8, 3.2, 15.2, 16.4, 17.7, 15.4, 28.7, 12.2, 5.4, 7.2, 55.9, 47.0, 53.3, 34.8, 5.0, 90.9, 1.3),
        mean=27.3),
    "nature-ntm": Column(
        (40.6, 56.3, 47.8, 0.9, 1.9, 18.4, 19.9, 18.5, 17.9, 25.7, 24.4, 21.9, 8.2, 44.9, 46.5, 53.8, 29.9, 4.5, 86.5, 1.4),
        mean=28.5),
    "dnc1": Column(
        (9.0, 39.2, 39.6, 0.4, 1.5, 6.9, 9.8, 5.5, 7.7, 9.6, 3.3, 5.0, 3.1, 11.0, 27.2, 53.6, 32.4, 4.2, 64.6, 0.0),
        mean=16.7),
    "dnc2": Column(
        (16.2, 47.5, 44.3, 0.4, 1.9, 11.1, 15.4, 10.0, 11.7, 14.7, 7.2, 10.1, 5.5, 15.0, 40.2, 54.7, 30.9, 4.3, 75.8, 0.0),
        mean=20.8),
}
