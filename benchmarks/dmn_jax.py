"""The same DMN+ in JAX: `jit` of value_and_grad with `lax.scan` for the GRUs, time first, in the best form we could find.

What was tried (JAX 0.10.2): see TRIED; `--all-forms` measures it again. All have the products of inputs for all steps at once.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import jax_step
from benchmarks.jax_step import over_time
from benchmarks.memn2n_jax import categorical_loss
from numpymem.memn2n.equations import LOWEST, position_weights


class Form(NamedTuple):
    """
    unroll    steps in one iteration of a scan
    late      weight gradients of U as one matrix product after the scan, not summed up inside of it
    together  both directions of the fusion in one scan
    """
    unroll: int = 1
    late: bool = True
    together: bool = False

    def __str__(self):
        return f"unroll {self.unroll}" + ", late weight gradients" * self.late + ", both directions in one scan" * self.together


TRIED = [Form(), Form(late=False), Form(unroll=2), Form(unroll=5), Form(together=True), Form(unroll=5, late=False)]
BEST = {100: TRIED[:1] + TRIED[2:4]}


def contenders(work, all_forms=False):
    """One for each of the best forms, or for each that was tried."""
    return [contender(work, form) for form in (TRIED if all_forms else jax_step.best(BEST, work))]


def contender(work, form):
    model = work.model
    story = model.read(work.batch.inputs, np.float32)                    # trimmed as ours is
    short = work._replace(batch=work.batch._replace(inputs=(story.sentences, story.query)))
    l = position_weights(model.config.max_sentence_words, model.config.d)

    def compute(params, inputs, targets, mask):
        inside = {name: params[name] for name in ("U_q", "U_f", "U_r", "U_c")} if form.late else {}
        outside = {name: value for name, value in params.items() if name not in inside}

        def loss_of(outside, taps):
            logits, states = forward(model.config, form, l, inside | outside, *inputs, taps)
            return categorical_loss(logits, targets, mask), (logits, states)
        (loss, (logits, states)), (grads, dy) = jax.value_and_grad(loss_of, (0, 1), has_aux=True)(
            outside, taps_of(model.config, params, *inputs) if form.late else {})
        for name, each in dy.items():
            zero = jnp.zeros_like(states[name][0][0])
            grads[f"U_{name}"] = sum(late_weight(h, zero, d) for h, d in zip(states[name], each))
        return loss, logits, grads
    return jax_step.contender(short, str(form), compute)


def taps_of(config, params, sentences, query):
    """Zeros that are added to U h in each scan: their gradients are those of U h."""
    (B, I), J = sentences.shape[:2], query.shape[1]
    steps = {"q": [J], "f": [I], "r": [I], "c": [I] * config.passes}
    return {name: [jnp.zeros((T, B, params[f"U_{name}"].shape[1]), jnp.float32) for T in each] for name, each in steps.items()}


def late_weight(h, h0, dy):
    """The gradient of U, as one product over all steps."""
    return over_time(jnp.concatenate([h0[None], h[:-1]]), dy)


# ---- the model, time first ---------------------------------------------------------------------------------------------------

def forward(config, form, l, params, sentences, query, taps):
    """-> logits (B, Y), {name of a GRU: [states (T, B, d) of each scan]}"""
    real = (sentences[:, :, 0] != 0).T[..., None].astype(jnp.float32)                    # (I, B, 1)
    zero = jnp.zeros((len(query), config.d), jnp.float32)
    E = params["E"].at[0].set(0)
    states = {name: [] for name in "qfrc"}

    def run(name, x, g, real):
        tap = taps[name][len(states[name])] if taps else None
        h = gru(form, x @ params[f"W_{name}"] + params[f"b_{name}"], params[f"U_{name}"], zero, real, tap, g)
        states[name].append(h)
        return h
    asked = (query != 0).T[..., None].astype(jnp.float32)
    q = run("q", E[query.T], None, asked)[-1]
    words = sentences.swapaxes(0, 1)                                                     # (I, B, J)
    e = (jnp.asarray(l, jnp.float32)[(words != 0).sum(-1), :words.shape[-1]] * E[words]).sum(-2)
    if form.together:
        f = both_directions(params, states, taps, e, zero, real) * real
    else:
        back = run("r", e[::-1], None, real[::-1])
        f = (run("f", e, None, real) + back[::-1]) * real
    m = q
    for t in range(config.passes):
        z = jnp.concatenate([f * q, f * m, jnp.abs(f - q), jnp.abs(f - m)], -1)
        Z = jnp.tanh(z @ params["W_1"] + params["b_1"]) @ params["W_2"]                  # (I, B, 1)
        g = jax.nn.softmax(jnp.where(real > 0, Z, LOWEST), axis=0) * real
        c = run("c", f, g, real)[-1]
        m = jax.nn.relu(jnp.concatenate([m, c, q], 1) @ params[f"W_m{t + 1}"] + params[f"b_m{t + 1}"])
    return jnp.concatenate([m, q], 1) @ params["W_a"] + params["b_a"], states


def gru(form, x, U, h0, real, tap=None, g=None):
    """x (T, B, 3 d), or (T, B, 2 d) with the gates g (T, B, 1) of the attention GRU -> states (T, B, d)."""
    d = U.shape[0]

    def body(h, each):
        x, weight, tap = each
        y = h @ U + (0 if tap is None else tap)
        gates = jax.nn.sigmoid(x[:, :-d] + y[:, :-d])
        candidate = jnp.tanh(x[:, -d:] + gates[:, -d:] * y[:, -d:])
        if g is None:
            weight = weight * gates[:, :d]
        h = h + weight * (candidate - h)
        return h, h
    return jax.lax.scan(body, h0, (x, real if g is None else g, tap), unroll=form.unroll)[1]


def both_directions(params, states, taps, e, zero, real):
    """The GRUs of the fusion in the body of one scan: their products as one batched product."""
    U, d = jnp.stack([params["U_f"], params["U_r"]]), len(params["U_f"])
    x = jnp.stack([e @ params["W_f"] + params["b_f"], e[::-1] @ params["W_r"] + params["b_r"]], 1)       # (I, 2, B, 3 d)
    tap = jnp.stack([taps["f"][0], taps["r"][0]], 1)

    def body(h, each):
        x, weight, tap = each
        y = jnp.einsum("kbd,kdg->kbg", h, U) + tap
        gates = jax.nn.sigmoid(x[..., :-d] + y[..., :-d])
        candidate = jnp.tanh(x[..., -d:] + gates[..., -d:] * y[..., -d:])
        h = h + weight * gates[..., :d] * (candidate - h)
        return h, h
    weights = jnp.stack([real, real[::-1]], 1)
    h = jax.lax.scan(body, jnp.stack([zero, zero]), (x, weights, tap))[1]
    states["f"].append(h[:, 0])
    states["r"].append(h[:, 1])
    return h[:, 0] + h[::-1, 1]
