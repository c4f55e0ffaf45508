"""C5 to C7: claims that put one of the two models before the other (rules: section3.py)."""

import math

import numpy as np

from numpymem.experiments import summary
from numpymem.experiments.claims import section3_measure
from numpymem.experiments.claims.claim import Verdict
from numpymem.experiments.claims.section3_told import (better, by_places, column, figure_of, mean, measured_file, report, spread,
                                                       sweep_file)

GOOD = 5.0                                        # percent wrong at which a task counts as learned
TASKS = {"segment-recall": "wrong_percent/5", "babi1": "test_error_percent"}                  # and what counts on it
MODELS = {"ntm": "NTM", "memn2n": "MemN2N"}


def parameters():
    """C5. On each task: the smallest size of each model that learns it (mean error of at most GOOD percent). The article's order
    holds where MemN2N needs fewer parameters. If neither learns a task, it says nothing; if no task does, "untestable"."""
    found = sweep_file("sec3_parameters")
    sizes = {task: {model: sizes_of(found, model, task) for model in MODELS} for task in TASKS}
    needed = {task: {model: min((size for size, errors in each.items() if mean(errors) <= GOOD), default=math.inf)
                     for model, each in by_model.items()} for task, by_model in sizes.items()}
    lines = [f"{MODELS[model]} on {task}, parameters: % wrong: "
             + ", ".join(f"{size:,}: {spread(errors)}" for size, errors in sorted(each.items()))
             + f" (n = {len(next(iter(each.values())))} each)"
             for task, by_model in sizes.items() for model, each in by_model.items()]
    told = [task for task in TASKS if min(needed[task].values()) < math.inf]
    if not told:
        return Verdict("untestable", "\n".join(lines), f"No size of either model came below {GOOD:g} % on any task.",
                       report("sec3_parameters"), figure_of("parameters", found), f"no size came below {GOOD:g} % wrong")
    short = "; ".join(f"for {GOOD:g} % on {task} an NTM needs {so_many(needed[task]['ntm'])} parameters, a MemN2N "
                      f"{so_many(needed[task]['memn2n'])}" for task in told)
    return by_places({task: needed[task]["memn2n"] < needed[task]["ntm"] for task in told}, "\n".join(lines),
                     short[0].upper() + short[1:] + ", of the sizes tried.", report("sec3_parameters"),
                     figure_of("parameters", found), short)


def sizes_of(found, model, task):
    """{parameters: {seed: percent wrong}}"""
    groups = {run["group"]: run["parameters"] for run in found["runs"] if (run["model"], run["task"]) == (model, task)}
    return {size: column(found, group, task, TASKS[task]) for group, size in groups.items()}


def so_many(size):
    return "more than were tried" if size == math.inf else f"{size:,}"


# ---- training -----------------------------------------------------------------------------------------------------------------

CLIPPINGS = {"with clipping": "", "without": ", no clipping"}
PAIRS = {"sec3_training": ("on a task of its own", {"NTM": "NTM copy", "MemN2N": "MemN2N bAbI"}),
         "sec3_training_recall": ("on segment-recall", {"NTM": "NTM recall", "MemN2N": "MemN2N recall"})}


def training():
    """C6. Each model on a task of its own and both on the same one, with clipping and without: the article's order holds where
    fewer seeds of the NTM converge than of MemN2N."""
    lines, held, shorts, files = [], {}, [], {name: sweep_file(name) for name in PAIRS}
    for name, (where, labels) in PAIRS.items():
        runs = {(model, how): runs_of(files[name], label + kind)
                for model, label in labels.items() for how, kind in CLIPPINGS.items()}
        share = {key: 100 * float(np.mean([converged(run) for run in mine])) for key, mine in runs.items()}
        held |= {(where, how): share["NTM", how] < share["MemN2N", how] for how in CLIPPINGS}
        lines += [f"{model} {where}, {how}: {told_of(mine)}" for (model, how), mine in runs.items()]
        shorts.append(f"{where}: " + ", ".join(f"{model} {share[model, 'with clipping']:.0f} / {share[model, 'without']:.0f} %"
                                               for model in labels))
    neutral = runs_of(files["sec3_training_recall"], "NTM recall, neutral heads")
    lines.append(f"NTM on segment-recall, heads that do not begin as a tape: {told_of(neutral)}")
    because = ("Where gradients explode for good they are MemN2N's: its own recipe cannot do without clipping, an NTM's on copy "
               "can." if exploding(files["sec3_training"]) else "")
    taped, learned = (sum(map(converged, mine)) for mine in (runs_of(files["sec3_training_recall"], "NTM recall"), neutral))
    because += (f" NTMs learn to look up in {taped} of {len(neutral)} seeds where their heads begin as a tape, in {learned} where "
                "they begin neutral" + (": what is hard is to find the plan." if learned < taped else "."))
    because = because.strip()
    return by_places(held, "\n".join(lines), because, report(*PAIRS), figure_of("training", files["sec3_training"]),
                     "converged with / without clipping: " + "; ".join(shorts))


