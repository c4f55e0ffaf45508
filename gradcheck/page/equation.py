"""The section of one equation in the report page: typeset, what went wrong, pictures, source, symbols."""

import inspect
import math

import numpy as np

from gradcheck.page.evidence import ENTRIES, STEPS, gather, quick
from gradcheck.page.parts import escape, evidence, facts, item, more, notes, number, remark, table
from gradcheck.page.listing import listing
from gradcheck.page.pictures import heat_map, left_over, taylor, v_curve
from gradcheck.points import Declaration, generator
from gradcheck.purposes import points
from gradcheck.trial import Trial
from gradcheck.page.typeset import formula
from numpymem.equation import REGISTRY
from numpymem.kernel import numpy_only

FEW = 120                     # entries to compare where there is nothing to find, or where each one costs a whole step
WORST = 5                     # rows of the table of wrong entries


def section(result, anchor, seed, inside=()):
    """HTML of the section of one checked equation; `inside` are wrong equations that it is made of."""
    equation = REGISTRY.get(result.id)
    if equation is None:
        return item(result, anchor, notes(result) + "".join(map(remark, result.wrong)) + facts(evidence(result)))
    trial, shown, why_none = shown_trial(equation, result, seed, bool(inside))
    positions = [equation.differentiable.index(wrong.argument) for wrong in result.wrong
                 if wrong.argument in equation.differentiable]
    forward, backward = equation.functions
    last = f"<div><h3>Symbols</h3>{symbols(equation, trial)}</div><div><h3>Verdict</h3>{facts(where(equation) + evidence(result))}"
    sources = listing(forward, "forward") + (listing(backward, "backward", positions) if backward else "")
    return item(result, anchor, "".join((
        about(equation), look_first(inside),
        "".join(map(remark, result.wrong)),
        notes(result), why_none, "".join(pictures(result, each, f"{anchor}-{each.argument}") for each in shown),
        f'<h3>In NumPy</h3><div class="pair">{sources}</div>',
        f'<div class="pair">{last}{more("Points where it was checked", points_table(result))}</div></div>')),
                formula(equation.latex))


def about(equation):
    """The sentence with which the docstring starts, and the paper."""
    first, *_ = (inspect.getdoc(equation.original) or "").split("\n\n")
    paper = f' <span class="soft">{escape(equation.source)}</span>' if equation.source else ""
    return f"<p>{escape(' '.join(first.split()))}{paper}</p>"


def look_first(inside):
    if not inside:
        return ""
    verb = "which is wrong itself" if len(inside) == 1 else "which are wrong themselves"
    return f'<div class="remark"><p>It is made of {escape(", ".join(inside))}, {verb}: look there first.</p></div>'


def where(equation):
    """File and deviations, as (term, text)."""
    try:
        address = equation.address
    except (OSError, TypeError):              # typed at a prompt
        address = "not in a file"
    patched = " (patched: what is shown above is the replacement)" if equation.is_patched else ""
    return [("lives in", address + patched), ("departs from the paper", equation.deviations)]


def symbols(equation, trial):
    """Every symbol with its shape, what size that was, its domain and meaning."""
    values = dict(zip(equation.arguments, trial.arguments)) if trial else {}
    values |= dict(zip(equation.outputs, trial.outputs)) if trial else {}
    rows = []
    for symbol, kind in [*((s, "") for s in equation.inputs.values()), *((s, "returns ") for s in equation.outputs.values())]:
        size = " × ".join(map(str, np.shape(values[symbol.name]))) if symbol.shape and symbol.name in values else ""
        shape = f"({', '.join(symbol.shape)})" + (f" = {size}" if size else "")
        rows.append((kind + symbol.name, shape, symbol.domain, symbol.meaning))
    return table(("symbol", "shape", "domain", "meaning"), rows)


def points_table(result):
    """Where the pair was tried, if the check says so."""
    if not getattr(result, "points", None):
        return ""
    rows = [(point["purpose"], point["said"], number(point["error"]), point.get("moved", "")) for point in result.points]
    return table(("point", "came out", "relative error", ""), rows, numbers=(2,))


# ---- the pictures ---------------------------------------------------------------------------------------------------

def shown_trial(equation, result, seed, is_follower=False):
    """The point that the pictures show and the Evidence there -> (Trial or None, list of Evidence, why there is none).

    A right equation shows the argument with the largest error, and so does one that is wrong because it is made of wrong ones;
    any other wrong one shows all, the wrong ones first."""
    rng, wrong = generator(seed, equation.id), {one.argument: one.index for one in result.wrong}
    try:
        with numpy_only(), np.errstate(all="ignore"):
            trial = telling_trial(equation, result, rng)
            names = [name for name in trial.gradients if name not in equation.stops and trial.gradients[name].size]
            if not wrong or is_follower:
                names = sorted(names, key=lambda name: -quick(trial, name, rng).error)[:1]
            names.sort(key=lambda name: name not in wrong)
            shown = [gather(trial, name, rng, entries_for(equation, names.index(name) or name not in wrong), wrong.get(name))
                     for name in names]
            return trial, [held_to(result, each) for each in shown], ""
    except Declaration:                       # the check has said it: the parts of this equation do not fit together
        return None, [], ""
    except Exception as error:  # noqa: BLE001  a reader's function may raise anything at a step aside; the page must be made
        return None, [], f'<p class="soft">No pictures: {escape(f"{type(error).__name__}: {error}")}</p>'


