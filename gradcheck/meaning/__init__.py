"""Tests of meaning: does an equation do what it is for? A wrong forward with its right backward passes every gradient check.

    for result in gradcheck.meaning.check_meaning():              # everything
        print(result)
    check_meaning("NTM-8")                                        # what is said of one equation, also after numpymem.patch
    check_meaning(["shift-rotates", "MemN2N-encode"])

Each `Meaning` is one sentence that holds whatever numbers a model has learned, with a function that tries it on the equations
in force, as NumPy (that kernels equal NumPy is for check_kernel). The functions stand in ntm.py, dnc.py, dnc_step.py, memn2n.py,
dmn.py, memory_transformer.py, memory_transformer_model.py, hybrid.py and shared.py. Nothing is differentiated.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gradcheck.points import generator
from gradcheck.report import WIDTH, wrapped
from numpymem.kernel import numpy_only

MEANINGS = {}          # id -> Meaning, in the order of definition


class Unmet(AssertionError):
    """A meaning does not hold; the text says what was expected and what was received."""


@dataclass
class MeaningResult:
    """Of one meaning. `print(result)` is its report; `said` is '' where it holds."""
    id: str
    equations: tuple
    statement: str
    passed: bool
    said: str = ""
    seconds: float = 0.0

    def __str__(self):
        head = f"{self.id:<34} {', '.join(self.equations)}"
        head = head if len(head) <= WIDTH - 10 else head[:WIDTH - 12] + ".."
        rows = [f"{head:<{WIDTH - 9}} {'holds' if self.passed else 'does not':>8}"]
        return "\n".join(rows if self.passed else [*rows, *wrapped(self.statement), *wrapped(self.said)])


class Meaning(NamedTuple):
    """`test(rng)` raises Unmet where the statement does not hold; `check()` makes a result of that."""
    id: str
    equations: tuple
    statement: str
    test: Callable

    def check(self, seed=0):
        """Try it on the equations in force -> MeaningResult. An equation that raises does not mean what it should, either."""
        started = time.perf_counter()
        try:
            with numpy_only(), np.errstate(all="ignore"):
                self.test(generator(seed, self.id))
            said = ""
        except Unmet as broken:
            said = str(broken)
        except Exception as error:  # noqa: BLE001  a reader's equation may raise anything
            said = f"raises {type(error).__name__}: {error}"
        return MeaningResult(self.id, self.equations, self.statement, not said, said, time.perf_counter() - started)


def meaning(id, *equations):
    """Decorator: the function is a test of meaning, its docstring the statement."""
    def register(test):
        MEANINGS[id] = Meaning(id, equations, " ".join(test.__doc__.split()), test)
        return test
    return register


def check_meaning(names=None, seed=0):
    """Check what is said of some equations -> list of MeaningResult.

    names    ids of meanings or of equations, one or several; default: all
    raises   KeyError for a name that is neither
    """
    import_meanings()
    return [one.check(seed) for one in select(names)]


def select(names=None):
    """The meanings that some names stand for, in the order of definition."""
    import_meanings()
    if names is None:
        return list(MEANINGS.values())
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in MEANINGS and not any(name in one.equations for one in MEANINGS.values()):
            raise KeyError(f"nothing is said of {name!r}; known: {', '.join(MEANINGS)}, and the equations that they name")
    return [one for one in MEANINGS.values() if one.id in wanted or set(one.equations) & set(wanted)]


def import_meanings():
    """Import the modules that hold the tests."""
    from gradcheck.meaning import (dmn, dnc, dnc_step, hybrid, memn2n, memory_transformer, memory_transformer_model,  # noqa: F401
                                   ntm, shared)


# ---- how a test says what it expected -----------------------------------------------------------------------------------

def same(received, expected, what, within=0.0):
    """Raise Unmet unless two arrays agree to `within` (0: exactly), naming the entry that is farthest off."""
    received, expected = np.asarray(received), np.asarray(expected)
    if received.shape != expected.shape:
        try:
            expected = np.broadcast_to(expected, received.shape)
        except ValueError:
            raise Unmet(f"{what}: expected shape {expected.shape}, received {received.shape}") from None
    miss = np.abs(received - expected)
    miss = np.where(np.isnan(miss), np.inf, miss)
    if miss.size and not miss.max() <= within:
        at = np.unravel_index(int(np.argmax(miss)), miss.shape)
        where = f" at [{', '.join(map(str, at))}]" if at else ""
        raise Unmet(f"{what}{where}: expected {float(expected[at]):.6g}, received {float(received[at]):.6g}")


def distribution(weights, what, within=1e-9):
    """Raise Unmet unless each row is a weighting: no number below 0, and a sum of one."""
    if not weights.min() >= 0:
        raise Unmet(f"{what}: expected no weight below 0, received {float(weights.min()):.6g}")
    same(weights.sum(-1), 1.0, f"{what}, sum of a row", within)


def holds(condition, what):
    """Raise Unmet with the text unless the condition is true."""
    if not condition:
        raise Unmet(what)


# ---- points that several tests use -----------------------------------------------------------------------------------------

def simplex(rng, *shape):
    """Random weights: positive, each row sums to one."""
    p = rng.random(shape) + 0.05
    return p / p.sum(-1, keepdims=True)


def one_hot(N, *slots):
    """Weights (1, H, N): head h is at slot slots[h]."""
    return np.eye(N)[None, list(slots)]
