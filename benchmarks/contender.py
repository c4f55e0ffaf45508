"""A contender: one way of doing a training step (forward, loss, backward; no optimizer), ready to be timed."""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from numpymem.kernel import KERNELS, numpy_only
from numpymem.training.loss import loss_and_gradient


class Answer(NamedTuple):
    """What a step computes, as NumPy arrays: equal for all contenders to rounding."""
    loss: float                 # mean over the answers asked for
    outputs: Any                # logits
    grads: dict                 # parameter name -> gradient of that mean


class Contender(NamedTuple):
    """
    who      "kernels", "numpy", "jax", "torch": of several contenders of one library the fastest is compared
    detail   how it is set up: form, threads
    step     does one training step and returns when it is done
    answer   what `step` returned -> Answer
    around   a context to be in while it runs (threads, kernels on or off), entered outside the timed part
    """
    who: str
    detail: str
    step: Callable
    answer: Callable
    around: Callable = contextlib.nullcontext


def ours(work):
    """Our step with kernels, if all of its own are in force, and as plain NumPy; BLAS on one thread, as in training."""
    def step():
        outputs, trace = work.model.forward(work.params, work.batch.inputs)
        loss, d_outputs = loss_and_gradient(work.loss, outputs, work.batch)
        return loss, outputs, work.model.backward(work.params, trace, d_outputs)

    def answer(found):
        loss, outputs, grads = found
        return Answer(loss / answers_asked(work), outputs, grads)

    numpy = Contender("numpy", "plain NumPy, 1 BLAS thread", step, answer, one_thread_numpy)
    prefixes = folder_of(work.model), "ops."
    states = {name: state for name, state in kernels_in_force().items() if name.startswith(prefixes)}
    if not states or set(states.values()) != {"in force"}:
        return [numpy]                            # a mixture would go by the wrong name; the report says what is off
    return [Contender("kernels", f"{', '.join(states)}; 1 BLAS thread", step, answer, one_thread), numpy]


def folder_of(model):
    """"ntm." of numpymem.ntm.model: how the names of its kernels start."""
    return type(model).__module__.split(".")[1] + "."


def answers_asked(work):
    """How many numbers the loss is the mean of, as loss_and_gradient counts them."""
    return float(work.batch.mask.sum()) * (work.batch.targets.shape[-1] if work.loss == "binary" else 1)


def one_thread():
    return threadpool_limits(1, "blas")


@contextlib.contextmanager
def one_thread_numpy():
    with threadpool_limits(1, "blas"), numpy_only():
        yield


def kernels_in_force():
    """Every kernel of the models imported so far: "in force", or why not."""
    return {name: kernel.why_not() or "in force" for name, kernel in sorted(KERNELS.items())}
