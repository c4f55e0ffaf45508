"""A DNC at work: what it writes where, how it finds a free slot, and the order of writing that it reads along."""

import functools

import numpy as np

from numpymem.dnc.sparse_link import dense
from numpymem.plotting.ntm import answers, heads, mark_delimiter, vectors, weights
from numpymem.plotting.parts import (
    BIT_MAP,
    INK,
    READ,
    READ_MAP,
    SOFT,
    USED,
    WRITE,
    WRITE_MAP,
    Panel,
    beside,
    blank,
    cells,
    colourbar,
    crosses,
    headline,
    hide,
    number_slots,
    picture,
    row_height,
    stack,
    styled,
)

LEAST = 12                                        # slots to show, if there are so many
MODES = ("back", "content", "forward")
AMBER = "#E69F00"
MODE_COLOURS = ("#CC79A7", "#9aa1a9", "#009E73")


@styled
def dnc_memory(trace, batch, logits, b=0):
    """A DNC at work on one sequence: which slots are in use, which is allocated, what is written and read where, and how.

    trace    of DNC.forward: u, a, w_w (T, B, N), w_r (T, B, R, N), v (T, B, 1, W), r (T, B, R, W), f (T, B, R, 1),
             g_a, g_w (T, B, 1), pi (T, B, R, 3)
    batch    sequence form: inputs (T, B, X), targets (T, B, Y) or (T, B), mask (T, B)
    logits   (T, B, Y)
    b        which sequence of the batch
    """
    of = {name: np.asarray(trace[name])[:, b] for name in ("u", "a", "w_w", "w_r", "v", "r", "f", "g_a", "g_w", "pi")}
    inputs, mask = np.asarray(batch.inputs)[:, b], np.asarray(batch.mask)[:, b] > 0
    targets, outputs, wrong = answers(np.asarray(batch.targets)[:, b], np.asarray(logits)[:, b], mask)
    slots = slots_in_use(of["w_w"])
    panels = [
        Panel("input", f"{inputs.shape[1]} channels", row_height(inputs.shape[1]), INK,
              lambda axes: blank(cells(axes, inputs.T, BIT_MAP), mask, "blank steps: now it must answer")),
        Panel("target", "what it should answer", row_height(targets.shape[1]), INK,
              lambda axes: blank(cells(axes, hide(targets, ~mask), BIT_MAP), ~mask, "no answer is asked yet")),
        Panel("output", "what it answers", row_height(targets.shape[1]), INK,
              lambda axes: crosses(blank(cells(axes, hide(outputs, ~mask), BIT_MAP), ~mask, ""), wrong)),
        *of_slots("in use", "usage $u$ of each slot", INK, of["u"], slots, BIT_MAP),
        *of_slots("free", "allocation $a$ of each slot", WRITE, of["a"], slots, WRITE_MAP),
        *of_slots("where it writes", "write weights $w^w$", WRITE, of["w_w"], slots, WRITE_MAP),
        *heads("what it writes", "write vector $v$", WRITE, of["v"], vectors),
        *heads("where it reads", "read weights $w^r$", READ, of["w_r"], weights(slots, READ_MAP)),
        *heads("what it reads", "read vector $r$", READ, of["r"], vectors),
        Panel("gates", "open = 1", 0.8, INK, functools.partial(gates, of=of)),
        *heads("how it reads", "read modes $\\pi$", READ, of["pi"], read_modes)]
    title = f"{int(wrong.sum())} of {int(mask.sum()) * wrong.shape[1]} bits wrong"
    if np.asarray(batch.targets).ndim == 2:
        title = f"{int(wrong.any(1).sum())} of {int(mask.sum())} answers wrong"
    figure, axes = stack(panels, len(inputs), f"A Differentiable Neural Computer at work: {title}",
                         f"one column is one time step; of the {of['u'].shape[1]} memory slots those in use are shown: dark = 1")
    mark_delimiter(axes, inputs, mask)
    return figure


def slots_in_use(w_w):
    """Slots from 0 to the last one that is written to in w_w (T, N), and one more: a DNC fills its memory from slot 0 on."""
    used = np.flatnonzero(w_w.max(0) > USED)
    return np.arange(min(w_w.shape[1], max(LEAST, used.max(initial=0) + 2)))


def of_slots(name, note, colour, values, slots, colours):
    """The panel of values (T, N), one number a slot."""
    return heads(name, note, colour, values[:, None], weights(slots, colours))


def gates(axes, of):
    """Write gate in orange, allocation gate in amber, the free gates of the read heads in blue."""
    free = [(of["f"][:, head, 0], READ, ("-", ":", "--", "-.")[head % 4]) for head in range(of["f"].shape[1])]
    for values, colour, style in [(of["g_w"][:, 0], WRITE, "-"), (of["g_a"][:, 0], AMBER, ":"), *free]:
        axes.plot(values, color=colour, linestyle=style, linewidth=1.3, marker="o", markersize=2.2)
    for height, words, colour in ((0.95, "write", WRITE), (0.65, "allocate", AMBER), (0.35, "free", READ)):
        beside(axes, height, words, colour)
    axes.grid(True, axis="y")
    axes.set_yticks((0, 1))
    axes.set_ylim(-0.15, 1.15)


def read_modes(axes, values):
    """The three parts (3, T) of one, stacked: each step is a bar."""
    steps, bottom = np.arange(values.shape[1]), np.zeros(values.shape[1])
    for mode, colour, part in zip(MODES, MODE_COLOURS, values):
        axes.bar(steps, part, width=1.0, bottom=bottom, color=colour, label=mode, linewidth=0)
        bottom = bottom + part
    for height, mode, colour in zip((0.25, 0.6, 0.95), MODES, MODE_COLOURS):
        beside(axes, height, mode, colour)
    axes.set_ylim(0, 1)
    axes.set_yticks((0, 1))
    return axes


@styled
def link_matrix(trace, steps, b=0):
    """The links L_t side by side after several steps: a dark cell in row i and column j says that i was written right after j.

    trace  of DNC.forward: L (T, B, N, N), or sparse, and w_w (T, B, N)
    steps  step numbers, 0 for the first one
    """
    L = dense(np.asarray(trace["L"])[:, b])
    slots = slots_in_use(np.asarray(trace["w_w"])[:, b])
    side = float(np.clip(0.11 * len(slots), 1.6, 3.0))
    width, height = 0.75 + (side + 0.2) * len(steps) + 0.75, side + 1.35
    figure, axes = picture(width, height), []
    for i, step in enumerate(steps):
        each = figure.add_axes([(0.75 + (side + 0.2) * i) / width, 0.5 / height, side / width, side / height],
                               label=f"step {step % len(L)}")
        filled = cells(each, L[step][np.ix_(slots, slots)], READ_MAP).collections[0]
        each.set_title(f"after step {step % len(L)}")
        every = max(1, len(slots) // 5)
        each.set_xticks(range(0, len(slots), every), [str(slot) for slot in slots[::every]])
        each.set_xlabel("slot $j$")
        if i == 0:
            number_slots(each, slots)
            each.set_ylabel("slot $i$")
        each.plot([-0.5, len(slots) - 0.5], [-0.5, len(slots) - 0.5], color=SOFT, linewidth=0.5)
        axes.append(each)
    headline(figure, "In which order was it written?", "dark in row $i$, column $j$: $i$ was written right after $j$", left=0.75)
    colourbar(figure, filled, axes[-1])
    return figure
