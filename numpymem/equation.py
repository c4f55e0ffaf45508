"""One equation, one address, one pair: the registry behind every formula in numpymem.

An equation of a paper is two plain, batched NumPy functions that stand side by side::

    @equation("NTM-9", r"w_t(i) = ...", source="Graves et al. 2014, eq. 9")
    def sharpen(w_shifted, gamma):
        '''One sentence.

        w_shifted  (B, H, N) [simplex]  weights after the shift
        gamma      (B, H, 1) [>= 1]     exponent
        returns w  (B, H, N)            weights, one row sums to one
        '''
        ...

    @sharpen.backward
    def sharpen_backward(dw, w, w_shifted, gamma):
        ...
        return dw_shifted, dgamma

Everything else is read off this text: the symbols and their shapes from the docstring (the optional part in square
brackets is the domain from which the gradient check draws its points), what the backward needs from the names of its
arguments (`d` + an output: its gradient; an output or an input: its value). It returns one gradient for each input that
is not an integer, in the order of the forward's arguments, as a tuple if there are several.

Both names stay callable as before, but go through the registry, so that `patch` can exchange either at run time and a
kernel (numpymem/kernel.py) can stand in for the pair as long as nobody has edited it. `importlib.reload` and a notebook cell
that is run again update the equation in place: whoever imported it before uses the new code.
"""

import contextlib
import functools
import inspect
import re
from typing import NamedTuple

REGISTRY = {}          # id -> Equation, in the order of definition
_hooks = []            # functions that stand around every call while `around` is active, the last one outermost
_version = [0]         # grows with each definition, patch and undo: kernels look again only when it has moved

_SYMBOL = re.compile(r"^\s*(?P<returns>returns\s+)?(?P<name>\w+)\s+\((?P<shape>[^)]*)\)"
                     r"(?:\s+\[(?P<domain>[^\]]*)\])?\s*(?P<meaning>.*)$")


class Symbol(NamedTuple):
    """One symbol of an equation: `shape` is a tuple of letters or numbers, `domain` is '' for any real number."""
    name: str
    shape: tuple
    domain: str
    meaning: str

    @property
    def is_integer(self):
        return self.domain.startswith("int")

    @property
    def is_data(self):
        """Word numbers, targets and masks: nothing is differentiated with respect to them."""
        return self.is_integer or self.domain in ("mask", "data", "sizes")


def read_symbols(docstring):
    """The symbols that a docstring declares -> (inputs, outputs), two dicts name -> Symbol."""
    inputs, outputs = {}, {}
    for line in (docstring or "").splitlines():
        found = _SYMBOL.match(line)
        if found:
            shape = tuple(part.strip() for part in found["shape"].split(",") if part.strip())
            symbol = Symbol(found["name"], shape, found["domain"] or "", found["meaning"].strip())
            (outputs if found["returns"] else inputs)[symbol.name] = symbol
    return inputs, outputs


class Equation:
    """A registered pair. Call it as the forward; `gradient(...)` (or the backward's own name) is the backward."""

    def __init__(self, id, latex, source, function, deviations="", step=False, fixed=None, dims=None, stops=()):
        self.id, self.kernel = id, None           # the kernel is set by numpymem.kernel.Kernel
        self.original_backward = None
        self.define(latex, source, function, deviations, step, fixed, dims, stops)

    def define(self, latex, source, function, deviations="", step=False, fixed=None, dims=None, stops=()):
        """Take a forward and what is said of it; on a reload, in place of the old. Patches were made for the old: they go.

        The backward stays until `@name.backward` comes by again, as the two may stand in two cells of a notebook."""
        self.latex, self.source, self.deviations = latex, source, deviations
        self.fixed, self.dims, self.stops = fixed or {}, dims or {}, tuple(stops)
        self.is_step = step                       # a step is made of other equations; an equation stands alone
        self.original = function
        self.arguments = list(inspect.signature(function).parameters)
        self.inputs, self.outputs = read_symbols(function.__doc__)
        unknown = [name for name in self.stops if name not in self.arguments]
        if unknown:
            raise ValueError(f"{self.id}: stops: expected names of arguments, that is of {', '.join(self.arguments)}; received "
                             f"{', '.join(unknown)}")
        functools.update_wrapper(self, function)
        self.use_patches([])

    def __call__(self, *args):
        if self.kernel is None and not _hooks:    # hundreds of times in a training step: no detour
            return self._forward(*args)
        run = self._forward if self.kernel is None else self.kernel.forward_or(self._forward, args)
        return _through_hooks(self, "forward", run, args)

    def gradient(self, *args):
        run = self._backward if self.kernel is None else self.kernel.backward_or(self._backward)
        if run is None:
            raise TypeError(f"{self.id} ({self.name}) has no backward: write {self.name}_backward below it and put "
                            f"@{self.name}.backward above")
        return _through_hooks(self, "backward", run, args)

    def backward(self, function):
        """Decorator for the other half of the pair; returns a callable that goes through the registry."""
        self.original_backward = function
        self.use_patches([])
        return Gradient(self, function)

    def use_patches(self, patches):
        """Put these patches in force over the originals, the last one on top."""
        self.patches = patches
        self._forward, self._backward = self.original, self.original_backward
        for one in patches:
            self._forward, self._backward = one.forward or self._forward, one.backward or self._backward
        _version[0] += 1

    @property
    def name(self):
        return self.original.__name__

    @property
    def is_patched(self):
        return self._forward is not self.original or self._backward is not self.original_backward

    @property
    def functions(self):
        """The NumPy pair in force: (forward, backward), never the kernel."""
        return self._forward, self._backward

    @property
    def differentiable(self):
        """Names of the inputs that the backward returns a gradient for, in the order of the forward's arguments."""
        return [name for name in self.arguments if not self.inputs[name].is_data]

    @property
    def address(self):
        path = inspect.getsourcefile(self.original).replace("\\", "/")
        start = max(path.rfind("/numpymem/"), path.rfind("/gradcheck/"))               # elsewhere: the whole path
        return f"{path[start + 1:]}:{inspect.getsourcelines(self.original)[1]}"

    def __repr__(self):
        return f"<equation {self.id}: {self.name}({', '.join(self.arguments)})>"


