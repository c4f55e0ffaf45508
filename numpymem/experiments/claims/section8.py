"""Section 8 of the article: what the two become together (C13), what each is for (C14), what each is quick at (C15).

C13, the rule. A row's figure is the mean over its places, seed by seed; the better parent is the one with the higher mean there. A
parent that was also trained with as many parameters as the hybrid ("as large") is judged by that. Places with fewer than LEAST
seeds do not count.

    agrees    the hybrid is ahead of both parents on at least one row (95 % interval above zero), and on none is its mean
              difference to the better parent worse than -2 points
    depends   it is ahead of both somewhere, but worse elsewhere
    differs   it is ahead of both nowhere

C14, the rule. Who is ahead on a task is decided as for C8 to C11, by the mean over the task's places.

    agrees    NTM on every algorithmic task, MemN2N on every task with questions about what was told
    depends   the article's winner is ahead on some of them
    differs   on none

C15, the rule: `speed_word`. Times are of a training step (forward and backward) for an example, on one thread and on two.
"""

import json
import math
import statistics

from numpymem import kernel
from numpymem.experiments import results
from numpymem.experiments.claims import measured, section4
from numpymem.experiments.claims.claim import Claim, Verdict
from numpymem.experiments.claims.intervals import paired, told
from numpymem.experiments.rows import ROWS

LEAST = 5                                         # seeds of a place that counts
WORSE = -2.0                                      # percent points: a hybrid may be so much worse than the better parent
ALGORITHMIC = ("copy", "rewritten-keys")          # the tasks of C9 and C10 that are made, not told in words
NTM_SWEEPS = ("ntm_copy", "ntm_recall", "ntm_repeat_copy", "ntm_ngrams", "ntm_sort")


# ---- C13: the symbiosis -----------------------------------------------------------------------------------------------------

def symbiosis():
    rows = {name: against_parents(measured.read(row.spec)) for name, row in ROWS.items()}
    missing = [ROWS[name].spec for name, found in rows.items() if found is None]
    if missing:
        raise FileNotFoundError(f"no hybrid among the results of {', '.join(missing)} yet")
    ahead = [ROWS[name].title for name, found in rows.items() if found["both"]]
    worse = [f"{ROWS[name].title} ({found['better']})" for name, found in rows.items() if found["better"].mean < WORSE]
    word = "differs" if not ahead else "depends" if worse else "agrees"
    ours = [f"{ROWS[name].title}: hybrid {told(found['hybrid'])}, {found['parent']} {told(found['parents'][found['parent']])}: "
            f"{found['better']} (n = {found['better'].n})" for name, found in rows.items()]
    because = (f"Ahead of both parents: {', '.join(ahead) or 'nowhere'}. More than {-WORSE:g} points behind the better one: "
               f"{', '.join(worse) or 'nowhere'}. Mean over a row's places, seed by seed, same data; the hybrid has "
               f"{times(found['parameters'] for found in rows.values())} the parameters of the better parent and is trained on "
               f"{times(found['sequences'] for found in rows.values())} as many examples, "
               f"{times(found['seconds'] for found in rows.values())} as long." + uncounted())
    return Verdict(word, "\n".join(ours), because, tuple(f"python -m numpymem report {row.spec}" for row in ROWS.values()),
                   (("the hybrid against its parents", draw_symbiosis),),
                   "; ".join(f"{ROWS[name].title} {found['better']}" for name, found in rows.items()))


def against_parents(found):
    """The hybrid on one row -> None if it is not there, else a dict.

    hybrid               {seed: right};  parents  {model: {seed: right}}
    parent               the better one's name;  better  Interval of the difference to it;  both  whether it is ahead of both
    parameters, sequences, seconds    of a run, how many times those of the better parent
    """
    at = [place for place in measured.places(found, (*measured.PARENTS, "Hybrid")) if seeds_at(found, place) >= LEAST]
    if not at:
        return None
    sized = {model: [as_large(found, model, place) for place in at] for model in measured.PARENTS}
    hybrid, means = over(found, "Hybrid", at), {model: over(found, model, some) for model, some in sized.items()}
    parent = max(means, key=lambda model: section4.mean(means[model]))
    leads = {model: paired(hybrid, values) for model, values in means.items()}
    costs = {key: spent(found, "Hybrid", at, key) / max(spent(found, parent, sized[parent], key), 1e-9)
             for key in measured.BUDGET.values()}
    return {"hybrid": hybrid, "parents": means, "parent": parent, "better": leads[parent],
            "both": all(lead.sign > 0 for lead in leads.values()), **costs}


