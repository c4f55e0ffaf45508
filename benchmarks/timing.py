"""Timing in turns: A B C A B C ..., all in one process, so that a slow minute of the machine hits everyone."""

import time
from typing import NamedTuple

import numpy as np


class Spread(NamedTuple):
    """Median and quartiles of what was measured."""
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers):
        low, median, high = np.percentile(numbers, [25, 50, 75])
        return cls(float(median), float(low), float(high))


def warm_up(contender, clock=time.perf_counter):
    """Run once, which compiles -> (seconds, what the step returned)."""
    with contender.around():
        start = clock()
        found = contender.step()
        return clock() - start, found


def take_turns(contenders, repeats, seconds, clock=time.perf_counter):
    """`repeats` rounds in which each contender has a turn of about `seconds` -> for each a list (rounds) of lists of
    seconds a step.

    A turn starts with a step that does not count: it brings the contender's data back into the caches, and gives idle
    threads of the one before time to stop spinning. The order is turned round every other round.
    """
    samples = [[] for _ in contenders]
    everyone = list(zip(contenders, samples))
    for number in range(repeats):
        for contender, own in everyone if number % 2 == 0 else reversed(everyone):
            with contender.around():
                contender.step()
                own.append(one_turn(contender.step, seconds, clock))
    return samples


def one_turn(step, seconds, clock):
    """Seconds of each step, at least three, until `seconds` have passed."""
    taken, start = [], clock()
    while len(taken) < 3 or clock() - start < seconds:
        before = clock()
        step()
        taken.append(clock() - before)
    return taken


def spread(samples):
    """Over the rounds, of each the median step: a round in which the machine was quick has more steps, but counts no more."""
    return Spread.of([np.median(own) for own in samples])


def spread_of_ratio(theirs, ours):
    """Of the ratios of the medians round by round: both had their turns within the same second or so."""
    return Spread.of([np.median(their) / np.median(our) for their, our in zip(theirs, ours)])
