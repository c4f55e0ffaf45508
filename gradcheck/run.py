"""A whole run: pairs, kernels, models, chains -> results, and what to say first."""

from gradcheck.chain import check_chain
from gradcheck.dtraces import NODES, dtrace_problems
from gradcheck.investigate import Finding, blame, blame_case, case_program, equation_program, parts
from gradcheck.kernels import check_kernel
from gradcheck.kernels.chain import check_kernel_chain
from gradcheck.models import check_case, random_parameters
from gradcheck.pair import check_equation
from gradcheck.points import generator
from gradcheck.report import Result
from gradcheck.trial import Trial
from numpymem.kernel import numpy_only


def check_pairs(equations, seed=0):
    """Check equations; a full report only where a mistake is a pair's own, not one of its parts' -> list of Result."""
    results = [check_equation(item, seed, detail=False) for item in equations]
    failed = {result.id for result in results if not result.passed}
    return [result if result.passed else _in_full(item, failed, result, seed) for item, result in zip(equations, results)]


def _in_full(item, failed, brief, seed):
    """The full result of a pair that failed, or the brief one with a word on which of its parts is to blame."""
    guilty = sorted(parts(item, seed) & failed - {item.id})
    if not guilty:
        return check_equation(item, seed)
    brief.wrong, brief.right, brief.verdict = [], [], f"wrong: it is made of {', '.join(guilty[:3])}"
    return brief


def find_mistake(results, cases, seed=0):
    """What to say first about failed checks -> Finding, or None if none failed."""
    finding = blame(results, seed)
    failed = [result for result in results if result.kind == "model" and not result.passed]
    if finding is None and failed:
        guilty = next(case for case in cases if (case.name, case.setting) == (failed[0].id, failed[0].name))
        finding = blame_case(guilty, seed)
    if finding is None:
        failed = [result for result in results if not result.passed]
        if failed:
            first = failed[0]
            return Finding(f"{first.id} ({first.name}): {first.verdict}", result=first)
    return finding


def check_chains(equations, kernels, cases, seed=0):
    """The chain check of every step, model and kernel -> list of Result."""
    results = [_step_chain(item, seed) for item in equations if item.is_step]
    results += [_case_chain(case, seed) for case in cases]
    return results + [check_kernel_chain(kernel, seed) for kernel in kernels]


def _step_chain(item, seed):
    rng = generator(seed, f"chain of {item.id}")
    try:
        with numpy_only():
            trial = Trial(item, rng)
        return check_chain(equation_program(trial), rng, item.id, item.name)
    except Exception as trouble:  # noqa: BLE001  an edited equation may raise anything
        return _raises(item.id, item.name, trouble)


def _case_chain(case, seed):
    try:
        result = check_chain(case_program(case, seed), generator(seed, f"chain of {case.name}"), case.name, case.setting)
        problems = _dtrace(case, seed)
    except Exception as trouble:  # noqa: BLE001
        return _raises(case.name, case.setting, trouble)
    if problems:
        result.passed = False
        result.verdict = result.verdict if result.broken else "dtrace is wrong"
        result.notes.append(f"not the gradients they are called: dtrace {', '.join(problems)}")
    return result


def _dtrace(case, seed):
    """What is wrong with the gradients that the model hands out for plots."""
    rng = generator(seed, case.name + case.setting)
    model, inputs, options = case.make(rng)
    if type(model).__name__ not in NODES:
        return []
    params = random_parameters(model, rng)
    with numpy_only():
        outputs, trace = model.forward(params, inputs, **options)
        return dtrace_problems(model, params, trace, rng.standard_normal(outputs.shape))


def _raises(id, name, trouble):
    return Result("chain", id, name, False, "broken", notes=[f"it raises {type(trouble).__name__}: {trouble}"])


def check_everything(equations, kernels, cases, seed=0, chain=False, say=lambda line: None):
    """Pairs, kernels and models, or with `chain` the chains of them -> list of Result. `say` is told how far it has come."""
    if chain:
        return check_chains(equations, kernels, cases, seed)
    pairs = check_pairs(equations, seed)
    if kernels or cases:
        wrong = [result.id for result in pairs if not result.passed]
        say(f"{len(pairs)} equations checked, {'wrong: ' + ', '.join(wrong) if wrong else 'all right'}. Now kernels and models ...")
    return pairs + [check_kernel(kernel, seed) for kernel in kernels] + [
        check_case(case, seed) for case in cases]
