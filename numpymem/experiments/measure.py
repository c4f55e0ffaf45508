"""How a trained model is measured: copy at given lengths, the other NTM tasks by measure_ntm.py, bAbI on every test question."""

import numpy as np

from numpymem.experiments.measure_ntm import MEASURES
from numpymem.training.loss import evaluate

COPY_LENGTHS = (20, 50, 80, 120)


def evaluate_run(training, lengths=None, count=None, seed=0):
    """A Training -> a JSON-able dict: for copy `lengths`, a list with length, bits_per_sequence, wrong_bits_percent; for
    the other NTM tasks `lines`, see measure_ntm.py; for bAbI `error_percent`, and of a joint run also `by_task`."""
    task = training.task
    facts = {"task": task.name, "data": task.origin, "trained_on": training.done, "seed": seed}
    if task.name == "copy":
        return facts | {"lengths": copy_lengths(training.model, training.params, task, lengths or COPY_LENGTHS, count or 100,
                                                seed)}
    if lengths:
        raise ValueError(f"--length: expected a run of copy, received one of {task.name}")
    if task.name in MEASURES:
        counted = {"count": count} if count else {}
        return facts | {"lines": MEASURES[task.name](training.model, training.params, task, seed=seed, **counted)}
    found = evaluate(training.model, training.params, task, task.evaluation(None, count, "test"))
    facts |= {"error_percent": found["wrong_percent"], "questions": found["sequences"],
              "majority_error_percent": task.majority_error()}
    return facts if len(task.numbers) == 1 else facts | {"by_task": by_task(training, count)}


def by_task(training, count):
    """Test errors of the tasks of a joint run, in percent, each on its first `count` questions."""
    task = training.task
    return {str(number): evaluate(training.model, training.params, task,
                                  task.evaluation(None, count, "test", number))["wrong_percent"] for number in task.numbers}


def copy_lengths(model, params, task, lengths, count, seed):
    """One line for each length, `count` fresh sequences each."""
    lines = []
    for length in lengths:
        rng = np.random.default_rng([seed, length])
        found = evaluate(model, params, task, task.evaluation(rng, count, length=length))
        lines.append({"length": length, "bits_per_sequence": found["bits_per_sequence"],
                      "wrong_bits_percent": found["wrong_percent"], "sequences": count})
    return lines
