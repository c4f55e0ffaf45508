"""What the code never does: unpickle, evaluate text, unpack archives, run a shell. Exceptions stand here, each with its reason."""

import ast
import functools
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ("numpymem", "gradcheck", "benchmarks", "notebooks")

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "telnetlib", "ftplib",
           "pty"}
BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint"}
CALLS = {"os.system", "os.popen", "shutil.unpack_archive", "tempfile.mktemp", "zipfile.extractall", "importlib.reload",
         "numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile", "numpy.memmap", "torch.load", "subprocess.getoutput"}
METHODS = {"extractall", "extract", "read_pickle", "to_pickle", "extract_dict"}
# Where one is used, how often, and why nobody else's text can reach it.
EXCEPTIONS = {
    ("gradcheck/mutation/mutant.py", "exec"): "runs an equation of ours, with one change of ours in it, to see it caught",
    ("gradcheck/mutation/mutant.py", "compile"): "of the same",
    ("gradcheck/kernels/interpreted.py", "exec"): "runs a file of our loops as Python, without numba, with a change of ours in it",
    ("gradcheck/kernels/interpreted.py", "compile"): "of the same",
}


def problems(tree):
    """(line, what) of everything above in a parsed file."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for module in [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]:
                if module.partition(".")[0] in MODULES:
                    yield node.lineno, f"import {module}"
        if not isinstance(node, ast.Call):
            continue
        name = full_name(node.func, names)
        if name in BUILTINS | CALLS:
            yield node.lineno, name
        elif isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            yield node.lineno, node.func.attr
        for keyword in node.keywords:
            constant = getattr(keyword.value, "value", None)
            if (keyword.arg == "shell" and constant is not False) or (keyword.arg == "allow_pickle" and constant is not False) \
                    or (keyword.arg == "verify" and constant is False):
                yield node.lineno, f"{keyword.arg}="


def imported(tree):
    """{name in the file: what it stands for}: np -> numpy, loads -> json.loads."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def full_name(function, names):
    """np.load -> numpy.load; '' for what is no plain name."""
    parts = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return ""
    return ".".join([names.get(function.id, function.id), *reversed(parts)])


def sources():
    """All files of the packages, without tests of their own."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if not path.name.startswith("test_")]


@functools.lru_cache(maxsize=1)
def parsed():
    """{path in the project: its tree}, of all files."""
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def test_nothing_unpickles_evaluates_or_unpacks():
    found = {(path, what) for path, tree in parsed().items() for _, what in problems(tree)}
    assert found == set(EXCEPTIONS)


@pytest.mark.parametrize("line, what", [
    ("import pickle", "import pickle"), ("from pickle import loads", "import pickle"), ("import yaml as y", "import yaml"),
    ("eval('1')", "eval"), ("exec(text)", "exec"), ("import numpy as np\nnp.load(path)", "numpy.load"),
    ("from numpy import load\nload(path)", "numpy.load"), ("import os as o\no.system('x')", "os.system"),
    ("archive.extractall(path)", "extractall"), ("run(x, shell=True)", "shell="), ("f(x, allow_pickle=flag)", "allow_pickle="),
    ("requests.get(url, verify=False)", "verify="), ("import torch\ntorch.load(path)", "torch.load"),
])
def test_each_of_them_would_be_found(line, what):
    assert [found for _, found in problems(ast.parse(line))] == [what]


@pytest.mark.parametrize("line", ["model.eval()", "re.compile('x')", "run(x, shell=False)", "json.loads(text)", "def eval(): pass"])
def test_what_only_looks_like_it_is_not(line):
    assert list(problems(ast.parse(line))) == []


def test_downloads_have_pinned_checksums_and_addresses():
    from numpymem.data import babi, download, metaqa, wikisql_files
    assert all(url.startswith("https://") and re.search(r"/[0-9a-f]{40}/", url) for url in download.BASE_URLS)
    pinned = [*download.checksums().values(), *metaqa.SHA256.values(), *wikisql_files.SHA256.values(), babi.read_files.__globals__[
        "PARTIAL_SHA256"]]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in pinned) and len(pinned) == 79 + 7 + 4 + 1
    network = {path for path, tree in parsed().items() for name in imported(tree).values()
               if name.partition(".")[0] in ("requests", "urllib3", "urllib", "http", "socket", "ftplib", "smtplib")}
    assert network <= {"numpymem/data/transfer.py", "numpymem/experiments/executors.py"}


def test_the_readme_says_what_is_promised():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Security")[2].partition("\n## ")[0]
    assert all(words in section for words in ("pickle", "checkpoint", "notebook", "equation is code", "SHA-256", "make fuzz"))
