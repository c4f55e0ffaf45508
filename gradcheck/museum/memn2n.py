"""Bugs in memory networks that read stories. Two come from DMN+ programs: the sentence encoding is the same."""

import numpy as np

from gradcheck.museum.exhibit import Exhibit, show
from numpymem.memn2n import MemN2N
from numpymem.memn2n import model as memn2n
from numpymem.memn2n import reading
from numpymem.ops.embedding import embed, embed_backward
from numpymem.ops.softmax import softmax

MODEL = (("memn2n", "adjacent, position"),)
TASKS = ("babi1", "babi2")

_init, _noisy_ages, _weights_table = MemN2N.init, reading.noisy_ages, memn2n.weights_table


# ---- sentences -------------------------------------------------------------------------------------------------------------

def encode_by_longest(x, l, E):
    J = x.shape[-1]                                                  # the longest sentence of this batch
    return np.einsum("jd,bijd->bid", l[J, :J], embed(x, E))


def encode_by_longest_backward(dm, x, l, E):
    J = x.shape[-1]
    return embed_backward(l[J, :J] * dm[:, :, None], x, E)


def with_eos(x, K):
    """Sentences of K words each, filled up with word 0."""
    return np.pad(x, ((0, 0), (0, 0), (0, K - x.shape[-1])))


def encode_with_eos(x, l, E):
    K = l.shape[1]                                                   # the longest sentence of the data set
    return np.einsum("jd,bijd->bid", l[K], E[with_eos(x, K)])        # word 0 is a word like any other


def encode_with_eos_backward(dm, x, l, E):
    K = l.shape[1]
    dE = np.zeros_like(E)
    np.add.at(dE, with_eos(x, K), l[K] * dm[:, :, None])
    return dE


def init_with_eos(self, rng, dtype=np.float32):
    params = _init(self, rng, dtype)
    for table in dict.fromkeys([*self.tables, self.query_table]):
        params[table][0] = self.config.init_scale * rng.standard_normal(self.config.d)
    return params


def weights_off_centre(encoding, J, D, dtype):
    if encoding != "released":
        return _weights_table(encoding, J, D, dtype)
    table = np.zeros((J + 1, J, D), dtype)
    k = np.arange(1, D + 1) - D / 2                                  # the centre of 1 ... D is (D + 1) / 2
    for n in range(1, J + 1):
        j = np.arange(1, n + 1)[:, None] - n / 2
        table[n, :n] = 1 + 4 * j * k / (n * D)
    return table


# ---- attention ---------------------------------------------------------------------------------------------------------------

def match_with_padding(u, m, mask, empty):
    return softmax((m @ u[:, :, None])[:, :, 0])                     # padded sentences take their share


def add_instead_of_multiply(p, c):
    return (p[:, :, None] + c).sum(1)


def add_instead_of_multiply_backward(do, p, c):
    return np.repeat(do.sum(-1, keepdims=True), p.shape[1], axis=1), np.repeat(do[:, None], p.shape[1], axis=1)


# ---- starts and noise ----------------------------------------------------------------------------------------------------------

def init_all_hops_alike(self, rng, dtype=np.float32):
    params = _init(self, rng, dtype)
    for table in self.tables[2:]:                                    # A1, C1, C2, C3: one random C for all hops
        params[table] = params[self.tables[1]].copy()
    return params


def ages_without_end(rng, number, I, noise, size):
    extra = np.ceil(noise * number) - 1                              # the largest b that randint(ceil(noise n)) gives
    return _noisy_ages(rng, number, I, np.maximum(extra - 0.5, 0) / np.maximum(number, 1), size)


