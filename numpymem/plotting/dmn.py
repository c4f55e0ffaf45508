"""Where a dynamic memory network looks in a story, pass by pass."""

import numpy as np

from numpymem.plotting.parts import styled
from numpymem.plotting.story import Told, text, told_attention


@styled
def dmn_attention(trace, words_of, b=0, answers=None, target=None, supports=(), most=30):
    """The sentences of a story, and the gate of each in each pass.

    trace     of DMN.forward: sentences (B, I, J), query (B, J), g: a (B, I) for each pass, logits (B, Y)
    words_of  word number -> word: task.vocabulary
    answers   class number -> answer: task.answers; without it an answer reads 'class 3'
    target    the right class, if it should be shown
    supports  rows of the sentences that the answer follows from
    most      of a longer story only so many sentences are drawn: the facts it follows from and those with the largest gates
    """
    told = [text(words, words_of) for words in np.asarray(trace["sentences"])[b]]
    told = [sentence for sentence in told if sentence]
    g = np.stack([np.asarray(gates)[b, :len(told)] for gates in trace["g"]], axis=1)                     # (I, passes)
    shown = chosen(g, supports, most)
    left_out = len(told) - len(shown)
    rows = [f"{row + 1}  {told[row]}" for row in shown] if left_out else told
    notes = ["bold: the facts that the answer follows from"] * bool(supports) + [f"{left_out} sentences left out"] * bool(left_out)
    named = answers if answers is not None else [f"class {i}" for i in range(trace["logits"].shape[1])]
    story = Told(rows, text(np.asarray(trace["query"])[b], words_of), named[int(trace["logits"][b].argmax())],
                 None if target is None else named[int(target)])
    return told_attention(story, g[shown], [f"pass {t + 1}" for t in range(g.shape[1])], "Where the DMN looks", "; ".join(notes),
                          [shown.index(row) for row in supports])


def chosen(g, supports, most):
    """Rows of g (I, passes) to draw, in the order of the story: all, or `most` of them."""
    if len(g) <= most:
        return list(range(len(g)))
    rank = g.max(axis=1) + np.isin(np.arange(len(g)), supports)          # a gate is at most 1
    return sorted(int(row) for row in np.argsort(-rank, kind="stable")[:most])
