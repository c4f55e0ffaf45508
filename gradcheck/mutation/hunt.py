"""Find the bug: one mutant, planted for a reader.

    hunt = gradcheck.bug_hunt(seed=7)        # something is now wrong, somewhere
    print(hunt.report())                     # what the gradient check says about it
    hunt.guess("NTM-9")                      # is it there?
    hunt.reveal()                            # the line as it was and as it is; the bug is gone again
"""

import contextlib

import numpy as np

from gradcheck.investigate import investigate
from gradcheck.models import CASES, equations
from gradcheck.mutation.exam import own_exam
from gradcheck.mutation.mutant import mutants_of, planted
from gradcheck.mutation.targets import targets

_open = []                   # the hunt that is on: there is one at a time


class Hunt:
    """A planted bug. It stays until `reveal`, `undo`, or the end of a `with` block."""

    def __init__(self, mutant, among=()):
        self.mutant, self.among, self._stack, self._finding = mutant, among, contextlib.ExitStack(), None
        self.plant()

    @property
    def answer(self):
        """Where it is: the id of an equation, or the name of a model."""
        return self.mutant.target.owner

    def plant(self):
        """Put the bug in force; any other hunt ends."""
        while _open:
            _open.pop().undo()
        self._stack.enter_context(planted(self.mutant.target, self.mutant.function()))
        _open.append(self)

    def find(self):
        """What the gradient check finds -> investigate.Finding. Of a hunt among some, only these are looked at."""
        if self._finding is None:
            self._finding = investigate(equations=[item for item in equations() if is_among(item.id, self.among)],
                                        cases=[case for case in CASES if is_among(case.name, self.among)])
        return self._finding

    def report(self):
        """The same as text. Its first line says where to look."""
        return str(self.find())

    def guess(self, where):
        """Whether the bug is in this equation (its id) or model (its name)."""
        right = str(where).lower() == self.answer.lower()
        print(f"{where}: " + ("yes, that is where it is" if right else "no, that one is as it should be"))
        return right

    def reveal(self):
        """Say what was done, and take it back."""
        self.undo()
        target, edit = self.mutant.target, self.mutant.edit
        text = (f"{self.answer}, {target.name}, line {edit.line}\n    it was  {self.mutant.before}\n"
                f"    it is   {self.mutant.after}      (now repaired)")
        print(text)
        return text

    def undo(self):
        """Take the bug away."""
        self._stack.close()
        if self in _open:
            _open.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.undo()
        return False


def bug_hunt(seed, kind=None, among=()):
    """Plant one bug, drawn by `seed` -> Hunt. It computes something wrong without raising.

    kind    "pair": inside one equation's backward; "wiring": in a step or a model; default: either, evenly
    among   starts of the ids and models it may be in: ("DNC", "Hybrid"); default: all
    raises  ValueError for another kind, or where there is nothing to break among those
    """
    if kind not in (None, "pair", "wiring"):
        raise ValueError(f"kind: expected 'pair', 'wiring' or None, received {kind!r}")
    while _open:
        _open.pop().undo()
    among = (among,) if isinstance(among, str) else tuple(among)
    return Hunt(draw_mutant(seed, kind, among), among)


def is_among(name, starts):
    """Whether the id of an equation, or the name of a model, begins with one of some starts; with none of them all do."""
    return not starts or name.lower().startswith(tuple(start.lower() for start in starts))


def draw_mutant(seed, kind=None, among=()):
    """A mutant that neither raises nor is equivalent: first the kind, then the function, then the mistake, all by chance."""
    rng = np.random.default_rng([seed, 20141020])          # the day on which the NTM paper came out
    kind = kind or ("pair", "wiring")[int(rng.integers(2))]
    choices = [target for target in targets() if target.kind == kind and is_among(target.owner, among) and mutants_of(target)]
    if not choices:
        raise ValueError(f"among: expected starts of ids or of models' names that have a {kind} to break, received {among!r}")
    exams = {}
    while True:
        target = choices[int(rng.integers(len(choices)))]
        mutants = mutants_of(target)
        mutant = mutants[int(rng.integers(len(mutants)))]
        exam = own_exam(target.owner, exams)       # not a wider one: a bug that only a branch of a model shows is no fair hunt
        with planted(target, mutant.function()):
            verdict = exam.verdict()
        if verdict.caught and verdict.how.startswith("d") and not verdict.how.startswith("dtrace"):
            return mutant
