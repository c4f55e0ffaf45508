"""What a step of the Differentiable Neural Computer means, and its model (see gradcheck/meaning/__init__.py)."""

import itertools

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, one_hot, same
from gradcheck.meaning.dnc import at, at_most_one
from numpymem.dnc import DNC, DNCConfig
from numpymem.dnc.step import STEP_NAMES, DNCSizes, interface, memory_step

FAR = 1e4                                # squashed, it is the end of the range: sigmoid 1 (of -FAR: 0), oneplus 1 + 1e4 (1)
SIZES = DNCSizes(R=1, W=4)
ALL = DNCSizes(R=2, W=4, masking=True, deallocation=True, sharpening=True)
BACK, CONTENT, FORWARD = FAR * (np.eye(3) - 0.5)
KEEP = {"f": -FAR, "g_w": -FAR}                                          # free nothing, write nothing
ALLOCATE = {"f": -FAR, "g_a": FAR, "g_w": FAR, "e": FAR}                 # write to a free slot


def raw_vector(sizes, **parts):
    """One interface vector (1, P), each part filled with a number or an array; what is not named is 0."""
    return np.concatenate([np.broadcast_to(parts.get(name, 0.0), shape).ravel() for name, shape in sizes.parts.items()])[None]


def empty(N=5, sizes=SIZES):
    """w_r, w_w, u, p, L, M before the first step."""
    return tuple(np.zeros((1, *shape)) for shape in ((sizes.R, N), (N,), (N,), (N,), (N, N), (N, sizes.W)))


def after(state, sizes=SIZES, **parts):
    """One step -> its results by name."""
    return dict(zip(STEP_NAMES, memory_step(raw_vector(sizes, **parts), *state, sizes)))


def state_of(values, **other):
    """The state that a step leaves behind."""
    return tuple((values | other)[name] for name in ("w_r", "w_w", "u", "p", "L", "M"))


def three_written(N=5):
    """The state after writing the unit vectors 0, 1 and 2 to free slots of an empty memory."""
    state = empty(N)
    for v in np.eye(4)[:3]:
        state = state_of(after(state, **ALLOCATE, v=v))
    return state


def models():
    """Small DNCs with either controller, as in the paper and with all improvements."""
    sizes = {"controller_size": 7, "N": 6, "W": 4, "read_heads": 2}
    for controller, improved in itertools.product(("lstm", "feedforward"), (False, True)):
        switches = dict.fromkeys(("masking", "deallocation", "sharpening"), improved)
        yield f"{controller}{', improved' * improved}", DNC(DNCConfig(3, 2, controller=controller, **switches, **sizes))


# ---- the interface vector ------------------------------------------------------------------------------------------------------

@meaning("interface-has-the-papers-size", "DNC-interface")
def interface_has_the_papers_size(rng):
    """The controller emits R W + 3 W + 5 R + 3 numbers, and for all heads what the paper lists, in its order: read keys, read
    strengths, write key, write strength, erase vector, write vector, free gates, allocation gate, write gate, read modes."""
    for R, W in ((1, 4), (4, 64), (3, 7)):
        sizes = DNCSizes(R, W)
        same(sizes.raw, R * W + 3 * W + 5 * R + 3, f"size of the interface with R = {R}, W = {W}")
    values = dict(zip(interface.outputs, interface(np.arange(1.0, SIZES.raw + 1)[None], SIZES)))
    for name, first in (("k_r", 1), ("k_w", 6), ("v", 15)):
        same(np.ravel(values[name]), np.arange(first, first + 4), f"{name}, of the numbers 1, 2, 3 ...")
    for name, place, closed in (("beta_r", 4, 1), ("beta_w", 9, 1), ("f", 18, 0), ("g_a", 19, 0), ("g_w", 20, 0)):
        raw = np.zeros((1, SIZES.raw))
        raw[0, place] = -FAR
        same(dict(zip(interface.outputs, interface(raw, SIZES)))[name], closed, f"{name}, number {place} of the interface closed")