def held_to(result, shown):
    """What the check let pass, for its reasons, the pictures let pass as well."""
    return shown._replace(tolerance=max(shown.tolerance, result.tolerance or 0.0)) if result.passed else shown


def entries_for(equation, is_minor):
    return FEW if is_minor and (equation.is_step or len(equation.differentiable) > 3) else ENTRIES


def telling_trial(equation, result, rng):
    """A Trial where the pictures tell something: for a wrong equation, one at which it is wrong."""
    if not result.wrong:
        return Trial(equation, rng)
    wanted = {point["purpose"] for point in getattr(result, "points", []) if point["said"].startswith("wrong")}
    first = None
    for purpose, point in points(equation, rng):
        if not wanted or purpose in wanted:
            trial = Trial(equation, rng, point)
            first = first or trial
            if any(is_off(trial, wrong.argument, rng) for wrong in result.wrong):
                return trial
    return first or Trial(equation, rng)


def is_off(trial, name, rng):
    slope = quick(trial, name, rng)
    return not slope.error <= slope.allowed


def pictures(result, shown, key):
    """The three pictures of one argument, each with a sentence on what it says."""
    wrong = next((one for one in result.wrong if one.argument == shown.argument), None)
    worst = worst_entry(shown) if not shown.is_right else None
    alone = len(result.right) < 2
    head = (("" if alone else "the argument with the largest error") if result.passed else "wrong" if wrong
            else "right, for comparison")
    three = [(v_curve(shown, key), said_of_v(shown)), (taylor(shown, key), said_of_taylor(shown)),
             (heat_map(shown, key, worst), said_of_entries(shown, worst))]
    figures = "".join(f"<figure>{svg}<figcaption>{escape(words)}</figcaption></figure>" for svg, words in three)
    content = f'<div class="pictures">{figures}</div>' + (entries_table(shown) if worst else "")
    title = f"<code>d{escape(shown.argument)}</code> <span class=\"{'wrong' if wrong else 'soft'}\">{head}</span>"
    if wrong and shown.is_right:
        content += "<p>These pictures are at other numbers than the check used, where the mistake does not show.</p>"
    if result.passed or wrong:
        return f"<h3>{title}</h3>{content}"
    return more(f"d{shown.argument}: right, for comparison", content)


def said_of_v(shown):
    best = min((error for error in (*shown.forward, *shown.central) if math.isfinite(error)), default=math.nan)
    if shown.is_right:
        off = f"is off by {number(shown.hand)}, which is rounding" if shown.hand else "is exact here"
        return f"Step sizes. Differences get no closer than {number(best)}, if h is chosen well. The gradient by hand {off}."
    at = STEPS[int(np.nanargmin(shown.central))] if np.isfinite(shown.central).any() else math.nan
    return (f"Step sizes. The gradient by hand is off by {number(shown.hand)}. Central differences get within "
            f"{number(best)} at h near {at:.0e}: it is not the differences that are wrong.")


def said_of_taylor(shown):
    if shown.order is None:
        return ("Taylor's test. The first-order term by hand explains the whole change: only rounding is left. Here f is linear "
                "in this argument." if shown.is_right else "Taylor's test. The mistake is too small to show beside rounding.")
    if shown.is_right:
        return f"Taylor's test. What the first-order term leaves over shrinks like h², here with {left_over(shown)}: it is right."
    return (f"Taylor's test. What the first-order term leaves over should shrink like h², and has {left_over(shown)}"
            + (": part of that term is still in it." if shown.order < 1.5 else ": the mistake is small."))


def said_of_entries(shown, worst):
    compared = shown.entries
    rows, columns = compared.miss.shape
    total = math.prod(compared.shape)
    sampled = ("" if rows * columns == total
               else f" These are {rows * columns} of {total} entries: {rows} of {compared.folded[0]} rows.")
    if not compared.miss.size:
        return "Entries. The array is empty."
    off = int((compared.miss > shown.tolerance).sum())
    if not off:
        return (f"Entries. |by hand − true|, relative to the largest: at most {number(float(compared.miss.max()))}. Blue is "
                f"rounding.{sampled}")
    framed = f" The framed one, [{', '.join(map(str, worst))}], is furthest off." if worst else ""
    return f"Entries. |by hand − true|, relative to the largest: {off} of {rows * columns} are off.{framed}{sampled}"


def worst_entry(shown):
    miss = shown.entries.miss
    if not miss.size or not miss.max() > shown.tolerance:
        return None
    return shown.entries.index(*np.unravel_index(int(np.argmax(miss)), miss.shape))


def entries_table(shown):
    """The entries that are furthest off."""
    compared = shown.entries
    order = np.argsort(-compared.miss, axis=None)[:WORST]
    rows = []
    for i, j in zip(*np.unravel_index(order, compared.miss.shape)):
        if compared.miss[i, j] > shown.tolerance:
            hand, true = float(compared.hand[i, j]), float(compared.true[i, j])
            ratio = f"{hand / true + 0.0:.4g}" if abs(true) > 1e-14 else ""
            rows.append((f"d{shown.argument}[{', '.join(map(str, compared.index(i, j)))}]", f"{hand:.6g}", f"{true:.6g}", ratio))
    return table(("furthest off", "by hand", "true", "by hand / true"), rows, numbers=(1, 2, 3))
