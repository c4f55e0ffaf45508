"""The duel's verdicts: every word by its rule, what is missing in a line, a table of 80 columns, a page that needs nothing else."""

import html.parser
import json
import re

import duel_tools
import pytest

from numpymem import cli
from numpymem.experiments import duel, page, results, rows, verdicts
from numpymem.experiments.claims import FILES, WORDS, Claim, Verdict, all_claims, choose, intervals, measured, section4, section8

ROWS = ("C8", "C9", "C10", "C11")


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Result files made up by `made(right)`, in place of the committed ones -> {id: Verdict}."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)

    def judge(right, names=ROWS, files=tuple(duel_tools.PLACES)):
        duel_tools.write_all(tmp_path, right, files)
        return {claim.id: verdict for claim, verdict in verdicts.judge_all(names)}
    return judge


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


# ---- words ----------------------------------------------------------------------------------------------------------------

def test_claims_are_c1_to_c15_in_order():
    claims = all_claims()
    assert [claim.id for claim in claims] == [f"C{number}" for number in range(1, 16)]
    assert list(dict.fromkeys(claim.section for claim in claims)) == list(FILES)
    assert [claim.id for claim in choose(["c9", "C1"])] == ["C9", "C1"]


def test_rows_agree_where_the_figures_are_the_articles(made):
    found = made(duel_tools.as_the_article)
    assert {verdict.word for verdict in found.values()} == {"agrees"}
    for verdict in found.values():
        assert verdict.because.count("is met") == 2 and "not met" not in verdict.because
    assert "from 1 to 3 steps MemN2N's lead over the NTM changes by +6.0" in found["C8"].because
    assert "NTM no shift loses +25.0" in found["C9"].because and "location addressing: holds" in found["C9"].because
    assert "NTM no erase loses +25.0" in found["C10"].because
    assert "from 16 to 64 facts" in found["C11"].because
    assert "length 120" in found["C9"].ours and "length 10 " not in found["C9"].ours
    assert "64 facts" in found["C11"].ours and "256 facts" not in found["C11"].ours          # not what it was never trained on
    budgets = r"^n \(seeds\) +5 +5 +5 +5\nparameters +1.0k +1.0k +1.0k +1.0k\nexamples +100 .*\nseconds a run +6 "
    assert re.search(budgets, found["C9"].ours, re.MULTILINE)


def test_rows_differ_where_winner_and_loser_change_places(made):
    found = made(duel_tools.reversed_article)
    assert {verdict.word for verdict in found.values()} == {"differs"}
    assert "not met (nearest: 84.6" in found["C9"].because and "MemN2N ahead at" in found["C9"].because


def test_rows_depend_where_the_order_holds_at_some_places(made):
    def beyond_50_the_ntm_forgets(label, task, number):
        ours = duel_tools.as_the_article(label, task, number)
        return ours - 40 if (label, number) == ("NTM", 120) else ours
    found = made(beyond_50_the_ntm_forgets)["C9"]
    assert found.word == "depends" and "NTM ahead at length 20, length 50" in found.because
    assert "MemN2N ahead at length 120" in found.because


@pytest.mark.parametrize("lead, seeds, ahead", [(1.9, 5, False), (2.1, 5, True), (40, 1, False)])
def test_ahead_is_two_points_and_more_than_chance(lead, seeds, ahead):
    def close(label, task, number):
        return {"NTM": 50.0 + lead, "MemN2N": 50.0}.get(label)
    found = duel_tools.result("duel_copy", close, seeds)
    place = measured.places(found)[0]
    assert section4.is_ahead(intervals.paired(measured.right(found, "NTM", place), measured.right(found, "MemN2N", place))) == ahead


def test_a_reason_that_the_ablation_refutes(made):
    def erases_nothing_anyway(label, task, number):
        ours = duel_tools.as_the_article(label, task, number)
        return None if ours is None else ours + 25 * (label == "NTM no erase")
    assert "modification in place: does not hold" in made(erases_nothing_anyway)["C10"].because
    noisy, below = intervals.Interval(3.0, -30.0, 36.0, 5), intervals.Interval(0.5, -0.5, 1.5, 5)
    sure = intervals.Interval(3.0, 2.5, 3.5, 5)
    assert [section4.holds(found) for found in ([noisy, below], [sure, noisy], [sure], [below])] == [
        "is not shown", "holds in part", "holds", "does not hold"]


