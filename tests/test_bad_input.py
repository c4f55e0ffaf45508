"""Bad input: what `make fuzz` found in checkpoints, configs, logs, specs, results and settings, each mended."""

import io
import json
import pickle

import numpy as np
import pytest
from fuzz import hostile

from numpymem import received, runs
from numpymem.experiments import report, spec, sweep
from numpymem.kernel import numpy_only
from numpymem.training import RunFolder, checkpoint

SMALL = ["N=8", "W=4", "controller_size=6", "max_length=3", "batch=2", "eval_every=4", "eval_count=2"]
RNG = np.random.default_rng(0)


# ---- checkpoints ---------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small run, and its checkpoint's arrays."""
    folder = tmp_path_factory.mktemp("run") / "r"
    with numpy_only():                            # nothing to compile
        runs.new_run("ntm", "copy", 0, SMALL, folder).run(4, progress=False)
    with np.load(folder / "checkpoint.npz") as arrays:
        return folder, dict(arrays)


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it, to be broken."""
    for path in trained[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def with_array(trained, name, value):
    """The checkpoint's bytes, with another array under a name."""
    return hostile.unharmed(RNG, trained[1] | {name: value}, None)


def with_facts(trained, **others):
    facts = json.loads(str(trained[1]["facts"])) | others
    return with_array(trained, "facts", np.array(json.dumps(facts)))


@pytest.mark.parametrize("how", ["array of objects", "bare", "whole file"])
def test_a_pickle_in_a_checkpoint_is_not_opened(trained, run, how):
    evil = run / "unpickled"
    hurt = hostile.npy(np.array([hostile.Evil(evil)], object), allow_pickle=True)
    bare = pickle.dumps(hostile.Evil(evil))
    content = {"array of objects": hostile.npz([("facts.npy", hurt)]), "bare": hostile.npz([("facts.npy", bare)]),
               "whole file": bare}
    (run / "checkpoint.npz").write_bytes(content[how])
    with pytest.raises(ValueError, match="checkpoint.npz: expected a checkpoint written by numpymem"):
        checkpoint.load(run / "checkpoint.npz")
    assert not evil.exists()
    pickle.loads(bare)                                                         # the payload is one: it does make the folder
    assert evil.exists()


@pytest.mark.parametrize("member, says", [
    (hostile.header((1 << 40,), data=b"1234"), r"expected the 4 bytes that are there, found the shape \(1099511627776,\)"),
    (hostile.header((1 << 62, 4)), "expected the 0 bytes"), (hostile.header((-1,), data=b"1234"), "expected the 4 bytes"),
    (hostile.header((1,), "|O", b"12345678"), "expected numbers or a text, found object"),
    (hostile.header((1,), [("a", "<f4")], b"1234"), "expected numbers or a text"), (b"1234", "expected an array"),
    (b"\x93NUMPY\x01\x00\x10\x00{'descr':exit()}", "expected an array"),
])
def test_a_header_that_lies_is_noticed(run, member, says):
    (run / "checkpoint.npz").write_bytes(hostile.npz([("x.npy", member)]))
    with pytest.raises(ValueError, match=rf"checkpoint.npz: expected a checkpoint .*array 'x.npy': {says}"):
        checkpoint.load(run / "checkpoint.npz")


def test_a_compressed_checkpoint_is_refused(run):
    out = io.BytesIO()
    np.savez_compressed(out, facts=np.zeros(1 << 20))
    (run / "checkpoint.npz").write_bytes(out.getvalue())
    with pytest.raises(ValueError, match="found it compressed"):
        checkpoint.load(run / "checkpoint.npz")


