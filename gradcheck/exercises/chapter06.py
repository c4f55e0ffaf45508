"""The exercises of chapter 06, engineering: the two cores, the order of reading and writing, and from loops to fast loops."""

import sys

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, difference, right_backward, same_forward
from numpymem import kernel
from numpymem.ntm.equations import add, erase, read
from numpymem.ops.softmax import softmax

rng = np.random.default_rng(6)


def weighting(*shape):
    """A random weighting: positive, sums to one along the last axis."""
    return softmax(rng.standard_normal(shape))


# ---- 6.1 two memories -------------------------------------------------------------------------------------------------------

def two_memories(u, m, c):
    p = softmax(np.einsum("bd,bid->bi", u, m))
    return u + np.einsum("bi,bid->bd", p, c)


def one_memory(u, m, c):
    return two_memories(u, m, m)


def over_the_batch(u, m, c):
    scores = np.einsum("bd,bid->bi", u, m)
    return u + np.einsum("bi,bid->bd", softmax(scores.T).T, c)


def without_question(u, m, c):
    return two_memories(u, m, c) - u


layer = Exercise(
    "6.1", "A memory layer, as it should be",
    "Write `memory_layer(u, m, c)`: one hop of a MemN2N. `u` (B, D) is the question, `m` (B, I, D) what it is compared with, `c` "
    "(B, I, D) what is found. Return the next state (B, D). `softmax` takes the last axis.",
    ("Scores first: one number for each sentence of each story, (B, I).",
     "The weights come from m, the sum is taken over c; the state of the next hop is the question plus what was found.",
     "p = softmax(np.einsum(\"bd,bid->bi\", u, m)); return u + ..."),
    same_forward(two_memories, [(rng.standard_normal((3, 4)), rng.standard_normal((3, 3, 4)), rng.standard_normal((3, 3, 4))),
                                (rng.standard_normal((2, 4)), rng.standard_normal((2, 5, 4)), rng.standard_normal((2, 5, 4)))], [
        Mistake(one_memory, "You compare with m and also return m. That is the article's memory layer (erratum 3): what matches "
                            "the question is then also the answer. c is what is found."),
        Mistake(over_the_batch, "Your weights sum to one over the batch: each story takes attention away from the others."),
        Mistake(without_question, "The next state is u + o: what was asked stays, and what was found is added.")]),
    "Keys say where, values say what: MemN2N embeds every sentence twice.")


# ---- 6.2 the other order ----------------------------------------------------------------------------------------------------

def write_then_read(M_prev, w, v, e, a):
    """Write with v, then read the *new* memory with w.  M_prev (B, N, W); w, v (B, 1, N); e, a (B, 1, W) -> r, M"""
    M = add.original(erase.original(M_prev, v, e), v, a)
    return read.original(w, M), M


def write_then_read_backward(dr, dM, M, M_prev, w, v, e, a):
    dw, dM_read = read.original_backward(dr, w, M)
    dM_erased, dv_add, da = add.original_backward(dM + dM_read, v, a)
    dM_prev, dv_erase, de = erase.original_backward(dM_erased, M_prev, v, e)
    return dM_prev, dw, dv_add + dv_erase, de, da


def as_read_first(dr, dM, M, M_prev, w, v, e, a):
    dw, dM_read = read.original_backward(dr, w, M_prev)
    dM_erased, dv_add, da = add.original_backward(dM, v, a)
    dM_erase, dv_erase, de = erase.original_backward(dM_erased, M_prev, v, e)
    return dM_erase + dM_read, dw, dv_add + dv_erase, de, da


def straight_to_the_old(dr, dM, M, M_prev, w, v, e, a):
    dw, dM_read = read.original_backward(dr, w, M)
    dM_erased, dv_add, da = add.original_backward(dM, v, a)
    dM_erase, dv_erase, de = erase.original_backward(dM_erased, M_prev, v, e)
    return dM_erase + dM_read, dw, dv_add + dv_erase, de, da


def without_reading(dr, dM, M, M_prev, w, v, e, a):
    dw, _ = read.original_backward(dr, w, M)
    dM_erased, dv_add, da = add.original_backward(dM, v, a)
    dM_prev, dv_erase, de = erase.original_backward(dM_erased, M_prev, v, e)
    return dM_prev, dw, dv_add + dv_erase, de, da


