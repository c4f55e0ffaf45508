"""For chapter 03: two small models that are told the same stories, and pictures of the seven differences between them.

The stories are those of rewritten-keys: writes "k3 v1", one a sentence, and a key that is asked for. The models, their sizes and
the training are those of numpymem/experiments/claims/section3_models.py; a chapter trains them on the spot.
"""

import numpy as np

from numpymem.experiments.claims import section3_access
from numpymem.experiments.claims.section3_models import (BUDGET, MEMN2N, NTM, TASKS, answers, latest_with_key, sentences_of,
                                                         story_task)
from numpymem.experiments.claims.section3_supports import provenance
from numpymem.plotting import section3
from numpymem.plotting.parts import COLOURS, INK, WRITE_MAP, cells, headline, log_axis, picture, styled
from numpymem.plotting.story import Told, told_attention

TASK = "rewritten-keys"
LOOKS = ("-", "--", ":")
MARKS = ("o", "s", "^")


def settings(model, slots=8):
    """What `train(model, TASK, ...)` needs: 4 to 6 writes of 3 of 8 keys, one of them rewritten; the rest as in section 3."""
    return (*TASKS[TASK][0], *((*NTM, f"N={slots}") if model == "ntm" else MEMN2N), *BUDGET)


def wrong_answers(found, batch):
    """Which stories a trained model answers wrongly, (B,) bool."""
    return answers(found, batch, TASK)[0].argmax(-1) != section3_access.classes(found, batch, TASK)


def words_of(batch, b):
    """(the writes of story b as words, the key that is asked for)"""
    words = story_task(TASK).vocabulary
    told = batch.inputs.sentences[b, :sentences_of(batch)[b]]
    return [" ".join(words[word] for word in row if word) for row in told], words[batch.inputs.query[b, 0]]


def rewritten_story(batch):
    """The number of the first story whose key was written several times, but not last of all."""
    told, asked = batch.inputs.sentences[:, :, 0], batch.inputs.query[:, 0]
    times, last = (told == asked[:, None]).sum(1), sentences_of(batch) - 1
    return int(np.flatnonzero((times > 2) & (latest_with_key(batch) < last))[0])


# ---- C1 -----------------------------------------------------------------------------------------------------------------------

def side_by_side(ntm, memn2n, batch, b):
    """Where the NTM writes and reads story b, and where MemN2N looks -> Picture."""
    others = batch.inputs._replace(query=np.roll(batch.inputs.query, 1, axis=0))
    memories = [memn2n.model.forward(memn2n.params, inputs)[1]["all_memories"] for inputs in (batch.inputs, others)]
    changes = section3_access.memory_changes(ntm, batch, TASK)
    return section3.access({"NTM": changes, "MemN2N": {"asked": float(np.abs(memories[0] - memories[1]).max())},
                            "story": section3_access.traces(ntm, memn2n, batch, b, TASK)})


# ---- C2 -----------------------------------------------------------------------------------------------------------------------

@styled
def taken_away(ntm, memn2n):
    """Errors of trained models from which something is taken away -> Picture.

    ntm, memn2n   {task: {what is left: percent wrong}}
    """
    figure = picture(9.4, 3.7)
    for axes, values, model in zip(figure.subplots(1, 2), (ntm, memn2n), ("NTM", "MemN2N")):
        lists = {task: {kind: [value] for kind, value in each.items()} for task, each in values.items()}
        section3.bars(axes, lists, COLOURS[model])
        axes.set_title(model, weight="bold")
        axes.set_ylabel("% wrong")
    headline(figure, "C2: taken away from models that had learned to use it", "no training in between; one model each")
    figure.subplots_adjust(left=0.07, right=0.985, top=0.78, bottom=0.25, wspace=0.16)
    return figure


# ---- C3 -----------------------------------------------------------------------------------------------------------------------

def slots_of_writes(found, batch):
    """The slot that an NTM writes to most, for each write of each story: a list of arrays (writes,)"""
    trace, I = answers(found, batch, TASK)[1], batch.inputs.sentences.shape[1]
    slots = trace["w"][:I, :, trace["r"].shape[2]:].sum(2).argmax(-1)                                      # (I, B)
    return [slots[I - told:, b] for b, told in enumerate(sentences_of(batch))]


def rewritten_in_place(found, batch):
    """Of all writes of a batch whose key had been written before, the percentage that goes to the slot of its latest write."""
    same = []
    for b, slots in enumerate(slots_of_writes(found, batch)):
        told, keys = len(slots), batch.inputs.sentences[b, :len(slots), 0]
        same += [slots[i] == slots[:i][keys[:i] == keys[i]][-1] for i in range(told) if keys[i] in keys[:i]]
    return 100 * float(np.mean(same))


