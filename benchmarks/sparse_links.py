"""python -m benchmarks.sparse_links: the DNC's dense and sparse links side by side, time and memory as the slots grow.

What is timed is what benchmarks/works.py times as dnc-link: T writes, forward and backward weights of R heads after each, and back
through all of it; plain NumPy, one BLAS thread, float32, dense and sparse in turns. Memory is that of the links of all T steps,
which backward needs.
"""

import json
import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

from numpymem.cli import Parser, whole
from numpymem.dnc.equations import precedence, precedence_backward
from numpymem.dnc.sparse_link import along, along_backward, linked, linked_backward


def writes(T, B, N, R, rng):
    """Weightings as a DNC has them, nearly all on one slot: w_w (T, B, N), w_r (T, B, R, N)."""
    return (rng.dirichlet(np.full(N, 1 / N), (T, B)).astype(np.float32),
            rng.dirichlet(np.full(N, 1 / N), (T, B, R)).astype(np.float32))


def run(w_w, w_r, K):
    """All steps forward and back, with ones for the gradients of the weights -> bytes of the links."""
    T, B, N = w_w.shape
    L, p = np.zeros((B, N, 2 * K or N), np.float32), np.zeros((B, N), np.float32)
    states = []
    for t in range(T):
        states.append((L, p))
        L, p = linked(L, w_w[t], p, K), precedence(p, w_w[t])
        along(L, w_r[t], K)
    kept, dL, dp, ones = sum(L.nbytes for L, _ in states), np.zeros_like(L), np.zeros_like(p), np.ones_like(w_r[0])
    for t in reversed(range(T)):
        L_prev, p_prev = states[t]
        dL_along, _ = along_backward(ones, ones, L, w_r[t], K)
        dp, _ = precedence_backward(dp, p_prev, w_w[t])
        dL, _, dp_link = linked_backward(dL + dL_along, L_prev, w_w[t], p_prev, K)
        dp, L = dp + dp_link, L_prev
    return kept


def measure(sizes, T=41, B=4, R=1, K=8, repeats=5):
    """-> a dict for each number of slots."""
    rows = []
    for N in sizes:
        data = writes(T, B, N, R, np.random.default_rng(0))
        taken, kept = {0: [], K: []}, {}
        for _ in range(repeats + 1):
            for each in taken:
                started = time.perf_counter()
                kept[each] = run(*data, each)
                taken[each].append(1e3 * (time.perf_counter() - started) / B)
        ms = {each: statistics.median(times[1:]) for each, times in taken.items()}           # the first one warms up
        MiB = {each: kept[each] / B / 2 ** 20 for each in kept}
        rows.append({"N": N, "dense_ms": round(ms[0], 3), "sparse_ms": round(ms[K], 3), "dense_MiB": round(MiB[0], 3),
                     "sparse_MiB": round(MiB[K], 3)})
    return rows


def text(rows, K):
    head = f"{'slots':>6} {'dense':>10} {f'sparse, K = {K}':>14} {'dense':>12} {'sparse':>12}   of a sequence"
    return "\n".join([head, *(f"{row['N']:>6} {row['dense_ms']:>7.2f} ms {row['sparse_ms']:>11.2f} ms {row['dense_MiB']:>8.2f} MiB "
                              f"{row['sparse_MiB']:>8.2f} MiB" for row in rows)])


def main(arguments=None):
    parser = Parser(prog="python -m benchmarks.sparse_links", description=__doc__.splitlines()[0])
    parser.add_argument("--slots", nargs="+", type=whole(2), default=[64, 256, 1024], metavar="N")
    parser.add_argument("--links", type=whole(1), default=8, metavar="K", help="links kept a slot (default 8)")
    parser.add_argument("--repeats", type=whole(1), default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with threadpool_limits(1, "blas"):
        rows = measure(options.slots, K=options.links, repeats=options.repeats)
    print(json.dumps(rows) if options.json else text(rows, options.links))


if __name__ == "__main__":
    main()
