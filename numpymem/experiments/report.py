"""A sweep's results beside the paper's: our table, the paper's numbers, and one figure."""

import pathlib
import textwrap

import numpy as np

from numpymem import plotting
from numpymem.data.babi_format import TASKS
from numpymem.experiments import (ablations, checkpoints, paper_babi, paper_dmn, paper_dnc, paper_ntm, paper_wikisql, results, spec,
                                  summary)
from numpymem.received import printable, read_json, reading

AT_WORK = {                                       # task -> sizes of the sequences on which a shipped model is shown
    "copy": ({"length": 20}, {"length": 120}), "repeat-copy": ({"length": 10, "repeats": 10}, {"length": 10, "repeats": 20}),
    "recall": ({"items": 6}, {"items": 15}), "ngrams": ({},), "sort": ({},),
    "series-copy": ({"copies": 4, "length": 5},),
}
MEMORY = {"copy": {"length": 50}, "series-copy": {"copies": 4, "length": 5}}     # of these also a picture of the memory


def run_report(name, out=None):
    """Print and draw a committed result, or a results.json of one's own -> exit code 0.

    out     the figure's file; default NAME.png in the current folder
    raises  FileNotFoundError or ValueError if there is no such result
    """
    found = read(name)
    with reading(where(name), "the results of a sweep"):
        print(printable(text(found)))
    with reading(where(name), "the results of a sweep"):
        path = draw(found, pathlib.Path(out or f"{found['name']}.png"))
    print(f"figure: {path}")
    for name in examples(found):
        try:
            shipped = checkpoints.load(name)
        except (FileNotFoundError, ValueError) as reason:            # the data it was trained on is not there
            print(f"the shipped {name} is not drawn: {reason}")
            continue
        for example in draw_at_work(name, shipped, path):
            print(f"the shipped {name} at work: {example}")
    return 0


def text(found):
    """What is printed of a result: our table, the paper's numbers, where it comes from."""
    content = found["spec"]
    data = sorted({run["data"] for run in found["runs"]})
    return "\n".join([
        f"{content['title']}\n{content['source']}\n{content['about']}\n\n{summary.told(found)}\n", *beside(found),
        f"\n{found['command']}\n{len(found['runs'])} runs, {found['seconds'] / 60:,.0f} minutes; "
        + ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
        "data: " + "; ".join(data[:3]) + (f"; and {len(data) - 3} like these" if len(data) > 3 else "")])


def where(name):
    """The path of a result file by its name or path."""
    return results.FOLDER / f"{name}.json" if name in results.names() else pathlib.Path(name)


def read(name):
    """The content of a result file by its name or path. Raises FileNotFoundError, or ValueError that says where the mistake is."""
    path = where(name)
    if not path.is_file():
        raise FileNotFoundError(f"NAME: expected one of {', '.join(results.names()) or '(no results yet)'} or a results.json, "
                                f"received {name!r}")
    found = read_json(path)
    with reading(path, "the results of a sweep"):
        results.check(found)
    return found


def list_results():
    """`report` without a name."""
    for name in results.names():
        found = results.read(name)
        print(f"{name:<18}{found['spec']['title']}\n{'':<18}{spec.describe(found['spec'])}")
    missing = [name for name in spec.names() if name not in results.names()]
    if missing:
        print(f"no results yet: {', '.join(missing)}  (python -m numpymem sweep NAME --save)")
    return 0


# ---- the paper's numbers ------------------------------------------------------------------------------------------------

def beside(found):
    """Lines with what the paper, and others, report of the same."""
    errors = summary.errors_by_task(found["table"])
    if errors:
        return babi_lines(found, errors)
    lines = ablations.lines(found) if "compare" in found["spec"] else []
    for task in dict.fromkeys(row["task"] for row in found["table"]):
        lines += ntm_lines(task) + ([f"{task}: {paper_wikisql.SAYS[task]}"] if task in paper_wikisql.SAYS else [])
    return lines


