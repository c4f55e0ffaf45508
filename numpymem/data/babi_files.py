"""Read bAbI files out of a folder or an archive, without unpacking anything to disk."""

import hashlib
from pathlib import Path

from .archives import read_archive
from .babi_format import TASKS
from .download import checksums

RELEASE = "tasks_1-20_v1-2"
FOLDERS = {"1k": "en", "10k": "en-10k"}
ARCHIVES = {
    "1k": ("babi-en.tar.xz", "babi-en.tar.gz", f"{RELEASE}.tar.gz"),
    "10k": ("babi-en-10k.tar.xz", "babi-en-10k.tar.gz", f"{RELEASE}.tar.gz"),
}

# 385 unchanged stories (1,925 questions) of the one file that is in no public copy we know of, and its checksum.
PARTIAL = "en-10k-partial/qa3_three-supporting-facts_train_partial.txt"
PARTIAL_SHA256 = "82096130c5043a794a9879bfebb5c1b84f6989bdde36f0fe5d613cfff23d1672"
# Of that missing file itself only the git blob id is known.
MISSING = "en-10k/qa3_three-supporting-facts_train.txt"
MISSING_GIT_ID = "9b2b35ca4357ea8ee44692c71ec71892edf51399"


def file_names(task, size):
    """("en/qa1_..._train.txt", "en/qa1_..._test.txt") of a task."""
    return tuple(f"{FOLDERS[size]}/{TASKS[task]}_{part}.txt" for part in ("train", "test"))


def read_files(root, names, size):
    """Contents of all the named files, or None if any is missing.

    root   a .tar.gz or .tar.xz archive, or a folder that holds `en/`, or `tasks_1-20_v1-2/en/`, or the files
           themselves, or one of the archives named in ARCHIVES (looked for in this order)
    names  such as "en/qa1_single-supporting-fact_train.txt"
    size   "1k" or "10k": which archives to look into
    returns {name: bytes}, in the order of `names`
    raises ValueError if an archive is damaged
    """
    root = Path(root)
    if root.is_file():
        return read_archive(root, names)
    for base in (root, root / RELEASE):
        if all((base / name).is_file() for name in names):
            return {name: (base / name).read_bytes() for name in names}
    flat = {name: root / Path(name).name for name in names}
    if all(path.is_file() for path in flat.values()):
        return {name: path.read_bytes() for name, path in flat.items()}
    for archive in ARCHIVES[size]:
        if (root / archive).is_file():
            found = read_archive(root / archive, names)
            if found:
                return found
    return None


def is_released(name, content):
    """True if the bytes are those of release 1.2 (CRLF line ends are forgiven)."""
    content = content.replace(b"\r\n", b"\n")
    if name == MISSING:
        # git names a file by the SHA-1 of its length and content; here it identifies, it does not protect.
        blob = b"blob %d\0" % len(content) + content
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == MISSING_GIT_ID
    expected = PARTIAL_SHA256 if name == PARTIAL else checksums().get(name)
    return hashlib.sha256(content).hexdigest() == expected
