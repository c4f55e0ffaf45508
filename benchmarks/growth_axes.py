"""Which sizes are varied, and what the mathematics says about each."""

from typing import NamedTuple


class Axis(NamedTuple):
    """
    model     a name of growth_cases.MODELS
    name      the size that is varied
    values    what it takes, rising
    fixed     the other sizes, so large that the term in question is most of the work
    expected  the power of `name` with which the work grows: 1 linear, 2 quadratic
    why       the term, in a few words
    """
    model: str
    name: str
    values: tuple
    fixed: dict
    expected: int = 1
    why: str = ""

    def points(self, quick=False):
        """All values, or every other one with the last among them."""
        return self.values[::-2][::-1] if quick else self.values

    def sizes(self, value):
        return self.fixed | {self.name: value}

    @property
    def key(self):
        return f"{self.model}/{self.name}"


def ntm(model):
    return [Axis(model, "T", (11, 21, 41, 101, 201, 501, 1001), {"batch": 1}, why="a step does the same work"),
            Axis(model, "N", (32, 64, 128, 256, 512, 1024, 2048, 4096), {"T": 11}, why="every slot: norm, product, exp"),
            Axis(model, "W", (10, 20, 40, 80, 160), {"T": 11, "batch": 16}, why="every number of a slot"),
            Axis(model, "batch", (1, 2, 4, 8, 16, 32, 64), {"T": 11}, why="sequences do not meet")]


AXES = [
    *ntm("ntm-lstm"), *ntm("ntm-feedforward"),
    Axis("memn2n", "sentences", (10, 20, 50, 100, 200, 500, 1000), {"batch": 16}, why="every sentence: words, score, share"),
    Axis("memn2n", "words", (100, 1000, 5000, 20000, 80000), {"batch": 1, "sentences": 10}, why="a gradient for every word"),
    Axis("memn2n", "d", (10, 20, 40, 80, 160), {"batch": 16}, why="every number of a vector"),
    Axis("memn2n", "batch", (1, 2, 4, 8, 16, 32, 64), {}, why="stories do not meet"),
    Axis("lstm", "T", (11, 21, 41, 101, 201, 501, 1001), {"batch": 1}, why="a step does the same work"),
    Axis("lstm", "size", (32, 64, 128, 256, 512), {"T": 11, "batch": 16}, 2, "h W_u: size times 4 size"),
    Axis("lstm", "batch", (1, 2, 4, 8, 16, 32, 64), {"T": 11}, why="sequences do not meet"),
]
