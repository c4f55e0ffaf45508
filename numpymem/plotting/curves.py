"""Learning curves."""

import numpy as np

from numpymem.plotting.parts import INK, SOFT, headline, log_axis, picture, styled


@styled
def curves(history, title, unit):
    """How a training went: the task's own measure, the loss, the gradient's norm.

    history  the lines of metrics.jsonl, dicts with sequences, seconds, bits_per_sequence, wrong_percent and,
             where there was training since the line before, train_loss (nats), gradient_norm, gradient_norm_max; of a task
             in lessons also lesson, which is drawn as a number where it begins
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
        losses(axes[1], history, "fresh episodes" if "lesson" in (history or [{}])[0] else "questions held out")
        lessons(axes[0], history)
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


def lessons(axes, history):
    """The number of each lesson where it begins."""
    before = {"sequences": 0}
    for entry in history:
        if entry.get("lesson") != before.get("lesson"):
            axes.axvline(before["sequences"], color=SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.annotate(f"lesson {entry['lesson']}", (before["sequences"], 1), (3, -3), xycoords=("data", "axes fraction"),
                          textcoords="offset points", fontsize=8, color=SOFT, va="top")
        before = entry


def losses(axes, history, fresh):
    """Evaluation loss and training loss in bits, on a log scale; a loss of 0 is drawn at the bottom."""
    in_bits = [entry | {"train_bits": entry["train_loss"] / np.log(2)} if "train_loss" in entry else entry
               for entry in history]
    line(axes, in_bits, "train_bits", "#e0a458", "training batches")
    line(axes, in_bits, "bits_per_sequence", INK, fresh)
    log_axis(axes)
    if axes.lines:
        axes.legend(fontsize=8)


def line(axes, history, key, colour, label):
    """One curve over the number of sequences, of those entries that have the key."""
    points = [(entry["sequences"], entry[key]) for entry in history if entry.get(key) is not None]
    if points:
        axes.plot(*zip(*points), color=colour, label=label, marker="o" if len(points) < 40 else None, markersize=3)
