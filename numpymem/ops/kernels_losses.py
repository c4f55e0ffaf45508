"""Compiled loops for the categorical cross entropy: few and short rows, for which calls of NumPy take longer than the sums."""

import numpy as np

from numpymem.kernel import compile_loop
from numpymem.ops.kernels_math import exp, log

loop = compile_loop(allocates=False)
part = compile_loop(allocates=False, inline="always")


@part
def top_of(z):
    top = z[0]
    for v in range(z.size):
        top = max(top, z[v])
    return top


@loop
def cost(logits, targets, mask, loss):
    """Add the loss to loss[0]. -> False if a target is no class."""
    for n in range(targets.size):
        z, y, total = logits[n], targets[n], logits.dtype.type(0)
        if y < -z.size or y >= z.size:
            return False
        top = top_of(z)
        for v in range(z.size):
            total += exp(z[v] - top)
        loss[0] += mask[n] * (log(total) - (z[y] - top))
    return True


@loop
def cost_backward(dloss, logits, targets, mask, dlogits):
    # loss = sum m (log sum exp z - z_y):  dz = softmax(z) - one_hot(y)
    for n in range(targets.size):
        z, dz, total, factor = logits[n], dlogits[n], logits.dtype.type(0), dloss[0] * mask[n]
        top = top_of(z)
        for v in range(z.size):
            dz[v] = exp(z[v] - top)
            total += dz[v]
        for v in range(z.size):
            dz[v] *= factor / total
        dz[targets[n]] -= factor


def categorical(logits, targets, mask):
    loss = np.zeros(1, logits.dtype)
    if not cost(*rows(logits, targets, mask), loss):
        raise IndexError(f"targets: expected classes from 0 to {logits.shape[-1] - 1}, received {targets.min()} to {targets.max()}")
    return loss[0]


def categorical_backward(dloss, logits, targets, mask):
    dlogits = np.empty(logits.shape, logits.dtype)
    cost_backward(np.asarray(dloss, logits.dtype).reshape(1), *rows(logits, targets, mask), dlogits.reshape(-1, logits.shape[-1]))
    return dlogits


def rows(logits, targets, mask):
    """All places one after the other: (places, V), (places), (places)."""
    logits, targets, mask = map(np.ascontiguousarray, (logits, targets, mask))
    return logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), mask.reshape(-1)
