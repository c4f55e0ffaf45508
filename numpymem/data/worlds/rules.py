"""Tasks 15 and 16: who is what kind, and what follows from the kind."""

from .story import pick, pick_distinct, pick_other

DEDUCERS = ("Gertrude", "Winona", "Jessica", "Emily")
PLURALS = {"mouse": "mice", "sheep": "sheep", "wolf": "wolves", "cat": "cats"}

INDUCERS = ("Lily", "Bernhard", "Greg", "Julius", "Brian")
KINDS = ("swan", "lion", "frog", "rhino")
COLOURS = ("gray", "white", "yellow", "green")
# Measured: how many actors are of the kind asked for -> share of the stories.  Never 3, we do not know why.
SHARES = {2: 0.89, 4: 0.10, 5: 0.01}


def basic_deduction(story, rng):
    """Task 15: who is what kind, which kind fears which; "What is emily afraid of?", four times."""
    kinds = list(PLURALS)
    fears = {kind: pick_other(rng, kinds, kind) for kind in kinds}
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


def basic_induction(story, rng):
    """Task 16: kind and colour of four actors, the kind of a fifth; "What color is Greg?" as others of his kind.

    All of a kind have one colour, and several kinds may share it.
    """
    order = _telling_order(rng)
    asked = order[-1]
    others = pick_distinct(rng, [actor for actor in INDUCERS if actor != asked], 4)
    size = int(rng.choice(list(SHARES), p=list(SHARES.values())))
    kind = pick(rng, KINDS)
    kind_of = {asked: kind}
    for index, actor in enumerate(others):
        kind_of[actor] = kind if index < size - 1 else pick_other(rng, KINDS, kind)
    colour_of = {kind: pick(rng, COLOURS) for kind in KINDS}
    kind_ids, colour_ids = {}, {}
    for actor in order[:-1]:         # the last one, a colour, is the question
        if actor not in kind_ids:
            kind_ids[actor] = story.tell(f"{actor} is a {kind_of[actor]}.")
        else:
            colour_ids[actor] = story.tell(f"{actor} is {colour_of[kind_of[actor]]}.")
    like = max(others[: size - 1], key=kind_ids.get)        # of several, whose kind was told last
    supports = [kind_ids[asked], kind_ids[like], colour_ids[like]]
    story.ask(f"What color is {asked}?", colour_of[kind], supports)


def _telling_order(rng):
    """Every actor twice, for kind and colour; the next one is any who is not yet done, all equally likely."""
    left, order = list(INDUCERS), []
    while left:
        actor = pick(rng, left)
        if actor in order:
            left.remove(actor)
        order.append(actor)
    return order
