"""What joins an NTM and a MemN2N means (see meaning.py)."""

import itertools

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, same
from gradcheck.streams import streams
from numpymem.hybrid import Hybrid, HybridConfig
from numpymem.hybrid.equations import keep_together, look_back, say_both
from numpymem.hybrid.hops import guided_hops
from numpymem.memn2n import MemN2N
from numpymem.memn2n.hops import Way, all_hops
from numpymem.ntm import NTM
from numpymem.tasks.batches import Stories

V, T, B, I, Q, D = 9, 6, 3, 4, 3, 5
TABLES = ("A1", "C1", "C2", "T_A1", "T_C1", "T_C2")


def make(rng, **settings):
    """A model with 2 hops at random parameters; the rows of its tables that must not be read are ones."""
    sizes = {"n_inputs": 3, "n_words": V, "n_outputs": 4, "d": D, "hops": 2, "memory_size": 7, "max_sentence_words": 5,
             "controller_size": 4, "N": 5, "W": 3}
    model = Hybrid(HybridConfig(**(sizes | settings)))
    params = {name: 0.5 * rng.standard_normal(value.shape) for name, value in model.init(rng, np.float64).items()}
    for name in params.keys() & set(TABLES):
        params[name][0] = 1
    return model, params


def tell(rng):
    return streams(rng, V, Q, B=B, I=I, T=T)


def only(inputs, b):
    """Story b alone, without the padding that it needs beside the others."""
    told = int((inputs.sentences[b] != 0).any(1).sum())
    return inputs._replace(steps=inputs.steps[:, [b]], sentences=inputs.sentences[[b], :told], queries=inputs.queries[[b]],
                           told_at=inputs.told_at[[b], :told])


# ---- the joins -------------------------------------------------------------------------------------------------------------

@meaning("hybrid-looks-back", "Hybrid-then")
def hybrid_looks_back(rng):
    """What was put out at a step is taken from that step and from the same story, also twice."""
    z, when = rng.standard_normal((T, 2, D)), np.array([[0, 5, 5], [2, 0, 3]])
    same(look_back(z, when), np.stack([z[[0, 5, 5], 0], z[[2, 0, 3], 1]]), "what was put out at steps 0, 5, 5 and 2, 0, 3")


@meaning("hybrid-facts-keep-what-was-known", "Hybrid-facts")
def hybrid_facts_keep_what_was_known(rng):
    """Every memory of a sentence gets its own part of what was put out when the sentence was told; a nil sentence gets nothing."""
    m, z, mask = rng.standard_normal((1, 3, 2, D)), rng.standard_normal((T, 1, 2, D)), np.array([[1.0, 1, 0]])
    facts = keep_together(m, z, np.array([[4, 1, 0]]), mask)
    same(facts[0, 0], m[0, 0] + z[4, 0], "the sentence told at step 4", 1e-15)
    same(facts[0, 1], m[0, 1] + z[1, 0], "the sentence told at step 1", 1e-15)
    same(facts[0, 2], m[0, 2], "a nil sentence")


@meaning("hybrid-says-both", "Hybrid-both")
def hybrid_says_both(rng):
    """To what the fact memory says of a question comes what was put out at the step of its answer."""
    x, z = rng.standard_normal((1, 2, D)), rng.standard_normal((T, 1, D))
    same(say_both(x, z, np.array([[5, 2]]))[0], x[0] + z[[5, 2], 0], "what both say of two questions", 1e-15)


@meaning("hybrid-guides-its-hops", "Hybrid-hops")
def hybrid_guides_its_hops(rng):
    """Told nothing, guided hops are MemN2N's; told what to look for at a hop, that hop and no earlier one looks there."""
    u1, memories, guide = rng.standard_normal((2, D)), rng.standard_normal((2, I, 4, D)), np.zeros((2, 2, D))
    rest = np.zeros((0, 0)), np.ones((2, I)), np.zeros((2, 1)), Way(3)
    free = all_hops(u1, memories, *rest)
    for name, one, other in zip("uop", guided_hops(u1, guide, memories, *rest), free):
        same(one, other, f"{name} without a word of guidance", 1e-13)
    guide[:, 0] = 1e4 * memories[:, 2, 1]                             # whatever is likest to the third sentence
    u, _, p = guided_hops(u1, guide, memories, *rest)
    same(u[1], free[0][1], "the state after hop 1", 1e-10)
    same(p[0], free[2][0], "where hop 1 looks", 1e-13)
    same(p[1], np.eye(I)[(memories[:, :, 1] @ guide[:, 0, :, None])[..., 0].argmax(1)], "where hop 2 looks", 1e-13)


# ---- the whole model -------------------------------------------------------------------------------------------------------

