"""Kernels that are broken on purpose are caught, and those that are not caught compute the same."""

import ast
import collections
import importlib.util
import random
import sys

import numpy as np
import pytest
from kernel_tools import changed, needs_numba, planted_kernel

from gradcheck import check_kernel, import_all
from gradcheck.kernels import interpreted, mutants
from gradcheck.kernels.operators import OPERATORS, loop_edits
from gradcheck.kernels.twins import Twin, reason
from numpymem import kernel as kernel_module
from numpymem.kernel import KERNELS

import_all()
STEP, WORDS, HOPS = "numpymem.ntm.kernels_step", "numpymem.memn2n.kernels", "numpymem.memn2n.kernels_hops"
DNC, ROWS = "numpymem.dnc.kernels_step", "numpymem.ops.kernels_rows"
ALL = mutants.all_mutants()


def edits_of(text):
    """{(operator, line with the edit in it)} of a function of one line or two."""
    function = ast.parse(text).body[0]
    lines, found = text.splitlines(), set()
    for operator, node, new in loop_edits(function):
        line = lines[node.lineno - 1]
        found.add((operator, " ".join((line[:node.col_offset] + new + line[node.end_col_offset:]).split())))
    return found


# ---- how loops are broken ----------------------------------------------------------------------------------------------------

def test_a_sum_in_a_loop_is_broken_in_every_way():
    found = edits_of("def dot(x, y, total, n):\n    for k in range(n):\n        total += x[k] * y[k]\n")
    assert found >= {
        ("lose_sum", "total = x[k] * y[k]"), ("lose_sum", "total -= x[k] * y[k]"), ("forget_factor", "total += x[k]"),
        ("forget_factor", "total += y[k]"), ("divide_for_multiply", "total += (x[k] / y[k])"), ("forget_statement", "pass"),
        ("index_off_by_one", "total += x[k + 1] * y[k]"), ("index_off_by_one", "total += x[k] * y[k - 1]"),
        ("name_of_the_same_kind", "total += y[k] * y[k]"), ("short_range", "for k in range(0, n - 1):"),
        ("short_range", "for k in range(0 + 1, n):")}


@pytest.mark.parametrize("text, edit", [
    ("def f(c, t):\n    c_prev = c[t - 1]\n", ("drop_term", "c_prev = c[t]")),
    ("def f(c, b, t):\n    x = c[t, b]\n", ("transpose_index", "x = c[b, t]")),
    ("def f(c, T):\n    for t in range(T - 1, -1, -1):\n        c[t] = T\n",
     ("short_range", "for t in range(T - 1, (-1) + 1, -1):")),
    ("def f(x, zero):\n    return softplus(x)\n", ("forget_function", "return x")),
    ("def f(x, n):\n    y = x[:n]\n", ("index_off_by_one", "y = x[:n - 1]")),
    ("def f(x, n):\n    if n > 0:\n        x[0] = n\n", ("soften_comparison", "if (n >= 0):")),
    ("def f(dw, dw_prev, h):\n    x = dw[h] - dw_prev[h]\n", ("name_of_the_same_kind", "x = dw_prev[h] - dw_prev[h]")),
    ("def f(M, w, step):\n    step(M, w)\n", ("swap_arguments", "step(w, M)")),
])
def test_other_ways(text, edit):
    assert edit in edits_of(text)


def test_what_changes_nothing_is_no_mutant():
    found = edits_of("def f(x, y, n):\n    a = max(x, y)\n    b = x[n // 2] + y[n // 2]\n    c = x.size\n")
    assert not any("max(y, x)" in line or "n / 2" in line or "y.size" in line for _, line in found)


def test_every_function_of_every_kernel_is_broken():
    count = collections.Counter((mutant.module, mutant.function) for mutant in ALL)
    wanted = {place for kernel in KERNELS for place in mutants.functions_of(kernel)} - {("numpymem.ntm.kernels", "slot_last")}
    assert set(count) == wanted
    assert {mutant.operator for mutant in ALL} == {operator.__name__ for operator in OPERATORS}
    assert len({(mutant.module, mutant.text) for mutant in ALL}) == len(ALL) > 4000


def test_every_mutant_is_a_program_and_not_the_kernel():
    originals = {(module, name): ast.unparse(interpreted.read(module).functions[name])
                 for kernel in KERNELS for module, name in mutants.functions_of(kernel)}
    for mutant in ALL[::9]:
        (function,) = ast.parse(mutant.text).body
        assert function.name == mutant.function
        assert ast.unparse(function) != originals[mutant.module, mutant.function], mutant


