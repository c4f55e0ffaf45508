"""What chapters 07 and 08 draw and print: read from the committed results, with the panels, rows and marks that are said."""

import pathlib

import nbformat
import numpy as np
import pytest

from numpymem.dnc import DNC, DNCConfig
from numpymem.experiments import results, verdicts
from numpymem.experiments.claims.intervals import interval
from numpymem.teaching import claims, conclusion, evolution

NOTEBOOKS = pathlib.Path(__file__).parent.parent / "notebooks"


@pytest.fixture(scope="module")
def found():
    return verdicts.judge_all()


def test_the_table_of_verdicts_has_every_claim_and_a_reason(found):
    table = conclusion.verdict_table(found).data
    for claim, verdict in found:
        row = next(line for line in table.splitlines() if line.startswith(f"| {claim.id} "))
        assert f"**{verdicts.word(verdict)}**" in row and len(row.split(" | ")[-1]) > conclusion.SHORT
    assert table.endswith(verdicts.counted(found) + ".")


def test_the_chapters_tell_todays_verdicts(found):
    """As chapters 03 and 04 (test_teaching_claims.py): else run notebooks/build.py 07 08 once more."""
    told = {}
    for name in ("07_evolution_and_fusion", "08_conclusion"):
        book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
        told[name] = [output.data.get("text/markdown") for cell in book.cells if cell.cell_type == "code"
                      for output in cell.outputs if output.output_type == "execute_result"]
    for name, ids in (("07_evolution_and_fusion", ("C12",)), ("08_conclusion", ("C14", "C15", "C13"))):
        places = [told[name].index(each(id).data) for id in ids for each in (claims.claim, claims.verdict)]
        assert places == sorted(places)
    assert conclusion.verdict_table(found).data in told["08_conclusion"]
    assert conclusion.hybrid_table(conclusion.rows_of_the_hybrid()).data in told["08_conclusion"]


def test_a_reason_is_one_sentence_or_two_if_the_first_says_little():
    assert conclusion.first_sentence("The NTM loses 2.5 % at most, which is not much. So it is.") == (
        "The NTM loses 2.5 % at most, which is not much.")
    assert conclusion.first_sentence("Short. The second one. A third.") == "Short. The second one."


def test_the_picture_of_verdicts_has_a_mark_for_each(found):
    axes = conclusion.verdict_picture(found).axes[0]
    words = [label.get_text() for label in axes.get_xticklabels()]
    marks = [words[int(line.get_xdata()[0])] for line in axes.lines if len(line.get_xdata()) == 1]
    assert marks == [verdicts.word(verdict) for _, verdict in found]


def test_the_hybrid_s_rows_are_those_of_the_verdict(found):
    rows, verdict = conclusion.rows_of_the_hybrid(), next(verdict for claim, verdict in found if claim.id == "C13")
    table = conclusion.hybrid_table(rows).data
    for title, lead in rows.items():
        assert f"{title} {lead['better']}" in verdict.short and f"| {lead['better']} ({lead['parent']}) |" in table
    best, worst = conclusion.best_and_worst(rows)
    assert best != worst and conclusion.places_of(best)[1].split()[:2] == ["%", "right"]
    assert len(conclusion.without_variant("paths", "Hybrid", "no guide")) >= 4


def test_intervals_are_drawn_with_a_sign_and_a_claimed_figure():
    axes = evolution.intervals({"ahead": interval([1, 1.1, 1.2]), "even": interval([1, -1, 0.5]), "behind": interval([-2, -2.1])},
                               "title", mark=(12.7, "somebody")).axes[0]
    assert [line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1] == ["o", "s", "X"]
    assert "somebody" in [text.get_text() for text in axes.texts]


def test_gains_over_none_are_those_of_the_claim(found):
    gains, verdict = evolution.gains(results.read("mt_wikisql")), next(verdict for claim, verdict in found if claim.id == "C12")
    assert str(gains["wikisql-select: full"]) in verdict.ours and str(gains["wikisql-agg: full"]) in verdict.ours
    assert not any(name.endswith(evolution.NONE) for name in gains)


def test_the_ablations_are_drawn_for_every_group():
    for name in ("mt_memory", "mt_wikisql"):
        content = results.read(name)
        axes = evolution.ablation_map(content, "title").axes[0]
        assert [label.get_text() for label in axes.get_xticklabels()] == [group["label"] for group in content["spec"]["groups"]]


def test_a_step_of_a_dnc_shows_both_ways():
    rng = np.random.default_rng(0)
    model = DNC(DNCConfig(n_inputs=3, n_outputs=2, controller_size=5, N=4, W=3))
    trace = model.forward(model.init(rng), rng.standard_normal((6, 2, 3)).astype(np.float32))[1]
    writing, reading = evolution.dnc_step(trace, 3).axes
    assert len(writing.get_yticklabels()) == 3 and len(reading.get_yticklabels()) == 4 and reading.get_xlabel() == "slot"


def test_the_allocation_jumps_at_the_tie_and_its_gradient_does_not_know():
    allocated, slope = evolution.allocation_at_a_tie(fixed=0.5).axes
    ends = {(round(float(line.get_ydata()[0]), 2), round(float(line.get_ydata()[-1]), 2)) for line in allocated.lines[1:]}
    assert ends == {(1.0, 0.5), (0.25, 0.0), (0.0, 0.25), (0.5, 0.5)}
    assert [set(np.round(line.get_ydata(), 6)) for line in slope.lines[1:]] == [{0.5}, {0.0}]
