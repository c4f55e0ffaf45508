"""Decisions of the registered equations and of the models: recording changes no number, and finds what decides."""

import numpy as np
import pytest
from gradcheck_tools import toy_fixture  # noqa: F401  pytest finds fixtures by name

from gradcheck import import_all, models
from gradcheck.decisions import Recorded, recorded
from gradcheck.kinks import crossed, decisions, tied
from gradcheck.points import generator
from gradcheck.trial import Trial, listed
from numpymem.equation import REGISTRY, find
from numpymem.kernel import numpy_only

import_all()


def trials(seeds=2):
    for item in REGISTRY.values():
        for seed in range(seeds):
            yield item, Trial(item, generator(seed, item.id))


def moved_of(item):
    return [k for k, name in enumerate(item.arguments) if name in item.differentiable]


# Sparse links: numbers of slots, and sums that are scattered into a new array; a DNC's memory, which is written by products with a
# new array; and rows of real sentences, put in their places of a new array. Nothing is decided on them alone afterwards.
NEW = {("DNC-sparse-link", "C"), ("DNC-sparse-backward", "w_b"), ("DNC-sequence", "M"), ("DNC-sequence", "M_last"),
       ("DMN-inputs", "x"), ("DMN-attention", "Z"), ("DMN-attention", "a")}


def test_recording_changes_no_registered_equation():
    for item, trial in trials():
        with numpy_only():
            plain = listed(trial.forward(*trial.copies()))
            result = listed(trial.forward(*[recorded(value) for value in trial.copies()]))
        for name, ours, theirs in zip(item.outputs, result, plain, strict=True):
            assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes(), f"{item.id} {name}"
            assert isinstance(ours, Recorded) or (item.id, name) in NEW, f"{item.id} {name}: lost on the way"


def test_which_registered_equations_decide():
    deciding = {item.id for item, trial in trials(1)
                if any("root" not in kind for kind, _ in decisions(trial.forward, trial.copies(), moved_of(item)))}
    assert {"relu", "softplus", "oneplus", "NTM-step", "NTM-sequence", "binary-cross-entropy"} <= deciding
    assert not deciding & {"softmax", "sigmoid", "NTM-9", "NTM-5", "LSTM", "categorical-cross-entropy", "MemN2N-1"}
    assert all(tied(trial.forward, trial.copies(), moved_of(item)) is None for item, trial in trials(1))


def test_a_kink_inside_a_step_is_found_from_its_arguments():
    item = find("NTM-parameters")
    trial = Trial(item, generator(0, "kink"))
    position = item.fixed["sizes"].cuts[0]                  # the first raw beta: softplus
    trial.arguments[0][0, position] = 1e-7

    def arguments_at(t):
        moved = trial.copies()
        moved[0] = moved[0] + t * np.eye(1, moved[0].shape[1], position)
        return moved
    assert "comparison" in crossed(trial.forward, arguments_at, [1e-6, -1e-6])
    assert crossed(trial.forward, arguments_at, [1e-6]) is None


@pytest.mark.parametrize("case, decides", [("layer-wise, relu", True), ("layer-wise, bag", False), ("2 layers", False),
                                           ("lstm, all learned", True)])
def test_models_are_recorded_through_their_parameters(case, decides):
    case = next(one for one in models.CASES if one.setting == case)
    rng = np.random.default_rng(0)
    model, inputs, options = case.make(rng)
    params = model.init(rng, dtype=np.float64)

    def outputs(params):
        return model.forward(params, inputs, **options)[0]
    log = decisions(outputs, [params])
    assert any("comparison" in kind for kind, _ in log) == decides
    with numpy_only():
        np.testing.assert_array_equal(np.asarray(outputs({key: recorded(value) for key, value in params.items()})), outputs(params))


def test_a_reader_s_equation_that_calls_a_registered_one(toy):
    def gate(x):
        """A gate that opens above zero.

        x          (B, N)
        returns y  (B, N)
        """
        return x * find("relu")(x - 1)
    item = toy(gate)
    log = decisions(item, [np.ones((2, 3))])
    assert [kind for kind, _ in log] == ["a comparison (np.greater)"] and (log[0][1] == 0).all()
