"""Bugs in how an NTM finds its slots: equations (5) to (9) and the numbers that go into them."""

import numpy as np

from gradcheck.museum.exhibit import Exhibit, show
from numpymem.ntm.equations import shift
from numpymem.ntm.step import head_parameters, split
from numpymem.ops.activations import softplus, softplus_backward
from numpymem.ops.complex_safe import max_for_shift
from numpymem.ops.cosine import cosine_similarity
from numpymem.ops.softmax import softmax, softmax_backward

SHIFT, GATE, ERASE = 3, 2, 5                     # where a part stands in what `split` returns
MODEL = (("ntm", "feedforward, uniform"),)       # the case that the check of a whole model runs
ALL_STEPS = "weightings-are-distributions"


# ---- softmax over the batch ------------------------------------------------------------------------------------------------

def softmax_over_batch(z):
    e = np.exp(z - max_for_shift(z, axis=0))
    return e / e.sum(0, keepdims=True)                               # axis 0 is the batch


def softmax_over_batch_backward(dp, p):
    return p * (dp - (dp * p).sum(0, keepdims=True))


def content_weights_over_batch(K, beta):
    return softmax_over_batch(beta * K)


def content_weights_over_batch_backward(dw_c, w_c, K, beta):
    dscores = softmax_over_batch_backward(dw_c, w_c)
    return beta * dscores, (K * dscores).sum(-1, keepdims=True)


def shift_numbers_over_batch(raw, sizes):
    k, beta, g, s, gamma, e, a = head_parameters.original(raw, sizes)
    s = softmax_over_batch(split(raw, sizes)[SHIFT])
    return k, beta, g, s, gamma, e, a


def shift_numbers_over_batch_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes):
    draw = head_parameters.original_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes)
    split(draw, sizes)[SHIFT][...] = softmax_over_batch_backward(ds, s)
    return draw


# ---- cosine divided by the width -------------------------------------------------------------------------------------------

def cosine_over_width(k, M):
    return cosine_similarity.original(k, M) / k.shape[-1]


def cosine_over_width_backward(dK, K, k, M):
    return cosine_similarity.original_backward(dK / k.shape[-1], K * k.shape[-1], k, M)


# ---- shifts ------------------------------------------------------------------------------------------------------------------

def neighbours(N, S):
    """Slots i - offset and i + offset, modulo N, for every slot i and offset.  Two arrays (N, S)."""
    i, offset = np.arange(N)[:, None], np.arange(S) - S // 2
    return (i - offset) % N, (i + offset) % N


def shift_off_the_edge(w_g, s):
    N, S = w_g.shape[-1], s.shape[-1]
    comes_from, _ = neighbours(N, S)
    inside = (np.arange(N)[:, None] - np.arange(S) + S // 2 == comes_from)   # not round the corner: zeros are padded there
    return (w_g[..., comes_from] * inside * s[..., None, :]).sum(-1)


def shift_off_the_edge_backward(dw_s, w_g, s):
    N, S = w_g.shape[-1], s.shape[-1]
    comes_from, goes_to = neighbours(N, S)
    slot, offset = np.arange(N)[:, None], np.arange(S) - S // 2
    dw_g = (dw_s[..., goes_to] * (slot + offset == goes_to) * s[..., None, :]).sum(-1)
    ds = (dw_s[..., None] * w_g[..., comes_from] * (slot - offset == comes_from)).sum(-2)
    return dw_g, ds


def shift_mirrored(w_g, s):
    return shift.original(w_g, s[..., ::-1])                         # a correlation: w_s(i) = sum_j w_g(i + j) s(j)


def shift_mirrored_backward(dw_s, w_g, s):
    dw_g, ds = shift.original_backward(dw_s, w_g, s[..., ::-1])
    return dw_g, ds[..., ::-1].copy()


# ---- head parameters -----------------------------------------------------------------------------------------------------------

def shift_softplus_first(raw, sizes):
    k, beta, g, s, gamma, e, a = head_parameters.original(raw, sizes)
    s = softmax(softplus(split(raw, sizes)[SHIFT]))
    return k, beta, g, s, gamma, e, a


def shift_softplus_first_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes):
    draw = head_parameters.original_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes)
    split(draw, sizes)[SHIFT][...] = softplus_backward(softmax_backward(ds, s), split(raw, sizes)[SHIFT])
    return draw


def raw_gate_and_erase(raw, sizes):
    k, beta, _, s, gamma, _, a = head_parameters.original(raw, sizes)
    return k, beta, split(raw, sizes)[GATE].copy(), s, gamma, split(raw, sizes)[ERASE].copy(), a


def raw_gate_and_erase_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes):
    draw = head_parameters.original_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes)
    split(draw, sizes)[GATE][...], split(draw, sizes)[ERASE][...] = dg, de
    return draw


# ---- sharpening ----------------------------------------------------------------------------------------------------------------

def no_sharpening(w_s, gamma):
    return w_s.copy()


def no_sharpening_backward(dw, w, w_s, gamma):
    return dw.copy(), np.zeros_like(gamma)


