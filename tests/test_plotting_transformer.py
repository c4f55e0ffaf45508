"""Figures of a memory Transformer: what is drawn is what the trace says, in words."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import numpymem
from numpymem import catalog, plotting
from numpymem.plotting.memory_transformer import told

VARIANTS = [("rewritten-keys", {}, {}),
            ("segmented-copy", {}, {"write_heads": 2, "encoder_layers": 0, "decoder_layers": 2, "N": 50}),
            ("wikisql-query", {"source": "generated"}, {}), ("wikisql-select", {"source": "generated"}, {"strict": True}),
            ("made-facts", {}, {"memory": "append"}), ("segment-traversal", {}, {"memory": "attention"}),
            ("segment-recall", {}, {"memory": "none"})]


@pytest.fixture(autouse=True)
def as_numpy():
    """Nothing needs compiling, and no figure may warn (a missing font, a bad scale)."""
    with numpymem.numpy_only(), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)              # an old matplotlib's, of a new pyparsing
        yield


def a_run(name, settings, config):
    task = catalog.make_task(name, "segments", **settings)
    model = catalog.make_model("memory-transformer", task, **({"d": 8, "ff": 8, "W": 4} | config))
    return SimpleNamespace(task=task, model=model, params=model.init(np.random.default_rng(1)))


def drawn(axes):
    """The values of a picture's cells, a row from left to right."""
    mesh = axes.collections[0].get_array()
    return np.ma.filled(np.ma.asarray(mesh), np.nan)


def labels(ticks):
    return [tick.get_text() for tick in ticks]


def named(figure):
    return {axes.get_label(): axes for axes in figure.axes}


def texts(figure):
    return " ".join(text.get_text() for text in figure.texts)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant[0]}, {variant[2]}")
def test_every_kind_of_model_can_be_drawn(variant, tmp_path):
    figures = plotting.transformer_figures(a_run(*variant))
    assert set(figures) == {"attention"} | ({"memory"} if variant[2].get("memory", "ntm") == "ntm" else set())
    for what, figure in figures.items():
        figure.draw_without_rendering()
        assert max(figure.get_size_inches()) < 20, what
        for axes in figure.axes:
            inside = axes.get_position()
            assert 0 <= inside.x0 < inside.x1 <= 1 and 0 <= inside.y0 < inside.y1 <= 1, axes.get_label()


def test_the_memory_shows_the_weights_of_the_trace_and_marks_the_writes_of_the_key():
    run = a_run("rewritten-keys", {}, {"read_heads": 3})
    batch = run.task.sample(np.random.default_rng(0), 2, writes=8, rewrites=2)
    trace = run.model.forward(run.params, batch.inputs)[1]
    figure = plotting.transformer_memory(trace, batch, run.task.vocabulary, run.task.answers, b=1, join=" := ")
    axes = named(figure)
    assert list(axes) == ["where it writes", "what is in a slot", "where it reads", "scale"]
    assert np.allclose(drawn(axes["where it writes"]), trace["write"]["w"][:, 1, 0].T)
    assert np.allclose(drawn(axes["where it reads"]), trace["decoder"][0]["read"]["w"][0, 1].T)
    filled = np.linalg.norm(trace["write"]["M"][:, 1] - trace["write"]["M0"][1], axis=-1).T
    assert np.allclose(drawn(axes["what is in a slot"]), filled / filled.max())
    words = run.task.vocabulary
    writes = [f"{words[key]} := {words[value]}" for key, value in batch.inputs.segments[1, :, 0]]
    ticks = axes["where it writes"].get_xticklabels()
    assert labels(ticks) == writes
    key = words[batch.inputs.question[1, 0]]
    bold = [text for text, tick in zip(writes, ticks) if tick.get_weight() == "bold"]
    assert len(bold) == 3 and all(text.startswith(f"{key} :=") for text in bold)
    assert labels(axes["where it reads"].get_xticklabels()) == ["head 0", "head 1", "head 2"]
    assert axes["where it writes"].get_ylabel() == "slot" and axes["where it writes"].get_xlabel() == "item, in order"


def test_attention_shows_each_segment_by_itself_and_nothing_ahead():
    run = a_run("segmented-copy", {}, {})
    batch = run.task.sample(np.random.default_rng(0), 1)
    logits, trace = run.model.forward(run.params, batch.inputs)
    trace["logits"] = 9 * np.eye(8)[batch.targets]                       # right, but for the first
    trace["logits"][0, 0] = np.roll(trace["logits"][0, 0], 1)
    figure = plotting.transformer_attention(trace, batch, run.task.vocabulary, run.task.answers)
    axes = named(figure)
    encoder = drawn(axes["encoder: each segment by itself"])
    beside = np.kron(np.eye(3), np.ones((6, 6))) == 0
    assert np.isnan(encoder[beside]).all() and np.allclose(np.nansum(encoder, axis=1), 1, atol=1e-5)
    said = drawn(axes["decoder: to what was said before"])
    assert np.allclose(said, np.tril(said)) and np.allclose(said.sum(1), 1, atol=1e-5)
    names = labels(axes["decoder: to what was said before"].get_yticklabels())
    right = [run.task.answers[number] for number in batch.targets[:, 0]]
    assert names[1:] == right[1:] and names[0].startswith("\u00d7 ") and "1 of 18 answers wrong" in texts(figure)
    assert labels(axes["decoder: to the question"].get_xticklabels()) == ["recall"]


def test_pointers_are_told_as_the_words_they_point_at():
    run = a_run("wikisql-query", {"source": "generated"}, {})
    batch = run.task.batch(run.task.rows("test", 3))
    width = run.task.n_outputs + batch.inputs.question.shape[1]
    story = told(batch, np.eye(width)[batch.targets], run.task.vocabulary, run.task.n_outputs, 0)
    assert story.said == story.wanted and story.verdict == "all answers right"
    words = [run.task.vocabulary.words[word] for word in batch.inputs.question[0] if word]
    streamed = a_run("wikisql-select", {"source": "generated"}, {}).task
    one = streamed.batch(streamed.rows("test", 1))
    said = told(one, np.eye(20)[one.targets], streamed.vocabulary, 20, 0).said
    assert said == [f"class {one.targets[0, 0]}"]
    assert story.question == words and story.said[1] == "[col]" and story.said[0].startswith("class ")
    assert len(story.said) == batch.mask[:, 0].sum() and all(one.startswith("class ") or one in words for one in story.said)
