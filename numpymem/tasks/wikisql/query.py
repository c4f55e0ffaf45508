"""The whole query of a question, step by step: classes, and pointers at columns and at words of the question.

    question   what is the height of kolumar when points over 30 ? [col] name [col] height [col] points
    places     0    1  2   3      4  5       6    7      8    9  10 11    12   13    14     15    16
    answer     agg     sel     conditions | column   operator   value from   to | column   operator   value from   to
               0       p 13    6 + 2      | p 11     11 + 0     p 5         p 5 | p 15     11 + 1     p 9         p 9
    query      SELECT height WHERE name = "kolumar" AND points > "30"

"p 13" is the pointer n_outputs + 13; 0 to 5 are the aggregations, 6 to 10 the numbers of conditions, 11 to 13 the operators.
Conditions come in the order of their columns, then of their values in the question.
"""

from collections import Counter

import numpy as np

from numpymem.data import sql
from numpymem.data.wikisql_format import Query, words
from numpymem.tasks.batches import Batch, Segments
from numpymem.tasks.wikisql.task import WikiSQLTask, check_switch, nothing_told

NUMBERS, OPERATORS, N_CLASSES = 6, 11, 14       # the first class of each kind after the aggregations, and how many there are
HEAD, EACH = 3, 4                               # steps before the conditions, steps of a condition
MAX_CONDITIONS = 4
SCORES = ("queries", "agg", "sel", "number", "columns", "operators", "values", "logical form", "execution", "execution, answered")


