"""Section 3 of the article: seven differences, C1 to C7. Measured by other files, which replace this one."""

from numpymem.experiments.claims.claim import Claim


def not_yet():
    raise FileNotFoundError("no results yet")


TITLES = ("access", "addressing", "update", "time", "parameters", "training", "interpretability")
CLAIMS = tuple(Claim(f"C{number}", "3", title, "(to come)", not_yet) for number, title in enumerate(TITLES, 1))
