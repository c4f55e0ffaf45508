# %% [markdown]
# # 08 · 结论 · Conclusion: solutions
#
# One way to solve each exercise of chapter 08. Try first: `exercise.hint()` says a little more each time.

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

import gradcheck
from gradcheck.exercises import chapter08
from numpymem.experiments.claims.intervals import T_95
from numpymem.ops.activations import sigmoid
from numpymem.teaching import is_quick, show

# %%
chapter08.interval

# %% [markdown]
# The differences first; then everything is about one array of numbers.

# %%
def interval(ours, theirs):
    d = ours - theirs
    half = T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean(), d.mean() - half, d.mean() + half


assert chapter08.interval.grade(interval)

# %%
chapter08.verdict

# %% [markdown]
# The second is the tempting one: a large mean with an interval that begins below zero.

# %%
assert chapter08.verdict.grade("agrees", "differs", "depends")

# %%
chapter08.looked_back

# %% [markdown]
# What was handed out several times collects all gradients. `+=` with an index that comes twice adds only once.

# %%
def look_back_backward(dx, z, when):
    dz = np.zeros_like(z)
    np.add.at(dz, (when, np.arange(len(when))[:, None]), dx)
    return dz


assert chapter08.looked_back.grade(look_back_backward)

# %%
chapter08.own

# %%
def say_gated(x, z, h):
    return x + sigmoid(h) * z


def say_gated_backward(dy, x, z, h):
    g = sigmoid(h)
    # y = x + g z
    dg = (dy * z).sum(-1, keepdims=True)
    # g = sigmoid(h)
    return dy.copy(), g * dy, dg * g * (1 - g)


assert chapter08.own.grade(say_gated, say_gated_backward)

# %%
chapter08.hunted

# %% [markdown]
# The hunt of the chapter. The report names the equation and says what the mistake looks like; the line is then quickly seen.

# %%
if not is_quick():
    hunt = gradcheck.bug_hunt(seed=7, kind="pair", among=("DNC", "Hybrid"))
    said = hunt.report()
    print(said.splitlines()[0])
    assert chapter08.hunted.grade(hunt, said.split()[0])
    hunt.reveal()

# %%
show("DNC-retention")