@meaning("interface-in-its-ranges", "DNC-interface")
def interface_in_its_ranges(rng):
    """Strengths and what sharpens are at least 1, gates and erase vectors between 0 and 1, masks between 0.1 and 1, and both ends
    can be reached; keys and write vector are the controller's own numbers; each head's read modes are a distribution."""
    ends = {"beta_r": (1, 1 + FAR), "beta_w": (1, 1 + FAR), "e": (0, 1), "f": (0, 1), "g_a": (0, 1), "g_w": (0, 1), "m_r": (0.1, 1),
            "m_w": (0.1, 1), "s_b": (1, 1 + FAR), "s_f": (1, 1 + FAR), "k_r": (-FAR, FAR), "k_w": (-FAR, FAR), "v": (-FAR, FAR)}
    for which, number in ((0, -FAR), (1, FAR)):
        values = dict(zip(interface.outputs, interface(np.full((2, ALL.raw), number), ALL)))
        for name, both in ends.items():
            same(values[name], float(both[which]), f"{name} at the end of its range", 1e-12)
    for B in (3, 1):
        values = dict(zip(interface.outputs, interface(10 * rng.standard_normal((B, ALL.raw)), ALL)))
        for name, (low, high) in ends.items():
            holds(low <= values[name].min() and values[name].max() <= high, f"{name}: expected numbers from {low} to {high:g}")
        distribution(values["pi"], f"pi, batch of {B}")
    same(interface(np.zeros((1, SIZES.raw)), SIZES)[1], 1 + np.log(2), "strength of the number 0", 1e-15)


# ---- one step ------------------------------------------------------------------------------------------------------------------

@meaning("closed-write-gate-changes-nothing", "DNC-step", "DNC-write-weights", "DNC-link", "DNC-precedence")
def closed_write_gate_changes_nothing(rng):
    """A step with a closed write gate leaves memory, links and precedence as they are, whatever the other gates do, and the usage
    of the next step too."""
    state = three_written()
    for allocate in (-FAR, 0.0, FAR):
        first = after(state, f=-FAR, g_w=-FAR, g_a=allocate, e=FAR, v=rng.standard_normal(4), k_w=rng.standard_normal(4))
        same(first["w_w"], 0.0, "write weights with write gate 0")
        for name, before in (("M", state[5]), ("L", state[4]), ("p", state[3])):
            same(first[name], before, f"{name} after a step with write gate 0")
        same(after(state_of(first), **KEEP)["u"], first["u"], "usage at the step after one with write gate 0")


@meaning("writes-fill-the-memory-in-order", "DNC-step", "DNC-allocation", "DNC-usage")
def writes_fill_the_memory_in_order(rng):
    """Writes to free slots fill an empty memory slot by slot, and then go nowhere. A write counts as usage from the next step on:
    usage looks at the weights of the step before."""
    N, state = 4, empty(4)
    for step in range(N + 2):
        values = after(state, **ALLOCATE, v=np.arange(4.0) + step)
        expected = at(N, step) if step < N else np.zeros((1, N))
        same(values["u"], (np.arange(N) < step)[None].astype(float), f"usage at write {step}, before what it writes")
        same(values["w_w"], expected, f"where write {step} goes")
        state = state_of(values)
    same(state[5][0], np.arange(4.0) + np.arange(N)[:, None], "memory after all writes")


@meaning("free-gates-free-what-was-read", "DNC-step", "DNC-retention", "DNC-usage")
def free_gates_free_what_was_read(rng):
    """With its free gate open a head frees the slot that it read at the step before, and the next write goes there; with it closed
    nothing is freed. What it reads at this step does not count."""
    state = after(three_written(3), **KEEP)                              # all three slots in use
    read_1 = state_of(state, w_r=one_hot(3, 1))
    for gate, usage, to in ((FAR, [[1, 0, 1]], at(3, 1)), (-FAR, np.ones((1, 3)), np.zeros((1, 3)))):
        values = after(read_1, **ALLOCATE | {"f": gate}, v=7.0, k_r=np.eye(4)[0], beta_r=FAR, pi=CONTENT)
        same(values["u"], usage, f"usage after reading slot 1, free gate {float(gate > 0)}")
        same(values["w_w"], to, f"where a write to a free slot goes, free gate {float(gate > 0)}")


