"""Figures: drawn from tiny untrained models, with the panels and words they should have, saved whole or not at all."""

import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import numpymem
from numpymem import plotting, runs
from numpymem.dnc import DNC, DNCConfig
from numpymem.dmn import DMN, DMNConfig
from numpymem.memn2n import MemN2N, MemN2NConfig
from numpymem.ntm import NTM, NTMConfig
from numpymem.tasks.batches import Batch, Stories
from numpymem.tasks.copy import Copy
from numpymem.tasks.ngrams import NGrams, optimal

WORDS = ["", "daniel", "garden", "is", "kitchen", "mary", "the", "to", "went", "where"]


@pytest.fixture(autouse=True)
def as_numpy():
    """Nothing needs compiling, and no figure may warn (a missing font, a bad scale)."""
    with numpymem.numpy_only(), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)              # an old matplotlib's, of a new pyparsing
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def copied(rng, length=3, **settings):
    """A tiny NTM on two copy sequences -> (model, params, batch, logits, trace)."""
    model = NTM(NTMConfig(9, 8, **{"controller_size": 5, "N": 20, "W": 4, "initial_weights": "one-hot"} | settings))
    params, batch = model.init(rng), Copy().sample(rng, 2, length)
    logits, trace = model.forward(params, batch.inputs)
    return model, params, batch, logits, trace


def labels(figure):
    return [axes.get_label() for axes in figure.axes]


def texts(figure, drawn=False):
    """Every word in a figure; drawing it takes time, and finds what would warn."""
    if drawn:
        figure.canvas.draw()
    return "\n".join(found.get_text() for found in figure.findobj(matplotlib.text.Text))


def test_ntm_memory_has_a_panel_for_everything_a_head_does(rng):
    _, _, batch, logits, trace = copied(rng)
    figure = plotting.ntm_memory(trace, batch, logits, b=1)
    assert labels(figure) == ["input", "target", "output", "what it writes", "where it writes", "where it reads",
                              "what it reads", "content or place?", "moves by", "key strength", "sharpening"]
    words = texts(figure, drawn=True)
    assert "delimiter" in words and "of 24 bits wrong" in words and "time step" in words
    assert all(axes.get_xlim() == (-0.5, 6.5) for axes in figure.axes)


def test_ntm_memory_shows_every_head(rng):
    _, _, batch, logits, trace = copied(rng, read_heads=2, write_heads=3, controller="feedforward", shifts=5)
    found = labels(plotting.ntm_memory(trace, batch, logits))
    assert sum(name.startswith("where it reads") for name in found) == 2
    assert sum(name.startswith("where it writes") for name in found) == 3


def test_ntm_memory_marks_the_wrong_bits(rng):
    _, _, batch, _, trace = copied(rng)
    right = np.where(batch.targets > 0.5, 9.0, -9.0)
    right[4, 0, :2] *= -1
    figure = plotting.ntm_memory(trace, batch, right)
    assert "2 of 24 bits wrong" in texts(figure)
    crosses = figure.axes[2].collections[-1].get_offsets()
    assert crosses.tolist() == [[4, 0], [4, 1]]


def test_ntm_memory_takes_answers_that_are_classes(rng):
    model, params, batch, _, _ = copied(rng)
    logits, trace = model.forward(params, batch.inputs)
    mask = np.zeros(logits.shape[:2])
    mask[-1] = 1
    targets = logits.argmax(2).astype(np.int32)
    assert "0 of 1 answers wrong" in texts(plotting.ntm_memory(trace, Batch(batch.inputs, targets, mask), logits))


def test_the_used_band_stays_in_one_piece():
    w = np.zeros((4, 1, 30))
    w[range(4), 0, [28, 29, 0, 1]] = 1                                    # over the end of the memory
    slots = plotting.used_slots(w)
    assert len(slots) == 12 and (np.diff(slots) % 30 == 1).all()
    assert {28, 29, 0, 1} <= set(slots.tolist())
    assert plotting.used_slots(np.full((4, 1, 30), 1 / 30)).tolist() == list(range(30))       # nothing stands out
    w[0, 0, 14] = 1                                                       # two places far apart
    assert len(plotting.used_slots(w)) >= 17
    one = np.zeros((1, 1, 30))
    one[..., 7] = 1
    assert 7 in plotting.used_slots(one) and len(plotting.used_slots(one)) == 12


