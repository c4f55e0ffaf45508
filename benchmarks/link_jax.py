"""The links of benchmarks/link_model.py in JAX, in the best form we could find.

What was tried (JAX 0.10.2), in ms per sequence at batch 16; the machine was very busy (load 9), `--all-forms` measures again.

    remat all, one product for the links' gradient (own)     21
    remat all, links by dots                                 26
    nothing computed again (remat none), dots; own           26; 27
    links by multiply and sum                                three to four times as long (another run)
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchmarks import jax_step
from benchmarks.dnc_jax import along, linked


class Form(NamedTuple):
    """As in dnc_jax.py."""
    unroll: int = 1
    remat: str = "all"
    links: str = "dots"

    def __str__(self):
        return f"unroll {self.unroll}, remat {self.remat}, links by {self.links}"


TRIED = [Form(links="own"), Form(), Form(remat="none"), Form(links="own", remat="none"), Form(links="sums"), Form(unroll=4)]
BEST = {1: TRIED[:4]}


def contenders(work, all_forms=False):
    """One for each of the best forms, or for each that was tried."""
    return [jax_step.contender(work, str(form), functools.partial(step, form))
            for form in (TRIED if all_forms else jax_step.best(BEST, work))]


def step(form, params, inputs, targets, mask):
    """-> (loss, outputs, gradients)"""
    def loss_of(params):
        outputs = unrolled(form, params["w_w"], params["w_r"])
        return jax_step.binary_loss(outputs, targets, mask), outputs
    (loss, outputs), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
    return loss, outputs, grads


def unrolled(form, w_w, w_r):
    def body(state, arrived):
        L, p = state
        w_w, w_r = arrived
        L, p = linked(L, w_w, p)
        return (L, p), jnp.concatenate(along(form, L, w_r), axis=1).reshape(len(p), -1)
    if form.remat == "all":
        body = jax.checkpoint(body)
    _, B, N = w_w.shape
    start = jnp.zeros((B, N, N), w_w.dtype), jnp.zeros((B, N), w_w.dtype)
    return jax.lax.scan(body, start, (w_w, w_r), unroll=form.unroll)[1]
