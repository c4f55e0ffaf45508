"""One benchmark run: build the works, check that all contenders agree, time them in turns, compare with each other and with what
the machine can do."""

import importlib
import importlib.util
import sys

from benchmarks import agreement, machine, timing
from benchmarks.ceiling import Ceiling
from benchmarks.contender import UPDATE, kernels_in_force, ours
from benchmarks.flops import count
from benchmarks.works import LIBRARIES, WORKS, batches_of

UNIT = "ms per sequence"
OURS = ("kernels", "kernels-1", "numpy")
THEIRS = ("jax", "torch", "torch-compiled")


def run(names=None, libraries=LIBRARIES, batches=None, repeats=10, seconds=0.2, all_forms=False, say=None, ceiling=None):
    """Everything for the report, as a dict of plain values. `say` hears one line at a time about what is going on."""
    facts, ceiling, say = machine.facts(), ceiling or Ceiling(), say or silent
    missing = {name: "not installed" for name in libraries if importlib.util.find_spec(name) is None}
    libraries = [name for name in libraries if name not in missing]
    result = {"unit": UNIT, "works": {}, "contenders": [], "comparisons": [], "ceilings": {}, "epochs": [], "left_out": []}
    for name in names or WORKS:
        for batch in batches or batches_of(name):
            add_work(result, WORKS[name](batch), libraries, (repeats, seconds), all_forms, ceiling, say)
    say("measuring the machine: a large product, memory bandwidth")
    return {"machine": facts, "ceiling": ceiling.report(), "kernels": kernels_in_force(), "missing": missing,
            "repeats": repeats, "seconds_a_turn": seconds, **result}


def add_work(result, work, libraries, turns, all_forms, ceiling, say):
    """Measure one piece of work and put what was found into the result."""
    contenders, left_out = contenders_of(work, libraries, all_forms)
    lines, samples = measure(work, contenders, *turns, say)
    say(f"{work.name}: measuring products of its shapes")
    limit = ceiling.of(count(work))
    limit = {"ms": float(f"{limit.pop('ms') / work.batch_size:.5g}"), **limit}
    for each in lines:
        each["share_percent"] = share(limit, each["ms"])
    result["works"][work.name] = work.sizes
    result["contenders"] += lines
    result["ceilings"][work.name] = limit
    result["comparisons"] += compare(work, lines, samples, limit)
    result["epochs"] += [epoch(work, each) for each in lines] if work.epoch else []
    result["left_out"] += [line for line in left_out if line not in result["left_out"]]


def share(limit, ms):
    """Percent of what the machine can do: the ceiling's time by this one."""
    return float(f"{100 * limit['ms'] / ms:.3g}")


def silent(line):
    pass


def to_stderr(line):
    print(line, file=sys.stderr, flush=True)


def contenders_of(work, libraries, all_forms=False):
    """(ours first, then those of each library that has this work; lines on what was left out)"""
    found, left_out = ours(work), []
    for library in libraries:
        if library in work.references:
            module = importlib.import_module(work.references[library])
            found += module.contenders(work, all_forms)
            left_out += getattr(module, "LEFT_OUT", [])
    return found, left_out


def measure(work, contenders, repeats, seconds, say=silent):
    """(a line for each contender, the samples they are made of) of one piece of work."""
    checks = check_all(contenders, work, say)
    say(f"{work.name}: timing {len(contenders)} contenders, {repeats} rounds")
    before = kernels_in_force()
    samples = timing.take_turns(contenders, repeats, seconds)
    if kernels_in_force() != before:
        raise agreement.Disagreement(f"{work.name}: source files were edited during the run: kernels were {before}, "
                                     f"now {kernels_in_force()}. Run again.")
    return [line(work, contender, check, timing.spread(own))
            for contender, check, own in zip(contenders, checks, samples)], samples


def check_all(contenders, work, say=silent):
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
    """Median and quartiles under `name`, to five digits: what is not written down cannot be compared later."""
    median, low, high = (float(f"{number:.5g}") for number in numbers)
    return {name: median, f"{name}_quartiles": [low, high]}


def compare(work, lines, samples, limit):
    """Our forms against the fastest contender of each library, and with each other."""
    fastest = {}
    for number, each in enumerate(lines):
        if each["who"] not in fastest or each["ms"] < lines[fastest[each["who"]]]["ms"]:
            fastest[each["who"]] = number
    pairs = [(our, their) for their in THEIRS for our in OURS] + [(our, "numpy") for our in OURS[:-1]]
    return [comparison(work, lines[fastest[our]], lines[fastest[their]],
                       timing.spread_of_ratio(samples[fastest[their]], samples[fastest[our]]), limit)
            for our, their in pairs if our in fastest and their in fastest]


def comparison(work, our, their, ratio, limit):
    """`ratio` is of the medians; its quartiles are those of the rounds."""
    return {"name": f"{work.name}: {our['who']} vs {their['who']}", "ours_ms": our["ms"], "theirs_ms": their["ms"],
            "ratio": round(their["ms"] / our["ms"], 3), "ratio_quartiles": [round(ratio.low, 3), round(ratio.high, 3)],
            "ours_ms_quartiles": our["ms_quartiles"], "theirs_ms_quartiles": their["ms_quartiles"],
            "ours": our["detail"], "theirs": their["detail"], "ceiling_ms": limit["ms"], "share_percent": share(limit, our["ms"])}


def epoch(work, each):
    """Seconds in which this contender goes through all questions once: its step, times questions / batch."""
    return {"name": work.name, "who": each["who"], "detail": each["detail"], "questions": work.epoch,
            "with_update": each["who"].endswith(UPDATE), "seconds": float(f"{1e-3 * each['ms'] * work.epoch:.4g}"),
            "seconds_quartiles": [float(f"{1e-3 * ms * work.epoch:.4g}") for ms in each["ms_quartiles"]]}