def test_dnc_memory_has_a_panel_for_everything(rng):
    model = DNC(DNCConfig(9, 8, controller_size=5, N=20, W=4, read_heads=2))
    params, batch = model.init(rng), Copy().sample(rng, 2, 3)
    logits, trace = model.forward(params, batch.inputs)
    figure = plotting.dnc_memory(trace, batch, logits, b=1)
    assert labels(figure) == ["input", "target", "output", "in use", "free", "where it writes", "what it writes",
                              "where it reads, head 0", "where it reads, head 1", "what it reads, head 0", "what it reads, head 1",
                              "gates", "how it reads, head 0", "how it reads, head 1"]
    words = texts(figure, drawn=True)
    assert "of 24 bits wrong" in words and "forward" in words and "of the 20 memory slots" in words
    bars = np.array([bar.get_height() for bar in figure.axes[-1].patches]).reshape(3, 7)      # back, content, forward
    np.testing.assert_allclose(bars, trace["pi"][:, 1, 1].T, rtol=1e-6)
    gates = [line.get_ydata()[3] for line in figure.axes[-3].lines[:4]]                      # the others mark the delimiter
    assert gates == [trace["g_w"][3, 1, 0], trace["g_a"][3, 1, 0], *trace["f"][3, 1, :, 0]]


def test_link_matrix_shows_who_was_written_after_whom():
    L, w_w = np.zeros((4, 1, 30, 30)), np.zeros((4, 1, 30))
    L[2:, 0, 3, 1], w_w[2, 0, 13] = 1, 1
    figure = plotting.link_matrix({"L": L, "w_w": w_w}, [0, 2, -1])
    assert labels(figure) == ["step 0", "step 2", "step 3", "scale"] and "after step 2" in texts(figure, drawn=True)
    shown = [axes.collections[0].get_array().reshape(15, 15) for axes in figure.axes[:3]]       # slots to 13, and one more
    assert not shown[0].any() and all(np.argwhere(cells).tolist() == [[3, 1]] for cells in shown[1:])


def test_a_dnc_has_its_memory_and_its_gradient_drawn_too(rng):
    model = DNC(DNCConfig(9, 8, controller_size=5, N=14, W=4))
    params, batch, dtrace = model.init(rng), Copy().sample(rng, 2, 3), {}
    logits, trace = model.forward(params, batch.inputs)
    assert labels(plotting.memory_matrix(trace, [0, -1])) == ["step 0", "step 6", "scale"]
    model.backward(params, trace, np.ones_like(logits), dtrace)
    for given in (None, trace):
        assert labels(plotting.gradient_through_memory(dtrace, b=1, trace=given)) == ["gradient by slot", "gradient in all"]


def test_memory_matrix_shows_each_step(rng):
    *_, trace = copied(rng)
    figure = plotting.memory_matrix(trace, [0, 3, -1])
    assert labels(figure) == ["step 0", "step 3", "step 6", "scale"]
    assert "after step 6" in texts(figure, drawn=True)
    assert labels(plotting.memory_matrix(trace, [2])) == ["step 2", "scale"]


def test_gradient_through_memory(rng):
    model, params, _, logits, trace = copied(rng)
    dtrace = {}
    model.backward(params, trace, np.ones_like(logits), dtrace)
    for given in (None, trace):
        figure = plotting.gradient_through_memory(dtrace, b=1, trace=given)
        assert labels(figure) == ["gradient by slot", "gradient in all"]
        assert ("written\nhere" in texts(figure)) == (given is not None)
    total = figure.axes[1].lines[0].get_ydata()
    expected = [np.linalg.norm(dM[1]) for dM in dtrace["M"]]
    np.testing.assert_allclose(np.nan_to_num(total), expected, rtol=1e-5)
    texts(plotting.gradient_through_memory({"M": [np.zeros((1, 20, 4))] * 3}), drawn=True)      # no gradient at all


def story():
    sentences = [[5, 8, 7, 6, 4], [1, 8, 7, 6, 2]], [[1, 8, 7, 6, 4], [0] * 5]
    return Stories(np.array(sentences), np.array([[9, 3, 5], [9, 3, 1]]))


