"""The source of a function as HTML: line numbers of its file, comments in grey, and marks where a wrong gradient is made."""

import ast
import html
import inspect
import re
import textwrap
from typing import NamedTuple

COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")


class Source(NamedTuple):
    """A function's text, dedented, and the number of its first line in `path`."""
    text: str
    path: str
    line: int


def source_of(function):
    """The Source of a function, or None where nobody has its text (it was typed at a prompt, or made by exec)."""
    code = getattr(function, "__code__", function)         # the function itself, not what it wraps
    try:
        lines, first = inspect.getsourcelines(code)
        path = inspect.getsourcefile(code) or ""
    except (OSError, TypeError):
        return None
    path = path.replace("\\", "/")
    start = path.rfind("/numpymem/")
    return Source(textwrap.dedent("".join(lines)), path[start + 1:] if start >= 0 else path.rsplit("/", 1)[-1], max(first, 1))


def listing(function, what, marks=()):
    """A figure with the source of a function. `marks` are positions in what it returns: those gradients are wrong."""
    source = source_of(function)
    if source is None:
        return f"<figure><figcaption>{what}</figcaption><p>The source is not available.</p></figure>"
    tree = _parsed(source.text)
    names, bad = wrong_places(tree, marks) if tree and marks else (set(), set())
    hidden = _hidden(tree) if tree else set()
    shown = [(n, *_split(text)) for n, text in enumerate(source.text.rstrip().splitlines(), 1) if n not in hidden]
    width = max((len(code) for _, code, said in shown if said and code.strip()), default=0)
    rows = [_row(code, said, width, source.line + n - 1, names, n in bad) for n, code, said in shown]
    place = html.escape(f"{source.path}:{source.line}")
    return (f"<figure><figcaption>{what} <code>{place}</code></figcaption>"
            f'<pre class="code">{"".join(rows)}</pre></figure>')


def _split(text):
    """A line as (code, comment)."""
    comment = COMMENT.search(text)
    if comment is None:
        return text, ""
    code = text[:comment.start()]
    return (code.rstrip() if code.strip() else code), comment[0]


def _row(code, said, width, number, names, bad):
    """One line; comments at the end of lines move as far to the left as the longest of these lines allows."""
    shown = html.escape(code)
    for name in names:
        shown = re.sub(rf"(?<![\w&;]){re.escape(html.escape(name))}(?!\w)", lambda found: f"<mark>{found[0]}</mark>", shown)
    shown += " " * (width + 2 - len(code)) if said and code.strip() else ""
    shown += f"<em>{html.escape(said)}</em>" if said else ""
    return f'<span class="row{" bad" if bad else ""}" data-n="{number}">{shown or " "}\n</span>'


def _parsed(text):
    """The syntax tree of the function, or None (half a statement around a lambda, say)."""
    try:
        return next((node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)), None)
    except SyntaxError:
        return None


def _hidden(tree):
    """Lines of the decorators and of the docstring: the page says what they say in another form."""
    lines = set(range(tree.decorator_list[0].lineno, tree.lineno)) if tree.decorator_list else set()
    first = tree.body[0]
    if ast.get_docstring(tree) is not None and len(tree.body) > 1:
        lines |= set(range(first.lineno, first.end_lineno + 1))
    return lines


def wrong_places(tree, positions):
    """Names and lines that make the values at these positions of what a function returns -> (names, lines)."""
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    names, lines = set(), set()
    for found in returns:
        values = found.value.elts if isinstance(found.value, ast.Tuple) else [found.value]
        for position in positions:
            if any(isinstance(value, ast.Starred) for value in values[:position + 1]) or position >= len(values):
                lines |= _lines(found)
            elif isinstance(values[position], ast.Name):
                names.add(values[position].id)
            else:
                lines |= _lines(values[position])
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign)) and names & set(_stored(node)):
            lines |= _lines(node)
    return names, lines


def _stored(node):
    """Names that an assignment writes to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target)
            if isinstance(part, ast.Name)]


def _lines(node):
    return set(range(node.lineno, node.end_lineno + 1))
