# %% [markdown]
# # 06 · 工程实现对比 · Engineering: solutions
#
# One way to solve each exercise of chapter 06. Try first: `exercise.hint()` says a little more each time.

# %%
import numpy as np

from gradcheck.exercises import chapter06
from numpymem import commands
from numpymem.kernel import KERNELS
from numpymem.ntm.equations import add_backward, erase_backward, read_backward
from numpymem.ops.softmax import softmax

commands.import_equations()

# %%
chapter06.layer

# %% [markdown]
# Where to look comes from `m`, what is found from `c`.

# %%
def memory_layer(u, m, c):
    p = softmax(np.einsum("bd,bid->bi", u, m))                       # (B, I)
    return u + np.einsum("bi,bid->bd", p, c)


assert chapter06.layer.grade(memory_layer)

# %%
chapter06.order

# %% [markdown]
# The order has turned round, so the backward begins with reading. The new memory went two ways.

# %%
def write_then_read_backward(dr, dM, M, M_prev, w, v, e, a):
    # r = read(w, M)
    dw, dM_from_read = read_backward(dr, w, M)
    # M = add(M_erased, v, a)
    dM_erased, dv_from_add, da = add_backward(dM + dM_from_read, v, a)
    # M_erased = erase(M_prev, v, e)
    dM_prev, dv_from_erase, de = erase_backward(dM_erased, M_prev, v, e)
    return dM_prev, dw, dv_from_add + dv_from_erase, de, da


assert chapter06.order.grade(write_then_read_backward)

# %%
chapter06.vectorised

# %% [markdown]
# Inside out: not "for each slot, all shifts", but "for each shift, all slots".

# %%
def my_shift(w_g, s):
    S = s.shape[-1]
    return sum(s[..., [j]] * np.roll(w_g, j - S // 2, axis=-1) for j in range(S))


assert chapter06.vectorised.grade(my_shift)

# %%
chapter06.one_pass

# %% [markdown]
# Each number of the memory is read once and written once.

# %%
def write_loop(M_prev, w, e, a, M):
    for i in range(w.size):
        for j in range(e.size):
            M[i, j] = M_prev[i, j] * (1 - w[i] * e[j]) + w[i] * a[j]


assert chapter06.one_pass.grade(write_loop)

# %%
chapter06.standing_down

# %%
names = [name for name in chapter06.OF_THE_TWO if "softmax" in KERNELS[name].fuses]
print(names)
assert chapter06.standing_down.grade(names)
