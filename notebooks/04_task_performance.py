# %% [markdown]
# # 04 · 任务性能对比实验 · Task performance
#
# *Section 4 of the article lets the two models compete on four tasks and prints eight figures, without length, data, size, seeds or spread.
# Here each task becomes one that can be run; both models get it in a form that is fair to them; and the article's reason for who wins is
# tested by taking it away.*
#
# **You will** see one example of each task; train a copy until it is perfect, and see what "perfect" is worth one vector further; count
# hops; look behind a mean; and write the rule that all verdicts go by.
#
# **Needed:** chapters 02 and 03.
#
# *Committed* figures come from `numpymem/experiments/results`: up to five seeds, minutes a run. *Live* ones are made here, from one seed.
# Each picture says which it is.

# %%
import sys

sys.path[:0] = [".."]                  # the folder above is enough: nothing has to be installed

import numpy as np

from gradcheck.exercises import chapter04
from numpymem import catalog, plotting
from numpymem.experiments import results
from numpymem.tasks import forms
from numpymem.teaching import SMALL_COPY, budget, show, sliders, train, trained
from numpymem.teaching.claims import claim, verdict, verdict_table
from numpymem.teaching.comparison import (copy_drawn, facts_drawn, in_words, learned, live_copy, over_sizes, overview, seed_by_seed,
                                          straight_example, writes_drawn, wrong_at_lengths)
from numpymem.teaching.differences import losses_and_gradients

rng = np.random.default_rng(0)

# %% [markdown]
# ## First, a picture
#
# All four rows. Bars are measured, diamonds are the article's figures. *(Committed; of each row the largest size of the task that is made
# on the spot, and the real data.)*

# %%
overview()

# %% [markdown]
# Before you read on, find three things in it: a row in which the article's winner wins, but at quite other figures; a row in which the
# other one wins; and a bar whose spread is more than half of itself.
#
# **Erratum 2.** The article heads the section "performance on bAbI". Sequence copy is not a bAbI task, nor is there one called "dynamic
# update" or "large-scale knowledge". The nearest bAbI tasks are 19 for path finding, 2 and 3 for things that change. They are measured, too.
#
# ## A fair form
#
# A MemN2N reads a list of sentences and answers one question. An NTM lives through time steps. To compete, both must be *told the same and
# asked the same*:

# %%
task = catalog.make_task("rewritten-keys", "story")
stream = task.sample(np.random.default_rng(0), 20, writes=12, rewrites=3)
writes, question, answer = in_words(task, stream, 0)
steps = forms.as_sequence(stream, len(task.vocabulary)).inputs
print("told:                    ", " | ".join(" ".join(words) for words in writes))
print("asked:                   ", " ".join(question), "  answer:", answer)
print("for a MemN2N, sentences: ", stream.inputs.sentences.shape, "and a question", stream.inputs.query.shape, "as word numbers")
print("for an NTM, time steps:  ", steps.shape, f"one a sentence, the question, and {forms.PAUSES} pauses")

# %% [markdown]
# An NTM gets as many blank steps to look into its memory as a MemN2N has hops: three. It sees each word twice, once as it is and once
# weighted by its place in the sentence, so that "e1 r2 e3" and "e3 r2 e1" differ: that is what MemN2N's position encoding can say. Copy
# is the other way round: the NTM's home, for which MemN2N needs a translation (below).
#
# ## C8 · Path finding 路径查找

# %%
claim("C8")

# %% [markdown]
# A graph is told arrow by arrow; then somebody starts at a place and follows some kinds of arrows. Where does the walk end? Only the end
# is asked for, so all places between must be found in silence.

# %%
paths = catalog.make_task("segment-traversal", "story")
facts_drawn(*straight_example(paths, paths.sample(rng, 50, steps=3)), "Path finding: a walk of three steps")

# %% [markdown]
# Every step is one look-up: from the place and the kind of arrow to the next place. A MemN2N makes one look-up a *hop*. If the article's
# reason holds, a walk of two steps needs two hops. So take one away. Two MemN2Ns, the same but for the number of hops, on walks of one
# and two steps (live):

