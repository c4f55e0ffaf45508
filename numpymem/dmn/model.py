"""The dynamic memory network, DMN+ (Xiong et al. 2016), with what the first DMN (Kumar et al. 2015) had in its place as switches.

    q       = last state of a GRU over the question's words                    (GRU-scan)
    e_i     = words of sentence i, added with position weights                 (MemN2N-encode)
    f_i     = states of a GRU over the e_i, one in each direction, added       (DMN-fusion)
    each pass t over the facts, m^0 = q:
        g^t = gates from the interactions of f_i with q and m^{t-1}            (DMN-interactions, -scores, -gates)
        c^t = last state of a GRU over the facts in which g_i^t decides        (GRU-scan with GRU-attention)
        m^t = ReLU(W^t [m^{t-1}; c^t; q] + b)                                  (DMN-memory)
    logits  = W_a [m^T; q] + b_a                                               (DMN-answer)

Parameters, all weights stored transposed:  E words;  W_q U_q b_q question GRU;  W_f U_f b_f, W_r U_r b_r fusion GRUs, forward and
reverse;  W_1 b_1 W_2 (b_2) gates;  W_c U_c b_c the GRU that makes the context;  W_m1 b_m1, W_m2 ... one a pass (update="gru":
W_m U_m b_m);  W_a b_a answer. A GRU's blocks of columns are: update gate, reset gate, candidate.
"""

from dataclasses import dataclass

import numpy as np

from numpymem.dmn.episodes import context, context_backward, next_memory, next_memory_backward
from numpymem.dmn.equations import answer, answer_backward, fuse, fuse_backward
from numpymem.dmn.reading import read
from numpymem.dmn.scan import inputs, inputs_backward, scan, scan_backward
from numpymem.equation import ticking
from numpymem.initial import check_at_least, check_choice
from numpymem.memn2n.equations import encode_sentences, encode_sentences_backward
from numpymem.memn2n.model import add, weights_table
from numpymem.ops.dropout import dropout, dropout_backward, kept
from numpymem.ops.embedding import embed, embed_backward

GATES = {"gru": 2, "episodic": 3, "soft": 0}      # attention -> blocks of columns of the GRU that makes the context


@dataclass(frozen=True)
class DMNConfig:
    """What makes one dynamic memory network; the defaults are the paper's DMN+.

    n_words             words in the vocabulary, with nil (word 0)
    n_outputs           answers to choose from
    d                   width of all vectors
    passes              how often the facts are gone through
    attention           "gru": the attention GRU of DMN+; "soft": the weighted sum of the facts; "episodic": the GRU of the first
                        DMN, h = g GRU(f, h) + (1 - g) h, with a sigmoid for each gate
    fusion              True: GRUs over the sentences in both directions; False: one, forward, as in the first DMN
    update              "relu": the memory of DMN+, with weights of its own for each pass; "gru": the first DMN's, m = GRU(c, m)
    dropout             in training this part of the sentences' codes, and of the last memory, is set to zero
    max_sentence_words  the longest sentence there may be
    """
    n_words: int
    n_outputs: int
    d: int = 80
    passes: int = 3
    attention: str = "gru"
    fusion: bool = True
    update: str = "relu"
    dropout: float = 0.1
    max_sentence_words: int = 32

    def __post_init__(self):
        for name, least in (("n_words", 2), ("n_outputs", 1), ("d", 1), ("passes", 1), ("max_sentence_words", 1)):
            check_at_least(name, getattr(self, name), least)
        check_choice("attention", self.attention, GATES)
        check_choice("update", self.update, ("relu", "gru"))
        if not isinstance(self.fusion, bool):
            raise ValueError(f"fusion: expected True or False, received {self.fusion!r}")
        p = self.dropout
        if isinstance(p, bool) or not isinstance(p, (int, float, np.integer, np.floating)) or not 0 <= p < 1:
            raise ValueError(f"dropout: expected a number from 0 to below 1, received {p!r}")


