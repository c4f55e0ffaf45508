"""Read a file of arrays (.npz) that may be damaged, or made to do harm.

np.load trusts what a file says of itself: a header of a hundred bytes may ask for terabytes, a member may be a pickle, which runs
code when it is opened. Here only plain arrays are read, and only as many bytes as are there.
"""

import math
import os
import zipfile

import numpy as np

KINDS = "biufU"                                   # bool, whole numbers, floats and texts; no objects, no records
READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_arrays(path):
    """{name: array} of a file that np.savez has written.

    raises  ValueError that says what is wrong, without the file's name; zipfile.BadZipFile; OSError if it cannot be opened
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = [member.filename.removesuffix(".npy") for member in members]
        if len(set(names)) < len(names):
            raise ValueError(f"expected arrays of different names, found {max(names, key=names.count)[:80]!r} twice")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED:      # np.savez does not compress: a bomb does
                raise ValueError(f"array {member.filename[:80]!r}: expected it as np.savez stores it, found it compressed")
        if sum(member.file_size for member in members) > os.path.getsize(path):
            raise ValueError("expected arrays that lie one after the other, found some that share their bytes")
        return {name: read_array(archive, member) for name, member in zip(names, members)}


def read_array(archive, member):
    """One array, if its header and its bytes agree."""
    where = f"array {member.filename[:80]!r}"
    with archive.open(member) as file:
        try:
            version = np.lib.format.read_magic(file)
            shape, fortran, dtype = READ_HEADER[version](file)
        except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError(f"{where}: expected an array, found something else ({type(error).__name__})") from error
        if dtype.kind not in KINDS or dtype.hasobject:
            raise ValueError(f"{where}: expected numbers or a text, found {str(dtype)[:80]}")
        data = file.read()
    whole = all(type(n) is int and n >= 0 for n in shape)
    if not whole or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{where}: expected the {len(data):,} bytes that are there, found the shape {str(shape)[:80]} of {dtype}")
    order = "F" if fortran else "C"
    return np.frombuffer(data, dtype, math.prod(shape)).reshape(shape, order=order).copy(order)
