"""How a trained model is measured on the tasks in the segments form, also beyond what it was trained on.

Every measure takes (model, params, task, count, seed) and returns a list of JSON-able dicts, each with `wrong_percent`, or for the
whole queries of WikiSQL `right_percent`, and how many `sequences`. Of a memory Transformer with a memory each also says what is
left when all of it is wiped before it is read: `forgotten_wrong_percent`, of at most FORGOTTEN sequences.
"""

import dataclasses

import numpy as np

from numpymem.memory_transformer.config import inner_width
from numpymem.memory_transformer.decoding import generate
from numpymem.tasks.wikisql.query import EACH, HEAD, MAX_CONDITIONS, SCORES

COUNT = 1000                                      # fresh sequences a line
METAQA, FORGOTTEN = 4000, 1000                    # questions of MetaQA; most sequences a line with the memory wiped
REWRITES = (0, 1, 2, 3)
MOST_FACTS = 4096


def copy_segments(model, params, task, count=COUNT, seed=0):
    """One line for each number of segments that it was trained on, one for a segment more, and one for twice as many; without those
    that the memory has no slots for."""
    most, lines = task.segments[1], []
    for n in (*range(task.segments[0], most + 1), most + 1, 2 * most):
        roomy = with_slots(model, n * task.length)
        if roomy is not None:
            lines.append({"segments": n} | fresh(roomy, params, task, count, seed, segments=n))
    return lines


def with_slots(model, items):
    """The model with at least so many slots; None if it has fewer, and something was learned of each."""
    config = model.config
    if hasattr(config, "memory_size"):                               # MemN2N, hybrid: of ages something is learned
        return model if config.memory_size >= items else None if config.temporal else wider(model, memory_size=items)
    if model.form == "sequence":
        loose = getattr(config, "initial_memory", "") == "constant" and getattr(config, "initial_weights", "") == "one-hot"
        return wider(model, N=items) if loose and config.N < items else model
    wanted = items + getattr(config, "strict", False)
    if getattr(config, "memory", None) not in ("ntm", "append") or config.N >= wanted:
        return model
    if config.memory == "ntm" and config.initial_memory == "learned":
        return None
    return wider(model, N=wanted, matched=False, ff=inner_width(config))                   # of `matched`, which goes by N


def wider(model, **sizes):
    """The same model with other sizes, none of which anything learned depends on."""
    return type(model)(dataclasses.replace(model.config, **sizes))


def by_size(model, params, task, count=COUNT, seed=0):
    """One line for each size of a task: numbers of pairs, of steps."""
    return [size | fresh(model, params, task, count, seed, **size) for size in task.sizes()]


def by_rewrites(model, params, task, count=COUNT, seed=0):
    """One line for each number of times that the key asked for was rewritten; `stale_percent` of the answers are an earlier value
    of it."""
    return [{"rewrites": n} | fresh(model, params, task, count, seed, rewrites=n) for n in REWRITES
            if any(task.fits(size["writes"], n) for size in task.sizes())]


def by_facts(model, params, task, count=COUNT, seed=0):
    """One line for the number of facts that it was trained on, and for four, sixteen ... times as many, up to MOST_FACTS and as
    there are names for; without those that the model has no slots for."""
    numbers = [task.facts * 4 ** power for power in range(8)]
    lines = []
    for n in (n for n in numbers if n <= min(MOST_FACTS, 2 * task.n_outputs)):
        roomy = with_slots(model, n)
        if roomy is not None:
            lines.append({"facts": n} | fresh(roomy, params, task, max(count * task.facts // n, 100), seed, facts=n))
    return lines


def test_part(model, params, task, count=None, seed=0):
    """One line: all questions of the test part, or `count` of them."""
    return [rates(model, params, task, lambda count: task.evaluation(np.random.default_rng(seed), count, "test"), count)]


def metaqa(model, params, task, count=METAQA, seed=0):
    """As `test_part`, on fewer questions: to look up the facts of a question takes a while."""
    return test_part(model, params, task, count, seed)


def official_parts(model, params, task, count=None, seed=0):
    """One line for the dev part, if there is one, and one for the test part."""
    return [{"part": part} | rates(model, params, task, lambda count, part=part: task.evaluation(None, count, part), count)
            for part in ("dev", "test") if part in task.parts]


def fresh(model, params, task, count, seed, **size):
    """`rates` on so many fresh sequences of one size."""
    return rates(model, params, task,
                 lambda count: task.evaluation(np.random.default_rng([seed, *size.values()]), count, **size), count)


def rates(model, params, task, draw, count):
    """Wrong answers in percent, and stale ones where the task knows any; draw(count) yields (batch, sequences)."""
    found = rates_on(model, params, task, draw(count))
    sequences = found.pop("sequences")
    if has_memory(model):
        forgotten = rates_on(model, params, task, draw(min(count or FORGOTTEN, FORGOTTEN)), forget=True)
        found["forgotten_wrong_percent"] = forgotten["wrong_percent"]
    return found | {"sequences": sequences}


def rates_on(model, params, task, batches, forget=False):
    wrong = asked = stale = sequences = 0
    knows_stale = hasattr(task, "count_stale")
    for batch, n in batches:
        outputs, _ = model.forward(params, batch.inputs, **({"forget": True} if forget else {}))
        wrong_here, asked_here = task.count_wrong(outputs, batch)
        wrong, asked, sequences = wrong + wrong_here, asked + asked_here, sequences + n
        stale += task.count_stale(outputs, batch) if knows_stale else 0
    return {"wrong_percent": 100 * wrong / asked} | ({"stale_percent": 100 * stale / asked} if knows_stale else {}) | {
        "sequences": sequences}


def has_memory(model):
    """Whether it is a memory Transformer with anything that could be forgotten."""
    return getattr(model.config, "memory", None) in ("ntm", "append")


# ---- whole queries ----------------------------------------------------------------------------------------------------------

def queries(model, params, task, count=None, seed=0):
    """One line for each score of the whole queries (see `WikiSQLQuery.score`), said step by step, only what becomes a query; on the
    test part or `count` questions of it."""
    remembered = greedy_scores(model, params, task, count)
    found = {"right_percent": remembered}
    if has_memory(model):
        found["forgotten_right_percent"] = greedy_scores(model, params, task, min(count or FORGOTTEN, FORGOTTEN), True)
    return [{"of": of} | {name: percent(scores, of) for name, scores in found.items()} | {"sequences": remembered["asked"]}
            for of in SCORES]


def percent(scores, of):
    """A score in percent of what it can be."""
    return 100 * scores[of] / max(scores["answered" if of == "execution, answered" else "asked"], 1)


def greedy_scores(model, params, task, count=None, forget=False, part="test", at_once=100):
    """The counts of `WikiSQLQuery.score` over a part."""
    rows, totals = task.rows(part, count), {}
    for start in range(0, len(rows), at_once):
        some = rows[start:start + at_once]
        said = generate(model, params, task.batch(some).inputs, HEAD + EACH * MAX_CONDITIONS,
                        lambda said, some=some: task.allowed(some, said), forget)
        for what, number in task.score(said, some).items():
            totals[what] = totals.get(what, 0) + number
    return totals


MEASURES = {"segmented-copy": copy_segments, "segment-recall": by_size, "rewritten-keys": by_rewrites,
            "segment-traversal": by_size, "made-facts": by_facts, "metaqa": metaqa, "metaqa2": metaqa,
            "wikisql-agg": official_parts, "wikisql-number": official_parts, "wikisql-select": test_part,
            "wikisql-select-flat": test_part, "wikisql-query": queries}
