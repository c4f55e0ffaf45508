# %% [markdown]
# # 03 · 关键差异维度对比 · Key differences
#
# *Section 3 of the article sets NTM and MemN2N side by side in a table of seven rows. Each row is a claim. Here each becomes something
# that you can see, take away, or count; and at the end the table stands once more, with what was measured.*
#
# **You will** train both models on the same stories, in less than a minute; take away what they address by; find out whether an NTM
# really rewrites its memory in place; make a training explode; and follow a read back to the words that it consists of.
#
# **Needed:** chapter 02 (heads and hops).
#
# Two kinds of figures occur. *Live* ones come from the models that you train below, one seed each: run the cell and they are yours.
# *Committed* ones come from several seeds and longer runs, `numpymem/experiments/results`; all verdicts rest on those.

# %%
import sys

sys.path[:0] = [".."]                  # the folder above is enough: nothing has to be installed

import contextlib

import numpy as np

import numpymem
from gradcheck.exercises import chapter03
from numpymem import plotting, runs
from numpymem.experiments import results
from numpymem.experiments.claims.section3_models import answers, latest_with_key, shuffled, steps, stories, wrong_percent
from numpymem.plotting import section3
from numpymem.teaching import budget, memory_at, show, sliders, train, trained
from numpymem.teaching.claims import claim, verdict, verdict_table
from numpymem.teaching.differences import (TASK, errors_by_age, losses_and_gradients, rewritten_in_place, rewritten_story, settings,
                                           side_by_side, slots_of_writes, taken_away, what_it_rests_on, where_writes_go, words_of,
                                           wrong_by_age)
from numpymem.training.nan_guard import NonFiniteError

np.set_printoptions(precision=3, suppress=True)

# %% [markdown]
# ## First, a picture
#
# One story, told to both. Left, an NTM: sentence by sentence it writes something into a slot (orange); when the question has come it
# reads (blue), three steps long. Right, a MemN2N: the sentences lie there as they were told, and the question looks at one. *(Committed:
# an NTM and a MemN2N trained on bAbI task 1.)*

# %%
section3.access(results.read("sec3_access"))

# %% [markdown]
# Which of the two would you call a black box? Keep your answer until C7.
#
# ## Two models of your own
#
# For most of this chapter both models live on the same stories, **rewritten keys**: a key gets a value, again and again, and then one
# key is asked for. A later write counts, an earlier one is *stale*.

# %%
batch = stories(TASK, 500)             # 500 stories of six writes that no training will see
shown = rewritten_story(batch)
writes, key = words_of(batch, shown)
print("told:  ", " | ".join(writes))
print("asked: ", key)
print("answer:", writes[latest_with_key(batch)[shown]].split()[1], "  (8 values: guessing is wrong 88 % of the time)")

# %% [markdown]
# Three trainings, each a few seconds: a MemN2N; an NTM with eight slots, more than any story has writes; and an NTM with four slots, which
# is enough for three keys *if* it rewrites in place. Both are told a sentence a step or all sentences at once, as their form is, and see
# up to 40,000 stories. (With `NUMPYMEM_QUICK=1` they learn nothing, and the figures below mean nothing.)

# %%
memn2n = train("memn2n", TASK, budget(40_000, 160), *settings("memn2n"))
ntm = train("ntm", TASK, budget(40_000, 160), *settings("ntm", slots=8))
tight = train("ntm", TASK, budget(40_000, 160), *settings("ntm", slots=4))
models = {"MemN2N": memn2n, "NTM, 8 slots": ntm, "NTM, 4 slots": tight}

for name, training in models.items():
    wrong = wrong_percent(answers(training, batch, TASK)[0], batch.targets)
    print(f"{name:<14}{training.done:>7,} stories, {runs.count_parameters(training.params):>6,} parameters, "
          f"{wrong:5.1f} % wrong on fresh stories of six writes")

# %% [markdown]
# ## C1 · Access 访问方式

# %%
claim("C1")

# %% [markdown]
# Live, on the story above. The NTM has an arrow from every sentence into the memory, and you can see it: its write head. In the MemN2N
# there is no such arrow. Its memories are made from sentences alone; whatever you ask, they stay the same to the last bit.