# %%
hops = {}
for number in (1, 2):
    hops[number] = train("memn2n", "segment-traversal", budget(48_000, 160), "max_steps=2", f"hops={number}", "eval_count=300")
for number, training in hops.items():
    wrong = []
    for steps_of_walk in (1, 2):
        fresh = training.task.sample(np.random.default_rng([9, steps_of_walk]), 1000, steps=steps_of_walk)
        logits, _ = training.model.forward(training.params, fresh.inputs)
        wrong.append(100 * training.task.count_wrong(logits, fresh)[0] / 1000)
    print(f"{number} hop{'s' * (number > 1)}: one step {wrong[0]:5.1f} % wrong, two steps {wrong[1]:5.1f} %")

# %% [markdown]
# One hop answers one step. Of two steps it is right about half the time, not by chance: arrows often lead back to where one came from, and
# that can be said without finding the place between. With two hops both go.

# %%
losses_and_gradients({f"MemN2N, {number} hop{'s' * (number > 1)}": training for number, training in hops.items()},
                     "Walks of one and two steps (live)")

# %% [markdown]
# Committed, walks of up to four steps, three hops, and an NTM:

# %%
over_sizes("paths", ["NTM", "MemN2N"], "segment-traversal", [1, 2, 3, 4], "steps of the walk")

# %% [markdown]
# One step both can (of the NTM's five seeds one has not got there yet). At two MemN2N is far ahead, as the article has it: a hop for each
# step. From three on, where its hops should help most, its lead is gone. So the order holds where walks are short, and the reason is
# half right: hops are needed, and yet more steps are not what it is better at. (The NTM needs its room here, too: with half the width
# and half the time most seeds did not even learn single steps.)
#
# And bAbI 19, the task of that name? There the *route* is asked for, two steps such as "n,e", with a map told in sentences. Twelve answers
# are possible. Errors of our MemN2N by the recipe of its paper, on the real data:

# %%
for name, size in (("babi_1k", "1,000"), ("babi_10k", "10,000")):
    errors = [run["figures"]["test_error_percent"] for run in results.read(name)["runs"] if run["task"] == "babi19"]
    print(f"{size:>6} questions to learn from: {np.mean(errors):.1f} ± {np.std(errors, ddof=1):.1f} % wrong, n = {len(errors)} "
          f"(guessing: {100 * 11 / 12:.1f})")

# %% [markdown]
# That is near what its authors report (82.8 % and 66.5 % wrong). The article's "98.1 % right" has a neighbour in print: 2.3 % wrong, for a
# later variant with ReLU between the hops, trained on the 10,000.
#
# The verdict has more columns: an LSTM, which has no memory but its cells, the hybrid of chapter 08, and below them, in small budgets, a
# DNC, a DMN+ and a Transformer with a memory.

# %%
verdict("C8")

# %%
chapter04.guess

# %%
a, b, c = ..., ..., ...                # percent
chapter04.guess.grade(a, b, c);

# %% [markdown]
# ## C9 · Sequence copy 序列复制

# %%
claim("C9")

# %%
copy = catalog.make_task("copy", "sequence")
sequence = copy.sample(np.random.default_rng(3), 1, 5)
bits = sequence.inputs[:5, 0, :8].astype(int)
copy_drawn(sequence, [" ".join(f"{j}={bit}" for j, bit in enumerate(vector)) for vector in bits], position=3)

# %% [markdown]
# The translation for MemN2N: each vector is a sentence of eight words ("bit 3 is 1"), and there is one question for each position. That
# is generous: it need not keep count of where it is, somebody counts for it. It is also hard in one way: the word "position 7" means
# nothing before it has occurred in a training question.
#
# Now train three, live, on one to six vectors: an NTM; an NTM whose heads cannot shift (`shifts=1`), which takes away the article's
# reason; and a MemN2N. All until they are perfect, or their budget is used up.

