"""What a bug does to the two checks: that of gradients, and that of meanings. (What it does to training: trained.py.)"""

import inspect

import numpy as np

import numpymem
from gradcheck.meaning import check_meaning
from gradcheck.models import CASES, check_case, equations, import_all
from gradcheck.museum.training import one_signed_entry
from gradcheck.pair import check_equation
from gradcheck.points import draw, generator
from gradcheck.report import Result
from numpymem.equation import REGISTRY

STEP = 1e-30                                     # of the complex step
ALLOWED = 1e-10


def check_gradients(exhibit, seed=0):
    """The gradient check with the bug in force -> list of Results: its equations, its corner, its models."""
    import_all()
    with exhibit.installed(), numpymem.numpy_only(), np.errstate(all="ignore"):
        results = [check_equation(id, seed) for id in exhibit.equations if id in REGISTRY]
        if exhibit.corner:
            results.append(check_corner(exhibit.equations[0], exhibit.corner()))
        return results + [check_case(case, seed) for case in CASES if (case.name, case.setting) in exhibit.models]


def check_corner(id, arguments):
    """One pair at one given point, along random directions -> Result."""
    item, rng = numpymem.find(id), np.random.default_rng(0)
    forward, backward = item.functions
    outputs, up, gradients = run(item, backward, arguments, rng)
    wrong = []
    for name, gradient in zip(item.differentiable, gradients):
        direction, at = rng.standard_normal(gradient.shape), item.arguments.index(name)
        moved = [value + 1j * STEP * direction if k == at else value for k, value in enumerate(arguments)]
        slopes = [np.imag(out) / STEP for out in listed(forward(*moved))]
        true = sum(float((u * slope).sum()) for u, slope in zip(up, slopes))
        if not abs(float((gradient * direction).sum()) - true) <= ALLOWED * max(abs(true), 1):
            wrong.append(f"d{name}")
    return Result("equation", item.id, f"{item.name} at a corner", not wrong, f"wrong: {', '.join(wrong)}" if wrong else "right")


def run(item, backward, arguments, rng):
    """A pair at a point -> outputs, random gradients of the outputs, gradients of the inputs; three lists."""
    outputs = listed(item.functions[0](*arguments))
    up = [rng.standard_normal(np.shape(out)) for out in outputs]
    known = dict(zip(item.arguments, arguments)) | dict(zip(item.outputs, outputs))
    known |= {f"d{name}": value for name, value in zip(item.outputs, up)}
    wanted = inspect.signature(item.original_backward).parameters
    return outputs, up, listed(backward(*(known[name] for name in wanted)))


def listed(result):
    return list(result) if isinstance(result, tuple) else [result]


def caught(results):
    """Ids of what failed, each once."""
    return tuple(dict.fromkeys(result.id for result in results if not result.passed))


def check_meanings(exhibit, seed=0, ids=()):
    """All tests of meaning, or some, with the bug in force -> list of MeaningResults."""
    with exhibit.installed():
        return check_meaning(list(ids) or None, seed=seed)


def unmet(results):
    """Ids of the meanings that do not hold."""
    return tuple(result.id for result in results if not result.passed)


# ---- the exhibit about a checker -------------------------------------------------------------------------------------------

def planted_errors(gradient, rng):
    """(what, wrong gradient): mistakes in either direction, each as large as what it spoils."""
    one = gradient.copy()
    one[tuple(rng.integers(size) for size in gradient.shape)] += rng.choice((-1, 1)) * (np.abs(gradient).max() + 1)
    return (("sign", -gradient), ("twice too large", 2 * gradient), ("half too small", gradient / 2), ("zero", 0 * gradient),
            ("rolled by one", np.roll(gradient, 1, axis=-1)), ("one entry", one))


def planted(seed=0):
    """Every error in every gradient of every equation that is no step: yields (Equation, which gradient, what, true, wrong)."""
    import_all()
    for item in equations():
        if not item.is_step and item.original_backward and item.differentiable:
            rng = generator(seed, item.id)
            gradients = run(item, item.original_backward, draw(item, rng).arguments, rng)[2]
            for which, true in enumerate(gradients):
                for what, wrong in planted_errors(np.asarray(true), rng):
                    if np.ndim(true) and np.abs(wrong - true).max() > 1e-3:
                        yield item, which, what, np.asarray(true), wrong


def signed_check_misses(seed=0, times=20):
    """What diffmem's policy lets pass: dict what -> percent of the planted errors, over `times` tries each, and 'all'."""
    rng, tries = np.random.default_rng(seed), {}
    for _, _, what, true, wrong in planted(seed):
        tries.setdefault(what, []).extend(one_signed_entry(true, wrong, rng) for _ in range(times))
    tries["all"] = [one for several in tries.values() for one in several]
    return {what: round(100 * float(np.mean(passed)), 1) for what, passed in tries.items()}


def our_check_misses(seed=0):
    """The same of check_equation, percent: each error planted in the backward, one at a time."""
    missed = []
    for item, which, what, _, _ in list(planted(seed)):
        with numpymem.patch(item.id, None, spoilt(item, which, what)), np.errstate(all="ignore"):
            missed.append(check_equation(item.id, seed).passed)
    return {"all": round(100 * float(np.mean(missed)), 1), "planted": len(missed)}


def spoilt(item, which, what):
    """The backward of an equation with one of the planted errors in one of its gradients."""
    def backward(*arguments):
        gradients = [np.array(gradient) for gradient in listed(item.original_backward(*arguments))]
        gradients[which] = dict(planted_errors(gradients[which], np.random.default_rng(0)))[what]
        return tuple(gradients) if len(gradients) > 1 else gradients[0]
    backward.__signature__ = inspect.signature(item.original_backward)
    return backward
