"""Sixteen neighbours of a row at once: what a processor's vector unit works on, as plain Python that says what is meant.

    x = load(row, n)             row[n:n + LANES]
    y = 2 * x + fill(1)          number by number
    store(out, n, y)             out[n:n + LANES] = y
    total(y), largest(y)         the sum of them, and the largest
    maximum(x, y)                number by number

Compiled loops use the same functions through numpymem/ops/kernels_lanes.py, where one such value is one register (or a few).
Rows must be as long as a multiple of LANES: `padded` says how long, and what is beyond the end is kept at zero.
"""

LANES = 16


def padded(length):
    """The next multiple of LANES."""
    return -(-length // LANES) * LANES


class Lanes:
    """LANES numbers; + - * work number by number, with another Lanes or with one number for all."""
    __array_ufunc__ = None                       # x * lanes with a NumPy number x: let Lanes do it

    def __init__(self, numbers):
        self.numbers = list(numbers)

    def _with(self, other, operation):
        others = other.numbers if isinstance(other, Lanes) else [other] * LANES
        return Lanes(operation(a, b) for a, b in zip(self.numbers, others))

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __rsub__(self, other):
        return self._with(other, lambda a, b: b - a)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)

    __radd__, __rmul__ = __add__, __mul__


def load(row, n):
    """row[n:n + LANES], of a row (1-d array)."""
    if n + LANES > len(row):
        raise IndexError(f"load: expected {LANES} numbers from place {n}, received a row of {len(row)}")
    return Lanes(row[n:n + LANES])


def store(row, n, x):
    """row[n:n + LANES] = x"""
    if n + LANES > len(row):
        raise IndexError(f"store: expected {LANES} places from {n}, received a row of {len(row)}")
    for place, number in enumerate(x.numbers):
        row[n + place] = number


def fill(number):
    """LANES times the same number."""
    return Lanes([number] * LANES)


def total(x):
    """The sum of all LANES numbers."""
    return sum(x.numbers[1:], x.numbers[0])


def maximum(x, y):
    """Of each two numbers the larger."""
    return x._with(y, lambda a, b: max(a, b))


def largest(x):
    """The largest of all LANES numbers."""
    return max(*x.numbers)
