"""Before anything is timed: do all contenders compute the same numbers?"""

import numpy as np

TOLERANCE = {"float32": 2e-4, "float64": 1e-9}
SMALL = 1e-3            # of the largest number of all gradients: none is measured by less, so that rounding where one is zero (of
#                         queries, when there is one word to attend to) is no difference: 2e-7 of the largest passes, in float32


class Disagreement(AssertionError):
    """A contender computes something else than we do, or we than before: times would mean nothing."""


def relative_error(value, truth, least=0.0):
    """Largest difference, in units of the largest number of the truth, or of `least` if that is larger."""
    if np.shape(value) != np.shape(truth):
        return np.inf
    difference = np.max(np.abs(np.asarray(value, np.float64) - truth))
    largest = max(np.max(np.abs(truth)), least, np.finfo(np.float64).tiny)
    return float(difference / largest) if np.isfinite(difference) else np.inf


def errors(answer, truth):
    """name -> relative error, of the loss, the outputs and every gradient."""
    if set(answer.grads) != set(truth.grads):
        raise Disagreement(f"gradients: expected {sorted(truth.grads)}, received {sorted(answer.grads)}")
    found = {"loss": relative_error(answer.loss, truth.loss), "outputs": relative_error(answer.outputs, truth.outputs)}
    least = SMALL * max(np.max(np.abs(grad)) for grad in truth.grads.values())
    return found | {f"d{name}": relative_error(answer.grads[name], truth.grads[name], least) for name in truth.grads}


def largest_error(who, answer, truth, dtype="float32"):
    """(name, relative error) of what differs most. Raises Disagreement above the tolerance."""
    name, worst = max(errors(answer, truth).items(), key=lambda item: item[1])
    if not worst <= TOLERANCE[dtype]:
        raise Disagreement(f"{who}: {name} differs from ours: max relative error {worst:.2g}, expected at most "
                           f"{TOLERANCE[dtype]:g}")
    return name, worst
