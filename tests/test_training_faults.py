"""Training that is stopped or split, or whose optimizer fails: nothing is lost, and the numbers stay the same."""

import errno
import json
import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from faults import forks  # noqa: E402
from test_writing import forking  # noqa: E402
from test_training import CONFIG, as_numpy, assert_same, everything, memn2n_training, new_folder, ntm_training  # noqa: E402, F401

from numpymem import cli, commands, runs, writing  # noqa: E402
from numpymem.training import RunFolder, checkpoint  # noqa: E402
from numpymem.training.nan_guard import NonFiniteError  # noqa: E402
from numpymem.training.optimizers import RMSProp  # noqa: E402
from numpymem.training.progress import WIDEST, Progress  # noqa: E402


def stop_at(monkeypatch, owner, name, number):
    """The call with this number of `owner.name` meets Ctrl-C."""
    calls, whole = [], getattr(owner, name)

    def stopped(*args, **options):
        calls.append(None)
        if len(calls) == number:
            raise KeyboardInterrupt
        return whole(*args, **options)
    monkeypatch.setattr(owner, name, stopped)


WHERE = {"forward": (lambda training: training.model, "forward", 4),
         "backward": (lambda training: training.model, "backward", 4),
         "update": (lambda training: training.optimizer, "update", 4),
         "evaluation": (lambda training: training.task, "evaluation", 1)}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("make, end", [(ntm_training, 16), (memn2n_training, 32)])
def test_ctrl_c_anywhere_leaves_an_exact_resume(tmp_path, monkeypatch, make, end, where):
    whole, first = make(new_folder(tmp_path / "whole")), make(new_folder(tmp_path / "parts"))
    whole.run(end, progress=False)
    owner, name, number = WHERE[where]
    stop_at(monkeypatch, owner(first), name, number)
    with pytest.raises(KeyboardInterrupt):
        first.run(end, progress=False)
    second = make(RunFolder(tmp_path / "parts"))
    second.resume()
    assert_same_on_the_grid(first, second)                                   # the one in memory, too
    for parts in (first, second):
        parts.folder = None
        parts.run(end, progress=False)
        assert_same_on_the_grid(whole, parts)


OF_A_PART = ("seconds", "train_loss", "gradient_norm", "gradient_norm_max")


def assert_same_on_the_grid(a, b):
    """Bitwise the same, and the same evaluations at the multiples of eval_every."""
    found = []
    for training in (a, b):
        lines = [{name: value for name, value in line.items() if name not in OF_A_PART} for line in training.history
                 if line["sequences"] % training.recipe.eval_every == 0]
        found.append(dict(everything(training)) | {"history": lines, "converged": (training.converged_at, training.evaluated)})
    assert [name for name in found[0] | found[1] if found[0].get(name) != found[1].get(name)] == []


@pytest.mark.parametrize("how", [{"sequences": 6}, {"seconds": 1e-9}, {"seconds": 0.02}], ids=str)
@pytest.mark.parametrize("stop_below", [0, 1e9])
def test_a_split_run_equals_the_whole_one(tmp_path, how, stop_below):
    settings = {"stop_below": stop_below, "settle": 6}
    whole, first = ntm_training(**settings), ntm_training(new_folder(tmp_path / "run"), **settings)
    whole.run(16, progress=False)
    first.run(**how, progress=False)
    second = ntm_training(RunFolder(tmp_path / "run"), **settings)
    second.resume()
    second.run(10, progress=False)
    second.run(16, progress=False)
    assert_same_on_the_grid(whole, second)
    assert whole.converged_at == (8 if stop_below else None)


def test_rmsprop_stays_finite_where_the_spread_rounds_below_zero():
    """Constant gradients: n and m^2 are equal but for rounding, which in float32 is more than eps."""
    for gradient in np.linspace(5, 10, 11, dtype=np.float32):
        params = {"p": np.zeros(3, np.float32)}
        state = RMSProp().init(params)
        for _ in range(2000):
            params, state = RMSProp().update(params, {"p": np.full(3, gradient)}, state, 1e-4)
        assert np.isfinite(params["p"]).all()


