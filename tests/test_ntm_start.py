"""How an NTM's heads begin."""

import dataclasses

import numpy as np
import pytest

from numpymem.ntm.model import NTM, NTMConfig


def test_heads_can_begin_as_a_tape():
    """Untrained, the write head steps through the slots one by one, and the read head looks up what its key is like."""
    model = NTM(NTMConfig(n_inputs=4, n_outputs=3, controller="feedforward", controller_size=5, N=12, W=6, initial_heads="tape",
                          initial_weights="one-hot"))
    params = model.init(np.random.default_rng(0))
    params["W_heads"][:] = 0                                         # biases alone
    _, trace = model.forward(params, np.zeros((6, 1, 4), np.float32))
    assert trace["w"][:, 0, 1].argmax(-1).tolist() == [1, 2, 3, 4, 5, 6] and trace["g"][:, 0, 0].min() > 0.8
    neutral = NTM(dataclasses.replace(model.config, initial_heads="neutral"))
    assert not neutral.init(np.random.default_rng(0))["b_heads"].any()
    with pytest.raises(ValueError, match="initial_heads: expected one of neutral, tape, received 'disc'"):
        NTMConfig(n_inputs=1, n_outputs=1, initial_heads="disc")
