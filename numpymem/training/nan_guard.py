"""When a loss or a gradient is no longer finite: find the first equation and the time step at which it happened."""

import numpy as np

from numpymem.equation import clock, watch
from numpymem.kernel import numpy_only
from numpymem.training.loss import loss_and_gradient


class NonFiniteError(FloatingPointError):
    """Training met a nan or an infinity. The parameters from before the step are kept."""


class _FirstNonFinite:
    """Watches every equation; remembers the first whose result is not finite, and whether its inputs were."""

    def __init__(self):
        self.found = None

    def __call__(self, equation, phase, arguments, result):
        if self.found is None and not all_finite(result):
            self.found = (equation, phase, clock[0], all_finite(arguments))


def all_finite(values):
    """True if every number in an array, or in a tuple of arrays, is finite."""
    values = values if isinstance(values, tuple) else (values,)
    return all(np.isfinite(value).all() for value in values if isinstance(value, (np.ndarray, np.floating, float)))


def check_update(params, optimizer, lr, done):
    """Raise NonFiniteError if an update of the optimizer made parameters that are not finite."""
    bad = [name for name, value in params.items() if not np.isfinite(value).all()]
    if bad:
        raise NonFiniteError(f"after {done:,} sequences the update by {optimizer}, lr = {lr:.4g}, made {', '.join(bad)} not "
                             "finite, though the gradient was; the parameters from before it are kept")


def explain(model, params, batch, task, scale, options):
    """Run the batch again as NumPy, watching -> one line that names equation, pass and time step (or hop)."""
    bad = [name for name, value in params.items() if not np.isfinite(value).all()]
    if bad:
        return f"the parameters {', '.join(bad)} were already not finite before this step"
    first, clock[0] = _FirstNonFinite(), None
    with numpy_only(), watch(first), np.errstate(all="ignore"):
        outputs, trace = model.forward(params, batch.inputs, **options)
        _, d_outputs = loss_and_gradient(task.loss, outputs, batch, scale)
        model.backward(params, trace, d_outputs)
    if first.found is None:
        return "as NumPy the same batch stays finite: the gradient's norm overflowed, or a kernel differs (python -m gradcheck)"
    equation, phase, step, inputs_fine = first.found
    where = "" if step is None else f", step {step}"
    inputs = "its inputs were finite" if inputs_fine else "it received numbers that were not finite"
    return f"first in {equation.id} ({equation.name}), {phase}{where}; {inputs}; {equation.address}"
