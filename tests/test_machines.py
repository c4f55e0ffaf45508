"""Other machines: names and line ends that Windows can have, the floors of both lists of packages, what tests/machines.py found.

What takes minutes (the oldest and newest packages, no numba, a wheel in an empty environment) is run by `make oldest newest bare
wheel`, and its result is committed.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import machines

ROOT = pathlib.Path(__file__).parents[1]
PARTS = ("numpymem", "gradcheck", "tests", "benchmarks", "notebooks")
TEXT = {".py", ".md", ".json", ".txt", ".toml", ".ipynb"}
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)
DIFFERENT = ("ein Ordner", "с кириллицей")


def files():
    """All files of the project, relative to it."""
    found = [path.relative_to(ROOT) for part in PARTS for path in (ROOT / part).rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts]


def test_windows_can_have_every_name():
    for path in files():
        for name in path.parts:
            assert not RESERVED.match(name) and not re.search(r'[<>:"\\|?*\x00-\x1f]|[. ]$', name), path
        assert len(str(path)) < 120, path


def test_no_two_names_differ_in_case_alone():
    lower = [str(path).lower() for path in files()]
    assert len(lower) == len(set(lower))


def test_lines_end_in_one_way():
    wrong = [path for path in files() if path.suffix in TEXT and b"\r" in (ROOT / path).read_bytes()]
    assert wrong == [] and "eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8")


LOOK = '''
import json, pathlib
from gradcheck.__main__ import main
from gradcheck.kernels import bounds
from gradcheck.kernels.interpreted import interpreted_pair, read
from numpymem import kernel
from numpymem.equation import find
from numpymem.fingerprint import fingerprint
code = main(["NTM-9"])
source = pathlib.Path(kernel.__file__).read_bytes()
known = json.loads(kernel.FINGERPRINTS.read_text())
today = {name: {id: fingerprint(find(id)) for id in kernel.KERNELS[name].fuses} for name in known}
assert read("numpymem.ntm.kernels").functions
if kernel.has_numba():
    interpreted_pair(kernel.KERNELS["ntm.sequence"], {})
print(json.dumps([code, b"\\r\\n" in source, today == known, bounds.files_of_loops()]))
'''


def test_nothing_depends_on_line_ends(tmp_path):
    """A checkout with the line ends of Windows, in a folder with a space and letters that are not ASCII: the same fingerprints and
    hashes, so kernels are in force; sources are found; equations are checked."""
    place = tmp_path.joinpath(*DIFFERENT)
    for part in ("numpymem", "gradcheck"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__", "*.npz", "*.png"))
    for path in place.rglob("*"):
        if path.suffix in TEXT:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=place, capture_output=True, text=True, encoding="utf-8",
                          env=os.environ | {"NUMPYMEM_JIT": "0", "PYTHONPATH": "", "PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 0, done.stderr
    code, is_windows, alike, loops = json.loads(done.stdout.splitlines()[-1])
    from gradcheck.kernels import bounds
    assert (code, is_windows, alike) == (0, True, True) and loops == bounds.files_of_loops()


# ---- packages -----------------------------------------------------------------------------------------------------------------

def floors(text):
    return dict(re.findall(r"\b([a-z][a-z-]*)>=([\d.]+)", text))


def test_the_two_lists_of_packages_have_the_same_floors():
    required = floors((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    project = floors((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"numpy", "numba", "matplotlib", "pytest", "hypothesis"} <= set(required)
    assert {name: project[name] for name in required} == required


def test_oldest_takes_the_floors_and_bare_no_numba():
    oldest, bare = machines.needed("oldest"), machines.needed("bare")
    assert all("==" in line for line in oldest) and any(line.startswith("numba==") for line in oldest)
    assert not any(line.startswith("numba") for line in bare) and any(line.startswith("numpy>=") for line in bare)


def test_what_is_run_again_counts_once():
    versions, bad = {"python": "3.14.0"}, ["tests/test_b.py::test_2", "tests/test_a.py::test_1[x]", "tests/test_b.py::test_3"]
    assert machines.files_of(bad) == ["tests/test_a.py", "tests/test_b.py"]
    first = {"right": False, "versions": versions, "passed": 90, "failed": 3, "failures": bad, "seconds": 100}
    later = {"right": True, "versions": versions, "passed": 20, "tests": machines.files_of(bad), "failures": [], "seconds": 5}
    both = machines.together(first, later)
    assert (both["right"], both["passed"], both["failures"], both["seconds"]) == (True, 93, [], 100) and "failed" not in both
    assert both["again"]["failed_at_first"] == bad and both["again"]["passed"] == 20
    still = machines.together(first, later | {"right": False, "failures": bad[:1]})
    assert (still["right"], still["passed"], still["failed"]) == (False, 92, 1)
    with pytest.raises(SystemExit, match="expected the same versions"):
        machines.together(first, later | {"versions": {"python": "3.13.0"}})


def test_reasons_of_skips_are_added_up():
    said = "SKIPPED [2] tests/test_a.py:7: needs numba\nSKIPPED [3] tests/b.py:9: needs numba\nSKIPPED [1] tests/c.py:1: no fork"
    said += "\nSKIPPED [1] tests/d.py:9: nothing to try, function test_d at /home/somebody/a place/tests/d.py:8"
    assert machines.reasons(said) == {"needs numba": 5, "no fork": 1, "nothing to try, function test_d": 1}


FOUND = json.loads(machines.RESULT.read_text(encoding="utf-8")) if machines.RESULT.exists() else {}


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found_elsewhere_was_right(what):
    found = FOUND[what]
    assert found["right"] and found["versions"]["python"]
    if what == "wheel":
        assert set(found["uses"]) == set(machines.USES) and set(found["uses"].values()) == {"right"}
        return
    assert found["passed"] > 100 and "failed" not in found and found["failures"] == []
    floor = floors((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    for name in ("numpy", "numba"):
        version = found["versions"][name]
        if what == "oldest":
            assert version.startswith(floor[name])
        else:
            assert version is None if (what, name) == ("bare", "numba") else version > floor[name]


def test_text_is_written_as_utf_8_whatever_the_machine_prefers(tmp_path):
    """As on Windows, where the preferred encoding has not all letters."""
    write = "import pathlib; from numpymem.writing import write_text; write_text(pathlib.Path('a.txt'), '\\u03c8 \\u2192 0\\n')"
    subprocess.run([sys.executable, "-c", write], cwd=tmp_path, check=True,
                   env=os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert (tmp_path / "a.txt").read_bytes() == "ψ → 0\n".encode()
