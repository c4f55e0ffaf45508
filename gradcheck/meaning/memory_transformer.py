"""What each equation of the memory Transformer means (see meaning.py). The whole model: memory_transformer_model.py."""

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, same, simplex
from numpymem.memory_transformer import transformer
from numpymem.memory_transformer.equations import fuse, hold, items, neighbours, pointer
from numpymem.memory_transformer.scan import READS, WRITES, read_all, write_all
from numpymem.memory_transformer.transformer import attention, feed_forward, layer_norm
from numpymem.ntm.step import HeadSizes

B, T, S, D, A, FAR = 2, 3, 5, 6, 2, 1e4
WRITER, READER = HeadSizes(R=0, Q=2, W=4, S=3), HeadSizes(R=2, Q=0, W=4, S=3)


def some(rng, *shape):
    return rng.standard_normal(shape)


# ---- Transformer ------------------------------------------------------------------------------------------------------------

@meaning("layer-norm-evens-out", "layer-norm")
def layer_norm_evens_out(rng):
    """Each row comes out with mean 0 and spread 1, however large it was and wherever it lay; then gain and bias stretch and move
    each number."""
    x, g, b = 30 * some(rng, 4, D), some(rng, D), some(rng, D)
    y = layer_norm(x, np.ones(D), np.zeros(D))[0]
    same(y.mean(-1), 0.0, "mean of a row", 1e-12)
    same(y.std(-1), 1.0, "spread of a row", 1e-6)
    same(layer_norm(10 * x + 7, np.ones(D), np.zeros(D))[0], y, "ten times the row, and 7 more", 1e-6)
    same(layer_norm(x, g, b)[0], g * y + b, "with gain and bias", 1e-12)


@meaning("attention-is-a-weighting", "Transformer-1")
def attention_is_a_weighting(rng):
    """The weights of every place and head sum to one, and none lies where a place may not look; what stands there does not matter.
    A place that may look nowhere looks everywhere alike."""
    q, k, v, mask = some(rng, B, T, D), some(rng, B, S, D), some(rng, B, S, D), np.ones((B, T, S))
    mask[0, :, 3:], mask[1, 0, 1], mask[1, 2] = 0, 0, 0
    y, p = attention(q, k, v, mask, A)
    distribution(p, "weights")
    there = mask.any(-1)[:, None, :, None] & (mask[:, None] == 0)
    same(p[np.broadcast_to(there, p.shape)], 0.0, "weights where a place may not look")
    same(p[1, :, 2], 1 / S, "weights of a place that may look nowhere", 1e-12)
    k[0, 3:], v[0, 3:] = 50, -70
    same(attention(q, k, v, mask, A)[0][0], y[0], "what is found, with other words where no place may look", 1e-12)


@meaning("attention-is-what-its-loops-say", "Transformer-1")
def attention_is_what_its_loops_say(rng):
    """Written as plain loops over stories, heads and places, the attention is the same; head a has the a-th part of the columns."""
    q, k, v, mask = some(rng, B, T, D), some(rng, B, S, D), some(rng, B, S, D), np.ones((B, T, S))
    mask[1, :, 4], width = 0, D // A
    y, p = np.zeros((B, T, D)), np.zeros((B, A, T, S))
    for b in range(B):
        for head in range(A):
            own = slice(head * width, (head + 1) * width)
            for t in range(T):
                e = [mask[b, t, s] * np.exp(q[b, t, own].dot(k[b, s, own]) / width ** 0.5) for s in range(S)]
                for s in range(S):
                    p[b, head, t, s] = e[s] / sum(e)
                    y[b, t, own] += p[b, head, t, s] * v[b, s, own]
    found, weights = attention(q, k, v, mask, A)
    same(weights, p, "weights", 1e-12)
    same(found, y, "what is found", 1e-12)


