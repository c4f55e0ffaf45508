"""The three studies (growth, profile_step, startup): their arithmetic and their files, never their times."""

import json
import statistics
import tracemalloc

import numpy as np
import pytest
from kernel_tools import needs_numba

from benchmarks import growth, growth_plot, growth_report, profile_plot, profile_report, profile_step, startup, studies
from benchmarks.growth_axes import AXES
from benchmarks.growth_cases import MODELS, ntm_feedforward, ntm_lstm, step
from benchmarks.growth_measure import FORMS, seconds_of_steps, slope, trace_bytes, upper_half, weigh
from benchmarks.profile_record import fastest, recorded, recording
from benchmarks.works import ntm_copy

TINY = {"length": 2, "N": 8, "W": 3, "controller_size": 5}


def committed(study):
    return json.loads(study.RESULT.read_text())


def widest(text):
    return max(map(len, text.splitlines()))


# ---- growth ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("power", [0, 1, 2, 1.5])
def test_slope_finds_the_power(power):
    values = [10, 20, 50, 100, 400]
    assert slope(values, [3 * value ** power for value in values]) == pytest.approx(power, abs=1e-12)


def test_slope_looks_at_the_upper_half_only():
    values = [1, 10, 100, 1000, 10000]
    assert upper_half(values) == [100, 1000, 10000]
    assert slope(values, [7, 7, 1, 10, 100]) == pytest.approx(1, abs=1e-12)
    assert 0.8 < slope(values, [100 + value for value in values]) < 0.9           # a fixed part flattens, though less up there


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.key)
def test_axes_name_sizes_of_their_model_and_rise(axis):
    case = MODELS[axis.model](**axis.sizes(axis.values[0]))
    _, trace = step(case)
    assert trace and list(axis.values) == sorted(set(axis.values))
    assert axis.points(quick=True)[-1] == axis.values[-1] and len(upper_half(axis.points(quick=True))) >= 2


def test_memory_of_a_step_grows_with_the_sequence_and_holds_the_trace():
    tracemalloc.start()
    try:
        short, long = (weigh(ntm_lstm(T=T), "numpy") for T in (41, 81))
    finally:
        tracemalloc.stop()
    assert 1.9 < long["trace_mib"] / short["trace_mib"] < 2.1
    assert long["peak_mib"] > long["trace_mib"] and long["peak_mib"] > 1.3 * short["peak_mib"]


def test_trace_counts_a_block_once_however_often_it_is_seen():
    block = np.zeros(1000)
    assert trace_bytes({"a": block, "b": [block[:10], block[::2].reshape(5, 100)], "c": (np.zeros(3), None)}) == 8000 + 24


def test_steps_are_counted_without_the_first_unless_it_fills_the_turn():
    times = iter([0.0, 1.0, 1.0, 3.0, 3.0, 6.0])
    assert seconds_of_steps(ntm_feedforward(T=1), "numpy", 5.0, clock=lambda: next(times)) == [2.0, 3.0]
    times = iter([0.0, 9.0])
    assert seconds_of_steps(ntm_feedforward(T=1), "numpy", 5.0, clock=lambda: next(times)) == [9.0]


def test_long_rows_compare_with_the_plain_way_and_leave_out_what_forward_does_not_take(monkeypatch):
    monkeypatch.setattr(growth, "LONG", {"T": 5, "batch": 2})
    seen = []

    class Model:
        def forward(self, params, inputs, rng=None, checkpoint_every=0):
            """A forward as it will be."""

    def measured(make, form, **options):
        seen.append(options)
        return {"form": form, "options": options, "ms": 10.0 + 5 * len(options)}

    monkeypatch.setattr(growth, "measure_call", measured)
    monkeypatch.setattr(growth, "ntm_lstm", lambda **sizes: ntm_lstm(**sizes)._replace(model=Model()))
    rows = growth.long_rows(["kernels"], [4, 8])
    assert seen == [{}, {"checkpoint_every": 4}, {"checkpoint_every": 8}]
    assert [row["times_plain"] for row in rows] == [1.0, 1.5, 1.5]
    Model.forward = lambda self, params, inputs, rng=None: None
    assert [row["options"] for row in growth.long_rows(["kernels"], [4, 8])] == [{}]


