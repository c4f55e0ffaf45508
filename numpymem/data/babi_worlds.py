"""Generated bAbI-like data for tasks 1, 2, 6, 15 and 19, for use without the real files.

The worlds, phrases and proportions follow measurements on release 1.2 (Weston et al. 2015, arXiv:1502.05698);
the code is our own.  A world keeps two states apart: what is true, and what the *reader* can derive from the
text told so far.  A question is asked only if the reader can answer it, and carries the supporting facts.

Differences from the released files, on purpose: in task 19 no two rooms share a place on the grid (in 7 % of the
released stories two do) and all orders of the statements are equally likely.
"""

import numpy as np

ACTORS = ("John", "Daniel", "Mary", "Sandra")
ROOMS = ("bedroom", "bathroom", "kitchen", "garden", "hallway", "office")
OBJECTS = ("apple", "football", "milk")
MOVES = ("went to", "travelled to", "journeyed to", "moved to", "went back to")
GETS = ("took", "got", "grabbed", "picked up")
DROPS = ("dropped", "discarded", "left", "put down")

DEDUCERS = ("Gertrude", "Winona", "Jessica", "Emily")
PLURALS = {"mouse": "mice", "sheep": "sheep", "wolf": "wolves", "cat": "cats"}

# Step on the grid that leads from Y to X in "X is <direction> of Y".
STEPS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}

QUESTIONS_A_STORY = 5
# The released tasks 1, 2 and 6 ask about something told in one of the latest five statements.
WINDOW = 5


def generate(task, n_questions, rng):
    """Stories in the bAbI file format.

    task         1, 2, 6, 15 or 19
    n_questions  how many questions, >= 1; the last story ends with the last question
    rng          np.random.Generator; the same state gives the same text
    returns      str, to be read by `numpymem.data.babi_format.parse`
    raises       ValueError for a task without a generator or n_questions < 1
    """
    if task not in WORLDS:
        raise ValueError(f"task: expected one of {sorted(WORLDS)} (those with a generator), received {task!r}")
    if n_questions < 1:
        raise ValueError(f"n_questions: expected at least 1, received {n_questions!r}")
    lines, asked = [], 0
    while asked < n_questions:
        story = Story()
        WORLDS[task](story, rng)
        kept, count = story.until_question(n_questions - asked)
        lines += kept
        asked += count
    return "\n".join(lines) + "\n"


class Story:
    """The lines of one story and their IDs (from 1, questions counted)."""

    def __init__(self, blank_before_tab=False):
        self.lines = []
        self.question_ids = []
        self.blank_before_tab = blank_before_tab

    def tell(self, text):
        """Add a statement; returns its ID."""
        self.lines.append(f"{len(self.lines) + 1} {text}")
        return len(self.lines)

    def ask(self, question, answer, supports):
        """Add a question; supports are IDs returned by `tell`."""
        blank = " " if self.blank_before_tab else ""
        ids = " ".join(str(identity) for identity in supports)
        self.lines.append(f"{len(self.lines) + 1} {question}{blank}\t{answer}\t{ids}")
        self.question_ids.append(len(self.lines))

    def until_question(self, count):
        """The lines up to question number `count` (or all), and how many questions they hold."""
        if count >= len(self.question_ids):
            return self.lines, len(self.question_ids)
        return self.lines[: self.question_ids[count - 1]], count


