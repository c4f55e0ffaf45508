"""A file of equations that somebody edited and that does not compile: which equation it is."""

import contextlib
import pathlib
import re
import sys

DEFINED = re.compile(r'^@equation\(\s*["\'](?P<id>[^"\']+)|^@(?P<of>\w+)\.backward|^def (?P<name>\w+)|^(?:class|@|[A-Za-z_])')


def told(error):
    """A SyntaxError in one line: 'NTM-7 (interpolate) does not compile: invalid syntax; equations.py, line 12: return g * * w'."""
    path = pathlib.Path(error.filename or "?")
    number, text = error.lineno or 1, (error.text or "").strip()
    id, name = equation_at(path, number)
    short = "/".join(path.parts[-3:]) if "numpymem" in path.parts[-3:] else path.name
    place = f"{short}, line {number}"
    if id is None:
        return f"{place}: does not compile: {error.msg}: {text}"
    return f"{id} ({name}) does not compile: {error.msg}; {place}: {text}"


def equation_at(path, number):
    """(id, name of the function) that the line of a file belongs to; (None, None) if to none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[:number]
    except OSError:
        return None, None
    ids, id, name = {}, None, None                # ids: name of a forward -> id
    for line in lines:
        found = DEFINED.match(line)
        if found is None:
            continue
        if found["id"]:
            id, name = found["id"], None
        elif found["of"]:
            id, name = ids.get(found["of"]), None
        elif found["name"] and id and name is None:
            name = found["name"]
            ids[name] = id
        elif not line.startswith("@"):            # something else begins, which is no equation
            id, name = None, None
    return (id, name) if id and name else (None, None)


@contextlib.contextmanager
def told_in_one_line():
    """Around the imports of a package that may be run as a command: a file that does not compile is one line and exit code 1.
    In a notebook it stays a SyntaxError, with the equation in its message."""
    try:
        yield
    except SyntaxError as error:
        line = told(error)
        if sys.argv[:1] == ["-m"]:                # Python's way to say: python -m PACKAGE, while PACKAGE is being found
            print(line, file=sys.stderr)
            raise SystemExit(1) from None
        error.msg = line
        raise