@meaning("feed-forward-has-two-layers", "Transformer-2")
def feed_forward_has_two_layers(rng):
    """Two linear layers, and between them nothing below 0 goes on: shut, only the last bias is left."""
    x, W_1, b_1, W_2, b_2 = some(rng, 4, D), some(rng, D, 5), some(rng, 5), some(rng, 5, D), some(rng, D)
    wanted = np.where(x @ W_1 + b_1 > 0, x @ W_1 + b_1, 0) @ W_2 + b_2
    same(feed_forward(x, W_1, b_1, W_2, b_2)[0], wanted, "the two layers", 1e-12)
    same(feed_forward(x, W_1, b_1 - FAR, W_2, b_2)[0], b_2, "with all of the first layer shut", 1e-12)


@meaning("places-differ-by-how-far", "position codes")
def places_differ_by_how_far(rng):
    """No two places have the same code, and how alike two codes are depends only on how far apart they are. Place 0 begins each
    wave."""
    code = transformer.position_code(40, D, np.float64)
    same(code[0], [0, 1] * (D // 2), "code of place 0", 1e-15)
    alike = code @ code.T
    for apart in (0, 1, 7):
        same(np.diagonal(alike, apart), alike[0, apart], f"likeness of places {apart} apart", 1e-12)
    nearest = np.abs(code[:, None] - code).max(-1)[~np.eye(40, dtype=bool)].min()
    holds(nearest > 0.01, f"codes of two places: expected to differ, received a difference of {nearest:.3g}")
    same(transformer.position_code(7, D, np.float64), code[:7], "codes of fewer places")


# ---- between Transformer and memory -----------------------------------------------------------------------------------------

@meaning("items-are-means-of-words", "MT-items")
def items_are_means_of_words(rng):
    """An item is the mean of its words, whatever stands where no word is; an item without words is zero."""
    x, mask = some(rng, B, 3, 4, D), np.ones((B, 3, 4))
    mask[0, 1, 2:], mask[1, 2] = 0, 0
    h = items(x, mask)
    same(h[0, 0], x[0, 0].mean(0), "an item of four words", 1e-14)
    same(h[0, 1], (x[0, 1, 0] + x[0, 1, 1]) / 2, "an item of two words", 1e-14)
    same(h[1, 2], 0.0, "an item without words")


@meaning("held-numbers-are-held", "MT-hold")
def held_numbers_are_held(rng):
    """A number that is held has the value it is held at, whatever the head says; the others are the head's."""
    p, kept, fixed = some(rng, B, 4), np.array([[1.0, 0, 1, 0]] * B), np.array([[0, 3.0, 0, -1000]] * B)
    raw = hold(p, kept, fixed)
    same(raw[:, [1, 3]], [[3.0, -1000]] * B, "what is held")
    same(raw[:, [0, 2]], p[:, [0, 2]], "what is not")


@meaning("gate-takes-in-what-was-read", "MT-fuse")
def gate_takes_in_what_was_read(rng):
    """With its gate shut a place stays as it is; open, all of what was read is added; half open, half of it."""
    z, r, W_g, W_r = some(rng, B, D), some(rng, B, 3), np.zeros((D, D)), some(rng, 3, D)
    for bias, part in ((-FAR, 0), (0, 0.5), (FAR, 1)):
        y, o = fuse(z, r, W_g, np.full(D, float(bias)), W_r)
        same(y, z + part * (r @ W_r), f"a place with gate {part}", 1e-13)
        same(o, part, "the gate", 1e-13)
    W_g[0, 1] = FAR                                                     # number 1 is gated by number 0
    z[:, 0] = 1
    y, _ = fuse(z, r, W_g, np.full(D, -FAR / 2), W_r)
    same(y[:, 1], (z + r @ W_r)[:, 1], "the number whose gate is opened by another", 1e-12)
    same(np.delete(y, 1, 1), np.delete(z, 1, 1), "the others", 1e-12)


@meaning("words-know-their-neighbours", "MT-neighbours")
def words_know_their_neighbours(rng):
    """A word has itself, what W_l makes of the word before it and W_r of the one after it; at both ends there is none."""
    x, W_l, W_r = some(rng, B, 4, D), some(rng, D, D), some(rng, D, D)
    y = neighbours(x, W_l, W_r)
    same(y[:, 1], x[:, 1] + x[:, 0] @ W_l + x[:, 2] @ W_r, "a word in the middle", 1e-13)
    same(y[:, 0], x[:, 0] + x[:, 1] @ W_r, "the first word", 1e-13)
    same(y[:, 3], x[:, 3] + x[:, 2] @ W_l, "the last word", 1e-13)


@meaning("pointers-point-at-words", "MT-pointer")
def pointers_point_at_words(rng):
    """A place points most at the word that is most like what it asks for, and never where no word is."""
    x, W_p, mask = some(rng, B, S, D), some(rng, D, D), np.ones((B, S))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    z = x[:, [3, 1, 0]] @ np.linalg.inv(W_p)                            # they ask for words 3, 1 and 0
    s = pointer(z, x, W_p, mask)
    same(s.argmax(-1), [[3, 1, 0]] * B, "words that are pointed at")
    same(s.max(-1), 1 / np.sqrt(D), "score of a word with itself", 1e-10)
    mask[1, 3:] = 0
    less = pointer(100 * z, x, W_p, mask)
    holds(less[1, :, 3:].max() < -1e6 < less[1, :, :3].min(), "scores where no word is: expected far below all others, received "
          f"{less[1, :, 3:].max():.3g}")
    same(less[0], 100 * s[0], "scores of the other story", 1e-9)


# ---- memory over time -------------------------------------------------------------------------------------------------------

@meaning("writing-is-step-by-step", "MT-write")
def writing_is_step_by_step(rng):
    """To write items in two parts is to write all of them: the second part begins with the memory and the weights that the first
    left. Each step takes away part of what is there and adds, slot by slot as much as its weight."""
    raw, w0, M0 = some(rng, 5, B, WRITER.raw), simplex(rng, B, 2, 6), some(rng, B, 6, 4)
    whole = dict(zip(WRITES, write_all(raw, w0, M0, WRITER)))
    first = dict(zip(WRITES, write_all(raw[:2], w0, M0, WRITER)))
    second = dict(zip(WRITES, write_all(raw[2:], first["w"][-1], first["M"][-1], WRITER)))
    for name in ("w", "M"):
        same(np.concatenate([first[name], second[name]]), whole[name], f"{name} written in two parts", 1e-13)
    for name in ("w", "w_c", "w_g", "w_s", "s"):
        distribution(whole[name], name)
    before, (w, e, a) = np.concatenate([M0[None], whole["M"][:-1]]), (whole[name] for name in "wea")
    kept = np.prod([1 - np.einsum("tbn,tbv->tbnv", w[:, :, h], e[:, :, h]) for h in range(2)], axis=0)
    same(whole["M"], before * kept + np.einsum("tbhn,tbhv->tbnv", w, a), "memory after each step", 1e-12)


@meaning("reading-changes-nothing", "MT-read")
def reading_changes_nothing(rng):
    """What a head reads is the mixture of slots that its weights say; it goes on from where it was, and the memory stays: to read
    in two parts is to read all."""
    raw, w0, M = some(rng, 5, B, READER.raw), simplex(rng, B, 2, 6), some(rng, B, 6, 4)
    whole = dict(zip(READS, read_all(raw, w0, M, READER)))
    first = dict(zip(READS, read_all(raw[:2], w0, M, READER)))
    second = dict(zip(READS, read_all(raw[2:], first["w"][-1], M, READER)))
    for name in ("r", "w"):
        same(np.concatenate([first[name], second[name]]), whole[name], f"{name} read in two parts", 1e-13)
    distribution(whole["w"], "w")
    same(whole["r"], np.einsum("tbhn,bnv->tbhv", whole["w"], M), "what is read", 1e-13)
