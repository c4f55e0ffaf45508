"""The memory itself, and the gradient that flows through it."""

import numpy as np
from matplotlib.colors import LogNorm

from numpymem.plotting.parts import (
    INK,
    READ,
    READ_MAP,
    SIGN_MAP,
    WRITE,
    Panel,
    beside,
    cells,
    colourbar,
    head_weights,
    headline,
    hide,
    log_axis,
    number_slots,
    picture,
    stack,
    styled,
    used_slots,
)


@styled
def memory_matrix(trace, steps, b=0):
    """The memory M_t side by side after several steps; only slots that some head used in the whole sequence.

    trace  of NTM.forward or DNC.forward: M (T, B, N, W) and the weights of its heads
    steps  step numbers, 0 for the first one
    """
    M, slots = np.asarray(trace["M"])[:, b], used_slots(head_weights(trace)[0][:, b])
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

    dtrace  filled by NTM.backward or DNC.backward: M, a list of T arrays (B, N, W), the gradient that comes back from later steps
    trace   if given, dots mark where the write heads wrote
    """
    norms = np.sqrt((np.stack(dtrace["M"])[:, b] ** 2).sum(-1))           # (T, N)
    total = np.sqrt((norms ** 2).sum(1))                                  # (T)
    relative = norms / max(float(norms.max()), 1e-30)
    w, R = (relative[:, None, None], 0) if trace is None else head_weights(trace)         # (T, B, H, N)
    w = w[:, b if trace else 0]
    slots = used_slots(w)
    floor = max(float(norms.max()), 1e-30) * 1e-3

    def by_slot(axes):
        filled = cells(axes, hide(norms[:, slots], norms[:, slots] < floor), READ_MAP, norm=LogNorm(floor, floor * 1e3))
        number_slots(filled, slots)
        if trace is not None:
            step, slot = (w[:, R:].max(1)[:, slots] > 0.5).nonzero()
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
