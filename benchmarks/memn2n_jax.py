"""The same MemN2N in JAX: `jit` of value_and_grad, in the best form we could find.

What was tried (JAX 0.10.2), in ms a step at batch 32, of which 0.14 is the call of a compiled function with these arguments:

    folded: counts times (tables times state)                     0.56
    counts times tables, tables joined                            0.91
    gather and scatter-add, tables joined                         0.89
    gather and scatter-add, one table after the other             1.05
    one-hot products both ways                                    1.38
    gather, and back by a one-hot product                         1.80

Nothing gained, and no longer here: counts by a scatter-add or by comparisons, as fast; products with memories as multiply and sum,
1.1 to 1.3 times as long; synchronous dispatch, as fast.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import jax_step
from numpymem.memn2n.equations import LOWEST
from numpymem.memn2n.model import ENCODINGS


class Form(NamedTuple):
    """
    words   "gather": rows of the tables, times position weights, summed; their gradient is scattered back
            "product back": the same, but the gradient by a product with one-hot words
            "one-hot": one-hot words times the tables, both ways
            "counts": position weights are a + b k in the column k, so a sentence is two weighted counts of words, and all
            memories are one product: counts and one-hot ages times tables
            "folded": the memories are never made: counts times (tables times state)
    joined  all tables side by side as one, not one after the other
    """
    words: str = "gather"
    joined: bool = True

    def __str__(self):
        return self.words + ", tables joined" * self.joined


TRIED = [Form("gather"), Form("gather", False), Form("product back"), Form("one-hot"), Form("counts"), Form("folded", False)]
BEST = {32: [Form("folded", False), Form("counts"), Form("gather")]}             # batch size -> forms


def contenders(work, all_forms=False):
    """One for each of the best forms at the nearest batch size tried, or for each that was tried."""
    return [contender(work, form) for form in (TRIED if all_forms else jax_step.best(BEST, work))]


def contender(work, form):
    model = work.model
    l = ENCODINGS[model.config.encoding](model.config.max_sentence_words, model.config.d)

    def compute(params, inputs, targets, mask):
        def loss_of(params):
            logits = forward(model, form, l, params, *inputs)
            return categorical_loss(logits, targets, mask), logits
        (loss, logits), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
        return loss, logits, grads
    story = work.model.read(work.batch.inputs, np.float32)          # trimmed as ours is: nothing is computed for padding
    short = work._replace(batch=work.batch._replace(inputs=(story.sentences, story.query)))
    return jax_step.contender(short, str(form), compute)


def categorical_loss(logits, targets, mask):
    """Mean over the answers asked for."""
    of_target = jnp.take_along_axis(jax.nn.log_softmax(logits), targets[:, None], 1)[:, 0]
    return -(mask * of_target).sum() / mask.sum()


def forward(model, form, l, params, sentences, query):
    """sentences (B, I, J), query (B, J) -> logits (B, Y)."""
    told = sentences[:, :, 0] != 0                                                       # (B, I)
    I = sentences.shape[1]
    age = jnp.maximum(told.sum(1)[:, None] - jnp.arange(I), 0)                           # n, n - 1, ..., 1, 0, ...
    tables = [without_nil(params[name]) for name in model.tables]                        # (V, d)
    times = [without_nil(params[f"T_{name}"]) for name in model.tables]                  # (ages, d)
    u = encoded(form, l, query[:, None], tables[0])[:, 0]                                # (B, d)
    if form.words == "folded":
        u = hops_folded(l, tables, times, sentences, age, told, u)
    else:
        u = hops(memories(form, l, tables, times, sentences, age), told, u)
    return u @ params["W"]


def hops(memories, told, u):
    """Equations (1), (2) and (4): one memory's output side is the next hop's input side."""
    for m, c in zip(memories[:-1], memories[1:]):
        p = weights(jnp.einsum("bid,bd->bi", m, u), told)
        u = u + jnp.einsum("bi,bid->bd", p, c)
    return u


def hops_folded(l, tables, times, sentences, age, told, u):
    """The same from counts x (B, I, n) and tables E (n, d): m u = x (E u), and p c = (p x) E."""
    x = features(l, sentences, age, tables[0].shape[0], times[0].shape[0])
    tables = [with_slopes(E, T) for E, T in zip(tables, times)]
    for A, C in zip(tables[:-1], tables[1:]):
        p = weights(jnp.einsum("bin,bn->bi", x, u @ A.T), told)
        u = u + jnp.einsum("bi,bin->bn", p, x) @ C
    return u


def weights(scores, told):
    return jax.nn.softmax(jnp.where(told, scores, LOWEST)) * told


# ---- from words to memories ----------------------------------------------------------------------------------------

def memories(form, l, tables, times, sentences, age):
    """One (B, I, d) a table."""
    if form.joined:
        together = memory(form, l, jnp.concatenate(tables, 1), jnp.concatenate(times, 1), sentences, age)
        return jnp.split(together, len(tables), axis=-1)
    return [memory(form, l, E, T, sentences, age) for E, T in zip(tables, times)]


def memory(form, l, E, T, sentences, age):
    if form.words == "counts":
        return features(l, sentences, age, len(E), len(T)) @ with_slopes(E, T, l.shape[-1])
    return encoded(form, l, sentences, E) + rows(form, T, age)


def encoded(form, l, x, E):
    """x (B, I, J) -> (B, I, columns of E)"""
    if form.words in ("counts", "folded"):
        return counts(l, x, len(E)) @ with_slopes(E)
    length, columns = (x != 0).sum(-1), np.tile(l, E.shape[1] // l.shape[-1])
    return (jnp.asarray(columns, E.dtype)[length, :x.shape[-1]] * rows(form, E, x)).sum(-2)


def rows(form, E, ids):
    """E[ids], in one of three ways."""
    if form.words == "gather":
        return E[ids]
    if form.words == "product back":
        return product_back(E, ids)
    return jax.nn.one_hot(ids, len(E), dtype=E.dtype) @ E


@jax.custom_vjp
def product_back(E, ids):
    return E[ids]


def product_back_forward(E, ids):
    return E[ids], (ids, len(E))


def product_back_backward(saved, dy):
    ids, n = saved
    one_hot = jax.nn.one_hot(ids.reshape(-1), n, dtype=dy.dtype)
    return one_hot.T @ dy.reshape(-1, dy.shape[-1]), None


product_back.defvjp(product_back_forward, product_back_backward)


def without_nil(table):
    """Row 0 is no word: zero, whatever it holds."""
    return table.at[0].set(0)


# ---- position weights are linear in the column: l[n, j, k] = first[n, j] + k slope[n, j] ----------------------------

def counts(l, x, V):
    """How often each word stands in a sentence, weighted by `first` and by `slope`.  (B, I, 2 V)"""
    first, slope = l[:, :, 0], l[:, :, 1] - l[:, :, 0]
    length, J = (x != 0).sum(-1), x.shape[-1]
    one_hot = jax.nn.one_hot(x, V, dtype=jnp.float32)                                    # (B, I, J, V)
    return jnp.concatenate([jnp.einsum("bij,bijv->biv", jnp.asarray(part, one_hot.dtype)[length, :J], one_hot)
                            for part in (first, slope)], axis=-1)


def features(l, sentences, age, V, n_ages):
    """Counts of words, and the age as one-hot.  (B, I, 2 V + ages)"""
    return jnp.concatenate([counts(l, sentences, V), jax.nn.one_hot(age, n_ages, dtype=jnp.float32)], axis=-1)


def with_slopes(E, T=None, d=None):
    """What the counts are multiplied with: E, E times column number, and the times.  (2 V [+ ages], columns)"""
    columns = jnp.arange(E.shape[1], dtype=E.dtype) % (d or E.shape[1])
    return jnp.concatenate([E, E * columns, *([] if T is None else [T])])
