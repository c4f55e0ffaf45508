"""What the end-to-end memory network's equations mean (see meaning.py)."""

import itertools
from types import SimpleNamespace

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, same, simplex
from numpymem.memn2n import MemN2N, MemN2NConfig
from numpymem.memn2n import model as memn2n
from numpymem.memn2n import reading
from numpymem.memn2n.equations import (add_time, answer, bag_weights, encode_sentences, match, match_linearly, next_state,
                                       next_state_layerwise, respond)

V, Y, D, I, J, B = 9, 5, 6, 5, 4, 3


def make(**settings):
    defaults = {"n_words": V, "n_outputs": Y, "d": D, "memory_size": 7, "init_scale": 0.6, "max_sentence_words": 8}
    return MemN2N(MemN2NConfig(**defaults | settings))


def tell(rng):
    """Random stories of every length from 1 to I, sentences of every length from 1 to J; the first story is the longest."""
    sentences, query = rng.integers(1, V, (B, I, J)), rng.integers(1, V, (B, J))
    told, words = np.append(I, rng.integers(1, I, B - 1)), rng.integers(1, J, (B, I, 1))
    words[0, 0] = J
    sentences[np.arange(J) >= words] = 0
    sentences[np.arange(I) >= told[:, None]] = 0
    query[:, -1] = 0
    return sentences, query


def ask(model, params, sentences, query, **how):
    return model.forward(params, SimpleNamespace(sentences=sentences, query=query), **how)[0]


# ---- sentences -------------------------------------------------------------------------------------------------------------

@meaning("nil-words-add-nothing", "MemN2N-encode", "embed")
def nil_words_add_nothing(rng):
    """A nil word adds nothing to a sentence's vector, whatever the table's row 0 holds and however many there are."""
    l, E = bag_weights(J + 3, D), rng.standard_normal((V, D))
    x = np.array([[[3, 4, 0, 0], [5, 0, 0, 0], [0, 0, 0, 0]]])
    same(encode_sentences(x, l, E), np.stack([E[3] + E[4], E[5], 0 * E[0]])[None], "words 3 + 4, 5 and no word", 1e-14)
    same(encode_sentences(np.pad(x, ((0, 0), (0, 0), (0, 2))), l, E), encode_sentences(x, l, E), "with two nil words more", 1e-14)


@meaning("words-weigh-by-their-place", "MemN2N-encode")
def words_weigh_by_their_place(rng):
    """A sentence of n words is its words' rows, each times the weights for its place in a sentence of n words."""
    l, E = rng.standard_normal((J + 1, J, D)), rng.standard_normal((V, D))
    x = np.array([[[3, 4, 6, 0], [5, 7, 0, 0]]])
    expected = np.stack([sum(l[3, j] * E[w] for j, w in enumerate((3, 4, 6))), l[2, 0] * E[5] + l[2, 1] * E[7]])
    same(encode_sentences(x, l, E), expected[None], "sentences of three and of two words", 1e-13)


@meaning("codes-have-their-centre", "position weights")
def codes_have_their_centre(rng):
    """In the released position code the places of the longest sentence, with one more for the time, mirror each other around the
    weight 1, that of a bag of words, and a shorter sentence has the first of them; the other code is the paper's formula."""
    released = memn2n.weights_table("released", 8, D, np.float64)
    same(released[8, 1:] + released[8, :0:-1], 2 * np.ones((7, D)), "weights of places 2 to 8 of 9 and their mirror images", 1e-12)
    same(released[8, 1] - released[8, 0], 4 / (9 * D) * (np.arange(1, D + 1) - (D + 1) / 2), "a step from place to place", 1e-12)
    for n in (1, 2, 5, 8):
        same(released[n, :n], released[8, :n], f"weights of a sentence of {n}")
        same(released[n, n:], 0.0, "weights behind the last word")
    paper = memn2n.weights_table("position", 6, 4, np.float64)
    for n, j, k in itertools.product(range(1, 7), range(1, 7), range(1, 5)):
        wanted = (1 - j / n) - (k / 4) * (1 - 2 * j / n) if j <= n else 0
        same(paper[n, j - 1, k - 1], wanted, f"the paper's formula for word {j} of {n}, number {k} of 4", 1e-12)


