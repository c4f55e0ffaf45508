"""The study: python -m tests.faults [--seed N] [--only PART ...] [--quick] [--save]. Some ten minutes on two quiet cores; Linux."""

import argparse
import json
import os
import pathlib
import shlex
import sys
import tempfile
import textwrap
import time

RESULT = pathlib.Path(__file__).parents[1] / "results/faults.json"
KILLS = {"training": 60, "checkpoint": 60, "train command": 10, "sweep": 12, "download": 40, "compiling": 4}
NAMES = [*KILLS, "surroundings"]


def parts():
    """Who kills what."""
    from . import commands, downloads, runs, sweeps
    return {"training": runs.kill_in_training, "checkpoint": runs.kill_in_writes, "train command": commands.kill_commands,
            "sweep": sweeps.kill_sweeps, "download": downloads.kill_downloads, "compiling": commands.kill_compiling}


def main(arguments=None):
    options = read(arguments)
    os.environ |= {"NUMPYMEM_JIT": "0", "NUMPYMEM_OFFLINE": "1", "MPLBACKEND": "agg"}
    command = "python -m tests.faults " + " ".join(map(shlex.quote, sys.argv[1:] if arguments is None else arguments))
    found = {}
    for number, name in enumerate(NAMES):
        if not options.only or name in options.only:
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                place = pathlib.Path(folder)
                results = meet_all(place) if name == "surroundings" else kill_all(name, number, options, place)
            found[name] = {"command": command.strip(), "seed": options.seed, "load": round(os.getloadavg()[0], 1),
                           "seconds": round(time.perf_counter() - began), "found": results}
            if options.save:                      # after each part: the study, too, may be killed
                save({name: found[name]})
    print(table(found))
    return 1 if failures(found) else 0


def kill_all(name, number, options, folder):
    """One part of the study -> a list of dicts."""
    import numpy as np
    kills = max(1, KILLS[name] // 20) if options.quick else KILLS[name]
    say(f"{name}: {kills} kills ", end="")
    found = parts()[name](kills, np.random.default_rng([options.seed, number]), folder, lambda one: say(".", end=""))
    say("")
    return [one.as_dict() for one in found]


def meet_all(folder):
    """All cases that are no kills -> a list of dicts."""
    from . import surroundings
    found = []
    for number, (name, case) in enumerate(surroundings.CASES.items()):
        say(f"{name} ...")
        found.append({"case": name} | surroundings.meet(case, folder / f"case{number}"))
    return found


def save(found):
    """Put these parts into the result file, and keep the others."""
    from numpymem import runs
    before = json.loads(RESULT.read_text())["parts"] if RESULT.exists() else {}
    together = before | found
    RESULT.write_text(text({"versions": runs.versions(), "system": sys.platform,
                            "parts": {name: together[name] for name in NAMES if name in together}}))


def read(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills (default 0)")
    parser.add_argument("--only", nargs="+", metavar="PART", choices=NAMES, help=f"only these parts: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the kills")
    parser.add_argument("--save", action="store_true", help="write tests/results/faults.json")
    return parser.parse_args(arguments)


def say(words, end="\n"):
    print(words, end=end, file=sys.stderr, flush=True)


def failures(found):
    """All failures in words."""
    return [f"{name}, {one.get('work') or one['case']}: {words}" for name, part in found.items() for one in part["found"]
            for words in one["failures"]]


def table(found):
    """What was killed and what was met, in 80 columns."""
    killed = [(name, one) for name, part in found.items() for one in part["found"] if "kills" in one]
    lines = [f"{'kill -9 of':<44}{'kills':>6}{'in a write':>12}{'most lost':>11}"] if killed else []
    for name, one in killed:
        work = f"{name}: {one['work']}"
        lost = f"{one['lost']} of {one['allowed']}" if isinstance(one["allowed"], int) else "-"
        lines.append(f"{work[:43]:<44}{one['kills']:>6}{one['inside']:>12}{lost:>11}")
    lines += [f"{'in all':<44}{sum(one['kills'] for _, one in killed):>6}"] if killed else []
    for one in found.get("surroundings", {"found": []})["found"]:
        lines += ["", *wrap(f"{one['case']}: {one['how']}", ""), *(line for words in one["said"] for line in wrap(words, "  "))]
    wrong, seconds = failures(found), sum(part["seconds"] for part in found.values())
    return "\n".join([*lines, "", *wrong, f"{len(wrong)} failures, {seconds} s"])


def wrap(words, indent):
    return textwrap.wrap(words, 79, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def text(result):
    """JSON with a line for each work and each case."""
    found = []
    for name, part in result["parts"].items():
        entries = ",\n   ".join(map(json.dumps, part["found"]))
        facts = json.dumps({key: value for key, value in part.items() if key != "found"})
        found.append(f'  {json.dumps(name)}: {facts[:-1]}, "found": [\n   {entries}]}}')
    head = "".join(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in result.items() if name != "parts")
    return "{\n" + head + ' "parts": {\n' + ",\n".join(found) + "\n }\n}\n"


if __name__ == "__main__":
    raise SystemExit(main())
