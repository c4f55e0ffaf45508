"""The study: python -m tests.faults [--seed N] [--only PART ...] [--quick] [--save]. Some ten minutes on two quiet cores; Linux."""

import argparse
import json
import os
import pathlib
import shlex
import sys
import tempfile
import time

RESULT = pathlib.Path(__file__).with_name("results.json")
KILLS = {"training": 60, "checkpoint": 60, "train command": 12, "sweep": 24, "download": 40, "compiling": 8}


def parts():
    """Who kills what."""
    from . import commands, downloads, runs, sweeps
    return {"training": runs.kill_in_training, "checkpoint": runs.kill_in_writes, "train command": commands.kill_commands,
            "sweep": sweeps.kill_sweeps, "download": downloads.kill_downloads, "compiling": commands.kill_compiling}


def main(arguments=None):
    options = read(arguments)
    os.environ |= {"NUMPYMEM_JIT": "0", "NUMPYMEM_OFFLINE": "1", "MPLBACKEND": "agg"}
    import numpy as np

    from numpymem import runs

    from . import surroundings
    began, found, cases = time.perf_counter(), {}, []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, function) in enumerate(parts().items()):
            if not options.only or name in options.only:
                kills = max(1, KILLS[name] // 20) if options.quick else KILLS[name]
                say(f"{name}: {kills} kills ", end="")
                place = pathlib.Path(folder, name.replace(" ", "-"))
                place.mkdir()
                found[name] = function(kills, np.random.default_rng([options.seed, number]), place, lambda one: say(".", end=""))
                say("")
        if not options.only or "surroundings" in options.only:
            for name, case in surroundings.CASES.items():
                say(f"{name} ...")
                cases.append({"case": name} | surroundings.meet(case, pathlib.Path(folder, f"case{len(cases)}")))
    command = "python -m tests.faults " + " ".join(map(shlex.quote, sys.argv[1:] if arguments is None else arguments))
    result = {"command": command.strip(), "seed": options.seed, "versions": runs.versions(), "system": sys.platform,
              "load": round(os.getloadavg()[0], 1), "seconds": round(time.perf_counter() - began),
              "kills": [one.as_dict(name) for name, all_ in found.items() for one in all_], "surroundings": cases}
    print(table(result))
    if options.save:
        RESULT.write_text(text(result))
        print(f"written: {RESULT.name}")
    return 1 if failures(result) else 0


def read(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills (default 0)")
    names = [*KILLS, "surroundings"]
    parser.add_argument("--only", nargs="+", metavar="PART", choices=names, help=f"only these parts: {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the kills")
    parser.add_argument("--save", action="store_true", help="write tests/faults/results.json")
    return parser.parse_args(arguments)


def say(words, end="\n"):
    print(words, end=end, file=sys.stderr, flush=True)


def failures(result):
    """All failures in words."""
    return [f"{one['kind']}, {one['work']}: {words} ({number} times)" for one in result["kills"]
            for words, number in one["failures"].items()] \
        + [f"{one['case']}: {words}" for one in result["surroundings"] for words in one["failures"]]


def table(result):
    """What was killed and what was met, in 80 columns."""
    lines = [f"{'kill -9 of':<38}{'kills':>6}{'in a write':>11}{'most lost':>12}{'parts left':>12}"]
    for one in result["kills"]:
        name = f"{one['kind']}: {one['work']}"
        lost = str(one["lost"]) if "sequences" in one["allowed"] else "-"
        lines.append(f"{name[:37]:<38}{one['kills']:>6}{one['inside']:>11}{lost:>12}{one['left']:>12}")
    lines.append(f"{'in all':<38}{sum(one['kills'] for one in result['kills']):>6}")
    for one in result["surroundings"]:
        lines += ["", f"{one['case']} ({one['how']})", *(f"  {line}" for line in one["said"])]
    wrong = failures(result)
    return "\n".join([*lines, "", *wrong, f"{len(wrong)} failures, {result['seconds']} s"])


def text(result):
    """JSON with a line for each work and each case."""
    whole = [f" {json.dumps(name)}: " + ("[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]" if isinstance(value, list)
                                         else json.dumps(value)) for name, value in result.items()]
    return "{\n" + ",\n".join(whole) + "\n}\n"


if __name__ == "__main__":
    raise SystemExit(main())
