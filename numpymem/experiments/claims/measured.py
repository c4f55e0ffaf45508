"""What a sweep's result says of the contenders, seed by seed, in percent right.

A group of such a spec is labelled with the model's name, "NTM", or with that and a variant: "NTM 10k", "NTM no erase". A *place* is
where contenders can be set side by side: a task, one of its figures, and a variant that both NTM and MemN2N have. "NTM as large" is
the NTM with about as many parameters as the hybrid, which C13 is judged by.
"""

import contextlib
import contextvars
import re
from typing import NamedTuple

from numpymem.experiments import ablations, results
from numpymem.experiments.claims.intervals import told

PARENTS = ("NTM", "MemN2N")
CONTENDERS = (*PARENTS, "LSTM", "Hybrid", "DNC", "DMN+", "Transformer")
LARGE = "as large"
SIDE_BY_SIDE = 4                                  # columns of a table, as 80 characters have room for no more
FIGURES = ("test_error_percent", "wrong_percent")             # what counts as wrong, of which one is in a task's figures
COPY_LENGTHS = ("20", "50", "120")
UNITS = {"copy": ("length", ""), "segment-traversal": ("", "step"), "rewritten-keys": ("", "rewrite"), "made-facts": ("", "fact")}
TITLES = {"metaqa": "MetaQA"}
BUDGET = {"parameters": "parameters", "examples": "sequences", "seconds a run": "seconds"}


class Place(NamedTuple):
    """task, path of the figure as in `summary.flat` ("wrong_percent/120"), and '' or a variant of all contenders ("10k")."""
    task: str
    figure: str
    variant: str

    @property
    def number(self):
        """What it was measured at: 120, or None."""
        at = self.figure.partition("/")[2]
        return int(at) if at.isdigit() else None


def read(name):
    """A committed result. Raises FileNotFoundError that says how to make it."""
    try:
        return results.read(name)
    except FileNotFoundError:
        raise FileNotFoundError(f"no results yet; python -m numpymem sweep {name} --save makes them") from None


def variants(found, model):
    """The variants of a contender in the order of the spec: {'': 'NTM', 'no erase': 'NTM no erase'}."""
    labels = [group["label"] for group in found["spec"]["groups"]]
    return {label[len(model):].strip(" ,:"): label for label in labels if label == model or label.startswith(model + " ")}


def right(found, model, place):
    """{seed: percent right} of a contender at a place; {} if it was not there."""
    label = variants(found, model).get(place.variant)
    return {seed: 100 - wrong for seed, wrong in ablations.errors(found, label, place.task, place.figure).items()}


def places(found, models=PARENTS):
    """Every Place at which all `models` have figures, in the order of the spec. Of a variant with a number, such as "16 facts",
    only what was measured at that number, not what becomes of it at others."""
    made = []
    for variant in variants(found, models[0]):
        for task, figure in figures(found):
            place = Place(task, figure, variant)
            as_trained = place.number in (None, trained_at(place) or place.number)
            if as_trained and all(right(found, model, place) for model in models):
                made.append(place)
    order = list(dict.fromkeys(run["task"] for run in found["runs"]))
    return sorted(made, key=lambda place: order.index(place.task))


def trained_at(place):
    """The number that its variant begins with: 16 of "16 facts"; None without. "10k" is a size of the data."""
    number = re.match(r"(\d+)( |$)", place.variant)
    return int(number[1]) if number else None


def figures(found):
    """(task, path) of every figure that counts wrong answers."""
    pairs = {}
    for run in found["runs"]:
        for name in FIGURES:
            value = run["figures"].get(name)
            paths = [f"{name}/{at}" for at in value] if isinstance(value, dict) else [name] if value is not None else []
            pairs |= {(run["task"], path): None for path in paths}
    return [(task, path) for task, path in pairs if task != "copy" or path.partition("/")[2] in COPY_LENGTHS]


