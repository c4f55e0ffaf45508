"""The exercises of chapter 08, the conclusion: an interval, a verdict, and the joins of the hybrid, forwards and backwards."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, one_of, right_backward, same_forward
from gradcheck.exercises.chapter05_bugs import judge_hunt
from numpymem.experiments.claims.intervals import T_95
from numpymem.experiments.claims.intervals import interval as library_interval
from numpymem.hybrid.equations import look_back
from numpymem.ops.activations import sigmoid

rng = np.random.default_rng(8)


# ---- 8.1 an interval --------------------------------------------------------------------------------------------------------

def paired_interval(ours, theirs):
    """Mean of ours - theirs, seed by seed, and the ends of its 95 % interval."""
    found = library_interval(ours - theirs)
    return np.array([found.mean, found.low, found.high])


def around(mean, half):
    return np.array([mean, mean - half, mean + half])


def unpaired(ours, theirs):
    n = len(ours)
    return around(ours.mean() - theirs.mean(), T_95[n - 2] * np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / n))


def with_n(ours, theirs):
    n, d = len(ours), ours - theirs
    return around(d.mean(), T_95[n - 2] * d.std() / np.sqrt(n))


def of_the_normal(ours, theirs):
    d = ours - theirs
    return around(d.mean(), 1.96 * d.std(ddof=1) / np.sqrt(len(d)))


def of_one_seed(ours, theirs):
    d = ours - theirs
    return around(d.mean(), T_95[len(d) - 2] * d.std(ddof=1))


def turned_round(ours, theirs):
    return paired_interval(theirs, ours)


def one_off(ours, theirs):
    d = ours - theirs
    return around(d.mean(), T_95[len(d) - 1] * d.std(ddof=1) / np.sqrt(len(d)))


def some_seeds(n, lead):
    """Two models on the same n seeds: seeds differ much, the models' difference little."""
    luck = 5 * rng.standard_normal(n)
    return 70 + luck + lead + rng.standard_normal(n), 70 + luck + rng.standard_normal(n)


interval = Exercise(
    "8.1", "An interval, seed by seed",
    "Write `interval(ours, theirs)`: two arrays (n,), percent right of two models on the *same* n seeds, in the same order. Return "
    "three numbers: the mean difference ours - theirs, and the two ends of its 95 % interval. `T_95[k - 1]` is Student's t for k "
    "degrees of freedom; n differences have n - 1.",
    ("What is random is the difference on one seed. Make an array of those first; all else is about that array.",
     "Half the width is t s / sqrt(n): s with ddof=1, since the mean was taken from the same numbers.",
     "d = ours - theirs; half = T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d))"),
    same_forward(paired_interval, [some_seeds(5, 2.0), some_seeds(3, -1.0)], [
        Mistake(unpaired, "You added the spreads of both models. A seed that is hard for one is hard for the other: take the "
                          "difference seed by seed first, and most of that spread is gone."),
        Mistake(with_n, "np.std divides by n. Of few seeds that is too small a spread: ddof=1."),
        Mistake(of_the_normal, "1.96 is for very many seeds. With five it is 2.78, with three 4.30: Student's t."),
        Mistake(of_one_seed, "That is how far one seed may be off. The mean of n is surer: divide by sqrt(n)."),
        Mistake(turned_round, "The sign is the other way round: ours - theirs."),
        Mistake(one_off, "n differences have n - 1 degrees of freedom, and the table begins with 1: T_95[n - 2].")]),
    "An interval that contains zero does not say that there is no difference, only that these seeds do not show one.")


# ---- 8.2 a verdict ----------------------------------------------------------------------------------------------------------

verdict = Exercise(
    "8.2", "The word for it",
    "The rule of C13: *agrees* if the hybrid is ahead of both parents on at least one row (95 % interval above zero), and on no "
    "row its mean is more than 2 points behind the better parent; *depends* if it is ahead of both somewhere, but worse "
    "elsewhere; *differs* if it is ahead of both nowhere. Here are three hybrids: their difference to the better parent, row by "
    "row.\n\n1. +5.8 [+4.9, +6.8]; -0.2 [-0.7, +0.3]; +0.1 [-0.1, +0.3]; -1.4 [-3.3, +0.5]\n"
    "2. +6.4 [-0.2, +13.0]; +0.3 [-0.4, +1.0]; -0.5 [-1.2, +0.2]; -0.1 [-0.6, +0.4]\n"
    "3. +9.0 [+8.1, +9.9]; +4.2 [+3.9, +4.5]; +2.2 [+1.0, +3.4]; -2.6 [-6.4, +1.2]\n\n"
    "`verdict.grade(\"...\", \"...\", \"...\")`",
    ("Two questions for each: is an interval wholly above zero? Is a mean below -2?",
     "1: yes and no. 2: the first interval begins below zero. 3: yes, and yes.",
     "agrees, differs, depends"),
    all_of(one_of("agrees", {"depends": "-1.4 is not more than 2 points behind, and the first row is surely ahead.",
                             "differs": "On the first row the whole interval is above zero."}, "Answer agrees, differs or "
                                                                                               "depends."),
           one_of("differs", {"agrees": "+6.4 looks like much, but its interval begins below zero: these seeds do not show it.",
                              "depends": "For that it would have to be ahead somewhere for sure. No interval is above zero."},
                  "Answer agrees, differs or depends."),
           one_of("depends", {"agrees": "On the last row the mean is 2.6 points behind. The rule takes the mean there, whether it "
                                        "is sure or not: it must not be easy to agree.",
                              "differs": "It is ahead of both on three rows."}, "Answer agrees, differs or depends.")),
    "The rule was written down before the figures. That is what makes a word of it worth something.")


