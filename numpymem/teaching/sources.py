"""Equations in a notebook, read from the registry: the formula typeset, and under it the NumPy that is in force."""

import ast
import importlib.util
import inspect
import pathlib
import textwrap

from IPython.display import Markdown

from numpymem import commands
from numpymem.equation import REGISTRY, Equation, find


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


def loop_source(module, name):
    """The text of a kernel's loop, read from its file: to import it numba would have to be there.

    module   as "numpymem.ntm.kernels_step"
    raises   ValueError for a loop that the module has not
    """
    text = pathlib.Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
    loops = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    if name not in loops:
        raise ValueError(f"name: expected a loop of {module}: {', '.join(loops)}; received {name!r}")
    node = loops[name]
    return "\n".join(text.splitlines()[node.decorator_list[0].lineno - 1:node.end_lineno])


def equations(*families):
    """Equations with their formulas and where they stand -> Markdown.

    families   starts of ids: "NTM-", "MemN2N-"; or whole ids. Default: all that is registered
    raises     ValueError for a start that no id has
    """
    commands.import_equations()
    rows = ["| id | formula | function | file |", "|---|---|---|---|"]
    for family in families or ("",):
        ids = [id for id in REGISTRY if id == family] or [id for id in REGISTRY if id.lower().startswith(family.lower())]
        if not ids:
            raise ValueError(f"families: expected starts of ids such as {', '.join(list(REGISTRY)[:3])}, received {family!r}")
        rows += [_row(find(id)) for id in ids]
    return Markdown("\n".join(rows))


def _row(item):
    latex = item.latex.replace("|", r"\vert ").replace(r"\\vert ", r"\Vert ")         # a bar would end the cell of the table
    return f"| {item.id} | ${latex}$ | `{item.name}` | `{item.address.rpartition(':')[0]}` |"
