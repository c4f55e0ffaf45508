"""The pair check: one backward against the true derivative of its own forward, at points with a purpose.

First along a few random directions for each argument, which costs two calls each and misses nothing but by chance in a
million; then, for an argument where that fails, entry by entry, to say which index is wrong, by how much, and what it looks like.
"""

import time

import numpy as np

from gradcheck import kinks
from gradcheck.compare import DIRECTIONS, Question, bends_sharply, compare, finite, note_error, scan, true_gradient, unseen
from gradcheck.hygiene import hygiene
from gradcheck.oracle import choose
from gradcheck.points import Declaration, generator
from gradcheck.purposes import points, symmetric
from gradcheck.report import Result, Wrong
from gradcheck.trial import Trial, backward_arguments, listed, point_of
from numpymem import equation as registry
from numpymem.kernel import numpy_only

__all__ = ["Question", "Trial", "backward_arguments", "check_equation", "compare", "finish", "finite", "listed", "note_error",
           "scan", "true_gradient"]

NEAR = (1e-6, -1e-6)           # a kink within this, along a random direction, is too near to differentiate at
STEP_ASIDE = 0.01
STIFF = 1e-7                   # allowed at extremes: d log(w + 1e-8) at w = 0 makes 1e8 of a rounding error


def check_equation(what, seed=0, detail=True):
    """Check the pair that is in force for an equation (an Equation, an id or a name) -> Result.

    detail   False: stop at the first gradient that is wrong, without looking at its entries
    """
    item = registry.find(what)
    rng = generator(seed, item.id)
    return check_pair(item, rng, lambda: points(item, rng), detail)


def check_pair(item, rng, points_of, detail=True):
    """Check the pair of an Equation at the points that `points_of()` yields, as (purpose, Point) -> Result."""
    started = time.perf_counter()
    result = Result("equation", item.id, item.name, True, "right")
    try:
        with numpy_only(), np.errstate(all="ignore"):
            _check(item, rng, points_of(), result, detail)
    except Declaration as trouble:
        result.passed, result.verdict = False, "broken"
        result.notes.append(str(trouble))
    if not result.passed:                      # finding it reads the source file: only when somebody has to go there
        result.address = item.address + (" (patched)" if item.is_patched else "")
    result.seconds = time.perf_counter() - started
    return result


def _check(item, rng, points_found, result, detail):
    sizes, problems, oracles = None, [], {}
    for purpose, point in points_found:
        trial, moved = _off_the_kinks(Trial(item, rng, point), rng)
        if sizes is None:
            sizes, problems = dict.fromkeys(trial.gradients, 0.0), hygiene(trial)
        _at(trial, purpose, moved, sizes, oracles, rng, result, detail)
        if result.wrong and not detail:
            break
    for name in item.stops:
        _note_dropped(item, name, rng, result)
    finish(result, sizes or {}, [wrong.argument for wrong in result.wrong])
    if problems:
        result.passed, result.notes = False, [*problems, *result.notes]
        result.verdict = result.verdict if result.wrong else "unclean"


def _at(trial, purpose, moved, sizes, oracles, rng, result, detail):
    """Compare all gradients at one point and write down what came of it. `oracles` remembers who judged which argument."""
    size, error, bad = 0.0, 0.0, []
    for name in trial.gradients:
        if any(wrong.argument == name for wrong in result.wrong):
            continue
        question = trial.question(name)
        if question.stopped:
            if np.any(question.gradient):
                result.wrong.append(_not_stopped(question))
            continue
        outcome = _judged(question, purpose, oracles, rng, result)
        size, error = size + outcome.size, max(error, outcome.error)
        sizes[name] += outcome.size if purpose in ("random", "given") else 0
        if outcome.wrong:
            bad.append(name)
            result.wrong.append(scan(question, outcome.oracle, around=around(trial, name), inputs=trial.item.arguments)
                                if detail else unseen(question))
    alike = symmetric(trial) if purpose != "random" else []
    said = ("wrong: " + ", ".join(f"d{name}" for name in bad) if bad
            else "proves nothing: the gradient is zero here" if size == 0 and trial.gradients
            else f"for information: all alike along an axis: {', '.join(alike)}" if alike else "right")
    result.points.append({"purpose": purpose, "error": error, "said": said, "moved": moved or ""})