def pick(rng, options):
    """One of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]


class House:
    """Actors who move between rooms and carry objects, and what the reader knows of them."""

    def __init__(self, story, rng):
        self.story, self.rng = story, rng
        # The truth.  Where everything starts is never told.
        self.room = {actor: pick(rng, ROOMS) for actor in ACTORS}
        self.place = {thing: pick(rng, ROOMS) for thing in OBJECTS}     # a room, or the actor who holds it
        # The reader: ID of the latest move of an actor; latest get or drop of a thing.
        self.move_id = {}
        self.transfer = {}
        self.recent = []            # (kind, actor, thing) of the latest statements

    def act(self, kinds):
        """Tell one random action; kinds is a subset of ("move", "get", "drop")."""
        argument = None
        while argument is None:      # what cannot be done is drawn again
            kind, actor = pick(self.rng, kinds), pick(self.rng, ACTORS)
            argument = self.argument(kind, actor)
        tell = {"move": self.move, "get": self.get, "drop": self.drop}[kind]
        tell(actor, argument)
        self.recent = (self.recent + [(kind, actor, argument)])[-WINDOW:]

    def argument(self, kind, actor):
        """The room to move to, or the thing to get or drop; None if this actor cannot do that now."""
        if kind == "move":
            room = pick(self.rng, ROOMS)
            return room if room != self.room[actor] else None
        holder = self.room[actor] if kind == "get" else actor
        things = [thing for thing in OBJECTS if self.place[thing] == holder]
        return pick(self.rng, things) if things else None

    def move(self, actor, room):
        self.room[actor] = room
        self.move_id[actor] = self.story.tell(f"{actor} {pick(self.rng, MOVES)} the {room}.")

    def get(self, actor, thing):
        self.place[thing] = actor
        identity = self.story.tell(f"{actor} {pick(self.rng, GETS)} the {thing} there.")
        self.transfer[thing] = ("get", identity, actor, None)

    def drop(self, actor, thing):
        self.place[thing] = self.room[actor]
        there = " there" if self.rng.random() < 0.2 else ""
        identity = self.story.tell(f"{actor} {pick(self.rng, DROPS)} the {thing}{there}.")
        self.transfer[thing] = ("drop", identity, actor, self.move_id.get(actor))

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


def where_is_actor(story, rng):
    """Task 1: two moves, then "Where is Mary?", five times."""
    story.blank_before_tab = True
    house = House(story, rng)
    for _ in range(QUESTIONS_A_STORY):
        house.act(("move",))
        house.act(("move",))
        _, actor, _ = pick(rng, house.recent)
        story.ask(f"Where is {actor}?", house.room[actor], [house.move_id[actor]])


def where_is_object(story, rng):
    """Task 2: actors also carry things; "Where is the milk?" after every two statements, if answerable."""
    story.blank_before_tab = True
    house = House(story, rng)
    while len(story.question_ids) < QUESTIONS_A_STORY:
        house.act(("move", "get", "drop"))
        house.act(("move", "get", "drop"))
        # Like the released files, ask only for a thing that was taken or dropped lately.
        known = [thing for kind, _, thing in house.recent if kind != "move" and house.find(thing)]
        if known:
            thing = pick(rng, known)
            room, supports = house.find(thing)
            story.ask(f"Where is the {thing}?", room, supports)


def is_actor_there(story, rng):
    """Task 6: the world of task 2, "Is Mary in the kitchen?"; yes and no equally often."""
    story.blank_before_tab = True
    house = House(story, rng)
    while len(story.question_ids) < QUESTIONS_A_STORY:
        house.act(("move", "get", "drop"))
        house.act(("move", "get", "drop"))
        known = [actor for kind, actor, _ in house.recent if kind == "move"]
        if known:
            actor = pick(rng, known)
            room = house.room[actor]
            if rng.random() < 0.5:
                asked, answer = room, "yes"
            else:
                asked, answer = pick(rng, [other for other in ROOMS if other != room]), "no"
            story.ask(f"Is {actor} in the {asked}?", answer, [house.move_id[actor]])


def basic_deduction(story, rng):
    """Task 15: who is what kind, which kind fears which; "What is emily afraid of?", four times."""
    kinds = list(PLURALS)
    fears = {kind: pick(rng, [other for other in kinds if other != kind]) for kind in kinds}
    kind_of = {actor: pick(rng, kinds) for actor in DEDUCERS}
    facts = [(kind, f"{PLURALS[kind].capitalize()} are afraid of {PLURALS[fears[kind]]}.") for kind in kinds]
    facts += [(actor, f"{actor} is a {kind_of[actor]}.") for actor in DEDUCERS]
    told = {}                        # kind or actor -> ID of the statement about it
    for index in rng.permutation(len(facts)):
        about, text = facts[index]
        told[about] = story.tell(text)
    for _ in range(4):
        actor = pick(rng, DEDUCERS)
        kind = kind_of[actor]
        story.ask(f"What is {actor.lower()} afraid of?", fears[kind], [told[actor], told[kind]])


def path_finding(story, rng):
    """Task 19: six rooms on a grid; "How do you go from the kitchen to the office?", two steps apart."""
    start, middle, goal, *others = (ROOMS[index] for index in rng.permutation(len(ROOMS)))
    spot = {start: (0, 0)}
    links = [_attach(rng, spot, middle, [start]), _attach(rng, spot, goal, [middle])]
    for room in others:              # each hangs on one room of the path
        links.append(_attach(rng, spot, room, [start, middle, goal]))
    ids = {}
    for index in rng.permutation(len(links)):
        ids[index] = story.tell(_relation(rng, *links[index]))
    steps = f"{links[0][1][0]},{links[1][1][0]}"        # first letters: "n,e"
    story.ask(f"How do you go from the {start} to the {goal}?", steps, [ids[0], ids[1]])


def _attach(rng, spot, room, anchors):
    """Put a room on a free side of an anchor, all free sides equally likely.

    Enters it in `spot` (room -> place on the grid) and returns the link (room, direction, anchor).
    """
    free = []
    for anchor in anchors:
        for direction, (dx, dy) in STEPS.items():
            place = (spot[anchor][0] + dx, spot[anchor][1] + dy)
            if place not in spot.values():
                free.append((direction, anchor, place))
    direction, anchor, spot[room] = pick(rng, free)
    return room, direction, anchor


def _relation(rng, room, direction, anchor):
    """The statement of a link, seen from either end."""
    if rng.random() < 0.5:
        room, direction, anchor = anchor, OPPOSITE[direction], room
    return f"The {room} is {direction} of the {anchor}."


WORLDS = {1: where_is_actor, 2: where_is_object, 6: is_actor_there, 15: basic_deduction, 19: path_finding}


def generator(task, part):
    """The fixed random generator of a generated file: part 0 is the training file, 1 the test file."""
    return np.random.default_rng([task, part])
