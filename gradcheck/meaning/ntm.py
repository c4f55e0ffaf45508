"""What the Neural Turing Machine's equations mean (see meaning.py)."""

import itertools

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, one_hot, same, simplex
from numpymem.ntm import NTM, NTMConfig
from numpymem.ntm.equations import add, content_weights, erase, interpolate, read, sharpen, shift
from numpymem.ntm.held import hold_heads
from numpymem.ntm.step import HeadSizes, head_parameters, memory_step
from numpymem.ops.cosine import cosine_similarity

FAR = 1e4                                # squashed, it is the end of the range: sigmoid 1, softplus 1e4 (of -FAR: 0)
SIZES = HeadSizes(R=1, Q=1, W=4, S=3)


def raw_parameters(sizes, k=0.0, beta=0.0, g=0.0, s=0.0, gamma=0.0, e=0.0, a=0.0):
    """One raw vector (P,), each part filled with a number or an array."""
    raw = np.zeros(sizes.raw)
    for part, value in zip(np.split(raw, sizes.cuts[:-1]), (k, beta, g, s, gamma, e, a)):
        part[:] = np.ravel(value)
    return raw


def models():
    """Small NTMs with either controller and every kind of start."""
    sizes = {"controller_size": 7, "N": 6, "W": 4, "read_heads": 2, "write_heads": 2}
    for controller, start in itertools.product(("lstm", "feedforward"), ("learned", "one-hot")):
        yield controller, NTM(NTMConfig(3, 2, controller=controller, initial_weights=start, **sizes))


# ---- addressing ------------------------------------------------------------------------------------------------------------

@meaning("similarity-of-directions", "NTM-6")
def similarity_of_directions(rng):
    """The similarity of a vector with itself, or with a longer or shorter copy, is 1; with its opposite -1; with nothing 0."""
    k, M = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5, 4))
    expected = np.einsum("bhw,bnw->bhn", k / np.linalg.norm(k, axis=-1, keepdims=True),
                         M / np.linalg.norm(M, axis=-1, keepdims=True))
    same(cosine_similarity(100 * k[:, :1], 7e3 * k[:, :1]), 1.0, "similarity with a longer copy", 1e-11)
    same(cosine_similarity(100 * k[:, :1], -7e3 * k[:, :1]), -1.0, "similarity with the opposite", 1e-11)
    same(cosine_similarity(k, 0 * M), 0.0, "similarity with a zero row")
    for longer, wider in ((1, 1), (100, 1), (1, 30), (0.1, 10)):
        same(cosine_similarity(longer * k, wider * M), expected,               # 1e-8 stands in the root
             f"cosine with a key {longer} and a memory {wider} times as long", 2e-6)


@meaning("content-is-a-distribution", "NTM-5")
def content_is_a_distribution(rng):
    """Content weights are non-negative, and over the slots they sum to one, also for a batch of one."""
    for B in (3, 1):
        distribution(content_weights(rng.standard_normal((B, 2, 7)), 3 * rng.random((B, 2, 1))), f"w_c, batch of {B}")


@meaning("beta-sharpens-content", "NTM-5")
def beta_sharpens_content(rng):
    """Key strength 0 looks at all slots alike, a large one at the most similar slot alone."""
    K = rng.uniform(-1, 1, (2, 3, 7))
    same(content_weights(K, np.zeros((2, 3, 1))), 1 / 7, "w_c with beta 0", 1e-15)
    same(content_weights(K, np.full((2, 3, 1), 1e6)), np.eye(7)[K.argmax(-1)], "w_c with beta 1e6")


@meaning("gate-chooses", "NTM-7")
def gate_chooses(rng):
    """Gate 0 keeps the weights of the step before, gate 1 takes the content weights, and between them is a mixture."""
    w_c, w_prev = simplex(rng, 2, 3, 5), simplex(rng, 2, 3, 5)
    same(interpolate(w_c, w_prev, np.zeros((2, 3, 1))), w_prev, "w_g with gate 0")
    same(interpolate(w_c, w_prev, np.ones((2, 3, 1))), w_c, "w_g with gate 1")
    distribution(interpolate(w_c, w_prev, rng.random((2, 3, 1))), "w_g")


