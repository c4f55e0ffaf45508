"""The exercises of chapter 01: count what a controller has to say, and read a trace."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, same_forward, same_numbers

count_them = Exercise(
    "1.1", "what does the controller have to say?",
    "An NTM has two read heads and one write head, slots of width 10 and three possible shifts (back, stay, on). How many numbers "
    "does its controller hand to the heads in every time step?",
    ("Each of the three heads needs k, beta, g, s and gamma. Which of them are single numbers?",
     "A key is as wide as a slot, and s has three numbers. The write head needs two vectors more.",
     "Each of three heads 10 + 1 + 1 + 3 + 1, and for writing 10 + 10."),
    all_of(same_numbers(68, (
        Mistake(48, "That is what the heads need to find their place. The write heads also erase and add."),
        Mistake(108, "Only write heads erase and add; a read head has no use for e and a."),
        Mistake(36, "That is the write head alone. The read heads have to find their places, too."),
        Mistake(62, "The shift is a weighting over three offsets, so three numbers for each head.")),
        tolerance=1e-9, otherwise="Count again, head by head: k, beta, g, s, gamma; and what else does writing need?")),
    "A MemN2N has nothing of the kind: that is what the article means by the parameters of the heads (its third section).")


def weights_of_heads(seed, T=9, N=6):
    """w (T, B, H, N) of a read and a write head that go different ways."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(N, 0.3), (T, 1, 2))


def written_slots(w):
    return w[:, 0, 1].argmax(-1)


find_slots = Exercise(
    "1.2", "read a trace",
    "`w` holds the weights of a read head and a write head, in this order: shape (T, B, H, N) with B = 1. Write `slots(w)`: for "
    "each time step the number of the slot that the *write* head looks at most, T whole numbers.",
    ("Which of the four axes is time, and which one do you want to get rid of?",
     "w[:, 0, 1] is the write head's weighting at every step, (T, N). At which slot is it largest?",
     "w[:, 0, 1].argmax(-1)"),
    all_of(same_forward(written_slots, [(weights_of_heads(0),), (weights_of_heads(1),)], (
        Mistake(lambda w: w[:, 0, 0].argmax(-1), "Those are the slots of the read head: read heads come first."),
        Mistake(lambda w: w[:, 0, 1].max(-1), "That is how large the largest weight is, not where it is: argmax."),
        Mistake(lambda w: w[:, 0].argmax(-1), "That is both heads. Pick the second one."),
        Mistake(lambda w: w[:, 0, 1].argmax(0), "You looked along time; look along the slots.")))),
    "Apply it to the trace of the picture: slots(trace['w']).")
