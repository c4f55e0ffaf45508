"""Figures from a trace, a log or a duel. Every function returns a matplotlib Figure; `save` writes one to a file.

    figure = ntm_memory(trace, batch, logits)      # shows itself in a notebook
    save(figure, "memory.png")

No pyplot: nothing global is changed, no window opens, nothing has to be closed. In pictures of heads, orange writes and
blue reads; in pictures of models, every model has its colour of COLOURS. Steps and slots count from 0, as in arrays.
"""

import functools
import io
import os
import pathlib
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

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
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        figure.savefig(part, format=path.suffix.lstrip(".") or "png", dpi=DPI)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def styled(function):
    """Draw in our style; whatever style the reader has set stays as it was."""
    @functools.wraps(function)
    def draw(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return function(*args, **kwargs)
    return draw


# ---- learning curves ------------------------------------------------------------------------------------------------

@styled
def curves(history, title, unit):
    """How a training went: the task's own measure, the loss, the gradient's norm.

    history  the lines of metrics.jsonl, dicts with sequences, seconds, bits_per_sequence, wrong_percent and,
             where there was training since the line before, train_loss (nats), gradient_norm, gradient_norm_max
    unit     the task's `unit`: "bits per sequence" draws bits (log scale), anything else percent wrong
    """
    in_bits = unit.startswith("bits")
    figure, axes = panels_below([1.0] if in_bits else [1.0, 0.7], title, history)
    if in_bits:
        losses(axes[0], history, "fresh sequences")
        axes[0].set_ylabel(f"{unit} (log scale)")
    else:
        line(axes[0], history, "wrong_percent", INK, None)
        axes[0].set_ylim(0, max(5, 1.08 * max((entry["wrong_percent"] for entry in history), default=0)))
        axes[0].set_ylabel("wrong answers, %")
        losses(axes[1], history, "questions held out")
        axes[1].set_ylabel("loss, bits (log)")
    gradients = axes[-1]
    line(gradients, history, "gradient_norm", SOFT, "median")
    line(gradients, history, "gradient_norm_max", "#c3c8ce", "largest")
    if gradients.lines:
        log_axis(gradients)
        gradients.legend(ncols=2, fontsize=8)
    gradients.set_ylabel("gradient norm")
    gradients.set_xlabel("sequences trained on")
    gradients.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.align_ylabels(axes)
    return figure


def panels_below(heights, title, history):
    """A Picture with panels that share the number of sequences, the last one for gradients."""
    figure = picture(7.5, 1.2 + 2.4 * (sum(heights) + 0.45))
    axes = figure.subplots(len(heights) + 1, 1, sharex=True, height_ratios=[*heights, 0.45])
    for each in axes:
        each.grid(True)
    end = ""
    if history:
        last = history[-1]
        end = (f"after {last['sequences']:,} sequences, {last['seconds']:,.0f} s:  "
               f"{last['bits_per_sequence']:.3g} bits,  {last['wrong_percent']:.3g} % wrong")
    headline(figure, title, end, left=0.85)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.85 / 7.5, right=1 - 0.25 / 7.5, top=1 - 0.7 / height, bottom=0.5 / height,
                           hspace=0.12)
    return figure, axes


def losses(axes, history, fresh):
    """Evaluation loss and training loss in bits, on a log scale; a loss of 0 is drawn at the bottom."""
    in_bits = [entry | {"train_bits": entry["train_loss"] / np.log(2)} if "train_loss" in entry else entry
               for entry in history]
    line(axes, in_bits, "train_bits", "#e0a458", "training batches")
    line(axes, in_bits, "bits_per_sequence", INK, fresh)
    log_axis(axes)
    if axes.lines:
        axes.legend(fontsize=8)


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


def line(axes, history, key, colour, label):
    """One curve over the number of sequences, of those entries that have the key."""
    points = [(entry["sequences"], entry[key]) for entry in history if entry.get(key) is not None]
    if points:
        axes.plot(*zip(*points), color=colour, label=label, marker="o" if len(points) < 40 else None, markersize=3)


# ---- the NTM at work ------------------------------------------------------------------------------------------------

