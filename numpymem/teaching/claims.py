"""The article's claims in the chapters: first as claims, at the end with what the committed results say of them.

    claim("C2")                   # the article's statement
    verdict("C2")                 # the measured word, the figures behind it, and the commands that made them
    verdict_table("C1", "C2")     # a row each

Nothing is typed here: statements, figures and words come from numpymem/experiments/claims, as in `python -m numpymem duel`.
"""

from IPython.display import Markdown

from numpymem.experiments import verdicts
from numpymem.experiments.claims import choose

WIDE = 100                                        # columns of the figures behind a verdict

def claim(id):
    """What the article says -> Markdown. Raises ValueError for an unknown claim."""
    (found,) = choose([id])
    return Markdown(f"> **{found.id}, {found.title}.** The article: {found.says}.")


def verdict(id):
    """What our committed results say of a claim -> Markdown: the word, why, the figures, the commands. Raises ValueError."""
    ((found, judged),) = verdicts.judge_all([id])
    if isinstance(judged, str):
        return Markdown(f"> **{found.id}, {found.title}: {verdicts.MISSING}.** {judged}")
    figures = "\n".join(f"> {part}" for line in judged.ours.splitlines() for part in verdicts.fill(line, WIDE))
    more = ", ".join(f"`{command}`" for command in judged.commands)
    return Markdown(f"> **{found.id}, {found.title}: {judged.word}.** {judged.because}\n>\n> ```text\n{figures}\n> ```\n>\n"
                    f"> From committed results, mean ± standard deviation over seeds: {more}")


def verdict_table(*ids):
    """Claim, article, measurement and word, a row each -> Markdown. Raises ValueError for an unknown claim."""
    return Markdown(verdicts.markdown(verdicts.judge_all(ids)))
