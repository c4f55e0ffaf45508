"""The rows of the duel: what is trained, how long, and what the article claims of it. To add a row, add an entry to ROWS."""

from typing import NamedTuple


class Row(NamedTuple):
    """One row of the article's section 4.

    claim      the article's claim (C8-C11), or '' if it makes none
    title      what is counted, in percent right
    task       name in the catalog
    article    model -> percent right, as the article prints it (no length, data split, seed or spread is given there)
    lengths    copy only: the lengths that become columns
    full       model -> settings of a --full run, on top of the catalog's
    quick      model -> settings of a --quick run
    note       what a reader must know to read the figures fairly
    """
    claim: str
    title: str
    task: str
    article: dict
    lengths: tuple
    full: dict
    quick: dict
    note: str


MODELS = ("ntm", "memn2n")

ROWS = {
    "copy": Row(
        "C9", "sequence copy: bits right, %", "copy", {"ntm": 99.8, "memn2n": 84.6}, (20, 50, 120),
        {}, {"memn2n": ("sequences=200000",)},
        "trained on lengths 1-20; MemN2N gets the copy as one question a position, and has only seen positions 1-20"),
    "path-finding": Row(
        "C8", "path finding (bAbI 19): answers right, %", "babi19", {"ntm": 72.3, "memn2n": 98.1}, (),
        {}, {"ntm": ("sequences=10000", "eval_every=2000")},
        "1k questions. MemN2N's paper has 17.2 % right on these data (82.8 % error, best of 10). --quick gives the NTM 10,000 "
        "questions, MemN2N all of its recipe: compare them with --full"),
    "qa": Row(
        "", "question answering (bAbI 1): answers right, %", "babi1", {}, (),
        {}, {"ntm": ("sequences=10000", "eval_every=2000")},
        "1k questions; the article gives no figure for this row. --quick gives the NTM 10,000 questions, MemN2N all of its recipe"),
}


def choose(names):
    """Rows by name, all if none is named. Raises ValueError for an unknown one."""
    for name in names or ():
        if name not in ROWS:
            raise ValueError(f"--rows: expected some of {', '.join(ROWS)}, received {name!r}")
    return {name: ROWS[name] for name in (names or ROWS)}
