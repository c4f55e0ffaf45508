"""Where kernels are checked besides the sizes that their equations name: settings that take the other branches, and extremes."""

from typing import NamedTuple

import numpy as np

from numpymem.dnc.sequence import dims as dnc_dims
from numpymem.dnc.step import DNCSizes
from numpymem.memn2n.equations import remember
from numpymem.memn2n.hops import Way
from numpymem.ntm.step import HeadSizes


def dims_of(sizes, C, feedforward=False):
    """The letters of NTM-sequence that HeadSizes and the controller decide."""
    letters = {"P": sizes.raw, "H": sizes.H, "R": sizes.R, "Q": sizes.Q, "W": sizes.W, "S": sizes.S, "C": C}
    return letters | ({"U": sizes.R * sizes.W, "G": C} if feedforward else {"U": sizes.R * sizes.W + C, "G": 4 * C})


def without_state(point):
    """A feedforward controller has no h0 and no c0: cut theirs to no columns. (In the docstring's letters they have C.)"""
    return _moved(point, dict.fromkeys((4, 5), lambda state: state[:, :0]))


def saturated(point):
    """Raw head parameters of a thousand and more: strengths and exponents at which a softmax that forgets to subtract the
    largest score first overflows, or has nothing left to divide by. Those of the shifts rise in one head and fall in the next."""
    b_heads, sizes = point.arguments[3], point.arguments[-1]
    b_heads = np.sign(b_heads) * (1000 + 1000 * np.abs(b_heads))
    shifts = np.outer(1 - 2 * (np.arange(sizes.H) % 2), 1000 * np.arange(sizes.S))               # (H, S)
    b_heads[sizes.cuts[2]:sizes.cuts[3]] = shifts.ravel()
    return _moved(point, {3: lambda _: b_heads})


def far_apart(point):
    """Scores of the memory network in the thousands, for the same reason. Those of the first story fall from one sentence to the
    next, all far below 0, and no empty slot shares; those of the last one rise."""
    u, memories, _, mask, empty, _ = point.arguments
    memories, mask, empty, steps = memories.copy(), mask.copy(), empty.copy(), np.arange(1, memories.shape[1] + 1)[:, None]
    memories[:, :, 0] *= 60
    memories[0, :, 0], mask[0], mask[0, -1], empty[0] = -60 * u[0] * steps, 1, 0, 0
    memories[-1, :, 0], mask[-1, -1] = 60 * u[-1] * steps, 1
    return _moved(point, {0: lambda _: 60 * u, 1: lambda _: memories, 3: lambda _: mask, 4: lambda _: empty})


def nobody_home(point):
    """Empty slots by the dozen for every other story; two stories without a sentence, and a last one whose sentences all match less
    than an empty slot does."""
    u, memories, _, mask, _, _ = point.arguments
    memories, mask, empty = memories.copy(), mask.copy(), 12.0 * (np.arange(len(u)) % 2)[:, None]
    memories[-1, :, 0], mask[-1], empty[-1] = -u[-1], 1, 12
    mask[:2] = 0
    return _moved(point, {1: lambda _: memories, 3: lambda _: mask, 4: lambda _: empty})


def padded_steps(point):
    """A scan over rows of every length: one without a real step, others with padding at the end or, every fourth, at the start."""
    mask, T = point.arguments[4], point.arguments[4].shape[1]
    told = np.arange(len(mask)) % (T + 1)
    mask = (np.arange(T) < told[:, None]).astype(float)
    mask[3::4] = mask[3::4, ::-1]
    return _moved(point, {4: lambda _: mask})


def padded_stories(point):
    """Stories of every length, also of none."""
    I = point.arguments[6].shape[1]
    mask = (np.arange(I) < (np.arange(len(point.arguments[6])) % (I + 1))[:, None]).astype(float)
    return _moved(point, {6: lambda _: mask})


def nothing_written(point):
    """A DNC as it starts: no weights, usage, precedence or links. All slots are equally empty: their numbers decide the order."""
    return _moved(point, dict.fromkeys(range(7, 12), np.zeros_like))


def far_logits(point):
    """Scores of classes in the thousands."""
    return _moved(point, {0: lambda logits: 4000 * logits})


def half_nil(point):
    """Every other word, and the age of every other sentence, is nil."""
    return _moved(point, {0: _every_other, 3: _every_other})


def _every_other(numbers):
    return numbers * (np.arange(numbers.size).reshape(numbers.shape) % 2)


def _moved(point, changes):
    """A point with other values of some of its arguments, by their places."""
    return point._replace(arguments=[changes[at](value) if at in changes else value for at, value in enumerate(point.arguments)])


class Setting(NamedTuple):
    """At what to check: `fixed` and `dims` like those of @equation, a change of the random points, and the precisions. Where the
    numbers are extreme, so is rounding: `slack` widens the tolerance."""
    fixed: dict
    dims: dict
    change: object = None
    dtypes: tuple = (np.float64, np.float32)
    slack: float = 1.0


def ntm_setting(R, Q, W, S, C, T, B, N, change=None, slack=1.0):
    """The NTM's kernel at given sizes; a feedforward controller with change=without_state."""
    sizes, feedforward = HeadSizes(R, Q, W, S), change is without_state
    return Setting({"sizes": sizes}, dims_of(sizes, C, feedforward) | {"T": T, "B": B, "N": N}, change, slack=slack)


