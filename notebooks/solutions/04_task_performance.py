# %% [markdown]
# # 04 · 任务性能对比实验 · Task performance: solutions
#
# One way to solve each exercise of chapter 04. Try first: `exercise.hint()` says a little more each time.

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

from gradcheck.exercises import chapter04
from numpymem import catalog
from numpymem.experiments import ablations, results
from numpymem.experiments.claims.intervals import T_95, paired
from numpymem.ops.softmax import softmax
from numpymem.tasks.copy import as_stories
from numpymem.teaching import weight_bars

# %%
chapter04.guess

# %% [markdown]
# - (a) Four first steps; after each, three that do not lead back: one of twelve.
# - (b) One of 16 values.
# - (c) Eight entities, one of which the question names: one of seven.

# %%
assert chapter04.guess.grade(100 / 12, 100 / 16, 100 / 7)
assert len(catalog.make_task("babi19", "story", source="generated").answers) == 12

# %% [markdown]
# Beside the committed figures of the NTM: bAbI 19, and 16 facts.

# %%
for name, group, task, place, worth in (("duel_paths", "NTM", "babi19", "test_error_percent", 100 / 12),
                                        ("duel_facts", "NTM from 16", "made-facts", "wrong_percent/16", 100 / 7)):
    right = [100 - wrong for wrong in ablations.errors(results.read(name), group, task, place).values()]
    print(f"{task:<12} NTM {np.mean(right):.1f} ± {np.std(right, ddof=1):.1f} % right, guessing {worth:.1f}")

# %%
chapter04.questions

# %%
def as_questions(bits, position):
    sentences = 1 + 2 * np.arange(8) + bits.transpose(1, 0, 2)           # (B, L, 8)
    return sentences, 17 + position[:, None]                             # (B, 1)


assert chapter04.questions.grade(as_questions)

# %% [markdown]
# The library's own, for comparison:

# %%
bits, position = np.random.default_rng(0).integers(0, 2, (4, 3, 8)), np.array([0, 3, 2])
stories = as_stories(bits, position).inputs
assert all(np.array_equal(ours, theirs) for ours, theirs in zip(as_questions(bits, position), (stories.sentences, stories.query)))

# %%
chapter04.latest

# %% [markdown]
# First wish: the key. Second wish: among those with the key, the younger. The first must outweigh the largest difference of ages.

# %%
def latest_scores(same_key, age):
    return 200 * same_key - 10 * age


assert chapter04.latest.grade(latest_scores)

# %% [markdown]
# Seven sentences, three of them about the key. With the key alone, and with the age:

# %%
same_key, age = np.array([[1.0, 0, 1, 0, 0, 1, 0]]), np.arange(7, 0, -1.0)[None]
weight_bars({"key alone": softmax(200 * same_key)[0], "key and age": softmax(latest_scores(same_key, age))[0]},
            "Which sentence is the latest about this key?", "sentences 0, 2 and 5 begin with it", axis="sentence $i$")

# %%
chapter04.ahead

# %%
def is_ahead(ours, theirs):
    d = ours - theirs                                                    # seed by seed
    half = T_95[len(d) - 2] * d.std(ddof=1) / np.sqrt(len(d))            # of the 95 % interval of the mean
    return d.mean() - half > 0 and d.mean() >= 2


assert chapter04.ahead.grade(is_ahead)

# %% [markdown]
# On the committed copies of length 120, and what the library says:

# %%
found = results.read("duel_copy")
ntm, memn2n = ({seed: 100 - wrong for seed, wrong in ablations.errors(found, model, "copy", "wrong_percent/120").items()}
               for model in ("NTM", "MemN2N"))
print("NTM - MemN2N, points:", paired(ntm, memn2n))
assert is_ahead(*(np.array([each[seed] for seed in sorted(each)]) for each in (ntm, memn2n)))
