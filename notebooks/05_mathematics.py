# %% [markdown]
# # 05 · 数学本质差异 · Mathematical essence
#
# *Section 5 of the article sets two formulas side by side: how an NTM's memory changes (5.1), and how a MemN2N looks into its
# memory again and again (5.2). Here we do what a formula is for: we differentiate them. Every backward pass of both models is
# derived on paper, then read in the code, then checked.*
#
# **You will** derive ten backward passes with three rules; see which write a gradient comes from; check derivatives to the last
# digit; and find bugs that were planted, and bugs that were really shipped.
#
# **Needed:** the chain rule, and chapter 02 for what the equations do.

# %%
import inspect

import numpy as np

import gradcheck
import numpymem
from gradcheck.exercises import chapter05, chapter05_bugs
from numpymem.equation import find
from numpymem.ops.softmax import softmax, softmax_backward
from numpymem.teaching import budget, gradients, is_quick, show, sliders, train, trained

np.set_printoptions(precision=3, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown]
# ## A picture first: which write does this gradient come from?
#
# An NTM that comes with this package reads ten vectors and copies them. We ask: *what does answer 4 hang on?* That is one
# gradient: the derivative of that answer with respect to everything that happened before.
#
# Read the upper picture from right to left, the way the gradient runs. It starts where the answer is asked (dashed). The row that
# is dark is the slot that was read for it. (This network reads one step ahead and hands what it read to its controller.) In that
# slot the gradient stays while nobody touches it, and it arrives at the step that wrote it: the orange dot in the dark row. The
# bars below say the same for each write: how much does the answer hang on what was added at step t?

# %%
model, params, task = trained("ntm_copy")
batch = task.sample(np.random.default_rng(0), 1, length=10)
found = gradients.credit(model, params, batch)                       # ten backward passes, one an answer

sliders(lambda answer: gradients.one_answer(found, answer), answer=(0, 9, 4))

# %% [markdown]
# All ten answers at once. Row i is answer i; the dark cell is the write that it hangs on. Nobody told the network that answer 4
# comes from step 4: the gradient says so, because it passes through the memory.

# %%
gradients.all_answers(found)

# %%
print("answer i hangs most on the write at step", found.of_writes.argmax(1))

# %% [markdown]
# This chapter explains every cell of these pictures. At its end you will have derived the rule for each, and you will know what
# the code would do if one of them were wrong.

# %% [markdown]
# ## 5.1 The NTM's formula, and which way its vectors lie
#
# The article's formula for one write is (3) and (4) of the paper in one line:
#
# $$M_t = M_{t-1} \circ (1 - w_t e_t^{\mathsf T}) + w_t a_t^{\mathsf T}$$
#
# $\circ$ multiplies entry by entry, $w_t$ has N entries (one a slot), $e_t$ and $a_t$ have W entries (one a column of the
# memory).
#
# **Say which convention you use.** With *columns*, $w e^{\mathsf T}$ is an N x W matrix. With *rows*, the same matrix is
# $w^{\mathsf T} e$. Both are right. The article's section 5.1 writes the second, which is right for rows, without saying so; the
# papers write columns. NumPy's vectors are neither, so copying either formula letter by letter goes wrong: sometimes loudly,
# sometimes not.

# %%
w, e = np.array([0.5, 0.5, 0.0]), np.array([1.0, 0.0, 0.5])                # N = 3 slots, W = 3 columns: equal, by bad luck
print("w @ e (one number!)     ", w @ e)
print("w * e (three numbers)   ", w * e)
print("np.outer(w, e) (N x W):\n", np.outer(w, e))

# %% [markdown]
# With N = W neither of the first two raises an error: NumPy spreads the result over the memory, and the network trains, badly.
# (Section 6 of the article has that slip: chapter 06.) In this package the product has a batch and heads, and one place:
# `one_minus_outer`. Here are both equations as they stand in the library.

# %%
show("NTM-3", "NTM-4")

# %% [markdown]
# With one head and no batch that is the formula above; let us see that it is:

# %%
N, W = 4, 3
M_prev, w, e, a = rng.standard_normal((N, W)), softmax(rng.standard_normal(N)), rng.uniform(0, 1, W), rng.standard_normal(W)
erase, add = find("NTM-3"), find("NTM-4")


def one(x):
    """Of one sequence and one head: (N) -> (1, 1, N)."""
    return x[None, None]


by_library = add(erase(M_prev[None], one(w), one(e)), one(w), one(a))[0]
columns = M_prev * (1 - w[:, None] @ e[None, :]) + w[:, None] @ a[None, :]                 # w, e, a as columns: w e^T
rows = M_prev * (1 - w[None, :].T @ e[None, :]) + w[None, :].T @ a[None, :]                # w, e, a as rows: w^T e
print(np.allclose(columns, by_library), np.allclose(rows, by_library))

# %%
chapter05.written

# %%
def write(M, w, e, a):
    ...


chapter05.written.grade(write);

