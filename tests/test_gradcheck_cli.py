"""python -m gradcheck: names, exit codes, what is printed."""

import json
import subprocess
import sys

import numpy as np
import pytest
from gradcheck_tools import planted, toy_fixture  # noqa: F401  pytest finds fixtures by name

import numpymem
from gradcheck import import_all, report
from gradcheck.__main__ import main, select
from gradcheck.investigate import Finding
from gradcheck.models import CASES
from gradcheck.report import Result
from gradcheck.run import check_everything
from numpymem.equation import find
from numpymem.kernel import KERNELS

import_all()


def ids(things):
    return [getattr(thing, "id", None) or thing.name for thing in things]


def test_names_select():
    assert ids(select(["ntm-9"])[0]) == ids(select(["Sharpen"])[0]) == ["NTM-9"]
    equations, chosen, cases = select(["ntm"])
    assert "NTM-2" in ids(equations) and "NTM-step" in ids(equations) and "softmax" not in ids(equations)
    assert set(ids(chosen)) == {name for name in KERNELS if name.startswith("ntm")} and set(ids(cases)) == {"ntm"}
    assert ids(select(["sig"])[0]) == ["sigmoid"]
    assert all(len(group) for group in select([])[::2])


@pytest.mark.parametrize("arguments, code", [(["NTM-9"], 0), (["no-such"], 2), (["--seed", "-1"], 2), (["--nonsense"], 2)])
def test_exit_codes(arguments, code, capsys):
    assert main(arguments) == code
    if code == 2:
        assert capsys.readouterr().out == ""


def test_unknown_name_in_one_line(capsys):
    main(["no-such"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "no-such" in lines[0] and "NTM-9" in lines[0]


def test_a_failure_exits_1_and_fits_the_screen(capsys):
    with planted("NTM-step", lambda g: [g[0], -g[1], 2 * g[2]]), planted("categorical-cross-entropy", lambda g: [-g[0]]):
        assert main(["NTM-step", "categorical-cross-entropy", "softmax"]) == 1
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "3 equations: wrong: categorical-cross-entropy, NTM-step" in out and "oracle: complex step" in out


def test_a_long_report_says_at_its_end_where_to_begin():
    finding = Finding("NTM-9 (sharpen): dgamma is wrong", result=None)
    right = [Result("equation", f"E-{number}", "name", True, "right") for number in range(report.SCREEN)]
    first = "NTM-9 (sharpen): dgamma is wrong"
    assert report.table(right, 1.0, 0, finding).splitlines()[-1] == f"Begin with {first}"
    assert "Begin with" not in report.table(right[:3], 1.0, 0, finding)
    assert "Begin with" not in report.table(right, 1.0, 0)


def test_who_waits_is_told_how_far_it_has_come():
    said = []
    with numpymem.patch("NTM-9", lambda w_s, gamma: w_s * gamma):
        check_everything([find("NTM-9"), find("NTM-2")], [], [], say=said.append)
        assert said == []
        cases = [case for case in CASES if case.name == "lstm"]
        check_everything([find("NTM-9"), find("NTM-2")], [], cases, say=said.append)
    assert said == ["2 equations checked, wrong: NTM-9. Now kernels and models ..."]


def test_a_forward_that_raises_is_reported_and_the_rest_of_the_table_stays(capsys):
    def broken(w, M):
        raise IndexError("slot 7")
    with numpymem.patch("NTM-2", broken):
        assert main(["ntm"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "the forward raises IndexError" in out and "the model raises IndexError: slot 7" in out
    assert "NTM-9 sharpen right" in out


def test_json_alone_on_stdout(capsys, toy):
    def noisy(x):
        """Prints.

        x          (B, N)
        returns y  (B, N)
        """
        print("hello")
        return 2 * x
    toy(noisy, lambda dy: np.nan * dy)
    assert main(["toy", "NTM-9", "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["passed"] is False
    sharpen, broken = content["results"]
    assert sharpen["id"] == "NTM-9" and sharpen["passed"] and sharpen["error"] < 1e-12
    assert broken["wrong"][0]["argument"] == "x" and broken["error"] is None


def test_as_a_program():
    done = subprocess.run([sys.executable, "-m", "gradcheck", "NTM-9", "--seed", "3"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and "sharpen" in done.stdout and "seed 3" in done.stdout, done.stderr
