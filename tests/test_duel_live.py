"""`duel --quick`: all rows are trained, an interrupted duel goes on, what a model cannot take is said."""

import json

import pytest

from numpymem import cli
from numpymem.experiments import live, results, rows

SHORT = ("sequences=32", "batch=32", "eval_every=32", "eval_count=20")
NTM, MEMN2N = ("N=8", "W=4", "controller_size=6", *SHORT), ("d=4", *SHORT)
SMALL = {
    "copy": rows.Quick("copy", ("max_length=3",), {"ntm": ("N_training=0", *NTM), "memn2n": MEMN2N}, SHORT),
    "facts": rows.Quick("made-facts", ("facts=6", "entities=6"), {"ntm": NTM, "memn2n": MEMN2N}, SHORT),
    "update": rows.Quick("rewritten-keys", (), {"ntm": NTM, "memn2n": MEMN2N}, SHORT),
    "paths": rows.Quick("segment-traversal", ("max_steps=2",), {"ntm": NTM, "memn2n": MEMN2N}, SHORT),
}


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    monkeypatch.setattr(rows, "QUICK", SMALL)


def run(*arguments):
    return cli.main(["duel", "--quick", *map(str, arguments)])


def test_every_row_is_trained_and_told(tmp_path, capsys):
    assert run("--run", "d") == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 79
    for row in rows.ROWS.values():
        assert f"\n{row.claim}" in "\n" + said
    assert said.count("  live       NTM ") == said.count("  live       MemN2N ") == 4
    assert "live: NTM, seed 0, " in said and "32 examples" in said and "length 120" in said and "2 steps" in said
    assert {"duel.json", "duel.png", "ntm_memory.png", *rows.ROWS} <= {path.name for path in (tmp_path / "d").iterdir()}
    found = json.loads((tmp_path / "d/duel.json").read_text())
    assert [row["row"] for row in found["rows"]] == list(rows.ROWS)
    assert all({run["group"] for run in row["runs"]} == {"NTM", "MemN2N"} for row in found["rows"])
    assert run("--run", "d") == 2 and "new folder" in capsys.readouterr().err         # finished: not mixed with another one


def test_an_interrupted_duel_goes_on_and_takes_further_models(tmp_path, capsys):
    asked = ("--rows", "copy", "--models", "lstm", "memory-transformer", "ntm", "--run", "d")
    assert run(*asked) == 0
    said = capsys.readouterr().out
    assert "live       LSTM" in said and "Transformer cannot take copy: it reads segments" in said
    (tmp_path / "d/duel.json").unlink()
    (tmp_path / "d/copy/ntm-copy-0/result.json").unlink()
    before = (tmp_path / "d/copy/memn2n-copy-0/result.json").stat().st_mtime_ns
    assert run("--rows", "copy", "--run", "d") == 2                                    # other settings
    assert run(*asked, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["group"] for run in found["rows"][0]["runs"]] == ["NTM", "MemN2N", "LSTM"]
    assert (tmp_path / "d/copy/memn2n-copy-0/result.json").stat().st_mtime_ns == before
    assert (tmp_path / "d/copy/ntm-copy-0/result.json").exists()


def test_the_default_folder_is_the_next_free_one(tmp_path):
    settings = {"spec": {}, "start": {}, "equations": ""}
    first, again = (live.open_folder(None, "runs/duel-quick", settings, "") for _ in range(2))
    (first / "duel.json").write_text("{}")
    assert first == again and live.open_folder(None, "runs/duel-quick", settings, "").name == "duel-quick-2"


@pytest.mark.parametrize(("name", "quick"), rows.QUICK.items())
def test_below_what_was_trained_stand_the_committed_runs_of_the_same(name, quick, monkeypatch):
    monkeypatch.setattr(rows, "QUICK", {name: quick})                                  # not the small ones of this file
    groups = {f"{model} {quick.variant}".strip(): model for model in ("NTM", "MemN2N")}
    full = results.read(rows.ROWS[name].spec)
    runs = [run | {"group": groups[run["group"]]} for run in full["runs"]
            if run["task"] == quick.task and run["group"] in groups and run["seed"] == 0]
    spec = full["spec"] | {"groups": [{"label": model} for model in groups.values()]}
    said = live.row_lines(name, full | {"runs": runs, "spec": spec}, {"absent": []})
    for model in groups.values():
        trained, committed = ([line.split()[2:] for line in said if line.split()[:2] == [what, model]]
                              for what in ("live", "committed"))
        assert len(trained) == len(committed) == 1 and len(committed[0]) == 3 * len(trained[0])          # mean, +-, spread
