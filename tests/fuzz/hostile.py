"""Archives and array files that somebody made to do harm: members that would lie outside, links, bombs, pickles."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile

import numpy as np

from .damage import NONE, pick

PACK = {"gz": lambda data: gzip.compress(data, 1, mtime=0), "xz": lambda data: lzma.compress(data, preset=0),
        "bz2": lambda data: bz2.compress(data, 1), "plain": bytes}
OUTSIDE = ("../outside", "../../outside", "/outside-of-everything", "a/../../outside", "..\\outside", "C:/outside")
BOMB = 3 << 30                                    # bytes that a bomb says it has, or unpacks to


class Evil:
    """Unpickled, it makes a file: if one is there afterwards, something has been unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


# ---- tar -----------------------------------------------------------------------------------------------------------------

def packed(rng, data):
    return PACK[pick(rng, ("gz", "xz", "plain", "bz2"))](data)


def tar(files, before=(), after=()):
    """A tar of {name: bytes}, with extra (TarInfo, bytes) before and after."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, content in (*before, *((_info(name, len(data)), data) for name, data in files.items()), *after):
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _info(name, size=0, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def whole(rng, files):
    """Nothing wrong with it."""
    return packed(rng, tar(files))


def outside(rng, files):
    """Some members would lie outside of the folder; some of them are called as those that are looked for."""
    name = pick(rng, OUTSIDE)
    wanted = [(_info(f"{name}/{file}", len(data)), data) for file, data in files.items()]
    return packed(rng, tar(files if rng.random() < 0.5 else {}, before=wanted))


def linked(rng, files):
    """A member that is looked for is a link, a device or a folder."""
    kind = pick(rng, (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE,
                      b"Z"))
    name = pick(rng, list(files))
    link = pick(rng, ("/etc/hosts", "../outside", name, next(iter(files)), "missing"))
    rest = {file: data for file, data in files.items() if file != name}
    return packed(rng, tar(rest, before=[(_info(name, 0, kind, link), b"")]))


def bomb(rng, files):
    """Some megabytes of nothing packed small, and a header that says there are gigabytes: of a member, a name, an extra header."""
    name = pick(rng, (next(iter(files)), "zeros.bin"))
    kind = pick(rng, (tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGLINK))
    header = _info(name, pick(rng, (BOMB, 1 << 40, 200 << 20)), kind).tobuf(tarfile.GNU_FORMAT)
    zeros = int(rng.integers(1, 80)) << 20
    return gzip.compress(header + bytes(zeros), 1, mtime=0) + PACK["gz"](tar(files))


def strange_header(rng, files):
    """A header with a size below zero, a wrong checksum, no name, a very long one, or texts that are no text."""
    data = bytearray(tar(files))
    at = pick(rng, [at for at in range(0, len(data), 512) if data[at + 257:at + 262] == b"ustar"])
    field, size = pick(rng, ((0, 100), (124, 12), (124, 12), (124, 12), (148, 8), (156, 1), (157, 100), (345, 155)))
    data[at + field:at + field + size] = pick(rng, (b"\xff" * size, b"7" * size, b"\x80" + bytes(size - 1), rng.bytes(size),
                                                    bytes(size),
                                                    b"-1".ljust(size, b"\0")[:size]))
    if rng.random() < 0.8:                        # as if it were meant
        head = data[at:at + 148] + b" " * 8 + data[at + 156:at + 512]
        data[at + 148:at + 156] = b"%06o\0 " % sum(head)
    return packed(rng, bytes(data))


def extended(rng, files):
    """Pax headers that lie about sizes, names and encodings."""
    out = io.BytesIO()
    values = {"size": pick(rng, ("-512", "-1", "99999999999", "x", "1e3", "nan")), "path": pick(rng, OUTSIDE), "charset": "x",
              "hdrcharset": "BINARY", "GNU.sparse.map": pick(rng, ("0,1,x", "0," * 9, "-1,-1")), "GNU.sparse.size": "9" * 30,
              "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "mtime": "x", "uid": "-1"}
    chosen = {key: values[key] for key in rng.choice(list(values), int(rng.integers(1, 4)), replace=False)}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = _info(name, len(data))
            info.pax_headers = chosen
            archive.addfile(info, io.BytesIO(data))
    return packed(rng, out.getvalue())


def other_archive(rng, files):
    """A zip, packed twice, or no archive at all."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return pick(rng, (out.getvalue(), packed(rng, packed(rng, tar(files))), tar({}), packed(rng, b""), next(iter(files.values()))))


ARCHIVES = {NONE: whole, "members outside": outside, "links and devices": linked, "bombs": bomb, "strange headers": strange_header,
            "lying pax headers": extended, "another archive": other_archive}


# ---- npz -----------------------------------------------------------------------------------------------------------------

