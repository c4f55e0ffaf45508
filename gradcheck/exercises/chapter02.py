"""The exercises of chapter 02: a head by hand, the gate that the article leaves out, writing, and a hop."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, same_forward, same_numbers
from numpymem.ntm.equations import add, erase, interpolate, shift
from numpymem.ops.softmax import softmax

HINTS = (
    "The chain: a softmax of beta K; the gate mixes; every weight moves on by one slot; squares, divided by their sum.",
    "exp(ln 2) = 2 and exp(0) = 1, so w_c is (2, 1, 1) divided by their sum. w_g is half of it plus half of w_prev.",
    "w_c = (1/2, 1/4, 1/4), w_g = (1/4, 1/8, 5/8). Now move: the last slot's weight goes to slot 0. Then square and normalise.")

by_hand = Exercise(
    "2.1", "a head, by hand",
    "Three slots. The similarities of key and slots are `K = (1, 0, 0)`, and `beta = ln 2`. The head was at the last slot: "
    "`w_prev = (0, 0, 1)`. Gate `g = 1/2`; shift `s = (0, 0, 1)`, everything moves on by one slot; `gamma = 2`. Work out `w_c`, "
    "`w_g`, `w_s` and `w` on paper (fractions will do) and grade all four.",
    HINTS,
    all_of(same_numbers([1 / 2, 1 / 4, 1 / 4], (
               Mistake([2, 1, 1], "These are the exponentials. Divide them by their sum."),
               Mistake([np.e / (np.e + 2), 1 / (np.e + 2), 1 / (np.e + 2)], "That is the softmax of K. Multiply by beta first."))),
           same_numbers([1 / 4, 1 / 8, 5 / 8], (
               Mistake([1 / 2, 1 / 4, 1 / 4], "That is w_c again: the gate is one half, not one."),
               Mistake([3 / 4, 5 / 8, 5 / 8], "That is w_c and half of w_prev. The gate takes part of both."))),
           same_numbers([5 / 8, 1 / 4, 1 / 8], (
               Mistake([1 / 8, 5 / 8, 1 / 4], "You moved the weights back. s(+1) = 1 takes what was at slot j to slot j + 1."),
               Mistake([0, 1 / 4, 1 / 8], "The slots are a ring: what leaves at the end comes in at the start."))),
           same_numbers([5 / 6, 2 / 15, 1 / 30], (
               Mistake([25 / 64, 4 / 64, 1 / 64], "These are the squares. Divide them by their sum."),
               Mistake([5 / 8, 1 / 4, 1 / 8], "That is w_s. gamma = 2: square every weight, then divide by their sum.")))),
    "A weight that was at the last slot is now at the first, and narrower.")


# ---- the gate ---------------------------------------------------------------------------------------------------------

def some_weights(seed, B=2, H=2, N=5):
    """(w_c, w_prev, g, s) at random."""
    rng = np.random.default_rng(seed)
    return (rng.dirichlet(np.ones(N), (B, H)), rng.dirichlet(np.ones(N), (B, H)), rng.random((B, H, 1)),
            rng.dirichlet(np.ones(3), (B, H)))


def gate_then_shift(w_c, w_prev, g, s):
    return shift(interpolate(w_c, w_prev, g), s)


gate = Exercise(
    "2.2", "put the gate back",
    "The article shifts the weights of the step before. Write `shifted(w_c, w_prev, g, s)` as the paper has it: equations (7), "
    "then (8). `shift(w_g, s)` is there for you. Shapes: `w_c` and `w_prev` (B, H, N), `g` (B, H, 1), `s` (B, H, 3).",
    ("Where should the head be *before* it moves on? Two candidates, and g chooses.",
     "Equation (7): a mixture of w_c with weight g and w_prev with weight 1 - g. Shift that, not w_prev.",
     "w_g = g * w_c + (1 - g) * w_prev, and then return shift(w_g, s)."),
    all_of(same_forward(gate_then_shift, [some_weights(0), some_weights(1)], (
        Mistake(lambda w_c, w_prev, g, s: shift(w_prev, s),
                "That is the article's formula: the content weights w_c are never used. Which input do you not need at all?"),
        Mistake(lambda w_c, w_prev, g, s: shift(interpolate(w_prev, w_c, g), s),
                "The gate is the wrong way round: g = 1 means by content."),
        Mistake(lambda w_c, w_prev, g, s: interpolate(w_c, shift(w_prev, s), g),
                "You shift w_prev and mix afterwards. In the paper the mixture is shifted, so that a head may also step on from "
                "where it found something."),
        Mistake(lambda w_c, w_prev, g, s: interpolate(w_c, w_prev, g), "The gate is right. The shift is still missing.")))),
    "Now a head can find a place by content and take the one after it.")


# ---- writing ----------------------------------------------------------------------------------------------------------

def some_memory(seed, B=2, H=1, N=4, W=3):
    """(M, w, e, a) at random."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((B, N, W)), rng.dirichlet(np.ones(N), (B, H)), rng.random((B, H, W)),
            rng.standard_normal((B, H, W)))


