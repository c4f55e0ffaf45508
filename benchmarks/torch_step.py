"""What the references in PyTorch share: a contender from a module, eager or compiled, on one thread or on all cores."""

import contextlib
import shutil

import torch
from torch.nn import Module, Parameter, ParameterDict

from benchmarks.contender import Answer, Contender
from benchmarks.machine import cores

COMPILERS = ("c++", "g++", "clang++", "cl")              # torch.compile writes C++


def contender(work, module, loss_of, form, threads):
    """loss_of(logits, targets, mask) -> mean over the answers asked for; `form` says how the module runs."""
    inputs, targets, mask = tensors(work.batch)

    def step():
        module.zero_grad(set_to_none=True)
        logits = module(inputs)
        loss = loss_of(logits, targets, mask)
        loss.backward()
        return loss, logits

    def answer(found):
        loss, logits = found
        return Answer(loss.item(), logits.detach().numpy(), {name: p.grad.numpy().copy() for name, p in module.p.items()})

    detail = f"{form}, {threads} thread{'s' * (threads > 1)}"
    who = "torch-compiled" if form.startswith("torch.compile") else "torch"
    return Contender(who, detail, step, answer, lambda: torch_threads(threads))


class OurParameters(Module):
    """A module with our parameters, under our names, in `self.p`."""

    def __init__(self, work):
        super().__init__()
        self.p = ParameterDict({name: Parameter(torch.from_numpy(value.copy())) for name, value in work.params.items()})


def tensors(part):
    """Arrays -> tensors, in tuples as they are."""
    return tuple(map(tensors, part)) if isinstance(part, tuple) else torch.from_numpy(part)


def binary_loss(logits, targets, mask):
    """Mean over the bits asked for."""
    weight = mask[..., None].expand_as(targets)
    total = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, weight, reduction="sum")
    return total / weight.sum()


def ways(eager, compiled, all_forms):
    """(form, threads): the eager ones on one thread and on all cores, the compiled ones (where there is a C++ compiler) on one,
    which is faster at these sizes; with all_forms on all cores too."""
    some = sorted({1, cores()})
    found = [(form, threads) for form in eager for threads in some]
    return found + [(form, threads) for form in compiled for threads in (some if all_forms else [1]) if CAN_COMPILE]


@contextlib.contextmanager
def torch_threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def compiled(function):
    """torch.compile for one shape. What it compiles, it keeps on disk for the next process."""
    torch._dynamo.config.recompile_limit = 64            # by default 8 shapes of one function, and the next runs eagerly
    return torch.compile(function, dynamic=False, fullgraph=True)


CAN_COMPILE = any(shutil.which(name) for name in COMPILERS)
LEFT_OUT = [] if CAN_COMPILE else [f"torch.compile: no C++ compiler found ({', '.join(COMPILERS)}), left out"]
