"""Operators and casts on arrays, exact in every number type.

A value is an array with one entry per thread in its last axis, or without that axis when it is
the same for every thread; a short vector has its lanes in an axis before. f16 and bf16 compute in
f32 and round after every operation. Integers wrap.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.base.lazy import lazy
from workbench.ir.expr import BinaryOp, UnaryOp
from workbench.ir.types import DType, f32

if TYPE_CHECKING:
    from collections.abc import Callable

    import ml_dtypes
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    np = lazy("numpy")
    ml_dtypes = lazy("ml_dtypes")


@cache
def numpy_dtype(kind: DType) -> np.dtype[Any]:
    """The numpy dtype of one lane of `kind`."""
    if kind.scalar == "bf16":
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(kind.numpy_name)


def is_half(kind: DType) -> bool:
    """Whether `kind` is computed in f32 and rounded after every operation."""
    return kind.is_float and kind.bits == 16


def constant(value: float | int | bool, kind: DType) -> Array:
    """A number as a value that all threads share; a vector has it in every lane."""
    one = np.array(value).astype(numpy_dtype(kind))
    return one[()] if kind.lanes == 1 else np.full((kind.lanes, 1), one)


@cache
def poison(kind: DType) -> Array:
    """What stands where no value may be used: NaN, bytes 0xCD, or False."""
    if kind.is_float:
        return np.array(np.nan).astype(numpy_dtype(kind))[()]
    if kind.kind == "b":
        return np.bool_(False)  # pyright: ignore[reportReturnType]
    return np.frombuffer(b"\xcd" * 8, dtype=numpy_dtype(kind))[0]


def widen(value: Array) -> Array:
    """A half as f32; everything else as it is."""
    return value.astype(np.float32) if value.dtype.itemsize == 2 and _floating(value) else value


def _floating(value: Array) -> bool:
    # ml_dtypes registers bfloat16 with the kind of a void type
    return value.dtype.kind in "fV"


def _truncated_quotient(a: Array, b: Array) -> Array:
    quotient = np.floor_divide(a, b)
    inexact = (quotient * b != a) & ((a < 0) != (b < 0))
    return (quotient + inexact).astype(a.dtype)


def _modulus(a: Array, b: Array) -> Array:
    return np.mod(a, b)


_BINARY: dict[BinaryOp, str | Callable[[Array, Array], Array]] = {
    BinaryOp.ADD: "add",
    BinaryOp.SUB: "subtract",
    BinaryOp.MUL: "multiply",
    BinaryOp.DIV: "divide",
    BinaryOp.FLOORDIV: "floor_divide",
    BinaryOp.FLOORMOD: _modulus,
    BinaryOp.TRUNCDIV: _truncated_quotient,
    BinaryOp.TRUNCMOD: "fmod",
    BinaryOp.BITAND: "bitwise_and",
    BinaryOp.BITOR: "bitwise_or",
    BinaryOp.BITXOR: "bitwise_xor",
    BinaryOp.SHL: "left_shift",
    BinaryOp.SHR: "right_shift",
    BinaryOp.MIN: "fmin",
    BinaryOp.MAX: "fmax",
    BinaryOp.AND: "logical_and",
    BinaryOp.OR: "logical_or",
    BinaryOp.LT: "less",
    BinaryOp.LE: "less_equal",
    BinaryOp.GT: "greater",
    BinaryOp.GE: "greater_equal",
    BinaryOp.EQ: "equal",
    BinaryOp.NE: "not_equal",
}

DIVISIONS = frozenset({BinaryOp.FLOORDIV, BinaryOp.FLOORMOD, BinaryOp.TRUNCDIV, BinaryOp.TRUNCMOD})
SHIFTS = frozenset({BinaryOp.SHL, BinaryOp.SHR})


def operation(op: BinaryOp, operand: DType, result: DType) -> Callable[[Array, Array], Array]:
    """`op` on arrays of type `operand`.

    No divisor of an integer may be 0 and no count of a shift outside the bits: the caller
    replaces those.
    """
    named = _BINARY[op]
    plain = getattr(np, named) if isinstance(named, str) else named
    if not is_half(operand):
        return plain

    def rounded(a: Array, b: Array) -> Array:
        found = plain(widen(a), widen(b))
        return round_to(found, operand) if result.is_float else found

    return rounded


def round_to(value: Array, kind: DType) -> Array:
    """A float rounded to the type `kind`, ties to even."""
    return value.astype(numpy_dtype(kind))


def unary(op: UnaryOp, a: Array) -> Array:
    """`op a`."""
    if op is UnaryOp.NOT:
        return np.logical_not(a)
    return np.negative(a) if op is UnaryOp.NEG else np.invert(a)


def convert(value: Array, old: DType, new: DType) -> Array:
    """`value` of type `old` as type `new`; a scalar fills every lane of a vector.

    A float becomes an integer towards zero, held to the range of the type, and NaN becomes 0, as
    the conversions of PTX and LLVM's saturating ones do.
    """
    if old.lanes == 1 and new.lanes > 1:
        value = np.repeat(value.reshape(1, -1), new.lanes, axis=0)
    if old.scalar == new.scalar:
        return value
    if new.kind == "b":
        return value != np.zeros((), value.dtype)[()]
    if old.is_float and new.is_int:
        return _saturated(widen(value), new)
    if is_half(new) and not (old.is_float and old.bits == 64):
        value = value.astype(np.float32)
    return value.astype(numpy_dtype(new))


def _saturated(value: Array, new: DType) -> Array:
    number = np.trunc(value.astype(np.float64))
    limits = np.iinfo(numpy_dtype(new))
    # as float64 the largest i64 and u64 round up to the first number outside
    over = number >= float(limits.max) if new.bits == 64 else number > limits.max
    under = number < float(limits.min)
    inside = np.where(over | under | np.isnan(number), 0.0, number)
    found = inside.astype(numpy_dtype(new))
    found = np.where(over, numpy_dtype(new).type(limits.max), found)
    return np.where(under, numpy_dtype(new).type(limits.min), found)


def fma(a: Array, b: Array, c: Array, kind: DType) -> Array:
    """`a * b + c`, rounded once (halves: once to f32, then to the half)."""
    if kind.bits == 64:
        return _fma64(a, b, c)
    wide = [v.astype(np.float64) for v in (a, b, c)]
    # the product of two f32 is exact in f64; rounding the sum to odd makes the second rounding
    # the only one that counts (Boldo and Melquiond, "Emulation of FMA", 2008)
    total = _sum_to_odd(wide[0] * wide[1], wide[2]).astype(np.float32)
    return round_to(total, kind) if kind != f32.vector(kind.lanes) else total


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Rounded sum and exact error. Source: Knuth, TAOCP 2, 4.2.2."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _sum_to_odd(a: Array, b: Array) -> Array:
    """The sum in float64: the neighbour with an odd last bit where it is not exact."""
    total, error = _two_sum(a, b)
    total = np.asarray(total)
    even = (total.view(np.int64) & 1) == 0
    nudge = np.isfinite(total) & np.isfinite(error) & (error != 0) & even
    return np.where(nudge, np.nextafter(total, np.copysign(np.inf, error)), total)[()]


def _fma64(a: Array, b: Array, c: Array) -> Array:
    """Exact but where a product of parts over- or underflows. Source: Boldo and Melquiond."""
    high, low = _two_product(a, b)
    top, rest = _two_sum(c, low)
    head, tail = _two_sum(high, top)
    exact = head + _sum_to_odd(tail, rest)
    return np.where(np.isfinite(exact) & np.isfinite(high), exact, a * b + c)[()]


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Rounded product and exact error. Source: Dekker, "A floating-point technique", 1971."""
    product = a * b
    (a1, a2), (b1, b2) = _split(a), _split(b)
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def _split(a: Array) -> tuple[Array, Array]:
    shifted = a * 134217729.0  # 2**27 + 1 halves the 53 bits
    high = shifted - (shifted - a)
    return high, a - high