@pytest.mark.parametrize("name, value, says", [
    ("optimizer/m/W_x", np.zeros(3, np.float32), "optimizer m/W_x: expected shape"),
    ("optimizer/m/W_x", None, "optimizer m/W_x: expected shape .*, received none"),
    ("params/W_x", "int", "parameter W_x: expected float32, received int64"),
    ("params/W_x", "nan", "parameter W_x: expected finite numbers"),
    ("optimizer/t", np.array(1.5), "optimizer t: expected int64, received float64"),
])
def test_a_checkpoint_with_another_array_is_refused_before_it_is_used(trained, run, name, value, says):
    arrays = dict(trained[1])
    found = arrays.pop(name)
    if value is not None:
        arrays[name] = {"int": found.astype(np.int64), "nan": found * np.float32(np.nan)}[value] if isinstance(value,
                                                                                                               str) else value
    (run / "checkpoint.npz").write_bytes(hostile.unharmed(RNG, arrays, None))
    with pytest.raises(ValueError, match=f"checkpoint.npz: {says}"):
        runs.open_run(run)


@pytest.mark.parametrize("facts, says", [
    ({"done": "4"}, "done: expected a whole number of at least 0, received '4'"), ({"done": -4}, "done: expected"),
    ({"converged_at": 1.5}, "converged_at"), ({"seconds": None}, "seconds: expected a number"), ({"rngs": {}}, "rngs: expected"),
    ({"rngs": dict.fromkeys(("init", "data", "noise", "evaluation"), {"bit_generator": "x"})}, "checkpoint.npz: "),
])
def test_facts_that_cannot_be_are_refused(trained, run, facts, says):
    (run / "checkpoint.npz").write_bytes(with_facts(trained, **facts))
    with pytest.raises(ValueError, match=says) as caught:
        runs.open_run(run)
    assert "checkpoint.npz" in str(caught.value)


def test_facts_that_are_very_deep_or_no_object(trained, run):
    for text, says in (("[" * 100_000, "RecursionError"), ("[1]", r"whose facts are \[1\]")):
        (run / "checkpoint.npz").write_bytes(with_array(trained, "facts", np.array(text)))
        with pytest.raises(ValueError, match=f"checkpoint.npz: .*{says}"):
            runs.open_run(run)


# ---- configs, logs, specs, results ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("change, says", [
    ({"model": ["ntm"]}, "config.json: "), ({"model": "memn2n", "task": "sort"}, "config.json: MODEL: expected one of"),
    ({"seed": "x"}, "config.json: seed: expected a whole number"),
    ({"model_settings": None}, "config.json: expected the config of a run"),
    ({"model_settings": {"W": "x"}}, "config.json: W: expected"),
    ({"task_settings": {"self": 1}}, "config.json: expected the config"),
    ({"recipe": []}, "config.json"), ({"model_settings": {"N": 10 ** 12}}, "N: expected a whole number from 2 to 10,000,000"),
    ({"data": 3}, "config.json: data: expected a text, received 3"),
])
def test_a_config_with_a_mistake_names_the_file(run, change, says):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ValueError, match=says):
        runs.open_run(run)


def test_a_damaged_log_names_its_line(run):
    whole = (run / "metrics.jsonl").read_text()
    for line in ("{", "[1]", '{"sequences": "x"}', "\x00"):
        (run / "metrics.jsonl").write_text(f"{whole}{line}\n")
        with pytest.raises(ValueError, match=f"metrics.jsonl, line {len(whole.splitlines()) + 1}: "):
            RunFolder(run).read_log()


def spec_content():
    return {"title": "t", "source": "s", "about": "a", "groups": [{"label": "one", "model": "ntm", "task": "copy", "seeds": 1}]}


@pytest.mark.parametrize("content, says", [
    (b"\xff", "mine.json: expected JSON"), (b"[" * 100_000, "mine.json: expected JSON"),
    (b'{"title": ' + b'"x' * 50_000, "mine.json"),
    (json.dumps(spec_content() | {"groups": [spec_content()["groups"][0] | {"seeds": 2 ** 40}]}).encode(),
     "seeds: expected a number from 1 to"),
    (json.dumps(spec_content() | {"groups": [spec_content()["groups"][0] | {"task": [1]}]}).encode(), "mine.json: groups.0.: task"),
])
def test_a_spec_with_a_mistake_names_the_file(tmp_path, content, says):
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(ValueError, match=says) as caught:
        spec.read(tmp_path / "mine.json")
    assert len(str(caught.value)) < 600