def runs_of(found, label):
    """The runs of a group. Raises FileNotFoundError if there are none."""
    mine = [run for run in found["runs"] if run["group"] == label]
    if not mine:
        raise FileNotFoundError(f"{found['name']} has no runs of {label} yet")
    return mine


def told_of(runs):
    """How many converged, how many ended in numbers that are not finite, how large the gradients were."""
    return (f"{sum(map(converged, runs))} of {len(runs)} seeds converge, {sum('diverged' in run for run in runs)} end in numbers "
            f"that are not finite; {steepness(runs)}")


def exploding(found):
    """Whether without clipping it is MemN2N's runs that end, and the NTM's that go on."""
    ended = {model: sum("diverged" in run for run in runs_of(found, f"{label}, no clipping"))
             for model, label in PAIRS["sec3_training"][1].items()}
    return ended["MemN2N"] > ended["NTM"]


def converged(run):
    """Whether a run has learned its task: below its goal, or of one without a goal at most GOOD percent wrong."""
    if run["goal_bits"]:
        return run["converged_at"] is not None
    return run["figures"].get("test_error_percent", math.inf) <= GOOD


def largest(run):
    """The largest norm of a run's gradients; infinite if it was never evaluated."""
    return max((point[2] for point in run["gradients"]), default=math.inf)


def steepness(runs):
    """How large gradients are, and how much larger the largest."""
    kept = [run for run in runs if run["gradients"]]
    if not kept:
        return "none of them lives to its first evaluation"
    median = np.median([point[1] for run in kept for point in run["gradients"]])
    return f"gradient norm: median {median:.2g}, largest {max(map(largest, kept)):.3g}"


# ---- interpretability -----------------------------------------------------------------------------------------------------------

def interpretability():
    """C7. On each task that both were asked about: the article's order holds where the NTM's reads find more of the supporting
    facts than MemN2N's attention. Of each the best way of looking counts: all looks together, or the best of them."""
    found = measured_file("supports")
    shares = {task: {model: best(each) for model, each in by_model.items()} for task, by_model in found["both"].items()}
    held = {task: better(*({seed: 100 - value for seed, value in enumerate(each[model])} for model in ("NTM", "MemN2N")))
            for task, each in shares.items()}
    behind = {task: better(*({seed: 100 - value for seed, value in enumerate(each[model])} for model in ("MemN2N", "NTM")))
              for task, each in shares.items()}
    lines = [f"{task}: supporting facts found, %: NTM's reads {spread(each['NTM'])} (wrong answers "
             f"{spread(found['both'][task]['NTM']['wrong_percent'])}), MemN2N's attention {spread(each['MemN2N'])} "
             f"({spread(found['both'][task]['MemN2N']['wrong_percent'])}), chance {mean(found['both'][task]['NTM']['chance']):.1f}"
             for task, each in shares.items()]
    lines.append(f"{babi_told(found['babi'])}\n(n = {found['n']} questions a task, {len(found['seeds'])} seeds)")
    ahead = [task for task in behind if behind[task]]
    because = ("Both can be asked what an answer rests on: a MemN2N's attention names sentences by itself, an NTM's reads have to "
               "be followed back through all that was written and erased. "
               + (f"MemN2N's attention finds more on {', '.join(ahead)}." if ahead else
                  "Neither finds more." if not any(held.values()) else "The NTM's reads find more where it says so above."))
    short = "supporting facts found, NTM / MemN2N: " + ", ".join(
        f"{task} {mean(each['NTM']):.0f} / {mean(each['MemN2N']):.0f} %" for task, each in shares.items())
    return by_places(held, "\n".join(lines), because, (section3_measure.COMMAND + " supports",), figure_of("supports", found),
                     short)


def best(each):
    """Seed by seed the better of all looks together and the best single one, in percent."""
    return [max(pair) for pair in zip(each["found"], each["best_look"])]


def babi_told(babi):
    """A line on the shipped MemN2N of all bAbI tasks."""
    right = {task: each for task, each in babi.items() if each["wrong_percent"] <= GOOD}
    means = [np.mean([max(each["found"], each["best_look"]) for each in some.values()]) for some in (babi, right)]
    chances = [np.mean([each["chance"] for each in some.values()]) for some in (babi, right)]
    return (f"MemN2N on bAbI: {means[0]:.1f} % (chance {chances[0]:.1f}) over {len(babi)} tasks; {means[1]:.1f} % (chance "
            f"{chances[1]:.1f}) over the {len(right)} that it answers with at most {GOOD:g} % wrong")


def places(run, figure):
    """The paths of a run's figure, such as wrong_percent/3."""
    return [path for path in summary.flat(run["figures"]) if path.startswith(f"{figure}/")]
