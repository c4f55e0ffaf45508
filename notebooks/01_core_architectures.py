# %% [markdown]
# # 01 · 核心架构对比 · Core architectures
#
# Two answers to one question: how can a network remember more than fits into its own state? The article's first section draws both as
# block diagrams. Here you see both at work, number by number, in models that were trained by this code.
#
# **You will** watch an NTM copy and a MemN2N answer; move through an NTM's memory step by step; find out who decides what is written
# and what is read; and count what a controller has to say.
#
# **Needed:** chapter 00 for how equations are shown.

# %%
import sys

sys.path[:0] = [".."]

import numpy as np

import numpymem
from numpymem import plotting, runs
from numpymem.ntm.step import places
from numpymem.teaching import memory_at, show, sliders, trained

# %% [markdown]
# ## 1.1 NTM: a machine that imitates a computer
#
# ```
#   input x_t --> controller --> instructions for the heads --> write head --+
#                   ^    |                                                   v
#                   |    +--> output y_t        read head <--- memory M (slots 0 ... N-1)
#                   +---------- r_t ----------------+
# ```
#
# The **controller** is an ordinary network. It cannot touch the memory. All it can do is steer heads, and the heads read and write: like
# a processor and its RAM, a comparison that the article makes, too. Here is one at work. It copies ten vectors that it has never seen.

# %%
ntm, ntm_params, copy = trained("ntm_copy")
batch = copy.sample(np.random.default_rng(0), 1, length=10)
ntm_logits, ntm_trace = ntm.forward(ntm_params, batch.inputs)
plotting.ntm_memory(ntm_trace, batch, ntm_logits)

# %% [markdown]
# Read the picture from top to bottom as a story: what comes in; what is written, and where; what is read, and where from; and, in the
# last four strips, *how* the controller steers. Each head has four numbers for that; chapter 02 takes them apart.
#
# ### Everything is in the trace
#
# `forward` returns its outputs and a `trace`: every intermediate result of every step. The picture is made from nothing else.

# %%
for name, value in ntm_trace.items():
    if isinstance(value, np.ndarray) and value.ndim > 1 and len(value) == len(batch.inputs):
        print(f"{name:<7}{value.shape}")

# %% [markdown]
# The first axis is time (21 steps: ten vectors, a delimiter, ten answers), the second the batch. `w` has two rows of weights: the read
# head's and the write head's. `M` is the whole memory after every step. Move through time:

# %%
def draw_memory(t):
    return memory_at(ntm_trace, t)


sliders(draw_memory, t=(0, len(batch.inputs) - 1, 5))

# %% [markdown]
# Watch the memory fill up, slot by slot. After the delimiter the read head goes through what was written.
#
# ### What the controller says
#
# In each step it emits one long row of numbers, cut into pieces for the heads:

# %%
for name, (columns, heads, each) in zip(("k", "beta", "g", "s", "gamma", "e", "a"), places(ntm.sizes)):
    print(f"{name:<7}{heads} head{'s' if heads > 1 else ' '} x {each:>2} numbers    columns {columns.start} to {columns.stop - 1}")

# %% [markdown]
# And this is one time step of the memory, in full. It is made of nothing but the equations of chapter 02.

# %%
show("NTM-addressing", "NTM-step", backward=False)

# %% [markdown]
# ## 1.2 MemN2N: attention is the memory
#
# ```
#   sentences --> m_1 ... m_I (to be found by)     c_1 ... c_I (to be read)
#                      |                                |
#   question --> u --> p = softmax(u . m_i) ---------> o = sum of p_i c_i --> u + o --> next hop, or answer
# ```
#
# No heads, no slots that are written over: everything that was told lies side by side, and the question looks at all of it at once. The
# article compares it to a store of keys and values. This one was trained on the first bAbI task; the story is a made one of
# the same kind, so that nothing needs to be downloaded.

