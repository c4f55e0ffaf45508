"""Small figures of the chapters, in the style of numpymem.plotting: weights over slots, vectors, several learning curves."""

import numpy as np

from numpymem.plotting.parts import (
    INK,
    PALE,
    READ,
    READ_MAP,
    SIGN_MAP,
    SOFT,
    WRITE,
    WRITE_MAP,
    cells,
    head_weights,
    headline,
    log_axis,
    minus_signs,
    picture,
    styled,
    used_slots,
)

LINES = ((READ, "-", "o"), (WRITE, "--", "s"), (INK, ":", "^"))              # told apart by dash and mark, too


@styled
def weight_bars(rows, title, note="", axis="slot $i$"):
    """Weightings over the slots, one panel below the other, with their numbers -> Picture.

    rows    name -> weights (N,); the names stand at the left
    axis    what the bars are
    """
    width, each = 7.0, 0.85
    height = 0.95 + each * len(rows) + 0.35
    figure = picture(width, height)
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, weights) in zip(panels, rows.items()):
        draw_bars(axes, np.asarray(weights, float))
        axes.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=9)
    panels[-1].set_xlabel(axis)
    headline(figure, title, note)
    figure.subplots_adjust(left=2.0 / width, right=1 - 0.15 / width, top=1 - 0.75 / height, bottom=0.5 / height, hspace=0.25)
    return figure


def draw_bars(axes, weights):
    """One weighting as bars with their numbers; the axis goes from 0 to 1, as weights do."""
    N = len(weights)
    axes.bar(range(N), weights, color=READ, width=0.72)
    for i, weight in enumerate(weights):
        axes.text(i, max(weight, 0) + 0.04, f"{weight:.2f}".replace("-0.00", "0.00"), ha="center", fontsize=7.5, color=SOFT)
    low = min(0.0, weights.min())
    axes.set_ylim(1.3 * low, max(1.25, 1.25 * weights.max()) if weights.max() > 1 or low < 0 else 1.25)
    axes.set_yticks([0, 1])
    axes.set_xticks(range(N))
    axes.grid(True, axis="y")


@styled
def matrices(shown, title, note=""):
    """Small matrices side by side with their numbers: rows are slots -> Picture.

    shown   name -> matrix (rows, columns), all with as many rows
    """
    columns = [np.asarray(values).shape[1] for values in shown.values()]
    tall = max(np.asarray(values).shape[0] for values in shown.values())
    width, height = 0.9 + sum(columns) * 0.52 + 0.45 * len(shown), 1.35 + 0.36 * tall
    figure = picture(max(width, 5.2), height)
    panels = figure.subplots(1, len(shown), squeeze=False, width_ratios=columns)[0]
    limit = max(max(float(np.abs(values).max()) for values in shown.values()), 1e-9)
    for axes, (name, values) in zip(panels, shown.items()):
        values = np.asarray(values, float)
        cells(axes, values, SIGN_MAP, -1.6 * limit, 1.6 * limit)             # paler, so that the numbers can be read
        for (row, column), value in np.ndenumerate(values):
            axes.text(column, row, f"{value:.2f}".replace("-0.00", "0.00"), ha="center", va="center", fontsize=8.5)
        axes.set_title(name, fontsize=9.5)
        axes.set_xticks([])
        axes.set_yticks(range(len(values)), [str(row) for row in range(len(values))])
        axes.tick_params(length=0)
    panels[0].set_ylabel("slot")
    headline(figure, title, note)
    figure.subplots_adjust(left=0.6 / figure.get_figwidth(), right=0.98, top=1 - 0.85 / height, bottom=0.15 / height, wspace=0.25)
    return figure


@styled
def memory_at(trace, t, b=0):
    """What is in the memory after step t, and where the heads were in that step -> Picture.

    trace   of NTM.forward or DNC.forward
    t       step number, 0 for the first one
    """
    w, R = head_weights(trace)
    slots = used_slots(w[:, b])
    M, limit = np.asarray(trace["M"])[t, b][slots], float(np.abs(np.asarray(trace["M"])[:, b]).max())
    width, height = 7.0, 1.25 + 0.17 * len(slots)
    figure = picture(width, height)
    columns = [("write", w[t, b, R:, slots], WRITE_MAP, 1.0, 0.0), ("read", w[t, b, :R, slots], READ_MAP, 1.0, 0.0),
               (f"memory $M_t$: {M.shape[1]} numbers a slot", M, SIGN_MAP, limit, -limit)]
    panels = figure.subplots(1, 3, width_ratios=[0.7, 0.7, 9])
    for axes, (name, values, colours, high, low) in zip(panels, columns):
        cells(axes, values, colours, low, high)
        if colours is SIGN_MAP:
            minus_signs(axes, values, high)
        axes.set_title(name, fontsize=9)
        axes.set_xticks([])
    panels[0].set_yticks(range(len(slots)), [str(slot) for slot in slots], fontsize=7)
    panels[0].set_ylabel("slot")
    headline(figure, f"The memory after step {t}",
             "green: positive, purple with a dash: negative; orange: written now, blue: read now")
    figure.subplots_adjust(left=0.6 / width, right=0.98, top=1 - 0.85 / height, bottom=0.12 / height, wspace=0.08)
    return figure


@styled
def several_curves(histories, title, note=""):
    """How several trainings went -> Picture.

    histories   name -> the `history` of a Training, in bits a sequence; at most three
    """
    width, height = 7.0, 3.4
    figure = picture(width, height)
    axes = figure.add_axes([0.8 / width, 0.55 / height, 1 - 1.0 / width, 1 - 1.25 / height], facecolor="white")
    for (name, history), (colour, dash, mark) in zip(histories.items(), LINES):
        bits = [max(float(line["bits_per_sequence"]), 1e-3) for line in history]
        done = [line["sequences"] for line in history]
        axes.plot(done, bits, color=colour, linestyle=dash, marker=mark, markersize=3, label=name)
    log_axis(axes)
    axes.grid(True, axis="y", color=PALE)
    axes.set_xlabel("sequences trained on")
    axes.set_ylabel("bits per sequence (log scale)")
    axes.legend(fontsize=8.5)
    headline(figure, title, note)
    return figure
