"""The same GRU scan in JAX: `lax.scan`, time first, in the forms of dmn_jax.py, where it is said what was tried."""

import jax
import jax.numpy as jnp

from benchmarks import jax_step
from benchmarks.dmn_jax import BEST, TRIED, gru, late_weight


def contenders(work, all_forms=False):
    forms = [form for form in (TRIED if all_forms else jax_step.best(BEST, work)) if not form.together]
    return [contender(work, form) for form in forms]


def contender(work, form):
    def compute(params, given, targets, mask):
        real = given.T[..., None]                                        # (T, B, 1)

        def loss_of(params, tap):
            x = params["x"].swapaxes(0, 1)
            h = gru(form, x, params["U"], params["h0"], real, tap)
            return jax_step.binary_loss(h, targets, mask), h
        tap = jnp.zeros((given.shape[1], len(given), params["U"].shape[1]), jnp.float32) if form.late else None
        (loss, h), (grads, dy) = jax.value_and_grad(loss_of, (0, 1), has_aux=True)(params, tap)
        if form.late:
            grads["U"] = late_weight(h, params["h0"], dy)
        return loss, h, grads
    return jax_step.contender(work, str(form), compute)
