"""The chain check: wiring that no pair check can see, named by its two nodes and the time step."""

import contextlib
import inspect
import linecache
import textwrap

import numpy as np
import pytest

import gradcheck
from gradcheck.chain import check_chain
from gradcheck.dtraces import dtrace_problems
from gradcheck.investigate import case_program, equation_program, investigate
from gradcheck.models import CASES, random_parameters
from gradcheck.points import generator
from gradcheck.recording import Program, users
from gradcheck.trial import Trial
from numpymem import patch
from numpymem.equation import REGISTRY, find, ticking
from numpymem.kernel import numpy_only
from numpymem.lstm.model import LSTM
from numpymem.memn2n import hops as memn2n_hops
from numpymem.ntm import model as ntm_model
from numpymem.ntm import sequence as ntm_sequence
from numpymem.ntm import step as ntm_step
from numpymem.ntm.model import NTM
from numpymem.ops.activations import tanh, tanh_backward
from tests.gradcheck_tools import planted

gradcheck.import_all()


def case(name, setting):
    return next(one for one in CASES if one.name == name and one.setting.startswith(setting))


def chain_of(one, seed=0):
    return check_chain(case_program(one, seed), generator(seed, one.name), one.name, one.setting)


def step_chain(id, seed=0):
    rng = generator(seed, id)
    with numpy_only():
        trial = Trial(find(id), rng)
    return check_chain(equation_program(trial), rng, id)


@pytest.mark.parametrize("one", CASES, ids=lambda one: f"{one.name}, {one.setting}")
def test_every_node_of_every_model_is_right(one):
    result = chain_of(one)
    assert result.passed, str(result)
    assert int(result.verdict.split()[0]) > 60 and result.oracle == "complex step"


@pytest.mark.parametrize("id", [item.id for item in REGISTRY.values() if item.is_step])
def test_every_node_of_every_step_is_right(id):
    assert step_chain(id).passed


# ---- planted in the wiring ------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def replaced(owner, name, change):
    """owner.name with its source changed by `change`, for a block."""
    original = getattr(owner, name)
    function = getattr(original, "__wrapped__", original)
    text = change(textwrap.dedent(inspect.getsource(function)))
    text = text[text.index("def "):]
    filename = f"<planted in {name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    made = {}
    exec(compile(text, filename, "exec"), function.__globals__, made)
    setattr(owner, name, made[name])
    try:
        yield made[name]
    finally:
        setattr(owner, name, original)


def edit(old, new):
    def change(text):
        assert text.count(old) == 1, old
        return text.replace(old, new)
    return change


def test_a_forgotten_fan_out_term_is_named():
    with replaced(ntm_step, "memory_step_backward", edit("dw_add + dw_erase", "dw_add")) as wrong, patch("NTM-step", None, wrong):
        result = step_chain("NTM-step")
    assert result.broken.first.name == "w" and result.broken.first.back.equation.id == "NTM-addressing"
    assert "the term dw out of NTM-3 (erase) is missing" in result.notes
    assert any("dw_add]" in note for note in result.notes)            # the line is shown
    assert result.wrong[0].argument == "dw"


def test_a_term_twice_and_a_wrong_sign():
    for new, says in (("dw_add + 2 * dw_erase", "dw out of NTM-3 (erase) comes in twice"),
                      ("dw_add - dw_erase", "dw out of NTM-3 (erase) has the wrong sign")):
        with replaced(ntm_step, "memory_step_backward", edit("dw_add + dw_erase", new)) as wrong, patch("NTM-step", None, wrong):
            assert any(says in note for note in step_chain("NTM-step").notes)


def test_t_instead_of_t_minus_1_is_named_with_its_step():
    with replaced(ntm_sequence, "through_time", edit("M[t - 1])", "M[t])")):
        result = chain_of(case("ntm", "lstm, all"))
    first = result.broken.first
    assert first.t == 4 and first.back.equation.id == "NTM-step" and not first.comes_in
    assert any("handed another M_prev than the one of its forward" in note for note in result.notes)


