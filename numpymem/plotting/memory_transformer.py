"""A memory Transformer at work: where its words attend, where its items are written to, and where each answer is read from."""

from typing import NamedTuple

import numpy as np

from numpymem.plotting.parts import (
    BIT_MAP,
    INK,
    READ,
    READ_MAP,
    SOFT,
    WRITE,
    WRITE_MAP,
    WRONG,
    cells,
    colourbar,
    headline,
    number_slots,
    picture,
    styled,
    used_slots,
)

JOINS = {"rewritten-keys": " := "}               # what stands between the words of an item; a space for all other tasks
MOST_SLOTS = 32                                   # of a larger memory only the slots in use are shown
MOST_COLUMNS = 24                                 # with more read heads x answers the mean of the heads is shown
SIDE, GAP, LETTER = 0.21, 0.22, 0.072             # inches: of a cell, between panels, a letter of a label


class Told(NamedTuple):
    """One story of a batch in words."""
    segments: list            # of each segment its items, lists of words
    question: list            # words
    said: list                # what the model answers, step by step
    right: list               # of each answer whether it is right
    wanted: list              # the right answers

    @property
    def items(self):
        return [item for segment in self.segments for item in segment]

    @property
    def verdict(self):
        if all(self.right):
            return "all answers right" if len(self.said) > 1 else f"{self.said[0]} (right)"
        return f"{self.right.count(False)} of {len(self.right)} answers wrong" if len(self.said) > 1 else (
            f"{self.said[0]} (wrong: it is {self.wanted[0]})")

    @property
    def answers(self):
        """What is said, with a cross before what is wrong."""
        return [said if right else f"\u00d7 {said}" for said, right in zip(self.said, self.right)]


def told(batch, logits, vocabulary, answers, b):
    """Story b of a batch as a Told; see transformer_memory."""
    words, inputs = getattr(vocabulary, "words", vocabulary), batch.inputs
    segments = [[[words[word] for word in item if word] for item in segment if item.any()] for segment in inputs.segments[b]]
    question = [words[word] for word in inputs.question[b] if word]
    steps = np.flatnonzero(batch.mask[:, b] > 0)
    names = answers if isinstance(answers, list) else [f"class {number}" for number in range(answers)]

    def name(number):
        return names[number] if number < len(names) else question[number - len(names)]

    best, wanted = logits[steps, b].argmax(1), batch.targets[steps, b]
    return Told([segment for segment in segments if segment], question, [name(one) for one in best], (best == wanted).tolist(),
                [name(one) for one in wanted])


def transformer_figures(training, seed=0, **size):
    """Figures of one fresh story of a run: {"attention": .., "memory": ..}, the latter only with memory "ntm".

    training  a Training, such as runs.open_run gives
    size      arguments of the task's `sample`: rewrites=2
    """
    task = training.task
    batch = task.sample(np.random.default_rng([seed, 3]), 1, **size)
    trace = training.model.forward(training.params, batch.inputs)[1]
    told_by = trace, batch, task.vocabulary, getattr(task, "answers", task.n_outputs)
    figures = {"attention": transformer_attention(*told_by)}
    if "write" in trace:
        figures["memory"] = transformer_memory(*told_by, join=JOINS.get(task.name, " "))
    return figures


# ---- memory -----------------------------------------------------------------------------------------------------------------

@styled
def transformer_memory(trace, batch, vocabulary, answers, b=0, join=" ", layer=-1):
    """The memory of one story: where each item is written to, what is in each slot after it, where each answer is read from.

    trace       of MemoryTransformer.forward with memory "ntm", and of the same
    batch       segments form
    vocabulary  words by number: task.vocabulary
    answers     names of the classes: task.answers; or how many there are
    b           which story of the batch
    join        what stands between the words of an item: " := " for writes of keys. Items with a word of the question are bold
    layer       of the decoder, whose reading is shown
    """
    story, kept = told(batch, np.asarray(trace["logits"]), vocabulary, answers, b), trace["write"]
    items = [join.join(item) for item in story.items]
    bold = [bool(set(item) & set(story.question)) for item in story.items]
    if len(items) < trace["written"][b].sum():                           # strict: the question is written, too
        items, bold = [*items, "the question"], [*bold, False]
    w, M = (np.asarray(kept[name])[:len(items), b] for name in "wM")     # (I, H, N), (I, N, W)
    filled = np.sqrt(((M - np.asarray(kept["M0"])[b]) ** 2).sum(-1))                               # (I, N)
    slots = np.arange(w.shape[2]) if w.shape[2] <= MOST_SLOTS else used_slots(w)
    panels = [Strip("where it writes", WRITE, WRITE_MAP, w[:, head], items, bold, "head", head, w.shape[1]) for head in
              range(w.shape[1])]
    panels.append(Strip("what is in a slot", INK, BIT_MAP, filled / max(filled.max(), 1e-9), items, bold))
    panels += reading(np.asarray(trace["decoder"][layer]["read"]["w"])[:len(story.said), b], story)
    return strips(panels, slots, story.verdict)