@meaning("shift-rotates", "NTM-8")
def shift_rotates(rng):
    """The kernel (0, 0, 1) moves every weight by exactly one slot towards higher numbers, (1, 0, 0) back; the last slot's
    neighbour is the first."""
    for numbers, by in (((0, 0, 1), 1), ((0, 1, 0), 0), ((1, 0, 0), -1)):
        s = np.array(numbers, float)[None, None]
        for slot in range(5):
            same(shift(one_hot(5, slot), s), one_hot(5, (slot + by) % 5), f"one at slot {slot} of 5, shifted by {numbers}")
        w = simplex(rng, 2, 3, 5)
        same(shift(w, np.broadcast_to(s, (2, 3, 3))), np.roll(w, by, axis=-1), f"weights shifted by {numbers}")
    same(shift(one_hot(6, 5), np.array([[[0, 0, 0, 0, 1.0]]])), one_hot(6, 1), "slot 5 of 6, shifted by two")


@meaning("shift-loses-nothing", "NTM-8")
def shift_loses_nothing(rng):
    """However the weights are shifted, they are a distribution before and after."""
    distribution(shift(simplex(rng, 2, 3, 5), simplex(rng, 2, 3, 3)), "w_s")


@meaning("gamma-sharpens", "NTM-9")
def gamma_sharpens(rng):
    """Exponent 1 leaves the weights as they are, a large one puts all on the largest; they sum to one."""
    w = simplex(rng, 2, 3, 7)
    same(sharpen(w, np.ones((2, 3, 1))), w, "w with gamma 1", 7e-8)                        # N times the 1e-8 in the log
    distribution(sharpen(w, 1 + 5 * rng.random((2, 3, 1))), "w")
    same(sharpen(w, np.full((2, 3, 1), 1e6)), np.eye(7)[w.argmax(-1)], "w with gamma 1e6")


# ---- head parameters ---------------------------------------------------------------------------------------------------------

@meaning("parameters-in-their-ranges", "NTM-parameters")
def parameters_in_their_ranges(rng):
    """Strengths are at least 0, exponents at least 1, gates and erase vectors between 0 and 1, shifts a distribution; and the
    controller can reach both ends of all ranges."""
    ends = {"beta": (0, FAR), "g": (0, 1), "gamma": (1, 1 + FAR), "e": (0, 1), "a": (-1, 1), "k": (-1, 1)}
    names = list(head_parameters.outputs)
    for B in (3, 1):
        values = dict(zip(names, head_parameters(10 * rng.standard_normal((B, SIZES.raw)), SIZES)))
        for name, (low, high) in ends.items():
            holds(low <= values[name].min() and values[name].max() <= high,
                  f"{name}: expected numbers from {low} to {high:g}, received {values[name].min():.4g} to {values[name].max():.4g}")
        distribution(values["s"], f"s, batch of {B}")
    for which, raw in ((0, -FAR), (1, FAR)):
        values = dict(zip(names, head_parameters(np.full((2, SIZES.raw), raw), SIZES)))
        for name, both in ends.items():
            same(values[name], float(both[which]), f"{name} at the end of its range")


@meaning("shift-numbers-count", "NTM-parameters")
def shift_numbers_count(rng):
    """A shift whose raw number is lower by 1 is e times rarer, however low the number is."""
    raw = raw_parameters(SIZES, s=[-6.0, -5.0, -3.0] * 2)[None]
    s = dict(zip(head_parameters.outputs, head_parameters(raw, SIZES)))["s"]
    same(np.log(s[..., 1:] / s[..., :-1]), np.broadcast_to([1.0, 2.0], (1, 2, 2)),
         "log of the ratios of shifts with the raw numbers -6, -5, -3", 1e-9)


# ---- reading and writing -------------------------------------------------------------------------------------------------------

@meaning("read-takes-the-slot", "NTM-2")
def read_takes_the_slot(rng):
    """A head at one slot reads that row, a head between slots their mixture."""
    M = np.array([[[1.0, 0], [0, 2], [4, 4]]])
    same(read(one_hot(3, 2, 0), M), M[:, [2, 0]], "r at slots 2 and 0")
    same(read(np.array([[[0.5, 0.25, 0.25]]]), M), [[[1.5, 1.5]]], "r with weights 1/2, 1/4, 1/4", 1e-15)


