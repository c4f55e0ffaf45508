"""What a training, a sweep, a download and the compiler do where they cannot write, and where another process is at work.

Each case returns what was said, as the last line of stderr of each command, and raises AssertionError for what should not be.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time

from . import forks, places
from .commands import STEP, environment, finish, start
from .downloads import served
from .runs import WORKS, told

WORK = next(iter(WORKS))
RUNNING = "train", *WORKS[WORK][:2]
NEW = ("--seed", 1, *(word for pair in WORKS[WORK][2] for word in ("--set", pair)))
SLOW = "import time; from numpymem.training import Training as T; step = T.step; " \
    "T.step = lambda self: (time.sleep(0.02), step(self))[1]; from numpymem import cli; raise SystemExit(cli.main())"


def meet(case, folder):
    """Run a case in a new folder -> {"how", "said", "seconds", "failures"}."""
    folder.mkdir()
    began, how, failures, said = time.perf_counter(), "", [], []
    try:
        how = case(folder, said)
    except places.Unavailable as error:
        how = f"not to be had here: {error}"
    except AssertionError as error:
        failures = [plain(str(error), folder)]
    return {"how": how, "said": [plain(line, folder) for line in said], "failures": failures,
            "seconds": round(time.perf_counter() - began, 1)}


def plain(words, folder):
    """Without what differs from run to run and from machine to machine."""
    for pattern, instead in ((re.escape(str(folder)), "FOLDER"), (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
                             (r"process \(\d+\)", "process (ID)"), (r"kernels-[0-9a-f]{12}", "kernels-HASH")):
        words = re.sub(pattern, instead, words)
    return words


# ---- commands ---------------------------------------------------------------------------------------------------------------

def command(folder, *arguments, code=0, words=(), said=None, **settings):
    """`python -m numpymem ...` to its end. Checks its exit code and, if it should fail, that its error is one line with the words;
    that line goes to `said`."""
    settings = {"NUMPYMEM_JIT": 0} | settings
    found, out, err = finish(start(["-m", "numpymem", *arguments], folder, **settings))
    check(found == code, f"{arguments[0]}: exit {found} instead of {code}: {err[-500:]}")
    errors = [line for line in err.replace("\r", "\n").splitlines() if line.startswith("python -m numpymem")]
    check("Traceback" not in err, f"{arguments[0]}: a traceback: {err[-500:]}")
    check(len(errors) == (code != 0), f"{arguments[0]}: expected one line of error, received {errors or err[-500:]}")
    check(all(word in (errors or [err])[0] for word in words), f"{arguments[0]}: expected {words} in {errors or err[-500:]}")
    if said is not None:
        said += errors or [line for line in err.splitlines() if all(word in line for word in words)][:1]
    return out


def check(right, words):
    if not right:
        raise AssertionError(words)


def undisturbed(folder):
    """What the run comes to if nothing happens to it."""
    command(folder, *RUNNING, *NEW, "--run", folder / "whole")
    return told(folder / "whole")


def same(run, whole):
    check(told(run) == whole, "other numbers than the undisturbed run")


# ---- a full disk --------------------------------------------------------------------------------------------------------------

def full_while_training(folder, said):
    """Room for one checkpoint, not for the second beside it."""
    whole = undisturbed(folder)
    with places.small_disk(folder / "disk", 48) as resize:
        run = folder / "disk/r"
        command(folder, *RUNNING, *NEW, "--run", run, code=2, said=said,
                words=("checkpoint.npz: cannot be written: No space left on device; make room", "--resume goes on"))
        check(sorted(os.listdir(run)) == [".lock", "checkpoint.npz", "config.json", "metrics.jsonl"], f"left: {os.listdir(run)}")
        resize(4000)
        command(folder, *RUNNING, "--run", run, "--resume")
        same(run, whole)
    return "a disk of 48 KiB; afterwards 4 MB, --resume, the numbers of the undisturbed run"


def full_at_once(folder, said):
    """No room for anything."""
    with places.small_disk(folder / "disk", 4) as resize:
        (folder / "disk/r").mkdir()
        (folder / "disk/filled").write_bytes(bytes(4096))
        command(folder, *RUNNING, *NEW, "--run", folder / "disk/r", code=2, said=said, words=("config.json: cannot be written",))
        check(not (folder / "disk/r/config.json").exists(), "half a config is left")
        resize(4000)
        command(folder, *RUNNING, *NEW, "--run", folder / "disk/r")
    return "a disk with no room; afterwards 4 MB, the same command again"


def full_in_a_sweep(folder, said):
    from sweep_tools import figures, write_spec
    write_spec(folder)
    command(folder, "sweep", "small.json", "--jobs", 2, "--run", "whole")
    with places.small_disk(folder / "disk", 100) as resize:
        command(folder, "sweep", "small.json", "--jobs", 2, "--run", "disk/s", code=2, said=said, words=("No space left",))
        errors = [path.name for path in (folder / "disk/s").glob("*/error.txt")]
        check(not errors, "a full disk counts as a failed run")
        resize(8000)
        command(folder, "sweep", "small.json", "--jobs", 2, "--run", "disk/s", "--resume")
        check(figures(folder / "disk/s") == figures(folder / "whole"), "other figures than the undisturbed sweep")
    return "a disk of 100 KiB; afterwards 8 MB, --resume, the figures of the undisturbed sweep"


def full_cache(folder, said):
    expected = undisturbed_steps(folder)
    with places.small_disk(folder / "disk", 60):
        out, err = steps(folder, folder / "disk")
        check(out == expected, "other numbers")
        said += lines(err, "compiled code cannot be kept")
    return "a disk of 60 KiB for compiled code: compiled and used, not kept, the same numbers"


def full_while_downloading(folder, said):
    with places.small_disk(folder / "disk", 100) as resize, served() as settings:
        got = fetch(folder, settings | {"NUMPYMEM_CACHE": folder / "disk"})
        check(got.returncode == 1, "a download to a full disk")
        said += got.stderr.splitlines()[-1:]
        check("No space left" in said[-1], f"expected the reason in {said[-1]}")
        left = [path.name for path in (folder / "disk").rglob("*") if path.is_file()]
        check(not left, f"left: {left}")
        resize(4000)
        check(fetch(folder, settings | {"NUMPYMEM_CACHE": folder / "disk"}).returncode == 0, "a download with room")
    return "a disk of 100 KiB for a file of 200; afterwards 4 MB, whole"


def fetch(folder, settings):
    """Download in a process of its own, and say in one line what went wrong."""
    code = "\n".join([
        "import hashlib, sys", "from numpymem.data import download", "from tests.faults.downloads import CONTENT, NAME",
        "download.checksums = lambda: {NAME: hashlib.sha256(CONTENT).hexdigest()}",
        "try:", "    sys.exit(download.fetch(NAME).read_bytes() != CONTENT)",
        "except OSError as error:", "    print(f'{type(error).__name__}: {error}', file=sys.stderr)", "    sys.exit(1)"])
    settings = {"NUMPYMEM_OFFLINE": 0} | settings
    return subprocess.run([sys.executable, "-c", code], env=environment(**settings), cwd=folder, capture_output=True, text=True)


# ---- read-only ----------------------------------------------------------------------------------------------------------------

def read_only_run(folder, said):
    from sweep_tools import write_spec
    write_spec(folder)
    command(folder, *RUNNING, *NEW, "--run", folder / "r", "--sequences", 80)
    looked = command(folder, "eval", "r", "--length", 2, "--count", 2, "--json")
    with places.read_only(folder / "ro", folder / "r"):
        check(command(folder, "eval", "ro", "--length", 2, "--count", 2, "--json") == looked, "eval says something else")
        command(folder, *RUNNING, "--run", "ro", "--resume", code=2, said=said, words=("ro: cannot be written: Read-only file",))
        command(folder, *RUNNING, *NEW, "--run", "ro/new", code=2, said=said, words=("ro/new: cannot be written",))
        command(folder, "sweep", "small.json", "--run", "ro/sweep", code=2, said=said, words=("ro/sweep: cannot be written",))
    return "a read-only bind mount; eval works there"


def read_only_modes(folder, said):
    command(folder, *RUNNING, *NEW, "--run", folder / "r", "--sequences", 80)
    for path in folder.glob("r/*"):
        path.chmod(0o444)
    (folder / "r").chmod(0o555)
    command(folder, "eval", "r", "--length", 2, "--count", 2, plain=True)
    command(folder, *RUNNING, "--run", "r", "--resume", code=2, said=said, plain=True,
            words=("r: cannot be written: Permission denied; name a place that you may write to",))
    return "a folder with mode 555 and a process without root's right to ignore that; eval works there"


def cache_not_writable(folder, said):
    expected = undisturbed_steps(folder)
    (folder / "closed").mkdir()
    (folder / "closed").chmod(0o555)
    out, err = steps(folder, folder / "closed", plain=True)
    check(out == expected, "other numbers")
    said += lines(err, "compiled code cannot be kept")
    check(not list((folder / "closed").iterdir()), "something was written")
    return "mode 555: compiled and used, not kept, the same numbers"


def no_home(folder, said):
    expected = undisturbed_steps(folder)
    out, err = steps(folder, None, HOME="/dev/null/nobody", plain=True)
    check(out == expected, "other numbers")
    said += lines(err, "compiled code cannot be kept")
    command(folder, *RUNNING, *NEW, "--run", "r", HOME="/dev/null/nobody", NUMPYMEM_CACHE="", plain=True)
    command(folder, "doctor", HOME="/dev/null/nobody", NUMPYMEM_CACHE="", plain=True)
    check(not (folder / "~").exists(), "a folder named ~")
    return "HOME is a path that cannot be made: compiled and used, not kept, the same numbers; train and doctor work"


def nobody(folder, said):
    """A process of a user whom the system does not know, without HOME: in a child that imports nothing more."""
    from numpymem import kernel, runs
    from numpymem.data import download
    download.checksums()                          # what is imported or read once
    runs.new_run("ntm", "copy", 1, [*WORKS[WORK][2], "sequences=40"], folder / "r").run(progress=False)
    room = folder / "room"
    room.mkdir()
    room.chmod(0o777)
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    if os.geteuid() != 0:
        raise places.Unavailable("only root can become somebody else")

    def work():
        os.chdir(room)
        os.setuid(54_321)
        for name in ("HOME", "XDG_CACHE_HOME", "NUMPYMEM_CACHE"):
            os.environ.pop(name, None)
        kernel.cache_folder.cache_clear()
        (room / "reason").write_text(str(kernel.cannot_keep()))
        try:
            os.environ["NUMPYMEM_OFFLINE"] = "0"
            download.fetch("en/qa1_single-supporting-fact_train.txt")
        except OSError as error:
            (room / "download").write_text(str(error))
        runs.new_run("ntm", "copy", 1, [*WORKS[WORK][2], "sequences=80"], "r").run(progress=False)
    forks.run(work)
    check((room / "reason").read_text() == "no home directory is known", (room / "reason").read_text())
    check(sorted(os.listdir(room)) == ["download", "r", "reason"], f"left: {os.listdir(room)}")
    said += [(room / "download").read_text()]
    return "a user that the system does not know, no HOME: trains; nothing is kept, no folder named ~"


# ---- two at once --------------------------------------------------------------------------------------------------------------

def steps(folder, cache, **settings):
    """Three training steps of a MemN2N, compiled -> (stdout, stderr)."""
    code, out, err = finish(start_step(folder, cache, **settings))
    check(code == 0, err[-500:])
    return out, err


def undisturbed_steps(folder):
    """What they print where all is well; compiled once for all cases."""
    return steps(folder, folder.parent / "warm")[0]


def start_step(folder, cache, code=STEP, **settings):
    settings = {"NUMPYMEM_JIT": 1, "NUMPYMEM_THREADS": 2, "NUMPYMEM_CACHE": cache or ""} | settings
    return start(["-c", code], folder, **settings)


def lines(err, words):
    found = [line for line in err.splitlines() if words in line]
    check(len(found) == 1, f"expected one line with {words!r}, received {len(found)}: {err[-800:]}")
    return found


def two_compile(folder, said):
    """Two for float32 and one for float64 at once with an empty cache; then each finds all there."""
    both = STEP.replace("copy\", settings=[\"d=8\"])", "copy\", settings=[\"d=8\"]); training.params = "
                        "{k: v.astype(np.float64) for k, v in training.params.items()}")
    first = [finish(process) for process in [start_step(folder, folder / "cache", code) for code in (STEP, STEP, both)]]
    check(all(code == 0 for code, _, _ in first), "".join(err[-300:] for _, _, err in first))
    alone = [undisturbed_steps(folder), finish(start_step(folder, folder / "two", both))[1]]
    check([out for _, out, _ in first] == [alone[0], alone[0], alone[1]], "other numbers than those of one process alone")
    counted = STEP + "\nfrom numpymem.memn2n import kernels\nprint(kernels.remember.stats.cache_misses)"
    code, out, err = finish(start_step(folder, folder / "cache", counted))
    check(code == 0 and out.startswith(alone[0]) and out.strip().endswith(("({})", "Counter()")), f"compiled again: {out}{err}")
    left = [path.name for path in (folder / "cache").rglob("*.tmp.*")]
    check(not left, f"left: {left}")
    return "three processes at once, float32 twice and float64, an empty cache: the numbers of one alone, and all is kept"


def two_begin_one_run(folder, said):
    whole = undisturbed(folder)
    processes = [start(["-m", "numpymem", *RUNNING, *NEW, "--run", "r"], folder, NUMPYMEM_JIT=0) for _ in range(2)]
    ends = [finish(process) for process in processes]
    check(sorted(code for code, _, _ in ends) == [0, 2], f"exits {[code for code, _, _ in ends]}")
    said += [err.splitlines()[-1] for code, _, err in ends if code]
    same(folder / "r", whole)
    return "the same command twice at the same time: one trains, one is refused"


def two_go_on_with_one_run(folder, said):
    whole = undisturbed(folder)
    with slow_training(folder) as other:
        command(folder, *RUNNING, "--run", "r", "--resume", code=2, said=said, words=("is writing there; wait until it has ended",))
        command(folder, "eval", "r", "--length", 2, "--count", 2)
        check(other.poll() is None, "the first one ended too early to say anything")
    check(other.returncode == 0, f"the first one: exit {other.returncode}")
    same(folder / "r", whole)
    return "--resume and eval while another process trains: one is refused, one looks; the training is undisturbed"


@contextlib.contextmanager
def slow_training(folder):
    """A training that takes its time, after its first checkpoint; at the end it has ended."""
    process = start(["-c", SLOW, *RUNNING, *NEW, "--run", "r"], folder, NUMPYMEM_JIT=0)
    try:
        until = time.monotonic() + forks.PATIENCE
        while not (folder / "r/checkpoint.npz").exists() and time.monotonic() < until:
            time.sleep(0.01)
        yield process
        process.communicate(timeout=4 * forks.PATIENCE)
    finally:
        process.kill()


def two_sweeps(folder, said):
    from sweep_tools import figures, write_spec
    write_spec(folder)
    command(folder, "sweep", "small.json", "--jobs", 2, "--run", "whole")
    first = start(["-m", "numpymem", "sweep", "small.json", "--jobs", 2, "--run", "s"], folder, NUMPYMEM_JIT=0)
    while not (folder / "s/sweep.json").exists() and first.poll() is None:
        time.sleep(0.01)
    second = start(["-m", "numpymem", "sweep", "small.json", "--jobs", 2, "--run", "s", "--resume"], folder, NUMPYMEM_JIT=0)
    ends = [finish(process) for process in (first, second)]
    check([code for code, _, _ in ends] == [0, 0], "".join(err[-300:] for _, _, err in ends))
    check(figures(folder / "s") == figures(folder / "whole"), "other figures than the undisturbed sweep")
    taken = [len((path / ".lock").read_text().split()) for path in (folder / "s").iterdir() if path.is_dir()]
    check(json.loads((folder / "s/results.json").read_text())["runs"], "no results")
    return f"the second with --resume: both end well, runs wait for each other ({sum(taken)} processes on {len(taken)} runs)"


CASES = {
    "full disk: training": full_while_training, "full disk: at the start": full_at_once, "full disk: sweep": full_in_a_sweep,
    "full disk: compiled code": full_cache, "full disk: download": full_while_downloading,
    "read-only run folder": read_only_run, "run folder without permission": read_only_modes, "no home directory": no_home,
    "unknown user without a home": nobody, "cache folder not writable": cache_not_writable, "three processes compile": two_compile,
    "two processes begin one run": two_begin_one_run, "two processes go on with one run": two_go_on_with_one_run,
    "two sweeps in one folder": two_sweeps,
}
