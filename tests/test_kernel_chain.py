"""The chain check of a kernel names the time step, and the value, at which it leaves the NumPy step."""

import numpy as np
import pytest
from kernel_tools import needs_numba, planted_kernel

import numpymem
from gradcheck import import_all
from gradcheck.kernels.chain import check_kernel_chain
from numpymem.kernel import KERNELS

import_all()
pytestmark = needs_numba                          # also the mistakes: their loops import what is compiled into them
LOOPS, STEP = "numpymem.ntm.kernels", "numpymem.ntm.kernels_step"


def report(*change):
    """The result for the NTM's kernel with one piece of its source exchanged, and its text on one line."""
    result = check_kernel_chain("ntm.sequence", pair=planted_kernel("ntm.sequence", *change))
    return result, " ".join(str(result).split())


@pytest.mark.parametrize("seed", range(5))
def test_the_kernel_is_equal_at_every_step(seed):
    result = check_kernel_chain("ntm.sequence", seed)
    assert result.passed and result.equal, str(result)
    assert (result.kind, result.id, result.name, result.verdict) == ("kernel", "ntm.sequence", "chain", "equal at every step")
    assert 0 < result.error < 1e-12


# ---- forward ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("change, says", [
    ((STEP, "address", "(one - g_h) * load(w_prev[h], n)", "g_h * load(w_prev[h], n)"),
     "LSTM, forward: right up to step 0, w_c; differs from w_g on"),
    ((STEP, "address", "wrap_around(w_g_h, N, s.shape[1] // 2, circle)", "wrap_around(w_g_h, N, 0, circle)"),
     "LSTM, forward: right up to step 0, w_g; differs from w_s on"),
    ((LOOPS, "forward", "c_prev, r_prev, w_prev, M_prev = c[t - 1], r[t - 1], w[t - 1], M[t - 1]",
      "c_prev, r_prev, w_prev, M_prev = c[t - 1], r[t - 1], w[t - 1], M[max(t - 2, 0)]"),
     "LSTM, forward: right up to step 2, a; differs from K on"),
    ((LOOPS, "forward", "h_prev, c_prev, r_prev, w_prev, M_prev = h0, c0, r0, w0, M0",
      "h_prev, c_prev, r_prev, w_prev, M_prev = h0, c0, r0 - r0, w0, M0"),
     "LSTM, forward: nothing is right; differs from step 0, u on"),
], ids=["gate", "rotation", "older memory", "start value"])
def test_forward_mistakes_are_named(change, says):
    result, text = report(*change)
    assert not result.passed and not result.equal and result.verdict == "differs"
    assert says in text


def test_the_entry_that_is_wrong_is_shown():
    result, text = report(STEP, "head_parameters", "gamma[h, 0] = one + softplus(raw[at_gamma + h])",
                          "gamma[h, 0] = one + softplus(raw[at_gamma])")
    wrong = result.wrong[0]
    assert wrong.argument == "gamma" and wrong.index[0] == 0 and wrong.index[2] > 0        # step, sequence, head: not head 0
    assert f"gamma[{', '.join(map(str, wrong.index))}] kernel {wrong.hand:.6g} NumPy {wrong.true:.6g}" in text


# ---- backward --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("function, before, after, says", [
    ("write_backward", "total(da_i) * (one - a_i * a_i)", "total(da_i)",
     "nothing is right; differs from step 4, draw a on"),
    ("write_backward", "total(de_i) * e_i * (one - e_i)", "total(de_i) * e_i",
     "right up to step 4, draw a; differs from draw e on"),
    ("address_backward", "dgamma * sigmoid(raw_gamma)", "dgamma", "right up to step 4, draw e; differs from draw gamma on"),
    ("address_backward", "load(circle, n + S - 1 - j)", "load(circle, n + j)",
     "right up to step 4, draw gamma; differs from draw s on"),
    ("address_backward", "dg += dw_g_n * (load(w_c, n) - load(w_prev, n))", "dg += dw_g_n * load(w_c, n)",
     "right up to step 4, draw s; differs from draw g on"),
    ("address_backward", "dot(K, row)", "dot(w_c, row)", "right up to step 4, draw g; differs from draw beta on"),
    ("cosine_backward", " - k_scale * k_scale * k[h, i] * k_along", "", "right up to step 4, draw beta; differs from draw k on"),
    ("address_backward", "store(dw_prev, n, (one - g) * dw_g_n)", "store(dw_prev, n, dw_g_n)",
     "right up to step 4, draw k; differs from dw_prev on"),
    ("cosine_backward", "store(dM_prev[i], n, load(dM_prev[i], n) - load(before[i], n) * along_n)", "pass",
     "right up to step 4, dw_prev; differs from dM_prev on"),
    ("read_backward", "add_outer(dr[h], w[h], dM)", "pass", "right up to step 4, dw_prev; differs from dM_prev on"),
], ids=["a", "e", "gamma", "s", "g", "beta", "k", "w_prev", "M_prev: norm", "M_prev: read"])
def test_mistakes_within_the_memorys_step_are_named(function, before, after, says):
    result, text = report(STEP, function, before, after)
    assert not result.passed and f"LSTM, backward: {says}" in text
    assert ", forward:" not in text, "the forward is right"


