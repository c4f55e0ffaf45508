"""For chapter 04: a drawn example of each of the four tasks, and pictures of who is right how often, from results or live."""

import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from numpymem.experiments import ablations
from numpymem.experiments.claims import measured, section4
from numpymem.experiments.rows import ROWS
from numpymem.plotting.duel import duel
from numpymem.plotting.parts import BIT_MAP, COLOURS, INK, PALE, SOFT, WRITE, cells, headline, picture, styled

LOOKS = ("-", "--", ":", "-.")
MARKS = ("o", "s", "^", "D")
GOOD = 5.0                                        # percent wrong at which a seed counts as one that has learned its task


def overview():
    """All four rows: of each the made task at its largest size, and the real data where there is some, beside the article."""
    rows = []
    for row in ROWS.values():
        found = measured.read(row.spec)
        at = measured.places(found)
        largest = max(section4.size(place) for place in at)
        shown = [place for place in at if section4.size(place) == largest or not section4.size(place) and place.number is None]
        columns = [{"label": measured.named(place).replace(", ", ",\n"), "article": row.article,
                    "models": {model: section4.spread(measured.right(found, model, place)) for model in measured.PARENTS}}
                   for place in shown]
        rows.append({"row": row.title, "columns": columns})
    return duel(rows)


# ---- one example of each task ---------------------------------------------------------------------------------------------------

def in_words(task, batch, b):
    """(what story b of a Batch tells: lists of words; what it asks: a list of words; the right answer)"""
    words = task.vocabulary
    told = [[words[word] for word in row if word] for row in batch.inputs.sentences[b] if row[0]]
    return told, [words[word] for word in batch.inputs.query[b] if word], task.answers[int(batch.targets[b])]


def way_through(facts, question):
    """(the numbers of the facts that lead from [start, kind, kind ...] to the answer, the places on the way)"""
    way, places = [], [question[0]]
    for kind in question[1:]:
        way.append(next(number for number, fact in enumerate(facts) if fact[:2] == [places[-1], kind]))
        places.append(facts[way[-1]][2])
    return way, places


def straight_example(task, batch):
    """The first story of a Batch, in words, whose way never comes to a place twice."""
    told = (in_words(task, batch, b) for b in range(len(batch.targets)))
    return next(story for story in told if len(set(way_through(*story[:2])[1])) == len(story[1]))


@styled
def facts_drawn(facts, question, answer, title):
    """Facts (from, kind, to) as arrows, and the way from the question to the answer in bold -> Picture.

    facts      lists of three words, in the order in which they are told
    question   [start, kind, kind ...];  answer: the word at the end of the way
    """
    way, _ = way_through(facts, question)
    figure = picture(9.0, 4.3)
    axes = figure.add_axes([0.36, 0.04, 0.62, 0.8], label="graph")
    names = sorted({word for fact in facts for word in (fact[0], fact[2])})
    places = {name: (np.sin(turn), np.cos(turn)) for name, turn in zip(names, 2 * np.pi * np.arange(len(names)) / len(names))}
    for number, (source, kind, target) in enumerate(facts):
        pair = [other for other, fact in enumerate(facts) if fact[::2] == [source, target]]
        arrow(axes, places[source], places[target], kind, 0.16 + 0.22 * pair.index(number),
              f"{way.index(number) + 1}: {kind}" if number in way else "")
    for name, (x, y) in places.items():
        ends = name in (question[0], answer)
        axes.text(x, y, name, ha="center", va="center", fontsize=9, weight="bold" if ends else "normal", zorder=4,
                  bbox={"boxstyle": "circle,pad=0.3", "facecolor": "white", "edgecolor": WRITE if ends else SOFT, "linewidth": 1.5})
    axes.set_xlim(-1.45, 1.45)
    axes.set_ylim(-1.25, 1.25)
    axes.set_aspect("equal")
    axes.axis("off")
    told = [f"{number + 1:>2}  {' '.join(fact)}" for number, fact in enumerate(facts)]
    for row, words in enumerate(told):
        used = row in way
        figure.text(0.03, 0.83 - 0.72 * row / max(len(told), 12), words, family="monospace", fontsize=9, va="top",
                    weight="bold" if used else "normal", color=INK if used else SOFT)
    figure.text(0.2, 0.83, f"Q  {' '.join(question)}\n\nA  {answer}", fontsize=10.5, va="top", weight="bold")
    headline(figure, title, "left: what is told, in this order; right: the same as arrows; bold: the way from question to answer")
    return figure