def test_an_update_that_is_not_finite_names_the_optimizer():
    training = ntm_training(optimizer="sgd", lr=1e39)
    before = dict(everything(training))
    with pytest.raises(NonFiniteError, match="the update by sgd, lr = 1e.39, made W_x.* not finite"), np.errstate(all="ignore"):
        training.step()
    assert dict(everything(training)) == before


@pytest.mark.parametrize("make, words", [(ntm_training, " bits, "), (memn2n_training, " bits a question, ")])
@pytest.mark.parametrize("seconds", [None, 3600])
def test_the_progress_line_says_the_loss_from_the_first_step_on(make, words, seconds, capsys):
    training = make()
    training.done = 107_520 - training.recipe.batch
    with Progress(training, 200_000, seconds) as bar:
        loss, _ = training.step()
        bar.bar.mininterval = 0
        bar.show(loss, 60.0)
        assert f"{loss / np.log(2):.3g}{words}" in bar.text()
        training.evaluate()
        bar.show(loss, 61.0)
        assert ", eval " in bar.text()
        assert bar.bar.n == (107_520 if seconds is None else 61)
    shown = capsys.readouterr().err.replace("\n", "\r").split("\r")
    assert max(map(len, shown)) <= WIDEST and any("107,520 seq" in line and line.strip().endswith("left") for line in shown)


# ---- killed, a full disk, two at once ---------------------------------------------------------------------------------------

SMALL = ["N=8", "W=4", "controller_size=6", "max_length=2", "eval_every=8", "eval_count=3", "batch=4"]


def small_run(folder, **how):
    return runs.new_run("ntm", "copy", settings=SMALL, folder=folder, **how)


def told(folder):
    """What a run has come to: its log without the seconds, and all numbers of its checkpoint."""
    lines = [json.loads(line) | {"seconds": 0} for line in (folder / "metrics.jsonl").read_text().splitlines()]
    arrays, facts = checkpoint.load(folder / "checkpoint.npz")
    return lines, {name: value.tobytes() for name, value in checkpoint.flatten(arrays)}, facts | {"seconds": 0}


@forking
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("owner, name, after", [
    (RunFolder, "log", False), (RunFolder, "log", True), (os, "fsync", False), (os, "replace", False), (os, "replace", True)])
def test_killed_while_a_checkpoint_is_written(tmp_path, owner, name, after, number):
    """... the first one or the third, at any step of it: the resumed run is the uninterrupted one, to the last bit of its log."""
    small_run(tmp_path / "whole").run(32, progress=False)
    small_run(tmp_path / "r")

    def train():
        training = runs.open_run(tmp_path / "r")
        training.run(8 * (number - 1), progress=False)
        forks.die_at(owner, name, after)
        training.run(32, progress=False)
    assert forks.end_of(forks.fork(train)) == -signal.SIGKILL
    second = runs.open_run(tmp_path / "r")
    assert second.done == 8 * (number - 1 + (name == "replace" and after))
    second.run(32, progress=False)
    assert told(tmp_path / "r") == told(tmp_path / "whole")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [".lock", "checkpoint.npz", "config.json", "metrics.jsonl"]


@forking
def test_on_a_full_disk_training_ends_with_one_line_and_goes_on_later(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "draw_curves", lambda training: None)      # to import what draws takes longer than all the rest
    small_run(tmp_path / "whole").run(32, progress=False)
    small_run(tmp_path / "r").run(16, progress=False)
    limit = (tmp_path / "r/checkpoint.npz").stat().st_size // 2
    resume = ["train", "ntm", "copy", "--run", "r", "--resume", "--sequences", "32"]

    def train():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        os._exit(cli.main(resume))
    assert forks.end_of(forks.fork(train, quiet=False)) == 2
    said = [line for line in capfd.readouterr().err.splitlines() if "cannot be written" in line]
    assert any(line.endswith("r/checkpoint.npz: cannot be written: File too large; make room there and try again (the checkpoint "
                             "after 16 sequences is whole: --resume goes on from there)") for line in said)
    assert sum("python -m numpymem train:" in line for line in said) == 1 and "Traceback" not in "".join(said)
    assert cli.main(resume) == 0 and told(tmp_path / "r") == told(tmp_path / "whole")


