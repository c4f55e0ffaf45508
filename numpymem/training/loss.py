"""The loss of a batch and its gradient, as the task asks for it."""

import numpy as np

from numpymem.ops.losses import (binary_cross_entropy, binary_cross_entropy_backward, categorical_cross_entropy,
                                 categorical_cross_entropy_backward)


def digits_cross_entropy(logits, targets, mask):
    """The categorical cross entropy of G classes at each place, one softmax each, summed.

    logits  (T, B, G V)   targets  (T, B, G)   mask  (T, B)
    """
    return categorical_cross_entropy(*one_by_one(logits, targets, mask))


def digits_cross_entropy_backward(dloss, logits, targets, mask):
    return categorical_cross_entropy_backward(dloss, *one_by_one(logits, targets, mask)).reshape(logits.shape)


def one_by_one(logits, targets, mask):
    """The G classes of a place as G places: (T, B G, V), (T, B G), (T, B G)."""
    T, B, G = targets.shape
    return logits.reshape(T, B * G, -1), targets.reshape(T, B * G), np.repeat(mask, G, axis=1)


PAIRS = {"binary": (binary_cross_entropy, binary_cross_entropy_backward),
         "categorical": (categorical_cross_entropy, categorical_cross_entropy_backward),
         "digits": (digits_cross_entropy, digits_cross_entropy_backward)}


def loss_and_gradient(kind, outputs, batch, scale="mean"):
    """The summed loss in nats, and the gradient that training follows.

    kind     "binary", "categorical" or "digits" (several classes at each place), the task's `loss`
    scale    "mean": gradient of the mean over the answers asked for (of the bits or digits, if these are asked for); "sum": of
             the sum, as the released MemN2N code has it, whose learning rates are meant for that
    returns  (loss, d_outputs in the shape of outputs)
    """
    forward, backward = PAIRS[kind]
    loss = forward(outputs, batch.targets, batch.mask)
    factor = outputs.dtype.type(1 if scale == "sum" else 1 / max(answers_in(kind, batch), 1))
    return float(loss), backward(factor, outputs, batch.targets, batch.mask)


def answers_in(kind, batch):
    """How many answers a batch asks for: classes, bits, or digits."""
    return batch.mask.sum() * (1 if kind == "categorical" else batch.targets.shape[-1])


def evaluate(model, params, task, batches):
    """Run the model over (batch, sequences) pairs -> {"bits_per_sequence", "wrong_percent", "sequences"}.

    For questions a sequence is one question, and wrong_percent the share of wrong answers; for copy it is that of bits, for the
    graph tasks that of sequences in which not all is right.
    """
    nats = wrong = asked = sequences = 0
    forward, _ = PAIRS[task.loss]
    for batch, n in batches:
        outputs, _ = model.forward(params, batch.inputs)
        nats += float(forward(outputs, batch.targets, batch.mask))
        wrong_here, asked_here = task.count_wrong(outputs, batch)
        wrong, asked, sequences = wrong + wrong_here, asked + asked_here, sequences + n
    return {"bits_per_sequence": nats / np.log(2) / max(sequences, 1), "wrong_percent": 100 * wrong / max(asked, 1),
            "sequences": sequences}