@pytest.mark.parametrize("function, before, after, says", [
    ("controller_backward", "df[j] = dc[j] * c_prev[j]", "df[j] = dc[j] * c[j]",
     "LSTM, backward: right up to step 4, dM_prev; differs from dpre on"),
    ("controller_backward", "dc[j] *= f[j]", "dc[j] *= i[j]",
     "LSTM, backward: right up to step 4, dpre; differs from dc_prev on"),
    ("controller_backward", "dpre[j] = dh[j] * (one - h[j] * h[j])", "dpre[j] = dh[j]",
     "feedforward, backward: right up to step 4, dM_prev; differs from dpre on"),
    ("backward", "dr[b, j // W, j % W] = du[b - first, j]", "dr[b, j // W, j % W] = zero",
     "LSTM, backward: right up to step 4, dc_prev; differs from dr_prev on"),
    ("backward", "dh0[b, j] = du[b - first, n_reads + j]", "dh0[b, j] = zero",
     "LSTM, backward: right up to step 4, dr_prev; differs from dh_prev on"),
    ("backward", "dr[b, j // W, j % W] += dr_out[t, b, j // W, j % W]", "dr[b, j // W, j % W] = dr_out[t, b, j // W, j % W]",
     "LSTM, backward: right up to step 3, draw e; differs from draw gamma on"),
    ("backward", "dw, dw_prev, dM, dM_prev = dw_prev, dw, dM_prev, dM", "dM, dM_prev = dM_prev, dM",
     "LSTM, backward: right up to step 3, draw e; differs from draw gamma on"),
    ("backward", "c_prev, w_prev, M_prev = c[t - 1], w[t - 1], M[t - 1]", "c_prev, w_prev, M_prev = c[t - 1], w[t - 1], M[t]",
     "differs from step 4, dpre on, but only where step 4 is not the first"),
], ids=["forget gate", "cell", "feedforward", "r_prev", "h_prev", "lost fan-out", "w of the later step", "t for t - 1"])
def test_mistakes_between_the_steps_are_named(function, before, after, says):
    result, text = report(LOOPS, function, before, after)
    assert not result.passed and says in text


def test_sums_over_all_steps_come_last(monkeypatch):
    forward, backward = KERNELS["ntm.sequence"].pair()

    def forgetful(*arguments):
        out = list(backward(*arguments))
        out[1] = out[1] * 0.5                                # dW_u
        return tuple(out)
    text = " ".join(str(check_kernel_chain("ntm.sequence", pair=(forward, forgetful))).split())
    assert "backward: right up to dW_heads; differs from dW_u on" in text and text.count("0.500 ") == 0


def test_a_kernel_that_raises():
    result, text = report(STEP, "address", "softmax(scores[:N], w_c_h[:N])", "softmax(scores[:0], w_c_h[:N])")
    assert not result.passed and result.verdict == "broken"
    assert "LSTM, forward: the kernel raises IndexError" in text


def test_any_other_kernel_is_compared_as_a_whole():
    result = check_kernel_chain("memn2n.hops")
    assert result.passed and (result.id, result.name) == ("memn2n.hops", "chain")
    wrong = planted_kernel("memn2n.hops", "numpymem.memn2n.kernels_hops", "look_back", "inner += dp[i] * p_k[i]", "inner += dp[i]")
    result = check_kernel_chain("memn2n.hops", pair=wrong)
    assert not result.passed and [one.argument for one in result.wrong] == ["du1", "dmemories", "dH"]


def test_without_numba_nothing_is_followed_and_nothing_fails(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    result = check_kernel_chain("ntm.sequence")
    assert result.passed and result.equal is None and result.verdict == "not checked: NUMPYMEM_JIT=0"


def test_a_patched_equation_is_what_the_kernel_is_held_to():
    def interpolate(w_c, w_prev, g):
        return g * w_prev + (1 - g) * w_c

    def interpolate_backward(dw_g, w_c, w_prev, g):
        return (1 - g) * dw_g, g * dw_g, (dw_g * (w_prev - w_c)).sum(-1, keepdims=True)
    with numpymem.patch("NTM-7", interpolate, interpolate_backward):
        result = check_kernel_chain("ntm.sequence")
    assert not result.passed and "LSTM, forward: right up to step 0, w_c; differs from w_g on" in " ".join(str(result).split())
    assert np.isfinite(result.wrong[0].hand)
