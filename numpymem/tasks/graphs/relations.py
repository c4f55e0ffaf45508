"""Family relations, as steps from a person to a set of people, and random families.

A family is a Graph whose edges are of four kinds, FATHER, MOTHER, SON and DAUGHTER: (person, mother, her or his mother) and so on.
All other relations follow from these.
"""

from typing import NamedTuple

import numpy as np

from numpymem.tasks.graphs.random_graphs import Graph
from numpymem.tasks.lessons import drawn

FATHER, MOTHER, SON, DAUGHTER = range(4)
STEPS = {                                         # a step, and how many edges it goes along
    "father": 1, "mother": 1, "parent": 1, "son": 1, "daughter": 1, "child": 1, "brother": 2, "sister": 2, "sibling": 2,
}
RELATIONS = {                                     # a relation: the steps to it. Its number is its label; the first four are edges
    "father": ("father",), "mother": ("mother",), "son": ("son",), "daughter": ("daughter",),
    "brother": ("brother",), "sister": ("sister",),
    "paternal grandfather": ("father", "father"), "paternal grandmother": ("father", "mother"),
    "maternal grandfather": ("mother", "father"), "maternal grandmother": ("mother", "mother"),
    "grandson": ("child", "son"), "granddaughter": ("child", "daughter"),
    "paternal uncle": ("father", "brother"), "paternal aunt": ("father", "sister"),
    "maternal uncle": ("mother", "brother"), "maternal aunt": ("mother", "sister"),
    "nephew": ("sibling", "son"), "niece": ("sibling", "daughter"),
    "great-grandson": ("child", "child", "son"), "great-granddaughter": ("child", "child", "daughter"),
    "paternal great-uncle": ("father", "parent", "brother"), "paternal great-aunt": ("father", "parent", "sister"),
    "maternal great-uncle": ("mother", "parent", "brother"), "maternal great-aunt": ("mother", "parent", "sister"),
    "paternal cousin": ("father", "sibling", "child"), "maternal cousin": ("mother", "sibling", "child"),
    "great-nephew": ("sibling", "child", "son"), "great-niece": ("sibling", "child", "daughter"),
}
NAMES = tuple(RELATIONS)
LENGTHS = tuple(sum(STEPS[step] for step in steps) for steps in RELATIONS.values())                # edges along the way: 1 to 4
MOST_CHILDREN, MARRIES = 3, 0.7


class Person(NamedTuple):
    """Who is directly related to somebody: sets of people by number, each empty if nobody is known."""

    father: set
    mother: set
    son: set
    daughter: set


def people_of(graph):
    """A Person for each node of a family."""
    people = [Person(set(), set(), set(), set()) for _ in range(graph.nodes)]
    for person, kind, other in graph.triples.tolist():
        people[person][kind].add(other)
    return people


def one_step(people, who, step):
    """The set of people one step of STEPS from `who`."""
    person = people[who]
    if step == "parent":
        return person.father | person.mother
    if step == "child":
        return person.son | person.daughter
    if step in ("brother", "sister", "sibling"):
        of_parents = {"brother": "son", "sister": "daughter", "sibling": "child"}[step]
        return {other for parent in person.father | person.mother for other in one_step(people, parent, of_parents)} - {who}
    return getattr(person, step)


def related(people, who, relation):
    """The set of people who are the `relation` of `who`; half brothers are brothers."""
    found = {who}
    for step in RELATIONS[relation]:
        found = {other for each in found for other in one_step(people, each, step)}
    return found


def random_family(rng, people):
    """A Graph of a family that descends from one couple; `people` a pair (least, most).

    A couple has one to three children, each of whom marries with probability 0.7; whose turn it is to have children is drawn, so
    that some families are deep and some are broad. Whoever marries has children: a place left over goes to one child more.
    """
    n = drawn(rng, people)
    father, mother, born = 0, 1, 2
    marry, triples = [], []                                          # those who will, as (number, boy)
    while born < n:
        for _ in range(min(rng.integers(1, MOST_CHILDREN + 1), n - born)):
            boy = bool(rng.integers(2))
            triples += edges_of(born, boy, father, mother)
            if not marry or rng.random() < MARRIES:
                marry.append((born, boy))
            born += 1
        if n - born >= 2:
            (one, boy), other = marry.pop(rng.integers(len(marry))), born
            father, mother = (one, other) if boy else (other, one)
            born += 1
    return Graph(n, len(RELATIONS), np.array(triples))


def edges_of(child, boy, father, mother):
    """The four triples of a birth."""
    kind = SON if boy else DAUGHTER
    return [(child, FATHER, father), (child, MOTHER, mother), (father, kind, child), (mother, kind, child)]
