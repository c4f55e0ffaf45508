"""Losses from logits, in nats, summed over all places where the mask asks for an answer."""

import numpy as np

from numpymem.equation import equation
from numpymem.kernel import Kernel
from numpymem.ops.activations import sigmoid, softplus
from numpymem.ops.complex_safe import max_for_shift
from numpymem.ops.softmax import softmax


@equation("binary-cross-entropy",
          r"L = -\sum m \left[ y \log \sigma(z) + (1 - y) \log (1 - \sigma(z)) \right] = \sum m (\mathrm{softplus}(z) - y z)")
def binary_cross_entropy(logits, targets, mask):
    """The cost of independent bits, summed where the mask is 1. Divide by log 2 for bits.

    logits        (T, B, Y)         before the sigmoid
    targets       (T, B, Y) [data]  0 or 1
    mask          (T, B) [mask]     1 where an answer is asked, 0 elsewhere
    returns loss  ()
    """
    return (mask[..., None] * (softplus(logits) - targets * logits)).sum()


@binary_cross_entropy.backward
def binary_cross_entropy_backward(dloss, logits, targets, mask):
    # loss = sum m (softplus(z) - y z),  softplus' = sigmoid
    return dloss * mask[..., None] * (sigmoid(logits) - targets)


@equation("categorical-cross-entropy", r"L = -\sum m \log \mathrm{softmax}(z)_y = \sum m (\log \textstyle\sum_v e^{z_v} - z_y)")
def categorical_cross_entropy(logits, targets, mask):
    """The cost of one class out of V, summed where the mask is 1.

    logits        (T, B, V)           before the softmax
    targets       (T, B) [int < V]    the right class
    mask          (T, B) [mask]       1 where an answer is asked, 0 elsewhere
    returns loss  ()
    """
    shifted = logits - max_for_shift(logits)                                        # (T, B, V)
    log_sum = np.log(np.exp(shifted).sum(-1))                                       # (T, B)
    of_target = shifted[of_targets(targets)]                                        # (T, B)
    return (mask * (log_sum - of_target)).sum()


@categorical_cross_entropy.backward
def categorical_cross_entropy_backward(dloss, logits, targets, mask):
    # loss = sum m (log sum exp z - z_y):  dz = p - one_hot(y)
    dlogits = softmax(logits)                                                       # (T, B, V)
    dlogits[of_targets(targets)] -= 1
    dlogits *= (dloss * mask)[..., None]
    return dlogits


def of_targets(targets):
    """The index that picks the right class everywhere: z[of_targets(y)] is (T, B)."""
    return (*np.indices(targets.shape, sparse=True), targets)


Kernel("loss.categorical", of=categorical_cross_entropy, functions="numpymem.ops.kernels_losses:categorical:categorical_backward")
