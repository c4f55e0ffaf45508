"""Hygiene: what a pair must do besides computing the right numbers.

Inputs stay as they were; what is returned is new memory; the same call gives the same result; a backward is linear in the gradients
that it is given; float32 in gives float32 out, close to the float64 result; and where a forward is linear in an argument, the
backward is its transpose, exactly: <f(v), u> = <v, backward(u)>, which needs no step size at all.
"""

import numpy as np

from gradcheck.trial import attempt, listed

EXACT = 1e-12                  # relative, for sums of float64 in another order
SINGLE = 2000 * float(np.finfo(np.float32).eps)


def hygiene(trial):
    """Check the pair of a Trial -> list of problems, each one line; empty if there are none."""
    checks = (_inputs_unmodified, _no_shared_memory, _same_twice, _linear_in_upstream, _dot_test, _float32)
    return [problem for check in checks for problem in check(trial) if problem]


def _inputs_unmodified(trial):
    arguments = trial.copies()
    before = [np.copy(value) for value in arguments]
    trial.forward(*arguments)
    yield from (f"the forward changes its argument {name}: expected that inputs stay as they are"
                for name, a, b in zip(trial.item.arguments, before, arguments) if not _equal(a, b))
    if trial.backward:
        given = trial.given()
        before = {name: np.copy(value) for name, value in given.items()}
        trial.backward(*given.values())
        yield from (f"the backward changes its argument {name}: expected that inputs stay as they are"
                    for name, value in given.items() if not _equal(before[name], value))


def _no_shared_memory(trial):
    arguments = trial.copies()
    outputs = listed(trial.forward(*arguments))
    yield from _shared("the forward", dict(zip(trial.item.outputs, outputs)), dict(zip(trial.item.arguments, arguments)))
    if trial.backward:
        given = trial.given()
        gradients = {f"d{name}": value for name, value in zip(trial.item.differentiable, listed(trial.backward(*given.values())))}
        yield from _shared("the backward", gradients, given)


def _shared(who, returned, given):
    names = list(returned)
    for k, name in enumerate(names):
        others = {**given, **{other: returned[other] for other in names[:k]}}
        for other, value in others.items():
            if _is_array(value) and _is_array(returned[name]) and np.shares_memory(value, returned[name]):
                yield (f"{who} returns {name} in the memory of {other} (a view or the array itself): writing into one would "
                       "change the other; expected a new array")


def _same_twice(trial):
    first, second = (listed(trial.forward(*trial.copies())) for _ in range(2))
    if not all(_equal(a, b) for a, b in zip(first, second)):
        yield "the forward gives another result when it is called twice with the same arguments"
    if trial.backward:
        first, second = (listed(trial.backward(*trial.given().values())) for _ in range(2))
        if not all(_equal(a, b) for a, b in zip(first, second)):
            yield "the backward gives another result when it is called twice with the same arguments"


def _linear_in_upstream(trial):
    if not trial.backward:
        return
    other = [trial.rng.standard_normal(np.shape(up)) for up in trial.upstream]
    names = [f"d{name}" for name in trial.item.outputs]
    mixed = trial.given(**{name: 2 * a - 3 * b for name, a, b in zip(names, trial.upstream, other)})
    second = trial.given(**dict(zip(names, other)))
    a, b, both = (listed(trial.backward(*given.values())) for given in (trial.given(), second, mixed))
    for name, x, y, z in zip(trial.item.differentiable, a, b, both):
        size = 2 * np.abs(x).max(initial=0) + 3 * np.abs(y).max(initial=0)
        if not np.abs(z - (2 * x - 3 * y)).max(initial=0) <= EXACT * size:
            yield (f"d{name} is not linear in the gradients that the backward is given: backward(2 u - 3 v) is not "
                   "2 backward(u) - 3 backward(v)")


def linear_arguments(trial):
    """The arguments in which the forward is linear (or affine), found by trying: f(x + t v) = f(x) + t (f(x + v) - f(x))."""
    found = []
    for name in trial.item.differentiable:
        v = trial.rng.standard_normal(np.shape(trial.gradients[name]))
        with np.errstate(all="ignore"):
            here, there = (moved(trial, name, t * v) for t in (0, 1))
            far = [(t, moved(trial, name, t * v)) for t in (-7, -1, 9)]
        if all(_on_the_line(a, b, c, t) for t, outputs in far for a, b, c in zip(here, there, outputs)):
            found.append(name)
    return found


def _on_the_line(here, there, beyond, t):
    size = max(float(np.abs(out).max(initial=0)) for out in (here, there, beyond))
    return np.abs(beyond - here - t * (there - here)).max(initial=0) <= 1e-12 * size


def _dot_test(trial):
    if not trial.backward:
        return
    used = [k for k, name in enumerate(trial.item.outputs) if f"d{name}" in trial.wanted]
    for name in linear_arguments(trial):
        if name in trial.item.stops:
            continue
        v = trial.rng.standard_normal(np.shape(trial.gradients[name]))
        here, there = moved(trial, name, 0 * v), moved(trial, name, v)
        left = [trial.upstream[k] * (there[k] - here[k]) for k in used]
        right = v * trial.gradients[name]
        size = sum(float((np.abs(trial.upstream[k]) * (np.abs(there[k]) + np.abs(here[k]))).sum()) for k in used)
        if not abs(sum(float(part.sum()) for part in left) - float(right.sum())) <= EXACT * (size + np.abs(right).sum()):
            yield (f"the forward is linear in {name}, but d{name} is not its transpose: <f(v), u> = "
                   f"{sum(float(part.sum()) for part in left):.6g}, <v, backward(u)> = {float(right.sum()):.6g}")


def moved(trial, name, by):
    """The outputs with one argument moved."""
    arguments = trial.copies()
    index = trial.item.arguments.index(name)
    arguments[index] = arguments[index] + by
    return [np.asarray(out) for out in listed(trial.run(arguments))]


def _float32(trial):
    single = [_single(value) for value in trial.copies()]
    outputs = listed(attempt("forward in float32", trial.forward, single))
    yield from _not_single("the forward", dict(zip(trial.item.outputs, outputs)), trial.outputs)
    if trial.backward:
        given = {name: _single(value) for name, value in trial.given().items()}
        gradients = listed(attempt("backward in float32", trial.backward, list(given.values())))
        names = [f"d{name}" for name in trial.item.differentiable]
        yield from _not_single("the backward", dict(zip(names, gradients)), list(trial.gradients.values()))


def _not_single(who, returned, exact):
    for (name, value), reference in zip(returned.items(), exact):
        kind = np.asarray(value).dtype
        if kind.kind == "f" and kind != np.float32:
            yield f"{who} given float32 returns {name} in {kind}: expected float32 (a float64 constant or array got in)"
        elif kind.kind == "f" and not (np.abs(value - reference).max(initial=0)
                                       <= SINGLE * max(np.abs(reference).max(initial=0), 1)):
            yield f"{who} in float32 is far from float64 in {name}: an intermediate overflows or cancels"


def _single(value):
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def _is_array(value):
    return isinstance(value, np.ndarray) and value.size > 0


def _equal(a, b):
    return np.array_equal(a, b, equal_nan=True) if _is_array(np.asarray(a)) and np.asarray(a).dtype.kind in "fc" else bool(
        np.all(np.asarray(a) == np.asarray(b)))
