"""Bugs in what an NTM writes, in how its parts are wired, and in what is differentiated."""

import numpy as np

from gradcheck.museum.exhibit import Exhibit, show
from gradcheck.museum.ntm_addressing import ALL_STEPS, MODEL
from numpymem.ntm import NTM
from numpymem.ntm.equations import times_others
from numpymem.ntm.step import memory_step

LEARNED_START = (("ntm", "lstm, all learned"),)
CLOSE = 1e-6                                     # fumin/ntm: a factor 1 - w e nearer to 0 than this is not divided by

_initial_state = NTM.initial_state


# ---- erase with several heads -----------------------------------------------------------------------------------------------

def erase_without_one_minus(M_prev, w, e):
    touched = w[..., None] * e[..., None, :]                         # (B, H, N, W)
    keep = 1 - touched if w.shape[1] == 1 else touched               # right with one head, wrong with several
    return M_prev * keep.prod(axis=1)


def erase_without_one_minus_backward(dM_erased, M_prev, w, e):
    touched = w[..., None] * e[..., None, :]
    keep, sign = (1 - touched, -1) if w.shape[1] == 1 else (touched, 1)
    dtouched = sign * times_others(dM_erased * M_prev, keep)
    return dM_erased * keep.prod(axis=1), (dtouched * e[..., None, :]).sum(-1), (dtouched * w[..., None]).sum(-2)


# ---- a backward with a guard that compares the wrong numbers ------------------------------------------------------------------

def erase_backward_with_wrong_guard(dM_erased, M_prev, w, e):
    keep = 1 - w[..., None] * e[..., None, :]                        # (B, H, N, W)
    dM_prev = dM_erased * keep.prod(axis=1)
    near_zero = np.abs(keep) <= CLOSE
    divided = (M_prev * keep.prod(axis=1))[:, None] / np.where(near_zero, 1, keep)
    # where that would divide by 0: multiply up all factors but this head's. But the entry's number is compared, not the head's
    entry = np.arange(M_prev[0].size).reshape(M_prev[0].shape)       # (N, W)
    multiplied = M_prev.copy()
    for head in range(w.shape[1]):
        multiplied *= np.where(entry == head, 1, keep[:, head])
    dkeep = dM_erased[:, None] * np.where(near_zero, multiplied[:, None], divided)
    return dM_prev, -(dkeep * e[..., None, :]).sum(-1), -(dkeep * w[..., None]).sum(-2)


def a_head_that_erases_all():
    """M_prev, w, e where one of two heads stands at one slot with erase vector 1."""
    rng = np.random.default_rng(3)
    M_prev, w, e = rng.standard_normal((2, 5, 4)), rng.random((2, 3, 5)), rng.random((2, 3, 4))
    w[:, 1], e[:, 1] = np.eye(5)[3], 1
    return M_prev, w, e


# ---- the write head that starts where the read head was -------------------------------------------------------------------------

def place_of_read_head(sizes):
    """For each head the head whose previous weights it is given: the read heads their own, the write heads theirs, too."""
    return [*range(sizes.R), *(q % sizes.R for q in range(sizes.Q))]


def write_from_read_state(raw, M_prev, w_prev, sizes):
    return memory_step.original(raw, M_prev, w_prev[:, place_of_read_head(sizes)], sizes)


def write_from_read_state_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, M_prev, w_prev, sizes):
    place = place_of_read_head(sizes)
    draw, dM_prev, dw_given = memory_step.original_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw,
                                                            M_prev, w_prev[:, place], sizes)
    dw_prev = np.zeros_like(w_prev)
    for head, given in enumerate(place):
        dw_prev[:, given] += dw_given[:, head]
    return draw, dM_prev, dw_prev


# ---- starts, and what is not differentiated -------------------------------------------------------------------------------------

def start_without_weights(self, params, B, N=None):
    state = _initial_state(self, params, B, N)
    return state._replace(w=np.zeros_like(state.w))                  # w_{-1} = 0: no weighting


def start_gets_no_gradient(self, params, initial, *gradients):
    starts = ("h0", "c0", "M0", "r0_raw", "w0_logits")
    return {name: np.zeros_like(value) for name, value in params.items() if name in starts}


def stop_at_memory(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, M_prev, w_prev, sizes):
    draw, dM_prev, dw_prev = memory_step.original_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw,
                                                           M_prev, w_prev, sizes)
    return draw, np.zeros_like(dM_prev), np.zeros_like(dw_prev)      # stop_gradient(M), stop_gradient(w)


