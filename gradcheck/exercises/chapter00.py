"""The exercises of chapter 00: find an equation, and repair a backward pass after a change."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, all_of, one_of, right_backward
from numpymem.ops.softmax import softmax, softmax_backward

rng = np.random.default_rng(0)
W_S = rng.dirichlet(np.ones(4), (2, 3))                          # (B, H, N) weightings
GAMMA = 1 + rng.random((2, 3, 1))                                # (B, H, 1)


def plain_softmax(w_s, gamma):
    """The changed sharpening of exercise 0.2: the logarithm is gone."""
    return softmax(gamma * w_s)


def old_backward(dw, w, w_s, gamma):
    """The backward as it was, with the logarithm."""
    dlogits = softmax_backward(dw, w)
    return gamma * dlogits / w_s, (dlogits * np.log(w_s)).sum(-1, keepdims=True)


def without_softmax(dw, w, w_s, gamma):
    return gamma * dw, (dw * w_s).sum(-1, keepdims=True)


def without_gamma(dw, w, w_s, gamma):
    dlogits = softmax_backward(dw, w)
    return dlogits, (dlogits * w_s).sum(-1, keepdims=True)


find_it = Exercise(
    "0.1", "find the equation",
    "A head stands at slot 7 and should stand at slot 8 in the next step, whatever is stored there. Which equation does that? "
    "Answer with its id, as a text.",
    ("Ids are in the first column of the table above. Which of the formulas mentions two slots, i and j, at once?",
     "It is not a matter of content (5 and 6). It rotates a weighting by a few slots.",
     "A circular convolution: the formula with s_t(i - j mod N)."),
    all_of(one_of("NTM-8", {
        "NTM-5": "That one looks for slots that resemble a key. It knows nothing of neighbours.",
        "NTM-6": "That one compares a key with every slot, wherever it is.",
        "NTM-7": "That one decides whether to stay where the head was. It does not move on.",
        "NTM-9": "That one makes a weighting narrower where it is; it does not move it."},
        "Look at the table again: the equations of addressing are NTM-5 to NTM-9.")),
    "Try show('NTM-8'): s = (0, 0, 1) moves everything on by one slot.")

repair = Exercise(
    "0.2", "repair a backward pass",
    "Somebody finds the logarithm in (9) ugly and writes `w = softmax(gamma * w_s)`. Write its backward: from `dw`, the gradient "
    "of `w`, to `dw_s` and `dgamma`, in this order. `softmax_backward(dp, p)` is there for you. Shapes: `dw`, `w`, `w_s` are "
    "(B, H, N), `gamma` is (B, H, 1), and so must `dgamma` be.",
    ("Undo the last line first. What is the gradient of what stands inside the softmax?",
     "logits = gamma * w_s is a product: each factor's gradient is the other factor times dlogits.",
     "dlogits = softmax_backward(dw, w); dw_s = gamma * dlogits; dgamma sums w_s * dlogits over the slots, keepdims=True."),
    all_of(right_backward(plain_softmax, {"w_s": W_S, "gamma": GAMMA}, "w", (
        Mistake(old_backward, "That is the backward of the old forward, with its logarithm. gradcheck differentiates today's:"),
        Mistake(without_softmax, "dw is the gradient of what comes out of the softmax. First find the gradient of what goes in:"),
        Mistake(without_gamma, "The softmax is undone; now the product gamma * w_s. Which factor does dw_s still need?")))),
    "Whether the new equation is of any use is another question; see below.")
