"""Pieces that all sections of the report page share."""

import html
import math
import textwrap

SCALE = (-18, 1)                 # powers of ten, from the left to the right end of a strip


def escape(text):
    return html.escape(str(text))


def number(value):
    """1.2e-16, 0, 'not a number': short."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return "infinite"
    return "0" if value == 0 else f"{value:.1e}"


def item(result, anchor, content, formula=""):
    """A section that folds: a line with the formula, if there is one, and below it all there is to say. What is wrong stands
    open."""
    mark = "right" if result.passed else "wrong"
    said = f'<span class="{"soft" if result.passed else "wrong"}">{escape(verdict(result))}</span>'
    said = "" if formula and result.verdict == "right" else said
    return (f'<details class="item is-{mark}" id="{anchor}"{"" if result.passed else " open"}><summary>'
            f'<span class="name"><span class="mark {mark}">{"✓" if result.passed else "✗"}</span>{escape(result.id)}</span>'
            f'<code>{escape(result.name)}</code><span class="about">{formula}{said}</span>'
            f'{strip(result)}<span class="num">{number(result.error)}</span></summary>'
            f'<div class="inside">{content}</div></details>')


def verdict(result):
    """The verdict; which gradients are right is worth knowing where one of several is wrong."""
    if result.wrong and result.right:
        return f"{result.verdict} ({', '.join(result.right)} {'is' if len(result.right) == 1 else 'are'} right)"
    return result.verdict


def strip(result):
    """The error as a dot on a logarithmic line, with a tick at what is allowed."""
    if result.error is None:
        return '<span class="strip"></span>'
    tick = "" if result.tolerance is None else f'<i style="left:{place(result.tolerance):.1f}%"></i>'
    said = f"relative error {number(result.error)}" + (f", {number(result.tolerance)} allowed" if tick else "")
    return (f'<span class="strip {"right" if result.passed else "wrong"}" title="{said}">{tick}'
            f'<b style="left:{place(result.error):.1f}%"></b></span>')


def place(value):
    """Percent from the left on a strip."""
    low, high = SCALE
    power = math.log10(value) if value > 0 else low
    return 100 * (min(max(power, low), high) - low) / (high - low)


def remark(wrong, ours="by hand", theirs="true"):
    """One wrong gradient in numbers and words."""
    where = wrong.argument + (f"[{', '.join(map(str, wrong.index))}]" if wrong.index else "")
    hints, said = list(getattr(wrong, "hints", [])), pattern(wrong, ours, theirs)
    rows = [f'<p class="values"><b>{escape(where)}</b> <span>{ours} <b>{wrong.hand:.6g}</b></span> '
            f"<span>{theirs} <b>{wrong.true:.6g}</b></span></p>"]
    if not any(hint.startswith(said.rstrip(".")) for hint in hints):
        rows.append(f"<p>{escape(said)}</p>")
    if hints:
        rows.append(f"<p>Looks like: {escape(hints[0])}</p>")
        rows.append("".join(f"<p>Or: {escape(hint)}</p>" for hint in hints[1:]))
    return f'<div class="remark">{"".join(rows)}</div>'


def pattern(wrong, ours, theirs):
    """What all wrong entries have in common."""
    if not wrong.wrong_entries:
        return "Each entry alone is within its tolerance; all together are not."
    which = "all" if wrong.wrong_entries == wrong.entries else f"{wrong.wrong_entries} of"
    many = f"{which} {wrong.entries} {'entry' if wrong.entries == 1 else 'entries'}"
    if wrong.ratio is None:
        return f"Wrong at {many}."
    return f"{ours} / {theirs} is {wrong.ratio:.3f} at {many}" + ("." if which == "all" else "; the rest is right.")


def notes(result, but=()):
    """Notes as paragraphs; what follows the first line of one is source, and keeps its form. Those that start with one of
    `but` are shown elsewhere."""
    rows = []
    for note in result.notes:
        if str(note).startswith(tuple(but)):
            continue
        first, *more = str(note).split("\n")
        source = textwrap.dedent("\n".join(more))
        rows.append(f"<p>{escape(first)}</p>" + (f'<pre class="code">{escape(source)}</pre>' if source else ""))
    return "" if not rows else "".join(rows) if result.passed else f'<div class="remark">{"".join(rows)}</div>'


def evidence(result):
    """(term, text) of what the verdict rests on."""
    allowed = "" if result.tolerance is None else f", {number(result.tolerance)} allowed"
    noise = "" if result.noise is None else f", noise {number(result.noise)}"
    return [pair for pair in (
        ("relative error", "" if result.error is None else number(result.error) + allowed),
        ("true gradient by", result.oracle + noise if result.oracle else ""),
        ("time", f"{result.seconds:.2f} s")) if pair[1]]


def facts(pairs):
    """Terms and what is said of them; texts are escaped here."""
    return "<dl>" + "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in pairs if text) + "</dl>"


def table(heads, rows, numbers=()):
    """A table of escaped cells; `numbers` are the columns that are set to the right."""
    def cells(tag, values):
        return "".join(f"<{tag}{' class=num' if k in numbers else ''}>{value}</{tag}>" for k, value in enumerate(values))
    return (f'<div class="scroll"><table><thead><tr>{cells("th", map(escape, heads))}</tr></thead><tbody>'
            + "".join(f"<tr>{cells('td', map(escape, row))}</tr>" for row in rows) + "</tbody></table></div>")


def more(title, content):
    """Something that most readers need not see at once."""
    return f'<details class="more"><summary>{escape(title)}</summary>{content}</details>' if content else ""