@styled
def ntm_memory(trace, batch, logits, b=0):
    """An NTM at work on one sequence: what comes in and out, what and where it writes and reads, how it steers.

    trace    of NTM.forward: w (T, B, H, N), a (T, B, Q, W), r (T, B, R, W), g, beta, gamma (T, B, H, 1), s (T, B, H, S)
    batch    sequence form: inputs (T, B, X), targets (T, B, Y) or (T, B), mask (T, B)
    logits   (T, B, Y)
    b        which sequence of the batch
    """
    of = {name: np.asarray(trace[name])[:, b] for name in ("w", "a", "r", "g", "s", "beta", "gamma")}
    inputs, mask = np.asarray(batch.inputs)[:, b], np.asarray(batch.mask)[:, b] > 0
    targets, outputs, wrong = answers(np.asarray(batch.targets)[:, b], np.asarray(logits)[:, b], mask)
    R, slots = of["r"].shape[1], used_slots(of["w"])
    panels = [
        Panel("input", f"{inputs.shape[1]} channels", row_height(inputs.shape[1]), INK,
              lambda axes: blank(cells(axes, inputs.T, BIT_MAP), mask, "blank steps: now it must answer")),
        Panel("target", "what it should answer", row_height(targets.shape[1]), INK,
              lambda axes: blank(cells(axes, hide(targets, ~mask), BIT_MAP), ~mask, "no answer is asked yet")),
        Panel("output", "what it answers", row_height(targets.shape[1]), INK,
              lambda axes: crosses(blank(cells(axes, hide(outputs, ~mask), BIT_MAP), ~mask, ""), wrong)),
        *heads("what it writes", "add vector $a$", WRITE, of["a"], vectors),
        *heads("where it writes", "write weights $w$ of each slot", WRITE, of["w"][:, R:], weights(slots, WRITE_MAP)),
        *heads("where it reads", "read weights $w$ of each slot", READ, of["w"][:, :R], weights(slots, READ_MAP)),
        *heads("what it reads", "read vector $r$", READ, of["r"], vectors),
        *steering(of, R)]
    title = f"{int(wrong.sum())} of {int(mask.sum()) * wrong.shape[1]} bits wrong"
    if np.asarray(batch.targets).ndim == 2:
        title = f"{int(wrong.any(1).sum())} of {int(mask.sum())} answers wrong"
    figure, axes = stack(panels, len(inputs), f"A Neural Turing Machine at work: {title}",
                         f"one column is one time step; of the {of['w'].shape[2]} memory slots, a ring, those in use "
                         "are shown: dark = weight 1")
    mark_delimiter(axes, inputs, mask)
    return figure


def answers(targets, logits, mask):
    """-> targets as bits, outputs as probabilities, where they disagree: all (T, Y). Classes become one-hot."""
    if targets.ndim == 1:
        one_hot = np.eye(logits.shape[1])
        targets, best = one_hot[targets], one_hot[logits.argmax(1)]
        e = np.exp(logits - logits.max(1, keepdims=True))
        return targets, e / e.sum(1, keepdims=True), (best != targets) & mask[:, None]
    return targets, 0.5 * (1 + np.tanh(0.5 * logits)), ((logits > 0) != (targets > 0.5)) & mask[:, None]


def steering(of, R):
    """The four numbers by which every head is steered, one thin panel each."""
    offsets = np.arange(of["s"].shape[-1]) - of["s"].shape[-1] // 2
    far = offsets[-1]
    rows = [("content or place?", "gate $g$: 1 by content,\n0 from the last place", of["g"][..., 0], (0, 1)),
            ("moves by", "mean of the shift $s$, slots", of["s"] @ offsets, (-far, 0, far)),
            ("key strength", r"$\beta$", of["beta"][..., 0], None),
            ("sharpening", r"$\gamma$: 1 = not at all", of["gamma"][..., 0], None)]
    return [Panel(name, note, 0.5, INK, functools.partial(head_lines, values=values, ticks=ticks, R=R, named=i == 0))
            for i, (name, note, values, ticks) in enumerate(rows)]


def head_lines(axes, values, ticks, R, named):
    """values (T, H): a line for each head, the R read heads blue, the write heads orange."""
    H = values.shape[1]
    for head in range(H):
        reads = head < R
        first = head in (0, R)
        axes.plot(values[:, head], color=READ if reads else WRITE, linewidth=1.3, marker="o", markersize=2.2,
                  linestyle="-" if first else ":")
    if named:
        beside(axes, 0.9, "write head" + "s" * (H - R > 1), WRITE)
        beside(axes, 0.48, "read head" + "s" * (R > 1), READ)
    axes.grid(True, axis="y")
    if ticks:
        axes.set_yticks(ticks)
        reach = ticks[-1] - ticks[0]
        axes.set_ylim(ticks[0] - 0.15 * reach, ticks[-1] + 0.15 * reach)
    else:
        axes.locator_params(axis="y", nbins=3)
        axes.margins(y=0.15)


def heads(name, note, colour, values, draw):
    """A panel for each head of values (T, heads, numbers); draw(axes, (numbers, T), height) -> axes."""
    several = values.shape[1] > 1
    for head in range(values.shape[1]):
        own = values[:, head].T
        number = f", head {head}" if several else ""
        height = 1.75 if "weights" in note else row_height(len(own))
        yield Panel(name + number, note, height, colour, functools.partial(draw, values=own))


