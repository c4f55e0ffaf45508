"""Bugs outside the model: the optimizer, the loss, and a check of gradients that cannot see half of the errors."""

import numpy as np

from gradcheck.museum.exhibit import Exhibit, show
from numpymem.training import loop
from numpymem.training.loss import loss_and_gradient
from numpymem.training.optimizers import RMSProp

NTM, MEMN2N = (("ntm", "feedforward, constant"),), (("memn2n", "adjacent, position"),)


def rmsprop_plus(self, params, grads, state, lr):
    n, m, delta, new = {}, {}, {}, {}
    for name, g in grads.items():
        number = g.dtype.type
        n[name] = number(self.decay) * state["n"][name] + number(1 - self.decay) * g * g
        m[name] = number(self.decay) * state["m"][name] + number(1 - self.decay) * g
        spread = np.sqrt(n[name] + m[name] * m[name] + number(self.eps))            # the sign
        delta[name] = number(self.momentum) * state["delta"][name] - number(lr) * g / spread
        new[name] = params[name] + delta[name]
    return new, {"n": n, "m": m, "delta": delta}


def always_the_mean(kind, outputs, batch, scale="mean"):
    return loss_and_gradient(kind, outputs, batch, "mean")           # whatever the recipe says


def one_signed_entry(true, hand, rng, tolerance=1e-6):
    """diffmem's policy: does this gradient pass? One random entry is compared, with its sign."""
    differences = np.zeros_like(hand)
    entry = tuple(rng.integers(size) for size in hand.shape)
    differences[entry] = true[entry] - hand[entry]
    return bool(np.abs(differences.max()) < tolerance)               # meant: np.abs(differences).max()


show(
    Exhibit(
        "rmsprop-plus", "The optimizer with a plus for a minus",
        "snipsco/ntm-lasagne, ntm/updates.py, graves_rmsprop [read in code]; its own docstring has the right sign",
        "sqrt(n + g^2 + epsilon): the square of the mean gradient is added.",
        "sqrt(n - g^2 + epsilon), the spread of the gradient (Graves 2013, arXiv 1308.0850, eqs. 38-45).",
        "No check of gradients looks at the optimizer. Steps in a steady direction become far shorter, and yet it learns.",
        swaps=((RMSProp, "update", rmsprop_plus),), models=NTM, tasks=("copy-rmsprop",), unmet=("steady-gradient-has-no-spread",)),
    Exhibit(
        "mean-for-sum", "The loss that was averaged by habit",
        "a usual reason why ports of MemN2N do not learn with plain SGD; nicklhy/MemN2N, issue 1, reads like it [issue], but "
        "whether this is the reason there is not known",
        "The gradient of the mean loss of a batch, with the learning rate 0.01 that is meant for the sum.",
        "The sum over the batch, as in the authors' code: with batches of 32 the mean makes the learning rate 32 times smaller.",
        "No check can see it: mean and sum are both right. It takes the numbers of somebody whose training works.",
        swaps=((loop, "loss_and_gradient", always_the_mean),), models=MEMN2N, tasks=("babi1", "babi2")),
    Exhibit(
        "signed-check", "The gradient check that half of all errors pass",
        "DoctorTeeth/diffmem, util/util.py, gradCheck and getDiffs [read in code]",
        "One random entry of each tensor is compared, its signed difference goes into a tensor of zeros, and np.abs(diff.max()) is "
        "tested: for a negative difference the maximum is one of the zeros.",
        "np.abs(diff).max(), over all entries or along a random direction.",
        "Test the checker with gradients that are wrong on purpose, in both directions.", functions=(one_signed_entry,)),
)
