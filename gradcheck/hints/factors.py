"""Hints about factors and terms: which one a wrong gradient lacks, has too many, or has in the place of another.

Recognisers like those in hints.py, which asks them: each takes a Case and returns one line, or None. They compare with the
arrays that the pair knows (terms.py).
"""

import itertools

import numpy as np

from gradcheck.hints.terms import (ENOUGH, FUNCTIONS, PROBES, RELATIVE, SIMPLE, Terms, agree, by_chance, constant, near,
                                  speaks)

MANY = 30                         # known arrays beyond that are left out where pairs of them are tried
LONG = 32                         # so many entries of a row are enough to see whether a pair may fit


# ---- factors --------------------------------------------------------------------------------------------------------

def factor(case):
    """A factor is wrong that is a simple function of an array around, else one that is any. exp(x) may be y / (1 - y) as well."""
    for among in (SIMPLE, FUNCTIONS):
        if line := one_factor(case, among) or exchanged(case, among):
            return line
    return None


def one_factor(case, among):
    """hand * f = c * true: a factor f is missing. hand = c * true * f: it is too many."""
    at, views = probes(case)
    hand, true, slack = case.hand[at], case.true[at], case.slack[at]
    names, functions = list(among), list(among.values())
    values = np.array([function(views) for function in functions])                           # (f, k, P)
    wide = slack * (1 + np.abs(values))
    for c in (1, -1, 2, 0.5):
        fits = np.stack([near(hand * values, c * true, wide), near(hand, c * true * values, wide)]).all(-1)
        for too_many, f, k in sorted(np.argwhere(fits).tolist(), key=lambda hit: hit[1]):    # simple functions first
            if one_factor_fits(case, c, functions[f](case.factors[k].view), not too_many):
                return about_factor(c, names[f].format(case.factors[k].label), not too_many)
    return None


def probes(case):
    """Index of a few wrong entries, and the values (k, P) of the factors there."""
    flat = np.flatnonzero(case.wrong & ((case.hand != 0) | (case.true != 0)))
    at = np.unravel_index(flat[np.linspace(0, len(flat) - 1, PROBES).astype(int)], case.shape)
    return at, np.array([one.view[at] for one in case.factors]).reshape(len(case.factors), PROBES)


def one_factor_fits(case, c, values, missing):
    wide = case.slack * (1 + np.abs(values))
    a, b = (case.hand * values, c * case.true) if missing else (case.hand, c * case.true * values)
    return not constant(values) and not by_chance(values) and speaks(b, wide) and agree(a, b, wide)


def about_factor(c, name, missing):
    number = {1: "", -1: "-", 2: "2 ", 0.5: "0.5 "}[c]
    also = {1: "", -1: ", and the sign is wrong", 2: ", and one factor 2 is too many", 0.5: ", and a factor 2 is missing"}[c]
    if not missing:
        return f"by hand / true = {number}{name} at all entries: a factor {name} is too many{also}"
    shown = f"by hand * {name} = {number}true" if ">" in name else f"by hand / true = {c} / {bracketed(name)}"     # no 1 / 0
    return f"{shown} at all entries: a factor {name} is missing{also}"


def exchanged(case, among):
    """hand * y = c * true * x: x stands where y belongs. They are one function of two arrays, or two functions of one."""
    at, views = probes(case)
    hand, true, slack = case.hand[at], case.true[at], case.slack[at]
    names, functions = list(among), list(among.values())
    values = np.array([function(views) for function in functions])                           # (f, k, P)
    for c, same in itertools.product((1, -1), (values.swapaxes(0, 1), values)):              # of one array, of two arrays
        x, y = same[:, :, None], same[:, None]
        hits = near(hand * y, c * true * x, slack * (1 + np.abs(x) + np.abs(y))).all(-1)
        for group, i, j in np.argwhere(hits):
            a, b = ((i, group), (j, group)) if same is not values else ((group, i), (group, j))
            (x_name, x_view), (y_name, y_view) = [(names[f].format(case.factors[k].label), functions[f](case.factors[k].view))
                                                  for f, k in (a, b)]
            if i != j and exchange_fits(case, c * x_view, y_view):
                return (f"by hand / true = {'-' if c < 0 else ''}{bracketed(x_name)} / {bracketed(y_name)} at all entries: "
                        f"{x_name} stands where {y_name} belongs{', and the sign is wrong' if c < 0 else ''}")
    return None


