"""Task 18: which thing fits into which."""

from .story import QUESTIONS_A_STORY, pick, pick_distinct

SMALL = ("chocolate", "box of chocolates")              # in this order, and smaller than all containers
CONTAINERS = ("chest", "suitcase", "box", "container")  # in any order
STATEMENTS = 5


def size_reasoning(story, rng):
    """Task 18: "The box fits inside the chest."; "Does the box fit in the chest?" of two that a third lies between.

    Statements are drawn with replacement from all pairs; five more follow while there is nothing to ask.
    """
    things = [*SMALL, *pick_distinct(rng, CONTAINERS, len(CONTAINERS))]      # smallest first
    pairs = [(small, big) for index, big in enumerate(things) for small in things[:index]]
    told, chains = [], []            # (ID, small, big); pairs of those that share the middle thing
    while not chains:
        for _ in range(STATEMENTS):
            small, big = pick(rng, pairs)
            text = f"The {small} fits inside the {big}." if rng.random() < 0.5 else f"The {big} is bigger than the {small}."
            told.append((story.tell(text), small, big))
        chains = [(lower, upper) for lower in told for upper in told if lower[2] == upper[1]]
    for _ in range(QUESTIONS_A_STORY):
        (lower_id, small, _), (upper_id, _, big) = pick(rng, chains)
        answer, inner, outer, supports = "yes", small, big, [upper_id, lower_id]
        if rng.random() < 0.5:
            answer, inner, outer, supports = "no", big, small, [lower_id, upper_id]
        fits = rng.random() < 0.5
        story.ask(f"Does the {inner} fit in the {outer}?" if fits else f"Is the {outer} bigger than the {inner}?", answer, supports)
