"""A claim of the article, and what our figures say of it.

The article: a blog article of 2025 that sets memory networks and Neural Turing Machines side by side; it gives no source, data
split, size, seed or spread for its figures. Its claims are numbered C1 to C15 here, each is judged by a rule on committed results.
"""

from typing import NamedTuple

WORDS = ("agrees", "differs", "depends", "untestable")


class Verdict(NamedTuple):
    """What our figures say of a claim.

    word      one of WORDS
    ours      our figures, a line or a few: mean ± sd (n = seeds), model by model
    because   the condition of "depends", the reason of "untestable", else what stands behind the word: one or two sentences
    commands  commands that print or remake the figures: "python -m numpymem report duel_copy"
    figures   (title, function that returns a matplotlib figure) pairs; drawn only for the web page
    short     `ours` in a line, for the README; '': all lines of `ours`
    """
    word: str
    ours: str
    because: str
    commands: tuple
    figures: tuple = ()
    short: str = ""


class Claim(NamedTuple):
    """A claim of the article.

    id       "C1"
    section  of the article: "3"
    title    what it is about, in a word or a few
    says     the article's statement or figure, in our words
    judge    () -> Verdict, from committed results only, at once; FileNotFoundError if they are not there
    """
    id: str
    section: str
    title: str
    says: str
    judge: object
