"""The bAbI question-answering tasks: find the real files, or generate stories of the same shape.

    train, test, origin = load(task=1)

Real data is release 1.2 of Weston et al. 2015 (arXiv:1502.05698), English, CC BY 3.0.  `origin` is one line that says
where the questions come from; print it beside every result.
"""

import os
from pathlib import Path
from typing import NamedTuple

from . import worlds
from .babi_files import FOLDERS, MISSING, PARTIAL, file_names, is_released, read_files
from .babi_format import TASKS, parse
from .download import cache_folder, checksums, fetch

SOURCES = ("auto", "real", "generated")
TEST_QUESTIONS = 1000


class BabiData(NamedTuple):
    train: list       # of Question, in file order
    test: list        # of Question
    origin: str       # where they come from, in one line


class Place(NamedTuple):
    label: str        # for `origin`: no path of this machine, so that results can be published as they are
    path: Path


def load(task, size="1k", source="auto", folder=None):
    """Training and test questions of one task.

    task     1 to 20
    size     "1k" or "10k" training questions
    source   "real": release 1.2 or an error; "generated": `worlds`;
             "auto": real if it can be had, otherwise generated
    folder   a folder or .tar.gz/.tar.xz archive with the real files (see `babi_files.read_files`)
    returns  BabiData
    raises   ValueError for a wrong argument or a damaged file; FileNotFoundError if there is no such data, saying
             what to do

    Real files are looked for in `folder`, and if it is given nowhere else (a folder without them is an error, never
    silently replaced).  Otherwise in: the environment variable NUMPYMEM_DATA; `../shared/data` as seen from the folder
    that holds the numpymem package; the cache folder; then they are downloaded (`download.fetch`).
    """
    _check(task, size, source, folder)
    if source == "generated":
        return _generated(task, size, "as asked for")
    places = search_places(folder)
    for names, note in _wanted(task, size):
        for place in places:
            content = read_files(place.path, names, size)
            if content:
                return _real(task, size, names, content, f"from {place.label}{note}")
    if folder is not None:
        raise FileNotFoundError(f"folder: expected {' and '.join(file_names(task, size))} in {folder}, found none")
    try:
        return _downloaded(task, size)
    except OSError as error:                    # DownloadError is one
        if source == "auto":
            return _generated(task, size, "no real data found")
        raise FileNotFoundError(_advice(task, size, places, error)) from error


def split_validation(questions, fraction=0.1):
    """(training, validation) questions: the last `fraction` of them, in file order, are held out.

    This is the split of the released MemN2N code.  It is nearly by story, as it should be (the questions of a story
    share its statements): at most one story lies across the cut.
    Raises ValueError if fraction is not between 0 and 1, or if either part would be empty.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: expected a number between 0 and 1, received {fraction!r}")
    cut = len(questions) - round(len(questions) * fraction)
    if not 0 < cut < len(questions):
        raise ValueError(f"questions: {len(questions)} are too few to hold out the fraction {fraction}")
    return questions[:cut], questions[cut:]


def search_places(folder=None):
    """Where real files are looked for; with `folder` only there.

    Raises FileNotFoundError for a place that was named (`folder`, NUMPYMEM_DATA) but does not exist.
    """
    if folder is not None:
        return [_named_place("folder", "the folder given", folder)]
    places = []
    if os.environ.get("NUMPYMEM_DATA"):
        places.append(_named_place("NUMPYMEM_DATA", "NUMPYMEM_DATA", os.environ["NUMPYMEM_DATA"]))
    holder = Path(__file__).resolve().parent.parent.parent        # the folder that holds the numpymem package
    places.append(Place("shared/data", holder.parent / "shared" / "data"))
    places.append(Place("the cache folder", cache_folder()))
    return places


def _named_place(argument, label, path):
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{argument}: expected a folder or archive with data files, {path} does not exist")
    return Place(label, path)


def _check(task, size, source, folder):
    if not (folder is None or isinstance(folder, (str, os.PathLike))):
        raise ValueError(f"folder: expected a path, received {folder!r} (a folder of that name is ./{folder})")
    if task not in TASKS:
        raise ValueError(f"task: expected a number from 1 to 20, received {task!r}")
    if size not in FOLDERS:
        raise ValueError(f"size: expected '1k' or '10k', received {size!r}")
    if source not in SOURCES:
        raise ValueError(f"source: expected one of {SOURCES}, received {source!r}")


def _wanted(task, size):
    """The pairs of files that will do, best first, each with a note for `origin`."""
    train, test = file_names(task, size)
    yield (train, test), ""
    if train == MISSING:
        yield (PARTIAL, test), "; PARTIAL training file, not comparable with published 10k results"


def _real(task, size, names, content, where):
    """Parse a pair of files; names are those of the training and the test file, content is {name: bytes}."""
    train, test = (parse(content[name], name) for name in names)
    # Files without a folder name fit both sizes: do not take one for the other.
    if (size == "10k") != (len(train) > TEST_QUESTIONS):
        raise ValueError(f"size: {size} asked for, but the training file {where} has {len(train):,} questions")
    released = all(is_released(name, data) for name, data in content.items())
    what = "real bAbI v1.2" if released else "bAbI-format files that DIFFER from release v1.2,"
    return BabiData(train, test, f"{what} {FOLDERS[size]}, {_count(task, train, test)}, {where}")


def _downloaded(task, size):
    names = file_names(task, size)
    if any(name not in checksums() for name in names):
        raise FileNotFoundError(f"{names[0]} cannot be downloaded: it is in no public copy we know of")
    content = {name: fetch(name).read_bytes() for name in names}
    return _real(task, size, names, content, "downloaded (checksums verified)")


def _generated(task, size, reason):
    counts = (10_000 if size == "10k" else 1_000, TEST_QUESTIONS)
    train, test = (
        parse(worlds.generate(task, count, worlds.generator(task, part)), f"generated task {task}")
        for part, count in enumerate(counts)
    )
    count = _count(task, train, test)
    origin = f"GENERATED bAbI-like data, {count}: {reason}; results are not comparable with published ones"
    return BabiData(train, test, origin)


def _count(task, train, test):
    return f"task {task} ({len(train):,} + {len(test):,} questions)"


def _advice(task, size, places, error):
    looked = ", ".join(f"{place.label} ({place.path})" for place in places)
    return (f"no real bAbI data for task {task}, size {size}: set NUMPYMEM_DATA=DIR, or give --set folder=DIR (a folder or .tar.gz "
            f"with tasks_1-20_v1-2), or go online without NUMPYMEM_OFFLINE, or take made-up stories: --set source=generated. "
            f"Looked in {looked}; {error}")
