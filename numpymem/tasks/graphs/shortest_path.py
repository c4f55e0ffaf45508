"""Shortest paths (Graves et al. 2016, Nature, Fig. 3): name every triple on the way from a node to another.

    query    (source, _, destination)
    answer   (source, edge 1, node 1) (node 1, edge 2, node 2) ... (node n-1, edge n, destination)

Only pairs of nodes are asked about that have ONE shortest path, so that there is one right answer. The paper asks about any pair
and trains with the path that is best from where the network has got to (recalled, not read again); for that it must be told its own
answers, which a batch made beforehand cannot do.
"""

import numpy as np

from numpymem.tasks.graphs import underground
from numpymem.tasks.graphs.labels import OPEN
from numpymem.tasks.graphs.random_graphs import random_graph
from numpymem.tasks.graphs.task import GraphTask

SMALL = [
    {"nodes": (2, 4), "out_degree": (1, 1), "path": (1, 1)},
    {"nodes": (3, 5), "out_degree": (1, 2), "path": (1, 1)},
    {"nodes": (3, 5), "out_degree": (2, 2), "path": (1, 1)},
    {"nodes": (4, 6), "out_degree": (2, 2), "path": (1, 2)},
    {"nodes": (5, 8), "out_degree": (2, 3), "path": (1, 2)},
    {"nodes": (6, 10), "out_degree": (2, 3), "path": (1, 3)},
    {"nodes": (8, 12), "out_degree": (2, 3), "path": (2, 4)},
    {"nodes": (10, 15), "out_degree": (2, 3), "path": (2, 5)},
]


class ShortestPath(GraphTask):
    """Shortest paths of a drawn length between nodes that have no other."""

    name = "shortest-path"
    TABLES = {"small": SMALL}

    draw_graph = staticmethod(random_graph)

    def __init__(self, form="sequence", lessons="small", lesson=1, passing=90.0, digits=2, planning=10):
        super().__init__(form, lessons, lesson, passing, digits, planning)

    def ask(self, rng, graph, length):
        """(query, answer) of a shortest path of `length` edges, or None if there is none that is alone."""
        apart, ways = shortest(graph, length)
        sources, destinations = np.nonzero((apart == length) & (ways == 1))
        if len(sources) == 0:
            return None
        pick = rng.integers(len(sources))
        node, end = sources[pick], destinations[pick]
        answer = []
        for left in range(length, 0, -1):                                           # the one edge that leads nearer
            on_way = (graph.triples[:, 0] == node) & (apart[graph.triples[:, 2], end] == left - 1)
            [triple] = graph.triples[on_way]
            answer.append(triple)
            node = triple[2]
        return [[sources[pick], OPEN, end]], answer

    def underground(self, rng, length, stations=None):
        """A Question about the London Underground, or a part of it with so many stations."""
        return self.about(rng, underground.graph(), length, stations)


def shortest(graph, most):
    """How far nodes are apart, up to `most` edges, and how many shortest paths there are -> (n, n), (n, n); -1 apart: farther.

    Edge by edge: ways of so many edges are products of the table of edges, and the first that arrive are the shortest. Two edges
    between the same nodes are two ways.
    """
    table = np.zeros((graph.nodes, graph.nodes), int)
    np.add.at(table, (graph.triples[:, 0], graph.triples[:, 2]), 1)
    ways = walks = np.eye(graph.nodes, dtype=int)
    apart = walks - 1                                                               # 0 to itself, -1 elsewhere
    for length in range(1, most + 1):
        walks = walks @ table
        new = (walks > 0) & (apart < 0)
        apart, ways = np.where(new, length, apart), np.where(new, walks, ways)
    return apart, ways
