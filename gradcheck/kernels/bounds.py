"""Does any kernel read or write beside its arrays? Compiled code does not check bounds, unless it is told so while it compiles.

    python -m gradcheck.kernels.bounds          compile all kernels anew, with bounds checked, and let each prove itself: a minute
    python -m gradcheck.kernels.bounds --save   and write gradcheck/results/bounds.json, with a hash of every file of loops

A test fails while a file of loops is not the one that was checked.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from numpymem import kernel, runs
from numpymem.cli import Parser
from numpymem.writing import write_text

RESULT = pathlib.Path(__file__).parents[1] / "results" / "bounds.json"
CHECKED_RUN = '''
import numpy as np
from numba import njit
import gradcheck
from gradcheck.kernels.mutants import exam_of, judge
from numpymem.kernel import KERNELS

@njit(error_model="numpy")
def beside(x):
    return x[x.size]

gradcheck.import_all()
try:
    print("not checked:", beside(np.ones(3)))
except IndexError:
    print("checked", *(f"{name} {judge(kernel, kernel.pair(), exam_of(kernel)) or 'right'}," for name, kernel in KERNELS.items()))
'''


def check():
    """{kernel: "right", or what is wrong}, from a process of its own with an empty cache. Raises RuntimeError if that fails."""
    with tempfile.TemporaryDirectory() as cache:
        settings = os.environ | {"PYTHONPATH": str(kernel.PACKAGE.parent), "NUMBA_BOUNDSCHECK": "1", "NUMPYMEM_CACHE": cache,
                                 "NUMPYMEM_JIT": "1"}
        done = subprocess.run([sys.executable, "-c", CHECKED_RUN], env=settings, capture_output=True, text=True)
    if not done.stdout.startswith("checked "):
        raise RuntimeError(f"the checked run failed: {done.stdout}{done.stderr[-2000:]}")
    told = done.stdout.removeprefix("checked ").strip(", \n").split(", ")
    return dict(one.split(" ", 1) for one in told)


def files_of_loops():
    """{file: SHA-256 of its text} of every file that numba compiles."""
    files = sorted([*kernel.PACKAGE.glob("**/kernels*.py"), kernel.PACKAGE / "ops" / "lanes.py"])
    return {str(file.relative_to(kernel.PACKAGE.parent).as_posix()): hashlib.sha256(file.read_text().encode()).hexdigest()
            for file in files}


def main(argv=None):
    parser = Parser(prog="python -m gradcheck.kernels.bounds", description="Run all kernels with bounds checked.")
    parser.add_argument("--save", action="store_true", help="write gradcheck/results/bounds.json if all are right")
    options = parser.parse_args(argv)
    found = check()
    print("\n".join(f"{name:<32}{said}" for name, said in found.items()))
    right = all(said == "right" for said in found.values())
    if options.save and right:
        content = {"command": "python -m gradcheck.kernels.bounds --save", "versions": runs.versions(), "kernels": sorted(found),
                   "files": files_of_loops()}
        write_text(RESULT, json.dumps(content, indent=1) + "\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
