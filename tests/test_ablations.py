"""Variants beside one another: means, spreads, and differences seed by seed."""

import pytest

from numpymem import runs
from numpymem.catalog import make_task
from numpymem.data import metaqa, wikisql, wikisql_made
from numpymem.experiments import ablations, report, spec


def run(group, task, seed, **figures):
    return {"group": group, "task": task, "seed": seed, "figures": figures}


def found():
    runs = [run(group, "segment-recall", seed, wrong_percent={"8": wrong + 2 * seed}, forgotten_wrong_percent={"8": 90.0})
            for group, wrong in (("full", 1.0), ("no memory", 90.0)) for seed in range(3)]
    runs += [run("full", "wikisql-select", seed, wrong_percent=40.0) for seed in range(3)]
    runs += [run("no memory", "wikisql-select", seed, wrong_percent=80.0 + seed) for seed in range(2)]
    return {"spec": {"compare": "full", "groups": [{"label": "full"}, {"label": "no memory"}]}, "runs": runs,
            "table": [{"task": "segment-recall"}, {"task": "wikisql-select"}]}


def test_rows_are_means_and_spreads_and_differences_are_seed_by_seed():
    lines = [" ".join(line.split()) for line in ablations.lines(found())]
    assert "segment-recall at 8 3.0 ± 2.0 92.0 ± 2.0" in lines and "segment-recall at 8 0.0 ± 0.0 89.0 ± 0.0" in lines
    assert "segment-recall at 8, wiped 90.0 ± 0.0 90.0 ± 0.0" in lines
    assert "wikisql-select 0.0 ± 0.0 40.5 ± 0.7" in lines


def test_the_articles_figure_stands_beside_ours():
    assert ablations.wikisql_gain(found()) == {0: 40.0, 1: 41.0}
    assert "+12.7 %" in ablations.lines(found())[-1] and ablations.lines(found())[-1].endswith("40.5 ± 0.7 points")


def test_report_prints_floors_and_published_figures_beside():
    said = "\n".join(report.beside(found()))
    assert "the first column named in the question, which sees columns and question together, 80.2 %" in said


def test_compare_names_a_group():
    content = spec.read("mt_memory").content
    assert content["compare"] == "full"
    with pytest.raises(ValueError, match="compare: expected one of full, no memory, .*, received 'half'"):
        spec.check(content | {"compare": "half"})


@pytest.mark.parametrize("name, module, real", [
    ("wikisql-agg", wikisql, lambda origin: wikisql.WikiSQL(wikisql_made.generate(), origin)),
    ("metaqa", metaqa, lambda origin: metaqa.generated(1, "")._replace(origin=origin))])
def test_results_do_not_say_where_the_data_lay(name, module, real, monkeypatch):
    """Wherever the same files lie, they are the same data, also to `--resume` and to shipped models."""
    def told(place):
        monkeypatch.setattr(module, "load", lambda *_: real(f"real data (checksums verified), from {place}"))
        return runs.content(make_task(name, "segments").origin)
    assert told("shared/data") == told("the folder given")
    assert "real data (checksums verified)" in told("NUMPYMEM_DATA") and "NUMPYMEM_DATA" not in told("NUMPYMEM_DATA")


@pytest.mark.parametrize("name, module", [("wikisql-select", wikisql), ("metaqa", metaqa)])
def test_generated_data_is_the_same_whoever_asked(name, module, monkeypatch):
    asked = make_task(name, "segments", source="generated").origin
    monkeypatch.setattr(module, "search_places", lambda *_: [])
    missing = make_task(name, "segments").origin
    assert asked != missing and runs.content(asked) == runs.content(missing)
    assert "GENERATED" in runs.content(asked)