@meaning("write-then-read", "NTM-2", "NTM-3", "NTM-4")
def write_then_read(rng):
    """What is written at a slot after erasing it is read there, and no other slot changes; without erasing it is added."""
    M, a, w = rng.standard_normal((1, 5, 4)), rng.standard_normal((1, 1, 4)), one_hot(5, 2)
    written = add(erase(M, w, np.ones((1, 1, 4))), w, a)
    same(read(w, written), a, "what is read at the slot")
    others = np.arange(5) != 2
    same(written[:, others], M[:, others], "the other slots")
    same(read(w, add(M, w, a)), M[:, 2:3] + a, "what is read without erasing")


@meaning("erase-clears", "NTM-3")
def erase_clears(rng):
    """A head with weight 1 and erase vector 1 clears its slot whatever the other heads do; with erase vector 0 it changes
    nothing."""
    M = rng.standard_normal((1, 5, 4))
    for heads in (1, 2, 3):
        w, e = simplex(rng, 1, heads, 5), rng.random((1, heads, 4))
        same(erase(M, w, 0 * e), M, f"memory after {heads} heads that erase nothing")
        w[:, -1], e[:, -1] = np.eye(5)[3], 1
        same(erase(M, w, e)[:, 3], 0.0, f"the slot cleared by one of {heads} heads")


@meaning("heads-write-in-any-order", "NTM-3", "NTM-4")
def heads_write_in_any_order(rng):
    """Several heads write as if one after the other: erases multiply, adds sum, in whatever order."""
    M, w, e, a = rng.standard_normal((2, 5, 4)), simplex(rng, 2, 3, 5), rng.random((2, 3, 4)), rng.standard_normal((2, 3, 4))
    one_by_one, added = M, M
    for h in range(3):
        one_by_one = erase(one_by_one, w[:, h:h + 1], e[:, h:h + 1])
        added = add(added, w[:, h:h + 1], a[:, h:h + 1])
    same(erase(M, w, e), one_by_one, "memory erased by three heads, and by one after the other", 1e-13)
    same(add(M, w, a), added, "memory with what three heads added, and one after the other", 1e-13)
    for order in map(list, itertools.permutations(range(3))):
        same(erase(M, w[:, order], e[:, order]), erase(M, w, e), f"memory erased by the heads in the order {order}", 1e-13)
        same(add(M, w[:, order], a[:, order]), add(M, w, a), f"memory written by the heads in the order {order}", 1e-13)


# ---- one step ------------------------------------------------------------------------------------------------------------------

STAY = {"g": -FAR, "s": [-FAR, FAR, -FAR] * 2, "gamma": -FAR}            # both heads keep their weights


@meaning("step-reads-before-it-writes", "NTM-step")
def step_reads_before_it_writes(rng):
    """A step reads the old memory; what it writes is read by the next step."""
    N, slot = 5, 3
    M, wanted = rng.standard_normal((1, N, 4)), rng.uniform(-0.9, 0.9, 4)
    raw = raw_parameters(SIZES, **STAY, e=FAR, a=np.arctanh(wanted))[None]
    w0 = one_hot(N, slot, slot)
    r1, w1, M1, *_ = memory_step(raw, M, w0, SIZES)
    r2, *_ = memory_step(raw, M1, w1, SIZES)
    same(w1, w0, "weights that should stay", N * 1e-8)
    same(r1[0, 0], M[0, slot], "what the first step reads", 1e-6)
    same(r2[0, 0], wanted, "what the second step reads", 1e-6)


@meaning("heads-keep-their-own-place", "NTM-step")
def heads_keep_their_own_place(rng):
    """A head told to stay stays where itself was, not where another head was; told to move, it moves from there."""
    N = 4
    raw = raw_parameters(SIZES, **STAY)[None]
    w = one_hot(N, 3, 1)                                                 # the read head at slot 3, the write head at 1
    same(memory_step(raw, rng.standard_normal((1, N, 4)), w, SIZES)[1], w, "weights of heads that stay", N * 1e-8)
    raw = raw_parameters(SIZES, g=-FAR, s=[-FAR, -FAR, FAR, FAR, -FAR, -FAR], gamma=999.0)[None]
    w = one_hot(N, 3, 0)
    for step in (1, 2, 3):                                               # the read head forward, the write head back
        _, w, *_ = memory_step(raw, rng.standard_normal((1, N, 4)), w, SIZES)
        same(w, one_hot(N, (3 + step) % N, -step % N), f"weights after {step} moves", 1e-12)


