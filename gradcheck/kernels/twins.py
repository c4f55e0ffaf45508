"""Kernel mutants that no check can catch, because they compute the same: shown at 1,000 random points, and said why.

The points run all at once: each number of the arrays stands for hundreds of points (interpreted.py), at sizes other than
those of the exam. Where a loop branches on a number instead of a size, as sorting does, the points part: those that go the same
way run on together. So what sorts has few slots here, steps and sequences: there are not many orders of them.
"""

from itertools import compress
from typing import NamedTuple

import numpy as np

from gradcheck.kernels.interpreted import Parting, at_points, interpreted_pair, numbers
from gradcheck.kernels import AtSetting
from gradcheck.kernels.settings import (EXAMPLES, Setting, dnc_setting, heads_setting, ntm_setting, padded_steps, scan_setting,
                                        without_state)
from gradcheck.pair import backward_arguments, listed
from gradcheck.points import USUAL, generator

POINTS, SAME = 1000, 1e-13
SETTINGS = {"ntm.sequence": [ntm_setting(2, 2, 2, 3, C=2, T=2, B=2, N=5), ntm_setting(1, 2, 3, 3, C=3, T=2, B=2, N=4),
                             ntm_setting(1, 1, 1, 5, C=1, T=2, B=5, N=6),
                             ntm_setting(1, 2, 1, 1, C=4, T=3, B=2, N=3, change=without_state)],
            "dnc.sequence": [dnc_setting(2, 2, C=2, T=2, B=1, N=3), dnc_setting(1, 3, C=3, T=1, B=2, N=2, deallocation=True),
                             dnc_setting(2, 1, C=4, T=3, B=1, N=2, change=without_state),
                             dnc_setting(1, 2, C=1, T=1, B=1, N=4, usage_gradient=False)],
            "memory_transformer.write": [heads_setting(0, 1, 2, 3, T=2, B=2, N=4), heads_setting(0, 2, 1, 1, T=3, B=1, N=3)],
            "memory_transformer.read": [heads_setting(1, 0, 2, 3, T=2, B=2, N=4), heads_setting(2, 0, 1, 1, T=3, B=1, N=3)],
            "dmn.scan": [scan_setting(2, B=2, T=3, change=padded_steps), scan_setting(3, 2, B=5, T=2)]}

