"""Task 14: visits at four times of the day, told out of order."""

from .story import MOVES, QUESTIONS_A_STORY, TOWN_ACTORS, TOWN_PLACES, WINDOW, pick, pick_other

TIMES = ("yesterday", "this morning", "this afternoon", "this evening")


def time_reasoning(story, rng):
    """Task 14: "Where was Mary before the park?": where she was at the time before.

    What has happened since the last question is told in random order; so the times told of each actor are without a
    gap whenever something is asked.
    """
    story.blank_before_tab = True
    visits = {actor: [] for actor in TOWN_ACTORS}       # actor -> places, one a time of the day
    ids = {}                                            # (actor, time) -> ID of the statement
    recent, untold = [], []                             # (actor, time) in the order in which it happened
    while len(story.question_ids) < QUESTIONS_A_STORY:
        for _ in range(2):
            actor = pick(rng, [actor for actor in TOWN_ACTORS if len(visits[actor]) < len(TIMES)])
            untold.append((actor, len(visits[actor])))
            visits[actor].append(pick_other(rng, TOWN_PLACES, *visits[actor][-1:]))
        recent = (recent + untold[-2:])[-WINDOW:]
        steps = [(actor, time) for actor, time in recent if time > 0]       # those with a visit before
        if steps:
            for index in rng.permutation(len(untold)):
                actor, time = untold[index]
                ids[actor, time] = story.tell(_visit(rng, actor, visits[actor][time], TIMES[time]))
            untold = []
            _ask(story, *pick(rng, steps), visits, ids)


def _visit(rng, actor, place, time):
    text = f"{actor} {pick(rng, MOVES)} the {place}"
    return f"{time.capitalize()} {text}." if rng.random() < 0.5 else f"{text} {time}."


def _ask(story, actor, time, visits, ids):
    """Ask for the place before; of two visits to a place the later one is meant."""
    place = visits[actor][time]
    time = max(index for index, visited in enumerate(visits[actor]) if visited == place)
    supports = [ids[actor, time], ids[actor, time - 1]]
    story.ask(f"Where was {actor} before the {place}?", visits[actor][time - 1], supports)
