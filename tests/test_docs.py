"""The README's map and the committed results say what the code says."""

import dataclasses
import pathlib
import re
import statistics

import pytest

from numpymem import catalog, commands
from numpymem.equation import find
from numpymem.experiments import ablations, results, spec, summary, verdicts, wikisql_table
from numpymem.training import Recipe

ROOT = pathlib.Path(__file__).parent.parent
commands.import_equations()
ROW = r"^\| ((?:NTM|DNC|MemN2N|DMN|GRU|LSTM|Transformer|MT|Hybrid)[^|]*) \| [^|]+ \| (`[^|]+) \| (`python -m gradcheck[^|]+) \|$"
MAP = re.findall(ROW, (ROOT / "README.md").read_text(), re.MULTILINE)


def test_the_map_is_there():
    assert len(MAP) == 24


@pytest.mark.parametrize("ids, functions, check", MAP)
def test_map_names_the_functions_of_the_equations_and_their_files(ids, functions, check):
    ids, places = ids.split(", "), re.findall(r"`([^`]+)`", functions)
    files = [place for place in places if place.endswith(".py")]
    names = [place for place in places if not place.endswith(".py")]
    assert [find(id).name for id in ids] == names
    assert {find(id).address.rsplit(":", 1)[0] for id in ids} == set(files)
    assert check == f"`python -m gradcheck {' '.join(ids)}`"


@pytest.mark.parametrize("name", results.names())
def test_results_began_with_the_recipes_of_today(name):
    found, seen = results.read(name), 0
    for names, start in found["start"].items():
        for group in found["spec"]["groups"]:
            for task in spec.tasks_of(group):
                if f"{group['label']} {task}" in names.split("; "):
                    before = dataclasses.asdict(Recipe(**start["recipe"]))             # what came to recipes later, at its default
                    assert before == recipe_today(group, task)
                    seen += 1
    assert seen == sum(len(spec.tasks_of(group)) for group in found["spec"]["groups"])


def recipe_today(group, task):
    """What a group of a spec trains a task with, as the catalog has it."""
    model, controller = group["model"], group.get("controller")
    settings, recipe = catalog.settings_of(model, task, controller)
    _, recipe, _ = catalog.apply_settings(group.get("set", []), model, task, settings, recipe, controller)
    return dataclasses.asdict(recipe)


def test_the_readme_has_the_verdicts_of_today():
    text, (first, last) = (ROOT / "README.md").read_text(), verdicts.MARKS
    table = text[text.index(first):text.index(last)]
    assert table == f"{first}\n{verdicts.markdown(verdicts.judge_all())}\n"


def test_the_readme_quotes_the_results():
    """Each figure in the README's tables of results is the one in the result file."""
    text = (ROOT / "README.md").read_text()
    for name in {"ntm_copy", "ntm_recall", "dnc_copy", "dnc_series", "dnc_recall"} & set(results.names()):
        for row in results.read(name)["table"]:
            learned = f"{row['learned']} of {row['n']}" + (f", median {row['sequences']:,.0f}" if row["sequences"] else "")
            assert re.search(rf"^\| {row['task']}, {row['group']} \| {learned} \|", text, re.MULTILINE), (row["group"], learned)
    for name in [name for name in results.names() if name.startswith("babi")]:
        for label, by_task in summary.errors_by_task(results.read(name)["table"]).items():
            best, mean = (statistics.fmean(each[which] for each in by_task.values()) for which in ("best", "mean"))
            assert f"| {name}: {label} | {best:.1f} % | {mean:.1f} % |" in text, (name, label, best, mean)
    for name in [name for name in results.names() if "_babi" in name]:                 # the descendants
        for label, by_task in summary.errors_by_task(results.read(name)["table"]).items():
            tasks = "20 tasks" if len(by_task) == 20 else f"tasks {', '.join(map(str, sorted(by_task)))}"
            mean = statistics.fmean(each["mean"] for each in by_task.values())
            assert f"| {name}: {label}, {tasks} | {mean:.1f} % |" in text, (name, label, mean)


PLACES = {"symbols, 18 to copy": "wrong_percent/3", "values, 8 pairs": "wrong_percent/8",
          "values, keys written once": "wrong_percent/0", "values, keys rewritten once": "wrong_percent/1",
          "values, keys rewritten three times": "wrong_percent/3",
          "of these: an older value of the key": "stale_percent/3", "official dev, no table told": "wrong_percent/dev",
          "columns one by one, fold 9": "wrong_percent"}
VARIANTS = re.findall(r"^\| ([a-z-]+): ([^|]+) \| (.+) \| `report (mt_[a-z]+)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_the_readme_quotes_the_variants_of_the_memory_transformer():
    assert [what for _, what, _, _ in VARIANTS] == list(PLACES)
    for task, what, cells, name in VARIANTS:
        found = results.read(name)
        *variants, wiped = [cell.strip() for cell in cells.split("|")]
        groups = [group["label"] for group in found["spec"]["groups"]]
        assert variants == [ablations.told(ablations.errors(found, group, task, PLACES[what])) for group in groups]
        if wiped:
            assert wiped == ablations.told(ablations.errors(found, "full", task, "forgotten_" + PLACES[what]))


def test_the_readme_quotes_what_the_memory_brings_on_wikisql():
    found, text = results.read("mt_wikisql"), " ".join((ROOT / "README.md").read_text().split())

    def without(task, place, group="full"):
        return ablations.paired(*(ablations.errors(found, each, task, place) for each in ("no memory", group)))
    assert f"the memory brings {ablations.told(without('wikisql-select', 'wrong_percent'))} points" in text
    attention = ablations.told(without("wikisql-select", "wrong_percent", "full attention")).split()[0]
    assert f"(attention to all of them {attention})" in text
    assert f"and {ablations.told(without('wikisql-agg', 'wrong_percent/dev'))} where the question" in text


def test_the_readme_says_what_a_memory_is_worth_on_walks_and_facts():
    found, text = results.read("mt_facts"), " ".join((ROOT / "README.md").read_text().split())
    for group, name in (("full", "full memory"), ("append only", "appended list"), ("full attention", "attention to everything"),
                        ("no memory", "no memory")):
        walks, facts = (ablations.told(ablations.errors(found, group, task, f"wrong_percent/{size}"))
                        for task, size in (("segment-traversal", 4), ("made-facts", 16)))
        assert f"{name} {walks} and {facts}" in text


def test_the_readme_has_the_wikisql_table_of_today():
    table = wikisql_table.markdown()
    assert len(table.splitlines()) >= 4 and f"\n\n{table}\n\n" in (ROOT / "README.md").read_text()
