"""Pictures for chapter 07: one step of a DNC, the jump of the allocation at a tie, and what was measured, in short."""

import numpy as np

from numpymem.dnc.equations import allocation, allocation_backward
from numpymem.experiments import ablations
from numpymem.experiments.claims.intervals import paired
from numpymem.experiments.claims.section7 import TASKS
from numpymem.plotting.parts import INK, READ, READ_MAP, SOFT, WRITE, WRITE_MAP, cells, headline, picture, styled
from numpymem.plotting.sweeps import heat_map
from numpymem.teaching.figures import LINES, weight_bars

NONE = "no memory"                                # the group of a sweep that the others are set against


@styled
def dnc_step(trace, t, b=0, head=0):
    """Everything that a DNC decides in step t, as numbers for each slot -> Picture.

    trace   of DNC.forward
    t       step number, 0 for the first one
    head    which read head
    """
    def gate(name, *at):
        return float(np.asarray(trace[name])[(t, b, *at)])

    writing = {"usage $u$": trace["u"][t, b], "allocation $a$": trace["a"][t, b], "write $w^w$": trace["w_w"][t, b]}
    reading = {"back $b$": trace["w_b"][t, b, head], "content $c^r$": trace["c_r"][t, b, head],
               "forward $f$": trace["w_f"][t, b, head], "read $w^r$": trace["w_r"][t, b, head]}
    modes = ", ".join(f"{name} {gate('pi', head, k):.2f}" for k, name in enumerate(("back", "content", "forward")))
    notes = (f"gates: free {gate('f', head, 0):.2f}, allocate {gate('g_a', 0):.2f}, write {gate('g_w', 0):.2f}", f"modes: {modes}")
    N = len(trace["u"][t, b])
    width, height = 1.35 + 0.5 * N, 3.75
    figure = picture(width, height)
    for low, rows, colours, note in ((1.9, writing, WRITE_MAP, notes[0]), (0.45, reading, READ_MAP, notes[1])):
        axes = figure.add_axes([1.2 / width, low / height, 0.5 * N / width, 0.26 * len(rows) / height])
        cells(axes, np.stack(list(rows.values())), colours)
        numbers(axes, np.stack(list(rows.values())))
        axes.set_yticks(range(len(rows)), rows, fontsize=9, color=INK)
        axes.set_title(note, fontsize=8.5, loc="left", color=SOFT)
        axes.set_xticks(range(N))
    axes.set_xlabel("slot")
    figure.axes[0].tick_params(labelbottom=False)
    headline(figure, f"Step {t}", "orange: where to write; blue: where to read; dark = 1")
    return figure


def numbers(axes, values):
    """The numbers of shaded cells, from 0.01 up."""
    for (row, column), value in np.ndenumerate(values):
        if value >= 0.01:
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if value > 0.45 else INK)


