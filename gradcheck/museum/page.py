"""The museum as one web page: every exhibit with its equation, its code, and what each check and a training made of it.

    python -m gradcheck.museum --html museum.html
"""

from gradcheck.page import pictures
from gradcheck.page import document
from gradcheck.page.parts import escape, facts, more, table
from gradcheck.museum import trained
from gradcheck.page.pictures import drawn
from gradcheck.page.typeset import formula
from numpymem.equation import find
from numpymem.plotting.parts import READ, WRITE

GUIDE = ("<p>Each of these bugs was really shipped, in code that many have read. All are put into numpymem as patches, with the "
         "backward that an autograd framework would have given them, so that a gradient check can only see what is wrong with the "
         "gradient. <b>A wrong forward with its right backward passes every gradient check</b>: what catches it, if anything, is a "
         "test of meaning. And several of them learn all the same.</p>")


def page(exhibits, said):
    """The whole page; `said` is the sentence that sums it up."""
    rows = [[one.id, *short(one), "; ".join(effects(one))] for one in exhibits]
    body = ["<h1>A museum of real bugs</h1>", GUIDE, f"<p>{escape(said)}</p>", '<h2 id="contents">All exhibits</h2>',
            table(["exhibit", "gradient checks", "tests of meaning", "training with it"], rows),
            "<h2>One by one</h2>", *map(section, exhibits)]
    return document("A museum of real bugs", "\n".join(body), escape("python -m gradcheck.museum --html FILE; trainings: "
                                                                   "python -m gradcheck.museum --train"))


def short(exhibit):
    """What the two kinds of checks say, in a word each."""
    if exhibit.kind == "checker":
        return "", ""
    return (f"see {', '.join(exhibit.caught)}" if exhibit.caught else "pass",
            f"{len(exhibit.unmet)} {'fails' if len(exhibit.unmet) == 1 else 'fail'}" if exhibit.unmet else "pass")


def effects(exhibit):
    """A few words for each task that was trained; of a checker, what it lets pass."""
    if exhibit.kind == "checker":
        return [f"lets {trained.read()['checks']['signed check']['all']:.0f} % of planted errors pass"]
    return [f"{task}: {of['verdict']}" for task, of in exhibit.training.items()]


def section(exhibit):
    """One exhibit: what it is in a line, all the rest folded in."""
    mark = ("right", "✓") if exhibit.caught or exhibit.unmet else ("wrong", "✗")
    caught = ("a checker" if exhibit.kind == "checker" else "seen" if exhibit.caught
              else "seen only by meaning" if exhibit.unmet else "seen by neither check")
    said = facts([("shipped", exhibit.shipped), ("wrote", exhibit.wrote), ("right", exhibit.right), ("to learn", exhibit.seen),
                  ("gradient checks", exhibit.gradcheck_verdict), ("tests of meaning", exhibit.meaning_verdict)])
    formulas = "".join(f"<p>{escape(id)}: {formula(find(id).latex)}</p>" for id in exhibit.equations)
    curves = "".join(curve(exhibit, task, of) for task, of in exhibit.training.items())
    code = more("the bug as a patch", f'<pre class="code">{escape(exhibit.source)}</pre>')
    return (f'<details class="item is-{mark[0]}" id="{escape(exhibit.id)}" open><summary><span class="name">'
            f'<span class="mark {mark[0]}">{mark[1]}</span>{escape(exhibit.id)}</span><span class="about">{escape(exhibit.title)} '
            f'<span class="soft">{caught}</span></span></summary>'
            f'<div class="inside">{formulas}{said}{code}{curves}</div></details>')


def curve(exhibit, task, of):
    """The error over training, healthy and with the bug, every seed a line; and the verdict in words."""
    healthy = [run["curve"] for run in trained.read()["healthy"][task]]
    bug = [run["curve"] for run in of["runs"]]
    extra = f"{trained.extra_name(task)}: {pair(of['bug']['extra'])} with the bug, {pair(of['healthy']['extra'])} without"
    return (f"<h4>{escape(task)}: {escape(of['verdict'])}</h4><p>error at the end, %: {pair(of['bug']['final'])} with the bug, "
            f"{pair(of['healthy']['final'])} without; {escape(extra)}</p>"
            + '<div style="max-width: 26rem">' + learning((healthy, bug, of["chance"]), f"{exhibit.id}-{task}") + "</div>")


def pair(mean_and_spread):
    return "{:.1f} ± {:.1f}".format(*mean_and_spread)


@drawn
def learning(curves):
    """SVG: error over the course of training."""
    healthy, bug, chance = curves
    figure, axes = pictures._axes()
    for runs, colour in ((healthy, READ), (bug, WRITE)):
        for run in runs:
            axes.plot(range(1, len(run) + 1), run, color=colour, lw=1.3, clip_on=False)
    axes.set(xlabel="test number, evenly over the training", ylabel="error, %", ylim=(0, max(chance, 1) * 1.05))
    axes.axhline(chance, color="#888888", lw=0.8, ls=":")
    top = axes.get_ylim()[1]
    ends = sorted(((min(runs[0][-1], top) / top, words, colour) for runs, words, colour in (
        (healthy, "without", READ), (bug, "with the bug", WRITE))))
    for height, (_, words, colour) in zip((ends[0][0], max(ends[1][0], ends[0][0] + 0.1)), ends):
        axes.text(1.03, height, words, color=colour, fontsize=8.5, va="center", transform=axes.transAxes)
    return figure, "Error over training, without and with the bug, one line a seed; dotted: guessing"