@styled
def where_writes_go(models, batch, b):
    """Write weights of NTMs, a panel each: a column for each write, a row for each slot -> Picture.

    models   name -> a trained NTM
    """
    told, key = words_of(batch, b)
    traces = {name: answers(found, batch, TASK)[1] for name, found in models.items()}
    rows = max(trace["w"].shape[-1] for trace in traces.values())
    width, height = 1.2 + 3.6 * len(models), 1.65 + 0.28 * rows
    figure = picture(width, height)
    for at, (name, trace) in enumerate(traces.items()):
        first, R, N = batch.inputs.sentences.shape[1] - len(told), trace["r"].shape[2], trace["w"].shape[-1]
        axes = figure.add_axes([(0.6 + 3.6 * at) / width, (0.65 + 0.28 * (rows - N)) / height, 3.1 / width, 0.28 * N / height],
                               label=name)
        cells(axes, trace["w"][first:first + len(told), b, R:].sum(1).T, WRITE_MAP)
        axes.set_xticks(range(len(told)), told, color=INK)
        for label in axes.get_xticklabels():
            label.set_weight("bold" if label.get_text().startswith(f"{key} ") else "normal")
        axes.set_yticks(range(N))
        axes.set_title(name, fontsize=9.5, weight="bold")
        axes.set_xlabel("what is told, write by write")
        axes.set_ylabel("memory slot")
    headline(figure, f"Where each write goes; bold: those of {key}, which is asked for", "write weights of the head, dark = 1")
    return figure


def wrong_by_age(models, batch):
    """{name: {how many writes ago the value asked for was told: % wrong}} of trained models."""
    age = sentences_of(batch) - latest_with_key(batch)
    wrong = {name: wrong_answers(found, batch) for name, found in models.items()}
    return {name: {int(n): 100 * float(each[age == n].mean()) for n in np.unique(age)} for name, each in wrong.items()}


@styled
def errors_by_age(found):
    """The result of `wrong_by_age` as lines -> Picture."""
    figure = picture(6.8, 3.5)
    axes = figure.add_axes([0.1, 0.15, 0.86, 0.63], label="errors")
    for (name, each), look, mark in zip(found.items(), LOOKS, MARKS):
        axes.plot(list(each), list(each.values()), look, marker=mark, markersize=5, label=name,
                  color=COLOURS["MemN2N" if name.startswith("MemN2N") else "NTM"])
    axes.set_xticks(sorted({n for each in found.values() for n in each}))
    axes.set_ylim(-3, 103)
    axes.set_xlabel("how many writes ago the value was told (1: the last write)")
    axes.set_ylabel("% wrong")
    axes.grid(True, axis="y")
    axes.legend(fontsize=8.5)
    headline(figure, "Who forgets what?", "fresh stories of six writes; one model each, trained in this notebook")
    return figure


# ---- C6 -----------------------------------------------------------------------------------------------------------------------

@styled
def losses_and_gradients(trainings, title):
    """Loss, and norm of the gradient before clipping (line: median, dots: largest since the evaluation before) -> Picture.

    trainings   name -> a Training that has run
    """
    figure = picture(9.4, 3.5)
    left, right = figure.subplots(1, 2)
    for (name, training), look, mark in zip(trainings.items(), LOOKS, MARKS):
        lines = [line for line in training.history if "gradient_norm" in line]
        done, colour = [line["sequences"] for line in lines], COLOURS["MemN2N" if name.startswith("MemN2N") else "NTM"]
        left.plot(done, [max(line["bits_per_sequence"], 1e-3) for line in lines], look, color=colour, marker=mark, markersize=3,
                  label=name)
        right.plot(done, [line["gradient_norm"] for line in lines], look, color=colour, label=name)
        right.plot(done, [line["gradient_norm_max"] for line in lines], mark, markersize=3.5, color=colour, markerfacecolor="white")
    for axes, label in ((left, "bits a question (log scale)"), (right, "norm of the gradient (log scale)")):
        log_axis(axes)
        axes.set_xlabel("stories trained on")
        axes.set_ylabel(label)
        axes.grid(True, axis="y")
        axes.legend(fontsize=8)
    headline(figure, title, "left: loss on fresh stories; right: gradient before clipping, line = median, marks = largest")
    figure.subplots_adjust(left=0.08, right=0.97, top=0.8, bottom=0.15, wspace=0.22)
    return figure


# ---- C7 -----------------------------------------------------------------------------------------------------------------------

def what_reads_consist_of(ntm, batch, b):
    """How much of what is read stems from each write of story b, at the question and at each pause: (looks, writes)."""
    trace = answers(ntm, batch, TASK)[1]
    parts = provenance(trace, batch)[:, b, :sentences_of(batch)[b]]
    return parts / np.maximum(parts.sum(1, keepdims=True), 1e-12)


@styled
def what_it_rests_on(ntm, memn2n, batch, b):
    """MemN2N's attention to story b, hop by hop, and what the NTM's reads consist of, look by look -> Picture."""
    told, key = words_of(batch, b)
    attention = np.stack([hop[b, :len(told)] for hop in answers(memn2n, batch, TASK)[1]["p"]])
    reads, right = what_reads_consist_of(ntm, batch, b), story_task(TASK).answers[batch.targets[b]]
    columns = [*(f"hop {hop + 1}" for hop in range(len(attention))), "read at Q", *(f"pause {n}" for n in range(1, len(reads)))]
    figure = told_attention(Told(told, key, right, None), np.concatenate([attention, reads]).T, columns,
                            "What does the answer rest on?",
                            "left: MemN2N's attention; right: which writes the NTM's reads consist of; bold: the fact asked for",
                            [int(latest_with_key(batch)[b])])
    figure.axes[0].axvline(len(attention) - 0.5, color=INK, linewidth=2)
    return figure


__all__ = ["TASK", "errors_by_age", "losses_and_gradients", "rewritten_in_place", "rewritten_story", "settings", "side_by_side",
           "slots_of_writes", "taken_away", "what_it_rests_on", "what_reads_consist_of", "where_writes_go", "words_of",
           "wrong_answers", "wrong_by_age"]