class Gradient:
    """The backward's name in its module: a callable that asks the registry which backward is in force."""

    def __init__(self, of, function):
        self.equation = of
        functools.update_wrapper(self, function)

    def __call__(self, *args):
        of = self.equation                        # as in Equation.__call__: no detour without a kernel or a hook
        return of.gradient(*args) if of.kernel is not None or _hooks else of._backward(*args)

    def __repr__(self):
        return f"<backward of {self.equation.id}: {self.__name__}>"


def equation(id, latex, source="", deviations="", step=False, fixed=None, dims=None, stops=()):
    """Register a forward under `id`. See the text at the top of this file for what its docstring declares.

    source      paper and equation number
    deviations  where the code departs from the paper on purpose (an epsilon, a stopped gradient), and why
    step        True for a step of a model, which is made only of other registered pairs
    fixed       values of arguments that are settings, not numbers to differentiate: {"sizes": HeadSizes(...)}
    dims        sizes of letters in the shapes that follow from `fixed`; the gradient check picks all others
    stops       inputs whose gradient is zero on purpose (a stop-gradient), though the forward depends on them
    """
    def register(function):
        known = REGISTRY.get(id)
        if known is not None and known.original.__qualname__ != function.__qualname__:
            raise ValueError(f"equation id {id!r}: expected an id not yet used, received one that "
                             f"{known.name} in {known.address} already has")
        if known is None:
            REGISTRY[id] = known = Equation(id, latex, source, function, deviations, step, fixed, dims, stops)
        else:                                     # a reload, or a notebook cell run again
            known.define(latex, source, function, deviations, step, fixed, dims, stops)
        return known
    return register


def find(what):
    """The Equation for an id ('NTM-9', case ignored), a function's name ('sharpen') or either half of a pair."""
    if isinstance(what, Equation):
        return what
    if isinstance(what, Gradient):
        return what.equation
    wanted = str(what).lower()
    for item in REGISTRY.values():
        if wanted in (item.id.lower(), item.name.lower()):
            return item
    raise KeyError(f"no equation is called {what!r}; known: {', '.join(REGISTRY)}")


class patch(contextlib.ContextDecorator):
    """Replace an equation, forward, backward or both, at once and everywhere; `undo()` or leaving `with` takes it back.

        numpymem.patch("NTM-9", my_sharpen, my_sharpen_backward)       # until undo()
        with numpymem.patch("NTM-9", my_sharpen):                      # for a block; the backward stays
            ...

    The replacement takes the same arguments in the same order. Kernels that fuse the equation stand down by themselves.
    Of several patches the last is in force; they can be undone in any order, or all at once with `unpatch_all()`.
    """

    def __init__(self, what, forward=None, backward=None):
        self.equation = find(what)
        if forward is None and backward is None:
            raise TypeError(f"patch({self.equation.id}): expected a forward, a backward or both, received neither")
        self.forward, self.backward = forward, backward
        self._check(forward, self.equation.original, "forward")
        if self.equation.original_backward is not None:
            self._check(backward, self.equation.original_backward, "backward")
        self._apply()

    def _check(self, new, old, which):
        if new is None:
            return
        if not callable(new):
            raise TypeError(f"patch({self.equation.id}): {which} must be a function, received {type(new).__name__}")
        wanted, got = list(inspect.signature(old).parameters), list(inspect.signature(new).parameters)
        if len(wanted) != len(got):
            raise TypeError(f"patch({self.equation.id}): the {which} must take ({', '.join(wanted)}), "
                            f"received one that takes ({', '.join(got)})")

    def _apply(self):
        self.equation.use_patches([*self.equation.patches, self])

    def undo(self):
        """Take this patch away, whatever was patched before and after it; a second call does nothing."""
        if self in self.equation.patches:
            self.equation.use_patches([one for one in self.equation.patches if one is not self])

    def __enter__(self):
        if self not in self.equation.patches:
            self._apply()
        return self

    def __exit__(self, *error):
        self.undo()
        return False


def unpatch_all():
    """Take all patches away: every equation is again the one in its file."""
    for item in REGISTRY.values():
        if item.patches:
            item.use_patches([])


@contextlib.contextmanager
def around(hook):
    """Let hook(equation, 'forward' | 'backward', run, arguments) make every evaluation inside the block.

    It calls run(*arguments) itself and returns the result, or another in its place: that is how the gradient check pushes at
    an intermediate value in the middle of a model.
    """
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)


def _through_hooks(item, phase, run, args):
    for hook in _hooks:
        run = functools.partial(_hooked, hook, item, phase, run)
    return run(*args)


def _hooked(hook, item, phase, run, *args):
    return hook(item, phase, run, args)


def watch(callback):
    """Call callback(equation, 'forward' | 'backward', arguments, result) after each evaluation inside the block."""
    def hook(item, phase, run, args):
        out = run(*args)
        callback(item, phase, args, out)
        return out
    return around(hook)


clock = [None]         # the time step that a model is at, for watchers


def ticking(steps):
    """Go through time steps, and let watchers know at which one the model is."""
    before = clock[0]
    for t in steps:
        clock[0] = t
        yield t
    clock[0] = before


def version():
    """A number that changes whenever an equation is defined, patched or restored."""
    return _version[0]
