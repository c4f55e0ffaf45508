"""One benchmark run: build the works, check that all contenders agree, time them in turns, compare."""

import importlib
import importlib.util
import sys

from benchmarks import agreement, machine, timing
from benchmarks.contender import kernels_in_force, ours
from benchmarks.works import WORKS

UNIT = "ms per sequence"


def run(names=None, libraries=("jax", "torch"), batches=(1, 16), repeats=10, seconds=0.2, all_forms=False,
        say=None):
    """Everything for the report, as a dict of plain values. `say` hears one line at a time about what is going on."""
    facts, result = machine.facts(), {"unit": UNIT, "works": {}, "contenders": [], "comparisons": []}
    missing = {name: "not installed" for name in libraries if importlib.util.find_spec(name) is None}
    libraries = [name for name in libraries if name not in missing]
    for name in names or WORKS:
        for batch in batches:
            work = WORKS[name](batch)
            result["works"][work.name] = work.sizes
            contenders = contenders_of(work, libraries, all_forms)
            lines, comparisons = measure(work, contenders, repeats, seconds, say or silent)
            result["contenders"] += lines
            result["comparisons"] += comparisons
    return {"machine": facts, "kernels": kernels_in_force(), "missing": missing,
            "repeats": repeats, "seconds_a_turn": seconds, **result}


def silent(line):
    pass


def to_stderr(line):
    print(line, file=sys.stderr, flush=True)


def contenders_of(work, libraries, all_forms):
    """Ours first, then those of each library that has this work."""
    found = ours(work)
    for library in libraries:
        if library in work.references:
            found += importlib.import_module(work.references[library]).contenders(work, all_forms)
    return found


def measure(work, contenders, repeats, seconds, say):
    """(a line for each contender, comparisons) of one piece of work."""
    checks = check_all(contenders, work, say)
    say(f"{work.name}: timing {len(contenders)} contenders, {repeats} rounds")
    before = kernels_in_force()
    samples = timing.take_turns(contenders, repeats, seconds)
    if kernels_in_force() != before:
        raise agreement.Disagreement(f"{work.name}: source files were edited during the run: kernels were {before}, "
                                     f"now {kernels_in_force()}. Run again.")
    lines = [line(work, contender, check, timing.spread(own))
             for contender, check, own in zip(contenders, checks, samples)]
    return lines, compare(work, lines, samples)


def check_all(contenders, work, say):
    """Warm every contender up and compare what it computes with our plain NumPy -> a dict for each."""
    warm = []
    for contender in contenders:
        say(f"{work.name}: first step (compiles) of {contender.who}: {contender.detail}")
        warm_up, found = timing.warm_up(contender)
        warm.append((warm_up, contender.answer(found)))
    truth = next(answer for contender, (_, answer) in zip(contenders, warm) if contender.who == "numpy")
    checks = []
    for contender, (warm_up, answer) in zip(contenders, warm):
        worst, error = agreement.largest_error(f"{work.name}: {contender.who} ({contender.detail})", answer, truth)
        checks.append({"warm_up_s": round(warm_up, 3), "max_relative_error": float(f"{error:.2g}"), "of": worst})
    return checks


def line(work, contender, check, spread):
    """One contender's times, in ms per sequence; a step is a whole batch."""
    per_sequence = [1e3 * number / work.batch_size for number in spread]
    return {"work": work.name, "who": contender.who, "detail": contender.detail, **milliseconds("ms", per_sequence),
            "ms_per_step": round(1e3 * spread.median, 4), **check}


def milliseconds(name, numbers):
    """Median and quartiles under `name`, rounded: what is not written down cannot be compared later."""
    median, low, high = (round(number, 4) for number in numbers)
    return {name: median, f"{name}_quartiles": [low, high]}


def compare(work, lines, samples):
    """Our two forms against the fastest contender of each library, and with each other."""
    fastest = {}
    for number, each in enumerate(lines):
        if each["who"] not in fastest or each["ms"] < lines[fastest[each["who"]]]["ms"]:
            fastest[each["who"]] = number
    pairs = [(our, their) for their in ("jax", "torch") for our in ("kernels", "numpy")] + [("kernels", "numpy")]
    return [comparison(work, lines[fastest[our]], lines[fastest[their]],
                       timing.spread_of_ratio(samples[fastest[their]], samples[fastest[our]]))
            for our, their in pairs if our in fastest and their in fastest]


def comparison(work, our, their, ratio):
    """`ratio` is of the medians; its quartiles are those of the rounds."""
    return {"name": f"{work.name}: {our['who']} vs {their['who']}", "ours_ms": our["ms"], "theirs_ms": their["ms"],
            "ratio": round(their["ms"] / our["ms"], 3), "ratio_quartiles": [round(ratio.low, 3), round(ratio.high, 3)],
            "ours_ms_quartiles": our["ms_quartiles"], "theirs_ms_quartiles": their["ms_quartiles"],
            "ours": our["detail"], "theirs": their["detail"]}
