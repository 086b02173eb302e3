"""Normalisations by known statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.base.errors import ModelError
from workbench.graph.ops.define import Axes, accumulator, reduce
from workbench.graph.ops.elementwise import elementwise
from workbench.graph.ops.shape import reshape
from workbench.ir import build
from workbench.ir.expr import BinaryOp, Expr
from workbench.ir.types import DType, TensorType, f64
from workbench.schedules.compute import Reducer

if TYPE_CHECKING:
    from workbench.graph.build import Builder
    from workbench.graph.tensor import Tensor


def batch_norm(
    b: Builder,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
    epsilon: float,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, per channel (dimension 1).

    Written as x * factor + offset: both are constants when the statistics are.
    """
    if x.rank < 2 or any(t.extents != (x.extents[1],) for t in (scale, shift, mean, variance)):
        raise ModelError(f"batch_norm: the statistics do not fit the channels of {x}")

    def factor(s: Expr, v: Expr) -> Expr:
        root = build.call("sqrt", build.add(build.cast(v, f64), build.const(epsilon, f64)))
        return build.binary(BinaryOp.DIV, build.cast(s, f64), root)

    # in f64, so that folding the statistics loses nothing against computing element by element
    wide = elementwise(b, "batch_norm_factor", factor, scale, variance)
    offset = elementwise(
        b,
        "batch_norm_offset",
        lambda c, m, f: build.cast(build.sub(build.cast(c, f64), build.mul(m, f)), x.dtype),
        shift,
        mean,
        wide,
    )
    narrow = elementwise(b, "cast", lambda f: build.cast(f, x.dtype), wide)
    shape = (x.extents[1], *[1] * (x.rank - 2))
    scales = b.name(reshape(b, narrow, shape), f"{b.wish}.scale")
    shifts = b.name(reshape(b, offset, shape), f"{b.wish}.shift")
    return elementwise(
        b, "batch_norm", lambda v, f, c: build.add(build.mul(v, f), c), x, scales, shifts
    )


def local_response_norm(
    b: Builder, x: Tensor, size: int, alpha: float, beta: float, bias: float
) -> Tensor:
    """`x` / (bias + alpha / size * sum of squares)^beta, summed over `size` neighbouring channels.

    Channels before the first and after the last count as zeros; of an even `size` the extra one
    comes after.
    """
    if x.rank < 3 or size < 1:
        raise ModelError(f"a window of {size} channels does not fit {x}")
    var, wide, channels = x.variable(), accumulator(x.dtype), x.extents[1]

    def square(i: Axes, r: Axes) -> Expr:
        at = build.sub(build.add(i[1], r[0]), (size - 1) // 2)
        inside = build.all_of(build.binary(BinaryOp.GE, at, 0), build.less(at, channels))
        element = build.cast(build.load(var, [i[0], at, *i[2:]]), wide)
        return build.select(inside, build.mul(element, element), build.const(0, wide))

    def finish(i: Axes, total: Expr) -> Expr:
        scale = build.add(build.mul(total, build.const(alpha / size, wide)), bias)
        element = build.cast(build.load(var, i), wide)
        return build.binary(BinaryOp.DIV, element, _power(scale, beta))

    kind = TensorType(x.dtype, x.extents)
    compute = reduce("lrn", [var], kind, Reducer.SUM, [size], square, finish)
    return b.emit(compute, [x], attributes={"size": size})


def _power(value: Expr, exponent: float) -> Expr:
    """`value` to a power; quarters by square roots, which are exact and quick."""
    kind = value.type
    assert isinstance(kind, DType)
    if exponent not in (0.25, 0.5, 0.75):
        return build.call("pow", value, build.const(exponent, kind))
    half = build.call("sqrt", value)
    if exponent == 0.5:
        return half
    quarter = build.call("sqrt", half)
    return quarter if exponent == 0.25 else build.mul(half, quarter)