def test_a_curve_that_cannot_be_drawn_is_said_and_the_run_stands(tmp_path, capsys):
    training = small_run(tmp_path / "r")
    training.run(16, progress=False)
    training.folder.curves.mkdir()
    commands.draw_curves(training)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "no curve: " in said[0] and "curves.png: cannot be written: Is a directory" in said[0]


def test_a_line_that_could_not_be_logged_comes_with_the_next_one(tmp_path, monkeypatch):
    folder = new_folder(tmp_path / "run")
    folder.log({"sequences": 4})
    with monkeypatch.context() as broken:
        broken.setattr("builtins.open", half_a_line)
        with pytest.raises(writing.CannotWrite, match="metrics.jsonl: cannot be written: No space left"):
            folder.log({"sequences": 8})
    assert RunFolder(folder.path).read_log() == [{"sequences": 4}]
    folder.log({"sequences": 12})
    assert RunFolder(folder.path).read_log() == [{"sequences": 4}, {"sequences": 8}, {"sequences": 12}]


def half_a_line(path, mode):
    """open() on a disk that is full after a few letters."""
    with Path(path).open(mode) as file:
        file.write(b'{"seq')
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_training_that_met_a_full_disk_can_go_on_in_its_process(tmp_path, monkeypatch):
    whole, training = small_run(tmp_path / "whole"), small_run(tmp_path / "r")
    whole.run(32, progress=False)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", lambda file: half_a_line("/dev/null", "wb"))
        with pytest.raises(writing.CannotWrite, match="no checkpoint had been written yet"):
            training.run(32, progress=False)
    training.run(32, progress=False)
    assert told(tmp_path / "r") == told(tmp_path / "whole")


def test_to_look_at_a_run_changes_nothing(tmp_path, monkeypatch, capsys):
    """A lookup while a run is being trained: after a line of the log, before the checkpoint that goes with it."""
    small_run(tmp_path / "r").run(16, progress=False)
    RunFolder(tmp_path / "r").log({"sequences": 24, "seconds": 1.0, "bits_per_sequence": 1.0, "wrong_percent": 1.0})
    before = {path: path.read_bytes() for path in (tmp_path / "r").iterdir()}
    monkeypatch.setattr(writing, "whole", None)                                # whoever writes fails
    assert cli.main(["eval", str(tmp_path / "r"), "--length", "2", "--count", "2"]) == 0
    assert {path: path.read_bytes() for path in (tmp_path / "r").iterdir()} == before


@forking
@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_two_processes_do_not_train_one_run(tmp_path, monkeypatch, capsys, resume):
    monkeypatch.chdir(tmp_path)
    small_run("r")

    def train(ready):
        training = runs.open_run("r")
        training.task.evaluation = lambda *args: (ready(), signal.pause())
        training.run(16, progress=False)
    other = forks.fork_and_wait(train)
    before = {path: path.read_bytes() for path in Path("r").iterdir()}
    assert cli.main(["train", "ntm", "copy", "--run", "r", *resume]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and f"r: another process ({other}) is writing there; wait until it has ended" in said[0]
    assert {path: path.read_bytes() for path in Path("r").iterdir()} == before
    assert forks.was_killed(other)
    assert cli.main(["train", "ntm", "copy", "--run", "r", "--resume", "--sequences", "16"]) == 0


@forking
def test_of_two_processes_that_begin_one_run_one_does(tmp_path):
    """Both have seen an empty folder; the slower one must not write its config over the other's."""
    def create(ready):
        with writing.alone(tmp_path):
            ready()
            signal.pause()
    other = forks.fork_and_wait(create)
    with pytest.raises(writing.InUse):
        RunFolder(tmp_path).create(CONFIG)
    assert forks.was_killed(other)
    RunFolder(tmp_path).create(CONFIG)
