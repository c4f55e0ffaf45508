"""What the Differentiable Neural Computer's equations mean (see gradcheck/meaning/__init__.py): its memory, piece by piece."""

import numpy as np

from gradcheck.meaning import distribution, holds, meaning, one_hot, same, simplex
from numpymem.dnc.equations import (allocation, backward_weights, deallocate, forward_weights, link, masked_cosine, precedence,
                                    read_weights, retention, usage, write_weights)
from numpymem.dnc.sparse_link import largest, sparse_backward, sparse_forward, sparse_link
from numpymem.ops.cosine import cosine_similarity


def at(N, slot):
    """A weighting (1, N), all of it on one slot."""
    return np.eye(N)[None, slot]


def part_weights(rng, *shape):
    """Random weights whose rows sum to less than one."""
    return rng.random((*shape[:-1], 1)) * simplex(rng, *shape)


def written(N, *slots):
    """Links and precedence after whole writes to these slots, one after the other, from an empty memory."""
    L, p = np.zeros((1, N, N)), np.zeros((1, N))
    for slot in slots:
        L, p = link(L, at(N, slot), p), precedence(p, at(N, slot))
    return L, p


# ---- which slot is free? -------------------------------------------------------------------------------------------------------

@meaning("freed-slots-are-not-kept", "DNC-retention")
def freed_slots_are_not_kept(rng):
    """A slot that a head has just read is given up if the head's free gate is open; it is kept if the gate is closed, or if the
    head was elsewhere."""
    for gate in (0.0, 0.25, 1.0):
        psi = retention(np.full((1, 1, 1), gate), one_hot(5, 3))
        same(psi, 1 - gate * at(5, 3), f"what is kept of each slot after reading slot 3 with free gate {gate}")


@meaning("any-head-may-free", "DNC-retention")
def any_head_may_free(rng):
    """Each head gives up its own part: two halves leave a quarter, and what one head gives up the others cannot keep."""
    same(retention(np.full((1, 2, 1), 0.5), one_hot(4, 1, 1)), [[1, 0.25, 1, 1]], "psi, two heads at slot 1, both gates 1/2")
    f = rng.random((1, 3, 1))
    for head in range(3):
        w, open_one = simplex(rng, 1, 3, 5), f.copy()
        w[0, head], open_one[0, head] = np.eye(5)[2], 1
        same(retention(open_one, w)[0, 2], 0.0, f"psi of the slot that head {head} of 3 gives up")
    same(retention(f, one_hot(4, 0, 1, 3))[0], [1 - f[0, 0, 0], 1 - f[0, 1, 0], 1, 1 - f[0, 2, 0]], "psi, three heads apart", 1e-15)


@meaning("usage-rises-with-writing", "DNC-usage")
def usage_rises_with_writing(rng):
    """A write fills what is free of a slot: an empty slot as far as it was written to, a full one stays full; nothing written
    and nothing freed, nothing changes; a slot that is not kept is free, whatever was written."""
    u, w, ones = rng.random((2, 5)), part_weights(rng, 2, 5), np.ones((2, 5))
    same(usage(0 * u, w, ones), w, "usage of an empty memory after a write")
    same(usage(ones, w, ones), 1.0, "usage of a full memory after a write", 1e-15)
    same(usage(u, 0 * w, ones), u, "usage after no write")
    same(1 - usage(u, w, ones), (1 - u) * (1 - w), "what is free after a write", 1e-15)
    same(usage(u, w, 0 * ones), 0.0, "usage of slots that are not kept")
    same(usage(u, w, ones / 2), usage(u, w, ones) / 2, "usage of slots half of which is kept", 1e-15)


@meaning("emptiest-slot-first", "DNC-allocation")
def emptiest_slot_first(rng):
    """The emptiest slot gets what is free of it, the next one what is free of it out of what is left, and so on; so no slot gets
    more than an emptier one."""
    expected = [[0.2 * 0.3 * 0.5, 0.8, 0.2 * 0.3 * 0.5 * 0.1, 0.2 * 0.7]]
    same(allocation(np.array([[0.5, 0.2, 0.9, 0.3]])), expected, "allocation for usages 0.5, 0.2, 0.9, 0.3", 1e-15)
    u = rng.random((3, 9))
    ranked = np.take_along_axis(allocation(u), u.argsort(1), axis=1)
    holds((np.diff(ranked) <= 0).all(), "allocation, emptiest slot first: expected numbers that fall")
    u[:, 4] = 0
    same(allocation(u), np.eye(9)[[4, 4, 4]], "allocation with one slot that is quite empty")


