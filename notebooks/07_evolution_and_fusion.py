# %% [markdown]
# # 07 · 发展演进与融合 · Evolution and fusion
#
# *Section 7 of the article tells what became of both models (7.1): the NTM grew into the Differentiable Neural Computer, DNC, the
# memory network into the Dynamic Memory Network, DMN. Then it joins an NTM's memory to a Transformer (7.2) and gives a figure:
# 12.7 % more on WikiSQL. Here you see all three at work, and what that figure is worth.*
#
# **You will** find free slots and follow links with numbers small enough to check by hand; see what a gradient through a *sort* is;
# go through a story in episodes; train a Transformer with and without a memory; and hold a figure without a source against measured
# ones.
#
# **Needed:** chapter 02 (the NTM's equations, a hop); chapter 05 for the backward passes.

# %%
import sys

sys.path[:0] = [".."]

import inspect

import numpy as np

import gradcheck
import numpymem
from gradcheck.exercises import chapter07
from numpymem import plotting
from numpymem.dnc.equations import (allocation, allocation_backward, backward_weights, forward_weights, link, precedence,
                                    retention, usage)
from numpymem.experiments import report, results
from numpymem.teaching import budget, claims, evolution, matrices, show, sliders, train, trained

np.set_printoptions(precision=3, suppress=True)

# %% [markdown]
# ## A picture first
#
# A DNC with **ten slots** copies four times five vectors. That is twenty vectors; an NTM with ten slots would have to know what
# it may write over. Look at the black strip, *in use*: a slot goes dark when it is written and pale when it has been read. Below
# it, in orange, the slot that the DNC would write to next: always one that is free.

# %%
dnc, dnc_params, series = trained("dnc_series")
batch = series.sample(np.random.default_rng(0), 1, copies=4, length=5)
dnc_logits, dnc_trace = dnc.forward(dnc_params, batch.inputs)
plotting.dnc_memory(dnc_trace, batch, dnc_logits)

# %% [markdown]
# Slots are used in no particular order, and used again. Three new things make that possible: the *usage* of each slot, a *free
# list* made from it, and a record of what was written after what.
#
# ## 7.1 From NTM to DNC, equation by equation
#
# | | NTM | DNC | |
# |---|---|---|---|
# | find by content | (6), (5) | the same two | kept |
# | erase, add, read | (3), (4), (2) | the same three | kept |
# | where to write | (7)-(9): where the head was, and on | to a *free* slot, or by content, or not at all | `DNC-allocation`, `DNC-write-weights` |
# | what may be written over | whatever the head comes upon | what was read and then freed | `DNC-retention`, `DNC-usage` |
# | go on to the next | (8): the slot beside it | the slot that was *written* next, wherever it is | `DNC-link`, `DNC-precedence`, `DNC-forward`, `DNC-backward` |
# | how to read | (7) mixes content and place | three read modes: back, content, forward | `DNC-read-weights` |
# | order in a step | read, then write (our choice) | write, then read the new memory | `DNC-step` |
# | weights of a head | sum to one | sum to *at most* one: a gate may be closed | |
#
# ### Which slot is free?

# %%
show("DNC-retention", "DNC-usage", backward=False)

# %% [markdown]
# By hand, with three slots. Before: slot 0 is fully in use, slot 1 by half. The last write went to slot 1 (by half) and to slot 2
# (fully). A read head has just read slot 0 with weight 0.5, and its free gate is open, $f = 1$.
#
# - *Retention*, what is still wanted: $\psi = 1 - f w^r = (0.5,\ 1,\ 1)$.
# - *In use after the write*: $u + w - u w = (1,\ 0.5 + 0.5 - 0.25,\ 1) = (1,\ 0.75,\ 1)$.
# - *Usage*: the product, $(0.5,\ 0.75,\ 1)$.

# %%
psi = retention(np.array([[[1.0]]]), np.array([[[0.5, 0.0, 0.0]]]))            # f (B, R, 1), w_r (B, R, N)
u = usage(np.array([[1.0, 0.5, 0.0]]), np.array([[0.0, 0.5, 1.0]]), psi)       # (B, N)
print("psi =", psi[0])
print("u   =", u[0])

