"""How a trained model is measured: on demand (`eval`), and once for all at the end of a run of a sweep (`final`)."""

import importlib

import numpy as np

from numpymem.experiments import measure_dnc, measure_ntm, measure_segments
from numpymem.training.loss import evaluate

COPY_LENGTHS = (20, 50, 80, 120)
PAPER_LENGTHS = (10, 20, 30, 50, 80, 120)         # the paper's, and 80
MEASURES = measure_ntm.MEASURES | measure_dnc.MEASURES | measure_segments.MEASURES
OVER = ("copies", "length", "repeats", "items", "segments", "pairs", "steps", "rewrites", "facts", "part", "of")
TEST_SEED = 1_000_003                             # fresh sequences are the same for every run: differences are the models'
FINAL = {                                         # task kind -> 'module:function'; imported when it is needed
    "copy": "numpymem.experiments.measure:final_copy",
    "babi": "numpymem.experiments.measure_babi:single",
    "babi-joint": "numpymem.experiments.measure_babi:joint",
    **dict.fromkeys(("repeat-copy", "recall", "ngrams", "sort", "series-copy"), "numpymem.experiments.measure:final_measures"),
    **dict.fromkeys(("traversal", "shortest-path", "family"), "numpymem.experiments.measure:final_graph"),
    **dict.fromkeys(measure_segments.MEASURES, "numpymem.experiments.measure:final_measures"),
}


def kind_of(task):
    """'babi7' -> 'babi', every other name of a task -> itself."""
    return "babi" if task.startswith("babi") and task[4:].isdigit() else task


def final(training):
    """What the result of a run says: a dict of numbers, or of dicts of numbers.

    A dict whose keys are numbers ({"120": 0.3}) is drawn over them: lengths, items, bAbI tasks. `train_error_percent`, with
    `train_bits` to decide a tie, chooses the best of several runs, as the test error must not; without it there is no best.
    """
    kind = kind_of(training.task.name)
    if kind not in FINAL:
        raise ValueError(f"task: expected one of {', '.join(FINAL)} (FINAL in measure.py), received {training.task.name!r}")
    module, function = FINAL[kind].split(":")
    return getattr(importlib.import_module(module), function)(training)


def final_copy(training):
    """Copies of 100 fresh sequences at each of the paper's lengths: {"bits": {length: ..}, "wrong_percent": {length: ..}}."""
    return figures_of(copy_lengths(training.model, training.params, training.task, PAPER_LENGTHS, 100, TEST_SEED))


def final_measures(training):
    """The other tasks, also beyond what was trained: {"bits": {items: ..}, ...}; see measure_ntm.py, measure_dnc.py,
    measure_segments.py."""
    return figures_of(MEASURES[training.task.name](training.model, training.params, training.task, seed=TEST_SEED))


def final_graph(training):
    """The graph tasks: right answers lesson by lesson and on a real graph; see measure_dnc.py."""
    return measure_dnc.final_graph(training, TEST_SEED)


def figures_of(lines, over=OVER):
    """Lines of measurements, with in `over` what they were measured at -> figures: [{"items": 6, "bits_per_sequence": 0.1}] ->
    {"bits": {"6": 0.1}}. One line that was measured at nothing in particular gives plain numbers."""
    figures = {}
    for line in lines:
        at = " x ".join(str(line[name]) for name in over if name in line)
        for name, value in line.items():
            name = {"bits_per_sequence": "bits", "wrong_bits_percent": "wrong_percent"}.get(name, name)
            if at and name not in over:
                figures.setdefault(name, {})[at] = value
            elif not at:
                figures[name] = value
    return {name: value for name, value in figures.items() if name != "sequences"}


def evaluate_run(training, lengths=None, count=None, seed=0):
    """A Training -> a JSON-able dict: for copy `lengths`, a list with length, bits_per_sequence, wrong_bits_percent; for the other
    tasks of the NTM, the DNC and the memory Transformer `lines`, see measure_ntm.py, measure_dnc.py and measure_segments.py; for
    bAbI `error_percent`, and of a joint run also `by_task`."""
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
