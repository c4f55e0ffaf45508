"""From many failed checks to the one mistake behind them: the first line of a report.

One wrong softmax spoils NTM-5, NTM-9, the step, the sequence and every model that uses it. So: of the equations that fail, the one
whose own parts all pass is to blame. If that is a step, or if all equations pass and a model fails, the chain check says between
which two nodes, and at which time step.
"""

from typing import NamedTuple

import numpy as np

from gradcheck import report
from gradcheck.chain import Broken, Chain, break_result
from gradcheck.models import CASES, check_case, import_all, program, random_parameters
from gradcheck.models import equations as in_order
from gradcheck.pair import check_equation
from gradcheck.points import draw, generator
from gradcheck.recording import Program, recorded
from gradcheck.report import Result
from gradcheck.purposes import captured
from gradcheck.trial import Trial, listed, point_of
from numpymem.equation import REGISTRY
from numpymem.kernel import numpy_only


class Finding(NamedTuple):
    """What is wrong, if anything. `line` says it in one line."""
    line: str
    equation: object = None          # whose pair or wiring it is
    model: str = ""                  # or whose wiring
    result: Result | None = None     # the pair check, or the chain check, that shows it
    chain: Chain | None = None

    @property
    def broken(self) -> Broken | None:
        return self.result.broken if self.result is not None else None

    def __str__(self):
        return "\n".join([self.line, *(report.lines(self.result) if self.result is not None else [])])


def investigate(seed=0, equations=None, cases=None):
    """Check pairs, then models, until the mistake is found -> Finding. Default: everything that is registered."""
    import_all()
    for item in in_order() if equations is None else equations:      # parts are registered before what is made of them
        result = check_equation(item, seed, detail=False)
        if not result.passed:
            return blame([result], seed)
    for case in CASES if cases is None else cases:
        if not check_case(case, seed).passed:
            return blame_case(case, seed)
    return Finding("all right: every equation, and every model that is made of them")


def blame(results, seed=0):
    """The equation to blame for failed pair checks -> Finding, or None if none failed."""
    failed = {result.id: result for result in results if result.kind == "equation" and not result.passed}
    if not failed:
        return None
    root = next((id for id in failed if not parts(REGISTRY[id], seed) & failed.keys()), next(iter(failed)))
    item, result = REGISTRY[root], failed[root]
    if item.is_step and result.verdict != "broken":
        return _blame_step(item, result, seed)
    result = check_equation(item, seed)
    return Finding(f"{root} ({item.name}): {_said(result)}", item, result=result)


def _said(result):
    if result.wrong:
        names = ", ".join(f"d{wrong.argument}" for wrong in result.wrong)
        hint = next((f": {hint}" for wrong in result.wrong for hint in wrong.hints), "")
        return f"{names} {'is' if len(result.wrong) == 1 else 'are'} wrong{hint}"
    return result.notes[0] if result.notes else result.verdict


def _blame_step(item, result, seed):
    """Follow the gradients through a step at the points where it may be wrong: random ones, then those of models."""
    rng = generator(seed, f"chain of {item.id}")
    seen = [None, *(point_of(of[item.id]) for of in captured().values() if item.id in of)]
    for point in seen:
        try:
            with numpy_only():
                trial = Trial(item, rng, point)
            chain = Chain(equation_program(trial), rng)
            found = break_result(chain, item.id, item.name)
        except Exception as trouble:  # noqa: BLE001  a broken step may raise anything, anywhere
            return Finding(f"{item.id} ({item.name}): the step raises {type(trouble).__name__}: {trouble}", item, result=result)
        if found.broken is not None:
            return Finding(f"{item.id} ({item.name}): {between(found.broken)}", item, result=found, chain=chain)
    return Finding(f"{item.id} ({item.name}): {_said(result)}", item, result=result)


def blame_case(case, seed=0):
    """Where the wiring of a model is wrong -> Finding."""
    try:
        chain = Chain(case_program(case, seed), generator(seed, f"chain of {case.name}"))
        found = break_result(chain, case.name, case.setting)
    except Exception as trouble:  # noqa: BLE001
        return Finding(f"{case.name} ({case.setting}): the model raises {type(trouble).__name__}: {trouble}", model=case.name)
    if found.broken is None:
        return Finding(f"{case.name} ({case.setting}): a gradient is wrong, every node of the chain is right", model=case.name)
    return Finding(f"{case.name} ({case.setting}): {between(found.broken)}", found.broken.equation, case.name, found, chain)


def between(broken):
    """The two nodes that have the mistake between them, in words."""
    right = f"right up to {broken.last}, " if broken.last is not None else ""
    return f"{right}wrong from {broken.first}"


def parts(item, seed=0):
    """The ids of the equations that a pair is made of."""
    try:
        with numpy_only(), np.errstate(all="ignore"), recorded("forward") as ahead, recorded("backward") as back:
            trial = Trial(item, generator(seed, item.id), draw(item, generator(seed, item.id)))
            if trial.backward is not None:
                trial.backward(*trial.given().values())
    except Exception:  # noqa: BLE001  a pair that does not run has no parts that matter
        return {call.equation.id for call in (*ahead, *back)}
    return {call.equation.id for call in (*ahead, *back)}


def equation_program(trial):
    """The pair of a Trial, for the chain check."""
    item, names = trial.item, trial.item.differentiable
    taken = [k for k, output in enumerate(item.outputs) if f"d{output}" in trial.wanted]

    def everything(values):
        return dict(zip(item.arguments, trial.copies())) | values

    def forward(values):
        known = everything(values)
        outputs = listed(item.functions[0](*[known[name] for name in item.arguments]))
        return [outputs[k] for k in taken], outputs

    def backward(values, outputs, upstream):
        known = everything(values) | dict(zip(item.outputs, outputs)) | {
            f"d{list(item.outputs)[k]}": gradient for k, gradient in zip(taken, upstream)}
        return dict(zip(names, listed(item.functions[1](*[known[name] for name in trial.wanted]))))

    arguments = dict(zip(item.arguments, trial.arguments))
    return Program(item.id, {name: np.asarray(arguments[name]) for name in names}, forward, backward)


def case_program(case, seed=0):
    """One of the model cases, for the chain check."""
    rng = generator(seed, case.name + case.setting)
    model, inputs, options = case.make(rng)
    return program(model, random_parameters(model, rng), inputs, **options)


__all__ = ["Finding", "blame", "blame_case", "case_program", "equation_program", "investigate"]