# %%
show("DNC-allocation", backward=False)

# %% [markdown]
# The free list $\phi$ has the slots in order, the emptiest first. The emptiest gets what is free of it, $1 - u$. The next gets
# what is free of *it*, times what the first has in use; and so on. For $u = (0.5,\ 0.25,\ 1,\ 0.8)$ the list is 1, 0, 3, 2:
#
# $$a_1 = 0.75, \quad a_0 = 0.5 \cdot 0.25 = 0.125, \quad a_3 = 0.2 \cdot 0.25 \cdot 0.5 = 0.025, \quad a_2 = 0.$$
#
# Together 0.9: what is missing to one is the product of all usages, $0.25 \cdot 0.5 \cdot 0.8 \cdot 1 = 0.1$.

# %%
print("a =", allocation(np.array([[0.5, 0.25, 1.0, 0.8]]))[0])

# %%
chapter07.free_slot

# %%
my_psi, my_u, my_a = ..., ..., ...                                   # three numbers each: [1, 1, 1]
chapter07.free_slot.grade(my_psi, my_u, my_a);

# %% [markdown]
# ### A gradient through a sort
#
# Sorting has no derivative: it decides. The paper takes the *order* for a constant. As long as no two usages change places that
# is not even an approximation, since a small enough change of $u$ leaves the order alone. So the backward sorts as the forward
# did, goes through the products, and puts everything back in its place:

# %%
print(inspect.getsource(allocation.original_backward))

# %% [markdown]
# Where two slots are *equally* empty the order could be either, and $a$ jumps from one to the other. With two slots, one of them
# half in use, while the usage of the other goes from 0 to 1:

# %%
evolution.allocation_at_a_tie()

# %% [markdown]
# Left: before the tie slot 0 comes first, behind it slot 1. At the tie, both usages being $v$, they exchange $1 - v$ and $(1 - v)
# v$: a jump by $(1 - v)^2$, here $1/4$. Right: the gradient is right on both sides, and knows nothing of the jump. How does a
# check deal with that?

# %%
tie = np.array([[0.5, 0.5]])
h = 1e-6
ahead, back = (allocation(tie + np.array([[d, 0.0]]))[0, 1] for d in (h, -h))
print("by differences across the tie:  da(1)/du(0) =", round((ahead - back) / (2 * h)))
complex_step = allocation.original(tie + 1e-20j * np.array([[1.0, 0.0]]))[0, 1].imag / 1e-20
by_hand = allocation_backward(np.array([[0.0, 1.0]]), tie)[0, 0]
print("by the complex step:           ", complex_step, "   by hand:", by_hand)
print(gradcheck.check_equation("DNC-allocation"))

# %% [markdown]
# Differences step over the jump and report nonsense. The complex step moves along the imaginary axis, and the order is decided on
# the real part: it checks just what the backward promises, the derivative *with the order held*. At the very start of every
# sequence all usages are 0, a tie of all slots, and the jump is as large as it can be: there the order of the slots' numbers
# decides, always the same way.

# %%
chapter07.sorted_out

# %%
first, second = ..., ...                                             # two numbers each: du at (0.2, 0.6), du at (0.6, 0.2)
chapter07.sorted_out.grade(first, second);

# %%
chapter07.used

# %%
def my_usage_backward(du, u_prev, w_w_prev, psi):
    ...


chapter07.used.grade(my_usage_backward);

# %% [markdown]
# ### What was written after what?

# %%
show("DNC-link", "DNC-precedence", backward=False)

# %% [markdown]
# By hand: four slots, and whole writes to slots 1, 3, 0. The *precedence* $p$ remembers the last write. Row $i$, column $j$ of
# $L$ says that $i$ was written right after $j$: so after the second write $L[3, 1] = 1$, after the third also $L[0, 3] = 1$. The
# fourth write is half and half, to slots 1 and 2. Slot 1 is written again, by half, so half of its old link $L[3, 1]$ goes:

