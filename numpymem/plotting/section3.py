"""Figures of the article's section 3, C1 to C7, each from a result file (numpymem/experiments/claims/section3.py)."""

import numpy as np
from matplotlib.ticker import NullLocator

from numpymem.plotting.parts import COLOURS, INK, READ_MAP, SOFT, WRITE_MAP, cells, headline, log_axis, picture, styled
from numpymem.plotting.story import draw_attention

TITLES = {"access": "C1: one story, told to both", "addressing": "C2: with less to address by",
          "update": "C3: keys that are rewritten", "time": "C4: another order, and a state set back",
          "parameters": "C5: errors and parameters", "training": "C6: gradients while training",
          "supports": "C7: supporting facts found"}
SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
AXES = {"addressing": "% wrong", "update": "% wrong", "time": "% wrong", "parameters": "% wrong", "training": "norm, log scale",
        "supports": "%"}
HATCHES = ("", "///", "...", "xxx", "\\\\\\")


@styled
def access(found):
    """Where an NTM writes and reads, step by step, beside MemN2N's attention to the same sentences."""
    story = found["story"]
    write, read, attention = (np.array(story[name]) for name in ("write", "read", "attention"))
    told = len(story["sentences"])
    figure = picture(9.6, 4.6)
    left, middle, right = (figure.add_axes([at / 9.6, 1.05 / 4.6, wide / 9.6, 2.5 / 4.6], label=label) for at, wide, label in
                           ((0.6, 2.0, "NTM writes"), (2.85, 2.0, "NTM reads"), (7.6, 1.8, "MemN2N")))
    steps = [*map(str, range(1, told + 1)), "Q", *"." * (len(write) - told - 1)]
    for axes, values, colours, title in ((left, write, WRITE_MAP, "NTM writes"), (middle, read, READ_MAP, "NTM reads")):
        cells(axes, values.T, colours)
        axes.set_title(title, weight="bold", color=INK)
        axes.set_xticks(range(len(steps)), steps, color=INK)
        axes.set_xlabel("sentence told, question, pauses")
    left.set_yticks(range(0, write.shape[1], 5))
    left.set_ylabel("memory slot")
    draw_attention(right, attention.T)
    right.set_yticks(range(told), [f"{number + 1}  {text}" for number, text in enumerate(story["sentences"])], fontsize=8)
    for row, label in enumerate(right.get_yticklabels()):
        label.set_color(INK if row in story["supports"] else SOFT)
        label.set_weight("bold" if row in story["supports"] else "normal")
    right.set_xticks(range(len(attention)), [f"hop {hop + 1}" for hop in range(len(attention))])
    right.set_title("MemN2N attends", weight="bold", color=INK)
    headline(figure, TITLES["access"], f"Q  {story['question']}?   A  {story['answer']};   bold: what the answer follows from")
    ntm = found["NTM"]
    figure.text(0.6 / 9.6, 0.25 / 4.6, f"A sentence changes {np.mean(ntm['told']):.0f} % of the NTM's memory, the question "
                f"{np.mean(ntm['asked']):.0f} %; a question changes {found['MemN2N']['asked']:g} of MemN2N's.", fontsize=9)
    return figure


@styled
def addressing(found):
    """Errors of each variant, NTM at the left, MemN2N at the right."""
    ntm = {task: {kind or "both": wrong(found, f"NTM {name}{', ' + kind if kind else ''}", task, place)
                  for kind in ("", "content only", "location only")}
           for task, name, place in (("copy", "copy", "wrong_percent/10"), ("segment-recall", "recall", "wrong_percent/5"))}
    memn2n = {task: {kind or "with ages": wrong(found, f"MemN2N {name}{', ' + kind if kind else ''}", task, place)
                     for kind in ("", "no time")}
              for task, name, place in (("rewritten-keys", "rewritten", "wrong_percent/1"),
                                        ("babi1", "bAbI", "test_error_percent"))}
    figure = picture(8.6, 3.7)
    for axes, values, model in zip(figure.subplots(1, 2), (ntm, memn2n), ("NTM", "MemN2N")):
        bars(axes, values, COLOURS[model])
        axes.set_title(model, weight="bold")
    return finished(figure, "addressing", "% wrong, mean and each seed; every variant trained from the start")