@meaning("time-adds-its-row", "MemN2N-time")
def time_adds_its_row(rng):
    """A sentence of age i gets row i of the time table; age 0, a nil sentence, gets nothing."""
    m, T = rng.standard_normal((1, 3, D)), rng.standard_normal((7, D))
    same(add_time(m, np.array([[5, 1, 0]]), T), m + np.stack([T[5], T[1], 0 * T[0]]), "ages 5, 1 and 0", 1e-15)


# ---- one hop ---------------------------------------------------------------------------------------------------------------

@meaning("match-is-a-distribution", "MemN2N-1")
def match_is_a_distribution(rng):
    """Over the real sentences the weights sum to one, a nil sentence gets none, and empty slots share as scores of zero."""
    u, m = rng.standard_normal((2, D)), rng.standard_normal((2, I, D))
    mask = np.array([[1.0, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    m[mask == 0] = 0                                                  # as nil sentences are
    p = match(u, m, mask, np.zeros((2, 1)))
    same(p[mask == 0], 0.0, "weight of a nil sentence")
    distribution(p, "p over real sentences")
    e = np.exp(m[1, :2] @ u[1])
    same(match(u, m, mask, np.full((2, 1), 3.0))[1, :2], e / (e.sum() + 3), "p beside three empty slots", 1e-12)
    same(match_linearly(u, m, mask), np.einsum("bd,bid->bi", u, m) * mask, "scores in linear start", 1e-12)


@meaning("match-finds-the-likest", "MemN2N-1")
def match_finds_the_likest(rng):
    """The sentence with the largest product with the question gets the largest weight, and all of it if it stands far out."""
    u, m = rng.standard_normal((2, D)), rng.standard_normal((2, I, D))
    scores = np.einsum("bd,bid->bi", u, m)
    p = match(u, m, np.ones((2, I)), np.zeros((2, 1)))
    same(p.argsort(-1), scores.argsort(-1), "order of the weights")
    same(match(1e6 * u, m, np.ones((2, I)), np.zeros((2, 1))), np.eye(I)[scores.argmax(-1)], "p of a very long question")


@meaning("response-takes-the-sentence", "MemN2N-2")
def response_takes_the_sentence(rng):
    """Weight 1 on one sentence answers that sentence's output vector; a mixture of weights the mixture of vectors."""
    c, p = rng.standard_normal((2, I, D)), simplex(rng, 2, I)
    same(respond(np.eye(I)[[3, 0]], c), np.stack([c[0, 3], c[1, 0]]), "o with all weight on sentences 3 and 0", 1e-15)
    same(respond(p, c), sum(p[:, i, None] * c[:, i] for i in range(I)), "o of a mixture", 1e-13)


@meaning("states-add-up", "MemN2N-3", "MemN2N-4", "MemN2N-layer-wise")
def states_add_up(rng):
    """A hop adds what it found to the question (layer-wise: to H times it), and an answer's score is its column's product with
    the state."""
    u, o, H, W = rng.standard_normal((2, D)), rng.standard_normal((2, D)), rng.standard_normal((D, D)), rng.standard_normal((D, Y))
    same(next_state(u, o), u + o, "the next state")
    same(next_state_layerwise(u, o, H), np.einsum("bd,de->be", u, H) + o, "the next state, layer-wise", 1e-13)
    same(answer(u, W)[:, 2], (u * W[:, 2]).sum(1), "the score of answer 2", 1e-13)


# ---- the whole model -------------------------------------------------------------------------------------------------------

@meaning("padding-changes-nothing", "MemN2N-encode", "MemN2N-1", "embed")
def padding_changes_nothing(rng):
    """Nil words and nil sentences, however many, do not change the answer, nor where the model looks."""
    for tying, encoding in itertools.product(("adjacent", "layer-wise"), ("position", "bag")):
        model, (sentences, query) = make(tying=tying, encoding=encoding), tell(rng)
        params = model.init(rng, np.float64)
        for name in params.keys() - {"H", "W"}:
            params[name][0] = 1                                       # rows that must not be read
        trace = model.forward(params, SimpleNamespace(sentences=sentences, query=query))[1]
        for p, k in zip(trace["p"], range(model.config.hops)):
            distribution(p, f"weights over real sentences, hop {k}")
        more = np.pad(sentences, ((0, 0), (0, 4), (0, 3))), np.pad(query, ((0, 0), (0, 2)))
        same(ask(model, params, *more), ask(model, params, sentences, query), f"answers with more padding ({tying}, {encoding})")


@meaning("stories-are-treated-alone", "MemN2N-encode", "MemN2N-1", "MemN2N-memory", "MemN2N-memories", "MemN2N-hop", "MemN2N-hops")
def stories_are_treated_alone(rng):
    """Stories of a batch do not see each other: alone, without the longer ones beside it, a story gets the same answer."""
    for tying, encoding in itertools.product(("adjacent", "layer-wise"), ("position", "bag")):
        model, (sentences, query) = make(tying=tying, encoding=encoding), tell(rng)
        params = model.init(rng, np.float64)
        together = ask(model, params, sentences, query)
        for b in range(B):
            alone = ask(model, params, sentences[[b]], query[[b]])
            same(alone, together[[b]], f"answer to a story alone ({tying}, {encoding})", 1e-12)
        order = [2, 0, 1]
        same(ask(model, params, sentences[order], query[order]), together[order], "answers in another order", 1e-12)


@meaning("order-of-sentences", "MemN2N-time")
def order_of_sentences(rng):
    """The order of sentences matters exactly when temporal encoding is on."""
    sentences, query = np.array([[[3, 4, 0], [5, 6, 7], [8, 0, 0]]]), np.array([[1, 2]])
    for temporal in (True, False):
        model = make(temporal=temporal)
        params = model.init(rng, np.float64)
        moved = np.abs(ask(model, params, sentences, query) - ask(model, params, sentences[:, ::-1], query)).max()
        holds(temporal == (moved > 1e-6), f"answers to the story told backwards, temporal encoding {temporal}: expected "
              f"{'another answer' if temporal else 'the same'}, received a difference of {moved:.3g}")


@meaning("order-of-words", "MemN2N-encode")
def order_of_words(rng):
    """The order of words matters exactly with position encoding."""
    sentences, query = np.array([[[3, 4, 5], [6, 7, 8]]]), np.array([[1, 2]])
    for encoding in ("position", "bag", "released"):
        model = make(encoding=encoding)
        params = model.init(rng, np.float64)
        moved = np.abs(ask(model, params, sentences, query) - ask(model, params, sentences[:, :, ::-1], query)).max()
        holds((encoding != "bag") == (moved > 1e-6), f"answers with each sentence backwards, encoding {encoding}: received a "
              f"difference of {moved:.3g}")


@meaning("latest-sentences-are-kept", "MemN2N-memory")
def latest_sentences_are_kept(rng):
    """A memory of two sentences answers as if only the latest two had been told."""
    model = make(memory_size=2)
    params, query = model.init(rng, np.float64), np.array([[1, 2]])
    sentences = np.array([[[3, 0], [4, 5], [6, 0], [7, 8]]])
    same(ask(model, params, sentences, query), ask(model, params, sentences[:, 2:], query), "answers with a memory of two", 1e-12)


@meaning("empty-story", "MemN2N-hop", "MemN2N-1")
def empty_story(rng):
    """A story without sentences is answered from the question alone."""
    model = make(hops=2)
    params = model.init(rng, np.float64)
    logits, trace = model.forward(params, SimpleNamespace(sentences=np.zeros((1, 3, J), int), query=np.array([[1, 2]])))
    same(logits, trace["u"][0] @ params["W"], "scores after two hops into nothing", 1e-12)


# ---- how training starts ---------------------------------------------------------------------------------------------------

@meaning("time-noise-reaches-its-end", "random noise")
def time_noise_reaches_its_end(rng):
    """Time noise draws ages up to n + ceil(n / 10), that end included, so that also a short story's sentences age at random."""
    number = np.array([1, 4, 10, 20])
    drawn = np.array([reading.noisy_ages(rng, number, 20, 0.1, 50) for _ in range(400)])          # (400, B, I)
    for n, ages in zip(number, drawn.swapaxes(0, 1)):
        top = n + int(np.ceil(0.1 * n))
        holds(ages.max() == top, f"oldest age of {n} sentences, over 400 draws: expected {top}, received {ages.max()}")
        holds((np.diff(ages[:, :n]) < 0).all(), f"ages of {n} sentences: expected to fall from the oldest to the latest")


@meaning("fresh-hops-differ", "initial values")
def fresh_hops_differ(rng):
    """Before training no two hops have the same table: hops that start alike look at the same sentences."""
    for tying in ("adjacent", "layer-wise"):
        model = make(tying=tying)
        params = model.init(rng)
        for one, other in itertools.combinations(model.tables, 2):
            differ = not np.array_equal(params[one], params[other])
            holds(differ, f"tables {one} and {other}: expected to differ, received equal ones")