def npz(members, compression=zipfile.ZIP_STORED):
    """A zip of [(name, bytes)]."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return out.getvalue()


def npy(array, allow_pickle=False):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), allow_pickle=allow_pickle)
    return out.getvalue()


def header(shape, descr="<f4", data=b""):
    """An .npy whose header says what we like."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"shape": shape, "fortran_order": False, "descr": descr})
    return out.getvalue() + data


def pickles(rng, arrays, evil):
    """A pickle that would make a folder: as an array of objects, as a bare member, as the whole file."""
    objects = np.array([Evil(evil), 1], object)
    hurt = npy(objects, allow_pickle=True)
    raw = hurt[hurt.index(b"\n") + 1:]
    members = [(f"{name}.npy", npy(value)) for name, value in arrays.items()]
    name = pick(rng, [name for name, _ in members])
    swapped = [(other, hurt if other == name else data) for other, data in members]
    bare = [(other, raw if other == name else data) for other, data in members]
    return pick(rng, (npz(swapped), npz(bare), hurt, raw, npz([*members, ("extra.npy", hurt)]),
                      npz([("facts.npy", hurt), *members])))


def unharmed(rng, arrays, evil):
    """As np.savez would write it."""
    return npz([(f"{name}.npy", npy(value)) for name, value in arrays.items()])


def other_kinds(rng, arrays, evil):
    """An array has another dtype or another shape, or holds no numbers."""
    arrays, name = dict(arrays), pick(rng, list(arrays))
    value = arrays[name]
    arrays[name] = pick(rng, (
        lambda: value.astype(str), lambda: np.zeros(value.shape, np.complex128), lambda: np.zeros(value.shape, np.int64),
        lambda: np.zeros(value.shape, np.float16), lambda: np.zeros(value.shape, bool), lambda: np.zeros(value.shape, "M8[s]"),
        lambda: np.zeros((*value.shape, 2), np.float32), lambda: np.zeros(value.shape[:-1], np.float32), lambda: np.zeros(0),
        lambda: np.zeros(value.shape, "S3"), lambda: np.zeros(value.shape, [("a", "<f4"), ("b", "<i4")]),
        lambda: np.zeros(value.shape, ">f8"),
        lambda: np.full(value.shape, np.nan, np.float32), lambda: np.full(value.shape, -3.0, np.float32)))()
    return unharmed(rng, arrays, evil)


def names_changed(rng, arrays, evil):
    """Arrays that are missing, come twice, have strange names or would lie outside."""
    members = [(f"{name}.npy", npy(value)) for name, value in arrays.items()]
    at = int(rng.integers(len(members)))
    name, data = members[at]
    other = pick(rng, (f"../{name}", f"/{name}", name + "/x.npy", "", "x", name.split("/")[0] + ".npy", "\u00e9.npy",
                       "params/" * 400 + "x.npy",
                       name.upper(), "facts.npy", name.removesuffix(".npy"), "..npy", "//.npy"))
    return npz(pick(rng, (members[:at] + members[at + 1:], [*members, (name, data)], [*members, (other, data)],
                          [(other, data) if k == at else member for k, member in enumerate(members)])))


def sizes_lied(rng, arrays, evil):
    """A header that says an array is larger or smaller than it is; a bomb; a header that is none."""
    members = [(f"{name}.npy", npy(value)) for name, value in arrays.items()]
    at = int(rng.integers(len(members)))
    name, data = members[at]
    shape = pick(rng, ((1 << 40,), (1 << 31, 1 << 31), (-1,), (3,), (), (10 ** 9,), (1 << 62, 4), (0,), (2.5,), (True,)))
    lie = pick(rng, (lambda: header(shape, data=data[128:]), lambda: header(shape, "<U900000000"), lambda: data[:-1],
                     lambda: data + b"more",
                     lambda: b"\x93NUMPY" + rng.bytes(60), lambda: data.replace(b"'descr'", b"'descr' "),
                     lambda: header((4,), "|O", b"x" * 40),
                     lambda: data.replace(b"'descr': '<f4'", b"'descr': open('x','w')"), lambda: bytes(80 << 20)))()
    members[at] = (name, lie)
    return npz(members, pick(rng, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)))


def facts_changed(rng, arrays, evil):
    """The facts are no JSON, or very deep, or no object."""
    said = pick(rng, ("", "[" * 100_000, "{", "null", "[]", "3", '"x"', "NaN", json.dumps({"facts": 1}), "9" * 5000,
                      '{"done": 1e999}'))
    return unharmed(rng, arrays | {"facts": np.array(said)}, evil)


NPZ = {NONE: unharmed, "pickles": pickles, "other dtype or shape": other_kinds, "other names": names_changed,
       "lying sizes": sizes_lied,
       "other facts": facts_changed}
