"""The verdicts on the article's claims: as text of 80 columns, as JSON, and as the README's main table.

    C9   sequence copy                                                    agrees
         article NTM 99.8 %, MemN2N 84.6 %; reason: location addressing
         ours    ...
         because ...
         more    python -m numpymem report duel_copy
"""

import pathlib
import re
import textwrap

from numpymem.experiments.claims import FILES, SECTIONS, WORDS, choose
from numpymem.writing import write_text

WIDE, INDENT, LABEL = 79, 5, 8                    # columns of a line, before the labels, and of a label
MISSING = "not measured"
MARKS = ("<!-- duel: python -m numpymem duel --markdown README.md -->", "<!-- /duel -->")
GO_ON = (
    ("python -m numpymem duel C9 C10", "some claims only"),
    ("python -m numpymem duel --quick", "section 4's rows, trained here: minutes"),
    ("python -m numpymem duel --full", "the committed runs once more: hours"),
    ("python -m numpymem duel --html FILE", "this with figures, as one web page"),
)


def judge_all(names=()):
    """[(Claim, Verdict, or text why there is none)] of some claims, or of all."""
    found = []
    for claim in choose(names):
        try:
            found.append((claim, claim.judge()))
        except FileNotFoundError as error:
            found.append((claim, str(error)))
    return found


def word(verdict):
    return MISSING if isinstance(verdict, str) else verdict.word


def counted(found):
    """'15 claims: agrees 4, differs 2, not measured 9'"""
    words = [word(verdict) for _, verdict in found]
    told = [f"{each} {words.count(each)}" for each in (*WORDS, MISSING) if each in words]
    return f"{len(found)} claim{'s' * (len(found) != 1)}: {', '.join(told)}"


def by_section(found):
    """{section: [(claim, verdict)]} in the article's order."""
    return {section: some for section in FILES for some in [[each for each in found if each[0].section == section]] if some}


# ---- on the screen -----------------------------------------------------------------------------------------------------------

def text(found):
    """All verdicts by section, how many of each word, and how to go on."""
    lines = ["The article's claims, measured: mean ± sd of n seeds; [..]: 95 % intervals", ""]
    for section, some in by_section(found).items():
        lines += [f"{section}  {SECTIONS[section]}", "-" * WIDE]
        for claim, verdict in some:
            lines += [*entry(claim, verdict), ""]
    return "\n".join([*lines, *fill(counted(found)), "", *(f"{command:<38}{words}" for command, words in GO_ON)])


def entry(claim, verdict):
    """One claim, as lines."""
    lines = [f"{claim.id:<{INDENT}}{claim.title:<{WIDE - INDENT - 12}}{word(verdict):>12}", *labelled("article", claim.says)]
    if isinstance(verdict, str):
        return lines + labelled("ours", verdict)
    return (lines + labelled("ours", verdict.ours) + labelled("because", verdict.because)
            + labelled("more", "\n".join(verdict.commands)))


def labelled(label, said):
    """A label and the text beside it; lines that are short enough stay as they are."""
    lines = [part for line in said.splitlines() for part in fill(line, WIDE - INDENT - LABEL)]
    return [(" " * INDENT + f"{label if not number else '':<{LABEL}}{line}").rstrip() for number, line in enumerate(lines)]


def fill(line, wide=WIDE):
    """A line as lines of at most so many columns. Commands are not broken at their hyphens."""
    return [line] if len(line) <= wide else textwrap.wrap(line, wide, subsequent_indent="  ", break_on_hyphens=False)


# ---- for programs, and for the README ------------------------------------------------------------------------------------------

def plain(found):
    """The same as JSON-able values."""
    return {"claims": [told(claim, verdict) for claim, verdict in found], "count": counted(found)}


def told(claim, verdict):
    facts = {"id": claim.id, "section": claim.section, "title": claim.title, "says": claim.says, "word": word(verdict)}
    if isinstance(verdict, str):
        return facts | {"ours": None, "because": verdict, "commands": []}
    return facts | {"ours": verdict.ours, "because": verdict.because, "commands": list(verdict.commands)}


def markdown(found):
    """The README's main table."""
    rows = ["| | the article says | measured here | |", "|---|---|---|---|"]
    for claim, verdict in found:
        ours = "" if isinstance(verdict, str) else verdict.short or verdict.ours
        rows.append(f"| {claim.id} {claim.title} | {cell(claim.says)} | {cell(ours)} | **{word(verdict)}** |")
    return "\n".join([*rows, "", f"{counted(found)}. Mean ± standard deviation over seeds; [from, to]: 95 % intervals. Why, and "
                      "with which commands: `python -m numpymem duel`."])


def cell(words):
    """A text, perhaps of several lines, in one cell of a table."""
    return re.sub(r"\s*\n\s*", "<br>", words.strip()).replace("|", "\\|")


def put_into(path, found):
    """Write the table between the marks of a Markdown file. Raises ValueError if they are not there."""
    path = pathlib.Path(path)
    before = path.read_text(encoding="utf-8")
    first, last = (before.find(mark) for mark in MARKS)
    if not 0 <= first < last:
        raise ValueError(f"--markdown {path}: expected the lines {MARKS[0]} and {MARKS[1]}, received a file without them")
    write_text(path, before[:first] + f"{MARKS[0]}\n{markdown(found)}\n" + before[last:])
    return path
