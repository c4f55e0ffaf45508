# %% [markdown]
# # 02 · 记忆操作机制深度解析 · Memory operations
#
# What exactly happens when a Neural Turing Machine moves its heads, and when a MemN2N takes a hop? This chapter does every step with
# numbers so small that you can check them on paper. Have a pencil ready.
#
# Section 2 of the article describes both. In one formula it leaves something out; you will see what that costs.
#
# **You will** compute (5) to (9) by hand for a head with four slots, and see the library agree; steer a head with sliders; take the
# gate away from trained networks; write into a memory; and follow a MemN2N from hop to hop.
#
# **Needed:** chapter 01, paper and a pencil.

# %%
import sys

sys.path[:0] = [".."]

import numpy as np

import numpymem
from numpymem import plotting
from numpymem.ntm.equations import add, content_weights, erase, interpolate, read, sharpen, shift
from numpymem.ntm.step import address
from numpymem.ops.cosine import cosine_similarity
from numpymem.teaching import matrices, show, sliders, trained, weight_bars

np.set_printoptions(precision=4, suppress=True)

# %% [markdown]
# ## The whole way of a head, in one picture
#
# A head has a *weighting* over the slots: numbers of at least 0 that sum to 1. In each time step the weighting is made anew, in four
# steps. Here is a head with four slots, before you know how any of it works. Watch the tallest bar.

# %%
M = np.array([[[1.0, 0.0], [0.0, 1.0], [0.0, -2.0], [-3.0, 0.0]]])     # (B, N, W): one memory, four slots, two numbers each
k = np.array([[[1.0, 0.0]]])                                           # (B, H, W): one head, its key
beta, g, gamma = (np.array([[[number]]]) for number in (np.log(4), 0.75, 2.0))         # (B, H, 1)
s = np.array([[[0.0, 0.1, 0.9]]])                                      # (B, H, S): back, stay, on
w_prev = np.array([[[0.0, 0.0, 1.0, 0.0]]])                            # (B, H, N): where the head was


def chain(beta, g, s, gamma):
    """All weightings on the way of this head: what it was, by content, gated, shifted, sharpened."""
    w, K, w_c, w_g, w_s = address(k, beta, g, s, gamma, M, w_prev)
    return {"$w_{t-1}$  before": w_prev[0, 0], "(5)  $w^c$  content": w_c[0, 0], "(7)  $w^g$  gate": w_g[0, 0],
            r"(8)  $\tilde w$  shift": w_s[0, 0], "(9)  $w$  sharpen": w[0, 0]}


weight_bars(chain(beta, g, s, gamma), "From one weighting to the next", "one bar is one slot; every row sums to 1")

# %% [markdown]
# ## 2.1 NTM: where a head looks
#
# The controller gives each head five things: a key `k`, a key strength `beta`, a gate `g`, a shift `s` and a sharpening exponent
# `gamma`. We take them one by one. `show` prints each equation from the source; the backward passes are the business of chapter 05.
#
# ### (6) How alike are the key and each slot?

# %%
show("NTM-6", backward=False)

# %% [markdown]
# By hand: the key is $(1, 0)$. Slot 0 is $(1, 0)$: the same direction, cosine 1. Slots 1 and 2 stand at a right angle to it: 0. Slot 3
# is $(-3, 0)$: the opposite direction, $-1$. That it is three times as long does not matter.

# %%
K = cosine_similarity(k, M)
print("K =", K[0, 0])

# %% [markdown]
# ### (5) From similarity to a weighting

# %%
show("NTM-5", backward=False)

# %% [markdown]
# With $\beta = \ln 4$ this can be done on paper, as $e^{\beta K} = 4^K$:
#
# $$4^{1},\ 4^{0},\ 4^{0},\ 4^{-1} \;=\; 4,\ 1,\ 1,\ 0.25, \qquad \text{sum } 6.25, \qquad w^c = (0.64,\ 0.16,\ 0.16,\ 0.04).$$

# %%
w_c = content_weights(K, beta)
print("w_c =", w_c[0, 0], "  sum", w_c.sum())

# %% [markdown]
# The key strength $\beta$ says how much the difference counts. Move the slider (in a running notebook): at 0 all slots are alike, at 20
# only the best one is left.

