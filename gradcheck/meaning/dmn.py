"""What the equations of the dynamic memory networks mean (see meaning.py)."""

import itertools
from types import SimpleNamespace

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, same, simplex
from numpymem.dmn import DMN, DMNConfig
from numpymem.dmn.equations import answer, attend, episodic_gates, fuse, gates, interactions, remember, score
from numpymem.dmn.scan import inputs, scan
from numpymem.memn2n.equations import respond
from numpymem.ops.dropout import dropout, kept
from numpymem.ops.gru import attention_gru_cell, gru_cell

V, Y, D, I, J, B, FAR = 9, 5, 6, 5, 4, 3, 1e4
SWITCHES = [{"attention": attention, "fusion": fusion, "update": update}
            for attention, fusion, update in itertools.product(("gru", "soft", "episodic"), (True, False), ("relu", "gru"))]


def make(**settings):
    return DMN(DMNConfig(**{"n_words": V, "n_outputs": Y, "d": D, "passes": 2, "max_sentence_words": 8} | settings))


def some_parameters(model, rng):
    """Random numbers everywhere, also in the row of the nil word, which must not be read. The memory's biases are high: a ReLU that
    is at zero for all hides what it is given."""
    params = {name: 0.5 * rng.standard_normal(np.shape(value)) for name, value in model.init(rng, np.float64).items()}
    return params | {name: 1 + value for name, value in params.items() if name.startswith("b_m")}


def tell(rng):
    """Random stories of I, 2 and 1 sentences, of 1 to J words each; the last question is one word shorter."""
    sentences, query = rng.integers(1, V, (B, I, J)), rng.integers(1, V, (B, J))
    words = rng.integers(1, J, (B, I, 1))
    words[0, 0] = J
    sentences[np.arange(J) >= words] = 0
    sentences[np.arange(I) >= np.array([[I], [2], [1]])] = 0
    query[-1, -1] = 0
    return sentences, query


def ask(model, params, sentences, query):
    return model.forward(params, SimpleNamespace(sentences=sentences, query=query))


# ---- gated recurrent units --------------------------------------------------------------------------------------------------

@meaning("gru-keeps-or-takes", "GRU")
def gru_keeps_or_takes(rng):
    """A GRU with update gate 0 keeps its state, with 1 it takes the candidate; reset gate 0 leaves nothing of the state in that."""
    x, y, h = rng.standard_normal((B, 3 * D)), rng.standard_normal((B, 3 * D)), rng.standard_normal((B, D))
    update, reset, last = slice(0, D), slice(D, 2 * D), slice(2 * D, None)
    one = np.ones((B, 1))
    x[:, update] = -FAR
    same(gru_cell(x, y, h, one)[0], h, "the state that is kept", 1e-15)
    x[:, update], x[:, reset] = FAR, -FAR
    same(gru_cell(x, y, h, one)[0], np.tanh(x[:, last]), "the candidate without the state", 1e-14)
    x[:, reset] = FAR
    same(gru_cell(x, y, h, one)[0], np.tanh(x[:, last] + y[:, last]), "the candidate with the state", 1e-14)


@meaning("gru-counts-by-its-weight", "GRU")
def gru_counts_by_its_weight(rng):
    """A step that counts 0 (padding) keeps the state, one that counts 1 is the GRU's, and in between lies the mixture of both."""
    x, y, h = rng.standard_normal((B, 3 * D)), rng.standard_normal((B, 3 * D)), rng.standard_normal((B, D))
    full = gru_cell(x, y, h, np.ones((B, 1)))[0]
    same(gru_cell(x, y, h, np.zeros((B, 1)))[0], h, "the state after padding")
    same(gru_cell(x, y, h, np.full((B, 1), 0.3))[0], 0.3 * full + 0.7 * h, "the state after a step that counts 0.3", 1e-14)


@meaning("attention-gru-goes-by-the-gate", "GRU-attention")
def attention_gru_goes_by_the_gate(rng):
    """Gate 0 keeps the state; gate 1 takes the candidate, which with reset gate 0 knows nothing of the state."""
    x, y, h = rng.standard_normal((B, 2 * D)), rng.standard_normal((B, 2 * D)), rng.standard_normal((B, D))
    same(attention_gru_cell(x, y, h, np.zeros((B, 1)))[0], h, "the state with gate 0")
    x[:, :D] = FAR
    same(attention_gru_cell(x, y, h, np.ones((B, 1)))[0], np.tanh(x[:, D:] + y[:, D:]), "the state with gate 1", 1e-14)
    x[:, :D] = -FAR
    same(attention_gru_cell(x, y, h, np.ones((B, 1)))[0], np.tanh(x[:, D:]), "the same with reset gate 0", 1e-14)


