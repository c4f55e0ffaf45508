"""One small solver for each bAbI task: plain rules that read nothing but the statements and the question.

Each takes (story, question) as `babi_format.parse` gives them and returns (answer, supports): the answer, and the
indices of the statements that it rests on, in the order of the released files.  They know nothing of the generators;
that they answer the released questions too shows that both mean the same.
"""

import re

MOVES = ("went", "travelled", "journeyed", "moved")
DROPS = ("dropped", "discarded", "left", "put")
GIVES = ("gave", "handed", "passed")
THINGS = ("apple", "football", "milk")
ACTORS = ("john", "daniel", "mary", "sandra")
TIMES = ("yesterday", "morning", "afternoon", "evening")
KINDS = ("swan", "lion", "frog", "rhino")
SINGULAR = {"mice": "mouse", "sheep": "sheep", "wolves": "wolf", "cats": "cat"}
GOALS = {"hungry": "kitchen", "thirsty": "kitchen", "bored": "garden", "tired": "bedroom"}
STEPS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0),
         "above": (0, 1), "below": (0, -1), "right": (1, 0), "left": (-1, 0)}
SHAPE_WORDS = ("red", "blue", "pink", "yellow", "triangle", "square", "rectangle", "sphere")
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}


def moves_of(story, actor):
    """Indices of the moves of an actor, oldest first."""
    return [i for i, s in enumerate(story) if s[0] == actor and s[1] in MOVES]


def transfers(story):
    """(index, verb, thing, actors) of all that was taken, dropped or given; the giver comes first."""
    for i, s in enumerate(story):
        thing = next((word for word in s if word in THINGS), None)
        if thing:
            yield i, s[1], thing, (s[0], s[-1]) if s[1] in GIVES else (s[0],)


def read_where_is_actor(story, question):
    move = moves_of(story, question[-1])[-1]
    return story[move][-1], (move,)


def read_is_actor_there(story, question):
    move = moves_of(story, question[1])[-1]
    return "yes" if story[move][-1] == question[-1] else "no", (move,)


def read_where_is_object(story, question):
    transfer, verb, _, (actor,) = [t for t in transfers(story) if t[2] == question[-1]][-1]
    moves = [i for i in moves_of(story, actor) if verb not in DROPS or i < transfer]
    return story[moves[-1]][-1], (transfer, moves[-1])


def read_where_was_object(story, question):
    """The rooms through which the latest holder carried the thing; without a told get, since the beginning."""
    thing, room = question[3], question[-1]
    events = [t for t in transfers(story) if t[2] == thing]
    latest, verb, _, (actor,) = events[-1]
    taken = latest
    if verb in DROPS:
        taken = events[-2][0] if len(events) > 1 else -1
    carried = [i for i in moves_of(story, actor) if i > taken and (verb not in DROPS or i < latest)]
    index = max(index for index, i in enumerate(carried) if story[i][-1] == room)
    assert index > 0
    return story[carried[index - 1]][-1], (latest, carried[index], carried[index - 1])


def read_two_arg_relations(story, question):
    """Turn "What is the X south of?" into "What is north of the X?" and look it up, from either end."""
    other, direction = (question[3], OPPOSITE[question[4]]) if question[-1] == "of" else (question[-1], question[2])
    for i, (_, room, _, told, _, _, second) in enumerate(story):
        if (told, second) == (direction, other):
            return room, (i,)
    i, second = next((i, s[6]) for i, s in enumerate(story) if (OPPOSITE[s[3]], s[1]) == (direction, other))
    return second, (i,)


def read_who_gave_what(story, question):
    """The latest gift that fits all that the question names."""
    text = " ".join(question)
    giver = question[2] if question[1] == "did" else None
    thing = next((word for word in question if word in THINGS), None)
    receiver = question[-1] if text.startswith(("what did", "who gave")) and question[-2] == "to" else None
    known = (giver, thing, receiver)
    gifts = [(i, (actors[0], thing, actors[1])) for i, verb, thing, actors in transfers(story) if verb in GIVES]
    index, gift = [gift for gift in gifts if all(want in (None, told) for want, told in zip(known, gift[1], strict=True))][-1]
    asked = 1 if question[0] == "what" else 2 if "received" in question or question[-1] == "to" else 0
    return gift[asked], (index,)


def belongings(story, actor):
    """({thing: held now}, {thing: indices}), things in the order in which the actor first had them."""
    held, indices = {}, {}
    for i, verb, thing, actors in transfers(story):
        if actor in actors:
            held[thing] = actor == actors[-1] and verb not in DROPS
            indices.setdefault(thing, []).append(i)
    return held, indices


def read_how_many_objects(story, question):
    held, indices = belongings(story, question[-2])
    return ("none", "one", "two", "three")[sum(held.values())], tuple(sorted(sum(indices.values(), [])))


def read_what_is_carried(story, question):
    held, indices = belongings(story, question[-2])
    return ",".join(thing for thing in held if held[thing]) or "nothing", tuple(sum(indices.values(), []))


def read_claim(story, question):
    """Tasks 9 and 10: only the latest statement about the actor counts."""
    _, actor, *_, room = question
    index = max(i for i, s in enumerate(story) if s[0] == actor)
    statement = story[index]
    if "no" in statement or "not" in statement:
        assert statement[-1] == room, "a denial of another room answers nothing"
        return "no", (index,)
    if "either" in statement:
        return "maybe" if room in (statement[-1], statement[-4]) else "no", (index,)
    return "yes" if statement[-1] == room else "no", (index,)


