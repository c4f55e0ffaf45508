"""The chain check: is every gradient right *on its way* through a model, and where does it go wrong first?

A pair can be right and its use wrong: a fan-out term forgotten, t where t - 1 belongs, a start state that gets no gradient.
So the model runs once, forward and backward, and each call of a backward gives two kinds of nodes: the gradients that it is
handed (of its forward's outputs) and those that it returns (of its forward's arguments). The truth for each is found by pushing
that very value aside, at that very time step, while the forward runs again. In the order in which a backward pass works, the
last node that agrees and the first that does not have the mistake between them.
"""

import time
from typing import NamedTuple

import numpy as np

from gradcheck import oracle as oracles
from gradcheck.hints import diagnose
from gradcheck.recording import Call, Jitter, same, saved, upstream, users
from gradcheck.report import Result, Wrong
from gradcheck.source_lines import lines_between

TOLERANCE = 1e-9            # float64 rounding, through all steps of a recurrence


class Node(NamedTuple):
    """One gradient on its way. `back` is the backward call, None for a value of the whole program."""
    back: Call | None
    comes_in: bool           # handed to the call (of an output of its forward), else returned (of an argument)
    name: str                # of the output, argument or value
    hand: np.ndarray

    @property
    def t(self):
        return self.back.t if self.back else None

    def __str__(self):
        if self.back is None:
            return f"d{self.name}"
        item = self.back.equation
        return f"d{self.name} {'into' if self.comes_in else 'out of'} {item.id}" + (
            f" ({item.name})" if item.name != item.id else "") + ("" if self.t is None else f" at step {self.t}")


class Broken(NamedTuple):
    """Where a chain breaks."""
    last: Node | None        # the last node that is right
    first: Node              # the first that is not
    equation: object         # whose pair is wrong, if the mistake is inside one; None for the wiring between
    notes: list              # what else is known: wrong saved values, missing terms, the lines between


def nodes(recording, values):
    """All nodes in the order in which the backward pass works; a call that has no forward cannot be judged and is left out."""
    found = []

    def visit(call):
        if call.forward is not None:
            found.extend(Node(call, True, name, _array(value, call.forward.named[name]))
                         for name, value in upstream(call).items() if _is_gradient(value))
        for child in call.children:
            visit(child)
        if call.forward is not None:
            found.extend(Node(call, False, name, value)
                         for name, value in zip(call.equation.differentiable, call.outputs) if _is_gradient(value))

    for call in recording.backward:
        if call.parent is None:
            visit(call)
    return found + [Node(None, False, name, recording.gradients[name]) for name in values if name in recording.gradients]


def _is_gradient(value):
    return isinstance(value, (np.ndarray, np.number, float, int)) and np.size(value) > 0


def _array(value, like):
    """A gradient may be handed on as the number 0, which means zero everywhere."""
    return np.full(np.shape(like), float(value)) if np.ndim(value) == 0 else value


class Chain:
    """A recorded program and the truth about its nodes."""

    def __init__(self, program, rng):
        self.program, self.rng = program, rng
        self.recording = program.record(lambda outputs: [rng.standard_normal(np.shape(out)) for out in outputs])
        self.nodes = nodes(self.recording, program.values)
        self.oracle = self._choose()
        self.error, self.noise, self._floors = 0.0, 0.0, None

    def _choose(self):
        name = max(self.program.values, key=lambda name: self.program.values[name].size)
        direction = self.rng.standard_normal(self.program.values[name].shape)
        return oracles.choose(self.program.line(self.recording, direction, value=name))

    def line(self, node, direction):
        if node.back is None:
            return self.program.line(self.recording, direction, value=node.name)
        forward = node.back.forward
        if node.comes_in:
            place = {"outputs": [list(forward.equation.outputs).index(node.name)]}
            direction = [direction]
        else:
            place = {"argument": forward.equation.arguments.index(node.name)}
        return self.program.line(self.recording, direction, forward.order, **place)

    def agrees(self, node):
        """Whether a node is right, along one random direction."""
        if _shape(node) is not None and np.shape(node.hand) != _shape(node):
            return False
        miss, scale, true = self.missed(node)
        allowed = max(TOLERANCE, self.oracle.tolerance) * scale + 10 * true.noise
        fine = miss <= allowed or miss <= allowed + 50 * self.rounding(node)
        if fine and scale > 0 and miss <= allowed:
            self.error, self.noise = max(self.error, miss / scale), max(self.noise, true.noise / scale)
        return fine

    def missed(self, node):
        """By how much a node misses the truth along one random direction, and what that is large against -> miss, scale, truth."""
        direction = self.rng.standard_normal(np.shape(node.hand))
        true = self.oracle.derivative(self.line(node, direction), self.recording.weights)
        parts = node.hand * direction
        return abs(float(np.sum(parts)) - true.value), max(abs(true.value), float(np.linalg.norm(parts))), true

    def rounding(self, node):
        """How far a node moves when all numbers of the backward pass change in their last bits: where large terms cancel, what
        is left may be nothing but that."""
        if self._floors is None:
            runs = [self.program.record(lambda _: self.recording.weights, Jitter(self.rng)) for _ in range(3)]
            moved = [nodes(run, self.program.values) for run in runs]
            self._floors = [max(float(np.linalg.norm(other.hand - node.hand)) for other in others)
                            for node, *others in zip(self.nodes, *moved)]
        return self._floors[next(k for k, other in enumerate(self.nodes) if other is node)]

    def leaks(self, call):
        """Whether outputs that a backward takes no gradient for are used after all, so that their gradient is lost."""
        forward, taken = call.forward, upstream(call)
        left = [k for k, name in enumerate(forward.equation.outputs)
                if name not in taken and k < len(forward.outputs) and np.asarray(forward.outputs[k]).dtype.kind == "f"]
        if not left:
            return False
        direction = [self.rng.standard_normal(np.shape(forward.outputs[k])) for k in left]
        true = self.oracle.derivative(self.program.line(self.recording, direction, forward.order, outputs=left),
                                      self.recording.weights)
        return abs(true.value) > 1e-9 * _size(self.recording.weights) + 10 * true.noise

    def truth(self, node):
        """The whole gradient of a node, entry by entry, and its noise."""
        shape = _shape(node) or np.shape(node.hand)
        true, noise = np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(*shape):
            unit = np.zeros(shape)
            unit[index] = 1
            true[index], noise[index] = self.oracle.derivative(self.line(node, unit), self.recording.weights)
        return true, noise


