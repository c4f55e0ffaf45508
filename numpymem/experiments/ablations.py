"""Variants of one model side by side: of a spec whose `compare` names the group that the others are set against.

    wrong answers, %            full         no memory     ...
    segment-recall at 8     0.1 ± 0.1      93.6 ± 0.4
    and how much more than full, seed by seed: 93.5 ± 0.4
"""

import numpy as np

from numpymem.experiments import summary

WRONG, FORGOTTEN, STALE = "wrong_percent", "forgotten_wrong_percent", "stale_percent"
ARTICLE = ("the article: +12.7 % on WikiSQL for a memory Transformer (no source is known); here, WikiSQL's column streamed, right "
           "answers more than without memory: {gain}")


def lines(found):
    """What `report` prints of such a spec."""
    against, groups = found["spec"]["compare"], [group["label"] for group in found["spec"]["groups"]]
    table, more = [["", *groups]], [["", *groups]]
    for task, place in places(found):
        columns = [errors(found, group, task, place) for group in groups]
        table.append([named(task, place), *map(told, columns)])
        theirs = errors(found, against, task, place)
        if place.startswith(WRONG) and theirs:
            more.append([named(task, place), *(told(paired(column, theirs)) for column in columns)])
    made = ["", "wrong answers, %", *summary.aligned(table), "", f"more wrong answers than {against}, points, seed by seed",
            *summary.aligned(more)]
    return made + ([ARTICLE.format(gain=told(wikisql_gain(found)) + " points")] if wikisql_gain(found) else [])


def places(found):
    """(task, figure) pairs of the table, in the order of the spec: every figure of wrong answers of a task, stale ones, and what is
    wrong when the memory is wiped."""
    seen = {}
    for run in found["runs"]:
        for name in summary.flat(run["figures"]):
            if name.partition("/")[0] in (WRONG, STALE, FORGOTTEN):
                seen.setdefault(run["task"], {})[name] = None
    order = [WRONG, STALE, FORGOTTEN]
    return [(task, name) for task, names in seen.items()
            for name in sorted(names, key=lambda name: order.index(name.partition("/")[0]))]


def named(task, place):
    """'segment-recall at 8', 'rewritten-keys, wiped'"""
    figure, _, at = place.partition("/")
    return task + (f" at {at}" if at else "") + {WRONG: "", STALE: ", stale", FORGOTTEN: ", wiped"}[figure]


def errors(found, group, task, place):
    """{seed: percent} of a group's runs."""
    return {run["seed"]: summary.flat(run["figures"])[place] for run in found["runs"]
            if (run["group"], run["task"]) == (group, task) and place in summary.flat(run["figures"])}


def paired(ours, theirs):
    """{seed: how much more} of the seeds that both have."""
    return {seed: value - theirs[seed] for seed, value in ours.items() if seed in theirs}


def told(values):
    """'1.2 ± 0.1', or '-' where nothing is known."""
    if not values:
        return "-"
    numbers = list(values.values())
    spread = f" ± {np.std(numbers, ddof=1):.1f}" if len(numbers) > 1 else ""
    return f"{np.mean(numbers):.1f}{spread}"


def wikisql_gain(found):
    """{seed: points} that the full model has more right than one without memory, of the streamed columns."""
    without, full = (errors(found, group, "wikisql-select", WRONG) for group in ("no memory", found["spec"]["compare"]))
    return paired(without, full)
