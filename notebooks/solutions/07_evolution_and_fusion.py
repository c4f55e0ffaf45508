# %% [markdown]
# # 07 · 发展演进与融合 · Evolution and fusion: solutions
#
# One way to solve each exercise of chapter 07. Try first: `exercise.hint()` says a little more each time.

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

from gradcheck.exercises import chapter07
from numpymem.dnc.equations import allocation, allocation_backward, link, precedence, retention, usage

# %%
chapter07.free_slot

# %% [markdown]
# Retention: a fifth of slot 2 is kept, the rest given up. Usage: $0.5 + 0.5 - 0.25$ in slot 0. Allocation: 1, 2, 0 is the order.

# %%
psi = [1, 1, 1 - 0.8]
u = [0.5 + 0.5 - 0.5 * 0.5, 0, 1 * psi[2]]
a = [(1 - 0.5) * 0.2 * 0.4, 1 - 0.2, (1 - 0.4) * 0.2]
assert chapter07.free_slot.grade(psi, u, a)
library = retention(np.ones((1, 1, 1)), np.array([[[0, 0, 0.8]]]))
print("the library says", library[0], usage(np.array([[0.5, 0, 1]]), np.array([[0.5, 0, 0]]), library)[0],
      allocation(np.array([[0.5, 0.2, 0.4]]))[0])

# %%
chapter07.sorted_out

# %% [markdown]
# At (0.2, 0.6): $a_1 = (1 - u_1) u_0$. At (0.6, 0.2): $a_1 = 1 - u_1$, and $u_0$ does not occur in it.

# %%
assert chapter07.sorted_out.grade([1 - 0.6, -0.2], [0, -1])
print("the library says", *(allocation_backward(np.array([[0.0, 1.0]]), np.array([u]))[0] for u in ([0.2, 0.6], [0.6, 0.2])))

# %%
chapter07.used

# %% [markdown]
# Two factors. In the bracket, both $u_{t-1}$ and $w^w_{t-1}$ stand alone and in the product.

# %%
def usage_backward(du, u_prev, w_w_prev, psi):
    # u = written psi
    dwritten = du * psi
    dpsi = du * (u_prev + w_w_prev - u_prev * w_w_prev)
    # written = u_prev + w_w_prev - u_prev w_w_prev
    return dwritten * (1 - w_w_prev), dwritten * (1 - u_prev), dpsi


assert chapter07.used.grade(usage_backward)

# %%
chapter07.links

# %% [markdown]
# 2 after 0, 1 after 2; then slot 0 is written again, which takes its old link away and puts in 0 after 1. Forwards from slot 2: slot 1.

# %%
assert chapter07.links.grade([[0, 1, 0], [0, 0, 1], [0, 0, 0]], 1)
L, p = np.zeros((1, 3, 3)), np.zeros((1, 3))
for slot in (0, 2, 1, 0):
    w = np.eye(3)[None, slot]
    L, p = link(L, w, p), precedence(p, w)
print(L[0])

# %%
chapter07.episode

# %% [markdown]
# A loop over the facts. With all gates at 1 only the last fact is left; with all at 0, nothing.

# %%
def episode(facts, g):
    h = np.zeros_like(facts[:, 0])
    for i in range(facts.shape[1]):
        h = g[:, [i]] * facts[:, i] + (1 - g[:, [i]]) * h
    return h


assert chapter07.episode.grade(episode)

# %%
chapter07.normed

# %% [markdown]
# Back through the division by the spread, in which the part of dy along y is lost; then through taking the mean away.

# %%
def normalise_backward(dy, y, x):
    away = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((away * away).mean(-1, keepdims=True) + 1e-5)
    # y = away / spread
    daway = (dy - y * (dy * y).mean(-1, keepdims=True)) / spread
    # away = x - mean(x)
    return daway - daway.mean(-1, keepdims=True)


assert chapter07.normed.grade(normalise_backward)

# %%
chapter07.which

# %% [markdown]
# The third study may be right, for all we know. But it cannot tell a memory from more training.

# %%
assert chapter07.which.grade("yes", "no", "unfair")
