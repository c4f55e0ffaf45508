"""Tasks 9 and 10: "Is Mary in the kitchen?", when statements may deny a room or leave two open."""

from .story import ACTORS, MOVES, QUESTIONS_A_STORY, ROOMS, TOWN_ACTORS, TOWN_PLACES, WINDOW, pick, pick_other

# Forms of a statement; a form listed more often is drawn more often.  The shares are those of the release.
MOVED, IS, NO_LONGER, NOT, EITHER = "moved", "is in", "is no longer in", "is not in", "is either in"
NEGATION = (MOVED, MOVED, MOVED, MOVED, IS, IS, NO_LONGER, NOT)
INDEFINITE = (MOVED, MOVED, IS, EITHER)


class Sightings:
    """People who change rooms with every statement, and the latest statement about each."""

    def __init__(self, story, rng, actors, rooms):
        self.story, self.rng, self.actors, self.rooms = story, rng, actors, rooms
        self.room = {actor: pick(rng, rooms) for actor in actors}      # the truth
        self.latest = {}            # the reader: actor -> (ID, form, rooms named)
        self.recent = []            # actors of the latest statements

    def tell(self, forms):
        """Somebody goes somewhere else; tell where from, where to, or where to perhaps."""
        actor, form = pick(self.rng, self.actors), pick(self.rng, forms)
        before = self.room[actor]
        after = self.room[actor] = pick_other(self.rng, self.rooms, before)
        if form == EITHER:
            # In 1 of 6 released cases both are the same room.  Here they differ.
            named = [after, pick_other(self.rng, self.rooms, after)]
            self.rng.shuffle(named)
            text = f"{actor} {form} the {named[0]} or the {named[1]}."
        else:
            named = [before if form in (NO_LONGER, NOT) else after]
            text = f"{actor} {pick(self.rng, MOVES) if form == MOVED else form} the {named[0]}."
        self.latest[actor] = (self.story.tell(text), form, named)
        self.recent = (self.recent + [actor])[-WINDOW:]

    def ask(self):
        """Ask about somebody told of lately; after a denial only for the room denied, else half the time the true one."""
        actor = pick(self.rng, self.recent)
        identity, form, named = self.latest[actor]
        if form in (NO_LONGER, NOT):
            asked, answer = named[0], "no"
        else:
            room = self.room[actor]
            asked = room if self.rng.random() < 0.5 else pick_other(self.rng, self.rooms, room)
            answer = "no" if asked not in named else "maybe" if form == EITHER else "yes"
        self.story.ask(f"Is {actor} in the {asked}?", answer, [identity])


def simple_negation(story, rng):
    """Task 9: "Mary is no longer in the kitchen."; yes or no."""
    _tell_and_ask(story, Sightings(story, rng, ACTORS, ROOMS), NEGATION)


def indefinite_knowledge(story, rng):
    """Task 10: "Bill is either in the school or the park."; yes, no or maybe."""
    _tell_and_ask(story, Sightings(story, rng, TOWN_ACTORS, TOWN_PLACES), INDEFINITE)


def _tell_and_ask(story, sightings, forms):
    story.blank_before_tab = True
    for _ in range(QUESTIONS_A_STORY):
        sightings.tell(forms)
        sightings.tell(forms)
        sightings.ask()