def erase_then_add(M, w, e, a):
    return add(erase(M, w, e), w, a)


def add_then_erase(M, w, e, a):
    return erase(add(M, w, a), w, e)


def erase_all(M, w, e, a):
    return M * (1 - w.sum(1)[:, :, None]) + w.swapaxes(1, 2) @ a


write = Exercise(
    "2.3", "write into a memory",
    "Write `write(M, w, e, a)` with one write head: erase, then add. Shapes: `M` is (B, N, W), `w` is (B, 1, N), `e` and `a` are "
    "(B, 1, W). Return a new memory and leave `M` as it is.",
    ("How much of M[b, i, j] should stay? Two numbers decide: how much the head is at slot i, and how much it erases in column j.",
     "An outer product of slots and columns: w as a column (B, N, 1) times e as a row (B, 1, W) is (B, N, W).",
     "column = w.swapaxes(1, 2), and then M * (1 - column * e) + column * a."),
    all_of(same_forward(erase_then_add, [some_memory(0), some_memory(1, B=1, N=3, W=3)], (
        Mistake(add_then_erase, "You add first, and then erase part of what you have just added. The paper erases first."),
        Mistake(erase_all, "The erase vector is not used: every column of the slot fades alike."),
        Mistake(lambda M, w, e, a: M + w.swapaxes(1, 2) @ a, "What was there before is still there: the erasing is missing."),
        Mistake(lambda M, w, e, a: erase(M, w, e), "Erased, yes. Now add.")))),
    "The article multiplies write weights and erase vector elementwise: with more slots than columns that cannot even be done.")


# ---- a hop ------------------------------------------------------------------------------------------------------------

def some_story(seed, B=3, sentences=4, D=3):
    """(u, m, c) at random."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((B, D)), rng.standard_normal((B, sentences, D)), rng.standard_normal((B, sentences, D))


def one_hop(u, m, c):
    return u + (softmax((m @ u[:, :, None])[:, :, 0])[:, None] @ c)[:, 0]


def values_are_keys(u, m, c):
    return one_hop(u, m, m)


def forgets_question(u, m, c):
    return one_hop(u, m, c) - u


def over_the_batch(u, m, c):
    p = softmax((m @ u[:, :, None])[:, :, 0].T).T
    return u + (p[:, None] @ c)[:, 0]


def no_softmax(u, m, c):
    return u + ((m @ u[:, :, None])[:, :, 0][:, None] @ c)[:, 0]


hop = Exercise(
    "2.4", "one hop",
    "Write `hop(u, m, c)`, equations (1), (2) and (4) of the MemN2N paper, and return the state of the next hop. Shapes: `u` "
    "(B, D), `m` and `c` (B, I, D). `softmax(z)` works along the last axis.",
    ("Three lines: how alike are u and each m_i; how much of each sentence; what comes out, added to u.",
     "scores = m @ u, batched: u needs a last axis for that, u[:, :, None]. The weights are used on c, not on m.",
     "p = softmax((m @ u[:, :, None])[:, :, 0]), then o = (p[:, None] @ c)[:, 0], then u + o."),
    all_of(same_forward(one_hop, [some_story(0), some_story(1, B=4, sentences=4)], (
        Mistake(values_are_keys, "You read out m where c is meant. m is for finding a sentence, c for reading it."),
        Mistake(forgets_question, "That is o. The next state is u + o: the question must not be forgotten."),
        Mistake(over_the_batch, "Your softmax runs over the batch. The weights of one story's sentences must sum to one."),
        Mistake(no_softmax, "The scores are used as weights. A softmax over the sentences is missing.")))),
    "Several hops are this function, again and again.")
