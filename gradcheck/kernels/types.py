"""Float32 in, float32 computed: a look inside the compiled functions of a kernel, at the types that numba infers.

`1 - w` with the integer 1 computes in float64 even where w and the array that takes the result are float32: slower, and not what
the NumPy pair does, but from outside nobody sees it. So numba's type inference, and nothing after it, runs once more for every
function that the kernel's float32 form reaches, and each variable or expression of type float64 is reported.

Three things are harmless and are not reported: a float64 constant that is converted at once, by dtype.type(...) or because it is
stored in a float32 array; one that is only compared with, which rounds nothing; and one that nobody uses.

Inference is some seconds for the NTM, so the answer is kept beside the compiled code, in a folder whose name changes with every
edit of a kernel.
"""

import contextlib
import hashlib
import json
import linecache
import pathlib
import types as python
from typing import NamedTuple

from numpymem import kernel as kernels


class Float64(NamedTuple):
    """A variable or expression that is float64 although the function was called with float32."""
    function: str
    file: str            # numpymem/ntm/kernels.py
    line: int
    name: str            # of the variable; of an expression, its line in the source
    type: str

    def __str__(self):
        return f"line {self.line} of {self.file}, {self.function}: {self.name} is {self.type}"


def float64_in(pair):
    """What a kernel's pair computes in float64 when it is called with float32 -> list of Float64, in the order of the code.

    Looked at are the float32 forms that are there: call the kernel with float32 numbers first, as check_kernel does. A form that
    was called with both (float64 logits under a float32 mask) computes in float64 because it was asked to.
    """
    roots = [(function, signature) for function in compiled_functions(pair)
             for signature in function.overloads if "float32" in str(signature) and "float64" not in str(signature)]
    if not roots:
        return []
    kept = _kept_in(roots)
    if kept is None:
        return _float64_reached_from(roots)
    with contextlib.suppress(OSError, ValueError, TypeError):         # not there, or not what it was: look again
        return [Float64(*one) for one in json.loads(kept.read_text())]
    found = _float64_reached_from(roots)
    with contextlib.suppress(OSError):                                # a read-only home
        kept.write_text(json.dumps(found))
    return found


def _kept_in(roots):
    """The file with the answer for these functions, or None for a kernel from elsewhere: nothing says when that was edited."""
    if any(kernels.PACKAGE not in pathlib.Path(one.py_func.__code__.co_filename).parents for one, _ in roots):
        return None
    asked = sorted(f"{one.py_func.__module__} {one.py_func.__name__} {signature}" for one, signature in roots)
    question = [pathlib.Path(__file__).read_text(), numba_version(), *asked]
    return kernels.cache_folder() / f"float64-{hashlib.sha256(chr(10).join(question).encode()).hexdigest()[:16]}.json"


def numba_version():
    import numba
    return numba.__version__


def compiled_functions(pair):
    """The functions of numba that a kernel's pair is, or that its two plain Python functions call."""
    from numba.core.dispatcher import Dispatcher
    found, seen, todo = [], [], list(pair)
    while todo:
        one = todo.pop(0)
        if one in seen:                                               # functions may call one another
            continue
        seen.append(one)
        if isinstance(one, Dispatcher):
            found.append(one)
        elif isinstance(one, python.FunctionType):
            called = [one.__globals__.get(name) for name in _names_in(one.__code__)]
            todo += [other for other in called if isinstance(other, Dispatcher)
                     or isinstance(other, python.FunctionType) and other.__module__ == one.__module__ and other is not one]
    return found


def _names_in(code):
    """What a function names, also in the functions that it defines."""
    inner = [name for one in code.co_consts if isinstance(one, python.CodeType) for name in _names_in(one)]
    return [*code.co_names, *inner]


def _float64_reached_from(roots):
    found, seen, todo = [], set(), [(one.py_func, one.targetoptions, signature) for one, signature in roots]
    while todo:
        function, options, signature = todo.pop(0)
        if (function.__code__, signature) not in seen:                # by its code: an @overload makes its functions anew
            seen.add((function.__code__, signature))
            view = Inferred(function, options, signature)
            found += view.float64()
            todo += view.called()
    return list(dict.fromkeys(found))


# ---- one function -------------------------------------------------------------------------------------------------------

