"""python -m benchmarks.other_checkers: the same planted bugs for our gradient check and for other people's.

    python -m benchmarks.other_checkers                            # ten bugs, a look
    python -m benchmarks.other_checkers --seeds 0:100 --jobs 2     # some twenty seconds a bug
    python -m benchmarks.other_checkers --save                     # writes results/other_checkers.json;  --json prints the same

The others: torch.autograd.gradcheck (its default slow mode and fast_mode), jax.test_util.check_grads, and the policy of cs231n's
notes at three thresholds (policies.py). All are asked once more about each function unbroken, where to complain is a false alarm.
"""

import argparse
import concurrent.futures
import functools
import json
import multiprocessing
import pathlib
import re
import sys
import textwrap
import time

from tqdm import tqdm

from benchmarks import machine
from benchmarks.__main__ import OneLineParser, positive
from benchmarks.planted_bugs import examine, examine_unbroken, ours_unbroken
from benchmarks.policies import CHECKS, LIBRARY, THRESHOLDS, missing

RESULT = pathlib.Path(__file__).parent / "results" / "other_checkers.json"
NAMES = ("equation", "argument", "index", "step")
TITLES = {"torch": "torch gradcheck", "torch fast": "  fast_mode", "jax": "jax check_grads", "cs231n": "cs231n"}
WIDTH = 80


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = read_arguments(arguments)
    except SystemExit as stop:                    # argparse has printed its line
        return int(stop.code or 0)
    result = {"command": " ".join(["python -m benchmarks.other_checkers", *arguments]), "machine": machine.facts(),
              **run(options.seeds, options.jobs)}
    if options.save:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    print(json.dumps(result, allow_nan=False) if options.json else report(result))
    return 0


def read_arguments(arguments):
    parser = OneLineParser(prog="python -m benchmarks.other_checkers",
                           description="Planted bugs under our gradient check, PyTorch's, JAX's and cs231n's.")
    parser.add_argument("--seeds", type=seeds, default=range(10), metavar="A:B", help="bugs A to B - 1 (default 0:10)")
    parser.add_argument("--jobs", type=positive, default=1, metavar="J", help="processes (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/other_checkers.json")
    return parser.parse_args(arguments)


def seeds(text):
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or int(found[1]) >= int(found[2]):
        raise argparse.ArgumentTypeError(f"expected A:B with A < B, as 0:100, received {text!r}")
    return range(int(found[1]), int(found[2]))


# ---- the run -----------------------------------------------------------------------------------------------------------------

def run(seeds, jobs=1, checkers=None):
    """Everything for the report, as a dict of plain values. A checker whose library is missing is left out.

    checkers   names in policies.CHECKS; default: all that are installed
    """
    started, absent = time.perf_counter(), missing()
    checkers = [name for name in CHECKS if LIBRARY.get(name) not in absent] if checkers is None else list(checkers)
    hunts = spread(functools.partial(examine, checkers=checkers), [(seed,) for seed in seeds], jobs, " bugs")
    checked = sorted({(hunt["owner"], hunt["setting"]) for hunt in hunts})
    unbroken = spread(functools.partial(examine_unbroken, checkers=checkers), checked, jobs, " unbroken")
    result = {"missing": absent, "hunts": hunts, "unbroken": unbroken, "ours_unbroken": ours_unbroken()}
    return {"seconds": round(time.perf_counter() - started, 1), "summary": summary(result), **result}


def spread(function, calls, jobs, unit):
    """[function(*call) for call in calls], by several processes, with a progress bar."""
    with tqdm(total=len(calls), unit=unit) as bar:
        if jobs == 1:
            return [counted(bar, function(*call)) for call in calls]
        # fresh processes: a copy of one in which JAX or PyTorch has started threads may hang
        with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            waiting = [pool.submit(function, *call) for call in calls]
            for _ in concurrent.futures.as_completed(waiting):
                bar.update()
            return [future.result() for future in waiting]


def counted(bar, value):
    bar.update()
    return value


# ---- what came out -----------------------------------------------------------------------------------------------------------

def summary(result):
    """A row for each checker: bugs caught, false alarms, how many of the caught it names what of, seconds in all."""
    hunts, unbroken = result["hunts"], result["unbroken"]
    rows = [{"checker": "ours", **counts("ours", None, hunts), "right": sum(hunt["ours"]["right"] for hunt in hunts),
             "false_alarms": int(bool(result["ours_unbroken"]))}]
    for name in CHECKS:
        if name in hunts[0]:
            for threshold in THRESHOLDS if name == "cs231n" else (None,):
                rows.append({"checker": f"{name} {threshold}" if threshold else name, **counts(name, threshold, hunts),
                             "false_alarms": sum(caught(one[name], threshold) for one in unbroken)})
    return rows


