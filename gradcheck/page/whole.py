"""The report as one web page that needs nothing else: no network, no other file.

    open("report.html", "w", encoding="utf-8").write(page(results, seconds, seed))

What is wrong comes first and stands open. Every equation has a section: typeset, its source beside its backward, the verdict,
and pictures of what the check saw (gradcheck/page/pictures.py). It is made from the equations as they are now, patches included, so
it belongs to the results of this run.
"""

import contextlib
import platform
import re
import sys

import matplotlib
import numpy as np

import numpymem
from gradcheck.page import equation as html_equation
from gradcheck.page.parts import escape, evidence, facts, item, notes, remark
from gradcheck.page.style import CSS, SCRIPT
from numpymem.equation import REGISTRY
from numpymem.kernel import KERNELS, reached_from

KINDS = {"equation": "Equations", "chain": "Chains", "kernel": "Kernels", "model": "Models"}
WHAT = {"equation": "Each backward against the derivative of its own forward.",
        "chain": "Every gradient on its way through a model: is the wiring between the equations right?",
        "kernel": "Compiled loops against the NumPy pair that they stand in for.",
        "model": "The gradients of all parameters, end to end."}
GUIDE = """<details class="more"><summary>How to read this page</summary>
<p><b>Step sizes.</b> A difference quotient with a large step h sees curvature, one with a small step sees rounding: its error makes
a V. The thick line is the gradient by hand, which has no h. It is blue and far below the V if it is right; the grey band is the
noise of the true gradient itself. A wrong gradient lies above the V's tip, whatever h is.</p>
<p><b>Taylor's test.</b> f(x + h) − f(x) shrinks like h: slope 1. Take the first-order term away, with the gradient by hand, and
what is left shrinks like h²: slope 2. If the gradient is wrong, a part of the first-order term stays, and the slope is still 1.</p>
<p><b>Entries.</b> One field for each number of the array, by how far the gradient by hand is from the true one. Blue is rounding;
from the second mark of the scale on, it is more than the check allows. The array is folded to two dimensions; the letters at the
sides are those of its shape.</p>
<p><b>The dot</b> in the line of a section is its relative error, on a scale from 1e-18 to 10; the tick is what is allowed.</p>
</details>"""


def page(results, seconds, seed, command=""):
    """The whole page for a list of Results.

    seconds   how long the checks took
    seed      of the random points; the pictures are drawn at points of the same seed
    command   what made the page; default: worked out from the results
    """
    anchors, inside = unique_anchors(results), wrong_inside(results)
    rank = {kind: place for place, kind in enumerate(kinds(results))}
    order = sorted(range(len(results)), key=lambda k: (results[k].passed, rank[results[k].kind], len(inside[k])))
    with contextlib.redirect_stdout(sys.stderr):          # what a checked function prints is not part of the page
        sections = {k: section(results[k], anchors[k], seed, inside[k]) for k in order}
    wrong = [k for k in order if not results[k].passed]
    first = [results[k] for k in order]
    body = [f"<h1>{escape(headline(first, 20))}</h1>", counts(results), contents(results, anchors, order), GUIDE]
    if wrong:
        body += [f'<h2 class="wrong">Wrong: {len(wrong)}</h2>', *(sections[k] for k in wrong)]
    for kind in kinds(results):
        right = [k for k in order if results[k].kind == kind and results[k].passed]
        if right:
            body += [f"<h2>{KINDS.get(kind, kind)}</h2>", f'<p class="soft">{WHAT.get(kind, "")}</p>',
                     *(sections[k] for k in right)]
    return document(headline(first), "\n".join(body), footer(seconds, seed, command or made_by(results, seed)))


def section(result, anchor, seed, inside=()):
    """One section; `inside` are the ids of equations that it is made of and that are wrong."""
    if result.kind == "equation":
        return html_equation.section(result, anchor, seed, inside)
    ours, theirs = ("kernel", "NumPy") if result.kind == "kernel" else ("by hand", "true")
    address = [("lives in", result.address)] if result.address else []
    way = path(result)
    return item(result, anchor, way + "".join(remark(wrong, ours, theirs) for wrong in result.wrong)
                + notes(result, ("right up to", "wrong from the start") if way else ()) + facts([*evidence(result), *address]))


