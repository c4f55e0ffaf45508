"""Where to check: random points at the shapes and in the domains that an equation's docstring declares.

All letters of one equation get pairwise different sizes, so that no transposed or mistaken axis can hide. Values are
random: at the usual reset state (constant memory, uniform weights) a wrong backward is often right by symmetry.
"""

import re
import zlib
from typing import NamedTuple

import numpy as np

# Usual sizes are small, and S (shifts) is odd.
USUAL = {"B": 2, "N": 5, "W": 4, "H": 6, "S": 3, "V": 8, "D": 9, "J": 7, "T": 4, "X": 11, "Y": 12, "C": 13}
SMALL = dict.fromkeys("BWHSDJTXYCRQI", 1) | {"N": 7, "V": 2}       # no fewer slots than shifts
LARGE = {"B": 3, "N": 37, "W": 21, "H": 5, "S": 7, "V": 29, "D": 19, "J": 11, "T": 13, "X": 23, "Y": 17, "C": 31}

_NUMBER = r"(-?\d+(?:\.\d+)?)"
DOMAINS = "[simplex] [>= 1] [> 0] [0..1] [int < V] [mask] [data] [sizes]"


class Declaration(Exception):
    """The docstring, the forward and the backward of an equation do not fit together; the text says how."""


class Point(NamedTuple):
    arguments: list          # of the forward, in order
    sizes: dict              # letter -> size


def generator(seed, name):
    """Random numbers for one check, the same whichever other checks run."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def letters(token):
    """The letters in '4C', 'J+1', 'H*W' or '1'."""
    return re.findall(r"[A-Za-z_]\w*", token)


def size_of(token, sizes):
    """The number that a shape token stands for: 'N', '4C', 'J+1', 'H*W', '1'. KeyError on an unknown letter."""
    total = 0
    for sign, term in re.findall(r"([+-]?)([^+-]+)", token.replace(" ", "")):
        value = 1
        for factor in term.split("*"):
            found = re.fullmatch(r"(\d*)(\w*)", factor)
            if not found:
                raise Declaration(f"shape {token!r}: expected letters and numbers like N, 4C, J+1 or H*W")
            number, letter = found.groups()
            value *= int(number or 1) * (sizes[letter] if letter else 1)
        total += -value if sign == "-" else value
    return total


def choose_sizes(equation, preferred=None, distinct=True):
    """A size for every letter of the inputs; those that `Equation.dims` fixes keep theirs, the rest differ from all."""
    preferred = USUAL if preferred is None else preferred
    sizes = dict(equation.dims)
    for name in equation.arguments:
        symbol = equation.inputs[name]
        bound = re.findall(r"int\s*<\s*(.+)", symbol.domain)
        for letter in [letter for token in (*symbol.shape, *bound) for letter in letters(token)]:
            if letter not in sizes:
                sizes[letter] = _free(preferred.get(letter, 2), sizes.values() if distinct else ())
    return sizes


def _free(wanted, taken):
    """`wanted` if nothing else has that size, otherwise the smallest size from 2 on that is free."""
    if wanted not in taken:
        return wanted
    return next(size for size in range(2, 1000) if size not in taken)


def draw(equation, rng, preferred=None, distinct=True):
    """A Point with random values for all arguments (settings come from `Equation.fixed`)."""
    for name in equation.arguments:
        if name not in equation.inputs:
            raise Declaration(f"the docstring does not declare the argument {name}: expected a line like "
                              f"'{name}  (B, N)  meaning'")
    sizes = choose_sizes(equation, preferred, distinct)
    return Point([_value(equation, equation.inputs[name], sizes, rng) for name in equation.arguments], sizes)


def _value(equation, symbol, sizes, rng):
    if symbol.name in equation.fixed:
        return equation.fixed[symbol.name]
    if symbol.domain == "sizes":
        raise Declaration(f"{symbol.name} is declared [sizes]: expected fixed={{'{symbol.name}': ...}} in @equation")
    shape = tuple(size_of(token, sizes) for token in symbol.shape)
    return np.asarray(sample(symbol.domain, shape, sizes, rng, symbol.name))


def sample(domain, shape, sizes, rng, name=""):
    """Random values of a domain, well inside it: the border (a zero weight, gamma = 1) is not where to differentiate."""
    if domain == "":
        return 0.5 * rng.standard_normal(shape)    # larger ones saturate softmax and sigmoid: only rounding is left
    if domain == "simplex":
        x = rng.random(shape) + 0.1
        return x / x.sum(-1, keepdims=True)
    if domain == "mask":
        return _mask(shape, rng)
    if domain == "data":
        return rng.integers(0, 2, shape).astype(np.float64)
    if found := re.fullmatch(r"int\s*<\s*(.+)", domain):
        return rng.integers(0, size_of(found[1], sizes), shape)
    if found := re.fullmatch(rf">=?\s*{_NUMBER}", domain):
        return float(found[1]) + 0.1 + 2 * rng.random(shape)
    if found := re.fullmatch(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}", domain):
        low, high = map(float, found.groups())
        return low + (high - low) * (0.02 + 0.96 * rng.random(shape))
    raise Declaration(f"{name} has the domain [{domain}]: expected none or one of {DOMAINS}")


def _mask(shape, rng):
    """Zeros and ones, where a row of three or more has both, and two ones: one choice alone has no gradient in a softmax."""
    mask = rng.integers(0, 2, shape).astype(np.float64)
    if not mask.ndim:
        return np.ones(())
    if mask.shape[-1] >= 3:
        mask[..., :2], mask[..., -1] = 1, 0
    else:
        mask[..., :1] = 1
    return rng.permuted(mask, axis=-1)


def shape_of(value):
    """np.shape, also of what is no array at all: lists of different lengths."""
    try:
        return np.shape(value)
    except ValueError:
        return "no array: a list of pieces of different shapes"


def check_shapes(kind, symbols, arrays, sizes):
    """Raise where an array has another shape than declared. A letter that only outputs have takes its size from them."""
    for symbol, array in zip(symbols, arrays):
        real = shape_of(array)
        expected = "(" + ", ".join(symbol.shape) + ")"
        if len(real) == len(symbol.shape):
            for token, size in zip(symbol.shape, real):
                if token.isalpha():
                    sizes.setdefault(token, size)
            try:
                wanted = tuple(size_of(token, sizes) for token in symbol.shape)
            except KeyError:
                continue                           # '4C' where nothing says what C is
            if wanted == real:
                continue
            expected += f" = {wanted}"
        raise Declaration(f"shape of the {kind} {symbol.name}: the docstring declares {expected}, received {real}")
