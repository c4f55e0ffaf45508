"""`python -m numpymem duel --quick`: a small, honest version of all four rows, trained here, beside the committed results.

Every run (row x model x seed) is a run of a sweep (sweep.py): a process of its own on one core, with a run folder. An interrupted
duel goes on where it stood; one that was finished, or begun with other settings or equations, is never mixed with a new one.
"""

import itertools
import json
import pathlib
import sys
import textwrap

import numpy as np

from numpymem import catalog, runs
from numpymem.experiments import executors, results, rows, spec, sweep, verdicts
from numpymem.experiments.claims import choose, intervals, measured, section4
from numpymem.writing import write_text

WIDE = verdicts.WIDE


def run_quick(names=None, more=(), seeds=1, folder=None, as_json=False, command=""):
    """Train all, print the rows (or JSON), draw the figure -> exit code: 1 if a run failed.

    names   rows, default all;  more  further models, where they can take a row's task
    folder  default: runs/duel-quick, or the next free one of runs/duel-quick-2, -3 ...
    raises  ValueError for an unknown row or model; FileExistsError if a named folder holds a finished duel or another one
    """
    chosen = rows.choose(names)
    models = {name: models_of(rows.QUICK[name], more or ()) for name in chosen}
    contents = {name: content(name, models[name]["trained"], seeds) for name in rows.QUICK if name in chosen}
    start = {name: sweep.prepare(each, warm=False) for name, each in contents.items()}
    folder = open_folder(folder, "runs/duel-quick", {"spec": contents, "start": start, "equations": results.equations_today()},
                         command)
    jobs = {name: spec.jobs(each, folder / name) for name, each in contents.items()}
    print(begun(models, seeds, folder), file=sys.stderr)
    failed = sweep.train_all(list(itertools.chain(*jobs.values())), executors.local, executors.cores(), folder, "duel")
    live = {name: {"spec": contents[name], "runs": done(jobs[name])} for name in chosen}
    if not failed:
        write_text(folder / "duel.json", json.dumps(plain(live), indent=1) + "\n")
    print(json.dumps(plain(live)) if as_json else text(live, models, folder, draw(live, folder)))
    for path, error in failed.items():
        print(f"FAILED {path}: {error}")
    return 1 if failed else 0


def begun(models, seeds, folder):
    """What is about to happen, in a sentence or two."""
    number = seeds * sum(len(each["trained"]) for each in models.values())
    tasks = ", ".join(rows.QUICK[name].task for name in models)
    return (f"{number} runs, {executors.cores()} at a time: {tasks}; minutes, the first time also some 20 seconds of compiling. "
            f"Ctrl-C stops; the same command goes on. Each run's curve so far: {folder}/ROW/RUN/metrics.jsonl")


def models_of(quick, more):
    """{"trained": models, "absent": those that cannot take the row's task}. Raises ValueError for an unknown one."""
    first = list(quick.models)
    more = [model for model in dict.fromkeys(more) if catalog.model_class(model) and model not in first]
    return {"trained": first + [model for model in more if catalog.takes(model, quick.task)],
            "absent": [model for model in more if not catalog.takes(model, quick.task)]}


def content(name, models, seeds):
    """A row's quick run as the content of a spec."""
    row, quick = rows.ROWS[name], rows.QUICK[name]
    groups = [{"label": rows.NAMES[model], "model": model, "task": quick.task, "seeds": seeds,
               "set": [*quick.settings, *quick.models.get(model, quick.others)]} for model in models]
    return {"title": row.title, "source": "the article's section 4", "about": row.note, "groups": groups}


def open_folder(named, default, settings, command):
    """The folder to work in: a new one, or one in which the same duel was interrupted."""
    names = [named] if named else itertools.chain([default], (f"{default}-{n}" for n in itertools.count(2)))
    for folder in map(pathlib.Path, names):
        try:
            if not (folder / "duel.json").exists():
                sweep.open_folder(folder, settings, command or "python -m numpymem duel --quick")
                return folder
        except (FileExistsError, ValueError):
            pass
    raise FileExistsError(f"--run {named}: expected a new folder or one in which this very duel was interrupted, received one "
                          "with other things in it")


def done(jobs):
    """The results of the runs that are finished."""
    return [sweep.read_result(sweep.result_file(job["folder"])) for job in jobs if sweep.result_file(job["folder"]).exists()]


# ---- telling ------------------------------------------------------------------------------------------------------------------

