"""Where a MemN2N looks in a story."""

from typing import NamedTuple

import numpy as np

from numpymem.plotting.parts import INK, READ_MAP, SOFT, WRONG, cells, headline, picture, styled


@styled
def memn2n_attention(trace, words_of, b=0, answers=None, target=None, supports=()):
    """The sentences of a story, and how much of its attention each hop gives to each.

    trace     of MemN2N.forward: sentences (B, I, J), query (B, J), p: a (B, I) for each hop, logits (B, Y)
    words_of  word number -> word: task.vocabulary
    answers   class number -> answer: task.answers; without it an answer reads 'class 3'
    target    the right class, if it should be shown
    supports  rows of the sentences that the answer follows from
    """
    told = [text(words, words_of) for words in np.asarray(trace["sentences"])[b]]
    told = [sentence for sentence in told if sentence]
    p = np.stack([np.asarray(hop)[b, :len(told)] for hop in trace["p"]], axis=1)             # (I, K)
    named = answers if answers is not None else [f"class {i}" for i in range(trace["logits"].shape[1])]
    story = Told(told, text(np.asarray(trace["query"])[b], words_of), named[int(trace["logits"][b].argmax())],
                 None if target is None else named[int(target)])
    return told_attention(story, p, [f"hop {k + 1}" for k in range(p.shape[1])], "Where MemN2N looks",
                          "bold: the facts that the answer follows from" if supports else "", supports)


class Told(NamedTuple):
    """A story in words."""
    sentences: list
    question: str
    answer: str              # the model's
    right: str | None        # the right one, if it should be shown


def told_attention(story, p, columns, title, note, supports):
    """The sentences of a Told story, the attention p (I, columns) beside them, question and answer below -> Picture."""
    longest = max([len(sentence) for sentence in story.sentences], default=0)
    words_wide, cells_wide = max(2.6, 0.45 + 0.077 * longest), 0.72 * p.shape[1]
    width, height = words_wide + cells_wide + 0.3, 1.5 + 0.27 * max(len(p), 1)
    figure = picture(width, height)
    axes = figure.add_axes([words_wide / width, 0.72 / height, cells_wide / width, 1 - 1.5 / height], label="attention")
    if len(p):
        draw_attention(axes, p)
        axes.set_yticks(range(len(p)), story.sentences, fontsize=9.5)
    for row, label in enumerate(axes.get_yticklabels()):
        label.set_color(INK if row in supports or not supports else SOFT)
        label.set_weight("bold" if row in supports else "normal")
    axes.set_xticks(range(p.shape[1]), columns, fontsize=9)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    headline(figure, title, note)
    verdict = "" if story.right is None else "  (right)" if story.answer == story.right else f"  (wrong: it is {story.right})"
    left = 0.15 / width
    figure.text(left, 0.47 / height, f"Q  {story.question}?", fontsize=10.5, va="center")
    figure.text(left, 0.2 / height, f"A  {story.answer}{verdict}", fontsize=10.5, weight="bold", va="center",
                color=WRONG if "wrong" in verdict else INK)
    return figure


def draw_attention(axes, p):
    """p (I, K) as shaded cells; numbers from 0.01 up."""
    cells(axes, p, READ_MAP)
    for (row, hop), value in np.ndenumerate(p):
        if abs(value) >= 0.01:
            axes.text(hop, row, f"{value:.2f}", ha="center", va="center", fontsize=8.5,
                      color="white" if value > 0.45 else INK)


def text(words, words_of):
    """Word numbers -> words; 0 is no word."""
    return " ".join(str(words_of[int(word)]) for word in words if word)
