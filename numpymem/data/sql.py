"""Execute a WikiSQL query on a table, in plain Python, and compare queries.

    SELECT agg(sel) WHERE column operator value AND ...

Cells and values are texts. How they are compared:

    =        as numbers if both are numbers ("1,040", "- 9", "$16.15"), else the same letters and digits ("1998 - 99" is "1998-99")
    > and <  as numbers: the first number of each text ("1370 lb (635 kg)" is 1370); a cell without one fails the condition

MAX, MIN, SUM and AVG take the first number of each cell and leave out cells without one; of no number at all they answer nothing.
COUNT counts the rows that are left. Without an aggregation the answer is the cells of all rows that are left.

(The evaluation of the release runs SQLite on tables whose columns have types; these files have none.)
"""

import functools
import re

NUMBER = re.compile(r"([-+]\s?)?[$£€#]?\s?(\d+(?:,\d{3})+(?!\d)|\d+|(?=\.\s?\d))(\.\s?\d+)?")
DASHES = str.maketrans("–—−", "---")


def execute(query, table):
    """The answer to a query: a list of texts or one number, in the order of the rows; [] if there is no answer.

    query    `wikisql_format.Query`
    table    `wikisql_format.Table`, which must be complete
    raises   ValueError for a table whose rows are not known; IndexError for a column that it has not
    """
    if not table.complete:
        raise ValueError(f"table: expected a complete one, the rows of {table.id} are not known")
    conditions = [(column, *condition(operator, value)) for column, operator, value in query.conds]
    cells = [row[query.sel] for row in table.rows if all(holds(row[column], value) for column, holds, value in conditions)]
    return aggregate(query.agg, cells)


def aggregate(agg, cells):
    """A list of the answer: agg is an index into AGGREGATIONS."""
    if agg == 0:
        return cells
    if agg == 3:
        return [len(cells)]
    numbers = [number for number in map(first_number, cells) if number is not None]
    if not numbers:
        return []
    total = sum(numbers)
    return [{1: max(numbers), 2: min(numbers), 4: total, 5: total / len(numbers)}[agg]]


def condition(operator, value):
    """(holds(cell, value), value) of an operator, an index into OPERATORS."""
    if operator == 0:
        return same_value, value
    return (_larger if operator == 1 else _smaller), first_number(value)


def has_answer(query, table):
    """Whether there is an answer, and not a count of 0. One in ten of the real queries has none."""
    answer = execute(query, table)
    return bool(answer) and not (query.agg == 3 and answer == [0])


def same_answer(a, b):
    """Whether two answers of `execute` are the same, in any order; numbers but for rounding."""
    if len(a) != len(b):
        return False
    return all(same_value(x, y) if isinstance(x, str) and isinstance(y, str) else _close(x, y)
               for x, y in zip(sorted(a, key=_order), sorted(b, key=_order)))


def same_query(a, b):
    """Whether two queries are the same: selection, aggregation, and conditions in any order (their values as `same_value`)."""
    return a.sel == b.sel and a.agg == b.agg and same_conditions(a.conds, b.conds)


def same_conditions(a, b):
    """Whether two lists of conditions are the same, in any order."""
    return sorted(map(_comparable, a)) == sorted(map(_comparable, b))


def same_value(a, b):
    """Whether two texts are the same number, or (where one is no number) have the same letters and digits."""
    return normal(a) == normal(b)


@functools.lru_cache(maxsize=200_000)             # a table is asked about again and again
def normal(text):
    """What is compared of a text: a number as Python writes it, else its letters and digits, lower-case.

    A text with neither gives its other characters, without blanks.
    """
    text = text.translate(DASHES).strip()
    found = NUMBER.fullmatch(text)
    if found:
        return repr(_value(found))
    return "".join(character for character in text.lower() if character.isalnum()) or "".join(text.split())


@functools.lru_cache(maxsize=200_000)
def first_number(text):
    """The first number in a text, or None; a sign counts only at the start ("2 - 1" begins with 2)."""
    text = text.translate(DASHES).strip()
    found = NUMBER.match(text) or NUMBER.search(text.replace("-", " "))
    return _value(found) if found else None


def _value(found):
    sign, whole, fraction = found.groups()
    value = float((whole.replace(",", "") or "0") + (fraction or "").replace(" ", ""))
    return -value if sign and sign[0] == "-" else value


def _larger(cell, value):
    number = first_number(cell)
    return number is not None and value is not None and number > value


def _smaller(cell, value):
    number = first_number(cell)
    return number is not None and value is not None and number < value


def _comparable(cond):
    column, operator, value = cond
    return column, operator, normal(value)


def _order(value):
    return (0, normal(value)) if isinstance(value, str) else (1, value)


def _close(x, y):
    return not isinstance(x, str) and not isinstance(y, str) and abs(x - y) <= 1e-9 * max(abs(x), abs(y))