def uncounted():
    """' Not counted ...': where the hybrid is far behind MemN2N, but has fewer seeds than LEAST, or no NTM was there; or ''."""
    told = []
    for row in ROWS.values():
        found = measured.read(row.spec)
        for place in measured.places(found, ("MemN2N", "Hybrid")):
            ours, theirs = (section4.mean(measured.right(found, model, place)) for model in ("Hybrid", "MemN2N"))
            few = len(measured.right(found, "Hybrid", place)) < LEAST or not measured.right(found, "NTM", place)
            if few and ours - theirs < WORSE:
                told.append(f"{measured.named(place)} ({ours:.0f} against {theirs:.0f} % right)")
    return f" Not counted, but behind MemN2N (too few seeds, or no NTM): {', '.join(told)}." if told else ""


def as_large(found, model, place):
    """The same place with as many parameters as the hybrid, if this parent was there with so many; else the place."""
    wanted = f"{place.variant} {measured.LARGE}".strip()
    larger = (place._replace(variant=variant) for variant in measured.variants(found, model) if variant.startswith(wanted))
    return next((each for each in larger if measured.right(found, model, each)), place)


def seeds_at(found, place):
    """How many seeds the hybrid and both its parents have at a place."""
    return min(len(measured.right(found, model, place)) for model in (*measured.PARENTS, "Hybrid"))


def spent(found, model, at, key):
    """What a run costs on the mean over some places: parameters, sequences or seconds."""
    return statistics.fmean(statistics.fmean(measured.budget(found, model, [place], key)) for place in at)


def times(ratios):
    """'0.9 to 1.3 times'"""
    least, *_, most = sorted(ratios)
    return f"{least:.1f} to {most:.1f} times"


def over(found, model, at):
    """{seed: mean right over some places}, of the seeds that have all of them."""
    columns = [measured.right(found, model, place) for place in at]
    seeds = set.intersection(*map(set, columns))
    return {seed: sum(column[seed] for column in columns) / len(columns) for seed in sorted(seeds)}


def draw_symbiosis():
    from numpymem import plotting
    rows = {name: against_parents(measured.read(row.spec)) for name, row in ROWS.items()}
    columns = []
    for name, found in rows.items():
        models = found["parents"] | {"Hybrid": found["hybrid"]}
        columns.append({"label": ROWS[name].title, "article": None,
                        "models": {model: section4.spread(values) for model, values in models.items()}})
    return plotting.duel([{"row": "mean over a row's places", "columns": columns}])


# ---- C14: what each is for --------------------------------------------------------------------------------------------------

def suits():
    leads = task_leads()
    found = {task: section4.who("NTM", "MemN2N", lead) for task, lead in leads.items()}
    wanted = {task: "NTM ahead" if task in ALGORITHMIC else "MemN2N ahead" for task in leads}
    held = [task for task in leads if found[task] == wanted[task]]
    word = "agrees" if len(held) == len(leads) else "depends" if held else "differs"
    ours = "\n".join(f"{kind}, NTM - MemN2N, points: " + "; ".join(f"{task} {lead}" for task, lead in some.items())
                     for kind, some in by_kind(leads).items())
    others = [f"{task} ({found[task]})" for task in leads if task not in held]
    because = (f"The article's winner is ahead on {', '.join(held) or 'no task'}"
               + (f"; not on {', '.join(others)}" if others else "") + ". " + alone())
    return Verdict(word, ours, because.strip(), tuple(f"python -m numpymem report {row.spec}" for row in ROWS.values()),
                   (("who is ahead, task by task", draw_suits),))


def task_leads():
    """{task of the rows, with its variant: Interval of NTM - MemN2N over its places}."""
    leads = {}
    for row in ROWS.values():
        found = measured.read(row.spec)
        at = measured.places(found)
        if not at:
            raise FileNotFoundError(f"{row.spec} has no figures of both NTM and MemN2N yet")
        for task in dict.fromkeys(place.task for place in at):
            mine = [place for place in at if place.task == task]
            leads[task] = paired(over(found, "NTM", mine), over(found, "MemN2N", mine))
    return leads


def by_kind(leads):
    """{"algorithms": {task: lead}, "questions": {task: lead}}"""
    kinds = {"algorithms": {}, "questions": {}}
    for task, lead in leads.items():
        kinds["algorithms" if task in ALGORITHMIC else "questions"][task] = lead
    return kinds


