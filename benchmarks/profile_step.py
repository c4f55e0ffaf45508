"""python -m benchmarks.profile_step: where the time of one NTM training step goes. See README.md.

All from outside, so that it does not matter how a kernel is written. Measured:
    the whole step, at full size, with slots of width 1, and with all sizes at their smallest (T stays);
    the share that the operating system takes (page faults: handing out fresh memory).
Replayed by itself, at the shapes of the step, without what the calls cost:
    the matrix products with weights (NumPy's, that is BLAS, for both forms); exp, log and tanh (NumPy's).
Derived:
    calls                     the step with all sizes at their smallest: nothing is left to compute
    passes over the memory    what a step saves with slots of width 1 instead of W, of which the products are taken off, times
                              W / (W - 1)
    vectors and the rest      what remains: weights over the slots, gates, waiting; and whatever else the replay did not hit
"""

import os
import sys
import time

import numpy as np

from benchmarks import machine, studies
from benchmarks.contender import kernels_in_force
from benchmarks.growth_measure import FORMS, forms_of
from benchmarks.profile_record import COPIES, milliseconds_of, recorded, recording
from benchmarks.profile_report import text
from benchmarks.works import ntm_copy
from numpymem.cli import whole
from numpymem.equation import watch
from numpymem.ops.activations import sigmoid
from numpymem.training.loss import loss_and_gradient

RESULT, FIGURE = studies.RESULTS / "profile_step.json", studies.RESULTS / "profile_step.png"
SIZES = {"full": {}, "narrow": {"W": 1}, "smallest": {"W": 1, "N": 4, "controller_size": 1}}
PARTS = ("matrix products", "exp, log, tanh", "passes over the memory", "vectors and the rest", "fresh memory", "calls")


