"""The end-to-end memory network (Sukhbaatar et al. 2015): tables for words and times, a few hops, an answer.

    u^1 = query encoded with B
    for each hop k:   m = words with A^k, c = words with C^k     (MemN2N-memories)
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

import numpy as np

from numpymem.memn2n.equations import (answer, answer_backward, bag_weights, encode_sentences, encode_sentences_backward,
                                       position_weights, released_weights, remember, remember_backward)
from numpymem.memn2n.hops import Way, all_hops, all_hops_backward, back_through_hops
from numpymem.memn2n.reading import Memories, read

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


class MemN2N:
    """The model of one `MemN2NConfig`. It holds no weights: `params` is a dict name -> array, made by `init`."""

    form = "story"

    def __init__(self, config):
        self.config = config
        if config.tying == "adjacent":
            self.tables, self.query_table = ("A1", *(f"C{k + 1}" for k in range(config.hops))), "A1"      # one memory a table
        else:
            self.tables, self.query_table = ("A", "C"), "B"
        self.time_tables = tuple(f"T_{table}" for table in self.tables) if config.temporal else ()

    @property
    def shapes(self):
        """The shape of every parameter, by name."""
        config = self.config
        shapes = {table: (config.n_words, config.d) for table in self.tables + (self.query_table,)}
        shapes |= {table: (config.memory_size + 1, config.d) for table in self.time_tables}
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
                 (one (B, I, d) a table), for each hop m, c (B, I, d), p (B, I), o (B, d), and u: K + 1 states (B, d);
                 for `backward` all_memories, tables, H and way
        """
        story = self.read(inputs, params[self.query_table].real.dtype, rng)
        E, T, l = self.side_by_side(params, self.tables), self.side_by_side(params, self.time_tables), self.weights(story)
        memories = remember(story.sentences, l, E, story.age, T)                                 # (B, I, n, d)
        u1 = encode_sentences(story.query[:, None], l, params[self.query_table])[:, 0]
        H, way = self.matrix_H(params), Way(self.config.hops, self.config.relu, linear)
        u, o, p = all_hops(u1, memories, H, story.mask, story.empty, way)
        logits = answer(u[-1], self.answer_matrix(params))
        each = memories.transpose(2, 0, 1, 3)                                                    # (n, B, I, d)
        m, c = ([each[0]] * way.hops, [each[1]] * way.hops) if H.size else (each[:-1], each[1:])
        return logits, dict(story._asdict(), all_memories=memories, tables=(E, T), H=H, way=way, memories=each, m=m, c=c, p=p, o=o,
                            u=u, logits=logits)

    def backward(self, params, trace, d_outputs, dtrace=None):
        """Gradients of all parameters, from that of the logits. A dict given as `dtrace` receives those of the trace, under the
        same names (m and c: as used by that hop alone, also where two hops share one memory); it runs the hops as NumPy."""
        story, u, p = Memories(*[trace[name] for name in Memories._fields]), trace["u"], trace["p"]
        memories, (E, T), H, way = trace["all_memories"], trace["tables"], trace["H"], trace["way"]
        d_outputs, du = d_outputs.astype(story.mask.dtype, copy=False), np.zeros(u.shape, u.dtype)
        # logits = answer(u^{K+1}, W)
        du[-1], dW = answer_backward(d_outputs, u[-1], self.answer_matrix(params))
        # u, o, p = all_hops(u^1, memories, H)
        if dtrace is None:
            du1, d_memories, dH = all_hops_backward(du, u, p, memories, H, story.mask, way)
        else:
            du1, d_memories, dH = back_through_hops(du, u, p, memories, H, story.mask, way, dtrace)
            dtrace.update(logits=d_outputs, memories=list(d_memories.transpose(2, 0, 1, 3)))
        # u^1 = encode_sentences(query)
        l, grads = self.weights(story), {"H": dH}
        grads[self.query_table] = encode_sentences_backward(du1[:, None], story.query[:, None], l, params[self.query_table])
        # memories = remember(sentences)
        dE, dT = remember_backward(d_memories, story.sentences, l, E, story.age, T)
        self.add_apart(grads, self.tables, dE)
        self.add_apart(grads, self.time_tables, dT)
        self.add_answer_gradient(grads, dW)
        return {name: grads[name] for name in params}

    # ---- the parts of a pass, each beside its reverse ----------------------------------------------------------------

    def side_by_side(self, params, names):
        """Tables (V, d) as one, (V, n, d); where there are none, one of a single row of zeros."""
        d, n = self.config.d, len(self.tables)
        if not names:
            return np.zeros((1, n, d), params[self.query_table].dtype)
        return np.concatenate([params[name] for name in names], axis=1).reshape(-1, n, d)

    def add_apart(self, grads, names, dE):
        """The gradient of tables side by side, added to those of its parts."""
        for name, dE_t in zip(names, np.ascontiguousarray(dE.swapaxes(0, 1))):
            add(grads, name, dE_t)

    def answer_matrix(self, params):
        """W (d, n_outputs); tied, it is the last table without its nil row."""
        return without_nil(params[self.tables[-1]]).T if self.config.tie_answer else params["W"]

    def add_answer_gradient(self, grads, dW):
        if self.config.tie_answer:
            add(grads, self.tables[-1], without_nil(dW.T))
        else:
            add(grads, "W", dW)

    # ---- what the equations are given ---------------------------------------------------------------------------------

    def read(self, inputs, dtype, rng=None):
        """Check and trim a batch of stories, and give each sentence its age -> Memories."""
        return read(self.config, inputs, dtype, rng)

    def weights(self, story):
        """Position weights of sentences of every length: the table `l` of MemN2N-encode."""
        config = self.config
        return weights_table(config.encoding, config.max_sentence_words, config.d, story.mask.dtype)

    def matrix_H(self, params):
        """H (d, d); (0, 0) with adjacent tying."""
        return params["H"] if "H" in params else np.zeros((0, 0), params[self.query_table].dtype)


@functools.lru_cache(maxsize=16)
def weights_table(encoding, J, d, dtype):
    made = ENCODINGS[encoding](J, d).astype(dtype)
    made.flags.writeable = False
    return made


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