# %%
SLOTS = ("N=64", "N_training=16", "initial_weights=one-hot")           # 64 slots, of which training uses 16
trainings = {
    "NTM": train("ntm", "copy", budget(4_000, 20), *SMALL_COPY, *SLOTS),
    "NTM no shift": train("ntm", "copy", budget(4_000, 20), *SMALL_COPY, *SLOTS, "shifts=1"),
    "MemN2N": train("memn2n", "copy", budget(120_000, 160), "max_length=6", "eval_count=300", "stop_below=0.05", "settle=0")}
wrong = {name: wrong_at_lengths(training, (2, 4, 6, 7, 8, 12, 16, 24)) for name, training in trainings.items()}
live_copy(trainings, wrong)

# %%
for name, each in wrong.items():
    print(f"{name:<14}", "  ".join(f"length {length}: {value:4.1f} %" for length, value in each.items()))

# %% [markdown]
# The left picture says: NTM and MemN2N both learn to copy six vectors without a mistake. The right one says what they have learned. The NTM
# has a *procedure*: step on, and again. It goes on where training ended. The MemN2N has six *answers*, to six questions that it has seen;
# the seventh is noise. Without the shift an NTM has no procedure either.
#
# "84.6 %" or "100 %" is therefore no property of a model. It is a property of a model *and a length*. Committed, trained on 1 to 20:

# %%
over_sizes("copy", ["NTM", "NTM no shift", "NTM content only", "MemN2N"], "copy", [10, 20, 30, 50, 80, 120], "length of the sequence")

# %% [markdown]
# MemN2N passes through the article's 84.6 % somewhere between length 10 and 20. And the reason holds: take the location away, and the NTM
# copies no better than MemN2N.
#
# Here is the procedure at work, in an NTM that comes along, trained on 1 to 20. Choose a length:

# %%
ntm, ntm_params, _ = trained("ntm_copy")


def at_length(length):
    long = copy.sample(np.random.default_rng(0), 1, length)
    logits, trace = ntm.forward(ntm_params, long.inputs)
    return plotting.ntm_memory(trace, long, logits)


sliders(at_length, length=(1, 60, 28))

# %%
verdict("C9")

# %%
chapter04.questions

# %%
def as_questions(bits, position):
    ...


chapter04.questions.grade(as_questions);

# %% [markdown]
# ## C10 · Dynamic memory update 动态记忆更新

# %%
claim("C10")

# %%
writes_drawn([" ".join(words) for words in writes], question[0], answer)

# %% [markdown]
# A stream of writes; the latest one of the key counts. This is the task that an NTM's erase and add were made for, and on which "append
# and never change" should fail. Committed, five seeds (three without ages):

# %%
over_sizes("update", ["NTM", "NTM no erase", "MemN2N", "MemN2N no time"], "rewritten-keys", [0, 1, 2, 3],
           "how often the key asked for was rewritten")

# %% [markdown]
# Not what the article says. Two things to see:
#
# **MemN2N does not fail**, as it has ages: of the sentences with the right key, the youngest wins (chapter 03). Without ages it falls just
# as the article says, from all right at no rewrites towards one of several. The article's reason describes a MemN2N that nobody uses.
#
# **Nor does the NTM, once it has room and time.** With 20 numbers a slot and 96,000 stories one seed in five learned this, and the mean,
# 38.5 ± 34 % right, described none of them. With twice the width and up to twice the time all do. How an NTM was trained can decide a
# duel: what was tried stands in `numpymem/recipes.py`. How many have learned it here?

# %%
for label, share in learned("update", "rewritten-keys", ["NTM", "NTM no erase", "MemN2N", "MemN2N no time"]).items():
    print(f"{label:<16}{share} seeds are at most 5 % wrong at three rewrites")

# %% [markdown]
# Go through the seeds (committed learning curves): a long plateau, and then a fall.