def exchange_fits(case, x, y):
    wide = case.slack * (1 + np.abs(x) + np.abs(y))
    clear = not any(constant(values) or by_chance(values) for values in (x, y)) and (np.abs(x) + np.abs(y) > 0).all()    # 0 = 0
    return clear and speaks(case.true * x, wide) and agree(case.hand * y, case.true * x, wide)


def row_ratio(case):
    """hand / true is one number for each row: a factor that none of the arrays is."""
    for axis in case.axes[::-1]:
        if not enough_rows(case, axis):
            continue
        c = (case.hand * case.true).sum(axis, keepdims=True) / (case.true ** 2).sum(axis, keepdims=True)
        if agree(case.hand, c * case.true, (1 + np.abs(c)) * case.slack):
            return (f"by hand / true is one number all along axis {axis}, from {c.min():.3g} to {c.max():.3g}: a factor that is "
                    f"the same along axis {axis} is wrong")
    return None


def enough_rows(case, axis):
    """Whether one free number for each row leaves enough entries to prove something."""
    n = case.shape[axis]
    return n > 2 and case.size - case.size // n >= ENOUGH


# ---- terms ----------------------------------------------------------------------------------------------------------

def missing_term(case):
    found = case.terms.search(case.residual, case.slack)
    return found and f"by hand - true = {about_term(*found)}"


def about_term(c, label):
    shown = f"{'-' if c < 0 else ''}{'' if abs(c) == 1 else f'{abs(c):g} '}{label}"
    says = {1: "this term is too many, or minus this term is missing", -1: "this term is missing",
            2: "this term has the wrong sign, + for -", -2: "this term has the wrong sign, - for +",
            0.5: "half of this term is too many", -0.5: "half of this term is missing"}
    return f"{shown} at all entries: {says.get(c, 'a sum and a mean are exchanged in this term')}"


def other_product(case):
    """The gradient by hand is a known product, and the true one is another, or more than one product."""
    hand = case.terms.search(case.hand, case.slack)
    true = hand and case.terms.search(case.true, case.slack)
    if not hand:
        return None
    x, y = (f"{'' if one[0] == 1 else f'{one[0]:g} '}{one[1]}" if one else "more than that: a factor or a term is missing"
            for one in (hand, true))
    return f"by hand is {x}, true is {y}" if x != y else f"by hand is {x}, so is true, but over another axis: one is transposed"


def coupling(case):
    """hand - true = p * (one number for each row): a sum like that of the softmax, p (dp - sum(dp p)), is not as it should be."""
    for axis in case.axes[::-1]:
        if not enough_rows(case, axis):
            continue
        rows, crop = most_wrong_rows(case, axis)
        top = np.abs(rows).argmax(-1)[:, None]
        values = quotients(np.array([crop(one.view) for one in case.factors[:MANY]]).reshape(-1, *rows.shape))
        scale = np.take_along_axis(rows, top, -1) / np.take_along_axis(values, np.broadcast_to(top, (len(values), *top.shape)), -1)
        for n in np.flatnonzero(near(values * scale, rows, crop(case.slack)).all((-1, -2))):
            label, view = quotient(case, n)
            s = (case.residual * view).sum(axis, keepdims=True) / (view * view).sum(axis, keepdims=True)
            if speaks(case.residual, case.slack) and agree(case.residual, view * s, case.slack):
                return about_coupling(case, axis, label, view, s)
    return None


def most_wrong_rows(case, axis):
    """The (at most) two rows along an axis with most error (2, n), and how to cut the same out of any array."""
    n = case.shape[axis]
    columns = np.linspace(0, n - 1, min(n, LONG)).astype(int)
    order = np.argsort(np.abs(np.moveaxis(case.residual, axis, -1).reshape(-1, n)).sum(-1))[-2:, None]

    def crop(array):
        return np.moveaxis(array, axis, -1).reshape(-1, n)[order, columns]
    return crop(case.residual), crop