def alone():
    """What the NTM learns of the algorithmic tasks of its own paper, which nobody has put as questions to a MemN2N."""
    told = []
    for name in NTM_SWEEPS:
        if name in results.names():
            runs = [run for run in results.read(name)["runs"] if run["model"] == "ntm" and run["goal_bits"]]
            if runs:
                told.append(f"{runs[0]['task']} {sum(run['converged_at'] is not None for run in runs)} of {len(runs)}")
    return f"Of its own paper's tasks the NTM learned, alone: {', '.join(told)} runs." if told else ""


def draw_suits():
    from numpymem import plotting
    return plotting.leads("NTM - MemN2N, points right", by_kind(task_leads()), ("MemN2N ahead", "NTM ahead"))


# ---- C15: what each is quick at -----------------------------------------------------------------------------------------------

def parallel():
    """The file that `python -m benchmarks.parallel --save` writes."""
    path = kernel.PACKAGE.parent / "benchmarks" / "results" / "parallel.json"
    if not path.is_file():
        raise FileNotFoundError("no results yet; python -m benchmarks.parallel --save makes them, in a checkout")
    return json.loads(path.read_text())


def speed():
    found = parallel()
    faster = ratios(found)
    by_threads, by_batch = ({model: gain(found, model) for model in measured.PARENTS} for gain in (gain_of_threads, gain_of_batch))
    slopes = {(row["model"], row["axis"]): row["slope"] for row in found["rows"] if row["threads"] == 1}
    ours = [f"told the same story the NTM takes {faster[0]:.1f} to {faster[-1]:.1f} times as long as MemN2N"]
    for model in measured.PARENTS:
        growth = ", ".join(f"{axis}^{slopes[model, axis]:.2f}" for axis in ("sentences", "slots") if (model, axis) in slopes)
        ours.append(f"{model}: time grows as {growth}; a batch makes an example {by_batch[model]:.1f} times as fast, a second "
                    f"thread {by_threads[model]:.2f} times")
    return Verdict(speed_word(faster, by_threads, by_batch), "\n".join(ours), sentence(faster, by_threads, by_batch),
                   ("python -m benchmarks.parallel", "python -m benchmarks.parallel --save"),
                   (("time an example", lambda: draw_speed(found)),), ours[0])


def speed_word(faster, by_threads, by_batch):
    """"agrees" if MemN2N is faster at every length of the story and gains more from both a batch and a second thread; "differs" if
    it has none of the three advantages; else "depends"."""
    held = [min(faster) > 1, *(gain["MemN2N"] > gain["NTM"] for gain in (by_batch, by_threads))]
    return "agrees" if all(held) else "depends" if any(held) else "differs"


def sentence(faster, by_threads, by_batch):
    quicker = "at every length" if min(faster) > 1 else "at some lengths" if max(faster) > 1 else "nowhere"
    gains = [f"{'MemN2N' if gain['MemN2N'] > gain['NTM'] else 'the NTM'} gains more from {what}"
             for what, gain in (("a batch", by_batch), ("a second thread", by_threads))]
    return (f"MemN2N is faster {quicker}: it looks at all sentences at once, the NTM lives through them one by one; "
            f"{' and '.join(gains)} (on two cores, in this implementation). Order and updates, the other half of the claim: see "
            "C3 and C4.")


def ratios(found):
    """Times of the NTM over those of MemN2N, told the same stories, on one thread, sorted."""
    ms = {row["model"]: dict(zip(row["values"], row["ms"])) for row in found["rows"]
          if row["threads"] == 1 and row["axis"] == "sentences"}
    return sorted(ms["NTM"][length] / ms["MemN2N"][length] for length in ms["NTM"] if length in ms["MemN2N"])


def gain_of_threads(found, model):
    """How many times as fast two threads are, the geometric mean over all sizes that were timed."""
    ms = {(row["axis"], row["threads"]): row["ms"] for row in found["rows"] if row["model"] == model}
    logs = [math.log(one / two) for axis in {axis for axis, _ in ms} for one, two in zip(ms[axis, 1], ms[axis, 2])]
    return math.exp(statistics.fmean(logs))


def gain_of_batch(found, model):
    """How many times as fast an example is in the largest batch as alone, on one thread."""
    ms = next(row["ms"] for row in found["rows"] if (row["model"], row["axis"], row["threads"]) == (model, "batch", 1))
    return ms[0] / ms[-1]


def draw_speed(found):
    from numpymem import plotting
    return plotting.times(found["rows"])


CLAIMS = (
    Claim("C13", "8", "a symbiosis", "the two will grow into one that is better than either", symbiosis),
    Claim("C14", "8", "what each is for", "NTM suits algorithmic tasks, MemN2N knowledge and reasoning", suits),
    Claim("C15", "8", "what each is quick at", "MemN2N's advantage is parallel computation; the NTM's updates and order", speed),
)
