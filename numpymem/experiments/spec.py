"""Specs: what a sweep trains, one small JSON file for each published table or figure.

    {"title":   what it shows, in one line
     "source":  the paper, and which table or figure of it
     "about":   what a reader must know to read the figures fairly
     "show":    figures for the table on the screen, such as "wrong_percent/120"; left out: all
     "diverged": left out: a run whose loss is no longer finite has failed; "counted": it ends there, and its result says so
     "compare": left out, or the label of the group that `report` sets the others against, seed by seed
     "groups":  [{"label": "NTM-LSTM", "model": "ntm", "task": "copy" or ["babi1", "babi2"], "controller": "lstm",
                  "seeds": 5 (0 to 4) or [0, 7], "set": ["NAME=VALUE", ...], "paper": the group's column in the paper's table}]}

A sweep is every group x task x seed. Shipped specs lie in numpymem/experiments/specs; a path names one of your own.
"""

import pathlib
import re
from typing import NamedTuple

from numpymem import catalog
from numpymem.received import read_json, reading, shown

FOLDER = pathlib.Path(__file__).parent / "specs"
TEXTS = ("title", "source", "about")
KEYS = {"title": str, "source": str, "about": str, "show": list, "diverged": str, "compare": str, "groups": list}
GROUP_KEYS = {"label": str, "model": str, "task": (str, list), "controller": str, "seeds": (int, list), "set": list, "paper": str}
MOST_SEEDS = 10_000
NEEDED = ("label", "model", "task", "seeds")


class Spec(NamedTuple):
    """A spec that has been read: its name, whether it came with numpymem, and the JSON as it stands in the file."""
    name: str
    shipped: bool
    content: dict


def names():
    """The shipped specs."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name):
    """The Spec of a shipped name or of a path. Raises FileNotFoundError, or ValueError that says where the mistake is."""
    shipped = str(name) in names()
    path = FOLDER / f"{name}.json" if shipped else pathlib.Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"SPEC: expected one of {', '.join(names())} or a JSON file, received {str(name)!r}")
    content = read_json(path)
    with reading(path.name, "a spec"):
        check(content)
    return Spec(path.stem, shipped, content)


def check(content):
    """Raise ValueError unless every key is known and every value of the right kind. Whether models, tasks and settings fit each
    other shows when they are made: sweep.prepare."""
    check_keys("spec", content, KEYS, (*TEXTS, "groups"))
    check_texts("show", content.get("show", []))
    if not content["groups"]:
        raise ValueError("groups: expected at least one, received none")
    for number, group in enumerate(content["groups"]):
        where = f"groups[{number}]"
        check_keys(where, group, GROUP_KEYS, NEEDED)
        check_texts(f"{where}: set", group.get("set", []))
        check_texts(f"{where}: task", tasks_of(group), least=1)
        seeds = seeds_of(group) if isinstance(group["seeds"], list) or group["seeds"] <= MOST_SEEDS else []
        whole = all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in seeds)
        if not whole or not seeds or len(set(seeds)) < len(seeds):
            raise ValueError(f"{where}: seeds: expected a number from 1 to {MOST_SEEDS:,}, or a list of different seeds, received "
                             f"{shown(group['seeds'])}")
        for task in tasks_of(group):
            if catalog.ALIASES.get(task, task) != task:
                raise ValueError(f"{where}: task: expected {catalog.ALIASES[task]!r} by its own name, received {shown(task)}")
    if content.get("diverged", "counted") != "counted":
        raise ValueError(f"diverged: expected 'counted', received {shown(content['diverged'])}")
    labels = [group["label"] for group in content["groups"]]
    if content.get("compare", labels[0]) not in labels:
        raise ValueError(f"compare: expected one of {', '.join(labels)}, received {shown(content['compare'])}")
    folders = [slug(group["label"]) for group in content["groups"]]
    if "" in folders or len(set(folders)) < len(folders):
        raise ValueError(f"groups: expected labels that differ in letters or digits (they name folders), received "
                         f"{shown([group['label'] for group in content['groups']])}")


def check_keys(where, found, kinds, needed):
    """Raise ValueError unless `found` is an object with the needed keys, no others than those of `kinds`, of these kinds."""
    if not isinstance(found, dict):
        raise ValueError(f"{where}: expected an object with {', '.join(needed)}, received {shown(found)}")
    for key, value in found.items():
        if key not in kinds:
            raise ValueError(f"{where}: expected keys among {', '.join(kinds)}, received {shown(key)}")
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise ValueError(f"{where}: {key}: expected {kind(kinds[key])}, received {shown(value)}")
    for key in needed:
        if key not in found:
            raise ValueError(f"{where}: expected an entry {key!r}, received only {', '.join(found) or 'none'}")


def kind(types):
    words = {str: "a text", list: "a list", int: "a whole number"}
    return " or ".join(words[each] for each in (types if isinstance(types, tuple) else (types,)))


def check_texts(where, values, least=0):
    if not all(isinstance(value, str) for value in values) or len(values) < least or len(set(values)) < len(values):
        raise ValueError(f"{where}: expected different texts{', at least one' if least else ''}, received {shown(values)}")


def tasks_of(group):
    return [group["task"]] if isinstance(group["task"], str) else group["task"]


def seeds_of(group):
    return list(range(group["seeds"])) if isinstance(group["seeds"], int) else group["seeds"]


def slug(label):
    """A label as part of a folder's name: 'PE + LS' -> 'pe-ls'."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def jobs(content, folder):
    """Every run of a spec, as plain dicts that may travel to another process or machine; `folder` is the sweep's."""
    folder = pathlib.Path(folder).absolute()
    return [{"group": group["label"], "model": group["model"], "task": task, "controller": group.get("controller"), "seed": seed,
             "set": group.get("set", []), "diverged": content.get("diverged", ""),
             "folder": str(folder / f"{slug(group['label'])}-{task}-{seed}")}
            for group in content["groups"] for task in tasks_of(group) for seed in seeds_of(group)]


def describe(content):
    """How much a spec trains, in a few words."""
    runs = jobs(content, ".")
    tasks = list(dict.fromkeys(run["task"] for run in runs))
    named = ", ".join(tasks) if len(tasks) < 4 else f"{tasks[0]} ... {tasks[-1]}"
    return f"{len(runs)} runs: {', '.join(dict.fromkeys(run['group'] for run in runs))}; {named}"
