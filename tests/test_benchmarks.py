"""The benchmark harness: its numbers and structure, never its times. JAX and PyTorch are not needed."""

import functools
import importlib.util
import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import agreement, ceiling, flops, runs, timing
from benchmarks.contender import UPDATE, Answer, Contender, ours
from benchmarks.works import LIBRARIES, WORKS, batches_of, lstm_copy, memn2n_qa, ntm_copy
from numpymem import cli, numpy_only

TINY = {"length": 2, "N": 6, "W": 3, "controller_size": 5}
SMALL = {                                             # every work, in a size that takes milliseconds
    "ntm-lstm": functools.partial(ntm_copy, **TINY),
    "ntm-feedforward": functools.partial(ntm_copy, controller="feedforward", read_heads=2, **TINY),
    "memn2n": functools.partial(memn2n_qa, source="generated"), "lstm": functools.partial(lstm_copy, length=2, size=4),
}
COMPARISON_KEYS = {"name", "ours_ms", "theirs_ms", "ratio"} | {
    f"{name}_quartiles" for name in ("ours_ms", "theirs_ms", "ratio")}


@pytest.fixture
def tiny(monkeypatch):
    """The command line's works, small, on a machine measured for a moment."""
    for name, small in SMALL.items():
        monkeypatch.setitem(WORKS, name, small)
    monkeypatch.setattr(command, "Ceiling", lambda **kwargs: ceiling.Ceiling(0, 1000))
    monkeypatch.setattr(ceiling, "LARGE", flops.Product("x A", 8, 8, 8))


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


@pytest.mark.parametrize("library", ["ours", *LIBRARIES])
@pytest.mark.parametrize("name", WORKS)
def test_all_contenders_agree(name, library):
    """A library that is not installed is left out, and the run says so (a test below)."""
    assert set(SMALL) == set(WORKS)
    installed = [library] if library != "ours" and importlib.util.find_spec(library) else []
    work = SMALL[name](3)
    contenders, _ = runs.contenders_of(work, installed)
    checks = runs.check_all([each for each in contenders if "compile" not in each.detail], work)
    assert all(check["max_relative_error"] <= agreement.TOLERANCE["float32"] for check in checks)
    assert {each.who for each in contenders if each.who in LIBRARIES} == set(installed)


def test_a_step_with_update_says_the_same_and_leaves_the_parameters_alone():
    work = SMALL["memn2n"](5)
    before = {name: value.copy() for name, value in work.params.items()}
    with_update = [each for each in ours(work) if each.who.endswith(UPDATE)]
    assert {each.who for each in with_update} == {each.who + UPDATE for each in ours(work)} - {w.who + UPDATE for w in with_update}
    runs.check_all(ours(work), work)
    assert all(np.array_equal(value, before[name]) for name, value in work.params.items())


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


# ---- the ceiling ---------------------------------------------------------------------------------------------------

def test_flop_of_a_layer_are_those_of_its_three_products():
    one, back, weights = flops.layer(rows=2, n_in=3, n_out=5, times=7)
    assert [one.flop, back.flop, weights.flop] == [2 * 2 * 3 * 5 * 7] * 3
    assert weights.shape == ("x^T dy", 3, 14, 5)
    assert len(flops.layer(2, 3, 5, input_gradient=False)) == 2


def test_flop_of_an_ntm_counted_by_hand():
    work = ntm_copy(2, **TINY)                                     # T 5, B 2, X 9, Y 8, C 5, N 6, W 3, one head each, S 3
    found = flops.count(work)
    P, U, G = 2 * (3 + 1 + 1 + 3 + 1) + 2 * 3, 3 + 5, 20
    assert work.params["W_heads"].shape == (5, P) and work.params["W_u"].shape == (U, G)
    inputs, recurrence, heads, outputs = 2 * 9 * G, 2 * U * G, 2 * 5 * P, 2 * 8 * 8
    assert found.product_flop == 10 * (2 * inputs + 3 * (recurrence + heads + outputs))
    forward, backward = 2 + 4 + 2 + 3 + 2, 2 + 8 + 4 + 4 + 6       # norm, similarity, read, erase, add: a number of the memory
    assert found.passes == 10 * 6 * 3 * (forward + backward)
    controller, parameters, weightings = 5 * 5, 2 * (3 + 2 + 1 + 3 + 2) + 3 + 3, 2 * 3 * 6
    assert found.evaluations == 10 * (controller + parameters + weightings + 3 * 8)
    assert found.flop == found.product_flop + found.passes


def test_flop_of_a_feedforward_ntm_have_no_cell_in_them():
    lstm, feedforward = (flops.count(ntm_copy(2, controller=name, **TINY)) for name in ("lstm", "feedforward"))
    assert lstm.passes == feedforward.passes
    assert lstm.evaluations - feedforward.evaluations == 10 * 4 * 5
    assert lstm.product_flop - feedforward.product_flop == 10 * (2 * 2 * 9 * 15 + 3 * 2 * (8 * 20 - 3 * 5))