def hops_setting(hops, *more, D=0, relu=False, linear=False, **others):
    """The kernel of all hops, with adjacent tying; layer-wise, if a width D is given."""
    return Setting({"way": Way(hops, relu, linear)}, {"n": 2, "D": D, "G": D} if D else {"n": hops + 1, "G": 0}, *more, **others)


def dnc_setting(R, W, C, T, B, N, change=None, slack=1.0, dtypes=(np.float64, np.float32), **switches):
    """The DNC's kernel at given sizes; a feedforward controller with change=without_state."""
    sizes, feedforward = DNCSizes(R, W, **switches), change is without_state
    letters = {"C": C, "U": R * W, "G": C} if feedforward else {"C": C, "U": R * W + C, "G": 4 * C}
    return Setting({"sizes": sizes}, dnc_dims(sizes) | letters | {"T": T, "B": B, "N": N}, change, dtypes, slack)


def scan_setting(C, blocks=3, change=None, **letters):
    """The kernel of a GRU over all steps; with two blocks of columns the attention GRU."""
    return Setting({}, {"C": C, "G": blocks * C} | letters, change)


def attention_setting(D, change=None, **letters):
    """The kernel of the scores of all facts."""
    return Setting({}, {"D": D, "F": 4 * D} | letters, change)


def seen_by_some(point):
    """Attention where one place looks nowhere, one at one place alone, and the others not ahead."""
    mask = np.broadcast_to(np.tri(*point.arguments[3].shape[1:]), point.arguments[3].shape).copy()
    mask[0, 0], mask[-1, -1, 1:] = 0, 0
    return _moved(point, {3: lambda _: mask})


def far_scores(point):
    """Attention with scores in the thousands."""
    return _moved(point, {0: lambda q: 4000 * q})


def attention_heads(heads, D, change=None, **letters):
    """The kernel of attention."""
    return Setting({"heads": heads}, {"A": heads, "D": D} | letters, change)


def heads_setting(R, Q, W, S, T, B, N, change=None, slack=1.0):
    """The kernels of all writes and all reads of a memory Transformer: heads of one kind alone."""
    sizes = HeadSizes(R, Q, W, S)
    return Setting({"sizes": sizes}, {"P": sizes.raw, "H": sizes.H, "W": W, "S": S, "T": T, "B": B, "N": N}, change, slack=slack)


FEW, MANY = HeadSizes(R=1, Q=1, W=3, S=1), HeadSizes(R=3, Q=2, W=4, S=5)
WORDS = {"fixed": remember.fixed, "dims": remember.dims}
EXAMPLES = {                                                     # kernel -> settings that take its other branches
    "ntm.sequence": [Setting({"sizes": FEW}, dims_of(FEW, 5)), Setting({"sizes": MANY}, dims_of(MANY, 6)),
                     Setting({"sizes": FEW}, dims_of(FEW, 5, feedforward=True), without_state),
                     Setting({"sizes": MANY}, dims_of(MANY, 6, feedforward=True), without_state),
                     ntm_setting(1, 1, 20, 3, C=20, T=2, B=9, N=32),            # several panels of columns, no empty lanes
                     Setting({"sizes": MANY}, dims_of(MANY, 6), saturated, (np.float64,), slack=1e5)],
    "dnc.sequence": [dnc_setting(1, 3, C=5, T=3, B=2, N=6, deallocation=True), dnc_setting(3, 4, C=6, T=4, B=3, N=17),
                     dnc_setting(1, 2, C=5, T=3, B=2, N=5, usage_gradient=False),
                     dnc_setting(2, 3, C=4, T=2, B=2, N=5, masking=True),
                     dnc_setting(2, 3, C=4, T=4, B=2, N=6, change=nothing_written),
                     dnc_setting(2, 5, C=6, T=3, B=3, N=4, change=without_state),
                     dnc_setting(1, 20, C=20, T=2, B=9, N=32)],
    "dmn.scan": [scan_setting(3, 2), scan_setting(6, change=padded_steps, T=7), scan_setting(20, B=37, T=5, change=padded_steps),
                 scan_setting(33, 2, B=9, T=2)],
    "dmn.attention": [attention_setting(1), attention_setting(5, padded_stories), attention_setting(20, padded_stories, H=31)],
    "memory_transformer.write": [heads_setting(0, 1, 4, 1, T=1, B=1, N=16), heads_setting(0, 3, 3, 5, T=4, B=9, N=17)],
    "memory_transformer.read": [heads_setting(1, 0, 4, 1, T=1, B=1, N=16), heads_setting(2, 0, 3, 5, T=4, B=9, N=17)],
    "memory_transformer.attention": [attention_heads(1, 3, seen_by_some, T=5, S=5), attention_heads(3, 51, S=19),
                                     Setting({"heads": 2}, {"A": 2, "D": 6}, far_scores, (np.float64,), slack=1e5)],
    "loss.categorical": [Setting({}, {}, far_logits, (np.float64,), slack=1e5)],
    "memn2n.encode": [Setting(**WORDS, change=half_nil)],
    "memn2n.memories": [Setting(**WORDS, change=half_nil)],
    "memn2n.hops": [hops_setting(3), hops_setting(2, relu=True, linear=True), hops_setting(2, D=19, relu=True),
                    hops_setting(1, nobody_home), hops_setting(1, far_apart, (np.float64,), slack=1e5)],
}
