"""The report as text, 80 columns wide."""

import textwrap

WIDTH = 80
NAMES = {"jax": "JAX", "torch": "PyTorch", "torch-compiled": "torch.compile", "numpy": "plain NumPy"}
CEILING = ("The ceiling of a work is the time of its arithmetic alone: each matrix product at the rate measured for its own shape, "
           "passes over the memory at that of the large product, on all cores; exp, log, tanh and memory traffic free. A line that "
           "says 25 % of this machine takes four times as long as that.")


def text(result):
    parts = [head(result), machine(result)]
    for name, sizes in result["works"].items():
        parts.append(table(name, sizes, of_work(result["contenders"], name, "work"), of_comparisons(result, name)))
        epochs = of_work(result["epochs"], name, "name")
        parts += [epoch(epochs)] if epochs else []
        parts.append(arithmetic(result["ceilings"][name]))
    return "\n\n".join(parts)


def of_work(lines, name, key):
    return [each for each in lines if each[key] == name]


def of_comparisons(result, name):
    return [each for each in result["comparisons"] if each["name"].startswith(f"{name}:")]


def head(result):
    facts = result["machine"]
    known = [name for name in ("python", "numpy", "numba", "jax", "torch") if facts[name]]
    versions = ", ".join(f"{name} {facts[name]}" for name in known)
    lines = [f"{facts['cpu']}, {facts['cores']} cores, load {facts['load_before']}; {versions}"]
    lines.append("Training step: forward, loss, backward; no optimizer. Times are medians [quartiles] over "
                 f"{result['repeats']} rounds, taken in turns, in ms per sequence.")
    lines += [f"kernel {name}: {state}" for name, state in result["kernels"].items()]
    lines += [f"{name}: {reason}, left out" for name, reason in result["missing"].items()] + result["left_out"]
    return filled(lines)


def machine(result):
    """What the machine can do."""
    large, memory = result["ceiling"]["large_product"], result["ceiling"]["bandwidth"]
    rates = [f"float32 product 1024 x 1024 x 1024: {large['one_core']:.0f} GFLOP/s on one core, {large['all_cores']:.0f} on all"]
    rates += [f"memory, {name}: {each['one_core']:.1f} GB/s on one core, {each['all_cores']:.1f} on all"
              for name, each in memory.items()]
    return "this machine\n" + "-" * WIDTH + "\n" + filled([*rates, CEILING])


def filled(lines):
    return "\n".join(textwrap.fill(each, WIDTH, subsequent_indent="  ") for each in lines)


def table(name, sizes, contenders, comparisons):
    rows = [name, filled([f"{sizes['data']}; {sizes['parameters']:,} parameters"]),
            f"{'':24}{'ms/sequence':>12}{'quartiles':>22}{'ms/step':>10}{'first step':>12}", "-" * WIDTH]
    for each in contenders:
        low, high = each["ms_quartiles"]
        rows.append(f"{each['who']:24}{each['ms']:12.4g}{f'[{low:.4g}, {high:.4g}]':>22}{each['ms_per_step']:10.4g}"
                    f"{each['warm_up_s']:10.2f} s")
        rows.append(textwrap.fill(each["detail"], WIDTH, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(rows + [""] + [sentence(each) for each in comparisons])


def sentence(each):
    """'kernels    3.10 times JAX [2.90, 3.30], 25.1 % of what this machine can do'"""
    our, their = each["name"].split(": ")[1].split(" vs ")
    low, high = each["ratio_quartiles"]
    ratio = f"{our:9} {each['ratio']:6.2f} times {NAMES[their]} [{low:.2f}, {high:.2f}],"
    return f"{ratio} {each['share_percent']:.3g} % of this machine"


def epoch(epochs):
    """The fastest of each, 'an epoch of 900 questions: kernels 0.031 s, jax 0.016 s'"""
    fastest = {}
    for each in sorted(epochs, key=lambda each: each["seconds"], reverse=True):
        fastest[each["who"]] = each["seconds"]
    times = ", ".join(f"{who} {seconds:.4f} s" for who, seconds in sorted(fastest.items(), key=lambda item: item[1]))
    return filled([f"an epoch of {epochs[0]['questions']} questions: {times}"])


def arithmetic(limit):
    """FLOP of a step with their formulas, and the shapes that carry most of them."""
    formula = limit["formula"]
    lines = [f"FLOP of a step (letters: benchmarks/flops.py): {millions(limit['product_flop'])} in matrix products = "
             f"{formula['products']}",
             f"{millions(limit['pass_flop'])} in passes over the memory = {formula['passes']}" * bool(limit['pass_flop']),
             f"{limit['evaluations']:,} evaluations of exp, log, tanh = {formula['evaluations']}, not counted as FLOP"]
    rows = [f"{'matrix product':32}{'times':>6}{'MFLOP':>10}{'one core':>13}{'all cores':>19}"]
    for each in sorted(limit["products"], key=lambda each: -each["flop"]):
        if each["flop"] >= 0.1 * limit["product_flop"]:
            m, k, n = each["shape"]
            shape = f"{each['form']}: {m} x {k} x {n}"
            rows.append(f"{shape:32}{each['times']:6}{each['flop'] / 1e6:10.3f}{each['one_core']:13.1f}{each['all_cores']:11.1f}"
                        " GFLOP/s")
    last = f"ceiling: {limit['ms']:.4g} ms a sequence, {limit['gflops']:.1f} GFLOP/s"
    return filled(filter(None, lines)) + "\n" + "\n".join(rows) + "\n" + last


def millions(flop):
    return f"{flop / 1e6:,.3f} M"