def path(result):
    """Of a chain that breaks: the last node that agrees, and the first that does not."""
    broken = getattr(result, "broken", None)
    if broken is None:
        return ""
    last = "nothing: it is wrong from the start" if broken.last is None else str(broken.last)
    return (f'<div class="path"><div class="right"><small>✓ last that agrees</small><span>{escape(last)}</span></div><i>→</i>'
            f'<div class="wrong"><small>✗ first that does not</small><span>{escape(broken.first)}</span></div></div>')


def wrong_inside(results):
    """For each result the wrong equations that a wrong equation is made of: there the reader should look first."""
    wrong = {result.id for result in results if result.kind == "equation" and not result.passed}
    return [[id for id in reached_from(REGISTRY[result.id]) if id in wrong - {result.id}]
            if result.kind == "equation" and result.id in REGISTRY and not result.passed else [] for result in results]


def kinds(results):
    """Kinds that occur, the known ones in their order."""
    found = dict.fromkeys(result.kind for result in results)
    return [kind for kind in KINDS if kind in found] + [kind for kind in found if kind not in KINDS]


def unique_anchors(results):
    """An id for each section, made of letters, digits, '-' and '.'; a second of the same name gets a number."""
    taken, anchors = set(), []
    for result in results:
        words = [result.kind, result.id] + ([result.name] if result.kind in ("model", "chain") else [])
        wanted = re.sub(r"[^\w.]+", "-", "-".join(words), flags=re.ASCII).strip("-")
        anchor, number = wanted, 2
        while anchor in taken:
            anchor, number = f"{wanted}-{number}", number + 1
        taken.add(anchor)
        anchors.append(anchor)
    return anchors


def headline(results, most=3):
    """What is wrong, in a line; at most so many names."""
    failed = list(dict.fromkeys(result.id for result in results if not result.passed))
    if not failed:
        return "gradcheck: all right" if results else "gradcheck: nothing was checked"
    return f"gradcheck: {', '.join(failed[:most])} wrong" if len(failed) <= most else (
        f"gradcheck: {', '.join(failed[:most])} and {len(failed) - most} more wrong")


def counts(results):
    """How many of each kind, and how many of them are wrong."""
    rows = []
    for kind in kinds(results):
        group = [result for result in results if result.kind == kind]
        wrong = sum(not result.passed for result in group)
        name = KINDS.get(kind, kind).lower()
        name = name[:-1] if len(group) == 1 and name.endswith("s") else name
        said = f'<span class="wrong">✗ {wrong} wrong</span>' if wrong else '<span class="right">✓ right</span>'
        rows.append(f"<li><b>{len(group)}</b>{escape(name)} {said}</li>")
    return f'<ul class="counts">{"".join(rows)}</ul>'


def contents(results, anchors, order):
    """Links to all sections, by kind; within each, what is wrong first."""
    parts = []
    for kind in kinds(results):
        links = []
        for k in order:
            result = results[k]
            if result.kind == kind:
                mark = '<span class="mark right">✓</span>' if result.passed else '<span class="mark wrong">✗</span>'
                links.append(f'<li><a href="#{anchors[k]}">{mark}{escape(result.id)} <code>{escape(result.name)}</code></a></li>')
        parts.append(f'<h3>{KINDS.get(kind, kind)}</h3><ul class="contents {kind}">{"".join(links)}</ul>')
    return f'<nav id="contents" aria-label="contents">{"".join(parts)}</nav>'


def made_by(results, seed):
    """The command that makes this page."""
    from gradcheck.models import CASES
    ids = list(dict.fromkeys(result.id for result in results if result.kind != "chain"))
    everything = {*REGISTRY, *KERNELS, *(case.name for case in CASES)}
    names = "" if set(ids) >= everything else " ".join(ids)
    options = [names, "--chain" if any(result.kind == "chain" for result in results) else "", f"--seed {seed}",
               "--html report.html"]
    return " ".join(["python -m gradcheck", *filter(None, options)])


def footer(seconds, seed, command):
    versions = (f"numpymem {numpymem.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, "
                f"matplotlib {matplotlib.__version__}")
    return facts([("made by", command), ("seed", str(seed)), ("checks took", f"{seconds:.1f} s"), ("versions", versions)])


def document(title, body, foot):
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{CSS}</style>
</head>
<body>
<div class="bar no-print"><div><span>{escape(title)}</span><a href="#contents">contents</a>
<button type="button" data-open="yes">open all</button><button type="button" data-open="no">fold all</button></div></div>
<main>
{body}
</main>
<footer><div>{foot}</div></footer>
<script>{SCRIPT}</script>
</body>
</html>
"""
