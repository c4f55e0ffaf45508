"""What an exercise is, and the ways to judge an answer.

An exercise has a statement, three hints (a nudge, the idea, nearly the line) and a judge: a function of the answer that returns
'' if it is right, and else what a teacher would say. `grade` prints that; it never raises for a wrong answer, so that a notebook
with blank exercises runs from top to bottom.
"""

import dis
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gradcheck.plain import check
from gradcheck.report import wrapped

NEAR = 1e-6            # relative: answers that are computed
BY_HAND = 2e-3         # absolute: numbers worked out on paper, to three places


class Mistake(NamedTuple):
    """A wrong answer that is often given: what it is (a value, or a function that makes it), and what to say about it."""
    made: object
    remark: str


@dataclass(repr=False)
class Exercise:
    """One exercise. In a notebook it shows its statement.

    id         chapter and number, "2.1"
    title      a few words
    statement  Markdown: what is asked, and the names and shapes to use
    hints      three texts, each saying more than the one before
    judge      judge(*answers) -> '' if right, else a remark
    learned    one sentence for whoever has it right
    """
    id: str
    title: str
    statement: str
    hints: tuple
    judge: Callable
    learned: str = ""
    given: int = field(default=0, compare=False)          # how many hints have been asked for

    def __post_init__(self):
        if len(self.hints) != 3:
            raise ValueError(f"exercise {self.id}: expected three hints, received {len(self.hints)}")

    def _repr_markdown_(self):
        return f"**Exercise {self.id}: {self.title}**\n\n{self.statement}"

    def __repr__(self):
        return f"Exercise {self.id}: {self.title}"

    def hint(self):
        """Print the next hint; after the third, the third again."""
        self.given = min(self.given + 1, len(self.hints))
        _say(f"Hint {self.given} of {len(self.hints)}. {self.hints[self.given - 1]}")

    def grade(self, *answers):
        """Print what there is to say about an answer -> whether it is right."""
        remark = self.remark(*answers)
        _say(f"{self.id} {remark or 'Right. ' + self.learned}".rstrip())
        return not remark

    def remark(self, *answers):
        """'' for a right answer, else the remark."""
        if not answers or any(is_blank(answer) for answer in answers):
            return "Nothing here yet. Write your answer in the cell above and run it again; .hint() helps a little."
        try:
            remark = self.judge(*answers)
        except Exception as error:  # noqa: BLE001  a reader's function may raise anything, and that is a remark, too
            remark = f"Your answer stopped with {type(error).__name__}: {error}"
        return f"Not yet. {remark}" if remark else ""


def _say(text):
    """Print, wrapped where the text has no lines of its own."""
    for line in text.splitlines():
        print(line if line.startswith(" ") else "\n".join(wrapped(line, indent="")))


def is_blank(answer):
    """Whether nothing was answered: None, ..., '', or a function that does nothing but return None."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return answer is None or answer is Ellipsis or (isinstance(answer, str) and not answer.strip())
    return [step.argval for step in dis.get_instructions(code) if step.opname.startswith(("LOAD", "RETURN_CONST"))] == [None]


# ---- judges -----------------------------------------------------------------------------------------------------------

def same_numbers(expected, mistakes=(), tolerance=BY_HAND, otherwise="Work that one out by hand."):
    """A judge for numbers worked out by hand.

    expected   number or array
    mistakes   Mistakes whose `made` is what a wrong way gives
    otherwise  what to say where none of these was made
    """
    expected = np.asarray(expected, float)

    def judge(answer):
        return difference(np.asarray(answer, float), expected, [(np.asarray(one.made, float), one.remark) for one in mistakes],
                          tolerance, otherwise)
    return judge


def same_forward(reference, points, mistakes=()):
    """A judge for an equation's forward: it must compute what `reference` computes at all points (tuples of arguments)."""
    def judge(function):
        if not callable(function):
            return no_function(function)
        for point in points:
            copies = [np.copy(argument) if isinstance(argument, np.ndarray) else argument for argument in point]
            answer = function(*copies)
            if answer is None:
                return "Your function returns nothing: does it end with a return?"
            changed = [i for i, (before, after) in enumerate(zip(point, copies), 1) if not np.array_equal(before, after)]
            if changed:
                return f"Your function changes its argument number {changed[0]}. Make a new array: others still need the old one."
            remark = difference(np.asarray(answer), np.asarray(reference(*point)),
                                [(np.asarray(one.made(*point)), one.remark) for one in mistakes], NEAR)
            if remark:
                return remark
        return ""
    return judge