BLANK = "new and empty arrays of one shape: which is which does not matter"
ROWS = "temporary rows that exchange places, or share one while only one of them is in use"
LONGER = "a slice or an array that is longer than what is used of it"
EACH = "inside a loop over all places, where -1 is the last: each still gets the same constant or factor, once"
FROM_END = "-1 counts from the end, and that is the place that was meant"
ONE = "there is one column: -1 is 0"
STEPS = "a range in steps of LANES over a multiple of LANES: one less at its end is no step less"
UNSEEN = "beyond the last slot: nothing that is handed out depends on it"
MASK = "the mask is 1 or 0, and where it is 0 so is the weight: nothing is added, divided or passed on"
NO_STATE = "without a state of its own the loop over it has no turns, whatever h_prev is"
ROWS_OF_A_BLOCK = "a block has last - first rows: counted from the end, the row is the same"
A_CLASS = "every target here is one of the classes"
OVERWRITTEN = "what lies beyond is written over later"
SOME = "all rows of the block are asked, in whatever order"
DONE_ANYWAY = "padding only: the product is of what nobody uses"
ORDER = "in whatever order the rows are, each is computed by itself"
EITHER = "in usage, u + w - u w, either may stand for the other"
ANY_ORDER = "in whatever order the slots are, they are sorted"
BEGINNING = "in steps of LANES from 0 on, the same blocks begin before N and before its next multiple of LANES"
REASONS = (                    # (function, part of the line, operator or "", why it computes the same)
    ("sequence", "np.zeros((3, slots + S)", "", LONGER),
    ("sequence", "slots > N", "", UNSEEN),
    ("sequence", "w[..., N:]", "", UNSEEN),
    ("sequence_backward", "np.zeros", "swap_results", BLANK),
    ("sequence_backward", "slots + sizes.S", "", LONGER),
    ("rows_for", "np.zeros", "", LONGER),
    ("forward", "copy(b_heads", "index_off_by_one", EACH),
    ("forward", "b - first", "name_of_the_same_kind", ROWS_OF_A_BLOCK),
    ("forward", "if n_own > 0:", "", NO_STATE),
    ("backward", "b - first", "name_of_the_same_kind", ROWS_OF_A_BLOCK),
    ("backward", "du[b - first, j] = zero", "index_off_by_one", EACH),
    ("scan", "y_now = np.zeros", "", LONGER),
    ("scan", "empty([", "swap_results", BLANK),
    ("scan_backward", "dh_now = np.zeros", "", LONGER),
    ("blocks", "np.argsort", "", ORDER),
    ("some_real", "mask[", "index_off_by_one", SOME),
    ("some_real", "mask[", "soften_comparison", DONE_ANYWAY),
    ("set_zero", "x[j] = 0", "index_off_by_one", EACH),
    ("forward", "set_zero(y_now[k])", "index_off_by_one", EACH),
    ("cell", "for j in range(C)", "name_of_the_same_kind", "in the attention GRU both are C"),
    ("cell_backward", "for j in range(C)", "name_of_the_same_kind", OVERWRITTEN),
    ("attend_backward", "np.zeros(q.shape", "swap_results", BLANK),
    ("attend_backward", "empty([", "swap_results", BLANK),
    ("product", "worth=", "", "on one thread or on two"),
    ("product", "half = ", "", "x and out have as many rows"),
    ("rate", "a_i[j] = 0", "index_off_by_one", EACH),
    ("rate", "W_2[j, 0]", "index_off_by_one", ONE),
    ("rate_back", "W_2[j, 0]", "index_off_by_one", ONE),
    ("part_back", "np.sign", "lose_sum", "to multiply by a sign is to divide by it"),
    ("look_back", "df_i[j] = 0", "index_off_by_one", EACH),
    ("add_product", "x0, x1, x2, x3", "drop_term", "four rows are all that the batch has"),
    ("add_product", "y0, y1, y2, y3", "drop_term", "four rows are all that the batch has"),
    ("memory_step", "number(COSINE_EPS), number(SHARPEN_EPS)", "swap_results", "the two are both 1e-8"),
    ("memory_step", "scratch[", "swap_results", ROWS),
    ("memory_step", "scratch[", "index_off_by_one", ROWS),
    ("memory_step", "scratch[", "", LONGER),
    ("address", "number(COSINE_EPS), number(SHARPEN_EPS)", "swap_results", "the two are both 1e-8"),
    ("address", "scratch[", "swap_results", ROWS),
    ("address", "scratch[", "index_off_by_one", ROWS),
    ("address", "scratch[", "", LONGER),
    ("address", "beta[h, 0], g[h, 0], gamma[h, 0]", "index_off_by_one", ONE),
    ("address_backward", "scratch[", "swap_results", ROWS),
    ("address_backward", "scratch[", "index_off_by_one", ROWS),
    ("address_backward", "scratch[", "", LONGER),
    ("heads_backward", "scratch[", "", LONGER),
    ("heads_backward", "beta[h, 0], g[h, 0]", "index_off_by_one", ONE),
    ("heads_backward", "draw[at_s + h * S", "", LONGER),
    ("head_parameters", "[h, 0] =", "index_off_by_one", ONE),
    ("write_backward", "de_i, da_i, ", "swap_results", "both start at zero"),
    ("write_backward", "de_i, da_i, ", "index_off_by_one", EACH),
    ("weighted_windows", "range(N, out.size)", "", UNSEEN),
    ("softmax", "p[n] *= scale", "index_off_by_one", EACH),
    ("top_of", "top, whole = z[0]", "index_off_by_one", "any score does to start the search for the largest"),
    ("top_of", "top, whole = z[0]", "drop_term", "then all scores are looked at one by one"),
    ("top_of", "top = max(top, z[n])", "index_off_by_one", "each score is seen once: -1 is the last one"),
    ("top_of", "maximum(", "swap_arguments", "the larger of two is the larger of two"),
    ("attention_backward", "empty([", "swap_results", BLANK),
    *((function, "range(0, ", "short_range", STEPS) for function in (
        "attend", "attend_back", "weighted_sum",
        "inverse_norms", "wrap_around", "weighted_windows", "address", "fade", "add_outer", "write_backward",
        "address_backward", "cosine_backward", "memory_step_backward")),
    ("dot", "range(LANES, ", "short_range", STEPS),
    ("top_of", "top = z[0]", "index_off_by_one", "any score does to start the search for the largest"),
    ("top_of", "top = max(top, z[v])", "index_off_by_one", "each score is seen once: -1 is the last one"),
    ("top_of", "range(z.size)", "short_range", "the first score has been looked at"),
    ("cost", "if y < -z.size", "", A_CLASS),
    ("cost", "loss[0] +=", "index_off_by_one", ONE),
    ("cost", "total += exp(z[v] - top)", "index_off_by_one", "each exponential is added once: -1 is the last one"),
    ("cost_backward", "dloss[0]", "index_off_by_one", ONE),
    ("cost_backward", "dz[v] *= factor / total", "index_off_by_one", EACH),
    ("categorical", "return loss[0]", "index_off_by_one", ONE),
    ("categorical", "raise IndexError", "", A_CLASS),
    ("add_words", "add_product(", "swap_arguments", "of the two factors either may be the first"),
    ("add_words_backward", "add_product(", "swap_arguments", "of the two factors either may be the first"),
    ("repeat", "range(wide.shape[0])", "short_range", "a sentence without words takes no weights"),
    ("repeat", "range(0, out.size, row.size)", "short_range", "steps of a row over a multiple of it: one less is no step less"),
    ("remember", "m_i[k] = m_i.dtype.type(0)", "index_off_by_one", EACH),
    ("look", "o_k[j] = zero", "index_off_by_one", EACH),
    ("go_on", "range(H.shape[0])", "index_off_by_one", "H is square"),
    ("go_back", "range(H.shape[0])", "index_off_by_one", "H is square"),
    ("words_in", "x_i[j] != 0", "index_off_by_one", "words are counted, and -1 is the last one: each is counted once"),
    ("look", "empty[b, 0]", "index_off_by_one", ONE),
    ("look", "if mask_b[i] > 0:", "", MASK),
    ("look_back", "if mask_b[i] > 0:", "", MASK),
    ("softmax_with_empty", "top = zero if empty > 0", "", "where the empty slots' share overflows, the rest gets 0 either way"),
    ("softmax_with_empty", "if mask[i] > 0:", "", MASK),
    ("pair_for", "say(", "forget_statement", "a line on stderr is no result"),
    ("all_steps", "own = np.zeros((last", "", LONGER),
    ("all_steps", "slots > N", "", "where they are as many, there is nothing to fill"),
    ("forward", "copy(b_xi", "index_off_by_one", EACH),
    ("forward", "u_prev", "", EITHER),
    ("forward", "phi[b]", "index_off_by_one", ANY_ORDER),
    ("backward", "phi[b]", "index_off_by_one", ANY_ORDER),
    ("backward", "dchi[b - first, j] = zero", "index_off_by_one", EACH),
    *((function, "range(0, ", "short_range", STEPS) for function in (
        "look_up", "look_up_backward", "precedence_backward", "allocate", "link", "read_backward", "link_backward",
        "usage_backward")),
    ("interface", "", "index_off_by_one", ONE),
    ("allocate", "f[", "index_off_by_one", ONE),
    ("allocate", "u_n, w_n = ", "swap_results", EITHER),
    ("usage_backward", "f[", "index_off_by_one", ONE),
    ("memory_step", "allocate(", "swap_arguments", EITHER),
    ("memory_step", "range(0, slots, LANES)", "name_of_the_same_kind", BEGINNING),
    ("memory_step", "len(M)", "name_of_the_same_kind", "M and M_prev have as many rows"),
    ("memory_step", "look_up(", "index_off_by_one", ONE),
    ("memory_step", "g, share = ", "index_off_by_one", ONE),
    ("memory_step", "c_w[0]", "index_off_by_one", ONE),
    ("memory_step", "e[0], v[0]", "index_off_by_one", ONE),
    ("memory_step_backward", "dw_b, dc_r, dw_f = heads", "", ROWS),
    ("memory_step_backward", " = rows[0]", "", ROWS),
    ("memory_step_backward", "draw[:at_beta_r]", "", LONGER),
    ("memory_step_backward", "draw[at_f:at_g_a]", "", LONGER),
    ("memory_step_backward", "draw[at_e:at_v]", "name_of_the_same_kind", LONGER),
    ("memory_step_backward", "beta_r[h, 0]", "index_off_by_one", ONE),
    ("memory_step_backward", "e[0], v[0]", "index_off_by_one", ONE),
    ("memory_step_backward", "g, share, ", "index_off_by_one", ONE),
    ("memory_step_backward", "g, share, ", "swap_results", "both start at zero"),
    ("memory_step_backward", "c_w[0]", "index_off_by_one", ONE),
    ("memory_step_backward", "M_scale, along)", "swap_arguments", "both are for use in there: what was in them is not read"),
    ("write_backward", "de_i, dv_i, ", "swap_results", "both start at zero"),
    ("link", "len(L)", "name_of_the_same_kind", "L and L_prev have as many rows"),
    ("link_backward", "range(0, slots, LANES)", "name_of_the_same_kind", BEGINNING),
    ("read_backward", "len(dr)", "name_of_the_same_kind", "dr and dw_r have as many rows"),
    ("sort_slots", "other < slot", "soften_comparison", "no slot is met twice"),
    ("sort_slots", "range(j - 1", "name_of_the_same_kind", "the search begins at place j"),
)


