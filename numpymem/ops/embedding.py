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
    known = E.copy()
    known[0] = 0
    return known.take(ids, axis=0)                   # a plain take is several times faster than E[ids] and a mask


@embed.backward
def embed_backward(dy, ids, E):
    # y = E[ids]: each row collects the gradient of every place it went to; over numbers, which np.add.at does fastest
    V, D = E.shape
    dE = np.zeros(V * D, dtype=dy.dtype)
    np.add.at(dE, (ids[..., None] * D + np.arange(D)).ravel(), dy.ravel())
    dE = dE.reshape(V, D)                            # (V, D)
    # E_0 = 0
    dE[0] = 0
    return dE