# ---- the whole model -------------------------------------------------------------------------------------------------------------

@meaning("weightings-are-distributions", "NTM-5", "NTM-7", "NTM-8", "NTM-9", "NTM-parameters", "NTM-step")
def weightings_are_distributions(rng):
    """From the start on, every weighting of every head is non-negative and sums to one (the paper's equation 1)."""
    for controller, model in models():
        params = {name: 3 * value for name, value in model.init(rng, np.float64).items()}
        distribution(model.initial_state(params, 3).w, f"w before the first step ({controller})")
        trace = model.forward(params, rng.standard_normal((9, 3, 3)))[1]
        for name in ("s", "w_c", "w_g", "w_s", "w"):
            distribution(np.asarray(trace[name]), f"{name} of a whole sequence ({controller})")


@meaning("sequences-are-treated-alone", "NTM-step", "NTM-sequence")
def sequences_are_treated_alone(rng):
    """Sequences of a batch do not see each other: alone, or in another order, each gives the same outputs."""
    for controller, model in models():
        params, inputs = model.init(rng, np.float64), rng.standard_normal((6, 3, 3))
        together = model.forward(params, inputs)[0]
        for b in range(3):
            same(model.forward(params, inputs[:, [b]])[0], together[:, [b]], f"outputs of a sequence alone ({controller})", 1e-12)
        same(model.forward(params, inputs[:, [2, 0, 1]])[0], together[:, [2, 0, 1]], f"in another order ({controller})", 1e-12)


@meaning("slots-come-to-differ", "NTM-step", "NTM-sequence")
def slots_come_to_differ(rng):
    """A memory that starts the same in all slots does not stay so: the weights it starts with, or the numbers, tell them apart."""
    for controller, model in models():
        trace = model.forward(model.init(rng, np.float64), rng.standard_normal((4, 2, 3)))[1]
        apart = np.ptp(np.asarray(trace["M"])[-1], axis=1).max()
        holds(apart > 1e-3, f"memory rows after four steps ({controller}): expected to differ, received rows {apart:.3g} apart")


@meaning("held-raw-numbers-are-held", "NTM-held")
def held_raw_numbers_are_held(rng):
    """A raw number that is held has the value it is held at, whatever the controller says; the others are the controller's."""
    h, W, b = rng.standard_normal((3, 5)), rng.standard_normal((5, 4)), rng.standard_normal(4)
    V, v = hold_heads(W, b, np.array([1.0, 0, 1, 0]), np.array([0, 3.0, 0, -1000]))
    same((h @ V + v)[:, [1, 3]], [[3.0, -1000]] * 3, "what is held")
    same((h @ V + v)[:, [0, 2]], (h @ W + b)[:, [0, 2]], "what is not", 1e-14)


@meaning("ablated-heads", "NTM-held", "NTM-step", "NTM-sequence")
def ablated_heads(rng):
    """By content alone heads are where the memory is like their key; by location alone they go the same way whatever is in the
    memory; without erasing, each step only adds, to every slot its weight's part."""
    sizes = {"controller_size": 7, "N": 6, "W": 4, "read_heads": 2, "write_heads": 2, "initial_memory": "learned"}
    inputs = rng.standard_normal((5, 3, 3))

    def run(**switches):
        model = NTM(NTMConfig(3, 2, **sizes | switches))
        params = {name: 3 * value for name, value in model.init(rng, np.float64).items()}
        return model, params, model.forward(params, inputs)[1]

    content = run(addressing="content")[2]
    same(content["w"], content["w_c"], "weights by content alone", 1e-6)
    model, params, here = run(addressing="location", controller="feedforward")
    params["W_u"] = 0 * params["W_u"]                                    # what is read is not told to the controller
    same(model.forward(params, inputs)[1]["w"], model.forward(params | {"M0": 9 * params["M0"]}, inputs)[1]["w"],
         "weights by location alone, with another memory", 1e-14)
    same(here["g"], 0.0, "their gates")
    added = run(erase=False)[2]
    before = np.concatenate([added["initial"].M[None], added["M"][:-1]])
    same(added["M"] - before, np.einsum("tbhn,tbhv->tbnv", added["w"][:, :, 2:], added["a"]), "what a step changes", 1e-14)
