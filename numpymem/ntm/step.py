"""One time step of the NTM's memory, from the controller's raw numbers to the new memory: registered pairs, wired.

    raw --squash--> k, beta, g, s, gamma, e, a
    M_prev, k --(6)--> K --(5)--> w_c --(7)--> w_g --(8)--> w_s --(9)--> w        for every head
    r = read(w of the read heads, M_prev)                                        (2)
    M = add(erase(M_prev, ...), ...)                                             (3), (4)

The paper leaves the order of reading and writing within a step open. Here all heads look at M_{t-1}, the read heads read
M_{t-1}, and then the write heads write: what is written at t can be read at t + 1.
"""

import functools
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from numpymem.equation import equation
from numpymem.ntm.equations import (add, add_backward, content_weights, content_weights_backward, erase, erase_backward,
                                    interpolate, interpolate_backward, read, read_backward, sharpen, sharpen_backward,
                                    shift, shift_backward)
from numpymem.ops.activations import (oneplus, oneplus_backward, sigmoid, sigmoid_backward, softplus, softplus_backward,
                                      tanh, tanh_backward)
from numpymem.ops.cosine import cosine_similarity, cosine_similarity_backward
from numpymem.ops.softmax import softmax, softmax_backward


class HeadSizes(NamedTuple):
    """R read heads, Q write heads, width W of a slot, S shifts (odd)."""
    R: int
    Q: int
    W: int
    S: int

    @property
    def H(self):
        return self.R + self.Q

    @property
    def cuts(self):
        """Where k, beta, g, s, gamma, e and a end in the raw vector; the last one is its length."""
        H, Q, W, S = self.H, self.Q, self.W, self.S
        return list(accumulate((H * W, H, H, H * S, H, Q * W, Q * W)))

    @property
    def raw(self):
        """P, how many numbers the controller emits for all heads together."""
        return self.cuts[-1]


EXAMPLE = HeadSizes(R=2, Q=4, W=5, S=3)             # for the gradient check: these, H = 6 and P = 106 are all different
EXAMPLE_DIMS = {"P": EXAMPLE.raw, "H": EXAMPLE.H, "R": EXAMPLE.R, "Q": EXAMPLE.Q, "W": EXAMPLE.W, "S": EXAMPLE.S}


@equation("NTM-parameters", r"k = \tanh \hat k,\; \beta = \mathrm{softplus}\,\hat\beta,\; g = \sigma(\hat g),\;"
          r" s = \mathrm{softmax}\,\hat s,\; \gamma = 1 + \mathrm{softplus}\,\hat\gamma,\; e = \sigma(\hat e),\;"
          r" a = \tanh \hat a", source="Graves et al. 2014, sections 3.2 and 3.3 (ranges; the functions are a choice)",
          fixed={"sizes": EXAMPLE}, dims=EXAMPLE_DIMS)
def head_parameters(raw, sizes):
    """Squash the controller's raw numbers into the ranges that the equations ask for.

    raw            (B, P)          for all heads: k, beta, g, s, gamma; then for the write heads: e, a
    sizes          () [sizes]      HeadSizes
    returns k      (B, H, W)       keys
    returns beta   (B, H, 1)       key strengths, > 0
    returns g      (B, H, 1)       interpolation gates, in (0, 1)
    returns s      (B, H, S)       shift weights, sum to one
    returns gamma  (B, H, 1)       sharpening exponents, > 1
    returns e      (B, Q, W)       erase vectors, in (0, 1)
    returns a      (B, Q, W)       add vectors, in (-1, 1)
    """
    k, beta, g, s, gamma, e, a = split(raw, sizes)
    return tanh(k), softplus(beta), sigmoid(g), softmax(s), oneplus(gamma), sigmoid(e), tanh(a)


@head_parameters.backward
def head_parameters_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes):
    _, raw_beta, _, _, raw_gamma, _, _ = split(raw, sizes)
    pieces = [tanh_backward(dk, k), softplus_backward(dbeta, raw_beta), sigmoid_backward(dg, g),
              softmax_backward(ds, s), oneplus_backward(dgamma, raw_gamma), sigmoid_backward(de, e),
              tanh_backward(da, a)]
    return np.concatenate([piece.reshape(len(raw), -1) for piece in pieces], axis=1)         # (B, P)


def split(raw, sizes):
    """Views of the raw vector, one for each head parameter, shaped (B, heads, ...)."""
    return [raw[:, place].reshape(len(raw), heads, width) for place, heads, width in places(sizes)]


