"""A Transformer with an NTM's memory between encoder and decoder (our proposal, after section 7.2 of the article).

    x     = words + position codes, of each segment by itself and of the question; there, with neighbours=True, each word with those
            beside it                                                                             (MT-neighbours)
    x     = encoder layers (x): attention within the segment, feed-forward                        (Transformer-1, -2)
    h_i   = mean of the words of item i + position code of i                                      (MT-items)
    M     = memory after a write head wrote the items one by one                                  (MT-write)
    z     = what was answered so far + position codes
    each layer of the decoder:
        z = z + attention to itself, not ahead;  z + attention to the question                    (Transformer-1)
        z = z + gate o what a read head finds in M                                                (MT-read, MT-fuse)
        z = z + feed-forward(z)                                                                   (Transformer-2)
    logits = z O^T + b, and, where words of the question can be answers, z W_p . x                (MT-pointer)

The encoder sees one segment at a time; only the memory reaches from one to the other, or, with memory="attention", the decoder's
attention, which then goes to every word that was told. A decoder that has only the memory and what
it said itself: strict=True. Parameters' names: layers.py, memory.py. E words; O answers, as input and as output (tied).
"""

import numpy as np

from numpymem.memn2n.model import add
from numpymem.memory_transformer.config import MemoryTransformerConfig, initial, shapes
from numpymem.memory_transformer.equations import (items, items_backward, neighbours, neighbours_backward, pointer,
                                                   pointer_backward)
from numpymem.memory_transformer.layers import feed, feed_backward, look, look_backward, norm, norm_backward, rows
from numpymem.memory_transformer.memory import recall, recall_backward, write, write_backward
from numpymem.memory_transformer.reading import read
from numpymem.memory_transformer.transformer import position_code
from numpymem.ops.dropout import dropout, dropout_backward, kept
from numpymem.ops.embedding import embed, embed_backward
from numpymem.ops.linear import linear, linear_backward