order = Exercise(
    "6.2", "Write first, then read",
    "`write_then_read` (shown above) reads the memory that it has just written. Write its backward, `write_then_read_backward(dr, "
    "dM, M, M_prev, w, v, e, a)`. It returns `dM_prev, dw, dv, de, da`. Use `read_backward`, `erase_backward` and `add_backward`.",
    ("The order has turned round forwards, so it turns round backwards: which comes first now?",
     "M goes two ways: out (dM) and into read (dM_from_read). Their sum goes back through add and erase.",
     "dw, dM_from_read = read_backward(dr, w, M); then add_backward(dM + dM_from_read, v, a)"),
    right_backward(write_then_read, {"M_prev": rng.standard_normal((2, 5, 4)), "w": weighting(2, 1, 5), "v": weighting(2, 1, 5),
                                     "e": rng.uniform(0.1, 0.9, (2, 1, 4)), "a": rng.standard_normal((2, 1, 4))}, ("r", "M"), [
        Mistake(as_read_first, "That is the backward of the other order: here r was read from M, not from M_prev."),
        Mistake(straight_to_the_old, "What was read is the new memory. Its gradient has to go back through add and erase before it "
                                     "reaches the old one: and on its way it tells a, e and v something."),
        Mistake(without_reading, "M goes two ways, out and into read. The gradient of the second is missing.")]),
    "Now what is written at t earns its gradient at t already: one step sooner than in the other order.")


# ---- 6.3 no loop left -------------------------------------------------------------------------------------------------------

