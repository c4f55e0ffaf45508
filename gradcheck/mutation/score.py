"""The mutation score: break everything, count what is caught.

    python -m gradcheck --mutate                 all of it (minutes; progress bar)
    python -m gradcheck --mutate NTM-9 memn2n    some targets
    python -m gradcheck --mutate --sample 100    a fixed sample of all

A mutant that nothing catches is either a hole in the checks or no mutation at all: it is called equivalent only if its gradients
agree with the right ones to 1e-13 at 1,000 random points.
"""

import concurrent.futures
import os
import time
from dataclasses import asdict, dataclass

import numpy as np
from tqdm import tqdm

from gradcheck.kernels import cannot_run
from gradcheck.kernels.mutants import run_kernel_mutants
from gradcheck.models import CASES, random_parameters
from gradcheck.mutation.exam import Verdict, exam_for
from gradcheck.mutation.mutant import mutants_of, planted
from gradcheck.mutation.targets import targets
from gradcheck.points import draw
from gradcheck.trial import Trial, listed
from numpymem.equation import REGISTRY
from numpymem.kernel import numpy_only

POINTS = 1000                 # at which an equivalent mutant must agree
EQUAL = 1e-13
SMALL = {"T": 2, "B": 2, "N": 5, "W": 3, "H": 2, "S": 3, "C": 3, "V": 4, "D": 3, "J": 2, "I": 3, "X": 3, "Y": 2}       # there
CHUNK = 40                    # mutants that a process takes at a time


@dataclass
class Outcome:
    """What became of one mutant."""
    owner: str
    target: str
    kind: str
    operator: str
    line: int
    before: str
    after: str
    fate: str                # "caught", "equivalent" or "survived"
    how: str = ""


def run(names=(), sample=None, progress=True, seed=0, jobs=None, package=""):
    """Break everything, or the targets whose owner is among `names`, or a random sample -> list of Outcome, in order.

    jobs       processes to share the work (default: as many as there are processors)
    package    only what stands in this folder of numpymem, as "memory_transformer"
    """
    wanted, home = {name.lower() for name in names}, f"numpymem.{package}."
    places = [(k, j) for k, target in enumerate(targets()) if not names or target.owner.lower() in wanted
              for j in range(len(mutants_of(target))) if not package or target.function.__module__.startswith(home)]
    if sample is not None and sample < len(places):
        picked = np.random.default_rng(seed).choice(len(places), sample, replace=False)
        places = [places[k] for k in sorted(picked)]
    chunks = [places[k:k + CHUNK] for k in range(0, len(places), CHUNK)]
    jobs = min(jobs or os.cpu_count() or 1, len(chunks))
    with tqdm(total=len(places), disable=not progress, unit=" mutants") as bar:
        outcomes = []
        for part in _in_parallel(chunks, jobs):
            outcomes += part
            bar.update(len(part))
    return outcomes


def _in_parallel(chunks, jobs):
    if jobs <= 1:
        yield from map(examine, chunks)
        return
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(examine, chunks)


_exams = {}                    # of this process


def examine(places):
    """The outcomes of some mutants, each given as (number of its target, its number there)."""
    known = targets()
    with numpy_only():
        return [outcome(mutants_of(known[k])[j], _exams) for k, j in places]


def outcome(mutant, exams):
    """Put one mutant in force, examine it, and take it away."""
    target = mutant.target
    exam = exam_for(target, exams)
    function = mutant.function()
    try:
        with planted(target, function):
            verdict = exam.verdict()
    except Exception as error:  # noqa: BLE001  a hole in the checker: it must not take all other mutants with it
        verdict = Verdict(False, f"the check itself raises {type(error).__name__}")
    fate, how = ("caught", verdict.how) if verdict.caught else ("survived", "")
    if not verdict.caught:
        difference = largest_difference(target, function)
        fate, how = ("equivalent", f"{POINTS} points: {difference:.0e}") if difference <= EQUAL else (fate, f"{difference:.0e}")
    return Outcome(target.owner, target.name, target.kind, mutant.edit.operator, mutant.edit.line, mutant.before, mutant.after,
                   fate, how)


def largest_difference(target, function, count=POINTS):
    """The largest relative difference of a mutant's gradients from the right ones at many random points."""
    rng, worst = np.random.default_rng(1), 0.0
    gradients = _of_equation if target.owner in REGISTRY else _of_model
    with np.errstate(all="ignore"):
        for number in range(count):
            try:
                pair = gradients(target, function, rng, number)
                worst = max([worst, *(_distance(a, b) for a, b in zip(*pair))])
            except Exception:  # noqa: BLE001, PERF203  a mutant that raises at some point is not the same
                return np.inf
            if not worst <= EQUAL:
                return worst
    return worst