def test_flop_of_an_lstm_counted_by_hand():
    found = flops.count(lstm_copy(2, length=2, size=4, layers=2))
    first, second, outputs = 2 * 2 * 9 * 16 + 3 * 2 * 4 * 16, 3 * 2 * (4 + 4) * 16, 3 * 2 * 4 * 8
    assert (found.product_flop, found.passes) == (10 * (first + second + outputs), 0)
    assert found.evaluations == 10 * (5 * 4 * 2 + 3 * 8)


def test_flop_of_a_memn2n_counted_by_hand():
    work = SMALL["memn2n"](1)
    stories = work.batch.inputs._replace(sentences=np.array([[[3, 4, 5], [6, 7, 0], [0, 0, 0]]]), query=np.array([[2, 3, 0]]))
    found = flops.count(work._replace(batch=work.batch._replace(inputs=stories)))
    words, sentences, tables, hops, d, Y = 5, 2, 4, 3, 20, work.model.config.n_outputs
    memories, looks = tables * (2 * words + sentences), hops * 4 * sentences
    assert found.passes == d * (2 * memories + looks + 2 * looks + 2 * 2 * 2)      # forward, backward; last: the question's words
    assert found.product_flop == 3 * 2 * d * Y
    assert found.evaluations == hops * sentences + 2 * Y + 1


def test_ceiling_is_flop_by_rate_each_product_at_its_own(monkeypatch):
    monkeypatch.setattr(ceiling, "cores", lambda: 2)
    large, small = ceiling.LARGE, flops.Product("dy A^T", 10, 10, 10, times=3)
    rates = {(large.shape, 1, 1): 50.0, (large.shape, 2, 1): 100.0, (large.shape, 1, 2): 80.0,
             (small.shape, 1, 1): 2.0, (small.shape, 2, 1): 1.0, (small.shape, 1, 2): 4.0}
    asked = []

    def rate(product, blas_threads, workers, seconds, layout):
        asked.append(product.shape)
        return rates[product.shape, blas_threads, workers] * (1 if layout else 0.5)
    monkeypatch.setattr(ceiling, "rate", rate)
    limit = ceiling.Ceiling()
    found = limit.of(flops.Count([small], 2000, 7, {}))
    assert found["ms"] == pytest.approx(6000 / 4e6 + 2000 / 100e6)
    assert found["gflops"] == pytest.approx(8000 / found["ms"] / 1e6, abs=0.01)
    assert limit.rate(small) == {"one_core": 2.0, "all_cores": 4.0}
    assert asked.count(large.shape) == 3                           # each shape is measured once
    assert runs.share({"ms": 1.0}, 4.0) == 25.0


@pytest.mark.parametrize("form", ["x A", "dy A^T", "x^T dy"])
@pytest.mark.parametrize("as_it_lies", [True, False])
def test_what_is_measured_is_the_product_of_that_shape(form, as_it_lies):
    x, A, y = ceiling.operands(flops.Product(form, 2, 3, 4), as_it_lies)
    ceiling.multiply((x, A, y), 1)
    assert x.dtype == A.dtype == np.float32 and (x.shape, A.shape) == ((2, 3), (3, 4))
    np.testing.assert_allclose(y, np.einsum("ij,jk->ik", x, A), rtol=1e-5)
    assert (x.flags.c_contiguous, A.flags.c_contiguous) == (form != "x^T dy" or not as_it_lies, form != "dy A^T" or not as_it_lies)


def test_rate_is_flop_of_all_workers_by_the_best_time():
    clock = iter([0, 1, 0, 4, 0, 2, 0, 8, 0, 4, 0, 5, 0, 6, 0, 7])     # doubled until it takes 4 s; then five tries, 2 s the best
    product = flops.Product("x A", 2, 3, 4)
    assert ceiling.rate(product, 1, 2, 4, clock=lambda: next(clock)) == pytest.approx(2 * 24 * 2 * 2 / 2 / 1e9)


def test_triad_and_copy_do_all_of_their_arrays():
    a, b, c = (np.full(ceiling.BLOCK + 5, number, np.float32) for number in (0, 1, 2))
    ceiling.triad(a, b, c)
    assert np.all(a == 7)
    ceiling.copy(a, b, c)
    assert np.all(a == 1)
    clock = iter([0, 4, 0, 3, 0, 2, 0, 5, 0, 6])
    assert ceiling.bandwidth(ceiling.copy, 2, [a, b, c], 2, clock=lambda: next(clock)) == 2 * a.nbytes / 2 / 1e9


# ---- the command ---------------------------------------------------------------------------------------------------

