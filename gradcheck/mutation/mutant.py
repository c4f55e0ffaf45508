"""One broken function, and how to put it in force for a while."""

import ast
import contextlib
import functools
import itertools
import linecache
import sys
from typing import NamedTuple

from gradcheck.mutation.operators import Edit, edits
from gradcheck.mutation.targets import Target, module_text, tree
from numpymem.equation import patch

_numbers = itertools.count(1)


class Mutant(NamedTuple):
    """A target with one edit."""
    target: Target
    edit: Edit

    @property
    def before(self):
        return module_text(self.target.function.__module__).splitlines()[self.edit.line - 1].strip()

    @property
    def after(self):
        return self.text().splitlines()[self.edit.line - 1].strip()

    def __str__(self):
        return f"{self.target.owner} {self.target.name}:{self.edit.line} {self.edit.operator}: {self.before} -> {self.after}"

    def text(self):
        """The text of the whole module with the edit in it; every other line stays where it is."""
        lines = [line.encode() for line in module_text(self.target.function.__module__).splitlines(keepends=True)]
        edit = self.edit
        start, end = lines[edit.line - 1][:edit.column], lines[edit.end_line - 1][edit.end_column:]
        new = edit.text.encode()
        if start.endswith(b"(") and end.startswith(b")") and _is_in_brackets(edit.text):
            new = new[1:-1]                       # the brackets are there already
        replaced = [start + new + end, *[b"\n"] * (edit.end_line - edit.line)]   # all lines keep their numbers
        return b"".join([*lines[:edit.line - 1], *replaced, *lines[edit.end_line:]]).decode()

    def function(self):
        """The broken function. Its source can be looked at, under a file name of its own."""
        original, text = self.target.function, self.text()
        node = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
                    and node.name == original.__name__ and node.lineno == tree(original).lineno)
        node.decorator_list = []
        filename = f"<planted {next(_numbers)}>/{original.__module__.replace('.', '/')}.py"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        made = {}
        exec(compile(ast.Module([node], []), filename, "exec"), vars(sys.modules[original.__module__]), made)  # noqa: S102
        return made[original.__name__]


def _is_in_brackets(text):
    """Whether the first bracket of a text closes at its end."""
    depth = 0
    for k, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return letter == ")" and k == len(text) - 1
    return False


@functools.cache
def mutants_of(target):
    """All mutants of a target that are syntactically right and not the same text."""
    found = []
    for edit in edits(tree(target.function)):
        mutant = Mutant(target, edit)
        try:
            ast.parse(mutant.text())
        except SyntaxError:
            continue
        found.append(mutant)
    return tuple(found)


@contextlib.contextmanager
def planted(target, function):
    """Put a function in the place of a target's, everywhere, for a block."""
    with contextlib.ExitStack() as undo:
        if hasattr(target.holder, "original_backward"):
            undo.enter_context(patch(target.holder, None, function))
        elif target.holder is not None:
            undo.callback(setattr, target.holder, target.function.__name__, target.function)
            setattr(target.holder, target.function.__name__, function)
        else:
            for module in [module for name, module in list(sys.modules.items()) if name.startswith("numpymem")]:
                for name, value in list(vars(module).items()):
                    if value is target.function:
                        undo.callback(setattr, module, name, value)
                        setattr(module, name, function)
        yield
