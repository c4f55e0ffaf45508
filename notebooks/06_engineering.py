# %% [markdown]
# # 06 · 工程实现对比 · Engineering
#
# *Section 6 of the article sets two pieces of code side by side: an NTM cell and a memory layer. Here both are written as they
# should be, with what the article's versions leave out or get wrong. Then we take one equation from the paper to a fast loop:
# plain loops, NumPy, batched NumPy, a compiled kernel. And we see how all this can be fast and still be yours to change.*
#
# **You will** put the pieces of an NTM cell together and have it checked; turn the order of reading and writing round; get rid of
# loops, and then write one on purpose; and learn which compiled code stands down when you edit an equation.
#
# **Needed:** chapter 05 (the equations and their backward passes).

# %%
import inspect

import numpy as np
from IPython.display import Image

import gradcheck
import numpymem
from gradcheck.exercises import chapter06
from numpymem.equation import find
from numpymem.kernel import KERNELS, numpy_only
from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.equations import add, content_weights, erase, interpolate, read, sharpen, shift
from numpymem.ntm.sequence import controller_step
from numpymem.ntm.step import head_parameters, memory_step
from numpymem.ops.cosine import cosine_similarity
from numpymem.ops.linear import linear
from numpymem.ops.softmax import softmax
from numpymem.teaching import budget, engineering, learning_curve, show, train, trained
from numpymem.training.loss import evaluate, loss_and_gradient

np.set_printoptions(precision=3, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown]
# ## A picture first
#
# The same training step of an NTM, forward and backward, in four forms. All of them compute the same gradients (checked before
# anything is timed). At the end of this chapter you will know where the factors between the bars come from.

# %%
engineering.training_steps()

# %% [markdown]
# ## The NTM cell, as it should be written
#
# The article's cell has the right parts in the right order: a controller that sees the input and what was read before; a read
# address; a write address; an erase vector through a sigmoid and an add vector through tanh; a new memory. Three things must be
# said of it (erratum 4):
#
# 1. **It multiplies write weights and erase vector entry by entry.** Meant is an outer product, slots x width.
# 2. **It addresses by content only.** Gate, shift and sharpening are missing, and with them everything that makes copying
#    possible.
# 3. **It does not say that it reads before it writes.** That is a choice, and programs that choose differently are not wrong: but
#    they are different, and their gradients, too.
#
# Here is one cell with all three repaired, made only of the library's equations. Read it beside the numbers of the paper.

# %%
def ntm_cell(model, params, x, state):
    """One time step: x (B, n_inputs), State -> logits, r, w, M."""
    B, R = len(x), model.sizes.R
    # the controller sees the input and what was read at the step before
    u = np.concatenate([state.r.reshape(B, -1), state.h], axis=1)
    h, c, _ = controller_step(linear(x, params["W_x"], params["b"]) + u @ params["W_u"], state.c)
    # what it tells the heads: R read heads, then the write heads
    k, beta, g, s, gamma, e, a = head_parameters(linear(h, params["W_heads"], params["b_heads"]), model.sizes)
    # where all heads look, at the memory as it was
    w = cosine_similarity(k, state.M)                                # (6)
    w = content_weights(w, beta)                                     # (5)
    w = interpolate(w, state.w, g)                                   # (7)
    w = shift(w, s)                                                  # (8)
    w = sharpen(w, gamma)                                            # (9)
    # first read the old memory, then write the new one
    r = read(w[:, :R], state.M)                                      # (2)
    M = erase(state.M, w[:, R:], e)                                  # (3)
    M = add(M, w[:, R:], a)                                          # (4)
    return linear(np.concatenate([h, r.reshape(B, -1)], axis=1), params["W_y"], params["b_y"]), r, w, M


small = NTM(NTMConfig(n_inputs=5, n_outputs=4, controller_size=7, N=6, W=3, initial_weights="one-hot"))
params = small.init(rng, np.float64)
start = small.initial_state(params, 2)
x = rng.standard_normal((2, 5))
by_cell, by_library = ntm_cell(small, params, x, start), small.step(params, x, start)
print("logits, r, w, M as in the library:", np.allclose(by_cell[0], by_library[0]),
      *(np.allclose(ours, theirs) for ours, theirs in zip(by_cell[1:], by_library[1][2:])))

# %% [markdown]
# The library has the middle of it, from the controller's raw numbers to the new memory, as one pair with a backward of its own:

# %%
show("NTM-step", backward=False)

# %% [markdown]
# ### What the entry-by-entry product does
#
# With more slots than columns NumPy refuses, and one looks again. With N = W it goes through. We write three times, each time to
# another slot:

# %%
N = W = 4
M_right, M_wrong = np.zeros((1, N, W)), np.zeros((1, N, W))
for slot in range(3):
    w, e, a = np.eye(N)[slot], np.full(W, 0.5), rng.standard_normal(W)
    M_right = add(erase(M_right, w[None, None], e[None, None]), w[None, None], a[None, None])
    M_wrong = M_wrong * (1 - w * e) + w * a
print("outer product (N x W):\n", M_right[0])
print("entry by entry:\n", M_wrong[0])

# %% [markdown]
# Entry by entry, every slot gets the same row: a memory of one vector, four times over. No key can tell the slots apart, and no
# shift leads anywhere. It runs, it has a right gradient, and it cannot copy.
#
# ## The memory layer, as it should be written
#
# The article's layer multiplies the query with the memories, takes a softmax, and returns the weighted sum *of the same memories*
# (erratum 3). MemN2N embeds each sentence **twice**: `m` says where to look, `c` what is found there. A small story, with words
# as unit vectors, shows what the one memory cannot do:

# %%
names, places = ("mary", "john"), ("kitchen", "garden")
vocabulary = np.eye(4)                                               # mary, john, kitchen, garden
keys, values = 5 * vocabulary[None, :2], vocabulary[None, 2:]        # "mary is in the kitchen", "john is in the garden"
question = vocabulary[None, 0]                                       # where is mary?
match, respond = find("MemN2N-1"), find("MemN2N-2")
p = match(question, keys, np.ones((1, 2)), np.zeros((1, 1)))
print("attention               ", p[0])
print("one memory for both:    ", dict(zip((*names, *places), respond(p, keys)[0].round(2).tolist())))
print("keys and values:        ", dict(zip((*names, *places), respond(p, values)[0].round(2).tolist())))

# %% [markdown]
# With one memory, the question "where is mary?" is answered "mary": what matches is what comes out. A network may get round that,
# since its embedding has room for both parts of a sentence. Does it? We swap the hop for one with a single memory and train both
# on bAbI task 1 (made-up stories, one hop).

# %%
hop = find("MemN2N-hop")


def one_memory_hop(u, m, c, mask, empty, linear):
    return hop.original(u, m, m, mask, empty, linear)


def one_memory_hop_backward(do, dp, p, u, m, c, mask, linear):
    du, dm, dc = hop.original_backward(do, dp, p, u, m, m, mask, linear)
    return du, dm + dc, np.zeros_like(c)                             # m was used twice: where roads part, gradients meet


SETTINGS = ("source=generated", "hops=1", "linear_start=0", "lr=0.01", "halve_every=0")
two = train("memn2n", "babi1", budget(8_960, 64), *SETTINGS)
with numpymem.patch("MemN2N-hop", one_memory_hop, one_memory_hop_backward):
    print(gradcheck.check_equation("MemN2N-hop"))
    one = train("memn2n", "babi1", budget(8_960, 64), *SETTINGS)
for name, training in (("two memories", two), ("one memory", one)):
    errors = [row["wrong_percent"] for row in training.history if "wrong_percent" in row]
    along = " ".join(f"{error:.0f}" for error in errors[::4])
    print(f"{name:<14} wrong answers, % along the way: {along}  at the end {errors[-1]:.0f}")

# %%
learning_curve(one, "One memory for both, one hop, bAbI task 1")

# %% [markdown]
# On this easy task the one memory gets there, too, later. So the verdict on erratum 3 is a measured one: it is not MemN2N, and it
# learns more slowly here; one seed of one task says no more than that.

# %%
chapter06.layer

# %%
def memory_layer(u, m, c):
    ...


chapter06.layer.grade(memory_layer);

# %% [markdown]
# ## Read, then write, or write, then read?
#
# The NTM paper leaves the order within a step open. This library reads $M_{t-1}$ and then writes $M_t$: what is written at t can
# be read at t + 1. The other order is one step sooner. Here it is, as a patch of the whole step:

# %%
def write_first(raw, M_prev, w_prev, sizes):
    r, w, M, *others = memory_step.original(raw, M_prev, w_prev, sizes)
    return read(w[:, :sizes.R], M), w, M, *others


def write_first_backward(dr, dw, dM, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s, raw, M_prev, w_prev, sizes):
    R = sizes.R
    M = add(erase(M_prev, w[:, R:], e), w[:, R:], a)
    # r = read(w of the read heads, M)
    dw_read, dM_read = read.gradient(dr, w[:, :R], M)
    dw = dw + np.concatenate([dw_read, np.zeros_like(w[:, R:])], axis=1)
    # the rest is the step as it was, with nothing read from M_prev
    return memory_step.original_backward(np.zeros_like(dr), dw, dM + dM_read, w, k, beta, g, s, gamma, e, a, K, w_c, w_g, w_s,
                                         raw, M_prev, w_prev, sizes)


