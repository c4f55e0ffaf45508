"""python -m benchmarks.growth: time and peak memory of a training step over every size of every model. See README.md."""

import argparse
import inspect
import json
import subprocess
import sys

import numpy as np
from tqdm import tqdm

from benchmarks import machine, studies
from benchmarks.growth_axes import AXES
from benchmarks.growth_cases import MODELS, ntm_lstm
from benchmarks.growth_measure import forms_of, measure_call, seconds_of_steps, slope
from benchmarks.growth_report import text
from numpymem.cli import whole

RESULT = studies.RESULTS / "growth.json"
FIGURES = {"ms": studies.RESULTS / "growth_time.png", "peak_mib": studies.RESULTS / "growth_memory.png"}
LONG = {"T": 1001, "batch": 16}                   # the long sequence of which the trace is weighed; memory 128 x 20


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options, code = studies.parse(build_parser(), arguments)
    if options is None:
        return code
    axes = [axis for axis in AXES if axis.model in (options.models or MODELS)]
    result = {"command": " ".join(["python -m benchmarks.growth", *arguments]), "machine": machine.facts(),
              **run(axes, options.quick, options.checkpoint_every)}
    if options.save:
        save(result)
    studies.show(options, result, text)
    return 0


def build_parser():
    parser = studies.parser("growth", "Time and peak memory of a training step over T, N, W, batch and the like, with the slope "
                            "of each in a log-log picture: 1 means linear.", "every other size, one round: a look",
                            "growth.json, growth_time.png and growth_memory.png")
    parser.add_argument("models", nargs="*", metavar="MODEL", type=model_name, help=f"{', '.join(MODELS)}; default: all")
    parser.add_argument("--checkpoint-every", nargs="+", type=whole(1), default=[64, 128], metavar="K",
                        help="also run the long sequence keeping every K-th step only, if the model can (default 64 128)")
    return parser


def model_name(text):
    if text not in MODELS:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(MODELS)}, received {text!r}")
    return text


def save(result):
    from benchmarks.growth_plot import growth
    from numpymem.plotting import save as save_figure
    studies.write(RESULT, result)
    for measured, path in FIGURES.items():
        save_figure(growth(result, measured), path)


def run(axes, quick=False, checkpoint_every=()):
    """Everything for the report, as a dict of plain values."""
    rounds, seconds = (1, 0.02) if quick else (3, 0.06)
    forms = {model: forms_of(MODELS[model]().model) for model in dict.fromkeys(axis.model for axis in axes)}
    turns = sum(len(forms[axis.model]) * (rounds * len(axis.points(quick)) + 1) for axis in axes)
    rows = []
    with tqdm(total=turns, ncols=79, bar_format="{desc:24} |{bar}| {remaining} left", mininterval=0.3) as bar:
        for axis in axes:
            bar.set_description_str(axis.key)
            rows += rows_of(axis, forms[axis.model], quick, rounds, seconds, bar)
        memories = memory(axes, forms, quick, bar)
    for row in rows:
        row |= memories[row["form"]][f"{row['model']}/{row['axis']}"]
        row["peak_mib_slope"] = round(slope(row["values"], row["peak_mib"]), 3)
    return {"quick": quick, "rounds": rounds, "seconds_a_turn": seconds, "rows": rows,
            "long": [] if quick else long_rows(forms.get("ntm-lstm", []), checkpoint_every)}


def rows_of(axis, forms, quick, rounds, seconds, bar):
    """One row a form: times of all points, in turns."""
    points = axis.points(quick)
    taken, rows = times(axis, points, forms, rounds, seconds, bar), []
    for form in forms:
        ms = [round(1e3 * min(each), 4) for each in taken[form]]
        rows.append({"model": axis.model, "axis": axis.name, "form": form, "fixed": axis.fixed, "expected": axis.expected,
                     "why": axis.why, "values": list(points), "ms": ms, "ms_slope": round(slope(points, ms), 3)})
    return rows


def times(axis, points, forms, rounds, seconds, bar):
    """form -> for each point the median seconds of a step, in each round. Rounds go up and down the axis: a slow minute hits no
    end of it alone; the fastest round is what counts, as others use this machine too."""
    cases = [MODELS[axis.model](**axis.sizes(value)) for value in points]
    taken = {form: [[] for _ in points] for form in forms}
    for form in forms:
        seconds_of_steps(cases[0], form, 0)       # compiles, or loads what is compiled
    for number in range(rounds):
        for at in range(len(points)) if number % 2 == 0 else reversed(range(len(points))):
            for form in forms:
                taken[form][at].append(float(np.median(seconds_of_steps(cases[at], form, seconds))))
                bar.update()
    return taken


def memory(axes, forms, quick, bar):
    """form -> axis -> {"peak_mib": [...], "trace_mib": [...]}. A fresh process for each axis, or, for a quick look, each model."""
    found = {"kernels": {}, "numpy": {}}
    for model, of_model in forms.items():
        keys = [axis.key for axis in axes if axis.model == model]
        for form in of_model:
            for group in [keys] if quick else [[key] for key in keys]:
                bar.set_description_str(f"{model} memory")
                found[form] |= memory_of(form, group, quick)
                bar.update(len(group))
    return found


def memory_of(form, keys, quick):
    """The same for some axes of one model, from growth_memory.py."""
    command = [sys.executable, "-m", "benchmarks.growth_memory", form, *(["--quick"] if quick else []), *keys]
    found = subprocess.run(command, cwd=studies.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(found.stdout)


def long_rows(forms, checkpoint_every):
    """The long sequence with every step kept and, for each k, with every k-th: {"checkpoint_every": k} goes to `forward`."""
    ways = [{}, *({"checkpoint_every": k} for k in checkpoint_every)]
    known = inspect.signature(ntm_lstm().model.forward).parameters
    rows = [measure_call(lambda: ntm_lstm(**LONG), form, **options) for form in forms for options in ways
            if set(options) <= set(known)]
    for row in rows:
        plain = next(each for each in rows if each["form"] == row["form"] and not each["options"])
        row["times_plain"] = round(row["ms"] / plain["ms"], 3)
    return rows


if __name__ == "__main__":
    sys.exit(main())
