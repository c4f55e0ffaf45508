"""Random graphs: points in a square, each with edges to its nearest neighbours (Graves et al. 2016, Nature, Methods)."""

from typing import NamedTuple

import numpy as np

from numpymem.tasks.lessons import drawn


class Graph(NamedTuple):
    """Nodes and kinds of edges by number."""

    nodes: int
    edges: int                # kinds of edges
    triples: np.ndarray       # (E, 3) int: source, kind of edge, destination
    names: tuple = ()         # of the nodes, if they have any


def random_graph(rng, nodes, out_degree):
    """A Graph. `nodes` and `out_degree` (of each node) are pairs (least, most); no node has more edges than there are others.

    No node has two outgoing edges of the same kind: who follows a kind knows where it leads. The kinds are twice as many as the
    highest out-degree, so that many edges are of the same kind, and the kind alone does not tell which edge is meant.
    """
    n = drawn(rng, nodes)
    degrees = np.minimum(rng.integers(out_degree[0], out_degree[1] + 1, n), n - 1)
    points = rng.random((n, 2))
    apart = ((points[:, None] - points) ** 2).sum(-1)                               # (n, n)
    np.fill_diagonal(apart, np.inf)
    taken = np.arange(n) < degrees[:, None]                                         # (n, n): the first so many neighbours
    edges = 2 * out_degree[1]
    kinds = rng.random((n, edges)).argsort(1)                                       # (n, edges): an order for each node
    source, place = np.nonzero(taken)
    return Graph(n, edges, np.stack([source, kinds[source, place], apart.argsort(1)[source, place]], axis=1))


def part_of(rng, graph, nodes):
    """A connected part of a Graph: so many nodes round a random one, with all edges among them, numbered anew.

    Nodes are taken in the order of a breadth-first search in which neighbours come in random order; edges count in both directions.
    """
    neighbours = [[] for _ in range(graph.nodes)]
    for source, _, destination in graph.triples.tolist():
        neighbours[source].append(destination)
        neighbours[destination].append(source)
    kept = [int(rng.integers(graph.nodes))]
    seen = set(kept)
    for node in kept:                                                               # grows while it is gone through
        for other in rng.permutation(neighbours[node]).tolist() if neighbours[node] else []:
            if other not in seen and len(kept) < nodes:
                seen.add(other)
                kept.append(other)
    number = np.full(graph.nodes, -1)
    number[kept] = np.arange(len(kept))
    inside = (number[graph.triples[:, 0]] >= 0) & (number[graph.triples[:, 2]] >= 0)
    source, edge, destination = graph.triples[inside].T
    return Graph(len(kept), graph.edges, np.stack([number[source], edge, number[destination]], axis=1),
                 tuple(graph.names[node] for node in kept) if graph.names else ())
