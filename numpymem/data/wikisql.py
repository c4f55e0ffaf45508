"""WikiSQL, questions with their SQL queries: find the real files, or make up questions of the same shape.

    data = load()
    data.train[0]                      a Question: words and query
    data.tables[data.train[0].table_id].header
    train, valid, test = data.folds()  the questions about complete tables, split by table

The questions and the three parts are those of Zhong et al. 2017 (arXiv:1709.00103; 18 of the 56,355 training questions are
missing).  The tables are not all there: 16,075 of the training part are complete (TabFact, Chen et al. 2020, arXiv:1909.02164),
of all others only the columns are known that some question uses.  How many columns such a table has says how its questions go,
so nothing should be learned from an incomplete header.  There is no public address to download this form from.
"""

import functools
import hashlib
import os
from pathlib import Path

from . import wikisql_made
from .babi import SOURCES, search_places
from .wikisql_files import SHA256, are_known, read_files
from .wikisql_format import parse_questions, parse_tables

PARTS = ("train", "dev", "test")
FOLDS = 10


class WikiSQL:
    """The data set.  Each file is parsed when it is first asked for.

    train, dev, test  lists of `Question`, the official parts, in file order
    tables            {id: Table}
    origin            where they come from, in one line; print it beside every result
    """

    def __init__(self, content, origin):
        """content: {"train.jsonl": bytes, ..., "tables.jsonl": bytes}."""
        self._content, self.origin = dict(content), origin

    @functools.cached_property
    def train(self):
        return self._parsed(parse_questions, "train.jsonl")

    @functools.cached_property
    def dev(self):
        return self._parsed(parse_questions, "dev.jsonl")

    @functools.cached_property
    def test(self):
        return self._parsed(parse_questions, "test.jsonl")

    @functools.cached_property
    def tables(self):
        return self._parsed(parse_tables, "tables.jsonl")

    def _parsed(self, parse, name):
        found = parse(self._content[name], name)
        del self._content[name]                   # 14 MB of text that nobody needs any more
        return found

    def folds(self):
        """(training, development, test) questions about complete tables: no table is in two of them.

        All are from the official training part.  Fold 9 of ten (see `fold`) is the test, fold 8 development.
        Raises ValueError if a query has a column that its table has not.
        """
        parts = ([], [], [])
        for question in self.train:
            table = self.tables.get(question.table_id)
            if table is None or not table.complete:
                continue
            _check_columns(question, table)
            parts[max(0, fold(table.id) - FOLDS + 3)].append(question)
        return parts


def fold(table_id, folds=FOLDS):
    """Number of the fold that a table is in: the SHA-1 of its id, modulo the number of folds."""
    return int(hashlib.sha1(table_id.encode(), usedforsecurity=False).hexdigest(), 16) % folds


def load(source="auto", folder=None):
    """The data set, read once in a process.

    source   "real": the files or an error; "generated": `wikisql_made`; "auto": real if they can be found, otherwise generated
    folder   a folder or .tar.gz/.tar.xz archive with the real files (see `wikisql_files.read_files`)
    returns  WikiSQL
    raises   ValueError for a wrong argument or a damaged file; FileNotFoundError if there is no such data, saying what to do

    Real files are looked for in `folder`, and if it is given nowhere else.  Otherwise in the places of `babi.search_places`:
    NUMPYMEM_DATA, `../shared/data` beside the package, the cache folder.
    """
    if source not in SOURCES:
        raise ValueError(f"source: expected one of {SOURCES}, received {source!r}")
    if not (folder is None or isinstance(folder, (str, os.PathLike))):
        raise ValueError(f"folder: expected a path, received {folder!r}")
    if source == "generated":
        return _made("as asked for")
    if folder is not None:
        path = Path(folder).expanduser()
        if not path.exists():
            raise FileNotFoundError(f"folder: expected a folder or archive with WikiSQL files, {path} does not exist")
        found = _real("the folder given", path)
        if found is None:
            raise FileNotFoundError(f"folder: expected wikisql.tar.xz, or {', '.join(SHA256)}, in {folder}, found none")
        return found
    places = search_places()
    found = next(filter(None, (_real(*place) for place in places)), None)
    if found is None and source == "real":
        raise FileNotFoundError(_advice(places))
    return found or _made("no real data found")


def _real(label, path):
    archive = next((found for found in (path, path / "wikisql.tar.xz") if found.is_file()), path)
    return _read(label, path, archive.stat().st_mtime_ns if archive.exists() else 0)


@functools.lru_cache(maxsize=4)
def _read(label, path, _changed):
    """The data set at a place, or None; read again when its archive has changed."""
    content = read_files(path)
    if content is None:
        return None
    what = "real WikiSQL (checksums verified)" if are_known(content) else "WikiSQL-format files that DIFFER from those we know,"
    return WikiSQL(content, f"{what} from {label}")


@functools.lru_cache(maxsize=2)
def _made(reason):
    origin = f"GENERATED WikiSQL-like data: {reason}; results are not comparable with published ones"
    return WikiSQL(wikisql_made.generate(), origin)


def _check_columns(question, table):
    columns = (question.query.sel, *(column for column, _, _ in question.query.conds))
    if max(columns) >= len(table.header):
        raise ValueError(f"train.jsonl: expected columns below {len(table.header)} for table {table.id}, found {max(columns)} "
                         f"in the query of {' '.join(question.words)!r}")


def _advice(places):
    looked = ", ".join(f"{place.label} ({place.path})" for place in places)
    return (f"no real WikiSQL data: set NUMPYMEM_DATA=DIR, or give --set folder=DIR (a folder with wikisql.tar.xz), or take "
            f"made-up questions: --set source=generated. Looked in {looked}")
