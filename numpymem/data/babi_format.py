"""The bAbI file format: what a question is, the names of the twenty tasks, and a strict parser.

Source: Weston et al. 2015, "Towards AI-Complete Question Answering", arXiv:1502.05698, release 1.2.

A file is a list of stories.  Each line is `ID text` (a statement) or
`ID question<TAB>answer<TAB>supporting IDs` (a question about the statements above it).  IDs count every line
of a story, questions too, and restart at 1 with the next story.
"""

import functools
from typing import NamedTuple

from numpymem.received import shown

# Number -> stem of the file name: TASKS[1] + "_train.txt".
TASKS = {
    1: "qa1_single-supporting-fact",
    2: "qa2_two-supporting-facts",
    3: "qa3_three-supporting-facts",
    4: "qa4_two-arg-relations",
    5: "qa5_three-arg-relations",
    6: "qa6_yes-no-questions",
    7: "qa7_counting",
    8: "qa8_lists-sets",
    9: "qa9_simple-negation",
    10: "qa10_indefinite-knowledge",
    11: "qa11_basic-coreference",
    12: "qa12_conjunction",
    13: "qa13_compound-coreference",
    14: "qa14_time-reasoning",
    15: "qa15_basic-deduction",
    16: "qa16_basic-induction",
    17: "qa17_positional-reasoning",
    18: "qa18_size-reasoning",
    19: "qa19_path-finding",
    20: "qa20_agents-motivations",
}

PUNCTUATION = ".,?!"


class Question(NamedTuple):
    """One question with the story told so far."""

    story: tuple      # sentences, oldest first; each a tuple of lower-case words without punctuation
    question: tuple   # words of the question
    answer: str       # one class, also where it lists several words: "apple,milk", "s,w"
    supports: tuple   # 0-based indices into `story` of the supporting facts, in the order of the file


def parse(text, name):
    """Read one bAbI file.

    text     str, or bytes in UTF-8
    name     what to call the file in an error message
    returns  list of Question, in file order
    raises   ValueError naming the file and the line, if anything is not as the format wants it

    CRLF line ends, blanks at the end of a line and empty lines are tolerated.
    """
    questions = []
    story, position = [], {}        # position: line ID of a statement -> its index in `story`
    previous = 0                    # ID of the line before
    for number, line in enumerate(_decode(text, name).split("\n"), start=1):
        line = line.rstrip(" \r")
        if not line:
            continue
        where = f"{name}, line {number}"
        _check_printable(line, where)
        identity, body = _split_id(line, where, previous)
        if identity == 1:
            story, position = [], {}
        if "\t" in body:
            questions.append(_question(body, where, story, position))
        else:
            position[identity] = len(story)
            story.append(_statement(body, where))
        previous = identity
    if not questions:
        found = "statements but no question" if previous else "an empty file"
        raise ValueError(f"{name}: expected bAbI stories with questions, found {found}")
    return questions


@functools.lru_cache(maxsize=10_000)                 # the files say the same few thousand sentences again and again
def words(text):
    """Lower-case words of a sentence, punctuation at their ends stripped; a tuple of str."""
    stripped = (word.strip(PUNCTUATION) for word in text.lower().split())
    return tuple(word for word in stripped if word)


def _decode(text, name):
    if isinstance(text, str):
        return text
    if not isinstance(text, bytes):
        raise TypeError(f"{name}: expected text (str or bytes), received {type(text).__name__}")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: not text (byte {text[error.start]:#04x} is not UTF-8)") from None


def _check_printable(line, where):
    if line.replace("\t", "").isprintable():
        return
    strange = [character for character in line if not (character.isprintable() or character == "\t")]
    raise ValueError(f"{where}: not text (control character {strange[0]!r})")


def _split_id(line, where, previous):
    """Split `ID text`; the ID must be 1 (a new story) or follow the one before."""
    identity, _, body = line.partition(" ")
    if not is_id(identity):
        raise ValueError(f"{where}: expected an integer ID and a blank at the start, found {line[:40]!r}")
    identity = int(identity)
    if identity not in (1, previous + 1):
        expected = "1" if previous == 0 else f"{previous + 1} (the next line) or 1 (a new story)"
        raise ValueError(f"{where}: expected the ID {expected}, found {identity}")
    return identity, body


def _statement(body, where):
    sentence = words(body)
    if not sentence:
        raise ValueError(f"{where}: expected a sentence after the ID, found none")
    if body.rstrip().endswith("?"):
        raise ValueError(f"{where}: a question needs <TAB>answer<TAB>supporting IDs, found no tab: {body[:60]!r}")
    return sentence


def _question(body, where, story, position):
    parts = body.split("\t")
    if len(parts) != 3:
        tabs = len(parts) - 1
        raise ValueError(f"{where}: expected question<TAB>answer<TAB>supporting IDs (2 tabs), found {tabs} tab(s)")
    question, answer = words(parts[0]), parts[1].strip().lower()
    if not question or not answer:
        raise ValueError(f"{where}: the {'answer' if question else 'question'} is empty")
    supports = tuple(_support(token, where, position) for token in parts[2].split())
    if not supports:
        raise ValueError(f"{where}: expected at least one supporting ID after the second tab, found none")
    return Question(tuple(story), question, answer, supports)


def is_id(text):
    """Whether a text is the ID of a line; no story has a thousand million lines."""
    return text.isascii() and text.isdecimal() and len(text) < 10


def _support(token, where, position):
    if not is_id(token):
        raise ValueError(f"{where}: expected integer supporting IDs, found {shown(token)}")
    if int(token) not in position:
        raise ValueError(f"{where}: supporting ID {token} is not the ID of an earlier statement of this story")
    return position[int(token)]
