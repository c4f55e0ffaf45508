"""The growth table as text, 80 columns wide."""

from benchmarks import studies

TOLERATED = 0.15                                  # above what the mathematics says, before a slope is called too steep


def text(result):
    head = studies.head(
        result["machine"],
        "Training step: forward, loss, backward; no optimizer; the median of the fastest round, BLAS on one thread. slope: the "
        "power with which it grows, fitted over the upper half of the sizes; should: the mathematics'. Less means that a fixed "
        "part still counts; more than 0.15 above it is marked.",
        "MiB: the most that NumPy and Python had allocated at one time, parameters and batch included (tracemalloc, a "
        "process for each row); what a compiled loop allocates by itself is not seen.")
    models = list(dict.fromkeys(row["model"] for row in result["rows"]))
    parts = [head, *(table(model, [row for row in result["rows"] if row["model"] == model]) for model in models)]
    if result["long"]:
        parts.append(long_table(result["long"]))
    return "\n\n".join(parts)


def table(model, rows):
    lines = [f"{model:34}{'ms a step':>12}{'slope':>6} {'MiB':>13}{'slope':>6}  should", "-" * studies.WIDTH]
    last = None
    for row in rows:
        span = f"{row['axis']:10}{row['values'][0]} - {row['values'][-1]}" if row["axis"] != last else ""
        last = row["axis"]
        lines.append(f"{span:22}{row['form']:8}{ends(row['ms']):>16}{marked(row, 'ms'):>7}{ends(row['peak_mib']):>13}"
                     f"{marked(row, 'peak_mib'):>7}{row['expected']:7}")
    return "\n".join(lines)


def ends(numbers):
    return f"{numbers[0]:.3g} - {numbers[-1]:.4g}"


def marked(row, measured):
    """'1.02', or '1.31 !' if it grows faster than it should."""
    found = row[f"{measured}_slope"]
    return f"{found:.2f}" + ("!" if found > row["expected"] + TOLERATED else " ")


def long_table(rows):
    lines = ["T = 1001, batch 16, memory 128 x 20", f"{'':40}{'ms':>10}{'x plain':>9}{'trace MiB':>10}{'peak MiB':>10}"]
    for row in rows:
        options = ", ".join(f"{key} {value}" for key, value in row["options"].items()) or "every step kept"
        lines.append(f"{row['form']:9}{options:31}{row['ms']:10.1f}{row['times_plain']:9.2f}{row['trace_mib']:10.1f}"
                     f"{row['peak_mib']:10.1f}")
    return "\n".join(lines)