def test_a_dropped_term_over_time_is_named_with_its_step():
    with replaced(ntm_sequence, "through_time", edit("dr_t = dr[t] + dr_later", "dr_t = dr[t] + (dr_later if t != 2 else 0)")):
        result = chain_of(case("ntm", "lstm, all"))
    first = result.broken.first
    assert (first.t, first.name, first.back.equation.id, first.comes_in) == (2, "r", "NTM-step", True)
    assert result.broken.last.t == 3                                    # the step after, which is met before


def test_a_dropped_initial_state():
    with replaced(NTM, "initial_state_backward", edit("dM0.sum(0)", "0 * dM0.sum(0)")):
        result = chain_of(case("ntm", "lstm, all"))
    assert result.broken.first.back is None and result.broken.first.name == "M0"


def test_stacked_layers_and_hops():
    with replaced(LSTM, "_layer_backward", edit("dh_out[t] + dh_later", "dh_out[t]")):
        result = chain_of(case("lstm", "2 layers"))
    assert (result.broken.first.t, result.broken.first.name) == (4, "h")
    with replaced(memn2n_hops, "back_through_hops", edit("du_k = du[k] + du_past + du_hop", "du_k = du[k] + du_hop")):
        result = chain_of(case("memn2n", "adjacent, position"))
    assert (result.broken.first.t, result.broken.first.name) == (1, "u_next")


def test_a_bug_inside_a_pair_is_that_pairs():
    with planted("softmax", lambda g: [1.5 * g[0]]):
        result = chain_of(case("memn2n", "adjacent, position"))
        assert investigate().line.startswith("softmax (softmax): dz is wrong")
    assert result.broken.equation is None or result.broken.equation.id in ("softmax", "MemN2N-1")


# ---- programs of one's own ------------------------------------------------------------------------------------------------

def two_steps(wrong=False):
    """h = tanh(w h), twice, from h = 1."""
    def forward(values):
        h, trace = np.ones((2, 3)), []
        for _ in ticking(range(2)):
            h = tanh(values["w"] * h)
            trace.append(h)
        return [h], trace

    def backward(values, trace, upstream):
        dh, dw = upstream[0], 0
        for t in ticking(reversed(range(2))):
            dpre = tanh_backward(dh, trace[t])
            dw = dw + dpre * (trace[t - 1] if t else 1)
            dh = dpre * (1 if wrong else values["w"])
        return {"w": dw}
    return Program("two steps", {"w": np.random.default_rng(0).standard_normal((2, 3))}, forward, backward)


def test_a_program_of_ones_own():
    assert check_chain(two_steps(), np.random.default_rng(0)).passed
    broken = check_chain(two_steps(wrong=True), np.random.default_rng(0)).broken
    assert str(broken.last) == "dx out of tanh at step 1" and str(broken.first) == "dy into tanh at step 0"


def test_users_of_a_view():
    class FakeCall:
        def __init__(self, *arguments):
            self.arguments = arguments
    whole = np.zeros((3, 4))
    left, other = FakeCall(whole[:, :2]), FakeCall(whole.copy())
    assert users([left, other], whole) == [(left, 0)]


def test_dtrace_under_a_wrong_name_or_at_a_wrong_step():
    one = case("ntm", "lstm, all")
    rng = generator(0, "dtrace")
    model, inputs, _ = one.make(rng)
    params = random_parameters(model, rng)
    with numpy_only():
        outputs, trace = model.forward(params, inputs)
        d_outputs = rng.standard_normal(outputs.shape)
        assert dtrace_problems(model, params, trace, d_outputs) == []
        with replaced(ntm_model, "through_time", edit("w=dw_later, M=dM_later", "w=dw_later, M=dM_prev")):
            assert [name.split("[")[0] for name in dtrace_problems(model, params, trace, d_outputs)] == ["M"] * 5


@pytest.mark.parametrize("one", CASES, ids=lambda one: f"{one.name}, {one.setting}")
def test_every_models_dtrace_holds_the_gradients_it_is_called_by(one):
    rng = generator(0, "dtrace")
    model, inputs, options = one.make(rng)
    params = random_parameters(model, rng)
    with numpy_only():
        outputs, trace = model.forward(params, inputs, **options)
        assert dtrace_problems(model, params, trace, rng.standard_normal(outputs.shape)) == []