def _shape(node):
    """The shape that a gradient must have: that of what it is the gradient of."""
    if node.back is None:
        return None
    value = node.back.forward.named.get(node.name)
    return None if value is None else np.shape(value)


def _size(arrays):
    return sum(float(np.abs(array).sum()) for array in arrays)


# ---- finding the break ---------------------------------------------------------------------------------------------------

def find_break(chain):
    """The first node that is wrong, and what lies before it -> Broken, or None if all is right."""
    for k, node in enumerate(chain.nodes):
        if not chain.agrees(node):
            return _explain(chain, k)
    for call in chain.recording.backward:
        if call.forward is not None and chain.leaks(call):
            item = call.equation
            node = Node(call, True, ", ".join(name for name in item.outputs if name not in upstream(call)), np.zeros(()))
            return Broken(None, node, None, [f"{item.id} returns values that are used later, for which its backward takes no "
                                             "gradient"])
    return None


def _explain(chain, k):
    """Turn the first wrong node into the place of the mistake."""
    first = chain.nodes[k]
    handed = _wrongly_handed(first.back) if first.back else None
    if handed is not None:                     # what came in was right, but with values of another place: the caller's mistake
        call, notes = handed
        came_in = [node for node in chain.nodes[:k] if node.back is call and node.comes_in]
        wrong = next(node for node in chain.nodes[k:] if node.back is call and not node.comes_in)
        return Broken(came_in[-1] if came_in else None, wrong, _inside(call, True),
                      notes + lines_between(chain.recording, None, wrong, call.stack[0]))
    before = _sources(chain, first) or chain.nodes[:k]
    last = before[-1] if before else None
    return Broken(last, first, _inside(first.back, first.comes_in),
                  _shape_note(first) + _terms(chain, first) + lines_between(chain.recording, last, first))


def _inside(call, comes_in):
    """The equation whose own backward works between a node and what lies before it; None: a step's or a model's wiring."""
    at_work = call.parent if call is not None and comes_in else call
    return None if at_work is None or at_work.equation.is_step else at_work.equation


def _shape_note(node):
    wanted = _shape(node)
    if wanted is None or np.shape(node.hand) == wanted:
        return []
    return [f"shape of {node}: expected {wanted}, received {np.shape(node.hand)}"]


def _wrongly_handed(call):
    """(call, what is wrong) for the outermost call, from this one up, whose saved values are not those of its forward."""
    found = None
    while call is not None and call.forward is not None:
        bad = [name for name, value in saved(call).items()
               if name in call.forward.named and not same(value, call.forward.named[name])]
        if bad:
            found = call, [f"{call.equation.name}_backward is handed another {name} than the one of its forward"
                           for name in bad]
        call = call.parent
    return found


def _sources(chain, node):
    """The right nodes that flow straight into this one: what the backward calls of its users returned."""
    value = _value(chain, node)
    if value is None or (node.back is not None and not node.comes_in):
        return []
    inside = _family(node.back.forward) if node.back is not None else set()
    used = {(id(call), call.equation.arguments[k]) for call, k in users(chain.recording.forward, value)
            if id(call) not in inside}
    return [other for other in chain.nodes[:chain.nodes.index(node)]
            if other.back is not None and not other.comes_in and (id(other.back.forward), other.name) in used]


