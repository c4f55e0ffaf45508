"""Hints: planted mistakes are named for what they are."""

import numpy as np
import pytest
from hint_tools import ask, check, put


def total(x, axis=-1):
    return x.sum(axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ---- one mistake, one line -----------------------------------------------------------------------------------------

NUMBERS = [
    ("NTM-9", "gamma", lambda v: 2 * v.true, "by hand / true is 2.000 at all 12 entries: one factor 2 too many"),
    ("NTM-9", "gamma", lambda v: v.true / 2, "by hand / true is 0.500 at all 12 entries: a factor 2 is missing"),
    ("NTM-9", "w_s", lambda v: 3 * v.true, "by hand / true is 3.000 at all 60 entries: one factor 3 too many"),
    ("NTM-9", "w_s", lambda v: -v.true, "by hand / true is -1.000 at all 60 entries: the sign is wrong"),
    ("NTM-9", "w_s", lambda v: -2 * v.true,
     "by hand / true is -2.000 at all 60 entries: the sign is wrong and one factor 2 too many"),
    ("NTM-9", "gamma", lambda v: v.true / 5,
     "by hand / true is 0.200 at all 12 entries: a mean where a sum belongs (axis 2 of dw has size 5)"),
    ("linear", "x", lambda v: v.true / 12,
     "by hand / true is 0.083 at all 22 entries: a mean where a sum belongs (axis 1 of dy has size 12)"),
    ("linear", "W", lambda v: v.true * 12,
     "by hand / true is 12.000 at all 132 entries: a sum where a mean belongs (axis 1 of dy has size 12)"),
    ("NTM-3", "M_prev", lambda v: v.true / 30,
     "by hand / true is 0.033 at all 40 entries: a mean where a sum belongs (axes 1 and 2 of w have 30 entries)"),
    ("NTM-9", "w_s", lambda v: v.true / np.sqrt(5), "by hand / true is 0.447 at all 60 entries: one factor sqrt(5) is missing"),
    ("NTM-9", "w_s", lambda v: 1.234 * v.true,
     "by hand / true is 1.234 at all 60 entries: one and the same factor is wrong everywhere"),
    ("categorical-cross-entropy", "logits", lambda v: v.true / v.mask.sum(),
     "by hand / true is 0.167 at all 64 entries: a mean where a sum belongs (mask has 6 ones)"),
    ("categorical-cross-entropy", "logits", lambda v: v.true / abs(v.dloss),
     "by hand / true is 1.160 at all 64 entries: a factor dloss is missing"),
    ("NTM-2", "M", lambda v: 0 * v.true, "by hand is zero at all 40 entries: never written"),
    ("NTM-9", "gamma", lambda v: total(v.w * (v.dw - total(v.dw * v.w))), "by hand is zero but for rounding at all 12 entries"),
    ("NTM-2", "M", lambda v: 1e-7 * v.M, "by hand is nearly zero"),
    ("NTM-2", "M", lambda v: 0 * v.true + 1, "by hand is the same number, 1, at all 40 entries"),
    ("NTM-9", "w_s", lambda v: v.true.astype(np.float32), "by hand is off by "),
    ("NTM-9", "w_s", lambda v: v.true * (1 + 1e-9), "by hand is off by 1e-09 of the largest: float32"),
    ("NTM-9", "w_s", lambda v: abs(v.true), "by hand is the absolute value of true"),
    ("NTM-9", "w_s", lambda v: v.true * v.true, "by hand is the square of true"),
    ("NTM-9", "w_s", lambda v: v.true + 0.25, "by hand - true is 0.25 at all 60 entries: a constant was added"),
]

PLACES = [
    ("MemN2N-layer-wise", "H", lambda v: v.true.T, "by hand is the true gradient with axes 0 and 1 transposed"),
    ("NTM-9", "w_s", lambda v: v.true.transpose(0, 2, 1).reshape(v.true.shape),
     "by hand is the true gradient with its axes in the order (0, 2, 1), then reshaped"),
    ("NTM-8", "w_g", lambda v: np.roll(v.true, 1, 2),
     "by hand is the true gradient rolled by 1 along axis 2: an offset or index is one off"),
    ("NTM-8", "w_g", lambda v: np.roll(v.true, -2, 1),
     "by hand is the true gradient rolled by -2 along axis 1: an offset or index is 2 off"),
    ("NTM-8", "w_g", lambda v: np.concatenate([0 * v.true[..., :1], v.true[..., :-1]], -1),
     "by hand is the true gradient shifted by 1 along axis 2, but for the border: an index is one off"),
    ("NTM-8", "w_g", lambda v: np.concatenate([v.true[:, 1:], v.w_g[:, :1]], 1),
     "by hand is the true gradient shifted by -1 along axis 1, but for the border"),
    ("NTM-8", "w_g", lambda v: np.roll(v.true, -1), "by hand is the true gradient rolled by -1 over all its entries in a row"),
    ("NTM-8", "s", lambda v: v.true[..., ::-1], "by hand is the true gradient reversed along axis 2"),
    ("NTM-8", "s", lambda v: v.true[::-1, ::-1, ::-1], "by hand is the true gradient reversed along all axes"),
    ("NTM-2", "w", lambda v: v.true[:, [2, 0, 1, 5, 3, 4]],
     "by hand has the rows of true in another order along axis 1: indices are mixed up"),
    ("linear", "W", lambda v: np.random.default_rng(0).permutation(v.true.ravel()).reshape(v.true.shape),
     "by hand has the numbers of true in another order"),
    ("NTM-9", "w_s", lambda v: np.broadcast_to(total(v.true, 1), v.true.shape),
     "by hand is the true gradient summed over axis 1 and spread along it again"),
    ("NTM-9", "w_s", lambda v: np.broadcast_to(total(v.true, 2) / 5, v.true.shape),
     "by hand is the true gradient averaged over axis 2 and spread along it again"),
    ("NTM-9", "w_s", lambda v: np.broadcast_to(total(v.dw, 1), v.true.shape), "by hand is the same all along axis 1, true is not"),
]

FACTORS = [
    ("NTM-9", "w_s", lambda v: v.true / v.gamma, "by hand / true = 1 / gamma at all entries: a factor gamma is missing"),
    ("NTM-9", "w_s", lambda v: v.true * v.w_s, "by hand / true = w_s at all entries: a factor w_s is too many"),
    ("NTM-5", "K", lambda v: v.w_c * (v.dw_c - total(v.dw_c * v.w_c)), "by hand / true = 1 / beta at all entries"),
    ("NTM-5", "K", lambda v: -v.true * v.beta,
     "by hand / true = -beta at all entries: a factor beta is too many, and the sign is wrong"),
    ("NTM-5", "K", lambda v: 2 * v.true / v.beta, "by hand / true = 2 / beta at all entries: a factor beta is missing, and one"),
    ("sigmoid", "x", lambda v: v.dy * (1 - v.y), "by hand / true = 1 / y at all entries: a factor y is missing"),
    ("sigmoid", "x", lambda v: v.dy * v.y, "by hand / true = 1 / (1 - y) at all entries: a factor (1 - y) is missing"),
    ("sigmoid", "x", lambda v: -v.dy * v.y * v.y,
     "by hand / true = -y / (1 - y) at all entries: y stands where (1 - y) belongs, and the sign is wrong"),
    ("softmax", "z", lambda v: v.dp - total(v.dp * v.p), "by hand / true = 1 / p at all entries: a factor p is missing"),
    ("softmax", "z", lambda v: v.true * np.exp(v.z), "by hand / true = exp(z) at all entries: a factor exp(z) is too many"),
    ("linear", "W", lambda v: v.true * (1 + v.x[:1].T), "by hand / true is one number all along axis 1"),
    ("LSTM", "c_prev", lambda v: v.true / v.s[:, 13:26],
     "by hand / true = 1 / s[..., 13:26] at all entries: a factor s[..., 13:26] is missing"),
    ("binary-cross-entropy", "logits", lambda v: v.dloss * (sigmoid(v.logits) - v.targets),
     "by hand / true = 1 / mask at all entries: a factor mask is missing"),
    ("sigmoid", "x", lambda v: v.dy * v.x * (1 - v.x),
     "by hand / true = (x (1 - x)) / (y (1 - y)) at all entries: x (1 - x) stands where y (1 - y) belongs"),
    ("tanh", "x", lambda v: v.dy * (1 - v.y), "by hand / true = (1 - y) / (1 - y**2) at all entries: (1 - y) stands where"),
]

TERMS = [
    ("NTM-7", "g", lambda v: total(v.dw_g * v.w_c),
     "by hand - true = sum(w_prev * dw_g) over the axis of size 5 at all entries: this term is too many, or minus"),
    ("NTM-7", "g", lambda v: -total(v.dw_g * v.w_prev),
     "by hand - true = -sum(w_c * dw_g) over the axis of size 5 at all entries: this term is missing"),
    ("NTM-7", "g", lambda v: total(v.dw_g * (v.w_c + v.w_prev)),
     "by hand - true = 2 sum(w_prev * dw_g) over the axis of size 5 at all entries: this term has the wrong sign, + for -"),
    ("tanh", "x", lambda v: v.dy * (1 + v.y ** 2), "by hand - true = 2 dy * y**2 at all entries: this term has the wrong sign"),
    ("MemN2N-1", "m", lambda v: v.true + v.m, "by hand - true = m at all entries: this term is too many"),
    ("MemN2N-1", "m", lambda v: v.true - v.u[:, None] * v.p[..., None], "by hand - true = -u * p at all entries: this term is mis"),
    ("binary-cross-entropy", "logits", lambda v: v.dloss * v.mask[..., None] * sigmoid(v.logits),
     "by hand - true = targets * dloss * mask at all entries"),
    ("linear", "W", lambda v: v.true - v.x.T @ v.y, "by hand - true = -sum(x * y) over the axis of size 2 at all entries"),
    ("NTM-3", "w", lambda v: v.true + np.sqrt(total(v.w ** 2)), "by hand - true is one number all along axis 2: a term"),
    # what couples the entries of a softmax
    ("softmax", "z", lambda v: v.p * v.dp,
     "by hand - true = p * sum(p * dp) over the axis of size 5 at all entries: this term is too many, or minus this term is"),
    ("softmax", "z", lambda v: v.p * (v.dp + total(v.dp * v.p)),
     "by hand - true = 2 p * sum(p * dp) over the axis of size 5 at all entries: this term has the wrong sign"),
    ("softmax", "z", lambda v: v.p * (v.dp - total(v.dp * v.p) / 5),
     "by hand - true = 0.8 p * sum(p * dp) over the axis of size 5 at all entries: a sum and a mean are exchanged"),
    ("softmax", "z", lambda v: v.p * (v.dp - total(v.dp)),
     "(by hand - true) / p is one number all along axis 1: the term p * sum(...), by which the entries along axis 1"),
    ("softmax", "z", lambda v: v.p * (v.dp - total(v.dp * v.p, 0)),
     "(by hand - true) / p is a number for each index of axis 0 plus one for each of axis 1: a sum over axis 0 stands where"),
    ("NTM-9", "w_s", lambda v: v.gamma * v.w * v.dw / (v.w_s + 1e-8),
     "(by hand - true) / (w / w_s) is one number all along axis 2"),
    ("NTM-6", "k", lambda v: v.true + v.k * total(np.sin(v.k)), "(by hand - true) / k is one number all along axis 2"),
    # another product
    ("NTM-4", "a", lambda v: v.w @ v.M,
     "by hand is sum(w * M) over the axis of size 5, true is sum(w * dM) over the axis of size 5"),
    ("MemN2N-layer-wise", "u", lambda v: v.du_next @ v.H,
     "by hand is sum(H * du_next) over the axis of size 9, so is true, but over another axis: one is transposed"),
    ("LSTM", "c_prev", lambda v: v.dc * v.s[:, 13:26], "by hand is dc * s[..., 13:26], true is more than that"),
]


@pytest.mark.parametrize("id, name, change, expected", NUMBERS + PLACES + FACTORS + TERMS)
def test_the_mistake_is_named(id, name, change, expected):
    check(ask(id, name, change), expected)


def test_what_was_returned_and_why_it_is_wrong():
    check(ask("NTM-7", "w_c", lambda v: v.dw_g), "by hand is the upstream gradient dw_g: returned as it came",
          "by hand / true = 1 / g at all entries: a factor g is missing")
    check(ask("relu", "x", lambda v: v.dy), "by hand is the upstream gradient dy: returned as it came",
          "by hand * (x > 0) = true at all entries: a factor (x > 0) is missing")
    check(ask("softplus", "x", lambda v: -v.dy), "by hand is minus the upstream gradient dy",
          "by hand / true = -1 / sigmoid(x) at all entries: a factor sigmoid(x) is missing, and the sign is wrong")
    check(ask("NTM-7", "w_c", lambda v: (1 - v.g) * v.dw_g), "by hand is the true gradient of w_prev: two gradients are swapped",
          "by hand / true = (1 - g) / g at all entries: (1 - g) stands where g belongs")
    check(ask("NTM-9", "w_s", lambda v: v.w_s), "by hand is the input w_s: the wrong array is returned")
    check(ask("NTM-9", "w_s", lambda v: v.w), "by hand is the output w: the wrong array is returned")


# ---- some entries are wrong ----------------------------------------------------------------------------------------

FORGET, OUTPUT, CANDIDATE = np.s_[:, 13:26], np.s_[:, 26:39], np.s_[:, 39:]
PARTS = [
    ("NTM-9", "gamma", put(np.s_[:, 0], lambda v, x: 2 * x),
     ["only the entries with index 0 along axis 1 are wrong; the rest is right",
      "there by hand / true is 2.000 at all 2 entries: one factor 2 too many"]),
    ("NTM-9", "w_s", put(np.s_[1, 3, 0], lambda v, x: -x),
     ["only the entry [1, 3, 0] is wrong; the rest is right",
      "there by hand / true is -1.000 at the only entry: the sign is wrong"]),
    ("NTM-9", "w_s", put(np.s_[:, 1:3, 2:4], lambda v, x: x + 1),
     ["only the entries with indices 1 to 2 along axis 1 and indices 2 to 3 along axis 2 are wrong",
      "there by hand - true is 1 at all 8 entries"]),
    ("NTM-9", "w_s", put(np.s_[:, [0, 2, 5]], lambda v, x: 3 * x),
     ["only the entries with indices 0, 2 and 5 along axis 1 are wrong", "there by hand / true is 3.000 at all 30 entries"]),
    ("NTM-9", "w_s", put(np.s_[:, 1], lambda v, x: np.random.default_rng(0).standard_normal(x.shape)),
     ["only the entries with index 1 along axis 1 are wrong; the rest is right"]),
    ("LSTM", "gates", put(FORGET, lambda v, x: x / v.c_prev),
     ["only the entries with indices 13 to 25 along axis 1 are wrong", "there by hand / true = 1 / c_prev at all entries"]),
    ("LSTM", "gates", put(CANDIDATE, lambda v, x: x / (1 - v.s[CANDIDATE] ** 2)),
     ["only the entries with indices 39 to 51 along axis 1 are wrong", "there by hand / true = 1 / (1 - s**2) at all entries"]),
    ("LSTM", "gates", put(OUTPUT, lambda v, x: 0),
     ["only the entries with indices 26 to 38 along axis 1 are wrong", "there by hand is zero at all 26 entries: never written"]),
    ("NTM-parameters", "raw", put(np.s_[:, :30], lambda v, x: v.dk.reshape(7, 30)),
     ["only the entries with indices 0 to 29 along axis 1 are wrong", "there by hand is the upstream gradient dk",
      "there by hand / true = 1 / (1 - k**2) at all entries: a factor (1 - k**2) is missing"]),
    ("NTM-9", "w_s", lambda v: np.where(v.dw < 0, -v.true, v.true),
     ["27 of 60 entries are wrong, exactly where dw is negative; the rest is right",
      "there by hand / true is -1.000 at all 27 entries: the sign is wrong"]),
    ("NTM-9", "w_s", put(([0, 1], [3, 5], [4, 0]), lambda v, x: 2 * x),
     ["2 of 60 entries are wrong ([0, 3, 4], [1, 5, 0]); the rest is right", "there by hand / true is 2.000 at all 2 entries"]),
    ("NTM-9", "w_s", put(np.s_[1, 3, 0], lambda v, x: x + 1e-6 * abs(v.true).max()),
     ["by hand is off by 1e-06 of the largest (the entry [1, 3, 0] only)"]),
    ("NTM-9", "w_s", put(np.s_[1, 3, 0], lambda v, x: np.nan), ["by hand is nan at 1 of 60 entries, namely the entry [1, 3, 0]"]),
    ("NTM-9", "w_s", put(np.s_[:, 3], lambda v, x: [[np.nan], [-np.inf]]),
     ["by hand is nan and inf at 10 of 60 entries, namely the entries with index 3 along axis 1: a division by 0"]),
    ("NTM-9", "w_s", lambda v: 1 / (0 * v.true), ["by hand is inf at all 60 entries: a division by 0"]),
    ("binary-cross-entropy", "logits", lambda v: np.where(v.mask[..., None] > 0, v.true, np.nan),
     ["by hand is nan at 24 of 96 entries, exactly where mask is 0"]),
    ("embed", "E", lambda v: scattered(v, np.zeros_like(v.E)),
     ["only the entries with indices 1 to 4 along axis 0 are wrong",
      "they are the indices that ids names more than once: = or += keeps one of them, np.add.at adds all up"]),
    ("embed", "E", put(0, lambda v, x: 1.0),
     ["only the entries with index 0 along axis 0 are wrong", "there true is zero at all 9 entries, by hand is not"]),
]


def scattered(v, dE):
    """The backward of `embed` as it is often written first."""
    dE[v.ids] += v.dy
    dE[0] = 0
    return dE


@pytest.mark.parametrize("id, name, change, expected", PARTS)
def test_which_entries_are_wrong(id, name, change, expected):
    with np.errstate(all="ignore"):
        check(ask(id, name, change), *expected)
