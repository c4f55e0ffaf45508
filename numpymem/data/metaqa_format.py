"""The files of MetaQA: what a question is, the relations its type stands for, and a strict parser.

Source: Zhang et al. 2018, "Variational Reasoning for Question Answering with Knowledge Graph", AAAI, arXiv:1709.04071. A line of
questions is `who directed [Brazil]<TAB>Terry Gilliam<TAB>movie_to_director`: the topic entity in square brackets, the answers
with bars between them, the type.
"""

from typing import NamedTuple

import numpy as np

from numpymem.received import shown

TOPIC = "[topic]"                                 # stands for the topic entity among the words of a question
UNKNOWN = -1                                      # an entity that is not in the knowledge base
RELATIONS = {                                     # what a type calls the entity beside a film: the relation that leads there
    "director": "directed_by", "writer": "written_by", "actor": "starred_actors", "year": "release_year",
    "language": "in_language", "tags": "has_tags", "tag": "has_tags", "genre": "has_genre",
    "imdbvotes": "has_imdb_votes", "imdbrating": "has_imdb_rating",
}


class Question(NamedTuple):
    """One question. Entities by number."""

    words: tuple      # lower-case, TOPIC in the place of the topic entity; a comma is a word
    topic: int        # UNKNOWN if the knowledge base has no such entity
    answers: tuple    # any of them is right; without those that the knowledge base has not
    kind: str         # "movie_to_director", "movie_to_director_to_movie"


def steps(kind, relations):
    """The way that a type of question stands for: [(number of a relation, forward)]; relations lead from films to the rest.

    raises  ValueError for a type that is none
    """
    parts = kind.split("_to_")
    known = all((a == "movie") != (b == "movie") and {a, b} <= {"movie", *RELATIONS} for a, b in zip(parts, parts[1:]))
    if len(parts) < 2 or not known:
        raise ValueError(f"kind: expected a type like movie_to_director, received {kind!r}")
    return [(relations.index(RELATIONS[b if a == "movie" else a]), a == "movie") for a, b in zip(parts, parts[1:])]


def parse_names(content, name):
    """A file with one name a line, bytes in UTF-8 -> list. Raises ValueError naming the file."""
    names = decoded(content, name).removesuffix("\n").split("\n")
    if not all(names):
        raise ValueError(f"{name}, line {names.index('') + 1}: expected a name, found an empty line")
    return names


def parse_facts(content, name, entities, relations):
    """A file with `subject<TAB>relation<TAB>object` a line, by number -> (F, 3) int32; so many entities and relations there are.
    Raises ValueError naming the file and the line."""
    text = decoded(content, name)
    try:
        facts = np.array(text.split(), np.int64).reshape(-1, 3)
    except (ValueError, OverflowError) as error:
        raise wrong_fact(text, name, entities, relations) from error
    if facts.min(initial=0) < 0 or (facts >= (entities, relations, entities)).any():
        raise wrong_fact(text, name, entities, relations)
    return facts.astype(np.int32)


def wrong_fact(text, name, entities, relations):
    """The error for a file of facts with a mistake in it: looks for the first line that has one."""
    expected = f"expected numbers of {entities} entities and {relations} relations, three whole numbers a line"
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        parts = line.split()
        right = len(parts) == 3 and all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts)
        if not right or any(int(part) >= most for part, most in zip(parts, (entities, relations, entities))):
            return ValueError(f"{name}, line {number}: {expected}, found {shown(line)}")
    return ValueError(f"{name}: {expected}, found others")


def parse_questions(content, name, numbers):
    """A file of questions -> list of `Question`; numbers: {name of an entity: its number}. Raises ValueError naming the line."""
    lines = decoded(content, name).removesuffix("\n").split("\n")
    return [question(line, f"{name}, line {n}", numbers) for n, line in enumerate(lines, start=1)]


def question(line, where, numbers):
    """One line of a file of questions -> `Question`."""
    parts = line.split("\t")
    text, first, last = parts[0], parts[0].find("["), parts[0].rfind("]")
    if len(parts) != 3 or not 0 <= first < last:
        raise ValueError(f"{where}: expected a question with a name in brackets, answers and a type, found {shown(line)}")
    before, topic, after = text[:first], text[first + 1:last], text[last + 1:]
    words = [part.lower().replace(",", " , ").split() for part in (before, after)]
    answers = tuple(numbers[answer] for answer in parts[1].split("|") if answer in numbers)
    return Question((*words[0], TOPIC, *words[1]), numbers.get(topic, UNKNOWN), answers, parts[2])


def decoded(content, name):
    """Bytes of a text file -> str. A mark at its start that says it is UTF-8 is left out."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: not text (byte {content[error.start]:#04x} is not UTF-8)") from None