def _distance(a, b):
    if np.shape(a) != np.shape(b):
        return np.inf
    size = float(np.abs(a).max(initial=0))
    miss = float(np.abs(np.asarray(b) - a).max(initial=0))
    return 0.0 if miss == 0 else miss / size if size else np.inf


def _of_equation(target, function, rng, number):
    item = REGISTRY[target.owner]
    trial = Trial(item, rng, draw(item, rng, SMALL, distinct=False))
    with planted(target, function):
        broken = listed(item.functions[1](*trial.given().values()))
    return list(trial.gradients.values()), broken


def _of_model(target, function, rng, number):
    cases = [case for case in CASES if case.name == target.owner]
    model, inputs, options = cases[number % len(cases)].make(rng)
    params = random_parameters(model, rng)
    outputs, trace = model.forward(params, inputs, **options)
    weights = rng.standard_normal(outputs.shape)
    both = []
    for where in (None, function):
        with planted(target, where or target.function):
            dtrace = {}
            grads = model.backward(params, trace, weights.copy(), dtrace=dtrace)
            both.append([grads[name] for name in params] + [np.asarray(v) for values in dtrace.values() for v in values])
    return both


# ---- the report ----------------------------------------------------------------------------------------------------------

def summary(outcomes, seconds):
    """Numbers of a run, as a dict."""
    count = {fate: sum(one.fate == fate for one in outcomes) for fate in ("caught", "equivalent", "survived")}
    real = len(outcomes) - count["equivalent"]
    raised = sum(one.how.startswith(("raises", "shape")) or "Error" in one.how for one in outcomes if one.fate == "caught")
    return {"mutants": len(outcomes), **count, "raised": raised, "silent": len(outcomes) - raised,
            "score_percent": round(100 * count["caught"] / real, 2) if real else 100.0,
            "equivalent_percent": round(100 * count["equivalent"] / max(len(outcomes), 1), 2), "seconds": round(seconds, 1)}


def table(outcomes, seconds):
    """The report as text, 80 columns."""
    rows = [f"{'equation or model':<28}{'mutants':>8}{'caught':>8}{'equivalent':>12}{'survived':>10}"]
    for owner in dict.fromkeys(one.owner for one in outcomes):
        mine = [one for one in outcomes if one.owner == owner]
        counts = [sum(one.fate == fate for one in mine) for fate in ("caught", "equivalent", "survived")]
        rows.append(f"{owner:<28}{len(mine):>8}{counts[0]:>8}{counts[1]:>12}{counts[2]:>10}")
    for fate in ("survived", "equivalent"):
        for one in (one for one in outcomes if one.fate == fate and (fate == "survived" or one.kind != "kernel")):
            rows += [f"{fate}: {one.target}:{one.line} {one.operator} ({one.how})", f"    {one.before}", f"    {one.after}"]
    total = summary(outcomes, seconds)
    rows.append(f"{total['mutants']} mutants: {total['caught']} caught, {total['equivalent']} equivalent "
                f"({total['equivalent_percent']} %), {total['survived']} survived")
    rows.append(f"{total['raised']} raise or change a shape at once, {total['silent']} compute something else without a word")
    rows.append(f"mutation score {total['score_percent']} % in {total['seconds']} s")
    return "\n".join(rows)


def timed(names=(), sample=None, progress=True, seed=0, jobs=None, package=""):
    """`run`, then the mutants of all kernels (if no names are given), and how long it took -> (outcomes, seconds)."""
    started = time.perf_counter()
    outcomes = run(names, sample, progress, seed, jobs, package)
    if not names and not cannot_run():
        with tqdm(disable=not progress, unit=" kernel mutants") as bar:
            outcomes += run_kernel_mutants(sample, seed, lambda done, of: bar.update(done - bar.n), package)
    return outcomes, time.perf_counter() - started


def as_dict(outcomes, seconds):
    """For a JSON file: the numbers, also by kind and by owner, and every mutant that was not caught."""
    kinds, owners = ({key: summary([one for one in outcomes if getattr(one, by) == key], 0.0)
                      for key in dict.fromkeys(getattr(one, by) for one in outcomes)} for by in ("kind", "owner"))
    for told in (*kinds.values(), *owners.values()):
        told.pop("seconds")
    return summary(outcomes, seconds) | {"by_kind": kinds, "by_owner": owners,
                                         "not_caught": [asdict(one) for one in outcomes if one.fate != "caught"]}
