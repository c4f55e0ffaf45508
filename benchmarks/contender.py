"""A contender: one way of doing a training step (forward, loss, backward; no optimizer), ready to be timed."""

import contextlib
import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from numpymem.kernel import KERNELS, numpy_only
from numpymem.training.loss import loss_and_gradient
from numpymem.training.optimizers import clip_by_norm


UPDATE = " + update"                              # behind the name of a step that also updates the parameters


class Answer(NamedTuple):
    """What a step computes, as NumPy arrays: equal for all contenders to rounding."""
    loss: float                 # mean over the answers asked for
    outputs: Any                # logits
    grads: dict                 # parameter name -> gradient of that mean


class Contender(NamedTuple):
    """
    who      "kernels", "kernels-1" (on one thread), "numpy", "jax", "torch", "torch-compiled": of several of one name the
             fastest is compared
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
    """Our step with kernels, if all of its own are in force, on the threads that they use by themselves, and on one if that can be
    chosen; and as plain NumPy. BLAS on one thread, as in training. With `work.recipe` each also with the update of parameters."""
    ways = [("numpy", "plain NumPy, 1 BLAS thread", one_thread_numpy)]
    prefixes = folder_of(work.model), f"loss.{work.loss}"
    states = {name: state for name, state in kernels_in_force().items() if name.startswith(prefixes)}
    if states and set(states.values()) == {"in force"}:      # a mixture would go by the wrong name; the report says what is off
        ways = [(who, f"{', '.join(states)}; {threads}1 BLAS thread", around) for who, threads, around in kernel_threads()] + ways
    found = [way_of_ours(work, *way) for way in ways]
    return found + ([way_of_ours(work, *way, work.recipe) for way in ways] if work.recipe else [])


def kernel_threads():
    """(who, in words, context) of the ways to run kernels."""
    yield "kernels", "", one_thread
    if importlib.util.find_spec("numpymem.threads"):
        yield "kernels-1", "1 thread, ", one_thread_kernels


def way_of_ours(work, who, detail, around, recipe=None):
    """One contender; with a recipe the step ends with clipping and the optimizer's update, as in training."""
    scale = recipe.scale if recipe else "mean"
    answers = answers_asked(work)

    def step():
        outputs, trace = work.model.forward(work.params, work.batch.inputs)
        loss, d_outputs = loss_and_gradient(work.loss, outputs, work.batch, scale)
        grads = work.model.backward(work.params, trace, d_outputs)
        if recipe:
            optimizer.update(work.params, clip_by_norm(grads, recipe.clip), state, recipe.lr)
        return loss, outputs, grads

    def answer(found):
        loss, outputs, grads = found
        return Answer(loss / answers, outputs, {name: grad / (answers if scale == "sum" else 1) for name, grad in grads.items()})

    if not recipe:
        return Contender(who, detail, step, answer, around)
    optimizer = recipe.make_optimizer()
    state = optimizer.init(work.params)
    return Contender(who + UPDATE, f"the same, then clipping by norm and {recipe.optimizer}", step, answer, around)


def folder_of(model):
    """"ntm." of numpymem.ntm.model: how the names of its kernels start, unless the model names them."""
    return getattr(model, "kernels", None) or type(model).__module__.split(".")[1] + "."


def answers_asked(work):
    """How many numbers the loss is the mean of, as loss_and_gradient counts them."""
    return float(work.batch.mask.sum()) * (work.batch.targets.shape[-1] if work.loss == "binary" else 1)


def one_thread():
    return threadpool_limits(1, "blas")


@contextlib.contextmanager
def one_thread_kernels():
    with one_thread(), importlib.import_module("numpymem.threads").use(1):
        yield


@contextlib.contextmanager
def one_thread_numpy():
    with one_thread(), numpy_only():
        yield


def kernels_in_force():
    """Every kernel of the models imported so far: "in force", or why not."""
    return {name: kernel.why_not() or "in force" for name, kernel in sorted(KERNELS.items())}
