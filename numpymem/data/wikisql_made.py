"""Made-up tables, questions and queries in the WikiSQL file format, for use without the real files.

What is like the real data: the shape (a header of 5 to 9 columns, rows of text; several questions a table; the parts share no
table), the shares of aggregations, operators and numbers of conditions, that about three of four questions name the column they
select as the header does and the others in other words ("who", "how many people came"), that a condition may leave its column out
("for Kolumar"), and names that no other table has.  What is not: there are 28 kinds of columns and a few dozen phrases, so a
model gets nearly everything right; incomplete tables (dev, test) have all their columns, only no rows.
"""

import json

import numpy as np

ID_START = {"train": "made-1", "dev": "made-2", "test": "made-3"}
COUNTS = {"train": 500, "dev": 60, "test": 80}            # tables
QUESTIONS = (2, 7)                                        # a table, from and to
ROWS = (4, 12)
COLUMNS = (5, 9)
CONDITIONS = (0.01, 0.69, 0.24, 0.05, 0.01)               # shares of 0, 1, ... conditions
AGGREGATIONS = (0.72, 0.06, 0.06, 0.09, 0.035, 0.035)     # shares; only columns of numbers have a MAX, MIN, SUM or AVG
SAID_AS_WRITTEN = 0.77                                    # how often the selected column is named as in the header
COLUMN_LEFT_OUT = 0.3                                     # of conditions on a text

# Kind of values; names of the column; how else a question may ask for it.
KINDS = (
    ("name", ("player", "player name"), ("who", "which person")),
    ("name", ("driver",), ("who drove", "which racer")),
    ("name", ("director", "directed by"), ("who directed it", "the name of the film maker")),
    ("name", ("incumbent", "candidate"), ("who", "which politician")),
    ("name", ("captain",), ("who led the team", "the leader")),
    ("place", ("venue", "stadium", "ground"), ("where", "at which site")),
    ("place", ("city", "town", "location"), ("where", "in which place")),
    ("place", ("country", "nation", "nationality"), ("where from", "from which land")),
    ("place", ("school / club team", "college"), ("where did they study", "the university")),
    ("team", ("team", "club"), ("which side", "what squad")),
    ("team", ("opponent", "away team"), ("against whom", "who was played")),
    ("team", ("record label", "label"), ("which company published it", "the publisher")),
    ("day", ("date", "air date", "original air date"), ("when", "on which day")),
    ("year", ("year", "season"), ("when", "in what time")),
    ("year", ("founded", "built"), ("how old", "when was the start")),
    ("score", ("score", "result"), ("how did it end", "the outcome")),
    ("number", ("points", "total points"), ("how much was scored", "the tally")),
    ("number", ("attendance", "crowd"), ("how many people came", "the spectators")),
    ("number", ("goals", "goals scored"), ("how often did they hit", "the tally")),
    ("number", ("population (2010)", "population"), ("how many people live there", "the inhabitants")),
    ("number", ("rank", "position", "pos"), ("what place", "the standing")),
    ("number", ("laps", "rounds"), ("how many turns", "the turns")),
    ("number", ("gold", "gold medals"), ("how many first prizes", "the wins")),
    ("number", ("silver", "silver medals"), ("how many second prizes", "the runners up")),
    ("number", ("height (m)", "height"), ("how tall", "the size")),
    ("number", ("viewers (millions)", "u.s. viewers"), ("how many people watched", "the audience")),
    ("word", ("type", "class", "category"), ("what sort", "which group")),
    ("word", ("party", "colour"), ("which side", "what hue")),
)
SYLLABLES = "ka lo mi ren tor bal su dan ver pol ni gra hem as win du mar el qua zo rik fen ly bru".split()
WORDS = "red blue green gold open closed light heavy east west north south first second major minor".split()
MONTHS = "january february march april may june july august september october november december".split()
AGGREGATED = ("{}", "highest {}", "lowest {}", "how many {}", "sum of all {}", "average {}")
ALSO_AGGREGATED = ("{}", "most {}", "smallest {}", "number of different {}", "total {}", "mean {}")
OPENINGS = ("what is the {}", "what was the {}", "name the {}", "tell me the {}", "the {}", "i want the {}")
COMPARED = (("{column} is {value}", "a {column} of {value}", "{column} {value}"),
            ("{column} is more than {value}", "a {column} larger than {value}", "{column} over {value}"),
            ("{column} is less than {value}", "a {column} smaller than {value}", "{column} under {value}"))
JOINED = ("when", "with", "where", "if")


