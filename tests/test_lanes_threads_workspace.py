"""What fast loops stand on: LANES numbers at once, products by panels, blocks of a batch on threads, buffers lent again."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
from kernel_tools import need_numba

from numpymem import threads, workspace
from numpymem.catalog import make_model, make_task
from numpymem.kernel import PACKAGE
from numpymem.ops import lanes
from numpymem.ops.lanes import LANES, fill, largest, load, maximum, store, total
from numpymem.training.loss import loss_and_gradient

# ---- lanes ---------------------------------------------------------------------------------------------------------------

@pytest.fixture
def njit():
    """numba's, which knows lanes."""
    compiler = need_numba().njit
    importlib.import_module("numpymem.ops.kernels_lanes")
    return compiler


def everything(x, y, number, out, at):
    a, b = load(x, 0), load(y, LANES)
    sums = a + b * number - number * a - (1 - b)
    sums += fill(number)
    sums -= a
    sums *= maximum(a, b)
    store(out, at, sums)
    return total(a), largest(b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_lanes_are_the_plain_ones(njit, dtype):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 2 * LANES)).astype(dtype)
    plain, compiled = np.zeros((2, 3 * LANES), dtype)
    found = everything(x, y, dtype(0.3), plain, 5), njit(everything)(x, y, dtype(0.3), compiled, 5)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
    np.testing.assert_allclose(compiled, plain, rtol=2e-5 if dtype == np.float32 else 1e-12)
    a, b = x[:LANES].astype(float), y[LANES:].astype(float)
    expected = (a + 0.3 * b - 0.3 * a - (1 - b) + 0.3 - a) * np.maximum(a, b)
    np.testing.assert_allclose(plain[5:5 + LANES], expected, rtol=1e-4)
    assert not plain[:5].any() and not plain[5 + LANES:].any()


def test_beyond_the_end_of_a_row():
    with pytest.raises(IndexError, match="load: expected 16 numbers from place 1, received a row of 16"):
        lanes.load(np.zeros(16), 1)
    with pytest.raises(IndexError, match="store"):
        lanes.store(np.zeros(16), 1, lanes.fill(0.0))


def test_a_row_that_is_not_contiguous_does_not_compile(njit):
    with pytest.raises(Exception, match="expected a contiguous row"):
        njit(lambda row: total(load(row, 0)))(np.zeros((16, 2))[:, 0])


def test_padded():
    assert [lanes.padded(n) for n in (1, 16, 17, 128)] == [16, 16, 32, 128]


# ---- products by panels -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rows, inner, columns", [(1, 1, 1), (3, 7, 31), (4, 5, 32), (5, 6, 33), (8, 100, 92), (9, 3, 64)])
def test_a_product_by_panels(njit, rows, inner, columns):
    from numpymem.ops.kernels_product import add_product, panels
    rng = np.random.default_rng(rows)
    x, A = rng.standard_normal((rows, inner)), rng.standard_normal((inner, columns))
    A_panels = panels(A)
    y = np.ones((rows, A_panels.shape[0] * A_panels.shape[2]))
    add_product(x, A_panels, y)
    np.testing.assert_allclose(y[:, :columns], 1 + x @ A, rtol=1e-13, atol=1e-13)
    assert (y[:, columns:] == 1).all(), "filled up with zeros"
    assert np.array_equal(panels(np.asfortranarray(A)), A_panels)


# ---- threads ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("rows", [1, 2, 3, 8, 9, 16, 17, 33])
def test_blocks_cover_the_batch_once(rows):
    blocks = threads.blocks(rows)
    assert [b for first, last in blocks for b in range(first, last)] == list(range(rows))
    assert max(last - first for first, last in blocks) <= threads.ROWS
    assert len(blocks) % 2 == 0 or rows == 1


def test_results_come_in_order():
    jobs = [(k,) for k in range(7)]
    for number in (1, 2, 3, 8):
        with threads.use(number):
            assert threads.run(lambda k: k * k, jobs) == [k * k for k in range(7)]


def test_an_error_in_any_thread_arrives():
    def fail(k):
        if k == 1:
            raise ValueError("block 1")
    with threads.use(2), pytest.raises(ValueError, match="block 1"):
        threads.run(fail, [(0,), (1,)])


def test_threads_by_environment():
    def counted(text):
        return subprocess.run([sys.executable, "-c", "from numpymem import threads; print(threads.count())"], text=True,
                              env={"NUMPYMEM_THREADS": text, "PYTHONPATH": str(PACKAGE.parent)}, capture_output=True)
    assert counted("3").stdout == "3\n"
    assert "NUMPYMEM_THREADS: expected a whole number of at least 1, received 'two'" in counted("two").stderr


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
@pytest.mark.parametrize("batch", [1, 5, 16])
def test_the_same_to_the_last_bit_on_any_number_of_threads(controller, batch):
    task = make_task("copy", "sequence")
    model = make_model("ntm", task, controller=controller, controller_size=20, N=24, W=6)
    params = model.init(np.random.default_rng(0))
    data = task.sample(np.random.default_rng(1), batch, length=4)

    def step():
        outputs, trace = model.forward(params, data.inputs)
        return outputs, model.backward(params, trace, loss_and_gradient(task.loss, outputs, data)[1])
    with threads.use(1):
        outputs, grads = step()
    for number in (2, 3):
        with threads.use(number):
            again, grads_again = step()
        assert np.array_equal(again, outputs)
        assert all(np.array_equal(grads_again[name], grads[name]) for name in grads)


# ---- workspace --------------------------------------------------------------------------------------------------------------

@pytest.fixture
def no_buffers(monkeypatch):
    monkeypatch.setattr(workspace, "_buffers", [])


def address(x):
    return x.__array_interface__["data"][0]


def test_arrays_of_one_buffer_do_not_overlap(no_buffers):
    shapes = [(3, 5), (0, 4), (7,), (2, 2, 2)]
    arrays = workspace.empty(shapes, np.float32)
    assert [x.shape for x in arrays] == shapes and all(x.flags.c_contiguous and x.dtype == np.float32 for x in arrays)
    for number, x in enumerate(arrays):
        x[...] = number
        assert address(x) % workspace.ALIGNMENT == 0 or not x.size
    assert all((x == number).all() for number, x in enumerate(arrays))


def test_a_buffer_is_lent_again_only_when_nobody_holds_it(no_buffers):
    (first,) = workspace.empty([(1000,)], np.float64)
    part, where = first[10:20], address(first)
    part[:] = 7
    del first
    (second,) = workspace.empty([(1000,)], np.float64)
    second[:] = 1
    assert address(second) != where and (part == 7).all(), "a part of the first is still alive"
    del part
    (third,) = workspace.empty([(500,)], np.float64)
    assert address(third) == where


def test_larger_buffers_take_the_place_of_free_ones(no_buffers):
    workspace.empty([(10,)], np.float64)
    held = workspace.empty([(20,)], np.float64)
    workspace.empty([(1000,)], np.float64)
    assert len(workspace._buffers) == 2 and held[0].size == 20


def test_release_forgets_them(no_buffers):
    (x,) = workspace.empty([(100,)], np.float64)
    x[:] = 3
    workspace.release()
    (y,) = workspace.empty([(100,)], np.float64)
    y[:] = 4
    assert len(workspace._buffers) == 1 and (x == 3).all()


def test_arrays_of_objects_are_not_lent():
    (x,) = workspace.empty([(2, 3)], object)
    assert x.shape == (2, 3) and x.dtype == object