# ---- kernels as plain Python -----------------------------------------------------------------------------------------------
# The loops are interpreted, but what they import is written for numba: exp, log, tanh, sigmoid and lanes for compiled code.

@needs_numba
@pytest.mark.parametrize("name", KERNELS)
def test_the_kernels_pass_the_exam_and_read_nothing_that_nobody_wrote(name):
    """As plain Python new arrays are full of not-a-number, and an index out of range raises."""
    kernel = KERNELS[name]
    assert mutants.judge(kernel, interpreted.interpreted_pair(kernel), mutants.exam_of(kernel)) == ""


@needs_numba
def test_no_false_alarm_at_other_points():
    for name, kernel in KERNELS.items():
        pair = interpreted.interpreted_pair(kernel)
        for seed in range(1, 6):
            assert mutants.judge(kernel, pair, mutants.exam_of(kernel, seed)) == "", f"{name}, seed {seed}"


@pytest.mark.parametrize("name, change, how", [
    ("ntm.sequence", (STEP, "address_backward", "dgamma += row[n]", "dgamma -= row[n]"), "dW_u, dW_heads, db_heads"),
    ("ntm.sequence", (STEP, "address", "before, n) * load(M_scale, n)", "before, n)"), "K"),
    ("dnc.sequence", (DNC, "sort_slots", "and other < slot", "and other > slot"), "a, "),             # of equally empty slots
    ("dnc.sequence", (DNC, "allocation_backward", "    sort_slots(u, phi)\n", ""), "du0"),           # the order of the step after
    ("dnc.sequence", (DNC, "link_backward", "        dL_i[i] = zero\n", ""), "dL0"),
    ("memn2n.memories", (WORDS, "remember_backward", "dT_i[k] += dm_i[k]", "dT_i[k] = dm_i[k]"), "dT"),
    ("memn2n.hops", (HOPS, "softmax_with_empty", "empty * exp(-top)", "exp(-top)"), "o, p"),
    ("memn2n.hops", (HOPS, "look", "for j in range(o_k.size):", "for j in range(o_k.size + 1):"),
     "raises IndexError"),
])
def test_what_is_caught_is_named(name, change, how):
    kernel = KERNELS[name]
    assert how in mutants.judge(kernel, planted_kernel(name, *change), mutants.exam_of(kernel))


@needs_numba
def test_a_sample_is_caught_but_for_what_is_equivalent():
    seen = []
    outcomes = mutants.run_kernel_mutants(limit=120, seed=3, progress=lambda done, of: seen.append((done, of)))
    assert [one.fate for one in outcomes if one.fate == "survived"] == [], [one for one in outcomes if one.fate == "survived"]
    assert sum(one.fate == "caught" and one.how != "" for one in outcomes) >= 110
    assert seen == [(n, 120) for n in range(1, 121)]
    assert outcomes[0].kind == "kernel" and outcomes[0].owner in KERNELS and outcomes[0].seconds > 0


@needs_numba
def test_a_sample_of_the_dncs_is_caught_but_for_what_is_understood():
    own = [mutant for mutant in ALL if mutant.kernel == "dnc.sequence"]
    exam, twins = mutants.exam_of(KERNELS["dnc.sequence"]), {}
    outcomes = [mutants.examine(mutant, exam, twins) for mutant in random.Random(1).sample(own, 80)]
    assert [one for one in outcomes if one.fate == "survived" or (one.fate == "equivalent" and not one.how)] == []
    assert sum(one.fate == "caught" for one in outcomes) >= 70


# ---- survivors -------------------------------------------------------------------------------------------------------------

def mutant_of(name, module, function, before, after):
    ((_, text),) = changed(module, function, before, after).items()
    return mutants.Mutant(name, module, function, 1, "by hand", before, after, text)


ADDED = "if mask_b[i] > 0:\n                    add_scaled(o_k"
WEIGHTS = "if mask[i] > 0 and total > zero:"                      # branching on a number, it cannot run at all points at once


