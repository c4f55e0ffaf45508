"""The exercises of chapter 03: whose answers need ages, rewriting in place, what heads cost, clipping, and whose words are read."""

import numpy as np

from gradcheck.exercises.base import Exercise, Mistake, difference, one_of, same_forward

# ---- 3.1 who needs ages -----------------------------------------------------------------------------------------------------

ages = Exercise(
    "3.1", "Who needs ages?",
    "One of the bAbI tasks 4, 12, 14 and 15 loses *nothing* when the ages are taken away from the MemN2N that comes along for it. "
    "Find it with `error_of` above. Before you do, guess: 4 asks what is north of what, 12 where two people are after several "
    "moves, 14 who was where in which part of the day, 15 what an animal is afraid of. `ages.grade(\"babi15\")`, for example.",
    ("In one of the four tasks the answer changes when the sentences are told in another order. That one needs ages.",
     "The other three need none, but two of their models lean on them all the same. Measure: error_of, and without_ages().",
     "for number in (4, 12, 14, 15): print(number, error_of(f\"memn2n_babi{number}\")), and the same inside without_ages()."),
    one_of({"babi15", "15", "task 15", "memn2n_babi15"},
           {name.format(number): remark for number, remark in (
               (4, "Its answers do not hang on the order, you are right about that. But this model learned with ages, and leans on "
                   "them: measure it. What a model uses is not always what it needs."),
               (12, "Whoever moves twice is where the last move led. Without ages that cannot be told."),
               (14, "Its sentences name the part of the day, and yet this model loses something. Measure it."))
            for name in ("babi{}", "{}", "task {}", "memn2n_babi{}")},
           "Expected one of babi4, babi12, babi14 and babi15."),
    "Task 15 is deduction: mice are afraid of wolves, gertrude is a mouse. In whatever order.")


# ---- 3.2 in place? ----------------------------------------------------------------------------------------------------------

def share_in_place(slots, keys):
    last, same = {}, []
    for slot, key in zip(slots.tolist(), keys.tolist()):
        if key in last:
            same.append(slot == last[key])
        last[key] = slot
    return np.mean(same)


def against_the_first(slots, keys):
    first, same = {}, []
    for slot, key in zip(slots.tolist(), keys.tolist()):
        if key in first:
            same.append(slot == first[key])
        first.setdefault(key, slot)
    return np.mean(same)


def of_all_writes(slots, keys):
    last, same = {}, []
    for slot, key in zip(slots.tolist(), keys.tolist()):
        same.append(last.get(key) == slot)
        last[key] = slot
    return np.mean(same)


def slot_was_used(slots, keys):
    return np.mean([slots[i] in slots[:i] for i in range(len(slots)) if keys[i] in keys[:i]])


SAME_SLOT = (np.array([0, 1, 0, 1, 0, 2, 1]), np.array([7, 3, 7, 3, 3, 5, 3]))
RING = (np.array([1, 2, 3, 0, 1, 2]), np.array([4, 4, 6, 1, 4, 6]))

in_place = Exercise(
    "3.2", "Does it rewrite in place?",
    "`slots` (n) holds the slot that each of n writes went to, `keys` (n) the key that each told. Write `share_in_place(slots, "
    "keys)`: of all writes whose key had been written before, the share that went to the slot of that key's *latest* write "
    "before, a number from 0 to 1.",
    ("Go through the writes in their order. What must you remember of each key?",
     "A dictionary from key to the slot of its latest write. A write whose key is not in it yet does not count.",
     "if key in last: same.append(slot == last[key]); then last[key] = slot; at the end the mean of same."),
    same_forward(share_in_place, [SAME_SLOT, RING], (
        Mistake(against_the_first, "You compare with the first write of the key. If it has moved since, its latest place counts."),
        Mistake(of_all_writes, "You count first writes, too. They rewrite nothing."),
        Mistake(slot_was_used, "You ask whether the slot was used before, by any key. Asked is: by this key, the last time."))),
    "Now `share_in_place(slots_of_writes(ntm, batch)[shown], keys)` says what an NTM really does.")


# ---- 3.3 what heads cost ----------------------------------------------------------------------------------------------------

def cost_of_heads(C, R, Q, W, S):
    return (C + 1) * ((R + Q) * (W + 3 + S) + 2 * Q * W)


SIZES = [(50, 1, 1, 16, 3), (100, 4, 2, 20, 5)]

heads = Exercise(
    "3.3", "What do heads cost?",
    "A controller of `C` units steers `R` read heads and `Q` write heads over slots of width `W`, with `S` possible shifts: `raw "
    "= h W_heads + b_heads`. Write `cost_of_heads(C, R, Q, W, S)`: how many parameters are that? (Exercise 1.1 counted the "
    "numbers that a controller has to say.)",
    ("How many numbers does each head need: k, beta, g, s, gamma? And what do write heads need beside them?",
     "Each number that is said hangs on all C units of the controller, and has a bias of its own.",
     "raw = (R + Q) * (W + 1 + 1 + S + 1) + Q * 2 * W; parameters: (C + 1) * raw"),
    same_forward(cost_of_heads, SIZES, (
        Mistake(lambda C, R, Q, W, S: C * ((R + Q) * (W + 3 + S) + 2 * Q * W), "The weights are right. The biases are missing."),
        Mistake(lambda C, R, Q, W, S: (C + 1) * (R + Q) * (3 * W + 3 + S), "Only write heads erase and add."),
        Mistake(lambda C, R, Q, W, S: (C + 1) * (R + Q) * (W + 3 + S), "Write heads also say what to erase and what to add."),
        Mistake(lambda C, R, Q, W, S: (R + Q) * (W + 3 + S) + 2 * Q * W, "That is how many numbers are said. Each of them hangs on "
                                                                         "all units of the controller."))),
    "No number of slots occurs in it: an NTM's parameters do not grow with its memory.")


