"""What the tests of kernels share: mistakes planted in their source."""

from gradcheck.kernels.interpreted import interpreted_pair, read
from numpymem.kernel import KERNELS


def changed(module, function, before, after):
    """{(module, function): text}, for gradcheck.kernels.interpreted: a function's source with one piece of it exchanged."""
    source = read(module)
    node = source.functions[function]
    text = b"".join(source.lines[node.lineno - 1:node.end_lineno]).decode()
    assert text.count(before) == 1, f"{function}: expected {before!r} once, found it {text.count(before)} times"
    return {(module, function): text.replace(before, after)}


def planted_kernel(name, *change):
    """(forward, backward) of a kernel, as plain Python, with a mistake in it."""
    return interpreted_pair(KERNELS[name], changed(*change))
