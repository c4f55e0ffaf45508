# %% [markdown]
# # 00 · Start here
#
# Two machines that learn to use a memory, taken apart down to the last gradient:
#
# - the **Neural Turing Machine** (NTM, 神经图灵机), which writes into numbered slots and reads them again, and
# - the **End-to-End Memory Network** (MemN2N, 端到端记忆网络), which looks back over everything it was told.
#
# Both are written in NumPy. Nothing differentiates itself: every forward pass has a backward pass beside it, written by hand, and a
# teacher called `gradcheck` that says whether it is right. You will read equations, break them, repair them and train with them.
#
# These chapters follow the sections of an article that compares the two, 端到端记忆网络 vs 神经图灵机. It makes claims; here a claim
# is something to measure.
#
# **You will** see an NTM at work; read an equation beside its forward and backward; change one, have it checked, repair it and train
# with it; and find your way about.
#
# **Needed:** NumPy's arrays and the chain rule. No framework, no GPU, no network.

# %%
import sys

sys.path[:0] = [".."]                  # the folder above is enough: nothing has to be installed

import numpy as np

import gradcheck
import numpymem
from numpymem import plotting
from numpymem.teaching import SMALL_COPY, budget, equations, several_curves, show, train, trained

# %% [markdown]
# ## First, a picture
#
# An NTM that was trained by this code is shown six vectors of eight bits, one in each time step. Then it must repeat them from
# memory. Time runs from left to right. Follow the orange staircase: it writes each vector into a slot of its own, one further each time.
# The blue read head waits. When the answers are due, it walks through the same slots. Nobody programmed that plan. It came out of
# gradients.

# %%
model, params, task = trained("ntm_copy")
batch = task.sample(np.random.default_rng(0), 1, length=6)
logits, trace = model.forward(params, batch.inputs)
plotting.ntm_memory(trace, batch, logits)

# %% [markdown]
# ## The map
#
# Each chapter has the number of the article's section that it mirrors. Exercises are graded on the spot; their solutions have a
# notebook of their own.
#
# | § | 中文 | English | in the chapter | open |
# |---|---|---|---|---|
# | 1 | 核心架构对比 | Core architectures | both models at work, side by side | [01](01_core_architectures.ipynb), [solutions](solutions/01_core_architectures.ipynb) |
# | 2 | 记忆操作机制深度解析 | Memory operations | every step of a head and every hop, with numbers to check by hand | [02](02_memory_operations.ipynb), [solutions](solutions/02_memory_operations.ipynb) |
# | 3 | 关键差异维度对比 | Key differences | seven claimed differences, seen, taken away, counted | [03](03_key_differences.ipynb), [solutions](solutions/03_key_differences.ipynb) |
# | 4 | 任务性能对比实验 | Task performance | four tasks, a fair form for both, and the reasons tested | [04](04_task_performance.ipynb), [solutions](solutions/04_task_performance.ipynb) |
# | 5 | 数学本质差异 | Mathematical essence | every backward pass: derived, read in the code, checked | [05](05_mathematics.ipynb), [solutions](solutions/05_mathematics.ipynb) |
# | 6 | 工程实现对比 | Engineering | the article's two cores; from equation to fast loop | [06](06_engineering.ipynb), [solutions](solutions/06_engineering.ipynb) |
# | 7 | 发展演进与融合 | Evolution and fusion | DNC, DMN, a Transformer with a memory | [07](07_evolution_and_fusion.ipynb), [solutions](solutions/07_evolution_and_fusion.ipynb) |
# | 8 | 结论 | Conclusion | all verdicts, and a hybrid of both models | [08](08_conclusion.ipynb), [solutions](solutions/08_conclusion.ipynb) |
#
# `python -m numpymem duel` prints what was measured of the article's claims, `python -m numpymem report` lists the results behind it,
# `python -m numpymem list` the models and tasks.
#
# Every equation has an address: the number that it has in its paper, and a function of the same purpose. These are the equations
# of the two papers, in the papers' order. `equations()` without an argument lists all that are registered.

# %%
equations("NTM-2", "NTM-3", "NTM-4", "NTM-5", "NTM-6", "NTM-7", "NTM-8", "NTM-9",
          "MemN2N-encode", "MemN2N-time", "MemN2N-1", "MemN2N-2", "MemN2N-3", "MemN2N-4")

# %% [markdown]
# ## How to read an equation
#
# `show` prints an equation as it is *in force right now*: formula, forward, backward, straight from the source file.

# %%
show("NTM-9")

# %% [markdown]
# Five habits make all of them readable:
#
# 1. Names are the paper's symbols: `gamma` is $\gamma$, `w_s` is the weighting after the shift, $\tilde w$.
# 2. A gradient is `d` + the symbol: `dgamma` is $\partial L / \partial \gamma$, and has the shape of `gamma`.
# 3. Every array has its shape in a comment: `B` sequences in a batch, `H` heads, `N` slots, `W` numbers in a slot.
# 4. The backward undoes the forward's lines in reverse order, and quotes the line that it undoes.
# 5. Functions only read what they are given and return new arrays.

