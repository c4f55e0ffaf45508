"""The ceiling of the benchmarks: FLOP counted by hand at small sizes, and what is made of the rates; never the rates themselves."""

import numpy as np
import pytest

from benchmarks import ceiling, flops, runs
from benchmarks.works import lstm_copy, memn2n_qa, ntm_copy

TINY = {"length": 2, "N": 6, "W": 3, "controller_size": 5}


def test_flop_of_a_layer_are_those_of_its_three_products():
    one, back, weights = flops.layer(rows=2, n_in=3, n_out=5, times=7)
    assert [one.flop, back.flop, weights.flop] == [2 * 2 * 3 * 5 * 7] * 3
    assert weights.shape == ("x^T dy", 3, 14, 5)
    assert len(flops.layer(2, 3, 5, input_gradient=False)) == 2


def test_flop_of_an_ntm_counted_by_hand():
    work = ntm_copy(2, **TINY)                                     # T 5, B 2, X 9, Y 8, C 5, N 6, W 3, one head each, S 3
    found = flops.count(work)
    P, U, G = 2 * (3 + 1 + 1 + 3 + 1) + 2 * 3, 3 + 5, 20
    assert work.params["W_heads"].shape == (5, P) and work.params["W_u"].shape == (U, G)
    inputs, recurrence, heads, outputs = 2 * 9 * G, 2 * U * G, 2 * 5 * P, 2 * 8 * 8
    assert found.product_flop == 10 * (2 * inputs + 3 * (recurrence + heads + outputs))
    forward, backward = 2 + 4 + 2 + 3 + 2, 2 + 8 + 4 + 4 + 6       # norm, similarity, read, erase, add: a number of the memory
    assert found.passes == 10 * 6 * 3 * (forward + backward)
    controller, parameters, weightings = 5 * 5, 2 * (3 + 2 + 1 + 3 + 2) + 3 + 3, 2 * 3 * 6
    assert found.evaluations == 10 * (controller + parameters + weightings + 3 * 8)
    assert found.flop == found.product_flop + found.passes


def test_flop_of_a_feedforward_ntm_have_no_cell_in_them():
    lstm, feedforward = (flops.count(ntm_copy(2, controller=name, **TINY)) for name in ("lstm", "feedforward"))
    assert lstm.passes == feedforward.passes
    assert lstm.evaluations - feedforward.evaluations == 10 * 4 * 5
    assert lstm.product_flop - feedforward.product_flop == 10 * (2 * 2 * 9 * 15 + 3 * 2 * (8 * 20 - 3 * 5))


def test_flop_of_an_lstm_counted_by_hand():
    found = flops.count(lstm_copy(2, length=2, size=4, layers=2))
    first, second, outputs = 2 * 2 * 9 * 16 + 3 * 2 * 4 * 16, 3 * 2 * (4 + 4) * 16, 3 * 2 * 4 * 8
    assert (found.product_flop, found.passes) == (10 * (first + second + outputs), 0)
    assert found.evaluations == 10 * (5 * 4 * 2 + 3 * 8)


def test_flop_of_a_memn2n_counted_by_hand():
    work = memn2n_qa(1, source="generated")
    stories = work.batch.inputs._replace(sentences=np.array([[[3, 4, 5], [6, 7, 0], [0, 0, 0]]]), query=np.array([[2, 3, 0]]))
    found = flops.count(work._replace(batch=work.batch._replace(inputs=stories)))
    words, sentences, tables, hops, d, Y = 5, 2, 4, 3, 20, work.model.config.n_outputs
    memories, looks = tables * (2 * words + sentences), hops * 4 * sentences
    assert found.passes == d * (2 * memories + looks + 2 * looks + 2 * 2 * 2)      # forward, backward; last: the question's words
    assert found.product_flop == 3 * 2 * d * Y
    assert found.evaluations == hops * sentences + 2 * Y + 1


def test_ceiling_is_flop_by_rate_each_product_at_its_own(monkeypatch):
    monkeypatch.setattr(ceiling, "cores", lambda: 2)
    large, small = ceiling.LARGE, flops.Product("dy A^T", 10, 10, 10, times=3)
    rates = {(large.shape, 1, 1): 50.0, (large.shape, 2, 1): 100.0, (large.shape, 1, 2): 80.0,
             (small.shape, 1, 1): 2.0, (small.shape, 2, 1): 1.0, (small.shape, 1, 2): 4.0}
    asked = []

    def rate(product, blas_threads, workers, seconds, layout):
        asked.append(product.shape)
        return rates[product.shape, blas_threads, workers] * (1 if layout else 0.5)
    monkeypatch.setattr(ceiling, "rate", rate)
    limit = ceiling.Ceiling()
    found = limit.of(flops.Count([small], 2000, 7, {}))
    assert found["ms"] == pytest.approx(6000 / 4e6 + 2000 / 100e6)
    assert found["gflops"] == pytest.approx(8000 / found["ms"] / 1e6, abs=0.01)
    assert limit.rate(small) == {"one_core": 2.0, "all_cores": 4.0}
    assert asked.count(large.shape) == 3                           # each shape is measured once
    assert runs.share({"ms": 1.0}, 4.0) == 25.0


@pytest.mark.parametrize("form", ["x A", "dy A^T", "x^T dy"])
@pytest.mark.parametrize("as_it_lies", [True, False])
def test_what_is_measured_is_the_product_of_that_shape(form, as_it_lies):
    x, A, y = ceiling.operands(flops.Product(form, 2, 3, 4), as_it_lies)
    ceiling.multiply((x, A, y), 1)
    assert x.dtype == A.dtype == np.float32 and (x.shape, A.shape) == ((2, 3), (3, 4))
    np.testing.assert_allclose(y, np.einsum("ij,jk->ik", x, A), rtol=1e-5)
    assert (x.flags.c_contiguous, A.flags.c_contiguous) == (form != "x^T dy" or not as_it_lies, form != "dy A^T" or not as_it_lies)


def test_rate_is_flop_of_all_workers_by_the_best_of_five_times():
    """Repeats are doubled until even the best takes long enough; that one run was slow says nothing."""
    taken = [99, 2, 99, 99, 3] + [9, 8, 5, 6, 7]
    clock = iter([moment for seconds in taken for moment in (0, seconds)])
    product = flops.Product("x A", 2, 3, 4)
    assert ceiling.rate(product, 1, 2, 4, clock=lambda: next(clock)) == pytest.approx((2 * 24) * 2 * 2 / 5 / 1e9)


def test_products_of_one_shape_are_shown_as_one():
    found = ceiling.by_shape(flops.layer(2, 3, 3, 5) + flops.layer(2, 3, 3, 7, input_gradient=False))
    assert found == [flops.Product("x A", 2, 3, 3, 12), flops.Product("dy A^T", 2, 3, 3, 5), flops.Product("x^T dy", 3, 10, 3),
                     flops.Product("x^T dy", 3, 14, 3)]


def test_triad_and_copy_do_all_of_their_arrays():
    a, b, c = (np.full(ceiling.BLOCK + 5, number, np.float32) for number in (0, 1, 2))
    ceiling.triad(a, b, c)
    assert np.all(a == 7)
    ceiling.copy(a, b, c)
    assert np.all(a == 1)
    clock = iter([0, 4, 0, 3, 0, 2, 0, 5, 0, 6])
    assert ceiling.bandwidth(ceiling.copy, 2, [a, b, c], 2, clock=lambda: next(clock)) == 2 * a.nbytes / 2 / 1e9
