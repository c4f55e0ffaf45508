"""Download bAbI files one by one from a pinned public copy, each checked against its SHA-256.

Environment:
    NUMPYMEM_OFFLINE=1   never touch the network
    NUMPYMEM_CACHE       folder to keep downloads in (default: the user's cache folder)
    NUMPYMEM_BABI_URL    another place to download from; it must serve "en/qa1_single-supporting-fact_train.txt" etc.
"""

import os
import sys
from functools import lru_cache
from pathlib import Path

import pooch

from numpymem import writing

from .transfer import DownloadError, transfer

# The release (CC BY 3.0, Facebook) as two public repositories carry it, each at a fixed commit.  The second is asked
# only where the first answers that it has no such file.  The checksums make any source equally safe.
HOST = "https://raw.githubusercontent.com/"
BASE_URLS = (
    HOST + "siddk/entity-network/b18fbb7c749e98192a77132af9e537e399ac24c7/tasks/",
    HOST + "ethancaballero/Improved-Dynamic-Memory-Networks-DMN-plus/"
           "504e0d03c8a6a80a36008c1e556e0abcfe82516a/data/tasks_1-20_v1-2/",
)


def fetch(relative_path):
    """Path of one released bAbI file in the cache, downloaded if it is not there yet.

    relative_path  such as "en/qa1_single-supporting-fact_train.txt" (the names in babi_sha256.txt)
    returns        pathlib.Path of a file whose SHA-256 is right
    raises         ValueError for a name that is not in the list; DownloadError if the file cannot be had

    A file in the cache with a wrong checksum is deleted and downloaded again.  A download with a wrong checksum is
    deleted, never used.
    """
    digest = checksums().get(relative_path)
    if digest is None:
        raise ValueError(f"relative_path: expected one of the {len(checksums())} files of the pinned bAbI copy, "
                         f"such as 'en/qa1_single-supporting-fact_train.txt'; received {relative_path!r}")
    path = cache_folder() / "babi-v1.2" / relative_path
    if path.is_file():
        if pooch.file_hash(path) == digest:
            return path
        path.unlink()
    if offline():
        raise DownloadError(f"bAbI {relative_path} is not in the cache, and NUMPYMEM_OFFLINE forbids to download it")
    if writing.homeless(path):
        raise DownloadError(f"bAbI {relative_path} has no place: no home directory is known; set NUMPYMEM_CACHE to a folder for it")
    for base in base_urls():
        if _download(base + relative_path, path, digest):
            return path
    raise DownloadError(f"bAbI {relative_path}: not found (404) at {' nor at '.join(base_urls())}")


def cache_folder():
    """Folder for downloads: NUMPYMEM_CACHE, or the user's cache folder of this system."""
    return writing.cache()


def offline():
    """True where NUMPYMEM_OFFLINE forbids to use the network."""
    return os.environ.get("NUMPYMEM_OFFLINE", "") not in ("", "0")


def base_urls():
    """Where to download from, each ending with "/"; ValueError if NUMPYMEM_BABI_URL is no web address."""
    own = os.environ.get("NUMPYMEM_BABI_URL")
    if not own:
        return BASE_URLS
    if not own.startswith(("http://", "https://")):
        raise ValueError(f"NUMPYMEM_BABI_URL: expected an address with http:// or https://, received {own!r}")
    return (own.rstrip("/") + "/",)


@lru_cache(maxsize=1)
def checksums():
    """{relative path: SHA-256} of the released files, from babi_sha256.txt."""
    lines = Path(__file__).with_name("babi_sha256.txt").read_text(encoding="ascii").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {path: digest for digest, path in pairs}


def _download(url, path, digest):
    """Download to path and check.  True: done.  False: the server has no such file.  Otherwise DownloadError."""
    print(f"downloading {url}\n         to {path}", file=sys.stderr)
    return transfer(url, path, digest)
