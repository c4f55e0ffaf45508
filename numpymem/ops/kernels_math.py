"""exp, log, tanh and sigmoid of one number, written so that a loop over float32 numbers vectorises.

Compiled loops call the C library's exp one number at a time, some 10 to 30 ns each; NumPy has vector versions, numba has none
of its own. These are short series on a reduced range, exact to a few units in the last place of a float32
(tests/test_kernels.py measures it). In float64 the C library is used, unchanged.

    exp x  = 2^n e^r,                n = round(x / log 2),  |r| <= log(2) / 2,  Taylor series of e^r
    log x  = e log 2 + 2 artanh z,   x = 2^e m,  z = (m - 1) / (m + 1),  |z| <= 0.172,  series of artanh
    tanh x = Taylor series for |x| < 1/4, else 1 - 2 / (e^2x + 1)
"""

import numpy as np
from numba import float32, int32, types
from numba.extending import intrinsic, overload

LOG2_HIGH, LOG2_LOW = np.float32(0.693359375), np.float32(np.log(2) - 0.693359375)     # the first has few digits: n * it is exact
INVERSE_LOG2 = np.float32(1 / np.log(2))
E = [np.float32(1 / f) for f in (2, 6, 24, 120, 720, 5040)]                            # 1/2! ... 1/7!
A = [np.float32(1 / odd) for odd in (3, 5, 7, 9)]
T = [np.float32(c) for c in (-1 / 3, 2 / 15, -17 / 315, 62 / 2835, -1382 / 155925)]
E2, E3, E4, E5, E6, E7 = E
A3, A5, A7, A9 = A
T3, T5, T7, T9, T11 = T
ONE, TWO, HALF, QUARTER = (np.float32(number) for number in (1, 2, 0.5, 0.25))
LOWEST, HIGHEST = np.float32(-87), np.float32(88)                                      # e^x stays a normal float32


@intrinsic
def as_float(context, bits):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))
    return float32(int32), generate


@intrinsic
def as_bits(context, number):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))
    return int32(float32), generate


def exp(x):
    return np.exp(x)


def log(x):
    return np.log(x)


def tanh(x):
    return np.tanh(x)


def sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


@overload(exp)
def _exp(x):
    if x != types.float32:
        return lambda x: np.exp(x)

    def exp_float32(x):
        x = min(max(x, LOWEST), HIGHEST)
        n = np.floor(x * INVERSE_LOG2 + HALF)
        r = (x - n * LOG2_HIGH) - n * LOG2_LOW
        series = ONE + r * (ONE + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * E7))))))
        return series * as_float((np.int32(n) + np.int32(127)) << np.int32(23))
    return exp_float32


@overload(log)
def _log(x):
    if x != types.float32:
        return lambda x: np.log(x)

    def log_float32(x):
        bits = as_bits(x)
        e = (bits - np.int32(0x3f3504f3)) >> np.int32(23)                              # so that m is in [sqrt 1/2, sqrt 2)
        m = as_float(bits - (e << np.int32(23)))
        z = (m - ONE) / (m + ONE)
        zz = z * z
        y = np.float32(e) * LOG2_HIGH + (TWO * z * (ONE + zz * (A3 + zz * (A5 + zz * (A7 + zz * A9))))
                                         + np.float32(e) * LOG2_LOW)
        return y if x == x else x                                                      # nan stays nan
    return log_float32


@overload(tanh)
def _tanh(x):
    if x != types.float32:
        return lambda x: np.tanh(x)

    def tanh_float32(x):
        xx = x * x
        small = x + x * xx * (T3 + xx * (T5 + xx * (T7 + xx * (T9 + xx * T11))))
        large = ONE - TWO / (exp(TWO * x) + ONE)
        return small if xx < QUARTER * QUARTER else large
    return tanh_float32


@overload(sigmoid)
def _sigmoid(x):
    if x != types.float32:
        return lambda x: 0.5 * np.tanh(0.5 * x) + 0.5
    return lambda x: HALF * tanh(HALF * x) + HALF
