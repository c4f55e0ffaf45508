"""python -m gradcheck.mutation: the committed score, and bug hunts by the dozen.

    python -m gradcheck.mutation score --save               break everything -> gradcheck/results/mutation.json
    python -m gradcheck.mutation score --sample 2000 --save  a random sample of it -> gradcheck/results/mutation_sample.json
    python -m gradcheck.mutation score --package memory_transformer --save  all of one folder -> mutation_memory_transformer.json
    python -m gradcheck.mutation hunts --seeds 100:120      plant bugs, and grade the first line of the report on each

The committed hunts, beside what other checkers say of the same bugs: python -m benchmarks.other_checkers.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tqdm import tqdm

from gradcheck.mutation import score
from gradcheck.mutation.grade import grade
from gradcheck.mutation.hunt import bug_hunt
from numpymem.cli import Parser, span, whole

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("ops", "ntm", "memn2n", "dnc", "dmn", "memory_transformer", "hybrid", "lstm", "recurrent")


def main(arguments=None):
    """Run the command line -> exit code: 0 all right, 1 something was missed, 2 not understood."""
    parser = Parser(prog="python -m gradcheck.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("what", metavar="WHAT", choices=("score", "hunts"), help="score or hunts")
    parser.add_argument("--seeds", type=span, default=range(20), metavar="A:B", help="of the hunts, B not included (default 0:20)")
    parser.add_argument("--jobs", type=whole(1), default=2, metavar="N", help="processes (default 2)")
    parser.add_argument("--sample", type=whole(1), metavar="N",
                        help="of the score: N mutants of pairs and wiring and N of kernels, drawn with seed 0 (default: all)")
    parser.add_argument("--package", default="", choices=PACKAGES, metavar="NAME",
                        help=f"of the score: only what stands in this folder of numpymem: {', '.join(PACKAGES)}")
    parser.add_argument("--save", action="store_true", help="of the score: write the result file")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:                    # argparse has printed its line
        return int(stop.code or 0)
    return _score(options) if options.what == "score" else _hunts(options)


def _score(options):
    outcomes, seconds = score.timed(sample=options.sample, jobs=options.jobs, progress=sys.stderr.isatty(), package=options.package)
    print(score.table(outcomes, seconds))
    if options.save:
        part = "".join(f"--{name} {value} " for name, value in (("package", options.package), ("sample", options.sample)) if value)
        name = "_".join(["mutation", *filter(None, [options.package]), *(["sample"] if options.sample else [])])
        path = RESULTS / f"{name}.json"
        told = {"command": f"python -m gradcheck.mutation score {part}--save"} | score.as_dict(outcomes, seconds)
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        print(f"written: {path.name}")
    return 1 if any(one.fate == "survived" for one in outcomes) else 0


def _hunts(options):
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(tqdm(pool.map(hunt_once, options.seeds), total=len(options.seeds), disable=not sys.stderr.isatty()))
    for one in found:
        print(f"{one['seed']} {'right' if one['right'] else 'WRONG'} {one['kind']:<6} {one['line']}")
        if not one["right"]:
            print(f"      expected {one['expected']}; {one['target']}: {one['before']} -> {one['after']}")
    right, wiring = sum(one["right"] for one in found), [one for one in found if one["kind"] == "wiring"]
    print(f"{right} of {len(found)} first lines name the right place; of {len(wiring)} in the wiring "
          f"{sum(bool(one['line_shown']) for one in wiring)} show the broken line")
    return 0 if right == len(found) else 1


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