def main(arguments=None):
    """Run the command line -> exit code: 0 done, 2 not understood."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = studies.parser("profile_step", "Where the time of one NTM training step goes, with kernels and as plain NumPy.",
                            "short rounds: a look", "profile_step.json and profile_step.png")
    parser.add_argument("--batch", nargs="+", type=whole(1), default=[1, 16], metavar="B", help="batch sizes (default 1 16)")
    options, code = studies.parse(parser, arguments)
    if options is None:
        return code
    rounds, seconds = (2, 0.1) if options.quick else (6, 0.5)
    result = {"command": " ".join(["python -m benchmarks.profile_step", *arguments]), "machine": machine.facts(),
              "kernels": kernels_in_force(), **run(options.batch, rounds, seconds, studies.say)}
    if options.save:
        from benchmarks.profile_plot import profile
        from numpymem.plotting import save
        studies.write(RESULT, result)
        save(profile(result), FIGURE)
    studies.show(options, result, text)
    return 0


def run(batches, rounds, seconds, say=lambda line: None, **sizes):
    """Everything for the report, as a dict of plain values. `sizes` go to ntm_copy (tests take small ones)."""
    rows, operations = [], []
    for batch in batches:
        works = {name: ntm_copy(batch, **sizes | config) for name, config in SIZES.items()}
        forms = forms_of(works["full"].model)
        say(f"batch {batch}: {' and '.join(forms)}, {rounds} rounds")
        times = take_turns(works, forms, rounds, seconds)
        say(f"batch {batch}: replaying the operations")
        replays = {name: replay(works[name]) for name in ("full", "narrow")}
        rows += [{"batch": batch, "form": form, **parts(times[form], replays, form, works["full"].model.config.W)}
                 for form in forms]
        operations.append({"batch": batch, **replays["full"]})
    return {"rounds": rounds, "seconds_a_turn": seconds, "rows": rows, "operations": operations}


# ---- the whole step -----------------------------------------------------------------------------------------------------

def forward_and_loss(work, params, batch):
    outputs, trace = work.model.forward(params, batch.inputs)
    return trace, loss_and_gradient(work.loss, outputs, batch)[1]


def step(work):
    trace, d_outputs = forward_and_loss(work, work.params, work.batch)
    return work.model.backward(work.params, trace, d_outputs)


def take_turns(works, forms, rounds, seconds):
    """form -> size -> {"user", "system", "wall"}, ms a step, of the round in which the processor was needed the least."""
    turns = {(form, name): [] for form in forms for name in works}
    for _ in range(rounds):
        for form, name in turns:
            with FORMS[form]():
                step(works[name])
                turns[form, name].append(one_turn(lambda: step(works[name]), seconds))          # noqa: B023
    return {form: {name: fastest_turn(turns[form, name]) for name in works} for form in forms}


def one_turn(run, seconds):
    """(steps, seconds on the wall, of all threads' processor time, of it in the operating system)"""
    steps, wall, busy, system = 0, time.perf_counter(), time.process_time(), os.times().system
    while steps < 3 or time.perf_counter() - wall < seconds:
        run()
        steps += 1
    return steps, time.perf_counter() - wall, time.process_time() - busy, os.times().system - system


def fastest_turn(turns):
    """The system's share is that of all rounds: its clock ticks in hundredths of a second."""
    steps, wall, busy, _ = min(turns, key=lambda turn: turn[2] / turn[0])
    share = sum(turn[3] for turn in turns) / sum(turn[2] for turn in turns)
    return {"user": 1e3 * busy / steps * (1 - share), "system": 1e3 * busy / steps * share, "wall": 1e3 * wall / steps}


# ---- its operations -----------------------------------------------------------------------------------------------------

def replay(work):
    """Record one step as NumPy, and time its operations by themselves -> ms and counts."""
    params, batch = {name: recorded(value) for name, value in work.params.items()}, type(work.batch)(*map(recorded, work.batch))
    evaluations = [0]

    def count(*what):
        evaluations[0] += 1

    with FORMS["numpy"](), watch(count):
        with recording() as forward:
            trace, d_outputs = forward_and_loss(work, params, batch)
        with recording() as backward:
            work.model.backward(params, trace, d_outputs)
        operations = [*forward.values(), *backward.values()]
        config, kinds = work.model.config, {name: [] for name in ("products", "transcendental", "copies", "memory", "vectors")}
        for operation in operations:
            kinds[kind_of(operation, config.N, config.W)].append(operation)
        found = {name: milliseconds_of(members) for name, members in kinds.items()}
        once = milliseconds_of([each for each in forward.values() if each.is_transcendental()])[0]
    return {"operations": sum(each.count for each in operations), "evaluations": evaluations[0],
            "flop": sum(each.flop() for each in kinds["products"]),
            "numbers_through_exp_log_tanh": numbers(kinds["transcendental"]),
            "of_these_forward": numbers(each for each in forward.values() if each.is_transcendental()),
            "passes_over_memory": sum(each.count for each in kinds["memory"]),
            "ms": {name: round(work, 4) for name, (work, _) in found.items()}, "transcendental_forward_ms": round(once, 4),
            "numpy_calls_ms": round(sum(calls for _, calls in found.values()), 4),
            "registry_ms": round(1e3 * evaluations[0] * registry_seconds(), 4)}


def kind_of(operation, N, W):
    if operation.is_product():
        return "products"
    if operation.is_transcendental():
        return "transcendental"
    if operation.name in COPIES:
        return "copies"
    return "memory" if operation.touches(N, W) else "vectors"


def numbers(operations):
    return sum(each.count * each.numbers for each in operations)


def registry_seconds(calls=2000):
    """What a call of an equation costs more than a call of its function."""
    x, taken = np.zeros(1, np.float32), []
    for function in (sigmoid, sigmoid.functions[0]):
        start = time.process_time()
        for _ in range(calls):
            function(x)
        taken.append((time.process_time() - start) / calls)
    return max(taken[0] - taken[1], 0)


# ---- the parts ----------------------------------------------------------------------------------------------------------

def parts(times, replays, form, W):
    """The parts of one step in ms, by the method at the top of this file; together they are the whole."""
    transcendental = "transcendental_forward_ms" if form == "kernels" else None       # a kernel may keep what it has computed
    full, narrow, smallest = (times[name] for name in ("full", "narrow", "smallest"))

    def derived(name):
        found = replays[name]
        return found["ms"]["products"], found[transcendental] if transcendental else found["ms"]["transcendental"]

    products, functions = derived("full")
    saved = full["user"] - narrow["user"] - (sum(derived("full")) - sum(derived("narrow")))
    known = {"matrix products": products, "exp, log, tanh": functions, "passes over the memory": saved * W / (W - 1),
             "fresh memory": full["system"], "calls": smallest["user"]}
    known = {name: round(value, 4) for name, value in known.items()}
    together = {name: round(times[name]["user"] + times[name]["system"], 4) for name in times}
    known["vectors and the rest"] = round(together["full"] - sum(known.values()), 4)
    return {"ms": together["full"], "wall_ms": round(full["wall"], 4), "parts": {name: known[name] for name in PARTS},
            "narrow_ms": together["narrow"], "smallest_ms": together["smallest"]}


if __name__ == "__main__":
    sys.exit(main())
