"""What chapters 03 and 04 are made of: claims and verdicts as `duel` tells them, and helpers that say what is so."""

import pathlib

import nbformat
import numpy as np
import pytest

import numpymem
from numpymem import catalog
from numpymem.experiments import verdicts
from numpymem.experiments.claims import choose, section3_models
from numpymem.ntm import NTM, NTMConfig
from numpymem.memn2n import MemN2N, MemN2NConfig
from numpymem.teaching import claims, comparison, differences

NOTEBOOKS = pathlib.Path(__file__).parent.parent / "notebooks"
CHAPTERS = {"03_key_differences": [f"C{n}" for n in range(1, 8)], "04_task_performance": [f"C{n}" for n in range(8, 12)]}


@pytest.fixture(autouse=True)
def as_numpy():
    """Nothing needs compiling."""
    with numpymem.numpy_only():
        yield


# ---- claims --------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", CHAPTERS)
def test_the_chapters_tell_todays_verdicts(name):
    """Claims, verdicts and the table stand in the committed notebooks as `duel` tells them now; else run build.py once more."""
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
    told = [output.data.get("text/markdown") for cell in book.cells if cell.cell_type == "code" for output in cell.outputs
            if output.output_type == "execute_result"]
    expected = [each(id).data for id in CHAPTERS[name] for each in (claims.claim, claims.verdict)]
    missing = [text.splitlines()[0] for text in (*expected, claims.verdict_table(*CHAPTERS[name]).data) if text not in told]
    assert not missing, f"run python notebooks/build.py {name[:2]}"
    assert [told.index(claims.claim(id).data) for id in CHAPTERS[name]] == sorted(told.index(text) for text in expected[::2])


def test_a_claim_comes_with_its_word_figures_and_commands():
    (found,), said = choose(["C9"]), claims.verdict("C9").data
    judged = found.judge()
    assert found.says in claims.claim("C9").data and f"{found.title}: {judged.word}." in said
    assert all(command in said for command in judged.commands) and judged.ours.splitlines()[1] in said
    assert all(line.startswith(">") for line in said.splitlines())
    assert max(map(len, claims.verdict("C5").data.split("```")[1].splitlines())) <= claims.WIDE + 2
    with pytest.raises(ValueError, match="CLAIM: expected some of C1"):
        claims.claim("C99")


def test_a_claim_without_results_says_how_to_make_them(monkeypatch):
    (found,) = choose(["C1"])
    monkeypatch.setattr(claims.verdicts, "judge_all", lambda ids: [(found, "no results yet; make them")])
    assert verdicts.MISSING in claims.verdict("C1").data and "make them" in claims.verdict("C1").data


# ---- differences -----------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pair():
    """(NTM, MemN2N, stories): untrained models of the chapter's sizes, as Trained."""
    rng, made = np.random.default_rng(0), []
    for name, cls, config in (("sequence", NTM, {"controller": "feedforward", "controller_size": 6, "N": 5, "W": 4}),
                              ("story", MemN2N, {"d": 4})):
        settings = {key: catalog.read_value(value) for key, value in
                    (each.split("=") for each in section3_models.TASKS[differences.TASK][0])}
        task = catalog.make_task(differences.TASK, name, **settings)
        sizes = {"n_inputs": task.n_channels} if cls is NTM else {"n_words": len(task.vocabulary)}
        model = cls({NTM: NTMConfig, MemN2N: MemN2NConfig}[cls](n_outputs=task.n_outputs, **sizes, **config))
        made.append(section3_models.Trained(model, model.init(rng), task))
    return *made, section3_models.stories(differences.TASK, 40)


def test_settings_are_those_of_section_3():
    assert "N=4" in differences.settings("ntm", 4) and set(section3_models.BUDGET) <= set(differences.settings("memn2n"))


def test_writes_in_place_are_counted(pair, monkeypatch):
    ntm, _, batch = pair
    keys = [batch.inputs.sentences[b, :n, 0] for b, n in enumerate(section3_models.sentences_of(batch))]
    monkeypatch.setattr(differences, "slots_of_writes", lambda found, batch: keys)                # a slot for each key
    assert differences.rewritten_in_place(ntm, batch) == 100
    monkeypatch.setattr(differences, "slots_of_writes", lambda found, batch: [np.arange(len(each)) for each in keys])
    assert differences.rewritten_in_place(ntm, batch) == 0