# %%
def draw_content(beta):
    return weight_bars({f"$w^c$,  beta = {beta:.1f}": content_weights(K, np.full((1, 1, 1), beta))[0, 0]},
                       "Content weights", "(5): the larger the key strength, the narrower")


sliders(draw_content, beta=(0.0, 20.0, 1.4, 0.1))

# %% [markdown]
# ### (7) By content, or where I was?

# %%
show("NTM-7", backward=False)

# %% [markdown]
# The head was at slot 2. With $g = 0.75$:
#
# $$w^g = 0.75 \cdot (0.64,\ 0.16,\ 0.16,\ 0.04) + 0.25 \cdot (0,\ 0,\ 1,\ 0) = (0.48,\ 0.12,\ 0.37,\ 0.03).$$

# %%
w_g = interpolate(w_c, w_prev, g)
print("w_g =", w_g[0, 0])

# %% [markdown]
# ### (8) Step on, or back

# %%
show("NTM-8", backward=False)

# %% [markdown]
# $s = (0,\ 0.1,\ 0.9)$ reads: nothing goes back, a tenth stays, nine tenths move on by one slot. What moves on from the last slot comes in
# at the first: the slots are a ring. Slot 1, for example, keeps $0.1 \cdot 0.12$ of its own and gets $0.9 \cdot 0.48$ from slot 0, together
# $0.444$.

# %%
w_s = shift(w_g, s)
print("w_s =", w_s[0, 0])

# %% [markdown]
# A shift that is not quite sure blurs the weighting. After many steps nothing would be left of it, if there were no
#
# ### (9) Sharpening

# %%
show("NTM-9", backward=False)

# %% [markdown]
# $\gamma = 2$: square every weight and divide by the sum of the squares.
#
# $$(0.075^2,\ 0.444^2,\ 0.145^2,\ 0.336^2) = (0.0056,\ 0.1971,\ 0.0210,\ 0.1129), \qquad \text{sum } 0.3367.$$

# %%
w = sharpen(w_s, gamma)
print("w =", w[0, 0])

# %% [markdown]
# ### All four at once
#
# Try to bring the head (a) to slot 0, (b) to slot 1, (c) to slot 3, with all of its weight. Each is possible, and (c) in two ways.

# %%
def draw_chain(beta, g, shift_by, gamma):
    """shift_by from -1 to 1: 0.4 is 0.6 of staying and 0.4 of moving on."""
    s = np.array([[[max(-shift_by, 0), 1 - abs(shift_by), max(shift_by, 0)]]])
    beta, g, gamma = (np.full((1, 1, 1), number) for number in (beta, g, gamma))
    return weight_bars(chain(beta, g, s, gamma), "From one weighting to the next", "the head was at slot 2, its key is slot 0")


sliders(draw_chain, beta=(0.0, 20.0, 1.4, 0.1), g=(0.0, 1.0, 0.75, 0.05), shift_by=(-1.0, 1.0, 0.9, 0.1), gamma=(1.0, 20.0, 2.0, 0.5))

# %% [markdown]
# ### Erratum 1: the missing gate
#
# The article's section 2.1 convolves the *previous* weights with the shift kernel. Equation (7) does not occur, and so the content
# weights, which it has just computed, are used for nothing: a head can step on and back, but never jump to what it looks for.
#
# What would that cost? Take two networks that were trained with the gate, one to copy and one to answer "which item came after this
# one?", and take it away:

# %%
def never_by_content(w_c, w_prev, g):
    return w_prev + 0 * g


def always_by_content(w_c, w_prev, g):
    return w_c + 0 * g


def wrong_bits(name, gate=None):
    """Wrong bits in percent, in 32 fresh sequences, of a model that comes along; with another gate, if one is given."""
    model, params, task = trained(name)
    batch = task.sample(np.random.default_rng(1), 32)
    with numpymem.numpy_only(), numpymem.patch("NTM-7", gate or numpymem.find("NTM-7").original):
        logits, _ = model.forward(params, batch.inputs)
    wrong, of = task.count_wrong(logits, batch)
    return 100 * wrong / of


