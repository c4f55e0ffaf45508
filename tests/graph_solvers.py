"""Solvers of the graph tasks in plain Python. They see the inputs of one episode alone, as numbers; nothing here is numpymem's."""

from collections import deque


def episode(rows, digits):
    """Rows of one input -> (description, query, blank steps to plan in, steps to answer in): triples of labels, None for open."""
    described, query, plan, answer = [], [], 0, 0
    for row in rows:
        channels, flags = row[:30 * digits], row[30 * digits:]
        triple = tuple(label(channels[10 * digits * part:10 * digits * (part + 1)]) for part in range(3))
        assert sum(flags) <= 1
        if flags[0]:
            assert plan == answer == 0
            query.append(triple)
        elif flags[1]:
            assert triple == (None, None, None) and answer == 0
            plan += 1
        elif flags[2]:
            assert triple == (None, None, None)
            answer += 1
        elif triple == (None, None, None):
            assert not described and not query                       # blank steps only before the description
        else:
            assert not query and None not in triple
            described.append(triple)
    return described, query, plan, answer


def label(channels):
    """One-hot digits -> the label, None if all channels are 0."""
    tens = [channels[i:i + 10] for i in range(0, len(channels), 10)]
    if not any(channels):
        return None
    assert all(sorted(ten) == [0] * 9 + [1] for ten in tens)
    return int("".join(str(ten.index(1)) for ten in tens))


def walk(described, query):
    """Follow the edges of a traversal."""
    leads = {(source, edge): destination for source, edge, destination in described}
    assert len(leads) == len(described)                              # no fork: what to do is always clear
    here, said = query[0][0], []
    for _, edge, _ in query:
        said.append((here, edge, leads[here, edge]))
        here = said[-1][2]
    return said


def all_shortest(described, source, destination):
    """Every shortest path between two nodes, by breadth-first search over paths."""
    waiting, found = deque([[]]), []
    while waiting:
        path = waiting.popleft()
        if found and len(path) > len(found[0]):
            return found
        here = path[-1][2] if path else source
        if here == destination:
            found.append(path)
        been = {source, *(triple[2] for triple in path)}
        waiting.extend([*path, triple] for triple in described if triple[0] == here and triple[2] not in been)
    return found


def relatives(described):
    """The relations of a described family by set logic: a function (person, relation) -> set of people."""
    father, mother, son, daughter = ({(a, b) for a, kind, b in described if kind == number} for number in range(4))
    parent, child = father | mother, son | daughter
    assert child == {(b, a) for a, b in parent}                      # told both ways
    sibling = after(parent, child)
    brother, sister = after(parent, son), after(parent, daughter)
    uncle, aunt, cousin = after(parent, brother), after(parent, sister), after(sibling, child)
    by_name = {
        "father": father, "mother": mother, "son": son, "daughter": daughter, "brother": brother, "sister": sister,
        "paternal grandfather": after(father, father), "paternal grandmother": after(father, mother),
        "maternal grandfather": after(mother, father), "maternal grandmother": after(mother, mother),
        "grandson": after(child, son), "granddaughter": after(child, daughter),
        "paternal uncle": after(father, brother), "paternal aunt": after(father, sister),
        "maternal uncle": after(mother, brother), "maternal aunt": after(mother, sister),
        "nephew": after(sibling, son), "niece": after(sibling, daughter),
        "great-grandson": after(after(child, child), son), "great-granddaughter": after(after(child, child), daughter),
        "paternal great-uncle": after(father, uncle), "paternal great-aunt": after(father, aunt),
        "maternal great-uncle": after(mother, uncle), "maternal great-aunt": after(mother, aunt),
        "paternal cousin": after(father, cousin), "maternal cousin": after(mother, cousin),
        "great-nephew": after(after(sibling, child), son), "great-niece": after(after(sibling, child), daughter)}
    return lambda who, relation: {b for a, b in by_name[relation] if a == who}


def after(first, then):
    """Pairs (a, c) with (a, b) in `first` and (b, c) in `then`; nobody is related to her- or himself."""
    return {(a, c) for a, b in first for b2, c in then if b == b2 and a != c}
