"""How weights start."""

import numpy as np

from numpymem.received import shown

MOST = 10_000_000                                 # of anything: slots, words, symbols


def scaled_normal(rng, fan_in, shape, dtype):
    """N(0, 1 / fan_in): sums over fan_in inputs of order one stay of order one."""
    return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(dtype)


def check_choice(name, value, choices):
    """A clear error for a setting that is a word."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, received {shown(value)}")


def check_at_least(name, value, least, most=MOST):
    """A clear error for a setting that counts something. `most` stops a number that would only fill the memory; None: no limit."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if whole and value >= least and (most is None or value <= most):
        return
    limit = f"of at least {least}" if not whole or value < least else f"from {least} to {most:,}"
    raise ValueError(f"{name}: expected a whole number {limit}, received {shown(value)}")


def check_sequence_inputs(inputs, n_inputs):
    """Sequence inputs are (T, B, n_inputs), with at least one time step."""
    shape = np.shape(inputs)
    if len(shape) != 3 or shape[2] != n_inputs or shape[0] < 1:
        raise ValueError(f"inputs: expected an array (T, B, {n_inputs}) with T >= 1, received shape {shape}")
