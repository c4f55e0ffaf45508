# %% [markdown]
# # 00 · Start here: solutions

# %%
import sys

sys.path[:0] = ["../.."]

import numpy as np

import gradcheck
import numpymem
from gradcheck.exercises.chapter00 import find_it, repair
from numpymem import plotting
from numpymem.ntm.equations import softmax, softmax_backward
from numpymem.teaching import SMALL_COPY, budget, several_curves, train, weight_bars

# %%
find_it

# %%
assert find_it.grade("NTM-8")

# %%
repair

# %% [markdown]
# Last line first. $w$ came out of a softmax; what went in was a product, and each factor's gradient is the other factor times
# `dlogits`. `gamma` is one number for all slots of a head, so its gradient is a sum over the slots.

# %%
def sharpen(w_s, gamma):
    return softmax(gamma * w_s)


def sharpen_backward(dw, w, w_s, gamma):
    # w = softmax(logits)
    dlogits = softmax_backward(dw, w)                          # (B, H, N)
    # logits = gamma * w_s
    dw_s = gamma * dlogits                                     # (B, H, N)
    dgamma = (dlogits * w_s).sum(-1, keepdims=True)            # (B, H, 1)
    return dw_s, dgamma


assert repair.grade(sharpen_backward)

# %% [markdown]
# ## And is it of any use?
#
# Take a head that stands firmly on slot 2, and sharpen with $\gamma = 3$.

# %%
w_s = np.array([[[0.0, 0.1, 0.8, 0.1, 0.0]]])
gamma = np.array([[[3.0]]])
weight_bars({r"$\tilde w$": w_s[0, 0], "(9) of the paper": numpymem.find("NTM-9")(w_s, gamma)[0, 0],
             r"softmax($\gamma \tilde w$)": sharpen(w_s, gamma)[0, 0]}, "Sharpening, and what was put in its place")

# %% [markdown]
# The new one does the opposite of sharpening: a slot of weight 0 gets $e^0 = 1$ before normalisation, and a slot of weight 1 no more
# than $e^{\gamma}$, some 20 here. A weight of 0 can never stay 0. The tests of meaning say it in words:

# %%
with numpymem.patch("NTM-9", sharpen, sharpen_backward):
    print(gradcheck.check_equation("NTM-9"))
    print(*gradcheck.check_meaning("NTM-9"), sep="\n")

# %% [markdown]
# And a training shows it, too: that of the chapter, as far as 2,000 sequences.

# %%
papers = train("ntm", "copy", budget(2_000, 20), *SMALL_COPY)
with numpymem.patch("NTM-9", sharpen, sharpen_backward):
    blurred = train("ntm", "copy", budget(2_000, 20), *SMALL_COPY)
    batch = blurred.task.sample(np.random.default_rng(0), 1, length=6)
    logits, trace = blurred.model.forward(blurred.params, batch.inputs)
several_curves({"(9) as in the paper": papers.history, r"softmax($\gamma \tilde w$)": blurred.history},
               "A right gradient of the wrong equation", "loss in bits, on fresh sequences; one seed each")

# %%
plotting.ntm_memory(trace, batch, logits)

# %% [markdown]
# No head is ever anywhere: look at the weights. Gradient checks find wrong backwards; wrong *forwards* are found by tests of
# meaning, and by training.
