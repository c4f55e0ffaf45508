"""Would the kernel check notice? The kernels' loops are broken on purpose, one place at a time, and what is caught is counted.

A mutant is a kernel with one edit in one of its functions, forward or backward. It runs as plain Python (interpreted.py)
through the comparison that check_kernel makes, in float64, at sizes that are tiny but take every branch and every remainder of
the unrolled loops. One that passes is either equivalent, that is, gives the same results to 1e-13 at 1,000 random points, or a
hole in the check.
"""

import ast
import random
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gradcheck.kernels.interpreted import interpreted_pair, read
from gradcheck.kernels.operators import loop_edits
from gradcheck.kernels.twins import Twin, reason
from gradcheck.kernels import Case, find_kernel
from gradcheck.kernels.settings import (EXAMPLES, Setting, dnc_setting, heads_setting, nothing_written, ntm_setting, padded_steps,
                                        saturated, scan_setting, without_state)
from gradcheck.points import USUAL, Declaration, generator
from gradcheck.report import Result
from numpymem.kernel import KERNELS


class Mutant(NamedTuple):
    """One edit of one function of a kernel."""
    kernel: str
    module: str
    function: str
    line: int            # in the file of the module
    operator: str
    before: str          # the line as it is, and with the edit
    after: str
    text: str            # the function's whole source with the edit

    @property
    def changed(self):
        """What gradcheck.kernels.interpreted takes."""
        return {(self.module, self.function): self.text}

    def __str__(self):
        return f"{self.function}:{self.line} {self.operator}: {self.before}  ->  {self.after}"


@dataclass
class Outcome:
    """What became of one mutant, as gradcheck/mutation/score.py counts it."""
    owner: str               # the kernel
    target: str              # the function
    operator: str
    line: int
    before: str
    after: str
    fate: str                # "caught", "equivalent" or "survived"
    how: str                 # caught: outputs and gradients that differ, or what it raises; equivalent: why, if that is understood
    seconds: float
    kind: str = "kernel"


# ---- mutants --------------------------------------------------------------------------------------------------------------

def functions_of(kernel):
    """[(module, function)] that a kernel's pair reaches, of all its modules of loops."""
    module, *todo = find_kernel(kernel).functions.split(":")
    found, todo = [], [(module, name) for name in todo]
    while todo:
        module, name = todo.pop(0)
        source = read(module)
        if (module, name) not in found:
            found.append((module, name))
            imported = {here: (where, real) for where, real, here in source.imports}
            for node in ast.walk(source.functions[name]):
                if isinstance(node, ast.Name) and (node.id in source.functions or node.id in imported):
                    todo.append(imported.get(node.id, (module, node.id)))
    return found


def kernel_mutants(kernel):
    """All mutants of a Kernel (or its name), function by function."""
    kernel = find_kernel(kernel)
    for module, name in functions_of(kernel):
        source = read(module)
        for operator, node, text in loop_edits(source.functions[name]):
            yield _mutant(kernel.name, module, source, source.functions[name], operator, node, text)


def _mutant(kernel, module, source, function, operator, node, text):
    """The mutant that has `text` in the place of a node."""
    first = function.lineno
    lines = source.lines[first - 1:function.end_lineno]               # as bytes: that is what columns count
    at, end = node.lineno - first, node.end_lineno - first
    start, rest = lines[at][:node.col_offset], lines[end][node.end_col_offset:]
    changed = b"".join([*lines[:at], start + text.encode() + rest, *lines[end + 1:]]).decode()
    before = b" ".join(line.strip() for line in lines[at:end + 1]).decode()
    after = (start.lstrip() + text.encode() + rest.rstrip()).decode()
    return Mutant(kernel, module, function.name, node.lineno, operator, before, after, changed)


# ---- the exam -------------------------------------------------------------------------------------------------------------

