"""Sweeps: specs are checked before anything starts; what was killed goes on; what fails takes nobody along."""

import concurrent.futures
import contextlib
import copy
import errno
import json
import os
import signal
import threading

import pytest
from sweep_tools import FOLDERS, SPEC, figures, start, under_way, wait_for, worker_of, write_spec

from numpymem import cli, writing
from numpymem.experiments import executors, measure, results, spec, summary, sweep, sweep_run
from numpymem.training import checkpoint


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    monkeypatch.setenv("NUMPYMEM_OFFLINE", "1")
    write_spec(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a sweep that nothing happened to, and what it printed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_spec(folder)
    process = start(folder, "--jobs", 2)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return folder / "runs/sweep-small", out


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


# ---- one sweep ------------------------------------------------------------------------------------------------------------

def test_a_sweep_leaves_folders_table_figure_and_results(undisturbed):
    folder, out = undisturbed
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(FOLDERS)
    assert (folder / "sweep.png").stat().st_size > 10_000
    found = json.loads((folder / "results.json").read_text())
    assert found["spec"] == SPEC and found["seconds"] > 0 and found["command"] == "python -m numpymem sweep small.json --jobs 2"
    assert [(r["group"], r["task"], r["seed"]) for r in found["runs"]] == [
        ("NTM", "copy", 0), ("NTM", "copy", 1), ("Mem N2N", "babi1", 3), ("Mem N2N", "babi15", 3)]
    assert found["table"] == summary.rows(found["runs"])
    for words in ("bits at 10 ", "wrong % at 120", "0 of 2", "test error %", "mean test error over 2 tasks"):
        assert words in out
    assert [point[0] for point in found["runs"][0]["curve"]] == list(range(80, 1601, 80))


def test_a_run_of_a_sweep_is_the_run_that_train_makes(undisturbed, tmp_path):
    """... on one core: threads and processes change no figure."""
    group = SPEC["groups"][0]
    run("train", "ntm", "copy", "--controller", "feedforward", "--seed", 1, "--run", "r",
        *[word for pair in group["set"] for word in ("--set", pair)])
    one, other = ([json.loads(line) | {"seconds": 0} for line in (folder / "metrics.jsonl").read_text().splitlines()]
                  for folder in (undisturbed[0] / "ntm-copy-1", tmp_path / "r"))
    assert len(one) == 20 and one == other


# ---- killed, failed, gone on ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sweep_goes_on_where_it_stood(sign, undisturbed, tmp_path):
    first = start(tmp_path, "--jobs", 2)
    half_done = wait_for(lambda: under_way(tmp_path / "runs/sweep-small"))
    workers = [worker_of(path) for path in (tmp_path / "runs/sweep-small").iterdir() if (path / ".lock").exists()]
    if sign == signal.SIGKILL:
        first.kill()                                                     # its workers must notice by themselves
    else:
        os.killpg(first.pid, sign)
    _, said = first.communicate(timeout=60)
    assert first.returncode == (130 if sign == signal.SIGINT else -signal.SIGKILL)
    assert sign == signal.SIGKILL or "Traceback" not in said
    wait_for(lambda: not any(alive(pid) for pid in workers))
    assert not (half_done / "result.json").exists() and not (tmp_path / "runs/sweep-small/results.json").exists()
    second = start(tmp_path, "--jobs", 2, "--resume")
    _, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert figures(tmp_path / "runs/sweep-small") == figures(undisturbed[0])


def alive(pid):
    """Whether a process runs: one that has ended, but that nobody has asked after yet, does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_worker_takes_nobody_along(undisturbed, tmp_path):
    process = start(tmp_path, "--jobs", 2)
    victim = wait_for(lambda: under_way(tmp_path / "runs/sweep-small"))
    os.kill(worker_of(victim), signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert len((victim / ".lock").read_text().split()) == 2                # two processes have worked on it
    assert figures(tmp_path / "runs/sweep-small") == figures(undisturbed[0])


def test_a_run_whose_process_dies_again_is_reported_and_starts_again_on_resume(undisturbed, tmp_path):
    process, folder = start(tmp_path, "--jobs", 2), tmp_path / "runs/sweep-small"
    victim = wait_for(lambda: under_way(folder))
    first = worker_of(victim)
    os.kill(first, signal.SIGKILL)
    os.kill(wait_for(lambda: worker_of(victim) != first and worker_of(victim)), signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1 and f"FAILED {victim.name}: its process was killed twice" in said
    assert "1 of 4 runs failed" in said and "killed twice" in (victim / "error.txt").read_text()
    assert [name for name in FOLDERS if not (folder / name / "result.json").exists()] == [victim.name]
    again = start(tmp_path, "--jobs", 1, "--resume")
    again.communicate(timeout=120)
    assert again.returncode == 0 and figures(folder) == figures(undisturbed[0])
    assert not (victim / "error.txt").exists()


def test_a_failing_run_is_reported_and_the_others_finish(tmp_path, capsys):
    content = copy.deepcopy(SPEC)
    content["groups"][0] |= {"label": "breaks", "seeds": [1], "set": [*SPEC["groups"][0]["set"], "lr=1e38", "sequences=80"]}
    write_spec(tmp_path, content)
    assert run("sweep", "small.json", "--jobs", 1) == 1
    said = capsys.readouterr()
    assert "FAILED breaks-copy-1: NonFiniteError" in said.err and "1 of 3 runs failed" in said.err
    folder = tmp_path / "runs/sweep-small"
    assert "Traceback" in (folder / "breaks-copy-1/error.txt").read_text()
    assert [run["task"] for run in json.loads((folder / "results.json").read_text())["runs"]] == ["babi1", "babi15"]
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/result.json")}
    assert len(before) == 2 and run("sweep", "small.json", "--jobs", 1, "--resume") == 1      # tried again, and fails again
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/result.json")} == before


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path):
    job = next(iter(spec.jobs(SPEC, tmp_path)))
    (tmp_path / "r").mkdir()
    training = sweep_run.begin(job, tmp_path / "r")
    training.folder.log({"sequences": 80, "seconds": 0.1, "bits_per_sequence": 1.0, "wrong_percent": 1.0})
    assert sweep_run.begin(job, tmp_path / "r").folder.read_log() == []


def test_a_full_disk_ends_the_sweep_with_one_line_and_spoils_no_run(undisturbed, tmp_path, capsys, monkeypatch):
    """A run that fails starts again on --resume; one that met a full disk has not failed, and goes on from its checkpoint."""
    path = tmp_path / "small.json"
    save = checkpoint.save

    def full(path, arrays, facts):
        if facts["done"] == 400:
            with writing.clear(path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(path, arrays, facts)
    with monkeypatch.context() as broken:
        broken.setattr(checkpoint, "save", full)
        broken.setattr(executors, "local", in_this_process)
        assert run("sweep", path, "--jobs", 1) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if "cannot be written" in line]
    assert len(said) == 1 and "No space left on device; make room there and try again (the checkpoint after 320 seq" in said[0]
    folder = tmp_path / "runs/sweep-small"
    assert not list(folder.glob("*/error.txt")) and not list(folder.glob("ntm*/result.json"))
    assert run("sweep", path, "--jobs", 1, "--resume") == 0 and figures(folder) == figures(undisturbed[0])


@contextlib.contextmanager
def in_this_process(workers):
    """A pool that trains a run when it is given one."""
    class Pool:
        def submit(self, function, job):
            future = concurrent.futures.Future()
            try:
                future.set_result(function(job))
            except BaseException as error:
                future.set_exception(error)
            return future
    yield Pool()


def test_two_workers_on_one_run_wait_for_each_other(tmp_path):
    """A cluster may give up a worker that is still alive."""
    entered, order = threading.Event(), []

    def second():
        entered.wait()
        with sweep_run.alone(tmp_path):
            order.append("second")
    other = threading.Thread(target=second)
    other.start()
    with sweep_run.alone(tmp_path):
        entered.set()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


# ---- refused ----------------------------------------------------------------------------------------------------------------

def changed(**new):
    return {**copy.deepcopy(SPEC), **new}


def with_group(**new):
    content = copy.deepcopy(SPEC)
    content["groups"][0] |= new
    return content


@pytest.mark.parametrize("content, expected", [
    (changed(tittle="x"), "received 'tittle'"), (changed(title=3), "title: expected a text, received 3"),
    (changed(groups=[]), "at least one"), ([], "expected an object"), ({"title": "x"}, "expected an entry 'source'"),
    (with_group(sed=["lr=1"]), "groups[0]: expected keys among"), (with_group(seeds=0), "seeds"),
    (with_group(seeds=[1, 1]), "seeds"), (with_group(seeds=True), "seeds"), (with_group(seeds=[-1]), "seeds"),
    (with_group(task=[]), "task"), (with_group(set=[3]), "set"),
    (with_group(task="qa"), "expected 'babi1' by its own name"), (with_group(label="MEM n2n"), "labels that differ"),
    (with_group(label="..."), "labels that differ"),
    (with_group(model="foo"), "group 'NTM', task 'copy': MODEL: expected one of ntm"),
    (with_group(task="foo", set=[]), "TASK: expected one of copy"), (with_group(set=["nonsense=1"]), "received 'nonsense'"),
    (with_group(set=["lr=x"]), "lr: expected"), (with_group(controller="gru"), "controller: expected"),
    (with_group(model="memn2n"), "only ntm and dnc have one"),
])
def test_bad_specs_are_refused_before_anything_starts(content, expected, tmp_path, capsys):
    write_spec(tmp_path, content)
    assert run("sweep", "small.json") == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and expected in said.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments, expected", [
    (["nowhere"], "expected one of babi_10k"), (["small.json", "--jobs", "0"], "at least 1"),
    (["small.json", "--jobs", "2", "--dask", "tcp://127.0.0.1:1"], "not allowed"), (["small.json", "--save"], "shipped specs"),
    (["broken.json"], "expected JSON"),
])
def test_bad_arguments_exit_2_with_one_line(arguments, expected, tmp_path, capsys):
    (tmp_path / "broken.json").write_text("{")
    try:
        code = run("sweep", *arguments)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr().err
    assert code == 2 and len(said.splitlines()) == 1 and expected in said


def test_a_used_folder_is_refused_and_so_is_another_sweep(undisturbed, tmp_path, capsys, monkeypatch):
    folder = undisturbed[0]
    assert run("sweep", "small.json", "--run", folder) == 2 and "--resume" in capsys.readouterr().err
    write_spec(tmp_path, changed(about="something else"))
    assert run("sweep", "small.json", "--run", folder, "--resume") == 2 and "the spec has changed" in capsys.readouterr().err
    write_spec(tmp_path)
    monkeypatch.setattr(results, "equations_today", lambda: "edited")
    assert run("sweep", "small.json", "--run", folder, "--resume") == 2 and "an equation has changed" in capsys.readouterr().err
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("mine")
    assert run("sweep", "small.json", "--run", "other", "--resume") == 2
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


# ---- specs, measures, tables ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", spec.names())
def test_shipped_specs_are_well_formed(name):
    asked = spec.read(name)
    assert asked.shipped and spec.jobs(asked.content, "f")
    assert all(measure.kind_of(job["task"]) in measure.FINAL for job in spec.jobs(asked.content, "f"))


def test_sweep_alone_lists_the_specs(capsys):
    assert run("sweep") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in spec.names()) and "200 runs" in out


def test_what_each_group_starts_with_is_its_recipe_and_settings():
    start_ = sweep.prepare(SPEC, warm=False)
    assert list(start_) == ["NTM copy", "Mem N2N babi1", "Mem N2N babi15"]
    assert start_["NTM copy"]["recipe"]["sequences"] == 1600 and start_["NTM copy"]["model"]["N"] == 8


def result(seed, converged_at=None, goal=0.05, group="a", task="copy", **figures):
    return {"group": group, "task": task, "seed": seed, "model": "ntm", "parameters": 10, "data": "made", "goal_bits": goal,
            "converged_at": converged_at, "seconds_until": converged_at and converged_at / 100, "sequences": 900, "seconds": 9.0,
            "figures": figures, "curve": [[900, 1.0]]}


def test_medians_count_runs_that_never_learned_as_slowest():
    found, = summary.rows([result(0, 100), result(1), result(2, 300)])
    assert (found["learned"], found["sequences"], found["seconds"]) == (2, 300, 3.0)
    found, = summary.rows([result(0, 100), result(1), result(2)])
    assert (found["learned"], found["sequences"]) == (1, None) and "never" in summary.table([found])
    found, = summary.rows([result(0, goal=None), result(1, goal=None)])
    assert found["learned"] is None and found["sequences"] == 900


def test_the_best_is_chosen_by_training_error_then_training_loss():
    runs = [result(seed, goal=None, task="babi1", train_error_percent=train, train_bits=bits, test_error_percent=test)
            for seed, train, bits, test in ((0, 1.0, 0.0, 0.0), (1, 0.0, 0.2, 5.0), (2, 0.0, 0.1, 7.0))]
    found, = summary.rows(runs)
    assert found["best_seed"] == 2
    assert found["figures"]["test_error_percent"] == {"mean": 4.0, "sd": pytest.approx(13 ** 0.5), "best": 7}
    two = summary.rows(runs + [run | {"task": "babi2"} for run in runs[:1]])
    assert summary.means(two) == {"a": {"tasks": 2, "mean": 2.0, "best": 3.5, "failed": 1}}


def test_lines_of_a_measure_become_figures():
    lines = [{"items": n, "bits_per_sequence": n / 10, "wrong_bits_percent": n, "sequences": 100} for n in (6, 20)]
    found = measure.figures_of(lines)
    assert found == {"bits": {"6": 0.6, "20": 2.0}, "wrong_percent": {"6": 6, "20": 20}}
    assert summary.by_number(summary.flat(found)) == {"bits": {6: 0.6, 20: 2.0}, "wrong_percent": {6: 6, 20: 20}}
    assert measure.figures_of([{"length": 20, "repeats": 10, "bits_per_sequence": 1.0}]) == {"bits": {"20 x 10": 1.0}}
    assert measure.figures_of([{"bits_per_sequence": 133.0, "sequences": 9}]) == {"bits": 133.0}


def test_curves_are_thinned_but_keep_their_ends():
    history = [{"sequences": 10 * n, "bits_per_sequence": 1 / n} for n in range(1, 102)]
    thin = sweep_run.curve(history)
    assert len(thin) <= sweep_run.POINTS + 1 and thin[0] == [10, 1] and thin[-1] == [1010, 0.009901]


def test_cores_are_those_this_process_may_use():
    assert 1 <= executors.cores() <= os.cpu_count()
