"""Pictures for chapter 05: how exact a derivative by differences can be, and where the gradient of one answer goes."""

from typing import NamedTuple

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from numpymem.kernel import numpy_only
from numpymem.ntm.equations import add_backward
from numpymem.plotting.parts import (INK, READ, READ_MAP, SIGN_MAP, SOFT, WRITE, WRITE_MAP, cells, colourbar, headline, minus_signs,
                                     number_slots, picture, styled, used_slots)


class Credit(NamedTuple):
    """What each answer of an NTM hangs on, for one sequence of length L with its answers at steps first ... first + L - 1."""
    first: int                # step of the first answer
    of_memory: np.ndarray     # (L, T, N)  |dL_i / dM_t(slot)|, the gradient that comes back from later steps
    of_writes: np.ndarray     # (L, T)     |dL_i / da_t|: how much answer i hangs on what was written at step t
    memory: np.ndarray        # (T, N, W)  M_t
    gradient: np.ndarray      # (L, T, N, W)  dL_i / dM_t
    written_at: np.ndarray    # (T, N)     weights of the first write head


def credit(model, params, batch):
    """One backward pass for each answer of the first sequence of a batch, in float64 -> Credit.

    L_i is how sure the model is of answer i: the sum of its logits, with a minus where the right bit is 0. (Its loss would do, too,
    but a trained model is so sure that the gradient of its loss is lost in rounding.)
    """
    params = {name: value.astype(np.float64) for name, value in params.items()}
    with numpy_only():                                              # a backward with dtrace is NumPy anyhow: nothing to compile
        logits, trace = model.forward(params, batch.inputs[:, :1].astype(np.float64))
    asked, R = np.flatnonzero(batch.mask[:, 0]), trace["r"].shape[2]
    of_memory, of_writes, gradients = [], [], []
    for step in asked:
        d_logits, dtrace = np.zeros_like(logits), {}
        d_logits[step] = 2 * batch.targets[step, :1] - 1
        model.backward(params, trace, d_logits, dtrace=dtrace)
        dM = np.stack(dtrace["M"])                                                         # (T, 1, N, W)
        da = np.stack([add_backward(dM_t, w_t[:, R:], a_t)[2] for dM_t, w_t, a_t in zip(dM, trace["w"], trace["a"])])
        of_memory.append(np.linalg.norm(dM[:, 0], axis=-1))
        of_writes.append(np.linalg.norm(da[:, 0].reshape(len(da), -1), axis=-1))
        gradients.append(dM[:, 0])
    return Credit(int(asked[0]), np.stack(of_memory), np.stack(of_writes), np.array(trace["M"][:, 0]), np.stack(gradients),
                  np.array(trace["w"][:, 0, R]))


def written_slots(found):
    """The slots that were written while the sequence was read, in the order to draw them."""
    return used_slots(found.written_at[:found.first - 1, None], margin=0, least=1)


