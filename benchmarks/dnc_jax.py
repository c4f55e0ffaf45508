"""The same DNC in JAX: `jit` of value_and_grad of `lax.scan`, batched by hand, in the best form we could find.

What was tried (JAX 0.10.2), in ms per sequence of the work `dnc` at batch 16, two runs (three short rounds; five rounds). The
machine was very busy (load 9): read a run's numbers beside each other, not as speeds; `--all-forms` measures again.

    columns, remat all, free by sort, links by dots, late weight gradients      36    45
    the same, the links' gradient as one product (own)                                33
    the same, nothing computed again (remat none)                               41
    the same, all but matrix products computed again (cheap)                    37    44
    free by argsort                                                             42
    free by pairs                                                               53
    links by multiply and sum                                                   77
    weight gradients summed up inside the scan                                  39
    unroll 4 (and 3 times the compile time)                                     56
    memory as rows (B, N, W)                                                    41
    memory as rows, nothing else done (as one writes it first)                  49

The allocation and the links alone (41 steps, batch 16, 64 slots, forward and back) showed the same order, and of ranks and a matrix
of ones for the sort, or gathers written by hand for its gradient, neither was faster than the sort as JAX differentiates it.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from benchmarks import jax_step
from benchmarks.jax_step import over_time
from numpymem.ops.cosine import EPS as COSINE_EPS


class Form(NamedTuple):
    """
    unroll    steps in one iteration of the scan
    memory    "rows" (B, N, W), or "columns" (B, W, N): then everything runs along the slots
    late      weight gradients as one matrix product after the scan, not summed up inside of it
    remat     what of a step backward computes again: "none", "all", or "cheap" (all but matrix products)
    free      the allocation by "sort" (with its order, then cumprod, then scattered back), by "argsort" (twice, and take), or by
              "pairs": the product over all slots before a slot, which nothing has to sort
    links     forward and backward weights as matrix products ("dots"), the same with one product for the links' gradient, which we
              wrote by hand ("own"), or as multiply and sum ("sums")
    """
    unroll: int = 1
    memory: str = "columns"
    late: bool = True
    remat: str = "all"
    free: str = "sort"
    links: str = "dots"

    def __str__(self):
        return ", ".join([f"unroll {self.unroll}", self.memory, f"remat {self.remat}", f"free by {self.free}",
                          f"links by {self.links}"] + ["late weight gradients"] * self.late)


KEPT = {"all": None, "cheap": jax.checkpoint_policies.dots_saveable}
TRIED = [Form(links="own"), Form(), Form(remat="cheap"), Form(remat="none"), Form(free="argsort"), Form(free="pairs"),
         Form(links="sums"), Form(late=False), Form(unroll=4), Form(memory="rows"), Form(memory="rows", remat="none", late=False)]
BEST = {1: TRIED[:3]}                            # batch size -> forms: too near each other to choose one


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
    """The same, but the scan's transpose does not add up W_chi's and W_xi's gradients step by step: it hands out the gradients of
    pre_t and raw_t, and one matrix product each over all steps follows."""
    inside = {name: params[name] for name in ("W_chi", "W_xi", "b_xi")}
    outside = {name: params[name] for name in ("W_y", "b_y")}
    pre_x = inputs @ params["W_x"] + params["b"]                                 # (T, B, G)
    tap = jnp.zeros((*inputs.shape[:2], model.sizes.raw), pre_x.dtype)           # its gradient is that of raw

    def loss_of(outside, pre_x, tap):
        h, r, chi = unrolled(model, form, inside, pre_x, tap)
        loss, logits = loss_and_logits(outside, h, r, targets, mask)
        return loss, (logits, h, chi)
    (loss, (logits, h, chi)), (grads, dpre, draw) = jax.value_and_grad(loss_of, argnums=(0, 1, 2),
                                                                       has_aux=True)(outside, pre_x, tap)
    weights = {"W_x": over_time(inputs, dpre), "b": dpre.sum((0, 1)), "W_chi": over_time(chi, dpre),
               "W_xi": over_time(h, draw), "b_xi": draw.sum((0, 1))}
    return loss, logits, grads | weights


def loss_and_logits(params, h, r, targets, mask):
    T, B, _ = h.shape
    logits = jnp.concatenate([h, r.reshape(T, B, -1)], axis=2) @ params["W_y"] + params["b_y"]
    return jax_step.binary_loss(logits, targets, mask), logits


# ---- the model -----------------------------------------------------------------------------------------------------

def unrolled(model, form, params, pre_x, tap):
    """All time steps -> h (T, B, C), r (T, B, R, W), chi (T, B, U)."""
    def body(state, arrived):
        return time_step(model.sizes, form, params, state, *arrived)
    if form.remat != "none":
        body = jax.checkpoint(body, policy=KEPT[form.remat])
    _, kept = jax.lax.scan(body, start(model, form, pre_x), (pre_x, tap), unroll=form.unroll)
    return kept


def start(model, form, pre_x):
    """h, c, r, w_r, w_w, u, p, L, M before the first step: zeros. A feedforward controller has no h and c."""
    c, R, B = model.config, model.sizes.R, pre_x.shape[1]
    C = c.controller_size if model.is_lstm else 0
    memory = (c.N, c.W) if form.memory == "rows" else (c.W, c.N)
    shapes = (C,), (C,), (R, c.W), (R, c.N), (c.N,), (c.N,), (c.N,), (c.N, c.N), memory
    return tuple(jnp.zeros((B, *shape), pre_x.dtype) for shape in shapes)


def time_step(sizes, form, params, state, pre_x, tap):
    h_prev, c, r, *memory = state
    chi = jnp.concatenate([r.reshape(len(r), -1), h_prev], axis=1)
    pre = pre_x + chi @ params["W_chi"]
    if c.shape[1]:
        i, f, o, candidate = jnp.split(pre, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(candidate)
        h = h_later = jax.nn.sigmoid(o) * jnp.tanh(c)
    else:
        h, h_later = jnp.tanh(pre), h_prev
    raw = h @ params["W_xi"] + params["b_xi"] + tap
    r, *memory = memory_step(sizes, form, raw, *memory)
    return (h_later, c, r, *memory), (h, r, chi)


def memory_step(sizes, form, raw, w_r, w_w, u, p, L, M):
    """-> r, w_r, w_w, u, p, L, M. Without the improvements of 2019."""
    k_r, beta_r, k_w, beta_w, e, v, f, g_a, g_w, pi = (
        part.reshape(len(raw), *shape) for part, shape in zip(jnp.split(raw, sizes.cuts[:9], axis=1), sizes.parts.values()))
    # free, allocate, write
    u = (u + w_w - u * w_w) * jnp.prod(1 - jax.nn.sigmoid(f) * w_r, axis=1)
    g_a, g_w = jax.nn.sigmoid(g_a), jax.nn.sigmoid(g_w)
    w_w = g_w * (g_a * FREE[form.free](u) + (1 - g_a) * content(form, k_w, beta_w, M)[:, 0])
    M = M * (1 - outer(form, w_w, jax.nn.sigmoid(e[:, 0]))) + outer(form, w_w, v[:, 0])
    # link, read
    L, p = linked(L, w_w, p)
    w_b, w_f = along(form, L, w_r)
    c_r, pi = content(form, k_r, beta_r, M), jax.nn.softmax(pi)
    w_r = pi[..., 0:1] * w_b + pi[..., 1:2] * c_r + pi[..., 2:3] * w_f
    r = jnp.einsum("bhn,bnw->bhw" if form.memory == "rows" else "bhn,bwn->bhw", w_r, M)
    return r, w_r, w_w, u, p, L, M


def linked(L, w_w, p):
    """Links and precedence after a write: one pass over the links."""
    row, column = w_w[:, :, None], w_w[:, None, :]
    L = ((1 - row - column) * L + row * p[:, None, :]) * (1 - jnp.eye(L.shape[1], dtype=L.dtype))
    return L, (1 - w_w.sum(1, keepdims=True)) * p + w_w


def along(form, L, w_r):
    """Backward and forward weights (B, R, N)."""
    if form.links == "sums":
        return (L[:, None] * w_r[..., :, None]).sum(2), (L[:, None] * w_r[..., None, :]).sum(3)
    return (own_dots if form.links == "own" else dots)(L, w_r)


def dots(L, w_r):
    return w_r @ L, (L @ w_r.swapaxes(1, 2)).swapaxes(1, 2)


@jax.custom_vjp
def own_dots(L, w_r):
    return dots(L, w_r)


def own_dots_backward(saved, d):
    (L, w_r), (dw_b, dw_f) = saved, d
    dL = jnp.concatenate([w_r, dw_f], axis=1).swapaxes(1, 2) @ jnp.concatenate([dw_b, w_r], axis=1)
    return dL, (L @ dw_b.swapaxes(1, 2)).swapaxes(1, 2) + dw_f @ L


own_dots.defvjp(lambda L, w_r: (dots(L, w_r), (L, w_r)), own_dots_backward)


def content(form, k, beta, M):
    """Content weights (B, H, N) of raw strengths."""
    k_hat = k * jax.lax.rsqrt((k * k).sum(-1, keepdims=True) + COSINE_EPS)
    M_hat = M * jax.lax.rsqrt((M * M).sum(-1 if form.memory == "rows" else -2, keepdims=True) + COSINE_EPS)
    K = jnp.einsum("bhw,bnw->bhn" if form.memory == "rows" else "bhw,bwn->bhn", k_hat, M_hat)
    return jax.nn.softmax((1 + jax.nn.softplus(beta)) * K)


def outer(form, w, v):
    """w (B, N) and v (B, W) -> as large as the memory."""
    return w[:, :, None] * v[:, None, :] if form.memory == "rows" else w[:, None, :] * v[:, :, None]


# ---- the allocation: u (B, N) -> a (B, N) ------------------------------------------------------------------------------

def free_by_sort(u):
    slots = jnp.broadcast_to(jnp.arange(u.shape[1]), u.shape)
    u_sorted, phi = jax.lax.sort((u, slots), dimension=1, is_stable=True, num_keys=1)
    return jnp.zeros_like(u).at[jnp.arange(len(u))[:, None], phi].set(allocated(u_sorted), unique_indices=True)


def free_by_argsort(u):
    phi = jax.lax.stop_gradient(jnp.argsort(u, axis=1, stable=True))
    return jnp.take_along_axis(allocated(jnp.take_along_axis(u, phi, axis=1)), jnp.argsort(phi, axis=1), axis=1)


def allocated(u_sorted):
    before = jnp.concatenate([jnp.ones_like(u_sorted[:, :1]), u_sorted[:, :-1]], axis=1)
    return (1 - u_sorted) * jnp.cumprod(before, axis=1)


def free_by_pairs(u):
    slots = jnp.arange(u.shape[1])
    this, other = u[:, :, None], u[:, None, :]
    comes_before = (other < this) | ((other == this) & (slots[None, :] < slots[:, None]))          # (B, N, N)
    return (1 - u) * jnp.where(comes_before, other, 1).prod(2)


FREE = {"sort": free_by_sort, "argsort": free_by_argsort, "pairs": free_by_pairs}
