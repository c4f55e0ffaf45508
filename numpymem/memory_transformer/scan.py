"""Writing all items into the memory, one after the other, and reading it at each place of the decoder: NTM pairs over time.

    write:  raw_t --NTM-parameters--> k .. a,   w_t = address(k .., M_{t-1}, w_{t-1}),   M_t = add(erase(M_{t-1}, w_t, e), w_t, a)
    read:   raw_t --NTM-parameters--> k ..,     w_t = address(k .., M, w_{t-1}),         r_t = w_t M

The write heads look at M_{t-1}; when the decoder reads, all is written, and the memory stays as it is.
"""

import numpy as np

from numpymem.equation import equation, ticking
from numpymem.kernel import Kernel
from numpymem.ntm.equations import add, add_backward, erase, erase_backward, read, read_backward
from numpymem.ntm.step import HeadSizes, address, address_backward, head_parameters, head_parameters_backward

HEAD = ("k", "beta", "g", "s", "gamma", "e", "a")
LOOK = ("w", "K", "w_c", "w_g", "w_s")
WRITES = (*HEAD, *LOOK, "M")                      # what `write_all` returns for every time step, in order
READS = ("r", *HEAD[:5], *LOOK)                   # and `read_all`
WRITER, READER = HeadSizes(R=0, Q=2, W=5, S=3), HeadSizes(R=3, Q=0, W=5, S=3)           # for the gradient check


@equation("MT-write", r"M_t = \mathrm{write}(\hat p_t, w_{t-1}, M_{t-1}), \quad t = 1 \ldots T",
          source="Graves et al. 2014, eqs. 3-9, one write head or several, no controller", step=True, fixed={"sizes": WRITER},
          dims={"P": WRITER.raw, "H": 2, "W": 5, "S": 3})
def write_all(raw, w0, M0, sizes):
    """Write T times.

    raw            (T, B, P)             raw head parameters
    w0             (B, H, N) [simplex]   weights before the first step
    M0             (B, N, W)             memory before the first step
    sizes          () [sizes]            HeadSizes, with write heads alone
    returns k      (T, B, H, W)          and all that was computed on the way
    returns beta   (T, B, H, 1)
    returns g      (T, B, H, 1)
    returns s      (T, B, H, S)
    returns gamma  (T, B, H, 1)
    returns e      (T, B, H, W)
    returns a      (T, B, H, W)
    returns w      (T, B, H, N)
    returns K      (T, B, H, N)
    returns w_c    (T, B, H, N)
    returns w_g    (T, B, H, N)
    returns w_s    (T, B, H, N)
    returns M      (T, B, N, W)          memory after each step
    """
    w, M, steps = w0, M0, []
    for t in ticking(range(len(raw))):
        k, beta, g, s, gamma, e, a = head_parameters(raw[t], sizes)
        w, *looked = address(k, beta, g, s, gamma, M, w)
        M = add(erase(M, w, e), w, a)
        steps.append((k, beta, g, s, gamma, e, a, w, *looked, M))
    return tuple(np.stack(values) for values in zip(*steps))


@write_all.backward
def write_all_backward(dM, k, beta, g, s, gamma, e, a, w, K, w_c, w_g, w_s, M, raw, w0, M0, sizes):
    dM_later, dw_later, draw = np.zeros_like(M0), np.zeros_like(w0), np.empty_like(raw)
    for t in ticking(reversed(range(len(raw)))):
        w_prev, M_prev = (w[t - 1], M[t - 1]) if t else (w0, M0)
        # M_t goes two ways: out, and to step t + 1.  M_t = add(erase(M_prev, w_t, e), w_t, a)
        dM_erased, dw_add, da = add_backward(dM[t] + dM_later, w[t], a[t])
        dM_prev, dw_erase, de = erase_backward(dM_erased, M_prev, w[t], e[t])
        # w_t goes three ways: to erasing, to adding, and to step t + 1
        dk, dbeta, dg, ds, dgamma, dM_looked, dw_later = address_backward(
            dw_add + dw_erase + dw_later, w[t], K[t], w_c[t], w_g[t], w_s[t], k[t], beta[t], g[t], s[t], gamma[t], M_prev, w_prev)
        # M_prev went two ways: it was looked at, and written over
        dM_later = dM_prev + dM_looked
        draw[t] = head_parameters_backward(dk, dbeta, dg, ds, dgamma, de, da, k[t], g[t], s[t], e[t], a[t], raw[t], sizes)
    return draw, dw_later, dM_later


@equation("MT-read", r"r_t = \textstyle\sum_i w_t(i) M(i), \quad w_t = \mathrm{address}(\hat p_t, w_{t-1}, M), \; t = 1 \ldots T",
          source="Graves et al. 2014, eqs. 2, 5-9, no controller", step=True, fixed={"sizes": READER},
          dims={"P": READER.raw, "H": 3, "W": 5, "S": 3})
def read_all(raw, w0, M, sizes):
    """Read T times.

    raw            (T, B, P)             raw head parameters
    w0             (B, H, N) [simplex]   weights before the first step
    M              (B, N, W)             memory
    sizes          () [sizes]            HeadSizes, with read heads alone
    returns r      (T, B, H, W)          read vectors
    returns k      (T, B, H, W)          and all that was computed on the way
    returns beta   (T, B, H, 1)
    returns g      (T, B, H, 1)
    returns s      (T, B, H, S)
    returns gamma  (T, B, H, 1)
    returns w      (T, B, H, N)
    returns K      (T, B, H, N)
    returns w_c    (T, B, H, N)
    returns w_g    (T, B, H, N)
    returns w_s    (T, B, H, N)
    """
    w, steps = w0, []
    for t in ticking(range(len(raw))):
        head = head_parameters(raw[t], sizes)[:5]
        w, *looked = address(*head, M, w)
        steps.append((read(w, M), *head, w, *looked))
    return tuple(np.stack(values) for values in zip(*steps))


@read_all.backward
def read_all_backward(dr, k, beta, g, s, gamma, w, K, w_c, w_g, w_s, raw, w0, M, sizes):
    dM, dw_later, draw = np.zeros_like(M), np.zeros_like(w0), np.empty_like(raw)
    none = np.zeros((len(M), 0, sizes.W), raw.dtype)                          # there are no erase and add vectors
    for t in ticking(reversed(range(len(raw)))):
        w_prev = w[t - 1] if t else w0
        # r_t = read(w_t, M)
        dw, dM_read = read_backward(dr[t], w[t], M)
        # w_t goes two ways: to reading and to step t + 1
        dk, dbeta, dg, ds, dgamma, dM_looked, dw_later = address_backward(
            dw + dw_later, w[t], K[t], w_c[t], w_g[t], w_s[t], k[t], beta[t], g[t], s[t], gamma[t], M, w_prev)
        dM = dM + dM_read + dM_looked
        draw[t] = head_parameters_backward(dk, dbeta, dg, ds, dgamma, none, none, k[t], g[t], s[t], none, none, raw[t], sizes)
    return draw, dw_later, dM


Kernel("memory_transformer.write", of=write_all, functions="numpymem.memory_transformer.kernels:write_all:write_all_backward")
Kernel("memory_transformer.read", of=read_all, functions="numpymem.memory_transformer.kernels:read_all:read_all_backward")
