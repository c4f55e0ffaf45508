"""What section 3's judges share: results, who is better, figures as text, verdicts by halves."""

import importlib

import numpy as np

from numpymem.experiments import ablations, results
from numpymem.experiments.claims.claim import Verdict
from numpymem.experiments.claims.intervals import paired
from numpymem.experiments.claims.section3_measure import COMMAND

CLOSE = 2.0                                       # percent points: figures nearer than this count as equal


def sweep_file(name):
    """A sweep's committed result. Raises FileNotFoundError that says how to make it."""
    return _read(name, f"python -m numpymem sweep {name} --save")


def measured_file(name):
    """The committed result of a measure. Raises FileNotFoundError that says how to make it."""
    return _read(f"sec3_{name}", f"{COMMAND} {name} --save")


def _read(name, how):
    try:
        return results.read(name)
    except FileNotFoundError:
        raise FileNotFoundError(f"no results yet; {how} makes them") from None


def column(found, group, task, place):
    """{seed: percent} of a group's runs. Raises FileNotFoundError if there are none."""
    values = ablations.errors(found, group, task, place)
    if not values:
        raise FileNotFoundError(f"{found['name']} has no {place} of {group} on {task} yet")
    return values


def better(ours, theirs):
    """Whether errors {seed: percent} are lower: the 95 % interval of the difference lies beyond zero, and it is CLOSE or more."""
    lead = paired(theirs, ours)
    return lead.sign > 0 and lead.mean >= CLOSE


def by_halves(first, second, ours, because, commands, figures, short, partly=False):
    """A Verdict: "agrees" if both halves hold, "differs" if none does (nor, `partly`, a part of one), else "depends"."""
    word = "agrees" if first and second else "depends" if first or second or partly else "differs"
    return Verdict(word, ours, because, commands, figures, short)


def by_places(held, ours, because, commands, figures, short):
    """A Verdict from {place: whether the article's order holds there}."""
    word = "agrees" if all(held.values()) else "depends" if any(held.values()) else "differs"
    return Verdict(word, ours, because, commands, figures, short)


def report(*names):
    return tuple(f"python -m numpymem report {name}" for name in names)


def figure_of(name, found):
    """The figures of a Verdict: (title, function that draws) of numpymem/plotting/section3.py."""
    drawing = importlib.import_module("numpymem.plotting.section3")
    return ((drawing.TITLES[name], lambda: getattr(drawing, name)(found)),)


# ---- numbers as text ----------------------------------------------------------------------------------------------------------

def numbers(values):
    return [float(value) for value in (values.values() if isinstance(values, dict) else values)]


def mean(values):
    return float(np.mean(numbers(values)))


def least(values):
    return min(numbers(values))


def spread(values):
    """'3.2 ± 0.4' of several numbers, '3.2' of one."""
    each = numbers(values)
    return f"{np.mean(each):.1f}" + (f" ± {np.std(each, ddof=1):.1f}" if len(each) > 1 else "")
