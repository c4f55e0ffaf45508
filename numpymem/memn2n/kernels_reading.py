"""Compiled loops that look at all word numbers of a batch once: what reading.py otherwise asks NumPy a dozen times."""

from numpymem.kernel import compile_loop

loop = compile_loop(allocates=False)


@loop
def survey(words, told):
    """words (B, I, J) -> (lowest, highest, words of the longest sentence, sentences of the longest story, whether nil words come
    last, whether nil sentences do). Fill told (B): how many sentences of a story are not nil."""
    low, high, longest, most, words_in_order, sentences_in_order = 0, 0, 0, 0, True, True
    for b in range(words.shape[0]):
        told[b] = 0
        for i in range(words.shape[1]):
            sentence, number, last = words[b, i], 0, 0
            for j in range(sentence.size):
                low, high = min(low, sentence[j]), max(high, sentence[j])
                if sentence[j] != 0:
                    number, last = number + 1, j + 1
            longest = max(longest, last)
            words_in_order = words_in_order and number == last
            if sentence[0] != 0:
                sentences_in_order = sentences_in_order and told[b] == i
                told[b] += 1
        most = max(most, told[b])
    return low, high, longest, most, words_in_order, sentences_in_order


@loop
def count_back(number, age, mask):
    """Fill age (n, n - 1, ..., 1, then 0) and mask (1 for these n, then 0) of stories of n sentences."""
    for b in range(age.shape[0]):
        for i in range(age.shape[1]):
            age[b, i] = max(number[b] - i, 0)
            mask[b, i] = 1 if i < number[b] else 0