# %%
side_by_side(ntm, memn2n, batch, shown)

# %%
verdict("C1")

# %% [markdown]
# ## C2 · Addressing 寻址机制

# %%
claim("C2")

# %% [markdown]
# If a model uses something, it must miss it. With `numpymem.patch` we take it away from models that come along, and look. An NTM
# addresses in four steps (chapter 02); these patches leave it content only, or location only:

# %%
def only_content(w_c, w_prev, g):
    return w_c + 0 * g                                     # in place of (7): whatever the gate says


def only_location(w_c, w_prev, g):
    return w_prev + 0 * g


def stay(w_g, s):
    return w_g.copy()                                      # in place of (8): no shift


def as_it_is(w_s, gamma):
    return w_s.copy()                                      # in place of (9): no sharpening


LEFT = {"as trained": {}, "content only": {"NTM-7": only_content, "NTM-8": stay, "NTM-9": as_it_is},
        "location only": {"NTM-7": only_location}}


@contextlib.contextmanager
def patched(changes):
    """Several patches at once; everything runs as NumPy."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(numpymem.numpy_only())
        for id, forward in changes.items():
            stack.enter_context(numpymem.patch(id, forward))
        yield


def wrong_bits(name):
    """Wrong bits in percent of a model that comes along, on 32 fresh sequences."""
    model, params, task = trained(name)
    fresh = task.sample(np.random.default_rng(1), 32)
    wrong, of = task.count_wrong(model.forward(params, fresh.inputs)[0], fresh)
    return 100 * wrong / of


ntm_errors = {}
for name in ("copy", "recall", "sort"):
    ntm_errors[name] = {}
    for left, changes in LEFT.items():
        with patched(changes):
            ntm_errors[name][left] = wrong_bits(f"ntm_{name}")

# %% [markdown]
# The article gives MemN2N content and nothing else (**erratum 5**). But each of its sentences also gets a vector for its *age*. That is
# no content. It is an address, counted from the end:

# %%
show("MemN2N-time", backward=False)

# %%
def no_age(m_words, age, T):
    return m_words.copy()


def without_ages():
    return patched({"MemN2N-time": no_age})


def error_of(name):
    """Wrong answers in percent of a MemN2N that comes along, on 200 made stories of its task."""
    model, params, task = trained(name)
    fresh = next(task.batches("test", 200))
    wrong, of = task.count_wrong(model.forward(params, fresh.inputs)[0], fresh)
    return 100 * wrong / of


memn2n_errors = {}
for number in (1, 2, 11, 13):
    memn2n_errors[f"bAbI {number}"] = {"with ages": error_of(f"memn2n_babi{number}")}
    with without_ages():
        memn2n_errors[f"bAbI {number}"]["without"] = error_of(f"memn2n_babi{number}")

taken_away(ntm_errors, memn2n_errors)

# %% [markdown]
# At the left 50 % is guessing. Copying hardly needs content; it needs its steps. Recall and sorting need both. At the right the ages are
# missed on every task: where somebody *is* means the latest place, and "latest" is no word of any sentence.
#
# Watch it happen. The slider takes the ages away little by little from the MemN2N that you trained: 1 is as trained, 0 is content
# alone. What becomes of the values that the key had before?

# %%
def with_less_age(ages):
    def faded(m_words, age, T):
        return m_words + ages * T[age]
    with patched({"MemN2N-time": faded}):
        logits, trace = answers(memn2n, batch, TASK)
    return plotting.memn2n_attention(trace, memn2n.task.vocabulary, shown, answers=memn2n.task.answers,
                                     target=batch.targets[shown], supports=[int(latest_with_key(batch)[shown])])


sliders(with_less_age, ages=(0.0, 1.0, 0.0, 0.1))

# %% [markdown]
# By content alone, every write of the key is as good as the others.
#
# Taking something away from a trained model shows what *that model* leans on. What a model *needs* is another question: train it
# without, from the start, and see whether it finds another way. That takes longer; here is the committed result, three seeds each.

# %%
section3.addressing(results.read("sec3_addressing"))

# %% [markdown]
# Compare the two. (This recall asks for the value of a key, the one above for the item that *came after*.) Some trained without location
# get half-way by content; copy by location alone works for two seeds of three, and the third did not find it (dots are single seeds).
# The ages are missed in both pictures.

# %%
verdict("C2")

# %%
chapter03.ages

# %%
chapter03.ages.grade(...);             # for example "babi4"

# %% [markdown]
# ## C3 · Update 更新机制

# %%
claim("C3")

# %% [markdown]
# This is the row that everybody believes. An NTM *can* rewrite in place: (3) erases, (4) adds, at the slot where its write head stands.
# For that, the head would have to look up the key's old slot by content, and write there.

# %%
show("NTM-3", backward=False)

# %% [markdown]
# Does it? Your two NTMs have learned from answers alone; nobody told them where to write. The writes of the key that is asked for are bold:

# %%
where_writes_go({"NTM, 8 slots": ntm, "NTM, 4 slots": tight}, batch, shown)

# %%
for name in ("NTM, 8 slots", "NTM, 4 slots"):
    print(f"{name}: of all writes of a key that was there before, {rewritten_in_place(models[name], batch):.0f} % go to its slot")

# %% [markdown]
# **They never rewrite in place. They append.** Each write goes to the next slot, like a sentence that is added to a list, and the question
# finds the latest one. It is MemN2N's plan, in another machine. With four slots the list is a ring, and what was written more than four
# writes ago is gone, even where it is still valid. In-place rewriting would have made no mistakes here; gradients did not find it.
#
# Is that our doing? Their heads *began* as a tape (`initial_heads=tape`: the write head steps on), which training may unlearn and did not.
# So let one begin with neutral heads:

# %%
neutral = train("ntm", TASK, budget(40_000, 160), *settings("ntm", slots=4), "initial_heads=neutral")
wrong = wrong_percent(answers(neutral, batch, TASK)[0], batch.targets)
print(f"neutral heads, 4 slots: {rewritten_in_place(neutral, batch):.0f} % in place, and {wrong:.0f} % of its answers are wrong")

# %% [markdown]
# More of its writes go where the key was. But look at its answers: it has not learned what to do with that.
#
# So the two NTMs must differ in what they forget. Ask each model for values that were told one, two, ... writes ago:

# %%
errors_by_age(wrong_by_age(models, batch))

# %% [markdown]
# Move through the steps of the NTM with four slots and watch a slot being written twice, for two different keys. (This is the first of
# our 500 stories: six writes, steps 0 to 5; the question; three pauses.)

# %%
tight_trace = answers(tight, batch, TASK)[1]
print("told:  ", " | ".join(words_of(batch, 0)[0]), "   asked:", words_of(batch, 0)[1])
sliders(lambda t: memory_at(tight_trace, t), t=(0, len(tight_trace["w"]) - 1, 5))

# %% [markdown]
# If an NTM appends, it should not need to erase, as long as there are slots enough. Take (3) away from both:

# %%
def never_erase(M, w, e):
    return M.copy()


for name in ("NTM, 8 slots", "NTM, 4 slots"):
    with patched({"NTM-3": never_erase}):
        logits, _ = answers(models[name], batch, TASK)
    print(f"{name}: {wrong_percent(answers(models[name], batch, TASK)[0], batch.targets):5.1f} % wrong as trained, "
          f"{wrong_percent(logits, batch.targets):5.1f} % without erasing")

# %% [markdown]
# With eight slots erasing is of no use. With four it matters: not because a key gets a new value, but because the slot's last tenant,
# *another* key, has to be cleared out.
#
# The committed runs are larger (6 to 12 writes of 4 of 16 keys), and those NTMs have 16 slots: more than any story has writes. With
# erasing or without, they learn it. What surely holds is the other half: without ages MemN2N cannot tell the latest value from those
# before.

# %%
section3.update(results.read("duel_update"))

# %%
verdict("C3")

# %%
chapter03.in_place

# %%
def share_in_place(slots, keys):
    ...


chapter03.in_place.grade(share_in_place);

# %% [markdown]
# Try it on what your NTM does: `share_in_place(slots_of_writes(ntm, batch)[shown], batch.inputs.sentences[shown, :6, 0])`.

# %%
print("slots:", slots_of_writes(ntm, batch)[shown], "  keys:", [write.split()[0] for write in writes])

# %% [markdown]
# ## C4 · Time 时序依赖

# %%
claim("C4")

# %% [markdown]
# **Another order.** Shuffle the writes of every story. The latest write of a key is then another one, so right answers change, too; a model
# that has understood order stays as good as it was. One that has none should not notice anything at all: its logits must be the same
# to rounding. We look at that in float64.

# %%
moved = shuffled(batch, np.random.default_rng(7))
for name, training in models.items():
    before, after = (wrong_percent(answers(training, each, TASK)[0], each.targets) for each in (batch, moved))
    print(f"{name:<14} % wrong: as told {before:5.1f}, in another order {after:5.1f}")

exact = memn2n.model, {key: value.astype(np.float64) for key, value in memn2n.params.items()}
largest = {}
for what, changes in (("with ages", {}), ("without ages", {"MemN2N-time": no_age})):
    with patched(changes):
        told, other = (exact[0].forward(exact[1], each.inputs)[0] for each in (batch, moved))
    largest[what] = np.abs(told - other).max()
print(f"MemN2N's logits move by up to {largest['with ages']:.0f} with ages, without ages by "
      + ("less than 1e-12: rounding" if largest["without ages"] < 1e-12 else f"{largest['without ages']:.0e}"))

# %% [markdown]
# MemN2N without ages is a function of a *set* of sentences. With ages it is a function of a list. "Driven by its input" is right both
# times; that it knows no order holds for the first only (erratum 5 again).
#
# **A state set back.** An NTM hands five things from step to step: the controller's `h` and `c`, what was read `r`, where the heads are
# `w`, and the memory `M`. Let it hear a whole story, put one of them back to what it was at the very beginning, and then ask. (Our
# controllers are feedforward: there is no `h` and no `c`.)

# %%
inputs, told = steps(batch, TASK), batch.inputs.sentences.shape[1]
start = ntm.model.initial_state(ntm.params, 500)
_, heard = ntm.model.run(ntm.params, inputs[:told], start)
for part in ("nothing", "r", "w", "M"):
    state = heard["last"]._replace(**{part: getattr(start, part)} if part != "nothing" else {})
    logits, _ = ntm.model.run(ntm.params, inputs[told:], state)
    print(f"{part:<8} set back: {wrong_percent(logits[-1], batch.targets):5.1f} % wrong")

# %% [markdown]
# Nearly all that counts is in the memory. The article says that an NTM depends on the *controller's* state. That holds of a controller that has
# one, and uses it: committed, an LSTM that copies (left group of the right panel) is lost without `h, c`.

# %%
section3.time(results.read("sec3_time"))

# %%
verdict("C4")

# %% [markdown]
# ## C5 · Parameters 参数效率

# %%
claim("C5")

# %% [markdown]
# Count your own two. The NTM's largest matrix is the one that steers its heads:

# %%
for name in ("MemN2N", "NTM, 8 slots"):
    params = models[name].params
    total = runs.count_parameters(params)
    sizes = sorted(((value.size, key, value.shape) for key, value in params.items()), reverse=True)[:4]
    print(f"{name}: {total:,} parameters; the largest: "
          + ", ".join(f"{key} {'x'.join(map(str, shape))} ({100 * size / total:.0f} %)" for size, key, shape in sizes))

# %% [markdown]
# Parameters alone say little. The question is how many it *takes*: train models of several sizes and see which of them learn the task.
# Committed, three seeds each:

# %%
section3.parameters(results.read("sec3_parameters"))

# %% [markdown]
# Look at the wide bars: at 16 units of the controller some seeds of the NTM learn the task and the others do not. Small NTMs do not merely
# learn less well. Often they do not find the plan.

# %%
verdict("C5")

# %%
chapter03.heads

# %%
def cost_of_heads(C, R, Q, W, S):
    ...


chapter03.heads.grade(cost_of_heads);

# %% [markdown]
# ## C6 · Training 训练难度

# %%
claim("C6")

# %% [markdown]
# You have trained three already. Here is how that went:

# %%
losses_and_gradients(models, "Your three trainings")

# %% [markdown]
# MemN2N is there in a fraction of the stories. The NTMs' gradients are larger, and jump: the marks (the largest since the evaluation before)
# stand far above the lines (the median), while they look for the plan and when they have found it. Does that make an NTM hard to train?
# Against single steps that are too long there is a simple remedy, **clipping** 梯度裁剪: if the gradient $g$, all parameters together, is
# longer than $\theta$, shorten it,
#
# $$g \leftarrow g \cdot \min\!\left(1,\ \frac{\theta}{\lVert g \rVert}\right).$$
#
# Both trainings above had it, with $\theta = 1$. Committed, ten seeds each, with it and without:

# %%
section3.training(results.read("sec3_training"))

# %% [markdown]
# A surprise. The NTM learns to copy in every seed, with clipping or without: its gradients do explode now and then (look at the scale), and
# come back. What cannot do without clipping is *MemN2N* by its authors' recipe, plain SGD. See for yourself; this takes a second.

# %%
try:
    train("memn2n", "babi1", 4_480, "source=generated", "clip=0")
    print("it lives")
except NonFiniteError as error:
    print(str(error).rpartition(";")[0])

# %% [markdown]
# The message names the equation in which the first infinite number arose. It is the *linear start*: there the softmax is left out, the
# hops multiply, and nothing holds the numbers small. With Adam and without a linear start, as in your training, MemN2N needs no
# clipping either.
#
# What makes an NTM hard to train is something else: to find the plan. Your NTMs began with heads that are *set* to walk and to look up
# (`initial_heads=tape`). With neutral heads none of the committed seeds learns to look things up in the same time. The verdict has the counts.

# %%
verdict("C6")

# %%
chapter03.clip

# %%
def clip(grads, largest):
    ...


chapter03.clip.grade(clip);

# %% [markdown]
# ## C7 · Interpretability 可解释性

# %%
claim("C7")

# %% [markdown]
# "Which of the sentences does your answer rest on?" A MemN2N says so in one line: the attention $p$. Of an NTM you see *slots*, and have to
# know what is in them. That can be had exactly. Every number in the memory is a sum of what was added at each step, less what was erased
# since. So what is read is a sum over all writes:
#
# $$r_t = \sum_i r_t^{(i)}, \qquad r_t^{(i)} = \sum_n w_t(n)\, C_{t}(n, i), \qquad C_{t}(n, i) = C_{t-1}(n, i) \circ (1 - w_t(n)\, e_t),
# \quad C_i(n, i) = w_i(n)\, a_i.$$
#
# How long $r_t^{(i)}$ is says how much sentence $i$ counts at step $t$. Both, live, on the story above:

# %%
what_it_rests_on(ntm, memn2n, batch, shown)

# %% [markdown]
# Each column sums to one. Both models name the sentence that counts: MemN2N in its last hop, this NTM as soon as it is asked. (In its last
# pause it reads a little of everything; what it read before is handed on by its controller.) The same can be asked of
# 500 stories, and of bAbI, which says which sentences its answers follow from. Committed:

# %%
section3.supports(results.read("sec3_supports"))

# %% [markdown]
# At the left, look at tasks 6 and 18: many right answers (diamonds), few of the facts found (bars). Attention is a good witness, not
# proof: what a model looks at and what its answer follows from are two things.
#
# So an NTM can be traced, as the article says, with this much work. But a MemN2N is no black box: what it looks at it shows by itself.

# %%
verdict("C7")

# %%
chapter03.follow

# %%
def follow(w_write, e, a, w_read):
    ...


chapter03.follow.grade(follow);

# %% [markdown]
# ## The article's table, measured

# %%
verdict_table("C1", "C2", "C3", "C4", "C5", "C6", "C7")

# %% [markdown]
# ## What to take along
#
# - **Can is not does.** An NTM can rewrite in place; ours append. A MemN2N "has no position"; it lives on ages. Look at the traces.
# - **Taking away is not leaving out.** A patch shows what a model leans on; training without shows what it needs.
# - **A mean can hide two worlds.** Where some seeds learn and others do not, look at the dots.
# - **Words like "hard" and "black box" need a measurement** before they can be right or wrong.
#
# All verdicts with their figures as one page: `python -m numpymem duel --html verdicts.html`.
#
# Next: [chapter 04](04_task_performance.ipynb), the four tasks on which the article lets them compete.