# %%
GROUPS = ["NTM", "NTM no erase", "MemN2N", "MemN2N no time"]
sliders(lambda seed: seed_by_seed("update", GROUPS, "rewritten-keys", seed), seed=(0, 4, 0))

# %% [markdown]
# So what can be said of the reason, modification in place? These NTMs have 16 slots for at most 12 writes, and those that cannot erase
# learn it, too (crosses; the interval is in the verdict): a list with the latest write found first is enough, nothing need be modified.
# Chapter 03 looked at the heads of smaller ones: they append there, too, and erasing only helps where slots run out.
#
# bAbI 2 and 3, where things are carried about, say the same with sentences in English; they stand in the verdict's table, too.

# %%
verdict("C10")

# %%
chapter04.latest

# %%
def latest_scores(same_key, age):
    ...


chapter04.latest.grade(latest_scores);

# %% [markdown]
# ## C11 · Large-scale knowledge 大规模知识推理

# %%
claim("C11")

# %%
small = catalog.make_task("made-facts", "story", facts=8)
facts_drawn(*in_words(small, small.sample(rng, 1), 0), "A knowledge base of eight facts, and a question")

# %% [markdown]
# The same look-up as one step of a path, but among many more facts, and with names that are drawn anew for every base: nothing can be
# known by heart. Both models learn from bases of 16 facts; then they are asked about 16, 64 and 256 (committed):

# %%
over_sizes("facts", ["NTM from 16", "MemN2N from 16"], "made-facts", [16, 64, 256], "facts that are told (log scale)", log=True)

# %% [markdown]
# MemN2N does not care how many facts there are: a softmax over 256 sentences is the same equation as one over 16. (With 2,048 names it was
# also asked about 1,024 and 4,096 facts, "many" in the verdict. Only at thousands does it begin to care: what it finds must stand out from
# all of them, and it has only learned to make it stand out from 16.)

# %%
show("MemN2N-1", backward=False)

# %% [markdown]
# For the NTM the same is 256 time steps, one write each, and while it learns a gradient that has to find the one write that mattered. Room
# is not what it lacks: it was tested with as many slots as there are facts. And its trouble does not begin with many facts: at 16 it is
# hardly better than somebody who has noticed who was talked about (exercise 4.1). So the article's order holds, by far; its figures do
# not; and "the NTM does not scale" is less than the truth: it did not learn to look facts up at all. What made it learn the writes above,
# wider slots and more time, does not here: one seed in 300,000 stories got to 25 % (`numpymem/recipes.py`).
#
# MetaQA is real: questions about films in English, 32 facts told with each. The row in the table, with its data, is real MetaQA.

# %%
verdict("C11")

# %%
chapter04.ahead

# %%
def is_ahead(ours, theirs):
    ...


chapter04.ahead.grade(is_ahead);

# %% [markdown]
# ## The article's table, measured

# %%
verdict_table("C8", "C9", "C10", "C11")

# %% [markdown]
# Who is ahead is partly as the article says. Its figures are mostly not met at any size. Its reasons are another matter: location for
# copying holds; many facts for MemN2N holds by our rule, if not for the reason that comes to mind; an NTM that has slots enough does
# without modification in place; hops are needed for paths, but more steps do not make MemN2N's lead larger.
#
# What a fair row needs, and these lack in the article: the data and its size, the length or number that was tested, how each model got the
# task, seeds and their spread, and what happened when the reason was taken away.
#
# ## What to take along
#
# - **A figure without a size says nothing.** Both models copy perfectly, and both copy like a coin, by the length.
# - **Told the same, asked the same:** a comparison is only as fair as the form that each model gets.
# - **Test the reason, not the winner.** Take away a hop, the shift, the erasing, the ages.
# - **Look at the seeds.** A mean of one that learned and four that did not is a number about nobody; ask what the four lacked.
#
# All of it again, minutes: `python -m numpymem duel --quick`; hours: `python -m numpymem duel --full`.
#
# Next: [chapter 05](05_mathematics.ipynb), where all gradients are derived.
