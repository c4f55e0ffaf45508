"""What the tests of hints share: registered pairs at a point, and asking about a gradient that was changed."""

import functools
import types

from gradcheck import import_all, oracle
from gradcheck.compare import true_gradient
from gradcheck.hints import diagnose
from gradcheck.points import generator
from gradcheck.trial import Trial
from numpymem.equation import find

import_all()


@functools.cache
def at_a_point(id, seed=0):
    """What a pair knows at a random point, and name -> (true gradient, its noise)."""
    item, rng = find(id), generator(seed, id)
    trial = Trial(item, rng)
    truth = {}
    for name in item.differentiable:
        question = trial.question(name)
        truth[name] = true_gradient(question, oracle.choose(question.line(rng.standard_normal(question.gradient.shape))))
    return trial.values(), truth, set(item.arguments)


def ask(id, name, change, seed=0):
    """Hints for a gradient of a registered pair that was changed: `change` is given all that the pair knows, and `true`."""
    values, truth, inputs = at_a_point(id, seed)
    true, noise = truth[name]
    hand = change(types.SimpleNamespace(**values, true=true.copy()))
    others = {f"true d{other}": gradient for other, (gradient, _) in truth.items() if other != name}
    return diagnose(name, hand, true, noise, values | others, inputs)


def check(found, *expected):
    """Each line of the hints starts as expected."""
    assert len(found) == len(expected) and all(map(str.startswith, found, expected)), "\n".join(["", *found])


def put(index, value):
    """A change that sets some entries: to value(v, what is there)."""
    def change(v):
        hand = v.true.copy()
        hand[index] = value(v, hand[index])
        return hand
    return change
