"""python -m benchmarks.startup: import and first training steps in fresh processes, with nothing compiled yet, with compiled code
on disk, without numba, and after an edit. See README.md."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import machine, studies
from benchmarks.growth_cases import MODELS
from numpymem.cli import whole

RESULT = studies.RESULTS / "startup.json"
TARGETS = {"cold": 20.0, "warm": 3.0}             # seconds in all
NTM = ["ntm-lstm", "ntm-feedforward"]
WAYS = {                                          # name -> (arguments of startup_child, NUMPYMEM_JIT, what it is)
    "cold": ([], "1", "nothing compiled yet: an empty NUMPYMEM_CACHE"),
    "warm": ([], "1", "the same again: compiled code is on disk"),
    "edited": (["--edit"], "1", "NTM-9 is patched, nothing compiled yet: the NTM runs as NumPy"),
    "numpy": ([], "0", "NUMPYMEM_JIT=0: as if numba were not there"),
}


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = studies.parser("startup", "Seconds until the first training step is done, each time in a fresh process.",
                            "every way once", "startup.json")
    parser.add_argument("--repeats", type=whole(1), metavar="K", help="runs of each way (default 5; cold: at most 2)")
    options, code = studies.parse(parser, arguments)
    if options is None:
        return code
    result = {"command": " ".join(["python -m benchmarks.startup", *arguments]), "machine": machine.facts(),
              **run(options.repeats or (1 if options.quick else 5), studies.say)}
    if options.save:
        studies.write(RESULT, result)
    studies.show(options, result, text)
    return 0


def run(repeats, say=lambda line: None):
    """Everything for the report, as a dict of plain values."""
    runs = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="numpymem-startup-") as folder:
        for way in WAYS:
            for number in range(min(repeats, 2) if way == "cold" else repeats):
                say(f"{way}, run {number + 1}: {WAYS[way][2]}")
                runs[way].append(start(way, cache_folder(folder, way, number)))
    return {"repeats": repeats, "targets_s": TARGETS, "rows": [row(way, of_way) for way, of_way in runs.items()]}


def cache_folder(folder, way, number):
    """Warm finds what the first cold run has compiled; all others find an empty folder."""
    return os.path.join(folder, "cold-0" if way == "warm" else f"{way}-{number}")


def start(way, cache):
    """One fresh process -> {"total_s", "processor_s", "import_s", "steps", "compiling", "said"}; the first two count all of it,
    the interpreter too."""
    arguments, jit, _ = WAYS[way]
    command = [sys.executable, "-m", "benchmarks.startup_child", *arguments, *(NTM if way == "edited" else MODELS)]
    before, busy = time.perf_counter(), processor_seconds_of_children()
    found = subprocess.run(command, cwd=studies.ROOT, env={**os.environ, "NUMPYMEM_JIT": jit, "NUMPYMEM_CACHE": str(cache)},
                           check=True, capture_output=True, text=True)
    total, lines = time.perf_counter() - before, found.stderr.splitlines()
    return {"total_s": round(total, 4), "processor_s": round(processor_seconds_of_children() - busy, 2), **json.loads(found.stdout),
            "compiling": [line for line in lines if line.startswith("compiling")],
            "said": [line for line in lines if not line.startswith("compiling")]}


def processor_seconds_of_children():
    """Waiting for a busy machine is not in it. 0 on Windows, which does not say."""
    times = os.times()
    return times.children_user + times.children_system


def row(way, runs):
    """Medians over the runs of one way; `totals_s` are all of them."""
    def median(read):
        return round(statistics.median(read(one) for one in runs), 4)

    steps = [{"model": step["model"], **{key: median(lambda one: one["steps"][at][key]) for key in ("first_s", "second_s")}}  # noqa: B023
             for at, step in enumerate(runs[0]["steps"])]
    return {"way": way, "what": WAYS[way][2], "runs": len(runs), "totals_s": [one["total_s"] for one in runs],
            **{key: median(lambda one: one[key]) for key in ("total_s", "processor_s", "import_s")}, "steps": steps,    # noqa: B023
            "compiling_lines": len(runs[0]["compiling"]), "said": runs[0]["said"]}


# ---- report -------------------------------------------------------------------------------------------------------------

def text(result):
    head = studies.head(
        result["machine"], "Seconds in fresh processes, medians. in all: with the interpreter and a second step of each model; "
        "cpu: of that processor time; import: NumPy and all models; then the first training step of each model (T = 41, memory "
        "128 x 20, batch 1; MemN2N: 50 sentences, batch 32), which compiles or loads compiled code.")
    lines = [f"{'':7}{'in all':>8}{'target':>8}{'cpu':>7}{'import':>8}" + "".join(f"{short(name):>9}" for name in MODELS)
             + f"{'runs':>5}", "-" * 79, *(line(each, result["targets_s"].get(each["way"])) for each in result["rows"])]
    return "\n\n".join([head, "\n".join(lines), "\n".join(studies.fill(remark(each)) for each in result["rows"])])


def short(name):
    return name.replace("feedforward", "ff")


def line(each, target):
    first = {step["model"]: f"{step['first_s']:9.3f}" for step in each["steps"]}
    return (f"{each['way']:7}{each['total_s']:8.2f}{f'< {target:g}' if target else '':>8}{each['processor_s']:7.2f}"
            f"{each['import_s']:8.2f}" + "".join(first.get(name, f"{'':9}") for name in MODELS) + f"{each['runs']:5}")


def remark(each):
    """'cold: nothing compiled yet ...; said "compiling ..." twice'"""
    said = [f'lines "compiling kernel ...": {each["compiling_lines"]}', *each["said"]]
    return f"{each['way']}: {each['what']}; {'; '.join(said)}"


if __name__ == "__main__":
    sys.exit(main())