# %% [markdown]
# ## Three rules that give every backward pass
#
# Let L be the loss. We write $dx$ for $\partial L / \partial x$: it has the shape of $x$, and each of its entries says how L
# answers to a small push at that entry. A *backward pass* is a function that takes the gradients of the outputs and returns those
# of the inputs.
#
# 1. **Product.** If $y = \sum_i u_i v_i$, then $du_i = dy\, v_i$ and $dv_i = dy\, u_i$: times the other factor.
# 2. **Where roads part, gradients meet.** If $x$ is used twice, $dx$ is the *sum* of what both uses send back.
# 3. **Spread forwards, sum backwards.** If one number was used for all entries of an axis, its gradient is the sum over that axis
#    (and the gradient of a sum is spread over what was summed).
#
# Rule 3 is rule 2 for many roads. And then there is the derivative of a function of one number ($\exp$, $\log$, $\sigma$), and
# that is all.
#
# ### NTM-2, read
#
# $r_j = \sum_i w_i M_{ij}$. By rule 1, $dw_i = \sum_j dr_j M_{ij}$ (rule 2: $w_i$ is used in every column $j$), and $dM_{ij} =
# w_i\, dr_j$: an outer product again. With H heads every head has read the same memory, so their gradients of M add up. Follow it
# with numbers:

