"""What the three studies (growth, profile_step, startup) share: where results lie, how they are written, how a command ends."""

import json
import pathlib
import sys
import textwrap

from numpymem.cli import Parser

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = pathlib.Path(__file__).parent / "results"
WIDTH = 80


def parser(name, description, quick, files):
    """An argument parser with --quick, --json and --save."""
    made = Parser(prog=f"python -m benchmarks.{name}", description=description)
    made.add_argument("--quick", action="store_true", help=quick)
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else on stdout")
    made.add_argument("--save", action="store_true", help=f"write benchmarks/results/{files}")
    return made


def parse(made, arguments):
    """-> (options, 0), or (None, exit code) if argparse has said why not."""
    try:
        return made.parse_args(arguments), 0
    except SystemExit as stop:
        return None, int(stop.code or 0)


def write(path, result):
    """JSON that reads well in a diff: a line for each entry, a list of dicts has a line for each of them."""
    lines = []
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f"{json.dumps(key)}: [\n  {rows}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    path.parent.mkdir(exist_ok=True)
    path.write_text("{\n " + ",\n ".join(lines) + "\n}\n")


def show(options, result, text):
    """Print the result as the options ask."""
    print(json.dumps(result) if options.json else text(result))


def say(line):
    print(line, file=sys.stderr, flush=True)


def head(machine, *sentences):
    """The machine and some sentences about the method, filled to 80 columns."""
    known = [name for name in ("python", "numpy", "numba") if machine.get(name)]
    first = (f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']}; "
             + ", ".join(f"{name} {machine[name]}" for name in known))
    return "\n".join(fill(sentence) for sentence in (first, *sentences))


def fill(sentence, indent=""):
    return textwrap.fill(sentence, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
