"""The kernel check and the model check catch what they are made to catch."""

from types import SimpleNamespace

import numpy as np
import pytest
from gradcheck_tools import fake_kernel_fixture, scale, scale_backward, toy_fixture  # noqa: F401  fixtures
from kernel_tools import needs_numba, planted_kernel

import numpymem
from gradcheck import check_equation, check_kernel, check_model, import_all, kernels, models
from gradcheck.__main__ import main
from numpymem import kernel as kernel_module
from numpymem.kernel import KERNELS

import_all()


# ---- kernels -------------------------------------------------------------------------------------------------------

@needs_numba
def test_a_kernel_that_is_equal(fake_kernel):
    result = check_kernel(fake_kernel())
    assert result.passed and result.equal and result.verdict == "equal, not in force"
    assert "--renew" in str(result)


def test_a_broken_kernel(fake_kernel):
    def backward(dy, x, a):
        return a * dy, (dy * x).mean(-1, keepdims=True)
    result = check_kernel(fake_kernel(backward=backward))
    assert not result.passed and [wrong.argument for wrong in result.wrong] == ["da"]
    assert "not equal" in str(result) and "kernel" in str(result) and "NumPy" in str(result)


def test_a_kernel_that_is_wrong_only_at_other_settings(fake_kernel):
    kernel = fake_kernel(forward=lambda x, a: a * x if x.shape[1] != 4 else x)
    assert check_kernel(kernel).equal
    assert not check_kernel(kernel, examples=[({}, {"N": 4})]).equal


@pytest.mark.parametrize("forward, says", [
    (lambda x, a: (a * x).astype(np.float64), "expected (2, 5) float32 as NumPy, received (2, 5) float64"),
    (lambda x, a: (a * x)[:1], "received (1, 5)"),
    (lambda x, a: np.multiply(x, a, out=x), "changes its argument x"),
    (lambda x, a: np.multiply(x, a, out=_buffer(x)), "must return new arrays"),
    (lambda x, a: 1 / 0, "raises ZeroDivisionError"),
], ids=["dtype", "shape", "writes", "reuses", "raises"])
def test_kernels_with_bad_manners(fake_kernel, forward, says):
    result = check_kernel(fake_kernel(forward=forward))
    assert not result.passed and says in " ".join(str(result).split())


_buffers = {}


def _buffer(x):
    return _buffers.setdefault((x.shape, x.dtype), np.empty_like(x))


def test_a_kernel_that_is_wrong_only_in_the_second_pair_of_rows(fake_kernel):
    def forward(x, a):
        y = a * x
        y[3:] = a[1:2] * x[3:]
        return y
    assert [wrong.argument for wrong in check_kernel(fake_kernel(forward=forward)).wrong] == ["y"]


def test_what_is_never_written_shows(fake_kernel):
    """An array that is asked for often comes with the right numbers in it, left there by the run before."""
    def forward(x, a):
        y = np.empty_like(x)
        y[:, 1:] = (a * x)[:, 1:]
        return y

    def backward(dy, x, a):
        da = np.empty_like(a)
        da[1:] = (dy * x).sum(-1, keepdims=True)[1:]
        return a * dy, da
    assert {wrong.argument for wrong in check_kernel(fake_kernel(forward, backward)).wrong} == {"y", "da"}


@needs_numba
def test_another_pair_can_be_checked_in_place_of_the_compiled_one(fake_kernel, monkeypatch):
    kernel = fake_kernel(forward=lambda x, a: a + x)
    result = check_kernel(kernel, pair=(scale, scale_backward))
    assert result.passed and result.equal and result.verdict == "equal"
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    result = check_kernel(kernel, pair=(scale, lambda dy, x, a: (a * dy, (dy * x).sum(0))))
    assert not result.passed and "da" in str(result)


@pytest.mark.parametrize("change, wrong", [
    (("softmax_with_empty", "empty * exp(-top)", "exp(-top)"), {"o", "p"}),                        # a dozen empty slots
    (("softmax_with_empty", "exp(p[i] - top)", "exp(p[i])"), {"o", "p"}),                          # scores in the thousands
    (("softmax_with_empty", "if mask[i] > 0 and total > zero:", "if True:"),
     {"o", "p"}),                                                                                  # a story without a sentence
])
def test_mistakes_that_show_only_at_special_points(change, wrong):
    pair = planted_kernel("memn2n.hops", "numpymem.memn2n.kernels_hops", *change)
    assert {one.argument for one in check_kernel("memn2n.hops", pair=pair).wrong} & wrong


@needs_numba
def test_renew(fake_kernel, capsys):
    fake_kernel()
    assert main(["toy.kernel", "--renew"]) == 0
    assert list(kernel_module.read_fingerprints()) == ["toy.kernel"]
    assert KERNELS["toy.kernel"].why_not() is None
    assert "equal, renewed" in capsys.readouterr().out
    fake_kernel(forward=lambda x, a: a + x)
    before = kernel_module.read_fingerprints()
    assert main(["toy.kernel", "--renew"]) == 1
    assert "not renewed" in capsys.readouterr().out and kernel_module.read_fingerprints() == before


