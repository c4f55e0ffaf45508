"""python -m benchmarks: time our training step beside JAX and PyTorch. See README.md."""

import argparse
import json
import pathlib
import sys

from benchmarks import runs
from benchmarks.agreement import Disagreement
from benchmarks.report import text
from benchmarks.works import WORKS

RESULT = pathlib.Path(__file__).parent / "results" / "step.json"
LIBRARIES = ("jax", "torch")


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 1 the contenders do not agree, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = read_arguments(arguments)
    except SystemExit as stop:                    # argparse has printed its line
        return int(stop.code or 0)
    repeats, seconds = (options.repeats or 3, 0.05) if options.quick else (options.repeats or 10, 0.2)
    try:
        result = runs.run(options.names, options.vs, options.batch, repeats, seconds, options.all_forms,
                          runs.to_stderr)
    except Disagreement as trouble:
        print(trouble, file=sys.stderr)
        return 1
    result = {"command": " ".join(["python -m benchmarks", *arguments]), **result}
    if options.save:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result) if options.json else text(result))
    return 0


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what was expected, and exits with 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n")


def read_arguments(arguments):
    parser = OneLineParser(prog="python -m benchmarks", description="Time our training step beside JAX and PyTorch: "
                           "same work, same numbers, same cores, in turns.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(WORKS)}; default: all")
    parser.add_argument("--vs", nargs="*", choices=LIBRARIES, default=LIBRARIES, metavar="LIBRARY",
                        help="jax, torch (default both; none: only kernels beside plain NumPy)")
    parser.add_argument("--batch", nargs="+", type=positive, default=(1, 16), metavar="B",
                        help="batch sizes (default 1 16)")
    parser.add_argument("--repeats", type=positive, metavar="K", help="rounds in which each has a turn (default 10)")
    parser.add_argument("--quick", action="store_true", help="3 short rounds: a look, no measurement")
    parser.add_argument("--all-forms", action="store_true",
                        help="every JAX form that was tried, not only the best (compiles for minutes)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/step.json")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in WORKS]
    if unknown:
        parser.error(f"NAME: expected one of {', '.join(WORKS)}, received {unknown[0]!r}")
    return options


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, received {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
