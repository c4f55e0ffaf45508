"""What the tests of kernels share: who stands aside where there are none, and mistakes planted in their source.

Without numba everything runs as NumPy, and all other tests must pass so: python tests/machines.py bare
"""

import pytest

from gradcheck.kernels.interpreted import interpreted_pair, read
from numpymem.kernel import KERNELS, has_numba

needs_numba = pytest.mark.skipif(not has_numba(), reason="needs numba")         # for what is about compiled kernels


def need_numba():
    """numba, for a fixture or a test that compiles; where it is not installed, what asks for it stands aside."""
    return pytest.importorskip("numba", reason="needs numba")


def changed(module, function, before, after):
    """{(module, function): text}, for gradcheck.kernels.interpreted: a function's source with one piece of it exchanged."""
    source = read(module)
    node = source.functions[function]
    text = b"".join(source.lines[node.lineno - 1:node.end_lineno]).decode()
    assert text.count(before) == 1, f"{function}: expected {before!r} once, found it {text.count(before)} times"
    return {(module, function): text.replace(before, after)}


def planted_kernel(name, *change):
    """(forward, backward) of a kernel, as plain Python, with a mistake in it. What its loops import is written for numba."""
    need_numba()
    return interpreted_pair(KERNELS[name], changed(*change))
