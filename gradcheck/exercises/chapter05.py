"""The exercises of chapter 05, the mathematics: backward bodies to write, an equation of one's own. From 5.6 on: chapter05_bugs.

Arrays are batched as in numpymem, B first, and pairwise different in size, so that an axis that is mixed up shows.
"""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, right_backward, same_forward
from numpymem.ntm.equations import interpolate
from numpymem.ops.softmax import softmax

rng = np.random.default_rng(5)


def weighting(*shape):
    """A random weighting: positive, sums to one along the last axis."""
    return softmax(rng.standard_normal(shape))


# ---- 5.1 rows and columns ----------------------------------------------------------------------------------------------------

def write_once(M, w, e, a):
    return M * (1 - np.outer(w, e)) + np.outer(w, a)


def write_entry_by_entry(M, w, e, a):
    return M * (1 - w * e) + w * a


def write_transposed(M, w, e, a):
    return M * (1 - np.outer(e, w)) + np.outer(a, w)


def write_then_erase(M, w, e, a):
    return (M + np.outer(w, a)) * (1 - np.outer(w, e))


def memory_and_heads(N, W):
    return rng.standard_normal((N, W)), weighting(N), rng.uniform(0.1, 0.9, W), rng.standard_normal(W)


def judge_write(write):
    """First as many slots as columns, where wrong products raise no error, then not."""
    return of_a_square(write) or of_any(write)


of_any = same_forward(write_once, [memory_and_heads(3, 5)])
of_a_square = same_forward(write_once, [memory_and_heads(4, 4)], [
    Mistake(write_entry_by_entry, "w * e multiplies entry by entry and NumPy then spreads the result over all rows. With as many "
                                  "slots as columns nothing complains, and yet every slot is erased by the others' weights."),
    Mistake(write_transposed, "Slots and columns have changed places: your outer product is e w^T. With N different from W "
                              "NumPy would have told you."),
    Mistake(write_then_erase, "You add first and then erase what you have just written. In the paper (3) comes before (4).")])

written = Exercise(
    "5.1", "One write, without a batch",
    "Write `write(M, w, e, a)`: the memory after one write of one head. `M` is (N, W), `w` is (N,), `e` and `a` are (W,). NumPy's "
    "vectors are neither rows nor columns, so neither `w @ e` nor `w.T @ e` nor `w * e` means what the paper means.",
    ("Entry (i, j) of the new memory needs w[i], e[j] and a[j]. Which product of two vectors has an entry for every pair (i, j)?",
     "np.outer(w, e) is (N, W); so is w[:, None] * e. First erase, then add.",
     "return M * (1 - np.outer(w, e)) + ..."),
    judge_write,
    "w e^T with columns and w^T e with rows are the same N x W numbers.")


# ---- 5.2 the complex step ----------------------------------------------------------------------------------------------------

def curved(x):
    return np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3)


def slope_of_curved(x):
    top, under = np.exp(x), np.sin(x) ** 3 + np.cos(x) ** 3
    d_under = 3 * np.sin(x) ** 2 * np.cos(x) - 3 * np.cos(x) ** 2 * np.sin(x)
    return top / np.sqrt(under) - 0.5 * top * under ** -1.5 * d_under


def judge_slope(slope):
    """Near to the last digit, and not only at one place."""
    for x in (0.3, 0.7, 1.1):
        found, true = slope(curved, x), slope_of_curved(x)
        if np.iscomplexobj(found):
            return "Your answer is a complex number. The derivative is what stands in its imaginary part."
        off = abs(found - true) / abs(true)
        if off > 1e-4 and abs(found - curved(x)) < 1e-6:
            return "That is f(x) itself: you took the real part."
        if off > 1e-4:
            return (f"At x = {x} the slope is {true:.6f}, yours is {found:.6f}. Is your step taken along the imaginary axis, and "
                    "the imaginary part divided by h?")
        if off > 1e-13:
            return (f"Close: at x = {x} you are off by {off:.0e}. That is the error of a difference of two nearly equal numbers. "
                    "The complex step subtracts nothing: with h = 1e-20 it is right to the last digit.")
    return ""


slope = Exercise(
    "5.2", "The complex step",
    "Write `slope(f, x)`: the derivative of a function of one number, right to 13 digits, from one single call of `f`.",
    ("f(x + ih) = f(x) + ih f'(x) - ... Where in this complex number is f'(x)?",
     "Call f at x + 1j * h with a tiny h, say 1e-20, and look at the imaginary part.",
     "return f(x + 1e-20j).imag / ..."),
    judge_slope, "Nothing was subtracted, so nothing was lost, however small h is.")


# ---- 5.3 softmax -------------------------------------------------------------------------------------------------------------

def softmax_backward_diagonal(dp, p):
    return dp * p * (1 - p)


def softmax_backward_outside(dp, p):
    return p * dp - (dp * p).sum(-1, keepdims=True)


def softmax_backward_over_batch(dp, p):
    return p * (dp - (dp * p).sum(0, keepdims=True))


