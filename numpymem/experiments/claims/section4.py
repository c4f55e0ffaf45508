"""Section 4 of the article: four rows, NTM against MemN2N, C8 to C11.

The rule. At every place (a task, a size) the two are set side by side, seed by seed: one is ahead if the 95 % interval of the mean
difference lies beyond zero and the mean difference is at least CLOSE points. The word goes by who is ahead:

    agrees    the article's winner is ahead at every place
    differs   at none
    depends   at some; the sentence says at which

Whether the article's figures are met (somewhere within CLOSE points), and whether its reason holds, the sentence says, too. A
reason is tested by taking it away (an ablation among the spec's groups), or by making more of it (steps, facts).
"""

import statistics

from numpymem.experiments.claims import measured
from numpymem.experiments.claims.claim import Claim, Verdict
from numpymem.experiments.claims.intervals import paired
from numpymem.experiments.rows import ROWS

CLOSE = 2.0                                       # percent points: figures nearer than this count as equal
ABLATED = {"copy": ("copy", ("shift", "content")), "update": ("rewritten-keys", ("erase",))}    # row -> task, words of variants
GROWS = {"paths": ("segment-traversal", "steps"), "facts": ("made-facts", "facts")}             # row -> task, what grows


def judge(name):
    """The Verdict on a row of ROWS."""
    row = ROWS[name]
    found = measured.read(row.spec)
    at = measured.places(found)
    if not at:
        raise FileNotFoundError(f"{row.spec} has no figures of both NTM and MemN2N yet")
    first, second = ahead_and_behind(row)
    leads = {place: paired(*(measured.right(found, model, place) for model in (first, second))) for place in at}
    held = [place for place in at if is_ahead(leads[place])]
    word = "agrees" if len(held) == len(at) else "depends" if held else "differs"
    because = " ".join(filter(None, [order_told(first, second, leads, held), figures_told(found, row, at), reason(found, name)]))
    return Verdict(word, "\n".join(measured.lines(found, [*at, *measured.beyond(found, at)])), because, commands(row.spec),
                   ((f"{row.title}: {row.note}", lambda: draw(name)),), measured.short(found, at))


def ahead_and_behind(row):
    """The models in the article's order."""
    return sorted(row.article, key=row.article.get, reverse=True)


def is_ahead(lead):
    """Whether an Interval of ours - theirs puts us ahead."""
    return lead.sign > 0 and lead.mean >= CLOSE


def who(first, second, lead):
    """'NTM ahead', or 'neither ahead'."""
    reverse = lead._replace(mean=-lead.mean, low=-lead.high, high=-lead.low)
    return f"{first} ahead" if is_ahead(lead) else f"{second} ahead" if is_ahead(reverse) else "neither ahead"


def order_told(first, second, leads, held):
    """The article's order, and where it holds; with the difference at the place where it is largest."""
    most = max(leads, key=lambda place: abs(leads[place].mean))
    example = f"{first} - {second} is {leads[most]} points at {measured.named(most)}"
    if len(held) == len(leads):
        return f"{first} is ahead everywhere, as the article has it: {example}."
    groups = {}
    for place, lead in leads.items():
        groups.setdefault(who(first, second, lead), []).append(measured.named(place))
    said = "; ".join(f"{words} at {', '.join(where)}" for words, where in groups.items())
    return f"The article has {first} ahead. Here: {said} ({example})."


def figures_told(found, row, at):
    """Which of the article's figures ours come near to, and where; and where they are farthest from them."""
    told = []
    for model, said in row.article.items():
        means = {place: mean(measured.right(found, model, place)) for place in at}
        order = sorted(at, key=lambda place: abs(means[place] - said))
        nearest, farthest = (f"{means[place]:.1f} at {measured.named(place)}" for place in (order[0], order[-1]))
        met = abs(means[order[0]] - said) <= CLOSE
        told.append(f"{model}'s {said:g} is " + (f"met ({nearest}" if met else f"not met (nearest: {nearest}")
                    + (f"; farthest: {farthest})" if farthest != nearest else ")"))
    return f"Of its figures, {' and '.join(told)}."


