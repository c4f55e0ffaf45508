"""The article's claims C1 to C15, one file for each section of it; each is judged from committed results."""

import importlib

from numpymem.experiments.claims.claim import WORDS, Claim, Verdict

SECTIONS = {"3": "Key differences", "4": "Task performance", "7.2": "Fusion", "8": "Conclusion"}
FILES = {"3": "section3", "4": "section4", "7.2": "section7", "8": "section8"}


def all_claims():
    """Every Claim, C1 to C15."""
    return [claim for file in FILES.values() for claim in importlib.import_module(f"{__name__}.{file}").CLAIMS]


def choose(names):
    """Claims by id, all if none is named. Raises ValueError for an unknown one."""
    known = {claim.id: claim for claim in all_claims()}
    for name in names:
        if name.upper() not in known:
            raise ValueError(f"CLAIM: expected some of {', '.join(known)}, received {name!r}")
    return [known[name.upper()] for name in names] if names else list(known.values())


__all__ = ["FILES", "SECTIONS", "WORDS", "Claim", "Verdict", "all_claims", "choose"]