def test_an_edited_equation_stands_its_kernel_down(fake_kernel):
    kernel = fake_kernel()
    kernel_module.renew(kernel)
    with numpymem.patch("toy", lambda x, a: a * x * x, lambda dy, x, a: (2 * a * x * dy, (dy * x * x).sum(-1, keepdims=True))):
        assert check_equation("toy").passed
        result = check_kernel(kernel)
    assert result.passed and not result.equal and result.verdict == "stands down"


def test_without_numba_nothing_is_checked_and_nothing_fails(fake_kernel, monkeypatch):
    kernel = fake_kernel(forward=lambda x, a: a + x)
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    result = check_kernel(kernel)
    assert result.passed and result.equal is None and result.verdict == "not checked: NUMPYMEM_JIT=0"
    assert main(["toy.kernel", "--renew"]) == 1


# ---- models --------------------------------------------------------------------------------------------------------

class Recurrence:
    """h_t = tanh(x_t W + h_{t-1} U), h_{-1} = h0: the smallest model with the common interface."""

    def __init__(self, bug=""):
        self.bug = bug

    def init(self, rng, dtype=np.float64):
        return {name: np.zeros(shape, dtype) for name, shape in (("W", (3, 4)), ("U", (4, 4)), ("h0", (4,)))}

    def forward(self, params, inputs, rng=None, gain=1.0):
        h, trace = np.repeat(params["h0"][None], inputs.shape[1], axis=0), {"h": []}
        trace["h"].append(h)
        for x in inputs:
            h = np.tanh(gain * (x @ params["W"] + h @ params["U"]))
            trace["h"].append(h)
        trace.update(x=inputs, gain=gain)
        return np.stack(trace["h"][1:]), trace

    def backward(self, params, trace, d_outputs):
        h, dh = trace["h"], 0
        grads = {name: np.zeros_like(value) for name, value in params.items()}
        for t in reversed(range(len(d_outputs))):
            dpre = (d_outputs[t] + dh) * (1 - h[t + 1] ** 2) * trace["gain"]
            grads["W"] += trace["x"][t].T @ dpre
            grads["U"] += h[t + 1 if self.bug == "late" else t].T @ dpre
            dh = dpre @ params["U"].T
        grads["h0"] = np.zeros(4) if self.bug == "start" else dh.sum(0)
        if self.bug == "key":
            grads.pop("h0")
        return grads


def check_recurrence(bug="", **options):
    rng = np.random.default_rng(0)
    model = Recurrence(bug)
    params = {name: 0.5 * rng.standard_normal(value.shape) for name, value in model.init(rng).items()}
    return check_model(model, params, rng.standard_normal((5, 2, 3)), **options)


def test_a_right_model():
    for seed in range(10):
        result = check_recurrence(seed=seed, gain=0.7)
        assert result.passed and result.error < 1e-12, str(result)


def test_wrong_models_are_named():
    late, start, key = (check_recurrence(bug) for bug in ("late", "start", "key"))
    assert [wrong.argument for wrong in late.wrong] == ["U"] and late.right == ["dW", "dh0"]
    assert [wrong.argument for wrong in start.wrong] == ["h0"] and start.wrong[0].ratio == 0
    assert not key.passed and "missing: h0" in str(key)


def test_a_kernel_that_harms_a_model(fake_kernel):
    kernel = fake_kernel(forward=lambda x, a: a + x)
    kernel_module.renew(kernel)

    class Scaled:
        def forward(self, params, inputs, rng=None):
            return kernel.of(inputs, params["a"]), inputs

        def backward(self, params, trace, d_outputs):
            return {"a": kernel.of.gradient(d_outputs, trace, params["a"])[1]}
    rng = np.random.default_rng(0)
    result = check_model(Scaled(), {"a": rng.standard_normal((2, 1))}, rng.standard_normal((2, 5)))
    assert not result.passed and result.verdict == "kernels differ"
    kernel._pair = (scale, scale_backward)
    result = check_model(Scaled(), {"a": rng.standard_normal((2, 1))}, rng.standard_normal((2, 5)))
    assert result.passed and result.verdict == "right, kernels too"


@pytest.mark.parametrize("case", models.CASES, ids=[f"{case.name}, {case.setting}" for case in models.CASES])
def test_models_of_numpymem(case):
    result = models.check_case(case, seed=1)
    assert result.passed, f"\n{result}"


def test_kernels_are_looked_at_where_they_can_run(monkeypatch):
    monkeypatch.setattr(kernels, "kernels", SimpleNamespace(has_numba=lambda: False))
    monkeypatch.delenv("NUMPYMEM_JIT", raising=False)
    assert kernels.cannot_run() == "numba is not installed"
