"""python -m benchmarks.parallel: time an example of NTM and MemN2N, told the same stories, on one thread and two. See README.md."""

import sys

import numpy as np
from tqdm import tqdm

from benchmarks import machine, studies
from benchmarks.growth_cases import Case
from benchmarks.growth_measure import forms_of, seconds_of_steps, slope
from numpymem import catalog, threads
from numpymem.tasks import forms
from numpymem.tasks.batches import Batch, Stories

RESULT, FIGURE = studies.RESULTS / "parallel.json", studies.RESULTS / "parallel.png"
THREADS = (1, 2)
WORDS, SAID, ANSWERS = 50, 4, 16                  # in the vocabulary; in a sentence; to choose from
NTM = {"initial_weights": "one-hot", "N": 32, "controller_size": 64}         # as in the catalog for tasks with stories
MEMN2N = {"encoding": "released", "d": 32}
AXES = {                                          # what grows -> (values, models); the rest: 20 sentences, 32 slots, batch 16
    "sentences": ((10, 20, 40, 80, 160), ("NTM", "MemN2N")),
    "slots": ((16, 32, 64, 128, 256), ("NTM",)),                             # a MemN2N has a slot for each sentence
    "batch": ((1, 4, 16, 64, 256), ("NTM", "MemN2N")),
}


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    made = studies.parser("parallel", "Time an example of a training step (forward, loss, backward) of NTM and MemN2N, told the "
                          "same stories, over the length of the story, the slots and the batch, on one thread and on two.",
                          "every other size, one round: a look", "parallel.json and parallel.png")
    options, code = studies.parse(made, arguments)
    if options is None:
        return code
    result = {"command": " ".join(["python -m benchmarks.parallel", *arguments]), "machine": machine.facts(), **run(options.quick)}
    if options.save:
        from numpymem import plotting
        studies.write(RESULT, result)
        plotting.save(plotting.times(result["rows"]), FIGURE)
    studies.show(options, result, text)
    return 0


def run(quick=False):
    """All rows: {"model", "axis", "threads", "values", "ms": of an example, "slope": in a log-log picture, over the upper half}."""
    rounds, seconds = (1, 0.02) if quick else (12, 0.1)
    rows = []
    with tqdm(total=sum(len(models) for _, models in AXES.values()), ncols=79, desc="parallel") as bar:
        for axis, (values, models) in AXES.items():
            for model in models:
                rows += rows_of(model, axis, values[::2] if quick else values, rounds, seconds)
                bar.update()
    return {"quick": quick, "rounds": rounds, "seconds_a_turn": seconds, "rows": rows}


def rows_of(model, axis, values, rounds, seconds):
    """One row for each number of threads. All sizes and threads take turns, up and down: a slow minute hits none of them alone; the
    fastest step counts, as others use this machine too."""
    cases = [case(model, **{axis: value}) for value in values]
    form = forms_of(cases[0].model)[0]
    turns = [(at, number) for at in range(len(values)) for number in THREADS]
    taken = {turn: [] for turn in turns}
    seconds_of_steps(cases[0], form, 0)           # compiles, or loads what is compiled
    for number in range(rounds):
        for at, count in turns if number % 2 == 0 else reversed(turns):
            with threads.use(count):
                taken[at, count] += seconds_of_steps(cases[at], form, seconds)
    rows = []
    for count in THREADS:
        ms = [round(1e3 * min(taken[at, count]) / len(each.batch.mask.T), 5) for at, each in enumerate(cases)]
        rows.append({"model": model, "axis": axis, "threads": count, "form": form, "values": list(values), "ms": ms,
                     "slope": round(slope(values, ms), 3)})
    return rows


def case(model, sentences=20, slots=32, batch=16):
    """A model and a batch of random stories in its form: the same stories for both."""
    rng = np.random.default_rng(0)
    stories = Stories(rng.integers(1, WORDS, (batch, sentences, SAID), dtype=np.int32),
                      rng.integers(1, WORDS, (batch, SAID), dtype=np.int32))
    told = Batch(stories, rng.integers(0, ANSWERS, batch).astype(np.int32), np.ones(batch, np.float32))
    if model == "NTM":
        cls, config = catalog.model_class("ntm")
        made = cls(config(forms.channels(WORDS), ANSWERS, **(NTM | {"N": slots})))
        told = forms.in_form(told, "sequence", WORDS)
    else:
        cls, config = catalog.model_class("memn2n")
        made = cls(config(WORDS, ANSWERS, memory_size=sentences, **MEMN2N))
    return Case(made, made.init(rng), told, "categorical")


def text(result):
    """The rows in 80 columns."""
    lines = [studies.head(result["machine"], "Training step (forward, loss, backward; no optimizer), ms an example; "
                          f"{result['rounds']} rounds in turns; the fastest step counts.")]
    for axis in AXES:
        rows = [row for row in result["rows"] if row["axis"] == axis]
        lines += ["", f"{axis:<22}" + "".join(f"{value:>9}" for value in rows[0]["values"]) + f"{'slope':>9}"]
        for row in rows:
            head = f"{row['model']}, {row['threads']} thread{'s' * (row['threads'] > 1)}"
            lines.append(f"  {head:<20}" + "".join(f"{ms:>9.3f}" for ms in row["ms"]) + f"{row['slope']:>9.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
