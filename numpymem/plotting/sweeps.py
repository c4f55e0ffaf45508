"""Many runs in one picture: learning curves of all seeds, figures over lengths or items, errors as a heat map."""

import numpy as np
from matplotlib.ticker import NullFormatter

from numpymem.plotting.parts import COLOURS, INK, READ_MAP, SOFT, headline, picture, styled

MORE = ("#CC79A7", "#B8860B", "#56B4E9", "#882255")                       # for groups without a colour of their own
GROUPS = {"NTM-LSTM": COLOURS["NTM"], "NTM-feedforward": COLOURS["DNC"], "LSTM": COLOURS["LSTM"], "MemN2N": COLOURS["MemN2N"]}
PANEL = 4.4                                       # inches


@styled
def sweep_panels(title, note, rows):
    """One row of panels for each task: how every run learned, and what it reached.

    rows  dicts {"task", "curves": {group: [curve of each run]}, "paper": {group: [(sequences, bits)]}, "level": (bits, words) or
          None, "numbers": {what: {"ours": {group: {number: (mean, sd)}}, "paper": {group: {number: value}}}}}; a curve is
          [(sequences, bits)]. The paper's points are hollow diamonds
    """
    columns = 1 + max(len(row["numbers"]) for row in rows)
    width, height = PANEL * columns + 0.4, 1.0 + 3.1 * len(rows)
    figure = picture(width, height)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    groups = list(dict.fromkeys(group for row in rows for group in row["curves"]))
    for row, line in zip(rows, axes):
        draw_curves(line[0], row, groups)
        for each, (what, found) in zip(line[1:], row["numbers"].items()):
            draw_numbers(each, what, found, groups)
        for each in line[1 + len(row["numbers"]):]:
            each.set_axis_off()
    axes[0][0].legend(fontsize=8)
    headline(figure, title, note, left=0.65)
    figure.subplots_adjust(left=0.65 / width, right=1 - 0.2 / width, top=1 - 0.85 / height, bottom=0.5 / height, wspace=0.25,
                           hspace=0.45)
    return figure


def colour_of(group, groups):
    """A group's colour; those without one get the others in their order."""
    if group in GROUPS:
        return GROUPS[group]
    return MORE[[each for each in groups if each not in GROUPS].index(group) % len(MORE)]


def draw_curves(axes, row, groups):
    for group, curves in row["curves"].items():
        colour = colour_of(group, groups)
        for number, curve in enumerate(curves):
            axes.plot(*zip(*curve), color=colour, linewidth=1, alpha=0.7, label=None if number else f"{group}, n = {len(curves)}")
    bits = [b for curves in row["curves"].values() for curve in curves for _, b in curve]
    low = scale(axes, bits + [b for points in row["paper"].values() for _, b in points])
    for group, points in row["paper"].items():
        diamonds(axes, [(at, max(b, low)) for at, b in points if at], colour_of(group, groups))
    if row.get("level"):
        axes.axhline(row["level"][0], color=INK, linewidth=0.8, linestyle=":")
        axes.annotate(row["level"][1], (1, row["level"][0]), (0, -8), ("axes fraction", "data"), textcoords="offset points",
                      ha="right", fontsize=7, color=SOFT)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title(f"{row['task']}: bits a sequence", weight="bold", loc="left")
    axes.set_xlabel("sequences trained on (log)")
    axes.grid(True)


def scale(axes, values):
    """A log scale, or, if the values are all of one size, a plain one that is read more easily -> its lowest value, at which zeros
    are drawn."""
    positive = [value for value in values if value > 0] or [0.1, 1.0]
    low, high = min(positive), max(positive)
    if min(values, default=0) > 0 and high < 5 * low:
        margin = 0.05 * (high - low) or 0.05 * high
        low, high = low - margin, high + margin
    else:
        low, high = low / 1.5, high * 1.5
        axes.set_yscale("log", nonpositive="clip")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(low, high)
    return low


def draw_numbers(axes, what, found, groups):
    for group, points in found["ours"].items():
        numbers, values = sorted(points), [points[number] for number in sorted(points)]
        axes.errorbar(numbers, [mean for mean, _ in values], [sd or 0 for _, sd in values], color=colour_of(group, groups),
                      marker="o", markersize=3, capsize=2)
    for group, points in found["paper"].items():
        diamonds(axes, sorted(points.items()), colour_of(group, groups))
    axes.set_xticks(sorted({number for points in found["ours"].values() for number in points}))
    axes.set_ylim(bottom=0)
    axes.set_title(what.replace("_percent", ", %").replace("_", " "), weight="bold", loc="left")
    axes.set_xlabel("length, or number of items")
    axes.grid(True)


def diamonds(axes, points, colour):
    if points:
        axes.plot(*zip(*points), marker="D", markersize=5, markerfacecolor="white", markeredgecolor=colour, markeredgewidth=1.3,
                  linestyle="none", zorder=5, clip_on=False)


@styled
def heat_map(title, note, names, columns):
    """Errors in percent as shaded cells with their numbers: names of the rows; columns a list of (head, values, None for none)."""
    values = np.array([[np.nan if value is None else value for value in column] for _, column in columns]).T
    rows, number = values.shape
    side = max(2.4, 0.09 * max(map(len, names)))                      # inches for the names of the rows
    width, height = side + 0.2 + 0.95 * number, 1.35 + 0.24 * rows
    figure = picture(width, height)
    axes = figure.add_axes([side / width, 0.15 / height, 0.95 * number / width, 0.24 * rows / height], label="errors")
    axes.pcolormesh(np.arange(number + 1) - 0.5, np.arange(rows + 1) - 0.5, np.ma.masked_invalid(values), cmap=READ_MAP, vmin=0,
                    vmax=100, edgecolors="white", linewidth=0.5)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=8, color="white" if value > 45 else INK)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks(range(rows), names, fontsize=8.5)
    axes.set_xticks(range(number), [head for head, _ in columns], fontsize=8)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    headline(figure, title, note)
    return figure