@meaning("scan-is-step-by-step", "GRU-scan")
def scan_is_step_by_step(rng):
    """A scan over two parts of a row is one over the whole: the second begins with the last state of the first. Padding, wherever
    it is, can be left out."""
    for blocks in (3, 2):
        x, U = rng.standard_normal((B, 4, blocks * D)), rng.standard_normal((D, blocks * D))
        h0, g = rng.standard_normal((B, D)), rng.random((B, 4))
        mask = np.ones((B, 4))
        h = scan(x, U, h0, g, mask)[0]
        first = scan(x[:, :2], U, h0, g[:, :2], mask[:, :2])[0]
        same(scan(x[:, 2:], U, first[:, -1], g[:, 2:], mask[:, 2:])[0], h[:, 2:], "states of the second part", 1e-13)
        mask[:, 1] = 0
        left = [0, 2, 3]
        with_padding, without = scan(x, U, h0, g, mask)[0], scan(x[:, left], U, h0, g[:, left], mask[:, left])[0]
        same(with_padding[:, left], without, "states around padding", 1e-13)
        same(with_padding[:, 1], with_padding[:, 0], "the state at padding")


# ---- facts and gates --------------------------------------------------------------------------------------------------------

@meaning("fusion-adds-directions", "DMN-fusion")
def fusion_adds_directions(rng):
    """A fact is the sum of the two directions' states; a nil sentence makes none."""
    ahead, back, mask = rng.standard_normal((2, I, D)), rng.standard_normal((2, I, D)), np.array([[1.0] * I, [1, 1, 0, 0, 0]])
    f = fuse(ahead, back, mask)
    same(f[0], ahead[0] + back[0], "facts")
    same(f[1, 2:], 0.0, "facts of nil sentences")


@meaning("interactions-show-what-is-alike", "DMN-interactions")
def interactions_show_what_is_alike(rng):
    """Of a fact that is the question the distances are 0 and the products squares; distances do not know which side is larger."""
    q, m, f = rng.standard_normal(D), rng.standard_normal(D), rng.standard_normal((3, D))
    f[1] = q
    f[2] = 2 * m - f[0]                                              # as far from m as fact 0, on the other side
    z = interactions(f, np.tile(q, (3, 1)), np.tile(m, (3, 1)))
    same(z[1, :D], q ** 2, "products with the question", 1e-14)
    same(z[1, 2 * D:3 * D], 0.0, "distances to the question")
    same(z[2, 3 * D:], z[0, 3 * D:], "distances to the memory from both sides", 1e-14)
    same(z[:, D:2 * D], f * m, "products with the memory", 1e-14)
    holds(z[:, 2 * D:].min() >= 0, f"distances: expected none below 0, received {z[:, 2 * D:].min():.3g}")


@meaning("facts-are-scored-alone", "DMN-scores")
def facts_are_scored_alone(rng):
    """The score of a fact depends on that fact alone: facts in another order have their scores in that order."""
    z, W_1, b_1, W_2 = (rng.standard_normal(shape) for shape in ((I, 4 * D), (4 * D, 3), (3,), (3, 1)))
    Z, order = score(z, W_1, b_1, W_2)[0], [3, 0, 4, 1, 2]
    same(score(z[order], W_1, b_1, W_2)[0], Z[order], "scores", 1e-13)
    same(score(z, W_1, b_1, -W_2)[0], -Z, "scores with the signs of the last layer turned", 1e-14)


@meaning("nil-sentences-are-not-looked-at", "DMN-attention", "DMN-inputs")
def nil_sentences_are_not_looked_at(rng):
    """The scores are those of each fact with its own story's question and memory. Nil sentences have none, whatever they hold, and
    nothing comes from them into a GRU."""
    f, q, m = rng.standard_normal((2, I, D)), rng.standard_normal((2, D)), rng.standard_normal((2, D))
    W_1, b_1, W_2 = rng.standard_normal((4 * D, 3)), rng.standard_normal(3), rng.standard_normal((3, 1))
    mask = np.array([[1.0] * I, [1, 1, 0, 0, 0]])
    f[mask == 0] = np.nan
    Z = attend(f, q, m, W_1, b_1, W_2, mask)[0]
    alone = score(interactions(f[1, :2], q[[1, 1]], m[[1, 1]]), W_1, b_1, W_2)[0]
    same(Z[1], [*alone, 0, 0, 0], "scores of a story of two sentences", 1e-13)
    x = inputs(f, W_1[:D], b_1, mask)
    same(x[1, 2:], 0.0, "inputs of nil sentences")
    same(x[0], f[0] @ W_1[:D] + b_1, "inputs of sentences", 1e-13)