@styled
def allocation_at_a_tie(fixed=0.5, points=401):
    """The allocation of two slots, and its gradient, while the usage of the first passes that of the second -> Picture.

    fixed   usage of slot 1
    """
    u0 = np.linspace(0, 1, points)
    u = np.stack([u0, np.full(points, fixed)], axis=1)
    a, slope = allocation.original(u), allocation_backward(np.tile([0.0, 1.0], (points, 1)), u)[:, 0]
    after = u0 > fixed
    figure = picture(8.2, 3.4)
    panels = figure.subplots(1, 2)
    for axes in panels:
        axes.axvline(fixed, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.set_xlabel("usage of slot 0, $u(0)$")
        axes.grid(True, axis="y")
    for slot, (colour, dash, _) in zip((0, 1), LINES):
        for part in (~after, after):
            panels[0].plot(u0[part], a[part, slot], color=colour, linestyle=dash, label=f"slot {slot}" if part[0] else None)
    panels[0].set_ylabel("allocation $a$")
    panels[0].legend(fontsize=8.5)
    for part in (~after, after):
        panels[1].plot(u0[part], slope[part], color=INK)
    panels[1].set_ylabel(r"$\partial a(1) / \partial u(0)$")
    headline(figure, "Allocation jumps where two slots change places in the free list",
             f"two slots, $u(1) = {fixed:g}$ (dashed: the tie). Left the allocation, right its gradient, the order a constant")
    figure.subplots_adjust(left=0.08, right=0.98, top=0.78, bottom=0.16, wspace=0.28)
    return figure


def weight_rows(rows):
    """What five facts count in a pass, in rows of bars -> Picture."""
    return weight_bars(rows, "What is left of each fact", "the same gates, in a weighted sum and in an episode",
                       axis="fact $i$, in order")


@styled
def error_curves(panels, title, note=""):
    """How several trainings went, in percent wrong -> Picture.

    panels  {name: {model: history of a Training}}: panels side by side, at most three models each
    """
    width = max(0.75 + 3.7 * len(panels), 6.5)
    figure = picture(width, 3.5)
    for axes, (name, histories) in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels.items()):
        for (model, history), (colour, dash, mark) in zip(histories.items(), LINES):
            axes.plot([line["sequences"] for line in history], [line["wrong_percent"] for line in history], color=colour,
                      linestyle=dash, marker=mark, markersize=3, label=model)
        ends = [history[-1]["sequences"] for history in histories.values()]
        if max(ends) > 5 * min(ends):
            axes.set_xscale("log")
        axes.set_xlabel("sequences trained on" + ", log scale" * (max(ends) > 5 * min(ends)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_title(name, weight="bold", loc="left")
        axes.grid(True, axis="y")
        axes.legend(fontsize=8.5)
    worst = max(line["wrong_percent"] for histories in panels.values() for history in histories.values() for line in history)
    figure.axes[0].set_ylim(0, 1.08 * worst + 0.1)
    figure.axes[0].set_ylabel("wrong answers, %")
    headline(figure, title, note, left=0.65)
    figure.subplots_adjust(left=0.65 / width, right=1 - 0.25 / width, top=1 - 0.95 / 3.5, bottom=0.55 / 3.5, wspace=0.08)
    return figure


@styled
def intervals(rows, title, note="", axis="percent points", mark=None):
    """Differences with their 95 % intervals, one below the other -> Picture.

    rows   {name: Interval (mean, low, high)}
    axis   what is along the x axis
    mark   (value, words): a dashed line at a figure that somebody claims
    """
    height = 1.3 + 0.32 * len(rows)
    figure = picture(7.6, height)
    axes = figure.add_axes([3.1 / 7.6, 0.5 / height, 4.3 / 7.6, (height - 1.3) / height])
    for row, found in enumerate(rows.values()):
        sure = found.sign
        axes.plot([found.low, found.high], [row, row], color=INK, linewidth=1.3, solid_capstyle="butt")
        axes.plot(found.mean, row, marker="o" if sure > 0 else "X" if sure else "s", markersize=6, zorder=3,
                  color=READ if sure > 0 else WRITE if sure else "white", markeredgecolor="none" if sure else INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    if mark:
        axes.axvline(mark[0], color=SOFT, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.text(mark[0], -0.62, mark[1], fontsize=8.5, color=SOFT, ha="right", va="bottom")
    axes.set_yticks(range(len(rows)), rows, fontsize=8.5, color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.6)
    axes.set_xlabel(axis)
    axes.grid(True, axis="x")
    headline(figure, title, note)
    return figure


def ablation_map(found, title, note=""):
    """Wrong answers of all variants at the ends of each task's sizes, from the result of a sweep with `compare` -> Picture."""
    groups = [group["label"] for group in found["spec"]["groups"]]
    kinds = {}
    for task, place in ablations.places(found):
        if not ablations.errors(found, found["spec"]["compare"], task, place):
            continue
        kinds.setdefault((task, place.partition("/")[0]), []).append(place)
    rows = [(task, place) for (task, what), some in kinds.items() if what != ablations.STALE
            for place in dict.fromkeys((some[0], some[-1]) if what == ablations.WRONG else some[-1:])]
    columns = [(group, [mean(ablations.errors(found, group, *row)) for row in rows]) for group in groups]
    return heat_map(title, note, [ablations.named(*row) for row in rows], columns)


def gains(found):
    """What each variant of the memory gains over none on the tasks of C12, in points -> {name: Interval}."""
    groups = [group["label"] for group in found["spec"]["groups"] if group["label"] != NONE]
    made = {}
    for task, (figure, _) in TASKS.items():
        without = ablations.errors(found, NONE, task, figure)
        for group in groups:
            made[f"{task}: {group}"] = paired(without, ablations.errors(found, group, task, figure))
    return made


def mean(by_seed):
    """The mean of {seed: value}, or None where nothing was measured."""
    return float(np.mean(list(by_seed.values()))) if by_seed else None
