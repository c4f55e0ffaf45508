"""Does it work elsewhere? Tried in environments of their own, which this script makes in runs/machines and keeps.

    python tests/machines.py wheel                      build, twine check, install into an empty environment, use from elsewhere
    python tests/machines.py oldest --python python3.10    the tests with the oldest versions that requirements.txt allows
    python tests/machines.py newest --python python3.14    and with the newest
    python tests/machines.py bare                       without numba: everything as NumPy
    ... --save                                          and write the figures to tests/machines.json
    ... --as "newest, Python 3.14"                      and under this name there; without it under the first word
    ... --again                                         only the test files that failed in what was saved: were they mended?
    ... --tests tests/test_copy.py tests/test_dnc.py    these test files alone;  --env FOLDER  an environment that is there already

While the tests run, what they say is in runs/machines/oldest/log.txt (newest, bare).

All but `wheel` run on a copy of the project in a folder whose name has a space and letters that are not ASCII, without a display.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
RESULT, WORK = pathlib.Path(__file__).with_name("machines.json"), ROOT / "runs" / "machines"
PLACE = "ein Ördner, 記憶"                        # of the copy


def main(arguments=None):
    """Run the command line -> exit code: 0 all right, 1 something is wrong, 2 not understood."""
    parser = argparse.ArgumentParser(prog="python tests/machines.py", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("wheel", "oldest", "newest", "bare"))
    parser.add_argument("--python", default=sys.executable, help="the interpreter of a new environment (default: this one)")
    parser.add_argument("--env", type=pathlib.Path, help="an environment that is there already, with all that is needed")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="test files (default: all)")
    parser.add_argument("--save", action="store_true", help="write the figures to tests/machines.json")
    parser.add_argument("--as", dest="name", help="under this name (default: WHAT)")
    parser.add_argument("--again", action="store_true", help="the files of the failures that are saved, once more")
    options = parser.parse_args(arguments)
    name = options.name or options.what
    if options.again:
        options.tests = files_of(saved()[name]["failures"])
    found = wheel(options) if options.what == "wheel" else suite(options)
    if options.again:
        found = together(saved()[name], found)
    print(json.dumps(found, indent=1))
    if options.save:
        known = saved() | {name: found}                        # read now: another may have saved while this one ran
        RESULT.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8", newline="\n")
    return 0 if found["right"] else 1


def saved():
    """tests/machines.json as it is now."""
    return json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}


# ---- the tests, with other versions -----------------------------------------------------------------------------------------

def suite(options):
    """Make the environment and run the tests in it -> figures."""
    python = options.env / "bin" / "python" if options.env else environment(options.what, options.python, needed(options.what))
    place = WORK / options.what / PLACE
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    copy(place)
    others = {name: found for name, found in saved().items() if name != (options.name or options.what)}
    (place / "tests" / RESULT.name).write_text(json.dumps(others), encoding="utf-8")      # what is found now is not asked about
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "-rfEs", *options.tests]
    settings = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "PYTHONPATH", "MPLBACKEND")}
    started = time.perf_counter()
    log = place.parent / "log.txt"
    with open(log, "wb") as file:
        done = subprocess.run(command, cwd=place, stdout=file, stderr=subprocess.STDOUT,
                              env=settings | {"NUMPYMEM_CACHE": str(place / ".kernels"), "PYTHONIOENCODING": "utf-8"})
    said = log.read_text(encoding="utf-8", errors="replace")
    print(said[-6000:], file=sys.stderr)
    counted = re.findall(r"(\d+) (passed|failed|skipped|errors?|xfailed)", said[-400:])
    counts = {word: int(number) for number, word in counted}
    return {"right": done.returncode == 0, "versions": versions(python), "tests": options.tests, **counts,
            "why_skipped": reasons(said),
            "failures": re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE),
            "seconds": round(time.perf_counter() - started)}


def files_of(failures):
    """The test files of failures, each once."""
    return sorted({one.split("::")[0] for one in failures})


def together(first, later):
    """Figures of a whole run, and of its failed files once more -> those of both: what failed at first and what fails still."""
    if first["versions"] != later["versions"]:
        raise SystemExit(f"--again: expected the same versions, {first['versions']}, received {later['versions']}")
    still, failed = len(later["failures"]), len(first["failures"])
    again = {"failed_at_first": first["failures"], **{key: later[key] for key in ("tests", "passed", "seconds")}}
    both = first | {"right": later["right"], "passed": first["passed"] + failed - still, "failed": still,
                    "failures": later["failures"], "again": again}
    return {key: value for key, value in both.items() if value or key != "failed"}


def reasons(said):
    """{why: how many tests were skipped for it}, from what pytest says at the end; without folders of this machine, which an older
    pytest names."""
    found = {}
    for number, why in re.findall(r"^SKIPPED \[(\d+)\] \S+?:\d*:? ?(.+?)(?: at /.*)?$", said, re.MULTILINE):
        found[why] = found.get(why, 0) + int(number)
    return found


def needed(what):
    """The lines of requirements.txt, for `oldest` with the floors as the only versions."""
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line]
    if what == "oldest":
        return [line.replace(">=", "==") for line in lines]
    return [line for line in lines if what != "bare" or re.split("[>=]", line)[0] != "numba"]


def environment(name, interpreter, packages):
    """A fresh virtual environment with these packages -> its python. The tools to build with are kept."""
    folder = WORK / name / "env"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if name == "build" and python.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
    if packages:
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    return python


def copy(place):
    """The files that git knows, as they are now; in a copy of the project, all."""
    if not (ROOT / ".git").exists():
        shutil.copytree(ROOT, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runs", ".venv", "__pycache__", ".*_cache"))
        return
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, target)


def versions(python):
    """What is installed there."""
    asked = ("import importlib.metadata as m, json, platform; names = 'numpy numba matplotlib hypothesis pytest'.split(); "
             "there = {d.metadata['Name'].lower(): d.version for d in m.distributions()}; "
             "print(json.dumps({'python': platform.python_version(), **{n: there.get(n) for n in names}}))")
    return json.loads(subprocess.run([str(python), "-c", asked], check=True, capture_output=True, text=True).stdout)


# ---- the wheel --------------------------------------------------------------------------------------------------------------

def quick(*more):
    """--set NAME=VALUE for a training of seconds."""
    return [word for setting in ("sequences=32", "eval_count=16", *more) for word in ("--set", setting)]


USES = {                                          # what is done from another folder with nothing but the wheel: command -> said
    "list": (["numpymem", "list"], "models"),
    "explain": (["numpymem", "explain", "NTM-9"], "numpymem/ntm/equations.py"),
    "gradcheck": (["gradcheck", "NTM-9"], "1 equation: all right"),
    "train": (["numpymem", "train", "ntm", "copy", *quick(), "--run", "a run"], "run folder"),
    "train on shipped words": (["numpymem", "train", "memn2n", "babi1", *quick("source=generated"), "--run", "another"],
                               "run folder"),
    "eval": (["numpymem", "eval", "a run", "--count", "8"], "bits"),
    "shipped checkpoint": (["-c", "import numpy as np; from numpymem.experiments.checkpoints import load; model, params, task, _ = "
                            "load('ntm_copy'); batch = task.sample(np.random.default_rng(0), 4, length=9); "
                            "wrong, asked = task.count_wrong(model.forward(params, batch.inputs)[0], batch); "
                            "print('wrong bits', wrong, 'of', asked)"], "wrong bits 0 of 288"),
    "report": (["numpymem", "report"], "ntm_copy"),
    "a kernel": (["gradcheck", "loss.categorical"], "equal, in force"),
    "doctor": (["numpymem", "doctor"], "equations"),
}


def wheel(options):
    """Build, check, install, use -> figures."""
    tools = environment("build", sys.executable, ["build", "twine"])
    with tempfile.TemporaryDirectory() as folder:
        source, away = pathlib.Path(folder) / "source", pathlib.Path(folder) / "weit weg, 遠"
        away.mkdir()
        source.mkdir()
        copy(source)
        subprocess.run([str(tools), "-m", "build", "-q", str(source)], check=True)
        files = sorted((source / "dist").iterdir())
        sizes = {file.name: file.stat().st_size for file in files}
        checked = subprocess.run([str(tools), "-m", "twine", "check", "--strict", *map(str, files)], capture_output=True, text=True)
        python = options.env / "bin" / "python" if options.env else environment("wheel", options.python, [])
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--force-reinstall", *(["--no-deps"] if options.env else []),
                        *(str(file) for file in files if file.suffix == ".whl")], check=True)
        uses = {name: use(python, command, said, away) for name, (command, said) in USES.items()}
    return {"right": checked.returncode == 0 and all(one == "right" for one in uses.values()),
            "files": sizes, "twine": [plain(line) for line in checked.stdout.strip().splitlines()[-1:]],
            "versions": versions(python), "uses": uses}


def plain(line):
    """What twine says, without its colours and without the folder that it was said of."""
    return re.sub("\x1b\\[[0-9]+m", "", line).rpartition("/")[2]


def use(python, command, said, away):
    """Run one command in the folder `away` -> "right", or what went wrong. All but the kernel as NumPy: nothing is compiled."""
    started = [str(python), *(command if command[0] == "-c" else ["-m", *command])]
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DISPLAY")}
    settings["NUMPYMEM_JIT"] = "1" if said.endswith("in force") else "0"
    done = subprocess.run(started, cwd=away, capture_output=True, text=True, encoding="utf-8", env=settings)
    if done.returncode or said not in done.stdout:
        return f"exit code {done.returncode}, expected {said!r} in what it says: {(done.stdout + done.stderr)[-800:]}"
    return "right"


if __name__ == "__main__":
    sys.exit(main())
