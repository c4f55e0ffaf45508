"""The benchmark harness: its numbers and structure, never its times. JAX and PyTorch are not needed."""

import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import agreement, runs, timing
from benchmarks.contender import Answer, Contender, ours
from benchmarks.works import WORKS, ntm_copy
from numpymem import numpy_only

TINY = {"length": 2, "N": 6, "W": 3, "controller_size": 5}
COMPARISON_KEYS = {"name", "ours_ms", "theirs_ms", "ratio"} | {
    f"{name}_quartiles" for name in ("ours_ms", "theirs_ms", "ratio")}


@pytest.fixture
def tiny(monkeypatch):
    """The command line's works, in a size that takes milliseconds."""
    monkeypatch.setitem(WORKS, "ntm-lstm", lambda batch: ntm_copy(batch, **TINY))


def pretender(who, log, step=lambda: None):
    def logged():
        log.append(who)
        step()
    return Contender(who, "", logged, lambda found: found)


class Clock:
    """A clock that moves only when told to."""
    now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


# ---- timing --------------------------------------------------------------------------------------------------------

def test_contenders_take_turns():
    log = []
    clock = Clock()
    two = [pretender(who, log, lambda: clock.wait(1.0)) for who in "AB"]
    samples = timing.take_turns(two, repeats=3, seconds=2.0, clock=clock)
    turn = 4                                          # one step that does not count and three that do
    assert "".join(log) == "A" * turn + "B" * 2 * turn + "A" * 2 * turn + "B" * turn
    assert [[len(turn) for turn in own] for own in samples] == [[3, 3, 3], [3, 3, 3]]


def test_times_are_those_of_the_clock_and_leave_out_the_first_step_of_a_turn():
    clock = Clock()
    lasts = iter([50.0, 1.0, 2.0, 3.0] * 2)
    samples = timing.take_turns([pretender("A", [], lambda: clock.wait(next(lasts)))], 2, 5.0, clock)
    assert samples == [[[1.0, 2.0, 3.0]] * 2]
    assert timing.spread(samples[0]) == timing.Spread(2.0, 1.25, 2.75)


def test_ratio_of_rounds_is_theirs_over_ours():
    assert timing.spread_of_ratio([[6.0], [12.0]], [[2.0], [4.0]]) == timing.Spread(3.0, 3.0, 3.0)


def test_context_is_entered_outside_the_timed_part():
    clock = Clock()

    class Slow:
        def __enter__(self):
            clock.wait(100.0)

        def __exit__(self, *error):
            clock.wait(100.0)

    contender = Contender("A", "", lambda: clock.wait(1.0), None, Slow)
    assert timing.take_turns([contender], 1, 3.0, clock) == [[[1.0, 1.0, 1.0]]]
    assert timing.warm_up(contender, clock)[0] == 1.0


# ---- agreement -----------------------------------------------------------------------------------------------------

def test_our_step_computes_the_loss_and_gradients_that_contenders_are_held_to():
    work = ntm_copy(2, dtype=np.float64, **TINY)
    plain = ours(work)[-1]
    with plain.around():
        answer = plain.answer(plain.step())
    assert set(answer.grads) == set(work.params)

    def mean_loss(params):
        with numpy_only():
            logits, _ = work.model.forward(params, work.batch.inputs)
        each = np.logaddexp(0, logits) - work.batch.targets * logits
        return each[work.batch.mask > 0].mean()

    assert answer.loss == pytest.approx(mean_loss(work.params), rel=1e-12)
    step = 1e-6 * np.eye(1, work.params["b_heads"].size, 3)[0]
    slope = (mean_loss(work.params | {"b_heads": work.params["b_heads"] + step})
             - mean_loss(work.params | {"b_heads": work.params["b_heads"] - step})) / 2e-6
    assert answer.grads["b_heads"][3] == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_all_our_forms_agree():
    work = ntm_copy(3, **TINY)
    answers = []
    for contender in ours(work):
        with contender.around():
            answers.append(contender.answer(contender.step()))
    for answer in answers:
        agreement.largest_error("ours", answer, answers[-1])


@pytest.mark.parametrize("change, message", [
    ({"grads": {"W": np.array([1.0, 2.5])}}, r"them: dW differs from ours: max relative error 0\.25, expected at most"),
    ({"outputs": np.array([[1.0]])}, "outputs differs"),
    ({"outputs": np.array([np.nan])}, "outputs differs"),
    ({"loss": 2.0}, "loss differs"),
    ({"grads": {}}, r"expected \['W'\], received \[\]"),
])
def test_a_contender_that_computes_something_else_is_refused(change, message):
    truth = Answer(1.0, np.array([1.0]), {"W": np.array([1.0, 2.0])})
    with pytest.raises(agreement.Disagreement, match=message):
        agreement.largest_error("them", truth._replace(**change), truth)


# ---- the command ---------------------------------------------------------------------------------------------------

def test_json_has_what_others_read(tiny, capsys):
    assert command.main(["ntm-lstm", "--vs", "--batch", "2", "--repeats", "1", "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["command"] == "python -m benchmarks ntm-lstm --vs --batch 2 --repeats 1 --quick --json"
    assert {"cpu", "cores", "numpy", "jax", "torch"} <= set(result["machine"])
    assert "numpy" in {each["who"] for each in result["contenders"]}
    check(result)


def test_text_fits_into_eighty_columns(tiny, capsys):
    assert command.main(["--vs", "--batch", "1", "--repeats", "1", "--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "ntm-lstm copy batch 1" in lines


def test_a_missing_library_is_said_and_left_out(tiny, monkeypatch):
    monkeypatch.setattr(runs.importlib.util, "find_spec", lambda name: None)
    result = runs.run(["ntm-lstm"], ("jax", "torch"), [1], 1, 0.0)
    assert result["missing"] == {"jax": "not installed", "torch": "not installed"}
    assert {each["who"] for each in result["contenders"]} <= {"kernels", "numpy"}


@pytest.mark.parametrize("arguments", [["nonsense"], ["--batch", "0"], ["--vs", "cupy"], ["--repeats", "two"]])
def test_bad_arguments_exit_2_with_one_line(arguments, capsys):
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and arguments[-1] in said


def test_committed_results_are_consistent():
    result = json.loads(command.RESULT.read_text())
    assert {"ntm-lstm copy batch 1", "ntm-lstm copy batch 16"} <= set(result["works"])
    assert result["comparisons"]
    check(result)


def check(result):
    """Keys, and that every ratio is theirs / ours of times that stand in the same file."""
    times = {(each["work"], each["who"], each["detail"]): each["ms"] for each in result["contenders"]}
    for each in result["contenders"]:
        assert each["ms_quartiles"][0] <= each["ms"] <= each["ms_quartiles"][1]
        assert each["max_relative_error"] <= agreement.TOLERANCE["float32"]
    for each in result["comparisons"]:
        assert COMPARISON_KEYS <= set(each)
        assert each["ratio"] == pytest.approx(each["theirs_ms"] / each["ours_ms"], abs=1e-3)
        work, pair = each["name"].split(": ")
        our, their = pair.split(" vs ")
        assert times[work, our, each["ours"]] == each["ours_ms"]
        assert times[work, their, each["theirs"]] == each["theirs_ms"]
        assert each["theirs_ms"] == min(ms for (name, who, _), ms in times.items() if (name, who) == (work, their))
