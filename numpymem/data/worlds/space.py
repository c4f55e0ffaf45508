"""Tasks 4, 17 and 19: places on a grid."""

from .story import ROOMS, pick, pick_distinct, pick_other

# Step on the grid that leads from Y to X in "X is <direction> of Y".
STEPS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}

SHAPES = ("triangle", "red square", "blue square", "yellow square", "pink rectangle", "red sphere")
# Task 17 says where a shape is in its own words.
SIDES = {"above": (0, 1), "below": (0, -1), "to the right of": (1, 0), "to the left of": (-1, 0)}
CONTRARY = {"above": "below", "below": "above", "to the right of": "to the left of", "to the left of": "to the right of"}

# Measured in tasks 4 and 17: "the outer one is ... of the middle one" rather than the other way round.
SHARE_OUTER_FIRST = 2 / 3


def two_arg_relations(story, rng):
    """Task 4: three rooms in a line; "What is north of the office?" or "What is the office south of?"."""
    first, middle, last = pick_distinct(rng, ROOMS, 3)
    direction = pick(rng, list(STEPS))
    told = []
    for outer, side in _shuffled(rng, [(first, direction), (last, OPPOSITE[direction])]):
        link = (outer, side, middle) if rng.random() < SHARE_OUTER_FIRST else (middle, OPPOSITE[side], outer)
        told.append((story.tell(_sentence(*link)), link))
    identity, (room, side, other) = pick(rng, told)
    question = f"What is {side} of the {other}?" if rng.random() < 0.5 else f"What is the {other} {OPPOSITE[side]} of?"
    story.ask(question, room, [identity])


def positional_reasoning(story, rng):
    """Task 17: three shapes, one step apart; "Is the triangle above the red square?" of the outer two, eight times.

    Yes and no are equally likely, then all sides for which that is the answer.
    """
    first, middle, last = pick_distinct(rng, SHAPES, 3)
    side = {first: pick(rng, list(SIDES))}              # where an outer shape lies, seen from the middle one
    side[last] = pick_other(rng, list(SIDES), side[first])
    told = {}
    for outer in _shuffled(rng, [first, last]):
        shape, where, other = outer, side[outer], middle
        if rng.random() >= SHARE_OUTER_FIRST:
            shape, where, other = middle, CONTRARY[where], outer
        told[outer] = story.tell(f"The {shape} is {where} the {other}.")
    for _ in range(8):
        shape, other = _shuffled(rng, [first, last])
        (x, y), (other_x, other_y) = SIDES[side[shape]], SIDES[side[other]]
        true = [name for name, (dx, dy) in SIDES.items() if (x - other_x) * dx + (y - other_y) * dy > 0]
        yes = rng.random() < 0.5
        asked = pick(rng, true) if yes else pick_other(rng, list(SIDES), *true)
        story.ask(f"Is the {shape} {asked} the {other}?", "yes" if yes else "no", [told[shape], told[other]])


def path_finding(story, rng):
    """Task 19: six rooms on a grid; "How do you go from the kitchen to the office?", two steps apart.

    No two rooms share a place on the grid (in 7 % of the released stories two do), and all orders of the statements
    are equally likely.
    """
    start, middle, goal, *others = pick_distinct(rng, ROOMS, len(ROOMS))
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
    return _sentence(room, direction, anchor)


def _sentence(room, direction, other):
    return f"The {room} is {direction} of the {other}."


def _shuffled(rng, options):
    return pick_distinct(rng, options, len(options))
