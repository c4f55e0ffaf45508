"""numpymem/ops/lanes.py for compiled loops: a type for numba whose values are vectors of LLVM, LANES numbers each.

Why: what LLVM makes of a plain loop depends on what it can prove about arrays that may overlap. With two or three of them it
vectorises, with eight it gives up, and sums that should stay in registers go through memory. A loop over LANES says which numbers
are worked on together, and keeps them where they are: the recurrent matrix product runs 4 times as fast so.
"""

import operator

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic, models, overload, register_model

from numpymem.ops import lanes
from numpymem.ops.lanes import LANES, fill, largest, load, maximum, padded, store, total

__all__ = ["LANES", "fill", "largest", "load", "maximum", "padded", "store", "total"]


class LanesType(types.Type):
    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"Lanes({dtype})")


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.dtype).get_value_type(), LANES))


# ---- in and out of memory ------------------------------------------------------------------------------------------------

@intrinsic
def _load(context, row, n):
    def generate(context, builder, signature, arguments):
        return builder.load(_at(context, builder, signature.args[0], *arguments), align=row.dtype.bitwidth // 8)
    return LanesType(row.dtype)(row, types.intp), generate


@intrinsic
def _store(context, row, n, x):
    def generate(context, builder, signature, arguments):
        row_value, place, vector = arguments
        builder.store(vector, _at(context, builder, signature.args[0], row_value, place), align=row.dtype.bitwidth // 8)
        return context.get_dummy_value()
    return types.none(row, types.intp, x), generate


def _at(context, builder, kind, row, n):
    """The address of row[n], as that of a vector."""
    start = context.make_array(kind)(context, builder, row).data
    vector = ir.VectorType(context.get_value_type(kind.dtype), LANES)
    return builder.bitcast(builder.gep(start, [n]), vector.as_pointer())


@overload(lanes.load)
def _overload_load(row, n):
    _expect_row(row, "load")
    if not config.BOUNDSCHECK:
        return lambda row, n: _load(row, n)

    def checked(row, n):
        if n < 0 or n + LANES > row.size:
            raise IndexError("load: beyond the end of the row")
        return _load(row, n)
    return checked


@overload(lanes.store)
def _overload_store(row, n, x):
    _expect_row(row, "store")
    if not config.BOUNDSCHECK:
        return lambda row, n, x: _store(row, n, x)

    def checked(row, n, x):
        if n < 0 or n + LANES > row.size:
            raise IndexError("store: beyond the end of the row")
        _store(row, n, x)
    return checked


def _expect_row(row, who):
    if not (isinstance(row, types.Array) and row.ndim == 1 and row.layout == "C"):
        raise TypeError(f"{who}: expected a contiguous row, received {row}")


# ---- one number for all, and all into one ----------------------------------------------------------------------------------

@intrinsic
def _fill(context, number):
    return LanesType(number)(number), lambda context, builder, signature, arguments: _spread(builder, arguments[0])


def _spread(builder, number):
    nothing = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
    first = builder.insert_element(nothing, number, _int(0))
    return builder.shuffle_vector(first, nothing, _places([0] * LANES))


def _all_into_one(combine):
    """An intrinsic that folds a vector: each number with the one `step` places further on, 16 -> 8 -> 4 -> 2 -> 1."""
    @intrinsic
    def fold(context, x):
        def generate(context, builder, signature, arguments):
            (vector,), step = arguments, LANES // 2
            nothing = ir.Constant(vector.type, ir.Undefined)
            while step:
                turned = builder.shuffle_vector(vector, nothing, _places([(k + step) % LANES for k in range(LANES)]))
                vector, step = combine(builder, vector, turned), step // 2
            return builder.extract_element(vector, _int(0))
        return x.dtype(x), generate
    return fold


def _larger(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


_total = _all_into_one(lambda builder, a, b: builder.fadd(a, b))
_largest = _all_into_one(_larger)


@intrinsic
def _maximum(context, x, y):
    return x(x, x), lambda context, builder, signature, arguments: _larger(builder, *arguments)


def _int(number):
    return ir.Constant(ir.IntType(32), number)


def _places(numbers):
    return ir.Constant(ir.VectorType(ir.IntType(32), LANES), [_int(number) for number in numbers])


@overload(lanes.fill)
def _overload_fill(number):
    return lambda number: _fill(number)


@overload(lanes.total)
def _overload_total(x):
    return lambda x: _total(x)


@overload(lanes.largest)
def _overload_largest(x):
    return lambda x: _largest(x)


@overload(lanes.maximum)
def _overload_maximum(x, y):
    return lambda x, y: _maximum(x, y)


# ---- arithmetic: numba turns a * b + c into one instruction, as everywhere in a kernel ------------------------------------------

def _arithmetic(operation, in_place, instruction):
    @intrinsic
    def both(context, x, y):
        whole = x if isinstance(x, LanesType) else y
        kinds = [one if isinstance(one, LanesType) else whole.dtype for one in (x, y)]
        if not all(kind in (whole, whole.dtype) for kind in kinds):
            raise TypeError(f"lanes: expected two of one type, received {x} and {y}")

        def generate(context, builder, signature, arguments):
            a, b = (one if isinstance(kind, LanesType) else _spread(builder, one) for kind, one in zip(kinds, arguments))
            return getattr(builder, instruction)(a, b)
        return whole(*kinds), generate

    def choose(x, y):
        if isinstance(x, LanesType) or isinstance(y, LanesType):
            return lambda x, y: both(x, y)
        return None
    overload(operation)(choose)
    overload(in_place)(choose)


_arithmetic(operator.add, operator.iadd, "fadd")
_arithmetic(operator.sub, operator.isub, "fsub")
_arithmetic(operator.mul, operator.imul, "fmul")
