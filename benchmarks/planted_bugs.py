"""Planted bugs, one at a time, for our checker and for others: where a bug is, and what each says about it there.

The bugs are those of `gradcheck.mutation.hunt.bug_hunt`. Ours looks for them in everything that is registered, as
`python -m gradcheck` does. The others take one function at a time, so they are handed the very one that is broken, at a point
where the bug changes its gradients: they are told where to look.
"""

import re
import time
from typing import NamedTuple

import numpy as np

from benchmarks.policies import CHECKS, FAST, LIBRARY, THRESHOLDS, Function, load
from gradcheck.investigate import case_program, equation_program, investigate
from gradcheck.models import CASES
from gradcheck.mutation.grade import grade
from gradcheck.mutation.hunt import bug_hunt
from gradcheck.points import generator
from gradcheck.trial import Trial
from numpymem.equation import REGISTRY
from numpymem.kernel import numpy_only

POINTS = 5                   # of a pair: as many are tried until one shows the bug
SHOWS = 1e-10                # relative change of a gradient; less is rounding
LENGTH = 300                 # of a message, in characters, that is kept: its first lines, not whole Jacobians


class Place(NamedTuple):
    """One function at one point."""
    owner: str               # id of an equation, or name of a model
    setting: str
    function: Function


# ---- where -----------------------------------------------------------------------------------------------------------------

def places(owner):
    """The Places where an owner can be checked: a pair at random points, a model in its cases."""
    if owner not in REGISTRY:
        for case in CASES:
            if case.name == owner:
                with numpy_only():
                    yield Place(owner, case.setting, Function(case_program(case), is_model=True))
        return
    for number in range(POINTS):
        with numpy_only():
            program = equation_program(Trial(REGISTRY[owner], generator(number, owner)))
        yield Place(owner, f"random point {number}", Function(program))


def place_of(hunt):
    """The first Place where a hunt's bug shows, and how far it moves each gradient there -> (Place, {name: relative change}).

    The first of all, and no changes, if it shows nowhere. The bug is taken away.
    """
    first = None
    hunt.undo()
    for place in places(hunt.answer):
        first = first or place
        right = gradients(place.function)
        hunt.plant()
        broken = gradients(place.function)
        hunt.undo()
        changes = {name: change for name, a, b in zip(place.function.names, right, broken) if (change := distance(a, b)) > SHOWS}
        if changes:
            return place, changes
    return first, {}


def gradients(function):
    """By hand, for fixed gradients of the outputs."""
    rng = np.random.default_rng(0)
    outputs, kept = function.forward(function.values)
    return function.backward(function.values, kept, [rng.standard_normal(out.shape) for out in outputs])


def distance(right, broken):
    """The largest difference over the largest number; infinite for another shape, or what is not finite."""
    if np.shape(right) != np.shape(broken) or not np.isfinite(broken).all():
        return np.inf
    miss, size = float(np.abs(broken - right).max(initial=0)), float(np.abs(right).max(initial=0))
    return 0.0 if miss == 0 else miss / size if size else np.inf


# ---- who says what -----------------------------------------------------------------------------------------------------------

def examine(seed, checkers):
    """Plant the bug of a seed and let everyone look -> a record of plain values."""
    hunt = bug_hunt(seed)
    try:
        place, changes = place_of(hunt)
        mutant = hunt.mutant
        record = {"seed": seed, "owner": hunt.answer, "kind": mutant.target.kind, "function": mutant.target.name,
                  "operator": mutant.edit.operator, "before": mutant.before, "after": mutant.after, "setting": place.setting,
                  "shows": bool(changes), "change": finite(max(changes.values(), default=0.0))}
        hunt.plant()
        return record | ask_all(checkers, place) | {"ours": ours(hunt, place)}       # ours last: grading takes the bug away
    finally:
        hunt.undo()


def examine_unbroken(owner, setting, checkers):
    """The same questions where nothing is wrong: whoever complains raises a false alarm."""
    place = next(place for place in places(owner) if place.setting == setting)
    return {"owner": owner, "setting": setting} | ask_all(checkers, place)


def ask_all(checkers, place):
    """name of a checker -> what it says about a Place."""
    said = {}
    for name in checkers:
        same = name == "torch fast" and said.get("torch", {}).get("mode") == FAST
        said[name] = said["torch"] if same else ask(name, place)
    return said


def ask(name, place):
    """What one of CHECKS says about a Place."""
    if name in LIBRARY:
        load(LIBRARY[name])                      # which takes seconds, once
    started = time.process_time()
    found = CHECKS[name](place.function)
    said = {"caught": found.caught, "mode": found.mode, "seconds": round(time.process_time() - started, 2)}
    if found.error is not None:
        said["error"] = finite(found.error)
        said["caught"] = {text: not found.error <= threshold for text, threshold in THRESHOLDS.items()}
    return said | {"message": first_lines(found.message), "names": named(found.message, place)}


def ours(hunt, place):
    """What `python -m gradcheck` says, and whether its first line names the right place."""
    started = time.process_time()
    try:
        finding = hunt.find()
        seconds, graded = time.process_time() - started, grade(hunt)
    except Exception as error:  # noqa: BLE001  a checker that falls over has not found the bug: it counts against us
        return {"caught": False, "right": False, "expected": "", "seconds": round(time.process_time() - started, 2),
                "message": f"raises {type(error).__name__}: {error}", "names": named("", place)}
    text, wrong = str(finding), finding.result.wrong if finding.result is not None else []
    names = named(text, place) | {"index": any(one.index for one in wrong)}          # the text quotes source lines, with indices
    return {"caught": not all_right(finding), "right": bool(graded.right), "expected": graded.expected,
            "seconds": round(seconds, 2), "message": first_lines(text), "names": names}


def ours_unbroken():
    """Our checker where nothing is wrong -> the first line, "" if it has nothing to say."""
    finding = investigate()
    return "" if all_right(finding) else finding.line


def all_right(finding):
    return finding.line.startswith("all right")


def named(message, place):
    """What a message names: an equation (or the model), an argument by name or number, an index in it, a time step or hop."""
    owners = {*REGISTRY, place.owner}
    gradients = {f"d{name}" for item in REGISTRY.values() for name in (*item.arguments, *item.outputs)}
    gradients |= {f"d{name}" for name in place.function.names}
    return {"equation": bool(re.search(rf"(?<![\w-])({one_of(owners)})(?![\w-])", message)),
            "argument": bool(re.search(rf"\binput \d+\b|\b({one_of(gradients)})\b", message)),
            "index": bool(re.search(r"\w\[\d+(, \d+)*\]", message)),
            "step": bool(re.search(r"\b(step|hop) \d+", message))}


def one_of(names):
    return "|".join(re.escape(name) for name in sorted(names))


def finite(number):
    """The number, or None, which JSON has a word for."""
    return float(number) if np.isfinite(number) else None


def first_lines(message):
    """The first lines that are not empty, at least one."""
    kept = ""
    for line in message.splitlines():
        if kept and len(kept) + len(line) > LENGTH:
            break
        kept += line.rstrip()[:LENGTH] + "\n" if line.strip() else ""
    return kept.rstrip()
