"""Kernel mutants that no check can catch, because they compute the same: shown at 1,000 random points, and said why.

The points run all at once: each number of the arrays stands for hundreds of points (interpreted.py), at sizes other than
those of the exam. A mutant that branches on a number instead of a size cannot run so, and goes through them one by one.
"""

import numpy as np

from gradcheck.kernels.interpreted import at_points, interpreted_pair, numbers
from gradcheck.kernels import EXAMPLES, AtSetting, Setting, ntm_setting, without_state
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
MASK = "the mask is 1 or 0, and where it is 0 so is the weight: nothing is added, divided or passed on"
NO_STATE = "without a state of its own the loop over it has no turns, whatever h_prev is"
REASONS = (                    # (function, part of the line, operator or "", why it computes the same)
    ("sequence", "np.empty((3, N + S)", "", LONGER),
    ("sequence", "h, c, u, raw, p, r, M", "swap_results", BLANK),
    ("sequence_backward", "np.zeros", "swap_results", BLANK),
    ("sequence_backward", "h[0].shape", "index_off_by_one", "only the shape is read, and that is the same at each step"),
    ("forward", "raw_t[b, j] = b_heads[j]", "index_off_by_one", EACH),
    ("forward", "if n_own > 0:", "", NO_STATE),
    ("backward", "du[b, j] = zero", "index_off_by_one", EACH),
    ("rows_times_matrix", "b = rows - 1", "drop_term", FROM_END),
    ("wrap_around", "row[N - ends + j]", "drop_term", FROM_END),
    ("memory_step", "number(COSINE_EPS), number(SHARPEN_EPS)", "swap_results", "the two are both 1e-8"),
    ("memory_step_backward", "number(COSINE_EPS), number(SHARPEN_EPS)", "swap_results", "the two are both 1e-8"),
    ("memory_step", "scratch[", "swap_results", ROWS),
    ("memory_step_backward", "scratch[", "swap_results", ROWS),
    ("memory_step", "scratch[", "index_off_by_one", ROWS),
    ("memory_step_backward", "scratch[", "index_off_by_one", ROWS),
    ("memory_step", "scratch[", "", LONGER),
    ("memory_step_backward", "scratch[", "", LONGER),
    ("memory_step", "for i in range(at_beta):", "", "the numbers behind the keys are squashed, too, and then written over"),
    ("memory_step", "softmax(raw[at_s", "", LONGER),
    ("memory_step_backward", "s, ds = p[at_s", "", LONGER),
    ("memory_step_backward", "circle[S - 1 - j:S - 1 - j + N]", "", LONGER),
    ("memory_step_backward", "de, da = ", "swap_results", "both start at zero"),
    ("memory_step_backward", "along[n] = zero", "index_off_by_one", EACH),
    ("memory_step_backward", "dK_h[n] *= k_scale", "index_off_by_one", EACH),
    ("inverse_norms", "out[n] = eps", "index_off_by_one", EACH),
    ("weighted_rows", "out[n] = out.dtype.type(0)", "index_off_by_one", EACH),
    ("weighted_windows", "out[n] = weights[0] - weights[0]", "index_off_by_one", EACH),
    ("softmax", "p[n] *= scale", "index_off_by_one", EACH),
    ("softmax", "top, total = z[0]", "index_off_by_one", "any score does to start the search for the largest"),
    ("softmax", "top = max(top, z[n])", "index_off_by_one", "each score is seen once: -1 is the last one"),
    ("softmax", "for n in range(z.size):", "short_range", "the search starts from the first score, which need not be seen again"),
    ("words_in", "x[b, i, j] != 0", "index_off_by_one", "words are counted, and -1 is the last one: each is counted once"),
    ("hop", "empty[b, 0]", "index_off_by_one", "there is one column: -1 is 0"),
    ("hop", "mask[b, i]", "", MASK),
    ("hop_backward", "mask[b, i]", "", MASK),
    ("hop_backward", "np.zeros", "swap_results", BLANK),
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
                if not _equal(_run(self.kernel.of, pair, *case, like=wanted), wanted):
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