def test_symbiosis(made):
    names = ["C13"]
    found = made(duel_tools.as_the_article, names)["C13"]
    assert found.word == "agrees" and "1.0 to 1.0 times the parameters" in found.because

    def worse_at_copy(label, task, number):
        ours = duel_tools.as_the_article(label, task, number)
        return ours - 3 if (label, task) == ("Hybrid", "copy") else ours
    found = made(worse_at_copy, names)["C13"]
    assert found.word == "depends" and "behind the better one: sequence copy (-3.0" in found.because

    def never_better(label, task, number):
        return duel_tools.as_the_article("NTM" if label == "Hybrid" else label, task, number)
    assert made(never_better, names)["C13"].word == "differs"
    assert "no hybrid among the results of duel_paths" in made(duel_tools.reversed_article, names)["C13"]


def test_a_parent_as_large_as_the_hybrid_judges_it(made):
    """Here 10 points better than the smaller one, in copy: there the hybrid is behind, and nowhere else."""
    def larger(label, task, number):
        if label.endswith("as large"):
            return 110.0 if task == "copy" else None
        return duel_tools.as_the_article(label, task, number)
    assert made(larger, ["C13"])["C13"].word == "depends"
    assert "behind the better one: sequence copy (-10" in made(larger, ["C13"])["C13"].because
    found = duel_tools.result("duel_copy", larger)
    for run in found["runs"]:
        run["parameters"] = {"NTM": 500, "NTM as large": 1000}.get(run["group"], 1000)
    against = section8.against_parents(found)
    assert against["parameters"] == 1.0 and against["parents"]["NTM"][2] == pytest.approx(110)
    assert all(place.variant == "" for place in measured.places(found))                   # no place of its own: no such MemN2N


def test_what_only_one_could_do_is_shown_and_does_not_count(made):
    def many(label, task, number):
        if label.endswith(" many"):
            return None if label.startswith("NTM") or task != "made-facts" else 99.0
        return duel_tools.as_the_article(label, task, number)
    found = made(many, ["C13"])["C13"]
    assert found.word == "agrees" and "Not counted" not in found.because
    found = made(lambda *which: 90.0 if which[0] == "Hybrid many" and which[1] == "made-facts" else many(*which), ["C13"])["C13"]
    assert found.word == "agrees" and "64 facts, many (90 against 99 % right)" in found.because
    found = made(many)["C11"]
    assert found.word == "agrees"
    assert re.search(r"^256 facts, many +- +99.0 ± 0\.\d +- +99.0", found.ours, re.MULTILINE)


def test_further_columns_stand_below_and_are_chosen(made, capsys):
    def all_models(label, task, number):
        return 50.0 if label in ("DNC", "DMN+", "Transformer") else duel_tools.as_the_article(label, task, number)
    made(all_models)
    assert run("duel", "C9") == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 79
    assert re.search(r"% right +NTM +MemN2N +LSTM +Hybrid\n", told) and re.search(r"% right +DNC +DMN\+ +Transformer\n", told)
    assert run("duel", "C9", "--models", "dnc", "ntm") == 0
    told = capsys.readouterr().out
    assert re.search(r"% right +NTM +MemN2N +DNC\n", told) and "Hybrid" not in told
    assert len(measured.columns(results.read("duel_copy"))) == 7                          # only while it was asked for


def test_what_each_is_for(made):
    names = ["C14"]
    found = made(duel_tools.as_the_article, names)["C14"]                # bAbI 2 is a question, and C10 gives it to the NTM
    assert found.word == "depends" and "not on babi2 (NTM ahead)" in found.because

    def by_kind(label, task, number):
        better = "NTM" if task in section8.ALGORITHMIC else "MemN2N"
        return 80.0 if label == better else 50.0 if label in measured.PARENTS else None
    assert made(by_kind, names)["C14"].word == "agrees"
    assert made(lambda label, task, number: 50.0 if label in measured.PARENTS else None, names)["C14"].word == "differs"


@pytest.mark.parametrize("how, word", [
    ({}, "agrees"), ({"two": {"NTM": 1.6, "MemN2N": 1.1}}, "depends"),
    ({"times": {"NTM": (1, 2, 4), "MemN2N": (0.5, 3, 4)}}, "depends"),
    ({"times": {"NTM": (1, 2, 3), "MemN2N": (2, 3, 4)}, "two": {"NTM": 2, "MemN2N": 1}, "batch": {"NTM": 8, "MemN2N": 2}},
     "differs")])
