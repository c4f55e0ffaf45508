"""What a check found, as data and as text for people (80 columns) and for programs (JSON)."""

import json
import math
import textwrap
from dataclasses import asdict, dataclass, field, replace

WIDTH = 80
INDENT = " " * 8
SCREEN = 30            # lines: a longer report has scrolled its first line away


@dataclass
class Wrong:
    """One argument whose gradient is wrong, and the entry where it is most wrong."""
    argument: str
    index: tuple
    hand: float                      # what the backward says
    true: float                      # what the oracle says
    wrong_entries: int
    entries: int
    ratio: float | None = None       # by hand / true, if it is the same at all wrong entries
    hints: list[str] = field(default_factory=list)     # what mistake it looks like, the likeliest first


@dataclass
class Result:
    """Of one check. `print(result)` is its report."""
    kind: str                        # "equation", "kernel", "model" or "chain"
    id: str
    name: str
    passed: bool
    verdict: str
    error: float | None = None       # the worst relative error seen
    tolerance: float | None = None
    oracle: str = ""
    noise: float | None = None       # of the oracle, relative
    address: str = ""
    wrong: list[Wrong] = field(default_factory=list)
    right: list[str] = field(default_factory=list)     # the gradients that are right, if another is wrong
    notes: list[str] = field(default_factory=list)
    equal: bool | None = None        # kernels: computes what the NumPy pair computes; None: not checked
    seconds: float = 0.0
    points: list[dict] = field(default_factory=list)   # equations: purpose, error, said, moved (off a kink)
    broken: object = None            # chain: where it breaks (gradcheck/chain.py, Broken)

    def __str__(self):
        return "\n".join(lines(self, *widths([self])))


def widths(results):
    """Columns for id and name, so that a row fits."""
    return (min(26, max((len(result.id) for result in results), default=0)),
            min(26, max((len(result.name) for result in results), default=0)))


def lines(result, id_width=26, name_width=26):
    """The row of the table, and below it what there is to say about a failure."""
    error = "" if result.error is None else f"{result.error:8.1e}"
    head = f"{_cut(result.id, id_width)}  {_cut(result.name, name_width)}  "
    verdict = _verdict(result)
    if len(head) + len(verdict) + 9 <= WIDTH:
        rows = [f"{head}{verdict:<{max(WIDTH - len(head) - 9, 0)}} {error}".rstrip()]
    else:
        rows = [f"{head:<{WIDTH - 9}} {error}".rstrip(), *wrapped(verdict)]
    for wrong in result.wrong:
        rows += _about(wrong, *(("kernel", "NumPy") if result.kind == "kernel" else ("by hand", "true")))
        rows += [row for hint in wrong.hints for row in wrapped(hint)]
    for note in result.notes:
        rows += _note(note)
    if not result.passed:
        rows += wrapped(_evidence(result))
    return rows


def _note(note):
    """A note wrapped; lines of source that follow its first line stay as they are, but for the margin that they share."""
    first, *source = note.split("\n")
    shown = textwrap.dedent("\n".join(source)).split("\n") if source else []
    return wrapped(first) + [INDENT + "    " + line for line in shown]


def _cut(text, width):
    return text.ljust(width) if len(text) <= width else text[:width - 2] + ".."


def _verdict(result):
    if result.wrong and result.right:
        return f"{result.verdict}   ({', '.join(result.right)} {'is' if len(result.right) == 1 else 'are'} right)"
    return result.verdict


def _about(wrong, ours, theirs):
    """Two lines: the worst entry, and what all entries have in common."""
    where = wrong.argument + (f"[{', '.join(map(str, wrong.index))}]" if wrong.index else "")
    rows = [f"{INDENT}{where:<18} {ours} {wrong.hand:.6g}   {theirs} {wrong.true:.6g}"]
    if not wrong.wrong_entries:
        return rows + wrapped("each entry alone is within its tolerance; all together are not")
    if wrong.hints:                          # a diagnosis says it better
        return rows
    which = "all" if wrong.wrong_entries == wrong.entries else f"{wrong.wrong_entries} of"
    many = f"{which} {wrong.entries} {'entry' if wrong.entries == 1 else 'entries'}"
    if wrong.ratio is None:
        return rows + wrapped(f"wrong at {many}")
    return rows + wrapped(f"{ours} / {theirs} is {wrong.ratio:.3f} at {many}"
                          + ("" if which == "all" else "; the rest is right"))


def _evidence(result):
    parts = []
    if result.error is not None:
        allowed = "" if result.tolerance is None else f", {result.tolerance:.0e} allowed"
        parts.append(f"relative error {result.error:.1e}{allowed}")
    if result.oracle:
        parts.append(result.oracle + ("" if result.noise is None else f", noise {result.noise:.0e}"))
    if result.address:
        parts.append(result.address)
    return "; ".join(parts)


def wrapped(text, indent=INDENT):
    """Lines of at most 80 columns, indented; words that are too long stay whole."""
    width = WIDTH - len(indent)
    rows, row = [], ""
    for word in text.split():
        if row and len(row) + 1 + len(word) > width:
            rows, row = [*rows, row], word
        else:
            row = f"{row} {word}".strip()
    return [indent + row for row in [*rows, row] if row]


def table(results, seconds, seed, finding=None):
    """The whole report as text; if something is wrong, what it comes down to stands first, and last if it is long."""
    rows = [*wrapped(finding.line, indent=""), ""] if finding else []
    shown = {(result.kind, result.id) for result in results}
    if finding and finding.result is not None and (finding.result.kind, finding.result.id) not in shown:
        rows += [*lines(finding.result, *widths([finding.result])), ""]
    for kind in ("equation", "chain", "kernel", "model"):
        group = [result for result in results if result.kind == kind]
        if group:
            columns = widths(group)
            rows.append(f"{kind}s".ljust(WIDTH - 14) + "relative error")
            rows += [row for result in group for row in lines(result, *columns)] + [""]
    rows += summary(results, seconds, seed)
    if finding and len(rows) > SCREEN:
        rows += wrapped(f"Begin with {finding.line}", indent="")
    return "\n".join(rows)


def summary(results, seconds, seed):
    failed = dict.fromkeys(result.id for result in results if not result.passed)
    counts = [f"{n} {kind}{'s' if n != 1 else ''}" for kind in ("equation", "chain", "kernel", "model")
              if (n := sum(result.kind == kind for result in results))]
    oracles = sorted({result.oracle for result in results if result.oracle})
    said = "wrong: " + ", ".join(failed) if failed else "all right"
    head = f"{', '.join(counts)}: {said}"
    tail = f"{seconds:.1f} s, seed {seed}, oracle: {', '.join(oracles) or 'none'}"
    return [*wrapped(head, indent=""), tail]


def as_json(results, seconds, seed, finding=None):
    """One JSON object. Infinities and not-a-numbers become null: JSON has no word for them."""
    content = {"passed": all(result.passed for result in results), "mistake": finding.line if finding else None,
               "seconds": round(seconds, 3), "seed": seed, "results": [as_dict(result) for result in results]}
    return json.dumps(_plain(content), indent=1, allow_nan=False)


def as_dict(result):
    """A Result as plain data; of a break in a chain, its two nodes as text."""
    broken, result = result.broken, replace(result, broken=None)
    nodes = {"last_right": str(broken.last) if broken.last else None, "first_wrong": str(broken.first)} if broken else None
    return asdict(result) | {"broken": nodes}


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