def arrow(axes, start, end, kind, bend, step):
    """An arrow with its kind beside it; `step` is said instead where the way goes along it."""
    colour, thick = (WRITE, 2.6) if step else (SOFT, 0.9)
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>", mutation_scale=13,
                                   color=colour, linewidth=thick, shrinkA=15, shrinkB=15, zorder=3 if step else 2))
    (x1, y1), (x2, y2) = start, end
    bow = (x1 + x2) / 2 + bend * (y2 - y1), (y1 + y2) / 2 - bend * (x2 - x1)          # where arc3 has its third point
    x, y = (0.42 * first + 0.46 * third + 0.12 * last for first, third, last in zip(start, bow, end))     # 35 % along it
    axes.text(x, y, step or kind, ha="center", va="center", fontsize=8.5, color=colour, weight="bold" if step else "normal",
              zorder=6 if step else 5,
              bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"})


@styled
def copy_drawn(sequence, story, position):
    """One sequence in both forms: steps for an NTM, sentences and one question for a MemN2N -> Picture.

    sequence   a Batch of one sequence in sequence form;  story: words of its sentences;  position: what is asked for
    """
    inputs, mask = sequence.inputs[:, 0], sequence.mask[:, 0] > 0
    targets = np.where(mask[:, None], sequence.targets[:, 0], 0.0)
    figure = picture(9.4, 3.5)
    for bottom, values, name in ((0.5, inputs, "input"), (0.15, targets, "answer")):
        axes = figure.add_axes([0.08, bottom, 0.36, 0.3], label=name)
        cells(axes, values.T, BIT_MAP)
        axes.set_ylabel(name)
        axes.set_xticks(range(len(values)))
        axes.tick_params(labelbottom=name == "answer")
        axes.axvline(int(mask.argmax()) - 0.5, color=WRITE, linewidth=1.2, linestyle="--")
    axes.set_xlabel("time step")
    figure.text(0.26, 0.82, "for an NTM: one sequence", ha="center", weight="bold")
    figure.text(0.75, 0.82, "for a MemN2N: as many questions as vectors", ha="center", weight="bold")
    for row, words in enumerate(story):
        asked = row == position
        figure.text(0.51, 0.74 - 0.085 * row, words, fontsize=8, family="monospace", weight="bold" if asked else "normal",
                    color=INK if asked else SOFT)
    figure.text(0.51, 0.74 - 0.085 * len(story) - 0.06, f"Q  position {position}?", fontsize=10, weight="bold")
    headline(figure, "Sequence copy: what each is told and asked", "dark = 1; behind the dashed line the answer is asked for")
    return figure


@styled
def writes_drawn(writes, key, answer):
    """A stream of writes "k3 v1" as a row for each key, each value as long as it is valid -> Picture."""
    pairs = [write.split() for write in writes]
    keys = list(dict.fromkeys(each for each, _ in pairs))
    figure = picture(8.4, 1.35 + 0.36 * len(keys))
    height = figure.get_figheight()
    axes = figure.add_axes([0.07, 0.55 / height, 0.91, (height - 1.3) / height], label="writes")
    for at, (each, value) in enumerate(pairs):
        end = next((later for later in range(at + 1, len(pairs)) if pairs[later][0] == each), len(pairs))
        right = each == key and end == len(pairs)
        axes.add_patch(Rectangle((at, keys.index(each) - 0.36), end - at, 0.72, facecolor=WRITE if right else PALE,
                                 edgecolor="white"))
        axes.text(at + 0.12, keys.index(each), value, va="center", fontsize=9.5, weight="bold" if right else "normal",
                  color="white" if right else INK)
    axes.set_xlim(0, len(pairs))
    axes.set_ylim(len(keys) - 0.5, -0.5)
    axes.set_yticks(range(len(keys)), keys, fontsize=10)
    for label in axes.get_yticklabels():
        label.set_weight("bold" if label.get_text() == key else "normal")
        label.set_color(INK)
    axes.set_xticks(np.arange(len(pairs)) + 0.5, range(1, len(pairs) + 1))
    axes.tick_params(length=0)
    axes.set_xlabel("write")
    headline(figure, f"Rewritten keys: which value has {key} at the end?  {answer}", "a bar is a value, for as long as it is valid")
    return figure


# ---- committed ----------------------------------------------------------------------------------------------------------------

@styled
def over_sizes(name, labels, task, numbers, axis, log=False):
    """Right answers over the size of a task: lines are means, marks are seeds, dotted levels what the article says -> Picture.

    name      of a row: "paths", "copy", "update", "facts"
    labels    groups of its spec;  numbers: sizes at which they were measured;  axis: what these are
    """
    row = ROWS[name]
    found = measured.read(row.spec)
    figure = picture(7.6, 3.8)
    axes = figure.add_axes([0.09, 0.14, 0.62, 0.65], label=task)
    for at, label in enumerate(labels):
        errors = [ablations.errors(found, label, task, f"wrong_percent/{number}") for number in numbers]
        seeds = [100 - np.array(list(each.values())) for each in errors]
        colour, look, mark = COLOURS[label.partition(" ")[0]], LOOKS[at % 4], MARKS[at % 4]
        axes.plot(numbers, [each.mean() for each in seeds], look, color=colour, label=f"{label} (n = {len(seeds[0])})")
        for number, each in zip(numbers, seeds):
            axes.plot([number] * len(each), each, mark, markersize=4, color=colour, markerfacecolor="white", zorder=3)
    for model, said in row.article.items():
        axes.axhline(said, color=COLOURS[model], linewidth=0.9, linestyle=(0, (1, 3)))
        axes.annotate(f"article: {model} {said:g}", (1.01, said), xycoords=("axes fraction", "data"), fontsize=8, va="center",
                      color=COLOURS[model])
    if log:
        axes.set_xscale("log")
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.minorticks_off()
    axes.set_ylim(-3, 104)
    axes.set_xlabel(axis)
    axes.set_ylabel("% right")
    axes.grid(True, axis="y")
    axes.legend(fontsize=7.5, loc="lower left", bbox_to_anchor=(1.0, -0.06), handlelength=3)
    headline(figure, f"{row.claim}, {row.title}", "committed; lines: means, marks: seeds, dotted: what the article says")
    return figure


@styled
def seed_by_seed(name, labels, task, seed):
    """Learning curves of one seed, a line for each group that has it -> Picture."""
    found = measured.read(ROWS[name].spec)
    figure = picture(7.0, 3.4)
    axes = figure.add_axes([0.1, 0.15, 0.62, 0.63], label="curves")
    for at, label in enumerate(labels):
        for run in found["runs"]:
            if (run["group"], run["task"], run["seed"]) == (label, task, seed):
                axes.plot(*np.array(run["curve"]).T, LOOKS[at % 4], marker=MARKS[at % 4], markersize=3,
                          color=COLOURS[label.partition(" ")[0]], label=label)
    axes.set_xlabel("examples trained on")
    axes.set_ylabel("bits a question")
    axes.set_ylim(-0.1, 4.3)
    axes.grid(True, axis="y")
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(1.0, 0.0), handlelength=3)
    headline(figure, f"{task}, seed {seed}", "committed learning curves; guessing among 16 values costs 4 bits")
    return figure


