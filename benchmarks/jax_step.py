"""What the references in JAX share: a contender from a function to compile, and late weight gradients."""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contender import Answer, Contender


def contender(work, detail, compute):
    """compute(params, inputs, targets, mask) -> (loss, outputs, gradients), which is compiled here."""
    params, data = jax.tree.map(jnp.asarray, (work.params, tuple(work.batch)))
    compiled = jax.jit(compute)

    def step():
        return jax.block_until_ready(compiled(params, *data))

    def answer(found):
        loss, outputs, grads = jax.tree.map(np.asarray, found)
        return Answer(float(loss), outputs, grads)

    return Contender("jax", f"{detail}; default threads", step, answer)


def best(forms, work):
    """Of a dict batch size -> forms the entry of the nearest batch size that was tried."""
    return forms[min(forms, key=lambda size: abs(size - work.batch_size))]


def over_time(x, dy):
    """A weight gradient over all time steps as one matrix product: (T, B, n), (T, B, m) -> (n, m)"""
    return x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])


def binary_loss(logits, targets, mask):
    """Mean over the bits asked for."""
    each = jax.nn.softplus(logits) - targets * logits
    return (mask[..., None] * each).sum() / (mask.sum() * targets.shape[-1])


def repeated(start, B):
    """Start values for each sequence of a batch."""
    return tuple(jnp.broadcast_to(value, (B, *value.shape)) for value in start)