# ---- 8.3 looking back, backwards --------------------------------------------------------------------------------------------

def overwritten(dx, z, when):
    dz = np.zeros_like(z)
    dz[when, np.arange(len(when))[:, None]] = dx
    return dz


def everywhere(dx, z, when):
    return np.broadcast_to(dx.sum(1), z.shape).copy()


looked_back = Exercise(
    "8.3", "Looked back to twice",
    "`look_back` (shown above) takes, for each story, what the working memory put out at K steps. Write `look_back_backward(dx, z, "
    "when)`: `dx` is (B, K, D), `z` (T, B, D), `when` (B, K) whole numbers below T. A step may be looked back to several times. It "
    "returns `dz`, (T, B, D).",
    ("Forwards a row was handed out several times. So backwards ... ?",
     "dz[when, stories] += dx looks right and is not: where an index comes twice, NumPy adds only once. np.add.at adds every time.",
     "dz = np.zeros_like(z); np.add.at(dz, (when, np.arange(len(when))[:, None]), dx)"),
    right_backward(look_back.original, {"z": rng.standard_normal((5, 2, 3)), "when": np.array([[0, 3, 3, 3], [4, 1, 4, 0]])}, "x", [
        Mistake(overwritten, "A step that was looked back to three times has three gradients. You kept one of them: with fancy "
                             "indices neither = nor += adds up what has the same index. np.add.at does."),
        Mistake(everywhere, "Only the steps that were looked back to get a gradient.")]),
    "Word tables have the same backward: a word that comes twice learns twice.")


# ---- 8.4 a pair of one's own ------------------------------------------------------------------------------------------------

def say_gated(x, z, h):
    """y = x + sigma(h) z: what the fact memory says, and of what the working memory says as much as a gate lets through."""
    return x + sigmoid(h) * z


def gate_both(x, z, h):
    return sigmoid(h) * (x + z)


def gate_other(x, z, h):
    return sigmoid(h) * x + (1 - sigmoid(h)) * z


def gate_open(x, z, h):
    return x + h * z


def say_gated_backward(dy, x, z, h):
    g = sigmoid(h)
    return dy.copy(), g * dy, (dy * z).sum(-1, keepdims=True) * g * (1 - g)


def no_slope(dy, x, z, h):
    dx, dz, dh = say_gated_backward(dy, x, z, h)
    return dx, dz, (dy * z).sum(-1, keepdims=True)


def forgot_gate(dy, x, z, h):
    dx, dz, dh = say_gated_backward(dy, x, z, h)
    return dx, dy.copy(), dh


SAID = {"x": rng.standard_normal((2, 3)), "z": rng.standard_normal((2, 3)), "h": rng.standard_normal((2, 1))}

own = Exercise(
    "8.4", "A pair of your own",
    "Join the two memories in another way: y = x + sigma(h) z, where `h` is one number for each question, so that the fact memory "
    "can close the door to the working memory. Write both halves, `say_gated(x, z, h)` and `say_gated_backward(dy, x, z, h)`, "
    "which returns `dx, dz, dh`. `x`, `z` are (B, D), `h` is (B, 1); `sigmoid` is there.",
    ("One line forwards. Backwards x has one road, z one, through the gate, and h one, through the sigmoid.",
     "The derivative of the sigmoid is g (1 - g). One h meets D numbers: spread forwards, sum backwards.",
     "g = sigmoid(h); return dy.copy(), g * dy, (dy * z).sum(-1, keepdims=True) * g * (1 - g)"),
    all_of(same_forward(say_gated, [tuple(SAID.values())], [
               Mistake(gate_both, "The gate stands before z alone: x is always heard."),
               Mistake(gate_other, "That is a choice between the two. Here x is always heard, and z as much as the gate lets "
                                   "through."),
               Mistake(gate_open, "h is any number. The gate is sigma(h), between 0 and 1.")]),
           right_backward(say_gated, SAID, "y", [
               Mistake(no_slope, "Between g and h there is a sigmoid: its derivative, g (1 - g), is missing in dh."),
               Mistake(forgot_gate, "z went through the gate, so its gradient does, too: g dy.")])),
    "Registered with @equation, it would be checked with all others from now on.")


# ---- 8.5 a hunt -------------------------------------------------------------------------------------------------------------

hunted = Exercise(
    "8.5", "A hunt among the descendants",
    "`hunt = gradcheck.bug_hunt(seed=..., among=(\"DNC\", \"Hybrid\"))` breaks one line of the DNC or of the hybrid. Find out in "
    "which equation: `hunted.grade(hunt, \"DNC-usage\")`.",
    ("print(hunt.report()): which gradient of which equation is wrong?",
     "Look at the hint in the report, then at the backward: show(\"DNC-link\"). Can you see the line?",
     "The answer is the very first word of the report."),
    judge_hunt, "hunt.reveal() shows the line as it was and as it is, and repairs it.")

ALL = (interval, verdict, looked_back, own, hunted)
