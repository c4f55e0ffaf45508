"""The machine's ceiling, measured in the same run: how fast float32 matrix products are here at the shapes that a step uses
and at a large one, on one core and on all, and how fast memory can be read and written.

The ceiling of a work is the time that its FLOP (flops.py) would take if nothing but arithmetic took time: each matrix product at
the rate of its own shape, passes over the memory at the rate of the large product, both on all cores; exp, log, tanh and all
memory traffic free. "25 % of what this machine can do" means that the step takes four times as long as that.
"""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.flops import Product
from benchmarks.machine import cores

LARGE = Product("x A", 1024, 1024, 1024)
STREAM = 32 * 2**20             # numbers in each array for the bandwidth: 128 MiB, far more than caches hold
BLOCK = 2**13                   # numbers of it at a time, so that the triad's product stays in the first cache
TRIES = 5                       # the best counts: a ceiling is what the machine can do, not what it does when disturbed


class Ceiling:
    """Rates are measured when they are first asked for, each shape once."""

    def __init__(self, seconds=0.005, stream=STREAM):
        self.seconds, self.stream, self.rates = seconds, stream, {}

    def rate(self, product):
        """GFLOP/s at a product's shape -> {"one_core": on one thread, "all_cores": the best use of all of them}"""
        if product.shape not in self.rates:
            one = fastest(product, 1, 1, self.seconds)
            # small products are fastest where each core has one of its own, large ones may be split between them by BLAS
            both = [fastest(product, cores(), 1, self.seconds), fastest(product, 1, cores(), self.seconds)] if cores() > 1 else []
            self.rates[product.shape] = {"one_core": digits(one), "all_cores": digits(max(one, *both, 0))}
        return self.rates[product.shape]

    def of(self, count):
        """The ceiling of one step: "ms", the rate "gflops" that it means, and what it is made of."""
        products = [{"form": each.form, "shape": [each.m, each.k, each.n], "times": each.times, "flop": each.flop,
                     **self.rate(each)} for each in by_shape(count.products)]
        passes = count.passes / self.rate(LARGE)["all_cores"]                         # nanoseconds
        ms = (sum(each["flop"] / each["all_cores"] for each in products) + passes) / 1e6
        return {"ms": ms, "gflops": digits(count.flop / ms / 1e6), "product_flop": count.product_flop,
                "pass_flop": count.passes, "evaluations": count.evaluations, "formula": count.formula, "products": products}

    def report(self):
        """The machine by itself, as plain values; the bandwidth is measured now."""
        return {"unit": "GFLOP/s float32; GB/s", "large_product": self.rate(LARGE), "bandwidth": self.bandwidth()}

    def bandwidth(self):
        """GB/s of copy (2 numbers a number) and triad a = b + s c (3 of them), on one core and on all."""
        arrays = [np.full(self.stream, number, np.float32) for number in (0, 1, 2)]
        return {name: {which: digits(bandwidth(kernel, moved, arrays, number))
                       for which, number in (("one_core", 1), ("all_cores", cores()))}
                for name, kernel, moved in (("copy", copy, 2), ("triad", triad, 3))}


def by_shape(products):
    """Products of one shape as one, done as often as all of them."""
    times = {}
    for each in products:
        times[each.shape] = times.get(each.shape, 0) + each.times
    return [Product(*shape, number) for shape, number in times.items()]


def digits(number):
    return float(f"{number:.4g}")


# ---- matrix products -----------------------------------------------------------------------------------------------

def operands(product, as_it_lies):
    """Two arrays whose product it is and one for the result; transposed where a layer's backward has it so, if `as_it_lies`."""
    m, k, n = product.m, product.k, product.n
    rng = np.random.default_rng(0)
    x, A = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n)))
    if as_it_lies and product.form == "dy A^T":
        A = np.ascontiguousarray(A.T).T
    elif as_it_lies and product.form == "x^T dy":
        x = np.ascontiguousarray(x.T).T
    return x, A, np.empty((m, n), np.float32)


def fastest(product, blas_threads, workers, seconds):
    """The rate in the better of two layouts: small transposed matrices are often faster if they are copied once."""
    layouts = (True, False) if product.form == "dy A^T" else (True,)
    return max(rate(product, blas_threads, workers, seconds, layout) for layout in layouts)


def rate(product, blas_threads, workers, seconds, as_it_lies=True, clock=time.perf_counter):
    """GFLOP/s of `workers` threads at once, each with products of this shape of its own: the best of TRIES."""
    own = [operands(product, as_it_lies) for _ in range(workers)]
    with threadpool_limits(blas_threads, "blas"), ThreadPoolExecutor(workers) as pool:
        def run(repeats):
            start = clock()
            list(pool.map(multiply, own, itertools.repeat(repeats)))
            return clock() - start
        repeats = 1
        while (taken := min(run(repeats) for _ in range(TRIES))) < seconds:     # one slow run may be the machine's fault
            repeats *= 2
    return 2 * product.m * product.k * product.n * repeats * workers / taken / 1e9


def multiply(arrays, repeats):
    x, A, y = arrays
    for _ in range(repeats):
        np.matmul(x, A, out=y)


# ---- memory --------------------------------------------------------------------------------------------------------

def copy(a, b, c):
    np.copyto(a, b)


def triad(a, b, c):
    """In blocks: NumPy multiplies and adds one after the other, and what is between them stays in the cache."""
    between = np.empty(min(BLOCK, len(a)), a.dtype)
    for start in range(0, len(a), BLOCK):
        here = slice(start, start + BLOCK)
        product = between[:len(c[here])]
        np.multiply(c[here], a.dtype.type(3), out=product)
        np.add(b[here], product, out=a[here])


def bandwidth(kernel, moved, arrays, workers, clock=time.perf_counter):
    """GB/s, each worker with its own part of the arrays: the best of TRIES. Fetching a line before it is written is not counted."""
    parts = list(zip(*(np.array_split(array, workers) for array in arrays)))
    with ThreadPoolExecutor(workers) as pool:
        def run():
            start = clock()
            list(pool.map(lambda part: kernel(*part), parts))
            return clock() - start
        taken = min(run() for _ in range(TRIES))
    return moved * arrays[0].nbytes / taken / 1e9
