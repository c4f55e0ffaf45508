# %% [markdown]
# # 05 · 数学本质差异 · Mathematical essence: solutions
#
# One way to solve each exercise of chapter 05. Try first: `exercise.hint()` says a little more each time.

# %%
import numpy as np

import gradcheck
from gradcheck.exercises import chapter05, chapter05_bugs
from numpymem.ntm.equations import add_backward, erase_backward, read_backward
from numpymem.ops.softmax import softmax, softmax_backward
from numpymem.teaching import is_quick

# %%
chapter05.written

# %% [markdown]
# Entry (i, j) of both products belongs to slot i and column j: an outer product.

# %%
def write(M, w, e, a):
    return M * (1 - np.outer(w, e)) + np.outer(w, a)


assert chapter05.written.grade(write)

# %%
chapter05.slope

# %% [markdown]
# One call of f, a little way off along the imaginary axis. Nothing is subtracted.

# %%
def slope(f, x):
    h = 1e-20
    return f(x + 1j * h).imag / h


assert chapter05.slope.grade(slope)

# %%
chapter05.soft

# %% [markdown]
# $\sum_i dp_i\, p_i (\delta_{ij} - p_j) = dp_j p_j - p_j \sum_i dp_i p_i$.

# %%
def my_softmax_backward(dp, p):
    return p * (dp - (dp * p).sum(-1, keepdims=True))


assert chapter05.soft.grade(my_softmax_backward)

# %%
chapter05.gate

# %% [markdown]
# $g$ stands in the formula twice, with $w^c$ and, with a minus, with $w_{t-1}$; and one $g$ serves all slots, so sum over them.

# %%
def interpolate_backward(dw_g, w_c, w_prev, g):
    return g * dw_g, (1 - g) * dw_g, (dw_g * (w_c - w_prev)).sum(-1, keepdims=True)


assert chapter05.gate.grade(interpolate_backward)

# %%
chapter05.squared

# %% [markdown]
# $w_i = t_i / T$ with $t_i = \tilde w_i^2$ and $T = \sum t$. Two roads lead from $t_i$: $dt_i = dw_i / T - \sum_j dw_j t_j / T^2$, which is
# $(dw_i - \sum_j dw_j w_j) / T$. Then $d\tilde w_i = 2 \tilde w_i\, dt_i$.

# %%
def square_sharpen_backward(dw, w, w_s):
    total = (w_s * w_s).sum(-1, keepdims=True)
    d_squared = (dw - (dw * w).sum(-1, keepdims=True)) / total
    return 2 * w_s * d_squared


assert chapter05.squared.grade(square_sharpen_backward)

# %%
chapter05_bugs.roads

# %% [markdown]
# From the last line to the first. `M_prev` and `v` had two uses each, so two gradients meet.

# %%
def read_and_write_backward(dr, dM, M_prev, w, v, e, a):
    # M = add(M_erased, v, a)
    dM_erased, dv_from_add, da = add_backward(dM, v, a)
    # M_erased = erase(M_prev, v, e)
    dM_from_erase, dv_from_erase, de = erase_backward(dM_erased, M_prev, v, e)
    # r = read(w, M_prev)
    dw, dM_from_read = read_backward(dr, w, M_prev)
    return dM_from_erase + dM_from_read, dw, dv_from_add + dv_from_erase, de, da


assert chapter05_bugs.roads.grade(read_and_write_backward)

# %%
chapter05_bugs.hop

# %% [markdown]
# `u` goes past the hop (that gradient is `du_next`, unchanged) and into it.

# %%
def one_hop_backward(du_next, u, m, c):
    p = softmax(np.einsum("bd,bid->bi", u, m))
    # u_next = u + o,  o = p c
    dp = np.einsum("bd,bid->bi", du_next, c)
    dc = p[:, :, None] * du_next[:, None]
    # p = softmax(scores),  scores = m u
    dscores = softmax_backward(dp, p)
    du = du_next + np.einsum("bi,bid->bd", dscores, m)
    dm = dscores[:, :, None] * u[:, None]
    return du, dm, dc


assert chapter05_bugs.hop.grade(one_hop_backward)

# %%
chapter05_bugs.planted

# %% [markdown]
# `dM_M` takes the *mean* over the heads (axis 1). Each head has used the slot's length: rule 3 asks for the sum. With one head mean and
# sum are the same, so a check with H = 1 passes.

# %%
assert chapter05_bugs.planted.grade("dM_M")

# %%
chapter05_bugs.hunted

# %% [markdown]
# `print(hunt.report())` begins with `MemN2N-layer-wise`: the id is the place. `reveal` shows the line and takes the bug back.

# %%
if not is_quick():
    hunt = gradcheck.bug_hunt(seed=5, kind="pair")
    chapter05_bugs.hunted.grade(hunt, "MemN2N-layer-wise")
    hunt.reveal();

# %%
chapter05_bugs.symptoms

# %% [markdown]
# 1. Only one pair takes gamma. 2. All pairs are right, so it is their wiring, where three gradients of the memory are added. 3. Slots have
# neighbours in one equation only, and what falls off its edge is missing before sharpening divides by the sum.

# %%
assert chapter05_bugs.symptoms.grade("NTM-9", "NTM-step", "NTM-8")
