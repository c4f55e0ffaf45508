"""Made-up films, and questions about them in the shape of MetaQA, for use without the real files.

Fewer films than the real 16,000 or so, two phrases for each type of question, and no two entities with one name; the relations and
the types of question are those of MetaQA.
"""

from .knowledge_base import KnowledgeBase
from .metaqa_format import TOPIC, Question, steps

FILMS = 400
QUESTIONS = (4_000, 1_000)                        # to train on and to test on
OTHERS = {                                        # relation -> (what it leads to, how many there are, least and most of a film)
    "directed_by": ("person", 300, 1, 1), "written_by": ("person", 300, 1, 2), "starred_actors": ("person", 300, 2, 4),
    "release_year": ("year", 60, 1, 1), "in_language": ("language", 12, 0, 1), "has_tags": ("tag", 80, 0, 3),
    "has_genre": ("genre", 16, 1, 2), "has_imdb_votes": ("votes", 5, 0, 1), "has_imdb_rating": ("rating", 5, 0, 1),
}
ASK = {                                           # what is asked about a film, or about several
    "director": ("who directed {}", "{} by which director"), "writer": ("who wrote {}", "{} by which writer"),
    "actor": ("who acted in {}", "{} with which actors"), "year": ("when did {} come out", "{} from which year"),
    "language": ("what language is spoken in {}", "{} in which language"), "tags": ("what is {} about", "which words describe {}"),
    "genre": ("what genre is {}", "{} of which kind"), "imdbvotes": ("how many know {}", "{} is how famous"),
    "imdbrating": ("how good is {}", "{} is liked how much"),
}
SUCH = {                                          # several films
    "director": "the films directed by {}", "writer": "the films written by {}", "actor": "the films starring {}",
    "tag": "the films about {}",
}
LIST = ("name {}", "what are {}")
SAME = ("which films have the same {} as {}", "the {} of {} is also in which films")
PEOPLE = ("director", "writer", "actor")
KINDS = {
    1: tuple(f"movie_to_{other}" for other in ASK) + tuple(f"{other}_to_movie" for other in SUCH),
    2: tuple(f"movie_to_{other}_to_movie" for other in PEOPLE) + tuple(
        f"{one}_to_movie_to_{other}" for one in PEOPLE for other in (*PEOPLE, "year", "language", "genre")),
}


def generate(hops, rng):
    """(entities, relations, facts, training questions, test questions), see `metaqa.MetaQAData`.

    The first of the people, years, tags and so on are in more films than the last.
    """
    entities, relations = [f"film {film}" for film in range(FILMS)], list(OTHERS)
    first = {}                                                                      # number of the first person, year ...
    for kind, count, _, _ in OTHERS.values():
        if kind not in first:
            first[kind] = len(entities)
            entities += [f"{kind} {number}" for number in range(count)]
    facts = {(film, relation, first[kind] + int(count * rng.random() ** 2))
             for film in range(FILMS) for relation, (kind, count, least, most) in enumerate(OTHERS.values())
             for _ in range(rng.integers(least, most + 1))}
    base = KnowledgeBase(sorted(facts), len(entities))
    asked = questions(base, relations, len(entities), hops)
    train, test = QUESTIONS
    order = rng.permutation(len(asked))[:train + test]
    drawn = [asked[number] for number in order]
    return entities, relations, base.facts.astype("int32"), drawn[:train], drawn[train:]


def questions(base, relations, entities, hops):
    """Every question of so many hops that has an answer other than its topic."""
    found = []
    for kind in KINDS[hops]:
        way = steps(kind, relations)
        for topic in range(entities):
            answers = tuple(sorted({end for _, end in base.paths(topic, way)} - {topic}))
            if answers:
                found += [Question(tuple(text.split()), topic, answers, kind) for text in phrases(kind)]
    return found


def phrases(kind):
    """The two phrases of a type of question, with TOPIC in them."""
    parts = kind.split("_to_")
    if parts[0] == parts[-1] == "movie":
        return [text.format(parts[1], TOPIC) for text in SAME]
    films = TOPIC if parts[0] == "movie" else SUCH[parts[0]].format(TOPIC)
    return [text.format(films) for text in (LIST if parts[-1] == "movie" else ASK[parts[-1]])]
