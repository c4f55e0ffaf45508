"""Optimizers as pure updates of a dict of arrays: `state = init(params)`, `params, state = update(params, grads, state, lr)`."""

import numpy as np


class SGD:
    """params <- params - lr * gradient."""

    def init(self, params):
        return {}

    def update(self, params, grads, state, lr):
        return {name: params[name] - np.asarray(lr, params[name].dtype) * grads[name] for name in params}, state


class Adam:
    """Kingma and Ba 2015, algorithm 1: steps of size lr in the direction of the mean gradient over its spread.

    In the short form at the end of their section 2: lr_t = lr sqrt(1 - beta2^t) / (1 - beta1^t), params <- params -
    lr_t m / (sqrt(v) + eps). There eps (their eps-hat) is added to the root of the uncorrected v, in algorithm 1 to that of
    the corrected one; early in training it therefore weighs a little more here.
    """

    def __init__(self, beta1=0.9, beta2=0.999, eps=1e-8):
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def init(self, params):
        zeros = {name: np.zeros_like(value) for name, value in params.items()}
        return {"t": 0, "m": zeros, "v": {name: value.copy() for name, value in zeros.items()}}

    def update(self, params, grads, state, lr):
        t = state["t"] + 1
        size = lr * np.sqrt(1 - self.beta2 ** t) / (1 - self.beta1 ** t)         # both bias corrections at once
        m, v, new = {}, {}, {}
        for name, g in grads.items():
            number = g.dtype.type
            m[name] = number(self.beta1) * state["m"][name] + number(1 - self.beta1) * g
            v[name] = number(self.beta2) * state["v"][name] + number(1 - self.beta2) * g * g
            new[name] = params[name] - number(size) * m[name] / (np.sqrt(v[name]) + number(self.eps))
        return new, {"t": t, "m": m, "v": v}


class RMSProp:
    """The centred RMSProp of Graves 2013 (arXiv 1308.0850, eqs. 38-45), which the NTM paper uses.

    n <- decay n + (1 - decay) g^2,  m <- decay m + (1 - decay) g,
    delta <- momentum delta - lr g / sqrt(max(n - m^2, 0) + eps),  params <- params + delta.
    The square of the mean is *subtracted*, and eps stands inside the root; other forms let a trained NTM drift off.
    n - m^2 is a variance, never below 0 but for rounding: hence the max.
    """

    def __init__(self, decay=0.95, momentum=0.9, eps=1e-4):
        self.decay, self.momentum, self.eps = decay, momentum, eps

    def init(self, params):
        return {kind: {name: np.zeros_like(value) for name, value in params.items()} for kind in ("n", "m", "delta")}

    def update(self, params, grads, state, lr):
        n, m, delta, new = {}, {}, {}, {}
        for name, g in grads.items():
            number = g.dtype.type
            n[name] = number(self.decay) * state["n"][name] + number(1 - self.decay) * g * g
            m[name] = number(self.decay) * state["m"][name] + number(1 - self.decay) * g
            spread = np.sqrt(np.maximum(n[name] - m[name] * m[name], 0) + number(self.eps))
            delta[name] = number(self.momentum) * state["delta"][name] - number(lr) * g / spread
            new[name] = params[name] + delta[name]
        return new, {"n": n, "m": m, "delta": delta}


def with_l2(grads, params, names, l2):
    """The gradients of the loss and l2 / 2 times the sum of squares of the named parameters."""
    return {name: g + g.dtype.type(l2) * params[name] if name in names else g for name, g in grads.items()}


OPTIMIZERS = {"sgd": SGD, "adam": Adam, "rmsprop": RMSProp}


def gradient_norm(grads):
    """The length of all gradients taken as one vector."""
    return float(np.sqrt(sum(float(np.vdot(g, g)) for g in grads.values())))


def clip_by_norm(grads, limit, norm=None):
    """Shrink all gradients by one factor so that their common norm is at most `limit`."""
    norm = gradient_norm(grads) if norm is None else norm
    if norm <= limit:
        return grads
    return {name: g * g.dtype.type(limit / norm) for name, g in grads.items()}


def clip_elementwise(grads, limit):
    """Each component into [-limit, limit], as the NTM paper does with limit 10. It changes the direction."""
    return {name: np.clip(g, -limit, limit) for name, g in grads.items()}


def clip_by_matrix(grads, limit):
    """Shrink each gradient by itself so that its spectral norm, the largest singular value, is at most `limit`.

    So the released MemN2N code does, where the paper speaks of the norm: what it leaves is longer, as there are several matrices
    and the spectral norm of each is below its length. The length is therefore a cheap bound: most steps need no singular value.
    """
    return {name: clipped_matrix(g, limit) for name, g in grads.items()}


def clipped_matrix(g, limit):
    if np.sqrt(np.vdot(g, g)) <= limit:
        return g
    norm = spectral_norm(g.reshape(len(g), -1))
    return g if norm <= limit else g * g.dtype.type(limit / norm)


def spectral_norm(g):
    """The largest singular value, as the root of the largest eigenvalue of g^T g or g g^T: the smaller of the two, which is much
    sooner found than all singular values of a long table."""
    square = g.T @ g if len(g) > len(g.T) else g @ g.T
    return float(np.sqrt(np.linalg.eigvalsh(square)[-1]))


CLIPS = {"norm": clip_by_norm, "matrix": clip_by_matrix, "element": clip_elementwise}
