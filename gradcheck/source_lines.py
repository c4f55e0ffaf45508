"""The lines of source between two nodes of a chain: where a wiring mistake must be."""

import linecache


def lines_between(recording, last, first, only=None):
    """The lines of source between two nodes, as notes."""
    if only is not None:
        spans = [(only, only.line, only.line)]
    elif first.back is not None and first.comes_in:
        spans = _spans(_stack(recording, last, first), first.back.stack)
    else:                                      # put together after the last call: the rest of every function on the way there
        spans = [(site, site.line, _last_line(site.code)) for site in _stack(recording, last, first)]
    return [f"between: {_where(site)}:{low}" + (f"-{high}" if high > low else "") + "".join(
        f"\n{linecache.getline(site.code.co_filename, n).rstrip()}" for n in range(low, high + 1))
        for site, low, high in spans]


def _stack(recording, last, first):
    """The lines that were at work when the last node was found; without one, when the last call before `first` was made."""
    if last is not None and last.back is not None and (first.comes_in or last.back.parent is first.back):
        return last.back.stack
    inner = first.back.children if first.back is not None and not first.comes_in else [
        call for call in recording.backward if call.parent is None]
    return inner[-1].stack if inner else ()


def _spans(start, end):
    """(site, first line, last line) of what lies between two lines, in the innermost function that leads to both."""
    codes = {site.code: site for site in start}
    here = next((site for site in end if site.code in codes), None)
    if here is None:
        return [(site, site.line, site.line) for site in (*start[:1], *end[:1])]
    low, high, loop = codes[here.code].line, here.line, _loop_start(here)
    if low <= high:
        spans = [(here, low, high)]
    else:                                      # around a loop: from a later line of one step to an earlier one of the next
        spans = [(here, low, _last_line(here.code)), (here, loop, high)]
    return spans if any(first <= loop <= last for _, first, last in spans) else [(here, loop, loop), *spans]


def _last_line(code):
    return max(line for *_, line in code.co_lines() if line is not None)


def _loop_start(site):
    """The line of the `for` that a line stands in, by indentation."""
    text = lambda n: linecache.getline(site.code.co_filename, n)   # noqa: E731
    depth = len(text(site.line)) - len(text(site.line).lstrip())
    for n in range(site.line - 1, site.code.co_firstlineno, -1):
        line = text(n)
        if line.strip() and len(line) - len(line.lstrip()) < depth:
            return n
    return site.line


def _where(site):
    path = site.code.co_filename.replace("\\", "/")
    return path[max(path.rfind("/numpymem/"), 0):].lstrip("/")