class MemoryTransformer:
    """The model of one `MemoryTransformerConfig`. It holds no weights: `params` is a dict name -> array, made by `init`."""

    form = "segments"

    def __init__(self, config):
        if not isinstance(config, MemoryTransformerConfig):
            raise ValueError(f"config: expected a MemoryTransformerConfig, received {config!r}")
        self.config = config

    @property
    def shapes(self):
        """The shape of every parameter, by name."""
        return shapes(self.config)

    @property
    def penalised(self):
        """Names of the parameters that the L2 penalty of a recipe holds small: matrices, without words and answers."""
        return tuple(name for name, shape in self.shapes.items() if len(shape) == 2 and name not in ("E", "O", "E_m", "M_0"))

    def init(self, rng, dtype=np.float32):
        """Fresh parameters."""
        return initial(self.config, rng, dtype)

    # ---- forward ------------------------------------------------------------------------------------------------------

    def forward(self, params, inputs, rng=None, forget=False):
        """Scores of all answers at each step.

        inputs   Segments, see numpymem/tasks/batches.py
        rng      given in training: dropout
        forget   True: the memory is wiped before it is read, to see what it is worth
        returns  logits (T, B, n_outputs), with pointers (T, B, n_outputs + Q); trace, a dict: told (reading.py), x the encoded
                 words of the segments (R, L, d) and x_q of the question (B, Q, d), h items (B, I, d), write (memory.py),
                 M (B, N, W), z (B, T, d), and for each layer of encoder and decoder what it did
        """
        trace = self.tell(params, inputs, rng, forget)
        z, trace["decoder"] = self.decode(params, trace, trace["told"].prompt)
        trace["logits"], trace["z"], trace["d"] = self.score(params, trace, z)
        return trace["logits"], trace

    def tell(self, params, inputs, rng=None, forget=False):
        """All that comes before the decoder -> trace."""
        config, told = self.config, read(self.config, inputs)
        dtype = params["E"].real.dtype
        drop = self.drop(rng, dtype)
        trace = {"told": told, "drop": drop, "asked": (told.question != 0).astype(dtype)}
        trace["vectors"] = vectors = embed(told.words, params["E"]).sum(1) * root(config.d, dtype)             # (V, d)
        x_q = embed(told.question, vectors)
        if config.n_marks:
            x_q = x_q + embed(told.marks, params["E_m"]) * root(config.d, dtype)
        if config.neighbours:
            trace["words_q"], x_q = x_q, neighbours(x_q, params["N_l"], params["N_r"])
        x_q = x_q + self.places(told.question, dtype)
        trace["x_q"], trace["encoder_q"] = self.encode(params, x_q, trace["asked"], drop)
        if config.memory == "none":
            return trace
        trace["heard"] = (told.rows != 0).astype(dtype)
        x = embed(told.rows, vectors) + self.places(told.rows, dtype)
        trace["x"], trace["encoder"] = self.encode(params, x, trace["heard"], drop)
        trace["h"], trace["written"] = (self.spread if config.memory == "attention" else self.gather)(trace, dtype)
        if config.memory == "ntm":
            M, trace["write"] = write(config, params, trace["h"], trace["written"])
            trace["M"] = np.zeros_like(M) if forget else M
            trace["forgot"] = forget
        elif forget:
            trace["h"] = np.zeros_like(trace["h"])
        return trace

    def places(self, words, dtype):
        """Position codes of word numbers (R, L): nil words are not counted, so that padding inside a row moves nothing."""
        number = np.maximum((words != 0).cumsum(1) - 1, 0)
        return position_code(words.shape[1], self.config.d, dtype)[number]

    def drop(self, rng, dtype):
        """What dropout keeps, as a function shape -> array; None without dropout."""
        if rng is None or not self.config.dropout:
            return None
        return lambda shape: kept(rng, shape, self.config.dropout, dtype)

    def encode(self, params, x, mask, drop):
        """The encoder's layers over rows of words -> (B, L, d), trace."""
        config, layers = self.config, []
        k0 = None if drop is None else drop(x.shape)
        x = x if k0 is None else dropout(x, k0)
        looks = np.broadcast_to(mask[:, None], (len(x), x.shape[1], x.shape[1]))
        for layer in range(1, config.encoder_layers + 1):
            k1, k2 = (None, None) if drop is None else (drop(x.shape), drop(x.shape))
            x, own = look(params, f"e{layer}_self", x, None, looks, config.heads, k1)
            x, fed = feed(params, f"e{layer}_ff", x, k2)
            layers.append((own, fed))
        x, last = norm(params, "e", x)
        return x, (k0, layers, last)

    def gather(self, trace, dtype):
        """The items of each story, in order -> h (B, I, d), written (B, I)."""
        told, (I, J) = trace["told"], trace["told"].spell
        x, written = trace["x"], told.written.astype(dtype)
        found = items(x.reshape(len(x), I, J, -1), trace["heard"].reshape(len(x), I, J))                 # (R, I, d)
        h = np.zeros((*written.shape, x.shape[-1]), x.dtype)
        h[told.story, told.number] = rows(found)[told.place]
        if self.config.strict:
            h, written = (np.concatenate([each, np.zeros_like(each[:, :1])], axis=1) for each in (h, written))
            each, last = question_item(written)
            h[each, last], written[each, last] = items(trace["x_q"][:, None], trace["asked"][:, None])[:, 0], 1
        return (h + position_code(h.shape[1], self.config.d, dtype)) * written[..., None], written

    def spread(self, trace, dtype):
        """The words of all segments side by side, each with the code of its segment's number -> (B, G L, d), mask (B, G L)."""
        told, x = trace["told"], trace["x"]
        B, G, (_, L, d) = len(told.question), int(told.segment.max()) + 1, x.shape
        h, mask = np.zeros((B, G, L, d), x.dtype), np.zeros((B, G, L), dtype)
        h[told.row_story, told.segment] = x + position_code(G, d, dtype)[told.segment][:, None]
        mask[told.row_story, told.segment] = trace["heard"]
        return h.reshape(B, G * L, d), mask.reshape(B, G * L)

    def spread_backward(self, dh, trace):
        """-> gradients of x and (none) of x_q"""
        told, (_, L, d) = trace["told"], trace["x"].shape
        return dh.reshape(len(dh), -1, L, d)[told.row_story, told.segment], 0

    def decode(self, params, trace, prompt, past=None):
        """The decoder's layers at the places of `prompt` (B, T) -> z (B, T, d), a list with the trace of each layer.

        past   of the places before, a list with a dict for each layer: `seen` (B, places, d) and `w` (B, heads, N); see decoding.py
        """
        config, x_q, dtype = self.config, trace["x_q"], trace["x_q"].real.dtype
        before = 0 if past is None else past[0]["seen"].shape[1]
        z = self.prompt(params, prompt, x_q) + position_code(before + prompt.shape[1], config.d, dtype)[before:]
        (B, T, _), drop, layers = z.shape, trace["drop"], []
        ahead = np.broadcast_to(np.tri(T, before + T, before, dtype=dtype), (B, T, before + T))
        mask = np.broadcast_to(trace["asked"][:, None], (B, T, x_q.shape[1]))
        for layer in range(1, config.decoder_layers + 1):
            known, made = past[layer - 1] if past else {"seen": None, "w": None}, {}
            k1, k2, k3 = (None, None, None) if drop is None else (drop(z.shape), drop(z.shape), drop(z.shape))
            z, made["self"] = look(params, f"d{layer}_self", z, None, ahead, config.heads, k1, known["seen"])
            if not config.strict:
                z, made["cross"] = look(params, f"d{layer}_cross", z, x_q, mask, config.heads, k2)
            if config.memory != "none":
                z, made["read"] = recall(config, params, f"d{layer}_read", z, self.memory(trace, T), known["w"])
            z, made["ff"] = feed(params, f"d{layer}_ff", z, k3)
            layers.append(made)
        return z, layers

    def score(self, params, trace, z):
        """What the decoder's last layer says (B, T, d) -> logits (T, B, n_outputs [+ Q]), z normalised, what the backward needs."""
        z, kept_ = norm(params, "d", z)
        logits = linear(rows(z), params["O"][1:].T, params["O_b"]).reshape(*z.shape[:2], -1)
        if self.config.pointers:
            logits = np.concatenate([logits, pointer(z, trace["x_q"], params["W_p"], trace["asked"])], axis=2)
        return logits.swapaxes(0, 1), z, kept_

    def prompt(self, params, prompt, x_q):
        """What was answered before as vectors: 0 nothing, 1 + class, or the word of the question that was pointed at."""
        Y, dtype = self.config.n_outputs, x_q.real.dtype
        z = embed(np.where(prompt <= Y, prompt, 0), params["O"]) * root(self.config.d, dtype)
        story, step = np.nonzero(prompt > Y)
        if len(story):
            z[story, step] += x_q[story, prompt[story, step] - Y - 1]
        return z

    def memory(self, trace, T):
        """What `recall` reads."""
        if self.config.memory == "ntm":
            return trace["M"]
        mask = trace["written"]
        if self.config.memory == "append":                            # as many as there are slots: the latest
            after = mask[:, ::-1].cumsum(1)[:, ::-1] - mask
            mask = mask * (after < self.config.N)
        return trace["h"], np.broadcast_to(mask[:, None], (len(mask), T, mask.shape[1]))

    # ---- backward -----------------------------------------------------------------------------------------------------

    def backward(self, params, trace, d_outputs, dtrace=None):
        """Gradients of all parameters, from that of the logits. A dict given as `dtrace` receives those of logits, z, h, M, x and
        x_q, under the names of the trace."""
        config, Y, grads = self.config, self.config.n_outputs, {}
        z, told = trace["z"], trace["told"]
        d_outputs = d_outputs.astype(z.dtype, copy=False)
        dlogits, dx_q = d_outputs.swapaxes(0, 1), np.zeros_like(trace["x_q"])
        # logits = [z O^T + b, pointer(z, x_q)]
        dz, dO, grads["O_b"] = linear_backward(np.ascontiguousarray(rows(dlogits[..., :Y])), rows(z), params["O"][1:].T)
        grads["O"] = np.concatenate([np.zeros_like(dO.T[:1]), dO.T])
        dz = dz.reshape(z.shape)
        if config.pointers:
            dz_p, dx_q, grads["W_p"] = pointer_backward(dlogits[..., Y:], z, trace["x_q"], params["W_p"], trace["asked"])
            dz = dz + dz_p
        # z = norm(decode(prompt))
        dlast = norm_backward(dz, params, grads, "d", trace["d"])
        dmemory, dseen, dprompted = self.decode_backward(dlast, params, grads, trace)
        dx_q = dx_q + dprompted
        if not config.strict:
            dx_q = dx_q + dseen
        dM, dh, dx = None, dmemory, None
        if config.memory == "ntm":
            # M = write(h)
            dM = np.zeros_like(dmemory) if trace["forgot"] else dmemory
            dh = write_backward(dM, config, params, grads, trace["write"])
        if config.memory != "none":
            # h = gather(x), or spread(x)
            dx, dx_q_item = (self.spread_backward if config.memory == "attention" else self.gather_backward)(dh, trace)
            dx_q = dx_q + dx_q_item
        if dtrace is not None:
            named = {"x": dx, "x_q": dx_q, "z": dz, "logits": d_outputs, "h": None if dx is None else dh, "M": dM}
            dtrace.update({name: [value] for name, value in named.items() if value is not None})
        # x_q, x = encode(vectors + position codes)
        dvectors = 0
        if dx is not None:
            dvectors = embed_backward(self.encode_backward(dx, params, grads, trace["encoder"]), told.rows, trace["vectors"])
        dx_q = self.encode_backward(dx_q, params, grads, trace["encoder_q"])
        if config.neighbours:
            dx_q, grads["N_l"], grads["N_r"] = neighbours_backward(dx_q, trace["words_q"], params["N_l"], params["N_r"])
        if config.n_marks:
            grads["E_m"] = embed_backward(dx_q * root(config.d, dx_q.dtype), told.marks, params["E_m"])
        dvectors = dvectors + embed_backward(dx_q, told.question, trace["vectors"])
        # vectors = sqrt d sum_f E[words]
        dwords = np.broadcast_to((dvectors * root(config.d, dx_q.dtype))[:, None], (*told.words.shape, config.d))
        grads["E"] = embed_backward(dwords, told.words, params["E"])
        return {name: grads[name] if name in grads else np.zeros_like(value) for name, value in params.items()}

    def decode_backward(self, dz, params, grads, trace):
        """-> gradients of the memory (M, or the items), of what the cross attention saw, and of x_q by prompts"""
        config, dmemory, dseen = self.config, 0, 0
        memory = None if config.memory == "none" else self.memory(trace, dz.shape[1])
        for layer in range(config.decoder_layers, 0, -1):
            made = trace["decoder"][layer - 1]
            dz = feed_backward(dz, params, grads, f"d{layer}_ff", made["ff"])
            if "read" in made:
                dz, dmemory_l = recall_backward(dz, config, params, grads, f"d{layer}_read", made["read"], memory)
                dmemory = dmemory + dmemory_l
            if "cross" in made:
                dz, dseen_l = look_backward(dz, params, grads, f"d{layer}_cross", made["cross"], config.heads)
                dseen = dseen + dseen_l
            dz, _ = look_backward(dz, params, grads, f"d{layer}_self", made["self"], config.heads)
        # z = prompt(O, x_q) + position codes
        Y, prompt, dx_q = config.n_outputs, trace["told"].prompt, np.zeros_like(trace["x_q"])
        add(grads, "O", embed_backward(dz * root(config.d, dz.dtype), np.where(prompt <= Y, prompt, 0), params["O"]))
        story, step = np.nonzero(prompt > Y)
        np.add.at(dx_q, (story, prompt[story, step] - Y - 1), dz[story, step])
        return dmemory, dseen, dx_q

    def gather_backward(self, dh, trace):
        """-> gradients of x and, from its being written (strict), of x_q"""
        told, (I, J), x = trace["told"], trace["told"].spell, trace["x"]
        dx_q = 0
        dh = dh * trace["written"][..., None]
        if self.config.strict:
            each, last = question_item(trace["written"])
            dx_q = items_backward(dh[each, last - 1][:, None], trace["asked"][:, None])[:, 0]
        # h[story, number] = items(x)[place]
        dfound = np.zeros((len(x) * I, x.shape[-1]), dh.dtype)
        dfound[told.place] = dh[told.story, told.number]
        return items_backward(dfound.reshape(len(x), I, -1), trace["heard"].reshape(len(x), I, J)).reshape(x.shape), dx_q

    def encode_backward(self, dx, params, grads, kept_):
        """-> gradient of the vectors that the encoder was given"""
        k0, layers, last = kept_
        dx = norm_backward(dx, params, grads, "e", last)
        for layer in range(len(layers), 0, -1):
            own, fed = layers[layer - 1]
            dx = feed_backward(dx, params, grads, f"e{layer}_ff", fed)
            dx, _ = look_backward(dx, params, grads, f"e{layer}_self", own, self.config.heads)
        return dx if k0 is None else dropout_backward(dx, k0)


def question_item(written):
    """Where the next item of each story goes, after those it has (B, I): two of (B,)."""
    return np.arange(len(written)), written.sum(1).astype(int)


def root(d, dtype):
    """sqrt d: words and answers are multiplied with it, so that they are of the size of position codes (Vaswani et al., 3.4)."""
    return dtype.type(np.sqrt(d))
