"""Ways to break a line of a backward: each operator looks at the syntax tree of a function and proposes edits of its text.

They are the mistakes that people make when they differentiate by hand: a term or a factor forgotten, a sign flipped, two
arguments exchanged, a transpose, a sum where a mean belongs, an index one off, t for t - 1, one variable for another.
"""

import ast
from typing import NamedTuple


class Edit(NamedTuple):
    """Replace what stands between two places of the source by other text. Lines count from 1, columns in bytes."""
    operator: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


def edits(function):
    """All edits of one function (an ast.FunctionDef), each of one place only."""
    found = []
    for operator in OPERATORS:
        for node, text in operator(function):
            if text != ast.unparse(node):
                found.append(Edit(operator.__name__, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text))
    return list(dict.fromkeys(found))


def inside(function, kind):
    """The nodes of one kind in the body of a function, without its signature, docstring and decorators."""
    for statement in function.body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            yield from (node for node in ast.walk(statement) if isinstance(node, kind))


def wrapped(node):
    """The text of an expression, in brackets where it needs them."""
    text = ast.unparse(node)
    return f"({text})" if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare)) else text


def binary(left, sign, right):
    return f"({wrapped(left)} {sign} {wrapped(right)})"


# ---- arithmetic ----------------------------------------------------------------------------------------------------------

def drop_term(function):
    for node in inside(function, ast.BinOp):
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield node, wrapped(node.left)
            yield node, wrapped(node.right) if isinstance(node.op, ast.Add) else f"(-{wrapped(node.right)})"


def flip_sign(function):
    for node in inside(function, ast.BinOp):
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield node, binary(node.left, "-" if isinstance(node.op, ast.Add) else "+", node.right)
    for node in inside(function, ast.UnaryOp):
        if isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            yield node, wrapped(node.operand)


def forget_factor(function):
    for node in inside(function, ast.BinOp):
        if isinstance(node.op, (ast.Mult, ast.Div)):
            yield node, wrapped(node.left)
            if isinstance(node.op, ast.Mult):
                yield node, wrapped(node.right)


def divide_for_multiply(function):
    for node in inside(function, ast.BinOp):
        if isinstance(node.op, (ast.Mult, ast.Div)):
            yield node, binary(node.left, "/" if isinstance(node.op, ast.Mult) else "*", node.right)


def square_factor(function):
    for node in inside(function, ast.BinOp):
        if isinstance(node.op, ast.Mult):
            yield node, f"({wrapped(node.left)} * {wrapped(node.left)} * {wrapped(node.right)})"


def change_constant(function):
    places = [side for node in inside(function, ast.BinOp) for side in (node.left, node.right)]
    for node in places:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield node, repr(node.value + 1)
            yield node, repr(2 * node.value)


# ---- sums, axes, transposes ----------------------------------------------------------------------------------------------

def mean_for_sum(function):
    others = {"sum": "mean", "mean": "sum", "prod": "sum", "add": "subtract"}
    for node in inside(function, ast.Attribute):
        if node.attr in others:
            yield node, f"{wrapped(node.value)}.{others[node.attr]}"


def wrong_axis(function):
    for node in inside(function, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "mean", "prod", "concatenate", "stack"):
            places = [*node.args, *(word.value for word in node.keywords if word.arg == "axis")]
            for place in places:
                value = _integer(place)
                if value is not None:
                    yield place, {-1: "-2", -2: "-1", 0: "-1", 1: "0"}.get(value, "0")