@styled
def update(found):
    """Errors over the number of rewrites, a line for each group."""
    figure = picture(6.4, 3.7)
    axes = figure.subplots()
    styles = {"": "-", "no erase": "--", "no time": "--"}
    for label in ("NTM", "NTM no erase", "MemN2N", "MemN2N no time"):
        model, _, variant = label.partition(" ")
        numbers = [n for n in range(13) if wrong(found, label, "rewritten-keys", f"wrong_percent/{n}")]
        errors = [wrong(found, label, "rewritten-keys", f"wrong_percent/{n}") for n in numbers]
        axes.plot(numbers, [np.mean(each) for each in errors], color=COLOURS[model], linestyle=styles[variant], label=label)
        shift = {"NTM": -0.05, "NTM no erase": 0.05}.get(label, 0)
        for number, each in zip(numbers, errors):
            axes.plot([number + shift] * len(each), each, "x" if variant else "o", markersize=4, color=COLOURS[model],
                      markerfacecolor="white", zorder=3)
    axes.set_xticks(numbers)
    axes.set_xlabel("how often the key asked for was rewritten")
    axes.set_ylim(-3, 105)
    axes.grid(True, axis="y")
    axes.legend(fontsize=8, ncols=4, loc="upper center")
    return finished(figure, "update", "rewritten-keys: % wrong; lines: mean, points: each seed (crosses where the line is broken)",
                    bottom=0.15)


@styled
def time(found):
    """At the left errors as told and in another order, at the right those of an NTM whose state is set back."""
    figure = picture(10.4, 3.9)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    order = {f"{label.replace(', ', chr(10))}": {"as told": each["wrong_percent"], "other order": each["moved_wrong_percent"]}
             for label, each in found["order"]["rewritten-keys"].items()}
    bars(left, order, SOFT)
    left.set_title("rewritten-keys, told in another order", weight="bold")
    bars(right, {case.replace(", ", "\n"): dict(each) for case, each in found["reset"].items()}, COLOURS["NTM"])
    right.set_title("NTM: set back before the question", weight="bold")
    return finished(figure, "time", "% wrong, mean and each seed; answers go by the order in which it was told")


@styled
def parameters(found):
    """Errors over the number of parameters, a panel for each task."""
    tasks = {"segment-recall": "wrong_percent/5", "babi1": "test_error_percent"}
    figure = picture(8.2, 3.7)
    for axes, (task, place) in zip(figure.subplots(1, 2), tasks.items()):
        for model, name in (("ntm", "NTM"), ("memn2n", "MemN2N")):
            groups = {run["group"]: run["parameters"] for run in found["runs"] if (run["model"], run["task"]) == (model, task)}
            at = sorted((size, wrong(found, group, task, place)) for group, size in groups.items())
            axes.errorbar([size for size, _ in at], [np.mean(each) for _, each in at], [np.std(each) for _, each in at],
                          color=COLOURS[name], marker="o" if model == "ntm" else "s", markersize=4, capsize=2, label=name)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xticks([size for size in SIZES if low <= size <= high], [f"{size:,}" for size in SIZES if low <= size <= high])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("parameters")
        axes.set_title(task, weight="bold")
        axes.grid(True, axis="y")
        axes.legend(fontsize=8)
    return finished(figure, "parameters", "% wrong, mean ± sd of the seeds")


@styled
def training(found):
    """Largest gradient norm between evaluations, run by run, with and without clipping."""
    groups = [group["label"] for group in found["spec"]["groups"]]
    norms = [norm for run in found["runs"] for point in run["gradients"] for norm in point[1:] if norm > 0]
    figure = picture(9.4, 3.7)
    every = figure.subplots(1, len(groups), sharey=True)
    for axes, label in zip(every, groups):
        runs = [run for run in found["runs"] if run["group"] == label]
        colour = COLOURS["NTM" if label.startswith("NTM") else "MemN2N"]
        for run in (run for run in runs if run["gradients"]):
            points = np.array(run["gradients"])
            axes.plot(points[:, 0], points[:, 2], color=colour, alpha=0.7, linewidth=1)
            axes.plot(points[:, 0], points[:, 1], color=SOFT, alpha=0.5, linewidth=0.8)
        ended = sum("diverged" in run for run in runs)
        axes.set_title(label.replace(", ", "\n"), fontsize=9, weight="bold")
        axes.set_xlabel("sequences")
        axes.grid(True, axis="y")
        if axes.lines:
            log_axis(axes)
        if ended:
            axes.text(0.5, 0.5, f"{ended} of {len(runs)} runs end\nin numbers that\nare not finite", ha="center", va="center",
                      fontsize=9, color=INK, transform=axes.transAxes)
            axes.set_xticks([] if not axes.lines else axes.get_xticks())
    every[0].set_ylim(min(norms) / 1.5, 1.5 * max(norms))
    return finished(figure, "training", "norm of the gradient before clipping, each seed: largest since the evaluation before; "
                                        "grey: median", top=0.74, bottom=0.15)


