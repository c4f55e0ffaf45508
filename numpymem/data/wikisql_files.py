"""Read the WikiSQL files out of a folder or an archive, without unpacking anything to disk."""

import hashlib
from pathlib import Path

from .archives import read_archive

FOLDER = "wikisql"
ARCHIVES = ("wikisql.tar.xz", "wikisql.tar.gz")
# The files of the archive wikisql.tar.xz: questions and queries of the release, tables as normalised by TabFact
# (Chen et al. 2020, arXiv:1909.02164), which has 16,075 tables of the training part and none of the other two.
SHA256 = {
    "train.jsonl": "d0901e7c1c3807cf3afe34bacdc1ad76ce17298e9662b47e782ce990d125de49",
    "dev.jsonl": "fa0cca90929f100adcb2d14af93683124b99b48add7631ee401b4cee8fd2fae6",
    "test.jsonl": "34c4f6e1fe348ff9f80ccc3e079d889931c97a54da1493589f48ec0070e90edb",
    "tables.jsonl": "08b099eab49a1802c56e284dbf4befc39c5ca318945bc55a4c94442442b25265",
}


def read_files(root):
    """{name: bytes} of the four files, or None if any is missing.

    root     a .tar.gz or .tar.xz archive with the folder `wikisql`, or a folder that holds `wikisql`, or the files themselves,
             or one of ARCHIVES (looked for in this order)
    raises   ValueError if an archive is damaged
    """
    root = Path(root)
    if root.is_file():
        return _from_archive(root)
    for base in (root / FOLDER, root):
        if all((base / name).is_file() for name in SHA256):
            return {name: (base / name).read_bytes() for name in SHA256}
    for archive in ARCHIVES:
        if (root / archive).is_file():
            found = _from_archive(root / archive)
            if found:
                return found
    return None


def are_known(content):
    """True if the bytes are those of the archive that we know."""
    return all(hashlib.sha256(content[name]).hexdigest() == digest for name, digest in SHA256.items())


def _from_archive(path):
    found = read_archive(path, [f"{FOLDER}/{name}" for name in SHA256])
    return found and {Path(name).name: data for name, data in found.items()}
