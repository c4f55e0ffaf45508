"""What an exhibit of the museum is: a bug that was really shipped, as a patch of numpymem, with what is said of it."""

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpymem

EXHIBITS = []


@contextlib.contextmanager
def swap(owner, name, value):
    """owner.name is `value` inside the block, and afterwards what it was."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@dataclass(frozen=True)
class Exhibit:
    """One bug.

    id, title       a short name, and one line
    shipped         where it was shipped; '[read in code]' or '[issue]' says how that is known
    wrote, right    what stood there, and what belongs there
    equations       ids of the equations that it concerns
    patches         (equation id, forward or None, backward or None), for numpymem.patch
    swaps           (owner, name, function): wiring and optimizers, which are no equations
    models          (model, setting) of the cases in gradcheck.models that the check of the whole model runs
    corner          a function that returns arguments of the first equation at which the bug shows, or None
    caught          what the gradient check must name: ids of equations, names of models; () where it passes
    unmet           ids of the tests of meaning that must fail; () where all pass
    tasks           names in trained.TASKS on which the bug was trained
    functions       the code of an exhibit that is no patch
    seen            one or two sentences: what to learn from it
    """
    id: str
    title: str
    shipped: str
    wrote: str
    right: str
    seen: str
    equations: tuple = ()
    patches: tuple = ()
    swaps: tuple = ()
    models: tuple = ()
    corner: Callable | None = None
    caught: tuple = ()
    unmet: tuple = ()
    tasks: tuple = ()
    functions: tuple = ()

    @contextlib.contextmanager
    def installed(self):
        """The bug is in numpymem inside the block, and gone after it."""
        with contextlib.ExitStack() as stack:
            for id, forward, backward in self.patches:
                stack.enter_context(numpymem.patch(id, forward, backward))
            for owner, name, function in self.swaps:
                stack.enter_context(swap(owner, name, function))
            yield self

    @property
    def kind(self):
        """'forward', 'backward', 'wiring' or 'checker': which part of a program has the bug."""
        if self.functions:
            return "checker"
        if all(numpymem.find(id).is_step for id, *_ in self.patches):
            return "wiring"
        return "forward" if any(forward for _, forward, _ in self.patches) else "backward"

    @property
    def source(self):
        """The code of the patch as text, with the helpers that stand beside it."""
        halves = [half for _, *pair in self.patches for half in pair if half]
        main = [*halves, *(function for *_, function in self.swaps), *self.functions]
        helpers = [value for function in main for name in function.__code__.co_names
                   if getattr(value := function.__globals__.get(name), "__module__", None) == function.__module__
                   and inspect.isfunction(value)]
        return "\n\n".join(inspect.getsource(function).rstrip() for function in dict.fromkeys([*helpers, *main])) + "\n"

    @property
    def gradcheck_verdict(self):
        return f"fails: {', '.join(self.caught)}" if self.caught else "passes"

    @property
    def meaning_verdict(self):
        return f"fails: {', '.join(self.unmet)}" if self.unmet else "passes"

    @property
    def training(self):
        """What training with it measured (see trained.read_training), a dict by task; {} if it was not trained."""
        from gradcheck.museum.trained import read_training
        return read_training(self.id)


def show(*exhibits):
    """Put exhibits on show, in this order."""
    EXHIBITS.extend(exhibits)


def find(id):
    """The exhibit with this id. Raises KeyError for an unknown one."""
    for one in EXHIBITS:
        if one.id == id:
            return one
    raise KeyError(f"no exhibit is called {id!r}; known: {', '.join(one.id for one in EXHIBITS)}")