def test_a_sweep_names_the_file_that_is_damaged(tmp_path):
    settings = {"spec": spec_content(), "start": {}, "equations": "x"}
    sweep.open_folder(tmp_path, settings, "a command")
    for content in ("{", "[]", "{}", json.dumps(settings | {"command": "c", "versions": {}, "seconds": "x"})):
        (tmp_path / "sweep.json").write_text(content)
        with pytest.raises(ValueError, match="sweep.json: "):
            sweep.open_folder(tmp_path, settings, "a command")
    (tmp_path / "sweep.json").write_text(json.dumps(settings | {"command": "c", "versions": {}, "seconds": 1}))
    jobs = spec.jobs(spec_content(), tmp_path)
    (tmp_path / "one-copy-0").mkdir()
    for content in ("", "[]", '{"group": "one"}'):
        (tmp_path / "one-copy-0/result.json").write_text(content)
        with pytest.raises(ValueError, match="result.json: "):
            sweep.collect(spec.Spec("mine", False, spec_content()), tmp_path, jobs)


@pytest.mark.parametrize("change, says", [
    (lambda found: found["table"][0].pop("n"), r"results.json: table\[0\]: n: expected a whole number, received none"),
    (lambda found: found["runs"][1].update(curve=[["x"]]), r"results.json: runs\[1\]: curve: expected a list of points"),
    (lambda found: found.update(spec=3), "results.json: spec: expected|results.json: the file: spec: expected"),
    (lambda found: found["runs"][0].update(seed="x"), r"runs\[0\]: seed"),
])
def test_results_of_ones_own_with_a_mistake_say_where(tmp_path, change, says):
    found = json.loads((report.results.FOLDER / "ntm_sort.json").read_text())
    change(found)
    (tmp_path / "results.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match=says):
        report.run_report(str(tmp_path / "results.json"), tmp_path / "x.png")


@pytest.mark.parametrize("name", ["../outside", "/outside", "a\\b", "..", ""])
def test_the_figure_of_somebody_elses_results_is_written_here(name, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    found = json.loads((report.results.FOLDER / "ntm_sort.json").read_text())
    (tmp_path / "here/results.json").write_text(json.dumps(found | {"name": name}))
    with pytest.raises(ValueError, match="results.json: name: expected a name without a folder"):
        report.run_report("results.json")
    assert [path.name for path in tmp_path.rglob("*.png")] == []


def test_nothing_steers_the_screen(tmp_path, capsys, monkeypatch):
    found = json.loads((report.results.FOLDER / "ntm_sort.json").read_text())
    found["spec"]["title"] = "\x1b[2J\x1b]0;evil\x07 a title"
    (tmp_path / "results.json").write_text(json.dumps(found))
    monkeypatch.setattr(report, "draw", lambda found, path: path)
    monkeypatch.setattr(report, "examples", lambda found: [])
    report.run_report(str(tmp_path / "results.json"))
    assert "\\x1b[2J" in (said := capsys.readouterr().out) and "\x1b" not in said and "\x07" not in said


@pytest.mark.parametrize("text", ["layers=2147483648", "size=1000000000000", "lr=" + "9" * 5000, "size=" + "[" * 5000,
                                  "batch=1e400"])
def test_a_setting_that_cannot_be_is_one_line(text):
    with pytest.raises(ValueError) as caught:
        runs.new_run("lstm", "sort", settings=[text])
    assert len(str(caught.value)) < 650 and str(caught.value).isprintable()


def test_what_is_received_is_shown_short():
    assert received.shown("x" * 1000).endswith("... (1,002 characters)") and received.shown(3) == "3"
    assert received.one_line("a\nb\x1b") == "a b\\x1b"