def no_function(answer):
    """What to say to something else where a function is asked for."""
    return f"Expected your function itself, its name without brackets: .grade(my_function). Received {answer!r:.60}."


def difference(answer, expected, wrong_ways, tolerance, otherwise="Work that one out by hand."):
    """'' if the arrays agree; else the remark of the mistake that gives this answer, or where and how far they differ."""
    if answer.shape == expected.shape and agree(answer, expected, tolerance):
        return ""
    for value, remark in wrong_ways:
        if value.shape == answer.shape and agree(answer, value, tolerance):
            return remark
    if answer.shape != expected.shape:
        return f"Expected shape {expected.shape}, received {answer.shape}."
    off = np.abs(np.nan_to_num(answer, nan=np.inf) - expected)
    at = np.unravel_index(int(off.argmax()), off.shape)
    place = f" at {list(map(int, at))}" if at else ""
    many = int((off > room(expected, tolerance)).sum())
    return (f"{many} of {off.size} numbers wrong; farthest off{place}: {answer[at]:.4g}. "
            + (factor(answer, expected) or otherwise))


def factor(answer, expected):
    """Words for an answer that is the right one times a number, else ''."""
    ratios = answer[expected != 0] / expected[expected != 0]
    if len(ratios) < 2 or not np.isfinite(ratios).all() or np.ptp(ratios) > 1e-3 * abs(ratios[0]) or ratios[0] == 0:
        return ""
    return f"All of yours are {ratios[0]:.4g} times what they should be."


def agree(answer, expected, tolerance):
    return np.allclose(answer, expected, rtol=0, atol=room(expected, tolerance))


def room(expected, tolerance):
    """How far off an entry may be: the tolerance, times the largest number where that is above 1."""
    return tolerance * max(1.0, float(np.abs(expected).max(initial=0)))


def right_backward(forward, inputs, outputs=None, mistakes=()):
    """A judge for a backward body: gradcheck holds it against the complex step of `forward`.

    inputs     the forward's arguments, by name
    outputs    names of its outputs, if the backward asks for them
    mistakes   Mistakes whose `made` is a backward; their remark comes before what gradcheck says
    """
    def judge(backward):
        if not callable(backward):
            return no_function(backward)
        found = check(forward, backward, inputs, outputs)
        if found.passed:
            return ""
        said = next((one.remark for one in mistakes if fails_alike(found, check(forward, one.made, inputs, outputs))), "")
        return "\n".join(filter(None, [said or "gradcheck says:", *map("    {}".format, str(found).splitlines())]))
    return judge


def fails_alike(found, other):
    """Whether two checks found the same gradients wrong, with the same numbers."""
    return bool(found.wrong) and [(one.argument, one.index) for one in found.wrong] == [
        (one.argument, one.index) for one in other.wrong] and np.allclose([one.hand for one in found.wrong],
                                                                          [one.hand for one in other.wrong])


def all_of(*judges):
    """A judge of several answers: each has its own, and the first remark is the one to begin with."""
    def judge(*answers):
        if len(answers) != len(judges):
            return f"Expected {len(judges)} answers, received {len(answers)}."
        for number, (one, answer) in enumerate(zip(judges, answers), 1):
            remark = one(answer)
            if remark:
                return (f"Answer {number}: " if len(judges) > 1 else "") + remark
        return ""
    return judge


def one_of(right, remarks, otherwise):
    """A judge for a choice among words or ids.

    right      the right choice, or several that are right
    remarks    wrong choice -> what to say about it
    otherwise  what to say about any other
    """
    right = {right.lower()} if isinstance(right, str) else {each.lower() for each in right}
    remarks = {choice.lower(): remark for choice, remark in remarks.items()}

    def judge(answer):
        answer = str(answer).strip().lower()
        return "" if answer in right else remarks.get(answer, otherwise)
    return judge
