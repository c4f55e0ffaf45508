"""python -m benchmarks: time our training step beside JAX and PyTorch. See README.md."""

import argparse
import json
import pathlib
import shlex
import sys

from benchmarks import runs
from benchmarks.agreement import Disagreement
from benchmarks.ceiling import STREAM, Ceiling
from benchmarks.report import text
from benchmarks.works import LIBRARIES, WORKS

RESULT = pathlib.Path(__file__).parent / "results" / "step.json"


def main(arguments=None, prog="python -m benchmarks"):
    """Run the command line -> exit code: 0 done, 1 the contenders do not agree, 2 not understood or data not found."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = read_arguments(arguments, prog)
    except SystemExit as stop:                    # argparse has printed its line
        return int(stop.code or 0)
    try:
        result = measured(options)
    except Disagreement as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except (OSError, ValueError) as trouble:      # such as a NUMPYMEM_DATA that is not there
        print(f"{prog}: {trouble}", file=sys.stderr)
        return 2
    result = {"command": shlex.join([*prog.split(), *arguments]), **result}
    if options.save:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result) if options.json else text(result))
    return 0


def measured(options):
    """The result of one run. --quick looks at everything, the machine too, for a moment only."""
    repeats, seconds, ceiling = options.repeats or 10, 0.2, Ceiling()
    if options.quick:
        repeats, seconds, ceiling = options.repeats or 3, 0.05, Ceiling(seconds=0.002, stream=STREAM // 16)
    return runs.run(options.names, options.vs, options.batch, repeats, seconds, options.all_forms, runs.to_stderr, ceiling)


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what was expected, and exits with 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n")


def read_arguments(arguments, prog):
    parser = OneLineParser(prog=prog, description="Time our training step beside JAX and PyTorch: "
                           "same work, same numbers, same cores, in turns.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(WORKS)}; default: all")
    parser.add_argument("--vs", nargs="*", choices=LIBRARIES, default=LIBRARIES, metavar="LIBRARY",
                        help="jax, torch (default both; none: only kernels beside plain NumPy)")
    parser.add_argument("--batch", nargs="+", type=positive, metavar="B",
                        help="batch sizes (default 1 16; memn2n 32)")
    parser.add_argument("--repeats", type=positive, metavar="K", help="rounds in which each has a turn (default 10)")
    parser.add_argument("--quick", action="store_true", help="3 short rounds: a look, no measurement")
    parser.add_argument("--all-forms", action="store_true",
                        help="every form that was tried, not only the best (compiles for minutes)")
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
