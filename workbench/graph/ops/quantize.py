"""Numbers as small integers: q = round(x / scale) + zero point, and back."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.base.lazy import lazy
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.reduce import reduction
from workbench.graph.ops.shape import gather, reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Const, Expr
from workbench.ir.types import DType, f32, f64, i32, u8
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    import numpy as np

    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor
else:
    np = lazy("numpy")


def spread(b: Builder, parameter: Tensor, x: Tensor, axis: int, block: int) -> Tensor:
    """A scale or zero point in a shape that broadcasts to `x`.

    Parameters
    ----------
    axis : int
        The dimension of `x` that it belongs to, if it is not one number for all.
    block : int
        So many neighbours along `axis` share one; 0 for one per element of `axis`.

    Raises
    ------
    ModelError
        When it does not fit.
    """
    if parameter.size == 1 and parameter.rank <= 1:
        return reshape(b, parameter, ())
    wrong = ModelError(f"{parameter} is no scale or zero point for dimension {axis} of {x}")
    if not -x.rank <= axis < x.rank:
        raise wrong
    axis %= x.rank
    extent = x.extents[axis]
    if block == 0:
        if parameter.extents != (extent,):
            raise wrong
        return reshape(b, parameter, (extent, *[1] * (x.rank - axis - 1)))
    count = -(-extent // block) if block > 0 else -1
    if parameter.extents != (*x.extents[:axis], count, *x.extents[axis + 1 :]):
        raise wrong
    return gather(b, parameter, b.constant(np.arange(extent, dtype=np.int64) // block), axis)


def saturated(value: Expr, zero: Expr | None, to: DType) -> Expr:
    """A float, rounded to the nearest integer (ties to even), plus a zero point, in `to`."""
    assert isinstance(value.type, DType)
    whole = build.call("round", value)
    if zero is not None:
        whole = build.add(whole, build.cast(zero, value.type))
    low = 0 if to.kind == "u" else -(2 ** (to.bits - 1))
    high = 2 ** (to.bits - (to.kind == "i")) - 1
    low_, high_ = build.const(float(low), value.type), build.const(float(high), value.type)
    inside = build.binary(BinaryOp.MIN, build.binary(BinaryOp.MAX, whole, low_), high_)
    # as a 32-bit integer first, to which machines convert in one step
    return build.cast(build.cast(inside, i32), to)


def _by_reciprocal(v: Expr, scale: Const, zero: Const | None, to: DType) -> Expr | None:
    """`v / scale` rounded, with known numbers: the same, without a division.

    What is drawn to the ends before it is divided stays finite, so that a product with the
    reciprocal and its remainder give the quotient as it is rounded.

    Source: Markstein, "Computation of Elementary Functions on the IBM RISC System/6000
    Processor", IBM Journal of Research and Development 34 (1990).
    """
    step, moved = np.float32(scale.value), 0 if zero is None else int(zero.value)
    if not (to.bits == 8 and 2.0**-60 < step < 2.0**60):
        return None
    low, high = (0, 255) if to.kind == "u" else (-128, 127)
    ends = [build.const(float(np.float32(e - moved) * step), f32) for e in (low, high)]
    inside = build.binary(BinaryOp.MIN, build.binary(BinaryOp.MAX, v, ends[0]), ends[1])
    inverse = build.const(float(np.float32(1) / step), f32)
    near = build.mul(inside, inverse)
    rest = build.call("fma", build.mul(near, -1.0), build.const(float(step), f32), inside)
    whole = build.call("round", build.call("fma", rest, inverse, near))
    return build.cast(build.add(build.cast(whole, i32), moved), to)


def quantize(b: Builder, x: Tensor, scale: Tensor, zero: Tensor | None, to: DType) -> Tensor:
    """round(x / scale) + zero as `to`, what is beyond its range drawn to its ends.

    `scale` and `zero` broadcast to `x`; halves are divided as f32.
    """

    def whole(v: Expr, s: Expr, z: Expr | None = None) -> Expr:
        wide = f64 if x.dtype == f64 else f32
        if wide == f32 and isinstance(s, Const) and isinstance(z, Const | None):
            found = _by_reciprocal(build.cast(v, f32), s, z, to)
            if found is not None:
                return found
        ratio = build.binary(BinaryOp.DIV, build.cast(v, wide), build.cast(s, wide))
        return saturated(ratio, z, to)

    inputs = [x, scale] if zero is None else [x, scale, zero]
    return elementwise(b, "quantize", whole, *inputs)


LEAST_RANK = 2
"""Dimensions of weights, at least; what has fewer is a bias."""


def dequantize(b: Builder, x: Tensor, scale: Tensor, zero: Tensor | None, to: DType) -> Tensor:
    """(x - zero) * scale as `to`, computed in f32; both broadcast to `x`."""

    def real(v: Expr, s: Expr, z: Expr | None = None) -> Expr:
        own = build.cast(v, i32)
        own = own if z is None else build.sub(own, build.cast(z, i32))
        wide = f64 if to == f64 else f32
        return build.cast(build.mul(build.cast(own, wide), build.cast(s, wide)), to)

    inputs = [x, scale] if zero is None else [x, scale, zero]
    # weights stay integers, for a product may want them
    fold = x.dtype.bits > 8 or x.rank < LEAST_RANK
    return elementwise(b, "dequantize", real, *inputs, fold=fold)


def requantize(
    b: Builder,
    total: Tensor,
    scales: tuple[Tensor, Tensor, Tensor],
    zero: Tensor | None,
    to: DType,
) -> Tensor:
    """An i32 product of quantized numbers as a quantized number: `total` times the scales of
    both factors over that of the result, which broadcast to it.
    """

    def whole(v: Expr, s: Expr, t: Expr, out: Expr, z: Expr | None = None) -> Expr:
        factor = build.mul(build.cast(s, f32), build.cast(t, f32))
        factor = build.binary(BinaryOp.DIV, factor, build.cast(out, f32))
        return saturated(build.mul(build.cast(v, f32), factor), z, to)

    inputs = [total, *scales, zero] if zero is not None else [total, *scales]
    return elementwise(b, "requantize", whole, *inputs)


EXACT = 2**24
"""Integers up to this are floats, so that sums that stay within it are exact in any order."""


def sums_type(
    b: Builder, x: Tensor, zero_x: Tensor | None, w: Tensor, zero_w: Tensor | None, over: list[int]
) -> DType:
    """The type in which products of quantized numbers are summed: f32 where it holds every sum
    that there can be, and i32 otherwise.

    Machines multiply floats faster than 32-bit integers.

    Parameters
    ----------
    over : list of int
        Dimensions of `w` that are summed over; `zero_x` and `zero_w` are taken off first.
    """
    if x.dtype.bits > 8 or w.dtype.bits > 8:
        return i32
    known, zero = b.value(w), np.zeros((), np.int64)
    if zero_w is not None:
        zero = b.value(zero_w)
    if known is None or zero is None:
        total = prod(w.extents[d] for d in over) * _reach(b, w, zero_w)
    else:
        each = np.abs(known.astype(np.int64) - zero.astype(np.int64)).sum(axis=tuple(over))
        total = int(each.max(initial=0))
    return f32 if total * _reach(b, x, zero_x) <= EXACT else i32


def _reach(b: Builder, x: Tensor, zero: Tensor | None) -> int:
    """How far elements of `x` can be from their zero point."""
    low, high = (0, 255) if x.dtype.kind == "u" else (-128, 127)
    if zero is None:
        return max(-low, high)
    known = b.value(zero)
    if known is None or not known.size:
        return high - low
    return max(high - int(known.min()), int(known.max()) - low)


def quantize_by_range(b: Builder, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`x` as u8 such that its range, with 0, fills all 256 numbers; with scale and zero point."""
    dims = range(x.rank)
    high = reduction(b, "reduce_max", x, dims, False, Reducer.MAX)
    low = reduction(b, "reduce_min", x, dims, False, Reducer.MIN)

    def step(lo: Expr, hi: Expr) -> Expr:
        width = build.sub(build.binary(BinaryOp.MAX, hi, 0.0), build.binary(BinaryOp.MIN, lo, 0.0))
        ratio = build.binary(BinaryOp.DIV, width, 255.0)
        return build.select(build.binary(BinaryOp.EQ, width, 0.0), build.const(1.0), ratio)

    def middle(lo: Expr, s: Expr) -> Expr:
        own = build.binary(BinaryOp.MIN, lo, 0.0)
        return saturated(build.binary(BinaryOp.DIV, build.sub(0.0, own), s), None, u8)

    scale = elementwise(b, "scale", step, low, high)
    zero = elementwise(b, "zero_point", middle, low, scale)
    return quantize(b, x, scale, zero, u8), scale, zero
