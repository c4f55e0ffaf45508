"""Tasks 11, 12 and 13: pronouns, and two actors in one statement.  Two statements, then "Where is Mary?", five times."""

from .story import ACTORS, MOVES, PRONOUNS, QUESTIONS_A_STORY, ROOMS, WINDOW, pick, pick_distinct, pick_other

AFTER = ("Then", "After that", "Afterwards", "Following that")


class Walkers:
    """Actors who move alone or in pairs; the reader counts one fact for each actor of a statement."""

    def __init__(self, story, rng):
        self.story, self.rng = story, rng
        story.blank_before_tab = True
        self.room = {actor: pick(rng, ROOMS) for actor in ACTORS}
        self.supports = {}          # actor -> IDs of the statements that place the actor
        self.recent = []            # actors of the latest facts

    def go(self, actors, subject=None):
        """Tell that the actors move together to a room where none of them is.

        subject replaces their names; the statement then needs the one before it as support.
        """
        room = pick_other(self.rng, ROOMS, *(self.room[actor] for actor in actors))
        identity = self.story.tell(f"{subject or ' and '.join(actors)} {pick(self.rng, MOVES)} the {room}.")
        for actor in actors:
            self.room[actor] = room
            self.supports[actor] = [identity - 1, identity] if subject else [identity]
        self.recent = (self.recent + actors)[-WINDOW:]

    def ask(self):
        actor = pick(self.rng, self.recent)
        self.story.ask(f"Where is {actor}?", self.room[actor], self.supports[actor])


def basic_coreference(story, rng):
    """Task 11: "Mary went to the kitchen. Then she moved to the garden." """
    walkers = Walkers(story, rng)
    for _ in range(QUESTIONS_A_STORY):
        actor = pick(rng, ACTORS)
        walkers.go([actor])
        walkers.go([actor], f"{pick(rng, AFTER)} {PRONOUNS[actor]}")
        walkers.ask()


def conjunction(story, rng):
    """Task 12: "Mary and John went to the kitchen.", twice."""
    walkers = Walkers(story, rng)
    for _ in range(QUESTIONS_A_STORY):
        walkers.go(pick_distinct(rng, ACTORS, 2))
        walkers.go(pick_distinct(rng, ACTORS, 2))
        walkers.ask()


def compound_coreference(story, rng):
    """Task 13: "Mary and John went to the kitchen. Then they moved to the garden." """
    walkers = Walkers(story, rng)
    for _ in range(QUESTIONS_A_STORY):
        pair = pick_distinct(rng, ACTORS, 2)
        walkers.go(pair)
        walkers.go(pair, f"{pick(rng, AFTER)} they")
        walkers.ask()