def generate(seed=0, counts=None):
    """{"train.jsonl": bytes, "dev.jsonl", "test.jsonl", "tables.jsonl"}.

    seed    another gives other tables and questions, of the same kind
    counts  {part: how many tables}; COUNTS makes some 2,800 questions
    """
    rng = np.random.default_rng([seed, 1709])
    files = {name: [] for name in ("train.jsonl", "dev.jsonl", "test.jsonl", "tables.jsonl")}
    for part, count in (counts or COUNTS).items():
        for number in range(count):
            table, kinds = _table(rng, f"{ID_START[part]}-{number:05d}-1", part)
            asked = [_question(rng, table, kinds) for _ in range(rng.integers(*QUESTIONS, endpoint=True))]
            if part != "train":
                table = {"id": table["id"], "split": part, "complete": False, "header": table["header"]}
            files["tables.jsonl"].append(table)
            files[f"{part}.jsonl"] += asked
    return {name: "".join(json.dumps(line) + "\n" for line in lines).encode() for name, lines in files.items()}


def _pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def _table(rng, id, part):
    """A table as a line of tables.jsonl, and the numbers (in KINDS) of its columns."""
    kinds = rng.choice(len(KINDS), rng.integers(*COLUMNS, endpoint=True), replace=False).tolist()
    rows = [[_value(rng, KINDS[kind][0]) for kind in kinds] for _ in range(rng.integers(*ROWS, endpoint=True))]
    header = [_pick(rng, KINDS[kind][1]) for kind in kinds]
    return {"id": id, "split": part, "complete": True, "title": f"made-up table {id}", "header": header, "rows": rows}, kinds


def _value(rng, kind):
    if kind == "number":
        small, large = rng.integers(30), rng.integers(1000, 90_000)
        return _pick(rng, (f"{small}", f"{30 + small * 33}", f"{large:,}", f"{rng.random() * 9:.2f}"))
    if kind == "year":
        return str(rng.integers(1900, 2015))
    if kind == "day":
        return f"{_pick(rng, MONTHS)} {rng.integers(1, 29)} , {rng.integers(1950, 2015)}"
    if kind == "score":
        return f"{rng.integers(9)} - {rng.integers(9)}"
    if kind == "word":
        return _pick(rng, WORDS)
    name = "".join(_pick(rng, SYLLABLES) for _ in range(rng.integers(2, 4)))
    return {"name": f"{_pick(rng, SYLLABLES)}{_pick(rng, SYLLABLES)} {name}", "team": f"{name} {_pick(rng, WORDS)}"}.get(kind, name)


def _question(rng, table, kinds):
    """One line of a part: first the query, then a sentence that says it."""
    numeric = [KINDS[kind][0] == "number" for kind in kinds]
    agg = int(rng.choice(6, p=AGGREGATIONS))
    possible = [column for column in range(len(kinds)) if agg in (0, 3) or numeric[column]]
    if not possible:
        agg, possible = 0, list(range(len(kinds)))
    sel = int(_pick(rng, possible))
    others = [column for column in range(len(kinds)) if column != sel]
    n = int(rng.choice(5, p=CONDITIONS))
    row = _pick(rng, table["rows"])               # the conditions hold for it, so that there is an answer
    conds, said = [], []
    for column in rng.choice(others, n, replace=False).tolist():
        operator = int(rng.choice(3, p=(0.4, 0.3, 0.3))) if numeric[column] else 0
        value = row[column]
        if operator:
            value = str(max(0, int(float(value.replace(",", ""))) + (-3 if operator == 1 else 3)))
        conds.append([column, operator, value])
        said.append(_condition(rng, table["header"][column], operator, value, numeric[column]))
    question = _opening(rng, table["header"][sel], KINDS[kinds[sel]][2], agg)
    question = f"{question} {_pick(rng, JOINED)} {' and '.join(said)}?" if said else f"{question}?"
    return {"table_id": table["id"], "question": question, "sql": {"sel": sel, "agg": agg, "conds": conds}}


def _opening(rng, name, others, agg):
    asked = name
    if rng.random() > SAID_AS_WRITTEN:
        asked = _pick(rng, others)
        if not agg:
            return asked
    asked = _pick(rng, (AGGREGATED, ALSO_AGGREGATED))[agg].format(asked)
    return asked if asked.startswith("how many") else _pick(rng, OPENINGS).format(asked)


def _condition(rng, column, operator, value, numeric):
    if not numeric and rng.random() < COLUMN_LEFT_OUT:
        return f"{_pick(rng, ('for', 'in', 'by'))} {value}"
    return _pick(rng, COMPARED[operator]).format(column=column, value=value)
