"""The exercises of chapter 05 from 5.6 on: roads that part and meet, and bugs to find. The first half is in chapter05.py."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, one_of, right_backward
from gradcheck.exercises.chapter05 import rng, weighting
from numpymem.memn2n.equations import next_state, respond
from numpymem.ntm.equations import add, erase, read
from numpymem.ops.cosine import squares
from numpymem.ops.outer import outer_sum
from numpymem.ops.softmax import softmax


# ---- 5.6 where roads part ----------------------------------------------------------------------------------------------------

def read_and_write(M_prev, w, v, e, a):
    """Read with w, then write with v, as one step of the NTM does.  M_prev (B, N, W); w, v (B, 1, N); e, a (B, 1, W)"""
    r = read.original(w, M_prev)
    M = add.original(erase.original(M_prev, v, e), v, a)
    return r, M


def step_backward(dr, dM, M_prev, w, v, e, a):
    """All roads: what the exercise asks for."""
    dM_erased, dv_add, da = add.original_backward(dM, v, a)
    dM_erase, dv_erase, de = erase.original_backward(dM_erased, M_prev, v, e)
    dw, dM_read = read.original_backward(dr, w, M_prev)
    return dM_read + dM_erase, dw, dv_add + dv_erase, de, da


def without_read(dr, dM, M_prev, w, v, e, a):
    dM_prev, *others = step_backward(dr, dM, M_prev, w, v, e, a)
    return dM_prev - read.original_backward(dr, w, M_prev)[1], *others


def without_erase_road(dr, dM, M_prev, w, v, e, a):
    dM_prev, dw, _, de, da = step_backward(dr, dM, M_prev, w, v, e, a)
    return dM_prev, dw, add.original_backward(dM, v, a)[1], de, da


def as_if_nothing_was_erased(dr, dM, M_prev, w, v, e, a):
    _, *others = step_backward(dr, dM, M_prev, w, v, e, a)
    return dM + read.original_backward(dr, w, M_prev)[1], *others


roads = Exercise(
    "5.6", "Where roads part, gradients meet",
    "Write `read_and_write_backward(dr, dM, M_prev, w, v, e, a)` for `read_and_write` (shown above): r = read(w, M_prev), then "
    "M = add(erase(M_prev, v, e), v, a). It returns `dM_prev, dw, dv, de, da`. Use the library's `read_backward`, `erase_backward` "
    "and `add_backward`.",
    ("Draw it: M_prev goes into read and into erase; v goes into erase and into add.",
     "Backwards through add first, then erase, then read. What has two roads is the sum of two gradients: dM_prev and dv.",
     "dM_prev = dM_from_read + dM_from_erase, and dv = dv_from_add + dv_from_erase"),
    right_backward(read_and_write, {"M_prev": rng.standard_normal((2, 5, 4)), "w": weighting(2, 1, 5), "v": weighting(2, 1, 5),
                                    "e": rng.uniform(0.1, 0.9, (2, 1, 4)), "a": rng.standard_normal((2, 1, 4))}, ("r", "M"), [
        Mistake(without_read, "The memory was also read: what r pays for it, dM_from_read, is missing in dM_prev."),
        Mistake(without_erase_road, "v was used twice, to add and to erase. You went back by one of the two roads."),
        Mistake(as_if_nothing_was_erased, "What was erased cannot be felt any more: dM goes through erase_backward before it is "
                                          "dM_prev.")]),
    "memory_step_backward has the same sums, and one road more: the content addressing.")


# ---- 5.7 a hop ---------------------------------------------------------------------------------------------------------------

def one_hop(u, m, c):
    """p = softmax(u m), o = p c, u_next = u + o.  u (B, D); m, c (B, I, D)"""
    p = softmax.original(np.einsum("bd,bid->bi", u, m))
    return next_state.original(u, respond.original(p, c))


def hop_backward(du_next, u, m, c):
    p = softmax.original(np.einsum("bd,bid->bi", u, m))
    dp, dc = respond.original_backward(du_next, p, c)
    dscores = softmax.original_backward(dp, p)
    return du_next + np.einsum("bi,bid->bd", dscores, m), dscores[:, :, None] * u[:, None], dc


def hop_without_residual(du_next, u, m, c):
    du, dm, dc = hop_backward(du_next, u, m, c)
    return du - du_next, dm, dc


def hop_past_only(du_next, u, m, c):
    _, dm, dc = hop_backward(du_next, u, m, c)
    return du_next.copy(), dm, dc


def hop_without_softmax(du_next, u, m, c):
    p = softmax.original(np.einsum("bd,bid->bi", u, m))
    dp, dc = respond.original_backward(du_next, p, c)
    return du_next + np.einsum("bi,bid->bd", dp, m), dp[:, :, None] * u[:, None], dc


hop = Exercise(
    "5.7", "One hop, backwards",
    "Write `one_hop_backward(du_next, u, m, c)` for `one_hop` (shown above). `u` is (B, D), `m` and `c` are (B, I, D); it "
    "returns `du, dm, dc`.",
    ("u has two roads: past the hop (u_next = u + o) and into it (the scores).",
     "do = du_next; dp = c do; dscores = softmax_backward(dp, p); then dm and the second half of du from scores = m u.",
     "du = du_next + np.einsum(\"bi,bid->bd\", dscores, m)"),
    right_backward(one_hop, {"u": rng.standard_normal((2, 4)), "m": rng.standard_normal((2, 3, 4)),
                             "c": rng.standard_normal((2, 3, 4))}, "u_next", [
        Mistake(hop_without_residual, "u_next = u + o: du_next reaches u directly, too. Without this road deep stacks of hops "
                                      "hardly learn."),
        Mistake(hop_past_only, "You took the road past the hop and forgot the one into it: u also decides where to look."),
        Mistake(hop_without_softmax, "Between dp and the scores there is a softmax: dscores = softmax_backward(dp, p).")]),
    "m learns where to look, c what to find: two gradients, which is why there are two embeddings.")


# ---- 5.8 find the line -------------------------------------------------------------------------------------------------------

def broken_cosine_backward(dK, K, k, M):
    k_k, M_M = squares(k)[:, :, None], squares(M)[:, None]           # (B, H, 1), (B, 1, N)
    # K = dots / sqrt(k_k M_M)
    ddots = dK / np.sqrt(k_k * M_M)                                  # (B, H, N)
    dk_k = -(dK * K).sum(2, keepdims=True) / (2 * k_k)               # (B, H, 1)
    dM_M = -(dK * K).mean(1, keepdims=True) / (2 * M_M)              # (B, 1, N)
    # dots = k M^T,  k_k = k.k + EPS,  M_M = M.M + EPS
    dk = ddots @ M + k * (2 * dk_k)                                  # (B, H, W)
    dM = outer_sum(ddots, k) + M * (2 * dM_M).swapaxes(1, 2)         # (B, N, W)
    return dk, dM


planted = Exercise(
    "5.8", "Find the line",
    "`broken_cosine_backward` (shown above) has one wrong line. With one head it passes every check; with two it does not. Which "
    "line is it? Answer with the name on its left: \"ddots\", \"dk_k\", \"dM_M\", \"dk\" or \"dM\".",
    ("The report says which gradient is wrong, so the lines that lead only to the other one are right.",
     "What is different with one head? Then a sum over heads and something else are the same.",
     "A slot's length M_M is used by every head: spread over H forwards, so over H there must be a *sum* backwards."),
    one_of("dM_M", {"dM": "dM is where it comes out, but the line itself is right. Go one line further up: what goes into it?",
                    "ddots": "Were ddots wrong, dk would be wrong as well, and the report says that dk is right.",
                    "dk_k": "dk_k leads to dk alone, which is right. (It sums over the slots, as it should.)",
                    "dk": "The report says that dk is right."},
           "Answer with the name on the left of the wrong line, for instance \"dk\"."),
    "A mean over heads is a sum over one head: a check with H = 1 proves nothing about it.")


# ---- 5.9 a hunt --------------------------------------------------------------------------------------------------------------

def judge_hunt(hunt, where):
    """The hunt that is on, and the id or name that the reader suspects."""
    if str(where).lower() == hunt.answer.lower():
        return ""
    return (f"{where} is as it should be. The first line of print(hunt.report()) begins with the id of the equation, or of the "
            "model, in which a gradient goes wrong for the first time.")


hunted = Exercise(
    "5.9", "A hunt",
    "`hunt = gradcheck.bug_hunt(seed=...)` has just broken one line somewhere in numpymem. Find out in which equation (or model): "
    "`hunted.grade(hunt, \"NTM-7\")`. Every seed is another hunt.",
    ("print(hunt.report()): the first line says where to look.",
     "Reports of pairs begin with the id of the pair; of wiring with that of the step or model, and name the last right gradient.",
     "The answer is the very first word of the report."),
    judge_hunt, "hunt.reveal() shows the line as it was and as it is, and repairs it.")


# ---- 5.10 from symptom to equation -------------------------------------------------------------------------------------------

symptoms = Exercise(
    "5.10", "From symptom to equation",
    "Three patients. For each: which id would you look at first?\n\n"
    "1. gradcheck: `dgamma` is exactly twice the true one at all entries, everything else is right.\n"
    "2. Every single pair is right. NTM-step is wrong: right up to `dM` out of NTM-2 (read), NTM-3 (erase) and "
    "NTM-6 (cosine), wrong in `dM_prev`.\n"
    "3. All gradients are right, and yet after every step the read weights sum to a little less than one *before* they are "
    "sharpened. It began when a head first reached the last slot.\n\n"
    "Answer with three ids: `symptoms.grade(\"...\", \"...\", \"...\")`.",
    ("1: which equation has gamma? 2: where is a sum of three gradients written? 3: a forward; which one moves weights?",
     "1: (9). 2: a pair made of pairs. 3: (8) is circular: slot N - 1 and slot 0 are neighbours.",
     "NTM-9, NTM-step, NTM-8"),
    all_of(one_of("NTM-9", {"NTM-step": "If only dgamma is wrong, the wiring is right: look at the pair that has gamma.",
                            "NTM-parameters": "There gamma is an output. The report speaks of dgamma as a result of a backward: "
                                              "that is the pair that takes gamma."},
                  "Which equation takes gamma as an argument?"),
           one_of(("NTM-step",), {"NTM-2": "NTM-2 is right, says the report. Where do its dM and the others come together?",
                                  "NTM-3": "NTM-3 is right, says the report. Where do its dM_prev and the others come together?",
                                  "NTM-6": "NTM-6 is right, says the report. Where do its dM and the others come together?",
                                  "NTM-sequence": "One step alone is already wrong."},
                  "All pairs are right: it must be where they are wired."),
           one_of("NTM-8", {"NTM-9": "Sharpening divides by the sum and so hides the loss. It came before.",
                            "NTM-7": "The gate mixes slot by slot: it cannot know which slot is the last.",
                            "NTM-5": "A softmax sums to one whatever happens."},
                  "Which equation knows that slots have neighbours?")),
    "A wrong forward passes every gradient check: only a test of meaning finds the third.")

ALL = (roads, hop, planted, hunted, symptoms)
