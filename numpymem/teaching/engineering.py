"""For chapter 06: pictures of committed measurements, clocks that speak only where somebody runs them, and counted calls."""

import json
import os
import pathlib
import time
from collections import Counter

import numpy as np

from numpymem.equation import around, watch
from numpymem.plotting.parts import COLOURS, INK, READ, SOFT, WRITE, headline, picture, styled

MEASURED = pathlib.Path(__file__).parents[2] / "benchmarks" / "results"
COLOUR_OF = {"kernels": READ, "numpy": WRITE, "jax": SOFT, "torch": COLOURS["Transformer"]}
NAMES = {"kernels": "our kernels", "numpy": "our plain NumPy", "jax": "jitted JAX", "torch": "eager PyTorch"}


def is_live():
    """Whether somebody runs the notebook by hand: build.py and the tests set NUMPYMEM_QUICK, whose clocks nobody wants to keep."""
    return "NUMPYMEM_QUICK" not in os.environ


@styled
def training_steps(work="ntm-lstm copy", batches=(1, 16)):
    """What a training step took, for each contender the fastest of its forms, from benchmarks/results/step.json -> Picture."""
    found = json.loads((MEASURED / "step.json").read_text())
    figure = picture(8.5, 3.3)
    for place, batch in enumerate(batches):
        there = [each for each in found["contenders"] if each["work"] == f"{work} batch {batch}"]
        rows = [(name, min(each["ms"] for each in there if each["who"] == name)) for name in NAMES
                if any(each["who"] == name for each in there)]
        axes = figure.add_axes([0.17 + 0.43 * place, 0.17, 0.36, 0.55], label=f"batch {batch}")
        for row, (name, ms) in enumerate(rows):
            axes.barh(row, ms, color=COLOUR_OF[name], height=0.62)
            axes.text(ms * 1.08, row, f"{ms:.3g}", va="center", fontsize=8.5, color=INK)
        axes.set_xscale("log")
        axes.set_xlim(0.5, 500)
        axes.set_yticks(range(len(rows)), [NAMES[name] for name, _ in rows] if place == 0 else [""] * len(rows))
        axes.invert_yaxis()
        axes.set_xlabel("milliseconds a sequence, log scale")
        axes.set_title(f"batch {batch}")
    headline(figure, "One training step of an NTM: the same mathematics, four ways to run it",
             f"copy, T = 41, 128 x 20, LSTM of 100; measured once on two cores by: {found['command']}")
    return figure


def clock(**ways):
    """Print how long each of some functions without arguments takes, if this is live: the fastest of a few rounds, in turns."""
    if not is_live():
        print("(Run this cell yourself to see times: they are others on every machine.)")
        return
    best = dict.fromkeys(ways, np.inf)
    for _ in range(5):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - started)
    fastest = min(best.values())
    for name, seconds in best.items():
        print(f"{name:<16}{1e6 * seconds:>12,.0f} microseconds{seconds / fastest:>10.1f} times the fastest")


def calls_of(run):
    """How often each equation's forward and backward is evaluated while `run()` runs -> Counter of (id, phase)."""
    counts = Counter()

    def count(item, phase, arguments, result):
        counts[item.id, phase] += 1
    with watch(count):
        run()
    return counts


def seconds_of(run):
    """Seconds in the forward and backward of each equation, with all that they call, while `run()` runs -> dict id -> seconds."""
    seconds = Counter()

    def timed(item, phase, go, arguments):
        started = time.perf_counter()
        out = go(*arguments)
        seconds[item.id] += time.perf_counter() - started
        return out
    with around(timed):
        run()
    return seconds
