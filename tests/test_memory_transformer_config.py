"""The settings of a memory Transformer: what they hold, how many parameters they cost, how it starts."""

import dataclasses

import numpy as np
import pytest

from numpymem import catalog
from numpymem.memory_transformer import MemoryTransformer, MemoryTransformerConfig
from numpymem.memory_transformer.config import HINTS, STEP, parameters
from numpymem.memory_transformer.memory import read_sizes, write_sizes
from numpymem.ntm.held import HEAD, held
from numpymem.ntm.step import head_parameters, places
from numpymem.training.recipe import Recipe

FULL = MemoryTransformerConfig(n_words=30, n_outputs=8)
VARIANTS = ({"memory": "none"}, {"memory": "append"}, {"memory": "attention"}, {"addressing": "content"}, {"erase": False},
            {"memory": "none", "decoder_layers": 2, "encoder_layers": 0})


@pytest.mark.parametrize("changes", VARIANTS)
def test_matched_variants_have_as_many_parameters_as_the_full_model(changes):
    variant = dataclasses.replace(FULL, matched=True, **changes)
    full = parameters(dataclasses.replace(variant, memory="ntm"))
    assert abs(parameters(variant) / full - 1) < 0.005
    model = MemoryTransformer(variant)
    assert sum(value.size for value in model.init(np.random.default_rng(0)).values()) == parameters(variant)
    assert {name: value.shape for name, value in model.init(np.random.default_rng(0)).items()} == model.shapes


def test_unmatched_a_model_without_memory_is_smaller():
    assert parameters(dataclasses.replace(FULL, memory="none")) < 0.8 * parameters(FULL)


@pytest.mark.parametrize("switches, wanted", [
    ({"addressing": "content"}, {"g": 1.0, "s": (0, 1, 0), "gamma": 1.0}), ({"addressing": "location"}, {"g": 0.0}),
    ({"erase": False}, {"e": 0.0}),
    ({"addressing": "content", "erase": False}, {"g": 1.0, "s": (0, 1, 0), "gamma": 1.0, "e": 0.0}),
    ({}, {})])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_held_is_exact_and_the_rest_free(switches, wanted, dtype):
    sizes = write_sizes(dataclasses.replace(FULL, write_heads=2))
    kept, fixed = held(dataclasses.replace(FULL, write_heads=2, **switches), sizes, dtype)
    raw = np.random.default_rng(0).standard_normal((3, sizes.raw)).astype(dtype)
    found = dict(zip(HEAD, head_parameters(raw * kept + fixed, sizes)))
    free = dict(zip(HEAD, head_parameters(raw, sizes)))
    for name in HEAD:
        if name in wanted:
            assert (found[name] == np.array(wanted[name], dtype)).all()
        else:
            assert np.array_equal(found[name], free[name])


def test_hints_are_where_they_are_said_to_be():
    config = dataclasses.replace(FULL, write_heads=2, decoder_layers=2)
    params = MemoryTransformer(config).init(np.random.default_rng(0))
    without = MemoryTransformer(dataclasses.replace(config, hints=False)).init(np.random.default_rng(0))
    assert not any(without[name].any() for name in ("write_b", "d1_read_bias", "d2_read_bias"))
    for kind, name, sizes in (("write", "write_b", write_sizes(config)), ("read", "d2_read_bias", read_sizes(config))):
        at = {each: params[name][place] for each, (place, *_) in zip(HEAD, places(sizes))}
        assert all((at[each] == value).all() for each, value in HINTS[kind].items())
        assert (at["s"].reshape(-1, 3) == ([0, 0, STEP] if kind == "write" else [0, 0, 0])).all()


def test_a_task_brings_its_sizes():
    task = catalog.make_task("rewritten-keys", "segments")
    config = catalog.make_model("memory-transformer", task).config
    assert (config.n_words, config.n_outputs, config.N, config.pointers, config.n_marks) == (33, 16, 15, False, 0)


@pytest.mark.parametrize("changes, message", [
    ({"heads": 5}, "d: expected a multiple of the 5 heads, received 64"),
    ({"memory": "lstm"}, "memory: expected one of ntm, append"),
    ({"shifts": 2}, "shifts: expected an odd number"), ({"dropout": 1.0}, "dropout: expected a number from 0"),
    ({"strict": True, "memory": "none"}, "strict: expected False"), ({"erase": 1}, "erase: expected True or False, received 1"),
    ({"neighbours": 1}, "neighbours: expected True or False, received 1"),
    ({"memory": "append", "read_heads": 5}, "W: expected a multiple of the 5 heads, received 32"), ({"N": 1}, "N: expected")])
def test_wrong_settings_are_told(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(FULL, **changes)


def test_the_learning_rate_warms_up():
    recipe = Recipe(batch=10, lr=1.0, warm_up=90)
    rates = [recipe.phase(done)[0] for done in range(0, 120, 10)]
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1], rtol=1e-12)
