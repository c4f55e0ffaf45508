"""What the memory Transformer as a whole means (see meaning.py): what each of its parts can see, and what its switches do."""

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, same
from numpymem.memory_transformer import MemoryTransformer, MemoryTransformerConfig
from numpymem.tasks.batches import Segments

SIZES = {"n_words": 9, "n_outputs": 4, "d": 6, "heads": 2, "ff": 5, "N": 6, "W": 4, "read_heads": 2, "decoder_layers": 2}
G, I, J, Q, T, B, Y = 3, 2, 3, 4, 3, 3, 4
KINDS = ({"memory": "ntm", "write_heads": 2, "pointers": True}, {"memory": "append", "pointers": True}, {"memory": "attention"},
         {"memory": "none", "pointers": True, "neighbours": True}, {"strict": True}, {"strict": True, "memory": "append"})
TOLD = [how for how in KINDS if how.get("memory") != "none"]             # those that the segments reach
EQUATIONS = ("Transformer-1", "layer-norm", "MT-items", "MT-read", "MT-write")


def make(rng, **settings):
    """A model with random parameters everywhere, also in rows that must not be read."""
    model = MemoryTransformer(MemoryTransformerConfig(**(SIZES | settings)))
    return model, {name: 0.5 * rng.standard_normal(np.shape(value)) for name, value in model.init(rng, np.float64).items()}


def tell(rng, model):
    """Random stories of 3, 2 and 1 segments of 2 or 1 items of 1 to 3 words; the last question is one word shorter."""
    segments, question = rng.integers(1, SIZES["n_words"], (B, G, I, J)), rng.integers(1, SIZES["n_words"], (B, Q))
    segments[np.arange(J) >= rng.integers(1, J + 1, (B, G, I, 1))] = 0
    segments[0, 0, 0] = [3, 4, 5]                                        # one has all its words
    segments[0, 0, 1, 1:] = 0                                            # and the one after it has not
    segments[1, 0, 1] = 0
    segments[np.arange(G) >= np.array([[3], [2], [1]])] = 0
    question[-1, -1] = 0
    prompt = rng.integers(1, Y + 1 + 2 * model.config.pointers, (B, T))
    prompt[:, 0] = 0
    return Segments(segments, question, prompt)


def other_words(words):
    """Other words wherever there are words."""
    return np.where(words > 0, words % (SIZES["n_words"] - 1) + 1, 0)


def moves(received, before, what, least=1e-7):
    moved = np.abs(np.asarray(received) - before).max()
    holds(moved > least, f"{what}: expected a difference, received one of {moved:.3g}")


@meaning("mt-sees-nothing-ahead", "Transformer-1", "layer-norm", "MT-read")
def mt_sees_nothing_ahead(rng):
    """What is given at a later step changes no earlier answer, and changes its own."""
    for how in KINDS:
        model, params = make(rng, **how)
        inputs = tell(rng, model)
        logits = model.forward(params, inputs)[0]
        for step in range(1, T):
            prompt = inputs.prompt.copy()
            prompt[:, step] = prompt[:, step] % Y + 1
            changed = model.forward(params, inputs._replace(prompt=prompt))[0]
            same(changed[:step], logits[:step], f"answers before step {step} ({how})", 1e-13)
            moves(changed[step], logits[step], f"answers at step {step}, given another prompt ({how})")


@meaning("mt-padding-changes-nothing", *EQUATIONS, "embed")
def mt_padding_changes_nothing(rng):
    """Nil words, items, segments and words of the question, however many, change no answer; nor does row 0 of the words and
    answers, nor do further steps."""
    for how in KINDS:
        model, params = make(rng, **how)
        inputs = tell(rng, model)
        logits = model.forward(params, inputs)[0]
        width = logits.shape[2]
        for what, pads in (("words", (0, 0, 0, 2)), ("items", (0, 0, 1, 0)), ("segments", (0, 2, 0, 0))):
            more = inputs._replace(segments=np.pad(inputs.segments, [(0, n) for n in pads]))
            same(model.forward(params, more)[0], logits, f"answers with nil {what} ({how})", 1e-12)
        longer = inputs._replace(question=np.pad(inputs.question, ((0, 0), (0, 2))), prompt=np.pad(inputs.prompt, ((0, 0), (0, 1))))
        same(model.forward(params, longer)[0][:T, :, :width], logits, f"answers with a longer question and prompt ({how})", 1e-12)
        params["E"][0], params["O"][0] = 7, 7
        same(model.forward(params, inputs)[0], logits, f"answers with another row 0 ({how})", 1e-12)


