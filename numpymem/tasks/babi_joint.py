"""All twenty bAbI tasks at once: one model, one vocabulary, one set of answers (Sukhbaatar et al. 2015, table 1, "joint")."""

import re
from collections import defaultdict

import numpy as np

from numpymem.data import babi as data
from numpymem.data.babi_format import TASKS
from numpymem.tasks.babi import Babi, _check

COUNT = re.compile(r"task \d+ \([\d,]+ \+ [\d,]+ questions\)")


class BabiJoint(Babi):
    """The questions of many tasks in one task; batches are drawn from all of them alike.

    numbers  the tasks, all twenty if not said; the other arguments are those of `Babi`
    raises   as `Babi`, and ValueError for no number, a wrong one or one that comes twice

    For validation a random tenth of all training questions is held out, the same in every run. `dataset`, `batches` and
    `evaluation` give all questions, or with `number` those of one task.
    """

    def __init__(self, size="1k", form="story", source="auto", folder=None, memory_size=50, whole_vocabulary=False,
                 numbers=tuple(TASKS), by="word"):
        _check(form, memory_size, whole_vocabulary, by)
        numbers = checked(numbers)
        loaded = {number: data.load(number, size, source, folder) for number in numbers}
        self.name, self.origin, self.numbers = "babi-joint", joint_origin(loaded), numbers
        self.form, self.memory_size, self.whole_vocabulary, self.by = form, memory_size, whole_vocabulary, by
        train = [(number, question) for number in numbers for question in loaded[number].train]
        mixed = [train[index] for index in np.random.default_rng(0).permutation(len(train))]
        test = [(number, question) for number in numbers for question in loaded[number].test]
        self._hold(*data.split_validation(mixed), test)


def checked(numbers):
    """The numbers as a tuple. Raises ValueError if they are not some of the twenty, each once."""
    if not isinstance(numbers, (list, tuple)) or not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"numbers: expected a list of different numbers from 1 to 20, received {numbers!r}")
    for number in numbers:
        if number not in TASKS:
            raise ValueError(f"numbers: expected numbers from 1 to 20, received {number!r}")
    return tuple(numbers)


def joint_origin(loaded):
    """Where the questions of several tasks come from, in one line. Tasks of one origin are named together, and a task that has
    an origin of its own (10k has only a part of task 3) stands apart with it.

    loaded  task number -> BabiData
    """
    alike = defaultdict(list)
    for number, found in loaded.items():
        alike[COUNT.sub("{}", found.origin)].append(number)
    return " AND ".join(origin.replace("{}", counted(loaded, numbers)) for origin, numbers in alike.items())


def counted(loaded, numbers):
    """Such as 'tasks 1-2, 4-20 (190,000 + 19,000 questions)'."""
    train, test = (sum(len(getattr(loaded[number], part)) for number in numbers) for part in ("train", "test"))
    return f"task{'s' if len(numbers) > 1 else ''} {ranges(numbers)} ({train:,} + {test:,} questions)"


def ranges(numbers):
    """(1, 2, 4, 5, 6) -> '1-2, 4-6'"""
    parts = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in parts)