# %%
L, p, after = np.zeros((1, 4, 4)), np.zeros((1, 4)), {}
for number, w in enumerate(np.array([[0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 0.5, 0.5, 0]]), 1):
    L, p = link(L, w[None], p), precedence(p, w[None])
    after[f"$L$ after write {number}"] = L[0]
matrices(after, "Who was written after whom?", "row $i$, column $j$: slot $i$ was written right after slot $j$")

# %% [markdown]
# To go on from where one reads is now a product with $L$, and to go back one with its transpose. From slot 3, forwards: slot 0.
# From slot 3, backwards: slot 1, as far as that link is still there. From slot 0, forwards: half slot 1, half slot 2.

# %%
for slot in (3, 0):
    here = np.eye(4)[None, None, slot]                               # w_r (B, R, N)
    print(f"from slot {slot}: forwards", forward_weights(L, here)[0, 0], "  backwards", backward_weights(L, here)[0, 0])

# %%
show("DNC-forward", "DNC-backward", "DNC-read-weights", backward=False)

# %%
chapter07.links

# %%
my_L, slot = ..., ...                                                # three rows of three numbers; 0, 1 or 2
chapter07.links.grade(my_L, slot);

# %% [markdown]
# ### One step at a time
#
# Back to the DNC of the first picture. Move through time: steps 0 to 4 read five vectors in, step 5 is the delimiter, then it
# answers for five steps, and the next series begins.

# %%
sliders(lambda t: evolution.dnc_step(dnc_trace, t), t=(0, len(batch.inputs) - 1, 7))

# %% [markdown]
# Step 7, as it stands here: slots that were read are free again, those still to be read are in use; allocation points at a free
# one, but the write gate is nearly closed. Of the three ways of reading, content and forward agree. And its links, after the
# first and the second series were written and read:

# %%
plotting.link_matrix(dnc_trace, [4, 10, 15, 21])

# %% [markdown]
# ### What does it need of all that?
#
# Take away one thing at a time, without training, and count the wrong bits of 32 fresh series of six copies:

# %%
test = series.sample(np.random.default_rng(1), 32, copies=6, length=5)


def never_freed(f, w_r_prev):
    return np.ones_like(w_r_prev[:, 0]) + 0 * (f * w_r_prev).sum(1)


def by_content_alone(w_b, c_r, w_f, pi):
    return c_r + 0 * (w_b + w_f)


def along_the_links_alone(w_b, c_r, w_f, pi):
    return pi[..., 0:1] * w_b + (pi[..., 1:2] + pi[..., 2:3]) * w_f


def never_allocated(a, c_w, g_a, g_w):
    return g_w * c_w + 0 * a


def wrong_bits(id=None, function=None):
    """Percent of the bits wrong, with one equation of the DNC replaced."""
    with numpymem.numpy_only(), numpymem.patch(id or "DNC-usage", function or usage.original):
        logits, _ = dnc.forward(dnc_params, test.inputs)
    wrong, of = series.count_wrong(logits, test)
    return 100 * wrong / of


print(f"{'as it is':<32}{wrong_bits():6.1f} %")
for what, id, function in (("nothing is ever freed", "DNC-retention", never_freed),
                           ("written by content alone", "DNC-write-weights", never_allocated),
                           ("read by content alone", "DNC-read-weights", by_content_alone),
                           ("read along the links alone", "DNC-read-weights", along_the_links_alone)):
    print(f"{what:<32}{wrong_bits(id, function):6.1f} %")

# %% [markdown]
# Fifty percent is guessing. Freeing and allocating are what this network lives by. The links, though, it hardly needs: it has
# learned to look its vectors up by content, and the strip *how it reads* in the first picture says the same. A mechanism that is
# there need not be the one that is used; look before you explain.
#
# And against an NTM with ten slots, trained alike? These are committed results (`python -m numpymem report dnc_series`); *wiping*
# also erases what is freed, one of the improvements of Csordas and Schmidhuber.

