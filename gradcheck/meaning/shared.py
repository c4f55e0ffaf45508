"""What the equations shared by all models mean, and the optimizer of the NTM paper (see meaning.py)."""

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, same
from gradcheck.models import import_all
from gradcheck.points import USUAL, draw
from numpymem.equation import REGISTRY
from numpymem.ops.embedding import embed
from numpymem.ops.losses import binary_cross_entropy, categorical_cross_entropy
from numpymem.ops.lstm import lstm_cell
from numpymem.ops.softmax import softmax
from numpymem.training.optimizers import RMSProp

FAR = 1e4
LOSSES = ("binary-cross-entropy", "categorical-cross-entropy")
BATCHED = ("NTM-2", "NTM-3", "NTM-4", "NTM-5", "NTM-6", "NTM-7", "NTM-8", "NTM-9", "NTM-parameters", "NTM-step", "LSTM", "softmax",
           "embed", "MemN2N-encode", "MemN2N-time", "MemN2N-1", "MemN2N-linear-start", "MemN2N-2", "MemN2N-3", "MemN2N-4",
           "MemN2N-layer-wise", "MemN2N-hop", "MemN2N-memories", "GRU", "GRU-attention", "GRU-scan", "DMN-fusion",
           "DMN-interactions", "DMN-scores", "DMN-attention", "DMN-inputs", "DMN-gates", "DMN-episodic-gates",
           "DMN-memory", "DMN-answer", "layer-norm", "Transformer-1", "Transformer-2", "MT-items", "MT-hold",
           "MT-fuse", "MT-pointer", "MT-neighbours")


@meaning("samples-are-treated-alone", *BATCHED)
def samples_are_treated_alone(rng):
    """An equation computes each sample of a batch by itself: a batch of one gives what it gives in a batch of three."""
    import_all()
    for item in (REGISTRY[id] for id in BATCHED):
        point = draw(item, rng, USUAL | {"B": 3})
        symbols = [item.inputs[name] for name in item.arguments]
        together = listed(item(*point.arguments))
        for b in range(3):
            alone = [value[[b]] if symbol.shape[:1] == ("B",) else value for symbol, value in zip(symbols, point.arguments)]
            for name, one, all_three in zip(item.outputs, listed(item(*alone)), together):
                same(one, all_three[[b]], f"{item.id}, {name} of sample {b} alone", 1e-12)


def listed(result):
    return list(result) if isinstance(result, tuple) else [result]


@meaning("softmax-is-a-distribution", "softmax")
def softmax_is_a_distribution(rng):
    """Softmax gives a distribution, in the order of the scores; the same number added to all scores changes nothing."""
    z = 3 * rng.standard_normal((2, 7))
    distribution(softmax(z), "softmax")
    distribution(softmax(np.full((1, 4), FAR)), "softmax of large scores")
    same(softmax(z + 50), softmax(z), "softmax of scores + 50", 1e-12)
    same(np.log(softmax(z)[:, 1:] / softmax(z)[:, :-1]), np.diff(z), "log of the ratio of neighbours", 1e-10)


@meaning("lstm-keeps", "LSTM")
def lstm_keeps(rng):
    """With forget gate 1 and input gate 0 a cell keeps what it has; the other way round it takes the candidate."""
    c_prev, C = rng.standard_normal((3, 4)), 4
    gates = np.concatenate([np.full((3, C), -FAR), np.full((3, C), FAR), np.full((3, C), FAR), rng.standard_normal((3, C))], axis=1)
    h, c, _ = lstm_cell(gates, c_prev)
    same(c, c_prev, "the cell that is kept")
    same(h, np.tanh(c_prev), "what it shows", 1e-15)
    gates[:, :2 * C] *= -1
    same(lstm_cell(gates, c_prev)[1], np.tanh(gates[:, 3 * C:]), "the cell that takes the candidate", 1e-14)


@meaning("nil-word-is-zero", "embed")
def nil_word_is_zero(rng):
    """Word 0 is the zero vector whatever the table holds; every other word is its row."""
    E, ids = rng.standard_normal((6, 3)), np.array([[2, 0, 2], [5, 1, 0]])
    y = embed(ids, E)
    same(y[ids == 0], 0.0, "word 0")
    same(y[ids > 0], E[ids[ids > 0]], "the other words")


@meaning("loss-is-minus-log-probability", *LOSSES)
def loss_is_minus_log_probability(rng):
    """A loss is minus the logarithm of the probability given to what was asked for, summed, and does not overflow."""
    z, mask = 3 * rng.standard_normal((4, 3, 5)), rng.integers(0, 2, (4, 3)).astype(float)
    bits, classes = rng.integers(0, 2, (4, 3, 5)).astype(float), rng.integers(0, 5, (4, 3))
    p = 1 / (1 + np.exp(-z))
    of_bits = np.log(np.where(bits == 1, p, 1 - p)).sum(-1)
    of_class = np.log(np.take_along_axis(np.exp(z) / np.exp(z).sum(-1, keepdims=True), classes[..., None], -1))[..., 0]
    same(binary_cross_entropy(z, bits, mask), -(mask * of_bits).sum(), "loss of bits", 1e-10)
    same(categorical_cross_entropy(z, classes, mask), -(mask * of_class).sum(), "loss of classes", 1e-10)
    far, ones = np.array([[[FAR, -FAR]]]), np.ones((1, 1))
    same(binary_cross_entropy(far, np.array([[[1.0, 0]]]), ones), 0.0, "loss of certain and right bits")
    same(binary_cross_entropy(far, np.array([[[0.0, 1]]]), ones), 2 * FAR, "loss of certain and wrong bits")
    same(categorical_cross_entropy(far, np.array([[1]]), ones), 2 * FAR, "loss of a certain and wrong class")


@meaning("mask-hides", *LOSSES)
def mask_hides(rng):
    """What is masked does not count in the loss."""
    z, mask = rng.standard_normal((4, 3, 5)), np.ones((4, 3))
    mask[1, 2] = 0
    changed = z.copy()
    changed[1, 2] = 50 * rng.standard_normal(5)
    for loss, targets in ((binary_cross_entropy, rng.integers(0, 2, (4, 3, 5)).astype(float)),
                          (categorical_cross_entropy, rng.integers(0, 5, (4, 3)))):
        same(loss(z, targets, mask), loss(changed, targets, mask), "loss with other numbers behind the mask")
        holds(loss(z, targets, mask) != loss(z, targets, np.ones((4, 3))), "the mask: expected to take something away")


@meaning("steady-gradient-has-no-spread", "RMSProp")
def steady_gradient_has_no_spread(rng):
    """In Graves' RMSProp a gradient is divided by its spread: one that never changes has none, and only the 1e-4 in the root is
    left, so that steps grow to lr g / (0.01 (1 - momentum))."""
    optimizer, params, g, lr = RMSProp(), {"x": np.zeros(3)}, {"x": np.array([0.5, -2.0, 1.0])}, 1e-4
    state = optimizer.init(params)
    for _ in range(600):
        before, (params, state) = params, optimizer.update(params, g, state, lr)
    same(params["x"] - before["x"], -lr * g["x"] / (0.01 * 0.1), "the step after 600 equal gradients", 1e-5)
