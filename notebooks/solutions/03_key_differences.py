# %% [markdown]
# # 03 · 关键差异维度对比 · Key differences: solutions
#
# One way to solve each exercise of chapter 03. Try first: `exercise.hint()` says a little more each time.

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

import numpymem
from gradcheck.exercises import chapter03
from numpymem.experiments.claims.section3_models import answers, stories
from numpymem.experiments.claims.section3_supports import contributions
from numpymem.teaching import budget, train, trained
from numpymem.teaching.differences import TASK, rewritten_in_place, settings, slots_of_writes
from numpymem.training.optimizers import CLIPS

# %%
chapter03.ages

# %% [markdown]
# Measure all four, with ages and without:

# %%
def no_age(m_words, age, T):
    return m_words.copy()


def error_of(name):
    model, params, task = trained(name)
    fresh = next(task.batches("test", 200))
    with numpymem.numpy_only():
        wrong, of = task.count_wrong(model.forward(params, fresh.inputs)[0], fresh)
    return 100 * wrong / of


for number in (4, 12, 14, 15):
    before = error_of(f"memn2n_babi{number}")
    with numpymem.patch("MemN2N-time", no_age):
        after = error_of(f"memn2n_babi{number}")
    print(f"bAbI {number:<3} % wrong: with ages {before:5.1f}, without {after:5.1f}")

# %%
assert chapter03.ages.grade("babi15")

# %% [markdown]
# Only task 12 *needs* order. Tasks 4 and 14 could do without, but their models had ages to lean on while they learned, and they did.

# %%
chapter03.in_place

# %%
def share_in_place(slots, keys):
    last, same = {}, []
    for slot, key in zip(slots.tolist(), keys.tolist()):
        if key in last:
            same.append(slot == last[key])
        last[key] = slot
    return np.mean(same)


assert chapter03.in_place.grade(share_in_place)

# %% [markdown]
# Applied to an NTM, story by story (each story has as many rewrites here, so the mean of the shares is the share of all):

# %%
batch = stories(TASK, 200)
ntm = train("ntm", TASK, budget(12_000, 160), *settings("ntm", slots=8))
shares = [share_in_place(slots, batch.inputs.sentences[b, :len(slots), 0]) for b, slots in enumerate(slots_of_writes(ntm, batch))]
print(f"in place: {100 * np.mean(shares):.0f} %")
assert np.isclose(100 * np.mean(shares), rewritten_in_place(ntm, batch))

# %%
chapter03.heads

# %%
def cost_of_heads(C, R, Q, W, S):
    raw = (R + Q) * (W + 1 + 1 + S + 1) + Q * 2 * W         # k, beta, g, s, gamma of every head; e, a of write heads
    return (C + 1) * raw                                    # a row of weights for each unit, and a row of biases


assert chapter03.heads.grade(cost_of_heads)
config = ntm.model.config
ours = cost_of_heads(config.controller_size, config.read_heads, config.write_heads, config.W, config.shifts)
assert ours == ntm.params["W_heads"].size + ntm.params["b_heads"].size
print(f"{ours:,} parameters steer the heads of this NTM")

# %%
chapter03.clip

# %%
def clip(grads, largest):
    norm = np.sqrt(sum((g ** 2).sum() for g in grads.values()))
    factor = min(1, largest / norm)
    return {name: factor * g for name, g in grads.items()}


assert chapter03.clip.grade(clip)

# %% [markdown]
# The library's own, for comparison (`clip_by=norm`; MemN2N's recipe has `clip_by=matrix`, each array by itself):

# %%
grads = {"W": np.array([[3.0, 4.0]]), "b": np.array([12.0])}
for name, way in CLIPS.items():
    print(f"{name:<8}", {key: value.round(3).tolist() for key, value in way(grads, 6.5).items()})
print("ours    ", {key: value.round(3).tolist() for key, value in clip(grads, 6.5).items()})

# %%
chapter03.follow

# %%
def follow(w_write, e, a, w_read):
    T, N = w_write.shape
    held = np.zeros((T, N, a.shape[1]))                     # what is left of each write, in each slot
    for t in range(T):
        held *= 1 - w_write[t][:, None] * e[t]              # (3): everything that is there fades
        held[t] += w_write[t][:, None] * a[t]               # (4): the new write, beside it
    return np.einsum("n,tnw->tw", w_read, held)


assert chapter03.follow.grade(follow)

# %% [markdown]
# On a real trace it agrees with what the committed measure uses, for all steps at once:

# %%
trace = answers(ntm, batch, TASK)[1]
b, last, R = 0, len(trace["w"]) - 1, trace["r"].shape[2]
parts = follow(trace["w"][:last, b, R], trace["e"][:last, b, 0], trace["a"][:last, b, 0], trace["w"][last, b, 0])
assert np.allclose(parts, contributions(trace)[last, b, 0, :last], atol=1e-5)
print("how long the part of each step is, in the last read:", np.linalg.norm(parts, axis=1).round(2))