# Odd and even sizes, all remainders by 4 and by 2 where a loop takes so many rows at once, every branch; the cheap ones first.
TINY = {"ntm.sequence": [ntm_setting(1, 1, 1, 1, C=1, T=1, B=1, N=2),
                         ntm_setting(1, 2, 2, 3, C=1, T=3, B=2, N=4),
                         ntm_setting(1, 2, 1, 3, C=2, T=2, B=3, N=5, change=saturated, slack=1e5),
                         ntm_setting(1, 1, 2, 1, C=5, T=2, B=9, N=3, change=without_state),
                         ntm_setting(2, 2, 3, 3, C=6, T=2, B=3, N=7),
                         ntm_setting(1, 3, 2, 5, C=3, T=3, B=2, N=6)],
        "dnc.sequence": [dnc_setting(1, 1, C=1, T=1, B=1, N=2),
                         dnc_setting(2, 2, C=1, T=3, B=2, N=4, deallocation=True),
                         dnc_setting(1, 2, C=5, T=2, B=9, N=3, change=without_state),
                         dnc_setting(3, 3, C=6, T=2, B=3, N=7, usage_gradient=False),
                         dnc_setting(1, 2, C=2, T=3, B=1, N=5, change=nothing_written),
                         dnc_setting(2, 3, C=1, T=2, B=1, N=3, masking=True, sharpening=True),         # what runs as NumPy
                         dnc_setting(2, 1, C=3, T=3, B=2, N=18)],
        "memory_transformer.write": [heads_setting(0, 1, 1, 1, T=1, B=1, N=2), heads_setting(0, 2, 3, 3, T=4, B=3, N=5)],
        "memory_transformer.read": [heads_setting(1, 0, 1, 1, T=1, B=1, N=2), heads_setting(2, 0, 3, 3, T=4, B=3, N=5)],
        "dmn.scan": [scan_setting(2, B=3, T=3), scan_setting(1, 2, B=1, T=2), scan_setting(3, 2, B=5, T=4, change=padded_steps),
                     scan_setting(4, B=19, T=2, change=padded_steps)]}


def exam_of(kernel, seed=0):
    """The cases that a kernel's mutants have to pass, worked out once."""
    rng, shapes, settings = generator(seed, "mutants of " + kernel.name), [USUAL], TINY.get(kernel.name)
    if settings is None:                         # one step of little work: the settings of the kernel check, in a larger batch too
        shapes = [USUAL, USUAL | {"B": 6, "I": 14}]
        settings = [Setting(kernel.of.fixed, kernel.of.dims), *EXAMPLES.get(kernel.name, ())]
    return [Case(kernel.of, setting, (shape, True), np.float64, rng) for shape in shapes for setting in settings]


def judge(kernel, pair, cases):
    """What a pair gets wrong at the first case that it does not pass, in words; '' if it passes all."""
    result = Result("kernel", kernel.name, "mutant", True, "")
    for case in cases:
        try:
            case.judge(pair, result, twice=False)
        except Declaration as trouble:
            return str(trouble)
        except Exception as error:  # noqa: BLE001  a broken loop may raise anything
            return f"raises {type(error).__name__}"
        if result.wrong:
            return ", ".join(wrong.argument for wrong in result.wrong)
    return ""


def run_kernel_mutants(limit=None, seed=0, progress=None, package=""):
    """Run the mutants of all kernels, or a random sample of `limit` of them -> list of Outcome.

    progress    called with (number done, number in all)
    package     only kernels that begin with this name and a point
    """
    chosen = [mutant for mutant in all_mutants() if not package or mutant.kernel.startswith(f"{package}.")]
    if limit is not None:
        chosen = random.Random(seed).sample(chosen, min(limit, len(chosen)))
    exams = {name: exam_of(kernel, seed) for name, kernel in KERNELS.items()}
    outcomes, twins = [], {}
    for mutant in chosen:
        outcomes.append(examine(mutant, exams[mutant.kernel], twins))
        if progress:
            progress(len(outcomes), len(chosen))
    return outcomes


def examine(mutant, exam, twins):
    """Judge one mutant -> Outcome. `twins` keeps what is worked out for survivors: kernel -> Twin."""
    started, kernel = time.perf_counter(), KERNELS[mutant.kernel]
    how = judge(kernel, interpreted_pair(kernel, mutant.changed), exam)
    fate = "caught" if how else "survived"
    if not how:
        if mutant.kernel not in twins:
            twins[mutant.kernel] = Twin(kernel)
        if twins[mutant.kernel].same(mutant):
            fate, how = "equivalent", reason(mutant)
    return Outcome(mutant.kernel, mutant.function, mutant.operator, mutant.line, mutant.before, mutant.after, fate, how,
                   time.perf_counter() - started)


def all_mutants():
    """Of all kernels; functions that several of them share are broken once."""
    found = {}
    for kernel in KERNELS.values():
        for mutant in kernel_mutants(kernel):
            found.setdefault((mutant.module, mutant.text), mutant)
    return list(found.values())
