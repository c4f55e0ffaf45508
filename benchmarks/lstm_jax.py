"""The same stacked LSTM in JAX: `jit` of value_and_grad of `lax.scan`, in the best form we could find.

What was tried (JAX 0.10.2), in ms per sequence at batch 1 and 16. The machine was busy (load 3): read them beside each other,
not as speeds; `--all-forms` measures again.

    layers apart, late weight gradients                           17     11
    the same, all but matrix products computed again (cheap)      18     12
    the same, everything computed again (remat all)               23     19
    unroll 2; unroll 4                                            19; 19 15; 24
    weight gradients summed up inside the scan                    30     22
    all layers in one scan                                        55     26
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchmarks import jax_step
from benchmarks.jax_step import over_time


class Form(NamedTuple):
    """
    unroll    steps in one iteration of the scan
    late      weight gradients as one matrix product after the scan, not summed up inside of it
    remat     what of a step backward computes again: "none", "all", or "cheap" (all but matrix products)
    layers    "apart": a scan a layer, each with its input projection for all steps at once; "together": all layers in one scan
    """
    unroll: int = 1
    late: bool = True
    remat: str = "none"
    layers: str = "apart"

    def __str__(self):
        return f"unroll {self.unroll}, layers {self.layers}, remat {self.remat}" + ", late weight gradients" * self.late


KEPT = {"all": None, "cheap": jax.checkpoint_policies.dots_saveable}
TRIED = [Form(), Form(remat="cheap"), Form(remat="all"), Form(unroll=2), Form(unroll=4), Form(late=False),
         Form(layers="together", late=False)]
BEST = {1: TRIED[:2]}                           # batch size -> forms


def contenders(work, all_forms=False):
    """One for each of the best forms at the nearest batch size tried, or for each that was tried."""
    return [contender(work, form) for form in (TRIED if all_forms else jax_step.best(BEST, work))]


def contender(work, form):
    step = late_step if form.late else plain_step
    return jax_step.contender(work, str(form), functools.partial(step, work.model.config.layers, form))


# ---- a training step -----------------------------------------------------------------------------------------------

def plain_step(layers, form, params, inputs, targets, mask):
    """value_and_grad as everyone writes it -> (loss, logits, gradients)."""
    def loss_of(params):
        taps = jnp.zeros((layers, 1, 1, 1), inputs.dtype)
        h = together(layers, form, params, inputs) if form.layers == "together" else apart(layers, form, params, taps, inputs)[-1]
        logits = h @ params["W_y"] + params["b_y"]
        return jax_step.binary_loss(logits, targets, mask), logits
    (loss, logits), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
    return loss, logits, grads


def late_step(layers, form, params, inputs, targets, mask):
    """The same, but only the gradients of pre_t come out of the scans; one matrix product each over all steps follows."""
    inside = {name: value for name, value in params.items() if name[:3] in ("W_x", "W_u")}
    outside = {name: value for name, value in params.items() if name not in inside and name not in biases(layers)}
    size = params["W_u0"].shape[1]
    taps = [jnp.broadcast_to(params[name], (*inputs.shape[:2], size)) for name in biases(layers)]

    def loss_of(outside, taps):
        h = apart(layers, form, inside | outside, taps, inputs)
        logits = h[-1] @ outside["W_y"] + outside["b_y"]
        return jax_step.binary_loss(logits, targets, mask), (logits, h)
    (loss, (logits, h)), (grads, dpre) = jax.value_and_grad(loss_of, argnums=(0, 1), has_aux=True)(outside, taps)
    for layer, (x, d) in enumerate(zip([inputs, *h], dpre)):
        start = jnp.broadcast_to(params[f"h0_{layer}"], h[layer][:1].shape)
        grads |= {f"W_x{layer}": over_time(x, d), f"b{layer}": d.sum((0, 1)),
                  f"W_u{layer}": over_time(jnp.concatenate([start, h[layer][:-1]]), d)}
    return loss, logits, grads


def biases(layers):
    return [f"b{layer}" for layer in range(layers)]


# ---- the model -----------------------------------------------------------------------------------------------------

def apart(layers, form, params, taps, x):
    """x (T, B, X) -> h (T, B, C) of each layer. `taps` are added to what the gates see: the bias, if not zero."""
    shown = []
    for layer in range(layers):
        pre_x = x @ params[f"W_x{layer}"] + taps[layer] + params.get(f"b{layer}", 0)
        W_u = params[f"W_u{layer}"]

        def body(state, pre_x, W_u=W_u):
            h, c = cell(pre_x + state[0] @ W_u, state[1])
            return (h, c), h
        start = jax_step.repeated((params[f"h0_{layer}"], params[f"c0_{layer}"]), x.shape[1])
        x = scanned(form, body, start, pre_x)
        shown.append(x)
    return shown


def together(layers, form, params, x):
    """All layers in the body of one scan -> h (T, B, C) of the last."""
    def body(state, x):
        new = []
        for layer, (h, c) in enumerate(state):
            h, c = cell(x @ params[f"W_x{layer}"] + h @ params[f"W_u{layer}"] + params[f"b{layer}"], c)
            new.append((h, c))
            x = h
        return tuple(new), x
    start = tuple(jax_step.repeated((params[f"h0_{layer}"], params[f"c0_{layer}"]), x.shape[1]) for layer in range(layers))
    return scanned(form, body, start, x)


def scanned(form, body, start, x):
    if form.remat != "none":
        body = jax.checkpoint(body, policy=KEPT[form.remat])
    return jax.lax.scan(body, start, x, unroll=form.unroll)[1]


def cell(pre, c):
    i, f, o, candidate = jnp.split(pre, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(candidate)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c
