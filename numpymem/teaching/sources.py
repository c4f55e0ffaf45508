"""An equation in a notebook: the formula typeset, and under it the NumPy that is in force, read from the registry."""

import ast
import inspect
import textwrap

from IPython.display import Markdown

from numpymem import commands
from numpymem.equation import Equation, find


def show(*what, backward=True):
    """Formula, forward and backward of equations as they are right now, also when patched -> Markdown.

    what       ids ("NTM-9"), names ("sharpen") or Equations; a plain function is shown as its source
    backward   False leaves the backward out
    raises     KeyError for an id that nobody has
    """
    commands.import_equations()
    return Markdown("\n\n".join(_function(each) if inspect.isfunction(each) else _equation(find(each), backward) for each in what))


def _equation(item: Equation, backward):
    forward, other = item.functions
    title = f"**{item.id}** `{item.name}`" + (f" · {item.source}" if item.source else "")
    parts = [title + ("  · *patched*" if item.is_patched else ""), f"$$\n{item.latex}\n$$"]
    if item.deviations:
        parts.append(f"*Departs from the paper:* {item.deviations}")
    parts += [_function(half) for half in ((forward, other) if backward and other else (forward,))]
    return "\n\n".join([*parts, _where(item)])


def _where(item):
    """The file, without the line: lines move when something else is edited, and a chapter should not."""
    file = item.address.rpartition(":")[0]
    check = f"check: `python -m gradcheck {item.id}`"
    return f"`{file}` · {check}" if file.startswith("numpymem/") else check


def _function(function):
    return f"```python\n{source(function)}\n```"


def source(function):
    """The text of a function without its decorators. Raises OSError where nobody has it (typed at a prompt)."""
    text = textwrap.dedent(inspect.getsource(function.__code__))
    tree = ast.parse(text).body[0]
    first = tree.lineno if isinstance(tree, ast.FunctionDef) else 1                 # a lambda has no name and no decorators
    return "\n".join(text.splitlines()[first - 1:]).rstrip()