def counts(name, threshold, hunts):
    found = [hunt[name] for hunt in hunts if caught(hunt[name], threshold)]
    return {"of": len(hunts), "caught": len(found), **{f"names_{what}": sum(one["names"][what] for one in found) for what in NAMES},
            "seconds": round(sum(hunt[name]["seconds"] for hunt in hunts), 1)}


def caught(said, threshold=None):
    return said["caught"] if threshold is None else said["caught"][threshold]


def report(result):
    """All of it as text, 80 columns wide."""
    hunts, unbroken = result["hunts"], result["unbroken"]
    hidden = [str(hunt["seed"]) for hunt in hunts if not hunt["shows"]]
    quick = sorted({hunt["owner"] for hunt in hunts if hunt.get("torch", {}).get("mode") == "fast mode"})
    parts = [table(result), *[f"{name}: {why}, left out" for name, why in result["missing"].items()], "",
             filled(f"{len(hunts)} bugs, {sum(hunt['kind'] == 'pair' for hunt in hunts)} of them in a pair, the rest in the "
                    f"wiring. False alarms: of {len(unbroken)} unbroken functions; ours: of one look at everything. A step "
                    "can be named only of what runs in time steps or hops. torch names an argument by its number. s: seconds of "
                    "CPU time, for all bugs."),
             filled("The others are handed the function that is broken. Ours searches all, and its first line is right about "
                    f"where in {result['summary'][0]['right']} of {len(hunts)}.")]
    parts += [filled(f"{', '.join(quick)}: too large for torch's slow mode, fast mode there")] if quick else []
    parts += [filled(f"shows at no point that was tried: {', '.join(hidden)}")] if hidden else []
    if result["ours_unbroken"]:
        parts.append(filled(f"ours, where nothing is broken: {result['ours_unbroken']}"))
    parts += [filled(missed(row, hunts)) for row in result["summary"] if row["caught"] < row["of"]]
    return "\n".join(parts + samples(hunts))


def table(result):
    rows = [f"{'':33}{'false':>7}    messages that name the", f"{'checker':22}{'caught':>11}{'alarms':>7}"
            + "".join(f"{what:>{len(what) + 2}}" for what in NAMES) + f"{'s':>7}", "-" * WIDTH]
    for row in result["summary"]:
        name, threshold = split(row["checker"])
        title = TITLES.get(name, name) + (f", error > {threshold}" if threshold else "")
        rows.append(f"{title:22}{row['caught']:>4} of {row['of']:<3}{row['false_alarms']:>7}"
                    + "".join(f"{row[f'names_{what}']:>{len(what) + 2}}" for what in NAMES) + f"{row['seconds']:>7.0f}")
    return "\n".join(rows)


def split(checker):
    """'cs231n 1e-2' -> ('cs231n', '1e-2'), 'torch fast' -> ('torch fast', None)."""
    found = re.fullmatch(r"(.*) (1e-\d)", checker)
    return (found[1], found[2]) if found else (checker, None)


def missed(row, hunts):
    name, threshold = split(row["checker"])
    lost = [f"{hunt['seed']} ({hunt['owner']}, {hunt['function']}: {hunt['operator']})" for hunt in hunts
            if not caught(hunt[name], threshold)]
    return f"{row['checker']} missed {len(lost)}: {', '.join(lost)}"


def samples(hunts):
    """What everybody says about one bug: one in the wiring if there is one that all have caught."""
    everybody = ["ours", *[name for name in ("torch", "jax", "cs231n") if name in hunts[0]]]
    seen = [hunt for hunt in hunts if all(caught(hunt[name], "1e-2" if name == "cs231n" else None) for name in everybody)]
    if not seen:
        return ["", "no bug was caught by all"]
    hunt = next((hunt for hunt in seen if hunt["kind"] == "wiring"), seen[0])
    rows = ["", filled(f"What the reader is told about seed {hunt['seed']}, {hunt['owner']}, {hunt['function']} "
                       f"({hunt['operator']}):"), *indented(f"it was  {hunt['before']}\nit is   {hunt['after']}")]
    for name in everybody:
        rows += [f"{TITLES.get(name, name)}:", *indented(hunt[name]["message"])]
    return rows


def indented(text):
    return [f"    {row}" for line in text.splitlines() for row in textwrap.wrap(line, WIDTH - 4)]


def filled(text):
    return textwrap.fill(text, WIDTH, subsequent_indent="  ")


if __name__ == "__main__":
    sys.exit(main())
