"""Task 20: why people go where they go."""

from .story import GETS, MOVES, pick

ACTORS = ("Jason", "Antoine", "Sumit", "Yann")
# What an actor is -> where he will go, and what he will get there.
GOALS = {
    "hungry": ("kitchen", "apple"),
    "thirsty": ("kitchen", "milk"),
    "bored": ("garden", "football"),
    "tired": ("bedroom", "pajamas"),
}


def agents_motivations(story, rng):
    """Task 20: each actor is in a state, goes, and gets what he wants if it is still there; a question about each step.

    The actors take turns at random.  States are drawn with replacement, and there is one thing for each.
    """
    state = {actor: pick(rng, list(GOALS)) for actor in ACTORS}
    state_ids, gone, taken = {}, set(), set()
    busy = list(ACTORS)
    while busy:
        actor = pick(rng, busy)
        name, why = actor.lower(), state[actor]
        room, thing = GOALS[why]
        if actor not in state_ids:
            state_ids[actor] = story.tell(f"{actor} is {why}.")
            story.ask(f"Where will {name} go?", room, [state_ids[actor]])
        elif actor not in gone:
            gone.add(actor)
            story.tell(f"{actor} {pick(rng, MOVES)} the {room}.")
            story.ask(f"Why did {name} go to the {room}?", why, [state_ids[actor]])
        else:
            taken.add(thing)
            story.tell(f"{actor} {pick(rng, GETS)} the {thing} there.")
            story.ask(f"Why did {name} get the {thing}?", why, [state_ids[actor]])
            busy.remove(actor)
        # Who has arrived and finds nothing left is done.
        busy = [other for other in busy if other not in gone or GOALS[state[other]][1] not in taken]