def ntm_lines(task):
    lines = []
    if task in paper_ntm.CURVES:
        lines += ["", f"{task}, bits a sequence ({paper_ntm.DIGITISED})"]
        heads = ["after", ""] + [f"{at:,}k" for at in paper_ntm.THOUSANDS]
        by_label = {label: dict(points) for label, points in paper_ntm.CURVES[task].items()}
        lines += summary.aligned([heads] + [[label, ""] + [value(points.get(1000 * at)) for at in paper_ntm.THOUSANDS]
                                            for label, points in by_label.items()])
    for source, table in ((paper_ntm.DIGITISED, paper_ntm.ITEMS), (paper_ntm.PUBLIC, paper_ntm.PUBLIC_ITEMS)):
        for what, by_label in table.get(task, {}).items():
            numbers = sorted({number for points in by_label.values() for number in points})
            lines += ["", f"{task}, {what.replace('_percent', ' bits, %')} at ({source})"]
            lines += summary.aligned([["", ""] + [str(number) for number in numbers]]
                                     + [[label, ""] + [value(points.get(number)) for number in numbers]
                                        for label, points in by_label.items()])
    if task in paper_ntm.PUBLIC_LEARNED:
        lines += ["", f"{task}, sequences until below 0.05 bits ({paper_ntm.PUBLIC})"]
        lines += [f"{label}: {said}" for label, said in paper_ntm.PUBLIC_LEARNED[task].items()]
    if task in paper_ntm.OPTIMUM:
        lines += ["", f"{task}: {paper_ntm.OPTIMUM[task][0]} bits: {paper_ntm.OPTIMUM[task][1]}"]
    return lines + (["", f"the paper's text: {paper_ntm.SAYS[task]}"] if task in paper_ntm.SAYS else [])


def value(number):
    return "-" if number is None else f"{number:g}"


def papers_column(group):
    """{task: error in percent} of the paper's column that a group names; {} if there is none."""
    at_10k = paper_babi.TABLE_10K | paper_dmn.TABLE_10K | paper_dnc.TABLE_10K
    tables = at_10k if "size=10k" in group.get("set", []) else paper_babi.TABLE_1K
    column = tables.get(group.get("paper"))
    return dict(enumerate(column.errors, 1)) if column else {}


def babi_lines(found, errors):
    """Task by task: ours (best of the runs by training error; mean and spread) and the paper's."""
    lines = []
    for group in found["spec"]["groups"]:
        mine, theirs = errors.get(group["label"], {}), papers_column(group)
        if not mine:
            continue
        n = next(row["n"] for row in found["table"] if row["group"] == group["label"])
        rows = [[str(task), named(task), value_or_none(each["best"]), mean_sd(each), value_or_none(theirs.get(task))]
                for task, each in sorted(mine.items())]
        columns = [[each["best"] for each in mine.values()], [each["mean"] for each in mine.values()],
                   [theirs.get(task) for task in mine]]
        rows.append(["", "mean"] + [value_or_none(mean(column)) for column in columns])
        rows.append(["", f"above {summary.FAILED:.0f} %"]
                    + [str(sum(each > summary.FAILED for each in column)) if None not in column else "-" for column in columns])
        lines += ["", f"{group['label']}: test error, %"]
        lines += summary.aligned([["", "", "best", f"mean of {n}", "paper"]] + rows)
    return lines


def named(task):
    """7 -> 'counting'"""
    return TASKS[task].partition("_")[2].replace("-", " ")


def value_or_none(number):
    return "-" if number is None else f"{number:.1f}"


def mean_sd(found):
    return f"{found['mean']:.1f}" + ("" if found["sd"] is None else f" ± {found['sd']:.1f}")


def mean(column):
    return None if None in column else float(np.mean(column))


# ---- the figure -----------------------------------------------------------------------------------------------------------

def draw(found, path):
    """The figure of a result file's content -> path."""
    errors = summary.errors_by_task(found["table"])
    if errors:
        picture = draw_errors(found, errors)
    elif "compare" in found["spec"]:
        picture = draw_variants(found)
    else:
        rows = panels(found)
        digitised = any(row["paper"] for row in rows)
        picture = plotting.sweep_panels(found["spec"]["title"], "every line is a run" + (
            f"; diamonds: {paper_ntm.DIGITISED}" if digitised else ""), rows)
    return plotting.save(picture, path)


def draw_variants(found):
    groups = [group["label"] for group in found["spec"]["groups"]]
    rows = [(task, place) for task, place in ablations.places(found) if ablations.errors(found, groups[0], task, place)]
    columns = [(textwrap.fill(group, 14), [mean(list(ablations.errors(found, group, *row).values()) or [None]) for row in rows])
               for group in groups]
    title, _, rest = found["spec"]["title"].partition(": ")
    note = "\n".join(filter(None, [rest, "wrong answers in percent, means of the seeds; wiped: the memory, before it is read"]))
    return plotting.heat_map(title, note, [ablations.named(*row) for row in rows], columns)


