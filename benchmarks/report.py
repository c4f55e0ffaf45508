"""The report as text, 80 columns wide."""

import textwrap

WIDTH = 80


def text(result):
    parts = [head(result)]
    for name in result["works"]:
        parts.append(table(name, [each for each in result["contenders"] if each["work"] == name],
                           [each for each in result["comparisons"] if each["name"].startswith(f"{name}:")]))
    return "\n\n".join(parts)


def head(result):
    machine = result["machine"]
    known = [name for name in ("python", "numpy", "numba", "jax", "torch") if machine[name]]
    versions = ", ".join(f"{name} {machine[name]}" for name in known)
    lines = [f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']}; {versions}"]
    lines.append("Training step: forward, loss, backward; no optimizer. Times are medians [quartiles] in ms per "
                 f"sequence, taken in turns, {result['repeats']} rounds.")
    lines += [f"kernel {name}: {state}" for name, state in result["kernels"].items()]
    lines += [f"{name}: {reason}, left out" for name, reason in result["missing"].items()]
    return "\n".join(textwrap.fill(each, WIDTH, subsequent_indent="  ") for each in lines)


def table(name, contenders, comparisons):
    rows = [name, f"{'':22}{'ms/sequence':>12}{'quartiles':>22}{'ms/step':>10}{'first step':>13}", "-" * WIDTH]
    for each in contenders:
        low, high = each["ms_quartiles"]
        rows.append(f"{each['who']:22}{each['ms']:12.3f}{f'[{low:.3f}, {high:.3f}]':>22}{each['ms_per_step']:10.2f}"
                    f"{each['warm_up_s']:11.2f} s")
        rows.append(textwrap.fill(each["detail"], WIDTH, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(rows + [""] + [sentence(each) for each in comparisons])


def sentence(each):
    """'kernels: 3.10 times jax [2.90, 3.30]'"""
    our, their = each["name"].split(": ")[1].split(" vs ")
    low, high = each["ratio_quartiles"]
    name = {"jax": "JAX", "torch": "PyTorch", "numpy": "plain NumPy"}[their]
    return f"{our:8} {each['ratio']:7.2f} times {name:12} [{low:.2f}, {high:.2f}]"
