"""Many runs -> one row for each group and task, and the rows as text."""

import math
import re

import numpy as np

FAILED = 5.0                                      # a task with more percent wrong than this counts as failed
WIDEST = 12                                       # columns of a table; with more it is turned on its side
NEVER = math.inf                                  # sequences until it had learned, of a run that has not


def rows(runs):
    """Result dicts (of one sweep, in order) -> a dict for each group and task with

    n, parameters, data      data: all that occur
    goal_bits, learned       how many runs reached it; None without a goal
    sequences, seconds       medians until then, or in all if there is no goal; None: most runs never reached it
    figures                  name -> {"mean", "sd", "best"}; sd None for one run; best, of the run `best_of` chooses, may be None
    """
    found = {}
    for run in runs:
        found.setdefault((run["group"], run["task"]), []).append(run)
    return [row(group, task, mine) for (group, task), mine in found.items()]


def row(group, task, runs):
    goal = runs[0]["goal_bits"]
    until = [(run["converged_at"] or NEVER, run["seconds_until"] or NEVER) if goal else (run["sequences"], run["seconds"])
             for run in runs]
    sequences, seconds = (finite(float(np.median(values))) for values in zip(*until))
    chosen, columns = best_of(runs), [flat(run["figures"]) for run in runs]
    return {"group": group, "task": task, "n": len(runs), "parameters": runs[0]["parameters"],
            "data": sorted({run["data"] for run in runs}), "goal_bits": goal,
            "learned": sum(run["converged_at"] is not None for run in runs) if goal else None,
            "sequences": sequences, "seconds": seconds, "best_seed": chosen and chosen["seed"],
            "figures": {name: spread([column[name] for column in columns if name in column],
                                     chosen and flat(chosen["figures"]).get(name)) for name in columns[0]}}


def spread(values, best):
    """{"mean", "sd" of a sample, "best"} of some numbers."""
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None, "best": best}


def finite(value):
    return value if math.isfinite(value) else None


def best_of(runs):
    """The run with the lowest training error; the lower training loss decides a tie, as the test error must not. None if training
    errors were not measured."""
    if not all("train_error_percent" in run["figures"] for run in runs):
        return None
    return min(runs, key=lambda run: (run["figures"]["train_error_percent"], run["figures"].get("train_bits", 0)))


def flat(figures, prefix=""):
    """{"bits": {"10": 0.1}} -> {"bits/10": 0.1}; what is no number is left out."""
    found = {}
    for name, value in figures.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[f"{prefix}{name}"] = value
    return found


def by_number(figures):
    """The parts of a row's or a run's figures that are drawn over numbers: {"bits": {10: .., 20: ..}}, values as they were."""
    found = {}
    for path, value in figures.items():
        name, slash, number = path.rpartition("/")
        if slash and number.isdigit():
            found.setdefault(name, {})[int(number)] = value
    return found


# ---- as text ------------------------------------------------------------------------------------------------------------

def told(found):
    """A result file's table as text, and the means over tasks below it."""
    lines = [table(found["table"], found["spec"].get("show", ()))]
    for group, each in means(found["table"]).items():
        best = "" if each["best"] is None else f"; of the best by training error {short(each['best'])}"
        lines.append(f"{group}: mean test error over {each['tasks']} tasks {each['mean']:.1f} %{best}; "
                     f"{each['failed']} tasks above {FAILED:.0f} %")
    return "\n\n".join(lines[:1] + ["\n".join(lines[1:])] if lines[1:] else lines)


def means(all_rows):
    """group -> {"tasks", "mean", "best", "failed"} over the tasks of every group with a test error on several; failed: tasks on
    which the best run (without one: the mean) is above 5 % error, as the papers count."""
    found = {}
    for group, by_task in errors_by_task(all_rows).items():
        if len(by_task) > 1:
            whole = all(each["best"] is not None for each in by_task.values())
            bests = [each["best"] if whole else each["mean"] for each in by_task.values()]
            found[group] = {"tasks": len(by_task), "mean": float(np.mean([each["mean"] for each in by_task.values()])),
                            "best": float(np.mean(bests)) if whole else None, "failed": sum(best > FAILED for best in bests)}
    return found


def errors_by_task(all_rows):
    """group -> {bAbI task: {"mean", "sd", "best"}} of the test errors in percent; {} if they are not of bAbI."""
    errors = {}
    for row in all_rows:
        if re.fullmatch(r"babi\d+", row["task"]) and "test_error_percent" in row["figures"]:
            errors.setdefault(row["group"], {})[int(row["task"][4:])] = row["figures"]["test_error_percent"]
        elif row["task"].startswith("babi"):
            errors[row["group"]] = by_number(row["figures"]).get("test_error_percent", {})
    return {group: by_task for group, by_task in errors.items() if by_task}


def table(all_rows, show=()):
    """Rows as text: one block for rows with the same figures. `show` chooses figures, all if none is named."""
    blocks = {}
    for each in all_rows:
        blocks.setdefault(tuple(name for name in each["figures"] if not show or name in show), []).append(each)
    return "\n\n".join(block(columns, mine) for columns, mine in blocks.items())


def block(columns, mine):
    """Rows with the same columns; the best by training error has a column of its own beside each test error's mean."""
    with_best = [name for name in columns if name.startswith("test_") and mine[0]["figures"][name]["best"] is not None]
    heads = ["", "task", "n", "learned", "sequences", "seconds"]
    for name in columns:
        heads += [name.replace("_percent", " %").replace("_", " ").replace("/", " at ")] + (["best"] if name in with_best else [])
    lines = [heads] + [cells(each, columns, with_best) for each in mine]
    if not any(each["goal_bits"] for each in mine):                              # nothing to be learned to: no such column
        lines = [line[:3] + line[4:] for line in lines]
    if len(heads) > WIDEST:                                                      # many figures: one below the other
        return "\n".join(aligned([*map(list, zip(*lines))], left=1))
    return "\n".join(aligned(lines))


def cells(each, columns, with_best):
    learned = "" if each["learned"] is None else f"{each['learned']} of {each['n']}"
    line = [each["group"], each["task"], str(each["n"]), learned, count(each["sequences"]), count(each["seconds"])]
    for name in columns:
        found = each["figures"][name]
        line += [mean_sd(found)] + ([short(found["best"])] if name in with_best else [])
    return line


def count(value):
    return "never" if value is None else f"{value:,.0f}"


def mean_sd(found):
    return short(found["mean"]) + (f" ± {short(found['sd'])}" if found["sd"] is not None else "")


def short(value):
    """Three digits, but no more than two behind the point, and whole numbers whole."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def aligned(lines, left=2):
    """Lists of cells -> lines of text; the first `left` columns to the left, the others to the right."""
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) if at < left else cell.rjust(width)
                      for at, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines]