def _value(chain, node):
    if node.back is None:
        return chain.program.values[node.name]
    return node.back.forward.named.get(node.name)


def _family(call):
    """The ids of a call and of all calls inside it."""
    return {id(call)}.union(*(_family(child) for child in call.children))


def _terms(chain, node):
    """If what is missing, or too much, is what one user of a value sends back: say so."""
    value, sources = _value(chain, node), _sources(chain, node)
    if not sources or node.hand.size > 2000 or np.shape(node.hand) != np.shape(value):
        return []
    true, _ = chain.truth(node)
    sources = [source for source in sources if not _contains(sources, source)]
    terms = [_as_part(value, source) for source in sources]
    columns = np.stack([term.ravel() for term in terms], axis=1)
    off = (node.hand - true).ravel()
    weights, *_ = np.linalg.lstsq(columns, off, rcond=None)
    if np.abs(columns @ weights - off).max() > 1e-7 * np.abs(true).max():
        return []
    said = []
    for source, weight in zip(sources, weights):
        if abs(weight) > 1e-6:
            how = ("is missing" if abs(weight + 1) < 1e-6 else "comes in twice" if abs(weight - 1) < 1e-6
                   else "has the wrong sign" if abs(weight + 2) < 1e-6 else f"comes in {1 + weight:.3g} times")
            said.append(f"the term {source} {how}")
    return said


def _contains(sources, inner):
    """Whether another source is a call around this one: its gradient already holds this one's."""
    return any(other is not inner and other.back.forward is not inner.back.forward
               and id(inner.back.forward) in _family(other.back.forward) for other in sources)


def _as_part(whole, source):
    """The gradient of a view (w[:, :R]), put where that view lies in the whole (w)."""
    view = source.back.forward.named[source.name]
    addresses = _addresses(whole)
    order = np.argsort(addresses)
    places = order[np.searchsorted(addresses, _addresses(view), sorter=order)]
    part = np.zeros(whole.size)
    np.add.at(part, places, np.asarray(source.hand).ravel())
    return part.reshape(whole.shape)


def _addresses(array):
    """Where each entry lies in memory, in the order of `ravel`: an array may be laid out in any order of its axes."""
    start = array.__array_interface__["data"][0]
    steps = np.meshgrid(*[np.arange(size) * stride for size, stride in zip(array.shape, array.strides)], indexing="ij")
    return start + sum(steps, np.zeros(array.shape, int)).ravel()


# ---- the check -----------------------------------------------------------------------------------------------------------

def check_chain(program, rng, id="", name=""):
    """Check every node of a program -> Result. `result.broken` is the Broken, or None."""
    return break_result(Chain(program, rng), id or program.name, name)


def break_result(chain, id, name=""):
    """Look for the break of a Chain -> Result."""
    started = time.perf_counter()
    broken = find_break(chain)
    result = Result("chain", id, name, True, f"{len(chain.nodes)} nodes right", chain.error,
                    max(TOLERANCE, chain.oracle.tolerance), chain.oracle.name, chain.noise, broken=broken)
    if chain.oracle.why:
        result.notes.append(chain.oracle.why)
    if broken is not None:
        _report(chain, broken, result)
    result.seconds = time.perf_counter() - started
    return result


def _report(chain, broken, result):
    first, last = broken.first, broken.last
    result.passed, result.error = False, None
    result.verdict = f"wrong from {first}" if broken.equation is None else f"wrong in {broken.equation.id}: {first}"
    result.notes.append(f"right up to {last}" if last is not None else "wrong from the start")
    result.notes += broken.notes
    if 0 < first.hand.size <= 2000 and (_shape(first) is None or np.shape(first.hand) == _shape(first)):
        true, noise = chain.truth(first)
        miss = np.where(np.isfinite(first.hand), np.abs(first.hand - true), np.inf)
        worst = np.unravel_index(int(np.argmax(miss)), miss.shape)
        bad = miss > TOLERANCE * max(np.abs(true).max(), 1e-300) + 10 * noise
        result.wrong.append(Wrong(f"d{first.name}", tuple(map(int, worst)), float(first.hand[worst]), float(true[worst]),
                                  int(bad.sum()), int(bad.size), hints=diagnose(
                                      first.name, np.asarray(first.hand), true, noise, _around(first),
                                      set(first.back.equation.arguments) if first.back else set())))


def _around(node):
    """What a diagnosis may compare with: everything that the call knew."""
    if node.back is None:
        return {}
    call = node.back
    known = {name: value for name, value in call.forward.named.items() if isinstance(value, np.ndarray)}
    return known | {f"d{name}": value for name, value in upstream(call).items() if isinstance(value, np.ndarray)}

