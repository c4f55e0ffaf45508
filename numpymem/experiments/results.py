"""Result files: small JSON beside the code that made them, each with the command, the versions and every single run."""

import hashlib
import importlib
import json
import pathlib

import numpy as np

from numpymem import catalog
from numpymem.equation import REGISTRY
from numpymem.writing import write_text
from numpymem.fingerprint import fingerprint

FOLDER = pathlib.Path(__file__).parent / "results"


def names():
    """The results of sweeps that came with numpymem."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if "spec" in json.loads(path.read_text()))


def read(name):
    """The dict of results/<name>.json."""
    return json.loads((FOLDER / f"{name}.json").read_text())


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
