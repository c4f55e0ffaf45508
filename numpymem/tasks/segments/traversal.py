"""Traversal over segments: a graph is told edge by edge; then go from a node along some edges, and name every node on the way.

After the graph tasks of Graves et al. 2016 (Nature, Fig. 3), smaller. Three edges, and a walk along two of them:

    segments   n2 a n0 | n1 b n2 | n0 c n1          an item is a triple: from, kind of edge, to
    question   n2 a c                               where one starts, then the kinds of edges
    prompt     .  n0                                what was right the step before
    answer     n0 n1                                T = as many steps as there are edges to go

With the prompt a step needs one look-up only, of the node said before and the next edge. With last=True nothing is said on the way:

    prompt     .
    answer     n1                                   T = 1: every look-up but the last must be made in silence
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.graphs.random_graphs import random_graph
from numpymem.tasks.lessons import check_range
from numpymem.tasks.segments.common import (LETTERS, STORY_FORMS, SegmentTask, as_batch, check_segments_form, one_a_segment,
                                             wrong_steps)

OUT_DEGREE = (1, 3)                               # of a node: whoever walks can always go on
TRIES = 1000                                      # graphs drawn until one has a number of edges that is wanted


class SegmentTraversal(SegmentTask):
    """Random walks of 1 to max_steps edges, uniform; one length for a whole batch.

    nodes, edges  pairs (least, most): how many a graph has
    max_steps     edges of the longest walk
    last          True: only the last node is asked for; None: in every form but "segments", which alone can ask for all
    raises        ValueError for a wrong argument

    The graphs are those of the DNC's tasks (`random_graph`), each node with one to three edges to its nearest neighbours; nodes and
    kinds of edges have new names in every graph. Counted are walks in which a node is wrong, and walks. Neighbours are often each
    other's: who sees only the question does best to say that the second step leads back.
    """

    name, forms = "segment-traversal", STORY_FORMS

    def __init__(self, form="segments", nodes=(6, 8), edges=(10, 16), max_steps=4, last=None):
        last = form != "segments" if last is None else last
        check_segments_form(self.name, form, several=last is True)
        check_range("nodes", nodes)
        check_range("edges", edges)
        check_at_least("nodes", nodes[0], 2)
        if edges[1] < OUT_DEGREE[0] * nodes[1] or edges[0] > OUT_DEGREE[1] * nodes[0]:
            raise ValueError(f"edges: expected some that {nodes[0]} to {nodes[1]} nodes can have, from {OUT_DEGREE[0]} to "
                             f"{OUT_DEGREE[1]} each, received {edges}")
        check_at_least("max_steps", max_steps, 1)
        if not isinstance(last, bool):
            raise ValueError(f"last: expected True or False, received {last!r}")
        names = [f"n{node}" for node in range(nodes[1])]
        self.form, self.max_sentence_words = form, max(3, 1 + max_steps)
        self.take_words(names + list(LETTERS[:2 * OUT_DEGREE[1]]), names)
        self.nodes, self.edges, self.max_steps, self.last, self.n_items = nodes, edges, max_steps, last, edges[1]
        self.origin = (f"segment traversal: random graphs of {nodes[0]} to {nodes[1]} nodes and {edges[0]} to {edges[1]} edges, "
                       f"walks of 1 to {max_steps} edges, made on the spot")

    def sizes(self):
        """Every length of a walk."""
        return [{"steps": n} for n in range(1, self.max_steps + 1)]

    def sample(self, rng, batch_size, steps=None):
        """A Batch of `batch_size` walks, all of `steps` edges (None: drawn; more than max_steps: to test on)."""
        steps = int(rng.integers(1, self.max_steps + 1)) if steps is None else steps
        check_at_least("steps", steps, 1)
        check_at_least("batch_size", batch_size, 1)
        graphs = [self.graph(rng) for _ in range(batch_size)]
        questions, answers = zip(*(self.walk(rng, triples, steps) for triples in graphs))
        targets = np.array(answers).T[-1:] if self.last else np.array(answers).T
        return self.in_form(as_batch(one_a_segment([1 + triples for triples in graphs]), 1 + np.array(questions), targets))

    def graph(self, rng):
        """The triples (E, 3) of a random graph in random order, by numbers from 0; kinds of edges count on from the nodes."""
        for _ in range(TRIES):
            graph = random_graph(rng, self.nodes, OUT_DEGREE)
            if self.edges[0] <= len(graph.triples) <= self.edges[1]:
                names = rng.permutation(self.n_outputs)
                source, kind, destination = rng.permutation(graph.triples).T
                return np.stack([names[source], self.n_outputs + kind, names[destination]], axis=1)
        raise ValueError(f"edges: expected a number that random graphs of {self.nodes[0]} to {self.nodes[1]} nodes often have, "
                         f"received {self.edges}")

    def walk(self, rng, triples, steps):
        """([start, kind, kind ...], [node, node ...]) of a random walk of so many steps."""
        leave = {}
        for source, kind, destination in triples.tolist():
            leave.setdefault(source, []).append((kind, destination))
        node = int(triples[rng.integers(len(triples)), 0])
        question, answer = [node], []
        for pick in rng.random(steps):
            kind, node = leave[node][int(pick * len(leave[node]))]
            question.append(kind)
            answer.append(node)
        return question, answer

    def count_wrong(self, outputs, batch):
        """Walks in which a node is wrong, each after the right ones before it, and walks: two whole numbers."""
        wrong = wrong_steps(outputs, batch) & (batch.mask > 0)
        if self.form == "story":
            wrong = wrong[None]
        return int(wrong.any(0).sum()), wrong.shape[1]
