"""Ablations of an NTM's heads: some of their raw numbers are held at fixed values, whatever the controller says.

    addressing="content"     g = 1, no shift, gamma = 1: a head is where the memory is like its key, and nowhere else
    addressing="location"    g = 0: a head can only move on from where it was
    erase=False              e = 0: the memory is only added to

The steps and their kernel know nothing of it: what is held stands in the weights that they are given.
"""

import numpy as np

from numpymem.equation import equation
from numpymem.initial import check_choice
from numpymem.ntm.step import places

HEAD = ("k", "beta", "g", "s", "gamma", "e", "a")
ZERO, ONE = -1000.0, 1000.0                       # raw numbers of a gate that is shut, and of one that is open: exactly
ADDRESSINGS = ("both", "content", "location")


def held(config, sizes, dtype):
    """What the switches `addressing` and `erase` hold of all heads' raw numbers -> kept (P), 1 or 0, and fixed (P)."""
    kept, fixed = np.ones(sizes.raw, dtype), np.zeros(sizes.raw, dtype)
    at = {name: place for name, (place, *_) in zip(HEAD, places(sizes))}
    stay = np.where(np.arange(sizes.S) == sizes.S // 2, 0, ZERO)
    values = {"content": {"g": ONE, "s": np.tile(stay, sizes.H), "gamma": ZERO}, "location": {"g": ZERO}, "both": {}}
    for name, value in (values[config.addressing] | ({} if config.erase else {"e": ZERO})).items():
        kept[at[name]], fixed[at[name]] = 0, value
    return kept, fixed


def check_switches(config):
    """A clear error for switches of the wrong kind."""
    check_choice("addressing", config.addressing, ADDRESSINGS)
    if not isinstance(config.erase, bool):
        raise ValueError(f"erase: expected True or False, received {config.erase!r}")


@equation("NTM-held", r"\hat W = W \operatorname{diag}(\kappa),\; \hat b = \kappa \circ b + \phi", source="numpymem; no paper")
def hold_heads(W, b, kept, fixed):
    """Weights with which some raw numbers of the heads come out at fixed values: their columns are emptied, their biases set.

    W            (C, P)          weights from the controller to the heads' raw numbers
    b            (P)             their biases
    kept         (P) [data]      1 to leave a raw number as it is, 0 to hold it
    fixed        (P) [data]      what is held; 0 where it is not
    returns V    (C, P)          the weights with which the heads work
    returns v    (P)             and biases
    """
    return W * kept, b * kept + fixed


@hold_heads.backward
def hold_heads_backward(dV, dv, kept):
    # V = W kept,  v = b kept + fixed
    return dV * kept, dv * kept