soft = Exercise(
    "5.3", "Softmax, backwards, without its Jacobian",
    "Write `softmax_backward(dp, p)` for p = softmax(z) along the last axis, from dp_i / dz_j = p_i (delta_ij - p_j), without "
    "making the N x N matrix. It returns `dz`.",
    ("dz_j = sum_i dp_i p_i (delta_ij - p_j). Do the two terms in the bracket one after the other.",
     "The first term leaves dp_j p_j. In the second, p_j does not hang on i: take it out of the sum.",
     "dz_j = p_j (dp_j - sum_i dp_i p_i)"),
    right_backward(softmax.original, {"z": rng.standard_normal((3, 5))}, "p", [
        Mistake(softmax_backward_diagonal, "That is only the diagonal of the Jacobian, right for a sigmoid. Here each z_j also "
                                           "moves all other p_i, through the sum they are divided by."),
        Mistake(softmax_backward_outside, "The second term lacks its factor p_j: only the sum over i is outside, p_j stays with "
                                          "it."),
        Mistake(softmax_backward_over_batch, "You sum over the batch (axis 0). What sums to one is the last axis: -1.")]),
    "A constant added to all dp changes nothing: the weights cannot all grow.")


# ---- 5.4 the gate ------------------------------------------------------------------------------------------------------------

def gate_backward_swapped(dw_g, w_c, w_prev, g):
    return (1 - g) * dw_g, g * dw_g, (dw_g * (w_c - w_prev)).sum(-1, keepdims=True)


def gate_backward_half(dw_g, w_c, w_prev, g):
    return g * dw_g, (1 - g) * dw_g, (dw_g * w_c).sum(-1, keepdims=True)


gate = Exercise(
    "5.4", "The gate, backwards",
    "Write `interpolate_backward(dw_g, w_c, w_prev, g)` for w_g = g w_c + (1 - g) w_prev. It returns `dw_c, dw_prev, dg`. `g` is "
    "(B, H, 1), all else is (B, H, N).",
    ("Go term by term: w_c appears once, w_prev once, g twice.",
     "One number g meets all N slots. What was spread forwards is summed backwards, and dg keeps its axis: keepdims=True.",
     "dg = (dw_g * (w_c - w_prev)).sum(-1, keepdims=True)"),
    right_backward(interpolate.original, {"w_c": weighting(2, 3, 5), "w_prev": weighting(2, 3, 5),
                                          "g": rng.uniform(0.1, 0.9, (2, 3, 1))}, "w_g", [
        Mistake(gate_backward_swapped, "dw_c and dw_prev have changed places: which of the two does g multiply?"),
        Mistake(gate_backward_half, "g stands in the formula twice: once with w_c and once, with a minus, with w_prev.")]),
    "Spread forwards, sum backwards: that rule alone gives half of all backward passes.")


# ---- 5.5 an equation of one's own --------------------------------------------------------------------------------------------

def square_sharpen(w_s):
    """w(i) = w_s(i)^2 / sum_j w_s(j)^2: sharpening with gamma = 2 built in.  (B, H, N) -> (B, H, N)"""
    squared = w_s * w_s
    return squared / squared.sum(-1, keepdims=True)


def square_backward_top_only(dw, w, w_s):
    return 2 * w_s * dw / (w_s * w_s).sum(-1, keepdims=True)


def square_backward_no_two(dw, w, w_s):
    return w_s * (dw - (dw * w).sum(-1, keepdims=True)) / (w_s * w_s).sum(-1, keepdims=True)


def square_backward_as_softmax(dw, w, w_s):
    return w * (dw - (dw * w).sum(-1, keepdims=True))


squared = Exercise(
    "5.5", "An equation of your own",
    "Somebody replaces sharpening by w = w_s^2 / sum w_s^2 (`square_sharpen`, shown above). Write `square_sharpen_backward(dw, w, "
    "w_s)`, which returns `dw_s`.",
    ("w = top / total. Both hang on w_s: two roads, and gradients that arrive by two roads are added.",
     "dtop = dw / total; dtotal = -sum(dw * top) / total^2 = -sum(dw * w) / total. Then top = w_s^2 and total = sum(top).",
     "d_squared = (dw - (dw * w).sum(-1, keepdims=True)) / total; and d(w_s^2) = 2 w_s dw_s"),
    right_backward(square_sharpen, {"w_s": weighting(2, 3, 5)}, "w", [
        Mistake(square_backward_top_only, "You went through the numerator only. The total below it hangs on every w_s, too."),
        Mistake(square_backward_no_two, "The derivative of w_s^2 is 2 w_s."),
        Mistake(square_backward_as_softmax, "That is the softmax's backward. It looks alike because both divide by a sum, but "
                                            "here the power rule comes before it.")]),
    "2 w / w_s = 2 w_s / total: with gamma in place of 2 you have derived NTM-9.")

ALL = (written, slope, soft, gate, squared)
