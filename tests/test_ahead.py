"""Compiled ahead: a second process compiles the backward loops while this one compiles the forward."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from kernel_tools import needs_numba

from numpymem import ahead, kernel, threads

STEP = """
import json, sys
import numpy as np
from numpymem import runs
runs.new_run("memn2n", "copy").step()
from numpymem.memn2n import kernels, kernels_hops
counts = {f.__name__: [sum(f.stats.cache_hits.values()), sum(f.stats.cache_misses.values())]
          for f in (kernels_hops.look, kernels_hops.look_back, kernels.remember, kernels.remember_backward)}
print(json.dumps(counts))
"""


@needs_numba
def test_the_forward_is_compiled_here_and_the_backward_is_found_on_disk(tmp_path):
    env = {**os.environ, "NUMPYMEM_CACHE": str(tmp_path), "NUMPYMEM_THREADS": "2", "NUMPYMEM_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=True, env=env,
                          cwd=kernel.PACKAGE.parent)
    assert json.loads(done.stdout) == {"look": [0, 1], "look_back": [1, 0], "remember": [0, 1], "remember_backward": [1, 0]}


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Names of the models for which a second process would be started; the cache folder is empty."""
    names = []
    monkeypatch.setattr(ahead, "_running", {})
    monkeypatch.setattr(ahead, "_start", names.append)
    monkeypatch.setattr(kernel, "cache_folder", lambda: tmp_path / "kernels")
    with threads.use(2):
        yield names


def test_one_process_a_model(started):
    numbers = [np.zeros(3, np.float32)]
    for name in ("memn2n.memories", "memn2n.hops", "ntm.sequence", "loss.categorical", "ntm.sequence"):
        ahead.start(name, numbers)
    assert started == ["memn2n", "ntm"]


def test_none_where_it_would_not_help(started, tmp_path):
    ahead.start("ntm.sequence", [np.zeros(3), 7])                     # a gradient check, in float64
    with threads.use(1):
        ahead.start("ntm.sequence", [np.zeros(3, np.float32)])
    assert started == []
    (tmp_path / "kernels" / "ntm_01").mkdir(parents=True)
    (tmp_path / "kernels" / "ntm_01" / "kernels_step.memory_step_backward-1.py311.nbi").touch()
    ahead.start("ntm.sequence", [np.zeros(3, np.float32)])
    assert started == []


def test_none_where_nothing_can_be_kept(started, tmp_path):
    (tmp_path / "kernels").touch()                                    # a file where the folder should be
    ahead.start("ntm.sequence", [np.zeros(3, np.float32)])
    assert started == []


def test_a_process_that_hangs_is_stopped(monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(ahead, "PATIENCE", 0.01)
    monkeypatch.setattr(ahead, "_running", {"ntm": process})
    ahead.wait("ntm.sequence")
    assert process.wait(20) != 0
    ahead.wait("loss.categorical")                                    # nothing was started for it
