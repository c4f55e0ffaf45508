"""The exercises of chapter 07, evolution and fusion: the DNC's free list and links, an episode, a layer norm, and two memories."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, one_of, right_backward, same_forward, same_numbers
from numpymem.dnc.equations import usage
from numpymem.memory_transformer.transformer import EPS
from numpymem.ops.softmax import softmax

rng = np.random.default_rng(7)


def weighting(*shape):
    """A random weighting: positive, sums to one along the last axis."""
    return softmax(rng.standard_normal(shape))


# ---- 7.1 which slot is free? ------------------------------------------------------------------------------------------------

free_slot = Exercise(
    "7.1", "Which slot is free?",
    "Three slots. Usage was `u_prev = (0.5, 0, 1)`, the last write `w_w = (0.5, 0, 0)`. One read head has just read with `w_r = "
    "(0, 0, 0.8)`, and its free gate is fully open, `f = 1`. Work out the retention `psi` and the new usage `u` on paper. Then, "
    "for usages `u = (0.5, 0.2, 0.4)` (a new memory), the allocation `a`. Grade all three: `free_slot.grade(psi, u, a)`.",
    ("psi says what is still wanted: a slot that was read and may be freed is not. Usage: what was in use, and what was written, "
     "but not counted twice; then times psi. Allocation: sort the slots first.",
     "psi = 1 - f w_r. u = (u_prev + w_w - u_prev w_w) psi. Emptiest first: slot 1 (0.2), slot 2 (0.4), slot 0 (0.5).",
     "a[1] = 1 - 0.2; a[2] = (1 - 0.4) times what slot 1 has in use, 0.2; a[0] = (1 - 0.5) times 0.2 times 0.4."),
    all_of(same_numbers([1, 1, 0.2], (
               Mistake([0, 0, 0.8], "That is what is given up. psi is what is kept: 1 - f w_r."),
               Mistake([1, 1, 0], "The head read slot 2 with 0.8 only, so a fifth of it is kept."))),
           same_numbers([0.75, 0, 0.2], (
               Mistake([1, 0, 0.2], "You added the write to what was in use. What was in use already cannot be filled again: "
                                    "subtract u_prev w_w."),
               Mistake([0.75, 0, 1], "That is the usage before anything is freed. Multiply by psi."),
               Mistake([0.5, 0, 0.2], "Slot 0 was written to, too: half of what was free of it is in use now."))),
           same_numbers([0.04, 0.8, 0.12], (
               Mistake([0.5, 0.8, 0.6], "That is 1 - u: what is free of each slot by itself. The emptiest slot comes first, and "
                                        "the next gets only what that one leaves: multiply by the usages of all emptier slots."),
               Mistake([0.5, 0.4, 0.06], "You went through the slots in the order of their numbers. Emptiest first: 1, 2, 0."),
               Mistake([0.02, 0.16, 0.048], "You multiplied by the slot's own usage, too. The product runs over the emptier slots "
                                            "only.")))),
    "Nobody looked into the memory for that: a free slot is found without a key.")


# ---- 7.2 the sort is a constant ---------------------------------------------------------------------------------------------

sorted_out = Exercise(
    "7.2", "The sort is a constant",
    "Two slots; the loss is the allocation of slot 1, so `da = (0, 1)`. Work out `du`, the gradient with respect to both usages, "
    "at `u = (0.2, 0.6)` and at `u = (0.6, 0.2)`: `sorted_out.grade([.., ..], [.., ..])`.",
    ("Which slot is the emptier one? Write down a[1] as a formula of u[0] and u[1] for that order, and forget that it was sorted.",
     "At (0.2, 0.6) slot 0 comes first, so a[1] = (1 - u[1]) u[0]. At (0.6, 0.2) slot 1 comes first.",
     "First: (1 - 0.6, -0.2). Second: a[1] = 1 - u[1], and u[0] does not occur in it."),
    all_of(same_numbers([0.4, -0.2], (
               Mistake([0, -1], "That would be right if slot 1 came first. Here slot 0 is emptier: slot 1 gets only what that "
                                "leaves."),
               Mistake([0.4, -1], "a[1] = (1 - u[1]) u[0] has two factors: the derivative with respect to u[1] keeps the other, "
                                  "u[0]."),
               Mistake([0.4, 0.2], "More of slot 1 in use, less of it allocated: mind the sign."))),
           same_numbers([0, -1], (
               Mistake([0.8, -0.6], "You used the formula of the other order. Here slot 1 is emptier, and nobody comes before it."),
               Mistake([0, 1], "The fuller the slot, the less it gets: mind the sign.")))),
    "Between the two points the formula changes, and a jumps: at the tie there is no derivative to be right about.")


# ---- 7.3 usage, backwards ---------------------------------------------------------------------------------------------------

def usage_without_overlap(du, u_prev, w_w_prev, psi):
    return du * psi, du * psi, du * (u_prev + w_w_prev - u_prev * w_w_prev)


def usage_without_psi(du, u_prev, w_w_prev, psi):
    return du * (1 - w_w_prev), du * (1 - u_prev), du * (u_prev + w_w_prev - u_prev * w_w_prev)


def usage_crossed(du, u_prev, w_w_prev, psi):
    return du * psi * (1 - u_prev), du * psi * (1 - w_w_prev), du * (u_prev + w_w_prev - u_prev * w_w_prev)


used = Exercise(
    "7.3", "Usage, backwards",
    "Write `usage_backward(du, u_prev, w_w_prev, psi)` for u = (u_prev + w_w_prev - u_prev w_w_prev) psi (DNC-usage). It returns "
    "`du_prev, dw_w_prev, dpsi`; everything is (B, N).",
    ("Two factors: the bracket and psi. Each gets du times the other one.",
     "In the bracket u_prev stands twice, once alone and once in a product.",
     "du_prev = du * psi * (1 - w_w_prev)"),
    right_backward(usage.original, {"u_prev": rng.uniform(0.1, 0.9, (2, 5)), "w_w_prev": weighting(2, 5),
                                    "psi": rng.uniform(0.1, 0.9, (2, 5))}, "u", [
        Mistake(usage_without_overlap, "You left out the product u_prev w_w_prev: what was in use already cannot be filled again, "
                                       "and its gradient says so, too."),
        Mistake(usage_without_psi, "The bracket is multiplied by psi: du has to go through that first."),
        Mistake(usage_crossed, "The factors have changed places: with respect to u_prev the product has the derivative "
                               "w_w_prev.")]),
    "A slot that is full, or freed, passes nothing back: the gradient goes where there was something to decide.")


# ---- 7.4 what was written after what? ---------------------------------------------------------------------------------------

SECOND_LAP = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]

links = Exercise(
    "7.4", "Links by hand",
    "Three slots, all writes whole (one weight is 1, the others are 0), an empty memory. Written are slot 0, then slot 2, then "
    "slot 1, then slot 0 again. Write down the link matrix after the fourth write, as three rows: `L[i][j]` is 1 if slot i was "
    "written right after slot j. Then: a head reads slot 2 and goes *forward*. Which slot does it reach? `links.grade(L, slot)`.",
    ("Go write by write, with the precedence (the slot that was written last) beside it. What happens to the old links of a slot "
     "that is written again?",
     "After three writes: 2 after 0, and 1 after 2. The fourth write removes row 0 and column 0, then puts in: 0 after 1.",
     "Two links are left, L[1][2] and L[0][1]. Forward from slot 2 means: the i with L[i][2] = 1."),
    all_of(same_numbers(SECOND_LAP, (
               Mistake(np.transpose(SECOND_LAP), "Rows and columns have changed places: i is the slot that was written later."),
               Mistake([[0, 1, 0], [0, 0, 1], [1, 0, 0]], "You kept the link of slot 2 with what slot 0 held before. Slot 0 was "
                                                          "written again: its old links lead nowhere and are removed."),
               Mistake([[0, 0, 0], [0, 0, 1], [1, 0, 0]], "That is the matrix after three writes. The fourth is missing."))),
           one_of("1", {"0": "Slot 0 was written after slot 1, not after slot 2.",
                        "2": "It is at slot 2 already: no slot follows itself."}, "Answer with the number of a slot: 0, 1 or 2.")),
    "The order of writing is kept apart from where things were written: slots may be anywhere.")


# ---- 7.5 an episode ---------------------------------------------------------------------------------------------------------

def read_in_order(facts, g):
    """h = 0; for each fact in order h = g f + (1 - g) h.  facts (B, I, D), g (B, I) -> (B, D)"""
    h = np.zeros_like(facts[:, 0])
    for i in range(facts.shape[1]):
        h = g[:, [i]] * facts[:, i] + (1 - g[:, [i]]) * h
    return h


def soft(facts, g):
    return (g[:, None] @ facts)[:, 0]


def backwards(facts, g):
    return read_in_order(facts[:, ::-1], g[:, ::-1])


def gate_turned_round(facts, g):
    return read_in_order(facts, 1 - g)


def forgets(facts, g):
    return g[:, [-1]] * facts[:, -1]


def some_facts(B, count, D):
    return rng.standard_normal((B, count, D)), rng.uniform(0.1, 0.9, (B, count))


episode = Exercise(
    "7.5", "One pass over the facts",
    "The attention GRU, without its reset gate and its weights: write `episode(facts, g)`. Begin with a state of zeros and go "
    "through the facts in order; a fact with gate 1 replaces the state, one with gate 0 leaves it as it is. Return the last state. "
    "`facts` is (B, I, D), `g` is (B, I).",
    ("One line in a loop over the facts: the new state is a mixture of the fact and the old state.",
     "h = g_i f_i + (1 - g_i) h. g[:, [i]] is (B, 1), so it is spread over the D numbers.",
     "h = np.zeros_like(facts[:, 0]); for i in range(facts.shape[1]): h = g[:, [i]] * facts[:, i] + ..."),
    same_forward(read_in_order, [some_facts(2, 4, 3), some_facts(3, 5, 2)], [
        Mistake(soft, "That is MemN2N's weighted sum (in the DMN: soft attention). It does not know in which order the facts came; "
                      "a state that is carried from fact to fact does."),
        Mistake(backwards, "You went from the last fact to the first. The episode follows the story."),
        Mistake(gate_turned_round, "The gate is the wrong way round: g = 1 takes the fact."),
        Mistake(forgets, "That is the last fact alone. What the state was before, (1 - g) h, is missing.")]),
    "Two facts with gate 1: the later one wins. A weighted sum cannot say that.")


# ---- 7.6 layer norm, backwards ----------------------------------------------------------------------------------------------

def normalise(x):
    """y = (x - mean) / sqrt(mean square of that + 1e-5), row by row: the layer norm without gain and bias.  (B, D) -> (B, D)"""
    away = x - x.mean(-1, keepdims=True)
    return away / np.sqrt((away * away).mean(-1, keepdims=True) + EPS)


def spread_of(x):
    away = x - x.mean(-1, keepdims=True)
    return np.sqrt((away * away).mean(-1, keepdims=True) + EPS)


def normalise_backward(dy, y, x):
    daway = (dy - y * (dy * y).mean(-1, keepdims=True)) / spread_of(x)
    return daway - daway.mean(-1, keepdims=True)


def all_constant(dy, y, x):
    return dy / spread_of(x)


def spread_constant(dy, y, x):
    daway = dy / spread_of(x)
    return daway - daway.mean(-1, keepdims=True)


def mean_constant(dy, y, x):
    return (dy - y * (dy * y).mean(-1, keepdims=True)) / spread_of(x)


normed = Exercise(
    "7.6", "Layer norm, backwards",
    "Write `normalise_backward(dy, y, x)` for `normalise` (shown above): the layer norm without gain and bias. `x`, `y` and `dy` "
    "are (B, D); it returns `dx`.",
    ("Three roads lead from x to y: directly, through the spread, and through the mean.",
     "Spread: the part of dy along y changes only the spread, so take it out: dy - y mean(dy y). Then divide by the spread.",
     "daway = (dy - y * (dy * y).mean(-1, keepdims=True)) / spread; dx = daway - daway.mean(-1, keepdims=True)"),
    right_backward(normalise, {"x": rng.standard_normal((3, 5))}, "y", [
        Mistake(all_constant, "You took mean and spread for constants. Both are made of x: every number of a row moves all "
                              "others."),
        Mistake(spread_constant, "Through the mean, yes. The spread is made of x, too: what dy has along y must go."),
        Mistake(mean_constant, "Through the spread, yes. But the mean of the row was taken away as well: so is the mean of its "
                               "gradient.")]),
    "A row that is moved or stretched as a whole leaves y as it is: dx has nothing along either.")


# ---- 7.7 which memory? ------------------------------------------------------------------------------------------------------

which = Exercise(
    "7.7", "What does the memory bring?",
    "Three results of a study with and without a memory. For each: does it show that the memory helps? Answer with `\"yes\"`, "
    "`\"no\"` or `\"unfair\"` (the study cannot tell).\n\n"
    "1. With a memory 41.2, 42.0, 40.9 % right; without 37.1, 37.8, 36.9 %. Same seeds, same data, parameters within 0.5 %.\n"
    "2. With a memory 88.9, 88.6, 88.9 %; without 88.4, 88.9, 88.7 %. Same seeds, same data, parameters within 0.5 %.\n"
    "3. With a memory 41.2, 42.0, 40.9 %; without 28.5, 29.3, 28.2 %. The model with a memory has 45,000 parameters and has seen "
    "96,000 questions, the other 23,000 and 12,000.\n\n"
    "`which.grade(\"...\", \"...\", \"...\")`",
    ("Look at the differences seed by seed. Are they all of one sign, and larger than they differ from each other?",
     "1: +4.1, +4.2, +4.0. 2: +0.5, -0.3, +0.2. In 3 the differences are large and alike: but what else differs?",
     "1 yes, 2 no, and in 3 more parameters and eight times the training could do it without any memory."),
    all_of(one_of("yes", {"no": "All three seeds gain some four points, and hardly differ in how much.",
                          "unfair": "Same seeds, data and size: the memory is all that differs."}, "Answer yes, no or unfair."),
           one_of("no", {"yes": "+0.5, -0.3, +0.2: not even the sign is sure.",
                         "unfair": "The study is fair. What it finds is just nothing larger than chance."},
                  "Answer yes, no or unfair."),
           one_of("unfair", {"yes": "Something helps, by 12.7 points. But is it the memory, or twice the parameters and eight "
                                    "times the training?",
                             "no": "It does not show that it does not, either: more than the memory differs."},
                  "Answer yes, no or unfair.")),
    "A number like the article's +12.7 means nothing until one knows what stood on the other side.")

ALL = (free_slot, sorted_out, used, links, episode, normed, which)