class Strip(NamedTuple):
    """Slots from top to bottom over items or answers from left to right."""
    name: str
    colour: str
    colours: object
    values: np.ndarray        # (columns, N)
    labels: list
    bold: list
    kind: str = ""            # of what it is one of several, which, and of how many
    number: int = 0
    of: int = 1

    @property
    def title(self):
        return f"{self.name},\n{self.kind} {self.number}" if self.of > 1 else self.name


def reading(w, story):
    """Strips of read weights (T, H, N): one for each head, or for the mean of all."""
    T, H, _ = w.shape
    if T * H > MOST_COLUMNS:
        return [Strip("where it reads,\nmean of heads" if H > 1 else "where it reads", READ, READ_MAP, w.mean(1),
                      story.answers, [False] * T)]
    if T == 1 and H > 1:                                                 # one answer: heads side by side
        return [Strip("where it reads", READ, READ_MAP, w[0], [f"head {head}" for head in range(H)], [False] * H)]
    return [Strip("where it reads", READ, READ_MAP, w[:, head], story.answers, [False] * T, "head", head, H) for head in
            range(H)]


def strips(panels, slots, verdict):
    """Strips side by side over the same slots -> Picture."""
    wide = [max(SIDE * len(panel.values), LETTER * 1.25 * max(map(len, panel.title.split("\n"))), 0.6) for panel in panels]
    below = 0.3 + LETTER * max(len(label) for panel in panels for label in panel.labels)
    inside = float(np.clip(SIDE * len(slots), 1.0, 6))
    above = 0.75 + 0.15 * max(panel.title.count("\n") + 1 for panel in panels)
    width, height = 0.75 + sum(wide) + GAP * len(panels) + 0.6, above + inside + below + 0.15
    figure, left = picture(max(width, 5.5), height), 0.75
    width = figure.get_figwidth()
    for panel, inches in zip(panels, wide):
        axes = figure.add_axes([left / width, (below + 0.15) / height, SIDE * len(panel.values) / width, inside / height],
                               label=panel.title.replace("\n", " "))
        drawn = cells(axes, panel.values[:, slots].T, panel.colours)
        axes.set_title(panel.title, color=panel.colour, weight="bold", fontsize=8.5, loc="left")
        name_columns(axes, panel.labels, panel.bold)
        axes.set_xlabel("answer" if panel.colour == READ and not panel.labels[0].startswith("head") else
                        "item, in order" if panel.colour != READ else "one answer")
        if panel is panels[0]:
            number_slots(axes, slots)
            axes.set_ylabel("slot")
        left += inches + GAP
    colourbar(figure, drawn.collections[0], axes)
    headline(figure, "The memory at work: " + verdict, "one column is one item or answer; dark = weight 1, or the fullest slot")
    return figure


def name_columns(axes, labels, bold):
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=8)
    for label, strong in zip(axes.get_xticklabels(), bold):
        label.set(weight="bold" if strong else "normal", color=INK if strong or not any(bold) else SOFT)


# ---- attention --------------------------------------------------------------------------------------------------------------

