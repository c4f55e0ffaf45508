"""The four rows of the duel: what the article says of them, which spec measures them, and what `duel --quick` trains of each.

The full runs are specs like all others (numpymem/experiments/specs/duel_*.json). To change what the quick run trains, change QUICK.
"""

from typing import NamedTuple

NAMES = {"ntm": "NTM", "memn2n": "MemN2N", "lstm": "LSTM", "hybrid": "Hybrid", "dnc": "DNC", "dmn": "DMN+",
         "memory-transformer": "Transformer"}


class Row(NamedTuple):
    """One row of the article's section 4.

    claim     its id
    title     what is asked for
    spec      the full run: the name of a spec and of its committed result
    article   model -> percent right, as the article prints it (no length, data split, seed or spread is given there)
    reason    the article's reason for who is ahead
    note      what a reader must know to read our figures fairly
    """
    claim: str
    title: str
    spec: str
    article: dict
    reason: str
    note: str


class Quick(NamedTuple):
    """What the quick run trains of a row.

    task      name in the catalog
    settings  of all models: NAME=VALUE texts
    models    model -> settings of its own: what is trained if nothing else is asked for
    others    settings of any other model that is asked for, beside its recipe
    variant   what the groups of the full run that train the same are called after the model's name
    """
    task: str
    settings: tuple
    models: dict
    others: tuple = ()
    variant: str = ""


ROWS = {
    "paths": Row("C8", "path finding", "duel_paths", {"NTM": 72.3, "MemN2N": 98.1}, "multi-hop reasoning",
                 "bAbI 19 (real, 1k and 10k) and walks through random graphs, whose last place is asked for"),
    "copy": Row("C9", "sequence copy", "duel_copy", {"NTM": 99.8, "MemN2N": 84.6}, "location addressing",
                "bits, of sequences that nobody has seen; trained on lengths 1 to 20; MemN2N gets one question a position"),
    "update": Row("C10", "dynamic memory update", "duel_update", {"NTM": 68.2, "MemN2N": 32.5}, "modification in place",
                  "key := value, again and again, asked for the latest value; and bAbI 2 and 3, things that are moved"),
    "facts": Row("C11", "large-scale knowledge", "duel_facts", {"NTM": 53.7, "MemN2N": 76.9}, "scaling to many facts",
                 "questions over facts told one by one, MetaQA's (films) and made-up ones"),
}

SHORT = ("sequences=64000",)
QUICK = {                                         # in the order in which they are trained: what takes longest first
    "paths": Quick("segment-traversal", ("max_steps=2",), {"ntm": ("sequences=128000", "halve_every=40000"), "memn2n": (),
                                                               "hybrid": SHORT}, SHORT),
    "facts": Quick("made-facts", (), {"ntm": SHORT, "memn2n": (), "hybrid": SHORT}, SHORT, "from 16"),
    "update": Quick("rewritten-keys", (), {"ntm": (), "memn2n": (), "hybrid": ()}, SHORT),
    "copy": Quick("copy", (), {"ntm": ("controller=feedforward",), "memn2n": ("sequences=200000",), "hybrid": ()}),
}


def choose(names):
    """Rows by name, all if none is named. Raises ValueError for an unknown one."""
    for name in names or ():
        if name not in ROWS:
            raise ValueError(f"--rows: expected some of {', '.join(ROWS)}, received {name!r}")
    return {name: ROWS[name] for name in (names or ROWS)}
