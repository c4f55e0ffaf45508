"""One broken input after another: what came of it, and what no reader may do."""

import collections
import pathlib
import re
import shutil
import signal
import time
import traceback
import warnings

import numpy as np

from .damage import NONE
from .guard import Guard

LONGEST = 30                                      # seconds for a case
LONGEST_MESSAGE = 700                             # characters
REFUSALS = (ValueError, OSError, FloatingPointError)
KEPT = 5                                          # examples of each kind of trouble


class TooLong(BaseException):
    """A case took more than LONGEST seconds."""


def fuzz(readers, count, seed, folder, keep=None):
    """Try `count` inputs -> {reader: {"inputs", "accepted", "refused", "kinds", "troubles"}}."""
    shares = sum(reader.share for reader in readers)
    return {reader.name: try_reader(reader, max(1, round(count * reader.share / shares)), seed, pathlib.Path(folder))
            for reader in readers if keep is None or keep in reader.name}


def try_reader(reader, count, seed, folder):
    found = {"inputs": count, "accepted": 0, "refused": 0, "seconds": 0.0, "slowest": 0.0,
             "kinds": collections.defaultdict(lambda: {"inputs": 0, "accepted": 0, "refused": 0}), "troubles": [], "examples": []}
    for number in range(count):
        kind, outcome, said, seconds = one(reader, [seed, number, *reader.name.encode()], folder / "case")
        of_kind = found["kinds"][kind]
        of_kind["inputs"] += 1
        if outcome in ("accepted", "refused"):
            found[outcome] += 1
            of_kind[outcome] += 1
        else:
            found["troubles"].append({"number": number, "kind": kind, "what": outcome, "said": said})
        if outcome == "refused" and of_kind["refused"] == 1:
            found["examples"].append({"number": number, "kind": kind, "said": said})
        found["seconds"] += seconds
        found["slowest"] = max(found["slowest"], seconds)
    found["kinds"] = dict(sorted(found["kinds"].items()))
    return found


def one(reader, seed, folder):
    """One case -> (kind of damage, outcome, message, seconds): accepted, refused, or what went wrong."""
    if folder.exists():
        shutil.rmtree(folder)
    target, beside = folder / "target", folder / "outside"
    target.mkdir(parents=True)
    beside.mkdir()
    kind, call, names = reader.case(np.random.default_rng(seed), target)
    outcome, said, started = "accepted", "", time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")           # overflow in a cast: the result is looked at, not the warning
        with Guard(target) as seen:
            alarm_in(LONGEST)
            try:
                call()
            except REFUSALS as error:
                outcome, said = "refused", str(error)
                wrong = unclear(said, names, reader.place)
                if wrong:
                    outcome, said = wrong, f"{type(error).__name__}: {said}"
            except TooLong:
                outcome = f"more than {LONGEST} s"
            except BaseException as error:        # whatever it is: no reader may end so
                outcome, said = f"raises {type(error).__name__}", _where(error)
            finally:
                alarm_in(0)
    seconds = time.perf_counter() - started
    if seen:
        outcome, said = "does what it may not", "; ".join(seen[:3])
    elif outcome == "refused" and NONE in kind and not reader.pinned:
        outcome = "refuses good input"
    elif (target / "unpickled").exists() or any(beside.iterdir()):
        outcome = "has unpickled or written outside"
    return kind, outcome, said.replace(str(target), "FOLDER"), seconds


def unclear(said, names, place):
    """What is wrong with an error message; '' if nothing is."""
    if not any(name in said for name in names):
        return "does not name the file or setting"
    if place and not re.search(place, said):
        return "does not say where in the file"
    if len(said.replace(str(pathlib.Path(said.split(": ")[0]).parent), "")) > LONGEST_MESSAGE:
        return "a message too long"
    if not said.isprintable():
        return "a message that is not one line of text"
    return ""


def alarm_in(seconds):
    """TooLong after so many seconds; 0: never mind. Windows knows no such alarm."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _stop(*_):
    raise TooLong


def _where(error):
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{error!r:.200} at {pathlib.Path(last.filename).name}:{last.lineno}"