@meaning("writes-find-their-slot-by-content", "DNC-step")
def writes_find_their_slot_by_content(rng):
    """With allocation gate 0 a write goes to the slot whose content was like the write key before this step; what is erased goes
    and the write vector is added."""
    M = np.array([[[0, 3, 0, 0], [2, 0, 0, 0], [0, 0, 5, 1.0]]])
    state = (*empty(3)[:5], M)
    v = rng.standard_normal(4)
    how = {"k_w": [0, 0, 5, 1.0], "beta_w": FAR, "f": -FAR, "g_a": -FAR, "g_w": FAR, "v": v}
    for erase, kept in ((FAR, 0), (-FAR, 1), ([FAR, -FAR, FAR, -FAR], [0, 1, 0, 1])):
        values = after(state, **how, e=erase)
        same(values["w_w"], at(3, 2), "where a write with the content of slot 2 goes", 1e-9)
        same(values["M"][0, 2], M[0, 2] * kept + v, "slot 2 after the write", 1e-9)
        same(values["M"][0, :2], M[0, :2], "the other slots", 1e-9)


@meaning("reads-what-it-has-just-written", "DNC-step")
def reads_what_it_has_just_written(rng):
    """What a step writes it can read itself: by its content, or, as written after what was read before, by its link."""
    v = np.eye(4)[3]
    by_content = after(three_written(), **ALLOCATE, v=v, k_r=v, beta_r=FAR, pi=CONTENT)
    same(by_content["w_r"], one_hot(5, 3), "where it reads, looking for what it writes to slot 3", 1e-9)
    same(by_content["r"], v[None, None], "what it reads", 1e-9)
    state = (one_hot(5, 2), *three_written()[1:])
    same(after(state, **ALLOCATE, v=v, pi=FORWARD)["w_r"], one_hot(5, 3), "where it reads, forwards from 2, writing slot 3")


@meaning("reads-in-the-order-of-writing", "DNC-step", "DNC-forward", "DNC-backward", "DNC-read-weights", "DNC-link")
def reads_in_the_order_of_writing(rng):
    """A head that starts at what was written first reads all of it forwards, one that starts at the last all of it backwards."""
    for start, mode, order in ((0, FORWARD, (1, 2)), (2, BACK, (1, 0))):
        values = after(three_written(), **KEEP, k_r=np.eye(4)[start], beta_r=FAR, pi=CONTENT)
        same(values["r"][0, 0], np.eye(4)[start], "what it reads first", 1e-9)
        for slot in order:
            values = after(state_of(values), **KEEP, pi=mode)
            same(values["r"][0, 0], np.eye(4)[slot], f"what it reads next, from slot {start} on", 1e-9)
        same(after(state_of(values), **KEEP, pi=mode)["r"], 0.0, "what it reads beyond the end", 1e-9)


@meaning("slots-are-wiped-when-freed", "DNC-step", "DNC-deallocation")
def slots_are_wiped_when_freed(rng):
    """In the paper's DNC a freed slot keeps its content until it is written to; with de-allocation it loses it."""
    state = (one_hot(3, 1), *three_written(3)[1:])
    for wipe in (False, True):
        M = after(state, SIZES._replace(deallocation=wipe), f=FAR, g_w=-FAR)["M"]
        same(M[0, 1], np.eye(4)[1] * (not wipe), f"content of the freed slot, de-allocation {wipe}")
        same(M[0, [0, 2]], np.eye(4)[[0, 2]], f"content of the other slots, de-allocation {wipe}")


@meaning("masked-keys-look-elsewhere", "DNC-step", "DNC-masked-cosine")
def masked_keys_look_elsewhere(rng):
    """With masks, a look-up in the first two columns finds the slot that has them, whatever its key says of the others."""
    M, key = np.array([[[1.0, 0, -3, 3], [0, 1, 3, -3], [1, 1, 0, 0]]]), [0.0, 1, -3, 3]
    how = KEEP | {"k_r": key, "k_w": key, "beta_r": FAR, "beta_w": FAR, "pi": CONTENT}
    for mask, slot in (([FAR, FAR, FAR, FAR], 0), ([FAR, FAR, -FAR, -FAR], 1)):
        found = after((*empty(3)[:5], M), SIZES._replace(masking=True), **how, m_r=mask, m_w=mask)
        same(found["w_r"], one_hot(3, slot), f"where it reads with the mask {mask}", 1e-9)
        same(found["c_w"], one_hot(3, slot), f"what the write key finds with the mask {mask}", 1e-9)