def test_memn2n_attention_reads_as_a_story(rng):
    model = MemN2N(MemN2NConfig(n_words=10, n_outputs=2, d=4, hops=2, memory_size=5))
    logits, trace = model.forward(model.init(rng), story())
    answers = ["garden", "kitchen"]
    right = int(logits[0].argmax())
    figure = plotting.memn2n_attention(trace, WORDS, answers=answers, target=right, supports=(0,))
    rows = figure.axes[0].get_yticklabels()
    assert [row.get_text() for row in rows] == ["mary went to the kitchen", "daniel went to the garden"]
    assert [row.get_weight() for row in rows] == ["bold", "normal"]
    words = texts(figure, drawn=True)
    assert labels(figure) == ["attention"] and "hop 2" in words and "hop 3" not in words
    assert "where is mary?" in words and f"{answers[right]}  (right)" in words
    wrong = texts(plotting.memn2n_attention(trace, WORDS, answers=answers, target=1 - right))
    assert f"(wrong: it is {answers[1 - right]})" in wrong
    assert len(plotting.memn2n_attention(trace, WORDS, b=1).axes[0].get_yticklabels()) == 1     # no row for nil


def test_dmn_attention_reads_as_a_story_and_leaves_out_what_nobody_looks_at(rng):
    model = DMN(DMNConfig(n_words=10, n_outputs=2, d=4, passes=3))
    logits, trace = model.forward(model.init(rng), story())
    figure = plotting.dmn_attention(trace, WORDS, supports=(1,), target=0)
    rows = figure.axes[0].get_yticklabels()
    assert [row.get_text() for row in rows] == ["mary went to the kitchen", "daniel went to the garden"]
    assert [row.get_weight() for row in rows] == ["normal", "bold"]
    words = texts(figure, drawn=True)
    assert "pass 3" in words and "where is mary?" in words and "left out" not in words and "class 0" in words
    assert len(plotting.dmn_attention(trace, WORDS, b=1).axes[0].get_yticklabels()) == 1        # no row for nil
    few = texts(plotting.dmn_attention(trace | {"g": [np.array([[0.9, 0.1], [1, 0]])] * 3}, WORDS, most=1, supports=(1,)))
    assert "2  daniel went to the garden" in few and "mary went" not in few and "1 sentences left out" in few


def history(n, zero=False):
    return [{"sequences": 100 * (i + 1), "seconds": i + 0.5, "bits_per_sequence": 0.0 if zero else 80 / (i + 1),
             "wrong_percent": 50 / (i + 1), "train_loss": 60 / (i + 1), "gradient_norm": 1.0, "gradient_norm_max": 2.0}
            for i in range(n)]


@pytest.mark.parametrize("unit, panels", [("bits per sequence", 2), ("error %", 3)])
def test_curves(unit, panels):
    for lines in (history(1), history(3, zero=True), [{"sequences": 5, "seconds": 1.0, "bits_per_sequence": 2.0,
                                                                    "wrong_percent": 0.0}], []):
        figure = plotting.curves(lines, "a title", unit)
        words = texts(figure, drawn=len(lines) == 3)
        assert len(figure.axes) == panels and "a title" in words and "gradient norm" in words
    assert figure.axes[0].get_ylabel().startswith("bits per sequence" if panels == 2 else "wrong answers")


def duel_rows():
    def found(mean, sd=None, n=3):
        return {"mean": mean, "sd": sd, "n": n}
    return [{"row": "copy", "columns": [
                {"label": "length 20", "models": {"NTM": found(99.5, 0.3), "MemN2N": found(80.0, 2.0)},
                 "article": {"NTM": 99.8, "MemN2N": 84.6}},
                {"label": "length 50", "models": {"NTM": found(None, n=0), "MemN2N": found(51.0)}, "article": None}]},
            {"row": "path finding", "columns": [{"label": "19", "models": {"NTM": found(9.0, 0, 1)}, "article": None}]}]


def test_duel_shows_bars_errors_and_the_article():
    figure = plotting.duel(duel_rows())
    assert labels(figure) == ["copy", "path finding"]
    copy = figure.axes[0]
    assert [bar.get_height() for bar in copy.patches] == [99.5, 80.0, 51.0]
    diamonds = [line for line in copy.lines if line.get_marker() == "D"]
    assert [line.get_ydata()[0] for line in diamonds] == [99.8, 84.6]
    words = texts(figure)
    assert "NTM against MemN2N" in words and "99.5" in words and "none" in words and "the article says" in words
    assert "mean and standard deviation of 1 to 3 seeds" in words
    alone = texts(plotting.duel(duel_rows()[1:]))
    assert "the article says" not in alone and "percent right; one seed" in alone


