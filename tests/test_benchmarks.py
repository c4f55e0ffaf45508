"""The benchmark harness: its numbers and structure, never its times. JAX and PyTorch are not needed."""

import functools
import importlib.util
import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import agreement, ceiling, flops, runs, sparse_links, timing
from benchmarks.contender import UPDATE, Answer, Contender, ours
from benchmarks.works import (LIBRARIES, WORKS, batches_of, dmn_qa, dnc_copy, dnc_link, gru_scan, lstm_copy, memn2n_qa,
                              ntm_copy, segments)
from numpymem import cli, numpy_only
from numpymem.kernel import has_numba

TINY = {"length": 2, "N": 6, "W": 3, "controller_size": 5}
SMALL = {                                             # every work, in a size that takes milliseconds
    "ntm-lstm": functools.partial(ntm_copy, **TINY),
    "ntm-feedforward": functools.partial(ntm_copy, controller="feedforward", read_heads=2, **TINY),
    "dmn": functools.partial(dmn_qa, source="generated", d=6),
    "dmn-long": functools.partial(dmn_qa, source="generated", task=3, d=4, passes=1),
    "gru-scan": functools.partial(gru_scan, steps=3, size=4),
    "memn2n": functools.partial(memn2n_qa, source="generated"), "lstm": functools.partial(lstm_copy, length=2, size=4),
    "dnc": functools.partial(dnc_copy, length=2, controller_size=4, N=5, W=3),
    "dnc-4": functools.partial(dnc_copy, length=2, controller="feedforward", controller_size=4, N=5, W=3, read_heads=4),
    "dnc-link": functools.partial(dnc_link, T=3, N=5, read_heads=2),
    "mt-keys": functools.partial(segments, "mt-keys", "rewritten-keys", d=8, heads=2, ff=8, W=8, read_heads=2),
    "mt-wikisql": functools.partial(segments, "mt-wikisql", "wikisql-select", task_settings={"source": "generated"}, d=8, heads=2,
                                    ff=8, W=8, read_heads=2, N=20),
}
COMPARISON_KEYS = {"name", "ours_ms", "theirs_ms", "ratio"} | {
    f"{name}_quartiles" for name in ("ours_ms", "theirs_ms", "ratio")}


@pytest.fixture(autouse=True)
def kernels_look_again():
    """After each test, as tests in other files set NUMPYMEM_JIT, which a kernel reads only when something has changed."""
    yield
    with numpy_only():
        pass


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
    lasts = iter([50.0, 1.0, 2.0, 3.0, 50.0, 3.0, 4.0, 5.0])
    samples = timing.take_turns([pretender("A", [], lambda: clock.wait(next(lasts)))], 2, 5.0, clock)
    assert samples == [[[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]]


def test_each_round_counts_the_same_however_many_steps_it_has():
    assert timing.spread([[1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 3.0, 9.0], [5.0]]) == timing.Spread(3.0, 2.0, 4.0)


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
    assert {each.who for each in contenders if each.who in LIBRARIES} == set(installed) & set(work.references)


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
    compared = sum("% of this machine" in line and "times plain NumPy" in line for line in lines)
    assert compared >= 3 if has_numba() else compared == 0               # without it there is no other form to compare with
    assert any(line.startswith("an epoch of 900 questions: ") for line in lines)
    assert any("24 CC (2L - 1)" in line for line in lines) and any("GENERATED" in line for line in lines)


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


def test_sparse_links_are_measured_beside_dense_ones(capsys):
    sparse_links.main(["--slots", "20", "40", "--links", "4", "--repeats", "1", "--json"])
    for row in json.loads(capsys.readouterr().out):
        assert row["dense_MiB"] == pytest.approx(41 * 4 * row["N"] ** 2 / 2 ** 20, abs=1e-3)
        assert row["sparse_MiB"] == pytest.approx(41 * 4 * row["N"] * 8 / 2 ** 20, abs=1e-3)
    sparse_links.main(["--slots", "20", "--repeats", "1"])
    assert "sparse, K = 8" in capsys.readouterr().out
