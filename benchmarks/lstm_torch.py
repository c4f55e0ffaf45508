"""The same stacked LSTM in PyTorch: its own fused `nn.LSTM`, and a module written step by step, eager and with the time step
compiled by torch.compile; gradients by autograd."""

import torch

from benchmarks import torch_step
from benchmarks.torch_step import LEFT_OUT as NO_COMPILER
from benchmarks.contender import Answer

WHOLE = "torch.compile of all time steps as one graph: compiles for 3 minutes, left out"
LEFT_OUT = [*NO_COMPILER, WHOLE]


def contenders(work, all_forms=False):
    """nn.LSTM, the module, the module compiled."""
    made = {"nn.LSTM": lambda form, threads: fused(work, threads)}
    return [made.get(form, lambda form, threads: module(work, form, threads))(form, threads)
            for form, threads in torch_step.ways(["nn.LSTM", "eager"], ["torch.compile of a time step"], all_forms)]


def module(work, form, threads):
    return torch_step.contender(work, TorchLSTM(work, form != "eager"), torch_step.binary_loss, form, threads)


class TorchLSTM(torch_step.OurParameters):

    def __init__(self, work, compiled=False):
        super().__init__(work)
        self.layers = work.model.config.layers
        self.time_step = torch_step.compiled(time_step) if compiled else time_step

    def forward(self, x):
        """(T, B, X) -> logits (T, B, Y)."""
        p = self.p
        for layer in range(self.layers):
            h, c = (p[f"{name}0_{layer}"].expand(x.shape[1], -1) for name in "hc")
            shown = []
            for pre_x in (x @ p[f"W_x{layer}"] + p[f"b{layer}"]).unbind(0):
                h, c = self.time_step(pre_x, p[f"W_u{layer}"], h, c)
                shown.append(h)
            x = torch.stack(shown)
        return x @ p["W_y"] + p["b_y"]


def time_step(pre_x, W_u, h, c):
    C = c.shape[1]
    pre = torch.addmm(pre_x, h, W_u)
    i, f, o = torch.sigmoid(pre[:, :3 * C]).chunk(3, 1)
    c = f * c + i * torch.tanh(pre[:, 3 * C:])
    return o * torch.tanh(c), c


# ---- PyTorch's own -------------------------------------------------------------------------------------------------

def fused(work, threads):
    """torch.nn.LSTM with our numbers: transposed, its gates in the order i, f, candidate, o, and a second bias, zero."""
    net = FusedLSTM(work)
    made = torch_step.contender(work, net, torch_step.binary_loss, "nn.LSTM", threads)

    def answer(found):
        loss, logits = found
        return Answer(loss.item(), logits.detach().numpy(), net.gradients())
    return made._replace(answer=answer)


class FusedLSTM(torch.nn.Module):

    def __init__(self, work):
        super().__init__()
        config, ours = work.model.config, {name: torch.from_numpy(value.copy()) for name, value in work.params.items()}
        self.lstm = torch.nn.LSTM(config.n_inputs, config.size, config.layers)
        self.out = torch.nn.Linear(config.size, config.n_outputs)
        self.starts = torch.nn.ParameterList(torch.stack([ours[f"{name}0_{layer}"] for layer in range(config.layers)])
                                             for name in "hc")
        with torch.no_grad():
            self.out.weight.copy_(ours["W_y"].t())
            self.out.bias.copy_(ours["b_y"])
            for name, theirs in self.names():
                getattr(self.lstm, theirs).copy_(swapped(ours[name]).t())
            for layer in range(config.layers):
                getattr(self.lstm, f"bias_hh_l{layer}").zero_()

    def forward(self, inputs):
        start = tuple(value[:, None].expand(-1, inputs.shape[1], -1).contiguous() for value in self.starts)
        return self.out(self.lstm(inputs, start)[0])

    def names(self):
        """Pairs of our name and theirs."""
        for layer in range(self.lstm.num_layers):
            yield from ((f"W_x{layer}", f"weight_ih_l{layer}"), (f"W_u{layer}", f"weight_hh_l{layer}"),
                        (f"b{layer}", f"bias_ih_l{layer}"))

    def gradients(self):
        """Under our names and in our order."""
        grads = {name: swapped(getattr(self.lstm, theirs).grad.t()) for name, theirs in self.names()}
        grads |= {"W_y": self.out.weight.grad.t(), "b_y": self.out.bias.grad}
        for name, value in zip("hc", self.starts):
            grads |= {f"{name}0_{layer}": row for layer, row in enumerate(value.grad)}
        return {name: grad.numpy().copy() for name, grad in grads.items()}


def swapped(gates):
    """The last two of the four gates in the last axis change places: i, f, o, candidate <-> i, f, candidate, o."""
    i, f, third, fourth = gates.chunk(4, -1)
    return torch.cat([i, f, fourth, third], -1)
