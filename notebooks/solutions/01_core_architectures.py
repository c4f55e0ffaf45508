# %% [markdown]
# # 01 · Core architectures: solutions

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

from gradcheck.exercises.chapter01 import count_them, find_slots
from numpymem.ntm.step import HeadSizes
from numpymem.teaching import trained

# %%
count_them

# %% [markdown]
# Each head: key 10, strength 1, gate 1, shift 3, exponent 1, together 16; three heads 48. The write head erases and adds: 10 + 10 more.

# %%
assert count_them.grade(3 * (10 + 1 + 1 + 3 + 1) + 10 + 10)
print("the library says", HeadSizes(R=2, Q=1, W=10, S=3).raw)

# %%
find_slots

# %%
def slots(w):
    return w[:, 0, 1].argmax(-1)


assert find_slots.grade(slots)

# %% [markdown]
# On the model of the chapter: while the vectors come in, it moves by one slot in each step. (The slots are a ring, and
# which way round to go was left to the network.)

# %%
model, params, task = trained("ntm_copy")
batch = task.sample(np.random.default_rng(0), 1, length=10)
_, trace = model.forward(params, batch.inputs)
print("written at", slots(trace["w"])[:10])
print("steps     ", np.diff(slots(trace["w"])[:10]))