# %%
for row in results.read("dnc_series")["table"]:
    told = "   ".join(f"{size}: {row['figures'][f'wrong_percent/{size}']['mean']:.2f}" for size in ("1 x 5", "10 x 5", "20 x 5"))
    print(f"{row['group']:<12} wrong bits, %, at copies x length   {told}   ({row['n']} seeds)")

# %% [markdown]
# An NTM that writes round and round over its ten slots frees them, too, in its own way: the free list is not the only plan.
#
# ## 7.1, the other line: from MemN2N to DMN
#
# A MemN2N adds up sentences, weighted. A dynamic memory network *reads* them, in order, as often as it likes: each pass is an
# **episode**. DMN+ changes three things.
#
# | | MemN2N | DMN+ | |
# |---|---|---|---|
# | a sentence | word vectors, added, and an age | the same sum, then two GRUs over the sentences, one in each direction | `DMN-fusion` |
# | where to look | $p = \mathrm{softmax}(u \cdot m_i)$ | gates from a small network that compares each fact with question *and* memory | `DMN-interactions`, `DMN-scores`, `DMN-gates` |
# | what is found | $o = \sum p_i c_i$ | the last state of a GRU in which the gate decides | `GRU-attention` |
# | what goes on | $u + o$ | $\mathrm{ReLU}(W^t [m^{t-1}; c^t; q] + b)$ | `DMN-memory` |

# %%
show("DMN-interactions", "DMN-gates", "GRU-attention", "DMN-memory", backward=False)

# %% [markdown]
# Why a GRU where a sum would do? Leave its weights out, and a pass is $h \leftarrow g_i f_i + (1 - g_i) h$. What is left of fact
# $i$ at the end is its gate, times what all *later* facts have let through: $g_i \prod_{j > i} (1 - g_j)$. That is the free
# list's formula again, with the latest fact first. Two facts with the same gate are not equal any more:

# %%
def left_at_the_end(g):
    return g * np.append(np.cumprod((1 - g)[::-1])[::-1][1:], 1)


def draw_episode(earlier, later):
    g = np.array([0.05, earlier, 0.05, later, 0.05])
    return evolution.weight_rows({"gates $g$": g, "a sum": g / g.sum(), "an episode": left_at_the_end(g)})


sliders(draw_episode, earlier=(0.0, 1.0, 0.9, 0.05), later=(0.0, 1.0, 0.9, 0.05))

# %% [markdown]
# "Sandra went to the office ... Sandra went to the garden": the question is where she *is*. A sum mixes both, the episode keeps the
# later one. (The gates of DMN+ come from a softmax, so that together they are one; those of the first DMN were free, as here.)

# %%
chapter07.episode

# %%
def my_episode(facts, g):
    ...


chapter07.episode.grade(my_episode);

# %% [markdown]
# The DMN+ that comes along was trained on bAbI task 1; the stories are made ones of the same kind. Three passes, and where each
# looks:

# %%
dmn, dmn_params, stories = trained("dmn_babi1")
asked = next(stories.batches("test", 200))
dmn_logits, dmn_trace = dmn.forward(dmn_params, asked.inputs)
questions = [stories.questions[i] for i in stories.dataset("test")[:200]]
wrong, of = stories.count_wrong(dmn_logits, asked)
print(f"{of - wrong} of {of} made stories answered rightly")
shown = next(b for b in range(200) if len(questions[b].story) == 8)
plotting.dmn_attention(dmn_trace, stories.vocabulary, shown, answers=stories.answers, target=asked.targets[shown],
                       supports=questions[shown].supports)

# %% [markdown]
# One fact is enough here, so all passes look at it. It is an easy task; the harder ones are where papers differ, and budgets. Our
# runs beside the paper's figures (committed; one budget of a laptop each):

# %%
print("\n".join(report.beside(results.read("dmn_babi_10k"))).strip())

# %% [markdown]
# ## 7.2 A Transformer with an NTM's memory
#
# The article sketches: encoder, *memory query*, external memory with the NTM's addressing, decoder. No paper has this very
# architecture, so ours is a proposal. The text comes in **segments**, and the encoder sees one at a time:
#
# ```
#   segment 1 --> encoder --> items --+
#   segment 2 --> encoder --> items --+--> write head --> memory M (slots 0 ... N-1)
#   ...                               |                     |
#   question --> encoder --> decoder <--- gate <--- read heads, one reading an output token
# ```
#
# What has to get from one segment to the answer has to go through $M$. Its parts: what a Transformer is made of,

