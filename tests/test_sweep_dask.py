"""A sweep on a real Dask cluster of two worker processes on this machine, one of which is killed in mid-sweep."""

import os
import signal

import pytest
from distributed import Client, LocalCluster
from sweep_tools import SPEC, figures, start, under_way, wait_for, worker_of, write_spec

from numpymem import cli
from numpymem.experiments import executors


@pytest.fixture(scope="module")
def environment():
    """What the workers inherit: everything as NumPy, no download."""
    before = os.environ.copy()
    os.environ |= {"NUMPYMEM_JIT": "0", "NUMPYMEM_OFFLINE": "1"}
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def cluster(environment):
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1") as made:
        yield made


def workers(cluster):
    with Client(cluster) as client:
        return set(client.run(os.getpid).values())


def test_a_killed_worker_of_the_cluster_changes_no_figure(cluster, tmp_path):
    write_spec(tmp_path)
    process, folder = start(tmp_path, "--dask", cluster.scheduler_address), tmp_path / "runs/sweep-small"
    victim = wait_for(lambda: under_way(folder))
    killed = worker_of(victim)
    assert killed in workers(cluster)
    os.kill(killed, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    by_whom = [int(pid) for pid in (victim / ".lock").read_text().split()]
    assert len(by_whom) == 2 and by_whom[0] == killed and len(list(folder.glob("*/result.json"))) == 4
    here = start(tmp_path, "--jobs", 1, "--run", "here")
    _, said = here.communicate(timeout=120)
    assert here.returncode == 0, said
    assert figures(folder) == figures(tmp_path / "here")


def test_a_failing_run_is_told_as_on_this_machine(cluster, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = SPEC["groups"][0] | {"seeds": 1, "set": [*SPEC["groups"][0]["set"], "lr=1e38"]}
    write_spec(tmp_path, SPEC | {"groups": [broken, SPEC["groups"][1] | {"task": "babi1"}]})
    assert cli.main(["sweep", "small.json", "--dask", cluster.scheduler_address]) == 1
    assert "FAILED ntm-copy-0: NonFiniteError" in capsys.readouterr().err
    assert (tmp_path / "runs/sweep-small/mem-n2n-babi1-3/result.json").exists()


def test_workers_with_several_threads_are_refused(environment, tmp_path):
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as crowded:
        with pytest.raises(ValueError, match="one thread each.*--nthreads 1"), executors.dask(crowded.scheduler_address):
            pass


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_one_line_of_advice(address, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(executors, "PATIENCE", "1s")
    write_spec(tmp_path)
    assert cli.main(["sweep", "small.json", "--dask", address]) == 2
    said = capsys.readouterr().err
    assert "dask scheduler" in said and address in said


def test_dask_is_asked_for_only_if_it_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    write_spec(tmp_path)
    assert cli.main(["sweep", "small.json", "--dask", "tcp://127.0.0.1:9"]) == 2
    assert "pip install 'numpymem[cluster]'" in capsys.readouterr().err
