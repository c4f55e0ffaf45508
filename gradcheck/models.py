"""The model check: the gradients of all parameters, end to end, against the derivative of the whole forward.

A pair can be right and its use wrong: a forgotten fan-out, t instead of t - 1, a start state that gets no gradient. The
loss is a random weighting of the outputs. Parameters are random numbers of order one half, not the start of training:
near zero many mistakes hide.
"""

import importlib
import pkgutil
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gradcheck.oracle import Oracle
from gradcheck.compare import Question, compare, note_error, scan
from gradcheck.pair import finish
from gradcheck.points import generator, shape_of
from gradcheck.recording import Program, Push, recorded
from gradcheck.report import Result, Wrong
from numpymem import REGISTRY, numpy_only, watch
from numpymem.equation import around

PACKAGES = ("numpymem.ops", "numpymem.ntm", "numpymem.dnc", "numpymem.lstm", "numpymem.memn2n", "numpymem.dmn",
            "numpymem.memory_transformer", "numpymem.hybrid")
TOLERANCE = 1e-8
KERNEL_TOLERANCE = 1e-9          # float64 rounding, through all steps of a recurrence


def import_all():
    """Import every part of numpymem that defines equations, so that the registry is complete. Modules of compiled loops
    (kernels*.py) are left to their Kernel, which imports them at first use: they need numba."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("kernels"):
                importlib.import_module(f"{name}.{module.name}")


def equations():
    """All registered equations in the order of packages, files and lines, whoever was imported first: a seed means the same
    everywhere."""
    def rank(item):
        module, code = item.original.__module__, getattr(item.original, "__code__", None)
        package = ".".join(module.split(".")[:2])
        place = PACKAGES.index(package) if package in PACKAGES else len(PACKAGES)
        return place, module, code.co_firstlineno if code else 0
    return sorted(REGISTRY.values(), key=rank)


class Case(NamedTuple):
    """A model at one setting. `make(rng)` imports what it needs and returns (model, inputs, options of forward)."""
    name: str
    setting: str
    make: Callable


def _ntm(how=None, **options):
    def make(rng):
        from numpymem.ntm import NTM, NTMConfig
        sizes = {"n_inputs": 3, "n_outputs": 2, "controller_size": 6, "N": 7, "W": 4, "read_heads": 2, "write_heads": 3}
        return NTM(NTMConfig(**(sizes | options))), rng.standard_normal((5, 2, 3)), how or {}
    return make


def _dnc(how=None, **options):
    def make(rng):
        from numpymem.dnc import DNC, DNCConfig
        sizes = {"n_inputs": 3, "n_outputs": 2, "controller_size": 4, "N": 5, "W": 3, "read_heads": 2}
        return DNC(DNCConfig(**(sizes | options))), rng.standard_normal((3, 2, 3)), how or {}
    return make


def _lstm(**options):
    def make(rng):
        from numpymem.lstm import LSTM, LSTMConfig
        return LSTM(LSTMConfig(n_inputs=3, n_outputs=4, size=5, **options)), rng.standard_normal((6, 2, 3)), {}
    return make


def _memn2n(linear=False, **options):
    def make(rng):
        from numpymem.memn2n import MemN2N, MemN2NConfig
        sizes = {"n_words": 9, "n_outputs": 6, "d": 4, "hops": 3, "memory_size": 7, "max_sentence_words": 3}
        return MemN2N(MemN2NConfig(**(sizes | options))), stories(rng, n_words=9, B=2, I=5, J=3), {"linear": linear}
    return make


def _dmn(dropout=False, **options):
    def make(rng):
        from numpymem.dmn import DMN, DMNConfig
        sizes = {"n_words": 9, "n_outputs": 6, "d": 4, "passes": 2, "max_sentence_words": 3}
        how = {"rng": SameAgain(7)} if dropout else {}
        return DMN(DMNConfig(**(sizes | options))), stories(rng, n_words=9, B=2, I=5, J=3), how
    return make


def _transformer(dropout=0.0, pointers=False, marks=0, **options):
    def make(rng):
        from numpymem.memory_transformer import MemoryTransformer, MemoryTransformerConfig
        sizes = {"n_words": 9, "n_outputs": 4, "d": 6, "heads": 2, "ff": 5, "N": 5, "W": 4, "read_heads": 1}
        config = MemoryTransformerConfig(**(sizes | {"pointers": pointers, "n_marks": marks, "dropout": dropout} | options))
        return MemoryTransformer(config), told(rng, config, spelled=marks > 0), {"rng": SameAgain(7)} if dropout else {}
    return make


def _hybrid(dropout=0.0, Q=2, linear=False, **options):
    def make(rng):
        from gradcheck.streams import streams
        from numpymem.hybrid import Hybrid, HybridConfig
        sizes = {"n_inputs": 3, "n_words": 9, "n_outputs": 5, "d": 4, "hops": 2, "memory_size": 7, "max_sentence_words": 3,
                 "controller_size": 4, "N": 5, "W": 3, "facts_dropout": dropout / 2, "working_dropout": dropout / 2,
                 "time_noise": 0.0}
        how = {"linear": linear} | ({"rng": SameAgain(1)} if dropout else {})
        return Hybrid(HybridConfig(**(sizes | options))), streams(rng, n_words=9, Q=Q), how
    return make


class SameAgain:
    """Random numbers that are the same each time: a forward with dropout can be run again."""

    def __init__(self, seed):
        self.seed = seed

    def random(self, shape):
        return np.random.default_rng(self.seed).random(shape)


def stories(rng, n_words, B, I, J):
    """Random stories, padded at the end: the second has one sentence less, and each sentence of it one word less."""
    from numpymem.tasks.batches import Stories
    sentences, query = (rng.integers(1, n_words, shape).astype(np.int32) for shape in ((B, I, J), (B, J)))
    sentences[1, -1], sentences[1, :, -1], query[1, -1] = 0, 0, 0
    return Stories(sentences, query)


def told(rng, config, spelled=False, B=2, G=2, I=2, J=2, Q=3, T=2):
    """Random segments; the second story lacks a segment, an item and a word, its question a word."""
    from numpymem.tasks.batches import Segments
    words = 11 if spelled else config.n_words
    segments, question = (rng.integers(1, words, shape).astype(np.int32) for shape in ((B, G, I, J), (B, Q)))
    segments[1, -1], segments[1, 0, 1], segments[1, 0, 0, 1], question[1, -1] = 0, 0, 0, 0
    prompt = rng.integers(1, config.n_outputs + 1, (B, T)).astype(np.int32)
    prompt[:, 0] = 0
    if config.pointers:
        prompt[1, 1] = config.n_outputs + 2                           # a word of the question
    marks = rng.integers(0, config.n_marks + 1, question.shape) if config.n_marks else None
    return Segments(segments, question, prompt, marks, rng.integers(0, config.n_words, (words, 3)) if spelled else None)


CASES = (
    Case("ntm", "lstm, all learned", _ntm(initial_memory="learned", initial_weights="learned", initial_read="learned")),
    Case("ntm", "feedforward, constant", _ntm(controller="feedforward", initial_memory="constant",
                                              initial_weights="learned", initial_read="zero")),
    Case("ntm", "feedforward, uniform", _ntm(controller="feedforward", initial_memory="learned",
                                             initial_weights="uniform", initial_read="learned")),
    Case("ntm", "lstm, one-hot, 1 head", _ntm(initial_memory="constant", initial_weights="one-hot", initial_read="zero",
                                              read_heads=1, write_heads=1, shifts=5)),
    Case("lstm", "2 layers", _lstm(layers=2)),
    Case("memn2n", "adjacent, position", _memn2n(tying="adjacent", encoding="position")),
    Case("memn2n", "layer-wise, bag", _memn2n(tying="layer-wise", encoding="bag")),
    Case("memn2n", "adjacent, bag, no time", _memn2n(tying="adjacent", encoding="bag", temporal=False)),
    Case("memn2n", "adjacent, released", _memn2n(tying="adjacent", encoding="released")),
    Case("memn2n", "adjacent, answers tied", _memn2n(tying="adjacent", encoding="position", n_outputs=9, tie_answer=True)),
    Case("memn2n", "layer-wise, relu", _memn2n(tying="layer-wise", encoding="position", relu=True)),
    Case("memn2n", "linear start", _memn2n(tying="adjacent", encoding="position", linear=True)),
    Case("memn2n", "nil memories", _memn2n(tying="adjacent", encoding="position", nil_memories=True)),
    Case("dnc", "lstm", _dnc()),
    Case("dnc", "feedforward, 1 head", _dnc(controller="feedforward", read_heads=1)),
    Case("dnc", "lstm, no usage gradient", _dnc(usage_gradient=False)),
    Case("dnc", "lstm, masks, wiped, sharp", _dnc(masking=True, deallocation=True, sharpening=True)),
    Case("dnc", "feedforward, wiped", _dnc(controller="feedforward", deallocation=True)),
    Case("dnc", "lstm, sparse links", _dnc(sparse_link=3, N=8)),
    Case("dnc", "lstm, in parts", _dnc(how={"checkpoint_every": 2})),
    Case("dmn", "DMN+", _dmn()),
    Case("dmn", "dropout", _dmn(dropout=True)),
    Case("dmn", "soft attention", _dmn(attention="soft", passes=3)),
    Case("dmn", "episodic, no fusion, gru", _dmn(attention="episodic", fusion=False, update="gru")),
    Case("memory-transformer", "ntm, 2 + 2 heads", _transformer(write_heads=2, read_heads=2, initial_memory="learned")),
    Case("memory-transformer", "no erase, 2 layers", _transformer(erase=False, decoder_layers=2, encoder_layers=0)),
    Case("memory-transformer", "content, strict, dropout", _transformer(addressing="content", strict=True, dropout=0.3)),
    Case("memory-transformer", "append, pointers, marks, neighbours",
         _transformer(memory="append", pointers=True, marks=2, neighbours=True)),
    Case("memory-transformer", "attention, pointers", _transformer(memory="attention", pointers=True)),
    Case("memory-transformer", "none, neighbours", _transformer(memory="none", neighbours=True)),
    Case("ntm", "lstm, content, no erase", _ntm(addressing="content", erase=False, initial_memory="learned",
                                                initial_weights="one-hot")),
    Case("ntm", "feedforward, location", _ntm(controller="feedforward", addressing="location", initial_weights="one-hot")),
    Case("hybrid", "lstm, 2 questions", _hybrid()),
    Case("hybrid", "feedforward, 2 + 3 heads", _hybrid(controller="feedforward", initial_weights="learned", write_heads=2,
                                                       read_heads=3, Q=1, temporal=False)),
    Case("hybrid", "sides lost, answers tied", _hybrid(dropout=0.7, n_outputs=9, tie_answer=True, nil_memories=True)),
    Case("hybrid", "no context, bag", _hybrid(context=False, encoding="bag", linear=True)),
    Case("hybrid", "layer-wise, relu", _hybrid(guided=True, hops=3, tying="layer-wise", relu=True)),
    Case("ntm", "lstm, in parts", _ntm(how={"checkpoint_every": 2}, initial_memory="learned", initial_weights="learned")),
)


def examples():
    """(model, fresh parameters, inputs) of a few cases, which together use every equation: where `purposes` looks for points.
    The last ones start as NTMs usually do: all rows of the memory alike."""
    for case in (*CASES[4:-1], CASES[3], CASES[1]):
        rng = generator(0, case.name + case.setting)
        model, inputs, _ = case.make(rng)
        yield model, model.init(rng, dtype=np.float64), inputs


def check_case(case, seed=0):
    """Check one of CASES -> Result. A model that raises is reported like one that is wrong: the rest of the table stays."""
    try:
        result = _check_case(case, seed)
    except Exception as error:  # noqa: BLE001  an edited equation may raise anything
        result = Result("model", case.name, case.setting, False, "broken",
                        notes=[f"the model raises {type(error).__name__}: {error}"])
    result.id, result.name = case.name, case.setting
    return result


def _check_case(case, seed):
    rng = generator(seed, case.name + case.setting)
    model, inputs, options = case.make(rng)
    return check_model(model, random_parameters(model, rng), inputs, seed=seed, **options)


def program(model, params, inputs, **options):
    """A model at these parameters, for the chain check -> Program."""
    def forward(values):
        logits, trace = model.forward(values, inputs, **options)
        return [logits], trace

    return Program(type(model).__name__, {name: np.array(value, dtype=np.float64) for name, value in params.items()}, forward,
                   lambda values, trace, upstream: model.backward(values, trace, *upstream))


def random_parameters(model, rng):
    """name -> numbers of order one half."""
    return {name: 0.5 * rng.standard_normal(np.shape(value)) for name, value in model.init(rng, dtype=np.float64).items()}


def check_model(model, params, inputs, seed=0, tolerance=TOLERANCE, **options):
    """Check the gradients of all parameters of a model with the common interface, in float64 -> Result.

    params   name -> array; better random numbers than the start of training
    inputs   a batch, as `model.forward` takes it
    options  further arguments of `model.forward`, for example linear=True
    """
    started = time.perf_counter()
    name = type(model).__name__
    result = Result("model", name.lower(), name, True, "right", tolerance=tolerance)
    rng = generator(seed, name)
    params = {key: np.array(value, dtype=np.float64) for key, value in params.items()}
    with numpy_only():
        outputs, weights, grads = _gradients(model, params, inputs, options, rng)
        if np.isfinite(outputs).all():
            _compare_all(model, params, inputs, options, weights, grads, rng, tolerance, result)
        else:
            result.passed, result.verdict = False, "broken"
            result.notes.append("the outputs are not finite: no gradient can be checked")
    if result.passed:
        _compare_with_kernels(model, params, inputs, options, outputs, weights, grads, result)
    result.seconds = time.perf_counter() - started
    return result


def _gradients(model, params, inputs, options, rng=None, weights=None):
    outputs, trace = model.forward(params, inputs, **options)
    weights = rng.standard_normal(outputs.shape) if weights is None else weights
    return outputs, weights, model.backward(params, trace, weights.copy())


def _compare_all(model, params, inputs, options, weights, grads, rng, tolerance, result):
    problem = _mismatch(params, grads)
    if problem:
        result.passed, result.verdict = False, "broken"
        result.notes.append(problem)
        return
    run = _with_stops_held(model, params, inputs, options)
    questions, outcomes = {}, {}
    for name in params:
        def line(direction, jitter=None, name=name):
            def outputs_at(t):
                kind = np.complex128 if isinstance(t, complex) else np.float64
                moved = {key: (jitter.jittered(array) if jitter else array).astype(kind) for key, array in params.items()}
                moved[name] = moved[name] + t * direction
                return [run(moved)]
            return outputs_at
        questions[name] = Question(name, grads[name], line, [weights])
        outcomes[name] = compare(questions[name], rng, result, tolerance=tolerance)
    bad = [name for name, outcome in outcomes.items() if outcome.wrong]
    if bad:                                # a mistake in a late step spoils what lies before it: scan only the worst
        worst = max(bad, key=lambda name: outcomes[name].error)
        result.wrong.append(scan(questions[worst], outcomes[worst].oracle, tolerance))
    finish(result, {name: outcome.size for name, outcome in outcomes.items()}, bad)


def _with_stops_held(model, params, inputs, options):
    """params -> outputs; what an equation inside stops the gradient of, on purpose, stays at its value at these parameters."""
    with recorded("forward") as calls:
        model.forward(params, inputs, **options)
    any_stops = any(call.equation.stops for call in calls)

    def run(moved):
        if not any_stops:
            return model.forward(moved, inputs, **options)[0]
        with around(Push(calls)):
            return model.forward(moved, inputs, **options)[0]
    return run


def _mismatch(params, grads):
    """What keeps grads from being the gradients of params: names and shapes. '' if nothing does."""
    if list(params) != list(grads):
        if set(params) == set(grads):
            return ""
        return (f"gradients: expected the keys of params, {', '.join(params)}; missing: "
                f"{', '.join(sorted(set(params) - set(grads))) or 'none'}, unknown: "
                f"{', '.join(sorted(set(grads) - set(params))) or 'none'}")
    return next((f"shape of the gradient of {name}: expected {value.shape}, received {shape_of(grads[name])}"
                 for name, value in params.items() if shape_of(grads[name]) != value.shape), "")


def _compare_with_kernels(model, params, inputs, options, outputs, weights, grads, result):
    """Once more as training runs it, with the kernels in force: to rounding the same outputs and gradients."""
    used = set()

    def note_kernel(item, *_):
        if item.kernel is not None and item.kernel.why_not() is None:
            used.add(item.kernel.name)

    with watch(note_kernel):
        fused_outputs, _, fused = _gradients(model, params, inputs, options, weights=weights)
    by_kernel = Oracle("NumPy", None, KERNEL_TOLERANCE)
    for name, ours, theirs in [("outputs", fused_outputs, outputs), *((f"d{key}", fused[key], grads[key]) for key in grads)]:
        size, miss = float(np.abs(theirs).max(initial=0)), np.abs(ours - theirs)
        if not miss.max(initial=0) <= KERNEL_TOLERANCE * size:
            worst = np.unravel_index(int(np.argmax(miss)), miss.shape)
            result.passed, result.verdict = False, "kernels differ"
            result.notes.append("below, 'by hand' is with the kernels in force and 'true' is NumPy")
            result.wrong.append(Wrong(name, tuple(map(int, worst)), float(ours[worst]), float(theirs[worst]),
                                      int((miss > KERNEL_TOLERANCE * size).sum()), miss.size))
            note_error(result, by_kernel, float(miss[worst]), size, 0.0, KERNEL_TOLERANCE * size)
    if result.passed and used:
        result.verdict = "right, kernels too"
