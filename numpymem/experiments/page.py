"""The verdicts as one web page that needs nothing else: no network, no other file, no script."""

import base64
import html
import io
import pathlib

import numpymem
from numpymem.experiments import verdicts
from numpymem.experiments.claims import SECTIONS, WORDS
from numpymem.writing import write_text

SIGNS = {"agrees": "✓", "differs": "✗", "depends": "±", "untestable": "?", verdicts.MISSING: "…"}
MEANS = {"agrees": "the article says so, and so do our figures", "differs": "our figures say otherwise",
         "depends": "it holds under a condition, which is said", "untestable": "nobody could measure it as it is said",
         verdicts.MISSING: "no results are there yet"}
CSS = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #1f2328; --soft: #59626c; --line: #d5dae0;
  --agrees: #00664a; --differs: #a33c00; --depends: #00558a; --untestable: #59626c; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1b1f25; --ink: #e3e6ea; --soft: #9aa5b1;
  --line: #39414b; --agrees: #45c99f; --differs: #ff9a55; --depends: #5fb6ea; --untestable: #9aa5b1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans",
  "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 60rem; margin: 0 auto; padding: 0 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1.6rem 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 0; flex: 1; }
p { margin: .4rem 0; max-width: 46rem; }
a { color: inherit; }
.soft, dt, figcaption, footer { color: var(--soft); }
article { background: var(--card); border: 1px solid var(--line); border-radius: 6px; margin: .8rem 0; padding: .8rem 1rem; }
article header { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; }
.word { font-weight: 700; white-space: nowrap; color: var(--untestable); }
.agrees { color: var(--agrees); } .differs { color: var(--differs); } .depends { color: var(--depends); }
dl { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: .3rem .8rem; margin: .6rem 0 0; }
dd { margin: 0; min-width: 0; }
pre { margin: 0; overflow-x: auto; font: .82rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
figure { margin: .9rem 0 0; overflow-x: auto; }
figure img { display: block; max-width: 100%; min-width: 32rem; height: auto; background: #fff; border-radius: 4px; }
figcaption { font-size: .88rem; margin-top: .2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); }
@media (max-width: 34rem) { dl { display: block; } dt { font-size: .82rem; margin-top: .5rem; } .says { display: none; }
  article { padding: .7rem .7rem; } }
@media print { article { break-inside: avoid; } }
"""


def write_page(path, found):
    """Write the page of some verdicts -> path. Raises OSError if the file cannot be written."""
    path = pathlib.Path(path)
    write_text(path, page(found))
    return path


def page(found):
    """The whole page for [(Claim, Verdict or text)]."""
    sections = "".join(f"<h2>{section}&nbsp; {escape(SECTIONS[section])}</h2>{''.join(article(*each) for each in some)}"
                       for section, some in verdicts.by_section(found).items())
    words = "".join(f"<li>{badge(word)}: {MEANS[word]}</li>" for word in (*WORDS, verdicts.MISSING))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>numpymem: the article's claims, measured</title><style>{CSS}</style></head>
<body><main>
<h1>End-to-End Memory Networks against Neural Turing Machines: the article's claims, measured</h1>
<p>{escape(verdicts.counted(found))}. Our figures are means ± standard deviations of n seeds; in brackets [from, to] 95 % intervals.
The words are found by rules from committed results; the rules are in the files of numpymem/experiments/claims.</p>
<ul class="soft">{words}</ul>
{contents(found)}
{sections}
<footer><p>numpymem {escape(numpymem.__version__)}; this page: <code>python -m numpymem duel --html FILE</code>; in a terminal:
<code>python -m numpymem duel</code>. The article gives no source, data split, size, seed or spread for its figures.</p></footer>
</main></body></html>
"""


def contents(found):
    """All claims and words on one screen."""
    rows = "".join(f'<tr><td><a href="#{claim.id}">{claim.id}</a></td><td><a href="#{claim.id}">{escape(claim.title)}</a></td>'
                   f'<td class="says soft">{escape(claim.says)}</td><td>{badge(verdicts.word(verdict))}</td></tr>'
                   for claim, verdict in found)
    return ('<table><thead><tr><th></th><th>claim</th><th class="says">the article says</th><th>we find</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>")


def badge(word):
    """A verdict's word with its sign: readable without colour."""
    return f'<span class="word {word.replace(" ", "-")}">{SIGNS[word]}&nbsp;{word}</span>'


def article(claim, verdict):
    """One claim with everything there is to say of it."""
    head = f'<header><h3>{claim.id}&nbsp; {escape(claim.title)}</h3>{badge(verdicts.word(verdict))}</header>'
    facts = [("article", escape(claim.says))]
    if isinstance(verdict, str):
        return f'<article id="{claim.id}">{head}{listed([*facts, ("ours", escape(verdict))])}</article>'
    facts += [("ours", ours(verdict.ours)), ("because", escape(verdict.because)),
              ("more", f'<pre>{escape(chr(10).join(verdict.commands))}</pre>')]
    figures = "".join(figure(title, draw, f"{claim.id}: {title}. {verdict.ours}") for title, draw in verdict.figures)
    return f'<article id="{claim.id}">{head}{listed(facts)}{figures}</article>'


def listed(facts):
    return "<dl>" + "".join(f"<dt>{label}</dt><dd>{said}</dd>" for label, said in facts) + "</dl>"


def ours(text):
    """Lines in columns stay in columns; others are filled as the page is wide."""
    aligned = any("  " in line.strip() for line in text.splitlines())
    return f"<pre>{escape(text)}</pre>" if aligned else "<br>".join(map(escape, text.splitlines()))


def figure(title, draw, says):
    """A figure as an image inside the page, with its figures as text for those who cannot see it."""
    written = io.BytesIO()
    draw().savefig(written, format="svg")
    data = base64.b64encode(written.getvalue()).decode()
    return (f'<figure><img alt="{escape(" ".join(says.split()))}" src="data:image/svg+xml;base64,{data}">'
            f"<figcaption>{escape(title)}</figcaption></figure>")


def escape(text):
    return html.escape(str(text))
