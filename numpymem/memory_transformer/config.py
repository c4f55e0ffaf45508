"""What makes one memory Transformer, the shapes of its parameters, and how they start."""

from dataclasses import dataclass, replace

import numpy as np

from numpymem.initial import check_at_least, check_choice
from numpymem.memory_transformer.memory import read_sizes, write_sizes
from numpymem.ntm.held import HEAD, check_switches
from numpymem.ntm.step import places

COUNTS = {"n_words": 2, "n_outputs": 1, "n_marks": 0, "d": 1, "heads": 1, "encoder_layers": 0, "decoder_layers": 1, "ff": 1, "N": 2,
          "W": 1, "write_heads": 1, "read_heads": 1, "shifts": 1}
HINTS = {"write": {"g": -2.0, "gamma": 2.0}, "read": {"g": 2.0, "beta": 2.0}}         # biases of raw numbers at the start
STEP = 3.0                                        # and of a write head's shift to the next slot
MEMORIES = ("ntm", "append", "attention", "none")


@dataclass(frozen=True)
class MemoryTransformerConfig:
    """The settings of a memory Transformer.

    n_words         rows of the table of vectors that words are made from, with nil (row 0)
    n_outputs       classes to answer with
    n_marks         what can be said of a word of the question beside the word (0: nothing)
    neighbours      whether each word of the question is given with the word before it and the one after it
    pointers        whether a word of the question, too, can be an answer
    d, heads, ff    width; attention heads, which divide it; width inside the feed-forward parts
    encoder_layers, decoder_layers   how many; every layer of the decoder reads the memory once
    memory          "ntm", "append", "attention" or "none": see memory.py
    addressing      "both"; "content": no gate, no shift, no sharpening; "location": no look-up by content   (memory "ntm")
    erase           False: the memory is only added to                                                       (memory "ntm")
    strict          True: the question, too, is written as an item, and the decoder sees it in no other way
    N, W            slots of the memory and their width
    write_heads, read_heads, shifts  of the memory; with memory "append", read_heads attention heads
    initial_memory  "constant": 1e-6 everywhere; "learned". By content alone constant rows can never be told apart
    hints           True: untrained, write heads go from slot to slot and read heads look things up: see HINTS. False: neither
    matched         True: the feed-forward parts are widened until there are as many parameters as with memory "ntm", so that what
                    is compared is the memory
    dropout         in training this part of the words' vectors and of what each part adds is set to zero
    """
    n_words: int
    n_outputs: int
    n_marks: int = 0
    pointers: bool = False
    d: int = 64
    heads: int = 4
    ff: int = 128
    encoder_layers: int = 1
    decoder_layers: int = 1
    memory: str = "ntm"
    addressing: str = "both"
    erase: bool = True
    strict: bool = False
    N: int = 32
    W: int = 32
    write_heads: int = 1
    read_heads: int = 4
    shifts: int = 3
    initial_memory: str = "learned"
    hints: bool = True
    matched: bool = False
    dropout: float = 0.0
    neighbours: bool = False

    def __post_init__(self):
        for name, least in COUNTS.items():
            check_at_least(name, getattr(self, name), least)
        check_choice("memory", self.memory, MEMORIES)
        check_switches(self)
        check_choice("initial_memory", self.initial_memory, ("constant", "learned"))
        for name in ("pointers", "strict", "hints", "matched", "neighbours"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: expected True or False, received {getattr(self, name)!r}")
        for name, whole, heads in (("d", self.d, self.heads), ("W", self.W, self.read_heads)):
            if whole % heads and (name == "d" or self.memory in ("append", "attention")):
                raise ValueError(f"{name}: expected a multiple of the {heads} heads, received {whole}")
        if self.shifts % 2 == 0 or self.shifts > self.N:
            raise ValueError(f"shifts: expected an odd number of at most N = {self.N}, received {self.shifts}")
        p = self.dropout
        if isinstance(p, bool) or not isinstance(p, (int, float, np.integer, np.floating)) or not 0 <= p < 1:
            raise ValueError(f"dropout: expected a number from 0 to below 1, received {p!r}")
        if self.strict and (self.pointers or self.memory not in ("ntm", "append")):
            raise ValueError("strict: expected False with pointers, and without a memory, received True")


def shapes(c):
    """The shape of every parameter of a config, by name."""
    d, ff = c.d, inner_width(c)
    found = {"E": (c.n_words, d), "O": (c.n_outputs + 1, d), **({"E_m": (c.n_marks + 1, d)} if c.n_marks else {})}
    found |= {"N_l": (d, d), "N_r": (d, d)} if c.neighbours else {}
    for layer in range(1, c.encoder_layers + 1):
        found |= attention_shapes(f"e{layer}_self", d) | feed_shapes(f"e{layer}_ff", d, ff)
    found |= norm_shapes("e", d)
    if c.memory == "ntm":
        sizes = write_sizes(c)
        found |= {"write_W": (d, sizes.raw), "write_b": (sizes.raw,)}
        found |= {"M_0": (c.N, c.W)} if c.initial_memory == "learned" else {}
    for layer in range(1, c.decoder_layers + 1):
        found |= attention_shapes(f"d{layer}_self", d)
        found |= {} if c.strict else attention_shapes(f"d{layer}_cross", d)
        found |= read_shapes(c, f"d{layer}_read") | feed_shapes(f"d{layer}_ff", d, ff)
    return found | norm_shapes("d", d) | {"O_b": (c.n_outputs,)} | ({"W_p": (d, d)} if c.pointers else {})


def inner_width(c):
    """The width inside the feed-forward parts: `ff`, or, matched, what makes up for the parameters that memory "ntm" would have."""
    if not c.matched:
        return c.ff
    missing = parameters(replace(c, memory="ntm", matched=False)) - parameters(replace(c, matched=False))
    return c.ff + round(missing / ((2 * c.d + 1) * (c.encoder_layers + c.decoder_layers)))


def norm_shapes(name, d):
    return {f"{name}_g": (d,), f"{name}_b": (d,)}


def attention_shapes(name, d):
    return norm_shapes(name, d) | {f"{name}_{which}": (d, d) for which in ("W_q", "W_k", "W_v", "W_o")}


def feed_shapes(name, d, ff):
    return norm_shapes(name, d) | {f"{name}_W_1": (d, ff), f"{name}_b_1": (ff,), f"{name}_W_2": (ff, d), f"{name}_b_2": (d,)}


def read_shapes(c, name):
    if c.memory == "none":
        return {}
    d, read = c.d, c.W * (c.read_heads if c.memory == "ntm" else 1)
    if c.memory == "ntm":
        found = {f"{name}_W": (d, read_sizes(c).raw), f"{name}_bias": (read_sizes(c).raw,)}
    else:
        found = {f"{name}_{which}": (d, c.W) for which in ("W_q", "W_k", "W_v")}
    return norm_shapes(name, d) | found | {f"{name}_W_g": (d, d), f"{name}_b_g": (d,), f"{name}_W_r": (read, d)}


def parameters(c):
    """How many numbers a config has to learn."""
    return sum(int(np.prod(shape)) for shape in shapes(c).values())


def initial(c, rng, dtype):
    """Fresh parameters: tables N(0, 1 / d), row 0 (nil) zero; weights N(0, 1 / inputs); gains one, biases zero."""
    params = {}
    for name, shape in shapes(c).items():
        if name in ("E", "O", "E_m"):
            value = rng.standard_normal(shape) / np.sqrt(c.d)
            value[0] = 0
        elif name == "M_0":
            value = rng.standard_normal(shape) * 0.1
        elif len(shape) == 2:
            value = rng.standard_normal(shape) / np.sqrt(shape[0])
        else:
            value = np.ones(shape) if name.endswith("_g") and not name.endswith("_b_g") else np.zeros(shape)
        params[name] = value.astype(dtype)
    if c.hints and c.memory == "ntm":
        give_hints(c, params)
    return params


def give_hints(c, params):
    """Set the biases of HINTS and STEP."""
    biases = [("write", "write_b", write_sizes(c))]
    biases += [("read", f"d{layer}_read_bias", read_sizes(c)) for layer in range(1, c.decoder_layers + 1)]
    for kind, name, sizes in biases:
        at = {each: place for each, (place, *_) in zip(HEAD, places(sizes))}
        for each, value in HINTS[kind].items():
            params[name][at[each]] = value
        if kind == "write":
            params[name][at["s"]].reshape(sizes.H, sizes.S)[:, sizes.S // 2 + 1:sizes.S // 2 + 2] = STEP