class DMN:
    """The model of one `DMNConfig`. It holds no weights: `params` is a dict name -> array, made by `init`."""

    form = "story"

    def __init__(self, config):
        self.config = config

    @property
    def shapes(self):
        """The shape of every parameter, by name."""
        c, d = self.config, self.config.d
        shapes = {"E": (c.n_words, d), **gru_shapes("q", d), **gru_shapes("f", d), **(gru_shapes("r", d) if c.fusion else {})}
        shapes |= {"W_1": (4 * d, d), "b_1": (d,), "W_2": (d, 1), **({"b_2": (1,)} if c.attention == "episodic" else {})}
        if c.attention != "soft":
            shapes |= gru_shapes("c", d, GATES[c.attention])
        for t in range(c.passes if c.update == "relu" else 0):
            shapes |= {f"W_m{t + 1}": (3 * d, d), f"b_m{t + 1}": (d,)}
        if c.update == "gru":
            shapes |= gru_shapes("m", d)
        return shapes | {"W_a": (2 * d, c.n_outputs), "b_a": (c.n_outputs,)}

    @property
    def penalised(self):
        """Names of the parameters that the L2 penalty of a recipe holds small: all but biases and words."""
        return tuple(name for name in self.shapes if name[0] in "WU")

    def init(self, rng, dtype=np.float32):
        """Fresh parameters: words uniform in +- sqrt 3, row 0 (nil) zero; weights Xavier, block by block; biases zero."""
        params = {}
        for name, shape in self.shapes.items():
            if name == "E":
                value = rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
                value[0] = 0
            elif name[0] == "b":
                value = np.zeros(shape)
            else:
                value = xavier(rng, *shape, blocks=shape[1] // self.config.d if name[:3] in GRU_WEIGHTS else 1)
            params[name] = value.astype(dtype)
        return params

    # ---- forward ------------------------------------------------------------------------------------------------------

    def forward(self, params, stories, rng=None):
        """Scores of all answers.

        stories  anything with .sentences (B, I, J) and .query (B, J): word numbers, 0 = nil, oldest sentence first,
                 nil words and nil sentences at the end. All sentences are used
        rng      given in training: dropout
        returns  logits (B, n_outputs); trace, a dict: sentences, query, mask (B, I), e sentences' codes and f facts (B, I, d),
                 q (B, d); lists over the passes g (B, I), c (B, d), and m (B, d) with m^0 = q first; for `backward` further parts
        """
        config, trace = self.config, self.read(stories, params["E"].real.dtype)._asdict()
        mask = trace["mask"]
        trace["l"] = l = weights_table("position", config.max_sentence_words, config.d, mask.dtype)
        trace["e"] = encode_sentences(trace["sentences"], l, params["E"])
        trace["kept"] = [] if rng is None or not config.dropout else [
            kept(rng, shape, config.dropout, mask.dtype) for shape in (trace["e"].shape, (len(mask), config.d))]
        q = trace["q"] = self.ask(params, trace)
        self.fuse(params, trace)
        m, g, c, passes = [q], [], [], []
        x = inputs(trace["f"], params["W_c"], params["b_c"], mask) if config.attention != "soft" else None
        for t in ticking(range(config.passes)):
            c_t, g_t, one = context(config.attention, params, trace["f"], x, q, m[t], mask)
            m_t, update = next_memory(params, t, m[t], c_t, q)
            m, g, c, passes = [*m, m_t], [*g, g_t], [*c, c_t], [*passes, (one, update)]
        last = dropout(m[-1], trace["kept"][1]) if trace["kept"] else m[-1]
        logits = answer(last, q, params["W_a"], params["b_a"])
        return logits, trace | {"m": m, "g": g, "c": c, "passes": passes, "last": last, "logits": logits}

    def read(self, stories, dtype):
        """Check and trim a batch of stories -> Story."""
        return read(self.config, stories, dtype)

    def ask(self, params, trace):
        """The question: the last state of a GRU over its words."""
        trace["words"], trace["asked"] = embed(trace["query"], params["E"]), (trace["query"] != 0).astype(trace["mask"].dtype)
        trace["scan_q"] = self.gru(params, "q", trace["words"], trace["asked"])
        return trace["scan_q"][0][:, -1]

    def fuse(self, params, trace):
        """The facts, from the sentences' codes."""
        mask = trace["mask"]
        e = trace["e_kept"] = dropout(trace["e"], trace["kept"][0]) if trace["kept"] else trace["e"]
        trace["scan_f"] = self.gru(params, "f", e, mask)
        if not self.config.fusion:
            trace["f"] = trace["scan_f"][0]
            return
        trace["scan_r"] = self.gru(params, "r", e[:, ::-1], mask[:, ::-1])
        trace["f"] = fuse(trace["scan_f"][0], trace["scan_r"][0][:, ::-1], mask)

    def gru(self, params, name, x, mask):
        """All steps of the GRU `name` from a state of zeros -> (h, s, y), see scan.py."""
        x = inputs(x, params[f"W_{name}"], params[f"b_{name}"], mask)
        return scan(x, params[f"U_{name}"], np.zeros((len(x), self.config.d), x.dtype), np.ones_like(mask), mask)

    # ---- backward -----------------------------------------------------------------------------------------------------

    def backward(self, params, trace, d_outputs, dtrace=None):
        """Gradients of all parameters, from that of the logits. A dict given as `dtrace` receives those of logits, f, e, and of
        each pass's g, c and m, under the names of the trace (there m begins with m^0 = q)."""
        config, mask, m, q = self.config, trace["mask"], trace["m"], trace["q"]
        grads, kept_ = {}, trace["kept"]
        # logits = answer(last, q),  last = dropout(m^T)
        d_outputs = d_outputs.astype(mask.dtype, copy=False)
        dlast, dq, grads["W_a"], grads["b_a"] = answer_backward(d_outputs, trace["last"], q, params["W_a"])
        dm_t = dropout_backward(dlast, kept_[1]) if kept_ else dlast
        df, dx, steps = np.zeros_like(trace["f"]), 0, []
        for t in ticking(reversed(range(config.passes))):
            one, update = trace["passes"][t]
            # m_t = next_memory(m_prev, c, q)
            dm_past, dc, dq_update = next_memory_backward(dm_t, params, grads, t, m[t + 1], update, m[t], trace["c"][t], q)
            # c, g = context(f, x, q, m_prev)
            df_t, dx_t, dq_t, dm_seen, dg = context_backward(dc, config.attention, params, grads, trace["f"], trace["g"][t], one, q,
                                                             m[t], mask)
            steps.insert(0, {"m": dm_t, "c": dc, "g": dg})
            df, dx, dq = df + df_t, dx + dx_t, dq + dq_update + dq_t
            # m_prev went two ways: into the update and into the gates
            dm_t = dm_past + dm_seen
        # m^0 = q;  x = f W_c + b_c
        if config.attention != "soft":
            df_x, grads["W_c"], grads["b_c"] = inputs_backward(dx, trace["f"], params["W_c"], mask)
            df = df + df_x
        # q = ask(query)
        self.ask_backward(dq + dm_t, params, grads, trace)
        # f = fuse(e)
        de = self.fuse_backward(df, params, grads, trace)
        # e = encode_sentences(sentences)
        add(grads, "E", encode_sentences_backward(de, trace["sentences"], trace["l"], params["E"]))
        if dtrace is not None:
            dtrace.update({name: [step[name] for step in steps] for name in "mcg"}, logits=d_outputs, f=df, e=de)
        return {name: grads[name] for name in params}

    def ask_backward(self, dq, params, grads, trace):
        dh = np.zeros_like(trace["scan_q"][0])
        # q = the last state of scan_q
        dh[:, -1] = dq
        dwords = self.gru_backward(dh, params, grads, "q", trace["scan_q"], trace["words"], trace["asked"])
        # words = embed(query)
        add(grads, "E", embed_backward(dwords, trace["query"], params["E"]))

    def fuse_backward(self, df, params, grads, trace):
        """-> de"""
        mask, e, dback = trace["mask"], trace["e_kept"], None
        # f = fuse(ahead, back)
        if self.config.fusion:
            df, dback = fuse_backward(df, mask)
        # ahead = gru(e), back = gru(e backwards) backwards
        de = self.gru_backward(df, params, grads, "f", trace["scan_f"], e, mask)
        if dback is not None:
            de = de + self.gru_backward(dback[:, ::-1], params, grads, "r", trace["scan_r"], e[:, ::-1], mask[:, ::-1])[:, ::-1]
        # e_kept = dropout(e)
        return dropout_backward(de, trace["kept"][0]) if trace["kept"] else de

    def gru_backward(self, dh, params, grads, name, results, x, mask):
        """-> the gradient of x"""
        h, s, y = results
        dx, grads[f"U_{name}"], _, _ = scan_backward(dh, h, s, y, params[f"U_{name}"], np.zeros_like(h[:, 0]),
                                                       np.ones_like(mask), mask)
        # x = inputs(x)
        dx, grads[f"W_{name}"], grads[f"b_{name}"] = inputs_backward(dx, x, params[f"W_{name}"], mask)
        return dx


# ---- small parts ------------------------------------------------------------------------------------------------------------

GRU_WEIGHTS = tuple(f"{kind}_{name}" for kind in "WU" for name in "qfrc") + ("W_m", "U_m")


def gru_shapes(name, d, blocks=3):
    return {f"W_{name}": (d, blocks * d), f"U_{name}": (d, blocks * d), f"b_{name}": (blocks * d,)}


def xavier(rng, rows, columns, blocks=1):
    """Uniform in +- sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010); side by side, each block has outputs of its own."""
    return rng.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns // blocks))
