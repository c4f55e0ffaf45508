"""One run of a sweep, in whatever process it has been sent to: from nothing or from its checkpoint to its result.json.

A run is found again by its folder alone: finished if there is a result.json, failed if there is an error.txt, half-done if there
is a checkpoint. So it does not matter who trained it, or how often somebody was killed on the way.
"""

import json
import pathlib
import shutil
import traceback

from threadpoolctl import threadpool_limits

from numpymem import runs, threads, writing
from numpymem.experiments import measure, results
from numpymem.writing import CannotWrite, write_text
from numpymem.received import read_json, reading
from numpymem.training.nan_guard import NonFiniteError
from numpymem.training.run_folder import RunFolder

POINTS = 40                                       # of a learning curve in a result


def train_one(job):
    """Train one run to its end on one core -> '' or, if it failed, the error in one line. Its folder holds the rest.

    raises   CannotWrite, which ends the sweep: it is the disk's fault and would meet every run
    """
    folder = pathlib.Path(job["folder"])
    writing.make_folder(folder)
    with alone(folder), threads.use(1), threadpool_limits(1, "blas"):
        if result_file(folder).exists():          # somebody else has just finished it
            return ""
        try:
            training = begin(job, folder)
            diverged = run_to_the_end(training, job.get("diverged") == "counted")
            write_text(result_file(folder), json.dumps(result_of(training, job, diverged)) + "\n")
            return ""
        except CannotWrite:                       # no fault of the run's: it goes on from its checkpoint once there is room
            raise
        except Exception as error:                # whatever it is, the other runs go on
            write_text(error_file(folder), traceback.format_exc())
            return f"{type(error).__name__}: {error}"


def run_to_the_end(training, counted):
    """Train -> '' or, if that is `counted` and fails no run, what was no longer finite."""
    try:
        training.run(progress=False)
    except NonFiniteError as error:
        if not counted:
            raise
        return str(error)
    return ""


def begin(job, folder):
    """The Training of a job: as its checkpoint left it, or a new one, also after a failure."""
    files = RunFolder(folder)
    if files.checkpoint.exists() and not error_file(folder).exists():
        return runs.open_run(folder)
    clear(folder)                                 # also a run that was killed before its first checkpoint starts again
    return runs.new_run(job["model"], job["task"], job["seed"], job["set"], folder, job["controller"],
                        command=job.get("command", ""))


def clear(folder):
    """Empty a run's folder, but for its lock."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != writing.LOCK:
            path.unlink()


def alone(folder):
    """Wait until nobody else works in this folder: a worker that a cluster has given up may still be alive, and so may those of a
    sweep that was killed."""
    return writing.alone(folder, wait=True)


def result_of(training, job, diverged=""):
    """What result.json says: how long it took, what it can do, how it learned. Of a run that has diverged there are no figures."""
    return {"group": job["group"], "task": job["task"], "seed": training.seed, "model": job["model"],
            "parameters": runs.count_parameters(training.params), "data": whole(runs.content(training.task.origin)),
            "goal_bits": training.recipe.stop_below or None, "converged_at": training.converged_at,
            "seconds_until": seconds_until(training), "sequences": training.done, "seconds": round(training.seconds, 1),
            "figures": {} if diverged else rounded(measure.final(training)), "curve": curve(training.history),
            "gradients": gradients(training.history)} | ({"diverged": diverged} if diverged else {})


def whole(origin):
    """An origin that was cut before its closing bracket, with it."""
    return origin + ")" * (origin.count("(") - origin.count(")"))


def seconds_until(training):
    """Seconds, evaluations included, until it had converged; None if it never did."""
    return next((line["seconds"] for line in training.history if line["sequences"] == training.converged_at), None)


def curve(history):
    """[[sequences, bits a sequence], ...]: about POINTS of all evaluations, the first and the last among them."""
    return [[line["sequences"], rounded(line["bits_per_sequence"])] for line in some_of(history)]


def gradients(history):
    """[[sequences, median, largest norm of the gradient, before any clipping, since the evaluation before], ...], likewise."""
    return [[line["sequences"], *(float(f"{line[name]:.3g}") for name in ("gradient_norm", "gradient_norm_max"))]
            for line in some_of(history) if "gradient_norm" in line]


def some_of(history):
    every = max(1, -(-len(history) // POINTS))
    return [line for at, line in enumerate(history) if at % every == 0 or at == len(history) - 1]


def rounded(value):
    """Numbers with five digits: a result file is read by people, too."""
    if isinstance(value, dict):
        return {str(name): rounded(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    return int(value) if float(value).is_integer() else float(f"{float(value):.5g}")


def result_file(folder):
    return pathlib.Path(folder) / "result.json"


def read_result(path):
    """The content of a result.json. Raises ValueError naming the file; delete it, and the run is trained again."""
    found = read_json(path)
    with reading(path, "the result of a run"):
        results.check_run("the run", found)
    return found


def error_file(folder):
    return pathlib.Path(folder) / "error.txt"