# %%
show("layer-norm", "Transformer-1", backward=False)

# %% [markdown]
# The layer norm by hand, for $x = (1, 3)$: mean 2, spread 1, so $(-1, 1)$. For $(10, 30)$: the same. Its backward is the one
# place where all numbers of a row are tied together:

# %%
print(inspect.getsource(chapter07.normalise))
print(chapter07.normalise(np.array([[1.0, 3.0], [10.0, 30.0]])))
chapter07.normed

# %%
def my_normalise_backward(dy, y, x):
    ...


chapter07.normed.grade(my_normalise_backward);

# %% [markdown]
# and what an NTM is made of. Not something like it: *the same functions*. Read `address`, `erase` and `add` in the source:

# %%
show("MT-write", "MT-fuse", backward=False)

# %% [markdown]
# If that is so, a change of equation (9) must reach the Transformer, too. Here is one that was trained to answer for the latest
# value of a key, after up to a dozen writes `key := value` of which some are overwritten. It has **six slots**.

# %%
rewriter, its_params, rewritten = trained("mt_rewritten")
told = rewritten.sample(np.random.default_rng(0), 1, rewrites=1)
before, its_trace = rewriter.forward(its_params, told.inputs)


def less_sharp(w_s, gamma):
    return numpymem.find("NTM-9").original(w_s, 1 + 0.2 * (gamma - 1))


with numpymem.numpy_only(), numpymem.patch("NTM-9", less_sharp):
    after, _ = rewriter.forward(its_params, told.inputs)
print("an NTM's equation (9), patched, changes the Transformer's logits:", not np.allclose(before, after))

# %%
plotting.transformer_memory(its_trace, told, rewritten.vocabulary, rewritten.answers, join=" := ")

# %% [markdown]
# Read it from left to right. Each write goes to the next slot; after six it begins anew, over what is oldest. That is a *list of
# the six latest writes*, made of an NTM's shift. It is not what "precise writing" promises: a model that finds the slot of a key
# and writes over just that would need one slot for each key, and never be wrong. This one has lost a key that six later writes
# have gone over. Ask it for every key of the same story:

# %%
pairs = [(int(key), int(value)) for key, value in told.inputs.segments[0].reshape(-1, 2) if key]
for key in dict.fromkeys(key for key, _ in pairs):
    ages = [age for age, (other, _) in enumerate(reversed(pairs)) if other == key]
    logits, _ = rewriter.forward(its_params, told.inputs._replace(question=np.full_like(told.inputs.question, key)))
    latest = next(value for other, value in reversed(pairs) if other == key)
    said = rewritten.answers[int(logits[0, 0].argmax())]
    print(f"{rewritten.vocabulary[key]:<4} followed by {ages[0]:>2} other writes: {said:<4}"
          + ("right" if said == rewritten.vocabulary[latest] else f"wrong, it is {rewritten.vocabulary[latest]}"))

# %% [markdown]
# ### Train it: with a memory, with a list, without
#
# Copy four symbols that came in two segments, small enough to train here. Three models of equal size: an NTM's memory; a memory
# that is only appended to, and read by a softmax, like a MemN2N's; none. Some twenty seconds in all.

# %%
SMALL = ("min_segments=2", "max_segments=2", "length=2", "symbols=6", "d=32", "ff=32", "N=6", "W=6", "batch=16", "heads=2",
         "read_heads=1", "lr=0.005", "warm_up=640", "halve_every=6400", "eval_count=200", "matched=true")
runs = {name: train("memory-transformer", "segmented-copy", budget(16_000, 32), *SMALL, f"memory={memory}")
        for name, memory in (("an NTM's memory", "ntm"), ("appended to only", "append"), ("no memory", "none"))}
evolution.error_curves({"copying four symbols from two segments": {name: run.history for name, run in runs.items()}},
                       "A Transformer with and without a memory", "equal parameters, within one percent; one seed each")

