"""Colours, style, saving, and the parts that the figures share."""

import functools
import io
import pathlib
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from numpymem import writing

COLOURS = {"NTM": "#0072B2", "MemN2N": "#D55E00", "LSTM": "#7a7f87", "DNC": "#009E73", "DMN": "#CC79A7",
           "Transformer": "#B8860B"}                                      # Okabe and Ito: safe for the colour-blind
WRITE, READ, INK, SOFT, PALE, WRONG = "#D55E00", "#0072B2", "#1f2328", "#656d76", "#f3f4f6", "#c2185b"
WRITE_MAP = LinearSegmentedColormap.from_list("writes", [PALE, "#fbc58f", WRITE, "#6b2a00"])
READ_MAP = LinearSegmentedColormap.from_list("reads", [PALE, "#9cc9e8", READ, "#00304f"])
BIT_MAP = LinearSegmentedColormap.from_list("bits", [PALE, INK])
SIGN_MAP = LinearSegmentedColormap.from_list("signs", ["#40004b", "#9970ab", PALE, "#5aae61", "#00441b"])
STYLE = {"font.size": 9, "axes.edgecolor": "#b6bcc4", "axes.linewidth": 0.7, "axes.labelcolor": SOFT,
         "axes.titlesize": 10, "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelsize": 8, "ytick.labelsize": 8,
         "xtick.major.size": 2.5,
         "ytick.major.size": 2.5, "text.color": INK, "figure.facecolor": "white", "axes.facecolor": "white",
         "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "grid.color": "#e5e7eb",
         "axes.axisbelow": True, "lines.linewidth": 1.6}
DPI = 150
USED = 0.1                                        # a slot counts as used once a head has put so much weight on it
LEFT, RIGHT, TOP, BOTTOM, GAP = 2.15, 0.75, 0.85, 0.45, 0.11              # margins of a stack of panels, in inches


class Picture(Figure):
    """A Figure that notebooks show even if pyplot was never imported."""
    words = ""                                    # its headline: what those read who cannot see it

    def __repr__(self):
        return f"Figure: {self.words}" if self.words else super().__repr__()

    def _repr_png_(self):
        written = io.BytesIO()
        self.savefig(written, format="png", dpi=100)
        return written.getvalue()


class Panel(NamedTuple):
    """One strip of a stack: what it shows in plain words, the paper's words, inches, colour of its name, draw(axes)."""
    name: str
    note: str
    height: float
    colour: str
    draw: object


def save(figure, path):
    """Write a figure (.png, .svg, .pdf by the name) whole or not at all; returns the path."""
    path = pathlib.Path(path)
    with writing.whole(path) as part:
        figure.savefig(part, format=path.suffix.lstrip(".") or "png", dpi=DPI)
    return path


