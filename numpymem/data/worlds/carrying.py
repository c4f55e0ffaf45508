"""Tasks 1, 2, 3, 5, 6, 7 and 8: who is where, who carries what, who gave what to whom.

All add two statements and then ask, if they can, about a random one of the latest five that will do (task 5: the
latest); so questions are an even number of statements apart, as in the release.
"""

from .house import House, other_room
from .story import QUESTIONS_A_STORY, pick

GIVERS = ("Bill", "Fred", "Jeff", "Mary")        # the cast of task 5

CARRY = ("move", "get", "drop")
# Measured: what can be given is given three times as often as it is dropped.
HAND_ON = (*CARRY, "give", "give", "give")
NUMBERS = ("none", "one", "two", "three")


def where_is_actor(story, rng):
    """Task 1: two moves, then "Where is Mary?", five times."""
    for house in _stops(story, rng, House(story, rng), ("move",)):
        _, actor, _ = pick(rng, house.recent)
        story.ask(f"Where is {actor}?", house.room[actor], [house.move_id[actor]])


def where_is_object(story, rng):
    """Task 2: actors also carry things; "Where is the milk?" after every two statements, if answerable."""
    for house in _stops(story, rng, House(story, rng), CARRY):
        # Like the released files, ask only for a thing that was taken or dropped lately.
        known = [thing for kind, _, thing in house.recent if kind != "move" and house.find(thing)]
        if known:
            thing = pick(rng, known)
            room, supports = house.find(thing)
            story.ask(f"Where is the {thing}?", room, supports)


def where_was_object(story, rng):
    """Task 3: "Where was the milk before the office?", of a thing carried through two rooms or more; long stories."""
    for house in _stops(story, rng, House(story, rng, get_there=0.2), CARRY):
        known = [thing for kind, _, thing in house.recent if kind != "move" and len(house.journey[thing]) > 1]
        if known:
            thing = pick(rng, known)
            room, before, supports = house.trace(thing)
            story.ask(f"Where was the {thing} before the {room}?", before, supports)


def who_gave_what(story, rng):
    """Task 5: the latest gift; "What did Bill give to Fred?" and four other ways to ask for gift, giver or receiver."""
    for house in _stops(story, rng, House(story, rng, actors=GIVERS), HAND_ON):
        if any(kind == "give" for kind, _, _ in house.recent):
            identity, giver, thing, receiver = house.gifts[-1]
            question, answer = pick(rng, (
                (f"What did {giver} give to {receiver}?", thing),
                (f"What did {giver} give to {receiver}?", thing),       # twice as often: measured
                (f"Who gave the {thing}?", giver),
                (f"Who received the {thing}?", receiver),
                (f"Who gave the {thing} to {receiver}?", giver),
                (f"Who did {giver} give the {thing} to?", receiver),
            ))
            story.ask(question, answer, [identity])


def is_actor_there(story, rng):
    """Task 6: the world of task 2, "Is Mary in the kitchen?"; yes and no equally often."""
    for house in _stops(story, rng, House(story, rng), CARRY):
        known = [actor for kind, actor, _ in house.recent if kind == "move"]
        if known:
            actor = pick(rng, known)
            room = house.room[actor]
            asked, answer = (room, "yes") if rng.random() < 0.5 else (other_room(rng, room), "no")
            story.ask(f"Is {actor} in the {asked}?", answer, [house.move_id[actor]])


def how_many_objects(story, rng):
    """Task 7: with gifts, "How many objects is Mary carrying?"; all that she took, lost, gave or received supports it."""
    for house in _stops(story, rng, House(story, rng), HAND_ON):
        known = [actor for kind, actor, _ in house.recent if kind != "move"]
        if known:
            actor = pick(rng, known)
            held, supports = house.belongings(actor)
            story.ask(f"How many objects is {actor} carrying?", NUMBERS[sum(held.values())], sorted(supports))


def what_is_carried(story, rng):
    """Task 8: "What is Mary carrying?": nothing, or a list without blanks, in the order in which she first took them."""
    for house in _stops(story, rng, House(story, rng), CARRY):
        known = [actor for kind, actor, _ in house.recent if kind != "move"]
        if known:
            actor = pick(rng, known)
            held, supports = house.belongings(actor)
            answer = ",".join(thing for thing in held if held[thing]) or "nothing"
            story.ask(f"What is {actor} carrying?", answer, supports)


def _stops(story, rng, house, kinds):
    """Tell two actions and yield the house, until five questions have been asked."""
    story.blank_before_tab = True
    while len(story.question_ids) < QUESTIONS_A_STORY:
        house.act(kinds)
        house.act(kinds)
        yield house
