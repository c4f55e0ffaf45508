"""The WikiSQL file format: what a question and a table are, the words of a text, and a strict parser.

Source: Zhong et al. 2017, "Seq2SQL", arXiv:1709.00103.  One JSON object a line; a question, then a table:

    {"table_id": "1-10007452-3", "question": "who is the manufacturer for the order year 1998?",
     "sql": {"sel": 1, "agg": 0, "conds": [[0, 0, "1998"]]}}
    {"id": "1-10007452-3", "split": "train", "complete": true, "title": "...",
     "header": ["order year", ...], "rows": [["1992 - 93", ...], ...]}
"""

import json
import re
from typing import NamedTuple

from numpymem.received import one_line, shown

AGGREGATIONS = ("", "MAX", "MIN", "COUNT", "SUM", "AVG")      # by number, as in the files; 0: none
OPERATORS = ("=", ">", "<")

# Numbers with the points and commas inside them, runs of letters and digits, and any other character alone.
WORD = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+|[^\w\s]|_")
ROWS = b', "rows": '      # a string of JSON cannot hold this (its quotes would be written \"), so it is the key


class Query(NamedTuple):
    """SELECT agg(sel) WHERE conds."""

    sel: int          # position in the header of the table
    agg: int          # index into AGGREGATIONS
    conds: tuple      # of (column, index into OPERATORS, value), joined by AND; value is a str


class Question(NamedTuple):
    """A question about one table, and the query that answers it."""

    table_id: str
    words: tuple      # as `words` splits the question
    query: Query
    shapes: str = ""  # how each word is written, see `word_shapes`; "" where that is not known


class Table:
    """One table.  The rows are parsed only when they are asked for.

    id        "1-10007452-3"
    split     "train", "dev" or "test"
    complete  True: the whole header and all rows are known.  False: the header has only the columns that some question uses
    header    tuple of column names, lower-case
    rows      tuple of rows, each a tuple of str, one for each column; empty where they are not known
    """

    def __init__(self, id, split, complete, header, rows=(), text=None, where=""):
        self.id, self.split, self.complete, self.header = id, split, complete, tuple(header)
        self._rows, self._text, self._where = tuple(map(tuple, rows)), text, where

    @property
    def rows(self):
        if self._text is not None:
            self._rows, self._text = _rows(self._text, len(self.header), self._where), None
        return self._rows


def words(text):
    """Words of a text: lower-case; "1,040" and "37.2" are one word each, any other punctuation is a word of its own.

    Both the question "in 1998-99?" and the cell "1998 - 99" give 1998, -, 99.
    """
    return tuple(WORD.findall(text.lower()))


def word_shapes(text):
    """How each word of a text is written, a character a word: "a" small letters, "A" a capital first, "X" capitals only, "0" a
    digit first, "." anything else.

    "Who is from South Australia in the NBA?" -> "AaaAAaaX."; a text that `words` would split otherwise before it is lower-case
    counts as small.
    """
    written, small = WORD.findall(text), WORD.findall(text.lower())
    return "".join(map(_shape, written if len(written) == len(small) else small))


def _shape(word):
    if not word[0].isalpha():
        return "0" if word[0].isdigit() else "."
    if not word[0].isupper():
        return "a"
    return "X" if len(word) > 1 and word.isupper() else "A"


def parse_questions(data, name):
    """Questions of one file, in its order.

    data     bytes in UTF-8
    name     what to call the file in an error message
    raises   ValueError naming the file and the line, if anything is not as the format wants it; empty lines are tolerated
    """
    found, same = [], {}                          # one str object for each different word: a tenth of the memory
    for where, line in _lines(data, name):
        record = _record(line, where, {"table_id": str, "question": str, "sql": dict})
        asked = tuple(same.setdefault(word, word) for word in words(record["question"]))
        if not asked:
            raise ValueError(f"{where}: the question is empty")
        found.append(Question(record["table_id"], asked, _query(record["sql"], where), word_shapes(record["question"])))
    return _not_empty(found, name, "questions")


def parse_tables(data, name):
    """Tables of one file by their id.  As `parse_questions`; a bad row is noticed when the rows are first read."""
    found = {}
    for where, line in _lines(data, name):
        record = _record(_without_rows(line), where, {"id": str, "split": str, "complete": bool, "header": list})
        if not all(isinstance(column, str) for column in record["header"]) or not record["header"]:
            raise ValueError(f"{where}: expected 'header' to list column names, found {str(record['header'])[:60]!r}")
        if record["complete"] and b'"rows"' not in line:
            raise ValueError(f"{where}: expected 'rows' in a complete table, found none")
        text = line if record["complete"] else None
        found[record["id"]] = Table(record["id"], record["split"], record["complete"], record["header"], (), text, where)
    return _not_empty(found, name, "tables")


def _without_rows(line):
    """A line of tables.jsonl without its rows, which are most of it, if they stand at its end; else the whole line."""
    head, found, _ = line.partition(ROWS)
    return head + b"}" if found and b'"header"' in head and line.rstrip().endswith((b"]]}", b"[]}")) else line


def _not_empty(found, name, what):
    if not found:
        raise ValueError(f"{name}: expected WikiSQL {what}, one JSON object a line, found an empty file")
    return found


def _lines(data, name):
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield f"{name}, line {number}", line


def _json(text, where):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:            # UnicodeDecodeError is a ValueError
        raise ValueError(f"{where}: expected one JSON object, cannot read it: {one_line(error)}") from None


def _record(line, where, kinds):
    """The object of a line, which must have the keys of `kinds`, each of that type."""
    record = _json(line, where)
    if not isinstance(record, dict):
        raise ValueError(f"{where}: expected a JSON object, found {str(record)[:40]!r}")
    for key, kind in kinds.items():
        if not isinstance(record.get(key), kind):
            raise ValueError(f"{where}: expected {key!r} to be a {kind.__name__}, found {shown(record.get(key, 'none'))}")
    return record


def _query(sql, where):
    sel, agg, conds = sql.get("sel"), sql.get("agg"), sql.get("conds")
    if not (_is_number(sel) and _is_number(agg, len(AGGREGATIONS)) and isinstance(conds, list)):
        raise ValueError(f"{where}: expected sel >= 0, agg from 0 to 5 and a list conds, found {str(sql)[:80]}")
    return Query(sel, agg, tuple(_condition(cond, where) for cond in conds))


def _condition(cond, where):
    if not (isinstance(cond, list) and len(cond) == 3 and _is_number(cond[0]) and _is_number(cond[1], len(OPERATORS))
            and isinstance(cond[2], (str, int, float))):
        raise ValueError(f"{where}: expected a condition [column, operator from 0 to 2, value], found {str(cond)[:60]}")
    return cond[0], cond[1], str(cond[2])         # the original files write some values as numbers


def _is_number(value, below=None):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0 and (below is None or value < below)


def _rows(text, width, where):
    rows = _json(text, where).get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == width for row in rows):
        raise ValueError(f"{where}: expected 'rows' to list rows of {width} cells")
    return tuple(tuple(map(str, row)) for row in rows)