def learned(name, task, labels):
    """{label: "1 of 5"}: how many seeds of a row's groups have learned a task: at most GOOD % wrong at its largest size."""
    found = measured.read(ROWS[name].spec)
    runs = {label: [list(run["figures"]["wrong_percent"].values())[-1] for run in found["runs"]
                    if (run["group"], run["task"]) == (label, task)] for label in labels}
    return {label: f"{sum(wrong <= GOOD for wrong in each)} of {len(each)}" for label, each in runs.items()}


# ---- live -----------------------------------------------------------------------------------------------------------------------

@styled
def live_copy(trainings, wrong):
    """How some trainings on copy went, and what became of it at other lengths -> Picture.

    trainings   name -> a Training that has run
    wrong       name -> {length: percent of wrong bits}
    """
    figure = picture(9.4, 3.6)
    left, right = figure.subplots(1, 2)
    for (name, training), look, mark in zip(trainings.items(), LOOKS, MARKS):
        colour = COLOURS[name.partition(" ")[0]]
        left.plot([line["sequences"] for line in training.history], [line["wrong_percent"] for line in training.history], look,
                  marker=mark, markersize=3, color=colour, label=name)
        right.plot(list(wrong[name]), list(wrong[name].values()), look, marker=mark, markersize=4, color=colour, label=name)
    left.set_xscale("log")
    left.set_xlabel("examples trained on (log scale): sequences, or questions")
    left.set_ylabel("% of bits wrong, as trained")
    right.axvline(training.task.lengths[1] + 0.5, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    right.text(training.task.lengths[1] + 1, 57, "longer than any in training", fontsize=8.5, color=SOFT)
    right.set_xlabel("length of the sequence")
    right.set_ylabel("% of bits wrong")
    for axes in (left, right):
        axes.axhline(50, color=SOFT, linewidth=0.8)
        axes.set_ylim(-2, 72)
        axes.set_yticks(range(0, 61, 10))
        axes.grid(True, axis="y")
        axes.legend(fontsize=8, loc="upper center", ncols=3, handlelength=3)
    headline(figure, "Copy, live: one to six vectors", "grey line: guessing; one seed each, trained in this notebook")
    figure.subplots_adjust(left=0.07, right=0.985, top=0.8, bottom=0.15, wspace=0.18)
    return figure


def wrong_at_lengths(training, lengths, count=40, seed=5):
    """{length: percent of wrong bits} of a Training on copy, on whole fresh sequences."""
    found = {}
    for length in lengths:
        batch = training.task.whole(np.random.default_rng([seed, length]), count, length)
        wrong, of = training.task.count_wrong(training.model.forward(training.params, batch.inputs)[0], batch)
        found[length] = 100 * wrong / of
    return found


__all__ = ["copy_drawn", "facts_drawn", "in_words", "learned", "live_copy", "over_sizes", "overview", "seed_by_seed",
           "straight_example", "writes_drawn", "wrong_at_lengths"]
