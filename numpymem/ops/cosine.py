"""Cosine similarity between keys and memory rows: equation (6) of the NTM, also the DNC's."""

import numpy as np

from numpymem.equation import equation
from numpymem.ops.outer import outer_sum

EPS = 1e-8          # inside each root: similarity 0 and a finite gradient at a zero vector, where the paper has 0 / 0


@equation("NTM-6", r"K[u, v] = \frac{u \cdot v}{\|u\| \, \|v\|}", source="Graves et al. 2014, eq. 6",
          deviations="norms are sqrt(u.u + 1e-8): the similarity with a zero row is 0 and its gradient finite")
def cosine_similarity(k, M):
    """How alike each key and each memory row are, whatever their lengths.

    k           (B, H, W)  one key a head
    M           (B, N, W)  memory
    returns K   (B, H, N)  in [-1, 1]
    """
    dots = k @ M.swapaxes(-1, -2)                                    # (B, H, N)
    k_k, M_M = squares(k)[:, :, None], squares(M)[:, None]           # (B, H, 1), (B, 1, N)
    return dots / np.sqrt(k_k * M_M)


@cosine_similarity.backward
def cosine_similarity_backward(dK, K, k, M):
    k_k, M_M = squares(k)[:, :, None], squares(M)[:, None]           # (B, H, 1), (B, 1, N)
    # K = dots / sqrt(k_k M_M)
    ddots = dK / np.sqrt(k_k * M_M)                                  # (B, H, N)
    dk_k = -(dK * K).sum(2, keepdims=True) / (2 * k_k)               # (B, H, 1)
    dM_M = -(dK * K).sum(1, keepdims=True) / (2 * M_M)               # (B, 1, N)
    # dots = k M^T,  k_k = k.k + EPS,  M_M = M.M + EPS
    dk = ddots @ M + k * (2 * dk_k)                                  # (B, H, W)
    dM = outer_sum(ddots, k) + M * (2 * dM_M).swapaxes(1, 2)         # (B, N, W)
    return dk, dM


def squares(v):
    """v.v + EPS of every row: (B, H, W) -> (B, H)."""
    return np.einsum("bhw,bhw->bh", v, v) + EPS