def test_save_writes_whole_files_or_none(tmp_path):
    figure = plotting.duel(duel_rows())
    for name in ("duel.png", "duel.svg"):
        assert plotting.save(figure, tmp_path / name) == tmp_path / name
    assert (tmp_path / "duel.png").read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "duel.png").read_bytes()

    class Broken(Figure):
        def savefig(self, path, **kwargs):
            path.write_bytes(b"half a pic")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        plotting.save(Broken(), tmp_path / "duel.png")
    assert (tmp_path / "duel.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["duel.png", "duel.svg"]


def test_nothing_global_changes(rng):
    before = dict(matplotlib.rcParams)
    *_, trace = copied(rng)
    assert isinstance(plotting.memory_matrix(trace, [0]), Figure)
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_needed_and_notebooks_show_the_figure():
    assert plotting.curves(history(2), "", "error %")._repr_png_().startswith(b"\x89PNG")
    code = ("import sys; from numpymem import plotting; plotting.curves([], '', '');"
            "print('matplotlib.pyplot' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---- the figures of the NTM paper -------------------------------------------------------------------------------------------

SMALL = {"dnc": ["N=12", "W=4", "controller_size=5", "read_heads=2"], "lstm": ["size=4", "layers=1"],
         "ntm": ["N=12", "W=4", "controller_size=5", "read_heads=2", "initial_weights=one-hot"]}


@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize("task, size, panels, said", [
    ("copy", {"length": 4}, ["target", "output", "error"], "of 32 bits wrong"),
    ("repeat-copy", {"length": 2, "repeats": 3}, ["target", "output", "error"], "of 63 bits wrong"),
    ("recall", {"items": 3}, ["input", "target", "output"], "of 18 bits wrong"),
    ("sort", {}, ["input", "priority", "target", "output"], "of 128 bits wrong"),
    ("ngrams", {}, ["predictions"], "optimal estimator: ")])
def test_a_run_draws_the_papers_figure_of_its_task(model, task, size, panels, said):
    figure = plotting.task_figure(runs.new_run(model, task, settings=SMALL[model]), **size)
    if model != "lstm" and task in ("recall", "sort"):
        panels = [*panels, "where it writes", "where it reads, head 0", "where it reads, head 1"]
    assert labels(figure) == panels and said in texts(figure, drawn=True)


def test_copies_show_the_answer_alone_and_mark_what_is_wrong(rng):
    batch = Copy().sample(rng, 2, 3)
    logits = np.where(batch.targets > 0.5, 9.0, -9.0)
    logits[5, 1, 7] *= -1
    figure = plotting.copies(batch, logits, b=1)
    assert "1 of 24 bits wrong" in texts(figure)
    assert all(axes.get_xlim() == (-0.5, 2.5) for axes in figure.axes)                       # three steps of answer
    assert figure.axes[1].collections[-1].get_offsets().tolist() == [[1, 7]]
    error = figure.axes[2].collections[0].get_array().reshape(8, 3)
    assert error[7, 1] > 0.99 and np.delete(error.ravel(), 7 * 3 + 1).max() < 0.01
    assert "0 of 24 bits wrong" in texts(plotting.copies(batch, logits, b=0))


def test_predictions_stand_beside_the_optimum(rng):
    batch = NGrams().sample(rng, 2)
    axes = plotting.predictions(batch, np.zeros((200, 2, 1)), b=1, name="coin", steps=slice(50, 100)).axes[0]
    best, ours = (line.get_ydata() for line in axes.lines)
    assert (ours == 0.5).all() and np.array_equal(best, optimal(batch.targets[..., 0])[50:100, 1])
    assert axes.get_legend_handles_labels()[1][1] == "coin: 200.0 bits"
    assert axes.get_xlim() == (49.5, 99.5)


def test_only_tasks_of_the_paper_have_its_figures():
    story = runs.new_run("memn2n", "copy")
    with pytest.raises(ValueError, match="expected a run of copy, repeat-copy, .* received one of copy in story form"):
        plotting.task_figure(story)
