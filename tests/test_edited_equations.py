"""An equation that somebody has edited and that does not fit: gradcheck and training both say its name."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numpymem
from gradcheck import check_equation, import_all
from numpymem import catalog, cli, mistakes, runs
from numpymem.equation import find
from numpymem.training.edits import EquationError, declared_shapes
from numpymem.training.nan_guard import NonFiniteError

import_all()
SMALL = {"ntm": ("copy", ["N=8", "W=4", "controller_size=6", "max_length=3", "batch=2"]),
         "dnc": ("copy", ["N=8", "N_training=0", "W=4", "controller_size=6", "max_length=3", "batch=2"]),
         "memn2n": ("copy", ["d=6", "positions=5", "max_length=3", "batch=2"]),
         "dmn": ("segment-recall", ["d=6", "batch=2"]), "hybrid": ("copy",
                                                                   ["N=8", "N_training=0", "W=4", "controller_size=6", "d=6",
                                                                            "positions=5", "max_length=3", "batch=2"]),
         "memory-transformer": ("rewritten-keys", ["batch=2"])}
EDITED = [("ntm", "NTM-7"), ("ntm", "NTM-9"), ("ntm", "NTM-2"), ("dnc", "DNC-usage"), ("dnc", "DNC-link"), ("memn2n", "MemN2N-1"),
          ("memn2n", "MemN2N-encode"), ("dmn", "DMN-gates"), ("hybrid", "Hybrid-both"), ("memory-transformer", "Transformer-1")]


@pytest.fixture(autouse=True)
def as_numpy(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_JIT", "0")


def training(model):
    task, settings = SMALL[model]
    return runs.new_run(model, task, settings=settings)


def with_arguments(function, like):
    """A function that takes as many arguments as `like`, whatever it calls them."""
    import inspect
    names = ", ".join(inspect.signature(like).parameters)
    return eval(f"lambda {names}: function({names})", {"function": function})  # noqa: S307  a patch is checked by its arguments


def first_of(result):
    return result[0] if isinstance(result, tuple) else result


def put_first(result, value):
    return (value, *result[1:]) if isinstance(result, tuple) else value


def raising(run):
    def raises(*args):
        raise IndexError("slot 7\nis none")
    return raises


def cut(run):
    """The last axis of the first result is one shorter."""
    return lambda *args: put_first(out := run(*args), first_of(out)[..., :-1] if np.ndim(first_of(out)) else np.zeros(3))


def one_too_many(run):
    return lambda *args: (*(out if isinstance(out := run(*args), tuple) else (out,)), 1.0)


def not_a_number(run):
    return lambda *args: put_first(out := run(*args), first_of(out) * np.float32(np.nan))


def writing(run):
    """The result is right, but an input is no longer what it was."""
    def writes(*args):
        out = run(*args)
        for value in args:
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size and value.flags.writeable:
                value += 1
                return out
        return out
    return writes


HOW = {"raises": (raising, "raises IndexError: slot 7 is none", "raises IndexError"),
       "shape": (cut, "shape of |raises", "shape of|raises"),
       "count": (one_too_many, "expected 1 results|expected . results", "declares"),
       "writes": (writing, "writes into its argument", "changes its argument")}


def patched(id, how, phase):
    item = find(id)
    old = item.functions[phase == "backward"]
    new = with_arguments(how(old), item.original if phase == "forward" else item.original_backward)
    return numpymem.patch(id, **{phase: new})


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("model, id", EDITED)
def test_training_names_a_forward_that_does_not_fit(model, id, how):
    run = training(model)
    before = {name: value.copy() for name, value in run.params.items()}
    with patched(id, HOW[how][0], "forward"), pytest.raises(EquationError, match=HOW[how][1]) as caught:
        run.step()
    said = str(caught.value)
    assert said.startswith(f"{id} ({find(id).name}), forward: ") and said.isprintable() and "(patched)" in said
    assert run.done == 0 and all(np.array_equal(before[name], value) for name, value in run.params.items())
    run.step()                                    # without the patch all is well again


@pytest.mark.parametrize("how", ["raises", "count", "writes"])
@pytest.mark.parametrize("model, id", EDITED)
def test_training_names_a_backward_that_does_not_fit(model, id, how):
    with patched(id, HOW[how][0], "backward"), pytest.raises(EquationError, match=f"^{id} .*, backward: ") as caught:
        training(model).step()
    assert any(part in str(caught.value) for part in ("raises", "results", "writes into"))


@pytest.mark.parametrize("model, id", EDITED)
@pytest.mark.parametrize("phase", ["forward", "backward"])
def test_training_names_an_equation_that_gives_nan(model, id, phase):
    with patched(id, not_a_number, phase), pytest.raises(NonFiniteError, match=rf"first in {id} \(\w+\), {phase}"):
        training(model).step()


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("id", ["NTM-7", "MemN2N-1", "DNC-usage"])
def test_gradcheck_names_a_forward_that_does_not_fit(id, how):
    with patched(id, HOW[how][0], "forward"):
        result = check_equation(id, detail=False)
    said = " ".join(result.notes)
    assert not result.passed and result.id == id and any(part in said for part in HOW[how][2].split("|")), said


@pytest.mark.parametrize("id", ["NTM-7", "MemN2N-1", "DNC-usage"])
def test_gradcheck_names_an_equation_that_gives_nan(id):
    for phase in ("forward", "backward"):
        with patched(id, not_a_number, phase):
            assert not check_equation(id, detail=False).passed


def test_the_command_says_it_in_one_line_and_exits_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    task, settings = SMALL["ntm"]
    with patched("NTM-7", cut, "forward"):
        assert cli.main(["train", "ntm", task, "--run", "r", *(word for text in settings for word in ("--set", text))]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert "train: NTM-7 (interpolate), forward: shape of w_g: expected (2, 2, 8), received (2, 2, 7)" in last
    assert not (tmp_path / "r/checkpoint.npz").exists()


def test_an_equation_that_is_not_edited_is_not_looked_at(monkeypatch):
    monkeypatch.setattr("numpymem.training.edits.check", lambda *args: pytest.fail("looked at"))
    for model in SMALL:
        training(model).step()


@pytest.mark.parametrize("model", SMALL)
def test_ours_all_fit_and_looking_changes_no_number(model):
    plain, looked = training(model), training(model)
    plain.step()
    ids = [item for item in numpymem.REGISTRY.values() if item.original.__module__.startswith("numpymem.")]
    patches = [numpymem.patch(item, with_arguments(item.original, item.original)) for item in ids]
    try:
        looked.step()
    finally:
        for patch in patches:
            patch.undo()
    assert all(np.array_equal(plain.params[name], value) for name, value in looked.params.items())
    assert plain.generators() == looked.generators()


def test_what_a_docstring_says_for_certain():
    item = find("NTM-7")
    w, g = np.ones((2, 3, 5)), np.ones((2, 3, 1))
    assert declared_shapes(item, {"w_c": w, "w_prev": w, "g": g}) == {"w_g": (2, 3, 5)}
    assert declared_shapes(find("sigmoid"), {"x": np.ones((2, 3, 5))}) == {}


# ---- files that do not compile -------------------------------------------------------------------------------------------

BROKEN = '''"""Equations."""

@equation("NTM-7", r"w")
def interpolate(w_c, w_prev, g):
    """Words."""
    return g * * w_c

@interpolate.backward
def interpolate_backward(dw_g, w_c, w_prev, g):
    return (dw_g
'''


def syntax_error(text, path):
    path.write_text(text)
    with pytest.raises(SyntaxError) as caught:
        compile(text, str(path), "exec")
    return caught.value


def test_a_file_that_does_not_compile_names_the_equation(tmp_path):
    error = syntax_error(BROKEN, tmp_path / "equations.py")
    assert mistakes.told(error).startswith("NTM-7 (interpolate) does not compile: ") and "line 6" in mistakes.told(error)
    second = syntax_error(BROKEN.replace("* *", "*"), tmp_path / "equations.py")
    assert "NTM-7 (interpolate_backward) does not compile: " in mistakes.told(second)
    first_line = syntax_error("import (\n" + BROKEN, tmp_path / "equations.py")
    assert mistakes.told(first_line).startswith("equations.py, line 1: does not compile: ")


@pytest.mark.parametrize("module, arguments", [("numpymem", ["train", "ntm", "copy"]), ("gradcheck", ["NTM-7"])])
def test_commands_name_an_equation_that_does_not_compile(tmp_path, module, arguments):
    root = Path(numpymem.__file__).parents[1]
    for package in ("numpymem", "gradcheck"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "results", "checkpoints"))
    path = tmp_path / "numpymem/ntm/equations.py"
    text = path.read_text()
    assert text.count("return g * w_c +") == 1
    path.write_text(text.replace("return g * w_c +", "return g * * w_c +"))
    done = subprocess.run([sys.executable, "-B", "-m", module, *arguments], cwd=tmp_path, capture_output=True, text=True,
                          check=False)
    [line] = done.stderr.strip().splitlines()
    assert "NTM-7 (interpolate) does not compile: " in line and "equations.py, line " in line and "return g * * w_c" in line
    assert done.returncode == 1 and done.stdout == "" and not (tmp_path / "runs").exists()


def test_every_model_of_the_catalog_is_here():
    assert set(SMALL) == set(catalog.MODELS) - {"lstm"}
