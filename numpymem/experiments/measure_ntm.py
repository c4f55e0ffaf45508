"""How a trained model is measured on the other tasks of the NTM paper, also beyond what it was trained on.

Every function takes (model, params, task, ..., count, seed), draws `count` fresh sequences for each line, and returns a list of
JSON-able dicts.
"""

import numpy as np

from numpymem.ops.activations import sigmoid
from numpymem.tasks.ngrams import bits_of, optimal
from numpymem.training.loss import evaluate

REPEAT_COPY_SIZES = ((10, 10), (20, 10), (10, 20), (20, 20))          # (length, repeats): trained to 10 and 10
RECALL_ITEMS = (6, 8, 10, 12, 15, 20)                                 # trained to 6; the paper, too, goes to 20


def repeat_copy_sizes(model, params, task, sizes=REPEAT_COPY_SIZES, count=100, seed=0):
    """One line for each (length, repeats). A sequence's end marker is right if it is there at the end and nowhere before."""
    lines = []
    for length, repeats in sizes:
        rng = np.random.default_rng([seed, length, repeats])
        batches, ends = [], 0
        for batch, n in task.evaluation(rng, count, length=length, repeats=repeats):
            logits, _ = model.forward(params, batch.inputs)
            wrong = (logits[..., -1] > 0) != (batch.targets[..., -1] > 0.5)                    # (T, B)
            ends += int((~(wrong & (batch.mask > 0)).any(0)).sum())
            batches.append((batch, n))
        lines.append({"length": length, "repeats": repeats} | found_on(model, params, task, batches)
                     | {"end_marker_right_percent": 100 * ends / count})
    return lines


def recall_items(model, params, task, items=RECALL_ITEMS, count=100, seed=0):
    """One line for each number of items in the list."""
    return [{"items": n} | found_on(model, params, task, task.evaluation(np.random.default_rng([seed, n]), count, items=n))
            for n in items]


def ngrams_bits(model, params, task, count=1000, seed=0):
    """One line: bits a sequence, with its standard error, beside the optimal estimator's on the same sequences.

    From sequence to sequence both vary by some 36 bits and together, so that their difference is known far better than either.
    """
    own, best = [], []
    for batch, _ in task.evaluation(np.random.default_rng([seed, 0]), count):
        logits, _ = model.forward(params, batch.inputs)
        bits = batch.targets[..., 0]
        own.append(bits_of(sigmoid(logits[..., 0].astype(np.float64)), bits))
        best.append(bits_of(optimal(bits), bits))
    own, best = np.concatenate(own), np.concatenate(best)
    (mean, error), (least, _), (more, error_of_more) = (mean_and_error(each) for each in (own, best, own - best))
    return [{"bits_per_sequence": mean, "standard_error": error, "optimal_bits_per_sequence": least, "above_optimal_bits": more,
             "above_optimal_standard_error": error_of_more, "sequences": count}]


def sort_bits(model, params, task, count=500, seed=0):
    """One line: bits a sequence and wrong bits."""
    return [found_on(model, params, task, task.evaluation(np.random.default_rng([seed, 0]), count))]


MEASURES = {"repeat-copy": repeat_copy_sizes, "recall": recall_items, "ngrams": ngrams_bits, "sort": sort_bits}
COLUMNS = {"on": ("on", ""), "at": ("", "d"), "part": ("part", ""), "of": ("of", ""),
           **{name: (name, "d") for name in ("segments", "pairs", "steps", "rewrites")},
           "wrong_percent": ("wrong, %", ".1f"), "forgotten_wrong_percent": ("wrong when forgotten, %", ".1f"),
           "stale_percent": ("stale, %", ".1f"), "forgotten_right_percent": ("right when forgotten, %", ".1f"),
           "right_percent": ("right answers, %", ".1f"), "copies": ("copies", "d"),
           "length": ("length", "d"), "repeats": ("repeats", "d"), "items": ("items", "d"),
           "bits_per_sequence": ("bits / sequence", ".4f"), "standard_error": ("+-", ".4f"),
           "wrong_bits_percent": ("wrong bits, %", ".3f"),
           "end_marker_right_percent": ("end marker right, %", ".1f"), "optimal_bits_per_sequence": ("optimal estimator", ".4f"),
           "above_optimal_bits": ("above it", ".4f"), "above_optimal_standard_error": ("+-", ".4f"),
           "sequences": ("sequences", "d")}


def found_on(model, params, task, batches):
    """What `evaluate` finds, under the names of measure.copy_lengths."""
    found = evaluate(model, params, task, batches)
    return {"bits_per_sequence": float(found["bits_per_sequence"]), "wrong_bits_percent": found["wrong_percent"],
            "sequences": found["sequences"]}


def mean_and_error(values):
    """Mean and its standard error, as two floats; one value alone has no error (0)."""
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return float(values.mean()), float(spread / np.sqrt(len(values)))


def table(lines):
    """Lines as text, a column for each entry."""
    columns = [(name, *COLUMNS[name]) for name in lines[0]]
    rows = [[title for _, title, _ in columns], *([format(line[name], form) for name, _, form in columns] for line in lines)]
    widths = [max(map(len, column)) + 3 for column in zip(*rows)]
    return "\n".join("".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows)
