"""The hybrid: a working memory that writes precisely (an NTM) and a fact memory that is looked into (a MemN2N), as one model.

    z_t         = NTM(steps)_t                      it lives through the story; z_t has a part for each join      numpymem/ntm
    m_i, c_i    = MemN2N-memories of sentence i     the tables of words and times                                 numpymem/memn2n
    m_i, c_i    = m_i, c_i + z at the step when i was told        Hybrid-facts: a fact, and what was known when it was heard
    u^1         = query encoded + z at the step of the answer     Hybrid-both: the question, put by both
    u^{K+1}     = all hops from u^1, guided by z                  Hybrid-hops; without guide MemN2N-hops
    logits      = u^{K+1} W + z at the step of the answer         Hybrid-both: what the NTM knows needs no look-up

The NTM knows at every step what came before, so what a fact is kept together with can say "the third one" or "this is out of
date"; the hops bring back any fact in one look, however long ago it was told. One model can learn the tasks of both parents,
because it has both whole: `working_memory=False` leaves a MemN2N and `fact_memory=False` an NTM, the same numbers to the last bit.
"""

from typing import NamedTuple

import numpy as np

from numpymem.hybrid.config import HybridConfig
from numpymem.hybrid.equations import (keep_together, keep_together_backward, look_back, look_back_backward, say_both,
                                       say_both_backward)
from numpymem.hybrid.hops import back_through_guided_hops, guided_hops, guided_hops_backward
from numpymem.hybrid.reading import read_questions, read_steps, read_story
from numpymem.memn2n import MemN2N
from numpymem.memn2n.equations import (answer, answer_backward, encode_sentences, encode_sentences_backward, remember,
                                       remember_backward)
from numpymem.memn2n.hops import Way, all_hops, all_hops_backward, back_through_hops
from numpymem.memn2n.model import weights_table
from numpymem.ntm import NTM
from numpymem.ops.dropout import dropout, dropout_backward
from numpymem.ops.linear import flat

__all__ = ["Hybrid", "HybridConfig"]


class Parts(NamedTuple):
    """The parts of z, or of its gradient; without a working memory all are None, and `facts` also where it gives no context."""
    facts: np.ndarray         # (T, B, n, D) for the memories of each sentence
    question: np.ndarray      # (T, B, D)
    guide: np.ndarray         # (T, B, hops - 1, D), or None
    answer: np.ndarray        # (T, B, Y)


