"""From triples to numbers: a label is a few digits, a digit is one-hot of ten (Graves et al. 2016, Nature, Methods).

A triple (source, edge, destination) is three labels. With two digits a label that is 60 channels, after which come three flags
that say which phase an episode is in. A label that is left open (the "_" of a query) is all zeros, as is every blank step.

    description   the triples of the graph, one a step, in random order      no flag
    query         what is asked, triples with open labels                    QUERY = 1
    planning      blank steps to think in                                    PLAN = 1
    answer        blank steps; the triples wanted                            ANSWER = 1
"""

from typing import NamedTuple

import numpy as np

from numpymem.tasks.batches import Batch

BASE, PARTS = 10, 3                               # digits; source, edge, destination
QUERY, PLAN, ANSWER = 0, 1, 2                     # flags, after the channels of the triple
FLAGS = 3
OPEN = -1                                         # no label


class Question(NamedTuple):
    """A graph, what is asked about it and the answer. Nodes and edges by their numbers; OPEN where a query leaves a label open."""

    triples: np.ndarray       # (E, 3) int: source, edge, destination; rows in the order in which they are told
    query: np.ndarray         # (Q, 3) int
    answer: np.ndarray        # (A, 3) int
    nodes: int                # how many nodes there are
    edges: int                # how many kinds of edges
    names: tuple = ()         # of the nodes, if they have any


class Labels(NamedTuple):
    """The labels of an episode: no two are equal."""

    nodes: np.ndarray         # (nodes,) int: the label of each node
    edges: np.ndarray         # (edges,) int


def random_labels(rng, nodes, edges, digits, fixed_edges=False):
    """Random Labels, all different; fixed_edges: edge e has the label e in every episode.

    raises  ValueError if so many digits do not suffice
    """
    if nodes + edges > BASE ** digits:
        raise ValueError(f"digits: expected labels for {nodes} nodes and {edges} kinds of edges, received {digits}, which makes "
                         f"{BASE ** digits}")
    if fixed_edges:
        return Labels(edges + rng.permutation(BASE ** digits - edges)[:nodes], np.arange(edges))
    drawn = rng.permutation(BASE ** digits)[:nodes + edges]
    return Labels(drawn[:nodes], drawn[nodes:])


def as_batch(questions, labels, digits, planning=0):
    """Questions with their Labels -> Batch. Shorter episodes start with blank steps, so that all of them end together.

    inputs   (T, B, 30 digits + 3) float32
    targets  (T, B, 3 digits) int32     the digits of the triples wanted, 0 where none is
    mask     (T, B) float32             1 in the answer phase
    """
    T, B = max(len(q.triples) + len(q.query) + planning + len(q.answer) for q in questions), len(questions)
    told, wanted = np.full((T, B, PARTS), OPEN), np.full((T, B, PARTS), OPEN)
    flags, mask = np.zeros((T, B, FLAGS), np.float32), np.zeros((T, B), np.float32)
    for b, question in enumerate(questions):
        answer = T - len(question.answer)
        planned = answer - planning
        query = planned - len(question.query)
        told[query - len(question.triples):query, b] = question.triples
        told[query:planned, b] = question.query
        wanted[answer:, b] = question.answer
        flags[query:planned, b, QUERY] = flags[planned:answer, b, PLAN] = flags[answer:, b, ANSWER] = mask[answer:, b] = 1
    told, wanted = labelled(told, labels), labelled(wanted, labels)
    targets = digits_of(np.where(wanted == OPEN, 0, wanted), digits).reshape(T, B, -1).astype(np.int32)
    return Batch(np.concatenate([one_hot(told, digits).reshape(T, B, -1), flags], axis=2), targets, mask)


def labelled(triples, labels):
    """Triples of numbers (T, B, 3) with the Labels of each of B episodes -> triples of labels; OPEN stays OPEN."""
    nodes, edges = (table(part) for part in zip(*labels))
    each = np.arange(len(labels))
    return np.stack([nodes[each, triples[..., 0]], edges[each, triples[..., 1]], nodes[each, triples[..., 2]]], axis=-1)


def table(rows):
    """Labels of B episodes, perhaps not equally many -> (B, most + 1); the last column, of the number OPEN = -1, is OPEN."""
    filled = np.full((len(rows), max(map(len, rows)) + 1), OPEN)
    for row, labels in zip(filled, rows):
        row[:len(labels)] = labels
    return filled


def digits_of(labels, digits):
    """Labels (...) -> their digits (..., digits), the highest first."""
    return np.asarray(labels)[..., None] // BASE ** np.arange(digits)[::-1] % BASE


def one_hot(labels, digits):
    """Labels (...) -> (..., 10 digits) float32; zeros for OPEN."""
    ones = np.eye(BASE, dtype=np.float32)[digits_of(labels, digits)]                # (..., digits, 10)
    ones[np.asarray(labels) == OPEN] = 0
    return ones.reshape(*np.shape(labels), -1)


def read(outputs, digits):
    """Logits (..., 30 digits) -> the triples of labels (..., 3) that a model says: its likeliest digit each time."""
    outputs = np.asarray(outputs)
    said = outputs.reshape(*outputs.shape[:-1], PARTS, digits, BASE).argmax(-1)
    return said @ BASE ** np.arange(digits)[::-1]
