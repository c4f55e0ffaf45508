"""Result files: small JSON beside the code that made them, each with the command, the versions and every single run."""

import hashlib
import importlib
import json
import pathlib

import numpy as np

from numpymem import catalog
from numpymem.equation import REGISTRY
from numpymem.experiments import spec
from numpymem.writing import write_text
from numpymem.fingerprint import fingerprint
from numpymem.received import shown
from numpymem.training.resuming import is_number

FOLDER = pathlib.Path(__file__).parent / "results"


class Missing:
    """In the place of a value that is not there."""

    def __repr__(self):
        return "none"


MISSING = Missing()
NUMBER, TEXT, OBJECT, LIST = ((int, float), "a number"), (str, "a text"), (dict, "an object"), (list, "a list")
OPTIONAL = ((int, float, type(None)), "a number or null")
KEYS = {"name": TEXT, "command": TEXT, "versions": OBJECT, "seconds": NUMBER, "spec": OBJECT, "table": LIST, "runs": LIST}
RUN = {"group": TEXT, "task": TEXT, "seed": (int, "a whole number"), "model": TEXT, "parameters": NUMBER, "data": TEXT,
       "sequences": NUMBER, "seconds": NUMBER, "figures": OBJECT, "curve": LIST,
       **dict.fromkeys(("goal_bits", "converged_at", "seconds_until"), OPTIONAL)}
ROW = {"group": TEXT, "task": TEXT, "n": (int, "a whole number"), "figures": OBJECT}
ROW_OPTIONAL = dict.fromkeys(("goal_bits", "learned", "sequences", "seconds"), OPTIONAL)


def names():
    """The results of sweeps that came with numpymem."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if "spec" in json.loads(path.read_text()))


def read(name):
    """The dict of results/<name>.json."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def check(found):
    """Raise ValueError unless `found` is the content of a sweep's result file, with a word on where the mistake is."""
    check_kinds("the file", found, KEYS)
    if found["name"] in ("", ".", "..") or set(found["name"]) & set("/\\:"):             # the figure is called so
        raise ValueError(f"name: expected a name without a folder, received {shown(found['name'])}")
    spec.check(found["spec"])
    for number, row in enumerate(found["table"]):
        check_kinds(f"table[{number}]", row, ROW, ROW_OPTIONAL)
        for name, each in row["figures"].items():
            check_kinds(f"table[{number}]: {shown(name)}", each, {"mean": NUMBER}, {"sd": OPTIONAL, "best": OPTIONAL})
    for number, run in enumerate(found["runs"]):
        check_run(f"runs[{number}]", run)


def check_run(where, run):
    """Raise ValueError unless `run` is the result of a run, as a table and a figure need it."""
    check_kinds(where, run, RUN)
    for name, points in (("curve", run["curve"]), ("gradients", run.get("gradients", []))):
        if not isinstance(points, list) or not all(isinstance(point, list) and len(point) >= 2 and all(map(is_number, point))
                                                   for point in points):
            raise ValueError(f"{where}: {name}: expected a list of points, received {shown(points)}")


def check_kinds(where, found, needed, optional=()):
    """Raise ValueError unless `found` is an object whose entries are of these kinds: name -> (types, in words)."""
    if not isinstance(found, dict):
        raise ValueError(f"{where}: expected an object, received {shown(found)}")
    for name, (kind, words) in (dict(needed) | dict(optional)).items():
        value = found.get(name, None if name in optional else MISSING)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{where}: {name}: expected {words}, received {shown(value)}")


def write_sweep(path, found):
    """Write a sweep's result file, one line for each row of the table and for each run -> path."""
    parts = [f' {json.dumps(name)}: {lines_of(value) if name in ("table", "runs") else json.dumps(value)}'
             for name, value in found.items()]
    path.parent.mkdir(exist_ok=True)
    write_text(path, "{\n" + ",\n".join(parts) + "\n}\n")
    return path


def lines_of(entries):
    return "[\n  " + ",\n  ".join(json.dumps(entry) for entry in entries) + "\n ]"


def equations_today():
    """A hash of all equations of numpymem as they are today: figures from before an edit and after it are not to be mixed."""
    for name in catalog.MODELS:
        catalog.model_class(name)                                    # imports its equations
    importlib.import_module("numpymem.ops")
    ours = sorted(id for id, item in REGISTRY.items() if item.original.__module__.startswith("numpymem."))
    return hashlib.sha256("".join(fingerprint(REGISTRY[id]) for id in ours).encode()).hexdigest()[:16]


def mean_sd(values):
    """'mean +- sd' of several runs, as two floats (sd of a sample)."""
    values = [float(value) for value in values]
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
