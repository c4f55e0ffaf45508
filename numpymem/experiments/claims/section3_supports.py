"""C7, interpretability: are the sentences that a model looks at those that the answer follows from?

Of a question with k supporting facts, the k sentences that a model looks at most are compared with them: the share of the facts
that is among them, in percent. Chance is k of the sentences told.

    MemN2N   attention p_i of each hop; and the largest over the hops
    NTM      what a read vector consists of. Every number in the memory is a sum of what was added at each step, less what was
             erased since: C_t(n, i) = C_{t-1}(n, i) o (1 - w_t(n) e_t), and at the step that told sentence i plus w_t(n) a_t. So
             r_t = sum_i r_t(i) with r_t(i) = sum_n w_t(n) C_{t-1}(n, i), exactly; a sentence counts as much as r_t(i) is long,
             at the step of the question and at each of the pauses, and the largest of them
"""

import numpy as np

from numpymem.experiments import checkpoints
from numpymem.experiments.claims.section3_models import (SEEDS, answers, latest_with_key, sentences_of, shipped, stories,
                                                         story_task, trained, wrong_percent)

COUNT = 500
KEYED = ("segment-recall", "rewritten-keys")      # the supporting fact is the latest sentence that begins with the word asked for


def measure():
    """-> JSON-able dict: "babi": each task's shipped MemN2N on all test questions; "both": MemN2N and NTM on the same questions."""
    babi = {str(number): of_shipped(f"memn2n_babi{number}") for number in range(1, 21)}
    both = {task: {"MemN2N": over_seeds("memn2n", task), "NTM": over_seeds("ntm", task)} for task in (*KEYED, "babi1")}
    return {"n": COUNT, "seeds": list(SEEDS), "babi": babi, "both": both}


def over_seeds(model, task):
    found = [of_stories(trained(model, task, seed), task) for seed in SEEDS]
    return {name: [each[name] for each in found] for name in found[0]}


def of_shipped(name):
    """Attention of a shipped MemN2N on all test questions of its task."""
    found = shipped(name)
    facts = checkpoints.facts_of(name)
    questions, seen = found.task.questions, found.model.config.memory_size
    scores, supports, told = [], [], []
    for batch, rows in zip(found.task.batches("test", 100), chunks(found.task.dataset("test"), 100)):
        p = np.stack(found.model.forward(found.params, batch.inputs)[1]["p"])                          # (K, B, I)
        for b, row in enumerate(rows):
            number = min(len(questions[row].story), seen)
            first = len(questions[row].story) - number                                                  # older ones are forgotten
            scores.append(p[:, b, :number])
            supports.append([fact - first for fact in dict.fromkeys(questions[row].supports)])
            told.append(number)
    return told_shares(scores, supports, told) | {"wrong_percent": facts["figures"]["test_error_percent"], "n": len(told)}


def chunks(rows, size):
    return [rows[at:at + size] for at in range(0, len(rows), size)]


def of_stories(found, task):
    """Of a Trained on COUNT stories of a task."""
    batch = stories(task, COUNT)
    logits, trace = answers(found, batch, task)
    number = sentences_of(batch)
    p = np.stack(trace["p"]) if found.model.form == "story" else provenance(trace, batch)                # (looks, B, I)
    scores = [p[:, b, :n] for b, n in enumerate(number)]
    names = story_task(task).answers
    targets = np.array([found.task.answers.index(names[target]) for target in batch.targets])
    return told_shares(scores, supports_of(task, batch), number) | {"wrong_percent": wrong_percent(logits, targets)}


def supports_of(task, batch):
    """The supporting facts of each story of `stories`, as rows of it."""
    if task in KEYED:
        return [[int(row)] for row in latest_with_key(batch)]
    made = story_task(task)
    return [list(dict.fromkeys(made.questions[row].supports)) for row in made.dataset("test")[:len(batch.targets)]]


def told_shares(scores, supports, told):
    """Scores (looks, sentences) of each question -> {"found": share by the largest of all looks, "best_look": by the best of them,
    "chance"}, in percent."""
    looks = [np.mean([share(score[look], facts) for score, facts in zip(scores, supports)]) for look in range(len(scores[0]))]
    return {"found": 100 * float(np.mean([share(score.max(0), facts) for score, facts in zip(scores, supports)])),
            "best_look": 100 * float(max(looks)),
            "chance": 100 * float(np.mean([min(len(facts), n) / n for facts, n in zip(supports, told)]))}


def share(score, facts):
    """How much of `facts` is among the len(facts) largest of `score`, 0 to 1."""
    return len(set(np.argsort(-score, kind="stable")[:len(facts)].tolist()) & set(facts)) / len(facts)


# ---- where the NTM has what it reads from -----------------------------------------------------------------------------------

def provenance(trace, batch):
    """How long the part of what is read is that stems from each sentence: (looks, B, I), a look is a read head at one of the steps
    from the question on."""
    I, number = batch.inputs.sentences.shape[1], sentences_of(batch)
    parts = contributions(trace)[I:, :, :, :I]                                                            # (T - I, B, R, I, W)
    size = np.sqrt((parts ** 2).sum(-1)).transpose(0, 2, 1, 3)                                            # (T - I, R, B, I)
    size = size.reshape(-1, *size.shape[2:])
    shifted = np.zeros_like(size)                                                                         # sentences before blanks
    for b, n in enumerate(number):
        shifted[:, b, :n] = size[:, b, I - n:]
    return shifted


def contributions(trace):
    """Of an NTM's trace what each step's writing contributes to each read vector: (T, B, R, T, W). Summed over the fourth axis,
    with what is left of the initial memory, this is r."""
    w, e, a, R = trace["w"], trace["e"], trace["a"], trace["r"].shape[2]
    T, B, _, N = w.shape
    held, found = np.zeros((T, B, N, a.shape[-1])), np.zeros((T, B, R, T, a.shape[-1]))            # held: by step, in each slot
    for t in range(T):
        found[t] = np.einsum("brn,ibnw->briw", w[t, :, :R], held)
        for q in range(e.shape[2]):
            held *= 1 - w[t, :, R + q, :, None] * e[t, :, q, None]
        held[t] += np.einsum("bqn,bqw->bnw", w[t, :, R:], a[t])
    return found
