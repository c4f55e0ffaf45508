"""The chain check of a kernel: where, on the way through all time steps, does it first leave the NumPy step?

Forward, the NTM's kernel returns every intermediate of every step: they are compared in the order in which a step computes them.
Backward, it returns only the gradients of its arguments, but it can be asked for more. Run on the *rest* of the sequence that
starts at step t, with the state before t as its start values,

    the gradients of its start values          are those of M, w, r, h, c before step t;
    dpre_x                                     are those of pre at t and all later steps;
    db_heads, less that of the rest from t+1,  is that of raw at step t, if the batch is one sequence.

Compared with the NumPy pair on the same rest, in the order in which a backward pass works, the last that agrees and the first
that does not have the mistake between them. The backward is handed NumPy's outputs, so it is judged alone.
"""

import itertools
import time
from typing import NamedTuple

import numpy as np

from gradcheck.kernels import Case, cannot_run, check_kernel, find_kernel
from gradcheck.kernels.settings import Setting, dims_of, without_state
from gradcheck.points import Declaration, generator
from gradcheck.report import Result, Wrong
from numpymem.kernel import numpy_only
from numpymem.ntm.sequence import LAST, NAMES, through_time
from numpymem.ntm.step import HeadSizes

SIZES = HeadSizes(R=1, Q=2, W=3, S=3)
LETTERS = {"T": 5, "B": 3, "N": 7}
SETTINGS = {"LSTM": Setting({"sizes": SIZES}, dims_of(SIZES, 4) | LETTERS),
            "feedforward": Setting({"sizes": SIZES}, dims_of(SIZES, 4, feedforward=True) | LETTERS, without_state)}
FORWARD = ("u", "gates", "c", "h", "raw", "k", "beta", "g", "s", "gamma", "e", "a", "K", "w_c", "w_g", "w_s", "w", "r", "M")
HEAD_PARAMETERS = ("k", "beta", "g", "s", "gamma", "e", "a")     # in the layout of raw
STATE = ("h", "c", "r", "w", "M")                                # what a step hands to the next, as the backward returns it
TOLERANCE, FLOOR = 1e-10, 1e-13                                  # of the node's own size, and of the largest of its name


class Node(NamedTuple):
    """One value on the way: its name and time step, from the kernel and from NumPy; `about`: where it was seen, if that matters."""
    name: str
    t: int | None
    kernel: np.ndarray
    numpy: np.ndarray
    about: str = ""

    def __str__(self):
        return self.name if self.t is None else f"step {self.t}, {self.name}"


def check_kernel_chain(what, seed=0, pair=None):
    """Follow a kernel (or its name) through its steps -> Result. A kernel that is one step is compared as a whole.

    pair    (forward, backward) to follow instead of the compiled ones
    """
    kernel = find_kernel(what)
    started = time.perf_counter()
    if kernel.name != "ntm.sequence":
        result = check_kernel(kernel, seed, pair=pair)
        result.name = "chain"
        return result
    result = Result("kernel", kernel.name, "chain", True, "equal at every step", address=kernel.of.address)
    why = cannot_run() if pair is None else None
    if why:
        result.verdict = f"not checked: {why}"
    else:
        rng = generator(seed, "chain of " + kernel.name)
        for controller, setting in SETTINGS.items():
            point = Case(kernel.of, setting, ({}, False), np.float64, rng)
            for direction, nodes in (("forward", forward_nodes), ("backward", backward_nodes)):
                _follow(nodes, pair or kernel.pair(), point, f"{controller}, {direction}", result)
    result.equal = None if why else result.passed
    result.seconds = time.perf_counter() - started
    return result


def _follow(nodes, pair, case, where, result):
    """Walk along the nodes to the first that differs, and write down what was found."""
    last, largest = None, {}
    try:
        with np.errstate(all="ignore"), numpy_only():
            for node in nodes(pair, case):
                if not _agrees(node, largest, result):
                    _report(last, node, where, result)
                    return
                last = last if node.about else node
    except Exception as error:  # noqa: BLE001  compiled code may raise anything
        result.passed, result.verdict = False, "broken"
        result.notes.append(f"{where}: the kernel raises {type(error).__name__}: {error}")


def _agrees(node, largest, result):
    if node.kernel.shape != node.numpy.shape:
        raise Declaration(f"{node}: expected {node.numpy.shape} as NumPy, received {node.kernel.shape}")
    if not node.numpy.size:
        return True
    size, miss = float(np.abs(node.numpy).max()), float(np.abs(node.kernel - node.numpy).max())
    largest[node.name] = max(size, largest.get(node.name, 0.0))
    fine = miss <= TOLERANCE * size + FLOOR * largest[node.name]
    if fine and miss > 0:
        result.error, result.tolerance = max(miss / largest[node.name], result.error or 0.0), TOLERANCE
    return fine


def _report(last, first, where, result):
    miss = np.nan_to_num(np.abs(first.kernel - first.numpy), nan=np.inf)
    worst = np.unravel_index(int(miss.argmax()), miss.shape)
    index = (() if first.t is None else (first.t,)) + tuple(map(int, worst))
    result.passed, result.verdict = False, "differs"
    result.wrong.append(Wrong(first.name, index, float(first.kernel[worst]), float(first.numpy[worst]),
                              int((miss > TOLERANCE * np.abs(first.numpy).max()).sum()), miss.size))
    begins = "right up to " + str(last) if last else "nothing is right"
    name = first.name if last and last.t == first.t and not first.about else str(first)
    result.notes.append(f"{where}: {begins}; differs from {name} on{first.about}")