def styled(function):
    """Draw in our style; whatever style the reader has set stays as it was."""
    @functools.wraps(function)
    def draw(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return function(*args, **kwargs)
    return draw


def log_axis(axes):
    """A log scale with few, plain numbers; values of 0 are drawn at the bottom."""
    drawn = np.concatenate([np.asarray(each.get_ydata(), float) for each in axes.lines] or [np.ones(1)])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    low, high = (drawn.min(), drawn.max()) if len(drawn) else (0.1, 1.0)
    axes.set_yscale("log", nonpositive="clip")
    axes.set_ylim(low / 1.5, high * 1.5)
    axes.yaxis.set_major_locator(LogLocator(subs=(1,) if high > 50 * low else (1, 2, 5), numticks=6))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def used_slots(w, margin=2, least=12):
    """Slots that any head used, as one run round the ring of N: w (T, H, N) -> slot numbers in the order to draw them.

    The run starts after the widest gap, so that a band that goes over the end of the memory stays in one piece.
    """
    N = w.shape[-1]
    used = np.flatnonzero(w.reshape(-1, N).max(0) > USED)
    if len(used) == 0:
        return np.arange(N)
    gaps = np.diff(np.append(used, used[0] + N))                          # from each used slot to the next one
    first = used[(gaps.argmax() + 1) % len(used)]
    length = N - gaps.max() + 1 + 2 * margin
    extra = max(0, least - length)
    if length + extra >= N:
        return np.arange(N)
    return (first - margin - extra // 2 + np.arange(length + extra)) % N


def head_weights(trace):
    """(weights (T, B, H, N) of all heads, the read heads first; how many these are) of an NTM's or a DNC's trace."""
    w = trace["w"] if "w" in trace else np.concatenate([trace["w_r"], np.asarray(trace["w_w"])[:, :, None]], axis=2)
    return np.asarray(w), np.asarray(trace["r"]).shape[2]


def picture(width, height):
    """An empty Picture of so many inches that draws without a display."""
    figure = Picture(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def headline(figure, title, note="", left=0.15):
    """Title and, below it, a note in grey; `left` in inches."""
    width, height = figure.get_size_inches()
    figure.words = ". ".join(filter(None, (title, note)))
    figure.text(left / width, 1 - 0.17 / height, title, fontsize=12, weight="bold", va="center")
    figure.text(left / width, 1 - 0.4 / height, note, fontsize=9, color=SOFT, va="center")


def stack(panels, T, title, note=""):
    """Panels below one another over the same T time steps, their names at the left -> (Picture, list of axes)."""
    width = 9.0
    height = TOP + BOTTOM + sum(panel.height + GAP for panel in panels)
    figure, axes, top = picture(width, height), [], height - TOP
    for panel in panels:
        top -= panel.height
        each = figure.add_axes([LEFT / width, top / height, 1 - (LEFT + RIGHT) / width, panel.height / height],
                               label=panel.name)
        panel.draw(each)
        each.set_xlim(-0.5, T - 0.5)
        each.tick_params(labelbottom=panel is panels[-1])
        lines = panel.note.count("\n") + 1
        for words, up, look in ((panel.name, 6 * lines - 1, {"weight": "bold", "color": panel.colour, "va": "center"}),
                                (panel.note, 6 * lines - 8, {"fontsize": 8, "color": SOFT, "va": "top"})):
            each.annotate(words, (0, 0.5), (-30, up), "axes fraction", textcoords="offset points", ha="right", **look)
        top -= GAP
        axes.append(each)
    axes[-1].set_xlabel("time step")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    headline(figure, title, note)
    return figure, axes


def cells(axes, values, colours, low=0.0, high=1.0, norm=None):
    """values (rows, T) as shaded cells, row 0 on top."""
    rows, T = values.shape
    limits = {"norm": norm} if norm else {"vmin": low, "vmax": high}
    edges = {"edgecolors": "white", "linewidth": 0.5} if T <= 64 and rows <= 64 else {}
    axes.pcolormesh(np.arange(T + 1) - 0.5, np.arange(rows + 1) - 0.5, values, cmap=colours, rasterized=True,
                    **limits, **edges)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(axis="x", length=0)
    return axes


def minus_signs(axes, values, limit):
    """A dash in every cell of values (rows, T) that is clearly below zero: in grey, the colours of SIGN_MAP look alike."""
    row, column = (np.asarray(values) < -0.15 * limit).nonzero()
    dark = np.asarray(values)[row, column] < -0.45 * limit
    axes.scatter(column, row, marker="_", s=16, linewidths=1.1, color=[("white" if each else INK) for each in dark], zorder=3)


def beside(axes, height, words, colour):
    """A few words at the right of some axes."""
    axes.text(1.012, height, words, color=colour, fontsize=8, va="top", transform=axes.transAxes)


def row_height(rows):
    """Inches for so many rows of numbers."""
    return float(np.clip(0.075 * rows, 0.5, 1.2))


def hide(values, where):
    """values (T, n) without the steps or entries `where`, turned to (n, T)."""
    where = where if where.ndim == 2 else np.repeat(where[:, None], values.shape[1], axis=1)
    return np.ma.masked_array(values, where).T


def blank(axes, where, words):
    """Words in the longest part of the time axis where nothing is shown, if they fit."""
    steps = np.flatnonzero(where)
    steps = max(np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1), key=len)
    if len(steps) > 0.3 * len(where):
        bottom, top = axes.get_ylim()
        axes.add_patch(Rectangle((steps[0] - 0.5, top), len(steps), bottom - top, color="white"))
        axes.text(steps.mean(), (bottom + top) / 2, words, ha="center", va="center", fontsize=8.5, color=SOFT,
                  style="italic")
    return axes


def crosses(axes, wrong):
    """A cross on every wrong bit of wrong (T, Y)."""
    step, row = wrong.nonzero()
    axes.scatter(step, row, marker="x", s=14, color=WRONG, linewidths=1.3, zorder=3)


def number_slots(axes, slots):
    """Slot numbers at some rows."""
    every = max(1, len(slots) // 5)
    axes.set_yticks(range(0, len(slots), every), [str(slot) for slot in slots[::every]])


def colourbar(figure, filled, last):
    """A slim scale at the right of some axes."""
    box, inch = last.get_position(), 1 / figure.get_figwidth()
    axes = figure.add_axes([box.x1 + 0.12 * inch, box.y0, 0.1 * inch, box.height], label="scale")
    figure.colorbar(filled, cax=axes).outline.set_visible(False)
