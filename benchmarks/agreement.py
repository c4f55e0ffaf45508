"""Before anything is timed: do all contenders compute the same numbers?"""

import numpy as np

TOLERANCE = {"float32": 2e-4, "float64": 1e-9}


class Disagreement(AssertionError):
    """A contender computes something else than we do, or we than before: times would mean nothing."""


def relative_error(value, truth):
    """Largest difference, in units of the largest number of the truth."""
    if np.shape(value) != np.shape(truth):
        return np.inf
    difference = np.max(np.abs(np.asarray(value, np.float64) - truth))
    largest = max(np.max(np.abs(truth)), np.finfo(np.float64).tiny)
    return float(difference / largest) if np.isfinite(difference) else np.inf


def errors(answer, truth):
    """name -> relative error, of the loss, the outputs and every gradient."""
    if set(answer.grads) != set(truth.grads):
        raise Disagreement(f"gradients: expected {sorted(truth.grads)}, received {sorted(answer.grads)}")
    found = {"loss": relative_error(answer.loss, truth.loss), "outputs": relative_error(answer.outputs, truth.outputs)}
    return found | {f"d{name}": relative_error(answer.grads[name], truth.grads[name]) for name in truth.grads}


def largest_error(who, answer, truth, dtype="float32"):
    """(name, relative error) of what differs most. Raises Disagreement above the tolerance."""
    name, worst = max(errors(answer, truth).items(), key=lambda item: item[1])
    if not worst <= TOLERANCE[dtype]:
        raise Disagreement(f"{who}: {name} differs from ours: max relative error {worst:.2g}, expected at most "
                           f"{TOLERANCE[dtype]:g}")
    return name, worst
