"""python -m gradcheck.mutation: the committed results, gradcheck/results/mutation.json and hunts.json.

    python -m gradcheck.mutation score                      break everything
    python -m gradcheck.mutation hunts --seeds 9000:9100    plant bugs, and grade the first line of the report on each
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tqdm import tqdm

from gradcheck.mutation import score
from gradcheck.mutation.grade import grade
from gradcheck.mutation.hunt import bug_hunt

RESULTS = Path(__file__).parents[1] / "results"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m gradcheck.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("score", "hunts"))
    parser.add_argument("--seeds", default="9000:9100", metavar="A:B", help="of the hunts, B not included (default 9000:9100)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    parser.add_argument("--save", action="store_true", help="write the result file")
    options = parser.parse_args(arguments)
    result = _score(options) if options.what == "score" else _hunts(options)
    if options.save:
        path = RESULTS / {"score": "mutation.json", "hunts": "hunts.json"}[options.what]
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"written: {path.name}")
    return 0


def _score(options):
    outcomes, seconds = score.timed(jobs=options.jobs, progress=sys.stderr.isatty())
    print(score.table(outcomes, seconds))
    return {"command": "python -m gradcheck.mutation score --save"} | score.as_dict(outcomes, seconds)


def _hunts(options):
    first, last = map(int, options.seeds.split(":"))
    started = time.perf_counter()
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(tqdm(pool.map(hunt_once, range(first, last)), total=last - first, disable=not sys.stderr.isatty()))
    for one in found:
        print(f"{one['seed']} {'right' if one['right'] else 'WRONG'} {one['kind']:<6} {one['line']}")
        if not one["right"]:
            print(f"      expected {one['expected']}; {one['target']}: {one['before']} -> {one['after']}")
    right, wiring = sum(one["right"] for one in found), [one for one in found if one["kind"] == "wiring"]
    print(f"{right} of {len(found)} first lines name the right place")
    return {"command": f"python -m gradcheck.mutation hunts --seeds {options.seeds} --save", "count": len(found), "right": right,
            "right_percent": 100 * right / len(found), "wiring": len(wiring),
            "wiring_right": sum(one["right"] for one in wiring),
            "wiring_line_shown": sum(bool(one["line_shown"]) for one in wiring),
            "seconds": round(time.perf_counter() - started, 1), "hunts": found}


def hunt_once(seed):
    """Plant, look, grade -> what happened, as a dict."""
    hunt = bug_hunt(seed)
    target, edit = hunt.mutant.target, hunt.mutant.edit
    line = hunt.find().line
    graded = grade(hunt)
    hunt.undo()
    return {"seed": seed, "kind": target.kind, "owner": target.owner, "target": target.name, "operator": edit.operator,
            "line_number": edit.line, "before": hunt.mutant.before, "after": hunt.mutant.after, "line": line,
            "right": bool(graded.right), "expected": graded.expected, "line_shown": graded.line_shown}


if __name__ == "__main__":
    sys.exit(main())
