"""What a question says that stands in its table: each cell is told after the name of its column.

    question   what is the height of kolumar when points over 30 ?
    header     [col] name [cell] kolumar [col] height [col] points [cell] 30
    without    [col] name [col] height [col] points

Values of conditions are words of the question, but which column they belong to the names often do not say ("for kolumar"). The
table does. Of each column the longest cell is told that is said word for word, of those the first; none inside a longer one that
any column has. After Lin et al. 2020 (arXiv:2012.12627), who find such cells by likeness. Nothing here looks at the query, but at
the rows of the table: who compares figures must say so.
"""

from numpymem.data.wikisql_format import words

CELL = "[cell]"
LONGEST = 8             # words of a cell that is looked for


def cells_of(table):
    """{words of a cell: its columns}, of a complete table; without those of punctuation alone or of more words than LONGEST."""
    columns = {}
    for row in table.rows:
        for column, cell in enumerate(row):
            form = words(cell)
            if 0 < len(form) <= LONGEST and any(word[0].isalnum() for word in form):
                columns.setdefault(form, set()).add(column)
    return columns


def said_cells(asked, columns):
    """{column: (start, end)}: where a question says a cell of a column.

    asked    words of the question
    columns  `cells_of` its table
    """
    found, spans = {}, []
    for n in range(min(LONGEST, len(asked)), 0, -1):
        for start in range(len(asked) - n + 1):
            here = columns.get(asked[start : start + n])
            if not here or any(first <= start and start + n <= last and n < last - first for first, last in spans):
                continue
            spans.append((start, start + n))
            for column in here:
                found.setdefault(column, (start, start + n))
    return found


def with_cells(names, asked, found):
    """The names of a header, as tuples of words, each with the cell that is said of its column."""
    spans = [found.get(column) for column in range(len(names))]
    return [name if span is None else (*name, CELL, *asked[slice(*span)]) for name, span in zip(names, spans)]