@meaning("mt-stories-are-treated-alone", *EQUATIONS, "MT-fuse", "MT-pointer", "MT-neighbours")
def mt_stories_are_treated_alone(rng):
    """A story alone, trimmed to its own length, gets the answers that it gets beside longer ones; in another order each story keeps
    its own."""
    for how in KINDS:
        model, params = make(rng, **how)
        inputs = tell(rng, model)
        logits = model.forward(params, inputs)[0]
        for b in range(B):
            alone = model.forward(params, trimmed(inputs, b))[0]
            same(alone, logits[:, [b], :alone.shape[2]], f"answers to story {b} alone ({how})", 1e-12)
        order = [2, 0, 1]
        turned = Segments(*(each[order] for each in inputs[:3]))
        same(model.forward(params, turned)[0], logits[:, order], f"answers in another order ({how})", 1e-12)


def trimmed(inputs, b):
    """One story without what is nil."""
    words, question = inputs.segments[b], inputs.question[b]
    words = words[(words != 0).any((1, 2))]
    words = words[:, (words != 0).any((0, 2))][..., (words != 0).any((0, 1))]
    return Segments(words[None], question[question != 0][None], inputs.prompt[[b]])


@meaning("mt-only-the-memory-carries", *EQUATIONS)
def mt_only_the_memory_carries(rng):
    """The encoder knows of no other segment, and the question of none; still what any segment says reaches the answers. Without a
    memory none does."""
    for how in KINDS:
        model, params = make(rng, **how)
        inputs = tell(rng, model)
        logits, trace = model.forward(params, inputs)
        segments = inputs.segments.copy()
        segments[0, 1] = other_words(segments[0, 1])                     # the second row that is encoded
        changed, other = model.forward(params, inputs._replace(segments=segments))
        same(other["x_q"], trace["x_q"], f"the encoded question ({how})", 1e-13)
        same(changed[:, 1:], logits[:, 1:], f"answers to the other stories ({how})", 1e-13)
        if how in TOLD:
            same(np.delete(other["x"], 1, 0), np.delete(trace["x"], 1, 0), f"the other segments, encoded ({how})", 1e-13)
            moves(other["x"][1], trace["x"][1], f"the segment that changed ({how})")
            moves(changed[:, 0], logits[:, 0], f"the answers ({how})")
        else:
            same(changed, logits, "answers without a memory, told something else")


@meaning("mt-sees-order", "position codes")
def mt_sees_order(rng):
    """The order of segments, items and words, of the question's words and of earlier answers matters."""
    told, question, prompt = np.array([[[[3, 4], [5, 6]], [[7, 8], [1, 2]]]]), np.array([[1, 2, 3]]), np.array([[0, 1, 2, 3]])
    for how in KINDS:
        model, params = make(rng, **how, decoder_layers=1)
        before = model.forward(params, Segments(told, question, prompt))[0][-1]
        orders = {"segments": (told[:, ::-1], question, prompt), "items": (told[:, :, ::-1], question, prompt),
                  "words": (told[..., ::-1], question, prompt), "words of the question": (told, question[:, ::-1], prompt),
                  "earlier answers": (told, question, prompt[:, [0, 2, 1, 3]])}
        for what, inputs in orders.items():
            if how in TOLD or inputs[0] is told:
                after = model.forward(params, Segments(*inputs))[0][-1]
                moves(after[:, :Y], before[:, :Y], f"the last answer with {what} in another order ({how})")


