"""How a trained model is measured on the tasks of the DNC paper (Graves et al. 2016, Nature).

Every measure takes (model, params, task, ..., count, seed), draws `count` fresh episodes for each line, and returns a list of
JSON-able dicts. Of the graph tasks a line says how many answers were right as a whole.
"""

import dataclasses

import numpy as np

from numpymem.experiments.measure_ntm import found_on
from numpymem.tasks.graphs.task import NothingToAsk
from numpymem.training.loss import evaluate

SERIES = ((1, 5), (5, 5), (10, 5), (15, 5), (20, 5), (10, 1), (10, 3), (10, 8))     # (copies, length); the paper shows 10 of 5
STATIONS, PATHS = (10, None), (1, 2, 3, 4, 5, 7)  # of the Underground: a part of ten stations, and all
PEOPLE, STEPS = (20, None), (1, 2, 3, 4)          # of Queen Victoria's family


def series_sizes(model, params, task, sizes=SERIES, count=100, seed=0):
    """One line for each (copies, length)."""
    return [{"copies": copies, "length": length}
            | found_on(model, params, task, task.evaluation(np.random.default_rng([seed, copies, length]), count, copies=copies,
                                                            length=length)) for copies, length in sizes]


def lessons(model, params, task, count=100, seed=0):
    """One line for each lesson of a graph task, also those that the model has not come to."""
    return [{"on": "lesson", "at": number}
            | right_on(model, params, task, task.evaluation(np.random.default_rng([seed, number]), count, lesson=number))
            for number in range(1, len(task.lessons) + 1)]


def on_underground(model, params, task, count=100, seed=0, stations=STATIONS, paths=PATHS):
    """One line for each length of a path on the Underground, of part of it and of the whole. A part may be too small for long
    shortest paths; these are left out."""
    return on_real(model, params, task, task.underground, "Underground", "stations", stations, paths, count, seed)


def on_family_tree(model, params, task, count=100, seed=0, people=PEOPLE, steps=STEPS):
    """One line for each number of steps of a relation in Queen Victoria's family, of part of it and of the whole."""
    return on_real(model, params, task, task.royal, "royal family", "people", people, steps, count, seed)


def on_real(model, params, task, ask, name, nodes, sizes, lengths, count, seed):
    """Lines for each size of part (None: all) and length. Four questions at a time: the links of 300 slots are 90,000 numbers a
    step."""
    lines = []
    for size in sizes:
        for length in lengths:
            rng = np.random.default_rng([seed, size or 0, length])
            try:
                batches = list(task.batches(rng, count, lambda: ask(rng, length, size), 4))        # noqa: B023, used at once
            except NothingToAsk:                                                    # no such path in so small a part
                continue
            where = f"{name}, {'all' if size is None else f'{size} {nodes}'}"
            roomy = with_slots(model, max(len(batch.inputs) for batch, _ in batches))
            lines.append({"on": where, "at": length} | right_on(roomy, params, task, batches))
    return lines


def with_slots(model, least):
    """The same model with at least so many slots: real graphs have more triples than those of the lessons. No parameter of a DNC
    depends on the number of slots, nor one of an NTM whose start is not learned."""
    if getattr(model.config, "N", least) >= least or getattr(model.config, "initial_weights", "one-hot") == "learned":
        return model
    return type(model)(dataclasses.replace(model.config, N=least))


def right_on(model, params, task, batches):
    """What `evaluate` finds, as right answers."""
    found = evaluate(model, params, task, batches)
    return {"right_percent": 100 - found["wrong_percent"], "bits_per_sequence": float(found["bits_per_sequence"]),
            "sequences": found["sequences"]}


def paths(model, params, task, count=100, seed=0):
    """Lessons, then the Underground."""
    return lessons(model, params, task, count, seed) + on_underground(model, params, task, count, seed)


def relations(model, params, task, count=100, seed=0):
    """Lessons, then Queen Victoria's family."""
    return lessons(model, params, task, count, seed) + on_family_tree(model, params, task, count, seed)


MEASURES = {"series-copy": series_sizes, "traversal": paths, "shortest-path": paths, "family": relations}


def final_graph(training, seed, count=100):
    """What the result of a run says: right answers in percent, {"lesson_right_percent": {lesson: ..}} and, say,
    {"underground_all_right_percent": {length: ..}}; which lessons were passed after how many sequences and seconds {lesson: ..}."""
    figures = {}
    for line in MEASURES[training.task.name](training.model, training.params, training.task, count=count, seed=seed):
        name = f"{line['on']} right percent".lower().replace(",", "").replace(" ", "_")
        figures.setdefault(name, {})[str(line["at"])] = line["right_percent"]
    passed = [line for line in training.history if line.get("passed")]
    return figures | {"lessons_passed": len({line["lesson"] for line in passed})} | {
        f"passed_{unit}": {str(line["lesson"]): line[unit] for line in reversed(passed)} for unit in ("sequences", "seconds")}