def vectors(axes, values):
    """Signed numbers (W, T)."""
    limit = max(float(np.abs(values).max()), 1e-9)
    return cells(axes, values, SIGN_MAP, -limit, limit)


def weights(slots, colours):
    """A function that draws the rows `slots` of weights (N, T)."""
    def draw(axes, values):
        number_slots(cells(axes, values[slots], colours), slots)
    return draw


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


def mark_delimiter(axes, inputs, mask):
    """Two thin lines round the last step before the first answer, through all panels."""
    step = int(mask.argmax()) - 1
    if step < 0:
        return
    for each in axes:
        for edge in (step - 0.5, step + 0.5):
            each.axvline(edge, color=INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=4)
    alone = inputs[step, -1] > 0 and not inputs[step, :-1].any()
    axes[0].annotate("delimiter" if alone else "last input", (step, 1), (0, 3), xycoords=("data", "axes fraction"),
                     textcoords="offset points", ha="center", fontsize=8, color=INK)


# ---- the memory itself, and its gradient ----------------------------------------------------------------------------

@styled
def memory_matrix(trace, steps, b=0):
    """The memory M_t side by side after several steps; only slots that some head used in the whole sequence.

    trace  of NTM.forward: M (T, B, N, W), w (T, B, H, N)
    steps  step numbers, 0 for the first one
    """
    M, slots = np.asarray(trace["M"])[:, b], used_slots(np.asarray(trace["w"])[:, b])
    shown = M[list(steps)][:, slots]                                      # (steps, slots, W)
    limit = max(float(np.abs(shown).max()), 1e-9)
    height = 1.3 + np.clip(0.17 * len(slots), 1.5, 6)
    width = max(4.5, 1.5 + 1.55 * len(steps))
    figure = picture(width, height)
    axes = figure.subplots(1, len(steps), sharey=True, squeeze=False)[0]
    for step, content, each in zip(steps, shown, axes):
        filled = cells(each, content, SIGN_MAP, -limit, limit).collections[0]
        each.set_title(f"after step {step % len(M)}")
        each.set_xticks([])
        each.set_label(f"step {step % len(M)}")
        each.tick_params(length=0)
    number_slots(axes[0], slots)
    axes[0].set_ylabel("slot")
    axes[len(steps) // 2].set_xlabel(f"{M.shape[2]} numbers a slot")
    headline(figure, "What is in the memory", left=0.6)
    figure.subplots_adjust(left=0.6 / width, right=1 - 0.85 / width, top=1 - 0.75 / height, bottom=0.35 / height,
                           wspace=0.08)
    colourbar(figure, filled, axes[-1])
    return figure


@styled
def gradient_through_memory(dtrace, b=0, trace=None):
    """How strongly the loss hangs on each slot at each step: which write does this gradient come from?

    dtrace  filled by NTM.backward: M, a list of T arrays (B, N, W), the gradient that comes back from later steps
    trace   if given, dots mark where the write heads wrote
    """
    norms = np.sqrt((np.stack(dtrace["M"])[:, b] ** 2).sum(-1))           # (T, N)
    total = np.sqrt((norms ** 2).sum(1))                                  # (T)
    relative = norms / max(float(norms.max()), 1e-30)
    w = relative[:, None] if trace is None else np.asarray(trace["w"])[:, b]
    slots = used_slots(w)
    floor = max(float(norms.max()), 1e-30) * 1e-3

    def by_slot(axes):
        filled = cells(axes, hide(norms[:, slots], norms[:, slots] < floor), READ_MAP, norm=LogNorm(floor, floor * 1e3))
        number_slots(filled, slots)
        if trace is not None:
            step, slot = (w[:, np.asarray(trace["r"]).shape[2]:].max(1)[:, slots] > 0.5).nonzero()
            axes.scatter(step, slot, s=22, color=WRITE, edgecolors="white", zorder=3, linewidths=0.8)
            beside(axes, 0.95, "written\nhere", WRITE)

    def in_all(axes):
        axes.plot(np.where(total > 0, total, np.nan), color=READ, marker="o", markersize=2.5)
        log_axis(axes)
        axes.grid(True, axis="y")

    by_slot_note = r"$\|\partial L / \partial M_t(i)\|$," "\nlog scale, dark = large"
    panels = [Panel("gradient by slot", by_slot_note, 2.6, INK, by_slot),
              Panel("gradient in all", r"$\|\partial L / \partial M_t\|$", 0.9, INK, in_all)]
    return stack(panels, len(norms), "Which write does this gradient come from?",
                 "how strongly the loss hangs on each slot after each step, by way of all later steps")[0]


# ---- MemN2N: where it looks -----------------------------------------------------------------------------------------

@styled
def memn2n_attention(trace, words_of, b=0, answers=None, target=None, supports=()):
    """The sentences of a story, and how much of its attention each hop gives to each.

    trace     of MemN2N.forward: sentences (B, I, J), query (B, J), p: a (B, I) for each hop, logits (B, Y)
    words_of  word number -> word: task.vocabulary
    answers   class number -> answer: task.answers; without it an answer reads 'class 3'
    target    the right class, if it should be shown
    supports  rows of the sentences that the answer follows from
    """
    told = [text(words, words_of) for words in np.asarray(trace["sentences"])[b]]
    told = [sentence for sentence in told if sentence]
    p = np.stack([np.asarray(hop)[b, :len(told)] for hop in trace["p"]], axis=1)             # (I, K)
    named = answers if answers is not None else [f"class {i}" for i in range(trace["logits"].shape[1])]
    found = int(trace["logits"][b].argmax())
    longest = max([len(sentence) for sentence in told], default=0)
    words_wide, cells_wide = max(2.6, 0.45 + 0.077 * longest), 0.72 * p.shape[1]
    width, height = words_wide + cells_wide + 0.3, 1.5 + 0.27 * max(len(told), 1)
    figure = picture(width, height)
    axes = figure.add_axes([words_wide / width, 0.72 / height, cells_wide / width, 1 - 1.5 / height], label="attention")
    if told:
        draw_attention(axes, p)
        axes.set_yticks(range(len(told)), told, fontsize=9.5)
    for row, label in enumerate(axes.get_yticklabels()):
        label.set_color(INK if row in supports or not supports else SOFT)
        label.set_weight("bold" if row in supports else "normal")
    axes.set_xticks(range(p.shape[1]), [f"hop {k + 1}" for k in range(p.shape[1])], fontsize=9)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    headline(figure, "Where MemN2N looks", "bold: the facts that the answer follows from" if supports else "")
    verdict = "" if target is None else "  (right)" if found == target else f"  (wrong: it is {named[int(target)]})"
    left = 0.15 / width
    figure.text(left, 0.47 / height, f"Q  {text(np.asarray(trace['query'])[b], words_of)}?", fontsize=10.5, va="center")
    figure.text(left, 0.2 / height, f"A  {named[found]}{verdict}", fontsize=10.5, weight="bold", va="center",
                color=WRONG if "wrong" in verdict else INK)
    return figure


def draw_attention(axes, p):
    """p (I, K) as shaded cells; numbers from 0.01 up."""
    cells(axes, p, READ_MAP)
    for (row, hop), value in np.ndenumerate(p):
        if abs(value) >= 0.01:
            axes.text(hop, row, f"{value:.2f}", ha="center", va="center", fontsize=8.5,
                      color="white" if value > 0.45 else INK)


def text(words, words_of):
    """Word numbers -> words; 0 is no word."""
    return " ".join(str(words_of[int(word)]) for word in words if word)


# ---- the duel -------------------------------------------------------------------------------------------------------

@styled
def duel(rows):
    """NTM against MemN2N: percent right, with the article's figures as hollow diamonds beside the bars.

    rows  dicts {"row": name, "columns": [{"label", "models": {model: {"mean", "sd", "n"}},
          "article": {model: percent} or None}]}; a mean of None is shown as "none"
    """
    models = list(dict.fromkeys(model for row in rows for column in row["columns"] for model in column["models"]))
    sizes = [len(row["columns"]) for row in rows]
    width, height = max(6.0, 0.9 + 1.35 * sum(sizes) + 0.25 * len(rows)), 3.9
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
    headline(figure, " against ".join(models), f"percent right; {over_seeds(rows)}", left=0.65)
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
            axes.bar(x, mean, bar, color=colour)
            if sd:
                axes.errorbar(x, mean, sd, color=INK, linewidth=1, capsize=3)
            axes.text(x, mean + sd + 1.5, f"{mean:.1f}" if mean < 99.95 else "100", ha="center", fontsize=8.5)
        said = (column.get("article") or {}).get(model)
        if said is not None:
            axes.plot(x + bar / 2 + 0.15 * room, said, marker="D", markersize=5.5, markerfacecolor="white",
                      markeredgecolor=colour, markeredgewidth=1.5, linestyle="none", zorder=5)


def duel_legend(figure, models, with_article):
    handles = [Patch(color=colour_of(model), label=model) for model in models]
    if with_article:
        handles.append(Line2D([], [], marker="D", markersize=5.5, markerfacecolor="white", markeredgecolor=INK,
                              markeredgewidth=1.5, linestyle="none", label="the article says"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=9)


def colour_of(model):
    return COLOURS.get(model, INK)


# ---- parts that the figures share -----------------------------------------------------------------------------------

def picture(width, height):
    """An empty Picture of so many inches that draws without a display."""
    figure = Picture(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def headline(figure, title, note="", left=0.15):
    """Title and, below it, a note in grey; `left` in inches."""
    width, height = figure.get_size_inches()
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
