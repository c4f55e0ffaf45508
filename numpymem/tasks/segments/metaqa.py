"""MetaQA told segment by segment: facts about films, one a segment, then a question in English (`numpymem.data.metaqa`).

A question is told with facts of its topic entity among others from the whole knowledge base. Entities have new names in every
question, drawn at random (e0, e1, ...): what counts is what the facts say, no name can be learned by heart. Three facts:

    segments   e5 directed_by e2 | e0 has_genre e7 | e5 release_year e4          an item is a fact: subject, relation, object
    question   who is the director of e5
    answer     e2                                                               T = 1

The relation may have to be followed from object to subject: "what films did e2 direct" -> e5.
"""

from typing import NamedTuple

import numpy as np

from numpymem.data import metaqa as data
from numpymem.data.knowledge_base import KnowledgeBase
from numpymem.data.metaqa_format import TOPIC, UNKNOWN, steps
from numpymem.initial import check_at_least
from numpymem.tasks.batches import Segments
from numpymem.tasks.segments.common import (EVALUATION_BATCH, STORY_FORMS, SegmentTask, as_batch, check_segments_form, numbered,
                                             said)

PARTS = ("train", "valid", "test")
HELD_OUT = 0.1                                    # of the questions to train on, for validation
UNKNOWN_WORD = "<unknown>"                        # a word of a test question that no training question has


class AnswersBatch(NamedTuple):
    """A Batch of questions with more than one right answer, of which `targets` has one, drawn at random."""

    inputs: Segments
    targets: np.ndarray       # (1, B) int32
    mask: np.ndarray          # (1, B) float32
    right: np.ndarray         # (B, n_outputs) bool: all classes that are right