# %%
w, M, dr = np.array([0.25, 0.75]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
print("r  =", w @ M)
dw, dM = find("NTM-2").gradient(one(dr), one(w), M[None])
print("dw =", dw[0, 0], "  by hand: [1*1 - 1*2, 1*3 - 1*4]")
print("dM =\n", dM[0], "\n by hand: [[0.25, -0.25], [0.75, -0.75]]")

# %%
show("NTM-2")

# %% [markdown]
# ### NTM-3 and NTM-4, erase and add
#
# **Erase**, one head: $\tilde M_{ij} = M_{ij} (1 - w_i e_j)$. Call the bracket $k_{ij}$ (*keep*). Rule 1:
#
# $$dM_{ij} = d\tilde M_{ij}\, k_{ij}, \qquad dk_{ij} = d\tilde M_{ij}\, M_{ij}$$
#
# and since $k = 1 - w e^{\mathsf T}$, with rule 2 over the columns (for $w$) and the slots (for $e$):
#
# $$dw_i = -\sum_j dk_{ij}\, e_j, \qquad de_j = -\sum_i w_i\, dk_{ij}$$
#
# Look at the first one: the gradient of the old memory is the gradient of the new one **times what was kept**. Where $w_i e_j =
# 1$, nothing was kept and nothing can be felt; where $w_i = 0$, the gradient passes *unchanged*. That is why the dark row of the
# first picture stays dark over so many steps.
#
# **Several heads** multiply: $\tilde M = M \circ k^1 \circ k^2$. The gradient of one factor is the product of all others. It is
# tempting to divide the whole product by $k^1$; a factor may be 0. `times_others` multiplies, and never divides.
#
# **Add**: $M_{ij} = \tilde M_{ij} + w_i a_j$, so $d\tilde M = dM$, $dw_i = \sum_j dM_{ij} a_j$, $da_j = \sum_i w_i\, dM_{ij}$.
# That last one is the bar chart of the first picture.
#
# Both were shown above. Does the code do what we have just derived?

# %%
print(gradcheck.check_equation("NTM-2"))
print(gradcheck.check_equation("NTM-3"))
print(gradcheck.check_equation("NTM-4"))

# %% [markdown]
# ## How do you check a derivative? The complex step
#
# `right`, with an error near 1e-15: with what was that compared? Everybody's first idea is a difference, $(f(x+h) - f(x))/h$. A
# large h is wrong because f bends; a small h is wrong because two nearly equal numbers are subtracted, and their last digits are
# all that is left. There is a best h, and at the best h half of the digits are gone.
#
# The way out is a step that is *imaginary*. Taylor, with $ih$ for $h$:
#
# $$f(x + ih) = f(x) + ih\, f'(x) - \tfrac{h^2}{2} f''(x) - \ldots \quad\Rightarrow\quad
# \mathrm{Im}\, f(x + ih) / h = f'(x) + O(h^2)$$
#
# Nothing is subtracted. So h can be 1e-20 (gradcheck takes 1e-30), and the $h^2$ is gone for good.

# %%
gradients.step_sizes(chapter05.curved, chapter05.slope_of_curved, 0.7)

# %%
chapter05.slope

# %%
def slope(f, x):
    ...


chapter05.slope.grade(slope);

# %% [markdown]
# It asks one thing of the forward: it must stay *analytic*. `+`, `*`, `exp`, `log`, `sqrt` do. `abs` and `max` do not, silently:

# %%
h, x = 1e-20, -2.0
print("d|x|/dx at -2 should be -1, np.abs says", np.abs(x + 1j * h).imag / h, " ours says",
      numpymem.ops.complex_safe.magnitude(np.asarray(x + 1j * h)).imag / h)

# %% [markdown]
# Therefore the library's forwards *decide* (max, ReLU, sort) on the real part, through a few helpers (`ops/complex_safe.py`). The
# checker does not take that on trust: it compares the complex step with a real difference first and falls back to careful
# differences where they disagree.
#
# **A gradient check in eight lines.** One entry at a time would need a call for every entry. Along a random direction $v$ one
# call is enough: $\mathrm{Im} L(x + ihv)/h$ must be $\sum dx \cdot v$. A wrong gradient hides from a random direction with
# probability zero.

# %%
def small_check(forward, backward, inputs, rng):
    """Relative error of a pair along one random direction through all inputs. backward(d_output, *inputs) -> gradients."""
    d_output = rng.standard_normal(forward(*inputs).shape)
    directions = [rng.standard_normal(x.shape) for x in inputs]
    moved = forward(*[x + 1e-30j * v for x, v in zip(inputs, directions)])
    true = (d_output * moved.imag).sum() / 1e-30
    by_hand = sum((dx * v).sum() for dx, v in zip(backward(d_output, *inputs), directions))
    return abs(by_hand - true) / abs(true)


read = find("NTM-2")
inputs = [softmax(rng.standard_normal((2, 3, 5))), rng.standard_normal((2, 5, 4))]
print("read:                ", f"{small_check(read, read.gradient, inputs, rng):.0e}")
print("read, dM forgotten:  ", f"{small_check(read, lambda dr, w, M: (dr @ M.swapaxes(1, 2), 0 * M), inputs, rng):.0e}")

# %% [markdown]
# `gradcheck` is these eight lines and what experience added: *where* to check (random points with pairwise different sizes, and
# points with a purpose: a weight of 0, two equal memories, a saturated gate), how much error is allowed (the measured noise), and
# what a failure *looks like*. Here is a failure. We hand `erase` a backward without its minus:

# %%
def erase_without_its_minus(dM_erased, M_prev, w, e):
    dM_prev, dw, de = find("NTM-3").original_backward(dM_erased, M_prev, w, e)
    return dM_prev, -dw, de


with numpymem.patch("NTM-3", None, erase_without_its_minus):
    print(gradcheck.check_equation("NTM-3"))

# %% [markdown]
# ## Addressing: four equations, from the last to the first
#
# A head computes $K \to w^c \to w^g \to \tilde w \to w$. We derive them in the order of the paper; the gradient runs the other
# way.
#
# ### NTM-6, cosine
#
# $K_i = \dfrac{k \cdot M_i}{\|k\|\,\|M_i\|}$. Three roads lead from $k$ to $K_i$ if you count the one through $\|k\|$; write $q =
# k \cdot k$ and $Q_i = M_i \cdot M_i$, so $K_i = (k \cdot M_i)\, q^{-1/2} Q_i^{-1/2}$. Then
#
# $$d(\text{dots}_i) = \frac{dK_i}{\sqrt{q\, Q_i}}, \qquad dq = -\frac{1}{2q} \sum_i dK_i K_i, \qquad
# dQ_i = -\frac{1}{2 Q_i} dK_i K_i$$
#
# ($q$ is one number for all slots: summed over slots. $Q_i$ serves all heads: summed over heads.) Back through dots and squares:
#
# $$dk = \sum_i d(\text{dots}_i)\, M_i + 2k\, dq, \qquad dM_i = d(\text{dots}_i)\, k + 2 M_i\, dQ_i$$
#
# A sanity check that needs no computer: a cosine does not care how long $k$ is, so $dk$ must be orthogonal to $k$.

# %%
cosine = find("NTM-6")
k, M = np.array([[[3.0, 4.0]]]), np.array([[[1.0, 0.0], [0.0, 2.0]]])
K = cosine(k, M)
print("K  =", K[0, 0], "  by hand: 3/5 and 4/5")
dk, dM = cosine.gradient(np.array([[[1.0, 0.0]]]), K, k, M)
print("dk =", dk[0, 0], "  by hand: (1, 0)/5 - (3/5) (3, 4)/25")
print("k . dk is 0 (but for the 1e-8 in the roots):", abs(float((k * dk).sum())) < 1e-6)

# %%
show("NTM-6")

# %% [markdown]
# **A surprise that is in this formula.** $1/\|M_i\|$ stands in it, and an NTM's memory starts at 1e-6 everywhere. The first
# picture leaves out the slots that were never written. Here is what it hides:

# %%
written = gradients.written_slots(found)
never = np.setdiff1d(np.arange(128), written)
for name, slots in (("written", written), ("never written", never)):
    print(f"{name:<14} largest |dL/dM| in any slot at step 5: {found.of_memory[4, 5, slots].max():10.2f}"
          f"    largest |M|: {np.linalg.norm(found.memory[5, slots], axis=-1).max():.6f}")

# %% [markdown]
# A slot that is nearly empty has a cosine like any other, and turns round at the slightest push: its gradient is large, though
# the slot matters little. The `1e-8` inside the roots keeps it finite; where the paper has 0/0, this has 0. When gradients
# explode in an NTM, look here first.
#
# ### Softmax, and NTM-5, content weights
#
# $p_i = e^{z_i} / \sum_j e^{z_j}$ gives $\partial p_i / \partial z_j = p_i (\delta_{ij} - p_j)$: each $z_j$ raises its own $p_j$
# and lowers all others. Sum over $i$:
#
# $$dz_j = \sum_i dp_i\, p_i (\delta_{ij} - p_j) = p_j \Big( dp_j - \sum_i dp_i\, p_i \Big)$$
#
# In words: what counts is how much better than the *average* it would be to have more of $p_j$. No N x N matrix is made. For
# NTM-5, $z = \beta K$: rule 1 gives $dK = \beta\, dz$, and rule 3 $d\beta = \sum_i K_i\, dz_i$, since one $\beta$ serves all
# slots.

# %%
p = softmax(np.log(np.array([0.5, 0.25, 0.25])))
print("dz =", softmax_backward(np.array([1.0, 0.0, 0.0]), p), "  by hand: 0.5 (1 - 0.5), 0.25 (0 - 0.5), 0.25 (0 - 0.5)")

# %%
show("softmax", "NTM-5")

# %%
chapter05.soft

# %%
def my_softmax_backward(dp, p):
    ...


chapter05.soft.grade(my_softmax_backward);

# %% [markdown]
# ### NTM-7, the gate
#
# $w^g = g w^c + (1 - g) w_{t-1}$. Once $w^c$, once $w_{t-1}$, twice $g$. The road to $w_{t-1}$ is the first one that leads to an
# *earlier step*: times $(1 - g)$. A head that goes by content ($g$ near 1) forgets where it was, and its gradient forgets it,
# too.

# %%
chapter05.gate

# %%
def interpolate_backward(dw_g, w_c, w_prev, g):
    ...


chapter05.gate.grade(interpolate_backward);

# %% [markdown]
# (The library's stands in `numpymem/ntm/equations.py`, just below `interpolate`. Write yours first.)
#
# ### NTM-8, shift
#
# $\tilde w_i = \sum_o s_o\, w^g_{i-o}$, indices modulo N. Rule 1 and a change of index ($j = i - o$):
#
# $$dw^g_j = \sum_o s_o\, d\tilde w_{j+o}, \qquad ds_o = \sum_i d\tilde w_i\, w^g_{i-o}$$
#
# Forwards it is a convolution, backwards a *correlation*: the gradient is shifted the other way. The index is easily lost: a
# framework's `conv1d` is a correlation already, and popular NTMs shift to the wrong side because of it (the museum below has
# them).

# %%
shift = find("NTM-8")
w_g, s = np.array([[[1.0, 0.0, 0.0, 0.0]]]), np.array([[[0.1, 0.2, 0.7]]])              # s(-1), s(0), s(+1)
print("w_s  =", shift(w_g, s)[0, 0], "  0.7 of slot 0 goes to slot 1, 0.1 round the corner to slot 3")
dw_g, ds = shift.gradient(np.array([[[0.0, 1.0, 0.0, 0.0]]]), w_g, s)
print("dw_g =", dw_g[0, 0], "  more in slot 1? Then slot 0 (by 0.7), slot 1 (0.2) or slot 2 (0.1) must have more")

# %%
show("NTM-8")

# %% [markdown]
# ### NTM-9, sharpen
#
# $w_i = \tilde w_i^\gamma / \sum_j \tilde w_j^\gamma$. Powers of small numbers underflow, so the code takes logarithms: $z_i =
# \gamma \log \tilde w_i$, $w = \mathrm{softmax}(z)$. It is the same number, and half of the backward is known already:
#
# $$dz_i = w_i \Big(dw_i - \sum_j dw_j w_j\Big), \qquad d\tilde w_i = \frac{\gamma\, dz_i}{\tilde w_i}, \qquad
# d\gamma = \sum_i dz_i \log \tilde w_i$$
#
# $1/\tilde w_i$ looks dangerous where a weight is 0. It is harmless in exact numbers, as $dz_i$ has the factor $w_i$; in a
# computer the `1e-8` inside the logarithm takes care of it.

# %%
show("NTM-9")

# %%
for id in ("NTM-5", "NTM-6", "NTM-7", "NTM-8", "NTM-9"):
    print(gradcheck.check_equation(id))

# %% [markdown]
# **Every gradient on its way.** That was each equation alone. Now one gradient runs through all four of them, from (9) back to (5)
# and (6), and every value on the way is held against the truth, as in makemore's chapter on backpropagation: not only the ends.
# *into* is what a backward is handed, *out of* what it returns.

# %%
print(gradcheck.follow("NTM-addressing"))

# %% [markdown]
# What is this good for? Let somebody mix up two results in the gate's backward. The pair's own check would say so, too. But a table
# like this one also finds what is wrong *between* right pairs: go down to the first wrong line; the mistake is between it and the
# line above.

# %%
def gate_mixed_up(dw_g, w_c, w_prev, g):
    dw_c, dw_prev, dg = find("NTM-7").original_backward(dw_g, w_c, w_prev, g)
    return dw_c, dw_c, dg


with numpymem.patch("NTM-7", None, gate_mixed_up):
    print(*gradcheck.follow("NTM-addressing").splitlines()[8:13], sep="\n")

# %% [markdown]
# ### Your own equation
#
# Here somebody has changed sharpening. Changing the forward is easy; the backward has to follow.

# %%
print(inspect.getsource(chapter05.square_sharpen))
chapter05.squared

# %%
def square_sharpen_backward(dw, w, w_s):
    ...


chapter05.squared.grade(square_sharpen_backward);

# %% [markdown]
# ## One step: where roads part, gradients meet
#
# Now the equations are wired. Two things are used several times, and each use sends something back:
#
# - the **weights** $w_t$ go three ways: to reading, to writing (twice: erase and add), and on to the next step's gate;
# - the **memory** $M_{t-1}$ goes three ways: it is compared with the key (6), read (2), and written over (3).
#
# Read the backward from top to bottom: it undoes the forward from its last line to its first, and says which line it undoes. The
# two sums are rule 2.

# %%
show("NTM-step")

# %% [markdown]
# How large are the three roads into the memory? We take one step of the trained network, hand in the gradient that came back to
# $M_8$ in the picture, and listen to the parts with `numpymem.watch`, which reports every pair that is evaluated.

# %%
heard = {}


def listen(item, phase, arguments, result):
    """Keep the gradient of the memory that a pair's backward returns."""
    if phase == "backward" and item.id in ("NTM-2", "NTM-3", "NTM-6"):
        heard.setdefault(item.id, []).append(result[0] if item.id == "NTM-3" else result[1])


wide = {name: value.astype(float) for name, value in params.items()}
logits, trace = model.forward(wide, batch.inputs.astype(float))
d_logits = np.zeros_like(logits)
d_logits[15] = 2 * batch.targets[15] - 1
with numpymem.equation.watch(listen):
    model.backward(wide, trace, d_logits, dtrace={})
print("gradient of the memory before step t, in the written slots, by the road it came:")
print("   t    read (2)   erase (3)  content (6)")
for t in (15, 14, 12, 8, 4):
    sizes = [np.linalg.norm(heard[id][len(trace["M"]) - 1 - t][0, written]) for id in ("NTM-2", "NTM-3", "NTM-6")]
    print(f"{t:>4}" + "".join(f"{size:>12.3f}" for size in sizes))

# %% [markdown]
# Answer 4 is asked at step 15, and what it needs was read at step 14: there the gradient enters, by the first road. From then on
# it arrives by the middle road: the memory itself carries it, from step to step, through $1 - w e^{\mathsf T}$. At step 4, which
# wrote the slot, the heads look around, and some of it goes by content.

# %%
print(inspect.getsource(chapter05_bugs.read_and_write))
chapter05_bugs.roads

# %%
from numpymem.ntm.equations import add_backward, erase_backward, read_backward  # noqa: E402


def read_and_write_backward(dr, dM, M_prev, w, v, e, a):
    ...


chapter05_bugs.roads.grade(read_and_write_backward);

# %% [markdown]
# ## All steps: backpropagation through time
#
# Unrolled, an NTM is the same step T times. BPTT is the step's backward T times, from the last to the first, with four things
# handed from each step to the one before: $dh$, $dr$, $dw$ and $dM$. Move the step back in time and watch what answer 4 wants of
# the memory:

# %%
sliders(lambda answer, step: gradients.memory_and_gradient(found, answer, step), answer=(0, 9, 4), step=(0, 20, 8))

# %% [markdown]
# After its write (steps 4 to 14) there is one row: *these* numbers in *this* slot. Before it (step 3 and earlier) the row is
# weaker: step 4 erased most of what stood there; and other slots come in, by the content addressing.
#
# **The memory is a highway.** Along a slot that nobody touches, $dM_{t-1}(i) = dM_t(i)$ exactly. How much of the gradient is left
# between the last step before it is asked and the step that wrote it?

# %%
for answer in (1, 4, 9):
    slot = found.written_at[answer].argmax()
    along = found.of_memory[answer, answer:found.first + answer, slot]
    print(f"answer {answer}: written at step {answer}, asked at {found.first + answer}; largest gradient in slot {slot} on the way "
          f"{along.max():.2f}, at the write {along[0]:.2f}")

# %% [markdown]
# An LSTM has to carry ten vectors through its gates at every step; here each has a row of its own, and only a write to that row
# can weaken it. That is what the article's formula 5.1 means for learning: **in-place writing makes the Jacobian of the memory
# diagonal**, $\partial M_t / \partial M_{t-1} = \mathrm{diag}(1 - w_t e_t^{\mathsf T})$ (by the road through erase), with entries
# between 0 and 1: it can fade a gradient and never blow it up. What can explode are the other roads, above all (6).
#
# ### Does it matter? Train with this road cut
#
# A bug from the museum (below): `stop_gradient` on the memory and on the weights that one step hands to the next. Every forward
# is right. Two trainings of the same small NTM, same seed, same sequences (copy, lengths 1 to 4):

# %%
from gradcheck import museum  # noqa: E402

SMALL = ("controller=feedforward", "controller_size=32", "N=12", "W=8", "initial_weights=one-hot", "N_training=0", "max_length=4",
         "lr=0.004", "beta2=0.99", "batch=16", "settle=0")
healthy = train("ntm", "copy", budget(6_400, 64), *SMALL)
with museum.find("stop-at-memory").installed():
    cut = train("ntm", "copy", budget(1_920, 64), *SMALL)
for name, training in (("whole", healthy), ("cut at the memory", cut)):
    last = training.history[-1]
    print(f"{name:<18} {training.done:>6,} sequences   {last['wrong_percent']:5.1f} % of the bits wrong (guessing: 50)")

# %% [markdown]
# Without the gradient through the memory nobody tells the write head what its writes are good for: what is written at one step
# pays off only steps later. (The second training is the shorter one, because it runs as NumPy. `python -m gradcheck.museum
# stop-at-memory` gave both the same 9,600 sequences, with three seeds, and its verdict stands in the table below: does not
# learn.)
#
# ## 5.2 MemN2N, hop by hop
#
# $$p^k_i = \mathrm{softmax}_i(u^k \cdot m_i), \qquad o^k = \sum_i p^k_i c_i, \qquad u^{k+1} = u^k + o^k, \qquad
# \hat a = \mathrm{softmax}(W u^{K+1})$$
#
# (The article writes $q$ for $u$.) We know the parts: a product, a softmax, a weighted sum. So, from the last line to the first:
#
# - **answer**: $du = W\, dz$ and $dW = dz\, u^{\mathsf T}$, with $dz = p - y$ from the loss (below);
# - **next state**: $u$ goes two ways, past the hop and into it. Through $u^{k+1} = u^k + o^k$ the gradient passes *unchanged*,
#   twice;
# - **respond**: $dp_i = do \cdot c_i$ and $dc_i = p_i\, do$;
# - **match**: $dz_i = p_i (dp_i - \sum_j dp_j p_j)$, then $du \mathrel{+}= \sum_i dz_i m_i$ and $dm_i = dz_i u$.
#
# $dc_i$ is large where the attention *is*; $dm_i$ is large where the attention should *change*, and it is 0 where the softmax is
# already sure ($p_i$ = 1 or 0). One gradient says what to find, the other where to look.

# %%
show("MemN2N-1", "MemN2N-2", "MemN2N-4", "MemN2N-hops")

# %% [markdown]
# A trained MemN2N answers a question of bAbI task 2 (made up by our generator). Which sentences does the gradient of the right
# answer go to? Read it hop by hop: the first two look for who has the apple, the last for where she went. $dc$ (what) is large
# wherever the attention is. $dm$ (where) is largest in the last hop, at the two places between which it has to decide, and
# nothing at hop 2, which is sure already.

# %%
reader, its_params, stories = trained("memn2n_babi2")
its_params = {name: value.astype(float) for name, value in its_params.items()}
story_batch = stories.sample(np.random.default_rng(14), 64)
scores, seen = reader.forward(its_params, story_batch.inputs)
told = seen["mask"].sum(1).astype(int)                                             # sentences of each story
b = next(b for b in range(64) if scores[b].argmax() == story_batch.targets[b] and 6 <= told[b] <= 9)
d_scores, dtrace = np.zeros_like(scores), {}
d_scores[b, story_batch.targets[b]] = 1
reader.backward(its_params, seen, d_scores, dtrace=dtrace)


def words(numbers):
    """Word numbers as a sentence."""
    return " ".join(str(stories.vocabulary[int(number)]) for number in numbers if number)


def norms(values):
    """One number a sentence and hop: (K, I)."""
    return np.stack([np.linalg.norm(value[b, :told[b]], axis=-1) for value in values])


print(f"{words(seen['query'][b])}?   {stories.answers[story_batch.targets[b]]}")
gradients.story_gradients([words(sentence) for sentence in seen["sentences"][b][:told[b]]],
                          np.stack([p[b, :told[b]] for p in seen["p"]]), norms(dtrace["m"]), norms(dtrace["c"]))

# %%
print(inspect.getsource(chapter05_bugs.one_hop))
chapter05_bugs.hop

# %%
def one_hop_backward(du_next, u, m, c):
    ...


chapter05_bugs.hop.grade(one_hop_backward);

# %% [markdown]
# **Shared tables, summed gradients.** With adjacent tying the table that hop k puts out (C) is what hop k + 1 takes in (A): one
# table, two uses, so its gradient is a sum (rule 2). With layer-wise tying all K hops share their tables, as the steps of a
# recurrent network do. `back_through_hops` has both in two lines, `+=`.
#
# ### The essential difference, in numbers
#
# In 5.1 the memory is made of the memory before: the order of the inputs is built in. In 5.2 all memories are made at once, and a
# sum over them has no order. Turn the sentences round: a hop finds the same, and the gradients turn round with the sentences.

# %%
hop = find("MemN2N-hop")
u, m, c, mask, empty = rng.standard_normal((1, 4)), *rng.standard_normal((2, 1, 5, 4)), np.ones((1, 5)), np.zeros((1, 1))
turned = [4, 3, 2, 1, 0]
o, p = hop(u, m, c, mask, empty, False)
o_turned, p_turned = hop(u, m[:, turned], c[:, turned], mask, empty, False)
do, none = rng.standard_normal(o.shape), np.zeros_like(p)
du, dm, dc = hop.gradient(do, none, p, u, m, c, mask, False)
du_turned, dm_turned, dc_turned = hop.gradient(do, none, p_turned, u, m[:, turned], c[:, turned], mask, False)
print("the same found:", np.allclose(o, o_turned), "  the same du:", np.allclose(du, du_turned),
      "  dm only turned round:", np.allclose(dm[:, turned], dm_turned))

# %% [markdown]
# So where does MemN2N know from what was said *last*? From its temporal encoding, a vector for each age that is added to the
# sentence (`MemN2N-time`). The article calls MemN2N purely content-addressed and leaves that out (chapter 03).
#
# | | 5.1 NTM | 5.2 MemN2N |
# |---|---|---|
# | memory at step t | from the memory at t - 1 | from the inputs, once |
# | steps from the loss to the oldest input | as many as time steps | K hops, whatever its age |
# | what carries the gradient | a diagonal, $1 - w e^{\mathsf T}$, slot by slot | $u^{k+1} = u^k + o^k$, unchanged |
# | order of the inputs | built in | only through the temporal encoding |
# | what is learned where to look | through (5)-(9), and the state before | through $dm$, one softmax |
#
# ## The loss: cross entropy, and why it wants logits
#
# $L = -\log p_y$ with $p = \mathrm{softmax}(z)$. With $\log p_y = z_y - \log \sum_v e^{z_v}$:
#
# $$dz_v = p_v - [v = y]$$
#
# Probability minus truth: never larger than 1, and zero when it is sure and right. For independent bits, $dz = \sigma(z) - y$,
# the same. In two pieces, softmax and then log, the same mathematics is useless in a computer:

# %%
z, y = np.array([[[0.0, 800.0, -800.0]]]), np.array([[2]])
with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
    naive = -np.log(np.exp(z) / np.exp(z).sum())[0, 0, 2]
loss = find("categorical-cross-entropy")
print("softmax, then log:  ", naive)
print("from logits:        ", loss(z, y, np.ones((1, 1))), "  gradient", loss.gradient(1.0, z, y, np.ones((1, 1)))[0, 0])

# %%
show("categorical-cross-entropy", "binary-cross-entropy")

# %% [markdown]
# ## When it is wrong
#
# ### From symptom to equation
#
# What does a mistake look like? We break one backward after the other and let the checker speak. The left column is what was
# done, the right column the first thing that it says.

# %%
def spoilt(id, number, how):
    """The backward of an equation with one of its gradients spoilt."""
    item = find(id)

    def backward(*arguments):
        found = item.original_backward(*arguments)
        several = list(found) if isinstance(found, tuple) else [found]
        several[number] = how(several[number])
        return tuple(several) if len(several) > 1 else several[0]
    backward.__signature__ = inspect.signature(item.original_backward)
    return backward


BUGS = (("NTM-9: dgamma twice", "NTM-9", 1, lambda d: 2 * d), ("NTM-7: sign of dg", "NTM-7", 2, lambda d: -d),
        ("NTM-8: ds mirrored", "NTM-8", 1, lambda d: d[..., ::-1].copy()),
        ("NTM-8: dw_g off by one slot", "NTM-8", 0, lambda d: np.roll(d, 1, -1)),
        ("NTM-2: dM of the last slot only", "NTM-2", 1, lambda d: d * (np.arange(d.shape[1]) == d.shape[1] - 1)[:, None]),
        ("NTM-4: dM detached", "NTM-4", 0, lambda d: 0 * d), ("NTM-5: dbeta a mean", "NTM-5", 1, lambda d: d / 8),
        ("NTM-3: de scaled by the batch", "NTM-3", 2, lambda d: d / len(d)))
for what, id, number, how in BUGS:
    with numpymem.patch(id, None, spoilt(id, number, how)):
        wrong = gradcheck.check_equation(id).wrong[0]
    said = wrong.hints[0] if wrong.hints else f"by hand / true is {wrong.ratio:.3f}" if wrong.ratio else "wrong, without a pattern"
    print(f"{what:<33} d{wrong.argument}: {said.split(' (')[0].split(', or')[0]}")

# %% [markdown]
# And the other way round, for the days when there is no report yet:
#
# | symptom | look at | because |
# |---|---|---|
# | one gradient is a constant times the true one | that pair: a factor, or a mean for a sum | rule 1, rule 3 |
# | right for batch or heads = 1, wrong for more | a sum over that axis | rule 3; check with sizes that differ |
# | every pair right, the step wrong | the sums in `memory_step_backward` | rule 2: a road was forgotten |
# | the step right, the sequence wrong | what is handed from t to t - 1 in `through_time` | $dw$, $dM$, $dr$, $dh$, $dc$ |
# | right at the start state, wrong at a random point | (5)-(9) | at equal memories and uniform weights many terms cancel |
# | a gradient is zero everywhere | a road was cut, or the forward ignores its input | "proves nothing", says the report |
# | NaN after some hundred steps | (9) `log 0`, (6) an empty slot, a gate outside 0..1 | `log`, $1/\|M\|$, negative weights |
# | gradients explode | (6) at nearly empty slots | $1/\|M_i\|$ |
# | all gradients right, nothing learned | the forward, the loss (mean or sum), the optimizer | no gradient check looks there |
# | weights do not sum to one | (8) at the edge, softmax over the wrong axis | a test of meaning: `gradcheck.check_meaning()` |
#
# ### Find the line

# %%
print(inspect.getsource(chapter05_bugs.broken_cosine_backward))
for heads in (1, 2):
    point = {"k": rng.standard_normal((2, heads, 4)), "M": rng.standard_normal((2, 5, 4))}
    verdict = gradcheck.check(find("NTM-6").original, chapter05_bugs.broken_cosine_backward, point, "K")
    right = "" if verdict.passed else f"   (right: {', '.join(verdict.right)})"
    print(f"with {heads} head{'s' * (heads > 1)}: {verdict.verdict}{right}")

# %%
chapter05_bugs.planted

# %%
chapter05_bugs.planted.grade(...);                                   # "ddots", "dk_k", "dM_M", "dk" or "dM"

# %% [markdown]
# ### A hunt
#
# `gradcheck.bug_hunt(seed)` breaks one line somewhere in the library, for you to find. Every seed is another hunt. (The first one
# takes a while: it makes sure that the bug is a fair one.)

# %%
chapter05_bugs.hunted

# %%
if not is_quick():
    hunt = gradcheck.bug_hunt(seed=5, kind="pair")
    print(hunt.report())

# %%
suspect = ...                                                        # an id, for instance "NTM-7"
if not is_quick():
    chapter05_bugs.hunted.grade(hunt, suspect);
    hunt.undo()                                                      # or hunt.reveal(), which also shows the line

# %% [markdown]
# ### The museum: bugs that were really shipped
#
# Planted bugs are wrong backwards. Real ones often are not: the derivative of a wrong *forward* is right all the same. Here is
# what popular implementations of memory networks shipped, what our two kinds of checks say, and what became of training
# (measured, three seeds each; `python -m gradcheck.museum`).

# %%
from gradcheck.museum.__main__ import table  # noqa: E402

print(table(museum.EXHIBITS))

# %% [markdown]
# Most of them pass every gradient check, and many learn their small task as well as the healthy model. One of them, live: the
# shift that falls off the edge instead of going round.

# %%
exhibit = museum.find("flat-shift")
print(exhibit.title, "-", exhibit.shipped, "\n")
with exhibit.installed():
    print(gradcheck.check_equation("NTM-8"))
    print(f"weights after a shift at the edge sum to {shift(np.array([[[0.0, 0.0, 0.5, 0.5]]]), s).sum():.2f}")
print(f"and as it should be: {shift(np.array([[[0.0, 0.0, 0.5, 0.5]]]), s).sum():.2f}")

# %% [markdown]
# A gradient check tells you that you differentiated what you wrote. It cannot tell you that you wrote what the paper says: that
# takes tests of meaning (weights sum to one, a shift by one rotates, ...), `gradcheck.check_meaning()`.

# %%
chapter05_bugs.symptoms

# %%
chapter05_bugs.symptoms.grade(..., ..., ...);

# %% [markdown]
# ## What to take along
#
# - Three rules give every backward pass: times the other factor; where roads part, gradients meet; spread forwards, sum
#   backwards.
# - 5.1 carries gradients slot by slot through $1 - w e^{\mathsf T}$: exact where nothing is erased. 5.2 carries them past each
#   hop, unchanged.
# - Complex step: no step size, no lost digits. Check at random points with sizes that differ, and in every corner.
# - A right gradient of a wrong forward is right. Test meanings, too.
#
# Everything at once: `python -m gradcheck` (all equations, kernels and models), `python -m gradcheck --chain` (every gradient on
# its way). Next: [chapter 06](06_engineering.ipynb), the same equations, fast.
