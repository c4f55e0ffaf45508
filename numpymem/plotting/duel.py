"""NTM against MemN2N: percent right, who is ahead by how much, and who is quicker."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from numpymem.plotting.parts import COLOURS, INK, SOFT, headline, picture, styled

MARKERS = {"NTM": "o", "MemN2N": "s"}
HATCHES = {"MemN2N": "///", "Hybrid": "..."}     # to be told apart on grey paper, too


@styled
def duel(rows):
    """NTM against MemN2N: percent right, with the article's figures as hollow diamonds beside the bars.

    rows  dicts {"row": name, "columns": [{"label", "models": {model: {"mean", "sd", "n"}},
          "article": {model: percent} or None}]}; a mean of None is shown as "none"
    """
    models = list(dict.fromkeys(model for row in rows for column in row["columns"] for model in column["models"]))
    sizes = [len(row["columns"]) for row in rows]
    column = max(1.35, 0.52 * len(models))                                # inches
    width, height = max(6.0, 0.9 + column * sum(sizes) + 0.25 * len(rows)), 3.9
    figure = picture(width, height)
    axes = figure.subplots(1, len(rows), sharey=True, squeeze=False, width_ratios=sizes)[0]
    for row, each in zip(rows, axes):
        for at, column in enumerate(row["columns"]):
            draw_column(each, at, column, models)
        named = [column["label"] for column in row["columns"]]
        each.set_xticks(range(len(named)), named, fontsize=9, color=INK)
        each.set_xlim(-0.55, len(row["columns"]) - 0.45)
        each.set_title(row["row"], weight="bold", pad=6)
        each.set_label(row["row"])
        each.tick_params(axis="x", length=0)
        each.grid(True, axis="y")
    axes[0].set_ylim(0, 109)
    axes[0].set_yticks(range(0, 101, 25))
    axes[0].set_ylabel("right, %")
    title = " against ".join(models[:2]) + "".join(f", {model}" for model in models[2:])
    headline(figure, title, f"percent right; {over_seeds(rows)}", left=0.65)
    figure.subplots_adjust(left=0.65 / width, right=1 - 0.2 / width, top=1 - 0.95 / height, bottom=0.62 / height,
                           wspace=0.12)
    duel_legend(figure, models, any(column.get("article") for row in rows for column in row["columns"]))
    return figure


def over_seeds(rows):
    """What the numbers are a mean of."""
    seeds = sorted({found["n"] for row in rows for column in row["columns"] for found in column["models"].values()
                    if found.get("n")})
    if seeds in ([], [1]):
        return "one seed" if seeds else "no seed yet"
    return f"mean and standard deviation of {seeds[0]}{f' to {seeds[-1]}' if len(seeds) > 1 else ''} seeds"


def draw_column(axes, at, column, models):
    """The bars of one column, each with its number on top and the article's figure beside it."""
    room = 0.84 / len(models)                                             # a bar and the diamond beside it
    bar = 0.7 * room
    for i, model in enumerate(models):
        x = at - 0.42 + i * room + bar / 2
        found, colour = column["models"].get(model) or {}, colour_of(model)
        mean, sd = found.get("mean"), found.get("sd") or 0
        if mean is None:
            axes.text(x, 2, "none", ha="center", fontsize=8, color=SOFT, rotation=90)
        else:
            axes.bar(x, mean, bar, color=colour, hatch=HATCHES.get(model), edgecolor="white", linewidth=0)
            if sd:
                axes.errorbar(x, mean, sd, color=INK, linewidth=1, capsize=3)
            axes.text(x, mean + sd + 1.5, f"{mean:.1f}" if mean < 99.95 else "100", ha="center", fontsize=8.5)
        said = (column.get("article") or {}).get(model)
        if said is not None:
            axes.plot(x + bar / 2 + 0.15 * room, said, marker="D", markersize=5.5, markerfacecolor="white",
                      markeredgecolor=colour, markeredgewidth=1.5, linestyle="none", zorder=5)


def duel_legend(figure, models, with_article):
    handles = [Patch(facecolor=colour_of(model), hatch=HATCHES.get(model), edgecolor="white", linewidth=0, label=model)
               for model in models]
    if with_article:
        handles.append(Line2D([], [], marker="D", markersize=5.5, markerfacecolor="white", markeredgecolor=INK,
                              markeredgewidth=1.5, linestyle="none", label="the article says"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=9)


def colour_of(model):
    return COLOURS.get(model, INK)


# ---- who is ahead, and who is quicker -----------------------------------------------------------------------------------------

@styled
def leads(title, kinds, sides):
    """Differences with their 95 % intervals, one below the other: who is ahead is the side of zero on which a point lies.

    kinds  {heading: {name: Interval (mean, low, high)}};  sides  words for (left of zero, right of zero)
    """
    lines = [(heading, name, lead) for heading, found in kinds.items() for name, lead in found.items()]
    height = 1.25 + 0.28 * len(lines)
    figure = picture(7.0, height)
    axes = figure.add_axes([2.2 / 7, 0.5 / height, 4.6 / 7, (height - 1.25) / height])
    for row, (_, _, lead) in enumerate(lines):
        axes.plot(np.clip([lead.low, lead.high], -100, 100), [row, row], color=INK, linewidth=1.2)
        axes.plot(lead.mean, row, marker="o", markersize=5, color=COLOURS["NTM"] if lead.mean > 0 else COLOURS["MemN2N"])
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(lines)), [f"{name} ({heading})" for heading, name, _ in lines], fontsize=8.5)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.grid(True, axis="x")
    for at, side, align in zip((0, 1), sides, ("left", "right")):
        axes.text(at, 1.02, side, ha=align, va="bottom", fontsize=8.5, color=SOFT, transform=axes.transAxes)
    headline(figure, title, "points: means; lines: 95 % intervals over seeds")
    return figure


@styled
def times(rows):
    """Milliseconds an example over every size, on one thread (solid) and on two (dashed).

    rows  dicts {"model", "axis", "threads", "values", "ms"}
    """
    axis_names = list(dict.fromkeys(row["axis"] for row in rows))
    width = 0.7 + 2.9 * len(axis_names)
    figure = picture(width, 3.4)
    for axes, name in zip(figure.subplots(1, len(axis_names), sharey=True, squeeze=False)[0], axis_names):
        for row in (row for row in rows if row["axis"] == name):
            axes.loglog(row["values"], row["ms"], color=colour_of(row["model"]), marker=MARKERS.get(row["model"], "o"),
                        markersize=4, linestyle="-" if row["threads"] == 1 else "--",
                        label=f"{row['model']}, {row['threads']} thread{'s' * (row['threads'] > 1)}")
        axes.set_xlabel(name)
        axes.minorticks_off()
        axes.set_xticks(row["values"], [f"{value:g}" for value in row["values"]])
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid(True)
    figure.axes[0].set_ylabel("ms an example")
    figure.axes[0].legend(fontsize=7.5)
    headline(figure, "Time of a training step for one example", "forward and backward; both are told the same stories", left=0.65)
    figure.subplots_adjust(left=0.65 / width, right=1 - 0.15 / width, top=1 - 0.65 / 3.4, bottom=0.5 / 3.4, wspace=0.12)
    return figure