@meaning("hybrid-has-its-parents-whole", "Hybrid-both", "Hybrid-facts")
def hybrid_has_its_parents_whole(rng):
    """Without its working memory it is the MemN2N of its tables, without its facts the NTM."""
    inputs = tell(rng)
    model, params = make(rng, working_memory=False)
    parent = MemN2N(model.config.of_memn2n())
    answers = np.stack([parent.forward(params, Stories(inputs.sentences, inputs.queries[:, q]))[0] for q in range(Q)])
    same(model.forward(params, inputs)[0], answers, "answers without a working memory", 1e-12)
    whole, both = make(rng)
    silent = both | params | {"W_y": 0 * both["W_y"], "b_y": 0 * both["b_y"]}
    same(whole.forward(silent, inputs)[0], answers, "answers beside an NTM that puts out nothing", 1e-12)
    model, params = make(rng, fact_memory=False)
    spoken = NTM(model.config.of_ntm()).forward(params, inputs.steps)[0]
    same(model.forward(params, inputs)[0], spoken[inputs.asked_at], "answers without facts", 1e-12)


@meaning("hybrid-padding-changes-nothing", "MemN2N-encode", "MemN2N-1", "Hybrid-facts")
def hybrid_padding_changes_nothing(rng):
    """Nil words and nil sentences, however many, and wherever they say they were told, do not change an answer."""
    (model, params), inputs = make(rng), tell(rng)
    more = inputs._replace(sentences=np.pad(inputs.sentences, ((0, 0), (0, 2), (0, 2))),
                           queries=np.pad(inputs.queries, ((0, 0), (0, 0), (0, 2))),
                           told_at=np.pad(inputs.told_at, ((0, 0), (0, 2)), constant_values=T - 1))
    answers, trace = model.forward(params, inputs)
    same(model.forward(params, more)[0], answers, "answers with more padding", 1e-13)
    distribution(trace["p"], "weights over real sentences")


@meaning("hybrid-stories-are-treated-alone", "Hybrid-then", "Hybrid-facts", "Hybrid-both")
def hybrid_stories_are_treated_alone(rng):
    """Stories of a batch do not see each other, nor do the questions about a story."""
    (model, params), inputs = make(rng), tell(rng)
    together = model.forward(params, inputs)[0]
    for b in range(B):
        same(model.forward(params, only(inputs, b))[0], together[:, [b]], f"answers to story {b} alone", 1e-12)
    for q in range(Q):
        one = inputs._replace(queries=inputs.queries[:, [q]], asked_at=inputs.asked_at[[q]])
        same(model.forward(params, one)[0], together[[q]], f"answers to question {q} alone", 1e-12)


@meaning("hybrid-knows-when-a-fact-was-told", "Hybrid-facts", "Hybrid-then")
def hybrid_knows_when_a_fact_was_told(rng):
    """Told at another step, among other things known, facts give another answer to their own story and to no other; where they are
    kept without context they do not."""
    inputs = tell(rng)
    for b, context in itertools.product(range(B), (True, False)):
        model, params = make(rng, context=context)
        later = inputs._replace(told_at=np.where(np.arange(B)[:, None] == b, (inputs.told_at + 1) % T, inputs.told_at))
        moved = np.abs(model.forward(params, later)[0] - model.forward(params, inputs)[0]).max((0, 2))
        if context:
            holds(moved[b] > 1e-6, f"answers to story {b} with context: expected a change, received {moved[b]:.3g}")
            moved[b] = 0
        same(moved, 0.0, "change of the other answers" if context else "change of the answers without context", 1e-13)


@meaning("hybrid-does-without-a-side", "Hybrid-both", "Hybrid-facts")
def hybrid_does_without_a_side(rng):
    """A story that loses a side in training is answered as if that side had nothing to say; the others as ever, and all of them
    when the model is asked in earnest."""
    model, params = make(rng, facts_dropout=0.25, working_dropout=0.25, time_noise=0.0)
    inputs, Chance = tell(rng), type("Chance", (), {"random": lambda self, shape: np.array([0.8, 0.2, 0.5])})
    trained, trace = model.forward(params, inputs, rng=Chance())
    earnest = model.forward(params, inputs)[0]
    silent = params | {"W_y": 0 * params["W_y"], "b_y": 0 * params["b_y"]}
    same(trained[:, 0], model.forward(silent, inputs)[0][:, 0], "a story without what the NTM says", 1e-12)
    same(trace["p"][:, 1], 0.0, "where a story without facts looks")
    same(trace["o"][:, 1], 0.0, "what it finds")
    same(trained[:, 2], earnest[:, 2], "a story with both", 1e-12)
    holds(np.abs(trained[:, :2] - earnest[:, :2]).max((0, 2)).min() > 1e-6, "stories without a side: expected other answers")


@meaning("fresh-hybrid-adds-little", "initial values")
def fresh_hybrid_adds_little(rng):
    """Untrained, what the NTM adds to facts and questions is about as small as their own words are."""
    model = Hybrid(HybridConfig(n_inputs=3, n_words=V, n_outputs=4))
    params = model.init(rng)
    size = {"facts": params["W_y"][:, :-4].std(), "answers": params["W_y"][:, -4:].std()}
    holds(0.05 < size["facts"] / size["answers"] < 0.2, f"W_y: expected a tenth for facts and questions, received {size}")
    same(params["A1"][0], 0.0, "row of the nil word")