@styled
def transformer_attention(trace, batch, vocabulary, answers, b=0):
    """Where words attend in encoder and decoder, the mean of the heads of each layer; each row sums to one.

    trace       of MemoryTransformer.forward, and of the same
    batch       segments form
    vocabulary  words by number: task.vocabulary
    answers     names of the classes: task.answers; or how many there are
    b           which story of the batch
    """
    story = told(batch, np.asarray(trace["logits"]), vocabulary, answers, b)
    rows = [[panel] for panel in encoder_maps(trace, story, b)]
    for number, layer in enumerate(trace["decoder"]):
        name, T = f"decoder, layer {number + 1}" if len(trace["decoder"]) > 1 else "decoder", len(story.said)
        given = ["(start)", *story.wanted[:-1]]
        said = story.answers
        maps = [Map(f"{name}:\nto what was said before", mean_of(layer["self"], b)[:T, :T], said, given)] if T > 1 else []
        if "cross" in layer:
            maps.append(Map(f"{name}:\nto the question", mean_of(layer["cross"], b)[:T, :len(story.question)], said,
                            story.question))
        if "p" in layer.get("read", {}):
            seen = np.flatnonzero(trace["written"][b])                   # items, or with memory "attention" words
            names = [" ".join(item) for item in story.items] if len(seen) == len(story.items) else sum(story.items, [])
            maps.append(Map(f"{name}:\nto what was told", mean_of(layer["read"], b)[:T, seen], said, names))
        rows.append(maps)
    return maps_in_rows([row for row in rows if row], story)


class Map(NamedTuple):
    """Who attends (rows) to whom (columns)."""
    name: str
    values: np.ndarray
    rows: list
    columns: list


def mean_of(layer, b):
    """The mean attention of all heads: (places, places)."""
    return np.asarray(layer["p"])[b].mean(0)


def encoder_maps(trace, story, b):
    """The maps of the encoder's layers: words of all segments, no one sees another segment; nothing without layers or segments, or
    if there is one word only."""
    words = [word for segment in story.segments for item in segment for word in item]
    if "x" not in trace or (len(words) < 2 and "cross" in trace["decoder"][0]):
        return
    mine = np.flatnonzero(trace["told"].row_story == b)
    layers = trace["encoder"][1]
    for number, (own, _) in enumerate(layers):
        values, at = np.ma.masked_array(np.zeros((len(words), len(words))), mask=True), 0
        for row in mine:
            there = np.flatnonzero(trace["told"].rows[row])
            values[at:at + len(there), at:at + len(there)] = mean_of(own, row)[np.ix_(there, there)]
            at += len(there)
        name = f"encoder, layer {number + 1}" if len(layers) > 1 else "encoder"
        yield Map(f"{name}:\neach segment by itself", values, words, words)


def maps_in_rows(rows, story):
    """Maps side by side, rows of them below one another -> Picture."""
    side = float(np.clip(9 / max(max(panel.values.shape) for row in rows for panel in row), 0.05, SIDE))

    def beside(panel):
        return 0.4 + LETTER * max(map(len, panel.rows)), max(side * len(panel.columns), 1.6)

    def tall(row):
        return 0.55 + max(side * len(panel.rows) + 0.4 + LETTER * max(map(len, panel.columns)) for panel in row)

    width = max(max(sum(sum(beside(panel)) + GAP for panel in row) for row in rows) + 0.6, 5.5)
    height = 0.65 + sum(tall(row) for row in rows)
    figure, top = picture(width, height), height - 0.65
    for row in rows:
        left = 0.0
        for panel in row:
            before, own = beside(panel)
            left += before
            up = side * len(panel.rows)
            axes = figure.add_axes([left / width, (top - 0.55 - up) / height, side * len(panel.columns) / width, up / height],
                                   label=panel.name.replace("\n", " "))
            drawn = cells(axes, panel.values, READ_MAP)
            axes.set_title(panel.name, fontsize=8.5, loc="left", weight="bold")
            axes.set_yticks(range(len(panel.rows)), panel.rows, fontsize=min(8, 40 * side))
            axes.set_xticks(range(len(panel.columns)), panel.columns, rotation=90, fontsize=min(8, 40 * side))
            axes.set_ylabel("answer" if panel.name.startswith("decoder") else "word")
            axes.set_xlabel("looks at")
            if panel.name.startswith("decoder"):
                for label, right in zip(axes.get_yticklabels(), story.right):
                    label.set(color=INK if right else WRONG, weight="bold")
            if row is rows[0] and panel is row[-1]:
                colourbar(figure, drawn.collections[0], axes)
            left += own + GAP
        top -= tall(row)
    headline(figure, f"Where words attend: {story.verdict}", "each row sums to one; mean of the heads; dark = weight 1")
    return figure