for name in ("ntm_copy", "ntm_recall"):
    print(f"{name:<12} with its gate {wrong_bits(name):5.1f} %    the article's way, never by content "
          f"{wrong_bits(name, never_by_content):5.1f} %    always by content {wrong_bits(name, always_by_content):5.1f} %")

# %% [markdown]
# Fifty percent is guessing. Two lessons:
#
# - **Copying hardly needs to look anything up.** The read head of this network waits at the first slot until it is its turn, and then
#   walks: little is lost without content. What it cannot do without is its steps.
# - **Recall needs both.** "Which item came after this one?" means: find the item by content, then step on by one. Take away either, and
#   the network guesses.
#
# So copy, the task that everybody shows, could not even tell the article's formula from the paper's. (These networks had learned to rely on
# their gates. Trained without one they might find other ways; chapter 03 is the place for that.)
#
# ### (2) Reading
#
# Reading is a weighted sum of the rows. Our head ended at $w = (0.017, 0.585, 0.062, 0.335)$, mostly on slots 1 and 3:

# %%
r = read(w, M)
print("r =", r[0, 0])
show("NTM-2", backward=False)

# %% [markdown]
# ### (3), (4) Writing: erase, then add
#
# A write head brings two vectors along: `e` says which columns to wipe, `a` what to add. How much of it happens at slot $i$ is $w(i)$.
# So slot $i$ and column $j$ keep the part $1 - w(i)\, e(j)$: an outer product of slots and columns. (The article's section 6 multiplies
# the two elementwise, which needs as many slots as columns and then means something else: chapter 06.)
#
# Half of the head's weight on slot 0, half on slot 1; wipe the first column, add to the second:

# %%
w_write = np.array([[[0.5, 0.5, 0.0, 0.0]]])         # (B, Q, N)
e = np.array([[[1.0, 0.0]]])                         # (B, Q, W)
a = np.array([[[0.0, 4.0]]])                         # (B, Q, W)
M_erased = erase(M, w_write, e)
M_new = add(M_erased, w_write, a)
matrices({"$M_{t-1}$": M[0], "$1 - w e^T$": 1 - w_write[0].T @ e[0], "after (3), erased": M_erased[0], "$w a^T$": w_write[0].T @ a[0],
          "after (4): $M_t$": M_new[0]}, "One write", "rows are slots, columns the numbers in a slot")

# %% [markdown]
# Check one entry: slot 0, column 0 had 1.0; the head is there with 0.5 and erases that column fully, so half of it stays. Slot 0,
# column 1 had 0.0, nothing is erased, and $0.5 \cdot 4 = 2$ is added.

# %%
show("NTM-3", "NTM-4", backward=False)

# %% [markdown]
# One more thing must be said and often is not: within one time step, do the read heads see what is written in it? In this code all heads
# look at $M_{t-1}$, the read heads read it, and then the write heads write. What is written at $t$ can be read at $t + 1$. The DNC does
# it the other way round.

# %% [markdown]
# ## 2.2 MemN2N: a hop
#
# A MemN2N has no heads, and nothing is ever erased. Every sentence becomes two vectors: $m_i$, to be found by, and $c_i$, to be read. The
# question becomes a state $u$. A hop asks: how much does each sentence matter to $u$? and adds up the $c_i$ in these proportions.
#
# Three sentences, two numbers each. As $e^{\ln 3} = 3$ and $e^0 = 1$, it can be done on paper again.

# %%
from numpymem.memn2n.equations import match, next_state, respond

