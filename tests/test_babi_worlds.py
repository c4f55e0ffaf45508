"""Tests of meaning: plain rules answer every question, of the generated worlds and of the real files where present."""

import os
from collections import Counter
from functools import lru_cache
from unittest import mock

import numpy as np
import pytest

from numpymem.data import babi, babi_worlds
from numpymem.data.babi_format import parse

TASKS = (1, 2, 6, 15, 19)
SINGULAR = {"mice": "mouse", "sheep": "sheep", "wolves": "wolf", "cats": "cat"}


def available_sources():
    """("generated",) or, if real files are at hand without the network, ("generated", "real")."""
    with mock.patch.dict(os.environ, NUMPYMEM_OFFLINE="1"):
        try:
            babi.load(1, source="real")
        except FileNotFoundError:
            return ("generated",)
    return ("generated", "real")


@lru_cache
def load(task, source):
    """As babi.load, once a task and never from the network."""
    with mock.patch.dict(os.environ, NUMPYMEM_OFFLINE="1"):
        return babi.load(task, source=source)


def is_move(sentence):
    return sentence[1] in ("went", "travelled", "journeyed", "moved")


def latest_move(story, actor, before=None):
    """Index of the latest move of an actor."""
    return max(i for i, s in enumerate(story[:before]) if s[0] == actor and is_move(s))


def read_where_is_actor(story, question):
    move = latest_move(story, question[-1])
    return story[move][-1], (move,)


def read_is_actor_there(story, question):
    move = latest_move(story, question[1])
    return "yes" if story[move][-1] == question[-1] else "no", (move,)


def read_where_is_object(story, question):
    thing = question[-1]
    transfer = max(i for i, s in enumerate(story) if thing in s and not is_move(s))
    actor, *verb = story[transfer]
    dropped = verb[0] in ("dropped", "discarded", "left", "put")
    move = latest_move(story, actor, before=transfer if dropped else None)
    return story[move][-1], (transfer, move)


def read_basic_deduction(story, question):
    kind_index = next(i for i, s in enumerate(story) if s[0] == question[2])
    kind = story[kind_index][-1]
    fear_index = next(i for i, s in enumerate(story) if s[1] == "are" and SINGULAR[s[0]] == kind)
    return SINGULAR[story[fear_index][-1]], (kind_index, fear_index)


def read_path_finding(story, question):
    """Breadth-first search over the told relations."""
    opposite = {"n": "s", "s": "n", "e": "w", "w": "e"}
    start, goal = question[6], question[9]
    steps = {}
    for index, (_, room, _, direction, _, _, other) in enumerate(story):
        steps.setdefault(other, []).append((room, direction[0], index))
        steps.setdefault(room, []).append((other, opposite[direction[0]], index))
    queue, seen = [(start, (), ())], {start}
    while queue:
        room, letters, used = queue.pop(0)
        if room == goal:
            return ",".join(letters), used
        for following, letter, index in steps[room]:
            if following not in seen:
                seen.add(following)
                queue.append((following, (*letters, letter), (*used, index)))
    raise AssertionError(f"no path from {start} to {goal}")


READERS = {1: read_where_is_actor, 2: read_where_is_object, 6: read_is_actor_there,
           15: read_basic_deduction, 19: read_path_finding}


@pytest.mark.parametrize("source", available_sources())
@pytest.mark.parametrize("task", TASKS)
def test_a_rule_reader_finds_every_answer_and_every_supporting_fact(task, source):
    data = load(task, source)
    assert len(data.train) == len(data.test) == 1000
    for question in data.train + data.test:
        answer, supports = READERS[task](question.story, question.question)
        assert (answer, supports) == (question.answer, question.supports), question


# Measured on release 1.2: statements before a question (mean), words of the longest sentence, words, answers.
MEASURED = {1: (6.0, 6, 19, 6), 2: (15.4, 6, 33, 6), 6: (6.3, 6, 33, 2), 15: (8, 5, 17, 4), 19: (5, 10, 19, 12)}


@pytest.mark.parametrize("source", available_sources())
@pytest.mark.parametrize("task", TASKS)
def test_sizes_are_those_of_the_release(task, source):
    data = load(task, source)
    questions = data.train + data.test
    sentences = [s for q in questions for s in (*q.story, q.question)]
    mean, longest, n_words, n_answers = MEASURED[task]
    assert np.mean([len(q.story) for q in questions]) == pytest.approx(mean, rel=0.1)
    assert max(len(s) for s in sentences) == longest
    assert len({word for s in sentences for word in s}) == n_words
    assert len({q.answer for q in questions}) == n_answers


@pytest.mark.parametrize("task", TASKS)
def test_same_generator_state_same_text_and_exactly_as_many_questions(task):
    for n_questions in (1, 7, 50):
        text = babi_worlds.generate(task, n_questions, np.random.default_rng(3))
        assert text == babi_worlds.generate(task, n_questions, np.random.default_rng(3))
        assert len(parse(text, "generated")) == n_questions
    assert text != babi_worlds.generate(task, n_questions, np.random.default_rng(4))


def test_the_smaller_generated_set_is_the_beginning_of_the_larger():
    few = babi_worlds.generate(2, 30, np.random.default_rng(0))
    many = babi_worlds.generate(2, 60, np.random.default_rng(0))
    assert parse(many, "many")[:30] == parse(few, "few")


def test_yes_and_no_are_balanced():
    questions = parse(babi_worlds.generate(6, 2000, np.random.default_rng(0)), "generated")
    share = Counter(q.answer for q in questions)["yes"] / 2000
    assert share == pytest.approx(0.5, abs=0.05)


def test_rooms_never_share_a_place_on_the_grid():
    for question in parse(babi_worlds.generate(19, 300, np.random.default_rng(0)), "generated"):
        spot = {question.story[0][1]: (0, 0)}
        while len(spot) < 6:
            for _, room, _, direction, _, _, other in question.story:
                dx, dy = babi_worlds.STEPS[direction]
                if other in spot:
                    spot[room] = (spot[other][0] + dx, spot[other][1] + dy)
                elif room in spot:
                    spot[other] = (spot[room][0] - dx, spot[room][1] - dy)
        assert len(set(spot.values())) == 6


@pytest.mark.parametrize(("task", "n_questions", "message"), [(3, 10, "task: .*received 3"), (1, 0, "n_questions")])
def test_wrong_arguments_are_named(task, n_questions, message):
    with pytest.raises(ValueError, match=message):
        babi_worlds.generate(task, n_questions, np.random.default_rng(0))
