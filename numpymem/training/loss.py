"""The loss of a batch and its gradient, as the task asks for it."""

import numpy as np

from numpymem.ops.losses import (binary_cross_entropy, binary_cross_entropy_backward, categorical_cross_entropy,
                                 categorical_cross_entropy_backward)

PAIRS = {"binary": (binary_cross_entropy, binary_cross_entropy_backward),
         "categorical": (categorical_cross_entropy, categorical_cross_entropy_backward)}


def loss_and_gradient(kind, outputs, batch, scale="mean"):
    """The summed loss in nats, and the gradient that training follows.

    kind     "binary" or "categorical", the task's `loss`
    scale    "mean": gradient of the mean over the answers asked for (of the bits, if binary); "sum": of the sum, as the
             released MemN2N code has it, whose learning rates are meant for that
    returns  (loss, d_outputs in the shape of outputs)
    """
    forward, backward = PAIRS[kind]
    loss = forward(outputs, batch.targets, batch.mask)
    factor = outputs.dtype.type(1 if scale == "sum" else 1 / max(answers_in(kind, batch), 1))
    return float(loss), backward(factor, outputs, batch.targets, batch.mask)


def answers_in(kind, batch):
    """How many answers a batch asks for: classes, or bits."""
    return batch.mask.sum() * (batch.targets.shape[-1] if kind == "binary" else 1)


def evaluate(model, params, task, batches):
    """Run the model over (batch, sequences) pairs -> {"bits_per_sequence", "wrong_percent", "sequences"}.

    For questions a sequence is one question, and wrong_percent the share of wrong answers; for copy it is that of bits.
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