def test_growth_of_one_model_end_to_end(capsys):
    assert growth.main(["lstm", "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    check_growth(result, [axis for axis in AXES if axis.model == "lstm"])
    assert widest(growth_report.text(result)) <= studies.WIDTH


def test_committed_growth_is_whole_and_its_slopes_are_those_of_its_rows():
    result = committed(growth)
    check_growth(result, AXES)
    assert all(path.stat().st_size > 10_000 for path in growth.FIGURES.values())
    assert widest(growth_report.text(result)) <= studies.WIDTH
    for row in result["long"]:
        plain = next(each for each in result["long"] if each["form"] == row["form"] and not each["options"])
        assert row["times_plain"] == pytest.approx(row["ms"] / plain["ms"], abs=1e-3)
        assert 0 < row["trace_mib"] < row["peak_mib"]


def check_growth(result, axes):
    found = {f"{row['model']}/{row['axis']}" for row in result["rows"]}
    assert found == {axis.key for axis in axes}
    for row in result["rows"]:
        axis = next(axis for axis in axes if axis.key == f"{row['model']}/{row['axis']}")
        assert row["form"] in FORMS and tuple(row["values"]) == axis.points(result["quick"]) and row["expected"] == axis.expected
        assert len(row["values"]) == len(row["ms"]) == len(row["peak_mib"]) == len(row["trace_mib"])
        assert all(0 < kept < most for kept, most in zip(row["trace_mib"], row["peak_mib"]))
        for name in ("ms", "peak_mib"):
            assert row[f"{name}_slope"] == pytest.approx(slope(row["values"], row[name]), abs=1e-3)


@pytest.mark.parametrize("measured", ["ms", "peak_mib"])
def test_growth_figure_shows_every_row_and_says_its_slope(measured):
    result = committed(growth)
    figure = growth_plot.growth(result, measured)
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {f"{row['form']} {row[f'{measured}_slope']:.2f}" for row in result["rows"]} == words
    shown = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert sorted(shown) == sorted(axis.name for axis in AXES)


# ---- profile ----------------------------------------------------------------------------------------------------------------

def test_recorder_counts_operations_and_changes_nothing():
    x, A = np.ones((3, 4), np.float32), np.ones((4, 5), np.float32)
    with recording() as log:
        for _ in range(2):
            y = np.exp(recorded(x)) @ A
        y.sum(-1)
        recorded(x)[:, np.array([0, 2])]
        recorded(x)[1:]                                               # a view leaves no mark
    counts = {operation.name: operation.count for operation in log.values()}
    assert counts == {"exp": 2, "matmul": 2, "add.reduce": 1, "take": 1}
    product = log["matmul", ((3, 4), (4, 5), (3, 5))]
    assert product.is_product() and product.flop() == 2 * 2 * 3 * 4 * 5
    assert log["exp", ((3, 4), (3, 4))].numbers == 12
    np.testing.assert_array_equal(y, np.exp(x) @ A)


def test_a_recorded_step_computes_the_same_gradients_and_can_be_replayed():
    work = ntm_copy(2, **TINY)
    with FORMS["numpy"]():
        wanted = profile_step.step(work)
        params, batch = {name: recorded(value) for name, value in work.params.items()}, type(work.batch)(*map(recorded, work.batch))
        with recording() as log:
            found = profile_step.step(work._replace(params=params, batch=batch))
    for name in wanted:
        np.testing.assert_array_equal(found[name], wanted[name])
    assert {"exp", "log", "tanh", "matmul", "multiply", "stack"} <= {operation.name for operation in log.values()}
    for operation in log.values():
        operation.run()
        operation.smallest()


def test_fastest_is_the_best_round():
    now = [0.0]
    costs = iter([1.0, 1.0] + [4.0, 2.0, 6.0, 3.0, 5.0])

    def run():
        now[0] += next(costs)
    assert fastest(run, seconds=5.0, rounds=5, clock=lambda: now[0]) == 2.0


def test_parts_are_what_the_method_says():
    times = {"full": {"user": 100.0, "system": 8.0, "wall": 60.0}, "narrow": {"user": 50.0, "system": 1.0, "wall": 30.0},
             "smallest": {"user": 10.0, "system": 0.0, "wall": 10.0}}
    replays = {"full": {"ms": {"products": 20.0, "transcendental": 6.0}, "transcendental_forward_ms": 4.0},
               "narrow": {"ms": {"products": 9.0, "transcendental": 5.0}, "transcendental_forward_ms": 3.0}}
    found = profile_step.parts(times, replays, "kernels", W=20)
    assert found["parts"]["passes over the memory"] == pytest.approx((50 - 11 - 1) * 20 / 19)
    assert found["parts"] | {"passes over the memory": 0, "vectors and the rest": 0} == {
        "matrix products": 20, "exp, log, tanh": 4, "passes over the memory": 0, "vectors and the rest": 0, "fresh memory": 8,
        "calls": 10}
    assert sum(found["parts"].values()) == pytest.approx(108) and found["ms"] == 108 and found["wall_ms"] == 60
    assert profile_step.parts(times, replays, "numpy", W=20)["parts"]["exp, log, tanh"] == 6


def test_profile_of_a_tiny_step_sums_up_and_fits():
    result = {"command": "", "machine": committed(profile_step)["machine"], "kernels": {"ntm.sequence": "in force"},
              **profile_step.run([2], rounds=1, seconds=0.0, **TINY)}
    check_profile(result)
    assert widest(profile_report.text(result)) <= studies.WIDTH


def test_committed_profile_sums_up_and_fits():
    result = committed(profile_step)
    assert [(row["batch"], row["form"]) for row in result["rows"]] == [
        (batch, form) for batch in (1, 16) for form in ("kernels", "numpy")]
    check_profile(result)
    assert widest(profile_report.text(result)) <= studies.WIDTH
    one, sixteen = result["operations"]
    assert one["operations"] == sixteen["operations"] and sixteen["flop"] == 16 * one["flop"]
    labels = [label.get_text() for label in profile_plot.profile(result).axes[0].get_yticklabels()]
    assert labels == ["batch 1  kernels", "batch 1  numpy", "batch 16  kernels", "batch 16  numpy"]
    assert profile_step.FIGURE.stat().st_size > 10_000


def check_profile(result):
    for row in result["rows"]:
        assert tuple(row["parts"]) == profile_step.PARTS == tuple(profile_plot.COLOURS)
        assert sum(row["parts"].values()) == pytest.approx(row["ms"], abs=1e-3)
        assert row["ms"] > 0 and row["wall_ms"] > 0
    for counts in result["operations"]:
        assert counts["of_these_forward"] <= counts["numbers_through_exp_log_tanh"]
        assert set(counts["ms"]) == {"products", "transcendental", "copies", "memory", "vectors"}


# ---- start-up ---------------------------------------------------------------------------------------------------------------

@needs_numba
def test_an_edited_equation_starts_without_compiling(tmp_path):
    found = startup.start("edited", tmp_path)
    assert found["compiling"] == [] and not list(tmp_path.rglob("*.nbi"))
    assert any("NTM-9 (sharpen) is patched" in line for line in found["said"])
    assert [one["model"] for one in found["steps"]] == ["ntm-lstm", "ntm-feedforward"]


def test_without_kernels_nothing_is_compiled_or_said(tmp_path):
    found = startup.start("numpy", tmp_path)
    assert found["compiling"] == found["said"] == [] and not list(tmp_path.rglob("*.nbi"))
    assert [one["model"] for one in found["steps"]] == list(MODELS)
    assert 0 < found["import_s"] < found["total_s"]


def test_committed_start_up_is_whole_and_fits():
    result = committed(startup)
    assert [row["way"] for row in result["rows"]] == list(startup.WAYS)
    for row in result["rows"]:
        assert row["total_s"] == pytest.approx(statistics.median(row["totals_s"]), abs=1e-3) and len(row["totals_s"]) == row["runs"]
        assert (row["compiling_lines"] > 0) == (row["way"] == "cold")
        assert row["total_s"] > row["import_s"] + sum(one["first_s"] for one in row["steps"])
    assert widest(startup.text(result)) <= studies.WIDTH


# ---- the commands -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("study, arguments", [(growth, ["nonsense"]), (growth, ["--checkpoint-every", "0"]),
                                              (profile_step, ["--batch", "none"]), (startup, ["--repeats", "0"])])
def test_bad_arguments_exit_2_with_one_line(study, arguments, capsys):
    assert study.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and arguments[-1] in said


@pytest.mark.parametrize("study", [growth, profile_step, startup])
def test_help_is_there(study, capsys):
    assert study.main(["--help"]) == 0
    assert f"python -m {study.__name__}" in capsys.readouterr().out


def test_results_are_written_as_they_are(tmp_path):
    result = {"command": "x", "none": [], "rows": [{"a": 1, "b": [1, 2]}, {"a": None}], "plain": [1, 2]}
    studies.write(tmp_path / "result.json", result)
    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert '  {"a": 1, "b": [1, 2]},\n' in (tmp_path / "result.json").read_text()
