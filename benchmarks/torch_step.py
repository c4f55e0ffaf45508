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
    return Contender("torch", detail, step, answer, lambda: torch_threads(threads))


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


def threads_to_try():
    """One, and as many as there are cores."""
    return sorted({1, cores()})


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
    return torch.compile(function, dynamic=False)


def can_compile():
    return any(shutil.which(name) for name in COMPILERS)


def without_compiler():
    """What is said if there is no C++ compiler: a list of lines."""
    return [] if can_compile() else [f"torch.compile: none of {', '.join(COMPILERS)} found, left out"]
