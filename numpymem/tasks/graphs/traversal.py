"""Graph traversal (Graves et al. 2016, Nature, Fig. 3): from a node, follow a list of edges; name every triple on the way.

    query    (start, edge 1, _) (_, edge 2, _) ... (_, edge n, _)
    answer   (start, edge 1, node 1) (node 1, edge 2, node 2) ... (node n-1, edge n, node n)
"""

from numpymem.tasks.graphs import underground
from numpymem.tasks.graphs.labels import OPEN
from numpymem.tasks.graphs.random_graphs import random_graph
from numpymem.tasks.graphs.task import GraphTask
from numpymem.tasks.lessons import between

SMALL = [                                         # first to look a triple up by one label, then by two, then one after the other
    {"nodes": (2, 4), "out_degree": (1, 1), "path": (1, 1)},
    {"nodes": (3, 5), "out_degree": (1, 2), "path": (1, 1)},
    {"nodes": (3, 5), "out_degree": (2, 2), "path": (1, 1)},
    {"nodes": (3, 5), "out_degree": (2, 2), "path": (1, 2)},
    {"nodes": (4, 6), "out_degree": (2, 3), "path": (1, 2)},
    {"nodes": (4, 6), "out_degree": (2, 3), "path": (1, 3)},
    {"nodes": (5, 8), "out_degree": (2, 3), "path": (1, 4)},
    {"nodes": (6, 10), "out_degree": (2, 3), "path": (1, 5)},
    {"nodes": (8, 12), "out_degree": (2, 3), "path": (1, 7)},
]
# The paper's first and last lesson and their number; those in between are even steps, not the paper's own.
PAPER = between({"nodes": (3, 10), "out_degree": (2, 4), "path": (1, 1)},
                {"nodes": (10, 40), "out_degree": (2, 6), "path": (1, 20)}, 14)


class Traversal(GraphTask):
    """Walks along random edges; a walk may come back to where it was."""

    name = "traversal"
    TABLES = {"small": SMALL, "paper": PAPER}

    draw_graph = staticmethod(random_graph)

    def ask(self, rng, graph, length):
        """(query, answer) of a random walk of `length` edges."""
        edges = [[] for _ in range(graph.nodes)]
        for triple in graph.triples.tolist():
            edges[triple[0]].append(triple)
        node, answer = rng.integers(graph.nodes), []
        for pick in rng.random(length):
            if not edges[node]:
                return None
            answer.append(edges[node][int(pick * len(edges[node]))])
            node = answer[-1][2]
        query = [[OPEN, kind, OPEN] for _, kind, _ in answer]
        query[0][0] = answer[0][0]
        return query, answer

    def underground(self, rng, length, stations=None):
        """A Question about the London Underground, or a part of it with so many stations."""
        return self.about(rng, underground.graph(), length, stations)
