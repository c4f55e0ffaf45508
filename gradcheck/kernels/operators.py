"""Ways to break a loop, besides those that break a line of NumPy (gradcheck/mutation/operators.py): an index one off, a turn too
few, a sum that starts again each time, one variable for another of its kind.

Each takes a function (an ast.FunctionDef) and yields (node, the text to put in its place).
"""

import ast
import difflib

from gradcheck.mutation.operators import (binary, divide_for_multiply, drop_term, flip_sign, forget_factor, forget_statement,
                                          inside, swap_arguments, swap_results, take_one_branch, turn_comparison, wrapped)

SYMMETRIC = ("max", "min", "maximum", "dot")        # exchanging their arguments is no change
SAME = ("dtype", "size", "shape")        # what arrays of the same kind have in common: no change, either


def lose_sum(function):
    """`=` where a sum or product is collected, and the other sign."""
    other = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
    for node in inside(function, ast.AugAssign):
        target, value = ast.unparse(node.target), ast.unparse(node.value)
        yield node, f"{target} = {value}"
        if type(node.op) in other:
            yield node, f"{target} {other[type(node.op)]}= {value}"


def index_off_by_one(function):
    for node in inside(function, ast.Subscript):
        for place in getattr(node.slice, "elts", [node.slice]):
            if isinstance(place, ast.Slice):
                yield from ((side, f"{wrapped(side)} {sign} 1") for side, sign in ((place.lower, "+"), (place.upper, "-")) if side)
            else:
                yield from ((place, f"{wrapped(place)} {sign} 1") for sign in "+-")


def transpose_index(function):
    for node in inside(function, ast.Subscript):
        places = getattr(node.slice, "elts", [])
        for k in range(len(places) - 1):
            if not any(isinstance(place, ast.Slice) for place in places[k:k + 2]):
                order = [*places[:k], places[k + 1], places[k], *places[k + 2:]]
                yield node, f"{ast.unparse(node.value)}[{', '.join(map(ast.unparse, order))}]"


def short_range(function):
    """One turn of a loop less, at the end or at the start."""
    for node in inside(function, ast.Call):
        if ast.unparse(node.func) == "range":
            start, stop, *step = [ast.Constant(0), *node.args] if len(node.args) == 1 else node.args
            step = "".join(f", {ast.unparse(one)}" for one in step)
            less, more = ("+", "-") if "-" in step else ("-", "+")
            yield node, f"range({ast.unparse(start)}, {wrapped(stop)} {less} 1{step})"
            yield node, f"range({wrapped(start)} {more} 1, {ast.unparse(stop)}{step})"


def forget_function(function):
    """x for tanh(x), and one function for another."""
    others = {"tanh": "sigmoid", "sigmoid": "tanh", "exp": "tanh", "log": "tanh"}
    for node in inside(function, ast.Call):
        name = ast.unparse(node.func)
        if name.removeprefix("np.") in (*others, "softplus", "sqrt", "log1p", "abs"):
            yield node, wrapped(node.args[0])
        if name in others and others[name] in _called_in(function):
            yield node.func, others[name]


def _called_in(function):
    return {ast.unparse(node.func) for node in inside(function, ast.Call)}


def soften_comparison(function):
    signs = {ast.Gt: ">=", ast.GtE: ">", ast.Lt: "<=", ast.LtE: "<"}
    for node in inside(function, ast.Compare):
        if type(node.ops[0]) in signs:
            yield node, binary(node.left, signs[type(node.ops[0])], node.comparators[0])


def name_of_the_same_kind(function):
    """Each use of a variable: another with as many indices, another number, another index; the one that is spelled most alike."""
    kinds = _kinds(function)
    shared = {id(node.value) for node in inside(function, ast.Attribute) if node.attr in SAME}
    for node in inside(function, ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id in kinds and id(node) not in shared:
            others = [name for name, (kind, line) in kinds.items()
                      if name != node.id and kind == kinds[node.id][0] and line < node.lineno]
            if others:
                yield node, max(others, key=lambda name: difflib.SequenceMatcher(None, name, node.id).ratio())


def _kinds(function):
    """name -> (its kind, the line in which it gets its value)."""
    lines = {argument.arg: function.lineno for argument in function.args.args}
    for node in inside(function, ast.Name):
        if isinstance(node.ctx, ast.Store):
            lines.setdefault(node.id, node.lineno)
    kinds = {}
    for node in inside(function, (ast.BinOp, ast.AugAssign)):
        for side in (getattr(node, "left", None), getattr(node, "right", None), getattr(node, "value", None)):
            if isinstance(side, ast.Name):
                kinds[side.id] = "number"
    kinds |= dict.fromkeys(sorted(whole_numbers(function)), "index")             # a set has another order in each process
    for node in inside(function, ast.Subscript):
        if isinstance(node.value, ast.Name):
            kinds[node.value.id] = f"array of {len(getattr(node.slice, 'elts', [node.slice]))}"
    return {name: (kind, lines[name]) for name, kind in kinds.items() if name in lines}


def whole_numbers(function):
    """Names that are used in indices and ranges, and those that they are made of."""
    places = [node.slice for node in inside(function, ast.Subscript)]
    places += [node for node in inside(function, ast.Call) if ast.unparse(node.func) == "range"]
    found = {node.id for place in places for node in ast.walk(place) if isinstance(node, ast.Name)} - {"range"}
    for node in inside(function, ast.Assign):
        if all(isinstance(target, ast.Name) and target.id in found for target in node.targets):
            found |= {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
    return found


OPERATORS = (drop_term, flip_sign, forget_factor, divide_for_multiply, swap_arguments, swap_results, take_one_branch,
             turn_comparison, forget_statement, lose_sum, index_off_by_one, transpose_index, short_range, forget_function,
             soften_comparison, name_of_the_same_kind)


def loop_edits(function):
    """(operator, node, text) of everything that can be broken in one function, each once."""
    whole, seen = whole_numbers(function), set()
    for operator in OPERATORS:
        for node, text in operator(function):
            place = node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, "".join(text.split())
            if text != ast.unparse(node) and place not in seen and not _says_nothing(operator, node, whole):
                seen.add(place)
                yield operator.__name__, node, text


def _says_nothing(operator, node, whole):
    """Edits that change nothing, max(b, a), or only whether the types fit: n / 4 where n // 4 is a whole number."""
    if operator is swap_arguments:
        return ast.unparse(node.func).split(".")[-1] in (*SYMMETRIC, "swapaxes")
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return operator is divide_for_multiply and bool(names) and names <= whole
