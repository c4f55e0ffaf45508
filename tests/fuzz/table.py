"""What the fuzzer found, as a table and as a result file."""

import collections
import platform


def result(found, options):
    """The result file's content: no seconds and no folder of this machine, so that the same seed writes the same file."""
    import numpy as np
    command = "python tests/fuzz" + "".join(f" --{name} {value}" for name,
                                            value in (("count", options.count), ("seed", options.seed),
                                                                                   ("only", options.only)) if value is not None)
    troubles = [{"reader": name, **trouble} for name, one in found.items() for trouble in one["troubles"]]
    return {"command": command + (" --save" if options.save else ""), "seed": options.seed,
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
            "inputs": sum(one["inputs"] for one in found.values()), "accepted": sum(one["accepted"] for one in found.values()),
            "refused": sum(one["refused"] for one in found.values()), "slowest_seconds": round(max(
                one["slowest"] for one in found.values()), 1),
            "readers": {name: {key: one[key] for key in ("inputs", "accepted", "refused", "kinds", "examples")} for name,
                        one in found.items()},
            "troubles": troubles}


def table(told):
    """80 columns."""
    lines = [f"{'reader':<28}{'inputs':>9}{'accepted':>10}{'refused':>9}{'trouble':>9}", "-" * 65]
    for name, one in told["readers"].items():
        lines.append(f"{name:<28}{one['inputs']:>9,}{one['accepted']:>10,}{one['refused']:>9,}"
                     f"{one['inputs'] - one['accepted'] - one['refused']:>9,}")
    lines += ["-" * 65, f"{'all':<28}{told['inputs']:>9,}{told['accepted']:>10,}{told['refused']:>9,}{len(told['troubles']):>9,}"]
    by_kind = collections.Counter((trouble["reader"], trouble["what"]) for trouble in told["troubles"])
    for (reader, what), n in by_kind.most_common():
        example = next(one for one in told["troubles"] if (one["reader"], one["what"]) == (reader, what))
        lines.append(f"{n:>6} {reader}: {what} (number {example['number']}, {example['kind']}): {example['said'][:300]}")
    return "\n".join([*lines, "", f"{told['command']}"])
