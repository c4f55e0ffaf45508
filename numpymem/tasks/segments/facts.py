"""Made facts: a small knowledge base is told fact by fact; then one is asked for, or one that follows from two.

Three facts, one a segment, and a question of one hop and of two:

    segments   e4 r1 e9 | e9 r0 e2 | e9 r1 e4          an item is a fact: subject, relation, object
    question   e4 r1              answer  e9           hops = 1
    question   e4 r1 r0           answer  e2           hops = 2: what e4 is related to by r1 is related to e2 by r0
                                                       T = 1
"""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.segments.common import EVALUATION_BATCH, STORY_FORMS, SegmentTask, as_batch, check_segments_form, numbered

ROOM = 10 ** 8                                    # numbers in the steps of a batch of an evaluation


class MadeFacts(SegmentTask):
    """Knowledge bases of `facts` facts about half as many entities; names are drawn anew for each.

    facts      how many facts (the reference sizes are 16, 64 and 256); an even number
    hops       1 or 2: how many facts a question needs
    entities   how many names there are for entities: the classes
    relations  how many relations there are
    raises     ValueError for a wrong argument

    No two facts have the same subject and relation; a subject has two facts on average, and no fact leads from an entity to
    itself, nor do the two of a question. So neither the subject nor the relation alone tells the answer. Counted are answers, one
    a question. A guess that knows nothing but the question is right once in `entities` - 1 times.
    """

    name, forms, max_sentence_words = "made-facts", STORY_FORMS, 3

    def __init__(self, form="segments", facts=16, hops=1, entities=128, relations=8):
        check_segments_form(self.name, form, several=True)
        check_at_least("hops", hops, 1)
        check_at_least("entities", entities, 2)
        check_at_least("relations", relations, 2)
        if hops > 2:
            raise ValueError(f"hops: expected 1 or 2, received {hops}")
        self.form = form
        self.take_words(numbered("e", entities) + numbered("r", relations), numbered("e", entities))
        self.check_facts(facts)
        self.facts, self.hops, self.relations, self.n_items = facts, hops, relations, facts
        self.origin = f"made facts: {facts} random facts, questions of {hops} hop{'s' * (hops > 1)}, made on the spot"

    def sizes(self):
        """The number of facts."""
        return [{"facts": self.facts}]

    def sample(self, rng, batch_size, facts=None):
        """A Batch of `batch_size` knowledge bases, each with one question; `facts`: more or fewer, to test on."""
        check_at_least("batch_size", batch_size, 1)
        facts = self.facts if facts is None else facts
        self.check_facts(facts)
        bases, questions, answers = zip(*(self.ask(rng, facts) for _ in range(batch_size)))
        return self.in_form(as_batch(1 + np.array(bases)[:, :, None], 1 + np.array(questions), [answers]))

    def at_once(self, facts=None):
        """Of very many facts only a few stories: told step by step, each fact is as wide as there are words."""
        return max(1, min(EVALUATION_BATCH, ROOM // ((facts or self.facts) * self.n_channels)))

    def check_facts(self, facts):
        """Refuse a number of facts that there are no names for."""
        check_at_least("facts", facts, 6)
        if facts % 2 or facts > 2 * self.n_outputs:
            raise ValueError(f"facts: expected an even number of at most {2 * self.n_outputs}, two for each of {self.n_outputs} "
                             f"entities, received {facts}")

    def ask(self, rng, number):
        """(facts, question, answer) by numbers from 0; relations count on from the entities."""
        while True:
            facts = self.base(rng, number)
            known = {(subject, relation): other for subject, relation, other in facts.tolist()}
            subject, relation, answer = facts[rng.integers(number)].tolist()
            if self.hops == 1:
                return facts, (subject, relation), answer
            onward = [second for (entity, second), other in known.items() if entity == answer and other != subject]
            if onward:
                second = onward[rng.integers(len(onward))]
                return facts, (subject, relation, second), known[answer, second]

    def base(self, rng, number):
        """`number` random facts (number, 3)."""
        n = number // 2
        names = rng.permutation(self.n_outputs)[:n]
        subject, relation = np.divmod(rng.permutation(n * self.relations)[:number], self.relations)
        other = (subject + rng.integers(1, n, number)) % n                      # any but the subject
        return np.stack([names[subject], self.n_outputs + relation, names[other]], axis=1)