def reason(mutant):
    """Why a mutant computes the same, if that has been understood; else ''."""
    for function, part, operator, why in REASONS:
        if mutant.function == function and part in mutant.before and operator in ("", mutant.operator):
            return why
    return ""


class Together(NamedTuple):
    """Points of one setting that go the same way at every branch: arguments and upstream gradients at each, and as one."""
    points: list
    upstream: list
    as_one: tuple
    wanted: list                 # what the kernel gives


class Twin:
    """A kernel at many random points: does a mutant give the same everywhere?"""

    def __init__(self, kernel, seed=0):
        self.kernel, self.original, rng = kernel, interpreted_pair(kernel), generator(seed, "twins of " + kernel.name)
        settings = SETTINGS.get(kernel.name) or [Setting(kernel.of.fixed, kernel.of.dims), *(
            one for one in EXAMPLES.get(kernel.name, ()) if one.slack == 1)]
        self.cases = []
        for setting in settings:
            at = AtSetting(kernel.of, setting)
            points = [at.point(rng, (USUAL | {"I": 12}, True)).arguments for _ in range(-(-POINTS // len(settings)))]
            outputs = listed(kernel.of.functions[0](*points[0]))
            upstream = [[rng.standard_normal(np.shape(out)) for out in outputs] for _ in points]
            self.cases += self._together(points, upstream)

    def _together(self, points, upstream):
        """Points of one setting -> list of Together, as few as the kernel's branches allow."""
        as_one = self._merged(points, upstream)
        try:
            return [Together(points, upstream, as_one, _run(self.kernel.of, self.original, *as_one))]
        except Parting as parting:
            return self._parted(points, upstream, parting)

    def _parted(self, points, upstream, parting):
        return [case for way in (parting.first, ~parting.first)
                for case in self._together(list(compress(points, way)), list(compress(upstream, way)))]

    def _merged(self, points, upstream):
        """All points of a setting as one; masks, words and other data are those of the first."""
        inputs = [self.kernel.of.inputs[name] for name in self.kernel.of.arguments]
        return ([values[0] if symbol.is_data else at_points(values) for symbol, *values in zip(inputs, *points)],
                [at_points(values) for values in zip(*upstream)])

    def same(self, mutant):
        """Whether all outputs and gradients of a mutant are those of the kernel, to 1e-13, at all points."""
        pair = interpreted_pair(self.kernel, mutant.changed)
        with np.errstate(all="ignore"):
            return all(self._same(pair, case) for case in self.cases)

    def _same(self, pair, case):
        try:
            return _equal(_run(self.kernel.of, pair, *case.as_one, like=case.wanted), case.wanted)
        except Parting as parting:               # where the kernel does not
            return all(self._same(pair, part) for part in self._parted(case.points, case.upstream, parting))
        except Exception:  # noqa: BLE001        a broken loop may raise anything
            return False


def _run(equation, pair, arguments, upstream, like=None):
    """Outputs, then gradients. The backward is handed the outputs of `like`, so that it is judged alone."""
    outputs = listed(pair[0](*arguments))
    known = dict(zip(equation.arguments, arguments)) | dict(zip(equation.outputs, like or outputs))
    known |= {f"d{name}": value for name, value in zip(equation.outputs, upstream)}
    return [*outputs, *listed(pair[1](*[known[name] for name in backward_arguments(equation)]))]


def _equal(found, wanted):
    return len(found) == len(wanted) and all(np.shape(a) == np.shape(b) and _near(numbers(a), numbers(b))
                                             for a, b in zip(found, wanted))


def _near(a, b):
    return bool((np.abs(a - b) <= SAME * np.abs(b).max(initial=0)).all())
