"""Files that may be damaged, or made to do harm: whatever is in them, one error of one line that names the file."""

import contextlib
import json
import pathlib

# What content of the wrong kind shows itself as, somewhere deep inside.
WRONG_KIND = (TypeError, KeyError, AttributeError, IndexError, OverflowError, ZeroDivisionError, RecursionError, MemoryError)
LONGEST = 300                                     # characters of somebody else's error message


def read_json(path):
    """What a JSON file holds. Raises ValueError naming the file and the place; OSError if it cannot be opened."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:            # UnicodeDecodeError is a ValueError
        raise ValueError(f"{path}: expected JSON, received something else ({one_line(error)})") from error


@contextlib.contextmanager
def reading(path, what):
    """Around the use of a file's content: an error that does not name the file becomes a ValueError that does.

    what    the file is expected to be, such as "the config of a run"
    """
    try:
        yield
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path}: {one_line(error)}") from error
    except WRONG_KIND as error:
        raise ValueError(f"{path}: expected {what}, received something else ({named(error)})") from error


def named(error):
    """KeyError: 'seed'"""
    return f"{type(error).__name__}: {one_line(error)}"


def one_line(text, most=LONGEST):
    """A message without line breaks and control characters, not too long."""
    text = "".join(each if each.isprintable() else " " if each.isspace() else f"\\x{ord(each):02x}" for each in str(text))
    return text if len(text) <= most else f"{text[:most]} ..."


def printable(text):
    """Text of several lines without what would steer the screen: colours, titles, a cursor that jumps."""
    return "\n".join(line if line.isprintable() else one_line(line, most=len(line) * 4) for line in text.split("\n"))


def shown(value, most=80):
    """What was received, for an error message: as Python writes it, cut where it is long."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a very deep {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"