@meaning("mt-forgets", "MT-read", "layer-norm", "Transformer-1")
def mt_forgets(rng):
    """Once the memory is wiped, the answers hang on the segments no more; of a strict model, not on the question either."""
    for how in KINDS:
        if how.get("memory") not in ("attention", "none"):
            model, params = make(rng, **how)
            inputs = tell(rng, model)
            told = inputs._replace(segments=other_words(inputs.segments))
            wiped = model.forward(params, inputs, forget=True)[0]
            same(model.forward(params, told, forget=True)[0], wiped, f"answers after forgetting ({how})", 1e-13)
            moves(model.forward(params, inputs)[0], wiped, f"the answers without forgetting ({how})")
            asked = inputs._replace(question=other_words(inputs.question))
            if how.get("strict"):
                moves(model.forward(params, asked)[0], model.forward(params, inputs)[0], f"answers to another question ({how})")
                same(model.forward(params, asked, forget=True)[0], wiped, f"the same after forgetting ({how})", 1e-13)
            else:
                moves(model.forward(params, asked, forget=True)[0], wiped, f"answers to another question ({how})")


@meaning("mt-without-erase-only-adds", "MT-write", "MT-hold")
def mt_without_erase_only_adds(rng):
    """Without erasing, each step adds to every slot its weight's part of the add vector, and takes nothing away."""
    model, params = make(rng, erase=False)
    kept = model.forward(params, tell(rng, model))[1]["write"]
    before = np.concatenate([kept["M0"][None], kept["M"][:-1]])
    same(kept["M"] - before, np.einsum("tbhn,tbhv->tbnv", kept["w"], kept["a"]), "what a step changes", 1e-14)
    model, params = make(rng)
    erased = model.forward(params, tell(rng, model))[1]["write"]["e"]
    holds(erased.max() > 0.1, f"erase vectors of a model that erases: expected above 0, received {erased.max():.3g} at most")


@meaning("mt-by-content-alone", "MT-write", "MT-read", "MT-hold")
def mt_by_content_alone(rng):
    """By content alone heads look nowhere but where the memory is like their key: no place before counts, nothing is shifted or
    sharpened."""
    model, params = make(rng, addressing="content")
    trace = model.forward(params, tell(rng, model))[1]
    written = trace["written"].T > 0                                     # (I, B)
    for kept, where, what in ((trace["write"], written, "write"), (trace["decoder"][0]["read"], ..., "read")):
        same(kept["g"][where], 1.0, f"gate of {what} heads")
        same(kept["s"][where], [0.0, 1, 0], f"shift of {what} heads")
        same(kept["w"][where], kept["w_c"][where], f"weights of {what} heads", 1e-6)


@meaning("mt-by-location-alone", "MT-write", "MT-read", "MT-hold")
def mt_by_location_alone(rng):
    """By location alone it does not matter what is in the memory: with another one heads go the same way."""
    model, params = make(rng, addressing="location", decoder_layers=1)
    inputs = tell(rng, model)
    trace = model.forward(params, inputs)[1]
    wiped = model.forward(params, inputs, forget=True)[1]
    same(wiped["decoder"][0]["read"]["w"], trace["decoder"][0]["read"]["w"], "read weights with a wiped memory", 1e-14)
    params["M_0"] = 3 * rng.standard_normal(params["M_0"].shape)
    other = model.forward(params, inputs)[1]
    same(other["write"]["w"], trace["write"]["w"], "write weights with another memory at the start", 1e-14)
    moves(other["M"], trace["M"], "the memory")
    distribution(trace["write"]["w"], "write weights")


