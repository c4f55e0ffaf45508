"""The profile as text, 80 columns wide."""

from benchmarks import studies

METHOD = (
    "One NTM training step: copy task, T = 41, memory 128 x 20, LSTM of 100; forward, loss, backward. Processor time in ms of "
    "all threads together, the quietest of {rounds} rounds; BLAS on one thread.",
    "measured: the whole; fresh memory (time in the operating system: page faults); calls (the same step with all sizes at their "
    "smallest); passes over the memory (what slots of width 1 save).",
    "derived: matrix products and exp, log, tanh are replayed by themselves with NumPy, at the same shapes, in the cache, without "
    "what a call costs. For kernels exp, log, tanh of the forward alone: they may keep them. \"vectors and the rest\" is "
    "what remains: weights over slots, gates, waiting, and where a kernel is slower (or, below zero, faster) than the replay.")


def text(result):
    parts = [studies.head(result["machine"], *(line.format(**result) for line in METHOD),
                          *(f"kernel {name}: {state}" for name, state in result["kernels"].items()))]
    for counts in result["operations"]:
        rows = [row for row in result["rows"] if row["batch"] == counts["batch"]]
        parts += [table(counts["batch"], rows), operations(counts)]
    return "\n\n".join(parts)


def table(batch, rows):
    lines = [f"{f'batch {batch}':26}" + "".join(f"{row['form'] + ' ms':>16}{'%':>7}" for row in rows)]
    lines.append("-" * len(lines[0]))
    for name in rows[0]["parts"]:
        lines.append(f"{name:26}" + "".join(cell(row["parts"][name], row["ms"]) for row in rows))
    lines.append(f"{'together':26}" + "".join(cell(row["ms"], row["ms"]) for row in rows))
    lines.append(f"{'on the wall':26}" + "".join(f"{row['wall_ms']:16.3f}{'':7}" for row in rows))
    return "\n".join(line.rstrip() for line in lines)


def cell(ms, whole):
    return f"{ms:16.3f}{100 * ms / whole:7.1f}"


def operations(counts):
    """What plain NumPy does in this step, counted and timed operation by operation: the same by another way."""
    ms = counts["ms"]
    return studies.fill(", ".join([
        f"Plain NumPy by another way, each of its {counts['operations']:,} operations timed by itself, in ms without the call: "
        f"{counts['flop'] / 1e6:.1f} MFLOP of matrix products {ms['products']:.2f}",
        f"{counts['numbers_through_exp_log_tanh']:,} numbers through exp, log, tanh {ms['transcendental']:.2f} "
        f"({counts['of_these_forward']:,} of them in the forward)",
        f"{counts['passes_over_memory']:,} passes over memories {ms['memory']:.2f}",
        f"vectors {ms['vectors']:.2f}", f"copies {ms['copies']:.2f}", f"the calls {counts['numpy_calls_ms']:.2f}",
        f"the registry's {counts['evaluations']:,} evaluations {counts['registry_ms']:.2f}."]))