@functools.cache
def places(sizes):
    """(columns of the raw vector, number of heads, numbers for each) for each head parameter."""
    ends, heads = sizes.cuts, 5 * [sizes.H] + 2 * [sizes.Q]
    return [(slice(start, end), number, (end - start) // max(number, 1)) for start, end, number in zip((0, *ends), ends, heads)]


@equation("NTM-addressing", r"w_t = f(k_t, \beta_t, g_t, s_t, \gamma_t, M, w_{t-1})", source="Graves et al. 2014, figure 2",
          step=True, dims=EXAMPLE_DIMS)
def address(k, beta, g, s, gamma, M, w_prev):
    """Where all heads look: by content, from where they were, shifted, sharpened.

    k            (B, H, W)             keys
    beta         (B, H, 1) [>= 0]      key strengths
    g            (B, H, 1) [0..1]      interpolation gates
    s            (B, H, S) [simplex]   shift weights
    gamma        (B, H, 1) [>= 1]      sharpening exponents
    M            (B, N, W)             memory
    w_prev       (B, H, N) [simplex]   weights of the step before
    returns w    (B, H, N)             weights
    returns K    (B, H, N)             and all that was computed on the way
    returns w_c  (B, H, N)
    returns w_g  (B, H, N)
    returns w_s  (B, H, N)
    """
    K = cosine_similarity(k, M)
    w_c = content_weights(K, beta)
    w_g = interpolate(w_c, w_prev, g)
    w_s = shift(w_g, s)
    w = sharpen(w_s, gamma)
    return w, K, w_c, w_g, w_s


@address.backward
def address_backward(dw, w, K, w_c, w_g, w_s, k, beta, g, s, gamma, M, w_prev):
    # w = sharpen(w_s, gamma)
    dw_s, dgamma = sharpen_backward(dw, w, w_s, gamma)
    # w_s = shift(w_g, s)
    dw_g, ds = shift_backward(dw_s, w_g, s)
    # w_g = interpolate(w_c, w_prev, g)
    dw_c, dw_prev, dg = interpolate_backward(dw_g, w_c, w_prev, g)
    # w_c = content_weights(K, beta)
    dK, dbeta = content_weights_backward(dw_c, w_c, K, beta)
    # K = cosine_similarity(k, M)
    dk, dM = cosine_similarity_backward(dK, K, k, M)
    return dk, dbeta, dg, ds, dgamma, dM, dw_prev


@equation("NTM-step", r"(\hat p_t, M_{t-1}, w_{t-1}) \mapsto (r_t, w_t, M_t)", source="Graves et al. 2014, figure 2",
          step=True, fixed={"sizes": EXAMPLE}, dims=EXAMPLE_DIMS)
def memory_step(raw, M_prev, w_prev, sizes):
    """Address with all heads, read the old memory, write the new one.

    raw            (B, P)                raw head parameters from the controller
    M_prev         (B, N, W)             memory M_{t-1}
    w_prev         (B, H, N) [simplex]   weights w_{t-1} of all heads
    sizes          () [sizes]            HeadSizes
    returns r      (B, R, W)             read vectors
    returns w      (B, H, N)             weights
    returns M      (B, N, W)             memory M_t
    returns k      (B, H, W)             and all that was computed on the way, for the trace and the backward
    returns beta   (B, H, 1)
    returns g      (B, H, 1)
    returns s      (B, H, S)
    returns gamma  (B, H, 1)
    returns e      (B, Q, W)
    returns a      (B, Q, W)
    returns K      (B, H, N)
    returns w_c    (B, H, N)
    returns w_g    (B, H, N)
    returns w_s    (B, H, N)
    """
    R = sizes.R
    k, beta, g, s, gamma, e, a = head_parameters(raw, sizes)
    w, K, w_c, w_g, w_s = address(k, beta, g, s, gamma, M_prev, w_prev)
    r = read(w[:, :R], M_prev)
    M_erased = erase(M_prev, w[:, R:], e)
    M = add(M_erased, w[:, R:], a)
    return r, w, M, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s


@memory_step.backward
def memory_step_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, M_prev, w_prev, sizes):
    R = sizes.R
    # M = add(M_erased, w[:, R:], a)
    dM_erased, dw_add, da = add_backward(dM, w[:, R:], a)
    # M_erased = erase(M_prev, w[:, R:], e)
    dM_from_erase, dw_erase, de = erase_backward(dM_erased, M_prev, w[:, R:], e)
    # r = read(w[:, :R], M_prev)
    dw_read, dM_from_read = read_backward(dr, w[:, :R], M_prev)
    # w goes three ways: to the next step (dw), to reading, to writing
    dw = dw + np.concatenate([dw_read, dw_add + dw_erase], axis=1)                     # (B, H, N)
    # w, ... = address(k, beta, g, s, gamma, M_prev, w_prev)
    dk, dbeta, dg, ds, dgamma, dM_from_content, dw_prev = address_backward(dw, w, K, w_c, w_g, w_s, k, beta, g, s, gamma, M_prev,
                                                                           w_prev)
    # k, beta, ... = head_parameters(raw)
    draw = head_parameters_backward(dk, dbeta, dg, ds, dgamma, de, da, k, g, s, e, a, raw, sizes)
    # M_prev went three ways: it was compared with, read, and written over
    dM_prev = dM_from_content + dM_from_read + dM_from_erase                           # (B, N, W)
    return draw, dM_prev, dw_prev