class WikiSQLQuery(WikiSQLTask):
    """The whole query; questions about complete tables, split by table. `count_wrong` counts whole queries.

    match      mark what question and header have in common (see `match`)
    cells      tell after a column's name which of its cells the question says (see `cells`): what is known of the table, not only
               of its header
    trigrams   whether words are spelt (see `spelling`)
    source, folder  where the data comes from, see `numpymem.data.wikisql.load`

    Left out are questions about tables of more than 20 columns and those that do not say a value of their query in its own words.
    Parts: "train", "valid" (fold 8), "test" (fold 9).
    """

    name, n_outputs, pointers = "wikisql-query", N_CLASSES, True

    def __init__(self, form="segments", match=True, cells=False, trigrams=True, source="auto", folder=None):
        check_switch("match", match)
        self._spans = {}
        self._load(form, source, folder, trigrams, official=False, cells=cells)
        self._link(match)
        steps = [self._steps_of(row) for row in range(len(self.questions))]
        del self._spans
        self._n_steps = np.array([len(step) for step in steps])
        self._steps = np.zeros((len(steps), HEAD + EACH * MAX_CONDITIONS), dtype=np.int32)
        for row, step in enumerate(steps):
            self._steps[row, : len(step)] = step
        # The 6 % with three or four conditions keep to themselves, so that 15 of 16 batches have 11 steps at most.
        many = self._n_steps > HEAD + 2 * EACH
        self._width = self._lengths + self.headers.flat_words[self._table]
        self._length = self._width + 1000 * many

    def batch(self, rows):
        """The Batch of these questions. T is the longest of their queries; a shorter one has nothing asked after its end."""
        told, marks = self._with_header(rows)
        length = self._n_steps[rows]
        targets = self._steps[rows, : length.max()]                                           # (B, T)
        asked = np.arange(targets.shape[1]) < length[:, None]
        prompt = np.zeros_like(targets)
        prompt[:, 1:] = np.where(asked[:, 1:], targets[:, :-1] + 1, 0)
        inputs = Segments(nothing_told(rows), told, prompt, marks, self.vocabulary.spelling)
        return Batch(inputs, np.ascontiguousarray(targets.T), np.ascontiguousarray(asked.T, dtype=np.float32))

    # ---- from queries to steps and back ------------------------------------------------------------------------------------

    def _keep(self, question, tables):
        conds = question.query.conds
        if not super()._keep(question, tables) or len(conds) > MAX_CONDITIONS:
            return False
        self._spans[id(question)] = spans = value_spans(question.words, conds)      # `_steps_of` needs them, too
        return None not in spans

    def _steps_of(self, row):
        question = self.questions[row]
        query, places = question.query, N_CLASSES + self._markers(row)
        spans = self._spans.pop(id(question))
        conds = sorted((column, *span, operator) for (column, operator, _), span in zip(query.conds, spans))
        steps = [query.agg, int(places[query.sel]), NUMBERS + len(conds)]
        for column, first, last, operator in conds:
            steps += [int(places[column]), OPERATORS + operator, N_CLASSES + first, N_CLASSES + last]
        return steps

    def _markers(self, row):
        """Places of the [col] of each column of a question's table."""
        table = self._table[row]
        return self._lengths[row] + self.headers.marker[table, : self.headers.n_columns[table]]

    def read_query(self, said, row):
        """The Query that the steps of an answer say (numbers as in targets; what comes after the end is not read).

        said     (T,) ints
        row      number of the question
        returns  Query, or None if the steps say none: of a wrong kind, a value that ends before it begins, or too few steps
        """
        said = [int(step) for step in said]
        column_at = {N_CLASSES + int(place): column for column, place in enumerate(self._markers(row))}
        if len(said) < HEAD or not 0 <= said[0] < NUMBERS <= said[2] < OPERATORS or said[1] not in column_at:
            return None
        n, conds = said[2] - NUMBERS, []
        if len(said) < HEAD + EACH * n:
            return None
        asked = self.questions[row].words
        for start in range(HEAD, HEAD + EACH * n, EACH):
            column, operator, first, last = said[start : start + EACH]
            first, last = first - N_CLASSES, last - N_CLASSES
            if column not in column_at or not OPERATORS <= operator < N_CLASSES or not 0 <= first <= last < len(asked):
                return None
            conds.append((column_at[column], operator - OPERATORS, " ".join(asked[first : last + 1])))
        return Query(column_at[said[1]], said[0], tuple(conds))

    def allowed(self, rows, said):
        """What the next step of each answer may be, so that it becomes a query: a mask for greedy decoding.

        rows     (B,) numbers of the questions
        said     (t, B) steps so far, each allowed; t may be 0
        returns  (B, n_outputs + Q) bool; Q as in `batch(rows)`. After the end of a query only class 0, which is not read
        """
        allowed = np.zeros((len(rows), N_CLASSES + int(self._width[rows].max())), dtype=bool)
        for b, row in enumerate(rows):
            allowed[b, self._next(row, [int(step[b]) for step in said])] = True
        return allowed

    def _next(self, row, said):
        """Classes and pointers that may follow the steps of one answer."""
        t = len(said)
        if t < HEAD:
            return (slice(0, NUMBERS), N_CLASSES + self._markers(row), slice(NUMBERS, OPERATORS))[t]
        if t >= HEAD + EACH * (said[2] - NUMBERS):
            return [0]
        step = (t - HEAD) % EACH
        if step == 0:
            places = N_CLASSES + self._markers(row)
            return places[places >= said[t - EACH]] if t > HEAD else places
        if step == 1:
            return slice(OPERATORS, N_CLASSES)
        first = N_CLASSES if step == 2 else said[-1]
        return slice(first, N_CLASSES + self._lengths[row])

    # ---- scores -----------------------------------------------------------------------------------------------------------

    def score(self, said, rows):
        """How many answers are right, and in what.

        said     (T, B) steps of each answer, decoded from its own steps before (greedy), numbers as in targets
        rows     (B,) numbers of the questions
        returns  {what: count}:
                 "asked"; "answered": those whose right query has an answer, and not a count of 0 (nine of ten)
                 "queries": steps that say a query; what does not is wrong in all that follows
                 "agg", "sel", "number": of conditions
                 "columns", "operators", "values": the same conditions, of each only the column; column, operator; column, value
                 "logical form": all of these, conditions in any order
                 "execution": the same answer; "execution, answered": and there is an answer
        """
        counts = dict.fromkeys(("asked", "answered", *SCORES), 0)
        for row, steps in zip(rows, np.asarray(said).T):
            right, query = self.questions[row].query, self.read_query(steps, row)
            answer = sql.execute(right, self._table_of(row))
            answered = sql.has_answer(right, self._table_of(row))
            counts["asked"] += 1
            counts["answered"] += answered
            if query is None:
                continue
            same = sql.same_answer(sql.execute(query, self._table_of(row)), answer)
            found = (True, *_compare(query, right), same, same and answered)
            for what, is_right in zip(SCORES, found):
                counts[what] += is_right
        return counts

    def _table_of(self, row):
        return self.tables[self.questions[row].table_id]


def _compare(query, right):
    """Whether agg, sel, number, columns, operators, values, and all of it are right."""
    def same(part):
        return Counter(map(part, query.conds)) == Counter(map(part, right.conds))

    return (query.agg == right.agg, query.sel == right.sel, len(query.conds) == len(right.conds), same(lambda cond: cond[0]),
            same(lambda cond: cond[:2]), same(lambda cond: (cond[0], sql.normal(cond[2]))), sql.same_query(query, right))


def value_spans(asked, conds):
    """[(first, last), ...]: places of the words of the question that are the value of each condition; None where there are none.

    Longer values are placed first, each where it comes first and no other value is, if there is such a place.
    """
    values = [words(value) for _, _, value in conds]
    spans, taken = [None] * len(values), set()
    for index in sorted(range(len(values)), key=lambda index: -len(values[index])):
        n = len(values[index])
        places = [start for start in range(len(asked) - n + 1) if asked[start : start + n] == values[index]] if n else []
        if not places:
            continue
        start = next((start for start in places if taken.isdisjoint(range(start, start + n))), places[0])
        spans[index] = (start, start + n - 1)
        taken.update(range(start, start + n))
    return spans
