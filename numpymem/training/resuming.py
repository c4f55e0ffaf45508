"""Whether a checkpoint is one of this run: every array of the shape and kind that training needs, every fact what it can be.

Without this a damaged or strange checkpoint would show itself steps later, as an error in an optimizer, or as wrong numbers.
"""

import numpy as np

from numpymem.received import shown
from numpymem.training.checkpoint import flatten

COUNTS = ("done", "good_evaluations", "evaluated")
LINE = ("sequences", "seconds", "bits_per_sequence", "wrong_percent")      # of metrics.jsonl


def check_checkpoint(training, arrays, facts):
    """Raise ValueError, KeyError or TypeError unless `training` can go on from these arrays and facts."""
    check_arrays("parameter", training.params, arrays["params"])
    check_arrays("optimizer", dict(flatten(training.optimizer.init(training.params))), dict(flatten(arrays.get("optimizer", {}))))
    for name in COUNTS:
        check_count(name, facts[name])
    if facts["converged_at"] is not None:
        check_count("converged_at", facts["converged_at"])
    if not (is_number(facts["seconds"]) and facts["seconds"] >= 0):
        raise ValueError(f"seconds: expected a number of at least 0, received {shown(facts['seconds'])}")
    if training.in_lessons:
        last = len(training.task.lessons)
        if not (is_whole(facts["lesson"]) and 1 <= facts["lesson"] <= last):
            raise ValueError(f"lesson: expected a whole number from 1 to {last}, received {shown(facts['lesson'])}")
    if set(facts["rngs"]) != set(training.rngs):
        raise ValueError(f"rngs: expected the generators {', '.join(training.rngs)}, received {shown(facts['rngs'])}")
    if training.patience.limit and "best" in facts:
        check_arrays("latest", training.params, arrays["latest"])
        check_line("best", facts["best"])
        check_count("waited", facts["waited"])


def check_arrays(what, expected, found):
    """Raise ValueError unless both have the same names, shapes and kinds of numbers."""
    for name, value in expected.items():
        value, other = np.asarray(value), found.get(name)
        if other is None or np.shape(other) != value.shape:
            raise ValueError(f"{what} {name}: expected shape {value.shape}, received "
                             f"{'none' if other is None else np.shape(other)}")
        if np.asarray(other).dtype.kind != value.dtype.kind:
            raise ValueError(f"{what} {name}: expected {value.dtype}, received {np.asarray(other).dtype}")
        if not np.isfinite(other).all():
            raise ValueError(f"{what} {name}: expected finite numbers, received nan or infinity")


def check_line(where, line, needed=LINE):
    """Raise ValueError unless `line` is an evaluation as metrics.jsonl holds it, with at least the numbers that are needed."""
    if not isinstance(line, dict) or not all(is_number(line.get(name)) for name in needed):
        raise ValueError(f"{where}: expected an object with the numbers {', '.join(needed)}, received {shown(line)}")


def check_count(name, value):
    if not (is_whole(value) and value >= 0):
        raise ValueError(f"{name}: expected a whole number of at least 0, received {shown(value)}")


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)
