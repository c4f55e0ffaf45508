"""kill -9 at random moments of training, and of the writing of checkpoints; both in forked children."""

import json

from numpymem import runs, writing
from numpymem.training import RunFolder, checkpoint

from . import forks
from .found import Found

SMALL = ("N=8", "W=4", "controller_size=6", "max_length=3", "eval_count=5", "batch=4")
WORKS = {                                         # words: model, task, settings
    "NTM, copy, RMSProp": ("ntm", "copy", (*SMALL, "eval_every=40", "sequences=400", "optimizer=rmsprop")),
    "NTM, copy, patience": ("ntm", "copy", (*SMALL, "eval_every=32", "sequences=320", "patience=4", "lr=0.05")),
    "MemN2N, babi1, time noise, linear start": ("memn2n", "babi1", ("source=generated", "d=8", "eval_every=320", "eval_count=50",
                                                                   "sequences=3200", "linear_start=1600", "time_noise=0.1")),
    "DNC, traversal in lessons": ("dnc", "traversal", ("N=8", "W=4", "controller_size=8", "eval_every=8", "eval_count=4", "batch=2",
                                                       "sequences=48")),
}
NAMES = {"config.json", "metrics.jsonl", "checkpoint.npz", writing.LOCK}


def begin(work, folder):
    """The Training of a work in a folder: a new run, or what is there."""
    if (folder / "config.json").exists():
        return runs.open_run(folder)
    model, task, settings = WORKS[work]
    return runs.new_run(model, task, 1, settings, folder)


def told(folder):
    """What a run has come to, to the last bit: its log, without the seconds, and its checkpoint."""
    lines = [json.loads(line) | {"seconds": 0} for line in (folder / "metrics.jsonl").read_text().splitlines()]
    arrays, facts = checkpoint.load(folder / "checkpoint.npz")
    facts |= {"seconds": 0} | ({"best": facts["best"] | {"seconds": 0}} if "best" in facts else {})
    return lines, {name: value.tobytes() for name, value in checkpoint.flatten(arrays)}, facts


def damage(folder, more=()):
    """Files of a run folder that are half written, and parts of files under other names -> (list of words, number of parts)."""
    wrong, parts = [], 0
    for path in folder.iterdir() if folder.exists() else ():
        if writing.PART.fullmatch(path.name):
            parts += 1
        elif path.name not in NAMES.union(more):
            wrong.append(f"a file {path.name}")
    try:
        if (folder / "config.json").exists():
            RunFolder(folder).read_config()
        RunFolder(folder).read_log()
        saved(folder)
    except ValueError as error:
        wrong.append(str(error).replace(str(folder), "RUN"))
    return wrong, parts


def saved(folder):
    """Sequences that the checkpoint stands for; 0 if there is none."""
    path = folder / "checkpoint.npz"
    return checkpoint.load(path)[1]["done"] if path.exists() else 0


def watched(work, folder, note):
    """Train to the end, and note how far the training is, and when a checkpoint is being written."""
    training = begin(work, folder)
    step, save = training.step, training.save

    def noted_step():
        found = step()
        note[forks.DONE] = training.done
        return found

    def noted_save():
        note[forks.WRITES] += 1
        note[forks.PHASE] = 1
        save()
        note[forks.PHASE] = 0
    training.step, training.save = noted_step, noted_save
    note[forks.BEGUN] = 1
    training.run(progress=False)


def kill_in_training(kills, rng, folder, tell):
    """Each run is killed again and again at random moments, some four times on its way -> [Found]."""
    return [killed_runs(work, share, rng, folder / str(number), tell, random_moment)
            for number, (work, share) in enumerate(shares(WORKS, kills))]


def kill_in_writes(kills, rng, folder, tell):
    """The same with a kill at a random moment of the writing of a checkpoint, from its first microsecond on -> [Found]."""
    works = [work for work in WORKS if "NTM" in work or "MemN2N" in work]
    return [killed_runs(work, share, rng, folder / f"w{number}", tell, moment_of_a_write)
            for number, (work, share) in enumerate(shares(works, kills))]


def shares(works, kills):
    """How many kills each work gets."""
    works = list(works)
    return [(work, kills // len(works) + (at < kills % len(works))) for at, work in enumerate(works)]


def killed_runs(work, kills, rng, folder, tell, moment):
    """Runs of a work until it has been killed so often; each goes on until its end, and is compared with the uninterrupted one."""
    found = Found(work)
    begin(work, folder / "warm").step()           # what is done once in a process is done here, and no child is killed meanwhile
    forks.run(lambda: begin(work, folder / "whole").run(progress=False))
    seconds, whole = checkpoint.load(folder / "whole/checkpoint.npz")[1]["seconds"], told(folder / "whole")
    every = RunFolder(folder / "whole").read_config()["recipe"]["eval_every"]
    found.allowed = every
    while found.kills < kills:
        run, note = folder / f"run{found.runs}", forks.notes()
        found.runs += 1
        for attempt in range(5):
            note[:4] = saved(run), 0, 0, 0
            pid = forks.fork(lambda run=run, note=note: watched(work, run, note))
            last = attempt == 4 or found.kills >= kills                      # a run that is always killed early would never end
            if last or not moment(pid, note, rng, seconds):
                break
            found.kills += 1
            found.inside += int(note[forks.PHASE])
            look(found, run, int(note[forks.DONE]), every)
            tell(found)
        if last and forks.end_of(pid) != 0:
            found.fail("a run that was resumed failed")
        else:
            compare(found, run, whole)
    return found


def look(found, run, done, every):
    """After a kill: is any file half there, and how much is lost?"""
    wrong, parts = damage(run)
    found.parts += parts
    lost = done - saved(run)
    found.lost = max(found.lost, lost)
    found.fail(*wrong, *([f"{lost} sequences lost"] if lost > every else []))


def compare(found, run, whole):
    """After the end: the same numbers as the uninterrupted run, and nothing else is in the folder."""
    if told(run) != whole:
        found.fail("other numbers than the uninterrupted run")
    left = [path.name for path in run.iterdir() if path.name not in NAMES]
    found.left += len(left)
    found.fail(*(f"{name} is left" for name in left))


def random_moment(pid, note, rng, seconds):
    """kill -9 after up to a third of the time that the whole training takes -> whether it came in time."""
    forks.wait_until(note, forks.BEGUN, 1, pid, pause=0.001)
    return forks.kill_after(pid, rng.uniform(0, seconds / 3))


def moment_of_a_write(pid, note, rng, seconds):
    """kill -9 within some milliseconds of the beginning of the first to fifth checkpoint -> whether it came in time."""
    write, delay = rng.integers(1, 6), rng.uniform(0, rng.choice([2e-4, 2e-3, 1e-2]))
    forks.wait_until(note, forks.WRITES, write, pid)
    return forks.kill_after(pid, delay)
