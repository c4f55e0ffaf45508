"""Compiled loops that look at all word numbers of a batch once: what reading.py otherwise asks NumPy a dozen times."""

from numpymem.kernel import compile_loop

loop = compile_loop(allocates=False)


@loop
def survey(words):
    """words (R, J) -> (lowest, highest, longest row, whether in each row nil comes last)"""
    low, high, longest, in_order = 0, 0, 0, True
    for r in range(words.shape[0]):
        row, length = words[r], 0
        for j in range(row.size):
            low, high = min(low, row[j]), max(high, row[j])
            if row[j] != 0:
                in_order = in_order and length == j
                length = j + 1
        longest = max(longest, length)
    return low, high, longest, in_order


@loop
def count(sentences, told):
    """Fill told (B): how many sentences of a story are not nil. -> whether nil ones come last"""
    in_order = True
    for b in range(sentences.shape[0]):
        told[b] = 0
        for i in range(sentences.shape[1]):
            if sentences[b, i, 0] != 0:
                in_order = in_order and told[b] == i
                told[b] += 1
    return in_order


@loop
def count_back(number, age, mask):
    """Fill age (n, n - 1, ..., 1, then 0) and mask (1 for these n, then 0) of stories of n sentences."""
    for b in range(age.shape[0]):
        for i in range(age.shape[1]):
            age[b, i] = max(number[b] - i, 0)
            mask[b, i] = 1 if i < number[b] else 0