@styled
def one_answer(found, answer):
    """Where the gradient of one answer goes: over slots and steps, and in all at each write -> Picture."""
    T, slots = len(found.written_at), written_slots(found)
    step = found.first + answer
    norms = found.of_memory[answer][:, slots]
    top = max(float(norms.max()), 1e-30)
    figure = picture(9.0, 5.2)
    upper = figure.add_axes([0.1, 0.44, 0.8, 0.41], label="gradient by slot")
    cells(upper, np.ma.masked_less(norms, top * 1e-3).T, READ_MAP, norm=LogNorm(top * 1e-3, top))
    colourbar(figure, upper.collections[0], upper)
    number_slots(upper, slots)
    upper.set_ylabel("slot")
    at, slot = (found.written_at[:, slots] > 0.5).nonzero()
    upper.scatter(at, slot, s=20, color=WRITE, edgecolors="white", linewidths=0.8, zorder=3)
    lower = figure.add_axes([0.1, 0.1, 0.8, 0.25], sharex=upper, label="gradient by write")
    lower.bar(range(T), found.of_writes[answer], color=WRITE, width=0.7)
    lower.set_ylabel(r"$\|\partial L / \partial a_t\|$")
    lower.set_xlabel("time step")
    for axes in (upper, lower):
        axes.axvline(step, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        axes.set_xlim(-0.5, T - 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    lower.annotate("asked here", (step, 0.97), (-4, 0), ("data", "axes fraction"), textcoords="offset points", ha="right", va="top",
                   fontsize=8.5)
    headline(figure, f"Which write does the gradient of answer {answer} come from?",
             r"above: $\|\partial L / \partial M_t(i)\|$ in the slots that were written, dark = large (log scale); "
             "orange dots: written here. Read from right to left")
    return figure


@styled
def all_answers(found):
    """Every answer against every write: how much the one hangs on the other, each row scaled to its largest -> Picture."""
    share = found.of_writes / np.maximum(found.of_writes.max(1, keepdims=True), 1e-30)
    figure = picture(7.5, 4.3)
    axes = figure.add_axes([0.1, 0.14, 0.77, 0.66], label="answers and writes")
    cells(axes, share, WRITE_MAP)
    colourbar(figure, axes.collections[0], axes)
    axes.set_yticks(range(0, len(share), max(1, len(share) // 6)))
    axes.set_ylabel("answer")
    axes.set_xlabel("time step of the write")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.axvline(found.first - 0.5, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    axes.text(found.first - 0.2, 0.2, "from here on\nit answers", fontsize=8.5, color=SOFT, va="top")
    headline(figure, "Every answer hangs on the one write that stored its vector",
             r"$\|\partial L_i / \partial a_t\|$, each row scaled to its largest entry; dark = 1")
    return figure


@styled
def memory_and_gradient(found, answer, step):
    """The memory after a step and, beside it, the gradient of one answer that comes back to it -> Picture."""
    slots = written_slots(found)
    figure = picture(8.0, 3.9)
    gradient = found.gradient[answer, step][slots]
    largest = max(float(np.abs(found.gradient[answer][:, slots]).max()), 1e-30)
    for left, values, limit, name in ((0.08, found.memory[step][slots], 1.0, "memory $M_t$"),
                                      (0.57, gradient, largest, r"gradient $\partial L / \partial M_t$")):
        axes = figure.add_axes([left, 0.14, 0.33, 0.6], label=name)
        cells(axes, values, SIGN_MAP, -limit, limit)
        minus_signs(axes, values, limit)
        number_slots(axes, slots)
        axes.set_xlabel(f"{values.shape[1]} numbers a slot")
        axes.set_ylabel("slot")
        axes.set_title(name)
        colourbar(figure, axes.collections[0], axes)
    headline(figure, f"After step {step}: the memory, and what answer {answer} wants of it",
             "right: green, more of this number and the answer is surer; purple with a dash, less of it")
    return figure


@styled
def story_gradients(sentences, p, dm, dc):
    """One story and one question: attention p, gradients of the keys m and of the values c, for each hop -> Picture.

    sentences  words of each sentence
    p, dm, dc  (K, I): attention; norms of the gradients
    """
    (K, I), columns = p.shape, (("attention $p$", p, READ_MAP), (r"$\|\partial L / \partial m\|$: where", dm, READ_MAP),
                                (r"$\|\partial L / \partial c\|$: what", dc, WRITE_MAP))
    figure = picture(9.5, 1.55 + 0.3 * I)
    height = figure.get_figheight()
    for place, (name, values, colours) in enumerate(columns):
        axes = figure.add_axes([0.33 + 0.22 * place, 0.45 / height, 0.19, (0.3 * I) / height], label=name)
        cells(axes, values.T, colours, 0, max(float(values.max()), 1e-30))
        axes.set_title(name, fontsize=9.5, pad=5)
        axes.set_xticks(range(K), [f"hop {k + 1}" for k in range(K)])
        if place == 0:
            axes.set_yticks(range(I), sentences, fontsize=9, color=INK)
    headline(figure, "Which sentence does this gradient go to?", "each panel from 0 (pale) to its largest number (dark)")
    return figure


@styled
def step_sizes(f, slope, x):
    """The error of three ways to a derivative against the step h -> Picture."""
    h = np.logspace(-20, 0, 81)
    true = slope(x)
    ways = (("forward difference", [(f(x + each) - f(x)) / each for each in h], SOFT, ":"),
            ("central difference", [(f(x + each) - f(x - each)) / (2 * each) for each in h], WRITE, "--"),
            ("complex step", [f(x + 1j * each).imag / each for each in h], READ, "-"))
    figure = picture(7.5, 3.8)
    axes = figure.add_axes([0.1, 0.15, 0.63, 0.64], label="errors")
    for name, values, colour, line in ways:
        error = np.maximum(np.abs(np.array(values) - true) / abs(true), 1e-17)
        axes.loglog(h, error, color=colour, linestyle=line)
        told = name + {":": " (dotted)", "--": " (dashed)"}.get(line, "")
        axes.annotate(told, (1.02, {"forward difference": 0.85, "central difference": 0.7, "complex step": 0.08}[name]),
                      xycoords="axes fraction", color=colour, fontsize=9)
    axes.set_xlabel("step $h$")
    axes.set_ylabel("relative error")
    axes.grid(True)
    headline(figure, "Two differences have a best step; the complex step needs none",
             "right: the formula is wrong (curvature); left: differences drown in rounding")
    return figure
