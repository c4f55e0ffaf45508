"""The duel: NTM and MemN2N trained on the same rows, our figures beside the article's.

Every run (row x model x seed) is a process of its own on one core, and leaves its run folder; one table, one figure and
duel.json at the end. Test data are the same for both models. An interrupted duel goes on where it stood; one that was finished, or
begun with other settings or other equations, is never mixed with a new one.
"""

import itertools
import json
import os
import pathlib
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from numpymem import catalog, commands, runs
from numpymem.experiments.measure import evaluate_run
from numpymem.experiments.results import equations_today
from numpymem.experiments.rows import MODELS, choose
from numpymem.training.run_folder import write_text

NAMES = {"ntm": "NTM", "memn2n": "MemN2N"}
SEEDS = {"quick": 1, "full": 3}
TEST_SEED = 1_000_003
CLOSE = 2.0                                      # percent points: figures nearer than this are called equal


def run_duel(size="quick", rows=None, seeds=None, folder=None, as_json=False):
    """Train all, print the table (or JSON), draw the figure -> exit code 0.

    folder  default: runs/duel-SIZE, or the next free one of runs/duel-SIZE-2, -3 ...
    raises  FileExistsError if a named folder holds a finished duel, or one with other settings or equations
    """
    rows, seeds = choose(rows), seeds or SEEDS[size]
    folder = open_folder(folder, f"runs/duel-{size}", settings_of_duel(size, rows, seeds))
    jobs = [(name, model, seed, size, str(folder)) for name in rows for model in MODELS for seed in range(seeds)]
    results = train_all(jobs)
    found = {"size": size, "seeds": seeds, "versions": runs.versions(),
             "rows": [summarize(name, row, [r for r in results if r["row"] == name]) for name, row in rows.items()]}
    pictures = draw(found["rows"], folder)
    write_text(folder / "duel.json", json.dumps(found, indent=1) + "\n")
    if as_json:
        print(json.dumps(found))
    else:
        print("\n\n".join(table(row) for row in found["rows"]))
        print("\n" + "\n".join(f"{what}: {path}" for what, path in pictures.items()) + f"\nruns and duel.json: {folder}")
    return 0


# ---- the folder -----------------------------------------------------------------------------------------------------------

def settings_of_duel(size, rows, seeds):
    """All that decides the figures, as JSON-able values: budgets, start settings, and the equations as they are today."""
    start = {f"{name} {model}": [repr(part) for part in (*catalog.settings_of(model, row.task), getattr(row, size).get(model))]
             for name, row in rows.items() for model in MODELS}
    return {"size": size, "seeds": seeds, "start": start, "equations": equations_today()}


def open_folder(named, default, settings):
    """The folder to work in: a new one, or one in which the same duel was interrupted."""
    names = [named] if named else itertools.chain([default], (f"{default}-{n}" for n in itertools.count(2)))
    for folder in map(pathlib.Path, names):
        if not folder.exists() or not any(folder.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / "settings.json", json.dumps(settings, indent=1) + "\n")
            return folder
        begun, finished = folder / "settings.json", folder / "duel.json"
        if begun.exists() and not finished.exists() and json.loads(begun.read_text()) == settings:
            print(f"going on with the interrupted duel in {folder}", file=sys.stderr)
            return folder
    raise FileExistsError(f"--run {named}: expected a new folder or one in which this very duel was interrupted, received one "
                          "with other things in it")


# ---- training -----------------------------------------------------------------------------------------------------------

def train_all(jobs):
    """Run the jobs on the cores of this machine, the longest first, with a line for each that ends."""
    order = sorted(jobs, key=lambda job: (job[0], job[1]) != ("copy", "ntm"))       # NTM copy takes longest
    workers = min(os.cpu_count() or 1, len(order))
    with ProcessPoolExecutor(workers) as pool, \
            tqdm(total=len(order), desc="duel", unit=" run", dynamic_ncols=True) as bar:
        results = []
        for done in as_completed([pool.submit(train_one, *job) for job in order]):
            result = done.result()
            results.append(result)
            bar.write(f"{result['row']:<14}{NAMES[result['model']]:<8}seed {result['seed']}: {result['seconds']:4.0f} s, "
                      f"{result['sequences']:,} sequences, "
                      + ", ".join(f"{label or 'test'}: {right:.1f} % right" for label, right in result["right"].items()),
                      file=sys.stderr)
            bar.update()
    return sorted(results, key=lambda r: (r["row"], r["model"], r["seed"]))


def train_one(row_name, model, seed, size, folder):
    """One run, from nothing or from its checkpoint -> what it measured, as plain numbers."""
    row = choose([row_name])[row_name]
    path = pathlib.Path(folder) / f"{row_name}-{model}-{seed}"
    if (path / "config.json").exists():
        training = runs.open_run(path)                             # an interrupted duel goes on where it stood
    else:
        training = runs.new_run(model, row.task, seed, getattr(row, size).get(model, ()), path,
                                command=f"duel --{size}, row {row_name}")
    with threadpool_limits(1, "blas"):
        training.run(progress=False)
        measured = evaluate_run(training, row.lengths or None, None, TEST_SEED)
    commands.draw_curves(training)
    if row.lengths:
        right = {f"length {line['length']}": 100 - line["wrong_bits_percent"] for line in measured["lengths"]}
    else:
        right = {"": 100 - measured["error_percent"]}
    return {"row": row_name, "model": model, "seed": seed, "right": right, "seconds": round(training.seconds, 1),
            "sequences": training.done, "parameters": runs.count_parameters(training.params), "data": training.task.origin,
            "converged": training.converged, "floor": floor(training.task), "run": str(path)}