# ---- 3.4 clipping -----------------------------------------------------------------------------------------------------------

def clip_together(grads, largest):
    norm = np.sqrt(sum((g ** 2).sum() for g in grads.values()))
    return {name: g * min(1.0, largest / norm) for name, g in grads.items()}


def clip_each(grads, largest):
    return {name: g * min(1.0, largest / np.sqrt((g ** 2).sum())) for name, g in grads.items()}


def cut_numbers(grads, largest):
    return {name: np.clip(g, -largest, largest) for name, g in grads.items()}


def always_scaled(grads, largest):
    norm = np.sqrt(sum((g ** 2).sum() for g in grads.values()))
    return {name: g * largest / norm for name, g in grads.items()}


def sum_of_norms(grads, largest):
    norm = sum(np.sqrt((g ** 2).sum()) for g in grads.values())
    return {name: g * min(1.0, largest / norm) for name, g in grads.items()}


CLIPPING = (
    (clip_each, "You clip each array by itself: that turns the gradient into another direction. (MemN2N's authors do it so; here "
                "all are meant together.)"),
    (cut_numbers, "You cut off single numbers: that turns the gradient into another direction. Scale all of it alike."),
    (always_scaled, "A gradient that is short enough must stay as it is: you make short ones longer."),
    (sum_of_norms, "You add up the lengths of the arrays. The length of all together is the root of the sum of all squares."))


def judge_clip(function):
    """Long and short gradients, as a dict of arrays."""
    for largest in (1.0, 8.0, 100.0):
        grads = {"W": np.array([[3.0, 4.0], [0.0, 0.0]]), "b": np.array([12.0, -0.5])}
        answer = function({name: g.copy() for name, g in grads.items()}, largest)
        if not isinstance(answer, dict) or answer.keys() != grads.keys():
            return f"Expected a dict with the names {', '.join(grads)}, received {answer!r:.60}."
        flat, right = (np.concatenate([np.ravel(each[name]) for name in grads]) for each in (answer, clip_together(grads, largest)))
        ways = [(np.concatenate([np.ravel(way(grads, largest)[name]) for name in grads]), said) for way, said in CLIPPING]
        remark = difference(flat, right, ways, 1e-9, f"With largest = {largest:g}: how long is the gradient before, and after?")
        if remark:
            return remark
    return ""


clip = Exercise(
    "3.4", "Clip a gradient",
    "Write `clip(grads, largest)`: `grads` is a dict from name to array. Seen as *one* long vector, it may be at most `largest` "
    "long. If it is longer, scale all of it so that it is just that long; else leave it as it is. Return a new dict.",
    ("How long is a vector whose numbers are spread over several arrays?",
     "norm = root of the sum of all squares in all arrays; one factor for all of them.",
     "factor = min(1, largest / norm); {name: factor * g for name, g in grads.items()}"),
    judge_clip, "Its direction stays: a clipped step goes the same way, only not as far.")


# ---- 3.5 whose words are read -----------------------------------------------------------------------------------------------

def traced(w_write, e, a, w_read):
    T, N = w_write.shape
    held = np.zeros((T, N, a.shape[1]))
    for t in range(T):
        held *= 1 - w_write[t][:, None] * e[t]
        held[t] += w_write[t][:, None] * a[t]
    return np.einsum("n,tnw->tw", w_read, held)


def never_erased(w_write, e, a, w_read):
    return traced(w_write, 0 * e, a, w_read)


def erases_itself(w_write, e, a, w_read):
    T, N = w_write.shape
    held = np.zeros((T, N, a.shape[1]))
    for t in range(T):
        held[t] += w_write[t][:, None] * a[t]
        held *= 1 - w_write[t][:, None] * e[t]
    return np.einsum("n,tnw->tw", w_read, held)


def only_overlap(w_write, e, a, w_read):
    return np.repeat((w_write @ w_read)[:, None], a.shape[1], axis=1)


def some_writes(seed, T=5, N=4, W=3):
    """(w_write, e, a, w_read) at random."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(N, 0.5), T), rng.random((T, W)), rng.standard_normal((T, W)), rng.dirichlet(np.ones(N))


follow = Exercise(
    "3.5", "Whose words are read?",
    "An NTM with one write head wrote T times into an empty memory and then reads once. Given are `w_write` (T, N), `e` (T, W), "
    "`a` (T, W) and the read weights `w_read` (N). Write `follow(w_write, e, a, w_read)`: what each write still contributes to "
    "what is read, (T, W). Summed over the T writes that must be `r`.",
    ("Keep a memory of its own for every write: held[t] (N, W) is what is left of what write t added.",
     "At each step, first everything that is held fades by 1 - w e^T (equation 3), then the new write adds w a^T to its own.",
     "held *= 1 - w_write[t][:, None] * e[t]; held[t] += w_write[t][:, None] * a[t]; at the end w_read @ held."),
    same_forward(traced, [some_writes(0), some_writes(1, T=4, N=6, W=2)], (
        Mistake(never_erased, "You follow what was added, but later writes erase part of it."),
        Mistake(erases_itself, "The order within a step: erase first, then add. Yours erases what it has just added."),
        Mistake(only_overlap, "That is how much the read head is where each write was, not what is left there of it."))),
    "The sum over all writes is exactly what is read: this is no estimate. Chapter 05 sends gradients the same way.")

ALL = (ages, in_place, heads, clip, follow)
