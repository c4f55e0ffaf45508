"""MetaQA, questions about films that need facts of a knowledge base: find the real files, or make up some of the same shape.

    entities, relations, facts, train, test, origin = load(hops=1)

Real data: the knowledge base of WikiMovies (Miller et al. 2016, arXiv:1606.03126) and the questions of MetaQA (Zhang et al. 2018,
arXiv:1709.04071), one archive, metaqa.tar.xz. It has 129,659 of the 134,741 published facts and the official dev and test
questions, not the training questions: TRAIN ON DEV, TEST ON TEST, and say so next to any number; it is not the published protocol.
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import metaqa_made
from .archives import read_archive
from .babi import SOURCES, search_places
from .metaqa_format import parse_facts, parse_names, parse_questions

ARCHIVE = "metaqa.tar.xz"
SHA256 = {                                        # of the files in the archive
    "entities.txt": "38cf2aa95b92abb718207c63622334bde2231d345651eb5a64fed4acee428f17",
    "relations.txt": "da3f5b4897196c8411e641cef7c45fb85d701a13844fc3ed75e8f2eecd380b28",
    "kb_ids.tsv": "46bf63d3b8129743349cdf4c9e963c3490375e8435afc793184c20179a492d68",
    "1hop_dev.tsv": "868a3dec2aec7f8355dca5e75ebc742e530ffe06df4bb20a862c01111b933a95",
    "1hop_test.tsv": "c2e7ec3b8cc7a647ece9c6d90ce0f388a94595cbcaa85de4c5779f07fb45326c",
    "2hop_dev.tsv": "106eef1801ee171ff0a7df743594845dd1e00a546e18188994e8ceaef8136d74",
    "2hop_test.tsv": "68dc5b250068f6fb3e40fe8e8ad4c391e4bcafdd5883bd0efe50be59b24e923e",
}
HOPS = (1, 2)


class MetaQAData(NamedTuple):
    entities: list        # of names
    relations: list       # of names
    facts: np.ndarray     # (F, 3) int32: subject, relation, object by number
    train: list           # of Question, in file order
    test: list            # of Question
    origin: str           # where they come from, in one line


def load(hops=1, source="auto", folder=None):
    """The knowledge base, and the questions that need so many facts.

    hops     1 or 2
    source   "real": the files or an error; "generated": `metaqa_made`; "auto": real if they can be found, otherwise generated
    folder   a folder with metaqa.tar.xz, or the archive
    returns  MetaQAData
    raises   ValueError for a wrong argument or a file with a wrong checksum; FileNotFoundError if there is no such data, saying
             what to do

    The archive is looked for in `folder`, and if it is given nowhere else. Otherwise in the places of `babi.search_places`:
    NUMPYMEM_DATA, `../shared/data` beside the package, the cache folder. There is no public address to download it from.
    """
    check(hops, source, folder)
    if source == "generated":
        return generated(hops, "as asked for")
    if folder is not None:
        found = read("the folder given", Path(folder).expanduser(), hops)
        if found is None:
            raise FileNotFoundError(f"folder: expected {ARCHIVE} in {folder}, found none")
        return found
    places = search_places()
    found = next(filter(None, (read(*place, hops) for place in places)), None)
    if found is None and source == "real":
        looked = ", ".join(f"{place.label} ({place.path})" for place in places)
        raise FileNotFoundError(f"no real MetaQA data: set NUMPYMEM_DATA=DIR, or give --set folder=DIR (a folder with {ARCHIVE}), "
                                f"or take made-up questions: --set source=generated. Looked in {looked}")
    return found or generated(hops, "no real data found")


def check(hops, source, folder):
    """Refuse wrong arguments of `load`."""
    if isinstance(hops, bool) or hops not in HOPS:
        raise ValueError(f"hops: expected 1 or 2, received {hops!r}")
    if source not in SOURCES:
        raise ValueError(f"source: expected one of {SOURCES}, received {source!r}")
    if not (folder is None or isinstance(folder, (str, os.PathLike))):
        raise ValueError(f"folder: expected a path, received {folder!r}")


def read(label, path, hops):
    """The data in an archive, or in a folder that holds it; None if it is not there. Nothing is unpacked to disk."""
    archive = path if path.is_file() else path / ARCHIVE
    names = ["entities.txt", "relations.txt", "kb_ids.tsv", f"{hops}hop_dev.tsv", f"{hops}hop_test.tsv"]
    found = read_archive(archive, [f"metaqa/{name}" for name in names]) if archive.is_file() else None
    if found is None:
        return None
    content = dict(zip(names, found.values()))
    for name in names:
        digest = hashlib.sha256(content[name]).hexdigest()
        if digest != SHA256[name]:
            raise ValueError(f"{archive}: {name}: wrong checksum, expected SHA-256 {SHA256[name]}, found {digest}")
    entities, relations = (parse_names(content[name], name) for name in names[:2])
    facts = parse_facts(content["kb_ids.tsv"], "kb_ids.tsv", len(entities), len(relations))
    numbers = {name: number for number, name in enumerate(entities)}
    train, test = (parse_questions(content[name], name, numbers) for name in names[3:])
    return MetaQAData(entities, relations, facts, train, test,
                      f"real MetaQA, {hops}-hop questions, dev for training and test (checksums verified), from {label}")


def generated(hops, reason):
    """Made-up data."""
    made = metaqa_made.generate(hops, np.random.default_rng(0))
    return MetaQAData(*made, f"GENERATED MetaQA-like data, {hops}-hop questions: {reason}; results are not comparable with "
                             "published ones")