@meaning("mt-writes-only-what-is-there", "MT-write", "MT-hold")
def mt_writes_only_what_is_there(rng):
    """An item that is there changes the memory; one that is not leaves it exactly as it was. A strict model writes the question,
    too."""
    for strict in (False, True):
        model, params = make(rng, strict=strict)
        inputs = tell(rng, model)
        trace = model.forward(params, inputs)[1]
        kept, there = trace["write"], trace["written"].T > 0              # (I, B)
        moved = np.abs(kept["M"] - np.concatenate([kept["M0"][None], kept["M"][:-1]])).max((2, 3))
        same(moved[~there], 0.0, "change by an item that is not there")
        holds(moved[there].min() > 1e-6, f"change by an item: expected some, received {moved[there].min():.3g}")
        counts = (inputs.segments != 0).any(3).sum((1, 2)) + strict
        same(there.sum(0), counts, "items written")


@meaning("mt-append-keeps-the-latest", "Transformer-1")
def mt_append_keeps_the_latest(rng):
    """A memory that items are appended to has the N latest of them, side by side: older ones are never read, later ones are."""
    model, params = make(rng, memory="append", N=2, shifts=1)
    inputs = tell(rng, model)
    p = model.forward(params, inputs)[1]["decoder"][0]["read"]["p"]      # (B, heads, T, items)
    distribution(p, "weights of items")
    counts = (inputs.segments != 0).any(3).sum((1, 2))
    for b, count in enumerate(counts):
        read = np.flatnonzero(p[b].max((0, 1)) > 0)
        same(read, np.arange(max(count - 2, 0), count), f"items of story {b} that are read")


@meaning("mt-points-only-at-words", "MT-pointer")
def mt_points_only_at_words(rng):
    """Of a shorter question no place after its end is ever the answer, and each word can be."""
    model, params = make(rng, pointers=True)
    inputs = tell(rng, model)
    pointed = model.forward(params, inputs)[0][..., Y:]                  # (T, B, Q)
    there = np.broadcast_to(inputs.question != 0, pointed.shape)
    holds(pointed[~there].max() < -1e6 < pointed[there].min(), "pointers at no word: expected far below all others, received "
          f"{pointed[~there].max():.3g}")


@meaning("mt-answers-are-tied", "embed")
def mt_answers_are_tied(rng):
    """A class has one vector: changed, its own score changes, and what follows where it was the answer before; nothing else."""
    model, params = make(rng)
    inputs = tell(rng, model)._replace(prompt=np.array([[0, 1, 2], [0, 3, 3], [0, 2, 1]]))
    logits = model.forward(params, inputs)[0]
    params["O"][1] *= 1.5                                               # class 0, which is 1 in a prompt
    changed = model.forward(params, inputs)[0]
    moves(changed[..., 0], logits[..., 0], "the score of the class")
    same(changed[:, 1, 1:], logits[:, 1, 1:], "the other scores where it was not answered", 1e-13)
    same(changed[:1, :, 1:], logits[:1, :, 1:], "and before it was", 1e-13)
    moves(changed[1, 0, 1:], logits[1, 0, 1:], "the other scores after it was")
    moves(changed[2, 2, 1:], logits[2, 2, 1:], "the same in another story")


@meaning("fresh-mt-goes-from-slot-to-slot", "MT-write", "initial values")
def fresh_mt_goes_from_slot_to_slot(rng):
    """Untrained, write heads go one slot on with every item (hints; without, they blur); the nil word and no answer are zero."""
    sharp = {}
    for hints in (True, False):
        model, _ = make(rng, hints=hints, N=8)
        params, inputs = model.init(rng, np.float64), tell(rng, model)
        w = model.forward(params, inputs)[1]["write"]["w"][:, 0, 0]      # (I, N) of the longest story
        n = int((inputs.segments[0] != 0).any(2).sum())
        sharp[hints] = w[np.arange(n), np.arange(1, n + 1)].min()
        same(params["E"][0], 0.0, "row of the nil word")
        same(params["O"][0], 0.0, "row of no answer")
        if hints:
            same(w[:n].argmax(1), np.arange(1, n + 1), "slots written to")
    holds(sharp[True] > 0.4 > sharp[False], f"weight at the next slot: expected more with hints, received {sharp[True]:.2f} and "
          f"{sharp[False]:.2f} without")
