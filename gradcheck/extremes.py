"""How far out may numbers be? Every equation, forward and backward, at the ends of its domains, in float32 and float64.

    python -m gradcheck.extremes           find for each equation the largest power of ten at which all stays finite: some minutes
    python -m gradcheck.extremes --save    and write it to gradcheck/results/extremes.json, for tests/test_extremes.py

At an extreme point an array is all zero, all tiny, all of one size with random signs, or a mixture; a weighting is one-hot, even or
in between; a gate is shut, open or in between; a mask hides all, nothing or something. Sizes of axes are random, 1 is among them.
Gradients from above are random numbers of order one.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from gradcheck.models import equations, import_all
from gradcheck.pair import backward_arguments, listed
from gradcheck.points import choose_sizes, generator, sample, size_of
from numpymem import runs
from numpymem.equation import find
from numpymem.kernel import numpy_only
from numpymem.writing import write_text

RESULT = Path(__file__).parent / "results" / "extremes.json"
DTYPES = {"float32": np.float32, "float64": np.float64}
POINTS, SURE = 60, 2000                         # for each power of ten that is tried, and for the one that is stated
LETTERS = "BNWHVDJTXYCRQIGUPAEFKLOZ"


def main(arguments=None):
    """Run the command line -> exit code: 0 done."""
    parser = argparse.ArgumentParser(prog="python -m gradcheck.extremes", description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="write gradcheck/results/extremes.json")
    parser.add_argument("--seed", type=int, default=0, help="of the random points; default 0")
    options = parser.parse_args(arguments)
    import_all()
    found = {item.id: {name: bound(item, dtype, options.seed) for name, dtype in DTYPES.items()}
             for item in tqdm(equations(), ncols=79, disable=not sys.stderr.isatty())}
    print(table(found))
    if options.save:
        command = "python -m gradcheck.extremes --save" + (f" --seed {options.seed}" if options.seed else "")
        head = {"command": command, "seed": options.seed, "points": POINTS, "points_at_the_bound": SURE}
        head["versions"] = runs.versions()
        rows = ",\n  ".join(f"{json.dumps(id)}: {json.dumps(row)}" for id, row in found.items())
        write_text(RESULT, json.dumps(head, indent=1)[:-2] + f',\n "largest_power_of_ten": {{\n  {rows}\n }}\n}}\n')
    return 0


def table(found):
    """The bounds as text."""
    lines = ["numbers up to 10^n: nothing is inf or nan, forward and backward", f"{'equation':<28}{'float32':>9}{'float64':>9}"]
    return "\n".join([*lines, *(f"{id:<28}{row['float32']:>9}{row['float64']:>9}" for id, row in found.items())])


def bounds():
    """{equation: {"float32": largest power of ten, "float64": ...}}, as committed."""
    return json.loads(RESULT.read_text(encoding="utf-8"))["largest_power_of_ten"]


def bound(item, dtype, seed=0):
    """The largest power of ten at which SURE extreme points are finite. Searched for by halving with POINTS: what overflows at one
    power does so at the next. Then downwards, as a sequence may overflow sooner at one point in hundreds."""
    low, high = 0, int(np.log10(float(np.finfo(dtype).max)))                                       # 10^low is fine
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if all_finite(item, dtype, middle, POINTS, seed) else (low, middle - 1)
    while low and not all_finite(item, dtype, low, SURE, seed):
        low -= 1
    return low


def all_finite(item, dtype, power, points, seed):
    """Whether nothing is inf or nan at so many extreme points with numbers up to 10^power."""
    rng = generator(seed, f"{item.id} {power}")
    return all(is_finite(run(item, extreme_point(item, rng, 10.0 ** power, dtype), rng)) for _ in range(points))


# ---- points ---------------------------------------------------------------------------------------------------------------

def extreme_point(item, rng, size, dtype):
    """Arguments of the forward, with numbers up to `size`."""
    wanted = {letter: int(rng.integers(1, 7)) for letter in LETTERS} | {"S": int(rng.choice([1, 3, 5]))}
    wanted["N"] = max(wanted["N"], wanted["S"], 2)                  # no fewer slots than shifts
    wanted["V"] = max(wanted["V"], 2)
    sizes = choose_sizes(item, wanted, distinct=False)
    if "N" in sizes and "S" in sizes and sizes["N"] < sizes["S"]:
        sizes["N"] = sizes["S"]                                      # S was fixed by the equation
    return [argument(item, name, sizes, rng, size, dtype) for name in item.arguments]


def argument(item, name, sizes, rng, size, dtype):
    symbol = item.inputs[name]
    if name in item.fixed:
        value = item.fixed[name]
        return value.astype(dtype) if isinstance(value, np.ndarray) else value
    shape = tuple(size_of(token, sizes) for token in symbol.shape)
    value = np.asarray(extreme(symbol.domain, shape, sizes, rng, size))
    return value.astype(dtype) if value.dtype.kind == "f" else value


def extreme(domain, shape, sizes, rng, size):
    """An array at the ends of a domain."""
    if domain == "":
        return numbers(shape, rng, size)
    if domain == "simplex":
        return weightings(shape, rng)
    if domain == "mask":
        return mask(shape, rng)
    if found := re.fullmatch(r">=?\s*(\d+)", domain):
        return float(found[1]) + np.abs(numbers(shape, rng, size))
    if domain == "0..1":
        return gates(shape, rng)
    return sample(domain, shape, sizes, rng)                         # words and other data


def numbers(shape, rng, size):
    """Real numbers up to `size`: all 0, all tiny, all as large as can be, of order one, or a mixture of all sizes."""
    signs, kind = rng.choice([-1.0, 1.0], shape), rng.integers(5)
    if kind == 0:
        return np.zeros(shape)
    if kind == 1:
        return signs * 1e-30
    if kind == 2:
        return signs * size
    if kind == 3:
        return rng.standard_normal(shape)
    return signs * rng.choice([0.0, 1e-30, 1e-8, 1.0, size ** 0.5, size], shape)


def weightings(shape, rng):
    """Rows that sum to one: one-hot, even, or in between."""
    kind, N = rng.integers(3), shape[-1]
    if kind == 0:
        return np.eye(N)[rng.integers(0, N, shape[:-1])]
    if kind == 1:
        return np.full(shape, 1 / N)
    e = np.exp(rng.choice([1.0, 10.0, 50.0]) * rng.standard_normal(shape))
    return e / e.sum(-1, keepdims=True)


def gates(shape, rng):
    """Numbers in 0..1: all 0, all 1, anywhere, or a mixture with those that are next to the ends."""
    kind = rng.integers(4)
    if kind < 2:
        return np.full(shape, float(kind))
    return rng.random(shape) if kind == 2 else rng.choice([0.0, 1.0, 1e-7, 1 - 1e-7, 1e-30, 0.5], shape)


def mask(shape, rng):
    """Zeros and ones: all 0, all 1, or a mixture."""
    kind = rng.integers(3)
    return np.full(shape, float(kind)) if kind < 2 else rng.integers(0, 2, shape).astype(float)


# ---- what an equation makes of one ------------------------------------------------------------------------------------------

class Run(NamedTuple):
    """Outputs and gradients, {name: array}."""
    outputs: dict
    gradients: dict


def run(item, arguments, rng, pair=None):
    """Forward and backward of an equation (or of another pair in its place), as NumPy unless told otherwise -> Run."""
    item = find(item)
    forward, backward = pair or item.functions
    with numpy_only(), np.errstate(all="ignore"):
        inputs = dict(zip(item.arguments, arguments))
        outputs = dict(zip(item.outputs, map(np.asarray, listed(forward(*arguments)))))
        upstream = {f"d{name}": np.asarray(rng.standard_normal(out.shape)).astype(out.dtype) for name, out in outputs.items()}
        known = inputs | outputs | upstream
        gradients = listed(backward(*(known[name] for name in backward_arguments(item)))) if backward else []
    return Run(outputs, dict(zip([f"d{name}" for name in item.differentiable], gradients)))


def is_finite(found):
    """Whether a Run has no inf and no nan."""
    return not not_finite(found)


def not_finite(found):
    """The names of what has."""
    return [name for name, value in (found.outputs | found.gradients).items() if not np.isfinite(value).all()]


if __name__ == "__main__":
    sys.exit(main())