# ---- forward ------------------------------------------------------------------------------------------------------------

def forward_nodes(pair, case):
    """Every intermediate of every step, in the order in which a step computes them."""
    inputs = [np.array(value) if isinstance(value, np.ndarray) else value for value in case.point.arguments]
    ours, theirs = dict(zip(NAMES, pair[0](*inputs))), dict(zip(NAMES, case.exact.outputs))
    for t, name in itertools.product(range(len(theirs["h"])), FORWARD):
        yield Node(name, t, np.asarray(ours[name])[t], theirs[name][t])


# ---- backward -----------------------------------------------------------------------------------------------------------

class Rest:
    """A sequence from step t on: arguments of the backward with the state before t as start values, for some of its batch."""

    def __init__(self, case, t, batch=slice(None)):
        outputs = dict(zip(NAMES, case.exact.outputs))
        pre_x, W_u, W_heads, b_heads, *start, sizes = case.point.arguments
        has_state = start[1].shape[1] > 0
        if t:
            before = [outputs[name][t - 1] for name in STATE]
            start = before if has_state else [*start[:2], *before[2:]]
        upstream = dict(zip((*NAMES, *LAST), case.exact.upstream))
        self.dh, self.dr = upstream["h"][t:, batch], upstream["r"][t:, batch]
        self.d_last = [upstream[name][batch] for name in LAST]
        self.outputs = {name: value[t:, batch] for name, value in outputs.items()}
        self.inputs = [pre_x[t:, batch], W_u, W_heads, b_heads, *(value[batch] for value in start), sizes]

    def by(self, pair):
        """The gradients that a pair's backward returns, by name."""
        returned = pair[1](self.dh, self.dr, *self.d_last, *(self.outputs[name] for name in NAMES if name != "r"), *self.inputs)
        return _named(returned)

    def by_numpy(self):
        """The same from NumPy, and `raw` for every step of the rest."""
        out, dtrace = self.outputs, {}
        saved = [out[name] for name in ("w", *HEAD_PARAMETERS, "K", "w_c", "w_g", "w_s")]
        _, W_u, W_heads, _, h0, c0, r0, w0, M0, sizes = self.inputs
        returned = through_time(self.dh, self.dr, self.d_last, *(out[name] for name in ("h", "c", "gates", "u", "raw", "M")), saved,
                                W_u, W_heads, h0, c0, r0, w0, M0, sizes, dtrace)
        return _named(returned) | {"raw": np.stack(dtrace["raw"])}


def _named(returned):
    return dict(zip(("pre", "W_u", "W_heads", "b_heads", *STATE), map(np.asarray, returned)))


def backward_nodes(pair, case):
    """Gradients in the order of a backward pass: from the last step to the first, and the shared weights at the end."""
    T = len(case.point.arguments[0])
    raw = _raw_gradients(pair, case)
    for t in reversed(range(T)):
        rest = Rest(case, t)
        ours, theirs = rest.by(pair), rest.by_numpy()
        for later in reversed(range(t + 1, T)):             # right when the rest began there, or this would not be reached
            yield Node("dpre", later, ours["pre"][later - t], theirs["pre"][later - t],
                       f", but only where step {later} is not the first: is it what the step before left that it takes?")
        yield from _of_heads(t, raw[t], theirs["raw"][0], case)
        yield from (Node(f"d{name}_prev", t, ours[name], theirs[name]) for name in ("w", "M"))
        yield Node("dpre", t, ours["pre"][0], theirs["pre"][0])
        yield from (Node(f"d{name}_prev", t, ours[name], theirs[name]) for name in ("c", "r", "h"))
    yield from (Node(f"d{name}", None, ours[name], theirs[name]) for name in ("b_heads", "W_heads", "W_u"))


def _raw_gradients(pair, case):
    """The kernel's gradients of raw, (T, B, P): for one sequence, db_heads of the rest from t on less that of the rest after t."""
    T, B = case.point.arguments[0].shape[:2]
    total = np.array([[Rest(case, t, slice(b, b + 1)).by(pair)["b_heads"] for b in range(B)] for t in range(T)])
    return total - np.concatenate([total[1:], np.zeros_like(total[:1])])


def _of_heads(t, kernel, numpy, case):
    """The gradient of raw, one node for each head parameter, the last computed first: (B, heads, ...)."""
    sizes = case.point.arguments[-1]
    heads = {name: sizes.Q if name in ("e", "a") else sizes.H for name in HEAD_PARAMETERS}
    parts = {name: [x.reshape(len(x), heads[name], -1) for x in both] for name, *both in zip(
        HEAD_PARAMETERS, *(np.split(x, sizes.cuts[:-1], axis=1) for x in (kernel, numpy)))}
    for name in ("a", "e", "gamma", "s", "g", "beta", "k"):
        yield Node(f"draw {name}", t, *parts[name])
