"""Random noise (RN) in the ages of sentences: drawn as the paper says, and in training only."""

from types import SimpleNamespace

import numpy as np
import pytest

from numpymem.memn2n import MemN2N, MemN2NConfig
from numpymem.memn2n.reading import ages, noisy_ages


@pytest.fixture
def rng():
    return np.random.default_rng(20151123)


def test_time_noise_draws_sorted_distinct_ages_and_reaches_its_upper_end(rng):
    number = np.array([1, 4, 10, 11, 20, 0])
    limit = number + np.ceil(0.1 * number).astype(int)
    seen = [set() for _ in number]
    for _ in range(400):
        drawn = noisy_ages(rng, number, 22, 0.1, 50)
        for row, n in enumerate(number):
            assert (np.diff(drawn[row, :n]) < 0).all() and (drawn[row, :n] >= 1).all() and not drawn[row, n:].any()
            seen[row].update(drawn[row, :n].tolist())
    assert seen == [set(range(1, top + 1)) if n else set() for n, top in zip(number, limit)]


def test_time_noise_is_uniform_and_stays_within_the_memory(rng):
    drawn = np.array([noisy_ages(rng, np.array([2]), 2, 0.5, 50)[0] for _ in range(4000)])
    share = [np.mean((drawn == pair).all(1)) for pair in ([2, 1], [3, 1], [3, 2])]
    np.testing.assert_allclose(share, [1 / 2 + 1 / 6, 1 / 6, 1 / 6], atol=0.03)          # b = 0, or b = 1 and one of three
    assert max(noisy_ages(rng, np.array([50]), 50, 0.1, 50).max() for _ in range(20)) == 50


def test_time_noise_is_for_training_only(rng):
    model = MemN2N(MemN2NConfig(n_words=9, n_outputs=5, d=6, memory_size=7, time_noise=1.0))
    story = SimpleNamespace(sentences=np.ones((3, 5, 4), np.int32), query=np.ones((3, 4), np.int32))
    params = model.init(rng)

    def ask(**how):
        return model.forward(params, story, **how)[1]["age"].tolist()

    assert ask() == ask() == ages(np.array(model.read(story, np.float32).mask.sum(1), int), 5).tolist()
    assert len({str(ask(rng=rng)) for _ in range(20)}) > 1