@styled
def supports(found):
    """What MemN2N's attention finds on each bAbI task, and both models on the tasks that both were asked about."""
    figure = picture(10.2, 3.9)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    numbers = sorted(map(int, found["babi"]))
    each = [found["babi"][str(number)] for number in numbers]
    left.bar(numbers, [max(one["found"], one["best_look"]) for one in each], color=COLOURS["MemN2N"], width=0.65, label="found")
    left.scatter(numbers, [one["chance"] for one in each], marker="_", color=INK, s=90, linewidths=2, label="chance", zorder=3)
    left.scatter(numbers, [100 - one["wrong_percent"] for one in each], marker="D", facecolors="white", edgecolors=INK, s=18,
                 label="right answers", zorder=3)
    left.set_xticks(numbers)
    left.set_xlabel("bAbI task (1k), shipped MemN2N")
    left.set_ylim(0, 109)
    left.grid(True, axis="y")
    left.legend(fontsize=8, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    both = {task: {model: [max(pair) for pair in zip(one["found"], one["best_look"])] for model, one in by_model.items()}
            for task, by_model in found["both"].items()}
    bars(right, both, {model: COLOURS[model] for model in ("NTM", "MemN2N")})
    for at, by_model in enumerate(found["both"].values()):
        right.plot([at - 0.4, at + 0.4], [np.mean(by_model["NTM"]["chance"])] * 2, color=INK, linewidth=2)
    right.set_ylim(0, 109)
    return finished(figure, "supports", "share of the supporting facts among the sentences looked at most, %; black: chance", 0.24)


# ---- what they share ----------------------------------------------------------------------------------------------------------

def wrong(found, group, task, place):
    """Percent wrong of each seed, a list; of "wrong_percent/5" what was measured at 5."""
    name, _, at = place.partition("/")
    figures = [run["figures"].get(name) for run in found["runs"] if (run["group"], run["task"]) == (group, task)]
    if at:
        figures = [(each or {}).get(at) for each in figures]
    return [each for each in figures if each is not None]


def bars(axes, values, colour):
    """{place: {kind: values}} as bars side by side: the mean, also as a number, and a dot for each value; `colour` one for all
    kinds, or one for each."""
    kinds = list(dict.fromkeys(kind for each in values.values() for kind in each))
    wide = 0.84 / len(kinds)
    for at, each in enumerate(values.values()):
        for number, kind in enumerate(kinds):
            if not each.get(kind):
                continue
            x, mean = at - 0.42 + (number + 0.5) * wide, np.mean(each[kind])
            axes.bar(x, mean, 0.92 * wide, color=colour[kind] if isinstance(colour, dict) else colour,
                     alpha=1 if isinstance(colour, dict) else 1 - 0.6 * number / len(kinds), hatch=HATCHES[number % len(HATCHES)],
                     edgecolor="white", label=kind if kind not in axes.get_legend_handles_labels()[1] else None)
            axes.plot([x] * len(each[kind]), each[kind], ".", markersize=3.5, color=INK)
            axes.annotate(f"{mean:.0f}" if mean >= 0.5 or mean == 0 else f"{mean:.1f}", (x, max(each[kind])), (0, 3), ha="center",
                          fontsize=7, textcoords="offset points", color=INK)
    axes.set_xticks(range(len(values)), list(values), fontsize=8.5, color=INK)
    axes.set_ylim(0, None)
    axes.tick_params(axis="x", length=0)
    axes.grid(True, axis="y")
    axes.legend(fontsize=7.5, ncols=min(len(kinds), 5), loc="upper center", bbox_to_anchor=(0.5, -0.16))


def finished(figure, name, note, bottom=0.25, top=0.78):
    """Title, note, what the first axis says, and room for them."""
    headline(figure, TITLES[name], note)
    figure.axes[0].set_ylabel(AXES[name])
    figure.subplots_adjust(left=0.66 / figure.get_figwidth(), right=0.985, top=top, bottom=bottom, wspace=0.16)
    return figure