class Hybrid:
    """The model of one `HybridConfig`. It holds no weights: `params` is a dict name -> array, made by `init`, with the names of
    both parents."""

    form = "stream"

    def __init__(self, config):
        self.config = config
        self.memn2n, self.ntm = MemN2N(config.of_memn2n()), NTM(config.of_ntm())

    def init(self, rng, dtype=np.float32):
        """Fresh parameters: each parent's own, but what z adds to facts and questions starts as small as those are."""
        config, params = self.config, {}
        if config.fact_memory:
            params |= self.memn2n.init(rng, dtype)
        if config.working_memory:
            params |= self.ntm.init(rng, dtype)
            params["W_y"][:, :-config.n_outputs] *= config.init_scale
        return params

    # ---- forward ------------------------------------------------------------------------------------------------------

    def forward(self, params, inputs, rng=None, linear=False):
        """Scores of all answers, or of all bits of the answers.

        inputs   Streams, or anything with .steps (T, B, n_inputs), .sentences (B, I, J), .queries (B, Q, J), .told_at (B, I) and
                 .asked_at (Q): see numpymem/tasks/batches.py
        rng      given in training: time noise, N_training slots, and the loss of a side
        linear   True during linear start: the hops' softmax is left out
        returns  logits (Q, B, n_outputs); trace, a dict: 'ntm', the NTM's own trace; z (T, B, its outputs); of the fact memory
                 sentences, queries, age, mask, empty, told_at as in `Told`; memories (B, I, n, d), with what was known then; u
                 (K + 1, B, Q, d), o (K, B, Q, d), p (K, B, Q, I); kept: 0 where a story had to do without a side
        """
        config, asked_at = self.config, read_questions(inputs)
        B, Q = asked_at.shape
        trace = {"asked_at": asked_at, "kept": self.sides_kept(rng, B, self.dtype(params)), "z": None,
                 "way": Way(config.hops, config.relu, linear)}
        if config.working_memory:
            read_steps(config, inputs)
            z, trace["ntm"] = self.ntm.forward(params, inputs.steps, rng=rng)
            trace["z"] = dropout(z, trace["kept"][0]) if trace["kept"] else z
        z = self.parts(trace["z"])
        if config.fact_memory:
            trace |= read_story(config, inputs, self.dtype(params), rng)._asdict()
            logits = self.look_up(params, trace, z)
        else:
            logits = np.zeros((B, Q, config.n_outputs), self.dtype(params))
        if config.working_memory:
            logits = say_both(logits, z.answer, asked_at)
        trace["logits"] = logits = np.ascontiguousarray(logits.swapaxes(0, 1))
        return logits, trace

    def look_up(self, params, trace, z):
        """What the fact memory answers to all questions -> (B, Q, Y). Fills the trace."""
        parent, mask, (B, Q) = self.memn2n, trace["mask"], trace["asked_at"].shape
        E, T, l = parent.side_by_side(params, parent.tables), parent.side_by_side(params, parent.time_tables), self.weights(mask)
        memories = remember(trace["sentences"], l, E, trace["age"], T)                                   # (B, I, n, d)
        if z.facts is not None:
            memories = keep_together(memories, z.facts, trace["told_at"], mask)
        u1 = encode_sentences(trace["queries"], l, params[parent.query_table])                                         # (B, Q, d)
        if z.question is not None:
            u1 = say_both(u1, z.question, trace["asked_at"])
        seen = mask * trace["kept"][1] if trace["kept"] else mask
        H = parent.matrix_H(params)
        if z.guide is None:
            guide, found = None, [all_hops(u1[:, q], memories, H, seen, trace["empty"], trace["way"]) for q in range(Q)]
        else:
            guide = look_back(z.guide, trace["asked_at"])                                                # (B, Q, hops - 1, d)
            found = [guided_hops(u1[:, q], guide[:, q], memories, H, seen, trace["empty"], trace["way"]) for q in range(Q)]
        u, o, p = (np.stack(of_each, axis=2) for of_each in zip(*found))
        trace |= {"tables": (E, T), "memories": memories, "seen": seen, "H": H, "guide": guide, "u": u, "o": o, "p": p}
        return answer(flat(u[-1]), parent.answer_matrix(params)).reshape(B, Q, -1)

    def sides_kept(self, rng, B, dtype):
        """In training: 1 or 0 for each story's NTM (1, B, 1) and facts (B, 1); nothing where no side is ever lost."""
        config = self.config
        if rng is None or not (config.fact_memory and config.working_memory) or not config.facts_dropout + config.working_dropout:
            return []
        chance = rng.random(B)
        facts, working = chance >= config.facts_dropout, chance < 1 - config.working_dropout
        return [working.astype(dtype)[None, :, None], facts.astype(dtype)[:, None]]

    # ---- backward -----------------------------------------------------------------------------------------------------

    def backward(self, params, trace, d_outputs, dtrace=None):
        """Gradients of all parameters, from that of the logits. A dict given as `dtrace` receives those of the trace under the same
        names: logits, z, memories; for each question u, o, p, m and c, as MemN2N has them; 'ntm', a dict as the NTM fills it."""
        config, asked_at, grads = self.config, trace["asked_at"], {}
        z, dz = self.parts(trace["z"]), Parts(None, None, None, None)
        dlogits = d_outputs.astype(self.dtype(params), copy=False).swapaxes(0, 1)                        # (B, Q, Y)
        if dtrace is not None:
            dtrace["logits"] = dlogits.swapaxes(0, 1)
        # logits = say_both(looked_up, z.answer)
        if config.working_memory:
            dlogits, d_answer = say_both_backward(dlogits, z.answer, asked_at)
            dz = dz._replace(answer=d_answer)
        # looked_up = look_up(memories, questions)
        if config.fact_memory:
            dz = self.look_up_backward(dlogits, params, grads, trace, z, dz, dtrace)
        # z = NTM(steps)
        if config.working_memory:
            grads |= self.work_backward(params, trace, dz, dtrace)
        return {name: grads[name] for name in params}

    def look_up_backward(self, dlogits, params, grads, trace, z, dz, dtrace):
        """-> dz with the gradients of its parts for facts and questions. Fills grads."""
        parent, u, mask, l = self.memn2n, trace["u"], trace["mask"], self.weights(trace["mask"])
        # logits = answer(u^{K+1}, W)
        d_last, dW = answer_backward(flat(dlogits), flat(u[-1]), parent.answer_matrix(params))
        # u, o, p = all_hops(u^1, memories) or guided_hops(u^1, guide, memories), question by question
        du1, d_guide, d_memories, grads["H"] = self.hops_backward(d_last.reshape(u[-1].shape), trace, dtrace)
        # guide = look_back(z.guide, asked_at)
        if z.guide is not None:
            dz = dz._replace(guide=look_back_backward(d_guide, z.guide, trace["asked_at"]))
        # u^1 = say_both(encode_sentences(queries), z.question)
        if z.question is not None:
            du1, d_question = say_both_backward(du1, z.question, trace["asked_at"])
            dz = dz._replace(question=d_question)
        table = parent.query_table
        grads[table] = encode_sentences_backward(du1, trace["queries"], l, params[table])
        # memories = keep_together(remember(sentences), z.facts)
        if z.facts is not None:
            d_memories, d_facts = keep_together_backward(d_memories, z.facts, trace["told_at"], mask)
            dz = dz._replace(facts=d_facts)
        dE, dT = remember_backward(d_memories, trace["sentences"], l, trace["tables"][0], trace["age"], trace["tables"][1])
        parent.add_apart(grads, parent.tables, dE)
        parent.add_apart(grads, parent.time_tables, dT)
        parent.add_answer_gradient(grads, dW)
        return dz

    def hops_backward(self, d_last, trace, dtrace):
        """-> du1 (B, Q, d), dguide (B, Q, hops - 1, d) or None, dmemories (B, I, n, d) and dH, sums over the questions, which share
        them"""
        guide, memories, H, seen = trace["guide"], trace["memories"], trace["H"], trace["seen"]
        du1, d_guide, d_memories, dH, steps = np.empty_like(d_last), None if guide is None else np.empty_like(guide), 0, 0, []
        for q in reversed(range(d_last.shape[1])):
            u, step = trace["u"][:, :, q], None if dtrace is None else {}
            du = np.zeros_like(u)
            du[-1] = d_last[:, q]
            past, rest = (du, u, trace["p"][:, :, q]), (memories, H, seen, trace["way"])
            if guide is None:
                du1[:, q], d_memories_q, dH_q = (all_hops_backward(*past, *rest) if dtrace is None
                                                 else back_through_hops(*past, *rest, step))
            else:
                past = (*past, guide[:, q])
                du1[:, q], d_guide[:, q], d_memories_q, dH_q = (guided_hops_backward(*past, *rest) if dtrace is None
                                                                else back_through_guided_hops(*past, *rest, step))
            d_memories, dH, steps = d_memories + d_memories_q, dH + dH_q, [step, *steps]
        if dtrace is not None:
            dtrace.update({name: [step[name] for step in steps] for name in steps[0]}, memories=d_memories)
        return du1, d_guide, d_memories, dH

    def work_backward(self, params, trace, dz, dtrace):
        """-> gradients of the NTM's parameters."""
        T, B = trace["z"].shape[:2]
        # z.facts, z.question, z.guide, z.answer = z
        dz = np.concatenate([part.reshape(T, B, -1) for part in dz if part is not None], axis=-1)
        if dtrace is not None:
            dtrace.update(z=dz, ntm={})
        # z = dropout(z)
        if trace["kept"]:
            dz = dropout_backward(dz, trace["kept"][0])
        own = {name: value for name, value in params.items() if not self.config.fact_memory or name not in self.memn2n.shapes}
        return self.ntm.backward(own, trace["ntm"], dz, dtrace=None if dtrace is None else dtrace["ntm"])

    # ---- small parts --------------------------------------------------------------------------------------------------

    def parts(self, z):
        """z (T, B, all) -> its Parts, as views."""
        if z is None:
            return Parts(None, None, None, None)
        d, widths = self.config.d, self.config.widths
        facts, question, guide, answers = np.split(z, np.cumsum(widths[:-1]), axis=-1)
        facts, guide = (part.reshape(*z.shape[:2], -1, d) if part.shape[-1] else None for part in (facts, guide))
        return Parts(facts, question if widths[1] else None, guide, answers)

    def weights(self, mask):
        """Position weights of sentences of every length: the table `l` of MemN2N-encode."""
        return weights_table(self.config.encoding, self.config.max_sentence_words, self.config.d, mask.dtype)

    def dtype(self, params):
        return params[self.memn2n.tables[0] if self.config.fact_memory else "W_y"].real.dtype