# %% [markdown]
# ## How to run things
#
# | what | in a terminal, in the folder of the checkout |
# |---|---|
# | set everything up and see both models at work | `make run` |
# | have `python` mean the one of `.venv`, once in a terminal | `source .venv/bin/activate` |
# | open these chapters | `jupyter lab notebooks` |
# | print an equation | `python -m numpymem explain NTM-9` |
# | check one gradient, or all | `python -m gradcheck NTM-9`, `python -m gradcheck` |
# | train; a small training of half a minute | `python -m numpymem train ntm copy`; the same with `--set recipe=small` |
# | these chapters as web pages, to read without running | `make book`, then open `book/index.html` |
# | all chapters anew, from clean kernels | `python notebooks/build.py` |
#
# All chapters run offline, on two cores, each in a few minutes (`python notebooks/build.py --cold` times them with nothing
# compiled yet). Set `NUMPYMEM_QUICK=1` to run them with trainings so short that
# nothing is learned; the tests do that.

# %% [markdown]
# ## Change, check, repair, retrain
#
# This is the path that the whole project is built for. Walk it once here; then you know how to do it with any equation.
#
# **Change.** A head's weights after the shift are blurred, and (9) makes them sharp again: $w \propto \tilde w^{\gamma}$. What if a head
# were sharper from the start, with $\gamma^2$ in place of $\gamma$? Write the new forward, and put it in force with `patch`. (You may as
# well edit the file itself: the edit always wins.)

# %%
from numpymem.ntm.equations import EPS, softmax, softmax_backward


def sharpen(w_s, gamma):
    logits = gamma ** 2 * np.log(w_s + EPS)
    return softmax(logits)


change = numpymem.patch("NTM-9", sharpen)

# %% [markdown]
# **Check.** The backward is still the old one. The teacher compares it with the true derivative of *today's* forward:

# %%
print(gradcheck.check_equation("NTM-9"))

# %% [markdown]
# Read it like a remark in the margin: which gradient is wrong, at which index, what it is and what it should be, and what the
# mistake looks like. Here by hand / true is $1 / \gamma$ for `dw_s`: a factor $\gamma$ is missing. That is just what we changed.
#
# **Repair.** The line `logits = gamma ** 2 * log(...)` needs its new derivative in both gradients: $\gamma^2$ for the first,
# $2 \gamma$ for the second.

# %%
def sharpen_backward(dw, w, w_s, gamma):
    # w = softmax(logits)
    dlogits = softmax_backward(dw, w)                                            # (B, H, N)
    # logits = gamma ** 2 * log(w_s + EPS)
    dw_s = gamma ** 2 * dlogits / (w_s + EPS)                                    # (B, H, N)
    dgamma = (2 * gamma * dlogits * np.log(w_s + EPS)).sum(-1, keepdims=True)    # (B, H, 1)
    return dw_s, dgamma


change.undo()
change = numpymem.patch("NTM-9", sharpen, sharpen_backward)
print(gradcheck.check_equation("NTM-9"))

# %% [markdown]
# Right, to fifteen digits. A right gradient does not yet mean a sensible equation. For that there are tests of meaning: sentences
# that must hold whatever a model has learned.

# %%
print(*gradcheck.check_meaning("NTM-9"), sep="\n")

# %% [markdown]
# **Retrain.** A small copy task, one to six vectors, with the equation of the paper and with ours. The second training runs
# without compiled kernels: they know that they fuse (9), see that it is patched, and stand down. Half a minute each or so.

# %%
ours = train("ntm", "copy", budget(4_000, 20), *SMALL_COPY)
change.undo()
papers = train("ntm", "copy", budget(4_000, 20), *SMALL_COPY)

several_curves({r"(9) as in the paper, $\gamma$": papers.history, r"ours, $\gamma^2$": ours.history},
               "Copying one to six vectors, with two ways to sharpen",
               "loss in bits, on fresh sequences; one seed each")

# %% [markdown]
# Both learn. Is one better? One seed cannot say: `train` takes `seed=1`, `seed=2`, ... This is why the results of this project come
# with several seeds and their spread.
#
# **The same in the file.** A patch lasts as long as the notebook. To change an equation for good, edit it where it stands:
#
# 1. Open `numpymem/ntm/equations.py`, look for `def sharpen`, and change the line of the forward.
# 2. `python -m gradcheck NTM-9` takes a few seconds and says what is wrong with the backward. (`python -m gradcheck` looks at
#    everything, which takes minutes, the first time more: it compiles every kernel.)
# 3. Repair `sharpen_backward`, just below, and check again.
# 4. `python -m numpymem train ntm copy --set recipe=small` is the training above. A line says that the step runs as NumPy: your
#    edit is in force. The training is written to a folder, `runs/ntm-copy-0`, with its curves; give the next one another,
#    `--run runs/second`.
# 5. `git checkout numpymem/ntm/equations.py` brings back the equation of the paper.
#
# A notebook that is open during an edit still has the old file in memory: restart its kernel.
#
# Whatever you break in these chapters is repaired by restarting the kernel, or at once with

