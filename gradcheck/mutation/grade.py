"""Did the first line of a report name the right place? For the share that `bug_hunt` is told to reach.

A bug inside a pair: the line must name the equation. A bug in the wiring: it must name the right pair of nodes and the step. Which
those are is known from a second recording, with the bug taken away: the first gradient that differs is the first wrong node, and
the last right node must be one that does not. Whether the broken line is among the lines that the report shows is told apart.
"""

import re
from typing import NamedTuple

import numpy as np

from gradcheck.chain import nodes
from gradcheck.mutation.targets import models


class Grade(NamedTuple):
    right: bool
    expected: str
    line_shown: bool | None = None       # of wiring: the broken line is among those that the report shows


def grade(hunt):
    """Grade the finding of a Hunt; the bug is taken away."""
    finding, target = hunt.find(), hunt.mutant.target
    if target.kind == "pair":
        named = finding.line.split(" ")[0]
        return Grade(named == target.owner, target.owner)
    if finding.chain is None:
        return Grade(False, f"a chain of {target.owner}")
    hunt.undo()
    chain = finding.chain
    clean = chain.program.record(lambda _: chain.recording.weights)
    right = nodes(clean, chain.program.values)
    expected, last = first_difference(chain.nodes, right), finding.broken.last
    fine = _names(finding.broken.first, expected) and (last is None or _unchanged(last, chain.nodes, right))
    return Grade(fine and finding.line.startswith((target.owner, *models())), str(expected),
                 hunt.mutant.edit.line in lines_shown(finding.result))


def _unchanged(node, broken, clean):
    """Whether the bug leaves a node as it is."""
    at = next(k for k, other in enumerate(broken) if other is node)
    return at < len(clean) and _place(clean[at]) == _place(node) and np.allclose(node.hand, clean[at].hand, rtol=1e-9, atol=1e-300)


def first_difference(broken, clean):
    """The first node whose gradient the bug changes."""
    for node, right in zip(broken, clean):
        if _place(node) != _place(right) or np.shape(node.hand) != np.shape(right.hand) or not np.allclose(
                node.hand, right.hand, rtol=1e-9, atol=1e-300):
            return node
    return None


def _place(node):
    return (node.back.equation.id if node.back else "", node.comes_in, node.name, node.t)


def _names(reported, expected):
    """Whether a report names a node, or the call around it, at the right step."""
    if expected is None or reported.t != expected.t:
        return False
    if _place(reported) == _place(expected):
        return True
    call = expected.back
    while call is not None and not reported.comes_in:
        if call is reported.back:
            return True
        call = call.parent
    return False


def lines_shown(result):
    """The numbers of the lines that a report shows between two nodes."""
    shown = set()
    for note in result.notes:
        found = re.match(r"(?:between|in the loop): \S+:(\d+)(?:-(\d+))?", note)
        if found:
            shown |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    return shown