def quotients(p):
    """1, p, p * q and p / q of all arrays (k, ...), in the order that `quotient` knows."""
    k, shape = len(p), p.shape[1:]
    pairs = [(p[:, None] * p).reshape(k * k, *shape), (p[:, None] / p).reshape(k * k, *shape)]
    return np.concatenate([np.ones((1, *shape)), p, *pairs])


def quotient(case, n):
    """Label and whole array of entry n of `quotients`."""
    known = case.factors[:MANY]
    if n == 0:
        return "", np.ones(case.shape)
    if n <= len(known):
        return known[n - 1].label, known[n - 1].view
    which, rest = divmod(n - 1 - len(known), len(known) ** 2)
    p, q = (known[at] for at in divmod(rest, len(known)))
    return (f"{p.label} / {q.label}", p.view / q.view) if which else (f"{p.label} * {q.label}", p.view * q.view)


def about_coupling(case, axis, label, view, s):
    """The line for hand - true = p * s, where s is one number for each row along the axis."""
    if not label:
        return (f"by hand - true is one number all along axis {axis}: a term that is the same for all entries along axis {axis}, "
                "like a sum or a mean over them, is missing or too many")
    slack = case.slack.max(axis, keepdims=True) / np.abs(view).max(axis, keepdims=True)
    found = Terms(case.around, case.inputs, [], np.abs(s) > slack).search(s, slack, enough=2)
    if found:
        return f"by hand - true = {about_term(found[0], f'{label} * {found[1]}')}"
    return (f"(by hand - true) / {bracketed(label)} is one number all along axis {axis}: the term {label} * sum(...), by which the "
            f"entries along axis {axis} depend on one another, is missing or not right")


def bracketed(label):
    """A label as it stands under a fraction bar."""
    whole = label[0] == "(" and label.find(")") == len(label) - 1
    return f"({label})" if any(sign in label for sign in (" * ", " / ", " - ", " (")) and not whole else label


def other_axis(case):
    """hand - true = p * (u + v), u the same along one axis and v along another: a sum went over one instead of the other."""
    for a, b in itertools.combinations(case.axes, 2):
        if (case.shape[a] - 1) * (case.shape[b] - 1) < ENOUGH:
            continue
        rows, crop = most_wrong_plane(case, a, b)
        r = rows / quotients(np.array([crop(one.view) for one in case.factors[:MANY]]).reshape(-1, *rows.shape))
        mixed = r - r[:, :1] - r[:, :, :1] + r[:, :1, :1]
        allowed = 4 * RELATIVE * np.abs(r).max((-1, -2), keepdims=True)
        for n in np.flatnonzero((np.abs(mixed) <= allowed).all((-1, -2))):
            label, view = quotient(case, n)
            r = case.residual / view
            u, v, both = (r.mean(axes, keepdims=True) for axes in (a, b, (a, b)))
            slack = case.slack + RELATIVE * np.abs(view) * (np.abs(u) + np.abs(v))
            both_matter = min(np.ptp(u), np.ptp(v)) > 1e-3 * max(np.ptp(u), np.ptp(v))
            if both_matter and speaks(case.residual, slack) and agree(case.residual, view * (u + v - both), slack):
                return (f"(by hand - true) / {bracketed(label or '1')} is a number for each index of axis {a} plus one for each of "
                        f"axis {b}: a sum over axis {a} stands where one over axis {b} belongs, or the reverse")
    return None


def most_wrong_plane(case, a, b):
    """A few rows and columns (at most 8 x 8) along two axes around the worst entry, and how to cut them out of any array."""
    worst = np.unravel_index(int(np.abs(case.residual).argmax()), case.shape)
    index = [[at] for at in worst]
    for axis in (a, b):
        index[axis] = np.linspace(0, case.shape[axis] - 1, min(8, case.shape[axis])).astype(int)
    shape = (len(index[a]), len(index[b]))
    return case.residual[np.ix_(*index)].reshape(shape), lambda array: array[np.ix_(*index)].reshape(shape)
