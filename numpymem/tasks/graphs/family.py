"""Inference on family trees (Graves et al. 2016, Nature, Fig. 3): who is this person's maternal great-aunt?

    description   (person, father, person), (person, mother, ...), (person, son, ...), (person, daughter, ...): these four only
    query         (person, relation, _)
    answer        (person, relation, the other person)

A relation goes along one to four edges of the tree. Only questions are asked that have ONE answer. People have new labels in every
episode, relations always the same: what they mean cannot be told, it must be learned.
"""

from numpymem.initial import check_at_least
from numpymem.tasks.graphs import victoria
from numpymem.tasks.graphs.labels import OPEN
from numpymem.tasks.graphs.relations import LENGTHS, NAMES, people_of, random_family, related
from numpymem.tasks.graphs.task import GraphTask

SMALL = [
    {"people": (3, 3), "steps": (1, 1)},
    {"people": (3, 5), "steps": (1, 1)},
    {"people": (5, 8), "steps": (1, 1)},
    {"people": (5, 8), "steps": (1, 2)},
    {"people": (8, 12), "steps": (1, 2)},
    {"people": (8, 12), "steps": (1, 3)},
    {"people": (12, 16), "steps": (1, 4)},
    {"people": (16, 20), "steps": (1, 4)},
    {"people": (20, 25), "steps": (1, 4)},                   # as many people as in the paper's last lesson
]


class Family(GraphTask):
    """Relations of one to four steps in random families."""

    name = "family"
    length_name = "steps"
    fixed_edges = True
    TABLES = {"small": SMALL}

    draw_graph = staticmethod(random_family)

    def ask(self, rng, graph, length):
        """(query, answer) of a random relation of `length` steps that somebody has exactly once, or None."""
        people = people_of(graph)
        relations = [number for number, steps in enumerate(LENGTHS) if steps == length]
        for relation in rng.permutation(relations).tolist():
            found = [related(people, who, NAMES[relation]) for who in range(graph.nodes)]
            asked = [who for who, others in enumerate(found) if len(others) == 1]
            if asked:
                who = asked[rng.integers(len(asked))]
                [other] = found[who]
                return [[who, relation, OPEN]], [[who, relation, other]]
        return None

    def royal(self, rng, length, people=None):
        """A Question about the family of Queen Victoria, or a part of it with so many people: who is not told is not counted."""
        check_at_least("length", length, 1)
        return self.about(rng, victoria.graph(), length, people)