@meaning("sharp-links-choose-one", "DNC-step")
def sharp_links_choose_one(rng):
    """Links that point to several slots at once are read as a mixture, and sharpened the strongest is read alone."""
    L = np.array([[[0, 0.5, 0], [0.3, 0, 0.6], [0.6, 0.3, 0]]])
    state = (one_hot(3, 1), *empty(3)[1:4], L, empty(3)[5])
    for mode, weights in ((FORWARD, L[0, :, 1]), (BACK, L[0, 1])):
        same(after(state, **KEEP, pi=mode)["w_r"][0, 0], weights, "w_r along links, not sharpened", 1e-15)
        sharp = after(state, SIZES._replace(sharpening=True), **KEEP, pi=mode, s_b=FAR, s_f=FAR)
        same(sharp["w_r"][0, 0], np.eye(3)[weights.argmax()], "w_r along links, sharpened", 1e-9)


# ---- the whole model -------------------------------------------------------------------------------------------------------------

@meaning("dnc-weightings-stay-weightings", "DNC-step", "DNC-sequence", "DNC-interface", "DNC-allocation", "DNC-write-weights",
         "DNC-read-weights", "DNC-link", "DNC-precedence", "DNC-usage", "DNC-retention")
def dnc_weightings_stay_weightings(rng):
    """Over a whole sequence every weighting, every row and column of the links, and the precedence have no number below 0 and sum
    to at most one; content weights and read modes sum to one; usage stays between 0 and 1."""
    for name, model in models():
        params = {key: 3 * value for key, value in model.init(rng, np.float64).items()}
        trace = model.forward(params, rng.standard_normal((12, 3, 3)))[1]
        for key in ("w_r", "w_w", "a", "p", "L", "w_b", "w_f"):
            at_most_one(np.asarray(trace[key]), f"{key} ({name})")
        at_most_one(np.asarray(trace["L"]).swapaxes(2, 3), f"columns of L ({name})")
        for key in ("c_r", "c_w", "pi"):
            distribution(np.asarray(trace[key]), f"{key} ({name})")
        for key in ("u", "psi"):
            holds(0 <= trace[key].min() and trace[key].max() <= 1, f"{key}: expected numbers from 0 to 1 ({name})")


@meaning("dnc-sequences-are-treated-alone", "DNC-step", "DNC-sequence")
def dnc_sequences_are_treated_alone(rng):
    """Sequences of a batch do not see each other: alone, or in another order, each gives the same outputs."""
    for name, model in models():
        params, inputs = model.init(rng, np.float64), rng.standard_normal((6, 3, 3))
        together = model.forward(params, inputs)[0]
        for b in range(3):
            same(model.forward(params, inputs[:, [b]])[0], together[:, [b]], f"outputs of a sequence alone ({name})", 1e-12)
        same(model.forward(params, inputs[:, [2, 0, 1]])[0], together[:, [2, 0, 1]], f"in another order ({name})", 1e-12)


@meaning("controller-sees-the-last-reading", "DNC-sequence")
def controller_sees_the_last_reading(rng):
    """The controller sees what was read at the step before, at the first step nothing; the output sees what is read at its own."""
    for name, model in models():
        params = model.init(rng, np.float64)
        logits, trace = model.forward(params, rng.standard_normal((5, 2, 3)))
        r, h, chi = (np.asarray(trace[key]).reshape(5, 2, -1) for key in ("r", "h", "chi"))
        same(chi[0], 0.0, f"what the controller sees at the first step ({name})")
        same(chi[1:, :, :r.shape[2]], r[:-1], f"what it sees of the readings ({name})")
        same(chi[1:, :, r.shape[2]:], h[:-1] if model.is_lstm else h[:-1, :, :0], f"and of itself ({name})")
        expected = np.concatenate([h, r], axis=2) @ params["W_y"] + params["b_y"]
        same(logits, expected, f"the output, of this step's readings ({name})", 1e-12)
