"""The end-to-end memory network (Sukhbaatar et al. 2015): tables for words and times, a few hops, an answer.

    u^1 = query encoded with B
    for each hop k:   m = words with A^k, c = words with C^k     (MemN2N-memory)
                      o, p = hop(u^k, m, c)                      (1), (2)
                      u^{k+1} = u^k + o  or  H u^k + o           (4)
    logits = u^{K+1} W                                           (3)

Which table is which (the paper's two ways of tying):
    adjacent     B = A^1 and A^{k+1} = C^k, so there are K + 1 tables, and what hop k puts out, hop k + 1 takes in
    layer-wise   one A, one C for all hops, a B of its own, and H
Each of A and C has its time table T_A, T_C, tied in the same way. Row 0 of all of them (no word, no time) stays zero.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numpymem.equation import ticking
from numpymem.memn2n.equations import (answer, answer_backward, bag_weights, encode_sentences, encode_sentences_backward,
                                       hop, hop_backward, memorize, memorize_backward, next_state, next_state_backward,
                                       next_state_layerwise, next_state_layerwise_backward, position_weights,
                                       released_weights, respond_backward)
from numpymem.ops.activations import relu, relu_backward

ENCODINGS = {"position": position_weights, "bag": bag_weights, "released": released_weights}


@dataclass(frozen=True)
class MemN2NConfig:
    """What makes one memory network; the defaults are the paper's single-task bAbI model (PE LS RN, 3 hops).

    n_words             words in the vocabulary, with nil (word 0)
    n_outputs           answers to choose from
    d                   width of all vectors
    hops                how often the memory is looked into, 1 to 6
    encoding            "position": the order of words matters; "bag": it does not; "released": the order matters, by
                        the formula of the authors' released code, twice the paper's (see equations.py)
    temporal            whether sentences know their age; without it their order is lost
    memory_size         sentences kept, the latest ones; also the number of ages
    tying               "adjacent" or "layer-wise", see the top of this file
    relu                pass u through max(u, 0) after each hop
    nil_memories        False: only real sentences share in the softmax. True, the published model: the memory has
                        `memory_size` slots, and the empty ones, with score 0 and value 0, share too (the released code
                        takes for `memory_size` the longest story of the task, at most 50)
    time_noise          random noise RN: in training up to this part of extra ages, at random places; 0 for none
    max_sentence_words  the longest sentence there may be
    init_scale          standard deviation of the initial weights
    tie_answer          adjacent only: W^T = C^K, for answers that are the words themselves (n_outputs = n_words)
    """
    n_words: int
    n_outputs: int
    d: int = 20
    hops: int = 3
    encoding: str = "position"
    temporal: bool = True
    memory_size: int = 50
    tying: str = "adjacent"
    relu: bool = False
    nil_memories: bool = False
    time_noise: float = 0.1
    max_sentence_words: int = 32
    init_scale: float = 0.1
    tie_answer: bool = False

    def __post_init__(self):
        for name in ("n_words", "n_outputs", "d", "hops", "memory_size", "max_sentence_words"):
            low, high = {"n_words": (2, None), "hops": (1, 6)}.get(name, (1, None))
            value = getattr(self, name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            _expect(whole and value >= low and (high is None or value <= high), name,
                    f"an integer from {low}" + (f" to {high}" if high else " on"), value)
        for name, choices in (("encoding", tuple(ENCODINGS)), ("tying", ("adjacent", "layer-wise"))):
            value = getattr(self, name)
            _expect(isinstance(value, str) and value in choices, name, " or ".join(map(repr, choices)), value)
        for name in ("temporal", "relu", "nil_memories", "tie_answer"):
            _expect(isinstance(getattr(self, name), bool), name, "True or False", getattr(self, name))
        _expect(_is_number(self.time_noise) and 0 <= self.time_noise <= 1, "time_noise", "a number from 0 to 1", self.time_noise)
        _expect(_is_number(self.init_scale) and 0 < self.init_scale < np.inf, "init_scale", "a positive number", self.init_scale)
        if self.tie_answer:
            _expect(self.tying == "adjacent", "tie_answer", "False with layer-wise tying", True)
            _expect(self.n_outputs == self.n_words, "n_outputs", f"n_words = {self.n_words} with tie_answer",
                    self.n_outputs)


class Memories(NamedTuple):
    """A batch of stories as the equations take it: only as many sentences and words as the longest one has."""
    sentences: np.ndarray     # (B, I, J) int32
    query: np.ndarray         # (B, J) int32
    age: np.ndarray           # (B, I) int32: 1 for the latest sentence, 0 for nil
    mask: np.ndarray          # (B, I) 1 for a sentence, 0 for nil
    empty: np.ndarray         # (B, 1) empty slots that share in the softmax


class MemN2N:
    """The model of one `MemN2NConfig`. It holds no weights: `params` is a dict name -> array, made by `init`."""

    form = "story"

    def __init__(self, config):
        self.config = config
        hops = range(config.hops)
        if config.tying == "adjacent":
            self.tables = ("A1", *(f"C{k + 1}" for k in hops))       # one memory a table
            self.m_of, self.c_of = list(hops), [k + 1 for k in hops] # hop -> its memories: c of one is m of the next
            self.query_table = "A1"
        else:
            self.tables, self.query_table = ("A", "C"), "B"
            self.m_of, self.c_of = [0 for _ in hops], [1 for _ in hops]

    @property
    def shapes(self):
        """The shape of every parameter, by name."""
        config = self.config
        shapes = {table: (config.n_words, config.d) for table in self.tables + (self.query_table,)}
        if config.temporal:
            shapes |= {f"T_{table}": (config.memory_size + 1, config.d) for table in self.tables}
        if config.tying == "layer-wise":
            shapes["H"] = (config.d, config.d)
        if not config.tie_answer:
            shapes["W"] = (config.d, config.n_outputs)
        return shapes

    def init(self, rng, dtype=np.float32):
        """Fresh parameters: normal numbers of standard deviation `init_scale`, nil rows zero."""
        params = {name: (self.config.init_scale * rng.standard_normal(shape)).astype(dtype)
                  for name, shape in self.shapes.items()}
        for name in params.keys() - {"H", "W"}:
            params[name][0] = 0
        return params

    def forward(self, params, inputs, rng=None, linear=False):
        """Scores of all answers.

        inputs   anything with .sentences (B, I, J) and .query (B, J): word numbers, 0 = nil, oldest sentence first,
                 nil words and nil sentences at the end
        rng      given in training: time noise
        linear   True during linear start: the softmax of (1) is left out
        returns  logits (B, n_outputs); trace, a dict: sentences, query, age, mask, empty as in `Memories`, `memories`
                 (one (B, I, d) a table), for each hop m, c (B, I, d), p (B, I), o (B, d), and u: K + 1 states (B, d)
        """
        story = self.read(inputs, params[self.query_table].real.dtype, rng)
        l = self.weights(story)
        memories = [self.memory(params, table, story, l) for table in self.tables]
        m, c = [memories[i] for i in self.m_of], [memories[i] for i in self.c_of]
        u, o, p = [encode_sentences(story.query[:, None], l, params[self.query_table])[:, 0]], [], []
        for k in ticking(range(self.config.hops)):
            found, where = hop(u[k], m[k], c[k], story.mask, story.empty, linear)
            o, p, u = o + [found], p + [where], u + [self.update(params, u[k], found)]
        logits = answer(u[-1], self.answer_matrix(params))
        return logits, dict(story._asdict(), linear=linear, memories=memories, m=m, c=c, p=p, o=o, u=u, logits=logits)

    def backward(self, params, trace, d_outputs, dtrace=None):
        """Gradients of all parameters, from that of the logits. A dict given as `dtrace` receives those of the trace,
        under the same names (m and c: as used by that hop alone, also where two hops share one memory)."""
        story = Memories(*(trace[name] for name in Memories._fields))
        grads, d_memories = {}, {}
        # logits = answer(u, W)
        d_outputs = d_outputs.astype(story.mask.dtype, copy=False)
        du, dW = answer_backward(d_outputs, trace["u"][-1], self.answer_matrix(params))
        self.add_answer_gradient(grads, dW)
        steps = []
        for k in ticking(reversed(range(self.config.hops))):
            u, p, m, c = (trace[name][k] for name in "upmc")
            # u_next = update(u, o)
            du_next, (du, do) = du, self.update_backward(grads, params, du, trace["u"][k + 1], u)
            # o, p = hop(u, m, c)
            du_hop, dm, dc = hop_backward(do, np.zeros(p.shape, p.dtype), p, u, m, c, story.mask, trace["linear"])
            du = du + du_hop                                         # u went two ways: into the hop and past it
            add(d_memories, self.m_of[k], dm)                        # hops share memories
            add(d_memories, self.c_of[k], dc)
            if dtrace is not None:
                steps.insert(0, {"m": dm, "c": dc, "o": do, "u": du_next, "p": respond_backward(do, p, c)[0]})
        l = self.weights(story)
        # memories = one a table
        for i, table in enumerate(self.tables):
            self.memory_backward(grads, params, table, d_memories[i], story, l)
        # u^1 = encode_sentences(query)
        add(grads, self.query_table, encode_sentences_backward(du[:, None], story.query[:, None], l,
                                                               params[self.query_table]))
        if dtrace is not None:
            dtrace.update({name: [step[name] for step in steps] for name in "mcop"}, logits=d_outputs,
                          memories=[d_memories[i] for i in range(len(self.tables))], u=[du] + [step["u"] for step in steps])
        return {name: grads[name] for name in params}

    # ---- the parts of a pass, each beside its reverse ----------------------------------------------------------------

    def memory(self, params, table, story, l):
        if not self.config.temporal:
            return encode_sentences(story.sentences, l, params[table])
        return memorize(story.sentences, l, params[table], story.age, params[f"T_{table}"])

    def memory_backward(self, grads, params, table, d_memory, story, l):
        if not self.config.temporal:
            add(grads, table, encode_sentences_backward(d_memory, story.sentences, l, params[table]))
            return
        dE, dT = memorize_backward(d_memory, story.sentences, l, params[table], story.age, params[f"T_{table}"])
        add(grads, table, dE)
        add(grads, f"T_{table}", dT)

    def update(self, params, u, o):
        u_next = next_state_layerwise(u, o, params["H"]) if "H" in params else next_state(u, o)
        return relu(u_next) if self.config.relu else u_next

    def update_backward(self, grads, params, du_next, u_next, u):
        if self.config.relu:
            du_next = relu_backward(du_next, u_next)
        if "H" not in params:
            return next_state_backward(du_next)
        du, do, dH = next_state_layerwise_backward(du_next, u, params["H"])
        add(grads, "H", dH)
        return du, do

    def answer_matrix(self, params):
        """W (d, n_outputs); tied, it is the last table without its nil row."""
        return without_nil(params[self.tables[-1]]).T if self.config.tie_answer else params["W"]

    def add_answer_gradient(self, grads, dW):
        if self.config.tie_answer:
            add(grads, self.tables[-1], without_nil(dW.T))
        else:
            add(grads, "W", dW)

    # ---- what the equations are given ---------------------------------------------------------------------------------

    def weights(self, story):
        """Position weights of sentences of every length: the table `l` of MemN2N-encode."""
        config = self.config
        return weights_table(config.encoding, config.max_sentence_words, config.d, story.mask.dtype)

    def read(self, inputs, dtype, rng=None):
        """Check and trim a batch of stories, and give each sentence its age -> Memories."""
        config = self.config
        sentences = self.word_numbers("sentences", inputs.sentences, 3)
        query = self.word_numbers("query", inputs.query, 2)
        _expect(len(query) == len(sentences), "query", f"{len(sentences)} rows, one a story", len(query))
        told = sentences[:, :, 0] != 0                                                           # (B, I)
        _expect(in_order(told), "sentences", "nil sentences only after the last one of a story", "one before it")
        sentences, number = latest(sentences, told.sum(1), config.memory_size)
        I = sentences.shape[1]
        real = np.arange(I) < number[:, None]                                                    # (B, I)
        if not config.temporal:
            age = np.zeros(real.shape, np.int32)
        elif rng is None or config.time_noise == 0:
            age = ages(number, I)
        else:
            age = noisy_ages(rng, number, I, config.time_noise, config.memory_size)
        empty = config.memory_size - number if config.nil_memories else np.zeros(len(number))
        return Memories(sentences, query, age, real.astype(dtype), empty[:, None].astype(dtype))

    def word_numbers(self, name, words, axes):
        """`inputs.<name>` as int32, checked (compiled loops look up rows without asking), nil words at the end cut."""
        words = np.asarray(words)
        _expect(words.ndim == axes and words.shape[-1] > 0, name, "shape " + ("(B, I, J)" if axes == 3 else "(B, J)"),
                words.shape)
        _expect(words.dtype.kind in "iu", name, "integers, the numbers of words", words.dtype)
        low, high = words.min(initial=0), words.max(initial=0)
        _expect(low >= 0 and high < self.config.n_words, name, f"word numbers from 0 to {self.config.n_words - 1}",
                f"{low} to {high}")
        known = words != 0
        _expect(in_order(known), name, "nil words only after the last word of a sentence", "one before it")
        longest = words.shape[-1]
        while longest and not known[..., longest - 1].any():         # words come first: few turns
            longest -= 1
        _expect(longest <= self.config.max_sentence_words, name,
                f"sentences of at most max_sentence_words = {self.config.max_sentence_words} words", longest)
        return np.ascontiguousarray(words[..., :max(longest, 1)], dtype=np.int32)


def in_order(real):
    """Whether along the last axis nothing real comes after nil."""
    return not (real[..., 1:] > real[..., :-1]).any()


@functools.lru_cache(maxsize=16)
def weights_table(encoding, J, d, dtype):
    made = ENCODINGS[encoding](J, d).astype(dtype)
    made.flags.writeable = False
    return made


def latest(sentences, told, size):
    """The `size` latest sentences of each story -> (sentences (B, I, J), how many of them are real (B))."""
    number = np.minimum(told, size)
    kept = int(number.max(initial=0))
    if told.max(initial=0) > kept:
        first = (told - number)[:, None]
        at = first + np.arange(kept)
        sentences = sentences[np.arange(len(told))[:, None], np.minimum(at, sentences.shape[1] - 1)]
        sentences[np.arange(kept) >= number[:, None]] = 0
    return np.ascontiguousarray(sentences[:, :kept]), number


def ages(number, I):
    """n, n - 1, ..., 1 for the n sentences of a story, oldest first, then 0.  (B, I) int32"""
    return np.maximum(number[:, None] - np.arange(I), 0).astype(np.int32)


def noisy_ages(rng, number, I, noise, size):
    """Random noise RN: instead of n ... 1, a random choice of n out of n + b ... 1, still in order.  (B, I) int32

    b is uniform in 0 ... ceil(noise n), both ends included. Ages beyond `size` become `size`, as in the released code.
    """
    extra = (rng.random(len(number)) * (np.ceil(noise * number) + 1)).astype(int)        # (B)
    total = number + extra                                                               # (B)
    place = np.arange(total.max(initial=0))                                              # place 0 has age n + b
    order = (rng.random((len(number), place.size)) + (place >= total[:, None])).argsort(1)   # no such place: last
    chosen = np.zeros(order.shape, bool)
    chosen[np.arange(len(number))[:, None], order] = place < number[:, None]
    story, at = chosen.nonzero()                                     # story by story, oldest first, as many as sentences
    age = np.zeros((len(number), I), np.int32)
    age[np.arange(I) < number[:, None]] = np.minimum(total[story] - at, size)
    return age


def add(sums, name, value):
    """sums[name] += value, where the first value is the start."""
    sums[name] = sums[name] + value if name in sums else value


def without_nil(table):
    """The table with row 0 zero, whatever it holds."""
    table = table.copy()
    table[0] = 0
    return table


def _is_number(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _expect(holds, name, expected, received):
    if not holds:
        raise ValueError(f"{name}: expected {expected}, received {received!r}")