class MetaQA(SegmentTask):
    """Questions of one or two hops about `facts` facts.

    hops     how many facts a question needs
    facts    how many facts are told: first those on the right paths, as many as have room; then others of the topic entity; with
             two hops then others of its neighbours, in turn; then any of the knowledge base. They are shuffled
    source, folder  where the data comes from, see `numpymem.data.metaqa.load`
    raises   ValueError for a wrong argument; FileNotFoundError if there is no such data

    Training questions are the official dev questions, of which a tenth is held out for validation; test questions the official
    test questions: not the published protocol. Questions whose answer no path in the knowledge base leads to are left out
    (`left_out`). Of several right answers any counts, as in the published hits@1; answers that are not told do not.

    Attributes
    train, valid, test   lists of `Question`; the files are sorted by type, so each is shuffled once, always in the same way
    left_out             questions left out: (of dev, of test)
    """

    forms = STORY_FORMS

    def __init__(self, form="segments", hops=1, facts=32, source="auto", folder=None):
        data.check(hops, source, folder)
        self.name, self.form = "metaqa" if hops == 1 else f"metaqa{hops}", form
        check_segments_form(self.name, form, several=True)
        check_at_least("facts", facts, hops)
        loaded = data.load(hops, source, folder)
        self.hops, self.facts, self.n_items = hops, facts, facts
        if 2 * facts > len(loaded.facts):
            raise ValueError(f"facts: expected at most half of the {len(loaded.facts)} there are, received {facts}")
        self.entities, self.relations = loaded.entities, loaded.relations
        self.base = KnowledgeBase(loaded.facts, len(loaded.entities))
        self._hold(loaded.train, loaded.test)
        self._number_words()
        self.origin = (f"{loaded.origin}: {len(self.train):,} to train on, {len(self.valid):,} to validate, {len(self.test):,} to "
                       f"test; {sum(self.left_out):,} without a path left out; {facts} facts told, entities renamed; not the "
                       "published protocol")

    def sample(self, rng, batch_size):
        """A batch of training questions drawn with replacement."""
        check_at_least("batch_size", batch_size, 1)
        return self.batch(rng, [self.train[number] for number in rng.integers(len(self.train), size=batch_size)])

    def evaluation(self, rng, count, part="valid"):
        """Yield (AnswersBatch, questions in it) of a part: all, or the first `count`; rng None: a generator of seed 0."""
        if part not in PARTS:
            raise ValueError(f"part: expected one of {PARTS}, received {part!r}")
        rng = np.random.default_rng(0) if rng is None else rng
        asked = getattr(self, part)[:count]
        for start in range(0, len(asked), EVALUATION_BATCH):
            questions = asked[start:start + EVALUATION_BATCH]
            yield self.batch(rng, questions), len(questions)

    def count_wrong(self, outputs, batch):
        """Questions whose likeliest answer is not one of the right ones, and questions: two whole numbers.

        outputs  (1, B, n_outputs + Q), in the other forms as their targets
        """
        answers = said(outputs, batch)[batch.mask > 0]                                     # (B,); Q more may be said, all wrong
        right = np.pad(batch.right, ((0, 0), (0, outputs.shape[-1] - self.n_outputs)))
        return int((~right[np.arange(len(answers)), answers]).sum()), len(answers)

    # ---- one question ------------------------------------------------------------------------------------------------------

    def batch(self, rng, questions):
        """Questions, each with facts and new names -> AnswersBatch."""
        Q = max(len(question.words) for question in questions)
        told = np.zeros((len(questions), self.facts, 1, 3), np.int32)
        words = np.zeros((len(questions), Q), np.int32)
        right = np.zeros((len(questions), self.n_outputs), bool)
        for b, question in enumerate(questions):
            facts = self.base.facts[self.told(rng, question)]
            inside, number = np.unique(facts[:, ::2], return_inverse=True)                 # the entities that are told of
            names = rng.permutation(self.n_outputs)[:len(inside)]                          # their classes
            named = self._first_entity + names[number.reshape(-1, 2)]                      # (facts, 2)
            told[b, :, 0] = np.stack([named[:, 0], self._first_relation + facts[:, 1], named[:, 1]], axis=1)
            topic = self._first_entity + names[np.searchsorted(inside, question.topic)]
            words[b, :len(question.words)] = [topic if word == TOPIC else self._word_id.get(word, self._word_id[UNKNOWN_WORD])
                                              for word in question.words]
            answers = set(question.answers)
            right[b, [name for name, entity in zip(names, inside.tolist()) if entity in answers]] = True
        targets = (right * rng.random(right.shape)).argmax(1)                              # one of the right ones
        return AnswersBatch(*self.in_form(as_batch(told, words, targets[None])), right)

    def told(self, rng, question):
        """The numbers of the facts that a question is told with, in random order: (facts,) int."""
        kept = set()
        paths = self.paths(question)
        for number in rng.permutation(len(paths)):
            if len(kept.union(paths[number])) <= self.facts:
                kept.update(paths[number])
        for near in (self.of_topic, self.of_neighbours, self.of_all):
            for fact in near(rng, question.topic):
                if len(kept) < self.facts:
                    kept.add(fact)
        return rng.permutation(sorted(kept))

    def paths(self, question):
        """The right paths: tuples of numbers of facts that lead from the topic to an answer."""
        answers = set(question.answers)
        return [facts for facts, end in self.base.paths(question.topic, self._steps[question.kind]) if end in answers]

    def of_topic(self, rng, topic):
        """Facts of the topic entity in random order."""
        return rng.permutation(self.base.about(topic)).tolist()

    def of_neighbours(self, rng, topic):
        """With two hops: facts of the topic's neighbours, of each in turn one, at most `facts` of each."""
        if self.hops == 1:
            return []
        facts = [rng.permutation(self.base.about(entity))[:self.facts] for entity in self.base.neighbours(topic)]
        turn = np.concatenate([np.arange(len(each)) + rng.random(len(each)) for each in facts])
        return np.concatenate(facts)[turn.argsort()].tolist()

    def of_all(self, rng, _):
        """Any facts, none of them twice, as many as can be needed."""
        return rng.choice(len(self.base.facts), 2 * self.facts, replace=False).tolist()

    # ---- all questions -----------------------------------------------------------------------------------------------------

    def _hold(self, dev, test):
        """Take in the questions that have an answer, shuffled."""
        self._steps = {kind: steps(kind, self.relations) for kind in {question.kind for question in dev + test}}
        parts = [[question for question in part if question.topic != UNKNOWN and self.paths(question)] for part in (dev, test)]
        self.left_out = (len(dev) - len(parts[0]), len(test) - len(parts[1]))
        shuffled, self.test = ([part[number] for number in np.random.default_rng(0).permutation(len(part))] for part in parts)
        cut = len(shuffled) - round(HELD_OUT * len(shuffled))
        self.train, self.valid = shuffled[:cut], shuffled[cut:]

    def _number_words(self):
        """Number nil, the words of training questions, the relations and the names of entities."""
        words = sorted({word for question in self.train for word in question.words} - {TOPIC})
        names = numbered("e", 2 * self.facts)                                              # so many entities can be told of
        self.take_words([UNKNOWN_WORD, *words, *self.relations, *names], names)
        self._word_id = {word: 1 + number for number, word in enumerate([UNKNOWN_WORD, *words])}
        self._first_relation = 2 + len(words)
        self.max_sentence_words = max(3, *(len(question.words) for question in self.train + self.valid + self.test))
        self._first_entity = self._first_relation + len(self.relations)
