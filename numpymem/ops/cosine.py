"""Cosine similarity between keys and memory rows: equation (6) of the NTM, also the DNC's."""

import numpy as np

from numpymem.equation import equation

EPS = 1e-8          # inside each root: similarity 0 and a finite gradient at a zero vector, where the paper has 0 / 0


@equation("NTM-6", r"K[u, v] = \frac{u \cdot v}{\|u\| \, \|v\|}", source="Graves et al. 2014, eq. 6",
          deviations="norms are sqrt(u.u + 1e-8): the similarity with a zero row is 0 and its gradient finite")
def cosine_similarity(k, M):
    """How alike each key and each memory row are, whatever their lengths.

    k           (B, H, W)  one key a head
    M           (B, N, W)  memory
    returns K   (B, H, N)  in [-1, 1]
    """
    k_hat = k / np.sqrt((k * k).sum(-1, keepdims=True) + EPS)        # (B, H, W)
    M_hat = M / np.sqrt((M * M).sum(-1, keepdims=True) + EPS)        # (B, N, W)
    return k_hat @ M_hat.swapaxes(-1, -2)                            # (B, H, N)


@cosine_similarity.backward
def cosine_similarity_backward(dK, K, k, M):
    k_norm = np.sqrt((k * k).sum(-1, keepdims=True) + EPS)           # (B, H, 1)
    M_norm = np.sqrt((M * M).sum(-1, keepdims=True) + EPS)           # (B, N, 1)
    k_hat, M_hat = k / k_norm, M / M_norm
    # K = k_hat M_hat^T
    dk_hat = dK @ M_hat                                              # (B, H, W)
    dM_hat = dK.swapaxes(-1, -2) @ k_hat                             # (B, N, W)
    # v_hat = v / norm(v): only what is orthogonal to v_hat turns it
    dk = (dk_hat - k_hat * (dk_hat * k_hat).sum(-1, keepdims=True)) / k_norm
    dM = (dM_hat - M_hat * (dM_hat * M_hat).sum(-1, keepdims=True)) / M_norm
    return dk, dM
