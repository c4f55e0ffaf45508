"""The same memory Transformer in JAX: `jit` of value_and_grad, with `lax.scan` over the items, in the best form we could find. All
products for raw head parameters stand before the scan, so weight gradients are one product each anyway; the step of the memory is
that of ntm_jax.py. How a batch becomes rows and items (numpymem/memory_transformer/reading.py) is done before and not timed, as is
what is held of raw numbers; ours does both in each step.

What was tried (JAX 0.10.2): see TRIED; `--all-forms` measures it again.
"""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import jax_step, ntm_jax
from benchmarks.memn2n_jax import categorical_loss
from numpymem.memn2n.equations import LOWEST
from numpymem.memory_transformer.memory import held_of_items, read_sizes, start_weights, write_sizes
from numpymem.memory_transformer.reading import read
from numpymem.memory_transformer.transformer import EPS, position_code

TRIED = [ntm_jax.Form(remat=remat, unroll=unroll, memory=memory)
         for remat, unroll, memory in (("none", 1, "columns"), ("all", 1, "columns"), ("none", 5, "columns"), ("none", 1, "rows"))]
BEST = {64: TRIED[:3]}


def contenders(work, all_forms=False):
    """One for each of the best forms, or for each that was tried."""
    return [contender(work, form) for form in (TRIED if all_forms else jax_step.best(BEST, work))]


def contender(work, form):
    config = work.model.config
    told = read(config, work.batch.inputs)
    held = held_of_items(config, told.written, np.float32)
    data = told.words, told.rows, told.question, told.prompt, told.story, told.number, told.place, told.written, held
    short = work._replace(batch=work.batch._replace(inputs=data))

    def compute(params, inputs, targets, mask):
        def loss_of(params):
            logits = forward(config, form, told.spell, params, *inputs)
            return categorical_loss(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), mask.reshape(-1)), logits
        (loss, logits), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
        return loss, logits, grads
    return jax_step.contender(short, f"unroll {form.unroll}, {form.memory}, remat {form.remat}", compute)


# ---- the model ---------------------------------------------------------------------------------------------------------------

def forward(config, form, spell, params, words, rows, question, prompt, story, number, place, written, held):
    """-> logits (T, B, Y). Without marks, pointers and dropout; memory "ntm"."""
    root = np.float32(np.sqrt(config.d))
    vectors = params["E"].at[0].set(0)[words].sum(1) * root
    x_q = encode(config, params, vectors[question], question != 0)
    x = encode(config, params, vectors[rows], rows != 0)
    h = items(config, spell, x, rows != 0, story, number, place, written)
    M = memory(config, form, params, h, held)
    z = params["O"].at[0].set(0)[prompt] * root
    z = z + position_code(z.shape[1], config.d, np.float32)
    for layer in range(1, config.decoder_layers + 1):
        z = look(config, params, f"d{layer}_self", z, None, np.tri(z.shape[1])[None] > 0)
        z = look(config, params, f"d{layer}_cross", z, x_q, (question != 0)[:, None])
        z = recall(config, form, params, f"d{layer}_read", z, M)
        z = feed(params, f"d{layer}_ff", z)
    z = norm(params, "d", z)
    return (z @ params["O"][1:].T + params["O_b"]).swapaxes(0, 1)


def encode(config, params, x, seen):
    x = x + position_code(x.shape[1], config.d, np.float32)
    for layer in range(1, config.encoder_layers + 1):
        x = look(config, params, f"e{layer}_self", x, None, seen[:, None])
        x = feed(params, f"e{layer}_ff", x)
    return norm(params, "e", x)


def norm(params, name, x):
    away = x - x.mean(-1, keepdims=True)
    return params[f"{name}_g"] * away * jax.lax.rsqrt((away * away).mean(-1, keepdims=True) + EPS) + params[f"{name}_b"]


def look(config, params, name, x, seen, mask):
    """x + what its places find; mask broadcasts with (B, T, S)."""
    W_q, W_k, W_v, W_o = (params[f"{name}_{which}"] for which in ("W_q", "W_k", "W_v", "W_o"))
    x_n = norm(params, name, x)
    seen = x_n if seen is None else seen
    q, k, v = ((y @ W).reshape(*y.shape[:2], config.heads, -1) for y, W in ((x_n, W_q), (seen, W_k), (seen, W_v)))
    scores = jnp.einsum("btad,bsad->bats", q, k) * np.float32(q.shape[-1] ** -0.5)
    p = jax.nn.softmax(jnp.where(mask[:, None], scores, LOWEST))
    return x + jnp.einsum("bats,bsad->btad", p, v).reshape(x.shape) @ W_o


def feed(params, name, x):
    a = jax.nn.relu(norm(params, name, x) @ params[f"{name}_W_1"] + params[f"{name}_b_1"])
    return x + a @ params[f"{name}_W_2"] + params[f"{name}_b_2"]


def items(config, spell, x, real, story, number, place, written):
    """-> (B, I, d), in the order of each story"""
    d, real = x.shape[-1], real.reshape(-1, spell[1]).astype(x.dtype)                          # (R I, J)
    mean = (x.reshape(-1, spell[1], d) * (real / jnp.maximum(real.sum(1, keepdims=True), 1))[..., None]).sum(1)
    h = jnp.zeros((*written.shape, d), x.dtype).at[story, number].set(mean[place], unique_indices=True)
    return (h + position_code(h.shape[1], d, np.float32)) * written[..., None]


def memory(config, form, params, h, held):
    """All items written -> the memory."""
    kept, fixed = held
    raw = (h.swapaxes(0, 1) @ params["write_W"] + params["write_b"]) * kept + fixed             # (I, B, P)
    M = params.get("M_0", jnp.full((config.N, config.W), 1e-6, h.dtype))
    M = jnp.broadcast_to(M if form.memory == "rows" else M.T, (len(h), *(M.shape if form.memory == "rows" else M.T.shape)))
    w = jnp.asarray(start_weights(len(h), config.write_heads, config.N, np.float32))

    def body(state, raw):
        return ntm_jax.memory_step(write_sizes(config), form, raw, *state)[1:], None
    if form.remat == "all":
        body = jax.checkpoint(body)
    return jax.lax.scan(body, (w, M), raw, unroll=form.unroll)[0][1]


def recall(config, form, params, name, z, M):
    raw = norm(params, name, z) @ params[f"{name}_W"] + params[f"{name}_bias"]                   # (B, T, P)
    w, found = jnp.asarray(start_weights(len(z), config.read_heads, config.N, np.float32)), []
    for t in range(z.shape[1]):
        r, w, _ = ntm_jax.memory_step(read_sizes(config), form, raw[:, t], w, M)
        found.append(r.reshape(len(z), -1))
    return z + jax.nn.sigmoid(z @ params[f"{name}_W_g"] + params[f"{name}_b_g"]) * (jnp.stack(found, 1) @ params[f"{name}_W_r"])