# %%
net, net_params, stories = trained("memn2n_babi1")
asked = next(stories.batches("test", 100))
net_logits, net_trace = net.forward(net_params, asked.inputs)
questions = [stories.questions[i] for i in stories.dataset("test")[:100]]
shown = next(b for b in range(100) if len(questions[b].story) == 6)
plotting.memn2n_attention(net_trace, stories.vocabulary, shown, answers=stories.answers, target=asked.targets[shown],
                          supports=questions[shown].supports)

# %% [markdown]
# The sentence that matters gets nearly all of the attention. Nobody told the network which one it is: it learned that from answers alone.
#
# Its trace has no time axis. What goes on from hop to hop is the state $u$:

# %%
for name in ("m", "c", "p", "o", "u"):
    value = net_trace[name]
    print(f"{name}  {len(value)} times {np.shape(value[0])}")

# %%
show("MemN2N-hop", backward=False)

# %% [markdown]
# ## Side by side
#
# | | NTM | MemN2N | where to look |
# |---|---|---|---|
# | who decides what is in the memory | the write heads, step by step | nobody: all that was told | `ntm_trace["M"]`, `net_trace["m"]` |
# | who decides what is read | a weighting over slots, steered | a softmax over sentences | `ntm_trace["w"]`, `net_trace["p"]` |
# | what is carried along | $w_{t-1}$, $M_{t-1}$, $r_{t-1}$, the controller's state | $u$ | |
# | goes through | time steps, one after the other | hops, one after the other | |
# | find by | content and place | content (and age) | NTM-5 to 9, MemN2N-1 |
#
# Both read with the same equation, a weighted sum of rows. Look at the two functions themselves:

# %%
from numpymem.teaching.sources import source

for id in ("NTM-2", "MemN2N-2"):
    print(source(numpymem.find(id).original), end="\n\n")

# %% [markdown]
# How far does one reading reach? In the NTM the weight on the one slot that is read most, in MemN2N the weight on the sentence that is
# looked at most, both over all answers:

# %%
answering = batch.mask[:, 0] > 0
reads = ntm_trace["w"][answering, 0, 0].max(-1)                        # the read head, at the steps that answer
looks = np.asarray(net_trace["p"])[-1].max(-1)                         # the last hop, of a hundred questions
print(f"NTM     {reads.mean():.3f} on one of {ntm_trace['w'].shape[-1]} slots")
print(f"MemN2N  {looks.mean():.3f} on one of {asked.inputs.sentences.shape[1]} sentences at most")

# %% [markdown]
# Two claims of the article to keep in mind, both to be measured in chapter 03:
#
# - **C1**, access: explicit reading and writing on one side, implicit attention on the other. You have just seen both.
# - **C7**, that the NTM can be interpreted and MemN2N is a black box. Compare the two pictures above. Which of them would you rather
#   explain to somebody?
#
# ## How large are they?

# %%
for name, params in (("NTM", ntm_params), ("MemN2N", net_params)):
    print(f"{name:<8}{runs.count_parameters(params):>7,} parameters: "
          + ", ".join(f"{key} {'x'.join(map(str, value.shape))}" for key, value in params.items()))

# %% [markdown]
# In the NTM no parameter depends on the number of slots: this one was trained with 24 of them, and works with 128. In MemN2N most of
# the parameters are tables of words.

# %% [markdown]
# ## Exercises

# %%
from gradcheck.exercises.chapter01 import count_them, find_slots

count_them

# %%
numbers = ...
count_them.grade(numbers);

# %%
find_slots

# %%
def slots(w):
    ...


find_slots.grade(slots);

# %% [markdown]
# ## What to take along
#
# - An NTM's controller cannot touch the memory: it steers heads, and they read and write. A MemN2N writes nothing; it looks.
# - Both read with one equation, a weighted sum of rows. They differ in who makes the weights, and who wrote the rows.
# - What goes on from step to step in an NTM is $w$, $M$ and $r$; from hop to hop in a MemN2N it is $u$ alone.
# - Everything is in the trace. If you wonder what a model does, look there first.
#
# Next: [chapter 02](02_memory_operations.ipynb), every step with numbers to check by hand.