def _integer(node):
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def transpose(function):
    for node in inside(function, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "swapaxes":
            yield node, ast.unparse(node.func.value)
    for node in inside(function, ast.Attribute):
        if node.attr == "T":
            yield node, ast.unparse(node.value)
    for node in inside(function, ast.BinOp):
        if isinstance(node.op, ast.MatMult):
            yield node, binary(node.right, "@", node.left)


# ---- the wrong value in the right place ----------------------------------------------------------------------------------

NUMPY_CALLS = ("swapaxes", "reshape", "concatenate", "sum", "at", "where", "put_along_axis", "take_along_axis", "arange")


def swap_arguments(function):
    for node in inside(function, ast.Call):
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in NUMPY_CALLS:
            for k in range(len(node.args) - 1):
                if not any(isinstance(arg, ast.Starred) for arg in node.args[k:k + 2]):
                    swapped = [*node.args[:k], node.args[k + 1], node.args[k], *node.args[k + 2:]]
                    yield node, ast.unparse(ast.Call(node.func, swapped, node.keywords))


def other_name(function):
    """Each use of a variable, by its neighbours of the same kind: gradients for gradients, values for values."""
    gradients, values = _variables(function)
    for node in inside(function, ast.Name):
        kind = gradients if node.id in gradients else values
        if isinstance(node.ctx, ast.Load) and node.id in kind:
            at = kind.index(node.id)
            for other in dict.fromkeys((kind[(at + 1) % len(kind)], kind[at - 1])):
                if other != node.id:
                    yield node, other


def _variables(function):
    """Names of a function's arguments and variables: those of gradients ("dw"), and the rest."""
    arguments = [argument.arg for argument in function.args.args if argument.arg not in ("self", "cls")]
    stored = [node.id for node in inside(function, ast.Name) if isinstance(node.ctx, ast.Store)]
    names = list(dict.fromkeys([*arguments, *stored]))
    gradients = [name for name in names if name.startswith("d") and name not in ("dtrace", "dims", "d")]
    return gradients, [name for name in names if name not in gradients and name != "_"]


def swap_results(function):
    """Two of the names that a call's results are given to, exchanged; and two of the values returned."""
    for node in inside(function, ast.Tuple):
        if isinstance(node.ctx, ast.Store) and all(isinstance(item, ast.Name) for item in node.elts):
            yield from ((node, text) for text in _neighbours_swapped(node.elts))
    for node in inside(function, ast.Return):
        if isinstance(node.value, ast.Tuple):
            yield from ((node.value, text) for text in _neighbours_swapped(node.value.elts))


def _neighbours_swapped(items):
    for k in range(len(items) - 1):
        order = [*items[:k], items[k + 1], items[k], *items[k + 2:]]
        yield ", ".join(ast.unparse(item) for item in order)


def shift_index(function):
    """t for t - 1, t - 1 for t, one slice for its neighbour."""
    for node in inside(function, ast.Subscript):
        for place in [node.slice, *getattr(node.slice, "elts", [])]:
            if isinstance(place, ast.BinOp) and isinstance(place.op, (ast.Add, ast.Sub)):
                yield place, wrapped(place.left)
            elif isinstance(place, ast.Name) and place.id in ("t", "k", "head"):
                yield place, f"{place.id} - 1"
            elif isinstance(place, ast.Slice):
                yield from _slices(place)


def _slices(place):
    lower, upper = (ast.unparse(side) if side is not None else "" for side in (place.lower, place.upper))
    if bool(lower) != bool(upper):
        yield place, f"{upper}:{lower}"                              # w[:, :R] for w[:, R:]
    elif lower and upper:
        yield place, f"{upper}:"


# ---- whole results and statements ----------------------------------------------------------------------------------------

def spoil_result(function):
    """What is returned: twice, negative, gone, a mean, rolled by one, in reverse order, with an offset, without sign, squared."""
    for node in inside(function, ast.Return):
        items = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for item in items:
            if item is not None and not isinstance(item, (ast.Starred, ast.Dict, ast.DictComp, ast.Constant)):
                x = wrapped(item)
                for text in (f"2 * {x}", f"-{x}", f"0 * {x}", f"{x} / {x}.size", f"np.roll({x}, 1)", f"np.flip({x})",
                             f"{x} + 0.01 * abs({x}).max()", f"abs({x})", f"{x} * {x}"):
                    yield item, text


def spoil_assignment(function):
    """What is computed on the way, twice, or rolled by one."""
    for node in inside(function, ast.Assign):
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id.startswith("d"):
            for text in (f"2 * {wrapped(node.value)}", f"np.roll({wrapped(node.value)}, 1)"):
                if not isinstance(node.value, (ast.List, ast.Dict, ast.ListComp)):
                    yield node.value, text


def forget_statement(function):
    """Leave out a correction of a value that is there already, or a call for its effect."""
    known = {argument.arg for argument in function.args.args}
    for statement in ast.walk(function):
        if isinstance(statement, ast.AugAssign) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
            yield statement, "pass"
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], (ast.Name, ast.Subscript)):
            target = statement.targets[0]
            if isinstance(target, ast.Subscript) or target.id in known:
                yield statement, "pass"
            else:
                known.add(target.id)


def take_one_branch(function):
    for node in inside(function, ast.IfExp):
        yield node, wrapped(node.body)
        yield node, wrapped(node.orelse)


def turn_comparison(function):
    signs = {ast.Gt: "<=", ast.GtE: "<", ast.Lt: ">=", ast.LtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
    for node in inside(function, ast.Compare):
        sign = signs.get(type(node.ops[0]))
        if sign:
            yield node, f"({wrapped(node.left)} {sign} {wrapped(node.comparators[0])})"


def forwards_in_time(function):
    for node in inside(function, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "reversed":
            yield node, ast.unparse(node.args[0])


OPERATORS = (drop_term, flip_sign, forget_factor, divide_for_multiply, square_factor, change_constant, mean_for_sum, wrong_axis,
             transpose, swap_arguments, other_name, swap_results, shift_index, spoil_result, spoil_assignment, forget_statement,
             take_one_branch, turn_comparison, forwards_in_time)