# %%
from numpymem.equation import unpatch_all

unpatch_all()
print(gradcheck.check_equation("NTM-9"))

# %% [markdown]
# ## Exercises
#
# An exercise shows what is asked. `.hint()` gives a hint, up to three times. `.grade(...)` looks at your answer; as long as you have
# not written one, it says so and goes on.

# %%
from gradcheck.exercises.chapter00 import find_it, repair

find_it

# %%
where = ...                            # for example "NTM-5"
find_it.grade(where);

# %%
repair

# %%
def my_backward(dw, w, w_s, gamma):
    ...


repair.grade(my_backward);

# %% [markdown]
# When it is right, put the pair in force and train with it. Look at where the heads read and write. The gradient is right to the last
# digit, and still something is lost. What? (The solutions show it.)

# %% [markdown]
# ## Glossary
#
# | 中文 | English | symbol | in the code |
# |---|---|---|---|
# | 外部记忆, 记忆矩阵 | external memory, memory matrix | $M_t$ | `M` (B, N, W) |
# | 记忆槽 | slot, a row of the memory | $M_t(i)$ | `M[:, i]` |
# | 控制器 | controller | | `controller_step` |
# | 读头, 写头 | read head, write head | | axis `H`: read heads first |
# | 权重 (注意力) | weighting (attention) over the slots | $w_t$ | `w` (B, H, N) |
# | 读取, 读向量 | read, read vector | $r_t$ | `read`, NTM-2 |
# | 擦除 | erase | $e_t$ | `erase`, NTM-3 |
# | 添加 | add | $a_t$ | `add`, NTM-4 |
# | 内容寻址 | content addressing | $w^c_t$ | `content_weights`, NTM-5 |
# | 键, 键强度 | key, key strength | $k_t$, $\beta_t$ | `k`, `beta` |
# | 余弦相似度 | cosine similarity | $K[u, v]$ | `cosine_similarity`, NTM-6 |
# | 插值门 | interpolation gate | $g_t$ | `interpolate`, NTM-7 |
# | 位置寻址, 循环卷积 | location addressing, circular convolution | $s_t$ | `shift`, NTM-8 |
# | 锐化 | sharpening | $\gamma_t$ | `sharpen`, NTM-9 |
# | 查询向量 | query vector, state | $u$ | `u` (B, D) |
# | 输入记忆, 输出记忆 | memories, input side and output side | $m_i$, $c_i$ | `m`, `c` (B, I, D), MemN2N-memories |
# | 位置编码 | position encoding | $l_{kj}$ | `position_weights`, MemN2N-encode |
# | 时间编码 | temporal encoding | $T(i)$ | `add_time`, MemN2N-time |
# | 注意力权重 | attention weights | $p_i$ | `match`, MemN2N-1 |
# | 加权求和 | weighted sum, response | $o$ | `respond`, MemN2N-2 |
# | 多跳 | several hops | $u^{k+1} = u^k + o^k$ | `all_hops`, MemN2N-hops |
# | 使用率, 记忆释放 | usage, freeing | $u_t$, $f_t$ | `usage`, DNC-usage |
# | 分配, 空闲列表 | allocation, free list | $a_t$, $\phi_t$ | `allocation`, DNC-allocation |
# | 时间链接矩阵 | temporal link matrix | $L_t$ | `link`, DNC-link |
# | 情景记忆, 门控注意力 | episodic memory, gated attention | $m^t$, $g_i$ | `remember`, DMN-memory; `gates`, DMN-gates |
# | 层归一化 | layer norm | | `layer_norm`, layer-norm |
# | 记忆增强 Transformer | memory-augmented Transformer | | `memory_transformer/` |
# | 共生, 混合模型 | symbiosis, hybrid | | `hybrid/` |
# | 端到端 | end to end: all of it learned from answers alone | | |
# | 反向传播 | backpropagation | $\partial L / \partial x$ | `..._backward`, `dx` |
# | 随时间反向传播 | backpropagation through time (BPTT) | | `sequence`, NTM-sequence |
# | 复步法 | complex step: derivative without a difference | $\mathrm{Im} f(x + ih) / h$ | `gradcheck` |
# | 梯度裁剪 | gradient clipping | | `clip` |
#
# ## If something does not work
#
# | you see | do |
# |---|---|
# | `No module named 'numpymem'` | run the first cell; open the notebook from its place in the checkout |
# | a line "compiling kernel ..." | wait some seconds: once on this machine; `NUMPYMEM_JIT=0` goes without |
# | a slider that does not move anything | its cell must have been run in this session: the picture you see was drawn before |
# | a line that says a kernel stands down, and slow training | an equation is patched: `numpymem.equation.unpatch_all()` |
# | anything else | `python -m numpymem doctor` |