def test_what_each_is_quick_at(monkeypatch, how, word):
    monkeypatch.setattr(section8, "parallel", lambda: duel_tools.parallel(**how))
    assert section8.speed().word == word


def wikisql(monkeypatch, gains):
    """C12 with made-up gains of three seeds."""
    from numpymem.experiments.claims import section7
    runs = [{"group": group, "task": task, "seed": seed, "figures": {figure.partition("/")[0]: value}}
            for task, (figure, _) in section7.TASKS.items() for seed in range(3)
            for group, wrong in (("no memory", 50.0), ("full", 50.0 - gains[task] - seed / 10))
            for value in [{"dev": wrong} if "/" in figure else wrong]]
    monkeypatch.setattr(measured, "read", lambda name: {"runs": runs})
    return section7.judge().word


@pytest.mark.parametrize("select, agg, word", [
    (12.6, 12.6, "agrees"), (12.6, -0.1, "depends"), (3, 3, "depends"), (-0.1, -0.1, "differs")])
def test_memory_for_a_transformer(monkeypatch, select, agg, word):
    assert wikisql(monkeypatch, {"wikisql-select": select, "wikisql-agg": agg}) == word


def test_intervals_are_students():
    found = intervals.interval([1.0, 2.0, 3.0, 4.0, 5.0])                                     # sd 1.5811, t of 4 is 2.776
    assert found.mean == 3 and found.low == pytest.approx(3 - 1.9629, abs=1e-3) and found.sign == 1
    assert intervals.interval([2.0]).sign == 0 and str(intervals.interval([2.0])) == "+2.0 (one seed)"
    assert intervals.paired({0: 1.0, 1: 5.0}, {1: 2.0, 7: 1.0}) == intervals.interval([3.0])
    assert str(intervals.interval([-0.01, 0.0])) == "+0.0 [-0.1, +0.1]"


# ---- what is told -----------------------------------------------------------------------------------------------------------

def test_what_is_missing_is_a_line(made):
    found = made(duel_tools.as_the_article, files=("duel_copy",))
    assert found["C9"].word == "agrees"
    assert found["C8"] == "no results yet; python -m numpymem sweep duel_paths --save makes them"
    said = verdicts.text(verdicts.judge_all(ROWS))
    assert "4 claims: agrees 1, not measured 3" in said and said.count("not measured") == 4


def test_the_table_fits_80_columns(made, capsys):
    made(duel_tools.as_the_article)
    assert run("duel") == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 79
    assert all(f"\n{claim.id:<5}{claim.title}" in said for claim in all_claims())
    assert all(option in said for option in ("--quick", "--full", "--html"))
    assert re.search(r"^15 claims: agrees \d", said, re.MULTILINE)


