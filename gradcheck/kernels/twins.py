"""Kernel mutants that no check can catch, because they compute the same: shown at 1,000 random points, and said why.

The points run all at once: each number of the arrays stands for hundreds of points (interpreted.py), at sizes other than
those of the exam. A mutant that branches on a number instead of a size cannot run so, and goes through them one by one.
"""

import numpy as np

from gradcheck.kernels.interpreted import at_points, interpreted_pair, numbers
from gradcheck.kernels import AtSetting
from gradcheck.kernels.settings import EXAMPLES, Setting, dnc_setting, ntm_setting, without_state
from gradcheck.pair import backward_arguments, listed
from gradcheck.points import USUAL, generator

POINTS, SAME = 1000, 1e-13
SETTINGS = {"ntm.sequence": [ntm_setting(2, 2, 2, 3, C=2, T=2, B=2, N=5), ntm_setting(1, 2, 3, 3, C=3, T=2, B=2, N=4),
                             ntm_setting(1, 1, 1, 5, C=1, T=2, B=5, N=6),
                             ntm_setting(1, 2, 1, 1, C=4, T=3, B=2, N=3, change=without_state)]}

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
    ("add_product", "x0, x1, x2, x3", "drop_term", "four rows are all that the batch has"),
    ("add_product", "y0, y1, y2, y3", "drop_term", "four rows are all that the batch has"),
    ("memory_step", "number(COSINE_EPS), number(SHARPEN_EPS)", "swap_results", "the two are both 1e-8"),
    ("memory_step", "scratch[", "swap_results", ROWS),
    ("memory_step", "scratch[", "index_off_by_one", ROWS),
    ("memory_step", "scratch[", "", LONGER),
    ("memory_step", "beta[h, 0], g[h, 0], gamma[h, 0]", "index_off_by_one", ONE),
    ("address_backward", "scratch[", "swap_results", ROWS),
    ("address_backward", "scratch[", "index_off_by_one", ROWS),
    ("address_backward", "scratch[", "", LONGER),
    ("memory_step_backward", "scratch[", "", LONGER),
    ("memory_step_backward", "beta[h, 0], g[h, 0]", "index_off_by_one", ONE),
    ("memory_step_backward", "draw[at_s + h * S", "", LONGER),
    ("head_parameters", "[h, 0] =", "index_off_by_one", ONE),
    ("write_backward", "de_i, da_i, ", "swap_results", "both start at zero"),
    ("write_backward", "de_i, da_i, ", "index_off_by_one", EACH),
    ("weighted_windows", "range(N, out.size)", "", UNSEEN),
    ("softmax", "p[n] *= scale", "index_off_by_one", EACH),
    ("top_of", "top, whole = z[0]", "index_off_by_one", "any score does to start the search for the largest"),
    ("top_of", "top, whole = z[0]", "drop_term", "then all scores are looked at one by one"),
    ("top_of", "top = max(top, z[n])", "index_off_by_one", "each score is seen once: -1 is the last one"),
    ("top_of", "maximum(", "swap_arguments", "the larger of two is the larger of two"),
    *((function, "range(0, ", "short_range", STEPS) for function in (
        "inverse_norms", "wrap_around", "weighted_windows", "memory_step", "fade", "add_outer", "write_backward",
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
)


def reason(mutant):
    """Why a mutant computes the same, if that has been understood; else ''."""
    for function, part, operator, why in REASONS:
        if mutant.function == function and part in mutant.before and operator in ("", mutant.operator):
            return why
    return ""


class Twin:
    """A kernel at many random points: does a mutant give the same everywhere?"""

    def __init__(self, kernel, seed=0):
        self.kernel, rng = kernel, generator(seed, "twins of " + kernel.name)
        settings = SETTINGS.get(kernel.name) or [Setting(kernel.of.fixed, kernel.of.dims), *(
            one for one in EXAMPLES.get(kernel.name, ()) if one.slack == 1)]
        self.cases = []                          # for each setting: arguments at each point, and upstream gradients
        for setting in settings:
            at = AtSetting(kernel.of, setting)
            points = [at.point(rng, (USUAL | {"I": 12}, True)).arguments for _ in range(-(-POINTS // len(settings)))]
            outputs = listed(kernel.of.functions[0](*points[0]))
            self.cases.append((points, [[rng.standard_normal(np.shape(out)) for out in outputs] for _ in points]))
        self.together = [self._merged(*case) for case in self.cases]
        self.wanted = [_run(kernel.of, interpreted_pair(kernel), *case) for case in self.together]

    def _merged(self, points, upstream):
        """All points of a setting as one; masks, words and other data are those of the first."""
        inputs = [self.kernel.of.inputs[name] for name in self.kernel.of.arguments]
        return ([values[0] if symbol.is_data else at_points(values) for symbol, *values in zip(inputs, *points)],
                [at_points(values) for values in zip(*upstream)])

    def same(self, mutant):
        """Whether all outputs and gradients of a mutant are those of the kernel, to 1e-13, at all points."""
        pair = interpreted_pair(self.kernel, mutant.changed)
        with np.errstate(all="ignore"):
            try:
                return all(_equal(_run(self.kernel.of, pair, *case, like=wanted), wanted)
                           for case, wanted in zip(self.together, self.wanted))
            except ValueError:                   # "the truth value of an array is ambiguous": it branches on a number
                return self._same_one_by_one(pair)
            except Exception:  # noqa: BLE001    a broken loop may raise anything
                return False

    def _same_one_by_one(self, pair):
        original = interpreted_pair(self.kernel)
        for points, upstream in self.cases:
            for case in zip(points, upstream):
                wanted = _run(self.kernel.of, original, *case)
                try:
                    found = _run(self.kernel.of, pair, *case, like=wanted)
                except Exception:  # noqa: BLE001    a broken loop may raise anything
                    return False
                if not _equal(found, wanted):
                    return False
        return True


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
