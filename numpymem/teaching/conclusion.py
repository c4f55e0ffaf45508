"""For chapter 08: the verdicts as a table and as a picture, the hybrid beside its parents, and its two memories at work."""

import re

import numpy as np
from IPython.display import Markdown

from numpymem.experiments import verdicts
from numpymem.experiments.claims import SECTIONS, measured, section8
from numpymem.experiments.claims.intervals import Interval, paired, told
from numpymem.experiments.rows import ROWS
from numpymem.plotting.parts import (COLOURS, INK, READ, READ_MAP, SOFT, WRITE, WRITE_MAP, cells, headline, picture, styled,
                                     used_slots)
from numpymem.plotting.story import text

MARKS = {"agrees": ("o", COLOURS["DNC"]), "depends": ("D", READ), "differs": ("X", WRITE), "untestable": ("s", SOFT)}


SHORT = 40                                        # letters: a first sentence that is shorter does not say enough


def first_sentence(words):
    """The first sentence of a text, up to a full stop before a capital letter; with the second, if the first is a short one."""
    first, *more = re.split(r"(?<=\.)\s+(?=[A-Z])", " ".join(words.split()))
    return " ".join([first, *more[:1]]) if len(first) < SHORT else first


def verdict_table(found):
    """[(Claim, Verdict)] -> Markdown: what the article says, our word, and one sentence why."""
    rows = ["| | the article says | ours | why |", "|---|---|---|---|"]
    for claim, verdict in found:
        because = verdict if isinstance(verdict, str) else first_sentence(verdict.because)
        rows.append(f"| {claim.id} {claim.title} | {verdicts.cell(claim.says)} | **{verdicts.word(verdict)}** | "
                    f"{verdicts.cell(because)} |")
    return Markdown("\n".join([*rows, "", verdicts.counted(found) + "."]))


@styled
def verdict_picture(found):
    """The verdicts by section: a mark in the column of its word -> Picture."""
    there = {verdicts.word(verdict) for _, verdict in found}
    words = [word for word in MARKS if word != "untestable" or word in there]
    lines = []
    for section, some in verdicts.by_section(found).items():
        lines += [(f"{section}  {SECTIONS[section]}", None), *((f"{claim.id}  {claim.title}", verdict) for claim, verdict in some)]
    height = 1.25 + 0.24 * len(lines)
    figure = picture(6.2, height)
    axes = figure.add_axes([2.7 / 6.2, 0.1 / height, 3.3 / 6.2, (height - 1.15) / height])
    for row, (_, verdict) in enumerate(lines):
        if verdict is None:
            axes.axhline(row + 0.45, color="#b6bcc4", linewidth=0.7)
        elif (word := verdicts.word(verdict)) in words:
            mark, colour = MARKS[word]
            axes.plot(words.index(word), row, marker=mark, markersize=8, color=colour, linestyle="none")
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks(range(len(lines)), [name for name, _ in lines], fontsize=9, color=INK)
    for label, (_, verdict) in zip(axes.get_yticklabels(), lines):
        label.set_weight("bold" if verdict is None else "normal")
    axes.set_xlim(-0.5, len(words) - 0.5)
    axes.set_xticks(range(len(words)), words, fontsize=9.5, color=INK)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    headline(figure, "The article's claims, measured", verdicts.counted(found))
    return figure


# ---- the hybrid beside its parents --------------------------------------------------------------------------------------------

def rows_of_the_hybrid():
    """{title of a row: what section8.against_parents says of it}, from the committed results."""
    return {row.title: section8.against_parents(measured.read(row.spec)) for row in ROWS.values()}


def hybrid_leads(found):
    """{"path finding, over MemN2N": Interval of hybrid - the better parent}, seed by seed."""
    return {f"{title}, over {each['parent']}": each["better"] for title, each in found.items()}


def hybrid_table(found):
    """The four rows -> Markdown: percent right of parents and hybrid, its lead over the better one, and what it costs."""
    rows = ["| | NTM | MemN2N | hybrid | over the better parent | parameters | seconds |", "|---|---|---|---|---|---|---|"]
    for title, each in found.items():
        parents = " | ".join(told(each["parents"][name]) for name in measured.PARENTS)
        rows.append(f"| {title} | {parents} | {told(each['hybrid'])} | {each['better']} ({each['parent']}) | "
                    f"{each['parameters']:.1f} times | {each['seconds']:.1f} times |")
    n = {len(each["hybrid"]) for each in found.values()}
    return Markdown("\n".join([*rows, "", f"Percent right, mean ± standard deviation of {'/'.join(map(str, sorted(n)))} seeds; "
                               "[from, to]: 95 % intervals, seed by seed; costs: a run's, against the better parent."]))


def best_and_worst(found):
    """The names in ROWS of the row where the hybrid gains most over the better parent, and of that where it loses most."""
    order = sorted(ROWS, key=lambda name: found[ROWS[name].title]["better"].mean)
    return order[-1], order[0]


