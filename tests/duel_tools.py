"""What the tests of the duel share: made-up results of its sweeps, in which every figure is known."""

import json

from numpymem.experiments import rows, summary

NOISE = (-0.3, 0.1, 0.0, -0.1, 0.3)               # of five seeds: mean 0
PLACES = {                                        # spec -> (task, figures that count wrong answers)
    "duel_paths": (("babi19", "test_error_percent", None), ("segment-traversal", "wrong_percent", ("1", "2", "3"))),
    "duel_copy": (("copy", "wrong_percent", ("10", "20", "50", "120")),),
    "duel_update": (("rewritten-keys", "wrong_percent", ("0", "3")), ("babi2", "test_error_percent", None)),
    "duel_facts": (("metaqa", "wrong_percent", None), ("made-facts", "wrong_percent", ("16", "64", "256"))),
}

VARIANTS = {"no erase": ("rewritten-keys",), "no shift": ("copy",), "16 facts": ("made-facts",), "64 facts": ("made-facts",)}
LABELS = ["NTM", "MemN2N", "LSTM", "Hybrid", "NTM no erase", "NTM no shift",
          *(f"{model} {number} facts" for number in (16, 64) for model in ("NTM", "MemN2N", "Hybrid")),
          "NTM as large", "NTM many", "MemN2N many", "Hybrid many", "DNC", "DMN+", "Transformer"]


def result(name, right, seeds=5):
    """A sweep's result: right(model label, task, number or None) -> percent right, or None where the group has no such run."""
    runs, groups = [], []
    for label in LABELS:
        for task, figure, numbers in PLACES[name]:
            for seed in range(seeds):
                values = {number: right(label, task, number and int(number)) for number in numbers or (None,)}
                if None in values.values():
                    continue
                wrong = {number: 100 - value - NOISE[seed] * (1 + len(label)) / 10 for number, value in values.items()}
                runs.append({"group": label, "task": task, "seed": seed, "model": label.split()[0].lower(), "parameters": 1000,
                             "data": f"{task}: made up", "goal_bits": None, "converged_at": None, "seconds_until": None,
                             "sequences": 100, "seconds": 6.0, "curve": [],
                             "figures": {figure: wrong if numbers else wrong[None], "train_bits": 0.0}})
        groups.append({"label": label, "model": label.split()[0].lower(), "task": [task for task, *_ in PLACES[name]],
                       "seeds": seeds})
    content = {"title": name, "source": "made up", "about": "for tests", "groups": groups}
    return {"name": name, "command": f"python -m numpymem sweep {name} --save", "versions": {}, "seconds": 60.0, "spec": content,
            "start": {}, "table": summary.rows(runs), "runs": runs}


KNOWN = ("NTM", "MemN2N", "LSTM", "Hybrid")
HARDER = {2: 3, 3: 6, 64: 6}                     # steps, facts -> points that an NTM loses


def as_the_article(label, task, number):
    """Figures with which every claim of section 4 agrees, reasons and all; the hybrid is as good as the better parent, and 3 points
    ahead of both in the rows update and facts."""
    name, row = next((name, row) for name, row in rows.ROWS.items() if task in {each[0] for each in PLACES[row.spec]})
    model, _, variant = label.partition(" ")
    if model not in KNOWN or variant in ("many", "as large"):
        return None
    if task not in VARIANTS.get(variant, ("copy", "rewritten-keys", "segment-traversal", "metaqa", "babi2", "babi19")):
        return None
    if model == "LSTM":
        return 20.0
    if model == "Hybrid":
        return max(row.article.values()) + (3 if name in ("update", "facts") else -0.05)
    lost = HARDER.get(number, 0) if model == "NTM" and name in ("paths", "facts") else 0
    return row.article[model] - lost - (25 if variant.startswith("no") else 0)


def reversed_article(label, task, number):
    """The article's winner and loser change places; no hybrid."""
    if label.startswith("Hybrid"):
        return None
    model, space, variant = label.partition(" ")
    if variant.startswith("no"):
        return as_the_article(label, task, number)
    return as_the_article({"NTM": "MemN2N", "MemN2N": "NTM"}.get(model, model) + space + variant, task, number)


def write_all(folder, right, names=tuple(PLACES)):
    """The result files of all rows in a folder."""
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(result(name, right)))


TIMES = {"NTM": (1.0, 2.0, 4.0), "MemN2N": (0.1, 0.2, 0.4)}


def parallel(times=None, batch=None, two=None):
    """What benchmarks.parallel writes: ms over three lengths, gains of a batch and of a second thread."""
    times, batch, two = times or TIMES, batch or {"NTM": 2.0, "MemN2N": 8.0}, two or {"NTM": 1.1, "MemN2N": 1.6}
    made = []
    for model in ("NTM", "MemN2N"):
        for axis, ms in (("sentences", times[model]), ("batch", (1.0, 1 / batch[model]))):
            for count in (1, 2):
                made.append({"model": model, "axis": axis, "threads": count, "values": [10, 20, 40][:len(ms)], "slope": 1.0,
                             "ms": [each / (two[model] if count == 2 else 1) for each in ms]})
    return {"rows": made}