@meaning("equally-empty-slots-in-order", "DNC-allocation")
def equally_empty_slots_in_order(rng):
    """Of equally empty slots the first one comes first, also in a large memory: so all of an empty memory's allocation goes to
    slot 0."""
    for N in (4, 40, 200):
        same(allocation(np.zeros((2, N))), np.eye(N)[[0, 0]], f"allocation of {N} empty slots")
        same(allocation(np.full((1, N), 0.5)), 0.5 ** np.arange(1, N + 1)[None], f"allocation of {N} half-used slots", 1e-15)
    u = np.tile([0.75, 0.5], 30)[None]
    first = np.where(np.arange(60) % 2 == 1, 0.5 ** (np.arange(60) // 2 + 1), 0)
    later = np.where(np.arange(60) % 2 == 0, 0.5 ** 30 * 0.25 * 0.75 ** (np.arange(60) // 2), 0)
    same(allocation(u), (first + later)[None], "allocation of usages 0.75, 0.5, 0.75, 0.5 ...", 1e-15)


@meaning("full-memory-allocates-nothing", "DNC-allocation")
def full_memory_allocates_nothing(rng):
    """A full memory allocates nothing, an empty slot takes all: allocation sums to one less the product of the usages."""
    same(allocation(np.ones((2, 5))), 0.0, "allocation of a full memory")
    u = rng.random((3, 7))
    u[1, 2] = 1
    a = allocation(u)
    holds(a.min() >= 0, f"allocation: expected no number below 0, received {a.min():.4g}")
    same(a.sum(1), 1 - u.prod(1), "sum of the allocation", 1e-14)
    same(a[1, 2], 0.0, "allocation of a slot in full use")


@meaning("gates-choose-where-to-write", "DNC-write-weights")
def gates_choose_where_to_write(rng):
    """Allocation gate 1 writes to the allocated slot, 0 to the one found by its content; the write gate says how much of it: 0
    nothing at all."""
    a, c_w, one = part_weights(rng, 2, 5), simplex(rng, 2, 5), np.ones((2, 1))
    same(write_weights(a, c_w, one, one), a, "w_w with allocation gate 1")
    same(write_weights(a, c_w, 0 * one, one), c_w, "w_w with allocation gate 0")
    same(write_weights(a, c_w, one / 4, one), (a + 3 * c_w) / 4, "w_w with allocation gate 1/4", 1e-15)
    g_a = rng.random((2, 1))
    same(write_weights(a, c_w, g_a, 0 * one), 0.0, "w_w with write gate 0")
    same(write_weights(a, c_w, g_a, one / 2), write_weights(a, c_w, g_a, one) / 2, "w_w with write gate 1/2", 1e-15)


# ---- which slot was written after which? ---------------------------------------------------------------------------------------

@meaning("precedence-is-the-last-write", "DNC-precedence")
def precedence_is_the_last_write(rng):
    """After a whole write precedence is at its slot, after none it is what it was; after half a write half of it has moved."""
    p, w = part_weights(rng, 2, 5), simplex(rng, 2, 5)
    same(precedence(p, w), w, "precedence after a whole write", 1e-15)
    same(precedence(p, 0 * w), p, "precedence after no write")
    same(precedence(p, w / 2), (p + w) / 2, "precedence after half a write", 1e-15)


@meaning("links-follow-the-order-of-writing", "DNC-link", "DNC-precedence", "DNC-forward", "DNC-backward")
def links_follow_the_order_of_writing(rng):
    """Slots 2, 0 and 3 were written in this order: forwards from 2 is 0 and from 0 is 3, nothing after 3; backwards from 3 is 0
    and from 0 is 2, nothing before 2."""
    order = 2, 0, 3
    L, _ = written(5, *order)
    for slot, before, after in zip(order, (None, *order), (*order[1:], None)):
        for way, weights, to in (("forwards", forward_weights, after), ("backwards", backward_weights, before)):
            expected = np.zeros((1, 1, 5)) if to is None else one_hot(5, to)
            same(weights(L, one_hot(5, slot)), expected, f"written 2, 0, 3: {way} from {slot}")
    same(forward_weights(L, one_hot(5, 0, 2)), one_hot(5, 3, 0), "forwards from 0 and, another head, from 2")
    same(backward_weights(L, one_hot(5, 3, 0)), one_hot(5, 0, 2), "backwards from 3 and, another head, from 0")


@meaning("writing-again-forgets-old-links", "DNC-link")
def writing_again_forgets_old_links(rng):
    """Slots 0, 1, 2 and then 1 again: the links from 0 to 1 and from 1 to 2 are gone, the one from 2 to 1 is new."""
    L, _ = written(4, 0, 1, 2, 1)
    expected = np.zeros((1, 4, 4))
    expected[0, 1, 2] = 1                                                # 1 was written after 2
    same(L, expected, "links after writing 0, 1, 2, 1")
    L = part_weights(rng, 1, 4, 4)
    again = link(L, at(4, 1), np.zeros((1, 4)))[0]
    same(again[1], 0.0, "links into a slot written again")
    same(again[:, 1], 0.0, "links out of a slot written again")
    others = np.ix_([0, 2, 3], [0, 2, 3])
    same(again[others], (L[0] * (1 - np.eye(4)))[others], "links between the other slots")


@meaning("half-a-write-half-a-link", "DNC-link")
def half_a_write_half_a_link(rng):
    """A slot's links fade as far as it, or the slot at their other end, is written to; a new link is as strong as write and
    precedence together."""
    L, w, p = part_weights(rng, 1, 3, 3), np.array([[0.5, 0.25, 0]]), np.array([[0.0, 0.25, 0.75]])
    new = link(L, w, p)[0]
    same(new[0, 1], (1 - 0.5 - 0.25) * L[0, 0, 1] + 0.5 * 0.25, "link from slot 1 to slot 0, writing 1/2 to 0 and 1/4 to 1", 1e-15)
    same(new[2, 0], (1 - 0.5) * L[0, 2, 0], "link from slot 0 to slot 2, which is not written to", 1e-15)
    same(new[0, 2], (1 - 0.5) * L[0, 0, 2] + 0.5 * 0.75, "link from slot 2 to slot 0", 1e-15)
    same(link(L, 0 * w, p), L * (1 - np.eye(3)), "links after no write")


@meaning("no-slot-follows-itself", "DNC-link")
def no_slot_follows_itself(rng):
    """Writing to one slot twice makes no link, and no slot is linked to itself."""
    same(written(4, 2, 2)[0], 0.0, "links after writing slot 2 twice")
    L = link(simplex(rng, 2, 5, 5), part_weights(rng, 2, 5), part_weights(rng, 2, 5))
    same(np.diagonal(L, axis1=1, axis2=2), 0.0, "links of slots to themselves")


@meaning("links-are-weightings", "DNC-link", "DNC-precedence")
def links_are_weightings(rng):
    """However it was written, precedence, every row and every column of the links have no number below 0 and sum to at most one."""
    L, p = np.zeros((3, 6, 6)), np.zeros((3, 6))
    for step in range(30):
        w = part_weights(rng, 3, 6) if step % 3 else simplex(rng, 3, 6)
        L, p = link(L, w, p), precedence(p, w)
        for what, weights in (("p", p), ("a row of L", L), ("a column of L", L.swapaxes(1, 2))):
            at_most_one(weights, f"{what} after {step + 1} writes")


def at_most_one(weights, what):
    """Raise Unmet unless each row has no number below 0 and sums to at most one."""
    holds(weights.min() >= -1e-15, f"{what}: expected no weight below 0, received {weights.min():.4g}")
    holds(weights.sum(-1).max() <= 1 + 1e-12, f"{what}: expected a sum of at most one, received {weights.sum(-1).max():.6g}")


@meaning("modes-choose-how-to-read", "DNC-read-weights")
def modes_choose_how_to_read(rng):
    """The first read mode goes back in the order of writing, the second looks for the content, the third goes forwards; each
    head has its own, and between them is a mixture."""
    ways = w_b, c_r, w_f = part_weights(rng, 2, 3, 5), simplex(rng, 2, 3, 5), part_weights(rng, 2, 3, 5)
    for mode, name in enumerate(("back", "content", "forward")):
        pi = np.broadcast_to(np.eye(3)[mode], (2, 3, 3))
        same(read_weights(w_b, c_r, w_f, pi), ways[mode], f"w_r in the mode {mode}: {name}")
    each = np.broadcast_to(np.eye(3), (2, 3, 3))
    same(read_weights(w_b, c_r, w_f, each), np.stack([ways[i][:, i] for i in range(3)], axis=1), "w_r of heads in modes 0, 1, 2")
    half = np.broadcast_to([0.5, 0.25, 0.25], (2, 3, 3))
    same(read_weights(w_b, c_r, w_f, half), w_b / 2 + c_r / 4 + w_f / 4, "w_r with modes 1/2, 1/4, 1/4", 1e-15)


# ---- Csordas and Schmidhuber 2019 ----------------------------------------------------------------------------------------------

@meaning("masked-columns-do-not-count", "DNC-masked-cosine")
def masked_columns_do_not_count(rng):
    """What stands in a masked column, of the key or of the memory, changes nothing; without a mask it is the plain cosine; each
    head has its own mask."""
    k, M, m = 9 * rng.standard_normal((2, 3, 4)), 9 * rng.standard_normal((2, 5, 4)), np.ones((2, 3, 4))
    same(masked_cosine(k, M, m), cosine_similarity(k, M), "similarity with nothing masked", 1e-12)
    m[..., 2] = 0
    plain = masked_cosine(k, M, m)
    same(plain, cosine_similarity(np.delete(k, 2, 2), np.delete(M, 2, 2)), "similarity with column 2 masked", 1e-9)
    for what, others in (("key", (k + [0, 0, 7, 0], M, m)), ("memory", (k, M - [0, 0, 7, 0], m))):
        same(masked_cosine(*others), plain, f"similarity with other numbers in the {what}'s masked column", 1e-12)
    m[:, 0] = 1
    same(masked_cosine(k, M, m)[:, 0], cosine_similarity(k, M)[:, 0], "similarity of the head without a mask", 1e-12)
    m = rng.uniform(0.1, 1, (2, 3, 4))
    each = np.concatenate([cosine_similarity(k[:, [h]] * m[:, [h]], M * m[:, [h]]) for h in range(3)], axis=1)
    same(masked_cosine(k, M, m), each, "similarity under masks, both sides masked", 1e-9)


@meaning("freed-slots-are-wiped", "DNC-deallocation")
def freed_slots_are_wiped(rng):
    """A slot that is not kept loses its content, one that is kept keeps it."""
    M = rng.standard_normal((1, 4, 3))
    same(deallocate(M, np.array([[1.0, 0, 0.5, 1]])), M * np.array([1, 0, 0.5, 1])[:, None], "memory of which 1, 0, 1/2, 1 is kept")


# ---- sparse links --------------------------------------------------------------------------------------------------------------

@meaning("largest-weights-are-kept", "DNC-largest")
def largest_weights_are_kept(rng):
    """The K largest weights keep their proportions and sum to one, the others are 0; a closed gate stays closed."""
    w = np.array([[0.1, 0.24, 0.0, 0.06, 0.12]])
    same(largest(w, 2), [[0, 2 / 3, 0, 0, 1 / 3]], "the 2 largest of 0.1, 0.24, 0, 0.06, 0.12", 3e-3)
    same(largest(w, 3), np.array([[10, 24, 0, 0, 12]]) / 46, "the 3 largest", 3e-3)
    same(largest(np.full((1, 5), 0.2), 2), [[0.5, 0.5, 0, 0, 0]], "the 2 largest of equal weights: the first", 3e-3)
    same(largest(0 * w, 2), 0.0, "the 2 largest of nothing")
    same(largest(1e-7 * w, 2), 0.0, "the 2 largest of a closed gate's", 1e-3)


@meaning("sparse-links-are-the-large-ones", "DNC-sparse-link", "DNC-sparse-forward", "DNC-sparse-backward")
def sparse_links_are_the_large_ones(rng):
    """Sparse links are those of the dense links that are at least 1 / K, at most K a slot; along them one goes where one goes along
    the dense ones."""
    N, K = 9, 4
    L, V, C = np.zeros((2, N, N)), np.zeros((2, N, K)), np.zeros((2, N, K))
    w_r, seen = simplex(rng, 2, 3, N), 0
    for step in range(24):
        w_hat, p_hat = (few(rng, 2, N, K if step % 2 else 1) for _ in range(2))
        L, (V, C) = link(L, w_hat, p_hat), sparse_link(V, C, w_hat, p_hat)
        L = L * (L >= 1 / K)
        spread = np.zeros((2, N, N + 1))
        np.put_along_axis(spread, C.astype(int), V, axis=2)              # number 0 is an empty place
        same(spread[..., 1:], L, f"sparse links after {step + 1} writes", 1e-13)
        holds(((V > 0) == (C > 0)).all(), "places: expected a number where there is a link, and only there")
        same(sparse_forward(V, C, w_r), forward_weights(L, w_r), "forwards along sparse links", 1e-13)
        same(sparse_backward(V, C, w_r), backward_weights(L, w_r), "backwards along sparse links", 1e-13)
        seen = max(seen, (V > 0).sum())
    holds(seen > 4, f"links in the test: expected more than 4, received {seen}")


def few(rng, B, N, K):
    """Weightings (B, N) on K slots."""
    w = np.zeros((B, N))
    for row in w:
        row[rng.choice(N, K, replace=False)] = rng.dirichlet(np.full(K, 0.3))
    return w


@meaning("mixtures-are-weightings", "DNC-read-weights", "DNC-write-weights")
def mixtures_are_weightings(rng):
    """Write and read weights are never below 0 and never sum to more than one."""
    g_a, g_w = rng.random((2, 4, 1))
    at_most_one(write_weights(part_weights(rng, 4, 5), simplex(rng, 4, 5), g_a, g_w), "w_w")
    ways = [part_weights(rng, 4, 2, 5), simplex(rng, 4, 2, 5), part_weights(rng, 4, 2, 5)]
    at_most_one(read_weights(*ways, simplex(rng, 4, 2, 3)), "w_r")
    distribution(read_weights(ways[1], ways[1], ways[1], simplex(rng, 4, 2, 3)), "w_r of three whole weightings")