@meaning("gates-are-a-distribution", "DMN-gates")
def gates_are_a_distribution(rng):
    """Over the real sentences the gates of DMN+ sum to one, in the order of the scores, and a nil sentence has none."""
    Z, mask = 50 * rng.standard_normal((2, I)), np.array([[1.0] * I, [1, 1, 0, 0, 0]])
    g = gates(Z, mask)
    distribution(g, "gates")
    same(g[1, 2:], 0.0, "gates of nil sentences")
    same(g[0].argsort(), Z[0].argsort(), "order of the gates")
    same(gates(Z + 30, mask), g, "gates of scores + 30", 1e-12)


@meaning("episodic-gates-open-alone", "DMN-episodic-gates")
def episodic_gates_open_alone(rng):
    """Each gate of the first DMN lies between 0 and 1 by itself: all can be open at once. A nil sentence has none."""
    mask = np.array([[1.0, 1, 1, 0]])
    same(episodic_gates(np.full((1, 4), FAR), np.zeros(1), mask), mask, "gates of high scores", 1e-12)
    same(episodic_gates(np.array([[0.0, 1, -1, 5]]), np.zeros(1), mask)[0, :3], 1 / (1 + np.exp([0.0, -1, 1])), "gates", 1e-14)
    same(episodic_gates(np.zeros((1, 4)), np.full(1, -FAR), mask), 0.0, "gates with a low bias", 1e-12)


@meaning("one-open-gate-takes-the-fact", "DMN-gates", "MemN2N-2")
def one_open_gate_takes_the_fact(rng):
    """With one gate open soft attention finds that very fact; mixed gates find the mixture."""
    f, g = rng.standard_normal((2, I, D)), simplex(rng, 2, I)
    open_gates = gates(FAR * np.eye(I)[[3, 0]], np.ones((2, I)))
    same(respond(open_gates, f), np.stack([f[0, 3], f[1, 0]]), "contexts", 1e-15)
    same(respond(g, f), np.einsum("bi,bid->bd", g, f), "a mixture", 1e-14)


@meaning("memory-is-never-negative", "DMN-memory")
def memory_is_never_negative(rng):
    """The memory is a ReLU of a linear map of memory, context and question, each with rows of its own."""
    m, c, q, W = *(rng.standard_normal((B, D)) for _ in range(3)), rng.standard_normal((3 * D, D))
    b = rng.standard_normal(D)
    wanted = m @ W[:D] + c @ W[D:2 * D] + q @ W[2 * D:] + b
    same(remember(m, c, q, W, b), np.maximum(wanted, 0), "memory", 1e-13)


@meaning("answer-knows-memory-and-question", "DMN-answer")
def answer_knows_memory_and_question(rng):
    """An answer's score is its column's product with the memory and with the question, and its bias."""
    m, q, W, b = (rng.standard_normal(shape) for shape in ((B, D), (B, D), (2 * D, Y), (Y,)))
    same(answer(m, q, W, b)[:, 2], m @ W[:D, 2] + q @ W[D:, 2] + b[2], "the score of answer 2", 1e-13)


@meaning("dropout-keeps-the-mean", "dropout")
def dropout_keeps_the_mean(rng):
    """Dropout sets the given part of the numbers to 0 and makes the others larger, so that their mean stays."""
    k = kept(rng, (400, 500), 0.1, np.float64)
    y = dropout(np.ones((400, 500)), k)
    same(np.unique(y), [0, 1 / 0.9], "values of ones after dropout", 1e-15)
    same((y == 0).mean(), 0.1, "part that is dropped", 0.005)
    same(y.mean(), 1.0, "mean", 0.005)


# ---- the whole model --------------------------------------------------------------------------------------------------------