@needs_numba
@pytest.mark.parametrize("change, same", [
    (("memn2n.hops", HOPS, "look", ADDED, ADDED.replace("mask_b[i] > 0", "True")), True),
    (("memn2n.hops", HOPS, "softmax_with_empty", WEIGHTS, WEIGHTS.replace("mask[i] > 0", "p[i] > 0")), True),
    (("memn2n.hops", HOPS, "softmax_with_empty", WEIGHTS, WEIGHTS.replace("mask[i] > 0", "p[i] > 0.3")), False),
    (("memn2n.hops", HOPS, "look_back", "inner += dp[i] * p_k[i]", "inner += dp[i]"), False),
    (("memn2n.encode", WORDS, "add_words", "l[words_in(x_i)]", "l[1]"), False),
    (("ntm.sequence", ROWS, "top_of", "z[0], z.size", "z[-1], z.size"), True),
    (("ntm.sequence", STEP, "write_backward", "total(de_i) * e_i * (one - e_i)",
      "total(de_i) * e_i * (one - e_i) * e.dtype.type(1.000000001)"), False),
    (("dnc.sequence", DNC, "memory_step", "w_w_prev, u_prev, psi, u", "u_prev, w_w_prev, psi, u"), True),
    (("dnc.sequence", DNC, "sort_slots", "u[other] < u[slot]", "other < slot"), False),         # parts where the kernel does not
    (("ntm.sequence", STEP, "address", "softmax(scores[:N], w_c_h[:N])", "softmax(scores, nothing)"), False),
])
def test_twins(change, same):
    assert Twin(KERNELS[change[0]]).same(mutant_of(*change)) is same


def test_reasons():
    assert "mask" in reason(mutant_of("memn2n.hops", HOPS, "look", ADDED, ADDED.replace("mask_b[i] > 0", "True")))
    assert reason(mutant_of("memn2n.hops", HOPS, "look", "p_k[i], memories", "p_k[0], memories")) == ""


def test_points_are_numbers_that_are_never_changed_in_place():
    x = interpreted.at_points([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    total = x[0]
    total += x[1]
    assert np.array_equal(interpreted.numbers(x), [[1, 3], [2, 4]]) and np.array_equal(total, [3, 7])
    assert np.array_equal(interpreted.larger(x[0], 2.0), [2, 3]) and interpreted.larger(1, 3, 2) == 3


@needs_numba
def test_points_part_where_they_go_different_ways():
    x, y = interpreted.at_points([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    assert bool(y > x) and not x > y
    with pytest.raises(interpreted.Parting) as parting:
        bool(x > 2)
    assert parting.value.first.tolist() == [False, True]
    cases = Twin(KERNELS["dnc.sequence"]).cases                    # one for each order of the slots at each step
    assert len(cases) > 24 and sum(len(case.points) for case in cases) == 1000


# ---- the same, compiled -----------------------------------------------------------------------------------------------------

@needs_numba
@pytest.mark.parametrize("change, how", [
    (("memn2n.hops", HOPS, "softmax_with_empty", "empty * exp(-top)", "exp(-top)"), {"u", "o", "p"}),
    (("memn2n.memories", WORDS, "add_words_backward", "add_product(dE[x_i[j]], l_n[j], dm_i)",
      "add_product(dE[x_i[j]], l[1, j], dm_i)"), {"dE"}),
    (("memn2n.hops", HOPS, "look", ADDED, ADDED.replace("mask_b[i] > 0", "True")), set()),
], ids=["softmax", "words", "equivalent"])
def test_compiled_mutants_meet_the_same_fate(change, how, tmp_path, monkeypatch):
    name, module, function, before, after = change
    kernel, plain = KERNELS[name], planted_kernel(*change[:1], *change[1:])
    monkeypatch.setattr(kernel_module, "cache_folder", lambda: tmp_path / "cache")
    path = tmp_path / "kernels_broken.py"
    path.write_text(b"".join(interpreted.read(module).lines).decode().replace(before, after))
    spec = importlib.util.spec_from_file_location("kernels_broken", path)
    broken = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "kernels_broken", broken)
    spec.loader.exec_module(broken)
    compiled = tuple(getattr(broken, half) for half in kernel.functions.split(":")[1:])
    told = mutants.judge(kernel, compiled, mutants.exam_of(kernel))
    assert told == mutants.judge(kernel, plain, mutants.exam_of(kernel)) and set(told.split(", ")) - {""} == how
    wrong = {one.argument for one in check_kernel(kernel, pair=compiled).wrong}
    assert wrong == how
