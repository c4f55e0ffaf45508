"""Compiled code on disk, made safe: numba keeps an index and numbered files for each function, and this file guards them.

What numba by itself leaves open, and what is done about it here:
- Two processes that compile one function for other types at the same time may both take the number 1. Then the index names a file
  with the other's code. So one process at a time writes, and what is loaded must be for the types that were asked for.
- A process that is killed between index and file leaves an index that names no file, or an old one. The same check meets that.
- A damaged file ends the program with an error of `pickle`. Here it is compiled again and written over.
- On a full disk a function that has just been compiled is thrown away with an error. Here it is used, and one line says so.
- Where the folder is not writable numba falls back to __pycache__ or another folder, in which nothing notices an edit of another
  file. Here nothing is kept then.
"""

import contextlib
import pathlib

from numpymem import writing


def guard(compiled, folder, tell):
    """Guard what numba keeps of a compiled function in `folder`.

    tell     called with a reason if code cannot be kept
    returns  None, or the reason if numba would keep it elsewhere: then the function is not to be used
    """
    cache = compiled._cache
    if pathlib.Path(folder) not in pathlib.Path(cache.cache_path).parents:
        return f"a folder in {folder} is not writable"
    load, save = cache.load_overload, cache.save_overload

    def load_what_is_right(signature, context):
        try:
            found = load(signature, context)
        except Exception:                        # whatever pickle or LLVM makes of a damaged file
            with contextlib.suppress(OSError), writing.alone(folder, wait=True):
                cache.flush()
            return None
        return found if found is None or is_for(found, signature) else None

    def save_if_there_is_room(signature, data):
        try:
            with writing.alone(folder, wait=True):
                clear_parts(cache.cache_path)
                save(signature, data)
        except OSError as error:
            tell(str(error))
    cache.load_overload, cache.save_overload = load_what_is_right, save_if_there_is_room
    return None


def clear_parts(folder):
    """Delete what killed processes have left half written: numba writes NAME.tmp.RANDOM and then renames it."""
    for path in pathlib.Path(folder).glob("*.nb[ci].tmp.*"):
        path.unlink(missing_ok=True)


def is_for(found, signature):
    """Whether loaded code takes arguments of these types."""
    return tuple(found.signature.args) == tuple(getattr(signature, "args", signature))