def _judged(question, purpose, oracles, rng, result):
    """The Outcome for one argument. The oracle is chosen at the first random point. Elsewhere the same one judges, as real
    differences may leave the domain there, unless it finds a mistake: then it must show that it can be trusted at this very point.
    """
    directions = DIRECTIONS if purpose == "random" else 1
    if question.name not in oracles:
        outcome = compare(question, rng, result, directions)
        oracles[question.name] = outcome.oracle
        return outcome
    if purpose in ("random", "given"):
        trial = Result("equation", "", "", True, "")
        outcome = compare(question, rng, trial, directions, oracle=oracles[question.name])
        if outcome.wrong:
            return compare(question, rng, result, directions)
        merge(trial, result)
        return outcome
    trial = Result("equation", "", "", True, "")
    outcome = compare(question, rng, trial, 1, tolerance=STIFF, oracle=oracles[question.name])
    if outcome.wrong:
        trial = Result("equation", "", "", True, "")
        outcome = compare(question, rng, trial, 1, tolerance=STIFF)
        if outcome.wrong and bends_sharply(question, rng):
            return outcome._replace(size=0.0, wrong=False)
    if outcome.wrong:                           # the table tells the error at random points: elsewhere rounding counts for more
        merge(trial, result)
    return outcome


def merge(part, result):
    """Add what one comparison noted to the result."""
    if part.error is not None and (result.error is None or part.error > result.error):
        result.error, result.tolerance = part.error, part.tolerance
    result.noise = max(filter(None, (part.noise, result.noise)), default=None)
    if part.oracle and part.oracle not in result.oracle:
        result.oracle = " and ".join(filter(None, [result.oracle, part.oracle]))


def around(trial, name):
    """What a diagnosis may compare a wrong gradient with: all that the pair knew, and the other true gradients."""
    known = {key: value for key, value in trial.values().items() if isinstance(value, np.ndarray)}
    others = {f"true d{other}": gradient for other, gradient in trial.gradients.items()
              if other != name and np.shape(gradient) == np.shape(trial.gradients[name])}
    return known | others


def _off_the_kinks(trial, rng):
    """The trial, moved aside if a maximum, a sort or a comparison could change sides right there -> (trial, what was met)."""
    met = None
    for _ in range(20):
        found = _kink_at(trial, rng)
        if found is None:
            break
        met = met or found
        moved = [value + STEP_ASIDE * rng.standard_normal(value.shape) if name in trial.item.differentiable else value
                 for name, value in zip(trial.item.arguments, trial.arguments)]
        trial = Trial(trial.item, rng, point_of(moved))
    return trial, met and f"{met}: moved aside"


def _kink_at(trial, rng):
    names = [name for name in trial.item.arguments if name in trial.item.differentiable]
    directions = {name: rng.standard_normal(np.shape(trial.gradients[name])) for name in names}

    def arguments_at(t):
        return [value + t * directions[name] if name in directions else value
                for name, value in zip(trial.item.arguments, trial.copies())]
    moved = [k for k, name in enumerate(trial.item.arguments) if name in directions]
    return kinks.tied(trial.forward, trial.copies(), moved) or kinks.crossed(trial.forward, arguments_at, NEAR, moved)


def _not_stopped(question):
    worst = np.unravel_index(int(np.argmax(np.abs(question.gradient))), question.gradient.shape)
    return Wrong(question.name, tuple(map(int, worst)), float(question.gradient[worst]), 0.0,
                 int(np.count_nonzero(question.gradient)), question.gradient.size,
                 hints=["declared as stopped: its gradient must be zero"])


def _note_dropped(item, name, rng, result):
    """What a declared stop-gradient leaves out, at a random point."""
    trial = Trial(item, rng)
    trial.calls = None                                 # without freezing: the forward as it stands
    question = trial.question(name)
    question.stopped = False
    true, _ = true_gradient(question, choose(question.line(rng.standard_normal(question.gradient.shape))))
    worst = np.unravel_index(int(np.argmax(np.abs(true))), true.shape)
    result.notes.append(f"d{name} is stopped on purpose. Dropped at a random point: a gradient of norm "
                        f"{np.linalg.norm(true):.3g}, the largest entry {true[worst]:.3g} at {list(map(int, worst))}")


def finish(result, sizes, bad):
    """Write the verdict once all arguments are compared.

    sizes   argument -> how large its true gradient was
    bad     the arguments that are wrong
    """
    result.passed = not bad
    result.right = [f"d{name}" for name in sizes if name not in bad]
    if not sizes:
        result.verdict = "nothing to differentiate"
    elif bad:
        result.verdict = "wrong: " + ", ".join(f"d{name}" for name in bad)
    stopped = registry.REGISTRY[result.id].stops if result.id in registry.REGISTRY else ()
    idle = [f"d{name}" for name, size in sizes.items() if size == 0 and name not in bad and name not in stopped]
    if idle:
        result.notes.append(f"{', '.join(idle)} is zero at every random point: that proves nothing")
