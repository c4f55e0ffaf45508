"""An NTM at work: what, where and how it writes and reads."""

import functools

import numpy as np

from numpymem.plotting.parts import (
    BIT_MAP,
    INK,
    READ,
    READ_MAP,
    SIGN_MAP,
    WRITE,
    WRITE_MAP,
    Panel,
    beside,
    blank,
    cells,
    crosses,
    hide,
    number_slots,
    row_height,
    stack,
    styled,
    used_slots,
)


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
    """values (T, H): a line for each head, the R read heads blue with full marks, the write heads orange with hollow ones."""
    H = values.shape[1]
    for head in range(H):
        reads = head < R
        first = head in (0, R)
        colour = READ if reads else WRITE
        axes.plot(values[:, head], color=colour, linewidth=1.2, marker="o", markersize=2.4 if reads else 3.2,
                  markerfacecolor=colour if reads else "white", markeredgewidth=0.9, linestyle="-" if first else ":")
    if named:
        beside(axes, 0.9, "○ write", WRITE)
        beside(axes, 0.48, "● read", READ)
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