show(
    Exhibit(
        "softmax-over-batch", "The softmax that ran over the batch",
        "loudinthecloud/pytorch-ntm, from commit 5c5ce66 (2018-02-08, an adjustment to PyTorch 0.3) to 64f1d58 (2018-03-17, "
        "'softmax on the wrong dimension') [read in code]",
        "softmax(..., dim=0), for the content weights (NTM-5) and for the shift weights: each slot's weights sum to one over the "
        "sequences of a batch. With that program's default batch of one, every one of these weights is exactly 1.",
        "A softmax over the slots, and over the shifts: the last axis.",
        "Its gradient is right, so the check of gradients has nothing to say. That weights sum to one is the first thing to test.",
        equations=("NTM-5", "NTM-parameters"),
        patches=(("NTM-5", content_weights_over_batch, content_weights_over_batch_backward),
                 ("NTM-parameters", shift_numbers_over_batch, shift_numbers_over_batch_backward)),
        models=MODEL, tasks=("copy", "copy-alone"),
        unmet=("content-is-a-distribution", "beta-sharpens-content", "parameters-in-their-ranges", "shift-numbers-count",
               ALL_STEPS, "sequences-are-treated-alone", "samples-are-treated-alone", "step-reads-before-it-writes",
               "heads-keep-their-own-place", "ablated-heads")),
    Exhibit(
        "cosine-over-width", "The cosine that was divided by the width",
        "ixaxaar/pytorch-dnc, October 2017 to November 2020, fixed by pull request 57, commit a660434 [read in code]; a DNC, "
        "which shares NTM-6",
        "The norms were expanded to the width W and then multiplied as matrices, which adds each product of norms up W times: "
        "u.v / (W |u| |v|).",
        "u.v / (|u| |v|) (NTM-6): between -1 and 1 whatever the width.",
        "The key strength can make up for a constant factor, so the model learns, and nobody looked for three years.",
        equations=("NTM-6",), patches=(("NTM-6", cosine_over_width, cosine_over_width_backward),),
        models=MODEL, tasks=("copy",), unmet=("similarity-of-directions",)),
    Exhibit(
        "flat-shift", "The shift that falls off the edge",
        "snipsco/ntm-lasagne, ntm/heads.py, written up in its issue 27 [read in code]",
        "The weights were padded with zeros before the convolution: what is shifted past the last slot is lost, and nothing comes "
        "in at the first.",
        "A circular convolution (NTM-8): slot N - 1 and slot 0 are neighbours.",
        "Sharpening divides by the sum and so hides the loss. As long as a sequence fits into the slots in front of the head, "
        "nothing shows.",
        equations=("NTM-8",), patches=(("NTM-8", shift_off_the_edge, shift_off_the_edge_backward),),
        models=MODEL, tasks=("copy",), unmet=("shift-rotates", "shift-loses-nothing", ALL_STEPS, "heads-keep-their-own-place")),
    Exhibit(
        "mirrored-shift", "The convolution that was a correlation",
        "loudinthecloud/pytorch-ntm and jingweiz/pytorch-dnc, which call conv1d [read in code]",
        "A framework's conv1d does not turn the kernel round: s(-1) moves the focus forward, s(+1) back.",
        "w_s(i) = sum_j w_g(j) s(i - j) (NTM-8).",
        "The controller learns the mirrored numbers just as well. What is wrong is every picture of a shift, and every weight set "
        "by hand.",
        equations=("NTM-8",), patches=(("NTM-8", shift_mirrored, shift_mirrored_backward),),
        models=MODEL, tasks=("copy",), unmet=("shift-rotates", "heads-keep-their-own-place")),
    Exhibit(
        "softplus-before-softmax", "The squash before the softmax",
        "loudinthecloud/pytorch-ntm, until its pull request 6 [read in code]",
        "s = softmax(softplus(raw)): softplus takes the negative numbers away, so that a shift can only be made rare by making "
        "another one large.",
        "s = softmax(raw): a softmax takes any numbers (NTM-parameters).",
        "Right gradient, right ranges, sums to one; only a test that asks what each raw number does finds it.",
        equations=("NTM-parameters",), patches=(("NTM-parameters", shift_softplus_first, shift_softplus_first_backward),),
        models=MODEL, tasks=("copy",), unmet=("shift-numbers-count", "ablated-heads")),
    Exhibit(
        "raw-gate", "The gate without a sigmoid",
        "workofart/ml-by-hand, examples/neural_turing_machine.py [read in code]",
        "The interpolation gate and the erase vector were the plain outputs of a linear layer: any number, also below 0 and above "
        "1.",
        "g = sigmoid(...), e = sigmoid(...): both are between 0 and 1 (NTM-parameters).",
        "A gate outside 0..1 makes negative weights, and a negative number to the power gamma is no number (there gamma is 1 + "
        "relu, often exactly 1, which lets it pass). Each pair by itself is right; it is the whole model that is not a number.",
        equations=("NTM-parameters",), patches=(("NTM-parameters", raw_gate_and_erase, raw_gate_and_erase_backward),),
        models=MODEL, tasks=("copy",), caught=("ntm",),
        unmet=("parameters-in-their-ranges", ALL_STEPS, "step-reads-before-it-writes", "heads-keep-their-own-place",
               "sequences-are-treated-alone", "samples-are-treated-alone", "slots-come-to-differ", "ablated-heads")),
    Exhibit(
        "no-sharpening", "The sharpening that was commented out",
        "DoctorTeeth/diffmem, ntm/addressing.py at its last commit [read in code]: to get the gradients by hand to pass",
        "The function returns right after the shift; gamma is computed and never used.",
        "w(i) = w_s(i)^gamma / sum_j w_s(j)^gamma (NTM-9): it undoes the blur that every shift leaves.",
        "The check passes, with the remark that the gradient of gamma is zero everywhere, which proves nothing. On sequences as "
        "short as ours it costs nothing.",
        equations=("NTM-9",), patches=(("NTM-9", no_sharpening, no_sharpening_backward),),
        models=MODEL, tasks=("copy",), unmet=("gamma-sharpens",)),
)
