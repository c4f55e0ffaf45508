"""Read files out of a tar archive in memory. Nothing is ever unpacked to disk, whatever the archive holds.

An archive from a stranger may hold members that would lie outside the folder, links, and bombs: a few bytes that unpack to
gigabytes. Here paths are only compared, never used; links are passed over; and what is unpacked is counted.
"""

import bz2
import gzip
import lzma
import tarfile
import zlib

from numpymem.received import one_line

# The largest released file has 5.3 MB; more than this in an archive is not ours.
MAX_BYTES = 64_000_000
MAX_TOTAL = 1_000_000_000                         # of a whole archive, unpacked; the whole release of bAbI has some 200 MB
MAX_MEMBERS = 20_000
CHUNK = 1 << 20
PACKED = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\0": lzma.open, b"BZh": bz2.open}
# tarfile lets through what its parts raise where a header is no header.
DAMAGED = (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, ValueError, OverflowError, TypeError, KeyError, IndexError,
           AttributeError, RecursionError, MemoryError)


class TooLarge(Exception):
    """An archive holds more than any of ours does."""


class Unpacked:
    """What an archive unpacks to, as tarfile wants to read it: forwards only, and never more than the limits above.

    tarfile reads names and extra headers of whatever size a header says, in one piece or (Python 3.14) in pieces of a MB, and goes
    backwards where a size is below zero; all three end here.
    """

    def __init__(self, file):
        self.file, self.at, self.in_a_row = file, 0, 0             # in_a_row: bytes read since the last seek

    def tell(self):
        return self.at

    def read(self, n):
        if n > MAX_BYTES:
            raise TooLarge(f"expected members of at most {MAX_BYTES:,} bytes, found one of {n:,}")
        if n < 0:
            raise tarfile.ReadError(f"a size of {n}")
        data = self.file.read(n)
        self.at += len(data)
        self.in_a_row += len(data)
        if self.in_a_row > MAX_BYTES + CHUNK:                      # the headers between members come without a seek
            raise TooLarge(f"expected members of at most {MAX_BYTES:,} bytes, found a longer one")
        if self.at > MAX_TOTAL:
            raise TooLarge(f"expected at most {MAX_TOTAL:,} bytes in all, found more")
        return data

    def seek(self, to):
        if to < self.at:
            raise tarfile.ReadError("a header points backwards")
        self.in_a_row = 0
        while self.at < to and self.read(min(CHUNK, to - self.at)):
            self.in_a_row = 0                                      # what is passed over is not kept


def read_archive(path, names):
    """Contents of all the named files, or None if any is missing.

    path     a .tar, .tar.gz, .tar.bz2 or .tar.xz archive
    names    such as "en/qa1_single-supporting-fact_train.txt"; in the archive they may lie in further folders
    returns  {name: bytes}, in the order of `names`
    raises   ValueError naming the archive if it is damaged, or holds more than the limits above
    """
    try:
        with unpacking(path) as file, tarfile.open(fileobj=Unpacked(file), mode="r:") as archive:
            return _members(archive, names)
    except TooLarge as error:
        raise ValueError(f"{path}: {error}") from error
    except DAMAGED as error:
        raise ValueError(f"{path}: expected a .tar.gz or .tar.xz archive, cannot read it: {_said(error)}") from error
    except OSError as error:
        if error.errno is not None:               # the disk's, not the archive's
            raise
        raise ValueError(f"{path}: expected a .tar.gz or .tar.xz archive, cannot read it: {_said(error)}") from error


def unpacking(path):
    """The file, opened by what it begins with."""
    with open(path, "rb") as file:
        start = file.read(6)
    open_it = next((open_it for magic, open_it in PACKED.items() if start.startswith(magic)), open)
    return open_it(path, "rb")


def _members(archive, names):
    found = {}
    for number, member in enumerate(archive, start=1):
        if number > MAX_MEMBERS:
            raise TooLarge(f"expected at most {MAX_MEMBERS:,} members, found more")
        name = next((n for n in names if f"/{member.name}".endswith(f"/{n}")), None)
        if name is None or not member.isfile():
            continue
        if not 0 <= member.size <= MAX_BYTES:
            raise TooLarge(f"expected a member of at most {MAX_BYTES:,} bytes, found {member.name[-60:]!r} with {member.size:,}")
        found[name] = archive.extractfile(member).read()
        if len(found) == len(names):
            return {name: found[name] for name in names}        # an archive has its own order
    return None


def _said(error):
    return one_line(error) or type(error).__name__
