"""The figures of the NTM paper's section 4, from a trained run: what was wanted, what came out, and where the heads were.

    figure = task_figure(runs.open_run("runs/ntm-recall-0"), items=12)

`copies`, `heads_at_work` and `predictions` draw the same from arrays.
"""

import numpy as np

from numpymem.plotting.ntm import answers, heads, mark_delimiter, weights
from numpymem.plotting.parts import (
    BIT_MAP,
    INK,
    READ,
    READ_MAP,
    SIGN_MAP,
    SOFT,
    WRITE,
    WRITE_MAP,
    WRONG,
    Panel,
    blank,
    cells,
    crosses,
    head_weights,
    headline,
    hide,
    picture,
    row_height,
    stack,
    styled,
    used_slots,
)
from numpymem.tasks.ngrams import bits_of, optimal

DRAWN = ("copy", "repeat-copy", "recall", "ngrams", "sort", "series-copy")
NAMES = {"NTM": "Neural Turing Machine", "DNC": "Differentiable Neural Computer", "LSTM": "LSTM"}


def task_figure(training, seed=0, **size):
    """The paper's figure for one fresh sequence of a run.

    training  a Training, such as runs.open_run gives
    size      arguments of the task's `sample`: length=50; length=20, repeats=10; items=12
    raises    ValueError for a task that has no such figure
    """
    task, model = training.task, training.model
    if task.form != "sequence" or task.name not in DRAWN:
        raise ValueError(f"training: expected a run of {', '.join(DRAWN)} in sequence form, received one of {task.name} in "
                         f"{task.form} form")
    batch = task.sample(np.random.default_rng([seed, 3]), 1, **size)
    logits, trace = model.forward(training.params, batch.inputs)
    name = NAMES.get(type(model).__name__, type(model).__name__)
    if task.name == "ngrams":
        return predictions(batch, logits, name=name)
    if task.name in ("copy", "repeat-copy"):
        return copies(batch, logits, name=f"{name}, {task.name}")
    return heads_at_work(trace, batch, logits, priority=8 if task.name == "sort" else None, name=f"{name}, {task.name}")


@styled
def copies(batch, logits, b=0, name="copy"):
    """Targets, outputs and the error, answer step by answer step (Graves et al. 2014, sections 4.1 and 4.2).

    batch   sequence form: inputs (T, B, X), targets (T, B, Y), mask (T, B);   logits (T, B, Y);   b: which sequence
    """
    mask = np.asarray(batch.mask)[:, b] > 0
    targets, outputs, wrong = (part[mask] for part in answers(np.asarray(batch.targets)[:, b], np.asarray(logits)[:, b], mask))
    tall = 0.13 * targets.shape[1]
    panels = [Panel("target", "what it should answer", tall, INK, lambda axes: cells(axes, targets.T, BIT_MAP)),
              Panel("output", "what it answers:\nprobability of a 1", tall, INK,
                    lambda axes: crosses(cells(axes, outputs.T, BIT_MAP), wrong)),
              Panel("error", "|output $-$ target|", tall, WRONG, lambda axes: cells(axes, abs(outputs - targets).T, BIT_MAP))]
    figure, axes = stack(panels, len(targets), f"{name}: {int(wrong.sum())} of {wrong.size} bits wrong",
                         f"{int((~mask).sum())} steps came in before; crosses mark wrong bits")
    axes[-1].set_xlabel("step of the answer")
    return figure


@styled
def heads_at_work(trace, batch, logits, b=0, priority=None, name="Neural Turing Machine"):
    """Inputs, targets, outputs, and the weights of every head (Graves et al. 2014, sections 4.3 and 4.5).

    trace     of the model's forward; without a memory `M`, as an LSTM's, there are no heads to show
    priority  the input channel that holds a number from -1 to 1, drawn as a strip of its own; None: there is none
    """
    inputs, mask = np.asarray(batch.inputs)[:, b], np.asarray(batch.mask)[:, b] > 0
    targets, outputs, wrong = answers(np.asarray(batch.targets)[:, b], np.asarray(logits)[:, b], mask)
    others = [channel for channel in range(inputs.shape[1]) if channel != priority]
    panels = [Panel("input", f"{len(others)} channels", row_height(len(others)), INK,
                    lambda axes: blank(cells(axes, inputs[:, others].T, BIT_MAP), mask, "blank steps"))]
    if priority is not None:
        panels.append(Panel("priority", r"green = 1, violet = $-1$", 0.22, INK,
                            lambda axes: blank(cells(axes, inputs[:, [priority]].T, SIGN_MAP, -1, 1), mask, "")))
    panels += [
        Panel("target", "what it should answer", row_height(targets.shape[1]), INK,
              lambda axes: blank(cells(axes, hide(targets, ~mask), BIT_MAP), ~mask, "no answer is asked yet")),
        Panel("output", "what it answers", row_height(targets.shape[1]), INK,
              lambda axes: crosses(blank(cells(axes, hide(outputs, ~mask), BIT_MAP), ~mask, ""), wrong))]
    if "M" in trace:
        w, R = head_weights(trace)
        w = w[:, b]
        slots = used_slots(w)
        panels += [*heads("where it writes", "write weights $w$ of each slot", WRITE, w[:, R:], weights(slots, WRITE_MAP)),
                   *heads("where it reads", "read weights $w$ of each slot", READ, w[:, :R], weights(slots, READ_MAP))]
    figure, axes = stack(panels, len(inputs), f"{name}: {int(wrong.sum())} of {int(mask.sum()) * wrong.shape[1]} bits wrong",
                         "one column is one time step; dark = 1; crosses mark wrong bits")
    mark_delimiter(axes, inputs, mask)
    return figure


@styled
def predictions(batch, logits, b=0, name="model", steps=None):
    """The predicted probability of a 1 beside the optimal estimator's (Graves et al. 2014, section 4.4).

    batch, logits   of ngrams: targets and logits (T, B, 1)
    steps           a slice of the sequence, None: all of it
    """
    bits = np.asarray(batch.targets)[:, b, 0]
    ours, best = 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, float)[:, b, 0])), optimal(bits[:, None])[:, 0]
    costs = [bits_of(each[:, None], bits[:, None])[0] for each in (ours, best)]
    figure = picture(9.0, 3.0)
    axes = figure.add_axes([0.6 / 9, 0.5 / 3, 1 - 0.8 / 9, 1.55 / 3], label="predictions")
    at = np.arange(len(bits))[steps or slice(None)]
    axes.plot(at, best[at], color=SOFT, linewidth=1.1, drawstyle="steps-mid", label=f"optimal estimator: {costs[1]:.1f} bits")
    axes.plot(at, ours[at], color=READ, linewidth=1.1, drawstyle="steps-mid", label=f"{name}: {costs[0]:.1f} bits")
    axes.scatter(at, 1.12 * bits[at] - 0.06, s=5, color=INK, linewidths=0, label="the bit that came")
    axes.set_xlim(at[0] - 0.5, at[-1] + 0.5)
    axes.set_ylim(-0.1, 1.1)
    axes.set_yticks((0, 0.5, 1))
    axes.set_ylabel("probability of a 1")
    axes.set_xlabel("time step")
    axes.legend(ncols=3, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)
    headline(figure, "Dynamic N-grams", "how probable a 1 is next, before it is seen")
    return figure
