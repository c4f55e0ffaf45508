"""How memory Transformers are measured, with models made by hand whose results are known."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from numpymem import catalog, cli
from numpymem.experiments import measure, measure_segments
from numpymem.memory_transformer import MemoryTransformer, MemoryTransformerConfig
from numpymem.tasks.segments.copy import SegmentedCopy
from numpymem.tasks.segments.rewritten import RewrittenKeys
from numpymem.tasks.wikisql.aggregate import WikiSQLAgg
from numpymem.tasks.wikisql.query import WikiSQLQuery


class ByHand:
    """A model without parameters: classes (T, B) = answer(inputs). Once its memory is wiped it says class 0."""

    form = "segments"

    def __init__(self, answer, memory="ntm"):
        self.answer, self.config = answer, SimpleNamespace(memory=memory, N=99, strict=False)

    def forward(self, params, inputs, forget=False):
        said = self.answer(inputs)
        return np.eye(30, dtype=np.float32)[np.zeros_like(said) if forget else said], {}


def first_value(inputs):
    """Of the key asked for the value that was written first."""
    told = inputs.segments[:, :, 0]
    first = (told[..., 0] == inputs.question).argmax(1)
    return (told[np.arange(len(told)), first, 1] - 17)[None]


def test_rewritten_keys_tell_stale_answers_from_others():
    lines = measure_segments.by_rewrites(ByHand(first_value), {}, RewrittenKeys(), 200)
    assert [line["rewrites"] for line in lines] == [0, 1, 2, 3] and {line["sequences"] for line in lines} == {200}
    assert lines[0]["wrong_percent"] == lines[0]["stale_percent"] == 0
    assert lines[1]["wrong_percent"] == lines[1]["stale_percent"] == 100                  # no write repeats the value before
    assert all(85 < line["stale_percent"] == line["wrong_percent"] < 100 for line in lines[2:])
    assert all(85 < line["forgotten_wrong_percent"] < 100 for line in lines)              # class 0 is right once in 16 times
    few = measure_segments.by_rewrites(ByHand(first_value, "none"), {}, RewrittenKeys(min_writes=6, max_writes=7), 50)
    assert [line["rewrites"] for line in few] == [0, 1, 2] and not any("forgotten_wrong_percent" in line for line in few)


def test_copies_are_as_long_as_the_memory_permits():
    task = SegmentedCopy()
    right = ByHand(lambda inputs: inputs.segments.reshape(len(inputs.segments), -1).T - 1)
    lines = measure_segments.copy_segments(right, {}, task, 50)
    assert [(line["segments"], line["wrong_percent"]) for line in lines] == [(3, 0), (4, 0), (6, 0)]
    sizes = {"n_words": task.n_inputs, "n_outputs": task.n_outputs, "N": 24, "d": 4}
    for settings, slots in (({}, [24, 24, None]), ({"strict": True}, [24, None, None]), ({"memory": "append"}, [24, 24, 36]),
                            ({"initial_memory": "constant"}, [24, 24, 36]), ({"memory": "append", "matched": True}, [24, 24, 36]),
                            ({"memory": "attention"}, [24, 24, 24])):
        model = MemoryTransformer(MemoryTransformerConfig(**sizes, **settings))
        roomy = [measure_segments.with_slots(model, items) for items in (18, 24, 36)]
        assert [each and each.config.N for each in roomy] == slots
        assert all(each is None or each.shapes == model.shapes for each in roomy)


def test_more_facts_than_trained_on_find_room():
    """Every fact has a slot, unless something was learned of each slot: then there is no figure."""
    for name, settings, slots in (("memn2n", {}, 32), ("memn2n", {"temporal": True}, None), ("hybrid", {}, 32), ("ntm", {}, 32),
                                  ("ntm", {"initial_weights": "learned"}, 8), ("lstm", {}, "none")):
        task = catalog.make_task("made-facts", catalog.model_class(name)[0].form, facts=8, entities=16)
        few = {"N": 8} if name == "ntm" else {}
        model = catalog.make_model(name, task, **{**catalog.settings_of(name, "made-facts")[0], **few, **settings})
        roomy = measure_segments.with_slots(model, 32)
        config = roomy and roomy.config
        assert config and getattr(config, "memory_size", getattr(config, "N", "none")) == slots or roomy is None is slots
        if roomy:
            params = model.init(np.random.default_rng(0))
            batch = task.sample(np.random.default_rng(0), 3, facts=32)
            assert roomy.forward(params, batch.inputs)[0].shape[-1] == 16


def test_whole_queries_are_said_step_by_step(monkeypatch):
    task = WikiSQLQuery(source="generated")
    model = catalog.make_model("memory-transformer", task, d=4, ff=4, W=4)
    params = model.init(np.random.default_rng(0))
    lines = measure_segments.queries(model, params, task, 30)
    assert lines[0] == {"of": "queries", "right_percent": 100, "forgotten_right_percent": 100, "sequences": 30}
    assert all(0 <= line["right_percent"] < 100 for line in lines[1:])
    monkeypatch.setattr(measure_segments, "generate", lambda *_: task.batch(task.rows("test", 30)).targets)
    figures = measure.figures_of(measure_segments.queries(model, params, task, 30))
    assert set(figures["right_percent"].values()) == set(figures["forgotten_right_percent"].values()) == {100}
    assert list(figures["right_percent"])[-3:] == ["logical form", "execution", "execution, answered"]


def test_official_parts_and_all_tasks():
    task = WikiSQLAgg(source="generated")
    most = ByHand(lambda inputs: np.zeros((1, len(inputs.question)), int))
    most.forward = lambda params, inputs, forget=False: (np.eye(6)[np.zeros((1, len(inputs.question)), int)], {})
    lines = measure_segments.official_parts(most, {}, task)
    wanted = {part: 100 * float((task.classes[task.parts[part]] != 0).mean()) for part in ("dev", "test")}
    assert {line["part"]: line["wrong_percent"] for line in lines} == pytest.approx(wanted)
    tasks = [name for name in catalog.TASKS if catalog.takes("memory-transformer", name) and not name.startswith("babi")]
    assert set(tasks) | {"metaqa2"} == set(measure_segments.MEASURES) and set(tasks) <= set(measure.FINAL)


def test_a_run_is_trained_and_measured(tmp_path, capsys):
    run = str(tmp_path / "run")
    assert cli.main(["train", "memory-transformer", "segment-recall", "--sequences", "64", "--set", "d=8", "--set", "W=4",
                     "--run", run]) == 0
    assert cli.main(["eval", run, "--count", "40", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [line["pairs"] for line in found["lines"]] == [4, 5, 6, 7, 8] and found["lines"][0]["sequences"] == 40
    assert cli.main(["eval", run, "--count", "40"]) == 0
    assert "wrong when forgotten, %" in capsys.readouterr().out
