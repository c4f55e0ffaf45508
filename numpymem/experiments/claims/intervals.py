"""Means of a few seeds and how sure they are: 95 % intervals after Student (1908)."""

import math
from typing import NamedTuple

import numpy as np

T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
        2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)   # 1 ... 30 degrees of freedom


class Interval(NamedTuple):
    """A mean, and from where to where the true mean is by 95 %; of one value nobody knows: from -inf to inf."""
    mean: float
    low: float
    high: float
    n: int

    @property
    def sign(self):
        """1 or -1 if the whole interval lies above or below zero, else 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0

    def __str__(self):
        if self.n < 2:
            return f"{signed(self.mean)} (one seed)"
        return f"{signed(self.mean)} [{signed(self.low)}, {signed(self.high)}]"


def signed(value):
    """'+3.9', '-0.2', '+0.0'"""
    return f"{round(value, 1) + 0:+.1f}"


def interval(values):
    """The Interval of some numbers. Raises ValueError without any."""
    values = [float(value) for value in values]
    if not values:
        raise ValueError("values: expected at least one, received none")
    n, mean = len(values), float(np.mean(values))
    half = math.inf if n < 2 else T_95[min(n - 1, len(T_95)) - 1] * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def paired(ours, theirs):
    """Interval of ours - theirs over the seeds that both have: {seed: value} each."""
    seeds = sorted(set(ours) & set(theirs))
    return interval([ours[seed] - theirs[seed] for seed in seeds])


def told(values):
    """{seed: value} -> '98.1 ± 0.4', or '98.1' of one seed, or '-'."""
    numbers = list(values.values())
    if not numbers:
        return "-"
    return f"{np.mean(numbers):.1f}" + (f" ± {np.std(numbers, ddof=1):.1f}" if len(numbers) > 1 else "")