with numpymem.patch("NTM-step", write_first, write_first_backward):
    print(gradcheck.check_equation("NTM-step"))
    print(*gradcheck.check_meaning(["NTM-step"])[:1], sep="\n")

# %% [markdown]
# Two checks, two answers. The gradient is right: the backward belongs to this forward. The *test of meaning* notices that the
# order is another one. Neither order is a bug; not knowing which one you have is.
#
# Does it matter? We take the trained NTM that copies and turn the order round under its feet, without training:

# %%
copier, its_params, task = trained("ntm_copy")
batches = [(task.sample(np.random.default_rng(L), 16, L), 16) for L in (5, 10, 20)]
print(f"as trained, read first:   {evaluate(copier, its_params, task, batches)['wrong_percent']:.2f} % of the bits wrong")
with numpymem.patch("NTM-step", write_first, write_first_backward):
    print(f"write first:              {evaluate(copier, its_params, task, batches)['wrong_percent']:.2f} %")

# %% [markdown]
# While it answers, this network reads slots that were written long before, so it hardly notices. One that hands something on from
# one step to the next through its memory would.

# %%
print(inspect.getsource(chapter06.write_then_read))
chapter06.order

# %%
from numpymem.ntm.equations import add_backward, erase_backward, read_backward  # noqa: E402


def write_then_read_backward(dr, dM, M, M_prev, w, v, e, a):
    ...


chapter06.order.grade(write_then_read_backward);

# %% [markdown]
# ## From equation to fast loop
#
# One equation, four forms: (8), the shift. First as it is printed, a sum for every slot of every head of every sequence:

# %%
print(inspect.getsource(chapter06.shift_by_loops))

# %% [markdown]
# Then with NumPy for one row; then for all rows at once, as in the library:

# %%
def shift_row_by_row(w_g, s):
    """A rotation for each shift, row by row."""
    S = s.shape[-1]
    return np.stack([np.stack([sum(s_row[j] * np.roll(row, j - S // 2) for j in range(S)) for row, s_row in zip(rows, s_rows)])
                     for rows, s_rows in zip(w_g, s)])


show("NTM-8")

# %% [markdown]
# All three give the same numbers. What differs is how much of the work is done *in Python*. We count the lines that Python runs,
# and the clock can say the rest:

# %%
w_g, s = chapter06.weights_and_shifts(16, 2, 128)                    # 16 sequences, 2 heads, 128 slots
forms = {"plain loops": chapter06.shift_by_loops, "row by row": shift_row_by_row, "all at once": shift.original}
for name, form in forms.items():
    print(f"{name:<12} same numbers: {np.allclose(form(w_g, s), shift(w_g, s))}   lines of Python: "
          f"{chapter06.lines_run(form, w_g, s):>7,}")

# %%
engineering.clock(loops=lambda: chapter06.shift_by_loops(w_g, s), rows=lambda: shift_row_by_row(w_g, s),
                  batched=lambda: shift(w_g, s))

# %% [markdown]
# Every line of Python costs time, and every call into NumPy costs some before it does anything, whatever its size. So the rule
# is: **few calls, each with much to do.** That is why all equations are batched: at batch 16 the same number of calls does 16
# times the work. In the picture at the top, plain NumPy at batch 1 and at batch 16 differ by just that.

# %%
chapter06.vectorised

# %%
def my_shift(w_g, s):
    ...


chapter06.vectorised.grade(my_shift);

# %% [markdown]
# ### Where the calls are
#
# An NTM cannot be batched over time: step t needs the memory of step t - 1. So an equation is called at every step, forwards and
# backwards. One training step on a copy of length 10 (21 time steps), counted with `numpymem.watch`:

# %%
batch = task.sample(np.random.default_rng(0), 1, length=10)


def one_training_step():
    with numpy_only():
        logits, trace = copier.forward(its_params, batch.inputs)
        _, d_logits = loss_and_gradient(task.loss, logits, batch)
        copier.backward(its_params, trace, d_logits)


counts = engineering.calls_of(one_training_step)
for id in ("NTM-sequence", "NTM-step", *(f"NTM-{number}" for number in (6, 5, 7, 8, 9, 2, 3, 4)), "softmax", "sigmoid"):
    print(f"{id:<14} forward {counts[id, 'forward']:>4}   backward {counts[id, 'backward']:>4}")
print(f"in all {sum(counts.values())} evaluations, each of several calls into NumPy")

# %% [markdown]
# **Profiling** means: measure before you change anything. `numpymem.equation.around` puts a clock round every equation; run this
# cell to see where *your* machine spends the time of a step (a pair's time includes what it calls, so NTM-step has nearly all of
# it).

# %%
if engineering.is_live():
    seconds = engineering.seconds_of(one_training_step)
    for id, spent in seconds.most_common(12):
        print(f"{id:<18}{100 * spent / seconds['NTM-sequence']:>6.0f} % of NTM-sequence")
else:
    print("(Run this cell yourself: shares differ from machine to machine.)")

# %% [markdown]
# A measurement that was taken with more care (`python -m benchmarks.profile_step --save`) splits a training step by what it
# costs: *calls* is what remains if there is next to nothing to compute. At batch 1, three quarters of plain NumPy's time are
# calls.

# %%
Image(filename=str(engineering.MEASURED / "profile_step.png"))

# %% [markdown]
# ### A kernel
#
# What remains is to leave Python altogether where it is hot: a *kernel* is a loop over time steps, compiled by numba, that does
# what the pair NTM-sequence does. In it, erase and add are one pass over the memory instead of four, and no array is made on the
# way:

# %%
from numpymem.teaching.sources import loop_source  # noqa: E402

print(loop_source("numpymem.ntm.kernels_step", "fade_and_add"))

# %% [markdown]
# `load` and `store` take several neighbouring slots at a time, as the processor does. For that, slots must *be* neighbours: the
# memory is (B, N, W) to everybody, but in the computer all slots of one column lie side by side (`ops/outer.py`). The strides, in
# numbers of 8 bytes, show it:

# %%
from numpymem.ops.outer import slots_last  # noqa: E402

M = np.zeros((1, 128, 20))
print("a new array:  from slot to slot", M.strides[1] // 8, ", from column to column", M.strides[2] // 8)
M = slots_last(M)
print("slots last:   from slot to slot", M.strides[1] // 8, ", from column to column", M.strides[2] // 8, "  shape still", M.shape)

# %% [markdown]
# **Traps**, all met while this library was built:
#
# - In numba `1 - w` with a literal 1 computes in float64 even for float32; hence `one = e.dtype.type(1)`.
# - numba's cache on disk notices an edit only in the function's own file: a cached caller may run an old callee. All kernel files
#   share one hash here.
# - Compiled code does not check bounds. Test with `NUMBA_BOUNDSCHECK=1` and an empty cache.
# - A kernel is a second copy of the mathematics. Each is tested equal to its NumPy pair, forward, backward, and every number in
#   between.

# %%
chapter06.one_pass

# %%
def write_loop(M_prev, w, e, a, M):
    ...


chapter06.one_pass.grade(write_loop);

# %% [markdown]
# ## The edit always wins
#
# Fast code that is compiled from a copy has a danger: you change the equation, and the copy runs on. Not here. A kernel names
# every equation that it fuses, with a fingerprint of its source; if one is patched or edited, it stands down, and NumPy runs what
# *you* wrote.

# %%
kernel = KERNELS["ntm.sequence"]
print("fuses:", ", ".join(kernel.fuses), "\n")


def sharper(w_s, gamma):
    return sharpen.original(w_s, gamma + 1)


def sharper_backward(dw, w, w_s, gamma):
    return sharpen.original_backward(dw, w, w_s, gamma + 1)


print("before:  ", kernel.why_not() or "in force")
with numpymem.patch("NTM-9", sharper, sharper_backward):
    print("patched: ", kernel.why_not())
    print(gradcheck.check_equation("NTM-9"))
    logits_patched, _ = copier.forward(its_params, batch.inputs)
print("after:   ", kernel.why_not() or "in force")
logits, _ = copier.forward(its_params, batch.inputs)
print("the patch was in force inside the block:", not np.allclose(logits, logits_patched))

# %% [markdown]
# The same holds for an edit in the file (`numpymem/ntm/equations.py`): the very next run uses it, at once, without compiling.
# When the kernel should follow, change it as well; `python -m gradcheck --renew` takes new fingerprints once both are proved
# equal. Chapter 00 walks that path from a changed equation to a retrained model.

# %%
chapter06.standing_down

# %%
chapter06.standing_down.grade(...);                                  # a list of names

# %% [markdown]
# ## What to take along
#
# - An NTM cell is an outer product, four steps of addressing, and a stated order. A memory layer has two memories.
# - A right gradient does not say that you have the order, or the product, that you meant: a test of meaning does.
# - Few calls, each with much to do; then one pass instead of four; then a compiled loop, only where it is hot, only if proved
#   equal.
# - Measure first. And let the equation, not the copy of it, have the last word.
#
# Speed beside JAX and PyTorch on your machine: `python -m numpymem bench ntm-lstm`. Next,
# [chapter 07](07_evolution_and_fusion.ipynb): what became of the two models.