def test_json_has_what_others_read(tiny, capsys):
    assert command.main(["ntm-lstm", "--vs", "--batch", "2", "--repeats", "1", "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["command"] == "python -m benchmarks ntm-lstm --vs --batch 2 --repeats 1 --quick --json"
    assert {"cpu", "cores", "numpy", "jax", "torch"} <= set(result["machine"])
    assert "numpy" in {each["who"] for each in result["contenders"]}
    assert set(result["ceiling"]["bandwidth"]) == {"copy", "triad"} and result["epochs"] == []
    check(result)


def test_memn2n_is_timed_in_batches_of_32_and_its_epoch_with_and_without_update(tiny, capsys):
    assert batches_of("memn2n") == (32,) and batches_of("lstm") == (1, 16)
    assert command.main(["memn2n", "--vs", "--repeats", "1", "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["works"]) == ["memn2n qa batch 32"]
    assert "GENERATED" in result["works"]["memn2n qa batch 32"]["data"]
    assert {each["with_update"] for each in result["epochs"]} == {True, False}
    assert {each["questions"] for each in result["epochs"]} == {900}
    assert all(not each["name"].endswith(UPDATE) for each in result["comparisons"])
    check(result)


def test_text_fits_into_eighty_columns(tiny, capsys):
    assert command.main(["--vs", "--batch", "1", "--repeats", "1", "--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert {"ntm-lstm copy batch 1", "ntm-feedforward copy batch 1", "memn2n qa batch 1", "lstm copy batch 1"} <= set(lines)
    assert sum("% of this machine" in line and "times plain NumPy" in line for line in lines) >= 3
    assert any(line.startswith("an epoch of 900 questions: ") for line in lines)
    assert any("TB (16 XC + 24 CC (2L - 1) + 6 CY)" in line for line in lines)


def test_a_missing_library_is_said_and_left_out(tiny, monkeypatch):
    monkeypatch.setattr(runs.importlib.util, "find_spec", lambda name: None)
    result = runs.run(["ntm-lstm"], ("jax", "torch"), [1], 1, 0.0, ceiling=ceiling.Ceiling(0, 1000))
    assert result["missing"] == {"jax": "not installed", "torch": "not installed"}
    assert {each["who"] for each in result["contenders"]} <= {"kernels", "numpy"}


@pytest.mark.parametrize("who", [[], ["bench"]])
@pytest.mark.parametrize("arguments", [["nonsense"], ["--batch", "0"], ["--vs", "cupy"], ["--repeats", "two"], ["--what"]])
def test_bad_arguments_exit_2_with_one_line(who, arguments, capsys):
    """As `python -m benchmarks` and as `python -m numpymem bench`."""
    run = cli.main if who else command.main
    assert run([*who, *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and arguments[-1] in said
    assert said.startswith("python -m numpymem bench: " if who else "python -m benchmarks: ")


def test_the_verb_hands_over(tiny, capsys):
    assert cli.main(["bench", "ntm-lstm", "--vs", "--batch", "1", "--repeats", "1", "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["command"] == "python -m numpymem bench ntm-lstm --vs --batch 1 --repeats 1 --quick --json"
    check(result)


def test_data_that_is_not_where_it_was_said_to_be_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv("NUMPYMEM_DATA", "nowhere")
    assert command.main(["memn2n", "--vs", "--quick"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python -m benchmarks: NUMPYMEM_DATA: expected a folder")


def test_the_verb_of_an_installed_package_says_where_the_benchmarks_are(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("numpymem.kernel.PACKAGE", tmp_path / "numpymem")
    assert cli.main(["bench", "--quick"]) == 2
    assert capsys.readouterr().err == ("python -m numpymem bench: the benchmarks are part of the project's checkout, not of the "
                                       "installed package: run this in the folder of a checkout\n")


def test_committed_results_are_consistent():
    result = json.loads(command.RESULT.read_text())
    expected = {f"{name} copy batch {batch}" for name in ("ntm-lstm", "ntm-feedforward", "lstm") for batch in (1, 16)}
    assert expected | {"memn2n qa batch 32"} == set(result["works"])
    assert result["comparisons"]
    check(result)


def check(result):
    """Keys, and that every ratio is theirs / ours of times that stand in the same file."""
    times = {(each["work"], each["who"], each["detail"]): each["ms"] for each in result["contenders"]}
    for each in result["contenders"]:
        assert each["ms_quartiles"][0] <= each["ms"] <= each["ms_quartiles"][1]
        assert each["max_relative_error"] <= agreement.TOLERANCE["float32"]
        limit = result["ceilings"][each["work"]]
        assert each["share_percent"] == pytest.approx(100 * limit["ms"] / each["ms"], rel=6e-3)
        assert limit["gflops"] > 0 and limit["product_flop"] == sum(product["flop"] for product in limit["products"])
    for each in result["comparisons"]:
        assert COMPARISON_KEYS <= set(each)
        assert each["ratio"] == pytest.approx(each["theirs_ms"] / each["ours_ms"], abs=1e-3)
        assert each["share_percent"] == pytest.approx(100 * each["ceiling_ms"] / each["ours_ms"], rel=6e-3)
        work, pair = each["name"].split(": ")
        our, their = pair.split(" vs ")
        assert times[work, our, each["ours"]] == each["ours_ms"]
        assert times[work, their, each["theirs"]] == each["theirs_ms"]
        assert each["theirs_ms"] == min(ms for (name, who, _), ms in times.items() if (name, who) == (work, their))
