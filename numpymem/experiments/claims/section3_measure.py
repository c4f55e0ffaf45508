"""The measures of section 3 that need traces of trained models: `measure NAME --save`, see COMMAND."""

import importlib
import json
import time

from threadpoolctl import threadpool_limits

from numpymem import runs
from numpymem.cli import Parser
from numpymem.experiments import results
from numpymem.experiments.sweep_run import rounded
from numpymem.writing import write_text

MEASURES = {"access": "section3_access", "time": "section3_time", "supports": "section3_supports"}
COMMAND = "python -m numpymem.experiments.claims.section3 measure"


def main(arguments=None):
    """Measure, print, and with --save keep results/sec3_NAME.json -> exit code."""
    parser = Parser(prog=COMMAND.rpartition(" ")[0])
    parser.add_argument("verb", choices=["measure"])
    parser.add_argument("names", nargs="+", choices=sorted(MEASURES), metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--save", action="store_true", help="keep the results in the package")
    options = parser.parse_args(arguments)
    for name in options.names:
        found = measured(name)
        print(text_of(found))
        if options.save:
            path = results.FOLDER / f"sec3_{name}.json"
            write_text(path, text_of(found))
            print(f"results: sec3_{name}")
    return 0


def measured(name):
    """Train what is needed and measure -> what the result file holds."""
    started = time.perf_counter()
    with threadpool_limits(1, "blas"):
        found = importlib.import_module(f"numpymem.experiments.claims.{MEASURES[name]}").measure()
    return {"name": f"sec3_{name}", "command": f"{COMMAND} {name} --save", "versions": runs.versions(),
            "seconds": round(time.perf_counter() - started, 1)} | rounded(found)


def text_of(found):
    """One line for each entry."""
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in found.items()) + "\n}\n"