def named(place):
    """'length 120', '3 steps', 'bAbI 19, 10k': what tells it from the other places of its row."""
    babi = re.fullmatch(r"babi(\d+)", place.task)
    before, after = UNITS.get(place.task, ("", ""))
    if place.number is not None and place.task in UNITS:
        words = f"{before} {place.number} {after}{'s' * bool(after and place.number != 1)}".strip()
    else:
        words = (f"bAbI {babi[1]}" if babi else TITLES.get(place.task, place.task)) + f" {place.number or ''}".rstrip()
    return words if trained_at(place) == place.number is not None else ", ".join(filter(None, [words, place.variant]))


def ends(at):
    """The places without those that are neither the least nor the most of their task's numbers."""
    numbers = {}
    for place in at:
        numbers.setdefault((place.task, place.variant), []).append(place.number or 0)
    return [place for place in at if (place.number or 0) in (min(of := numbers[place.task, place.variant]), max(of))]


_shown = contextvars.ContextVar("shown", default=CONTENDERS)


@contextlib.contextmanager
def showing(models):
    """Within, the tables tell of NTM and MemN2N and of these others only; of all that there are if none is named."""
    token = _shown.set(tuple(model for model in CONTENDERS if not models or model in (*PARENTS, *models)))
    try:
        yield
    finally:
        _shown.reset(token)


def columns(found):
    """The contenders that have figures somewhere, of those that are to be shown."""
    groups = {run["group"] for run in found["runs"]}
    return [model for model in _shown.get() if groups & set(variants(found, model).values())]


def beyond(found, at, models=("MemN2N", "Hybrid")):
    """Places where these have figures, and the NTM has none."""
    return [place for place in places(found, models) if place not in at and LARGE not in place.variant]


def lines(found, at):
    """A table as lines of text: right in percent at some places, and what a run costs; a column for each contender, so many side by
    side as fit, then the others below."""
    models = columns(found)
    blocks = [table(found, at, models[first:first + SIDE_BY_SIDE]) for first in range(0, len(models), SIDE_BY_SIDE)]
    wide = max(len(row[0]) for rows in blocks for row in rows)
    told_as = [[row[0].ljust(wide) + "".join(f" {cell:>11}" for cell in row[1:]) for row in rows] for rows in blocks]
    return [line for block in told_as[:-1] for line in (*block, "")] + told_as[-1]


def table(found, at, models):
    """Rows of cells for some contenders, without places at which none of them was."""
    rows = [["% right", *models]]
    rows += [[named(place), *map(told, values)] for place in at if any(values := [right(found, model, place) for model in models])]
    rows.append(["n (seeds)", *(over([len(values) for place in at if (values := right(found, model, place))]) for model in models)])
    return rows + [[what, *(over(budget(found, model, at, key)) for model in models)] for what, key in BUDGET.items()]


def budget(found, model, at, key):
    """What the runs of a contender at some places have of "parameters", "sequences" or "seconds": a list."""
    labels = variants(found, model)
    asked = {(labels.get(place.variant), place.task) for place in at}
    return [run[key] for run in found["runs"] if (run["group"], run["task"]) in asked]


def over(values):
    """'52.4k', '41-92': from the least to the most of some counts; '-' of none."""
    ends = dict.fromkeys(f"{value:.0f}" if value < 1000 else f"{value / 1000:.1f}k" if value < 100_000 else f"{value / 1000:.0f}k"
                         for value in (min(values, default=0), max(values, default=0)))
    return "-".join(ends) if values else "-"


def short(found, at, models=PARENTS):
    """The same in a line, without the places between: 'NTM / MemN2N, % right: length 20: 100.0 ± 0.0 / 71.6 ± 0.4; ...'."""
    return f"{' / '.join(models)}, % right: " + "; ".join(
        f"{named(place)}: {' / '.join(told(right(found, model, place)) for model in models)}" for place in ends(at))