def test_some_claims_and_json(made, capsys):
    made(duel_tools.as_the_article)
    assert run("duel", "C9", "c10", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [claim["id"] for claim in found["claims"]] == ["C9", "C10"] and found["count"] == "2 claims: agrees 2"
    assert set(found["claims"][0]) == {"id", "section", "title", "says", "word", "ours", "because", "commands"}


@pytest.mark.parametrize("arguments, expected", [
    (["C16"], "C15"), (["--models", "gpt"], "memn2n"), (["--seeds", "2"], "--quick"),
    (["--quick", "C9"], "without CLAIM"), (["--rows", "copy"], "--full"),
    (["--quick", "--rows", "copying"], "paths, copy"), (["--quick", "--models", "gpt"], "memn2n"),
    (["C9", "--markdown"], "without CLAIM")])
def test_bad_options_are_one_line(arguments, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("duel", *arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and expected in said.err
    assert list(tmp_path.iterdir()) == []


class Reader(html.parser.HTMLParser):
    """All tags and attributes of a page; tags that do not close are errors."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else(made, tmp_path, monkeypatch):
    made(duel_tools.as_the_article)
    monkeypatch.setattr(section8, "parallel", duel_tools.parallel)
    assert run("duel", "C9", "C13", "C14", "C15", "C1", "--html", tmp_path / "page.html") == 0
    text = (tmp_path / "page.html").read_text()
    read = Reader(text)
    assert read.open == [] and "http" not in text and "url(" not in text and "@import" not in text
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in read.tags}
    images = [attributes for tag, attributes in read.tags if tag == "img"]
    assert len(images) == 4 and all(image["src"].startswith("data:image/svg+xml;base64,") for image in images)
    assert "length 120 99.8 ± 0.1 84.6 ± 0.2" in images[0]["alt"]
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert ids == ["C1", "C9", "C13", "C14", "C15"]
    links = [attributes["href"] for tag, attributes in read.tags if tag == "a"]
    assert {link.removeprefix("#") for link in links} == set(ids)


def test_the_page_escapes_what_it_says():
    claim = Claim("C1", "3", "a < b", "x & y", None)
    found = page.article(claim, Verdict("depends", "<b>", "1 < 2", ("run <FILE>",)))
    assert "<b>" not in found and "a &lt; b" in found and "run &lt;FILE&gt;" in found


def test_markdown_goes_between_the_marks(made, tmp_path, capsys):
    made(duel_tools.as_the_article)
    path = tmp_path / "README.md"
    path.write_text("before\n" + "\nLEFT OVER\n".join(verdicts.MARKS) + "\nafter\n")
    assert run("duel", "--markdown", path) == 0 and capsys.readouterr().out == ""
    text = path.read_text()
    assert text.startswith(f"before\n{verdicts.MARKS[0]}\n| ") and text.endswith(f"\n{verdicts.MARKS[1]}\nafter\n")
    assert "LEFT OVER" not in text
    assert "| C9 sequence copy | NTM 99.8 %, MemN2N 84.6 %; reason: location addressing | NTM / MemN2N, % right: " in text
    path.write_text("no marks")
    assert run("duel", "--markdown", path) == 2 and path.read_text() == "no marks"


def test_how_long_the_full_run_takes(made, monkeypatch):
    made(duel_tools.as_the_article)
    content = duel_tools.result("duel_copy", duel_tools.as_the_article)["spec"]
    monkeypatch.setattr(duel.spec, "read", lambda name: duel.spec.Spec(name, True, content))
    assert duel.how_long("duel_copy").endswith("2 core-minutes when they were committed")     # 25 runs of 6 s
    assert set(WORDS) | {verdicts.MISSING} == set(page.SIGNS) and set(rows.QUICK) == set(rows.ROWS)


def test_full_goes_on_with_the_sweeps_of_the_rows(made, monkeypatch, capsys):
    from numpymem.experiments import sweep
    made(duel_tools.as_the_article)
    asked = []
    content = duel_tools.result("duel_copy", duel_tools.as_the_article)["spec"]
    monkeypatch.setattr(duel.spec, "read", lambda name: duel.spec.Spec(name, True, content))
    monkeypatch.setattr(sweep, "run_sweep", lambda name, **how: asked.append((name, how["resume"])) or len(asked) - 1)
    assert run("duel", "--full", "--rows", "copy", "update") == 1                       # the second sweep had a run that failed
    assert asked == [("duel_copy", True), ("duel_update", True)]
    assert "15 claims" in capsys.readouterr().out


def test_the_benchmark_is_what_c15_is_judged_by(monkeypatch):
    from benchmarks import machine, parallel
    monkeypatch.setenv("NUMPYMEM_JIT", "0")
    sizes = (4, 5, 6, 7, 8)                                               # a quick look takes every other one
    monkeypatch.setattr(parallel, "AXES", {"sentences": (sizes, measured.PARENTS), "slots": (sizes, ("NTM",)),
                                           "batch": (sizes, measured.PARENTS)})
    found = parallel.run(quick=True)
    monkeypatch.setattr(section8, "parallel", lambda: found)
    verdict = section8.speed()
    assert verdict.word in WORDS and verdict.ours.count("sentences^") == 2 and verdict.figures[0][1]().axes
    said = parallel.text(found | {"machine": machine.facts()})
    assert max(map(len, said.splitlines())) <= 80 and "MemN2N, 2 threads" in said
    ntm, memn2n = (parallel.case(model, sentences=5, batch=3) for model in measured.PARENTS)
    assert ntm.batch.inputs.shape[:2] == (9, 3) and memn2n.batch.inputs.sentences.shape[:2] == (3, 5)