def places_of(name):
    """Percent right of all contenders at every place of a row, as lines."""
    found = measured.read(ROWS[name].spec)
    return [ROWS[name].title, *measured.lines(found, measured.places(found, (*measured.PARENTS, "Hybrid")))]


def as_interval(numbers, n=5):
    """(mean, low, high) as an Interval."""
    return Interval(*map(float, numbers), n)


def without_variant(name, model, variant):
    """What a model has over a variant of itself at each place that both have, seed by seed -> {place: Interval}."""
    found = measured.read(ROWS[name].spec)
    made = {}
    for place in measured.places(found, (model,)):
        rest = measured.right(found, model, place._replace(variant=variant)) if not place.variant else {}
        if rest:
            made[measured.named(place)] = paired(measured.right(found, model, place), rest)
    return made


# ---- at work ------------------------------------------------------------------------------------------------------------------

@styled
def hybrid_at_work(trace, batch, vocabulary, answers, b=0, supports=()):
    """One story in a hybrid's two memories: the slot that each sentence is written to, and the sentences that each hop looks at.

    trace       of Hybrid.forward
    batch       stream form, with one question a story
    vocabulary, answers   of the task: words by number, names of the classes
    supports    rows of the sentences that the answer follows from, drawn bold
    """
    told_at, sentences = np.asarray(trace["told_at"])[b], np.asarray(trace["sentences"])[b]
    real = np.flatnonzero((sentences != 0).any(1))
    R = trace["ntm"]["r"].shape[2]
    w, p = np.asarray(trace["ntm"]["w"])[:, b], np.asarray(trace["p"])[:, b, 0]               # (T, H, N), (K, I)
    written, asked = w[told_at[real], R:].max(1), w[int(np.asarray(trace["asked_at"])[b, 0]), :R].max(0)       # (I, N), (N)
    slots = used_slots(np.vstack([written, asked])[:, None], margin=0, least=4)
    written, asked = written[:, slots], asked[slots]
    rows = len(real)
    left, side, hops = 1.6, 0.27 * len(slots), 0.6 * len(p)
    width, height = left + side + 0.9 + hops + 0.4, 2.35 + 0.27 * rows
    figure = picture(max(width, 5.6), height)
    width = figure.get_figwidth()
    top, tall = (0.27 * rows) / height, 1.15 / height
    panels = [figure.add_axes([left / width, tall, side / width, top], label="working memory"),
              figure.add_axes([(left + side + 0.9) / width, tall, hops / width, top], label="fact memory")]
    cells(panels[0], written, WRITE_MAP)
    cells(panels[1], p[:, real].T, READ_MAP)
    for (row, hop), value in np.ndenumerate(p[:, real].T):
        if value >= 0.01:
            panels[1].text(hop, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if value > 0.45 else INK)
    panels[0].set_yticks(range(rows), [text(sentences[i], vocabulary) for i in real], fontsize=9, color=INK)
    for row, label in zip(real, panels[0].get_yticklabels()):
        label.set_weight("bold" if row in supports else "normal")
    panels[0].set_ylabel("sentence, in order")
    panels[0].set_title("working memory:\nwritten to slot", color=WRITE, weight="bold", fontsize=9, loc="left")
    panels[1].set_title("fact memory:\nwhere each hop looks", color=READ, weight="bold", fontsize=9, loc="left")
    panels[1].set_xticks(range(len(p)), [f"hop {k + 1}" for k in range(len(p))], fontsize=9, color=INK)
    strip = figure.add_axes([left / width, 0.78 / height, side / width, 0.27 / height], label="read when asked")
    cells(strip, asked[None], READ_MAP)
    strip.set_yticks([0], ["read when asked"], fontsize=9, color=READ)
    panels[0].set_xticks([])
    strip.set_xticks(range(len(slots)), [str(slot) for slot in slots], fontsize=8)
    strip.set_xlabel("slot", labelpad=1)
    said, right = answers[int(trace["logits"][0, b].argmax())], answers[int(batch.targets[0, b])]
    question = text(np.asarray(trace["queries"])[b, 0], vocabulary)
    verdict = "(right)" if said == right else f"(wrong: it is {right})"
    figure.text(0.15 / width, 0.17 / height, f"Q  {question}    A  {said} {verdict}", fontsize=10, weight="bold", va="center")
    headline(figure, "Two memories, one story", "bold: the sentences that the answer follows from; dark = weight 1")
    return figure


def walked(batch, b=0):
    """The rows of the edges that a walk of segment-traversal goes along, and all that leads to its answer: -> list of rows."""
    sentences, query = np.asarray(batch.inputs.sentences)[b], np.asarray(batch.inputs.queries)[b, 0]
    node, *kinds = query[query != 0].tolist()
    rows = []
    for kind in kinds:
        row = next(i for i, words in enumerate(sentences) if words[:2].tolist() == [node, kind])
        rows.append(row)
        node = int(sentences[row, 2])
    return rows