def test_slots_reads_and_errors_are_of_the_stories(pair):
    ntm, memn2n, batch = pair
    slots = differences.slots_of_writes(ntm, batch)
    assert [len(each) for each in slots] == section3_models.sentences_of(batch).tolist() and max(map(max, slots)) < 5
    reads = differences.what_reads_consist_of(ntm, batch, 3)
    assert reads.shape == (4, 6) and np.allclose(reads.sum(1), 1)
    by_age = differences.wrong_by_age({"MemN2N": memn2n}, batch)["MemN2N"]
    ages = section3_models.sentences_of(batch) - section3_models.latest_with_key(batch)
    counts = {n: int((ages == n).sum()) for n in by_age}
    assert sum(by_age[n] * counts[n] for n in by_age) == pytest.approx(100 * differences.wrong_answers(memn2n, batch).sum())
    shown = differences.rewritten_story(batch)
    told, key = differences.words_of(batch, shown)
    assert sum(write.startswith(f"{key} ") for write in told) > 2 and not told[-1].startswith(f"{key} ")


def test_the_figures_of_chapter_03_draw(pair):
    ntm, memn2n, batch = pair
    for figure in (differences.side_by_side(ntm, memn2n, batch, 0), differences.where_writes_go({"a": ntm, "b": ntm}, batch, 0),
                   differences.what_it_rests_on(ntm, memn2n, batch, 0), differences.errors_by_age({"MemN2N": {1: 0.0, 2: 50.0}}),
                   differences.taken_away({"copy": {"as trained": 0.0, "less": 9.0}}, {"bAbI 1": {"with ages": 0.0}})):
        figure.canvas.draw()
        assert figure.axes


# ---- comparison ------------------------------------------------------------------------------------------------------------------

def test_a_way_is_followed_to_its_answer():
    facts = [["n1", "a", "n2"], ["n2", "a", "n3"], ["n2", "b", "n1"]]
    assert comparison.way_through(facts, ["n1", "a", "a"]) == ([0, 1], ["n1", "n2", "n3"])
    for name, size in (("segment-traversal", {"steps": 3}), ("made-facts", {})):
        task = catalog.make_task(name, "story")
        batch = task.sample(np.random.default_rng(0), 30, **size)
        for b in range(30):
            facts, question, answer = comparison.in_words(task, batch, b)
            assert comparison.way_through(facts, question)[1][-1] == answer
        _, places = comparison.way_through(*comparison.straight_example(task, batch)[:2])
        assert len(set(places)) == len(places)


def test_learned_counts_seeds(monkeypatch):
    runs = [{"group": group, "task": "t", "figures": {"wrong_percent": {"0": 0.0, "3": wrong}}}
            for group, wrong in (("NTM", 4.0), ("NTM", 60.0), ("MemN2N", 1.0))]
    monkeypatch.setattr(comparison.measured, "read", lambda name: {"runs": runs})
    assert comparison.learned("update", "t", ["NTM", "MemN2N"]) == {"NTM": "1 of 2", "MemN2N": "1 of 1"}


def test_the_figures_of_chapter_04_draw():
    copy = catalog.make_task("copy", "sequence")
    figures = (comparison.overview(), comparison.writes_drawn(["k1 v1", "k2 v1", "k1 v2"], "k1", "v2"),
               comparison.facts_drawn([["a", "r", "b"], ["a", "s", "b"]], ["a", "r"], "b", "title"),
               comparison.copy_drawn(copy.sample(np.random.default_rng(0), 1, 3), ["0=1"] * 3, 1),
               comparison.over_sizes("facts", ["NTM from 16", "MemN2N from 16"], "made-facts", [16, 64, 256], "facts", log=True),
               comparison.seed_by_seed("update", ["NTM", "MemN2N"], "rewritten-keys", 0))
    for figure in figures:
        figure.canvas.draw()
    assert [len(axes.patches) > 0 for axes in figures[0].axes] == [True] * 4 and "3 rewrites" in "".join(
        label.get_text() for axes in figures[0].axes for label in axes.get_xticklabels())
    assert len(figures[-1].axes[0].lines) == 2