def read_groups(story, question):
    """Tasks 11 to 13: he, she or they are those of the statement before."""
    named, place, supports = (), {}, {}
    for i, statement in enumerate(story):
        actors = tuple(word for word in statement if word in ACTORS)
        for actor in actors or named:
            place[actor] = statement[-1]
            supports[actor] = (i,) if actors else (i - 1, i)
        named = actors or named
    return place[question[-1]], supports[question[-1]]


def read_time(story, question):
    """The place at the latest told time before the one at which the actor was (last) where the question says."""
    visits = {}
    for i, statement in enumerate(story):
        if question[2] in statement:
            time = next(TIMES.index(word) for word in statement if word in TIMES)
            visits[time] = (statement[statement.index("the") + 1], i)
    time = max(time for time, (place, _) in visits.items() if place == question[-1])
    before = max(other for other in visits if other < time)
    return visits[before][0], (visits[time][1], visits[before][1])


def read_basic_deduction(story, question):
    kind_index = next(i for i, s in enumerate(story) if s[0] == question[2])
    kind = story[kind_index][-1]
    fear_index = next(i for i, s in enumerate(story) if s[1] == "are" and SINGULAR[s[0]] == kind)
    return SINGULAR[story[fear_index][-1]], (kind_index, fear_index)


def read_basic_induction(story, question):
    """The colour of another one of the kind; where several differ, of the one whose kind was told last."""
    asked = question[-1]
    kinds = {s[0]: (i, s[-1]) for i, s in enumerate(story) if s[-1] in KINDS}
    colours = {s[0]: (i, s[-1]) for i, s in enumerate(story) if s[-1] not in KINDS}
    like = max((actor for actor in colours if kinds[actor][1] == kinds[asked][1]), key=lambda actor: kinds[actor][0])
    return colours[like][1], (kinds[asked][0], kinds[like][0], colours[like][0])


def shapes(sentence):
    """The shapes named in a sentence, such as ["red square", "triangle"]."""
    kept = " ".join(word for word in sentence if word in SHAPE_WORDS)
    return re.findall(r"(?:\w+ )?(?:triangle|square|rectangle|sphere)", kept)


def read_position(story, question):
    """Put the three shapes on a grid, one step a statement, and compare."""
    middle = next(shape for shape in shapes(story[0]) if shape in shapes(story[1]))
    spot, index = {}, {}
    for i, statement in enumerate(story):
        first, second = shapes(statement)
        outer, sign = (first, 1) if second == middle else (second, -1)
        dx, dy = step(statement)
        spot[outer], index[outer] = (sign * dx, sign * dy), i
    first, second = shapes(question)
    dx, dy = step(question)
    ahead = (spot[first][0] - spot[second][0]) * dx + (spot[first][1] - spot[second][1]) * dy
    return "yes" if ahead > 0 else "no", (index[first], index[second])


def step(sentence):
    return next(STEPS[word] for word in sentence if word in STEPS)


def smaller_and_bigger(sentence):
    """The two things of "X fits inside Y", "Does X fit in Y", "Y is bigger than X" or "Is Y bigger than X"."""
    pattern = r"(?:does |is )?the (.+?) (fits inside|fit in|is bigger than|bigger than) the (.+)"
    first, relation, second = re.fullmatch(pattern, " ".join(sentence)).groups()
    return (first, second) if relation.startswith("fit") else (second, first)


def read_size(story, question):
    """A chain of told sizes, from the smaller to the bigger (breadth first, so a shortest one)."""
    told = [(*smaller_and_bigger(statement), i) for i, statement in enumerate(story)]

    def chain(small, big):
        queue, seen = [(small, ())], {small}
        while queue:
            thing, used = queue.pop(0)
            for inner, outer, i in told:
                if inner == thing and outer == big:
                    return (*used, i)
                if inner == thing and outer not in seen:
                    seen.add(outer)
                    queue.append((outer, (*used, i)))
        return None

    small, big = smaller_and_bigger(question)
    yes, no = chain(small, big), chain(big, small)
    assert (yes is None) != (no is None), "exactly one order follows"
    return ("yes", yes) if yes else ("no", no)


def read_path_finding(story, question):
    """Breadth-first search over the told relations."""
    start, goal = question[6], question[9]
    steps = {}
    for index, (_, room, _, direction, _, _, other) in enumerate(story):
        steps.setdefault(other, []).append((room, direction[0], index))
        steps.setdefault(room, []).append((other, OPPOSITE[direction][0], index))
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


def read_motivation(story, question):
    index = next(i for i, s in enumerate(story) if s[0] == question[2] and s[1] == "is")
    state = story[index][-1]
    return GOALS[state] if question[0] == "where" else state, (index,)


READERS = {
    1: read_where_is_actor, 2: read_where_is_object, 3: read_where_was_object, 4: read_two_arg_relations,
    5: read_who_gave_what, 6: read_is_actor_there, 7: read_how_many_objects, 8: read_what_is_carried, 9: read_claim,
    10: read_claim, 11: read_groups, 12: read_groups, 13: read_groups, 14: read_time, 15: read_basic_deduction,
    16: read_basic_induction, 17: read_position, 18: read_size, 19: read_path_finding, 20: read_motivation,
}