@meaning("dmn-padding-changes-nothing", "GRU", "GRU-scan", "DMN-fusion", "DMN-gates", "DMN-episodic-gates", "embed")
def dmn_padding_changes_nothing(rng):
    """Nil words and nil sentences, however many, change neither the answer nor the gates; nor does row 0 of the words."""
    for how in SWITCHES:
        model, (sentences, query) = make(**how), tell(rng)
        params = some_parameters(model, rng)
        logits, trace = ask(model, params, sentences, query)
        more = np.pad(sentences, ((0, 0), (0, 4), (0, 3))), np.pad(query, ((0, 0), (0, 2)))
        same(ask(model, params, *more)[0], logits, f"answers with more padding ({how})", 1e-13)
        longer = np.concatenate([more[0], np.tile(more[0][:1, :I], (1, 2, 1))[:, :I + 4]]), np.concatenate([more[1], more[1][:1]])
        logits_beside, trace_beside = ask(model, params, *longer)
        same(logits_beside[:B], logits, f"answers beside a longer story ({how})", 1e-13)
        for g, g_beside in zip(trace["g"], trace_beside["g"]):
            same(g_beside[:B, :I], g, f"gates beside a longer story ({how})", 1e-13)
            same(g_beside[:B, I:], 0.0, f"gates of padding ({how})")
        params["E"][0] = 7
        same(ask(model, params, sentences, query)[0], logits, f"answers with another row 0 ({how})")


@meaning("dmn-stories-are-treated-alone", "GRU-scan", "DMN-scores", "DMN-gates", "DMN-memory", "DMN-answer")
def dmn_stories_are_treated_alone(rng):
    """A story alone, without the longer ones of its batch, gets the same answer; in another order each story keeps its own."""
    for how in SWITCHES:
        model, (sentences, query) = make(**how), tell(rng)
        params = some_parameters(model, rng)
        together = ask(model, params, sentences, query)[0]
        for b in range(B):
            same(ask(model, params, sentences[[b]], query[[b]])[0], together[[b]], f"answer to a story alone ({how})", 1e-12)
        order = [2, 0, 1]
        same(ask(model, params, sentences[order], query[order])[0], together[order], "answers in another order", 1e-12)


@meaning("dmn-sees-order", "MemN2N-encode", "GRU-scan")
def dmn_sees_order(rng):
    """The order of words in a sentence (position encoding), of sentences and of the question's words matters."""
    sentences, query = np.array([[[3, 4, 5], [6, 7, 8]]]), np.array([[1, 2]])
    for how in SWITCHES:
        model = make(**how)
        params = some_parameters(model, rng)
        told = ask(model, params, sentences, query)[0]
        for other, what in (((sentences[:, :, ::-1], query), "words"), ((sentences[:, ::-1], query), "sentences"),
                            ((sentences, query[:, ::-1]), "words of the question")):
            moved = np.abs(ask(model, params, *other)[0] - told).max()
            holds(moved > 1e-6, f"answers with the {what} backwards ({how}): expected another answer, received a difference of "
                  f"{moved:.3g}")


@meaning("fusion-looks-ahead", "DMN-fusion")
def fusion_looks_ahead(rng):
    """With fusion the first fact knows of the last sentence; with one forward GRU it does not."""
    sentences, query = np.array([[[3, 4], [5, 6], [7, 8]]]), np.array([[1, 2]])
    other = sentences.copy()
    other[0, 2] = [1, 2]
    for fusion in (True, False):
        model = make(fusion=fusion)
        params = some_parameters(model, rng)
        trace, trace_other = (ask(model, params, story, query)[1] for story in (sentences, other))
        back = trace["scan_r"][0][:, ::-1] if fusion else 0
        same(trace["f"], trace["scan_f"][0] + back, f"facts, fusion {fusion}", 1e-15)
        moved = np.abs(trace["f"] - trace_other["f"])[0, 0].max()
        holds(fusion == (moved > 1e-6), f"fact 1 with another last sentence, fusion {fusion}: received a difference of {moved:.3g}")


@meaning("fresh-dmn-weights", "initial values")
def fresh_dmn_weights(rng):
    """Words start uniform in +- sqrt 3, nil at zero, biases at zero; no weight lies beyond Xavier's bound, and no two passes start
    alike."""
    model = make(d=40, n_words=200, passes=3)
    params = model.init(rng)
    same(params["E"][0], 0.0, "row of the nil word")
    same(np.abs(params["E"]).max(), np.sqrt(3), "largest number of a word", 0.01)
    for name, value in params.items():
        if name[0] == "b":
            same(value, 0.0, name)
    same(np.abs(params["U_f"]).max(), np.sqrt(6 / 80), "largest weight of a GRU", 0.003)
    same(np.abs(params["W_1"]).max(), np.sqrt(6 / 200), "largest weight of the gates", 0.003)
    holds(not np.array_equal(params["W_m1"], params["W_m2"]), "weights of passes 1 and 2: expected to differ, received equal ones")