def draw_errors(found, errors):
    tasks = sorted({task for by_task in errors.values() for task in by_task})
    columns = []
    for group in found["spec"]["groups"]:
        mine, theirs = errors.get(group["label"], {}), papers_column(group)
        n = next((row["n"] for row in found["table"] if row["group"] == group["label"]), 0)
        best, means = ({task: each[which] for task, each in mine.items()} for which in ("best", "mean"))
        ours = [(f"best of {n}", best), (f"mean of {n}", means)] if n > 1 else [("one run", means)]
        for head, by_task in (*ours, ("paper", theirs)):
            column = [by_task.get(task) for task in tasks]
            if any(each is not None for each in column):
                columns.append((f"{textwrap.fill(group['label'], 14)}\n{head}", column + [mean(column)]))
    names = [f"{task} {named(task)}" for task in tasks] + ["mean"]
    title, _, rest = found["spec"]["title"].partition(", ")
    note = "\n".join(filter(None, [rest, "test error in percent; best: by training error"]))
    return plotting.heat_map(title, note, names, columns)


def examples(found):
    """The shipped NTMs, DNCs and DMNs that were trained on a task of these results."""
    tasks = {row["task"] for row in found["table"]}
    return [name for name in checkpoints.names() for facts in [checkpoints.facts_of(name)]
            if facts["model"] in ("ntm", "dnc", "dmn", "memory-transformer") and facts["task"] in tasks]


def draw_at_work(name, shipped, path):
    """Yield the files of the paper's figures for a shipped NTM or DNC, each from one fresh sequence; and where its heads were. For
    a DMN where it looks in the story of a test question, for a memory Transformer where it attends, writes and reads."""
    model, params, task, _ = shipped
    if task.form == "story":
        yield plotting.save(attention_in(model, params, task), path.with_name(f"{path.stem}_{name}_attention.png"))
        return
    if task.form == "segments":
        for what, figure in plotting.transformer_figures(checkpoints.Measured(model, params, task)).items():
            yield plotting.save(figure, path.with_name(f"{path.stem}_{name}_{what}.png"))
        return
    for size in AT_WORK.get(task.name, ()):
        at = "_".join(str(value) for value in size.values())
        figure = plotting.task_figure(checkpoints.Measured(model, params, task), **size)
        yield plotting.save(figure, path.with_name("_".join(filter(None, [path.stem, name, at])) + ".png"))
    if task.name in ("traversal", "shortest-path"):
        asked = task.underground(np.random.default_rng(0), 5)
        figure = plotting.underground_map(plotting.named(asked))
        yield plotting.save(figure, path.with_name(f"{path.stem}_{name}_underground.png"))
    if task.name in MEMORY:
        batch = task.sample(np.random.default_rng(0), 1, **MEMORY[task.name])
        logits, trace = model.forward(params, batch.inputs)
        draw = plotting.dnc_memory if "L" in trace else plotting.ntm_memory
        yield plotting.save(draw(trace, batch, logits), path.with_name(f"{path.stem}_{name}_memory.png"))


def attention_in(model, params, task, question=4):
    """Where a DMN looks for the answer to a test question: by its number in the file, counted from 0."""
    asked = task.dataset("test")[question]
    (batch, _), *_ = task.evaluation(None, question + 1, "test")
    trace = model.forward(params, batch.inputs)[1]
    return plotting.dmn_attention(trace, task.vocabulary, question, task.answers, batch.targets[question],
                                  task.questions[asked].supports)


def panels(found):
    """What plotting.sweep_panels draws, a dict for each task."""
    made = []
    for task in dict.fromkeys(row["task"] for row in found["table"]):
        rows = [row for row in found["table"] if row["task"] == task]
        ours = {row["group"]: summary.by_number(row["figures"]) for row in rows}
        numbers = {what: {"ours": {group: {number: (each["mean"], each["sd"]) for number, each in figures[what].items()}
                                   for group, figures in ours.items() if what in figures},
                          "paper": paper_ntm.ITEMS.get(task, {}).get(what, {})}
                   for what in dict.fromkeys(what for figures in ours.values() for what in figures)}
        curves = {row["group"]: [run["curve"] for run in found["runs"] if (run["group"], run["task"]) == (row["group"], task)]
                  for row in rows}
        drawn = {group: points for group, points in paper_ntm.CURVES.get(task, {}).items() if group in curves}
        made.append({"task": task, "curves": curves, "paper": drawn, "numbers": numbers, "level": paper_ntm.OPTIMUM.get(task)})
    return made
