"""C1, access: one bAbI story told to both, and how much of each memory changes when."""

import numpy as np

from numpymem.experiments.claims.section3_supports import supports_of
from numpymem.experiments.claims.section3_models import SEEDS, answers, sentences_of, shipped, steps, stories, story_task, trained

TASK, COUNT = "babi1", 200
SHOWN = 6                                         # sentences of the story that is shown


def measure():
    """-> JSON-able dict: what the NTM's memory changes at each kind of step, MemN2N's when it is asked, and traces of a story."""
    batch, memn2n = stories(TASK, COUNT), shipped("memn2n_babi1")
    changes = [memory_changes(trained("ntm", TASK, seed), batch) for seed in SEEDS]
    return {"task": TASK, "n": COUNT, "seeds": list(SEEDS), "NTM": {key: [each[key] for each in changes] for key in changes[0]},
            "MemN2N": {"asked": asked_otherwise(memn2n, batch)}, "story": story(batch, memn2n)}


def memory_changes(found, batch, task=TASK):
    """Change of the memory at a step in percent of what is in it after the story, mean over stories; and how sharply it writes."""
    logits, trace = answers(found, batch, task)
    M = np.concatenate([trace["initial"].M[None], trace["M"]])                                         # (T + 1, B, N, W)
    norm = np.sqrt((np.diff(M, axis=0) ** 2).sum((2, 3))) / np.sqrt((M[-1] ** 2).sum((1, 2)))             # (T, B)
    I, number = batch.inputs.sentences.shape[1], sentences_of(batch)
    told = np.arange(len(norm))[:, None] >= I - number                                                  # blank steps come first
    R = trace["r"].shape[2]
    wrong = 100 * float((logits.argmax(-1) != classes(found, batch, task)).mean())
    return {"told": 100 * float(norm[:I][told[:I]].mean()), "asked": 100 * float(norm[I].mean()),
            "answering": 100 * float(norm[I + 1:].mean()), "write_peak": float(trace["w"][:I, :, R:].max(-1)[told[:I]].mean()),
            "wrong_percent": wrong}


def classes(found, batch, task=TASK):
    """Targets as classes of the task of a Trained, (B,)"""
    names = story_task(task).answers
    return np.array([found.task.answers.index(names[target]) for target in batch.targets])


def asked_otherwise(found, batch):
    """The largest change of any number of MemN2N's memories when another question is asked: the next story's."""
    others = batch.inputs._replace(query=np.roll(batch.inputs.query, 1, axis=0))
    one, other = (found.model.forward(found.params, inputs)[1]["all_memories"] for inputs in (batch.inputs, others))
    return float(np.abs(one - other).max())


def story(batch, memn2n):
    """The traces of the first story of SHOWN sentences that both answer rightly."""
    ntm = trained("ntm", TASK, SEEDS[0])
    logits = answers(ntm, batch, TASK)[0]
    right = answers(memn2n, batch, TASK)
    both_right = (logits.argmax(-1) == classes(ntm, batch)) & (right[0].argmax(-1) == classes(memn2n, batch))
    fits = (sentences_of(batch) == SHOWN) & both_right
    return traces(ntm, memn2n, batch, int(np.flatnonzero(fits)[0]))


def traces(ntm, memn2n, batch, b, task=TASK):
    """What both do with story b of a batch, JSON-able: words, supporting facts, heads' weights by step, attention by hop."""
    trace, told = answers(ntm, batch, task)[1], int(sentences_of(batch)[b])
    first, R, words = batch.inputs.sentences.shape[1] - told, trace["r"].shape[2], story_task(task).vocabulary
    attention = answers(memn2n, batch, task)[1]["p"]
    return {"sentences": [" ".join(words[word] for word in row if word) for row in batch.inputs.sentences[b, :told]],
            "question": " ".join(words[word] for word in batch.inputs.query[b] if word),
            "answer": story_task(task).answers[batch.targets[b]], "supports": supports_of(task, batch)[b],
            "write": rounded(trace["w"][first:, b, R:].sum(1)), "read": rounded(trace["w"][first:, b, :R].sum(1)),
            "steps": len(steps(batch, task)) - first, "attention": rounded(np.stack([p[b, :told] for p in attention]))}


def rounded(values):
    return np.round(np.asarray(values, float), 3).tolist()
