"""Looking words up in a table, and its reverse: adding gradients up in the rows they came from."""

import numpy as np

from numpymem.equation import equation


@equation("embed", r"y_b = E_{x_b}, \quad E_0 \equiv 0")
def embed(ids, E):
    """Row `ids` of a table; word 0 (nil) is the zero vector whatever the table holds, so padding adds nothing.

    ids        (B, J) [int < V]  word numbers
    E          (V, D)            one row a word
    returns y  (B, J, D)
    """
    return E[ids] * (ids != 0)[..., None]


@embed.backward
def embed_backward(dy, ids, E):
    # y = E[ids]: each row collects the gradient of every place it went to
    dE = np.zeros_like(E, dtype=dy.dtype)            # (V, D)
    np.add.at(dE, ids, dy * (ids != 0)[..., None])
    return dE
