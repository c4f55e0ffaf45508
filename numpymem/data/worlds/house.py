"""The world of tasks 1, 2, 3, 5, 6, 7 and 8: actors who move between rooms, carry objects and hand them on."""

from .story import ACTORS, GETS, MOVES, ROOMS, WINDOW, pick, pick_other

OBJECTS = ("apple", "football", "milk")
DROPS = ("dropped", "discarded", "left", "put down")
GIVES = ("gave", "handed", "passed")

# How often "there" ends a sentence that could do without it, in the release.
SHARE_THERE = 0.2


class House:
    """Actors who move between rooms and carry objects, and what the reader knows of them.

    get_there is the share of the gets that end with "there".
    """

    def __init__(self, story, rng, actors=ACTORS, get_there=1.0):
        self.story, self.rng, self.actors, self.get_there = story, rng, actors, get_there
        # The truth.  Where everything starts is never told.
        self.room = {actor: pick(rng, ROOMS) for actor in actors}
        self.place = {thing: pick(rng, ROOMS) for thing in OBJECTS}     # a room, or the actor who holds it
        # The reader: ID of the latest move of an actor; latest get or drop of a thing.
        self.move_id = {}
        self.transfer = {}
        self.journey = {}           # thing -> [(room, ID of the move)] since its latest get
        self.hands = {}             # actor -> [(ID, thing)] of all that went into or out of these hands
        self.gifts = []             # (ID, giver, thing, receiver)
        self.recent = []            # (kind, actor, argument) of the latest statements

    def act(self, kinds):
        """Tell one random action; kinds are drawn from "move", "get", "drop" and "give", repeated ones more often."""
        argument = None
        while argument is None:      # what cannot be done is drawn again
            kind, actor = pick(self.rng, kinds), pick(self.rng, self.actors)
            argument = self.argument(kind, actor)
        tell = {"move": self.move, "get": self.get, "drop": self.drop, "give": self.give}[kind]
        tell(actor, argument)
        self.recent = (self.recent + [(kind, actor, argument)])[-WINDOW:]

    def argument(self, kind, actor):
        """What the action is about, or None if this actor cannot do that now.

        The room to move to, the thing to get or drop, or (thing, receiver) to give.
        """
        if kind == "move":
            room = pick(self.rng, ROOMS)
            return room if room != self.room[actor] else None
        holder = self.room[actor] if kind == "get" else actor
        things = [thing for thing in OBJECTS if self.place[thing] == holder]
        if not things:
            return None
        if kind != "give":
            return pick(self.rng, things)
        beside = [other for other in self.actors if other != actor and self.room[other] == self.room[actor]]
        return (pick(self.rng, things), pick(self.rng, beside)) if beside else None

    def move(self, actor, room):
        self.room[actor] = room
        identity = self.move_id[actor] = self.story.tell(f"{actor} {pick(self.rng, MOVES)} the {room}.")
        for thing in OBJECTS:
            if self.place[thing] == actor:
                self.journey[thing].append((room, identity))

    def get(self, actor, thing):
        self.place[thing] = actor
        identity = self.story.tell(f"{actor} {pick(self.rng, GETS)} the {thing}{self._there(self.get_there)}.")
        self.transfer[thing] = ("get", identity, actor, None)
        self.journey[thing] = []
        self._pass_hands(identity, thing, actor)

    def drop(self, actor, thing):
        self.place[thing] = self.room[actor]
        there = self._there(SHARE_THERE)
        identity = self.story.tell(f"{actor} {pick(self.rng, DROPS)} the {thing}{there}.")
        self.transfer[thing] = ("drop", identity, actor, self.move_id.get(actor))
        self._pass_hands(identity, thing, actor)

    def give(self, giver, argument):
        thing, receiver = argument
        self.place[thing] = receiver
        identity = self.story.tell(f"{giver} {pick(self.rng, GIVES)} the {thing} to {receiver}.")
        self.gifts.append((identity, giver, thing, receiver))
        self._pass_hands(identity, thing, giver, receiver)

    def _there(self, share):
        return " there" if share == 1 or self.rng.random() < share else ""

    def _pass_hands(self, identity, thing, *actors):
        for actor in actors:
            self.hands.setdefault(actor, []).append((identity, thing))

    def find(self, thing):
        """(room, supporting IDs) of a thing, or None while the reader cannot tell.

        A dropped thing is where its actor was known to be.  A held thing is asked for only after its holder has
        moved on with it, as in the released files.
        """
        if thing not in self.transfer:
            return None
        kind, identity, actor, move_id = self.transfer[thing]
        if kind == "drop":
            return (self.place[thing], (identity, move_id)) if move_id else None
        move_id = self.move_id.get(actor, 0)
        return (self.room[actor], (identity, move_id)) if move_id > identity else None

    def trace(self, thing):
        """(room, room before it, supporting IDs), for a random room to which the thing was carried of late.

        None unless it was carried through two rooms since it was taken.  A room visited twice counts the last time.
        """
        journey = self.journey[thing]
        if len(journey) < 2:
            return None
        room = pick(self.rng, sorted({room for room, _ in journey[1:]}))
        index = max(index for index, (visited, _) in enumerate(journey) if visited == room)
        before, before_id = journey[index - 1]
        return room, before, (self.transfer[thing][1], journey[index][1], before_id)

    def belongings(self, actor):
        """({thing: held now}, in the order of the first time it came into these hands; supporting IDs, thing by thing)."""
        touched = self.hands[actor]
        held = {thing: self.place[thing] == actor for _, thing in touched}
        return held, [identity for thing in held for identity, other in touched if other == thing]


def other_room(rng, room):
    """A room that is not this one."""
    return pick_other(rng, ROOMS, room)