class Inferred:
    """A function as numba sees it once the types are inferred: its instructions, the type of each variable, of each call."""

    def __init__(self, function, options, signature):
        self.function = function
        state = _infer(function, options, signature)
        self.types, self.signatures = state.typemap, state.calltypes
        self.instructions = [inst for _, block in sorted(state.func_ir.blocks.items()) for inst in block.body]

    def float64(self):
        """List of Float64, one a line: the variable that is assigned there, if there is one."""
        from numba.core import ir
        found = {}
        for inst in self.instructions:
            if isinstance(inst, ir.Assign) and self._is_float64(inst.target) and not self._is_harmless(inst):
                name = inst.target.name.partition(".")[0]             # `total.2` is numba's third version of `total`
                own = name in self.function.__code__.co_varnames
                where = inst.loc.filename, inst.loc.line
                if own or where not in found:
                    found[where] = self._describe(inst, name if own else "")
        return sorted(found.values(), key=lambda one: (one.file, one.line))

    def _describe(self, inst, name):
        path, line = pathlib.Path(inst.loc.filename), inst.loc.line
        root = kernels.PACKAGE.parent if kernels.PACKAGE in path.parents else path.parent
        return Float64(self.function.__name__, path.relative_to(root).as_posix(), line,
                       name or linecache.getline(str(path), line).strip(), str(self.types[inst.target.name]))

    def _is_float64(self, variable):
        from numba.core import types
        kind = self.types.get(variable.name)
        return not isinstance(kind, types.Callable | types.DType | types.Module) and any(
            name in str(kind) for name in ("float64", "complex128"))

    def _is_harmless(self, inst):
        """A constant that is converted at once, compared with, stored in an array of another type, or not used."""
        from numba.core import ir
        constant = isinstance(inst.value, ir.Const | ir.Global | ir.FreeVar)
        return constant and all(self._is_harmless_use(use, inst.target) for use in self._uses(inst.target))

    def _uses(self, variable):
        """The instructions that read a variable."""
        from numba.core import ir
        for inst in self.instructions:
            read = inst.value if isinstance(inst, ir.Assign) else inst
            names = [one.name for one in read.list_vars()] if hasattr(read, "list_vars") else []       # constants have none
            if variable.name in names and not isinstance(inst, ir.Del):
                yield inst

    def _is_harmless_use(self, inst, constant):
        from numba.core import ir
        if isinstance(inst, ir.SetItem | ir.StaticSetItem):
            return not self._is_float64(inst.target)
        if not isinstance(inst, ir.Assign):
            return False
        value = inst.value
        if isinstance(value, ir.Var):                                 # another name for it
            return all(self._is_harmless_use(use, inst.target) for use in self._uses(inst.target))
        if isinstance(value, ir.Expr) and value.op == "call":
            return value.func.name != constant.name and self._converts(value.func) and not self._is_float64(inst.target)
        return str(self.types[inst.target.name]) in ("bool", "boolean")     # a comparison

    def _converts(self, function):
        from numba.core import types
        return isinstance(self.types[function.name], types.NumberClass)

    def called(self):
        """[(function, options, signature)] of the functions that this one calls, compiled ones and our own @overloads."""
        from numba.core import ir, types
        for inst in self.instructions:
            if isinstance(inst, ir.Assign) and isinstance(inst.value, ir.Expr) and inst.value.op == "call":
                kind, arguments = self.types[inst.value.func.name], self.signatures[inst.value].args
                if isinstance(kind, types.Dispatcher):
                    yield kind.dispatcher.py_func, kind.dispatcher.targetoptions, arguments
                elif isinstance(kind, types.Function):
                    for template in kind.templates:
                        choose = getattr(template, "_overload_func", None)
                        if choose is not None and _is_ours(choose, self.function):
                            yield choose(*arguments), {}, arguments


def _is_ours(function, caller):
    """Not from numba: in the package of the function that calls it."""
    return str(function.__module__).partition(".")[0] == str(caller.__module__).partition(".")[0]


def _infer(function, options, signature):
    """numba's state after type inference. What the function calls is taken from the cache, or compiled."""
    import numba
    try:
        numba.jit(**(options | {"nopython": True, "pipeline_class": _inference_only()}))(function).compile(signature)
    except _Inferred as done:
        return done.args[0]
    raise RuntimeError(f"{function.__name__}: numba compiled it and did not stop after type inference")


class _Inferred(Exception):
    """Carries the state out of the compiler."""


def _inference_only():
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.compiler_machinery import AnalysisPass, register_pass
    from numba.core.typed_passes import NopythonTypeInference

    @register_pass(mutates_CFG=False, analysis_only=True)
    class Stop(AnalysisPass):
        _name = "stop_after_inference"

        def __init__(self):
            AnalysisPass.__init__(self)

        def run_pass(self, state):
            raise _Inferred(state)

    class InferenceOnly(CompilerBase):
        def define_pipelines(self):
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.add_pass_after(Stop, NopythonTypeInference)
            passes.finalize()
            return [passes]
    return InferenceOnly
