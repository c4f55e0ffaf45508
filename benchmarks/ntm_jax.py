"""The same NTM in JAX: `jit` of value_and_grad of `lax.scan`, batched by hand, in the best form we could find.

What was tried (JAX 0.10.2), in ms per sequence: LSTM controller at batch 1 and 16, feedforward at 16. The machine was busy
(load 3): read them beside each other, not as speeds; `--all-forms` measures again.

    roll, columns, remat all, late weight gradients               4.2    3.5    2.4
    the same, nothing computed again (remat none)                 5.2    5.0    2.7
    the same, all but matrix products computed again (cheap)      4.5    3.3    2.3
    slices instead of roll                                        4.9    3.6    2.0
    weight gradients summed up inside the scan                    4.1    4.0    2.5
    unroll 4 (and 3 times the compile time)                       10     4.4    2.4
    unroll 8                                                      17     4.5    3.5
    memory as rows (B, N, W)                                      6.3    4.7    3.1
    memory as rows, nothing else done (as one writes it first)    6.9    6.4    2.8

Earlier, in another run, and no longer here: one head after the other, 1.1 to 1.3 times as long; products with the
memory as multiply and sum, 2.5 to 4 times; XLA flags for one thread and for fast math: no difference beyond noise.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchmarks import jax_step
from benchmarks.jax_step import over_time
from numpymem.ntm.equations import EPS as SHARPEN_EPS
from numpymem.ntm.model import CONSTANT_MEMORY
from numpymem.ops.cosine import EPS as COSINE_EPS


class Form(NamedTuple):
    """
    unroll    steps in one iteration of the scan
    shift     equation (8) by "roll", or by "slices" of the weights with their ends put on both sides
    memory    "rows" (B, N, W), or "columns" (B, W, N): then everything runs along the slots
    late      weight gradients as one matrix product after the scan, not summed up inside of it
    remat     what of a step backward computes again: "none", "all", or "cheap" (all but matrix products)
    """
    unroll: int = 1
    shift: str = "roll"
    memory: str = "columns"
    late: bool = True
    remat: str = "all"

    def __str__(self):
        return ", ".join([f"unroll {self.unroll}", self.shift, self.memory]
                         + [f"remat {self.remat}"] + ["late weight gradients"] * self.late)


KEPT = {"all": None, "cheap": jax.checkpoint_policies.dots_saveable}
TRIED = [Form(), Form(remat="none"), Form(remat="cheap"), Form(shift="slices"), Form(late=False), Form(unroll=4),
         Form(unroll=8), Form(memory="rows"), Form(memory="rows", remat="none", late=False)]
BEST = {1: [TRIED[0], TRIED[2], TRIED[3]]}      # batch size -> forms: too near each other to choose one


def contenders(work, all_forms=False):
    """One for each of the best forms at the nearest batch size tried, or for each that was tried."""
    return [contender(work, form) for form in (TRIED if all_forms else jax_step.best(BEST, work))]


def contender(work, form):
    return jax_step.contender(work, str(form), functools.partial(late_step if form.late else plain_step, work.model, form))


# ---- a training step -----------------------------------------------------------------------------------------------

def plain_step(model, form, params, inputs, targets, mask):
    """value_and_grad as everyone writes it -> (loss, logits, gradients)."""
    def loss_of(params):
        pre_x = inputs @ params["W_x"] + params["b"]
        h, r, _ = unrolled(model, form, params, pre_x, jnp.zeros((len(inputs), 1, 1), pre_x.dtype))
        return loss_and_logits(params, h, r, targets, mask)
    (loss, logits), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
    return loss, logits, grads


def late_step(model, form, params, inputs, targets, mask):
    """The same, but the scan's transpose does not add up W_u's and W_heads's gradients step by step: it hands out the
    gradients of pre_t and raw_t, and one matrix product each over all steps follows."""
    inside = {name: params[name] for name in ("W_u", "W_heads", "b_heads")}
    outside = {name: params[name] for name in params if name not in (*inside, "W_x", "b")}
    pre_x = inputs @ params["W_x"] + params["b"]                                 # (T, B, P_c)
    tap = jnp.zeros((*inputs.shape[:2], params["W_heads"].shape[1]), pre_x.dtype)        # its gradient is that of raw

    def loss_of(outside, pre_x, tap):
        h, r, u = unrolled(model, form, inside | outside, pre_x, tap)
        loss, logits = loss_and_logits(outside, h, r, targets, mask)
        return loss, (logits, h, u)
    (loss, (logits, h, u)), (grads, dpre, draw) = jax.value_and_grad(loss_of, argnums=(0, 1, 2),
                                                                     has_aux=True)(outside, pre_x, tap)
    weights = {"W_x": over_time(inputs, dpre), "b": dpre.sum((0, 1)), "W_u": over_time(u, dpre),
               "W_heads": over_time(h, draw), "b_heads": draw.sum((0, 1))}
    return loss, logits, grads | weights


def loss_and_logits(params, h, r, targets, mask):
    T, B, _ = h.shape
    logits = jnp.concatenate([h, r.reshape(T, B, -1)], axis=2) @ params["W_y"] + params["b_y"]
    return jax_step.binary_loss(logits, targets, mask), logits


# ---- the model -----------------------------------------------------------------------------------------------------

def unrolled(model, form, params, pre_x, tap):
    """All time steps -> h (T, B, C), r (T, B, R, W), u (T, B, U)."""
    def body(state, arrived):
        return time_step(model.sizes, form, params, state, *arrived)
    if form.remat != "none":
        body = jax.checkpoint(body, policy=KEPT[form.remat])
    _, kept = jax.lax.scan(body, start(model, form, params, pre_x.shape[1]), (pre_x, tap), unroll=form.unroll)
    return kept


def start(model, form, params, B):
    """h, c, r, w, M before the first step."""
    config, dtype = model.config, params["W_y"].dtype
    none = jnp.zeros(0, dtype)                                       # a feedforward controller has no h and c
    M0 = params.get("M0", jnp.full((config.N, config.W), CONSTANT_MEMORY, dtype))
    return jax_step.repeated((params.get("h0", none), params.get("c0", none), jnp.tanh(params["r0_raw"]),
                              jax.nn.softmax(params["w0_logits"]), M0 if form.memory == "rows" else M0.T), B)


def time_step(sizes, form, params, state, pre_x, tap):
    h_prev, c, r, w, M = state
    u = jnp.concatenate([r.reshape(len(r), -1), h_prev], axis=1)
    pre = pre_x + u @ params["W_u"]
    if c.shape[1]:
        i, f, o, candidate = jnp.split(pre, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(candidate)
        h = h_later = jax.nn.sigmoid(o) * jnp.tanh(c)
    else:
        h, h_later = jnp.tanh(pre), h_prev
    raw = h @ params["W_heads"] + params["b_heads"] + tap
    r, w, M = memory_step(sizes, form, raw, w, M)
    return (h_later, c, r, w, M), (h, r, u)


def memory_step(sizes, form, raw, w_prev, M):
    B, R, Q, W, H = len(raw), sizes.R, sizes.Q, sizes.W, sizes.H
    k, beta, g, s, gamma, e, a = jnp.split(raw, sizes.cuts[:-1], axis=1)
    raw_heads = [part.reshape(B, H, -1) for part in (k, beta, g, s, gamma)]
    M_hat = M * jax.lax.rsqrt((M * M).sum(-1 if form.memory == "rows" else -2, keepdims=True) + COSINE_EPS)
    w = address(form, *raw_heads, w_prev, M_hat)
    r = times_rows(form, w[:, :R], M)
    e, a = jax.nn.sigmoid(e).reshape(B, Q, W), jnp.tanh(a).reshape(B, Q, W)
    for q in range(Q):
        M = M * (1 - outer(form, w[:, R + q], e[:, q]))
    for q in range(Q):
        M = M + outer(form, w[:, R + q], a[:, q])
    return r, w, M


def address(form, k, beta, g, s, gamma, w_prev, M_hat):
    """Equations (5) to (9) from raw head parameters (B, H, ...) -> w (B, H, N)."""
    k = jnp.tanh(k)
    k_hat = k * jax.lax.rsqrt((k * k).sum(-1, keepdims=True) + COSINE_EPS)
    w_c = jax.nn.softmax(jax.nn.softplus(beta) * times_slots(form, k_hat, M_hat))
    g = jax.nn.sigmoid(g)
    w_s = shifted(form, g * w_c + (1 - g) * w_prev, jax.nn.softmax(s))
    return jax.nn.softmax((1 + jax.nn.softplus(gamma)) * jnp.log(w_s + SHARPEN_EPS))


def outer(form, w, v):
    """w (B, N) and v (B, W) -> as large as the memory."""
    return w[:, :, None] * v[:, None, :] if form.memory == "rows" else w[:, None, :] * v[:, :, None]


def times_slots(form, k, M):
    """(B, H, W) x memory -> (B, H, N)"""
    return jnp.einsum("bhw,bnw->bhn" if form.memory == "rows" else "bhw,bwn->bhn", k, M)


def times_rows(form, w, M):
    """(B, H, N) x memory -> (B, H, W)"""
    return jnp.einsum("bhn,bnw->bhw" if form.memory == "rows" else "bhn,bwn->bhw", w, M)


def shifted(form, w, s):
    """Equation (8): s[j] moves the weights by j - S // 2 slots."""
    N, S = w.shape[-1], s.shape[-1]
    ends = S // 2
    if form.shift == "roll":
        return sum(s[..., j, None] * jnp.roll(w, j - ends, axis=-1) for j in range(S))
    circle = jnp.concatenate([w[..., N - ends:], w, w[..., :ends]], axis=-1)
    return sum(s[..., j, None] * circle[..., S - 1 - j:S - 1 - j + N] for j in range(S))