def plain(live):
    """JSON-able: the runs of each row as in the result of a sweep, and the verdict on the committed results."""
    found = {claim.id: verdicts.told(claim, verdict) for claim, verdict in judged(live)}
    return {"size": "quick", "versions": runs.versions(),
            "rows": [{"row": name, **found[rows.ROWS[name].claim], "article": rows.ROWS[name].article, **each}
                     for name, each in live.items()]}


def judged(live):
    return verdicts.judge_all([rows.ROWS[name].claim for name in live])


def text(live, models, folder, pictures):
    """All rows, the verdicts on the committed results, and where everything is."""
    parts = ["\n".join(row_lines(name, found, models[name])) for name, found in live.items()]
    said = ["The verdicts, on the committed results:"]
    for claim, verdict in judged(live):
        words = verdict if isinstance(verdict, str) else verdict.because
        said += [f"{claim.id:<5}{claim.title:<62}{verdicts.word(verdict):>12}", *wrap(words)]
    files = [f"{what}: {path}" for what, path in pictures.items()]
    return "\n\n".join([*parts, "\n".join(said), "\n".join(
        [*files, f"runs and duel.json: {folder}", f"all {len(choose(()))} claims: python -m numpymem duel"])])


def row_lines(name, live, models):
    """One row: what was trained here, below it the committed runs of the same, and what the article says."""
    row, quick = rows.ROWS[name], rows.QUICK[name]
    at, committed = measured.places(live, measured.columns(live)[:1]), committed_of(row)
    heads = [measured.named(place) for place in at]
    lines = [f"{row.claim}  {row.title}: {quick.task}, right answers, %"]
    lines.append(" " * 25 + "".join(f"{head:>13}" for head in heads))
    lines += [line("live", model, live, at) for model in measured.columns(live)]
    if committed:
        same = [place._replace(variant=quick.variant) for place in at]
        lines += [line("committed", model, committed, same) for model in measured.columns(committed)
                  if any(measured.right(committed, model, place) for place in same)]
    lines += wrap("the article: " + ", ".join(f"{model} {said:g}" for model, said in row.article.items())
                  + " (length, data, size and seeds not given)")
    for run in live["runs"]:
        lines += wrap(f"live: {budget(run)}")
    lines += wrap(f"data: {live['runs'][0]['data']}") if live["runs"] else []
    return lines + wrap(f"committed: {whole_row(row, committed)}") + absent(quick, models)


def line(what, model, found, at):
    """'  live       NTM            100.0        100.0         99.8'"""
    cells = [intervals.told(measured.right(found, model, place)) for place in at]
    return f"  {what:<11}{model:<12}" + "".join(f"{cell:>13}" for cell in cells)


def budget(run):
    return (f"{run['group']}, seed {run['seed']}, {run['seconds']:.0f} s, {run['sequences']:,} examples, {run['parameters']:,} "
            "parameters")


def committed_of(row):
    """The committed results of a row, or None."""
    return results.read(row.spec) if row.spec in results.names() else None


def whole_row(row, committed):
    """Where the committed figures are from, and how much they cost."""
    if committed is None:
        return f"no results yet of {row.spec}"
    minutes = sum(run["seconds"] for run in committed["runs"]) / 60
    return (f"{len(committed['runs'])} runs, {minutes:,.0f} core-minutes, longer budgets and perhaps larger tasks; all of them: "
            f"python -m numpymem report {row.spec}")


def absent(quick, models):
    """Which of the models that were asked for could not take the row's task."""
    return [text for model in models["absent"] for text in wrap(f"{rows.NAMES[model]} cannot take {quick.task}: it reads "
                                                                f"{catalog.FORMS[catalog.model_class(model)[0].form]}")]


def wrap(words):
    return textwrap.wrap(words, WIDE, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


# ---- pictures ---------------------------------------------------------------------------------------------------------------

def draw(live, folder):
    """duel.png; and ntm_memory.png, the trained NTM at work, if it has learned to copy -> {what: path}."""
    from numpymem import plotting
    panels = [section4.panel(found, rows.ROWS[name]) for name, found in live.items() if found["runs"]]
    pictures = {"figure": plotting.save(plotting.duel(panels), folder / "duel.png")} if panels else {}
    copies = [job for job in spec.jobs(live["copy"]["spec"], folder / "copy") if job["model"] == "ntm"] if "copy" in live else []
    if copies and sweep.result_file(copies[0]["folder"]).exists():
        training = runs.open_run(copies[0]["folder"])
        batch = training.task.sample(np.random.default_rng(0), 1, 20)
        logits, trace = training.model.forward(training.params, batch.inputs)
        picture = plotting.ntm_memory(trace, batch, logits)
        pictures["the NTM's memory at work"] = plotting.save(picture, folder / "ntm_memory.png")
    return pictures
