"""C4, time: what becomes of the answers when sentences are told in another order, and when an NTM forgets what its controller, its
heads or its memory hold before it is asked."""

import numpy as np

from numpymem.experiments.claims.section3_models import (SEEDS, Trained, answers, shuffled, softmax, steps, stories, trained,
                                                         wrong_percent)

COUNT = 500
TASKS = ("rewritten-keys", "segment-recall")      # the order of the sentences matters in the first, and not in the second
CONTENDERS = {"NTM": ("ntm", ()), "MemN2N": ("memn2n", ()), "MemN2N, no time": ("memn2n", ("temporal=false",))}
STATES = {"h, c": ("h", "c"), "r": ("r",), "w": ("w",), "M": ("M",)}


def measure():
    """-> JSON-able dict: "order" and "reset"; each figure is a list over the seeds."""
    order = {task: {label: over_seeds(order_of, *contender, task) for label, contender in CONTENDERS.items()} for task in TASKS}
    reset = {"copy, LSTM": over_seeds(reset_copy)} | {f"{task}, feedforward": over_seeds(reset_story, task) for task in TASKS}
    twice = max(asked_twice(trained("memn2n", task, seed), task) for task in TASKS for seed in SEEDS)
    return {"n": COUNT, "seeds": list(SEEDS), "order": order, "reset": reset, "memn2n_asked_twice": twice}


def over_seeds(one, *arguments):
    """{name: [value of each seed]} of one(*arguments, seed)."""
    found = [one(*arguments, seed) for seed in SEEDS]
    return {name: [each[name] for each in found] for name in found[0]}


# ---- order ----------------------------------------------------------------------------------------------------------------------

def order_of(model, more, task, seed):
    """Errors as told and in another order (answers go by the new order), how far the probabilities move, in percent (half the sum
    of absolute differences), and the largest change of a logit in float64, which says whether the order counts at all."""
    found, batch = trained(model, task, seed, more), stories(task, COUNT)
    moved = shuffled(batch, np.random.default_rng([seed, 7]))
    before, after = (answers(found, each, task)[0] for each in (batch, moved))
    exact = Trained(found.model, {name: value.astype(np.float64) for name, value in found.params.items()}, found.task)
    same = moved.targets == batch.targets                              # of stories whose answer the new order changed, it must move
    logits = [answers(exact, each, task)[0] for each in (batch, moved)]
    return {"wrong_percent": wrong_percent(before, batch.targets), "moved_wrong_percent": wrong_percent(after, moved.targets),
            "moved_percent": 50 * float(np.abs(softmax(before) - softmax(after)).sum(-1)[same].mean()),
            "largest_logit_change": float(np.abs(logits[0] - logits[1]).max())}


def asked_twice(found, task):
    """The largest change of any logit when other stories have been read between: 0 where nothing is kept."""
    batch, other = stories(task, COUNT), stories(task, COUNT, seed=1)
    before = answers(found, batch, task)[0]
    answers(found, other, task)
    return float(np.abs(answers(found, batch, task)[0] - before).max())


# ---- state ----------------------------------------------------------------------------------------------------------------------

def reset_story(task, seed):
    """Wrong answers when parts of the state before the question are as at the very beginning."""
    found, batch = trained("ntm", task, seed), stories(task, COUNT)
    inputs = steps(batch, task)
    return resets(found, inputs, batch.inputs.sentences.shape[1], lambda logits: wrong_percent(logits[-1], batch.targets))


def reset_copy(seed):
    """Wrong bits of copies of length 10 when parts of the state after the delimiter are as at the very beginning."""
    found = trained("ntm", "copy", seed)
    batch = found.task.sample(np.random.default_rng([1_000_003, seed]), 100, length=10)
    first = int(batch.mask[:, 0].argmax())                             # the first step that answers

    def wrong(logits):
        bits, targets = logits[-(len(batch.mask) - first):] > 0, batch.targets[first:] > 0.5
        return 100 * float((bits != targets).mean())
    return resets(found, batch.inputs, first, wrong)


def resets(found, inputs, at, wrong):
    """{"nothing": error, "h, c": error, ...}: the first `at` steps, a part of the State set back, the rest."""
    model, params = found.model, found.params
    initial = model.initial_state(params, inputs.shape[1])
    _, trace = model.run(params, inputs[:at], initial)
    found = {"nothing": wrong(model.run(params, inputs[at:], trace["last"])[0])}
    for name, parts in STATES.items():
        if name != "h, c" or model.is_lstm:
            state = trace["last"]._replace(**{part: getattr(initial, part) for part in parts})
            found[name] = wrong(model.run(params, inputs[at:], state)[0])
    return found