# %% [markdown]
# Without a memory nothing can be known of the segments: it guesses. The two memories learn. The list needs no plan; the NTM's
# heads have to find one, and when they do depends on the seed. Look at the plan: where the four symbols are written, and where
# each *output token* is read from.

# %%
copier = runs["an NTM's memory"]
sample = copier.task.sample(np.random.default_rng(5), 1)
copier_logits, copier_trace = copier.model.forward(copier.params, sample.inputs)
plotting.transformer_memory(copier_trace, sample, copier.task.vocabulary, copier.task.answers)

# %% [markdown]
# A tape: one slot further with every item, and the same way once more to read. It is not the only plan. With `"W=16"` this very
# seed put all four symbols into one slot, one on top of the other: sixteen numbers have room for that. Try it.
#
# Is it really the memory that answers? Wipe it between writing and reading:

# %%
many = copier.task.sample(np.random.default_rng(6), 200)
for what, forget in (("as it is", False), ("memory wiped before it is read", True)):
    wrong, of = copier.task.count_wrong(copier.model.forward(copier.params, many.inputs, forget=forget)[0], many)
    print(f"{what:<34}{100 * wrong / of:5.1f} % wrong")

# %% [markdown]
# ### What its memory is worth, measured
#
# The same question with larger models, longer training and three seeds each, parameters matched: committed results
# (`python -m numpymem report mt_memory`, `mt_wikisql`). Each column takes something away, or puts something else in its place.

# %%
evolution.ablation_map(results.read("mt_memory"), "What an NTM's memory is worth to a Transformer",
                       "wrong answers in percent, means of the seeds; wiped: the memory, before it is read")

# %% [markdown]
# Read the rows. *No memory* guesses wherever something has to come from another segment, so a memory is worth everything there.
# *Append only*, without erasing or gates, does as well as the full machine; and *full attention*, which looks at every word that
# was told and needs no slots, does at least as well. Where the memory was to show what it alone can do, keys that are rewritten,
# it became a list.
#
# ### C12: "+12.7 % on WikiSQL"

# %%
claims.claim("C12")

# %% [markdown]
# We looked for the source of that figure and found
# none (**erratum 6**): whose model, gained over what, percent of what, on which split? What can be done is to measure what *this*
# memory brings on WikiSQL's real questions:

# %%
wikisql = results.read("mt_wikisql")
evolution.ablation_map(wikisql, "What it is worth on WikiSQL",
                       "wrong answers in percent, means of the seeds; agg: which aggregation, select: which column")

# %%
evolution.intervals(evolution.gains(wikisql), "What each memory brings, over none",
                    "right answers more than without a memory, seed by seed; circle: surely more, square: not sure; lines: 95 %",
                    "percent points", (12.7, "the article"))

# %%
claims.verdict("C12")

# %% [markdown]
# The aggregation (count? maximum?) stands in the question alone: a memory of the table has nothing to add to it. The column has
# to be picked from those that were told one by one: something must carry them to the answer, and attention to all of them at once
# is such a thing as well. Look where the article's figure lies, beside the intervals. A figure without a source cannot be
# refuted, either; that is what is wrong with it.

# %%
chapter07.which

# %%
chapter07.which.grade(..., ..., ...);                                # "yes", "no" or "unfair"

# %% [markdown]
# ## What to take along
#
# - The DNC keeps content addressing and puts bookkeeping in place of steps: what is in use, what is free, what came after what.
# - A sort can stand in a model if its order is taken for a constant. At a tie there is no derivative; know where yours are.
# - An episode reads facts in order; a weighted sum cannot tell "is" from "was" without being told the time.
# - A memory is worth whatever cannot get there in another way: measure against none, against a list, against all of it at once.
#   Same data, same size, several seeds, and an interval.
#
# Everything of this chapter at once: `python -m gradcheck DNC-allocation DNC-link GRU-attention layer-norm MT-write`. Next,
# [chapter 08](08_conclusion.ipynb): all verdicts, and a model that is both.