def shift_by_loops(w_g, s):
    """(8) as it is printed: a sum for every slot of every head of every sequence.  w_g (B, H, N), s (B, H, S) -> (B, H, N)"""
    (B, H, N), S = w_g.shape, s.shape[-1]
    w_s = np.zeros((B, H, N))
    for b in range(B):
        for h in range(H):
            for i in range(N):
                for j in range(S):
                    w_s[b, h, i] += s[b, h, j] * w_g[b, h, (i - (j - S // 2)) % N]
    return w_s


def lines_run(function, *arguments):
    """How many lines of Python a call runs, in the function and in all it calls (but not inside NumPy)."""
    count = [0]

    def tracer(frame, event, argument):
        count[0] += event == "line"
        return tracer
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return count[0]


def shift_other_way(w_g, s):
    return shift_by_loops(w_g, s[..., ::-1])


def shift_off_the_edge(w_g, s):
    reach = s.shape[-1] // 2
    padded = np.pad(w_g, ((0, 0), (0, 0), (reach, reach)))
    return shift_by_loops(padded, s)[..., reach:-reach]


def weights_and_shifts(B, H, N, S=3):
    return weighting(B, H, N), weighting(B, H, S)


equal_to_loops = same_forward(shift_by_loops, [weights_and_shifts(2, 3, 5), weights_and_shifts(1, 2, 7, 5)], [
    Mistake(shift_other_way, "It rotates the other way round. s(+1) = 1 moves slot j to slot j + 1: np.roll(w_g, +1)."),
    Mistake(shift_off_the_edge, "Right in the middle, wrong at both ends: slot N - 1 and slot 0 are neighbours.")])


def judge_without_loops(function):
    """The same numbers, and no more lines of Python for more of anything but shifts."""
    remark = equal_to_loops(function)
    if remark:
        return remark
    few, many = (lines_run(function, *weights_and_shifts(*sizes)) for sizes in ((2, 2, 5), (6, 4, 40)))
    if many > few:
        return (f"The numbers are right. But for 2 x 2 x 5 weights it runs {few} lines of Python and for 6 x 4 x 40 it runs "
                "{many}: a loop over sequences, heads or slots is still in it. A loop over the S shifts may stay.")
    return ""


vectorised = Exercise(
    "6.3", "No loop left",
    "Write `shift(w_g, s)`: what `shift_by_loops` (shown above) computes, for all sequences, heads and slots at once. A loop over "
    "the three shifts is allowed. The grader counts the lines of Python that you run.",
    ("Turn it inside out: for each shift, what happens to *all* slots?",
     "np.roll(w_g, offset, axis=-1) rotates all of them; s[..., [j]] is (B, H, 1) and is spread over the slots.",
     "sum(s[..., [j]] * np.roll(w_g, j - S // 2, axis=-1) for j in range(S))"),
    judge_without_loops, "As many lines for 1 slot as for 1,000: the loops run inside NumPy now.")


# ---- 6.4 one pass -----------------------------------------------------------------------------------------------------------

def write_in_one_pass(M_prev, w, e, a, M):
    for i in range(w.size):
        for j in range(e.size):
            M[i, j] = M_prev[i, j] * (1 - w[i] * e[j]) + w[i] * a[j]


def judge_loop(function):
    """Right numbers in the array that is given, nothing else changed; and numba, where it is there, must be able to compile it."""
    N, W = 5, 3
    given = [rng.standard_normal((N, W)), weighting(N), rng.uniform(0.1, 0.9, W), rng.standard_normal(W)]
    expected, right_but_added = np.empty((N, W)), given[0] + np.outer(given[1], given[3])
    write_in_one_pass(*given, expected)
    copies, M = [np.copy(array) for array in given], np.full((N, W), np.nan)
    if function(*copies, M) is not None:
        return "It should return nothing, but fill the array M that it was given: a kernel makes no arrays."
    if np.isnan(M).all():
        return "M is as it was. Did you make a new array under the same name? M[i, j] = ... fills, M = ... does not."
    if not all(np.array_equal(before, after) for before, after in zip(given, copies)):
        return "Your loop changes M_prev, w, e or a. The backward pass still needs them."
    ways = [(right_but_added, "Added, but nothing erased: M_prev[i, j] * (1 - w[i] * e[j]) first.")]
    remark = difference(M, expected, ways, 1e-9)
    return remark or compiles(function, given, expected)


def compiles(function, given, expected):
    """'' or what numba says."""
    if not kernel.has_numba():
        return ""
    import numba
    M = np.full_like(expected, np.nan)
    try:
        numba.njit(function)(*given, M)
    except numba.core.errors.NumbaError as trouble:
        return f"As Python it is right, but numba cannot compile it: {str(trouble).splitlines()[0]}"
    return "" if np.allclose(M, expected) else "As Python it is right, compiled it is not: does it read outside of an array?"


one_pass = Exercise(
    "6.4", "Everything in one pass",
    "Write `write_loop(M_prev, w, e, a, M)`: fill the (N, W) array `M` with what erase and add make of `M_prev`, for one sequence "
    "and one head, with plain loops over slots and columns, touching every number of the memory once. Make no arrays.",
    ("Two loops, one line inside.",
     "M[i, j] hangs on M_prev[i, j], w[i], e[j] and a[j] alone: (3) and (4) in one line.",
     "M[i, j] = M_prev[i, j] * (1 - w[i] * e[j]) + w[i] * a[j]"),
    judge_loop, "NumPy makes w e^T, 1 - w e^T, their product and the sum: four passes and three arrays that nobody asked for.")


# ---- 6.5 which kernels stand down -------------------------------------------------------------------------------------------

def judge_kernels(*names):
    """Names of the kernels that fuse the softmax; one list, or several names."""
    given = {str(name).strip().lower() for name in (names[0] if len(names) == 1 and not isinstance(names[0], str) else names)}
    right = {name for name, each in kernel.KERNELS.items() if "softmax" in each.fuses and name in OF_THE_TWO}
    unknown = given - kernel.KERNELS.keys()
    if unknown:
        return f"No kernel is called {sorted(unknown)[0]!r}; known: {', '.join(OF_THE_TWO)}."
    if given - right:
        one = sorted(given - right)[0]
        return f"{one} goes on: its equations, {', '.join(kernel.KERNELS[one].fuses)}, have no softmax among them."
    if right - given:
        return (f"Right as far as it goes, but {len(right - given)} more must stand down. A softmax may sit deep inside: a kernel "
                "fuses all that its equation reaches.")
    return ""


OF_THE_TWO = ("ntm.sequence", "memn2n.encode", "memn2n.memories", "memn2n.hops")

standing_down = Exercise(
    "6.5", "Who stands down?",
    "You patch `softmax` (the equation that NTM and MemN2N share). Which of the kernels ntm.sequence, memn2n.encode, "
    "memn2n.memories and memn2n.hops must then run as NumPy? `standing_down.grade([...])` with a list of names.",
    ("Where is there a softmax in an NTM, and where in a MemN2N? And where is there only a sum of word vectors?",
     "from numpymem.kernel import KERNELS; KERNELS[\"ntm.sequence\"].fuses lists every equation that a kernel fuses.",
     "An NTM's content weights, shifts and sharpening, and the attention of a hop."),
    judge_kernels, "Nobody keeps that list by hand: it is read off the source.")

ALL = (layer, order, vectorised, one_pass, standing_down)