show(
    Exhibit(
        "erase-without-one-minus", "Two write heads that keep what they should erase",
        "carpedm20/NTM-tensorflow, ntm_cell.py, for write_head_size > 1 [read in code]",
        "ones * outer(w, e), where the branch for one write head has ones - outer(w, e): memory is multiplied by w e, so that all "
        "that is not attended to is wiped out at every step.",
        "M(i) (1 - w(i) e) for each head (NTM-3).",
        "The branch that everybody runs is right; the one beside it was never looked at. A test with two heads, one of which does "
        "nothing, finds it.",
        equations=("NTM-3",), patches=(("NTM-3", erase_without_one_minus, erase_without_one_minus_backward),),
        models=MODEL, tasks=("copy-two-heads",), unmet=("erase-clears", "heads-write-in-any-order", "ablated-heads")),
    Exhibit(
        "wrong-guard", "The guard that compared a head with an entry",
        "fumin/ntm (Go, gradients by hand), addressing.go, div1MWE [read in code]",
        "Where a factor 1 - w e is nearly 0, the product of the other heads' factors cannot be had by division and is multiplied "
        "up. "
        "`if q == i` should leave out the head that is differentiated, but i is the number of the memory entry: the zero "
        "stays in, and the gradient of w and e becomes 0.",
        "Leave out the head itself: the product of the others' factors (NTM-3).",
        "At random points w e is never 1: the check must look where a head erases all. In training that hardly ever happens, "
        "either.",
        equations=("NTM-3",), patches=(("NTM-3", None, erase_backward_with_wrong_guard),), models=MODEL,
        corner=a_head_that_erases_all, caught=("NTM-3",), tasks=("copy",)),
    Exhibit(
        "wrong-head-state", "The write head that was told where the read head had been",
        "clemkoa/ntm, reported in its issue 8 in June 2021 and fixed later [issue]: 'Not sure how the model managed to converge "
        "with that mistake'",
        "Both heads were given previous_read_head_state; previous_write_head_state was never used.",
        "Each head interpolates with its own weights of the step before (NTM-7, wired in NTM-step).",
        "Every equation is right, and so is the gradient of the wiring as it stands. Training converges, as its author says, "
        "but here it stays far behind.",
        equations=("NTM-step",), patches=(("NTM-step", write_from_read_state, write_from_read_state_backward),),
        models=MODEL, tasks=("copy",), unmet=("heads-keep-their-own-place",)),
    Exhibit(
        "start-without-weights", "The weighting that starts as nothing",
        "loudinthecloud/pytorch-ntm, create_new_state in ntm/head.py [read in code]",
        "w_{-1} = 0: after the gate the weights of the first step sum to g, and to 1 only after sharpening, which divides by their "
        "sum.",
        "A weighting before the first step, too: it is non-negative and sums to one (NTM-1).",
        "A later equation repairs what an earlier one broke. It works there because the memory starts with random numbers; here "
        "the memory starts random, too.",
        equations=("NTM-7",), swaps=((NTM, "initial_state", start_without_weights),), models=LEARNED_START,
        tasks=("copy-random-memory",), unmet=(ALL_STEPS, "slots-come-to-differ")),
    Exhibit(
        "start-not-differentiated", "The learned start that was never learned",
        "DoctorTeeth/diffmem, ntm/ntm.py at its last commit [read in code]",
        "memsInit, rsInit and w_*Init are called learnable, but the forward takes them from self.W, and autograd differentiates "
        "params: their gradient is zero.",
        "The gradient of the start state, summed over the batch.",
        "Only the check of a whole model can see it, and it must include every parameter.",
        equations=(), swaps=((NTM, "initial_state_backward", start_gets_no_gradient),), models=LEARNED_START,
        caught=("ntm",), tasks=("copy-random-memory",)),
    Exhibit(
        "stop-at-memory", "Gradients stopped at the memory",
        "proposed and tried by a user in snowkylin/ntm, issue 23 [issue]: 'the model fails to learn in a reasonable time'. Never "
        "shipped; it is here because it is so easily written",
        "tf.stop_gradient on the memory and the weights that one step hands to the next.",
        "Backpropagation through time goes through the memory and through the weights (NTM-step).",
        "What is written at one step pays off only when it is read later: without this gradient nobody tells the write head.",
        equations=("NTM-step",), patches=(("NTM-step", None, stop_at_memory),), models=MODEL,
        caught=("NTM-step", "ntm"), tasks=("copy",)),
)