def mean(values):
    return sum(values.values()) / len(values)


# ---- the article's reason ---------------------------------------------------------------------------------------------------

def reason(found, name):
    """A sentence on the article's reason, or ''."""
    told = without(found, *ABLATED[name]) if name in ABLATED else more_of(found, name) if name in GROWS else ""
    return f"Its reason, {ROWS[name].reason}: {told}." if told else ""


def without(found, task, words):
    """What an NTM loses when that is taken away of it, at the largest size: 'holds (...)'."""
    at = max((place for place in measured.places(found) if (place.task, place.variant) == (task, "")), key=size, default=None)
    losses = {}
    for variant in measured.variants(found, "NTM"):
        if at and any(word in variant for word in words):
            rest = measured.right(found, "NTM", at._replace(variant=variant))
            if rest:
                losses[variant] = paired(measured.right(found, "NTM", at), rest)
    if not losses:
        return ""
    told = ", ".join(f"NTM {variant} loses {loss} points" for variant, loss in losses.items())
    return f"{holds(losses.values())} at {measured.named(at)}: {told}"


def more_of(found, name):
    """Whether MemN2N's lead grows with what the article says that it is good at."""
    task, grows = GROWS[name]
    at = sorted((place for place in measured.places(found) if place.task == task and size(place)), key=size)
    if len(at) < 2:
        return ""
    leads = []
    for place in (at[0], at[-1]):
        ntm, memn2n = (measured.right(found, model, place) for model in measured.PARENTS)
        leads.append({seed: memn2n[seed] - ntm[seed] for seed in set(ntm) & set(memn2n)})
    growth = paired(leads[1], leads[0])
    return (f"{holds([growth])}: from {size(at[0])} to {size(at[-1])} {grows} MemN2N's lead over the NTM changes by "
            f"{growth} points")


def size(place):
    """What a place was measured or trained at; 0 if there is no number."""
    return place.number or measured.trained_at(place) or 0


def holds(found):
    """What Intervals of what is lost, or won, say of a reason: all of them, some of them, not sure enough, or none."""
    shown = [is_ahead(each) for each in found]
    if any(shown):
        return "holds" if all(shown) else "holds in part"
    return "is not shown" if any(each.high >= CLOSE for each in found) else "does not hold"


# ---- what is shown ------------------------------------------------------------------------------------------------------------

def commands(spec):
    return (f"python -m numpymem report {spec}", f"python -m numpymem sweep {spec} --resume")


def draw(name):
    """The figure of a row: bars for the first contenders at every place, as many as can be read, the article's figures beside
    them."""
    from numpymem import plotting
    row = ROWS[name]
    found = measured.read(row.spec)
    return plotting.duel([panel(found, row, measured.columns(found)[:measured.SIDE_BY_SIDE])])


def panel(found, row, models=None):
    """What plotting.duel draws of a row: of all contenders, or of some."""
    shown = models or measured.columns(found)
    columns = []
    for place in measured.places(found):
        models = {model: measured.right(found, model, place) for model in shown}
        columns.append({"label": measured.named(place), "article": row.article,
                        "models": {model: spread(values) for model, values in models.items()}})
    return {"row": row.title, "columns": columns}


def spread(values):
    """{seed: percent} -> {"mean", "sd", "n"}."""
    numbers = list(values.values())
    return {"mean": statistics.fmean(numbers) if numbers else None, "n": len(numbers),
            "sd": statistics.stdev(numbers) if len(numbers) > 1 else None}


def says(row):
    figures = ", ".join(f"{model} {value:g} %" for model, value in row.article.items())
    return f"{figures}; reason: {row.reason}"


CLAIMS = tuple(Claim(row.claim, "4", row.title, says(row), lambda name=name: judge(name)) for name, row in ROWS.items())
