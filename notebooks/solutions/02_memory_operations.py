# %% [markdown]
# # 02 · Memory operations: solutions

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

from gradcheck.exercises.chapter02 import by_hand, gate, hop, write
from numpymem.ntm.equations import content_weights, interpolate, sharpen, shift
from numpymem.ops.softmax import softmax
from numpymem.teaching import weight_bars

# %%
by_hand

# %% [markdown]
# - (5): $2^1, 2^0, 2^0 = 2, 1, 1$; divided by 4: $(1/2,\ 1/4,\ 1/4)$.
# - (7): half of that and half of $(0, 0, 1)$: $(1/4,\ 1/8,\ 5/8)$.
# - (8): everything on by one, the last comes in first: $(5/8,\ 1/4,\ 1/8)$.
# - (9): squares $(25, 4, 1)/64$; divided by $30/64$: $(5/6,\ 2/15,\ 1/30)$.

# %%
assert by_hand.grade([1 / 2, 1 / 4, 1 / 4], [1 / 4, 1 / 8, 5 / 8], [5 / 8, 1 / 4, 1 / 8], [5 / 6, 2 / 15, 1 / 30])

# %% [markdown]
# The library agrees:

# %%
w_c = content_weights(np.array([[[1.0, 0.0, 0.0]]]), np.full((1, 1, 1), np.log(2)))
w_g = interpolate(w_c, np.array([[[0.0, 0.0, 1.0]]]), np.full((1, 1, 1), 0.5))
w_s = shift(w_g, np.array([[[0.0, 0.0, 1.0]]]))
w = sharpen(w_s, np.full((1, 1, 1), 2.0))
weight_bars({"$w^c$": w_c[0, 0], "$w^g$": w_g[0, 0], r"$\tilde w$": w_s[0, 0], "$w$": w[0, 0]}, "Exercise 2.1")

# %%
gate

# %%
def shifted(w_c, w_prev, g, s):
    w_g = g * w_c + (1 - g) * w_prev
    return shift(w_g, s)


assert gate.grade(shifted)

# %% [markdown]
# The article's way, for comparison: the grader recognises it.

# %%
gate.grade(lambda w_c, w_prev, g, s: shift(w_prev, s));

# %%
write

# %%
def write_once(M, w, e, a):
    column = w.swapaxes(1, 2)                       # (B, N, 1)
    return M * (1 - column * e) + column * a        # (B, N, W)


assert write.grade(write_once)

# %%
hop

# %%
def one_hop(u, m, c):
    p = softmax((m @ u[:, :, None])[:, :, 0])       # (B, I)
    o = (p[:, None] @ c)[:, 0]                      # (B, D)
    return u + o


assert hop.grade(one_hop)

# %% [markdown]
# **The slider question.** Bring the head to slot 0: large $\beta$, $g = 1$, no shift. To slot 1: the same, and shift on by one. To slot 3:
# either $g = 1$, large $\beta$, and shift *back* by one (the slots are a ring), or $g = 0$, stay with slot 2, and shift on by one.