def floor(task):
    """Percent right of knowing nothing: half of the bits, or always the most frequent answer."""
    return 50.0 if task.loss == "binary" else 100 - task.majority_error()


# ---- telling ------------------------------------------------------------------------------------------------------------

def summarize(name, row, results):
    """All seeds of one row -> columns with mean, sd and n for each model, and the verdict."""
    columns = []
    for label in results[0]["right"]:
        models = {}
        for model in MODELS:
            values = [r["right"][label] for r in results if r["model"] == model]
            models[model] = {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                             "n": len(values), "values": values}
        columns.append({"label": label, "models": models, "article": row.article or None})
    budget = {model: {"parameters": mine[0]["parameters"], "seconds": float(np.mean([r["seconds"] for r in mine])),
                      "sequences": [r["sequences"] for r in mine]}
              for model in MODELS for mine in [[r for r in results if r["model"] == model]]}
    return {"row": name, "claim": row.claim, "title": row.title, "note": row.note, "data": results[0]["data"],
            "floor": results[0]["floor"], "columns": columns, "budget": budget, "article": row.article,
            "verdict": verdict(row, columns), "runs": results}


def verdict(row, columns):
    """What our figures say of the article's, in words: who is ahead, by which column."""
    if not row.article:
        return "the article makes no claim here"
    claimed = order(row.article["ntm"], row.article["memn2n"])
    found = {column["label"]: order(column["models"]["ntm"]["mean"], column["models"]["memn2n"]["mean"]) for column in columns}
    agree = [label for label, who in found.items() if who == claimed]
    seeds = columns[0]["models"]["ntm"]["n"]
    few = "" if seeds >= 3 else f" (only {seeds} seed{'s' if seeds > 1 else ''}: see --seeds)"
    if len(agree) == len(found):
        return f"who is ahead agrees with the article: {claimed}{few}; {apart(row, columns)}"
    if not agree:
        return f"contradicts the article, which has {claimed}; here: {'; '.join(sorted(set(found.values())))}{few}"
    return (f"depends: the article has {claimed}, which holds for {', '.join(agree)}; "
            + "; ".join(f"{label}: {who}" for label, who in found.items() if label not in agree) + few)


def apart(row, columns):
    """Which of the article's figures ours come near to (in the best column)."""
    told = []
    for model in MODELS:
        ours = max((column["models"][model]["mean"] for column in columns), key=lambda mean: -abs(mean - row.article[model]))
        near = abs(ours - row.article[model]) < CLOSE
        told.append(f"{NAMES[model]}'s {row.article[model]} is {'met' if near else f'not reproduced ({ours:.1f})'}")
    return ", ".join(told)


def order(ntm, memn2n):
    if abs(ntm - memn2n) < CLOSE:
        return "about equal"
    return "NTM ahead" if ntm > memn2n else "MemN2N ahead"


def table(row):
    """One row as text of at most 80 columns."""
    lines = [row["title"] + (f"   [{row['claim']}]" if row["claim"] else "")]
    labels = [column["label"] for column in row["columns"]]
    if any(labels):
        lines.append(" " * 40 + "".join(f"{label:>13}" for label in labels))
    for model in MODELS:
        budget = row["budget"][model]
        line = f"  {NAMES[model]:<7}{budget['parameters']:>6,} par. {np.mean(budget['sequences']):>7,.0f} seq."
        line += f" {budget['seconds']:>3.0f} s"
        lines.append(line + "".join(f"{figure(column['models'][model]):>13}" for column in row["columns"]))
    if row["article"]:
        claims = ", ".join(f"{NAMES[model]} {value}" for model, value in row["article"].items())
        lines.append(f"  the article says: {claims} (data, size and seeds not given)")
    lines.append(f"  knowing nothing: {row['floor']:.1f}")
    lines += wrap(f"data: {row['data']}") + wrap(f"note: {row['note']}") + wrap(f"verdict: {row['verdict']}")
    return "\n".join(lines)


def figure(found):
    spread = f" ± {found['sd']:.1f}" if found["sd"] is not None else ""
    return f"{found['mean']:.1f}{spread}"


def wrap(text):
    import textwrap
    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    ")


def with_names(row):
    """The row with the models' names as people write them, for the figure."""
    named = lambda by_model: {NAMES[model]: value for model, value in by_model.items()} if by_model else by_model
    return row | {"row": row["row"].replace("-", " "),
                  "columns": [c | {"models": named(c["models"]), "article": named(c["article"])} for c in row["columns"]]}


def draw(rows, folder):
    """duel.png; and ntm_memory.png, the trained NTM at work, if the copy row was run. Returns what was drawn -> path."""
    from numpymem import plotting
    pictures = {"figure": plotting.save(plotting.duel([with_names(row) for row in rows]), folder / "duel.png")}
    for row in rows:
        for run in row["runs"]:
            if run["row"] == "copy" and run["model"] == "ntm" and run["seed"] == 0:
                training = runs.open_run(run["run"])
                batch = training.task.sample(np.random.default_rng(0), 1, 20)
                logits, trace = training.model.forward(training.params, batch.inputs)
                picture = plotting.ntm_memory(trace, batch, logits)
                pictures["the NTM's memory at work"] = plotting.save(picture, folder / "ntm_memory.png")
    return pictures
