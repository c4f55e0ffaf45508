"""A knowledge base: facts (subject, relation, object) by number, and what can be reached along them."""

import numpy as np


class KnowledgeBase:
    """Facts, and for each entity where it is told of.

    facts      (F, 3) int: subject, relation, object
    entities   how many entities there are
    """

    def __init__(self, facts, entities):
        self.facts = np.asarray(facts)
        self.rows = self.facts.tolist()                                             # for reading one by one
        subject, object_ = self.facts[:, 0], self.facts[:, 2]
        inward = np.flatnonzero(subject != object_)                                 # a fact counts once for an entity
        ends = np.concatenate([subject, object_[inward]])
        order = ends.argsort(kind="stable")
        self._about = np.concatenate([np.arange(len(subject)), inward])[order]
        self._starts = np.searchsorted(ends[order], np.arange(entities + 1))
        self._ways = {}                                                             # of the entities asked for so far

    def about(self, entity):
        """Numbers of the facts that an entity is the subject or the object of: (n,) int."""
        return self._about[self._starts[entity]:self._starts[entity + 1]]

    def neighbours(self, entity):
        """The entities at the other end of these facts, each once, in order."""
        return sorted({end for fact in self.about(entity) for end in self.rows[fact][::2]} - {entity})

    def follow(self, entity, relation, forward):
        """[(number of a fact, entity at its other end)] of a relation, from subject to object or, not forward, back."""
        if entity not in self._ways:
            self._ways[entity] = self._ways_of(entity)
        return self._ways[entity].get((relation, forward), [])

    def _ways_of(self, entity):
        """What `follow` finds from an entity, for each (relation, forward)."""
        ways = {}
        for fact in self.about(entity).tolist():
            subject, relation, object_ = self.rows[fact]
            if subject == entity:
                ways.setdefault((relation, True), []).append((fact, object_))
            if object_ == entity:
                ways.setdefault((relation, False), []).append((fact, subject))
        return ways

    def paths(self, entity, steps):
        """All ways from an entity along `steps`, each (relation, forward): [(tuple of numbers of facts, where it ends)]."""
        ways = [((), entity)]
        for step in steps:
            ways = [((*facts, fact), end) for facts, here in ways for fact, end in self.follow(here, *step)]
        return ways