show(
    Exhibit(
        "code-by-longest", "The same sentence, another code in another batch",
        "dandelin/Dynamic-memory-networks-plus-Pytorch, babi_main.py [read in code]; a DMN+ program, which shares MemN2N-encode",
        "The J of the position code is the padded length, which is that of the longest sentence in the batch.",
        "J is the sentence's own length (as here) or one length for the whole data set (as in the authors' code).",
        "A sentence's vector depends on who else is in the batch. Ask the same question alone and the answer may be another.",
        equations=("MemN2N-encode",), patches=(("MemN2N-encode", encode_by_longest, encode_by_longest_backward),),
        models=MODEL, tasks=TASKS,
        unmet=("words-weigh-by-their-place", "stories-are-treated-alone")),
    Exhibit(
        "eos-as-padding", "Padding that is a word",
        "barronalex/Dynamic-Memory-Networks-in-TensorFlow, babi_input.py [read in code]; a DMN+ program, which shares "
        "MemN2N-encode",
        "Sentences are filled up with index 0, and index 0 is the word '<eos>', with a random vector that is trained.",
        "No word adds nothing: row 0 of every table is zero.",
        "Every sentence's vector contains the padding, more of it the shorter the sentence. An easy task is learned all the same.",
        equations=("MemN2N-encode",), patches=(("MemN2N-encode", encode_with_eos, encode_with_eos_backward),),
        swaps=((MemN2N, "init", init_with_eos),), models=MODEL, tasks=TASKS,
        unmet=("nil-words-add-nothing", "words-weigh-by-their-place")),
    Exhibit(
        "code-off-centre", "The position code with its centre half a step off",
        "early domluna/memn2n, and barronalex/Dynamic-Memory-Networks-in-TensorFlow [read in code]",
        "1 + 4 (j - J/2)(k - d/2) / (J d): the middle of 1 ... J is not J/2.",
        "1 + 4 (j - (J+1)/2)(k - (d+1)/2) / (J d), as the authors' code has it.",
        "The average weight is no longer 1 and depends on the sentence's length. It costs next to nothing, and nobody noticed.",
        equations=("MemN2N-encode",), swaps=((memn2n, "weights_table", weights_off_centre),),
        models=(("memn2n", "adjacent, released"),), tasks=TASKS, unmet=("codes-have-their-centre",)),
    Exhibit(
        "padding-in-the-softmax", "Attention over what is not there",
        "facebookresearch/ParlAI, memnn agent, issue 1649 (April 2019), fixed by pull request 1655 [issue]",
        "The softmax runs over all memories of the padded batch, without a mask: a padded one has score 0 and takes its share, so "
        "that answers depend on how long the longest story of the batch is. (There time features were added to the padding, too; "
        "that is not part of this patch.)",
        "A padded sentence gets weight 0 (MemN2N-1, the mask).",
        "The authors' own code has empty slots in its softmax on purpose, always the same number of them; the bug is that the "
        "number comes from the batch.",
        equations=("MemN2N-1",), patches=(("MemN2N-1", match_with_padding, None),), models=MODEL, tasks=TASKS,
        unmet=("match-is-a-distribution", "stories-are-treated-alone", "empty-story")),
    Exhibit(
        "add-instead-of-multiply", "The weights that were added",
        "keras-team/keras, examples/babi_memnn.py [read in code], where an LSTM reads the sum over the words of the story",
        "response = match + c: the weights are added to the memory's vectors instead of multiplied with them.",
        "o = sum_i p_i c_i (MemN2N-2).",
        "With the paper's sum in place of the LSTM the weights have no say at all: they sum to one whatever they are. Their "
        "gradient, right as it is, is zero: the question cannot learn where to look.",
        equations=("MemN2N-2",), patches=(("MemN2N-2", add_instead_of_multiply, add_instead_of_multiply_backward),),
        models=MODEL, tasks=TASKS,
        unmet=("response-takes-the-sentence", "order-of-sentences")),
    Exhibit(
        "hops-start-alike", "Three hops that start as one",
        "domluna/memn2n, memn2n/memn2n.py [read in code]",
        "One random tensor C is the initial value of every hop's table: all hops start identical.",
        "Each table has random numbers of its own.",
        "Nothing is wrong in any equation. Symmetry is broken by the first table, A, so training gets away.",
        swaps=((MemN2N, "init", init_all_hops_alike),), models=MODEL, tasks=TASKS, unmet=("fresh-hops-differ",)),
    Exhibit(
        "noise-without-its-end", "Random noise that is none",
        "vinhkhuc/MemN2N-babi-python, train_test.py [read in code]",
        "np.random.randint(ceil(0.1 n)) leaves out its upper end, which MATLAB's randi includes: for stories of up to ten "
        "sentences no noise at all.",
        "b uniform in 0 ... ceil(0.1 n), both ends included.",
        "A port of correct code into a language with other habits.",
        swaps=((reading, "noisy_ages", ages_without_end),), models=MODEL, tasks=TASKS, unmet=("time-noise-reaches-its-end",)),
)