u = np.array([[1.0, 0.0]])                                            # (B, D)
m = np.array([[[np.log(3), 0.0], [0.0, 1.0], [0.0, -1.0]]])           # (B, I, D)  input side
c = np.array([[[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]])                  # (B, I, D)  output side
real, none = np.ones((1, 3)), np.zeros((1, 1))                        # all three are sentences, no slot is empty

p = match(u, m, real, none)
o = respond(p, c)
u_next = next_state(u, o)
print("scores u.m =", (m @ u[:, :, None])[0, :, 0])
print("p          =", p[0])
print("o          =", o[0])
print("next u     =", u_next[0])

# %% [markdown]
# On paper: $p = (3, 1, 1) / 5$, then $o = 0.6 \cdot (0, 1) + 0.2 \cdot (1, 0) + 0.2 \cdot (1, 0) = (0.4,\ 0.6)$, and $u + o = (1.4,\ 0.6)$.

# %%
show("MemN2N-1", "MemN2N-2", "MemN2N-4", backward=False)

# %% [markdown]
# **Several hops.** The second hop asks with what the first has found. Its memories are other vectors of the same sentences; with *adjacent
# tying* what one hop reads ($c$) is what the next one searches ($m$). Let us go on like that:

# %%
states, weights, memory = [u], [p], c
for _ in range(3):
    states.append(next_state(states[-1], respond(weights[-1], c)))
    weights.append(match(states[-1], memory, real, none))
weight_bars({f"hop {number + 1}:  $p$": each[0] for number, each in enumerate(weights)}, "Where each hop looks",
            "one bar is one sentence; here every hop after the first searches c", axis="sentence $i$")

# %% [markdown]
# The first hop looks at sentence 0. What it finds there and elsewhere turns the question, and from then on the others matter more.
#
# ### On a story
#
# With trained tables this becomes a chain of thought. "Where is the apple?" needs two facts: who left it, and where that person was.
# The model was trained on task 2 of bAbI; the story is a made one of the same kind.

# %%
story_model, story_params, story_task = trained("memn2n_babi2")
stories = next(story_task.batches("test", 200))
questions = [story_task.questions[i] for i in story_task.dataset("test")[:200]]
story_logits, story_trace = story_model.forward(story_params, stories.inputs)
wrong, of = story_task.count_wrong(story_logits, stories)
right = story_logits.argmax(1) == stories.targets
shown = next(b for b in range(200) if right[b] and len(questions[b].story) == 8)
print(f"{of - wrong} of {of} made stories answered rightly; this is one of them")
plotting.memn2n_attention(story_trace, story_task.vocabulary, shown, answers=story_task.answers, target=stories.targets[shown],
                          supports=questions[shown].supports)

# %% [markdown]
# ### How a sentence becomes a vector
#
# A vector for each word, weighted by its place in the sentence, added up; and a vector for how long ago it was said. That is how a MemN2N
# knows about order: the article calls it purely content-addressed and leaves the temporal encoding out (erratum 5; chapter 03
# measures it).

# %%
show("MemN2N-encode", "MemN2N-time", backward=False)

# %% [markdown]
# ## Two memories, one table
#
# | | NTM | MemN2N |
# |---|---|---|
# | what is in the memory | whatever the write heads made of it | all that was told, sentence by sentence |
# | find | cosine, $\beta$; then gate, shift, sharpen | dot product, softmax |
# | from step to step | the weighting $w_{t-1}$ goes on | nothing; from hop to hop the state $u$ goes on |
# | read | $r = \sum_i w(i)\, M(i)$ | $o = \sum_i p_i\, c_i$ |
# | write | erase, then add | no such thing |
#
# Line four is the same equation in both. All the difference is in how the weights come about, and in who writes the rows.

# %% [markdown]
# ## Exercises

# %%
from gradcheck.exercises.chapter02 import by_hand, gate, hop, write

by_hand

# %%
my_w_c, my_w_g, my_w_s, my_w = ..., ..., ..., ...          # three numbers each: [1/3, 1/3, 1/3]
by_hand.grade(my_w_c, my_w_g, my_w_s, my_w);

# %%
gate

# %%
def my_shifted(w_c, w_prev, g, s):
    ...


gate.grade(my_shifted);

# %%
write

# %%
def my_write(M, w, e, a):
    ...


write.grade(my_write);

# %%
hop

# %%
from numpymem.ops.softmax import softmax


def my_hop(u, m, c):
    ...


hop.grade(my_hop);

# %% [markdown]
# ## What to take along
#
# - A head finds its place in four steps: content (5, 6), gate (7), shift (8), sharpen (9). Each makes a weighting from a weighting.
# - The gate is what lets a head jump to what it looks for. Without it, copying goes on and recall is guessing: try a claim on more
#   than one task.
# - To write is to erase, then to add: an outer product of slots and columns. To read is a weighted sum.
# - A hop is content addressing without a head: softmax, weighted sum, and the question goes on as $u + o$.
#
# Next: [chapter 03](03_key_differences.ipynb), what the two models differ in.
