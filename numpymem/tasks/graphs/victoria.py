"""A family tree to test on: Queen Victoria's parents, and of her descendants some who sat on European thrones or beside them.

Left out: five of her nine children, most of her grandchildren and great-grandchildren, and the parents of those who married into
the family. The generation of Elizabeth II and Philip, who are third cousins, is the last.
"""

import functools

import numpy as np

from numpymem.tasks.graphs.random_graphs import Graph
from numpymem.tasks.graphs.relations import RELATIONS, edges_of

FAMILIES = (                                      # father, mother, sons, daughters; in generations
    ("Edward of Kent", "Victoria of Coburg", (), ("Queen Victoria",)),
    ("Prince Albert", "Queen Victoria", ("Edward VII",), ("Empress Victoria", "Alice", "Beatrice")),
    ("Frederick III", "Empress Victoria", ("Wilhelm II",), ("Sophia",)),
    ("Edward VII", "Alexandra", ("George V",), ("Maud",)),
    ("Louis IV", "Alice", ("Ernest Louis",), ("Victoria of Hesse", "Alix")),
    ("Henry of Battenberg", "Beatrice", (), ("Victoria Eugenie",)),
    ("Constantine I", "Sophia", ("George II", "Alexander", "Paul"), ()),
    ("George V", "Mary of Teck", ("Edward VIII", "George VI"), ("Princess Mary",)),
    ("Haakon VII", "Maud", ("Olav V",), ()),
    ("Louis of Battenberg", "Victoria of Hesse", ("Louis Mountbatten",), ("Alice of Battenberg",)),
    ("Nicholas II", "Alix", ("Alexei",), ("Olga", "Tatiana", "Maria", "Anastasia")),
    ("Alfonso XIII", "Victoria Eugenie", ("Juan",), ()),
    ("George VI", "Elizabeth Bowes-Lyon", (), ("Elizabeth II", "Margaret")),
    ("Andrew of Greece", "Alice of Battenberg", ("Philip",), ()),
)
PEOPLE = tuple(dict.fromkeys(name for father, mother, sons, daughters in FAMILIES for name in (father, mother, *sons, *daughters)))


@functools.cache
def graph():
    """The tree as a Graph; `names` are PEOPLE."""
    number = {name: index for index, name in enumerate(PEOPLE)}
    triples = [triple for father, mother, sons, daughters in FAMILIES for child in (*sons, *daughters)
               for triple in edges_of(number[child], child in sons, number[father], number[mother])]
    return Graph(len(PEOPLE), len(RELATIONS), np.array(triples), PEOPLE)
