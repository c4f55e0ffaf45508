"""Result files: small JSON beside the code that made them, each with the command, the versions and every single run."""

import json
import pathlib

import numpy as np

from numpymem import runs
from numpymem.training.run_folder import write_text

FOLDER = pathlib.Path(__file__).parent / "results"


def write(name, command, results, **facts):
    """Write results/<name>.json and return its path."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    text = json.dumps({"command": command, "versions": runs.versions(), **facts, "runs": results}, indent=1, default=float)
    write_text(path, text + "\n")
    return path


def read(name):
    """The dict that `write` wrote."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def mean_sd(values):
    """'mean +- sd' of several runs, as two floats (sd of a sample)."""
    values = [float(value) for value in values]
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
