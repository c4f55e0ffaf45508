"""Results beside the paper's: what is printed and drawn; and that committed results say what their runs say."""

import json
import types

import pytest

from numpymem import cli, plotting
from numpymem.experiments import paper_ntm, report, results, spec, summary


def result(group, task, seed, figures, converged_at=None, goal=None):
    return {"group": group, "task": task, "seed": seed, "model": "m", "parameters": 10, "data": f"data of {task}", "seconds": 60.0,
            "goal_bits": goal, "converged_at": converged_at, "seconds_until": converged_at and 5.0, "sequences": 9000,
            "figures": figures, "curve": [[1000, 80.0], [9000, 0.01 + seed]]}


def content(title, groups, runs):
    return {"name": "mine", "command": "python -m numpymem sweep mine", "versions": {"numpymem": "0.1.0"}, "seconds": 600.0,
            "spec": {"title": title, "source": "a paper", "about": "to know", "groups": groups}, "start": {},
            "table": summary.rows(runs), "runs": runs}


def of_copy():
    groups = [{"label": label, "model": "ntm", "task": "copy", "seeds": 2} for label in ("NTM-LSTM", "LSTM", "another")]
    runs = [result(group["label"], "copy", seed, {"bits": {"10": 0.5, "120": 3.0 + seed}, "wrong_percent": {"10": 0, "120": 2}},
                   5000 + 1000 * seed if number < 2 - seed else None, 0.05)
            for number, group in enumerate(groups) for seed in range(2)]
    return content("copying", groups, runs)


def of_babi(joint=False):
    tasks, train = ["babi1", "babi7"], [{"train_error_percent": seed, "train_bits": 0.1} for seed in (0, 1)]
    test = [{"1": 1.0 + seed, "7": 20.0 + 4 * seed} for seed in (0, 1)]
    groups = [{"label": "ours", "model": "memn2n", "task": "babi-joint" if joint else tasks, "seeds": 2, "paper": "pe"}]
    if joint:
        runs = [result("ours", "babi-joint", seed, train[seed] | {"test_error_percent": test[seed]}) for seed in (0, 1)]
    else:
        runs = [result("ours", task, seed, train[seed] | {"test_error_percent": test[seed][task[4:]]}) for task in tasks
                for seed in (0, 1)]
    return content("questions", groups, runs)


@pytest.fixture
def paper(monkeypatch):
    """A paper's table with one column."""
    column = types.SimpleNamespace(errors=(0.1, *[9.9] * 5, 21.5, *[9.9] * 13))
    monkeypatch.setattr(report, "paper_babi", types.SimpleNamespace(TABLE_1K={"pe": column}, TABLE_10K={}))


def run_report(found, tmp_path, capsys):
    results.write_sweep(tmp_path / "mine.json", found)
    assert json.loads((tmp_path / "mine.json").read_text()) == found
    assert cli.main(["report", str(tmp_path / "mine.json"), "--out", str(tmp_path / "figure.png")]) == 0
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
    return capsys.readouterr().out


def test_ntm_results_beside_the_paper(tmp_path, capsys):
    out = run_report(of_copy(), tmp_path, capsys)
    for name in ("figure_ntm_copy_20", "figure_ntm_copy_120", "figure_ntm_copy_memory"):
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    for words in ("copying", "a paper", "to know", "2 of 2", "1 of 2", "0 of 2", "5,500", "never", "approximate", "mgupta8143",
                  "python -m numpymem sweep mine", "data of copy", "10 minutes"):
        assert words in out
    assert next(line for line in out.splitlines() if line.startswith("LSTM") and "4.8" in line).split()[1:] == [
        "-", "-", "4.8", "2.1", "1.2", "0.8", "0.6", "0.5"]


@pytest.mark.parametrize("joint", [False, True])
def test_babi_results_beside_the_paper_task_by_task(joint, tmp_path, capsys, paper):
    out = run_report(of_babi(joint), tmp_path, capsys)
    table = [line.split() for line in out[out.index("ours: test error, %"):].splitlines()[1:6]]
    assert table == [["best", "mean", "of", "2", "paper"], ["1", "single", "supporting", "fact", "1.0", "1.5", "±", "0.7", "0.1"],
                     ["7", "counting", "20.0", "22.0", "±", "2.8", "21.5"], ["mean", "10.5", "11.8", "10.8"],
                     ["above", "5", "%", "1", "1", "1"]]
    assert "mean test error over 2 tasks 11.8 %; of the best by training error 10.5" in out


def test_the_heat_map_has_ours_and_the_papers_columns(paper, monkeypatch):
    drawn = {}
    monkeypatch.setattr(plotting, "heat_map", lambda title, note, names, columns: drawn.update(names=names, columns=columns))
    monkeypatch.setattr(plotting, "save", lambda figure, path: path)
    report.draw(of_babi(), "somewhere")
    assert drawn["names"] == ["1 single supporting fact", "7 counting", "mean"]
    assert drawn["columns"] == [("ours\nbest of 2", [1.0, 20.0, 10.5]), ("ours\nmean of 2", [1.5, 22.0, 11.75]),
                                ("ours\npaper", [0.1, 21.5, pytest.approx(10.8)])]


def test_panels_hold_every_run_and_the_papers_points():
    panel, = report.panels(of_copy())
    assert {group: len(curves) for group, curves in panel["curves"].items()} == {"NTM-LSTM": 2, "LSTM": 2, "another": 2}
    assert panel["numbers"]["bits"]["ours"]["NTM-LSTM"][120] == (3.5, pytest.approx(0.5 ** 0.5))
    assert set(panel["paper"]) == {"NTM-LSTM", "LSTM"} and panel["paper"]["LSTM"][0] == (100_000, 4.8)
    figure = plotting.sweep_panels("title", "note", [panel])
    curves, bits, wrong = figure.axes
    assert len(curves.lines) == 6 + 2 and curves.get_yscale() == "log"       # six runs, and diamonds of two groups
    assert len(bits.containers) == len(wrong.containers) == 3


def test_the_papers_figures_are_of_the_groups_that_the_specs_train():
    for name in ("ntm_copy", "ntm_recall", "ntm_repeat_copy", "ntm_ngrams", "ntm_sort"):
        groups = spec.read(name).content["groups"]
        assert set(paper_ntm.CURVES[groups[0]["task"]]) >= {group["label"] for group in groups}


def test_committed_results_say_what_their_runs_say():
    """Every figure of the table follows from the runs, the runs are those of the spec, and none is missing."""
    for found in (of_copy(), of_babi(), *map(results.read, results.names())):
        assert found["table"] == summary.rows(found["runs"])
        asked = [(job["group"], job["task"], job["seed"]) for job in spec.jobs(found["spec"], ".")]
        assert sorted(asked) == sorted((run["group"], run["task"], run["seed"]) for run in found["runs"])
    for name in results.names():
        assert results.read(name)["spec"] == spec.read(name).content
        assert (results.FOLDER / f"{name}.json").stat().st_size < 250_000


def test_report_alone_lists_what_there_is(capsys):
    assert cli.main(["report"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in spec.names())


@pytest.mark.parametrize("text, expected", [(None, "expected one of"), ("{", "something else"), ("[]", "expected an object"),
                                            ('{"spec": {}}', "name: expected a text")])
def test_what_is_no_result_is_refused_in_one_line(text, expected, tmp_path, capsys):
    path = tmp_path / "x.json"
    if text is not None:
        path.write_text(text)
    assert cli.main(["report", str(path)]) == 2
    said = capsys.readouterr().err
    assert expected in said and len(said.splitlines()) == 1
