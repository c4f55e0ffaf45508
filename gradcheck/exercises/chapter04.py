"""The exercises of chapter 04: what guessing is worth, copy as questions, how a latest value is found, and who is ahead."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, same_forward, same_numbers
from numpymem.experiments.claims.intervals import T_95
from numpymem.ops.softmax import softmax

# ---- 4.1 what guessing is worth ---------------------------------------------------------------------------------------------

guess = Exercise(
    "4.1", "What is guessing worth?",
    "How many percent does somebody get right who only guesses? Three answers: (a) bAbI 19 asks for two steps such as `n,e`; of "
    "north, east, south and west any may come first, and the second does not lead back. (b) The committed rewritten keys have 16 "
    "values. (c) 16 made facts tell of 8 entities; the question names one of them, which is never the answer, and the guesser has "
    "at least noticed who was told of. `guess.grade(a, b, c)`, percent.",
    ("In each of them all answers that are left are as likely as one another: 100 divided by how many there are.",
     "(a) four first steps, and after each of them three that do not lead back. (b) is easiest. (c) one of eight is ruled out.",
     "100 / (4 * 3), 100 / 16, 100 / 7"),
    all_of(same_numbers(100 / 12, (
               Mistake(100 / 16, "Four times four: but a second step that leads back is never asked for."),
               Mistake(1 / 12, "In percent: times 100."),
               Mistake(25, "That is one step. There are two of them.")), tolerance=0.06, otherwise="How many pairs are there?"),
           same_numbers(100 / 16, (
               Mistake(1 / 16, "In percent: times 100."),
               Mistake(100 / 32, "Only values are answers, keys are not.")), tolerance=0.06, otherwise="One of 16 values."),
           same_numbers(100 / 7, (
               Mistake(100 / 8, "Nearly: the entity that the question names is none of the possible answers."),
               Mistake(100 / 128, "That is one of all 128 names, by somebody who has not noticed that only 8 entities occur.")),
               tolerance=0.06, otherwise="How many entities are left?")),
    "Now look at the NTM's figures on bAbI 19 and on 16 facts once more.")


# ---- 4.2 copy as questions --------------------------------------------------------------------------------------------------

def as_questions(bits, position):
    sentences = 1 + 2 * np.arange(8) + bits.transpose(1, 0, 2)
    return sentences, 17 + position[:, None]


def packed(function):
    """Both arrays of an answer as one row of numbers, so that they can be compared at once."""
    def both(bits, position):
        answer = function(bits, position)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ValueError("expected two arrays, return sentences, query")
        sentences, query = map(np.asarray, answer)
        L, B, _ = bits.shape
        for name, array, shape in (("sentences", sentences, (B, L, 8)), ("query", query, (B, 1))):
            if array.shape != shape:
                raise ValueError(f"{name}: expected shape {shape}, received {array.shape}")
        return np.concatenate([sentences.ravel(), query.ravel()]).astype(float)
    return both


def from_nil(bits, position):
    return 2 * np.arange(8) + bits.transpose(1, 0, 2), 16 + position[:, None]


def bits_alone(bits, position):
    return 1 + bits.transpose(1, 0, 2), 17 + position[:, None]


def asks_for_the_next(bits, position):
    return as_questions(bits, position + 1)


def some_copies(seed, L, B):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, (L, B, 8)), rng.integers(0, L, B)


same_questions = same_forward(packed(as_questions), [some_copies(0, 3, 2), some_copies(1, 5, 4)], (
    Mistake(packed(from_nil), "Word 0 is no word (nil): it adds nothing, and no sentence may begin with it. Words count from 1."),
    Mistake(packed(bits_alone), "Your words say what a bit is, but not which one: give each bit words of its own."),
    Mistake(packed(asks_for_the_next), "Positions count from 0: word 17 asks for position 0.")))

questions = Exercise(
    "4.2", "A fair form: copy as questions",
    "A MemN2N reads sentences and answers questions. Write `as_questions(bits, position)`: `bits` (L, B, 8) are L vectors for "
    "each of B stories, 0 or 1; `position` (B) is the vector that each story is asked about. Return `sentences` (B, L, 8) and "
    "`query` (B, 1) as whole numbers: word 0 is no word, word `1 + 2 j + b` says that bit j is b, word `17 + p` asks for position "
    "p.",
    ("Each vector becomes a sentence of eight words, each bit a word. What must happen to the axes?",
     "bits.transpose(1, 0, 2) is (B, L, 8); np.arange(8) runs along its last axis.",
     "return 1 + 2 * np.arange(8) + bits.transpose(1, 0, 2), 17 + position[:, None]"),
    lambda function: same_questions(packed(function)),
    "Note what this form cannot say: word 17 + p for a p that never occurred in training has a vector that never learned anything.")


# ---- 4.3 the latest value ---------------------------------------------------------------------------------------------------

def latest_scores(same_key, age):
    return 200.0 * same_key - 10.0 * age


def key_alone(same_key, age):
    return 200.0 * same_key


def age_alone(same_key, age):
    return -10.0 * age


def oldest_first(same_key, age):
    return 200.0 * same_key + 10.0 * age


def too_soft(same_key, age):
    return 4.0 * same_key - 0.3 * age


def key_too_weak(same_key, age):
    return 20.0 * same_key - 10.0 * age


LONGEST = 12


def some_streams(seed=4, B=200):
    """(same_key, age, which): whether each sentence has the key, its age (1: the latest), and the latest one that has."""
    rng = np.random.default_rng(seed)
    same = (rng.random((B, LONGEST)) < 0.3).astype(float)
    same[np.arange(B), rng.integers(0, LONGEST, B)] = 1
    return same, np.tile(np.arange(LONGEST, 0, -1.0), (B, 1)), LONGEST - 1 - same[:, ::-1].argmax(1)


def judge_latest(function):
    """At least 0.99 of the attention on the right sentence of every stream."""
    same, age, which = some_streams()
    scores = function(same.copy(), age.copy())
    if scores is None or np.shape(scores) != same.shape:
        return f"Expected scores of shape {same.shape}, received {'nothing' if scores is None else np.shape(scores)}."
    p, each = softmax(np.asarray(scores, float)), np.arange(len(same))
    if np.allclose(p.max(1), np.where(same > 0, p, 1).min(1)):
        return "All writes of the key get the same: the right one is the latest of them."
    for way, remark in ((age_alone, "That finds the latest write of all, whatever its key."),
                        (oldest_first, "That finds the key's oldest value: age 1 is the latest.")):
        if (p.argmax(1) == way(same, age).argmax(1)).all():
            return remark
    if not (p.argmax(1) == which).all():
        return (f"In {(p.argmax(1) != which).sum()} of {len(p)} streams most of the attention is elsewhere. The key must count "
                f"more than any difference of ages, here up to {LONGEST - 1}.")
    least = float(p[each, which].min())
    said = f"The right sentence is always ahead, but gets as little as {least:.2f} of the attention: larger scores."
    return "" if least >= 0.99 else said


latest = Exercise(
    "4.3", "How does a MemN2N find the latest value?",
    "Write the scores that its softmax would need: `latest_scores(same_key, age)` with `same_key` (B, I), 1 where a sentence "
    "begins with the key asked for, else 0, and `age` (B, I), 1 for the latest sentence up to 12. The softmax of your scores must "
    "put at least 0.99 on the latest sentence with that key, in every story. (u·m is a sum of what words and what age contribute: "
    "a number times `same_key` plus a number times `age` is what a MemN2N can say.)",
    ("Two wishes: the key must be right, and among those that are, the younger wins. Which wish comes first?",
     "a * same_key - b * age: neighbours in age differ by b, which should be 5 or more; and a must outweigh 11 b.",
     "200 * same_key - 10 * age"),
    judge_latest, "No memory was rewritten for it: position, which the article denies it, does the work.")


# ---- 4.4 who is ahead -------------------------------------------------------------------------------------------------------

def is_ahead(ours, theirs):
    d = ours - theirs
    half = T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d))
    return bool(d.mean() - half > 0 and d.mean() >= 2)


def mean_only(ours, theirs):
    return bool(ours.mean() - theirs.mean() >= 2)


def without_two_points(ours, theirs):
    d = ours - theirs
    return bool(d.mean() - T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d)) > 0)


def spread_not_error(ours, theirs):
    d = ours - theirs
    return bool(d.mean() - T_95[len(d) - 2] * d.std(ddof=1) > 0 and d.mean() >= 2)


def not_paired(ours, theirs):
    n = len(ours)
    half = T_95[n - 2] * np.sqrt(ours.var(ddof=1) / n + theirs.var(ddof=1) / n)
    return bool(ours.mean() - theirs.mean() - half > 0 and ours.mean() - theirs.mean() >= 2)


CASES = (                                         # percent right of five seeds
    ("far ahead, seed by seed", [98.0, 97, 99, 98, 97], [54.0, 52, 57, 55, 54]),
    ("surely ahead, but by half a point", [99.9, 99.8, 99.9, 99.9, 99.8], [99.4, 99.3, 99.4, 99.4, 99.3]),
    ("ahead in the mean, because of one seed", [99.0, 30, 28, 31, 29], [27.0, 30, 29, 31, 28]),
    ("hard and easy seeds, ahead in each", [95.0, 60, 75, 45, 88], [90.0, 54, 70, 41, 82]),
    ("ahead in each, by very different amounts", [60.0, 66, 58, 75, 70], [50.0, 50, 50, 50, 50]),
    ("behind", [50.0, 52, 49, 51, 50], [97.0, 98, 96, 97, 99]))
WAYS = ((mean_only, "You compare means. How sure is that, if it is one seed of five?"),
        (without_two_points, "Sure, but too small: less than two points count as equal here."),
        (spread_not_error, "You take the standard deviation of single seeds. How sure the *mean* is shrinks with the root of n."),
        (not_paired, "Both have the same seeds: subtract seed by seed first, then the hard seeds and the easy ones do not matter."))


def judge_ahead(function):
    """Every case; a wrong answer is explained by the way that gives the same answers."""
    given = [(np.array(ours), np.array(theirs)) for _, ours, theirs in CASES]
    answers = [function(ours.copy(), theirs.copy()) for ours, theirs in given]
    if any(answer is None for answer in answers):
        return "Your function returns nothing: does it end with a return?"
    answers, right = [bool(answer) for answer in answers], [is_ahead(*each) for each in given]
    if answers == right:
        return ""
    for way, remark in WAYS:
        if answers == [way(*each) for each in given]:
            return remark
    at = next(number for number, pair in enumerate(zip(answers, right)) if pair[0] != pair[1])
    name, ours, theirs = CASES[at]
    return f"{name}: ours {ours}, theirs {theirs}: yours says {answers[at]}."


ahead = Exercise(
    "4.4", "Who is ahead?",
    "Write the rule that all verdicts of this chapter go by: `is_ahead(ours, theirs)`, two arrays (n) of percent right, the same "
    "n seeds in the same order. True if the 95 % interval of the mean difference lies above zero *and* the mean difference is at "
    "least 2 points. The interval is mean ± t s / √n with s the standard deviation of the n differences (`ddof=1`). `T_95[n - 2]` "
    "is t for n seeds: `from numpymem.experiments.claims.intervals import T_95`.",
    ("One number for each seed first. What is it?",
     "d = ours - theirs, then everything is about d: d.mean(), d.std(ddof=1) / sqrt(n).",
     "d.mean() - T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d)) > 0 and d.mean() >= 2"),
    judge_ahead, "The article gives no seeds and no spread: nobody can apply this rule to its figures.")

ALL = (guess, questions, latest, ahead)
