"""Checkpoints: one .npz without pickle, written beside the old one and then put in its place, so that none is ever half there."""

import io
import json
import zipfile

import numpy as np

from numpymem import writing
from numpymem.received import named, shown
from numpymem.training.arrays_file import read_arrays


def save(path, arrays, facts):
    """Write a tree of arrays (nested dicts) and a JSON-able dict to `path`. Raises writing.CannotWrite; then the old file stays."""
    flat = dict(flatten(arrays))
    flat["facts"] = np.array(json.dumps(facts))
    made = io.BytesIO()                          # a zip file on a full disk fails in ways of its own
    np.savez(made, **flat)
    with writing.whole(path) as part:
        part.write_bytes(made.getbuffer())


def load(path):
    """-> (tree of arrays, facts). Raises ValueError if the file is not a checkpoint of ours. Safe for a file from anybody: see
    arrays_file.py."""
    try:
        flat = read_arrays(path)
        facts = json.loads(str(flat.pop("facts")))
        tree = unflatten(flat)
    except FileNotFoundError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError, RuntimeError,
            zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected a checkpoint written by numpymem, received something else ({named(error)})") from error
    if not isinstance(facts, dict):
        raise ValueError(f"{path}: expected a checkpoint written by numpymem, received one whose facts are {shown(facts)}")
    return tree, facts


def flatten(tree, prefix=""):
    """Nested dicts -> (path, array) pairs; numbers count as arrays of no axes."""
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from flatten(value, path + "/")
        else:
            yield path, np.asarray(value)


def unflatten(flat):
    tree = {}
    for path, value in flat.items():
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value if value.ndim else value.item()
    return tree
