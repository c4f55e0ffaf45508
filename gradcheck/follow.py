"""Every gradient on its way through a pair, a line each: the chain check (chain.py) with all that it sees.

    print(gradcheck.follow("NTM-addressing"))
"""

import numpy as np

from gradcheck.chain import Chain
from gradcheck.investigate import equation_program
from gradcheck.models import import_all
from gradcheck.points import generator
from gradcheck.trial import Trial
from numpymem.equation import find
from numpymem.kernel import numpy_only


def follow(what, seed=0):
    """The gradients in the order in which the backward pass makes them, each beside the truth -> text.

    what     an id ("NTM-step"), a name or an Equation
    raises   KeyError for an id that nobody has
    """
    import_all()
    item = find(what)
    rng = generator(seed, f"chain of {item.id}")
    with numpy_only():
        chain = Chain(equation_program(Trial(item, rng)), rng)
        rows = [(str(node), shape(node.hand), *judged(chain, node)) for node in chain.nodes]
    wide = max(len(name) for name, *_ in rows)
    deep = max(len(size) for _, size, *_ in rows)
    return "\n".join(f"{name:<{wide}}  {size:<{deep}}  {verdict}{error}" for name, size, verdict, error in rows)


def judged(chain, node):
    """("right", error) or ("WRONG", error), the error as text; none where the gradient and the truth are both zero."""
    right = chain.agrees(node)
    miss, scale, _ = chain.missed(node)
    return "right" if right else "WRONG", f"  {miss / scale:.0e}" if scale > 0 else ""


def shape(values):
    return "x".join(map(str, np.shape(values))) or "number"
