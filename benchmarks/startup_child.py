"""What `startup` runs in a fresh process: import everything, then the first training steps of every model. Prints JSON.

    python -m benchmarks.startup_child [--edit] MODEL [MODEL ...]

`--edit` swaps NTM-9 for a copy of itself first, as a reader does who changes the equation.
"""

import json
import sys
import time

started = time.perf_counter()                     # before the imports below, which are what is measured

import numpymem  # noqa: E402
from benchmarks.growth_cases import MODELS, step  # noqa: E402
from benchmarks.growth_measure import one_thread  # noqa: E402
from numpymem.ntm import equations  # noqa: E402

imported = time.perf_counter()


def edited(w_s, gamma):
    """NTM-9 as somebody may write it."""
    logits = gamma * equations.np.log(w_s + equations.EPS)
    return equations.softmax(logits)


def first_steps(name):
    """Seconds of the first training step of a model and of its second one, which is what a step takes from then on."""
    case, taken = MODELS[name](), []
    for _ in range(2):
        before = time.perf_counter()
        with one_thread():
            step(case)
        taken.append(round(time.perf_counter() - before, 4))
    return {"model": name, "first_s": taken[0], "second_s": taken[1]}


def main(arguments):
    if arguments[0] == "--edit":
        numpymem.patch("NTM-9", edited)
        arguments = arguments[1:]
    print(json.dumps({"import_s": round(imported - started, 4), "steps": [first_steps(name) for name in arguments]}))


if __name__ == "__main__":
    main(sys.argv[1:])
